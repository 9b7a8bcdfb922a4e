"""Clients that ask and do not read, over HTTP/1 and HTTP/2, in cleartext and by TLS."""

import contextlib
import socket
import ssl

SECONDS_MAX = 30


@contextlib.contextmanager
def unread(server, case):
    """As many as the case says, connected and with their requests sent while the block runs."""
    with contextlib.ExitStack() as clients:
        for _ in range(case.unread):
            client = clients.enter_context(connected(server, case))
            path, host = f"{case.path}?page=1", f"127.0.0.1:{server.port}"
            client.sendall(request2(client, path, host) if "h2" in case.unread_by else request1(path, host))
        yield


def connected(server, case):
    client = socket.socket()
    try:
        client.settimeout(SECONDS_MAX)
        # Before it connects, so that the window is small from the beginning.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        if not case.tls:
            return client
        context = ssl.create_default_context(cafile=server.certificate)
        context.set_alpn_protocols(["h2" if "h2" in case.unread_by else "http/1.1"])
        return context.wrap_socket(client, server_hostname="127.0.0.1")
    except BaseException:
        client.close()
        raise


def request1(path, host):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def request2(client, path, host):
    """RFC 9113, 3.4: the preface, SETTINGS with no window for streams, and the head of a request with
    :method GET, :scheme, :path and :authority as HPACK has them in its static table (RFC 7541, A)."""
    scheme = b"\x87" if isinstance(client, ssl.SSLSocket) else b"\x86"
    head = b"\x82" + scheme + literal(4, path) + literal(1, host)
    no_window = bytes([0, 4, 0, 0, 0, 0])
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, no_window) + frame(1, 5, 1, head)


def literal(index, value):
    """A field whose name is in the static table, not to be indexed (RFC 7541, 6.2.2)."""
    return bytes([index, len(value)]) + value.encode()


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
