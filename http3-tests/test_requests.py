"""Requests and answers."""

import hashlib
import json
import random
import re
import zlib

from client import connect
from server import Server, run
from suite import holds, same

MIB = 1024 * 1024


async def tests(suite, tools):
    with Server() as server:

        async def test(name, function, **settings):
            await suite.run(name, lambda: function(server), server.log, **settings)

        await test("GET", get)
        await test("the handler sees the request as it was sent", shown)
        await test("HEAD: the head of a GET, no content", head)
        await test("204 and 404: status without and with content", statuses)
        for size, name in ((0, "0 B"), (10 * 1024, "10 KiB"), (20 * MIB, "20 MiB")):
            await test(f"POST of {name}", lambda server, size=size: post(server, size), deadline=60)
        await test("POST of 1 MiB and back", echo)
        await test("GET of 20 MiB", download, deadline=60)
        await test("a client that reads slowly gets all", slow_reader)
        await test("100 streams at once on one connection", streams)
        await test("more streams than are allowed at once wait and are answered", many_streams)
        await test("trailers of a request reach the handler", request_trailers)
        await test("trailers of a response reach the client", response_trailers)
        await test("a hint (103) comes before the response", hints)
        await test("content is asked for (100) when the client waits for that", continues)
        await test("cookies in several fields are one", cookies)
        await test("too large a field section: 431, the connection goes on", large_fields)
        await test("too large content: 413, the connection goes on", large_content)
        await test("Alt-Svc on HTTP/1.1 and HTTP/2 names the port", alt_svc)
        await test("http_compression is off", not_compressed)
        await test("all is counted back to zero", lambda server: server.settled())
        await test("the server ends with 0", lambda server: server.end())
    with Server(port={"http3_alt_svc_max_age": 0}) as server:
        await suite.run(
            "http3_alt_svc_max_age => 0: no Alt-Svc", lambda: no_alt_svc(server), server.log
        )
    with Server(port={"http_compression": True}) as server:

        async def test(name, function):
            await suite.run(name, lambda: function(server), server.log)

        await test("http_compression: a page in each coding, as over TCP", compressed)
        await test("http_compression: HEAD, 204, and what the handler says itself", compressed_heads)
        await test("http_compression: each piece comes at once", compressed_pieces)
        await test("events come at once, and as they are", events)
        await test("the server of these ends with 0", lambda server: server.end())


async def get(server):
    async with connect(server) as client:
        answer = await client.get("/protocol")
        same("status", 200, answer.status)
        same("content", b"HTTP/3", bytes(answer.body))
        same("content-length", b"6", answer.header("content-length"))
        holds("there is a Date", answer.header("date"))


async def shown(server):
    async with connect(server) as client:
        answer = await client.get("/show?a=1&b=%20x", [("x-one", "first"), ("cookie", "c=d")])
        told = json.loads(answer.body)
        wanted = {
            "server_protocol": "HTTP/3",
            "request_method": "GET",
            "request_uri": "/show",
            "query_string": "a=1&b=%20x",
            "request_scheme": "https",
            "remote_addr": "127.0.0.1",
            "server_addr": "127.0.0.1",
            "server_port": server.port,
            "https": "on",
            "ssl_protocol": "TLSv1.3",
            "ssl_server_name": "localhost",
        }
        got = told["server"]
        same("server", wanted, {key: got.get(key) for key in wanted})
        same("remote_port", client.local_port(), got["remote_port"])
        same("host", "localhost", told["header"]["host"])
        same("x-one", "first", told["header"]["x-one"])
        same("get", {"a": "1", "b": " x"}, told["get"])
        same("cookie", {"c": "d"}, told["cookie"])


async def head(server):
    async with connect(server) as client:
        answer = await client.request("HEAD", "/bytes?n=70000")
        same("status", 200, answer.status)
        same("content-length", b"70000", answer.header("content-length"))
        same("content", b"", bytes(answer.body))


async def statuses(server):
    async with connect(server) as client:
        answer = await client.get("/status?code=204")
        same("status", 204, answer.status)
        same("content", b"", bytes(answer.body))
        same("content-length", None, answer.header("content-length"))
        answer = await client.get("/nothing")
        same("status", 404, answer.status)
        same("content", b"no such route", bytes(answer.body))


async def post(server, size):
    content = random.Random(size).randbytes(size)
    async with connect(server) as client:
        answer = await client.request("POST", "/digest", content)
        same("status", 200, answer.status)
        wanted = {"length": size, "sha256": hashlib.sha256(content).hexdigest()}
        same("digest", wanted, json.loads(answer.body))


async def echo(server):
    content = random.Random(1).randbytes(MIB)
    async with connect(server) as client:
        answer = await client.request("POST", "/echo", content)
        holds("the same comes back", content == bytes(answer.body))


async def download(server):
    async with connect(server) as client:
        answer = await client.get(f"/bytes?n={20 * MIB}")
        holds("all has come", bytes(answer.body) == b"0123456789abcdef" * (20 * MIB // 16))


async def slow_reader(server):
    """The server may send what the windows allow, and a window opens again when that was read."""
    async with connect(server, max_data=32 * 1024, max_stream_data=16 * 1024) as client:
        answers = [client.open("GET", f"/bytes?n={MIB // 2}") for _ in range(3)]
        for answer in answers:
            await client.complete(answer)
            same("bytes", MIB // 2, len(answer.body))


async def streams(server):
    async with connect(server) as client:
        answers = [client.open("GET", f"/number?n={number}") for number in range(100)]
        for number, answer in enumerate(answers):
            await client.complete(answer)
            same("answer", str(number).encode(), bytes(answer.body))


async def many_streams(server):
    async with connect(server) as client:
        answers = [client.open("GET", f"/number?n={number}") for number in range(1000)]
        for number, answer in enumerate(answers):
            await client.complete(answer)
            same("answer", str(number).encode(), bytes(answer.body))


async def request_trailers(server):
    async with connect(server) as client:
        answer = client.open("POST", "/trailers", end=False)
        client.send(answer, b"content")
        client.send_trailers(answer, [(b"x-sum", b"of the request")])
        await client.complete(answer)
        same("content", b"of the request", bytes(answer.body))


async def response_trailers(server):
    async with connect(server) as client:
        answer = await client.get("/trailers")
        same("content", b"no trailer", bytes(answer.body))
        same("trailers", {b"x-sum": b"of the response"}, answer.trailers)


async def hints(server):
    async with connect(server) as client:
        answer = await client.get("/hints")
        first, second = (dict(head) for head in answer.heads)
        same("first", (b"103", b"</style.css>; rel=preload; as=style"), (first[b":status"], first[b"link"]))
        same("second", (b"200", b"hinted"), (second[b":status"], bytes(answer.body)))


async def continues(server):
    async with connect(server) as client:
        answer = client.open("POST", "/echo", [("expect", "100-continue")], end=False)
        while not answer.heads:
            await client.wait(answer)
        same("first", [(b":status", b"100")], answer.heads[0])
        client.send(answer, b"content", end=True)
        await client.complete(answer)
        same("content", b"content", bytes(answer.body))


async def cookies(server):
    """RFC 9114, 4.2.1."""
    async with connect(server) as client:
        answer = await client.get("/show", [("cookie", "a=1"), ("cookie", "b=2")])
        same("cookie", "a=1; b=2", json.loads(answer.body)["header"]["cookie"])


async def large_fields(server):
    async with connect(server) as client:
        answer = await client.get("/protocol", [("x-large", "x" * 60_000)])
        same("status", 431, answer.status)
        same("status of the next", 200, (await client.get("/protocol")).status)


async def large_content(server):
    """It is answered before all of it has come; the rest is not wanted (RFC 9114, 4.1)."""
    async with connect(server) as client:
        answer = client.open("POST", "/digest", [("content-length", str(65 * MIB))], end=False)
        while answer.status is None:
            await client.wait(answer)
        same("status", 413, answer.status)
        same("status of the next", 200, (await client.get("/protocol")).status)


async def alt_svc_of(server, path, *options):
    """What an answer over TCP says of other ways to the server."""
    url = f"https://localhost:{server.port}{path}"
    authority = server.certificates.authority
    head = await run("curl", "-sS", "-o", "/dev/null", "-D", "-", "--cacert", authority, *options, url)
    return re.findall(r"^alt-svc: (.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)


async def alt_svc(server):
    for version in ("--http1.1", "--http2"):
        found = await alt_svc_of(server, "/protocol", version)
        same(f"lines with {version}", 1, len(found))
        holds(f"the port and an age: {found}", re.search(rf'h3=":{server.port}"; ma=\d+', found[0]))
        own = await alt_svc_of(server, "/alt-svc", version)
        same(f"what the handler says, with {version}", ["clear"], own)
    async with connect(server) as client:
        same("over HTTP/3", None, (await client.get("/protocol")).header("alt-svc"))


async def no_alt_svc(server):
    same("lines", [], await alt_svc_of(server, "/protocol", "--http2"))


PAGE = b"<p>A page.</p>" * 5000


def accepts(coding):
    return [("accept-encoding", coding)]


async def not_compressed(server):
    async with connect(server) as client:
        answer = await client.get("/page", accepts("gzip, br, zstd"))
        same("content-encoding", None, answer.header("content-encoding"))
        same("vary", None, answer.header("vary"))
        same("content", PAGE, bytes(answer.body))


async def compressed(server):
    url = f"https://localhost:{server.port}/page"
    authority = server.certificates.authority
    async with connect(server) as client:
        for coding in ("gzip", "br", "zstd"):
            answer = await client.get("/page", accepts(coding))
            same("content-encoding", coding.encode(), answer.header("content-encoding"))
            same("vary", b"Accept-Encoding", answer.header("vary"))
            same("content-length", str(len(answer.body)).encode(), answer.header("content-length"))
            holds(f"{len(answer.body)} bytes are few", len(answer.body) < len(PAGE) // 20)
            # What curl's decoders say of it: script/checks/compression.
            path = server.path(f"page-{coding}")
            await run("curl", "-sS", "--cacert", authority, "-H", f"Accept-Encoding: {coding}", "-o", path, url)
            with open(path, "rb") as file:
                same("bytes over TCP", file.read(), bytes(answer.body))
            if coding == "gzip":
                holds("it is the page", zlib.decompress(answer.body, zlib.MAX_WBITS | 16) == PAGE)
        answer = await client.get("/page")
        same("without the field", (None, b"Accept-Encoding"), (answer.header("content-encoding"), answer.header("vary")))
        same("content", PAGE, bytes(answer.body))
        answer = await client.get("/page", accepts("br;q=0.2, gzip;q=0.3, zstd;q=0"))
        same("by weights", b"gzip", answer.header("content-encoding"))


async def compressed_heads(server):
    async with connect(server) as client:
        get = await client.get("/page", accepts("gzip"))
        head = await client.request("HEAD", "/page", headers=accepts("gzip"))
        for name in ("content-encoding", "content-length", "vary", "content-type"):
            same(name, get.header(name), head.header(name))
        same("content", b"", bytes(head.body))
        answer = await client.get("/status?code=204", accepts("gzip"))
        same("content-encoding of 204", None, answer.header("content-encoding"))


async def pieces(server, client, answer, decode):
    """Reads a piece, says that it was seen, and waits for the next."""
    content = b""
    for piece in ("one", "two", "three"):
        while not content.endswith(f"data: {piece}\n\n".encode()):
            taken = bytes(answer.body)
            answer.body.clear()
            content += decode(taken)
            if not taken:
                await client.wait(answer)
        with open(server.path(f"{answer.stream_id}-{piece}"), "w", encoding="utf-8"):
            pass
    await client.complete(answer)
    same("the rest", b"", decode(bytes(answer.body)))


async def compressed_pieces(server):
    async with connect(server) as client:
        answer = client.open("GET", "/seen?name=0&type=text/plain", accepts("gzip"))
        same("stream", 0, answer.stream_id)
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        await pieces(server, client, answer, decoder.decompress)
        same("content-encoding", b"gzip", answer.header("content-encoding"))
        holds("the coding is at its end", decoder.eof)


async def events(server):
    async with connect(server) as client:
        await client.get("/page")
        answer = client.open("GET", "/seen?name=4&type=text/event-stream", accepts("gzip, br, zstd"))
        same("stream", 4, answer.stream_id)
        await pieces(server, client, answer, bytes)
        same("content-encoding", None, answer.header("content-encoding"))
        same("content-type", b"text/event-stream", answer.header("content-type"))
        same("cache-control", b"no-cache", answer.header("cache-control"))
