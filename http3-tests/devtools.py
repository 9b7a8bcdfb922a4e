"""A Chromium without a window, driven by its DevTools protocol."""

import asyncio
import json
import os
import shutil
import tempfile
import urllib.request

import websockets

from suite import Failed, until

# Nothing that asks the network for anything else than the page.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-pings",
    "--no-proxy-server",
    "--enable-quic",
    "--remote-debugging-port=0",
)


class Browser:
    """`async with Browser(program, flags) as browser:` has one empty page, with nothing stored."""

    def __init__(self, program, *flags):
        self.program = program
        self.flags = flags
        self.process = None
        self.socket = None
        self._number = 0

    async def __aenter__(self):
        self.folder = tempfile.mkdtemp(prefix="ferrite-chromium-")
        try:
            self.process = await asyncio.create_subprocess_exec(
                self.program,
                *FLAGS,
                *self.flags,
                f"--user-data-dir={self.folder}",
                "about:blank",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            self.socket = await websockets.connect(await self._page(), max_size=None)
            await self.call("Page.enable")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_):
        if self.socket:
            await self.socket.close()
        if self.process and self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), 5)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        # Its own children end after it, and write until they do.
        await until("the browser's folder is removed", self._remove)

    def _remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        return not os.path.exists(self.folder)

    async def _page(self):
        """The address of the page's DevTools."""
        told = os.path.join(self.folder, "DevToolsActivePort")

        def port():
            if self.process.returncode is not None:
                raise Failed(f"the browser ended with {self.process.returncode}")
            try:
                with open(told, encoding="ascii") as file:
                    return file.read().split("\n")[0]
            except FileNotFoundError:
                return None

        number = await until("the browser is up", port, 20)

        def pages():
            with urllib.request.urlopen(f"http://127.0.0.1:{number}/json/list", timeout=5) as answer:
                return [page for page in json.load(answer) if page["type"] == "page"]

        found = await until("the browser has a page", lambda: asyncio.to_thread(pages))
        return found[0]["webSocketDebuggerUrl"]

    async def call(self, method, event=None, **parameters):
        """Calls a method; returns its result, after an event has come if one is named."""
        self._number += 1
        number = self._number
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        result, seen = None, event is None
        while result is None or not seen:
            message = json.loads(await self.socket.recv())
            seen = seen or message.get("method") == event
            if message.get("id") == number:
                if "error" in message:
                    raise Failed(f"{method}: {message['error']['message']}")
                result = message["result"]
        return result

    async def load(self, url):
        """Goes to a page, and waits until it and all its parts are there."""
        result = await self.call("Page.navigate", event="Page.loadEventFired", url=url)
        if "errorText" in result:
            raise Failed(f"{url}: {result['errorText']}")

    async def value(self, expression):
        """The value of an expression in the page."""
        result = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            raise Failed(f"{expression}: {result['exceptionDetails']['text']}")
        return result["result"].get("value")
