-- The same GET over and over.
dofile(os.getenv("FERRITE_BENCH_WRK") .. "/report.lua")
