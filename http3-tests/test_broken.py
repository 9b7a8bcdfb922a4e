"""Clients that break the rules: the right code for the right scope, and nobody else disturbed."""

import asyncio

import client as codes
from broken import BORNE, CONNECTION_ERRORS, LET_PASS, MALFORMED, OTHER_CODE
from client import connect
from raw import control, request
from server import Server
from suite import Failed, holds, same, until


async def tests(suite, tools):
    with Server() as server:
        async with connect(server) as bystander:

            async def test(name, function):
                async def undisturbed():
                    await function()
                    same("another client's status", 200, (await bystander.get("/protocol")).status)

                await suite.run(name, undisturbed, server.log, deadline=10)

            for name, (code, streams) in CONNECTION_ERRORS.items():
                await test(name, lambda c=code, s=streams: connection_error(server, [c], s))
            for name, (code, other, streams) in OTHER_CODE.items():
                codes = [code, other]
                await test(name, lambda c=codes, s=streams: connection_error(server, c, s))
            for name, (code, streams) in LET_PASS.items():
                await test(f"let pass: {name}", lambda c=code, s=streams: let_pass(server, c, s))
            for name, data in MALFORMED.items():
                await test(name, lambda data=data: malformed(server, data))
            for name, streams in BORNE.items():
                await test(f"borne: {name}", lambda s=streams: borne(server, s))
            await test("a stream's end before HEADERS (RFC 9114, 4.1)", lambda: incomplete(server, b""))
            cut_off = request()[:-3]
            await test("HEADERS cut off by a stream's end", lambda: incomplete(server, cut_off))
            await test("reset of the control stream", lambda: reset_control(server))
        await suite.run("the server ends with 0", server.end, server.log)


async def connection_error(server, wanted, streams):
    async with connect(server, http=False) as client:
        if all(kind != "uni" for kind, _, _ in streams):
            client.raw_stream(control(), unidirectional=True)
        for kind, data, end in streams:
            client.raw_stream(data, unidirectional=kind == "uni", end=end)
        got = await asyncio.wait_for(client.until_closed(), 5)
        holds(f"code {got:#x} is one of {[hex(code) for code in wanted]}", got in wanted)
        same("closed by HTTP, not by QUIC", None, client.terminated.frame_type)
        await logged_once(server, client)


async def let_pass(server, code, streams):
    """Nothing comes of it: the next request is answered, or the connection is closed as it should."""
    async with connect(server, http=False) as client:
        if all(kind != "uni" for kind, _, _ in streams):
            client.raw_stream(control(), unidirectional=True)
        for kind, data, end in streams:
            client.raw_stream(data, unidirectional=kind == "uni", end=end)
        answer = client.answers[client.raw_stream(request(), end=True)]
        try:
            while not answer.complete:
                await client.wait(answer)
            holds("there is an answer", b"HTTP/3" in answer.raw)
        except Failed:
            same("code", hex(code), hex(client.terminated.error_code))


async def malformed(server, data):
    async with connect(server) as client:
        stream_id = client.raw_stream(data, end=True)
        answer = client.answers[stream_id]
        while answer.reset is None and answer.status is None:
            await client.wait(answer)
        if answer.status is not None:
            same("status", 400, answer.status)
        else:
            same("code", hex(codes.MESSAGE_ERROR), hex(answer.reset))
        same("status of the next", 200, (await client.get("/protocol")).status)
        await logged_once(server, client)


async def incomplete(server, data):
    async with connect(server) as client:
        answer = client.answers[client.raw_stream(data, end=True)]
        while answer.reset is None:
            await client.wait(answer)
        same("code", hex(codes.REQUEST_INCOMPLETE), hex(answer.reset))
        same("status of the next", 200, (await client.get("/protocol")).status)


async def reset_control(server):
    """RFC 9114, 6.2.1."""
    async with connect(server, http=False) as client:
        stream_id = client.raw_stream(control(), unidirectional=True)
        # By then the server knows what the stream is.
        answer = client.answers[client.raw_stream(request(), end=True)]
        while not answer.complete:
            await client.wait(answer)
        client._quic.reset_stream(stream_id, codes.NO_ERROR)
        client.transmit()
        got = await asyncio.wait_for(client.until_closed(), 5)
        same("code", hex(codes.CLOSED_CRITICAL_STREAM), hex(got))


async def borne(server, streams):
    async with connect(server, http=False) as client:
        for kind, data, end in streams:
            stream_id = client.raw_stream(data, unidirectional=kind == "uni", end=end)
            if kind == "request":
                answer = client.answers[stream_id]
        while not answer.complete:
            await client.wait(answer)
        holds("there is an answer", b"HTTP/3" in answer.raw)
        same("terminated", None, client.terminated)


async def logged_once(server, client):
    """One line says what was refused, and whom."""
    peer = f"127.0.0.1:{client.local_port()}"

    def lines():
        return [line for line in server.log().splitlines() if peer in line]

    await until("there is a line in the log", lines, 2)
    same("lines in the log", 1, len(lines()))
