"""Where a server's time goes: perf samples of its processes under load."""

import os
import re
import shutil
import subprocess

import processes

FREQUENCY = 997
LINES_MAX = 30
SECONDS = 5


def available():
    return shutil.which("perf") is not None


def profile(server, case, folder, drive):
    """The functions that take the most time, as lines of text, and the time of each library,
    while `drive` makes the load."""
    drive(server, case, 1)
    pids = [pid for root in server.pids for pid in processes.tree(root)]
    data = os.path.join(folder, "perf.data")
    command = ["perf", "record", "-q", "-F", str(FREQUENCY), "-o", data]
    command += ["-p", ",".join(map(str, pids)), "--", "sleep", str(SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as recorder:
        drive(server, case, SECONDS + 1)
        error = recorder.stderr.read().decode(errors="replace")
    if recorder.returncode != 0:
        return [f"perf failed: {error.strip()[-300:]}"]
    by_library = report(data, "comm,dso", 8)
    by_function = report(data, "comm,dso,symbol", LINES_MAX)
    return [*by_library, "", *by_function]


def report(data, keys, lines):
    command = ["perf", "report", "-i", data, "--stdio", "-q", "--no-children", "-g", "none"]
    done = subprocess.run([*command, "--sort", keys], capture_output=True, text=True)
    found = [line.rstrip() for line in done.stdout.splitlines() if re.match(r"\s+\d", line)]
    return found[:lines]
