"""An application served by nginx with php-fpm, and by Ferrite: both from the same folder, private, on loopback."""

import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

import processes
from suite import Failed

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS = 30
END_SECONDS = 15

# Where the front script gets what is no file; a hidden file is no file.
NGINX = """
{user}
daemon off;
pid {place}/nginx.pid;
error_log {place}/nginx.log;
worker_processes 1;
events {{ }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_max_body_size 64m;
    client_body_temp_path {place}/nginx-body;
    fastcgi_temp_path {place}/nginx-fastcgi;
    proxy_temp_path {place}/nginx-proxy;
    uwsgi_temp_path {place}/nginx-uwsgi;
    scgi_temp_path {place}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        server_name localhost;
        ssl_certificate {place}/server.pem;
        ssl_certificate_key {place}/server.key;
        root {root};
        index index.php index.html;
        absolute_redirect off;
        location / {{ try_files $uri $uri/ /{script}$is_args$args; }}
        location ~ /\\.(?!well-known/) {{ rewrite ^ /{script} last; }}
        {deny}
        location ~ \\.php(/|$) {{
            fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
            set $path_info $fastcgi_path_info;
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_param PATH_INFO $path_info;
            fastcgi_pass unix:{place}/fpm.sock;
            fastcgi_buffers 64 16k;
            fastcgi_buffer_size 64k;
        }}
    }}
}}
"""

FPM = """
[global]
daemonize = no
error_log = {place}/fpm.log
[www]
{user}
listen = {place}/fpm.sock
listen.mode = 0600
pm = static
pm.max_children = {workers}
catch_workers_output = yes
"""

# What a production php.ini of Debian says, for both.
INI = {
    "date.timezone": "UTC",
    "display_errors": "0",
    "error_reporting": "22527",
    "html_errors": "0",
    "log_errors": "1",
    "memory_limit": "256M",
    "opcache.enable": "1",
    "opcache.enable_cli": "1",
    "output_buffering": "4096",
    "post_max_size": "32M",
    "register_argc_argv": "0",
    "request_order": "GP",
    "session.gc_probability": "0",
    "upload_max_filesize": "16M",
    "variables_order": "GPCS",
    "zend.assertions": "-1",
}


def fpm_program():
    found = shutil.which("php-fpm") or next(iter(sorted(glob.glob("/usr/sbin/php-fpm*"))), None)
    return found


def nginx_program():
    found = shutil.which("nginx") or "/usr/sbin/nginx"
    return found if os.access(found, os.X_OK) else None


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        # It may be a link to a file of a package.
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def install(package, root):
    """Puts an application there, as links to its files where that can be: it does not write to them."""
    for links in ("-l", None):
        shutil.rmtree(root, ignore_errors=True)
        command = filter(None, ["cp", "-rL", links, package, root])
        if subprocess.run(list(command), capture_output=True).returncode == 0:
            return
    raise Failed(f"{package} cannot be copied")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Program:
    """A process of a server, which is ended with it."""

    def __init__(self, arguments, log, cwd, stop, environment):
        self.stop = stop
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=cwd,
                # What a script sees of it is the same then.
                env={"PATH": os.environ["PATH"]} | environment,
            )

    def end(self):
        """Asks it to end, and makes it. Returns its exit code; None when it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop)
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


class Serving:
    """`with Serving(app, place, certificates) as serving:`; a kind says which programs."""

    def __init__(self, app, place, certificates, workers=1):
        self.app, self.place, self.certificates = app, place, certificates
        self.workers = workers
        self.programs = []
        self.log_path = os.path.join(place, f"{self.kind}.out")

    def __enter__(self):
        sessions = os.path.join(self.place, "sessions")
        shutil.rmtree(sessions, ignore_errors=True)
        os.mkdir(sessions)
        # What applications keep in the folder for uploads is gone with the next run.
        folders = {"session.save_path": sessions, "upload_tmp_dir": sessions, "sys_temp_dir": sessions}
        ini = INI | folders | self.app.ini
        write(f"{self.place}/php.ini", "".join(f'{name} = "{ini[name]}"\n' for name in ini))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.log_path)
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, *_):
        codes = [program.end() for program in reversed(self.programs)]
        if kind is None and any(codes):
            raise Failed(f"{self.kind} ended with {codes}: {self.log()[-1000:]}")

    def run(self, arguments, stop=signal.SIGTERM, environment={}):
        program = Program(arguments, self.log_path, self.place, stop, environment)
        self.programs.append(program)

    def wait(self, ready):
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            ended = any(program.process.poll() is not None for program in self.programs)
            if ended or time.monotonic() > deadline:
                raise Failed(f"{self.kind} did not start; it said: {self.log()[-2000:]}")
            time.sleep(0.02)

    def log(self):
        text = ""
        for path in (self.log_path, *self.logs()):
            with contextlib.suppress(FileNotFoundError):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def logs(self):
        return ()


class Fpm(Serving):
    """nginx and php-fpm."""

    kind = "php-fpm"

    def logs(self):
        return (f"{self.place}/fpm.log", f"{self.place}/nginx.log")

    def start(self):
        is_root = os.geteuid() == 0
        for path in (*self.logs(), f"{self.place}/fpm.sock"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self.port = free_port()
        deny = "\n".join(f"location ^~ {path}/ {{ {self.deny()} }}" for path in self.app.deny)
        values = {
            "place": self.place,
            "root": self.app.root(self.place),
            "script": self.app.script,
            "port": self.port,
            "deny": deny,
            "workers": self.workers,
        }
        user = "user root;" if is_root else ""
        write(f"{self.place}/nginx.conf", NGINX.format(user=user, **values))
        user = "user = root\ngroup = root" if is_root else ""
        write(f"{self.place}/fpm.conf", FPM.format(user=user, **values))
        fpm = [fpm_program(), "-F", "-c", f"{self.place}/php.ini", "-y", f"{self.place}/fpm.conf"]
        self.run(fpm + (["-R"] if is_root else []))
        log = f"{self.place}/nginx.log"
        self.run([nginx_program(), "-p", self.place, "-c", f"{self.place}/nginx.conf", "-e", log])
        self.wait(lambda: os.path.exists(f"{self.place}/fpm.sock") and listens(self.port))

    @staticmethod
    def deny():
        """Files are sent and PHP is not run, as `php_deny` says."""
        return "location ~ \\.php(/|$) { return 403; }"


class Ferrite(Serving):
    """One Ferrite for HTTP/1.1, HTTP/2 and HTTP/3."""

    kind = "ferrite"

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.place}/ready")
        options = {
            "worker_num": self.workers,
            "reactor_num": 1,
            "package_max_length": "64M",
            # Whatever else the machine has to do: no request is to be given up.
            "request_queue_timeout": 600,
        } | self.app.options
        callback = []
        root = self.app.root(self.place)
        if self.app.callback:
            callback = [os.path.join(root, self.app.callback)]
        elif self.app.worker:
            worker = os.path.join(root, self.app.worker)
            options = {"document_root": root, "worker_script": worker} | options
        else:
            scripts = {"document_root": root, "script": self.app.script}
            options = scripts | {"php_deny": self.app.deny} | options
        php = json.loads(os.environ["FERRITE_PHP"]) + ["-c", f"{self.place}/php.ini"]
        arguments = [*php, f"{HERE}/server.php", self.place, json.dumps(options), *callback]
        self.run(arguments, signal.SIGINT, self.app.environment)
        self.wait(lambda: os.path.exists(f"{self.place}/ready"))
        with open(f"{self.place}/ready", encoding="utf-8") as file:
            told = json.load(file)
        self.port, self.pid = told["port"], told["pid"]

    def children(self):
        """Process ids by title: `reactor`, `worker 0`, …"""
        return processes.children(self.pid)

    def worker_ids(self):
        return processes.workers(self.pid)

    def reload(self):
        os.kill(self.pid, signal.SIGUSR1)


def listens(port):
    """Whether somebody accepts there, by TLS."""
    context = ssl._create_unverified_context()
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as sock:
            with context.wrap_socket(sock):
                return True
    except OSError:
        return False
