"""Runs: load from a program, CPU time and memory of the server beside it."""

import time
from dataclasses import replace

import processes
import transfer
from cases import DOWNLOAD, TRANSFER
from drivers import ERRORS, HTTP_VERSIONS, ask, load
from servers import ServerError
from unread import unread

# How long a server may answer wrongly after it listens: php-fpm starts behind nginx.
SETTLE_SECONDS_MAX = 5
# How long a server may make answers that nobody reads, and for how many tenths of a second it does
# nothing when it has.
IDLE_SECONDS_MAX = 60
IDLE_TICKS = 5
WORKER_TITLES = ("ferrite: worker", "php-fpm: pool")


def check(server, case):
    """Asks as the load will, and fails when the answer is not what it should be."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        try:
            return check_once(server, case)
        except ServerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def check_once(server, case):
    if case.kind == TRANSFER:
        return transfer.once(server, transfer.small(case))
    if case.kind == DOWNLOAD:
        case = replace(case, path="/download?mib=1", answer_bytes=1 << 20)
    spoken, status, body, content = ask(server, case)
    wanted = case.answer_bytes
    if status != 200 or (body and content != body) or (wanted and len(content) != wanted):
        raise ServerError(
            f"{server.name} answers {case.path} with {status} and {len(content)} bytes"
        )
    if spoken != HTTP_VERSIONS[case.protocol][1]:
        raise ServerError(f"{server.name} speaks HTTP/{spoken} to a client of {case.protocol}")


def wait_until_idle(server):
    """Waits until the answers that nobody reads have been made: what is measured is that they are there."""
    deadline, still, used = time.monotonic() + IDLE_SECONDS_MAX, 0, None
    while still < IDLE_TICKS:
        if time.monotonic() > deadline:
            raise ServerError(f"{server.name} is not idle after {IDLE_SECONDS_MAX} s")
        time.sleep(0.1)
        now = sum(processes.cpu(pid) for pid in server.pids)
        still, used = (still + 1, now) if now == used else (0, now)


def drive(server, case, seconds):
    """Makes the load of a case."""
    return (transfer.run if case.kind == TRANSFER else load)(server, case, seconds)


def run(server, case, seconds):
    """One measured run, after a short one that is not counted."""
    server.must_run()
    if case.kind == TRANSFER:
        return transfer.run(server, case, seconds)
    if case.kind != DOWNLOAD:
        load(server, case, 1)
    with unread(server, case):
        if case.unread:
            wait_until_idle(server)
        before = {pid: processes.cpu(pid) for pid in server.pids}
        parts_before = by_process(server)
        figures = load(server, case, seconds)
    server.must_run()
    used = sum(processes.cpu(pid) - before[pid] for pid in server.pids)
    parts = by_process(server)
    # What was refused does not make the rest cheaper.
    requests = figures["requests"] - figures["status"]
    if requests <= 0:
        raise ServerError(f"{server.name} answered nothing in {seconds} s: {server.said()}")
    per_100k = 100_000 / requests
    p50, p99 = figures["p50"], figures["p99"]
    if figures["fast"]:
        p50, p99 = percentiles(figures["fast"])
    return {
        "requests_per_second": requests / (figures["micros"] / 1e6),
        "p50_ms": None if p50 is None else p50 / 1000,
        "p99_ms": None if p99 is None else p99 / 1000,
        "cpu_s_per_100k": used * per_100k,
        "processes": {
            f"{pid} {name}": [
                round((user - parts_before.get(pid, (None, 0, 0))[1]) * per_100k, 3),
                round((system - parts_before.get(pid, (None, 0, 0))[2]) * per_100k, 3),
            ]
            for pid, (name, user, system) in parts.items()
        },
        "pss_bytes": sum(processes.pss(pid) for pid in server.pids),
        "worker_bytes": worker_bytes(server),
        "requests": requests,
        "errors": {name: figures[name] for name in ERRORS if figures[name]},
    }


def worker_bytes(server):
    """The mean of the memory of a server's PHP workers; pages that processes share are counted once."""
    found = [
        processes.pss_of(pid)
        for root in server.pids
        for pid in processes.tree(root)
        if processes.title(pid).startswith(WORKER_TITLES)
    ]
    return sum(found) / len(found) if found else None


def by_process(server):
    found = {}
    for pid in server.pids:
        found.update(processes.cpu_by_process(pid))
    return found


def percentiles(buckets):
    """(median, 99th percentile) of [value, count] pairs."""
    buckets = sorted(buckets)
    total = sum(count for _, count in buckets)
    found = []
    for share in (0.5, 0.99):
        seen = 0
        for value, count in buckets:
            seen += count
            if seen >= total * share:
                found.append(value)
                break
    return tuple(found)
