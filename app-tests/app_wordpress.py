"""WordPress: installed, logged into, written to and read, with MariaDB."""

import json
import os
import shutil

from app import App
from app_dokuwiki import PICTURE
from database import PACKAGES, Database
from serving import install, write
from suite import holds, same
from under_load import memory_is_flat, reload_loses_nothing

WORDPRESS = "/usr/share/wordpress"
THEME = f"{WORDPRESS}/wp-content/themes/twentytwentythree/theme.json"
CONFIG = """<?php
define('DB_NAME', 'tests');
define('DB_USER', 'tests');
define('DB_PASSWORD', 'secret');
define('DB_HOST', 'localhost:%s');
define('WP_HOME', 'https://localhost');
define('WP_SITEURL', 'https://localhost');
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define("{$name}_KEY", "key of $name");
    define("{$name}_SALT", "salt of $name");
}
$table_prefix = 'wp_';
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
# It knows a few servers by their names; others it does not trust to send what is no file to index.php.
REWRITES = "<?php add_filter('got_url_rewrite', '__return_true');\n"
FORM = {
    "weblog_title": "Tests & trials",
    "user_name": "ann",
    "admin_password": "ann secret",
    "admin_password2": "ann secret",
    "pw_weak": "on",
    "admin_email": "ann@example.org",
    "language": "",
}


class WordPress(App):
    name = "wordpress"
    packages = {"wordpress": f"{WORDPRESS}/wp-load.php", "wordpress-theme-twentytwentythree": THEME}
    packages |= PACKAGES
    deny = ("/wp-content/uploads",)
    ini = {"sendmail_path": "/bin/true"}
    replacements = (
        (r"(nonce\W{1,12}|_wpnonce(=|\"\s+value=\"))[0-9a-f]{10}\b", "NONCE"),
        (r"\"[0-9a-f]{10}\"", '"NONCE"'),
        (r"'[0-9a-f]{10}'", "'NONCE'"),
        (r"wordpress_(\w+)_[0-9a-f]{32}=[^;]+", r"wordpress_\1"),
        (r"wp-settings-time-1=\d+", "wp-settings-time"),
        (r"\b1[78]\d{8}\b", "TIME"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "DATE"),
        (r"\d{4}-\d\d-\d\d-\d{6}", "DATE"),
        (r"\d\d?:\d\d ([ap]m|[AP]M)|>\d\d:\d\d<", "CLOCK"),
        (r"unique_id\W+\w+", "ID"),
        (r"<span class=\"aria-hidden\">\d+ seconds?", "seconds"),
        (r"\d+ (second|minute)s? (ago|from now)", "ago"),
        (r"\d\d?\s*:\s*\d\d\s*:\s*\d\d", "CLOCK"),
        (r"(name=\"(mn|hidden_mn|cur_mn|ss|hh|cur_hh|hidden_hh|jj|aa)\" value=\")\d+", r"\1…"),
        (r"data-pw=\"[^\"]*", "data-pw=…"),
        (r"(<div class=\"(hh|mn|ss|jj)\">)\d+", r"\1…"),
        (r"overdue by \d+ seconds?", "overdue"),
        (r"^[0-9a-f]{10}$", "NONCE"),
        (r"moderation-hash=[0-9a-f]{32}", "moderation-hash"),
        (r"<p><a href=\"https://wordpress.org/support/article/nginx/\">[^<]*</a>.</p>", ""),
        (r"ferrite/[\d.]+|nginx/[\d.]+", "SERVER"),
    )
    database = None

    async def prepare(self, place):
        install(WORDPRESS, self.root(place))
        os.unlink(f"{self.root(place)}/.htaccess")
        self.database = Database(place)
        write(f"{self.root(place)}/wp-config.php", CONFIG % self.database.socket)
        write(f"{self.root(place)}/wp-content/mu-plugins/rewrites.php", REWRITES)

    async def reset(self, place):
        self.database.reset()
        uploads = f"{self.root(place)}/wp-content/uploads"
        shutil.rmtree(uploads, ignore_errors=True)
        write(f"{uploads}/evil.php", "<?php echo 'was run';")

    async def finish(self, place):
        if self.database:
            self.database.end()

    async def begin(self, browser):
        await self.install(browser)
        (await self.log_in(browser, "ann")).has("Profile")

    async def go_on(self, browser, count):
        (await browser.get("/wp-admin/profile.php")).has("ann@example.org")

    # The login page is the cheapest that runs all of it.
    tests = {
        "500 requests leave memory as it was": memory_is_flat("/wp-login.php", 500),
        "a reload under load loses nothing": reload_loses_nothing("/wp-login.php", 500),
    }

    async def log_in(self, browser, name):
        await browser.get("/wp-login.php")
        form = {"log": name, "pwd": f"{name} secret", "wp-submit": "Log In", "testcookie": "1"}
        form["redirect_to"] = "https://localhost/wp-admin/profile.php"
        answer = await browser.post("/wp-login.php", form, 302)
        return await browser.follow(answer)

    async def install(self, browser):
        answer = await browser.get("/", 302)
        (await browser.follow(answer)).has("Information needed")
        (await browser.post("/wp-admin/install.php?step=2", FORM)).has("Success!")

    async def nonce(self, browser):
        answer = await browser.get("/wp-admin/post-new.php", note=False)
        return answer.find(r"wpApiSettings = {[^}]*\"nonce\":\"([0-9a-f]+)")

    async def rest(self, browser, method, path, data=None, status=200, nonce=None):
        headers = [("x-wp-nonce", nonce)] if nonce else []
        body = None
        if data is not None:
            body = json.dumps(data).encode()
            headers.append(("content-type", "application/json"))
        answer = await browser.request(method, f"/wp-json/wp/v2{path}", body, headers, status)
        return json.loads(answer.body)

    async def permalinks(self, browser):
        page = await browser.get("/wp-admin/options-permalink.php")
        form = page.hidden("_wpnonce", "_wp_http_referer")
        form |= {"selection": "/%postname%/", "permalink_structure": "/%postname%/", "submit": "Save"}
        form |= {"category_base": "", "tag_base": ""}
        await browser.follow(await browser.post("/wp-admin/options-permalink.php", form, 302))

    async def visit(self, browser):
        await self.install(browser)
        await browser.get("/?p=1")
        wrong = {"log": "ann", "pwd": "wrong", "wp-submit": "Log In", "testcookie": "1"}
        await browser.get("/wp-login.php")
        (await browser.post("/wp-login.php", wrong)).has("password you entered")
        await browser.get("/wp-admin/", 302)
        (await self.log_in(browser, "ann")).has("ann@example.org")
        await self.permalinks(browser)
        (await browser.get("/wp-admin/")).has("Dashboard")
        for path in ("edit.php", "upload.php", "users.php", "plugins.php", "themes.php", "options-general.php"):
            await browser.get(f"/wp-admin/{path}")
        await browser.get("/wp-admin/load-styles.php?c=1&dir=ltr&load[]=dashicons,common,forms")
        await browser.get("/wp-admin/load-scripts.php?c=0&load[]=jquery-core,utils")
        nonce = await self.nonce(browser)
        post = {"title": "A post & more", "content": "<p>Text with ä.</p>", "status": "publish"}
        number = (await self.rest(browser, "POST", "/posts", post, 201, nonce))["id"]
        await self.rest(browser, "POST", f"/posts/{number}", {"content": "<p>Changed.</p>"}, 200, nonce)
        await self.media(browser, nonce)
        await browser.get(f"/wp-admin/post.php?post={number}&action=edit")
        nobody = browser.stranger()
        await self.read(nobody, number)
        browser.seen += nobody.seen
        await self.rest(browser, "DELETE", f"/posts/{number}?force=true", None, 200, nonce)
        await browser.request("GET", "/a-post-more/", status=404)
        leave = (await browser.get("/wp-admin/profile.php")).find(r"action=logout&(?:amp|#038);_wpnonce=(\w+)")
        await browser.get(f"/wp-login.php?action=logout&_wpnonce={leave}", 302)
        await browser.get("/wp-admin/", 302)

    async def media(self, browser, nonce):
        headers = [("x-wp-nonce", nonce), ("content-type", "image/png")]
        headers.append(("content-disposition", 'attachment; filename="dot.png"'))
        answer = await browser.request("POST", "/wp-json/wp/v2/media", PICTURE, headers, 201)
        picture = json.loads(answer.body)["source_url"].removeprefix("https://localhost")
        same("the picture", PICTURE, (await browser.get(picture)).body)
        page = await browser.get("/wp-admin/media-new.php?browser-uploader")
        form = page.hidden("_wpnonce", "_wp_http_referer") | {"html-upload": "Upload"}
        file = {"async-upload": ("second.png", "image/png", PICTURE)}
        answer = await browser.upload("/wp-admin/media-new.php", form | {"post_id": "0"}, file, 302)
        (await browser.follow(answer)).has("second")
        await browser.get("/wp-content/uploads/evil.php", 403)

    async def read(self, browser, number):
        (await browser.get("/")).has("A post")
        (await browser.get("/a-post-more/")).has("Changed.")
        await browser.get(f"/?p={number}", 301)
        for path in ("/feed/", "/wp-json/", "/robots.txt", "/?s=changed", "/author/ann/", "/a-post-more/feed/"):
            await browser.get(path)
        await browser.request("GET", "/wp-sitemap.xml")
        await browser.get("/nothing/at/all", 404)
        await browser.get("/wp-includes/css/dist/block-library/style.min.css")
        await self.rest(browser, "GET", "/posts?per_page=5")
        await self.rest(browser, "GET", "/users/me", status=401)
        await browser.request("HEAD", "/a-post-more/", status=200)
        comment = {"comment": "A comment", "author": "Eve", "email": "eve@example.org", "url": ""}
        comment |= {"submit": "Post Comment", "comment_post_ID": str(number), "comment_parent": "0"}
        await browser.post("/wp-comments-post.php", comment, 302)
        call = b"<?xml version='1.0'?><methodCall><methodName>system.listMethods</methodName></methodCall>"
        await browser.request("POST", "/xmlrpc.php", call, [("content-type", "text/xml")], 200)

    async def two_users(self, ann, bob):
        nobody = ann.stranger()
        await self.install(ann)
        await self.log_in(ann, "ann")
        await self.permalinks(ann)
        nonce = await self.nonce(ann)
        user = {"username": "bob", "email": "bob@example.org", "password": "bob secret"}
        await self.rest(ann, "POST", "/users", user, 201, nonce)
        await self.log_in(bob, "bob")
        for _ in range(3):
            for user, name, other in ((ann, "ann", "bob"), (bob, "bob", "ann")):
                answer = await user.get("/wp-admin/profile.php")
                answer.has(f"{name}@example.org")
                holds(f"{name} is not {other}", f"{other}@example.org" not in answer.text)
                answer = await nobody.get("/wp-admin/profile.php", 302)
                holds("nobody gets a cookie", answer.header("set-cookie") is None)
                await self.rest(nobody, "GET", "/users/me", status=401)


APP = WordPress()
