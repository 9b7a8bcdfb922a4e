-- 4,096 different requests in rotation, each with the fifteen header fields of a browser, so that
-- no cache of heads can answer for the parser.
dofile(os.getenv("FERRITE_BENCH_WRK") .. "/report.lua")

local VARIANTS = 4096
local prepared = {}
local next_one = 0

function init(args)
    for variant = 1, VARIANTS do
        local major = 100 + variant % 40
        local headers = {
            ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            ["Accept-Encoding"] = "gzip, deflate, br, zstd",
            ["Accept-Language"] = "en-GB,en;q=0.9,de;q=0.8",
            ["Cache-Control"] = "max-age=0",
            ["Cookie"] = string.format("session=%08x%08x; theme=dark; seen=%d", variant * 2654435761 % 4294967296, variant, variant),
            ["Priority"] = "u=0, i",
            ["Referer"] = string.format("http://localhost/articles/%d?page=%d", variant, variant % 17),
            ["Sec-Ch-Ua"] = string.format('"Chromium";v="%d", "Not_A Brand";v="24"', major),
            ["Sec-Ch-Ua-Mobile"] = "?0",
            ["Sec-Ch-Ua-Platform"] = '"Linux"',
            ["Sec-Fetch-Dest"] = "document",
            ["Sec-Fetch-Mode"] = "navigate",
            ["Sec-Fetch-Site"] = "same-origin",
            ["User-Agent"] = string.format("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.0 Safari/537.36", major, variant),
        }
        -- wrk adds Host, the fifteenth.
        prepared[variant] = wrk.format("GET", string.format("/headers?id=%d", variant), headers)
    end
end

function request()
    next_one = next_one % VARIANTS + 1
    return prepared[next_one]
end
