"""What an open connection costs a server when nothing happens on it."""

import select
import socket
import ssl
import time

import processes
from drivers import ANSWER_SECONDS_MAX
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
    opened = []
    try:
        connect(server, case, count // 10, opened)
        time.sleep(1)
        before = memory(server)
        connect(server, case, count, opened)
        time.sleep(1)
        server.must_run()
        after = memory(server)
        must_be_open(opened)
    finally:
        for connection in opened:
            connection.close()
    return {"connections": count, "memory_bytes": before, "bytes_each": (after - before) / count}


def memory(server):
    return sum(processes.own_memory(pid) for pid in server.pids)


def must_be_open(opened):
    poller = select.poll()
    for connection in opened:
        poller.register(connection, select.POLLRDHUP)
    closed = len(poller.poll(0))
    if closed:
        raise ServerError(f"{closed} of {len(opened)} idle connections were closed")


def connect(server, case, count, opened):
    """Opens connections, each of which gets one answer."""
    context = None
    if case.tls:
        context = ssl.create_default_context(cafile=server.certificate)
        context.set_alpn_protocols(["h2"] if "h2" in case.protocol else ["http/1.1"])
    converse = converse_h2 if "h2" in case.protocol else converse_h1
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port), ANSWER_SECONDS_MAX)
        # As every client of HTTP does: its requests are small.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
        opened.append(connection)
        answer = converse(connection, case.path, f"127.0.0.1:{server.port}", bool(context))
        if CONTENT not in answer:
            raise ServerError(f"connection {len(opened)} was answered with {answer[:40]!r}")


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
