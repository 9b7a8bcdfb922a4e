"""Scripts of the tests' own, each for a part of what PHP does on the web."""

import base64
import json
import os
import shutil

from app import App
from browser import BOUNDARY
from serving import HERE
from suite import holds, same, until
from under_load import memory_is_flat, reload_loses_nothing

FORM = [("content-type", "application/x-www-form-urlencoded")]
SERVER = [
    ("GET", "/server.php", []),
    ("GET", "/server.php?a=1&b[]=2&b[]=3&c=%20x", []),
    ("GET", "/server.php/path/a%20b?q", []),
    ("HEAD", "/server.php", []),
    ("POST", "/server.php?q=1", FORM),
    ("POST", "/server.php", [("content-type", "application/json")]),
    ("PUT", "/server.php", [("content-type", "text/plain")]),
    ("PATCH", "/server.php", FORM),
    ("DELETE", "/server.php", []),
    ("OPTIONS", "/server.php", []),
    ("GET", "/server.php", [("x-test", "a"), ("accept-language", "de"), ("referer", "/x")]),
    ("GET", "/server.php", [("cookie", "a=1; b=2; a=3; c=%20x")]),
    ("GET", "/server.php", [("cookie", "a.b=1; c[d]=2; e; f=; g==; =h; c[x]=%3d; +i=+j")]),
    ("GET", "/server.php?a.b=1&c[=2&d[e][f]=3&g&=h&i=%00&j=+%2B&k[]=1&k[5]=2&k[]=3&a%5Bx%5D=1", []),
    ("GET", "/server.php/%2Fa//c/./d?x", []),
    ("POST", "/server.php", [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]),
    ("POST", "/server.php", []),
    ("GET", "/server.php", [("authorization", "Bearer abc"), ("x_under", "x"), ("proxy", "evil")]),
    ("GET", "/server.php", [("x-forwarded-proto", "http"), ("x-forwarded-for", "1.2.3.4")]),
]
PATHS = [
    "/", "/folder/", "/folder/?x=1", "/folder", "/folder?x=1", "/plain/", "/nothing", "/nothing/here?a=1",
    "/style.css", "/index.php/info", "/hidden/.env", "/.git/config", "/uploads/photo.txt",
    "/uploads/evil.php", "/server.php.bak", "/folder/nothing.css",
]  # fmt: skip
HEADERS = [
    "redirect", "created", "status", "cookies", "several", "type", "empty", "callback", "late",
    "not%20modified", "length", "auth", "digest", "status%20field", "odd", "code", "hop", "gzip", "handler",
    "injected", "utf-8", "no%20type",
]  # fmt: skip
OUTPUT = [
    "exit", "nested", "cleaned", "large", "streamed", "exception", "memory", "warning", "handler",
    "readfile", "timeout", "shutdown", "callback", "assert", "recursion", "parse", "include",
]  # fmt: skip


class Scripts(App):
    name = "scripts"
    deny = ("/uploads",)
    ini = {"memory_limit": "64M", "post_max_size": "5M", "upload_max_filesize": "3M"}

    async def prepare(self, place):
        shutil.copytree(os.path.join(HERE, "scripts"), self.root(place))

    async def visit(self, browser):
        for method, path, headers in SERVER:
            body = b'a=1&b[x]=2&c=%C3%A4&{"json": true}' if method in ("POST", "PUT", "PATCH") else None
            await browser.request(method, path, body, headers, 200)
        for path in PATHS:
            await browser.request("GET", path)
        for case in HEADERS:
            for method in ("GET", "HEAD"):
                visitor = browser.stranger()
                coding = [("accept-encoding", "gzip")] if case in ("gzip", "handler") else []
                await visitor.request(method, f"/headers.php?case={case}", headers=coding)
                browser.seen += visitor.seen
        await browser.get("/headers.php?case=not%20modified", 304, headers=[("if-none-match", '"5"')])
        secret = base64.b64encode(b"joe:secret: word").decode()
        await browser.get("/headers.php?case=auth", headers=[("authorization", f"Basic {secret}")])
        digest = 'Digest username="joe", realm="tests", nonce="1", uri="/", response="2"'
        await browser.get("/headers.php?case=digest", headers=[("authorization", digest)])
        for case in OUTPUT:
            await browser.request("GET", f"/output.php?case={case}")
        (await browser.get("/output.php?case=finish")).has("finished")
        await until("it went on", lambda: self.went_on(browser))
        await self.uploads(browser)
        await self.sessions(browser)

    async def went_on(self, browser):
        return "went on" in (await browser.get("/output.php?case=finished", note=False)).text

    async def uploads(self, browser):
        small = ("a file.txt", "text/plain", b"small")
        large = ("large.bin", "application/octet-stream", bytes(range(256)) * 10_000)
        await browser.upload("/upload.php", {"a": "1", "b[x]": "2"}, {"one": small})
        await browser.upload("/upload.php", {}, {"many[]": small, "many[k]": small, "large": large})
        await browser.upload("/upload.php", {}, {"none": ("", "application/octet-stream", b"")})
        await browser.upload("/upload.php", {"MAX_FILE_SIZE": "3"}, {"one": small})
        await browser.upload("/upload.php", {}, {"one": ("../../etc/passwd", "text/plain", b"x")})
        for size in (4, 6):
            data = ("too large", "text/plain", bytes(size << 20))
            await browser.upload("/upload.php", {"a": "1"}, {"large": data})
        many = {f"f{n}": small for n in range(25)}
        await browser.upload("/upload.php", {"PHP_SESSION_UPLOAD_PROGRESS": "x"}, many)
        broken = f"--{BOUNDARY}\r\ncontent-disposition: form-data; name=x".encode()
        headers = [("content-type", f"multipart/form-data; boundary={BOUNDARY}")]
        await browser.request("POST", "/upload.php", broken, headers)

    async def sessions(self, browser):
        same("a new session", [None, 1, 0], json.loads((await browser.get("/session.php")).body))
        await browser.get("/session.php")
        await browser.post("/session.php?do=login", {"user": "ann"})
        await browser.get("/session.php?do=large")
        answer = await browser.get("/session.php")
        same("a session", ["ann", 3, 100_000], json.loads(answer.body))
        await browser.get("/session.php?do=logout")
        same("after it", [None, 1, 0], json.loads((await browser.get("/session.php")).body))

    async def two_users(self, ann, bob):
        nobody = ann.stranger()
        fresh = (await nobody.get("/state.php")).body
        for end in ("", "exit", "exception", "fatal", ""):
            for name, user in (("ann", ann), ("bob", bob)):
                answer = await user.get(
                    f"/state.php?end={end}", None, headers=[("x-user", name)]
                )
                other = "bob" if name == "ann" else "ann"
                holds(f"{name} sees nothing of {other}: {answer.text}", other not in answer.text)
                told = json.dumps(answer.headers)
                holds(f"{name} gets no header of {other}: {told}", f"{other}" not in told)
                same("what a request finds afterwards", fresh, (await nobody.get("/state.php")).body)
                same("and has no header of it", None, nobody.seen[-1][1].header("x-of"))
        await ann.post("/session.php?do=login", {"user": "ann"})
        await bob.post("/session.php?do=login", {"user": "bob"})
        for turn in range(2, 12):
            for name, user in (("ann", ann), ("bob", bob)):
                answer = json.loads((await user.get("/session.php")).body)
                same(f"the session of {name}", [name, turn, 0], answer)
        for name in ("ann", "bob"):
            file = {"file": (f"{name}.txt", "text/plain", name.encode())}
            answer = await ann.stranger().upload("/upload.php", {"user": name}, file)
            answer.has(f"{name}.txt", f'"user":"{name}"')
            holds("no file of another", '["file"],' in answer.text)
        (await nobody.get("/upload.php")).has("[[],[],0]")

    async def begin(self, browser):
        await browser.post("/session.php?do=login", {"user": "ann"})

    async def go_on(self, browser, count):
        answer = json.loads((await browser.get("/session.php")).body)
        same("the session goes on", ["ann", count, 0], answer)


APP = Scripts()
APP.tests = {
    "10,000 requests leave memory as it was": memory_is_flat("/work.php?i=1", 10_000),
    "a reload under load loses nothing": reload_loses_nothing("/work.php?i=1", 6000),
}
