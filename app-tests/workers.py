"""What the tests of scripts that ask for requests have in common."""

import asyncio

from browser import browse
from serving import Ferrite
from suite import holds


def workers(serving):
    return {pid for title, pid in serving.children().items() if "worker" in title}


async def reload_loses_nothing(run):
    """Three reloads while a browser that is logged in asks."""
    app = run.app
    await app.reset(run.place)
    with Ferrite(app, run.place, run.certificates, workers=2) as serving:
        async with browse(serving, "h2") as browser:
            await app.log_in(browser, "ann")
            visit = 1
            for _ in range(3):
                old = workers(serving)
                serving.reload()
                while True:
                    visit += 1
                    (await browser.get("/account")).has(f"visit {visit} of ann")
                    new = workers(serving)
                    if len(new) == 2 and not new & old:
                        break
        log = serving.log()
    holds("no worker has failed", "ERROR" not in log)


async def scripts_that_have_had_enough(run):
    """A script ends after so many requests, and another begins: again and again, and nobody notices."""
    app = run.app
    await app.reset(run.place)
    environment = app.environment
    app.environment = environment | {app.limit: "7"}
    try:
        with Ferrite(app, run.place, run.certificates) as serving:
            seen = set()
            async with browse(serving, "h1") as browser:
                await app.log_in(browser, "bob")
                for visit in range(2, 40):
                    seen |= workers(serving)
                    (await browser.get("/account")).has(f"visit {visit} of bob")
                    await asyncio.sleep(0)
            log = serving.log()
        holds("several workers have served", len(seen) > 2)
        holds("no worker has failed", "ERROR" not in log)
    finally:
        app.environment = environment


TESTS = {
    "a reload loses nothing": reload_loses_nothing,
    "a script that has had enough is replaced": scripts_that_have_had_enough,
}
