"""A crowd of slow readers, over TCP: each asks for the same large answer, and takes a little of it now and then.

usage: crowd_readers.py PORT PROTOCOL TARGET CONNECTIONS STREAMS

is the crowd itself, in one process, by h1, tls-h1, h2c or tls-h2, with so many answers on each connection. It says
`READY CONNECTIONS` when every reader has the beginning of a good answer, and ends with its input: with 1 when one of
them was cut off meanwhile.
"""

import os
import resource
import select
import socket
import ssl
import struct
import sys
import time

# Small windows, and how much each reader takes at a time, and how often: 1 KiB per second.
WINDOW = 4096
TAKE = 4096
PAUSE_SECONDS = 4.0
# Connections that are being made at a time: less than a listening socket keeps.
MAKING = 200
SECONDS = 240

# RFC 9113, 6.
HEADERS, RESET, SETTINGS, GOAWAY, WINDOW_UPDATE = 1, 3, 4, 7, 8
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# `:status: 200` of the static table (RFC 7541, A).
STATUS_200 = 0x88


class Gone(Exception):
    """The reader was cut off, or answered otherwise."""


class Http1:
    """What a reader says, and what it looks for: the beginning of a good answer."""

    def __init__(self, target, _number, _streams, _secure):
        self.first = f"GET {target} HTTP/1.1\r\nHost: crowd\r\n\r\n".encode()
        self.begun = False

    def see(self, piece):
        if not self.begun and not piece.startswith(b"HTTP/1.1 200 "):
            raise Gone(f"a reader was answered with {piece[:60]!r}")
        self.begun = True
        return b""


class Http2:
    """Half of them open their windows wide and do not read; the others open them as they read."""

    def __init__(self, target, number, streams, secure):
        self.wide = number % 2 == 0
        self.begun = False
        self.seen, self.left = b"", 0
        settings = struct.pack("!HI", 4, 1 << 30) if self.wide else b""
        self.first = PREFACE + frame(SETTINGS, 0, 0, settings)
        if self.wide:
            self.first += frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", 1 << 30))
        # Fields of the static table, with literal values (RFC 7541, 6.2.2).
        block = bytes([0x82, 0x87 if secure else 0x86]) + b"\x01\x05crowd\x04" + bytes([len(target)]) + target.encode()
        self.streams = range(1, 2 * streams, 2)
        for stream in self.streams:
            self.first += frame(HEADERS, END_STREAM | END_HEADERS, stream, block)

    def see(self, piece):
        """Returns what to say to it."""
        acknowledge = self._frames(piece)
        if self.wide:
            return acknowledge
        update = struct.pack("!I", len(piece))
        return acknowledge + b"".join(frame(WINDOW_UPDATE, 0, stream, update) for stream in (0, self.streams[0]))

    def _frames(self, piece):
        answer = b""
        skipped = min(self.left, len(piece))
        self.left -= skipped
        self.seen += piece[skipped:]
        while len(self.seen) >= 10 and not self.left:
            length, kind, flags = int.from_bytes(self.seen[:3]), self.seen[3], self.seen[4]
            if kind == SETTINGS and not flags:
                answer += frame(SETTINGS, 1, 0, b"")
            if kind == HEADERS and self.seen[9] != STATUS_200 or kind in (RESET, GOAWAY):
                raise Gone(f"a reader was sent a frame {self.seen[:30]!r}")
            self.begun |= kind == HEADERS
            self.left = max(0, 9 + length - len(self.seen))
            self.seen = self.seen[9 + length :]
        return answer


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


class Reader:
    def __init__(self, port, context, http):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        # Before it connects, so that the window is small from the beginning.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        self.socket.connect_ex(("127.0.0.1", port))
        if context:
            self.socket = context.wrap_socket(self.socket, do_handshake_on_connect=False)
        self.shaken, self.asked, self.http = not context, False, http
        self.next = 0.0

    def goes_on(self):
        """Begins; False while it waits for the server."""
        if not self.shaken:
            try:
                self.socket.do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            self.shaken = True
        self.socket.sendall(self.http.first)
        self.http.first = None
        self.asked = True
        return True

    def take(self, now):
        self.next = now + PAUSE_SECONDS
        try:
            piece = self.socket.recv(TAKE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError as error:
            raise Gone(str(error)) from error
        if not piece:
            raise Gone("a reader was cut off")
        if said := self.http.see(piece):
            self.socket.sendall(said)


class Crowd:
    def __init__(self, port, protocol, target, count, streams):
        self.port, self.target, self.count, self.streams = port, target, count, streams
        self.http = Http2 if protocol in ("h2c", "tls-h2") else Http1
        self.context = None
        if protocol.startswith("tls-"):
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
            self.context.set_alpn_protocols(["h2" if self.http is Http2 else "http/1.1"])
        self.epoll = select.epoll()
        self.readers = {}
        self.answered = 0
        self.told = False

    def make(self):
        making = len(self.readers) - self.answered
        while len(self.readers) < self.count and making < MAKING:
            http = self.http(self.target, len(self.readers), self.streams, self.context is not None)
            reader = Reader(self.port, self.context, http)
            self.readers[reader.socket.fileno()] = reader
            self.epoll.register(reader.socket, select.EPOLLOUT)
            making += 1

    def ready(self, number):
        reader = self.readers[number]
        if not reader.asked:
            reader.goes_on()
            # What it waits for is to be read: all that it says has room.
            self.epoll.modify(number, select.EPOLLIN)
            return
        reader.take(time.monotonic())
        if reader.http.begun:
            self.answered += 1
            # From now on by the clock.
            self.epoll.unregister(number)

    def run(self):
        began = time.monotonic()
        self.epoll.register(0, select.EPOLLIN)
        while True:
            self.make()
            for number, _ in self.epoll.poll(0.05, 256):
                if number == 0:
                    return
                self.ready(number)
            if self.answered == self.count and not self.told:
                self.told = True
                print(f"READY {self.count}", flush=True)
            if not self.told and time.monotonic() - began > SECONDS:
                raise Gone(f"{self.answered} of {self.count} readers were answered in {SECONDS} s")
            now = time.monotonic()
            for reader in self.readers.values():
                if reader.http.begun and reader.next <= now:
                    reader.take(now)


def main():
    port, protocol, target = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        Crowd(port, protocol, target, int(sys.argv[4]), int(sys.argv[5])).run()
    except Gone as gone:
        sys.exit(str(gone))
    # Closing each would take its time.
    os._exit(0)


if __name__ == "__main__":
    main()
