"""A browser loads examples/http3.php."""

from devtools import Browser
from server import Example
from suite import Failed, holds, same

TILES = 24
# What the page is made of, beside itself.
PARTS = {"/style.css", "/page.js", *(f"/tile/{number}.svg" for number in range(TILES))}

PROTOCOLS = """
    Object.fromEntries(
        [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .map(entry => [new URL(entry.name).pathname, entry.nextHopProtocol]))
"""


async def tests(suite, tools):
    if not tools["chromium"]:
        suite.skipped("chromium is not installed")
        return
    with Example("http3.php") as example:
        await suite.run(
            "chromium: all parts of a page by h3, also after a reload of the workers",
            lambda: told(example, tools),
            example.log,
            deadline=90,
        )
        await suite.run(
            "chromium: the first page by h2, the next by h3, as Alt-Svc says",
            lambda: discovered(example, tools),
            example.log,
            deadline=90,
        )
        await suite.run("chromium: the server ends with 0", example.end, example.log)


def trusts(example):
    """The certificate is accepted."""
    return f"--ignore-certificate-errors-spki-list={example.certificates.spki}"


def forces(port):
    """That port of localhost is asked over QUIC at once. On no port of it the certificate has to come
    from an authority that ships with the browser, as otherwise over QUIC."""
    return f"--origin-to-force-quic-on=localhost:{port}"


async def protocols(browser, example):
    """Loads the page; the protocol by which each part of it came."""
    await browser.load(f"https://localhost:{example.port}/")
    found = await browser.value(PROTOCOLS)
    missing = (PARTS | {"/"}) - set(found)
    same("parts that were not loaded", set(), missing)
    return {path: found[path] for path in PARTS | {"/"}}


def all_by(protocol, found):
    same(f"parts not by {protocol}", {}, {p: by for p, by in found.items() if by != protocol})


async def told(example, tools):
    flags = trusts(example), forces(example.port)
    async with Browser(tools["chromium"], *flags) as browser:
        all_by("h3", await protocols(browser, example))
        old = example.workers()
        await example.reload()
        all_by("h3", await protocols(browser, example))
        holds("the workers are others", not old & example.workers())
        shown = await browser.value("document.getElementById('page').textContent")
        same("what the page says", "h3", shown)


async def discovered(example, tools):
    flags = trusts(example), forces(1)
    async with Browser(tools["chromium"], *flags) as browser:
        first = await protocols(browser, example)
        same("the first page", "h2", first["/"])
        # The browser tries the new way beside the old one; how soon it trusts it is its own affair.
        for _ in range(20):
            if set((await protocols(browser, example)).values()) == {"h3"}:
                return
        raise Failed("it never came by h3 alone")
