"""Multipart bodies, well-formed or not: what PHP makes of them is the same byte by byte, whoever serves it."""

import os

from app import App
from browser import browse
from comparison import Comparison
from serving import Ferrite, Fpm, write
from suite import Failed

B = "X-BOUNDARY-x"
SHOW = r"""
$of = function ($name) use (&$of) {
    if (is_array($name)) {
        return array_map($of, $name);
    }
    return $name === '' ? '' : [is_uploaded_file($name), @sha1_file($name), @filesize($name)];
};
foreach ($files as &$file) {
    $file['tmp_name'] = $of($file['tmp_name'] ?? '');
}
unset($file);
$shown = var_export(['files' => $files, 'post' => $post, 'input' => $input], true);
$shown = addcslashes($shown, "\0..\11\13..\37\177..\377") . "\n";
"""
SCRIPT = f"""<?php
[$files, $post, $input] = [$_FILES, $_POST, strlen(file_get_contents('php://input'))];
{SHOW}
echo $shown;
"""
CALLBACK = f"""<?php
return function ($request, $response) {{
    [$files, $post, $input] = [$request->files ?? [], $request->post ?? [], strlen($request->rawContent())];
    {SHOW}
    $response->header('X-Powered-By', 'PHP/' . PHP_VERSION);
    $response->end($shown);
}};
"""


def part(name, content=b"x", *more):
    """`name`: the parameters of Content-Disposition."""
    lines = [f"Content-Disposition: form-data; {name}".encode("latin-1"), *more]
    return b"--" + B.encode() + b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + content + b"\r\n"


def file(name, file, content=b"content", kind=b"text/plain"):
    return part(f'name="{name}"; filename="{file}"', content, b"Content-Type: " + kind)


END = f"--{B}--\r\n".encode()
WHOLE = [
    [part('name="a"'), part('name="b"', b"")],
    [part('name="a"', b"1"), part('name="a"', b"2")],
    [part('name="a[]"', b"1"), part('name="a[]"', b"2"), part('name="a[k][]"', b"3")],
    [part('name="a[b"', b"1"), part('name="a]b"', b"2"), part('name="a.b c"', b"3"), part('name="[a]"', b"4")],
    [part('name=""'), part("name"), part(""), part("name=bare"), part("name='single'")],
    [part(r'name="a\"b"'), part(r'name="a\\b"'), part('name="a%22b"'), part("name=\"a'b\"")],
    [part('name="\xe4"', b"\xe4\xff\x00\x01"), part('name="ä"'.encode().decode("latin-1"), "ä".encode())],
    [part('name="a"', b"line\r\nline\r\n--almost\r\n")],
    [part('name="a"', b"x", b"Content-Type: text/plain; charset=utf-16")],
    [part('NAME="a"'), part('filename="f"; name="g"'), part('name="h"; name="i"')],
    [part('name="_POST"'), part('name="GLOBALS"'), part('name="this"'), part('name="0"'), part('name=" a"')],
    [file("f", "a.txt")],
    [file("f", "")],
    [file("f", "", b"")],
    [file("f", "empty.txt", b"")],
    [file("f[]", "1.txt"), file("f[]", "2.txt", b"two")],
    [file("f[k]", "1.txt"), file("f[k][x]", "2.txt"), file("f[k][y][]", "3.txt")],
    [file("f[", "1.txt"), file("f[a", "2.txt"), file("f]", "3.txt"), file("f[a]b", "4.txt")],
    [file("f", "1.txt"), file("f", "2.txt", b"two")],
    [file("f", "../../etc/passwd"), file("g", r"C:\dir\file.txt"), file("h", "/abs/file")],
    [file("f", r"a\"b.txt"), file("g", "a%22b.txt"), file("h", "a'b.txt"), file("i", "a;b.txt")],
    [file("f", "\xe4\xff.txt"), file("g", "äö.txt".encode().decode("latin-1"))],
    [part("name=\"f\"; filename=\"a\"; filename*=UTF-8''b", b"x", b"Content-Type: text/plain")],
    [part('name="f"; filename=bare.txt', b"x"), part("name=\"g\"; filename='s.txt'", b"y")],
    [part('filename="noname.txt"', b"x", b"Content-Type: text/plain")],
    [part('name="f"; filename="notype"', b"x")],
    [file("f", "t", kind=b"text/html; charset=utf-8; x=y"), file("g", "t", kind=b"")],
    [part('name="MAX_FILE_SIZE"', b"3"), file("f", "a.txt", b"four"), file("g", "b.txt", b"two")],
    [part('name="MAX_FILE_SIZE"', b"x"), file("f", "a.txt"), part('name="MAX_FILE_SIZE"', b"1")],
    [file("f", "large.bin", b"l" * 210_000), file("g", "small.bin", b"s")],
    [file(f"f{nth}", f"{nth}.txt") for nth in range(7)],
    [part(f'name="v{nth}"') for nth in range(60)],
    [file("f", "b.bin", bytes(range(256)) * 40, b"application/octet-stream")],
    [file("f", "b.bin", f"\r\n--{B[:-1]}\r\n--{B}".encode()[:-1])],
    [part('name="a"', b"x", b"Content-Transfer-Encoding: base64", b"X-Other: " + b"y" * 3000)],
    [part('name="a"', b"x", b"no colon here"), part('name="b"')],
    [part('name="' + "n" * 5000 + '"'), part('name="b"')],
    [part('name="' + "a[b]" * 90 + '"')],
    # More than stays in memory.
    [part('name="a"', b"v" * 400_000), file("f", "a.txt", b"z" * 300_000), file("g", "b.txt", b"y" * 60_000)],
    # Files that are stored by themselves, and what stands beside them.
    [file("f", "a.bin", os.urandom(150_000)), part('name="a"', b"v" * 300_000), file("g", "b.bin", os.urandom(90_000))],
    [file("f", "a.bin", bytes(190_000)), file("g", "b.bin", b"\r" * 150_000), file("h", "c.bin", b"\n" * 150_000)],
    [file("f", "a.bin", b"--" + B.encode() + b"\r\n" * 40_000), file("g", "b.bin", b"\r\n--" * 30_000)],
    [file("f", "a.bin", bytes(204_800)), file("g", "b.bin", bytes(204_801)), part('name="MAX_FILE_SIZE"', b"99999"),
     file("h", "c.bin", bytes(100_000)), file("i", "d.bin", bytes(99_999))],
    [file(f"f{nth}", f"{nth}.bin", os.urandom(100_000)) for nth in range(7)],
    [file("f[", "a.bin", bytes(150_000)), file("f", "", bytes(150_000)), file("g", "b.bin", bytes(150_000))],
    [file("f", "small.bin", b"s" * 5_000), file("g", "a.bin", b"s" * 199_000), file("h", "b.bin", b"s" * 100_000)],
    [],
]
LARGE = part('name="a"', b"v" * 300_000) + file("f", "a.bin", os.urandom(180_000))
BODY = part('name="a"', b"1") + file("f", "a.txt")
ODD = [
    (B, BODY),
    (B, BODY + f"--{B}--".encode()),
    (B, BODY[:-5]),
    (B, BODY[: len(BODY) // 2]),
    (B, part('name="a"') + file("f", "cut.bin", b"c" * 20_000)[:-9_000]),
    (B, b"preamble\r\n" + BODY + END + b"epilogue" + BODY),
    (B, BODY.replace(b"\r\n", b"\n") + END.replace(b"\r\n", b"\n")),
    ("another", BODY + END),
    (f'"{B}"', BODY + END),
    (f"{B}; charset=utf-8", BODY + END),
    (f"{B}, x", BODY + END),
    ("", BODY + END),
    ("x" * 6000, BODY + END),
    (B, b""),
    (B, b"\r\n"),
    (B, b"x" * 10_000),
    (B, BODY + b"x" * 200_000 + END),
    (B, LARGE),
    (B, LARGE[:-2]),
    (B, LARGE[:-30_000]),
    (B, LARGE + f"--{B}x\r\nlost\r\n".encode() + LARGE + END),
    (B, (LARGE + END).replace(b"\r\n", b"\n")),
    (B[:-1], LARGE + END),
    (f'"{B}"; x', LARGE + END),
]
TYPES = [
    "multipart/form-data",
    "multipart/form-data; Boundary=" + B,
    f"Multipart/Form-Data; boundary={B}",
    f"multipart/mixed; boundary={B}",
    f"multipart/form-data; charset=utf-8; boundary={B}",
    f"multipart/form-data;boundary={B};x",
    f"multipart/form-datax; boundary={B}",
]


class Uploads(App):
    name = "uploads"
    ini = {
        "max_file_uploads": "5",
        "max_input_nesting_level": "8",
        "max_input_vars": "50",
        "upload_max_filesize": "200K",
    }

    async def prepare(self, place):
        write(os.path.join(self.root(place), "index.php"), SCRIPT)
        write(os.path.join(self.root(place), "callback.php"), CALLBACK)

    async def visit(self, browser):
        bodies = [(f"multipart/form-data; boundary={B}", b"".join(parts) + END) for parts in WHOLE]
        bodies += [(f"multipart/form-data; boundary={boundary}", body) for boundary, body in ODD]
        bodies += [(kind, BODY + END) for kind in TYPES]
        for nth, (kind, body) in enumerate(bodies):
            answer = await browser.request("POST", f"/index.php?{nth}", body, [("content-type", kind)], 200)
            answer.has("'files' =>", "'input' =>")


class ByCallback(Uploads):
    callback = "callback.php"


class ByStreamingCallback(ByCallback):
    # The parser reads while the form arrives.
    options = {"body_stream": True}


async def by_callback(run, app):
    """What a callback for requests has in its request is what a script under php-fpm has."""
    run.reference = run.reference or await run.visit(Fpm, "h1")
    # The raw content is there as well as the form, which php://input is not.
    replacements = [(r"'input' => \d+", "'input' => …")]
    for protocol in ("h1", "h2", "h3"):
        with Ferrite(app, run.place, run.certificates) as serving:
            async with browse(serving, protocol) as browser:
                await app.visit(browser)
                seen = browser.seen
        told = Comparison(replacements).differences(run.reference, seen)
        if told or len(seen) != len(run.reference):
            raise Failed(f"over {protocol} differs from php-fpm:\n{told}")


Uploads.tests = {
    "in the request of a callback": lambda run: by_callback(run, ByCallback()),
    "in the request of a callback that begins before they are there": lambda run: by_callback(
        run, ByStreamingCallback()
    ),
}
APP = Uploads()
