"""Load over every protocol while everything that may go wrong does, and the proof of what became of it.

Each request has an id, and its handler notes that it runs. What must hold at the end, whatever was killed:

- no request ran twice;
- a request that nobody had begun is not lost: 502 comes to what was begun, and a worker that is killed
  takes one such request with it at most; a connection ends by itself only with the reactor;
- every answer that is complete is right, byte by byte;
- every request has an end within its time;
- nothing is left: descriptors, files, places in the tables of the server, processes.
"""

import argparse
import asyncio
import collections
import contextlib
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

from clients import PROTOCOLS, Broken, Cut, Http1, client_of
from target import WORKERS, Server, content, pids_of

# A request that has no end after so long hangs. Stopped workers go on long before, and a client of QUIC
# has found out within 8 s that the reactor has died.
HUNG_SECONDS = 60
# How many requests of each protocol are in flight at a time.
LANES = {"h1": 8, "tls-h1": 3, "h2c": 6, "tls-h2": 4, "h3": 4}
# What is asked, and how often.
KINDS = {
    "quick": 40,
    "slow": 15,
    "large": 8,
    "written": 5,
    "upload": 8,
    "form": 4,
    "slow reader": 2,
    "trickle": 2,
    "leaves": 6,
    "kill": 2,
    "exit": 2,
    "fatal": 1,
    "fork": 3,
}


class Chaos:
    """One run."""

    def __init__(self, server, seed, options):
        self.server, self.seconds, self.calm = server, options.seconds, options.calm
        self.protocols, self.kinds = options.protocols, KINDS
        self.random = random.Random(seed)
        self.asked = {}  # id: (protocol, kind)
        self.ends = {}  # id: how it ended
        self.reasons = {}  # id: what the client says of an answer that broke off
        self.problems = []
        self.disturbed = collections.Counter()
        self.reactor_deaths = []  # (from, to): when connections may end by themselves
        self.number = 0
        self.stopping = False

    # Load.

    def client(self, protocol):
        return client_of(protocol, self.server)

    async def lane(self, protocol, shared):
        """Asks one request after another, over a connection of its own or a shared one."""
        client = shared or self.client(protocol)
        while not self.stopping:
            await self.one(protocol, client)
        if not shared:
            client.close()

    async def one(self, protocol, client):
        kind = self.random.choices(list(self.kinds), self.kinds.values())[0]
        self.number += 1
        request_id = f"{protocol}-{self.number}"
        self.asked[request_id] = (protocol, kind)
        began = time.monotonic()
        try:
            end = await asyncio.wait_for(self.ask(client, protocol, kind, request_id), HUNG_SECONDS)
        except asyncio.TimeoutError:
            end = "hung"
            self.problems.append(f"{request_id} ({kind}) hung")
            client.close()
        except Cut as cut:
            end = "left" if str(cut) == "left" else "cut"
            if end == "cut":
                await self.explain_cut(request_id, kind, began, cut)
        except Broken as broken:
            end = "broken off"
            self.reasons[request_id] = str(broken)
        self.ends[request_id] = end

    async def explain_cut(self, request_id, kind, began, cut):
        """Only the reactor's own death may end connections."""
        await asyncio.sleep(0.2)
        now = time.monotonic()
        if not any(start <= now and began <= end for start, end in self.reactor_deaths):
            self.problems.append(f"{request_id} ({kind}) was cut off: {cut}")

    async def ask(self, client, protocol, kind, request_id):
        chance = self.random
        path = f"id={request_id}"
        expected, options = content(request_id, 100), {}
        size = chance.choice([1_000, 30_000, 200_000, 1_500_000])
        if kind in ("quick", "exit", "fatal"):
            path = f"/{kind}?{path}"
        elif kind == "slow":
            path = f"/slow?{path}&ms={chance.randrange(1, 150)}"
        elif kind in ("large", "written"):
            path, expected = f"/{kind}?{path}&size={size}", content(request_id, size)
        elif kind == "kill":
            path = f"/kill?{path}&signal={chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])}"
        elif kind == "fork":
            how = chance.choice(["exit", "throw", "return"])
            path = f"/fork?{path}&ms={chance.randrange(1, 3000)}&how={how}"
        elif kind in ("upload", "trickle"):
            body = content(request_id, size if kind == "upload" else 100_000)
            path, expected = f"/upload?{path}", hashlib.sha256(body).hexdigest().encode()
            options = {"method": "POST", "body": body}
        elif kind == "form":
            body = content(request_id, size)
            path, expected = f"/form?{path}", hashlib.sha256(body).hexdigest().encode()
            form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
            options = {"method": "POST", "body": form + body + b"\r\n--b--\r\n"}
            options["headers"] = [("Content-Type", "multipart/form-data; boundary=b")]
        elif kind == "slow reader":
            client = Http1(client.address, client.context, slow=True) if protocol in ("h1", "tls-h1") else client
            path, expected = f"/large?{path}&size=1500000", content(request_id, 1_500_000)
        elif kind == "leaves":
            path = f"/slow?{path}&ms=100"
            options["leave"] = True
        if kind in ("slow reader", "trickle", "leaves"):
            options["pace"] = lambda: asyncio.sleep(chance.random() * 0.04)
        method = options.pop("method", "GET")
        try:
            status, body = await client.ask(method, path, **options)
        finally:
            if kind == "slow reader" and isinstance(client, Http1):
                client.close()
        if status == 200 and body != expected:
            self.problems.append(f"{request_id} ({kind}) got {len(body)} bytes that are not its own")
        return status

    # Disturbance.

    async def disturb(self):
        """One thing after another goes wrong."""
        chance = self.random
        things = {
            self.kill_worker: 12,
            self.stop_worker: 4,
            self.reload: 3,
            self.kill_reactor: 1,
        }
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            await asyncio.sleep(chance.uniform(0.05, 0.5))
            if self.calm:
                continue
            if not self.reactor_deaths and time.monotonic() > end - self.seconds / 2:
                # At least once in each run.
                await self.kill_reactor()
                continue
            await chance.choices(list(things), things.values())[0]()
        self.stopping = True

    async def kill_worker(self):
        _, workers = self.server.children()
        if workers:
            number = self.random.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS])
            self.signal(self.random.choice(workers), number)
            self.disturbed["workers killed"] += 1

    async def stop_worker(self):
        _, workers = self.server.children()
        if workers:
            pid = self.random.choice(workers)
            self.signal(pid, signal.SIGSTOP)
            self.disturbed["workers stopped for a while"] += 1
            await asyncio.sleep(self.random.uniform(0.05, 1))
            self.signal(pid, signal.SIGCONT)

    async def reload(self):
        self.signal(self.server.pid, signal.SIGUSR1)
        self.disturbed["reloads"] += 1

    async def kill_reactor(self):
        reactor, _ = self.server.children()
        if not reactor or time.monotonic() < self.quiet_until():
            return
        start = time.monotonic()
        self.reactor_deaths.append((start, start + 3600))
        self.signal(reactor, signal.SIGKILL)
        self.disturbed["reactors killed"] += 1
        while True:
            await asyncio.sleep(0.02)
            successor, _ = self.server.children()
            if successor and successor != reactor:
                break
        # QUIC's clients find out by a stateless reset, or by their own deadline.
        self.reactor_deaths[-1] = (start, time.monotonic() + 16)

    def quiet_until(self):
        """Between two deaths of the reactor there is time in which no connection may end."""
        return self.reactor_deaths[-1][1] + 4 if self.reactor_deaths else 0

    def signal(self, pid, number):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    # The proof.

    async def run(self):
        await self.warm_up()
        before = self.server.descriptors()
        lanes = []
        for protocol in self.protocols:
            shared = [self.client(protocol) for _ in range(2)] if protocol[-2:] != "h1" else [None]
            self.shared = getattr(self, "shared", []) + [client for client in shared if client]
            lanes += [self.lane(protocol, shared[n % len(shared)]) for n in range(LANES[protocol])]
        await asyncio.gather(self.disturb(), *lanes)
        for client in self.shared:
            client.close()
        self.problems += await self.server.settled(before)
        self.judge()

    async def warm_up(self):
        deadline = time.monotonic() + 20
        while len(self.server.children()[1]) < WORKERS or not await self.server.stats():
            if time.monotonic() > deadline:
                raise SystemExit("the server does not answer")
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)

    def judge(self):
        ran = collections.Counter(line.split()[0] for line in self.server.read("ran").splitlines())
        for request_id, times in ran.items():
            if times > 1:
                self.problems.append(f"{request_id} {self.asked.get(request_id)} ran {times} times")
        lost = [one for one, end in self.ends.items() if end == 502 and not ran[one]]
        # Between its mark and its handler a request may be begun and have noted nothing yet.
        killed = self.disturbed["workers killed"]
        if len(lost) > killed:
            self.problems.append(f"{len(lost)} requests that had not begun got 502: {lost[:5]}")
        for request_id, end in self.ends.items():
            _, kind = self.asked[request_id]
            if end == 200 and not ran[request_id]:
                self.problems.append(f"{request_id} ({kind}) was answered and did not run")
            if end == 503 and ran[request_id]:
                self.problems.append(f"{request_id} ({kind}) was refused with 503 and ran")
            if end not in (200, 500, 502, 503, "left", "cut", "broken off", "hung"):
                self.problems.append(f"{request_id} ({kind}) got {end}")
            if end == 500 and kind not in ("exit", "fatal"):
                self.problems.append(f"{request_id} ({kind}) got 500")
            if end == "broken off" and kind not in ("large", "written", "slow reader", "leaves"):
                self.problems.append(f"{request_id} ({kind}) broke off: {self.reasons[request_id]}")
        self.lost = len(lost)

    def stop(self):
        """An orderly end, of which nothing is left either."""
        self.server.process.send_signal(signal.SIGTERM)
        family = pids_of("children", self.server.pid)
        try:
            code = self.server.process.wait(timeout=20)
            if code != 0:
                self.problems.append(f"the server ended with {code}")
        except subprocess.TimeoutExpired:
            self.problems.append("the server did not end within 20 s of SIGTERM")
            self.server.process.kill()
        left = [pid for pid in family if os.path.exists(f"/proc/{pid}")]
        if left:
            self.problems.append(f"processes are left: {left}")
        if os.path.exists(self.server.path("pid")):
            self.problems.append("the pid file is left")

    def report(self, seed):
        table = collections.defaultdict(collections.Counter)
        for request_id, end in self.ends.items():
            table[self.asked[request_id][0]][end] += 1
        ends = sorted({end for row in table.values() for end in row}, key=str)
        print("".join(f"{name!s:>12}" for name in ["", *ends]))
        for protocol in self.protocols:
            print("".join(f"{name!s:>12}" for name in [protocol, *(table[protocol][end] for end in ends)]))
        print(", ".join(f"{count} {what}" for what, count in sorted(self.disturbed.items())))
        for problem in self.problems[:40]:
            print(f"FAIL {problem}")
        if self.problems:
            print(f"{len(self.problems)} problems; --seed {seed} asks and disturbs in the same order")
        else:
            print(f"ok chaos: {len(self.ends)} requests; 0 lost that had not begun, 0 ran twice, 0 hung, nothing left")


def main():
    parser = argparse.ArgumentParser(prog="script/chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long things go wrong (60)")
    parser.add_argument("--seed", type=int, help="what decides the order of things")
    parser.add_argument("--calm", action="store_true", help="nobody kills from outside: load alone")
    parser.add_argument("--steady", action="store_true", help="nothing goes wrong, and memory must be flat")
    protocols = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--protocols", type=protocols, default=PROTOCOLS, help=",".join(PROTOCOLS))
    parser.add_argument("--keep", action="store_true", help="keep the server's folder, with its log")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    folder = tempfile.mkdtemp(prefix="ferrite-chaos-")
    print(f"seed {seed}, {options.seconds:g} s")
    kind = Chaos
    if options.steady:
        import steady  # noqa: PLC0415 - it is made of what is here

        kind = steady.Steady
    server = Server(folder, steady.options(folder) if options.steady else None)
    server.start()
    chaos = kind(server, seed, options)
    try:
        asyncio.run(chaos.run())
        chaos.stop()
    finally:
        if server.process.poll() is None:
            server.process.kill()
    chaos.report(seed)
    if chaos.problems or options.keep:
        print(f"the server's log: {server.path('log')}")
    else:
        subprocess.run(["rm", "-rf", folder], check=True)
    sys.exit(bool(chaos.problems))


if __name__ == "__main__":
    main()
