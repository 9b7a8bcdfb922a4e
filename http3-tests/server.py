"""The server under test: started, asked by a way that is not under test, watched, ended."""

import asyncio
import collections
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import processes
from certificates import write_certificates
from suite import Failed, until

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS = 20
END_SECONDS = 15


class Server:
    """`with Server(port={...}) as server:` runs server.php in a folder of its own."""

    def __init__(self, server=None, port=None, host="127.0.0.1", environment=None):
        self.settings = {"server": server or {}, "port": port or {}, "host": host}
        self.environment = environment or {}
        self.process = None
        self.folder = None

    def command(self):
        return [os.path.join(HERE, "server.php"), self.folder, json.dumps(self.settings)]

    def is_up(self):
        """Whether it serves; then the ports and the supervisor's pid are known."""
        if not os.path.exists(self.path("ready")):
            return False
        with open(self.path("ready"), encoding="utf-8") as ready:
            told = json.load(ready)
        self.clear_port, self.port, self.pid = told["clear"], told["tls"], told["pid"]
        return True

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="ferrite-http3-")
        self.folder = self._temporary.name
        self.certificates = write_certificates(self.folder)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._temporary.cleanup()

    def _start(self):
        arguments = json.loads(os.environ["FERRITE_PHP"]) + self.command()
        with open(self.path("log"), "wb") as log:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | self.environment,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"the server did not start; it said: {self.log()}")
            time.sleep(0.01)

    def path(self, name):
        return os.path.join(self.folder, name)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def journal(self):
        """The lines that handlers have written."""
        try:
            with open(self.path("journal"), encoding="utf-8") as journal:
                return journal.read().splitlines()
        except FileNotFoundError:
            return []

    def stats(self):
        """What stats() says, by HTTP/1.1 on the port without TLS."""
        connection = http.client.HTTPConnection("127.0.0.1", self.clear_port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/stats")
            return json.load(connection.getresponse())

    def children(self):
        """Process ids by title: `reactor`, `worker 0`, …"""
        return processes.children(self.pid)

    def workers(self):
        return processes.workers(self.pid)

    def resident(self):
        """Bytes of memory that the reactor holds."""
        with open(f"/proc/{self.children()['reactor']}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise Failed("the reactor has no VmRSS")

    async def settled(self):
        """Waits until no connection is open but the one that asks, and no request in work but its
        own; returns the figures."""
        figures = {}

        def idle():
            figures.update(self.stats())
            return (
                figures["connection_num"] == 1
                and figures["quic_connection_num"] == 0
                and figures["concurrency"] == 1
            )

        await until(lambda: f"nothing is open: {figures}", idle)
        return figures

    def signal(self, number):
        os.kill(self.pid, number)

    async def reload(self):
        """Replaces all workers, and waits until all are new."""
        old = self.workers()
        count = len(old)
        self.signal(signal.SIGUSR1)
        await until(
            "all workers are new",
            lambda: len(self.workers()) == count and not self.workers() & old,
            20,
        )

    async def end(self):
        """Ends it as Ctrl-C does; fails unless it ends with 0 in time."""
        self.signal(signal.SIGINT)
        await self.ended()

    async def ended(self):
        await until("the server has ended", lambda: self.process.poll() is not None, END_SECONDS)
        if self.process.returncode != 0:
            raise Failed(f"the server ended with exit code {self.process.returncode}")


def open_by(pid, threads=0):
    """How many descriptors of each kind a process has, beside the unlinked file that each thread of a
    reactor keeps for responses that are not read."""
    kinds = collections.Counter()
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            kinds[os.readlink(f"/proc/{pid}/fd/{number}").split(":[")[0]] += 1
    kept = [kind for kind in kinds if kind.endswith("(deleted)") and "/#" in kind]
    for kind in kept[:threads]:
        del kinds[kind]
    return kinds


class Example(Server):
    """A program of the folder `examples`, with ports and a certificate by its options."""

    def __init__(self, name):
        super().__init__()
        self.program = os.path.join(HERE, "..", "examples", name)

    def command(self):
        own = ["--cert", self.certificates.certificate, "--key", self.certificates.key]
        return [self.program, "--port", "0", "--tls-port", "0", "--workers", "2", *own]

    def is_up(self):
        """The banner names the ports; it is printed when everything is up."""
        told = re.search(r"https://127\.0\.0\.1:(\d+)", self.log())
        if not told:
            return False
        self.port, self.pid = int(told[1]), self.process.pid
        return True


async def run(*arguments, seconds=60):
    """Runs a program to its end; fails unless that is a success. Returns what it printed."""
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), seconds)
    except BaseException:
        if process.returncode is None:
            process.kill()
        raise
    if process.returncode != 0:
        raise Failed(errors.decode().strip() or f"exit code {process.returncode}")
    return output.decode()


if __name__ == "__main__":
    with Server() as served:
        print(f"https://localhost:{served.port}/", served.folder)
        sys.stdin.read()
