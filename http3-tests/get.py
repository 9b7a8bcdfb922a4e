#!/usr/bin/env python3
"""One request by HTTP/3, for checks that are shell scripts: prints the content of the answer.

usage: get.py [-i] [-I] [-X METHOD] [-H 'NAME: VALUE'] [-d DATA] [-T FILE] [--cacert FILE] https://HOST:PORT/PATH

The options are curl's. Without --cacert any certificate will do.
"""

import argparse
import asyncio
import ssl
import sys
import types
from urllib.parse import urlsplit

import client


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-I", action="store_true")
    parser.add_argument("-X")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("-T")
    parser.add_argument("--cacert")
    parser.add_argument("url")
    return parser.parse_args()


def request_of(options):
    """Method, fields and content."""
    fields = [tuple(part.strip() for part in line.split(":", 1)) for line in options.H]
    fields = [(name.lower(), value) for name, value in fields]
    content = b""
    method = "HEAD" if options.I else "GET"
    if options.d is not None:
        method, content = "POST", options.d.encode()
        if not any(name == "content-type" for name, _ in fields):
            fields.append(("content-type", "application/x-www-form-urlencoded"))
    elif options.T:
        method = "PUT"
        with open(options.T, "rb") as file:
            content = file.read()
    return options.X or method, fields, content


async def main():
    options = arguments()
    url = urlsplit(options.url)
    method, fields, content = request_of(options)
    server = types.SimpleNamespace(
        port=url.port,
        certificates=types.SimpleNamespace(authority=options.cacert or "/dev/null"),
    )
    settings = {} if options.cacert else {"verify_mode": ssl.CERT_NONE}
    path = url.path + (f"?{url.query}" if url.query else "")
    async with client.connect(server, idle_timeout=20.0, **settings) as connection:
        answer = await connection.request(method, path, content or None, fields)
    if options.i or options.I:
        for head in answer.heads:
            for name, value in head:
                print(f"{name.decode('latin-1')}: {value.decode('latin-1')}")
        print(flush=True)
    sys.stdout.buffer.write(bytes(answer.body))
    return 0 if answer.complete and answer.reset is None else 1


sys.exit(asyncio.run(main()))
