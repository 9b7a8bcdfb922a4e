"""A network between a client and the server that loses, doubles and reorders packets, and that may
give the client another address without its knowledge, as a NAT does."""

import asyncio
import contextlib
import random
import socket

HOST = "127.0.0.1"


class _Socket:
    """A UDP socket whose datagrams go to a function, with their sender."""

    def __init__(self, take):
        self.take = take
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self.sock.bind((HOST, 0))
        asyncio.get_running_loop().add_reader(self.sock, self._readable)

    def _readable(self):
        # Nothing is there any more, or nobody was there for what was sent last.
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                self.take(*self.sock.recvfrom(65536))

    def send(self, data, address):
        # What finds no room, or nobody, is lost; so is what comes after the end.
        with contextlib.suppress(OSError):
            self.sock.sendto(data, address)

    def close(self):
        asyncio.get_running_loop().remove_reader(self.sock)
        self.sock.close()


class Network:
    """Clients send to `port`. The chances of a packet are from 0 to 1, its delay is in seconds."""

    def __init__(self, server_port, loss=0.0, doubling=0.0, delay=0.0, seed=1):
        self.server = (HOST, server_port)
        self.loss, self.doubling, self.delay = loss, doubling, delay
        self.chance = random.Random(seed)
        self.near = _Socket(self._from_client)
        self.port = self.near.sock.getsockname()[1]
        self.far = {}  # by client: what the server sees as its address
        self.lost = self.carried = 0

    def _from_client(self, data, client):
        if client not in self.far:
            self._connect(client)
        self._carry(self.far[client], data, self.server)

    def _connect(self, client):
        self.far[client] = _Socket(lambda data, _: self._carry(self.near, data, client))

    def _carry(self, sock, data, address):
        """Has a packet sent: never, once or twice, now or later."""
        if self.chance.random() < self.loss:
            self.lost += 1
            return
        self.carried += 1
        for _ in range(2 if self.chance.random() < self.doubling else 1):
            # Most keep their order; some are overtaken.
            late = self.delay * (10 if self.chance.random() < 0.05 else 1)
            asyncio.get_running_loop().call_later(late, sock.send, data, address)

    def rebind(self):
        """From now on the server sees every client at another port."""
        for client, old in list(self.far.items()):
            self._connect(client)
            old.close()

    def close(self):
        for sock in (self.near, *self.far.values()):
            sock.close()


@contextlib.asynccontextmanager
async def network(server_port, **chances):
    """A network, for as long as it is used."""
    made = Network(server_port, **chances)
    try:
        yield made
    finally:
        made.close()
