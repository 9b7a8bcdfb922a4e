-- POST of as many bytes as FERRITE_BENCH_BODY says.
dofile(os.getenv("FERRITE_BENCH_WRK") .. "/report.lua")

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("0123456789abcdef", tonumber(os.getenv("FERRITE_BENCH_BODY")) / 16)
