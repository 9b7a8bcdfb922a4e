"""What the tests know of an application."""

import os


class App:
    """One application: how it is put into a folder, and what a visitor does with it."""

    name = ""
    # Of Debian: a package, and a file that it brings.
    packages = {}
    script = "index.php"
    # A file below the root that returns a callback for requests: Ferrite calls it, and runs no script.
    callback = None
    # A script, beginning at the root, that asks for requests: Ferrite runs it from start to end, in the place of `script`.
    worker = None
    # Variables of the environment that Ferrite is started with.
    environment = {}
    # Folders whose PHP files are not run.
    deny = ()
    ini = {}
    # Further options of Ferrite.
    options = {}
    # (pattern, text): what differs from one run to the next.
    replacements = ()

    def missing(self):
        return [package for package, file in self.packages.items() if not os.path.exists(file)]

    def root(self, place):
        return os.path.join(place, "root")

    async def prepare(self, place):
        """Once: puts the application there."""

    async def reset(self, place):
        """Before each run: everything is as after `prepare`."""

    async def finish(self, place):
        """Once, at the end."""

    async def visit(self, browser):
        """What is done by every protocol with every server; the answers are compared."""

    async def begin(self, browser):
        """Before the application is asked a lot: it is there, and a user has logged in."""

    async def go_on(self, browser, count):
        """The user's request of this number: fails when the session has not gone on."""

    async def two_users(self, ann, bob):
        """Requests of two users by turns, on one worker: fails when one sees what is the other's."""
