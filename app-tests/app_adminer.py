"""Adminer: one file, with everything by `$_GET`, `$_POST`, sessions and `header()`."""

import os
import shutil

from app import App
from database import PACKAGES, Database
from suite import holds

FILE = "/usr/share/adminer/adminer.php"


class Adminer(App):
    name = "adminer"
    packages = {"adminer": FILE, **PACKAGES}
    replacements = (
        (r"(['\"])\d{1,8}:\d{1,8}\1", "'TOKEN'"),
        (r"\b\d\d:\d\d:\d\d\b", "TIME"),
        (r"nonce(=|-)\"?[\w+/=-]+\"?", "nonce"),
        (r"\d+\.\d{3} s\b", "TIME s"),
        (r"adminer_(key|permanent|version)=[^;]+", r"adminer_\1=…"),
    )
    database = None

    async def prepare(self, place):
        os.mkdir(self.root(place))
        shutil.copy(FILE, f"{self.root(place)}/index.php")
        self.database = Database(place)

    async def reset(self, place):
        self.database.reset()

    async def finish(self, place):
        if self.database:
            self.database.end()

    async def log_in(self, browser, password="secret", status=302):
        await browser.get("/")
        form = {"driver": "server", "server": f":{self.database.socket}", "username": "tests"}
        form = {f"auth[{name}]": value for name, value in form.items()}
        form |= {"auth[password]": password, "auth[db]": "tests"}
        answer = await browser.post("/", form, status)
        return (await browser.follow(answer, None)).text

    async def visit(self, browser):
        await browser.get("/?file=default.css&version=4.8.1")
        await browser.get("/?file=favicon.ico&version=4.8.1")
        wrong = await self.log_in(browser.stranger(), "wrong")
        holds("a wrong password is refused", "Access denied" in wrong)
        await self.log_in(browser)
        base = f"/?server={self.quoted()}&username=tests&db=tests"
        (await browser.get(base)).has("No tables.")
        await self.query(browser, base, "CREATE TABLE things (id int primary key, name text)")
        await self.query(browser, base, "INSERT INTO things VALUES (1, 'one'), (2, '<ä>')")
        answer = await self.query(browser, base, "SELECT * FROM things; SELECT nothing")
        answer.has("&lt;ä&gt;", "Unknown column")
        (await browser.get(base)).has("things")
        for more in ("&table=things", "&select=things", "&create=things", "&edit=things", "&dump=", "&schema="):
            await browser.get(base + more)
        token = (await browser.get(f"{base}&edit=things&where%5Bid%5D=1")).hidden("token")
        form = {**token, "fields[name]": "changed", "fields[id]": "1"}
        await browser.follow(await browser.post(f"{base}&edit=things&where%5Bid%5D=1", form, 302))
        form = {**token, "output": "text", "format": "csv", "tables[]": "things", "data[]": "things", "table_style": "", "data_style": "INSERT"}
        (await browser.post(f"{base}&dump=", form)).has("changed")
        page = await browser.get(f"{base}&import=")
        form = {**page.hidden("token")}
        file = ("import.sql", "application/sql", b"INSERT INTO things VALUES (3, 'imported');")
        await browser.upload(f"{base}&import=", form, {"sql_file[]": file})
        (await browser.get(f"{base}&select=things")).has("imported")
        await browser.post(base, {**token, "logout": "1"}, None)
        await browser.get(base, None)

    async def query(self, browser, base, sql):
        token = (await browser.get(f"{base}&sql=")).hidden("token")
        return await browser.post(f"{base}&sql=", {**token, "query": sql, "limit": "10"})

    def quoted(self):
        return self.database.socket.replace("/", "%2F").join(("%3A", ""))

    async def two_users(self, ann, bob):
        await self.log_in(ann)
        base = f"/?server={self.quoted()}&username=tests&db=tests"
        for _ in range(5):
            (await ann.get(base)).has("No tables.")
            answer = await bob.get(base, None)
            holds("bob is not logged in", answer.status == 403 and "No tables." not in answer.text)


APP = Adminer()
