"""Tests of what measures: servers that hang, answer wrongly or have odd names. Run by
script/checks/bench."""

import contextlib
import io
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import types
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from unittest import mock

import drivers
import transfer
from applications import Application, ApplicationError
from cases import CASES, HANDSHAKES
from servers import HERE, ServerError, Starter, parse_peers

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\nHello, World!\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone"
CASE = next(case for case in CASES if case.kind == HANDSHAKES and not case.resumed)


class Answering:
    """A TLS server on loopback that gives these answers, and then the last for ever; None: it says
    nothing, not even in the handshake."""

    def __init__(self, folder, certificate, key, *answers):
        self.name, self.certificate = "played", certificate
        self.log = os.path.join(folder, "played.log")
        self.answers = list(answers)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is None:
                    self.open.append(client)
                    continue
                with contextlib.suppress(OSError):
                    with self.context.wrap_socket(client, server_side=True) as tls:
                        tls.recv(1 << 16)
                        tls.sendall(answer)
                        tls.unwrap().close()

    def said(self):
        return "nothing"

    def stop(self):
        self.listener.close()
        for client in self.open:
            client.close()


class Handshakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.starter = Starter(cls.folder, "none")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def load(self, *answers):
        server = Answering(self.folder, self.starter.certificate, self.starter.key, *answers)
        try:
            return drivers.load(server, CASE, 1)
        finally:
            server.stop()

    def test_answers_are_counted(self):
        self.assertGreater(self.load(OK)["requests"], 0)

    def test_a_404_is_no_success(self):
        with self.assertRaisesRegex(ServerError, "404"):
            self.load(NOT_FOUND)

    def test_a_404_among_others_is_no_success(self):
        with self.assertRaisesRegex(ServerError, "not the wanted one"):
            self.load(OK, OK, NOT_FOUND, OK)

    def test_a_server_that_hangs_in_the_handshake_is_an_error_of_its_own(self):
        with mock.patch.object(drivers, "deadline_of", lambda seconds: 3):
            with self.assertRaisesRegex(ServerError, "does not end within 3 s"):
                self.load(OK, None)


class Counting(BaseHTTPRequestHandler):
    """Says how many bytes have come, or one more; sends as many as are asked for, or one fewer."""

    protocol_version = "HTTP/1.1"
    wrong = 0

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(f"{len(content) + self.wrong}\n".encode())

    def do_GET(self):
        self.answer(b"x" * ((1 << 20) - self.wrong))

    def answer(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Transfers(unittest.TestCase):
    def once(self, name, wrong=0, ask=lambda server, case: transfer.once(server, transfer.small(case))):
        [case] = [case for case in CASES if case.name == name]
        with tempfile.TemporaryDirectory() as folder:
            handler = type("Handler", (Counting,), {"wrong": wrong})
            server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            played = types.SimpleNamespace(
                name="played",
                log=os.path.join(folder, "played.log"),
                url=lambda path: f"http://127.0.0.1:{server.server_port}{path}",
            )
            try:
                ask(played, case)
            finally:
                server.shutdown()
                server.server_close()

    def test_what_comes_whole_is_right(self):
        self.once("256 MiB upload")
        self.once("256 MiB download")

    def test_a_byte_too_few_is_an_error(self):
        for name in ("256 MiB upload", "256 MiB download"):
            with self.assertRaisesRegex(ServerError, "of 1048576 bytes"):
                self.once(name, wrong=1)

    def test_a_page_that_is_not_compressed_is_an_error(self):
        with self.assertRaisesRegex(ServerError, "does not compress"):
            self.once("gzip 64 KiB page", ask=drivers.ask)


# Listens, says its pid in a file, and answers nothing.
MUTE = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
with open(sys.argv[2] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[2] + ".new", sys.argv[2])
kept = []
while True:
    kept.append(listener.accept())
"""


@unittest.skipUnless(shutil.which("wrk"), "wrk is not there")
class Stopping(unittest.TestCase):
    def test_a_signal_leaves_no_server(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with tempfile.TemporaryDirectory() as folder:
                program, told = os.path.join(folder, "mute.py"), os.path.join(folder, "pid")
                with open(program, "w") as file:
                    file.write(MUTE)
                peers = f"mute={sys.executable} {program} {{port}} {told}"
                command = [sys.executable, os.path.join(HERE, "..", "script", "bench")]
                command += ["hello", "--servers", "mute", "--quick"]
                bench = subprocess.Popen(
                    command,
                    env={**os.environ, "FERRITE_BENCH_PEERS": peers},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    # What a shell runs in the background ignores SIGINT.
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
                )
                try:
                    # It waits for the first answer by now.
                    self.wait_until(lambda: os.path.exists(told) or bench.poll() is not None)
                    self.assertIsNone(bench.poll(), "it has ended by itself")
                    with open(told) as file:
                        pid = int(file.read())
                    bench.send_signal(number)
                    self.assertEqual(bench.wait(60), 128 + number, bench.stderr.read())
                    # It was waited for, so nothing is left of it.
                    self.assertFalse(os.path.exists(f"/proc/{pid}"))
                finally:
                    bench.kill()
                    bench.communicate()

    def wait_until(self, so):
        deadline = time.monotonic() + 60
        while not so():
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.02)


class Peers(unittest.TestCase):
    def test_names(self):
        peers = parse_peers("swoole-6.1=a {port}; road_runner=b {port}")
        self.assertEqual(list(peers), ["swoole-6.1", "road_runner"])

    def test_names_that_are_none_are_said_to_be(self):
        for text in ("a/b=c {port}", "-a=c {port}", "a b=c {port}", "=c {port}"):
            with self.assertRaisesRegex(ServerError, "letters, digits"):
                parse_peers(text)
        for text in ("nginx=c {port}", "a=c {port};a=d {port}"):
            with self.assertRaisesRegex(ServerError, "another server"):
                parse_peers(text)


class Opcache(unittest.TestCase):
    def test_every_php_has_it(self):
        with tempfile.TemporaryDirectory() as folder:
            starter = Starter(folder, "none")
            self.assertEqual(starter.versions()["opcache"], "on")
            code = "echo (int) ini_get('opcache.enable_cli');"
            command = ["php", "-r", code]
            done = subprocess.run(command, env=starter.environment, capture_output=True, text=True)
            self.assertEqual(done.stdout, "1")


class Commands(unittest.TestCase):
    """Every way of every application is started by a script that PHP can read."""

    def commands(self, name):
        with tempfile.TemporaryDirectory() as folder:
            try:
                application = Application(name, os.path.join(folder, name))
            except ApplicationError as error:
                self.skipTest(str(error))
            try:
                for way in [case.way for case in CASES if case.application == name]:
                    command = application.command(way, "none", 9501, 2)
                    [script, *arguments] = command[command.index("extension=none") + 1 :]
                    named = [argument for argument in arguments if argument.startswith("/")]
                    for file in [script, *filter(os.path.isfile, named)]:
                        done = subprocess.run(["php", "-l", file], capture_output=True, text=True)
                        self.assertEqual(done.returncode, 0, done.stdout)
                    yield way, script, arguments
            finally:
                application.end()

    def test_a_script_that_says_hello(self):
        found = [way for way, *_ in self.commands("echo")]
        self.assertEqual(found, ["classic", "callback", "pull"])

    def test_symfony_and_its_package(self):
        scripts = {way: script for way, script, _ in self.commands("symfony")}
        self.assertEqual(list(scripts), ["classic", "callback", "pull", "package"])
        self.assertEqual(os.path.basename(scripts["package"]), "package.php")

    def test_laravel_and_octane(self):
        found = {way: (script, arguments) for way, script, arguments in self.commands("laravel")}
        self.assertEqual(list(found), ["classic", "callback", "pull", "package"])
        script, arguments = found["package"]
        self.assertEqual(os.path.basename(script), "artisan")
        self.assertIn("--workers=2", arguments)
        self.assertIn("--port=9501", arguments)


class Tools(unittest.TestCase):
    """What is missing keeps the cases away that need it, and no others."""

    def need(self, missing, *cases):
        path = os.path.join(os.path.dirname(HERE), "script", "bench")
        loader = SourceFileLoader("bench_script", path)
        bench = module_from_spec(spec_from_loader("bench_script", loader))
        loader.exec_module(bench)
        options = types.SimpleNamespace(
            cases=cases, servers=None, library=__file__, base=None, profile=False
        )
        found = lambda tool: None if tool in missing else f"/usr/bin/{tool}"  # noqa: E731
        said = io.StringIO()
        with mock.patch.object(shutil, "which", found), contextlib.redirect_stderr(said):
            return [case.protocol for case in bench.need(options)], said.getvalue()

    def test_cases_of_http1_do_not_need_h3load(self):
        protocols, said = self.need([drivers.H3LOAD], "hello")
        self.assertIn("h1", protocols)
        self.assertNotIn("h3", protocols)
        self.assertIn("h3 hello", said)
        self.assertIn("--package h3load", said)

    def test_with_nothing_left_it_fails(self):
        with self.assertRaises(SystemExit):
            self.need([drivers.H3LOAD], "h3 hello")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main(verbosity=2)
