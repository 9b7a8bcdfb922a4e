"""A crowd of slow readers, over HTTP/1.1: each asks for the same large answer, and takes a little of it now and then.
What 10,000 of them (FERRITE_CROWD) cost a server, in memory and for a fast client beside them.

usage: crowd.py PORT TARGET COUNT

is the crowd itself, in one process: it says `ready COUNT` when every reader has the beginning of a good answer, and
ends with its input: with 1 when one of them was cut off meanwhile.
"""

import asyncio
import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time

# Small windows, and how much each reader takes at a time, and how often: 1 KiB per second.
WINDOW = 4096
TAKE = 4096
PAUSE_SECONDS = 4.0
# Connections that are being made at a time: less than a listening socket keeps.
MAKING = 200
SECONDS = 240

READERS = int(os.environ.get("FERRITE_CROWD", 10_000))
FILE_BYTES = 10 << 20
# Made by PHP it lies in the spool, of which not every disk has 100 GiB: so much for all of them together.
SPOOL_BYTES = int(os.environ.get("FERRITE_CROWD_SPOOL_MIB", 2048)) << 20
MADE_BYTES = SPOOL_BYTES // READERS // 16 * 16
TARGETS = {"file": "/file", "static": "/documents/file", "made": f"/made?bytes={MADE_BYTES}"}
# What they may cost.
MEMORY_BYTES_MAX = 200 << 20
P99_SECONDS = 0.05


class Reader:
    def __init__(self, port, target):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        # Before it connects, so that the window is small from the beginning.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        self.socket.connect_ex(("127.0.0.1", port))
        self.request = f"GET {target} HTTP/1.1\r\nHost: crowd\r\n\r\n".encode()
        self.next = 0.0
        self.head = b""

    def ask(self):
        self.socket.sendall(self.request)
        self.request = None

    def take(self, now):
        """False when there is no more."""
        self.next = now + PAUSE_SECONDS
        try:
            piece = self.socket.recv(TAKE)
        except BlockingIOError:
            return True
        if not self.head and piece and not piece.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"a reader was answered with {piece[:60]!r}")
        self.head = self.head or piece[:1]
        return bool(piece)


class Crowd:
    def __init__(self, port, target, count):
        self.port, self.target, self.count = port, target, count
        self.epoll = select.epoll()
        self.readers = {}
        self.answered = 0
        self.told = False

    def make(self):
        making = len(self.readers) - self.answered
        while len(self.readers) < self.count and making < MAKING:
            reader = Reader(self.port, self.target)
            self.readers[reader.socket.fileno()] = reader
            self.epoll.register(reader.socket, select.EPOLLOUT)
            making += 1

    def ready(self, number):
        reader = self.readers[number]
        if reader.request:
            reader.ask()
            self.epoll.modify(number, select.EPOLLIN)
            return
        first = not reader.head
        self.take(reader)
        if first and reader.head:
            self.answered += 1
            # From now on by the clock.
            self.epoll.unregister(number)

    def take(self, reader):
        if not reader.take(time.monotonic()):
            sys.exit("a reader was cut off")

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
                print(f"ready {self.count}", flush=True)
            if not self.told and time.monotonic() - began > SECONDS:
                sys.exit(f"{self.answered} of {self.count} readers were answered in {SECONDS} s")
            now = time.monotonic()
            for reader in self.readers.values():
                if reader.head and reader.next <= now:
                    self.take(reader)


def measure(kind, started, p99):
    """Memory that is not page cache, of all processes, and a fast client beside them. `started` runs a server, and
    `p99` is what most of its probes take."""
    with tempfile.TemporaryDirectory(prefix="ferrite-crowd-") as folder:
        os.mkdir(os.path.join(folder, "documents"))
        with open(os.path.join(folder, "documents", "file"), "wb") as file:
            file.write(os.urandom(1 << 20) * (FILE_BYTES >> 20))
        options = {
            "max_connection": READERS + 100,
            "request_queue_len_max": READERS,
            "response_spool_disk_bytes_max": 2 * SPOOL_BYTES,
            "send_timeout": 120,
            "enable_static_handler": True,
            "document_root": folder,
            "static_handler_locations": ["/documents/"],
        }
        with started(options, script="crowd.php") as server:
            return asyncio.run(measured(server, TARGETS[kind], p99))


async def measured(server, target, p99):
    await p99(server, "h1")
    before = own_memory(server)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        os.path.abspath(__file__),
        *(str(server.clear), target, str(READERS)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said = await process.stdout.readline()
    if said.decode() != f"ready {READERS}\n":
        raise RuntimeError((await process.stderr.read()).decode().strip())
    took = await p99(server, "h1")
    stats, memory, kernel = await server.stats(), own_memory(server), socket_memory()
    # The end of its input is its end.
    _, errors = await process.communicate(b"")
    if process.returncode:
        raise RuntimeError(errors.decode().strip())
    told = (
        f"{READERS} readers of {target}: {memory >> 20} MiB in all processes ({before >> 20} before), "
        f"{stats['response_spool_memory_bytes'] >> 20} MiB of it counted as content, "
        f"{stats['response_spool_disk_bytes'] >> 20} MiB in the spool, {kernel >> 20} MiB in the kernel's sockets; "
        f"99% of requests beside them within {took * 1000:.1f} ms, {stats['connection_num']} connections"
    )
    if memory > MEMORY_BYTES_MAX or took > P99_SECONDS or stats["connection_num"] < READERS:
        raise RuntimeError(told)
    return told


def own_memory(server):
    """Bytes of all its processes that are not page cache, counted once where they are shared."""
    reactor, workers = server.children()
    total = 0
    for pid in (server.pid, reactor, *workers):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                    total += int(line.split()[1]) << 10
    return total


def socket_memory():
    """Bytes of content that the kernel keeps for sockets of TCP, all processes together; those of files that are
    sent lie in the page cache."""
    with open("/proc/net/sockstat", encoding="ascii") as file:
        words = next(line for line in file if line.startswith("TCP:")).split()
    return int(words[words.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")


def main():
    port, target, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    Crowd(port, target, count).run()
    # Closing each would take its time.
    os._exit(0)


if __name__ == "__main__":
    main()
