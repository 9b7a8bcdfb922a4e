"""A second stack: quinn and h3, in the program of the folder `client`."""

import asyncio
import os
import signal

from server import Server, run
from suite import Failed, holds, same, until

MIB = 1024 * 1024
LOAD_REQUESTS = 100_000
LOAD_CONNECTIONS = 4
LOAD_STREAMS = 16

# As much as the worker may not have in memory, times eight. FERRITE_UPLOAD_MIB=2048 asks for 2 GiB.
UPLOAD_MIB = int(os.environ.get("FERRITE_UPLOAD_MIB", 256))
# What is on its way at a time.
UPLOAD_BYTES_MAX = 16 * MIB

# What a client that is gone may leave behind in the reactor's memory, over all of them: pages that
# the allocator keeps. 100,000 streams of which each left 64 bytes would be over it.
GROWTH_BYTES_MAX = 4 * MIB


async def tests(suite, tools):
    def case(server, *arguments):
        return run(tools["quinn"], *command(server, *arguments))

    with Server() as server:

        async def test(name, *arguments):
            await suite.run(f"quinn: {name}", lambda: case(server, *arguments), server.log)

        await test("GET", "get")
        await test("HEAD", "head")
        await test("POST of 0 B and back", "echo", 0)
        await test("POST of 10 KiB and back", "echo", 10 * 1024)
        await test("POST of 20 MiB and back", "echo", 20 * MIB)
        await test("trailers both ways", "trailers")
        await test("100 streams at once on one connection", "streams", 100)
        await test("1000 streams, as many at once as are allowed", "streams", 1000)
        await suite.run(
            f"quinn: {LOAD_REQUESTS} requests leave nothing behind",
            lambda: load(server, case),
            server.log,
            deadline=90,
        )
    with Server(port={"body_stream_locations": ["/count"], "package_max_length": "1024G"}) as server:
        await suite.run(
            f"quinn: {UPLOAD_MIB} MiB pass through a worker with a memory_limit of 32 MiB",
            lambda: upload(server, case),
            server.log,
            deadline=90,
        )
    with Server() as server:
        await suite.run(
            "quinn: the end of the server: GOAWAY, the answer, no error",
            lambda: farewell(server, tools),
            server.log,
        )
    with Server() as server:
        await suite.run(
            "quinn: the reactor is killed: its clients learn at once",
            lambda: forgotten(server, tools),
            server.log,
        )


def command(server, *arguments):
    return [str(word) for word in (server.port, server.certificates.authority, *arguments)]


async def load(server, case):
    # What is allocated once is there after the first of them.
    await case(server, "load", LOAD_REQUESTS // 20, LOAD_CONNECTIONS, LOAD_STREAMS)
    await server.settled()
    before, counted = server.resident(), server.stats()["response_count"]
    await case(server, "load", LOAD_REQUESTS, LOAD_CONNECTIONS, LOAD_STREAMS)
    stats = await server.settled()
    holds("all were answered", stats["response_count"] >= counted + LOAD_REQUESTS)
    same("answers too late", 0, stats["stray_count"])
    growth = server.resident() - before
    holds(f"the reactor has grown by {growth} bytes", growth <= GROWTH_BYTES_MAX)


async def upload(server, case):
    await case(server, "upload", 1)
    before = server.resident()
    await case(server, "upload", UPLOAD_MIB)
    growth = server.resident() - before
    holds(f"the reactor has grown by {growth} bytes", growth <= UPLOAD_BYTES_MAX)


async def opened(server, tools, *arguments):
    """Starts a case and waits until it says that what it waits for may happen."""
    process = await asyncio.create_subprocess_exec(
        tools["quinn"],
        *command(server, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    if await process.stdout.readline() != b"open\n":
        raise Failed((await process.stderr.read()).decode().strip())
    return process


async def succeeds(process):
    _, errors = await process.communicate()
    if process.returncode != 0:
        raise Failed(errors.decode().strip())


async def farewell(server, tools):
    process = await opened(server, tools, "farewell", 1500)
    await until("it has started", lambda: "start farewell" in server.journal())
    server.signal(signal.SIGTERM)
    await succeeds(process)
    await server.ended()


async def forgotten(server, tools):
    process = await opened(server, tools, "reset")
    os.kill(server.children()["reactor"], signal.SIGKILL)
    await succeeds(process)
