-- One request in a hundred takes the handler 100 ms. The time of each fast one is measured by
-- itself: the request carries the time of its sending, and the answer brings it back.
-- Connections pause between requests, so that the slow ones keep between one and two workers busy.
dofile(os.getenv("FERRITE_BENCH_WRK") .. "/report.lua")

local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds; long nanos; } bench_time; int clock_gettime(int, bench_time *);")
local CLOCK_MONOTONIC = 1
local time = ffi.new("bench_time")

local function micros()
    ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
    return tonumber(time.seconds) * 1000000 + math.floor(tonumber(time.nanos) / 1000)
end

-- Microseconds, in buckets of 10 below 10 ms and of 1000 above, as "bucket=count …".
local counts = {}
fast_counts = ""

function init(args)
    math.randomseed(12345 + number)
end

function delay()
    return math.random(20, 60)
end

function request()
    local kind = math.random(100) == 1 and "slow" or "fast"
    return wrk.format("GET", string.format("/mix?kind=%s&sent=%d", kind, micros()))
end

local answers = 0
function response(status, headers, body)
    local kind, sent = body:match("^(%a+) (%d+)")
    if kind == "fast" then
        local took = micros() - tonumber(sent)
        local width = took < 10000 and 10 or 1000
        local bucket = math.floor(took / width) * width
        counts[bucket] = (counts[bucket] or 0) + 1
    end
    answers = answers + 1
    if answers % 256 == 0 then
        local parts = {}
        for bucket, count in pairs(counts) do
            table.insert(parts, bucket .. "=" .. count)
        end
        fast_counts = table.concat(parts, " ")
    end
end
