-- Loaded by the other scripts here. Prints the figures of a run as one line of JSON.

local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function done(summary, latency, requests)
    local errors = summary.errors
    local fast = {}
    for _, thread in ipairs(threads) do
        local counts = thread:get("fast_counts")
        if counts then
            for bucket, count in counts:gmatch("(%d+)=(%d+)") do
                table.insert(fast, string.format("[%d,%d]", bucket, count))
            end
        end
    end
    io.write(string.format(
        'BENCH {"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"max":%d,' ..
        '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,"fast":[%s]}\n',
        summary.requests, summary.duration, summary.bytes,
        latency:percentile(50), latency:percentile(99), latency.max,
        errors.connect, errors.read, errors.write, errors.status, errors.timeout,
        table.concat(fast, ",")))
end
