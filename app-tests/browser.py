"""A browser of the tests: cookies, forms and uploads by HTTP/1.1, HTTP/2 and HTTP/3, from one interface."""

import asyncio
import contextlib
import os
import re
import urllib.parse

from suite import Failed, same

HOST = "localhost"
REQUEST_SECONDS = 60
BOUNDARY = "----FerriteTestBoundary"


class Seen:
    """An answer: `status`, `headers` as a list of (name in lower case, value), `body` as bytes."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return next((value for key, value in self.headers if key == name), None)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def find(self, pattern):
        """The first group of a pattern in the body; fails without a match."""
        found = re.search(pattern, self.text, re.S)
        if not found:
            raise Failed(f"no {pattern} in {self.status} {self.text[:600]!r}")
        return found[1]

    def has(self, *texts):
        """Fails unless the body has all of these."""
        for text in texts:
            if text not in self.text:
                raise Failed(f"no {text!r} in {self.status} {self.text[:600]!r}")
        return self

    def hidden(self, *names):
        """The values of these hidden inputs of a form, with the character references undone."""
        values = {}
        for name in names:
            tag = self.find(rf"(<input[^>]*name=[\"']{re.escape(name)}[\"'][^>]*>)")
            value = re.search(r"value=[\"']([^\"']*)", tag)
            values[name] = value[1].replace("&amp;", "&") if value else ""
        return values


class Browser:
    """Keeps cookies, and what it has seen, in `seen`: (what was asked, answer)."""

    def __init__(self, transport):
        self.transport = transport
        self.cookies = {}
        self.path = "/"
        self.seen = []

    async def request(self, method, path, body=None, headers=(), status=None, note=True):
        """Sends one request; fails when the status is another than this."""
        self.path = path
        fields = [("user-agent", "tests"), *headers]
        if self.cookies:
            fields.append(("cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items())))
        if body is not None:
            fields.append(("content-length", str(len(body))))
        answer = await asyncio.wait_for(
            self.transport.exchange(method, path, fields, body), REQUEST_SECONDS
        )
        self._take_cookies(answer)
        if note:
            self.seen.append((f"{method} {path}", answer))
        if status is not None and answer.status != status:
            raise Failed(
                f"{method} {path}: wanted {status}, got {answer.status} "
                f"{answer.header('location') or ''} {answer.text[-600:]!r}"
            )
        return answer

    async def get(self, path, status=200, **more):
        return await self.request("GET", path, status=status, **more)

    async def post(self, path, form, status=200, **more):
        body = urllib.parse.urlencode(form).encode()
        headers = [("content-type", "application/x-www-form-urlencoded"), *more.pop("headers", ())]
        return await self.request("POST", path, body, headers, status, **more)

    async def upload(self, path, form, files, status=200, **more):
        """`files`: name of the field => (name of the file, type, bytes)."""
        parts = []
        for name, value in form.items():
            head = f'content-disposition: form-data; name="{name}"'
            parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n{value}\r\n".encode())
        for name, (file, kind, data) in files.items():
            head = f'content-disposition: form-data; name="{name}"; filename="{file}"\r\n'
            head += f"content-type: {kind}"
            parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
        body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
        headers = [("content-type", f"multipart/form-data; boundary={BOUNDARY}")]
        headers += more.pop("headers", ())
        return await self.request("POST", path, body, headers, status, **more)

    async def follow(self, answer, status=200):
        """Goes where a redirect leads."""
        place = answer.header("location")
        if place is None:
            raise Failed(f"no redirect: {answer.status} {answer.text[:600]!r}")
        whole = urllib.parse.urljoin(f"https://{HOST}{self.path}", place)
        return await self.get(whole.removeprefix(f"https://{HOST}") or "/", status)

    def stranger(self):
        """Another browser on the same server."""
        return Browser(self.transport)

    def _take_cookies(self, answer):
        for name, value in answer.headers:
            if name == "set-cookie":
                pair, *attributes = value.split(";")
                key, _, value = pair.strip().partition("=")
                gone = any(a.strip().lower() == "max-age=0" for a in attributes)
                if gone or value in ("", "deleted"):
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = value


class Curl:
    """HTTP/1.1 and HTTP/2 by curl, a connection each."""

    def __init__(self, serving, protocol):
        self.flag = {"h1": "--http1.1", "h2": "--http2"}[protocol]
        self.version = {"h1": "1.1", "h2": "2"}[protocol]
        self.serving = serving

    async def exchange(self, method, path, fields, body):
        arguments = ["curl", "-sS", "-g", "-i", "--path-as-is", self.flag]
        arguments += ["--cacert", self.serving.certificates.authority]
        arguments += ["--connect-to", f"{HOST}:443:127.0.0.1:{self.serving.port}"]
        arguments += ["--head"] if method == "HEAD" else ["-X", method]
        # What curl would add by itself is what the other clients do not send.
        for name, value in (("Accept", ""), ("Expect", ""), *fields):
            arguments += ["-H", f"{name}: {value}" if value else f"{name}:"]
        if body is not None:
            arguments += ["--data-binary", "@-"]
            if not any(name == "content-type" for name, _ in fields):
                arguments += ["-H", "Content-Type:"]
        process = await asyncio.create_subprocess_exec(
            *arguments,
            f"https://{HOST}{path}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await process.communicate(body)
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        if process.returncode != 0:
            raise Failed(f"{method} {path}: {errors.decode().strip()}")
        return self._parse(output)

    def _parse(self, output):
        while True:
            head, _, output = output.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            version, status = first.split(" ")[:2]
            if not status.startswith("1"):
                break
        same("the version of HTTP", f"HTTP/{self.version}", version)
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
        return Seen(int(status), headers, output)


class Aioquic:
    """HTTP/3 by aioquic: one connection for all requests."""

    def __init__(self, connection):
        self.connection = connection

    async def exchange(self, method, path, fields, body):
        try:
            answer = await self.connection.request(method, path, body, fields)
        except Failed as error:
            raise Failed(f"{method} {path} {fields}: {error}") from error
        for head in answer.heads:
            named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head]
            status = dict(named).get(":status", "100")
            if not status.startswith("1"):
                headers = [(name, value) for name, value in named if name != ":status"]
                return Seen(int(status), headers, bytes(answer.body))
        raise Failed(f"{method} {path}: no head")


@contextlib.asynccontextmanager
async def browse(serving, protocol):
    """A browser on a server, by h1, h2 or h3."""
    if protocol != "h3":
        yield Browser(Curl(serving, protocol))
        return
    # It needs aioquic, which script/bench has not got.
    import client

    async with client.connect(serving, idle_timeout=120.0) as connection:
        yield Browser(Aioquic(connection))


def file(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), "rb") as opened:
        return opened.read()
