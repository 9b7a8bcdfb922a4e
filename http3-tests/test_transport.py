"""QUIC below HTTP: versions, addresses, Retry, early data."""

import asyncio
import json
import os
import struct

from client import GOAWAY, HOST, NO_ERROR, connect, udp_socket
from server import Server, open_by
from suite import holds, same, until

MIB = 1024 * 1024
UNKNOWN_VERSION = 0x1A2A3A4A
VERSION_1 = 1


async def tests(suite, tools):
    with Server() as server:

        async def test(name, function):
            await suite.run(name, lambda: function(server), server.log)

        await test("a client of an unknown version is told the known ones", unknown_version)
        await test("a small packet of an unknown version is not answered", small_unknown_version)
        await test("aioquic negotiates the version", negotiated_version)
        await test("no Retry while there is no need", no_retry)
        await test("the client moves to another port during an answer", migration)
        await test("the client moves to another port during an upload", migration_upload)
        await test("the client moves to other ports during a download", migration_download)
        await test("a client that moves without end is sent to another connection", restless)
        await test("a resumed session is not early without http3_early_data", early_data_off)
        await test("garbage on the port disturbs nobody", garbage)
        await test("the server ends with 0", lambda server: server.end())
    with Server(server={"worker_num": 1}) as server:
        await test("a client that gives no credit holds no worker, and leaves nothing", no_credit)
    with Server(host="0.0.0.0") as server:
        await suite.run(
            "on all addresses: the answer comes from the one that was asked",
            lambda: everywhere(server, "127.0.0.1", "127.0.0.2"),
            server.log,
        )
    if has_ipv6():
        with Server(host="::") as server:
            await suite.run(
                "on all addresses of IPv6 and IPv4: likewise",
                lambda: everywhere(server, "::1", "127.0.0.1", "127.0.0.2"),
                server.log,
            )
    with Server(port={"http3_retry": "always"}) as server:
        await test("http3_retry => 'always': a Retry, and then an answer", retry)
    with Server(port={"http3_early_data": True}) as server:
        await test("http3_early_data: GET at once, with early-data shown", early_get)
        await test("http3_early_data: POST gets 425, and is done later", early_post)
        await test("http3_early_data: what a client says of itself is not shown twice", early_claim)
    with Server(port={"open_http3_protocol": False}) as server:
        await test("open_http3_protocol => false: nobody answers", nobody)


def initial_of(version, size):
    """The start of a packet with a long header (RFC 8999, 5.1), and both connection ids."""
    destination, source = os.urandom(8), os.urandom(6)
    ids = bytes([8]) + destination + bytes([6]) + source
    packet = b"\xc0" + struct.pack(">L", version) + ids
    return packet + bytes(size - len(packet)), destination, source


def has_ipv6():
    try:
        udp_socket("::1").close()
    except OSError:
        return False
    return True


def ask_udp(port, packet, seconds=5.0, address=HOST):
    """What comes back for a datagram from where it went to; None when nothing does."""
    with udp_socket(address) as sock:
        sock.settimeout(seconds)
        sock.connect((address, port))
        sock.send(packet)
        try:
            return sock.recv(65536)
        except (TimeoutError, ConnectionRefusedError):
            return None


async def unknown_version(server):
    """RFC 9000, 6.1 and 17.2.1."""
    packet, destination, source = initial_of(UNKNOWN_VERSION, 1200)
    answer = await asyncio.to_thread(ask_udp, server.port, packet)
    holds("there is an answer", answer)
    holds("it has a long header", answer[0] & 0x80)
    same("version", 0, struct.unpack(">L", answer[1:5])[0])
    ids = bytes([6]) + source + bytes([8]) + destination
    same("connection ids, swapped", ids, answer[5 : 5 + len(ids)])
    versions = [version for (version,) in struct.iter_unpack(">L", answer[5 + len(ids) :])]
    holds(f"version 1 is offered: {versions}", VERSION_1 in versions)


async def small_unknown_version(server):
    """RFC 9000, 6: what is too small to begin a connection is not amplified."""
    packet, _, _ = initial_of(UNKNOWN_VERSION, 600)
    same("answer", None, await asyncio.to_thread(ask_udp, server.port, packet, 0.5))


async def negotiated_version(server):
    versions = [UNKNOWN_VERSION, VERSION_1]
    async with connect(
        server, supported_versions=versions, original_version=UNKNOWN_VERSION, log=True
    ) as client:
        same("content", b"HTTP/3", bytes((await client.get("/protocol")).body))
        same("packets", 1, client.packets_received("version_negotiation"))


async def everywhere(server, *addresses):
    for address in addresses:
        packet, _, _ = initial_of(UNKNOWN_VERSION, 1200)
        answer = await asyncio.to_thread(ask_udp, server.port, packet, address=address)
        holds(f"there is an answer from {address}", answer)
        async with connect(server, address=address) as client:
            told = json.loads((await client.get("/show")).body)["server"]
            same("server_addr", address, told["server_addr"])


async def no_retry(server):
    async with connect(server, log=True) as client:
        same("status", 200, (await client.get("/protocol")).status)
        same("packets", 0, client.packets_received("retry"))


async def retry(server):
    """RFC 9000, 8.1.2. A second connection brings no token of its own."""
    for _ in range(2):
        async with connect(server, log=True) as client:
            same("content", b"HTTP/3", bytes((await client.get("/protocol")).body))
            same("packets", 1, client.packets_received("retry"))


async def can_move(client):
    """The server has given a connection id to move with (RFC 9000, 9.5)."""
    await until("there is a spare connection id", lambda: client._quic._peer_cid_available)


async def migration(server):
    """RFC 9000, 9: the new address is validated, and the answer goes on there."""
    async with connect(server, log=True) as client:
        answer = client.open("GET", "/drip?pieces=50&name=moves")
        while not answer.body:
            await client.wait(answer)
        await can_move(client)
        old, new = await client.move()
        holds("the port is another", old != new)
        await client.complete(answer)
        same("content", b"piece " * 50, bytes(answer.body))
        holds("the address was validated", client.frames_received("path_challenge") > 0)
        told = json.loads((await client.get("/show")).body)
        same("protocol", "HTTP/3", told["server"]["server_protocol"])


async def migration_upload(server):
    """What the server had said of windows to the old ports is said again to the new one."""
    async with connect(server) as client:
        answer = client.open("POST", "/echo", end=False)
        content = bytearray()
        for turn in range(3):
            piece = bytes([turn]) * 200_000
            content += piece
            client.send(answer, piece, end=turn == 2)
            await can_move(client)
            await client.move()
        await client.complete(answer)
        holds("all has arrived", bytes(answer.body) == bytes(content))


async def migration_download(server):
    """What was on its way to the old ports is sent again to the new one."""
    async with connect(server) as client:
        answer = client.open("GET", f"/bytes?n={4 * MIB}")
        for part in (1, 2, 3):
            await until("the next part has come", lambda: len(answer.body) >= part * MIB)
            await can_move(client)
            await client.move()
        await client.complete(answer)
        holds("all has come", bytes(answer.body) == b"0123456789abcdef" * (4 * MIB // 16))


async def restless(server):
    """An address that changes again and again, as that of a phone on a train. Before the server can
    follow no more, it says GOAWAY: the client goes on by another connection."""
    async with connect(server) as client:
        moves = 0
        while not any(kind == GOAWAY for kind, _ in client.control_frames()):
            await can_move(client)
            await client.move()
            moves += 1
            same("content", b"HTTP/3", bytes((await client.get("/protocol")).body))
        holds(f"it can move a few times: {moves}", moves > 4)
        same("code of the end", NO_ERROR, await client.until_closed())


async def no_credit(server):
    """RFC 9000, 4.1: for the connection or for the stream. There is one worker."""
    size = 6 * MIB
    await server.settled()
    reactor = server.children()["reactor"]
    before = open_by(reactor)
    for reads in (True, False):
        for settings in ({"max_data": 20_000}, {"max_stream_data": 20_000}):
            async with connect(server, hold_credit=True, **settings) as client:
                answer = client.open("GET", f"/bytes?n={size}")
                while not answer.body:
                    await client.wait(answer)
                async with connect(server) as other:
                    for number in range(20):
                        other_answer = await other.get(f"/number?n={number}")
                        same("content", str(number).encode(), bytes(other_answer.body))
                holds("it got no more than it allows", len(answer.body) < 20_000)
                if reads:
                    client.give_credit()
                    await client.complete(answer)
                    same("content", True, answer.body == b"0123456789abcdef" * (size // 16))
    figures = await server.settled()
    same("kept", [0, 0], [figures[f"response_spool_{where}_bytes"] for where in ("memory", "disk")])
    # Each thread keeps a file.
    await until(
        lambda: f"descriptors of {before}: {open_by(reactor, threads=2)}",
        lambda: open_by(reactor, threads=2) == before,
    )


async def ticket_of(server):
    """A session ticket, by a connection of its own."""
    tickets = []
    async with connect(server, tickets=tickets) as client:
        same("status", 200, (await client.get("/protocol")).status)
        await until("there is a session ticket", lambda: tickets)
    return tickets[-1]


async def early_data_off(server):
    ticket = await ticket_of(server)
    holds("the ticket allows no early data", not ticket.max_early_data_size)
    async with connect(server, session_ticket=ticket) as client:
        same("status", 200, (await client.get("/protocol")).status)
        same("resumed", True, client.handshake.session_resumed)
        same("early data accepted", False, client.handshake.early_data_accepted)


async def early(server, method, path, headers=()):
    """An answer to a request that went out before the handshake, and what came after it."""
    ticket = await ticket_of(server)
    holds("the ticket allows early data", ticket.max_early_data_size)
    sent = []

    def send(client):
        sent.append(client.open(method, path, headers))

    async with connect(server, early=send, session_ticket=ticket) as client:
        await client.complete(sent[0])
        same("early data accepted", True, client.handshake.early_data_accepted)
        return sent[0], await client.request(method, path, headers=headers)


async def early_get(server):
    answer, later = await early(server, "GET", "/show")
    same("status", 200, answer.status)
    same("early-data", "1", json.loads(answer.body)["header"].get("early-data"))
    same("later", None, json.loads(later.body)["header"].get("early-data"))


async def early_post(server):
    """RFC 8470, 5.2: what is not safe waits until the client is known not to be a replay."""
    answer, later = await early(server, "POST", "/protocol")
    same("status", 425, answer.status)
    same("status of the same request after the handshake", 200, later.status)


async def early_claim(server):
    """A gateway's own word for it (RFC 8470, 5.1) does not add to the server's."""
    answer, _ = await early(server, "GET", "/show", [("early-data", "1")])
    same("early-data", "1", json.loads(answer.body)["header"].get("early-data"))


async def garbage(server):
    """Datagrams that are nothing, or look like something, while another client is served."""
    async with connect(server) as client:
        for size in (1, 20, 21, 22, 600, 1200, 1400):
            for first in (0x00, 0x40, 0x80, 0xC0, 0xFF):
                packet = bytes([first]) + os.urandom(size - 1)
                await asyncio.to_thread(ask_udp, server.port, packet, 0.01)
        packet, _, _ = initial_of(VERSION_1, 1200)
        await asyncio.to_thread(ask_udp, server.port, packet, 0.05)
        same("status", 200, (await client.get("/protocol")).status)


async def nobody(server):
    packet, _, _ = initial_of(UNKNOWN_VERSION, 1200)
    same("answer", None, await asyncio.to_thread(ask_udp, server.port, packet, 0.5))
