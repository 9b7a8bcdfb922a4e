-- The same GET over and over, with the Accept-Encoding that FERRITE_BENCH_ACCEPT says.
dofile(os.getenv("FERRITE_BENCH_WRK") .. "/report.lua")

local accept = os.getenv("FERRITE_BENCH_ACCEPT")
if accept ~= nil and accept ~= "" then
    wrk.headers["Accept-Encoding"] = accept
end
