"""How each server is started and stopped. Everything is on loopback and in a temporary folder."""

import contextlib
import getpass
import glob
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import time

import stopping
from applications import Applications
from documents import page, read, write

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS_MAX = 15
# Open files that this process, and so each server, may have.
FILES = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 100_000)
resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
STOP_SECONDS_MAX = 10
PEER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
OWN_NAMES = ("ferrite", "base", "nginx", "fpm", "caddy")
NGINX_LISTENS = {"h1": "", "h2c": " http2", "tls-h1": " ssl", "tls-h2": " ssl http2"}


class ServerError(Exception):
    """A server that cannot be started or does not answer as it should."""


def free_port():
    """A port that nothing listens on now, by TCP or UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
                return tcp.getsockname()[1]
            except OSError:
                continue


class Server:
    """A server that runs: one or more commands, each the head of a tree of processes."""

    # Those that have not been stopped.
    running = []

    def __init__(self, name, port, commands, folder, certificate=None, environment=None):
        self.name, self.port, self.certificate = name, port, certificate
        self.log = os.path.join(folder, f"{name}-{port}.log")
        self.environment = environment
        # Of memory, before large transfers.
        self.idle_bytes = None
        self.processes = []
        Server.running.append(self)
        try:
            for command in commands:
                self._spawn(command)
            self._wait()
        except BaseException:
            self.stop()
            raise

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    def url(self, path):
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}{path}"

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes = []
        with contextlib.suppress(ValueError):
            Server.running.remove(self)

    def must_run(self):
        """Fails with its last words when one of its commands has ended."""
        for process in self.processes:
            if process.poll() is not None:
                raise ServerError(
                    f"{self.name} ended with code {process.returncode}: {self.said()}"
                )

    def said(self):
        """The end of its log, for an error message."""
        with open(self.log, errors="replace") as file:
            return file.read()[-2000:].strip()

    def _spawn(self, command):
        # A session of its own: what it starts can be found, and does not get our Ctrl-C.
        with open(self.log, "ab") as log, stopping.held():
            self.processes.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.environment,
                    start_new_session=True,
                )
            )

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            self.must_run()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise ServerError(f"{self.name} does not listen on port {self.port}: {self.said()}")


class Starter:
    """Knows every server by name, and starts it for a case."""

    def __init__(self, folder, library, base=None, peers=""):
        self.folder = folder
        self.ours = {"ferrite": library}
        if base:
            self.ours["base"] = base
        self.peers = parse_peers(peers)
        self.applications = Applications(folder)
        self.nginx_binary = shutil.which("nginx") or "/usr/sbin/nginx"
        self.fpm_binary = shutil.which("php-fpm") or next(
            iter(sorted(glob.glob("/usr/sbin/php-fpm*"))), "php-fpm"
        )
        # A master that runs as root gives its workers away.
        self.user = "www-data" if os.geteuid() == 0 else getpass.getuser()
        self._write_documents()
        self._write_certificate()
        self._write_ini()

    def names(self, case):
        """The servers that a case is measured with, ours first."""
        names = [name for name in case.servers if name != "ferrite"]
        peers = [
            name
            for name, command in self.peers.items()
            if case.protocol == "h1" or "{protocol}" in command
            if bool(case.application) == ("{root}" in command)
        ]
        return [*self.ours, *names, *peers]

    def start(self, name, case):
        if case.application:
            return self._start_application(name, case)
        if name in self.ours:
            return self._start_ours(name, case)
        if name in self.peers:
            return self._start_peer(name, case)
        return self._start_theirs(name, case)

    def end(self):
        """Ends what still runs, and what applications need beside their servers."""
        for server in list(Server.running):
            server.stop()
        self.applications.end()

    def _start_application(self, name, case):
        try:
            application = self.applications.get(case.application)
            server = self._start_with(name, case, application)
            if not application.installed:
                # What the first request makes, such as caches, is not a part of what is measured.
                try:
                    application.install(server, case.path)
                finally:
                    server.stop()
                server = self._start_with(name, case, application)
            return server
        except Exception as error:
            raise ServerError(str(error)) from error

    def _start_with(self, name, case, application):
        if name in self.ours:
            return self._start_ours(name, case, application)
        if name in self.peers:
            return self._start_peer(name, case, application)
        return self._start_theirs(name, case, application)

    def versions(self):
        """What was measured, for the report."""

        def first_line(*command):
            if not shutil.which(command[0]):
                return "none"
            done = subprocess.run(command, capture_output=True, text=True)
            return (done.stdout + done.stderr).strip().split("\n")[0]

        return {
            "php": first_line("php", "-v"),
            "opcache": self.opcache,
            "nginx": first_line(self.nginx_binary, "-v"),
            "php-fpm": first_line(self.fpm_binary, "-v"),
            "wrk": first_line("wrk", "-v"),
            "h2load": first_line("h2load", "--version"),
            "openssl": first_line("openssl", "version"),
            "caddy": first_line("caddy", "version"),
        }

    def _start_ours(self, name, case, application=None):
        port = free_port()
        if application:
            command = application.command(case.way, self.ours[name], port, case.workers)
            return self._server(name, port, [command], case)
        command = ["php", "-d", f"extension={self.ours[name]}", f"{HERE}/server.php"]
        command += ["--port", str(port), "--workers", str(case.workers)]
        command += ["--reactors", "1", "--case", case.handler, "--protocol", case.protocol]
        command += ["--certificate", self.certificate, "--key", self.key]
        command += ["--documents", self.documents]
        return self._server(name, port, [command], case)

    def _server(self, name, port, commands, case):
        certificate = self.certificate if case.tls else None
        return Server(name, port, commands, self.folder, certificate, self.environment)

    def _start_peer(self, name, case, application=None):
        port = free_port()
        values = {
            "port": port,
            "workers": case.workers,
            "case": case.handler,
            "protocol": case.protocol,
            "certificate": self.certificate,
            "key": self.key,
            "bench": HERE,
            "documents": self.documents,
            "root": application.root if application else "",
            "script": application.script if application else "",
            "ini": application.ini if application else "",
        }
        command = [part.format(**values) for part in shlex.split(self.peers[name])]
        return self._server(name, port, [command], case)

    def _start_theirs(self, name, case, application=None):
        """nginx, or php-fpm behind nginx or Caddy."""
        port = free_port()
        place = os.path.join(self.folder, f"{name}-{port}")
        os.mkdir(place)
        os.chmod(place, 0o755)
        values = {
            "port": port,
            "listen": NGINX_LISTENS.get(case.protocol),
            "certificate": self.certificate,
            "key": self.key,
            "place": place,
            "documents": self.documents,
            "scripts": self.scripts,
            "user": f"user {self.user};" if os.geteuid() == 0 else "",
            "pool_user": f"user = {self.user}" if os.geteuid() == 0 else "",
            "owner": self.user,
            "workers": case.workers,
            "files": FILES,
            "connections": FILES // 2,
            "socket": f"{place}/fpm.sock",
        }
        commands, locations = [], name
        settings = []
        if application:
            # What it writes is its user's, which is that of our workers, too.
            values |= {"user": "user root;" if os.geteuid() == 0 else "", "owner": getpass.getuser()}
            values |= {"pool_user": "user = root" if os.geteuid() == 0 else ""}
            values |= {"documents": application.root, "script": application.script}
            locations = "application"
            settings = ["-c", application.ini, *(["-R"] if os.geteuid() == 0 else [])]
        if name in ("fpm", "caddy"):
            config = write(f"{place}/fpm.conf", read(f"{HERE}/conf/fpm.conf"), values)
            commands.append([self.fpm_binary, "-F", *settings, "-y", config])
        if name == "caddy":
            config = write(f"{place}/Caddyfile", read(f"{HERE}/conf/Caddyfile"), values)
            commands.append(["env", f"XDG_CONFIG_HOME={place}", f"XDG_DATA_HOME={place}"])
            commands[-1] += ["caddy", "run", "--config", config, "--adapter", "caddyfile"]
            return self._server(name, port, commands, case)
        values["locations"] = read(f"{HERE}/conf/locations-{locations}.conf") % values
        config = write(f"{place}/nginx.conf", read(f"{HERE}/conf/nginx.conf"), values)
        commands.append([self.nginx_binary, "-p", place, "-c", config, "-e", f"{place}/error.log"])
        return self._server(name, port, commands, case)

    def _write_certificate(self):
        """What every server shows to its clients: ECDSA with P-256, the common choice of today."""
        self.certificate, self.key = f"{self.folder}/certificate.pem", f"{self.folder}/key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        command += ["-keyout", self.key, "-out", self.certificate]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            raise ServerError("openssl not found: run script/setup --bench") from None
        if done.returncode != 0:
            raise ServerError(f"openssl makes no certificate: {done.stderr.strip()[-300:]}")
        for path in (self.certificate, self.key):
            os.chmod(path, 0o644)

    def _write_ini(self):
        """Every PHP has its code in opcache: php-fpm by itself, programs of php-cli by this."""
        place = os.path.join(self.folder, "php")
        os.mkdir(place)
        os.chmod(place, 0o755)
        # What php.ini and its folder say holds before it.
        folders = f"{os.environ.get('PHP_INI_SCAN_DIR', '')}:{place}"
        self.environment = {**os.environ, "PHP_INI_SCAN_DIR": folders}
        settings = ["opcache.enable=1", "opcache.enable_cli=1"]
        if self._opcache() is None:
            settings.insert(0, "zend_extension=opcache")
        with open(os.path.join(place, "opcache.ini"), "w") as file:
            file.write("\n".join(settings) + "\n")
        os.chmod(file.name, 0o644)
        self.opcache = {True: "on", False: "off", None: "not there"}[self._opcache()]

    def _opcache(self):
        """Whether programs of php-cli have their code in opcache; None: it is not loaded."""
        code = "echo json_encode(function_exists('opcache_get_status') ? "
        code += "(bool) @opcache_get_status(false) : null);"
        done = subprocess.run(
            ["php", "-r", code], env=self.environment, capture_output=True, text=True
        )
        return {"true": True, "false": False}.get(done.stdout.strip())

    def _write_documents(self):
        """What nginx serves and php-fpm runs, where their users may read it."""
        self.documents = os.path.join(self.folder, "documents")
        for folder in ("size", "static", "sendfile", "coded"):
            os.makedirs(os.path.join(self.documents, folder))
        shutil.copy(f"{HERE}/fpm.php", self.documents)
        # Caddy looks for files before it asks PHP.
        self.scripts = os.path.join(self.folder, "scripts")
        os.makedirs(self.scripts)
        shutil.copy(f"{HERE}/fpm.php", self.scripts)
        for size in (16384, 1 << 20):
            for folder in ("size", "static", "sendfile"):
                with open(f"{self.documents}/{folder}/{size}", "wb") as file:
                    file.write(b"x" * size)
        write(f"{self.documents}/coded/gzip", page(64 << 10), {})
        for folder, _, files in os.walk(self.folder):
            os.chmod(folder, 0o755)
            for file in files:
                os.chmod(os.path.join(folder, file), 0o644)


def parse_peers(text):
    """{name: command} of FERRITE_BENCH_PEERS: name=command; name=command."""
    peers = {}
    for entry in filter(None, (entry.strip() for entry in text.split(";"))):
        name, equals, command = entry.partition("=")
        name = name.strip()
        if not equals or "{port}" not in command:
            raise ServerError(
                f"FERRITE_BENCH_PEERS: '{entry}' is not NAME=COMMAND with {{port}} in the command"
            )
        if not PEER_NAME.fullmatch(name):
            raise ServerError(
                f"FERRITE_BENCH_PEERS: '{name}' is no name: letters, digits, '_', '.' and '-', "
                "a letter or a digit first"
            )
        if name in OWN_NAMES or name in peers:
            raise ServerError(f"FERRITE_BENCH_PEERS: '{name}' is the name of another server")
        peers[name] = command.strip()
    return peers
