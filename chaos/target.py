"""The server under test: started, watched, looked into."""

import collections
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http3-tests"))

from certificates import write_certificates  # noqa: E402

WORKERS, REACTORS = 4, 2


def content(request_id, length):
    """As server.php makes it."""
    text = hashlib.sha256(request_id.encode()).hexdigest()
    return (text * (length // 64 + 1))[:length].encode()


class Server:
    """The server under test."""

    def __init__(self, folder, script="server.php", under=()):
        """`under`: a command that runs it, such as prlimit."""
        self.folder, self.script, self.under = folder, script, list(under)
        self.certificates = write_certificates(folder)
        os.mkdir(os.path.join(folder, "tmp"))
        self.process = None

    def start(self):
        command = self.under + json.loads(os.environ["FERRITE_PHP"])
        command += [os.path.join(HERE, self.script), self.folder, str(WORKERS), str(REACTORS)]
        with open(self.path("output"), "wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder
            )
        deadline = time.monotonic() + 20
        while not os.path.exists(self.path("ready")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server did not start; it said:\n{self.read('output')}{self.read('log')}")
            time.sleep(0.02)
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
        return {"supervisor": open_by(self.pid), "reactor": open_by(reactor), "worker": worker}


def open_by(pid):
    """How many descriptors of each kind a process has."""
    kinds = collections.Counter()
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            kinds[os.readlink(f"/proc/{pid}/fd/{number}").split(":[")[0]] += 1
    # Each thread of the reactor keeps one unlinked file for responses that are not read.
    kept = [kind for kind in kinds if kind.endswith("(deleted)") and "/tmp/#" in kind]
    for kind in kept[:REACTORS]:
        del kinds[kind]
    return kinds


def pids_of(name, pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/{name}", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
