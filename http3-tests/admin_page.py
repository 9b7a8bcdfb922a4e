"""A browser opens the page of an admin listener.

usage: admin_page.py CHROMIUM URL SCREENSHOT-PREFIX

Fails unless the page shows its workers and goes on showing new figures, can be used by keyboard and on a phone, has no
complaint of the browser about its policy, and does what its buttons say.
"""

import asyncio
import base64
import sys

from devtools import Browser
from suite import Failed, until

ROWS = "document.querySelectorAll('#workers tbody tr').length"
STATE = "document.getElementById('state').textContent"
# What is wider than the window, but for what scrolls by itself.
WIDE = """[...document.querySelectorAll('body *')].filter(one => !one.closest('.card')
    && one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(one => one.tagName)"""


def ids(table):
    """The ids of requests in a table."""
    uuid = "/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/"
    cells = f"document.querySelectorAll('#{table} td[data-name=\"request id\"]')"
    return f"[...{cells}].map(cell => cell.textContent).filter(id => {uuid}.test(id))"


async def main(program, url, prefix):
    async with Browser(program, "--hide-scrollbars") as browser:
        await browser.call("Log.enable")
        await browser.call("Runtime.enable")
        await size(browser, 1280, 1000, "dark")
        await browser.load(url)
        await shows(browser, f"{ROWS} > 0 && document.getElementById('rate').textContent !== '–'", "figures")
        state = await browser.value(STATE)
        if state != "ready":
            raise Failed(f"the state is {state}")
        doing = await browser.value("[...document.querySelectorAll('#workers td.wide')].map(cell => cell.textContent).join()")
        if "GET /hangs" not in doing:
            raise Failed(f"no worker does what it does: {doing}")
        await shows(browser, "document.getElementById('routes').textContent.includes('GET /users/*')", "routes")
        await shows(browser, "document.getElementById('errors').textContent.includes('GET /broken')", "errors")
        await shows(browser, f"{ids('workers')}.length === 1", "the id of the request in work")
        await shows(browser, f"{ids('errors')}.length === document.querySelectorAll('#errors tbody tr').length", "ids of errors")
        await picture(browser, f"{prefix}-dark.png")
        await size(browser, 1280, 1000, "light")
        await picture(browser, f"{prefix}-light.png")
        await size(browser, 375, 800, "light")
        wide = await browser.value(WIDE)
        if wide:
            raise Failed(f"wider than a phone: {wide}")
        await picture(browser, f"{prefix}-phone.png")
        await keyboard(browser)
        await dialog(browser)
        foreign = await browser.value("fetch('https://localhost:1/').then(() => 'loaded', () => 'refused')")
        if foreign != "refused":
            raise Failed("the policy lets the page ask others")


async def shows(browser, expression, what):
    await until(f"the page shows {what}", lambda: browser.value(expression), 20)


async def size(browser, width, height, scheme):
    await browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    await browser.call("Emulation.setEmulatedMedia", features=features)


async def picture(browser, path):
    shot = await browser.call("Page.captureScreenshot", captureBeyondViewport=True)
    with open(path, "wb") as file:
        file.write(base64.b64decode(shot["data"]))


async def key(browser, name, code):
    for kind in ("rawKeyDown", "char", "keyUp") if name == "Enter" else ("rawKeyDown", "keyUp"):
        text = {"text": "\r"} if name == "Enter" else {}
        await browser.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **text)


async def keyboard(browser):
    """Tab reaches every button and table, and what has the focus is seen."""
    reached = []
    for _ in range(12):
        await key(browser, "Tab", 9)
        reached.append(
            await browser.value(
                "(document.activeElement.dataset.command ?? document.activeElement.getAttribute('aria-label') "
                "?? document.activeElement.textContent) + ' ' + getComputedStyle(document.activeElement).outlineStyle"
            )
        )
    for wanted in ("reload solid", "drain solid", "stop solid", "Workers solid", "metrics solid"):
        if wanted not in reached:
            raise Failed(f"by keyboard {wanted} is not reached: {reached}")


async def dialog(browser):
    """A reload by keyboard alone: the question, and yes. Enter alone leaves it."""
    restarts = "[...document.querySelectorAll('#workers tbody tr')].map(row => row.cells[6].textContent).join()"
    before = await browser.value(restarts)
    await browser.value("document.querySelector('[data-command=reload]').focus()")
    await key(browser, "Enter", 13)
    await shows(browser, "document.getElementById('confirm').open", "the question")
    await key(browser, "Enter", 13)
    await shows(browser, "!document.getElementById('confirm').open", "no question any more")
    if await browser.value(restarts) != before:
        raise Failed("it is done without a yes")
    await browser.value("document.querySelector('[data-command=reload]').focus()")
    await key(browser, "Enter", 13)
    await shows(browser, "document.getElementById('confirm').open", "the question")
    await key(browser, "Tab", 9)
    await key(browser, "Enter", 13)
    await shows(browser, f"{restarts} !== '{before}'", "that workers were replaced")


asyncio.run(main(*sys.argv[1:]))
