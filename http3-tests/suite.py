"""Runs tests: each has a name and a deadline, and says how it went on a line of its own."""

import asyncio
import os
import sys
import time
import traceback

DEADLINE = 30.0


class Failed(Exception):
    """A test found something else than it should have."""


def same(what, wanted, got):
    """Fails unless the two are equal."""
    if wanted != got:
        raise Failed(f"{what}: wanted {short(wanted)}, got {short(got)}")


def holds(what, condition):
    """Fails unless the condition is true."""
    if not condition:
        raise Failed(what)


def short(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "…"


async def until(what, condition, seconds=10.0):
    """Waits until a condition is true; returns its value. It may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"not in {seconds} s: {what() if callable(what) else what}")
        await asyncio.sleep(0.01)


class Suite:
    """Counts what went well and what did not."""

    def __init__(self, wanted=()):
        self.wanted = wanted
        self.passed = 0
        self.failed = 0

    def wants(self, name):
        return not self.wanted or any(part in name for part in self.wanted)

    async def run(self, name, test, log=None, deadline=DEADLINE):
        """Runs one test: a coroutine function without arguments. `log` tells what the server said."""
        if not self.wants(name):
            return
        start, known = time.monotonic(), len(log()) if log else 0
        try:
            await asyncio.wait_for(test(), deadline)
        except Exception as error:
            self.failed += 1
            say(f"FAIL {name}: {describe(error, deadline)}")
            for line in (log()[known:] if log else "").splitlines()[-20:]:
                say(f"    server: {line}")
        else:
            self.passed += 1
            seconds = time.monotonic() - start
            say(f"ok {name}" + (f" ({seconds:.1f} s)" if seconds >= 2 else ""))

    def fails(self, name, why):
        """A test that could not even begin."""
        if self.wants(name):
            self.failed += 1
            say(f"FAIL {name}: {why}")

    def skipped(self, why):
        say(f"skipped: {why}")

    def exit_code(self):
        if self.passed + self.failed == 0:
            say("no test was run")
            return 1
        return 1 if self.failed else 0


def describe(error, deadline):
    if isinstance(error, TimeoutError) and not str(error):
        return f"not in {deadline:g} s"
    if isinstance(error, Failed):
        return str(error)
    if os.environ.get("FERRITE_TEST_TRACE"):
        traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def say(text):
    print(text)
    sys.stdout.flush()
