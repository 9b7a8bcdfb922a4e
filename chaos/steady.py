"""Mixed load over every protocol for as long as is asked, with the access log, request ids and the admin listener on;
nothing goes wrong, but for clients that read slowly, trickle and leave. What must hold at the end:

- the memory of every process is flat, as the server's own metrics tell it;
- every answer is right, none is refused, no worker was replaced;
- the access log has one line for each request;
- nothing is left: descriptors, files, places in the tables of the server, processes.
"""

import asyncio
import collections
import json
import re
import statistics
import time

from chaos import KINDS, Chaos

# What is asked of it: all that does not end its worker.
STEADY_KINDS = {kind: weight for kind, weight in KINDS.items() if kind not in ("kill", "exit", "fatal", "fork")}
SAMPLES = 200
# Memory is flat when the mean of the run's last quarter is not so much above that of its second one.
GROWTH_PART_MAX = 0.1
GROWTH_BYTES_MAX = 4 << 20
RSS = re.compile(r'^ferrite_process_resident_memory_bytes\{process="(\w+)",worker="(\d*)"\} (\d+)', re.MULTILINE)


def options(folder):
    """Of the server."""
    return {
        "admin_listen": f"{folder}/admin",
        "access_log": f"{folder}/access",
        "access_log_format": "json",
        "request_id_response": True,
    }


class Steady(Chaos):
    """One run."""

    def __init__(self, server, seed, asked):
        super().__init__(server, seed, asked)
        self.kinds = STEADY_KINDS
        self.memory = collections.defaultdict(list)  # process: [(time, bytes)]
        self.calm = True

    async def disturb(self):
        """Nobody does: the memory is looked at."""
        began, pause = time.monotonic(), max(0.2, self.seconds / SAMPLES)
        while (at := time.monotonic() - began) < self.seconds:
            for process, worker, rss in RSS.findall(await self.metrics()):
                self.memory[f"{process} {worker}".strip()].append((at, int(rss)))
            await asyncio.sleep(pause)
        self.stopping = True

    async def metrics(self):
        reader, writer = await asyncio.open_unix_connection(self.server.path("admin"))
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return answer.decode()

    def judge(self):
        super().judge()
        for process, series in self.memory.items():
            early, late = self.mean(series, 0.25, 0.5), self.mean(series, 0.75, 1)
            if late - early > max(early * GROWTH_PART_MAX, GROWTH_BYTES_MAX):
                self.problems.append(f"the {process} has grown from {early / 2**20:.1f} to {late / 2**20:.1f} MiB")
        if not {"supervisor", "reactor", "worker 0"} <= self.memory.keys():
            self.problems.append(f"the metrics tell the memory of {list(self.memory)} alone")
        ends = collections.Counter(end for end in self.ends.values() if end not in (200, "left"))
        if ends:
            self.problems.append(f"requests ended with {dict(ends)}, and nobody had disturbed them")

    def mean(self, series, begin, end):
        return statistics.fmean(
            [rss for at, rss in series if begin <= at / self.seconds <= end] or [series[-1][1]]
        )

    def stop(self):
        super().stop()
        lines, ids = collections.Counter(), collections.Counter()
        for line in self.server.read("access").splitlines():
            record = json.loads(line)
            ids[record["request_id"]] += 1
            found = re.match(r"id=([\w-]+)", record.get("query", ""))
            if found:
                lines[found[1]] += 1
                if self.ends[found[1]] == 200 and (record["status"], record["outcome"]) != (200, "complete"):
                    self.problems.append(f"{found[1]} was answered, and its line is {line}")
        twice = [name for name, count in [*lines.items(), *ids.items()] if count > 1]
        if twice:
            self.problems.append(f"the access log has several lines for {twice[:5]}")
        missing = [name for name, end in self.ends.items() if end == 200 and name not in lines]
        if missing:
            self.problems.append(f"the access log has no line for {len(missing)} requests: {missing[:5]}")
        self.lines = sum(lines.values())

    def report(self, seed):
        points = [0.02, 0.25, 0.5, 0.75, 1]
        print("resident memory, MiB" + "".join(f"{point:>9.0%}" for point in points))
        for process, series in sorted(self.memory.items()):
            at = [min(series, key=lambda sample: abs(sample[0] - point * self.seconds))[1] for point in points]
            print(f"{process:20}" + "".join(f"{rss / 2**20:9.1f}" for rss in at))
        print(f"{self.lines} lines of the access log for {len(self.asked)} requests")
        super().report(seed)
