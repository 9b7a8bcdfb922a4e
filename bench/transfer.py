"""Large bodies through a handler of PHP's, one after another, by curl: what they cost, and how much memory
all processes of a server have meanwhile."""

import os
import subprocess
import threading
import time
from dataclasses import replace

import processes
from drivers import ANSWER_SECONDS_MAX, ENVIRONMENT, HTTP_VERSIONS
from servers import ServerError

# How often memory is looked at. Each look costs the machine, but not the server, some of its time.
LOOK_SECONDS = 0.05
# How long a server has nothing to do before its idle memory is looked at.
IDLE_SECONDS = 0.5
PIECE_BYTES = 1 << 20


def small(case):
    """The same with 1 MiB, by which it is seen that a server answers as it should."""
    whole = case.body_bytes >> 20
    return replace(case, body_bytes=1 << 20, path=case.path.replace(f"mib={whole}", "mib=1"))


def once(server, case):
    """One transfer; fails unless the handler, or curl, has seen all of it."""
    version, wanted = HTTP_VERSIONS[case.protocol]
    command = ["curl", "-q", "-sS", version, "--noproxy", "*", "-m", str(ANSWER_SECONDS_MAX)]
    command += ["-H", "Expect:", "-w", "\n%{http_version} %{http_code} %{size_download}"]
    if case.tls:
        command += ["--cacert", server.certificate]
    if case.sends == "form":
        command += ["-F", f"file=@{content(server, case)};type=application/octet-stream"]
    elif case.sends == "body":
        command += ["-T", content(server, case)]
    else:
        command += ["-o", "/dev/null"]
    done = subprocess.run(
        [*command, server.url(case.path)], env=ENVIRONMENT, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise ServerError(f"{server.name} does not answer {case.path}: {done.stderr.strip()}")
    said, _, figures = done.stdout.rpartition("\n")
    spoken, status, received = figures.split()
    seen = said.strip() if case.sends else received
    if (spoken, status, seen) != (wanted, "200", str(case.body_bytes)):
        raise ServerError(
            f"{server.name} answers {case.path} by HTTP/{spoken} with {status}: "
            f"{seen[:200]} of {case.body_bytes} bytes"
        )


def run(server, case, seconds):
    """Transfers for so many seconds, at least one; the first is not counted, but its memory is. What is idle
    is a server that has had small ones only."""
    once(server, small(case))
    if server.idle_bytes is None:
        time.sleep(IDLE_SECONDS)
        server.idle_bytes = memory(server)
    with Peak(server) as peak:
        once(server, case)
        before = sum(processes.cpu(pid) for pid in server.pids)
        count, began = 0, time.monotonic()
        while count == 0 or time.monotonic() - began < seconds:
            once(server, case)
            count += 1
        took = time.monotonic() - began
    server.must_run()
    each = (sum(processes.cpu(pid) for pid in server.pids) - before) / count
    return {
        "requests": count,
        "requests_per_second": count / took,
        "cpu_s_per_100k": each * 100_000,
        "cpu_ms_each": each * 1000,
        "cpu_s_per_gib": each * (1 << 30) / case.body_bytes,
        "peak_bytes": peak.bytes,
        "above_idle_bytes": max(0, peak.bytes - server.idle_bytes),
        "errors": {},
    }


def content(server, case):
    """A file that is sent: no hole, whose reading would be another's."""
    path = f"{server.log}.sent-{case.body_bytes}"
    if not os.path.exists(path):
        piece = os.urandom(PIECE_BYTES)
        with open(path, "wb") as file:
            for _ in range(case.body_bytes // PIECE_BYTES):
                file.write(piece)
    return path


def memory(server):
    return sum(processes.own_memory(pid) for pid in server.pids)


class Peak:
    """The most memory that a server has had while the block ran, as far as looks have seen it."""

    def __init__(self, server):
        self.server, self.bytes, self.ended = server, 0, threading.Event()
        self.looks = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self.looks.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.looks.join()

    def _look(self):
        while True:
            self.bytes = max(self.bytes, memory(self.server))
            if self.ended.wait(LOOK_SECONDS):
                return
