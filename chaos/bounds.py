"""Clients that hold as many descriptors of the server as they can, while others ask.

Eight connections with 128 unfinished bodies each, of which each wants a file of the reactor's, at `ulimit -n
1024`; then streams whose answers are files that nobody reads, each another one. Everybody else is served, no worker is
replaced, and in the end the reactor has as many descriptors open as before.
"""

import asyncio
import contextlib
import json
import re
import sys
import tempfile
import time

from clients import Broken, Cut, Http1, Http2, Http3, tls
from target import Server

DESCRIPTORS = 1024
CONNECTIONS, STREAMS, BODY = 8, 128, 270_000
PATIENCE = 60


class Failed(Exception):
    """Something does not hold."""


def expect(condition, what):
    if not condition:
        raise Failed(what)


async def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        expect(time.monotonic() < deadline, f"in vain for {PATIENCE} s: {what}")
        await asyncio.sleep(0.05)


@contextlib.contextmanager
def serving(under=(), **options):
    with tempfile.TemporaryDirectory(prefix="ferrite-bounds-") as folder:
        server = Server(folder, options, script="bounds.php")
        server.start(under)
        try:
            yield server
        except BaseException:
            print(server.read("log")[-4000:])
            raise
        finally:
            server.process.terminate()
            server.process.wait(20)


def clients(server):
    """One of each kind: each has a connection of its own."""
    clear, secure = ("127.0.0.1", server.clear), ("127.0.0.1", server.port)
    return {
        "h1": Http1(clear),
        "tls-h1": Http1(secure, tls(server, "http/1.1")),
        "h2c": Http2(clear),
        "tls-h2": Http2(secure, tls(server, "h2")),
        "h3": Http3(server),
    }


async def stats(server):
    client = Http1(("127.0.0.1", server.clear))
    try:
        return json.loads((await client.ask("GET", "/stats"))[1])
    finally:
        client.close()


class Others:
    """Who asks while the server is under attack, in every protocol, on connections old and new."""

    def __init__(self, server):
        self.server, self.asked, self.wrong, self.tasks = server, {}, [], []

    async def __aenter__(self):
        kept = clients(self.server)
        for name, client in kept.items():
            await self.ask(name, client)
        for name, client in kept.items():
            self.tasks.append(asyncio.create_task(self.go_on(name, client)))
        self.tasks.append(asyncio.create_task(self.come_anew()))
        return self

    async def __aexit__(self, *_):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def ask(self, name, client):
        for path, wanted in (("/", b"hello"), ("/small", b"a small file\n")):
            try:
                async with asyncio.timeout(PATIENCE):
                    got = await client.ask("GET", path)
            except (Cut, Broken, TimeoutError) as error:
                got = repr(error)
            self.asked[name] = self.asked.get(name, 0) + 1
            if got != (200, wanted):
                self.wrong.append(f"{name} {path}: {got}")

    async def go_on(self, name, client):
        try:
            while True:
                await self.ask(name, client)
                await asyncio.sleep(0.05)
        finally:
            client.close()

    async def come_anew(self):
        while True:
            anew = clients(self.server)
            try:
                for name, client in anew.items():
                    await self.ask(f"new {name}", client)
                    client.close()
                    await asyncio.sleep(0.02)
            finally:
                for client in anew.values():
                    client.close()


def look_at(server, others, workers):
    """What an attack must not have done."""
    expect(not others.wrong, f"{len(others.wrong)} others were not served: {others.wrong[:5]}")
    expect(len(others.asked) == 10 and min(others.asked.values()) > 3, f"others asked too seldom: {others.asked}")
    expect(sorted(server.children()[1]) == workers, "a worker was replaced")
    log = server.read("log")
    expect(not re.search("MSG_CTRUNC|too many files are open|links to a worker are lost|is replaced|was killed", log), log[-2000:])
    expect(len(log.splitlines()) < 100, f"{len(log.splitlines())} lines of the log")


async def unfinished_bodies():
    with serving(["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]) as server:
        async with Others(server) as others:
            workers, before = sorted(server.children()[1]), server.descriptors()["reactor"].total()
            attackers = [Http2(("127.0.0.1", server.clear)) for _ in range(CONNECTIONS)]
            bodies = (attacker.hold("POST", "/length", b"u" * BODY) for attacker in attackers for _ in range(STREAMS))
            streams = [stream for stream in await asyncio.gather(*bodies, return_exceptions=True)]
            cut = [stream for stream in streams if isinstance(stream, BaseException)]
            expect(not cut, f"attackers were cut off: {cut[:3]}")
            held = sum(stream["status"] is None for stream in streams)
            # An answer may be on its way still.
            refused = [stream for stream in streams if stream["status"] is not None]
            expect(refused and all(stream["status"] == 503 for stream in refused), "nobody was refused with 503")
            expect(all(stream["fields"].get("retry-after") for stream in refused), "no Retry-After")
            figures = await stats(server)
            expect(figures["body_spool_refused_count"] >= len(refused), f"refusals are not counted: {figures}")
            open_now = server.descriptors()["reactor"].total()
            expect(open_now > before + 100, f"the attack holds no descriptors: {before} before, {open_now} now")
            for _ in range(20):
                await asyncio.sleep(0.05)
            look_at(server, others, workers)
            for attacker in attackers:
                attacker.close()
        await until(lambda: server.descriptors()["reactor"].total() <= before, "descriptors are left")
        print(f"   {held} bodies were held, {len(refused)} refused, {sum(others.asked.values())} others served")


async def unread_files():
    """Answers that are files, past what is left for them: 503 in every protocol, until there is room."""
    with serving(["prlimit", "--nofile=512:512"], max_connection=100) as server:
        async with Others(server):
            pass
        before = server.descriptors()["reactor"].total()
        greedy = [Http2(("127.0.0.1", server.clear), window=0) for _ in range(4)]
        streams = [await client.hold("GET", "/own") for client in greedy for _ in range(STREAMS)]
        await until(lambda: any(stream["status"] == 503 for stream in streams), "one is refused")
        await until(lambda: all(stream["status"] for stream in streams), "all are answered")
        kinds = {status: sum(stream["status"] == status for stream in streams) for status in (200, 503)}
        expect(sum(kinds.values()) == len(streams) and min(kinds.values()) > 0, f"answers: {kinds}")
        refused = [stream for stream in streams if stream["status"] == 503]
        expect(all(stream["fields"].get("retry-after") for stream in refused), "no Retry-After")
        asking = clients(server)
        for name, client in asking.items():
            expect((await client.ask("GET", "/own"))[0] == 503, f"{name}: a file past the bound is no 503")
            expect(await client.ask("GET", "/") == (200, b"hello"), f"{name}: what needs no file is not served")
            body = await client.ask("POST", "/length", b"x" * 300_000)
            expect(body == (200, b"300000"), f"{name}: a body in a file is not served: {body}")
        for client in greedy:
            client.close()
        await until(lambda: server.descriptors()["reactor"].total() < before + 50, "descriptors are left")
        for name, client in asking.items():
            status, content = await client.ask("GET", "/own")
            expect((status, len(content)) == (200, 6_400_000), f"{name}: no room again: {status}")
            client.close()
        await until(lambda: server.descriptors()["reactor"].total() <= before, "descriptors are left")
        lines = server.read("log").count("a worker's file cannot be kept open")
        expect(1 <= lines <= 2 * 10, f"{lines} lines of the log about files")
        print(f"   {kinds[200]} files were held, {kinds[503]} refused")


async def bodies_past_the_options():
    """`body_spool_files_max` and `body_spool_bytes_max`, in every protocol."""
    for option, bound in (("body_spool_files_max", 3), ("body_spool_bytes_max", 1_000_000)):
        with serving(**{option: bound}) as server:
            holder = Http2(("127.0.0.1", server.clear))
            await asyncio.gather(*(holder.hold("POST", "/length", b"u" * 300_000) for _ in range(3)))
            deadline = time.monotonic() + PATIENCE
            while (await stats(server))["body_spool_bytes"] < 900_000:
                expect(time.monotonic() < deadline, "they are not in files")
                await asyncio.sleep(0.05)
            asking = clients(server)
            for name, client in asking.items():
                status, _ = await client.ask("POST", "/length", b"x" * 300_000)
                expect(status == 503, f"{option}, {name}: {status}")
                client.close()
                expect(await client.ask("POST", "/length", b"x" * 1000) == (200, b"1000"), f"{option}, {name}")
            holder.close()
            while (await stats(server))["body_spool_bytes"] > 0:
                expect(time.monotonic() < deadline + PATIENCE, "they are still in files")
                await asyncio.sleep(0.05)
            for name, client in asking.items():
                got = await client.ask("POST", "/length", b"x" * 300_000)
                expect(got == (200, b"300000"), f"{option}, {name}: no room again: {got}")
                client.close()
            lines = server.read("log").count("cannot be spooled")
            expect(1 <= lines <= 2 * 5, f"{lines} lines of the log")


CASES = [
    ("eight connections with 128 unfinished bodies each", unfinished_bodies),
    ("files that nobody reads", unread_files),
    ("bodies past the options", bodies_past_the_options),
]


def main():
    failed = 0
    for name, case in CASES:
        if len(sys.argv) > 1 and not any(part in name for part in sys.argv[1:]):
            continue
        try:
            asyncio.run(case())
            print(f"ok {name}", flush=True)
        except (Failed, Cut, Broken) as error:
            failed += 1
            print(f"FAIL {name}: {error!r}", flush=True)
    sys.exit(1 if failed else 0)


main()
