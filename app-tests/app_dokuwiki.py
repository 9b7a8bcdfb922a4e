"""DokuWiki: pages in files, sessions, tokens, uploads, scripts of its own for files."""

import hashlib
import os
import shutil
import subprocess
import time

from app import App
from serving import install, write
from suite import holds, until

FOLDERS = (
    "attic cache index locks log media media_attic media_meta meta pages pages/wiki tmp".split()
)
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360f8cf500f000301018018dd8db00000000049454e44ae426082"
)


class DokuWiki(App):
    name = "dokuwiki"
    packages = {"dokuwiki": "/usr/share/dokuwiki/doku.php"}
    script = "doku.php"
    deny = ("/data", "/conf", "/inc")
    replacements = (
        (r"DW[0-9a-f]{32}=[^;]+", "DW…"),
        (r"(name=\"sectok\" value=\")[0-9a-f]+", r"\1…"),
        (r"sectok(=|\":\")[0-9a-f]{32}", "sectok…"),
        (r"(tseed=|rev=|r=|rev\[\d?\]=)[0-9a-f]+", r"\1…"),
        # In a script with its slashes escaped: a minute may pass between two servers.
        (r"\d{4}\\?/\d\d\\?/\d\d \d\d:\d\d", "DATE"),
        (r"taskrunner.php\?id=([^&]*)&amp;\d+", r"taskrunner \1"),
        (r"(name=\"(date|rev|changecheck)\" value=\")[0-9a-f]+", r"\1…"),
        (r"value=\"\d{10}\"", 'value="TIME"'),
        (r"\b17\d{8}\b|\b18\d{8}\b", "TIME"),
        (r"\d+ (seconds?|minutes?) ago", "ago"),
        (r"tok=[0-9a-f]{6}", "tok=…"),
        (r"(w=\d+&h=\d+&)?tok=\w+", "tok=…"),
    )

    async def prepare(self, place):
        root = self.root(place)
        install("/usr/share/dokuwiki", root)
        subprocess.run(["cp", "-rL", "/etc/dokuwiki", f"{root}/conf"], stderr=subprocess.DEVNULL)
        os.unlink(f"{root}/inc/preload.php")

    async def reset(self, place):
        conf, data = f"{self.root(place)}/conf", f"{place}/data"
        shutil.rmtree(data, ignore_errors=True)
        for folder in FOLDERS:
            os.makedirs(f"{data}/{folder}")
        write(f"{data}/pages/start.txt", "====== Start ======\n\nThis is **where** all begins: [[other]].\n")
        write(
            f"{conf}/local.php",
            f"<?php $conf['savedir'] = '{data}'; $conf['useacl'] = 1; $conf['superuser'] = '@admin';"
            "$conf['title'] = 'Tests'; $conf['license'] = 'cc-by'; $conf['autopasswd'] = 0;"
            "$conf['updatecheck'] = 0; $conf['send404'] = 1; $conf['userewrite'] = 2; $conf['fetchsize'] = 0;",
        )
        users = "".join(
            f"{name}:{hashlib.sha1(f'{name} secret'.encode()).hexdigest()}:{name.title()} Test:"
            f"{name}@example.org:{groups}\n"
            for name, groups in (("ann", "admin,user"), ("bob", "user"))
        )
        write(f"{conf}/users.auth.php", f"# <?php exit()?>\n{users}")
        write(f"{conf}/acl.auth.php", "# <?php exit()?>\n*\t@ALL\t1\n*\t@user\t8\nbobs:*\t@ALL\t0\nbobs:*\tbob\t8\n")

    async def log_in(self, browser, name):
        form = (await browser.get("/doku.php?id=start&do=login")).hidden("sectok", "id", "do")
        form |= {"u": name, "p": f"{name} secret", "r": "1"}
        await browser.follow(await browser.post("/doku.php?id=start", form, 302))

    async def edit(self, browser, page, text):
        answer = await browser.get(f"/doku.php?id={page}&do=edit")
        form = answer.hidden("sectok", "id", "rev", "date", "prefix", "suffix", "changecheck", "target")
        form |= {"wikitext": text, "summary": "as a test", "do[save]": "1"}
        await browser.follow(await browser.post("/doku.php", form, 302))

    async def visit(self, browser):
        answer = await browser.follow(await browser.get("/", 302))
        answer.has("where</strong> all begins")
        await browser.get("/doku.php?id=other", 404)
        await browser.get("/doku.php/other", 404)
        for path in ("css.php?t=dokuwiki", "js.php?t=dokuwiki", "opensearch.php"):
            await browser.get(f"/lib/exe/{path}")
        await browser.get("/feed.php")
        await browser.get("/lib/images/license/button/cc-by.png")
        await browser.request("GET", "/lib/tpl")
        await browser.request("GET", "/conf/local.php", status=403)
        await browser.post("/doku.php?id=start", {"do": "login", "u": "ann", "p": "wrong"}, 403)
        await self.log_in(browser, "ann")
        (await browser.get("/doku.php?id=start")).has("Ann Test")
        await self.edit(browser, "test:page", "====== A page ======\n\nwith //text// and ä and <nowiki><</nowiki>\n")
        # Revisions have the second for a name.
        second = int(time.time())
        await until("another second", lambda: int(time.time()) > second)
        await self.edit(browser, "test:page", "====== A page ======\n\nwith other text\n\n{{:picture.png}}\n")
        (await browser.get("/doku.php?id=test:page")).has("with other text")
        for do in ("revisions", "diff", "backlink", "index", "recent", "export_raw", "export_xhtml", "admin", "profile"):
            await browser.get(f"/doku.php?id=test:page&do={do}")
        token = (await browser.get("/doku.php?id=test:page&do=media&ns=")).hidden("sectok")["sectok"]
        answer = await browser.upload(
            f"/lib/exe/ajax.php?call=mediaupload&ns=&qqfile=picture.png&mediaid=picture.png&sectok={token}",
            {"sectok": token},
            {"qqfile": ("picture.png", "image/png", PICTURE)},
        )
        answer.has("Upload successful")
        answer = await browser.get("/lib/exe/fetch.php?media=picture.png")
        holds("the picture as it was", answer.body == PICTURE)
        ranged = [("range", "bytes=8-15")]
        await browser.get("/lib/exe/fetch.php?media=picture.png", 206, headers=ranged)
        await browser.get("/lib/exe/detail.php?media=picture.png")
        await browser.get("/doku.php?do=search&q=other")
        await browser.post("/lib/exe/ajax.php", {"call": "qsearch", "q": "page"})
        await browser.get("/lib/exe/taskrunner.php?id=test:page")
        call = b"<?xml version='1.0'?><methodCall><methodName>dokuwiki.getVersion</methodName><params/></methodCall>"
        await browser.request("POST", "/lib/exe/xmlrpc.php", call, [("content-type", "text/xml")])
        token = (await browser.get("/doku.php?id=start")).find(r"do=logout&amp;sectok=([0-9a-f]+)")
        await browser.get(f"/doku.php?id=start&do=logout&sectok={token}", None)
        holds("ann is gone", "Ann Test" not in (await browser.get("/doku.php?id=start")).text)

    async def two_users(self, ann, bob):
        nobody = ann.stranger()
        await self.log_in(bob, "bob")
        await self.log_in(ann, "ann")
        await self.edit(bob, "bobs:page", "the secret of bob")
        for _ in range(5):
            (await ann.get("/doku.php?id=start")).has("Ann Test")
            (await bob.get("/doku.php?id=bobs:page")).has("Bob Test", "the secret of bob")
            answer = await nobody.request("GET", "/doku.php?id=bobs:page")
            answer.has("Permission Denied")
            for name in ("Ann Test", "Bob Test", "secret of bob"):
                holds(f"nobody sees {name}", name not in answer.text)
            holds("ann is not bob", "Bob Test" not in (await ann.get("/doku.php?id=start")).text)


APP = DokuWiki()
