"""Laravel 8: kernel, routes, Blade, validation, CSRF, sessions in files."""

from framework import Framework
from suite import same


class Laravel(Framework):
    name = "laravel"
    packages = {
        "php-laravel-framework": "/usr/share/php/Illuminate/Foundation/Application.php",
        "php-mbstring": "/usr/share/doc/php-mbstring",
    }
    folders = (
        "bootstrap/cache",
        "storage/framework/sessions",
        "storage/framework/views",
        "storage/logs",
        "storage/uploads",
    )
    emptied = ("storage/framework/sessions", "storage/uploads")
    forbidden = 419

    async def account(self, browser):
        form = (await browser.get("/login")).hidden("_token") | {"name": "ann", "password": "wrong"}
        headers = [("referer", "https://localhost/login")]
        answer = await browser.post("/login", form, 302, headers=headers)
        (await browser.follow(answer)).has("The password is wrong.", 'value="ann"')
        same("the message is seen once", -1, (await browser.get("/login")).text.find("is wrong"))
        await super().account(browser)


APP = Laravel()
