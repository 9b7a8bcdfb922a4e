"""Clients that break the rules: the right code for the right scope, and nobody else disturbed."""

import asyncio

import client as codes
from borne import BORNE
from broken import CONNECTION_ERRORS
from broken_qpack import QPACK_ERRORS
from client import connect, frames
from malformed import MALFORMED
from raw import (
    DATA,
    DECODER,
    ENCODER,
    FIN,
    GREASE,
    HEADERS,
    MAX_FIELD_SECTION_SIZE,
    MAX_PUSH_ID,
    RESET,
    control,
    fields_of,
    frame,
    head,
    literal,
    prefixed,
    request,
    section,
    size_of,
    uni,
    var,
)
from server import Server
from suite import Failed, holds, same, until

# Streams of a client in the life of a connection; far fewer are allowed at a time.
MANY = 200
CLOSE_SECONDS = 2


async def tests(suite, tools):
    with Server() as server:
        async with connect(server) as bystander:

            async def test(name, function, *arguments, deadline=10):
                async def undisturbed():
                    known = len(server.log())
                    try:
                        peer = await function(server, *arguments)
                    finally:
                        same("another client", 200, (await bystander.get("/protocol")).status)
                    if peer:
                        await logged_once(server, known, peer)

                await suite.run(name, undisturbed, server.log, deadline)

            for name, case in (CONNECTION_ERRORS | QPACK_ERRORS).items():
                await test(name, connection_error, *case)
            for name, data in MALFORMED.items():
                await test(name, malformed, data)
            for name, data in INCOMPLETE.items():
                await test(name, incomplete, data)
            for name, streams in BORNE.items():
                await test(f"borne: {name}", borne, streams)
            await test("STOP_SENDING for the control stream (RFC 9114, 6.2.1)", stop_control)
            await test("CONNECT is answered with 501 (RFC 9110, 9.3.6)", tunnel)
            await test("borne: streams cut at each byte (RFC 9114, 7.1)", cut, deadline=60)
            await test("borne: streams that come byte by byte (RFC 9000, 2.2)", drop_by_drop)
            await test(f"borne: {MANY} unknown streams, one after another (RFC 9114, 6.2.3)", many)
            for name, line in TOO_LARGE.items():
                await test(f"431 for {name} (RFC 9114, 4.2.2)", too_large, line)
        await suite.run("all is counted back to zero", server.settled, server.log)
        await suite.run("the server ends with 0", server.end, server.log)
    with Server(port={"http2_max_header_list_size": LIST_BYTES}) as server:
        await suite.run("the bound of a field section is the announced one", lambda: bound(server))


async def play(client, streams):
    """Opens streams as a case says. Returns the answers to the requests among them."""
    answers, resets = [], []
    for kind, data, end in streams:
        stream_id = client.raw_stream(data, unidirectional=kind == "uni", end=end == FIN)
        if kind == "request":
            answers.append(client.answers[stream_id])
        if end == RESET:
            resets.append(stream_id)
    if resets:
        # A reset takes back what has not been read: wait until something behind it was.
        await served(client)
        for stream_id in resets:
            client._quic.reset_stream(stream_id, codes.NO_ERROR)
        client.transmit()
    return answers


async def served(client):
    """A request that is good is answered, on a connection without aioquic's HTTP."""
    await whole(client, client.answers[client.raw_stream(request(), end=True)])


async def whole(client, answer):
    """Waits for the end of an answer that has the protocol's name as its content."""
    while not answer.complete:
        if answer.reset is not None:
            raise Failed(f"the stream was reset with {answer.reset:#x}")
        await client.wait(answer)
    content = [payload for kind, payload in frames(bytes(answer.raw)) if kind == DATA]
    holds(f"the answer is HTTP/3, not {content}", b"".join(content).startswith(b"HTTP/3"))


async def connection_error(server, code, streams):
    async with connect(server, http=False) as client:
        if all(kind != "uni" for kind, _, _ in streams):
            client.raw_stream(control(), unidirectional=True)
        await play(client, streams)
        return await closed(client, code)


async def closed(client, code):
    try:
        got = await asyncio.wait_for(client.until_closed(), CLOSE_SECONDS)
    except TimeoutError:
        raise Failed(f"the connection goes on, wanted {code:#x}") from None
    same("code", hex(code), hex(got))
    same("closed by HTTP, not by QUIC", None, client.terminated.frame_type)
    return client.local_port()


async def stop_control(server):
    """Neither side may ask for the end of it; then there is none."""
    async with connect(server, http=False) as client:
        await play(client, [uni(control())])
        await served(client)
        [stream_id] = [id for id, data in client.uni.items() if data[:1] == b"\x00"]
        client._quic.stop_stream(stream_id, codes.NO_ERROR)
        client.transmit()
        return await closed(client, codes.CLOSED_CRITICAL_STREAM)


async def malformed(server, data):
    async with connect(server) as client:
        answer = client.answers[client.raw_stream(data, end=True)]
        while answer.reset is None and answer.status is None:
            await client.wait(answer)
        if answer.status is not None:
            same("status", 400, answer.status)
        else:
            same("code", hex(codes.MESSAGE_ERROR), hex(answer.reset))
        same("status of the next", 200, (await client.get("/protocol")).status)
        return client.local_port()


INCOMPLETE = {
    "a stream's end before HEADERS (RFC 9114, 4.1)": b"",
    "a stream's end before HEADERS, behind unknown frames (RFC 9114, 4.1)": frame(GREASE, b"x") * 3,
}


async def incomplete(server, data):
    async with connect(server) as client:
        answer = client.answers[client.raw_stream(data, end=True)]
        while answer.reset is None:
            await client.wait(answer)
        same("code", hex(codes.REQUEST_INCOMPLETE), hex(answer.reset))
        same("status of the next", 200, (await client.get("/protocol")).status)


async def tunnel(server):
    """As on all versions."""
    async with connect(server) as client:
        data = request(method=b"CONNECT", leave_out=(b":scheme", b":path"))
        answer = client.answers[client.raw_stream(data)]
        while answer.status is None:
            await client.wait(answer)
        same("status", 501, answer.status)
        same("status of the next", 200, (await client.get("/protocol")).status)


async def borne(server, streams):
    async with connect(server, http=False) as client:
        for answer in await play(client, streams):
            await whole(client, answer)
        # Nothing comes after.
        await served(client)
        same("terminated", None, client.terminated)


# All there may be on a stream. What is behind the trailers may not be wanted any more.
CONTROL_BYTES = control(frame(MAX_PUSH_ID, var(1000)), frame(GREASE, b"whatever"))
REQUEST_BYTES = (
    frame(GREASE, b"whatever")
    + request((b"x-a", b"b"), method=b"POST", path=b"/echo")
    + frame(DATA)
    + frame(DATA, b"HTTP/3")
    + frame(GREASE)
    + frame(HEADERS, section((b"x-a", b"b")))
)


async def cut(server):
    """The server reads what is before the cut, and later what is behind it."""
    async with connect(server, http=False) as client:
        await play(client, [uni(control())])
        cuts = list(range(1, len(REQUEST_BYTES)))
        # Fewer at a time than streams are allowed.
        for some in (cuts[first : first + 50] for first in range(0, len(cuts), 50)):
            streams = {at: client.raw_stream(REQUEST_BYTES[:at]) for at in some}
            await served(client)
            for at, stream_id in streams.items():
                client.raw_send(stream_id, REQUEST_BYTES[at:], end=True)
            for stream_id in streams.values():
                await whole(client, client.answers[stream_id])


async def drop_by_drop(server):
    """A packet for each byte, and each has been read before the next comes."""
    streams = (
        (True, CONTROL_BYTES),
        (True, var(ENCODER) + b"\x20\x20"),
        (True, var(DECODER) + b"\x40\x7f\x80\x01"),
        (False, REQUEST_BYTES),
    )
    async with connect(server, http=False) as client:
        for unidirectional, data in streams:
            stream_id = client.raw_stream(b"", unidirectional=unidirectional)
            for at in range(len(data)):
                last = not unidirectional and at == len(data) - 1
                client.raw_send(stream_id, data[at : at + 1], end=last)
                await client.ping()
        await whole(client, client.answers[stream_id])


async def many(server):
    """What is over is given back: the client may open as many again (RFC 9000, 4.6)."""
    async with connect(server, http=False) as client:
        await play(client, [uni(control())])
        for nth in range(MANY):
            stream_id = client.raw_stream(var(GREASE) + b"whatever", True, end=nth % 2 == 0)
            blocked = client._quic._streams_blocked_uni
            await until(f"stream {nth + 1} may be opened", lambda: not blocked, 2)
            if nth % 2:
                client._quic.reset_stream(stream_id, codes.NO_ERROR)
                client.transmit()
        await served(client)


# Field lines that make a section too large, however few or many bytes they are on the wire. `accept:
# */*` is one byte there, and 41 by the count of RFC 9114, 4.2.2.
TOO_LARGE = {
    "a section of 100 KiB": literal(b"x-a", b"x" * (100 << 10)),
    "a section of 1 MiB": literal(b"x-a", b"x" * (1 << 20)),
    "a name of 100 KiB": literal(b"x" * (100 << 10), b"a"),
    "a section of 2 MiB in 50 KiB": prefixed(0xC0, 6, 29) * (50 << 10),
}


async def too_large(server, line):
    """Whatever its size; what else goes on there goes on."""
    async with connect(server) as client:
        beside = client.open("GET", "/slow?name=beside&ms=300")
        data = frame(HEADERS, head() + line)
        answer = client.answers[client.raw_stream(data, end=True)]
        while answer.status is None:
            if answer.reset is not None:
                raise Failed(f"the stream was reset with {answer.reset:#x}")
            await client.wait(answer)
        same("status", 431, answer.status)
        same("status of the next", 200, (await client.get("/protocol")).status)
        same("status of the one beside", 200, (await client.complete(beside)).status)
        return client.local_port()


LIST_BYTES = 2000


async def bound(server):
    async with connect(server) as client:
        await until("SETTINGS have come", client.control_frames)
        same("announced", LIST_BYTES, client.settings()[MAX_FIELD_SECTION_SIZE])
        room = LIST_BYTES - size_of(fields_of((b"x-a", b"")))
        for size, status in ((room, 200), (room + 1, 431), (room, 200)):
            answer = await client.get("/protocol", [("x-a", "x" * size)])
            same(f"status with {size - room} bytes more", status, answer.status)


async def logged_once(server, known, peer):
    """One line says what was refused, and whom."""

    def lines():
        return [line for line in server.log()[known:].splitlines() if f"127.0.0.1:{peer}:" in line]

    await until("there is a line in the log", lines, 2)
    same("lines in the log", 1, len(lines()))
