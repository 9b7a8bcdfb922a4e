"""Networks as they are: packets are lost, come twice, overtake each other; addresses change."""

import asyncio
import random

from client import connect
from network import network
from server import Server, run
from suite import holds, same

KIB = 1024
BAD = {"loss": 0.03, "doubling": 0.02, "delay": 0.002}


async def tests(suite, tools):
    with Server() as server:

        async def test(name, function, **settings):
            await suite.run(name, lambda: function(server, tools), server.log, **settings)

        await test("3% loss: POST of 300 KiB and back", bad_echo, deadline=60)
        await test("3% loss: 100 streams at once", bad_streams, deadline=60)
        await test("3% loss, quinn: POST of 2 MiB and back", bad_quinn_echo, deadline=60)
        await test("3% loss, quinn: 1000 streams", bad_quinn_streams, deadline=60)
        await test("a NAT gives the client another port during an answer", rebound)
        await test("quinn: a NAT gives it other ports during 20 MiB and back", bad_nat, deadline=60)
        await suite.run("the server ends with 0", server.end, server.log)


async def bad_echo(server, _):
    content = random.Random(2).randbytes(300 * KIB)
    async with network(server.port, **BAD) as way:
        async with connect(server, port=way.port) as client:
            answer = await client.request("POST", "/echo", content)
            holds("the same comes back", bytes(answer.body) == content)
        holds("packets were lost", way.lost > 0)


async def bad_streams(server, _):
    async with network(server.port, **BAD) as way:
        async with connect(server, port=way.port) as client:
            answers = [client.open("GET", f"/number?n={number}") for number in range(100)]
            for number, answer in enumerate(answers):
                await client.complete(answer)
                same("answer", str(number).encode(), bytes(answer.body))


async def bad_quinn_echo(server, tools):
    await quinn(server, tools, "echo", 2 * KIB * KIB)


async def bad_quinn_streams(server, tools):
    await quinn(server, tools, "streams", 1000)


async def quinn(server, tools, case, number):
    async with network(server.port, **BAD) as way:
        authority = server.certificates.authority
        await run(tools["quinn"], str(way.port), authority, case, str(number))
        holds("packets were lost", way.lost > 0)


async def rebound(server, _):
    """The client knows nothing of it, and keeps its connection id (RFC 9000, 9.3)."""
    async with network(server.port) as way:
        async with connect(server, port=way.port, log=True) as client:
            answer = client.open("GET", "/drip?pieces=60&name=rebound")
            while not answer.body:
                await client.wait(answer)
            way.rebind()
            # Only what the client sends shows where it is now.
            same("status", 200, (await client.get("/protocol")).status)
            await client.complete(answer)
            same("content", b"piece " * 60, bytes(answer.body))
            holds("the address was validated", client.frames_received("path_challenge") > 0)


async def bad_nat(server, tools):
    """Again and again, with much under way in both directions."""
    async with network(server.port) as way:
        authority = server.certificates.authority
        arguments = tools["quinn"], str(way.port), authority, "echo", str(20 * KIB * KIB)
        sending = asyncio.ensure_future(run(*arguments))
        for part in (1, 2, 3, 4):
            while way.carried < part * 6000 and not sending.done():
                await asyncio.sleep(0.001)
            way.rebind()
        await sending
        holds(f"it was long enough: {way.carried} packets", way.carried > 24000)
