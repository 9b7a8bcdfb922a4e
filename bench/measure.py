"""Runs: load from wrk, CPU time and memory of the server beside it."""

import http.client
import json
import os
import socket
import subprocess
import time

import processes
from servers import FILES, HERE, ServerError

WRK = os.path.join(HERE, "wrk")
ANSWER_SECONDS_MAX = 30
# How long a server may answer wrongly after it listens: php-fpm starts behind nginx.
SETTLE_SECONDS_MAX = 5


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
    body = b"x" * case.body_bytes if case.body_bytes else None
    method = "POST" if body else "GET"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS_MAX)
    try:
        connection.request(method, case.path, body)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"{server.name} does not answer {case.path}: {error!r}") from error
    finally:
        connection.close()
    wanted = case.answer_bytes
    if answer.status != 200 or (body and content != body) or (wanted and len(content) != wanted):
        raise ServerError(
            f"{server.name} answers {case.path} with {answer.status} and {len(content)} bytes"
        )


def load(server, case, seconds):
    """Drives a server with wrk; gives its figures."""
    command = ["wrk", "-t1", f"-c{case.connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", os.path.join(WRK, case.script), f"http://127.0.0.1:{server.port}{case.path}"]
    environment = {
        **os.environ,
        "FERRITE_BENCH_WRK": WRK,
        "FERRITE_BENCH_BODY": str(case.body_bytes),
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds * 3 + 60
    )
    for line in done.stdout.splitlines():
        if line.startswith("BENCH "):
            return json.loads(line[len("BENCH ") :])
    said = (done.stdout + done.stderr).strip()[-500:]
    raise ServerError(f"wrk failed: {said}\n{server.name} says: {server.said()}")


def run(server, case, seconds):
    """One measured run, after a short one that is not counted."""
    server.must_run()
    load(server, case, 1)
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
    errors = ("connect", "read", "write", "status", "timeout")
    return {
        "requests_per_second": requests / (figures["micros"] / 1e6),
        "p50_ms": p50 / 1000,
        "p99_ms": p99 / 1000,
        "cpu_s_per_100k": used * per_100k,
        "processes": {
            f"{pid} {name}": [
                round((user - parts_before.get(pid, (None, 0, 0))[1]) * per_100k, 3),
                round((system - parts_before.get(pid, (None, 0, 0))[2]) * per_100k, 3),
            ]
            for pid, (name, user, system) in parts.items()
        },
        "pss_bytes": sum(processes.pss(pid) for pid in server.pids),
        "requests": requests,
        "errors": {name: figures[name] for name in errors if figures[name]},
    }


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


def idle(server, case, wanted):
    """Bytes of memory that each idle connection costs, after it has had one answer.

    A tenth of the connections come and go first, so that what a server allocates once is not
    counted.
    """
    count = min(wanted, FILES - 200)
    host = f"127.0.0.1:{server.port}"
    request = f"GET {case.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bench\r\n\r\n".encode()
    for connection in connections(server.port, request, count // 10):
        connection.close()
    time.sleep(1)
    before = sum(processes.pss(pid) for pid in server.pids)
    opened = connections(server.port, request, count)
    try:
        time.sleep(1)
        after = sum(processes.pss(pid) for pid in server.pids)
    finally:
        for connection in opened:
            connection.close()
    return {"connections": count, "pss_bytes": before, "bytes_each": (after - before) / count}


def connections(port, request, count):
    """Open connections, each of which has had one answer."""
    opened = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS_MAX)
        opened.append(connection)
        connection.sendall(request)
        answer = connection.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise ServerError(f"connection {len(opened)} was answered with {answer[:40]!r}")
    return opened
