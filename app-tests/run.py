"""Runs applications under Ferrite and under nginx with php-fpm; script/checks/apps calls it.

usage: run.py [--only APPLICATION] [PART OF A NAME ...]

FERRITE_PHP holds, as JSON, the command that runs PHP with the extension.
"""

import argparse
import asyncio
import importlib
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(os.path.dirname(HERE), "http3-tests")]

from browser import browse  # noqa: E402
from certificates import write_certificates  # noqa: E402
from comparison import Comparison  # noqa: E402
from serving import Ferrite, Fpm, fpm_program, nginx_program  # noqa: E402
from suite import Failed, Suite  # noqa: E402

APPLICATIONS = ("scripts", "uploads", "dokuwiki", "adminer", "wordpress", "slim", "symfony", "laravel", "symfony_worker", "octane_worker")
PROTOCOLS = ("h1", "h2", "h3")
# Installing an application under load takes its time.
DEADLINE = 120.0


class Run:
    """The tests of one application, in a folder of its own."""

    def __init__(self, suite, app, place):
        self.suite, self.app, self.place = suite, app, place
        self.certificates = write_certificates(place)
        self.reference = None

    async def all(self):
        app, suite = self.app, self.suite
        names = [f"{app.name} over {protocol}" for protocol in PROTOCOLS]
        wanted = [protocol for protocol, name in zip(PROTOCOLS, names) if suite.wants(name)]
        try:
            await app.prepare(self.place)
            if wanted:
                self.reference = await self.visit(Fpm, "h1")
        except Exception as error:
            suite.fails(f"{app.name} over h1, h2, h3: nginx with php-fpm", f"{type(error).__name__}: {error}")
            return
        for protocol in wanted:
            name = f"{app.name} over {protocol}"
            await suite.run(name, lambda protocol=protocol: self.compare(protocol), None, DEADLINE)
        name = f"{app.name}: two users by turns on one worker"
        await suite.run(name, self.two_users, None, DEADLINE)
        for name, test in getattr(app, "tests", {}).items():
            deadline = getattr(test, "deadline", DEADLINE)
            await suite.run(f"{app.name}: {name}", lambda test=test: test(self), None, deadline)

    async def visit(self, kind, protocol):
        await self.app.reset(self.place)
        with kind(self.app, self.place, self.certificates) as serving:
            async with browse(serving, protocol) as browser:
                try:
                    await self.app.visit(browser)
                except Failed as error:
                    raise Failed(f"{error}\n{serving.log()[-1500:]}") from error
                return browser.seen

    async def compare(self, protocol):
        seen = await self.visit(Ferrite, protocol)
        replacements = [*self.app.replacements, (r"\bHTTP/(1\.1|2\.0|3\.0)\b", "HTTP")]
        told = Comparison(replacements).differences(self.reference, seen)
        if told:
            raise Failed(f"differs from php-fpm:\n{told}")

    async def two_users(self):
        await self.app.reset(self.place)
        with Ferrite(self.app, self.place, self.certificates) as serving:
            async with browse(serving, "h3") as ann:
                await self.app.two_users(ann, ann.stranger())


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=APPLICATIONS)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    suite = Suite(arguments.names)
    if not fpm_program() or not nginx_program():
        suite.fails("nginx and php-fpm", "not there: run script/setup")
        return suite.exit_code()
    with tempfile.TemporaryDirectory(prefix="ferrite-apps-") as folder:
        os.chmod(folder, 0o755)
        for name in [arguments.only] if arguments.only else APPLICATIONS:
            app = importlib.import_module(f"app_{name}").APP
            missing = app.missing()
            if missing:
                suite.skipped(f"{app.name}: {', '.join(missing)} NOT INSTALLED: run script/setup")
                continue
            place = os.path.join(folder, name)
            os.mkdir(place)
            try:
                await Run(suite, app, place).all()
            finally:
                await app.finish(place)
    return suite.exit_code()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
