"""What holds for every application while it is asked a lot: memory stays, and a reload loses nothing."""

import asyncio
import os

from browser import browse
from serving import Ferrite
from suite import Failed, holds, same

# What fills once (caches of PHP's and of the application's) is full after so many requests.
FIRST = 500
# What they may have added: far less than a request needs, were it kept.
GROWTH_BYTES = 512 * 1024
RELOADS = 4
# Of the slowest application on a machine that is slow and busy: 1,000 requests of WordPress compute for minutes.
DEADLINE = 3600.0


def load(serving, path, requests, clients=4):
    """The arguments of h2load for this many requests."""
    url = f"https://127.0.0.1:{serving.port}{path}"
    return ["h2load", "-n", str(requests), "-c", str(clients), "-m", "2", url]


async def h2load(serving, path, requests):
    process = await asyncio.create_subprocess_exec(
        *load(serving, path, requests), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
    holds(output, f"{requests} succeeded, 0 failed, 0 errored" in output)
    holds(output, f"{requests} 2xx" in output)


def memory(pid):
    """Bytes that are a process's own."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
    raise Failed("no Private_Dirty")


def memory_is_flat(path, requests):
    """The first requests fill what grows once; so many more add nothing."""

    async def test(run):
        await run.app.reset(run.place)
        with Ferrite(run.app, run.place, run.certificates) as serving:
            async with browse(serving, "h1") as browser:
                await run.app.begin(browser)
            await h2load(serving, path, FIRST)
            worker = serving.children()["worker 0"]
            before, files = memory(worker), len(os.listdir(f"/proc/{worker}/fd"))
            await h2load(serving, path, requests)
            same("the worker", worker, serving.children().get("worker 0"))
            grown = memory(worker) - before
            holds(f"{requests} requests added {grown} bytes", grown < GROWTH_BYTES)
            same("descriptors", files, len(os.listdir(f"/proc/{worker}/fd")))

    test.deadline = DEADLINE
    return test


def reload_loses_nothing(path, requests):
    """Reloads while h2load asks, and a user too, whose session goes on."""

    async def test(run):
        app = run.app
        await app.reset(run.place)
        with Ferrite(app, run.place, run.certificates, workers=2) as serving:
            async with browse(serving, "h3") as browser:
                await app.begin(browser)
                asked = asyncio.create_task(h2load(serving, path, requests))
                try:
                    count, seen = 1, set()
                    for _ in range(RELOADS):
                        old = serving.worker_ids()
                        serving.reload()
                        while True:
                            count += 1
                            await app.go_on(browser, count)
                            new = serving.worker_ids()
                            if len(new) == 2 and not new & old:
                                break
                        seen |= old
                    same("workers that were replaced", 2 * RELOADS, len(seen))
                    await asked
                finally:
                    asked.cancel()

    test.deadline = DEADLINE
    return test
