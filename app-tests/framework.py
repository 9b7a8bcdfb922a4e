"""What the small applications of the tests have in common, each made with another framework."""

import os
import shutil

from app import App
from serving import HERE
from suite import holds, same
from under_load import memory_is_flat, reload_loses_nothing

TEXT = b"0123456789" * 10_000


class Framework(App):
    """An application in the folder of its name, or of `source`; its document root is `public`."""

    source = None

    # Of the application: kept between runs, or emptied.
    folders = ("var/cache", "var/log", "var/uploads")
    emptied = ("var/uploads",)
    redirect = 302
    # What the form says of a wrong password, and what a wrong token gets.
    refused = 422
    forbidden = 403
    # Of a range behind the end of a file.
    beyond = 200
    # Of `/index.php/hello/x`: whether it takes the script's name for a prefix; None where there is no such script.
    by_front_script = 200
    replacements = (
        (r"(name=\"_token\" value=\")[^\"]+", r"\1…"),
        (r"\beyJpdiI6[^;]+", "ENCRYPTED"),
        (r"sf-dump-\d+", "sf-dump"),
        (r"(\"(PHPSESSID|laravel_session|XSRF-TOKEN)\":\")[^\"]+", r"\1…"),
    )

    def root(self, place):
        return f"{place}/app/public"

    async def prepare(self, place):
        shutil.copytree(os.path.join(HERE, self.source or self.name), f"{place}/app")
        for folder in self.folders:
            os.makedirs(f"{place}/app/{folder}")
        with open(f"{place}/app/public/digits.txt", "wb") as file:
            file.write(TEXT)

    async def reset(self, place):
        for folder in self.emptied:
            shutil.rmtree(f"{place}/app/{folder}")
            os.makedirs(f"{place}/app/{folder}")

    async def log_in(self, browser, name):
        form = (await browser.get("/login")).hidden("_token")
        form |= {"name": name, "password": f"{name} secret"}
        return await browser.follow(await browser.post("/login", form, self.redirect))

    async def visit(self, browser):
        (await browser.get("/")).has("<h1>Hello nobody</h1>")
        (await browser.get("/hello/%C3%A4%20%3Cb%3E?greeting=Good+day")).has("Good day ä &lt;b&gt;")
        await browser.request("HEAD", "/hello/x", status=200)
        if self.by_front_script:
            await browser.get("/index.php/hello/x", self.by_front_script)
        await browser.get("/nothing/here", 404)
        await browser.request("PUT", "/hello/x", status=405)
        await browser.get("/error", 500)
        await browser.get("/dump", 500)
        (await browser.get("/json")).has('"protocol":"https"', '"path":"json"')
        body = b'{"a": [1, 2]}'
        json = [("content-type", "application/json")]
        answer = await browser.request("POST", "/json", body, json, 200)
        answer.has('"content":{"a":[1,2]}')
        await browser.get("/away", 303)
        await self.files(browser)
        await self.account(browser)
        await browser.get("/cookies")

    async def files(self, browser):
        same("a file", TEXT, (await browser.get("/digits.txt")).body)
        answer = await browser.get("/download")
        same("a download", TEXT, answer.body)
        answer = await browser.get("/download", 206, headers=[("range", "bytes=5-14")])
        same("a part of it", b"5678901234", answer.body)
        await browser.get("/download", 206, headers=[("range", "bytes=-5")])
        await browser.get("/download", self.beyond, headers=[("range", "bytes=200000-")])
        await browser.request("HEAD", "/download", status=200)
        answer = await browser.get("/stream")
        same("a stream", "".join(f"piece {n}\n" for n in range(1000)), answer.text)
        data = bytes(range(256)) * 10_000
        file = {"file": ("data.bin", "application/octet-stream", data)}
        answer = await browser.upload("/upload", {"title": "a title"}, file)
        answer.has('"name":"data.bin"', f'"size":{len(data)}', '"title":"a title"')
        json = [("accept", "application/json")]
        answer = await browser.upload("/upload", {"title": "none"}, {}, self.refused, headers=json)
        answer.has("file")

    async def account(self, browser):
        await browser.get("/account", self.redirect)
        form = (await browser.get("/login")).hidden("_token")
        wrong = {**form, "name": "ann", "password": "wrong"}
        answer = await browser.post("/login", wrong, None, headers=[("accept", "application/json")])
        same("a wrong password", self.refused, answer.status)
        answer = await browser.post("/login", {"name": "ann"}, None)
        same("without a token", self.forbidden, answer.status)
        (await self.log_in(browser, "ann")).has("Welcome, ann", "visit 1 of ann")
        answer = await browser.get("/account")
        holds("the flash is seen once", "Welcome" not in answer.text)
        answer.has("visit 2 of ann")
        (await browser.get("/")).has("<h1>Hello ann</h1>")
        form = answer.hidden("_token")
        (await browser.follow(await browser.post("/logout", form, self.redirect))).has("Hello nobody")

    async def begin(self, browser):
        (await self.log_in(browser, "ann")).has("visit 1 of ann")

    async def go_on(self, browser, count):
        (await browser.get("/account")).has(f"visit {count} of ann")

    tests = {
        "2,000 requests leave memory as it was": memory_is_flat("/hello/x", 2000),
        "a reload under load loses nothing": reload_loses_nothing("/hello/x", 2000),
    }

    async def two_users(self, ann, bob):
        nobody = ann.stranger()
        (await self.log_in(ann, "ann")).has("visit 1 of ann")
        (await self.log_in(bob, "bob")).has("Welcome, bob", "visit 1 of bob")
        for turn in range(2, 8):
            for user, name, other in ((ann, "ann", "bob"), (bob, "bob", "ann")):
                answer = await user.get("/account")
                answer.has(f"visit {turn} of {name}")
                holds(f"{name} sees nothing of {other}", other not in answer.text)
                holds("no flash of another", "Welcome" not in answer.text)
                await user.get("/error", 500)
                answer = await nobody.stranger().get("/account", self.redirect)
                holds("nobody is nobody", name not in answer.text)
                await nobody.stranger().get("/dump", 500)
            (await nobody.stranger().get("/")).has("Hello nobody")
