"""Clients of HTTP/1, HTTP/2 and HTTP/3 that tell exactly what became of each request.

`ask` of each returns (status, body), or raises Cut when the connection has ended before the answer was
complete, Broken when the answer broke off on a connection or stream that goes on. With `held` a client
does not read its answer before `read_on` is called.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http3-tests"))

import client as http3  # noqa: E402
from suite import Failed  # noqa: E402

PROTOCOLS = ("h1", "tls-h1", "h2c", "tls-h2", "h3")
READ = 64 * 1024
WINDOW = 16 * 1024 * 1024


class Cut(Exception):
    """The connection has ended, and with it the request."""


class Broken(Exception):
    """The answer broke off where the client can see it."""


class Http1:
    """One connection; one request at a time."""

    def __init__(self, address, context=None, slow=False, held=False):
        self.address, self.context, self.slow = address, context, slow or held
        self.reader = self.writer = None
        self.reading = asyncio.Event()
        if not held:
            self.reading.set()

    def read_on(self):
        self.reading.set()

    async def open(self):
        sock = socket.socket()
        sock.setblocking(False)
        if self.slow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self.address)
            name = http3.NAME if self.context else None
            self.reader, self.writer = await asyncio.open_connection(
                sock=sock, ssl=self.context, server_hostname=name, limit=READ
            )
        except OSError as error:
            sock.close()
            raise Cut(f"connect: {error}") from error

    async def ask(self, method, path, body=b"", headers=(), pace=None, leave=False):
        """`pace` is called between pieces of what is sent or read; `leave` closes in between."""
        if not self.writer:
            await self.open()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers)
        if method == "POST":
            head += f"Content-Length: {len(body)}\r\n"
        message = head.encode() + b"\r\n" + body
        try:
            if pace and method == "POST":
                for at in range(0, len(message), 4096):
                    self.writer.write(message[at : at + 4096])
                    await self.writer.drain()
                    await pace()
            else:
                self.writer.write(message)
            if leave:
                await pace()
                self.close()
                raise Cut("left")
            return await self._answer(pace)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            self.close()
            raise Cut(str(error)) from error

    async def _answer(self, pace):
        await self.reading.wait()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = bytearray()
        if fields.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
                if pace:
                    await pace()
            await self.reader.readexactly(2)
        else:
            left = int(fields.get("content-length", 0))
            while left:
                piece = await self.reader.read(min(left, READ))
                if not piece:
                    raise Cut("end of file")
                body += piece
                left -= len(piece)
                if pace:
                    await pace()
        if fields.get("connection") == "close":
            self.close()
        return status, bytes(body)

    def close(self):
        if self.writer:
            self.writer.transport.abort()
        self.reader = self.writer = None


class Http2:
    """One connection with many streams."""

    def __init__(self, address, context=None, held=None, window=None):
        """`window`: bytes of each answer that it takes; without it as many as come. `held`: "window"
        gives its streams none until it reads on, "socket" does not read what comes.
        """
        self.address, self.context, self.window, self.held = address, context, window, held
        self.reader = self.writer = self.task = self.h2 = None
        self.streams = {}
        self.opening = asyncio.Lock()

    async def open(self):
        try:
            name = http3.NAME if self.context else None
            self.reader, self.writer = await asyncio.open_connection(
                *self.address, ssl=self.context, server_hostname=name
            )
        except OSError as error:
            raise Cut(f"connect: {error}") from error
        settings = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(settings)
        if self.window is not None:
            code = h2.settings.SettingCodes.INITIAL_WINDOW_SIZE
            values = {code: self.window, h2.settings.SettingCodes.ENABLE_PUSH: 0}
            self.h2.local_settings = h2.settings.Settings(client=True, initial_values=values)
        self.h2.initiate_connection()
        if self.held == "window":
            self._set_window(0)
        self.flush()
        if self.held != "socket":
            self.task = asyncio.create_task(self._read(self.reader))

    def _set_window(self, size):
        self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: size})

    def read_on(self):
        if self.held == "window":
            self._set_window(WINDOW)
        elif self.held == "socket":
            self.task = asyncio.create_task(self._read(self.reader))
        self.held = None
        self.h2.increment_flow_control_window(WINDOW)
        self.flush()

    def flush(self):
        if self.writer:
            self.writer.write(self.h2.data_to_send())

    async def _read(self, reader):
        with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            while data := await reader.read(READ):
                for event in self.h2.receive_data(data):
                    self._happened(event)
                self.flush()
        self.close()

    def _happened(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.DataReceived) and not self.held:
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if isinstance(event, h2.events.ConnectionTerminated):
            # What the server has not begun may be asked again; here it counts as cut.
            self.close()
        if stream is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            stream["fields"] = dict(event.headers)
            stream["status"] = int(stream["fields"][":status"])
        elif isinstance(event, h2.events.DataReceived):
            stream["body"] += event.data
        elif isinstance(event, h2.events.StreamEnded):
            stream["end"].set_result(None)
        elif isinstance(event, h2.events.StreamReset) and not stream["end"].done():
            stream["end"].set_exception(Broken(f"reset with {event.error_code}"))

    async def _begin(self, method, path, headers=()):
        """A stream, and its head sent."""
        async with self.opening:
            if not self.writer:
                await self.open()
        names = [(":method", method), (":scheme", "https" if self.context else "http")]
        names += [(":authority", "localhost"), (":path", path)]
        names += [(name.lower(), value) for name, value in headers]
        number = self.h2.get_next_available_stream_id()
        stream = {"status": None, "body": bytearray(), "fields": {}}
        stream["end"] = asyncio.get_running_loop().create_future()
        # Whether anybody waits for it or not.
        stream["end"].add_done_callback(lambda end: end.cancelled() or end.exception())
        self.streams[number] = stream
        self.h2.send_headers(number, names, end_stream=method == "GET")
        self.flush()
        return number, stream

    async def hold(self, method, path, body=b""):
        """Asks, and leaves it at that: content is not ended, and nobody waits for the answer. The stream."""
        try:
            number, stream = await self._begin(method, path)
            await self._send(self.h2, number, stream, body, None, end=False)
            return stream
        except (OSError, h2.exceptions.ProtocolError, KeyError) as error:
            raise Cut(str(error)) from error

    async def ask(self, method, path, body=b"", headers=(), pace=None, leave=False):
        connection = number = None
        try:
            number, stream = await self._begin(method, path, headers)
            connection = self.h2
            if method == "POST":
                await self._send(connection, number, stream, body, pace)
            if leave:
                await pace()
                # It may have been answered by now.
                with contextlib.suppress(h2.exceptions.ProtocolError, KeyError):
                    connection.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
                self.flush()
                raise Cut("left")
            await stream["end"]
            return stream["status"], bytes(stream["body"])
        except (OSError, h2.exceptions.ProtocolError, KeyError) as error:
            raise Cut(str(error)) from error
        finally:
            self.streams.pop(number, None)

    async def _send(self, connection, number, stream, body, pace, end=True):
        while body and not stream["end"].done():
            room = min(connection.local_flow_control_window(number), 16384, len(body))
            if room == 0:
                await asyncio.sleep(0.005)
                continue
            connection.send_data(number, body[:room], end_stream=end and room == len(body))
            body = body[room:]
            self.flush()
            if pace:
                await pace()

    def close(self):
        if self.writer:
            self.writer.transport.abort()
        if self.task and self.task is not asyncio.current_task():
            self.task.cancel()
        self.reader = self.writer = self.task = None
        for stream in self.streams.values():
            if not stream["end"].done():
                stream["end"].set_exception(Cut("the connection has ended"))
        self.streams = {}


class Http3:
    """One connection with many streams, on aioquic. A new one is made when it has ended."""

    def __init__(self, server, held=None):
        """`held`: what the server may send at once and no more of, as settings of aioquic's."""
        self.server, self.held = server, held
        self.client = self.context = self.closing = None
        self.opening = asyncio.Lock()

    async def open(self):
        self.close()
        settings = {"idle_timeout": 8.0}
        if self.held:
            settings = {"idle_timeout": 300.0, "hold_credit": True, **self.held}
        self.context = http3.connect(self.server, **settings)
        try:
            self.client = await self.context.__aenter__()
        except (Failed, ConnectionError, OSError, asyncio.TimeoutError) as error:
            self.client = self.context = None
            raise Cut(f"connect: {error}") from error

    def read_on(self):
        self.client.give_credit()

    def draining_seconds(self):
        """How long the server knows the connection when it has been closed (RFC 9000, 10.2): three times
        what it waits for a packet, which is long where the client was busy."""
        return 3 * self.client._quic._loss.get_probe_timeout()

    async def ask(self, method, path, body=b"", headers=(), pace=None, leave=False):
        async with self.opening:
            if not self.client or self.client.terminated:
                await self.open()
        client = self.client
        headers = [(name.lower(), value) for name, value in headers]
        try:
            answer = client.open(method, path, headers, end=method == "GET")
            if method == "POST":
                step = 16384 if pace else len(body)
                for at in range(0, len(body), step):
                    client.send(answer, body[at : at + step], end=at + step >= len(body))
                    if pace:
                        await pace()
            if leave:
                await pace()
                client.cancel(answer)
                raise Cut("left")
            await client.complete(answer)
            return answer.status, bytes(answer.body)
        except Failed as error:
            raise (Cut if client.terminated else Broken)(str(error)) from error
        finally:
            client.answers.pop(answer.stream_id, None)

    def close(self):
        if self.client:
            ended = self.context.__aexit__(None, None, None)
            self.closing = asyncio.get_running_loop().create_task(ended)
        self.client = self.context = None


def client_of(protocol, server, held=None):
    """A client of one of PROTOCOLS. `held` is a number: clients do not read in one way or another."""
    clear, secure = ("127.0.0.1", server.clear), ("127.0.0.1", server.port)
    way = None if held is None else held % 2
    if protocol in ("h1", "tls-h1"):
        context = tls(server, "http/1.1") if protocol == "tls-h1" else None
        return Http1(secure if context else clear, context, held=way is not None)
    if protocol in ("h2c", "tls-h2"):
        context = tls(server, "h2") if protocol == "tls-h2" else None
        how = None if way is None else ("window", "socket")[way]
        return Http2(secure if context else clear, context, how)
    how = None if way is None else ({"max_data": 20_000}, {"max_stream_data": 20_000})[way]
    return Http3(server, how)


def tls(server, alpn):
    """A context that trusts the server's authority and speaks one version of HTTP."""
    context = ssl.create_default_context(cafile=server.certificates.authority)
    context.set_alpn_protocols([alpn])
    return context
