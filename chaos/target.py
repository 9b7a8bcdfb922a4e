"""The server under test: started, watched, looked into."""

import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http3-tests"))

from certificates import Certificates, write_certificates  # noqa: E402
from clients import Cut, Http1  # noqa: E402
from server import open_by  # noqa: E402

WORKERS, REACTORS = 4, 2
SETTLE_SECONDS = 20
STATS_SECONDS = 60


def content(request_id, length):
    """As server.php makes it."""
    text = hashlib.sha256(request_id.encode()).hexdigest()
    return (text * (length // 64 + 1))[:length].encode()


def page(request_id, length):
    """As server.php makes it: no place is like another."""
    line = f" {request_id}\n"
    lines = length // len(line) + 1
    return (line.join(map(str, range(lines))) + line)[:length].encode()


class Server:
    """The server under test. `options` are some of its own beside those of the script."""

    def __init__(self, folder, options=None, reactors=REACTORS, script="server.php"):
        self.folder, self.options, self.reactors = folder, options or {}, reactors
        self.script = script
        self.certificates = Certificates(folder, None)
        self.process = None

    def start(self, before=()):
        """`before` is a command that runs PHP, as its last words."""
        write_certificates(self.folder)
        os.mkdir(self.path("tmp"))
        command = [*before, *json.loads(os.environ["FERRITE_PHP"])]
        command += [os.path.join(HERE, self.script), self.folder, str(WORKERS), str(self.reactors)]
        command.append(json.dumps(self.options))
        with open(self.path("output"), "wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder
            )
        deadline = time.monotonic() + 20
        while not os.path.exists(self.path("ready")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server did not start; it said:\n{self.read('output')}{self.read('log')}")
            time.sleep(0.02)
        self.find()

    def find(self):
        """Where it serves; it may be another process that has started it."""
        told = json.loads(self.read("ready"))
        self.clear, self.port, self.pid = told["clear"], told["tls"], told["pid"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def children(self):
        """The pids of the reactor and of the workers."""
        reactor, workers = None, []
        for pid in pids_of("children", self.pid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                    title = file.read()
                if "reactor" in title:
                    reactor = pid
                elif "worker" in title:
                    workers.append(pid)
        return reactor, workers

    def descriptors(self):
        """What each kind of process has open: supervisor, reactor, and the one with most of the workers."""
        reactor, workers = self.children()
        worker = max(map(open_by, workers), key=lambda kinds: kinds.total())
        return {
            "supervisor": open_by(self.pid),
            "reactor": open_by(reactor, self.reactors),
            "worker": worker,
        }

    async def stats(self):
        client = Http1(("127.0.0.1", self.clear))
        try:
            status, body = await asyncio.wait_for(client.ask("GET", "/stats"), STATS_SECONDS)
            return json.loads(body) if status == 200 else {}
        finally:
            client.close()

    async def settled(self, before, draining=0):
        """Waits until nothing is left of the load; returns what is all the same. `draining` are seconds for
        which closed connections stay known."""
        deadline = time.monotonic() + SETTLE_SECONDS + draining
        while left := await self.left(before):
            if time.monotonic() > deadline:
                return left
            await asyncio.sleep(0.2)
        return []

    async def left(self, before):
        try:
            stats = await self.stats()
            # The connection that has just been closed is one as well, for a moment.
            await asyncio.sleep(0.1)
            after = self.descriptors()
        except (Cut, OSError, TypeError, ValueError) as error:
            return [f"the server does not answer at the end: {error}"]
        left = [
            f"the {name} has more descriptors open than at the beginning: {dict(now - before[name])}"
            for name, now in after.items()
            if now - before[name]
        ]
        # This request itself is one.
        for key, most in {
            "connection_num": 1,
            "quic_connection_num": 0,
            "concurrency": 1,
            "queue_len": 0,
        }.items():
            if stats.get(key, most) > most:
                left.append(f"{key} is {stats[key]}")
        for key, value in stats.items():
            if "spool" in key and not key.endswith("_max") and value:
                left.append(f"{key} is {value}")
        if files := os.listdir(self.path("tmp")):
            left.append(f"{len(files)} files are left: {files[:3]}")
        return left


def pids_of(name, pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/{name}", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
