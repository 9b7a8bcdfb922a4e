"""Clients that ask and do not read."""

import contextlib
import socket


@contextlib.contextmanager
def unread(server, case):
    """As many as the case says, connected and with their requests sent while the block runs."""
    with contextlib.ExitStack() as clients:
        for _ in range(case.unread):
            client = clients.enter_context(socket.socket())
            # Before it connects, so that the window is small from the beginning.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            host = f"127.0.0.1:{server.port}"
            client.sendall(f"GET {case.path}?page=1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        yield
