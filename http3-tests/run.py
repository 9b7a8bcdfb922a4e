"""Runs the HTTP/3 tests; script/checks/http3 calls it.

usage: run.py [--quinn PROGRAM] [--chromium PROGRAM] [--only MODULE] [PART OF A NAME ...]

FERRITE_PHP holds, as JSON, the command that runs PHP with the extension. With parts of names, only
tests whose name has one of them are run.
"""

import argparse
import asyncio
import importlib
import sys

from suite import Suite

MODULES = ("requests", "transport", "lifecycle", "tls", "network", "broken", "quinn", "browser")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quinn")
    parser.add_argument("--chromium")
    parser.add_argument("--only", choices=MODULES)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    suite = Suite(arguments.names)
    tools = {"quinn": arguments.quinn, "chromium": arguments.chromium}
    for name in [arguments.only] if arguments.only else MODULES:
        module = importlib.import_module(f"test_{name}")
        try:
            await module.tests(suite, tools)
        except Exception as error:
            suite.fails(f"the tests of {name}", f"{type(error).__name__}: {error}")
    return suite.exit_code()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
