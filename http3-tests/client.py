"""An HTTP/3 client on aioquic, which also shows what goes on below HTTP."""

import asyncio
import contextlib
import socket

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import Buffer, BufferReadError
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.logger import QuicLogger

from suite import Failed

HOST = "127.0.0.1"
NAME = "localhost"
WINDOW = 16 * 1024 * 1024

# RFC 9114, 8.1, and RFC 9204, 6.
NO_ERROR = 0x100
INTERNAL_ERROR = 0x102
STREAM_CREATION_ERROR = 0x103
CLOSED_CRITICAL_STREAM = 0x104
FRAME_UNEXPECTED = 0x105
FRAME_ERROR = 0x106
EXCESSIVE_LOAD = 0x107
ID_ERROR = 0x108
SETTINGS_ERROR = 0x109
MISSING_SETTINGS = 0x10A
REQUEST_REJECTED = 0x10B
REQUEST_CANCELLED = 0x10C
REQUEST_INCOMPLETE = 0x10D
MESSAGE_ERROR = 0x10E
DECOMPRESSION_FAILED = 0x200
ENCODER_STREAM_ERROR = 0x201
DECODER_STREAM_ERROR = 0x202

SETTINGS, GOAWAY = 0x4, 0x7


class Answer:
    """What has come on one stream so far."""

    def __init__(self, stream_id):
        self.stream_id = stream_id
        self.heads = []  # field lists: informational ones, the head, the trailers
        self.body = bytearray()
        self.raw = bytearray()
        self.reset = None  # the code of RESET_STREAM
        self.stopped = None  # the code of STOP_SENDING
        self.complete = False
        self.changed = asyncio.Event()

    @property
    def status(self):
        for head in reversed(self.heads):
            for name, value in head:
                if name == b":status":
                    return int(value)
        return None

    def header(self, name):
        """The value of a field of the head; None without one."""
        for head in self.heads:
            status = dict(head).get(b":status", b"100")
            if not status.startswith(b"1"):
                return dict(head).get(name.encode())
        return None

    @property
    def trailers(self):
        last = dict(self.heads[-1]) if self.heads else {}
        return {} if b":status" in last else last


class Http(H3Connection):
    """aioquic's, which takes the Content-Length of an answer to HEAD for a promise of content."""

    def __init__(self, quic):
        self.heads = set()
        super().__init__(quic)

    def _check_content_length(self, stream):
        if stream.stream_id not in self.heads:
            super()._check_content_length(stream)


class Quic(QuicConnection):
    """aioquic's, which allows the server more as data comes: unless it is told to hold that back."""

    def __init__(self, hold_credit=False, **settings):
        self.credit_held = hold_credit
        super().__init__(**settings)

    def _write_connection_limits(self, builder, space):
        if not self.credit_held:
            super()._write_connection_limits(builder=builder, space=space)

    def _write_stream_limits(self, builder, space, stream):
        if not self.credit_held:
            super()._write_stream_limits(builder=builder, space=space, stream=stream)


class Client(QuicConnectionProtocol):
    """One connection. With `http=False` it opens no stream by itself."""

    def __init__(self, quic, http=True):
        super().__init__(quic)
        self.answers = {}
        self.uni = {}  # what has come on the server's unidirectional streams
        self.terminated = None
        self.handshake = None
        self.changed = asyncio.Event()
        self.http = Http(quic) if http else None

    # What happens.

    def quic_event_received(self, event):
        if isinstance(event, events.ConnectionTerminated):
            self.terminated = event
            for answer in self.answers.values():
                answer.changed.set()
        elif isinstance(event, events.HandshakeCompleted):
            self.handshake = event
        elif isinstance(event, events.StreamReset):
            self._answer(event.stream_id).reset = event.error_code
        elif isinstance(event, events.StopSendingReceived):
            self._answer(event.stream_id).stopped = event.error_code
        elif isinstance(event, events.StreamDataReceived):
            self._data_received(event)
        if self.http:
            for http_event in self.http.handle_event(event):
                self._http_event_received(http_event)
        if getattr(event, "stream_id", None) in self.answers:
            self.answers[event.stream_id].changed.set()
        self.changed.set()

    def _data_received(self, event):
        if event.stream_id % 4 == 3:
            self.uni[event.stream_id] = self.uni.get(event.stream_id, b"") + event.data
            return
        answer = self._answer(event.stream_id)
        answer.complete |= event.end_stream
        if not self.http:
            answer.raw += event.data

    def _http_event_received(self, event):
        if isinstance(event, HeadersReceived):
            self._answer(event.stream_id).heads.append(event.headers)
        elif isinstance(event, DataReceived):
            self._answer(event.stream_id).body += event.data

    def _answer(self, stream_id):
        return self.answers.setdefault(stream_id, Answer(stream_id))

    # What is asked.

    def open(self, method, path, headers=(), end=True):
        """Sends a request's head; returns its answer, which has not come yet."""
        stream_id = self._quic.get_next_available_stream_id()
        answer = self._answer(stream_id)
        head = [
            (b":method", method.encode()),
            (b":scheme", b"https"),
            (b":authority", NAME.encode()),
            (b":path", path.encode()),
            *((name.encode(), value.encode()) for name, value in headers),
        ]
        if method == "HEAD":
            self.http.heads.add(stream_id)
        self.http.send_headers(stream_id, head, end_stream=end)
        self.transmit()
        return answer

    def send(self, answer, data, end=False):
        self.http.send_data(answer.stream_id, data, end_stream=end)
        self.transmit()

    def send_trailers(self, answer, fields):
        self.http.send_headers(answer.stream_id, fields, end_stream=True)
        self.transmit()

    async def request(self, method, path, body=None, headers=()):
        """A request and its complete answer."""
        answer = self.open(method, path, headers, end=body is None)
        if body is not None:
            self.send(answer, body, end=True)
        return await self.complete(answer)

    async def get(self, path, headers=()):
        return await self.request("GET", path, headers=headers)

    async def complete(self, answer):
        """Waits for the end of an answer; fails when there will be none."""
        while not answer.complete:
            if answer.reset is not None:
                raise Failed(f"the stream was reset with {answer.reset:#x}")
            await self.wait(answer)
        return answer

    async def wait(self, answer):
        """Waits until something new is known of an answer; fails when nothing will be."""
        if self.terminated:
            raise Failed(f"the connection has ended: {told(self.terminated)}")
        answer.changed.clear()
        await answer.changed.wait()

    def cancel(self, answer, code=REQUEST_CANCELLED, stop=True, reset=True):
        """Gives a request up: STOP_SENDING for the answer, RESET_STREAM for the request."""
        if stop:
            self._quic.stop_stream(answer.stream_id, code)
        if reset:
            self._quic.reset_stream(answer.stream_id, code)
        self.transmit()

    def give_credit(self):
        """From now on the server may send as far as data is taken."""
        self._quic.credit_held = False
        self.transmit()

    # What only a client that misbehaves does.

    def raw_stream(self, data, unidirectional=False, end=False):
        """Opens a stream with these bytes."""
        stream_id = self._quic.get_next_available_stream_id(is_unidirectional=unidirectional)
        if not unidirectional:
            self._answer(stream_id)
        self.raw_send(stream_id, data, end)
        return stream_id

    def raw_send(self, stream_id, data, end=False):
        self._quic.send_stream_data(stream_id, data, end_stream=end)
        self.transmit()

    # What is below.

    async def until_closed(self):
        """Waits for the end of the connection; returns its error code."""
        while not self.terminated:
            self.changed.clear()
            await self.changed.wait()
        return self.terminated.error_code

    def control_frames(self):
        """The frames of the server's control stream so far, as (type, payload)."""
        for data in self.uni.values():
            if data[:1] == b"\x00":
                return list(frames(data[1:]))
        return []

    def settings(self):
        """The server's SETTINGS, by identifier."""
        [payload] = [payload for kind, payload in self.control_frames() if kind == SETTINGS]
        buffer, told = Buffer(data=payload), {}
        while not buffer.eof():
            key = buffer.pull_uint_var()
            told[key] = buffer.pull_uint_var()
        return told

    def packets_received(self, packet_type):
        """How many packets of a type (`retry`, `version_negotiation`, …) have come."""
        trace = self._quic.configuration.quic_logger.to_dict()["traces"][0]
        return sum(
            event["name"] == "transport:packet_received"
            and event["data"]["header"]["packet_type"] == packet_type
            for event in trace["events"]
        )

    def frames_received(self, frame_type):
        """How many QUIC frames of a type (`path_challenge`, …) have come."""
        trace = self._quic.configuration.quic_logger.to_dict()["traces"][0]
        return sum(
            frame["frame_type"] == frame_type
            for event in trace["events"]
            if event["name"] == "transport:packet_received"
            for frame in event["data"]["frames"]
        )

    def local_port(self):
        return self._transport.get_extra_info("sockname")[1]

    async def move(self):
        """Goes on from another local port, with another connection id."""
        old, old_port = self._transport, self.local_port()
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=udp_socket())
        self.change_connection_id()
        old.close()
        return old_port, self.local_port()


def frames(data):
    """Splits bytes into complete frames, as (type, payload)."""
    buffer = Buffer(data=data)
    while True:
        try:
            kind, length = buffer.pull_uint_var(), buffer.pull_uint_var()
            yield kind, buffer.pull_bytes(length)
        except BufferReadError:
            return


def pull(payload):
    """The number that a payload begins with (RFC 9000, 16)."""
    return Buffer(data=payload).pull_uint_var()


def told(terminated):
    return f"{terminated.error_code:#x} {terminated.reason_phrase}"


def configuration(server, certificate=None, **settings):
    """What a client that trusts the server's authority, and may show a certificate, is made of."""
    settings = {"max_data": WINDOW, "max_stream_data": WINDOW, **settings}
    made = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=NAME, **settings)
    made.load_verify_locations(server.certificates.authority)
    if certificate:
        made.load_cert_chain(certificate.certificate, certificate.key)
    return made


def udp_socket(address=HOST):
    """A socket that can reach an address of this machine, and has one of its kind."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    # What a server says at once must not be lost for want of room.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    sock.bind((address if family == socket.AF_INET6 else HOST, 0))
    return sock


@contextlib.asynccontextmanager
async def connect(
    server,
    http=True,
    early=None,
    tickets=None,
    log=False,
    address=HOST,
    port=None,
    hold_credit=False,
    **settings,
):
    """A connection. `early` is called before the handshake; `tickets` takes session tickets; with
    `log` it remembers packets and frames; `address` and `port` are others that lead to the server;
    with `hold_credit` the server may send what the settings allow, and no more before `give_credit`."""
    settings |= {"quic_logger": QuicLogger()} if log else {}
    quic = Quic(
        hold_credit=hold_credit,
        configuration=configuration(server, **settings),
        session_ticket_handler=tickets.append if tickets is not None else None,
    )
    loop = asyncio.get_running_loop()
    _, client = await loop.create_datagram_endpoint(
        lambda: Client(quic, http), sock=udp_socket(address)
    )
    try:
        peer = (address, port or server.port)
        client.connect(peer + (0, 0) if ":" in address else peer, transmit=early is None)
        if early:
            early(client)
            client.transmit()
        await client.wait_connected()
        yield client
    except ConnectionError as error:
        raise Failed(f"no connection: {client.terminated and told(client.terminated)}") from error
    finally:
        client.close(NO_ERROR)
        client._transport.close()
