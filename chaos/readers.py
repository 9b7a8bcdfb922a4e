"""Clients that do not read large answers, over every protocol: they cost nobody else anything.

For each protocol, ten clients for each worker ask for 6 MiB and do not read. What must hold:

- every worker is free, and probes beside them are answered in time;
- workers that are killed take nothing from what they have answered;
- who reads on gets every byte;
- when all are gone, no descriptor, file or counted byte is left.

And where the disk is full, only those wait for whom there is no room, until there is some again.

By name alone: what 10,000 slow readers of one answer cost at a time (FERRITE_CROWD sets another number), of a file
by sendfile() (crowd-file), of a static file (crowd-static), and of pages that PHP makes (crowd-made), by each of
h1, tls-h1, h2c and tls-h2 (crowd-file-h2c), and with 100 of them on each connection (crowd-file-h2c-streams).

usage: readers.py [PROTOCOL | full-disk | file-limit | crowd-KIND-PROTOCOL ...]
"""

import asyncio
import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import crowd
from clients import PROTOCOLS, client_of
from target import WORKERS, Server, page

PAGE = 6 << 20
SLOW = 10 * WORKERS
# How many of them read on at the end, one after another: Python is slow, and for QUIC that is a long way.
READ_ON = 4
PROBES = 200
P99_SECONDS = 0.05
# On a machine that is busy with other things: as many times what the same probes take without them.
P99_TIMES = 3
SECONDS = 60
DISK = 16 << 20


class Wrong(Exception):
    """Something does not hold."""


async def until(what, condition, seconds=SECONDS):
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise Wrong(f"not in {seconds} s: {what}")
        await asyncio.sleep(0.05)


# Probes, in a process of their own: what it does with pages must not be measured.


async def probe(folder, protocol):
    """Prints how long each took, in seconds, as JSON."""
    server = Server(folder)
    server.find()
    client = client_of(protocol, server)
    times = []
    # The first ones make the connection.
    for number in range(-5, PROBES):
        began = time.perf_counter()
        status, body = await asyncio.wait_for(client.ask("GET", "/probe"), SECONDS)
        if (status, body) != (200, b"probe"):
            raise Wrong(f"probe {number} got {status}")
        if number >= 0:
            times.append(time.perf_counter() - began)
    client.close()
    if getattr(client, "closing", None):
        await client.closing
    print(json.dumps(times))


async def p99(server, protocol):
    """The 99th percentile of probes in seconds; fails unless all are answered."""
    command = [sys.executable, os.path.abspath(__file__), "--probe", server.folder, protocol]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    if process.returncode:
        raise Wrong(f"probes failed: {errors.decode().strip().splitlines()[-1:]}")
    return sorted(json.loads(output))[PROBES * 99 // 100 - 1]


# The slow ones.


class Slow:
    """Clients that have asked and do not read."""

    def __init__(self, server, protocol):
        self.server, self.protocol = server, protocol
        self.clients, self.answers = [], []

    def ask(self, count, size=PAGE, path="/page"):
        for _ in range(count):
            number = len(self.clients)
            client = client_of(self.protocol, self.server, held=number)
            request = client.ask("GET", f"{path}?id={self.protocol}-{number}&size={size}")
            self.clients.append(client)
            self.answers.append(asyncio.ensure_future(request))

    async def all_ran(self):
        """Whether all requests are with a handler, or have been."""
        for answer in self.answers:
            if answer.done():
                raise Wrong(f"a client that does not read got its answer: {answer}")
        ran = self.server.read("ran").splitlines()
        return sum(line.startswith(f"{self.protocol}-") for line in ran) >= len(self.clients)

    async def read(self, number, size=PAGE):
        self.clients[number].read_on()
        status, body = await asyncio.wait_for(self.answers[number], SECONDS)
        wanted = page(f"{self.protocol}-{number}", size)
        if status != 200 or hashlib.sha256(body).digest() != hashlib.sha256(wanted).digest():
            raise Wrong(f"client {number} got {status} and {len(body)} bytes that are not its page")

    def draining_seconds(self):
        """How long their connections stay known when they have been closed."""
        return max(getattr(client, "draining_seconds", lambda: 0)() for client in self.clients)

    async def leave(self, *numbers):
        for number in numbers or range(len(self.clients)):
            self.clients[number].close()
            self.answers[number].cancel()
        await asyncio.gather(*self.answers if not numbers else [], return_exceptions=True)
        for client in self.clients:
            if getattr(client, "closing", None):
                await client.closing


async def all_free(server):
    """Whether no request is in work but the one that asks."""
    return (await server.stats()).get("concurrency") == 1


async def warm(server):
    async def answers():
        return len(server.children()[1]) == WORKERS and await all_free(server)

    await until("the server answers", answers)


async def by(protocol, server):
    """One protocol."""
    await warm(server)
    before = server.descriptors()
    alone = await p99(server, protocol)
    slow = Slow(server, protocol)
    slow.ask(SLOW)
    await until("all requests are with a worker", slow.all_ran)
    await until("every worker is free", lambda: all_free(server))
    figures = await server.stats()
    kept = figures["response_spool_memory_bytes"] + figures["response_spool_disk_bytes"]
    beside = await p99(server, protocol)
    # Those that have made the pages.
    _, makers = server.children()
    for pid in makers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    async def replaced():
        workers = server.children()[1]
        return len(workers) == WORKERS and not set(workers) & set(makers)

    await until("the workers are new", replaced)
    await warm(server)
    for number in range(READ_ON):
        await slow.read(number)
    draining = slow.draining_seconds()
    await slow.leave()
    left = await server.settled(before, draining)
    if left:
        raise Wrong("; ".join(left))
    bound = max(P99_SECONDS, P99_TIMES * alone)
    told = (
        f"{SLOW} clients do not read, {kept >> 20} MiB are kept; p99 of {PROBES} probes "
        f"{beside * 1000:.1f} ms, {alone * 1000:.1f} ms without them"
    )
    if beside > bound:
        raise Wrong(f"{told}: more than {bound * 1000:.0f} ms")
    return told


# A disk that is full.


async def full(server, error):
    """There is room for less than is asked for; each client is one that does not read."""
    await warm(server)
    began, before = time.monotonic(), server.descriptors()
    size = DISK
    slow = Slow(server, "h1")
    slow.ask(WORKERS - 1, size)
    await until("all requests are with a worker", slow.all_ran)

    def said():
        return [line for line in server.read("log").splitlines() if "cannot spool responses" in line]

    async def is_said():
        return said()

    await until("the log says that nothing can be spooled", is_said)
    # What has no room waits, as many are bound to: the other workers serve.
    beside = await p99(server, "h1")
    waiting = (await server.stats())["concurrency"] - 1
    if not waiting:
        raise Wrong("the disk has room for all: this tests nothing")
    # All but one leave. There is room for that one's whole answer then, though its client does nothing.
    last = WORKERS - 2
    await slow.leave(*range(last))
    await until("who waited goes on", lambda: all_free(server))
    await slow.read(last, size)
    # What came back is used again.
    again = Slow(server, "h1")
    again.ask(1, DISK // 2)
    await until("every worker is free", lambda: all_free(server))
    kept = (await server.stats())["response_spool_disk_bytes"]
    if not kept:
        raise Wrong("nothing is spooled to the disk when it has room again")
    await again.read(0, DISK // 2)
    await again.leave()
    await slow.leave()
    left = await server.settled(before)
    lines = said()
    place = server.path("tmp")
    # One, and again after each 10 s in which that has not changed.
    most = 1 + (time.monotonic() - began) / 10
    if not 1 <= len(lines) <= most or not all(place in line and error in line for line in lines):
        left.append(f"the log says: {lines}")
    if left:
        raise Wrong("; ".join(left))
    return f"{waiting} of {WORKERS} workers waited, p99 of {PROBES} probes {beside * 1000:.1f} ms; then all went on"


def mount():
    """The words that, with a folder behind them, run a program for which that is a file system of DISK
    bytes; or None, and why there is no way to make one."""
    namespace = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    command = [*namespace, "sh", "-c", f'mount -t tmpfs -o size={DISK} tmpfs "$0" && exec "$@"']
    with tempfile.TemporaryDirectory() as folder:
        try:
            tried = subprocess.run([*command, folder, "true"], capture_output=True, text=True)
        except FileNotFoundError as error:
            return None, str(error)
    return (command, "") if tried.returncode == 0 else (None, tried.stderr.strip())


# The programs.


@contextlib.contextmanager
def started(options=None, before=(), **more):
    """A server whose clients have all the time they want. `before` takes the folder of its spool file."""
    folder = tempfile.mkdtemp(prefix="ferrite-readers-")
    server = Server(folder, {"send_timeout": 300, "max_idle_time": 300, **(options or {})}, **more)
    try:
        server.start([*before, server.path("tmp")] if before else ())
        yield server
        server.process.send_signal(signal.SIGTERM)
        if code := server.process.wait(timeout=20):
            raise Wrong(f"the server ended with {code}")
    except BaseException:
        print("--- the server's log")
        print(server.read("output")[-2000:] + server.read("log")[-4000:])
        raise
    finally:
        if server.process and server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def run(name, test):
    """Says how a test went."""
    try:
        print(f"ok {name}: {test()}", flush=True)
        return True
    except (Exception, SystemExit) as error:
        print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
        return False


def on(protocol):
    with started() as server:
        return asyncio.run(by(protocol, server))


SMALL = {"response_spool_memory_bytes_max": 0}


def full_disk():
    command, why = mount()
    if not command:
        return f"SKIPPED, as no small file system can be mounted here ({why}); file-limit is near to it"
    with started(SMALL, command, reactors=1) as server:
        return asyncio.run(full(server, "No space left on device"))


def file_limit():
    """As `ulimit -f` has it; the shared memory is larger, so the reactor alone is bound."""
    with started(SMALL, reactors=1) as server:
        resource.prlimit(server.children()[0], resource.RLIMIT_FSIZE, (DISK, DISK))
        return asyncio.run(full(server, "File too large"))


def main():
    if sys.argv[1:2] == ["--probe"]:
        return asyncio.run(probe(*sys.argv[2:]))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    tests = {protocol: lambda protocol=protocol: on(protocol) for protocol in PROTOCOLS}
    tests |= {"full-disk": full_disk, "file-limit": file_limit}
    asked = {
        f"crowd-{kind}-{way}": lambda kind=kind, way=way: crowd.measure(kind, way, started, p99)
        for kind in crowd.KINDS
        for way in crowd.WAYS
    }
    names = sys.argv[1:] or list(tests)
    tests |= asked
    if unknown := set(names) - set(tests):
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(tests)}")
    # All of them, also after one has failed.
    sys.exit(not all([run(name, tests[name]) for name in names]))


if __name__ == "__main__":
    main()
