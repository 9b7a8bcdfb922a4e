"""What an open connection costs a server when nothing happens on it."""

import json
import select
import socket
import ssl
import subprocess
import time

import processes
from drivers import ANSWER_SECONDS_MAX, H3LOAD
from servers import FILES, ServerError

# RFC 9113: the preface with empty SETTINGS, the types of frames, and the flag that ends a stream.
H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
H2_SETTINGS_ACK = bytes([0, 0, 0, 4, 1, 0, 0, 0, 0])
DATA, HEADERS = 0, 1
END_STREAM, END_HEADERS = 1, 4
CONTENT = b"Hello, World!\n"


def idle(server, case):
    """Bytes of memory that each idle connection costs, after it has had one answer.

    A tenth more come first and stay, so that what a server allocates once is not counted, and
    what it has freed does not make others cheaper.
    """
    count = min(case.connections, (FILES - 200) * 10 // 11)
    crowd = QuicCrowd(server, case) if case.protocol == "h3" else Crowd(server, case)
    try:
        crowd.grow(count // 10)
        time.sleep(1)
        before = memory(server)
        crowd.grow(count)
        time.sleep(1)
        server.must_run()
        after = memory(server)
        crowd.must_be_open()
    finally:
        crowd.leave()
    return {"connections": count, "memory_bytes": before, "bytes_each": (after - before) / count}


def memory(server):
    return sum(processes.own_memory(pid) for pid in server.pids)


class Crowd:
    """Connections by TCP, each of which has had one answer."""

    def __init__(self, server, case):
        self.server, self.path, self.opened = server, case.path, []
        self.converse = converse_h2 if "h2" in case.protocol else converse_h1
        self.context = None
        if case.tls:
            self.context = ssl.create_default_context(cafile=server.certificate)
            self.context.set_alpn_protocols(["h2"] if "h2" in case.protocol else ["http/1.1"])

    def grow(self, count):
        address = ("127.0.0.1", self.server.port)
        for _ in range(count):
            connection = socket.create_connection(address, ANSWER_SECONDS_MAX)
            # As every client of HTTP does: its requests are small.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                connection = self.context.wrap_socket(connection, server_hostname=address[0])
            self.opened.append(connection)
            host = f"{address[0]}:{address[1]}"
            answer = self.converse(connection, self.path, host, bool(self.context))
            if CONTENT not in answer:
                raise ServerError(f"one of the connections was answered with {answer[:40]!r}")

    def must_be_open(self):
        poller = select.poll()
        for connection in self.opened:
            poller.register(connection, select.POLLRDHUP)
        closed = len(poller.poll(0))
        if closed:
            raise ServerError(f"{closed} of {len(self.opened)} idle connections were closed")

    def leave(self):
        for connection in self.opened:
            connection.close()


class QuicCrowd:
    """The same by QUIC; every connection has a port of its own."""

    def __init__(self, server, case):
        self.server, self.case, self.clients = server, case, []

    def grow(self, count):
        command = [H3LOAD, "--idle", "--connections", str(count), "--ca", self.server.certificate]
        command += ["--answer-bytes", str(self.case.answer_bytes)]
        command.append(self.server.url(self.case.path))
        pipe = subprocess.PIPE
        client = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.clients.append(client)
        # It says so when all have had their answers, or gives up.
        line = client.stdout.readline()
        if line != f"READY {count}\n":
            raise ServerError(f"h3load does not reach {count} connections: {line}{self._end(client)}")

    def must_be_open(self):
        for client in self.clients:
            if client.poll() is not None:
                raise ServerError("h3load has ended by itself")
            figures = json.loads(self._end(client).removeprefix("BENCH "))
            closed = figures["read"] + figures["connect"]
            if closed or figures["status"]:
                raise ServerError(f"{closed} of the idle connections were closed: {figures}")

    def leave(self):
        for client in self.clients:
            self._end(client)

    def _end(self, client):
        """What it says when its input ends."""
        if client.stdin.closed:
            return ""
        client.stdin.close()
        said = client.stdout.read() + client.stderr.read()
        client.wait()
        return said


def converse_h1(connection, path, host, _tls):
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bench\r\n\r\n"
    connection.sendall(request.encode())
    answer = b""
    while CONTENT not in answer and (more := connection.recv(65536)):
        answer += more
    return answer


def converse_h2(connection, path, host, tls):
    """The content of the answer. What is left unread is at most an acknowledgement."""
    # HPACK (RFC 7541): GET and the scheme from the static table, path and authority as literals.
    block = bytes([0x82, 0x87 if tls else 0x86, 0x04, len(path)]) + path.encode()
    block += bytes([0x01, len(host)]) + host.encode()
    flags = END_STREAM | END_HEADERS
    head = len(block).to_bytes(3, "big") + bytes([HEADERS, flags, 0, 0, 0, 1])
    connection.sendall(H2_PREFACE + head + block + H2_SETTINGS_ACK)
    content = b""
    with connection.makefile("rb") as reader:
        while True:
            head = reader.read(9)
            if len(head) < 9:
                raise ServerError("an HTTP/2 connection ended before its answer")
            payload = reader.read(int.from_bytes(head[:3], "big"))
            if head[3] == DATA:
                content += payload
            if head[3] in (DATA, HEADERS) and head[4] & END_STREAM:
                return content
