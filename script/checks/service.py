"""What script/checks/service runs: each function below is a check, and its first line says what must hold."""

import contextlib
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PHP = json.loads(os.environ["FERRITE_PHP"])
SERVER = os.path.join(ROOT, "script/checks/service.php")
# Seconds until something that must happen has failed to.
PATIENCE = 30


class Failed(Exception):
    """Something does not hold."""


class Missing(Exception):
    """This machine cannot show it."""


def expect(condition, what):
    if not condition:
        raise Failed(what)


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        expect(time.monotonic() < deadline, f"in vain for {PATIENCE} s: {what}")
        time.sleep(0.02)
    return found


def command(given):
    return [*PHP, SERVER, json.dumps(given)]


class Server:
    """A server that has said on standard output that it is up."""

    def __init__(self, given, before=(), environment=None, **more):
        self.process = subprocess.Popen(
            [*before, *command(given)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})}, **more)
        lines = []
        # The banner comes first.
        while not (lines and lines[-1].startswith("{")):
            lines.append(self.process.stdout.readline())
            if not lines[-1]:
                raise Failed(f"the server does not start: {''.join(lines)}{self.process.communicate()[1]}")
        said = json.loads(lines[-1])
        self.port, self.workers = said["port"], said["workers"]

    def stop(self):
        """Its exit code, and what it has said on standard error."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE), self.process.communicate()[1]


@contextlib.contextmanager
def serving(*given, **more):
    server = Server(*given, **more)
    try:
        yield server
    finally:
        server.stop()


def ask(place, path="/"):
    """An answer's content; `place` is a port or the path of a Unix socket."""
    connection = http.client.HTTPConnection("127.0.0.1", timeout=PATIENCE)
    if isinstance(place, str):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE)
        connection.sock.connect(place)
    else:
        connection.port = place
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Host": "localhost"})
        response = connection.getresponse()
        content = response.read().decode()
        expect(response.status == 200, f"{path}: {response.status} {content}")
        return content


class ServiceManager:
    """Listens as systemd does on NOTIFY_SOCKET."""

    def __init__(self, folder, abstract=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.name = f"@ferrite-service-{os.getpid()}" if abstract else os.path.join(folder, "notify")
        self.socket.bind("\0" + self.name[1:] if abstract else self.name)

    def hear(self, wanted):
        """The next message with this assignment, and the names of the others that came before it."""
        passed = []
        while True:
            lines = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
            if wanted in lines:
                return lines, passed
            passed.extend(lines)


def notify(folder):
    """systemd hears of the start, twice a watchdog's time that the server lives, of reloads and of the stop."""
    for abstract in (False, True):
        manager = ServiceManager(folder, abstract)
        environment = {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000"}
        with serving({"options": {"max_wait_time": 7}}, environment=environment) as server:
            said, before = manager.hear("READY")
            expect("0 of 2 workers busy" in said["STATUS"] and not before, f"at the start: {said} {before}")
            # Each must come within the time; the socket's patience is the deadline.
            started = time.monotonic()
            for _ in range(4):
                said, _ = manager.hear("WATCHDOG")
            expect(time.monotonic() - started >= 0.4, "the watchdog is told more often than is of use")
            ask(server.port)
            until(lambda: "1 requests so far" in manager.hear("WATCHDOG")[0]["STATUS"], "a status with figures")
            server.process.send_signal(signal.SIGHUP)
            said, _ = manager.hear("RELOADING")
            expect(int(said["MONOTONIC_USEC"]) > 0, f"a reload: {said}")
            manager.hear("READY")
            server.process.terminate()
            said, _ = manager.hear("STOPPING")
            expect(said["EXTEND_TIMEOUT_USEC"] == "7000000", f"a stop: {said}")
            code, log = server.stop()
            expect(code == 0, f"it ended with {code}: {log}")
        manager.socket.close()


def notify_of_another(folder):
    """A watchdog of another process is none, and a service manager that is gone harms nobody."""
    environment = {"NOTIFY_SOCKET": os.path.join(folder, "nobody"), "WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"}
    with serving({}, environment=environment) as server:
        expect(ask(server.port).startswith("hello"), "it serves")
        expect(server.stop() == (0, ""), "it ends well and says nothing")


def activated(given, sockets, names):
    """A server with these sockets from descriptor 3 on, as a service manager starts it."""

    def arrange():
        # Beyond all that they are to become, first.
        high = [os.dup2(fd, 200 + nth, inheritable=False) for nth, fd in enumerate(numbers)]
        for nth, fd in enumerate(high):
            os.dup2(fd, 3 + nth, inheritable=True)

    numbers = [one.fileno() for one in sockets]
    shell = f'LISTEN_PID=$$ LISTEN_FDS={len(sockets)} LISTEN_FDNAMES={":".join(names)}; ' \
        'export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES; exec "$@"'
    return Server(given, before=["sh", "-c", shell, "sh"], preexec_fn=arrange, close_fds=False)


def listeners(folder):
    tcp = socket.create_server(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(os.path.join(folder, "local.sock"))
    unix.listen()
    for one in (tcp, unix):
        one.set_inheritable(False)
    return tcp, unix


def activation(folder):
    """Ports take the sockets of a service manager, which outlive the server: nobody is refused at a restart."""
    tcp, unix = listeners(folder)
    port, path = tcp.getsockname()[1], unix.getsockname()
    for host, more in (("SYSTEMD", ["SYSTEMD"]), ("SYSTEMD:local", ["SYSTEMD:web"])):
        server = activated({"host": host, "listen": more}, (tcp, unix), ("web", "local"))
        expect(server.port == (port if host == "SYSTEMD" else 0), f"{host} is at {server.port}")
        expect(ask(port).startswith("hello") and ask(path).startswith("hello"), "both are served")
        code, log = server.stop()
        expect((code, log) == (0, ""), f"it ended with {code}: {log}")
        expect(os.path.exists(path), "the socket of another is not removed")
        # Who comes now is served by the next.
        waiting = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        waiting.request("GET", "/")
        server = activated({"host": "SYSTEMD"}, (tcp,), ("web",))
        expect(waiting.getresponse().read().startswith(b"hello"), "a client that came in between")
        waiting.close()
        server.stop()


def activation_refused(folder):
    """What a port wants of a service manager and does not get is said."""
    tcp, unix = listeners(folder)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    for given, sockets, wanted in (
        ({"host": "SYSTEMD:api"}, (tcp, unix), "there are web, local (FileDescriptorName=)"),
        ({"host": "SYSTEMD:web", "listen": ["SYSTEMD:web"]}, (tcp, unix), "taken by another port"),
        ({"host": "SYSTEMD", "listen": ["SYSTEMD", "SYSTEMD"]}, (tcp, unix), "taken by another port"),
        ({"host": "SYSTEMD"}, (datagrams,), "ListenStream="),
    ):
        try:
            activated(given, sockets, ("web", "local")[: len(sockets)]).stop()
        except Failed as failed:
            expect(wanted in str(failed), f"{given}: {failed}")
        else:
            raise Failed(f"{given} has started")
    done = subprocess.run(command({"host": "SYSTEMD"}), capture_output=True, text=True, timeout=PATIENCE)
    expect("no sockets were passed to this process" in done.stdout + done.stderr, f"{done}")


def first_process(folder):
    """As process 1 the server reaps the orphans of its callbacks, and SIGTERM ends it when the work is done."""
    if os.geteuid() != 0:
        raise Missing("only root makes namespaces of processes")
    # Its child is process 1, and ends with it.
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with serving({}, before=alone) as server:
        (first,) = open(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read().split()
        expect("NSpid:\t" + first + "\t1\n" in open(f"/proc/{first}/status").read(), "it is not process 1")
        for _ in range(20):
            ask(server.port, "/orphan")
        until(lambda: ask(server.port, "/zombies") == "0\n", "no zombies are left")
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        client.request("GET", "/slow")
        until(lambda: ask(server.port, "/requests") and busy(server), "the request is in work")
        os.kill(int(first), signal.SIGTERM)
        expect(client.getresponse().read() == b"slow\n", "the request in work is answered")
        client.close()
        expect(server.process.wait(PATIENCE) == 0, "it ends well")


def busy(server):
    # Two workers: the answers come from one only while the other has a request in work.
    return len({ask(server.port) for _ in range(8)}) == 1


def quota(folder):
    """The default of worker_num follows the CPU quota of the control group."""
    quota_files = {"/sys/fs/cgroup/cgroup.controllers": ("", [("cpu.max", "100000 100000")]),
                   "/sys/fs/cgroup/cpu/cgroup.procs": ("cpu/", [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "100000")])}
    found = [what for file, what in quota_files.items() if os.path.exists(file)]
    if not found or len(os.sched_getaffinity(0)) < 2:
        raise Missing("there is no control group for CPUs, or one CPU alone")
    group = f"/sys/fs/cgroup/{found[0][0]}ferrite-{os.getpid()}"
    try:
        os.mkdir(group)
        for name, value in found[0][1]:
            with open(f"{group}/{name}", "w") as file:
                file.write(value)
    except OSError as error:
        raise Missing(f"no control group can be made: {error}")
    try:
        within = ["sh", "-c", f'echo $$ >{group}/cgroup.procs && exec "$@"', "sh"]
        with serving({"options": {"worker_num": None}}, before=within) as server:
            expect(server.workers == 1, f"{server.workers} workers with a quota of one CPU")
    finally:
        until(lambda: not open(f"{group}/cgroup.procs").read(), "the group is empty")
        os.rmdir(group)


NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
    access_log off; keepalive_requests 10000000; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    upstream ferrite {{ server 127.0.0.1:{ports[0]}; server 127.0.0.1:{ports[1]}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{h1}; listen 127.0.0.1:{h2} http2;
        location / {{ proxy_pass http://ferrite; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def two_instances(folder):
    """Behind nginx one of two servers leaves, while clients of HTTP/1 and HTTP/2 ask: no request fails."""
    for tool in ("nginx", "h2load"):
        if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin"):
            raise Missing(f"{tool} is not installed")
    with serving({}) as stays, serving({}) as leaves, contextlib.ExitStack() as stack:
        fronts = {"h1": free_port(), "h2": free_port()}
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w") as file:
            file.write(NGINX.format(folder=folder, ports=(stays.port, leaves.port), **fronts))
        nginx = subprocess.Popen(["nginx", "-c", conf, "-e", f"{folder}/nginx.log"],
                                 env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"})
        stack.callback(nginx.wait, PATIENCE)
        stack.callback(nginx.terminate)
        until(lambda: all(reachable(port) for port in fronts.values()), "nginx is up")
        loads = {name: subprocess.Popen(
            ["h2load", *(["--h1"] if name == "h1" else ["-m4"]), "-c4", "-D6", f"http://127.0.0.1:{port}/"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for name, port in fronts.items()}
        served = lambda server: int(ask(server.port, "/requests"))
        until(lambda: served(leaves) > 500 and served(stays) > 500, "both are at work")
        leaves.process.terminate()
        expect(leaves.process.wait(PATIENCE) == 0, "it leaves well")
        since = served(stays)
        until(lambda: served(stays) > since + 500, "the other one serves on")
        for name, load in loads.items():
            said = load.communicate(timeout=PATIENCE)[0]
            found = re.search(r"requests: (\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored", said)
            codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", said)
            expect(found and codes, said)
            expect(found[3] == found[4] == "0" and codes[3] == codes[4] == "0" and int(codes[1]) > 1000, f"{name}: {said}")


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except OSError:
        return False
    return True


def units(folder):
    """systemd finds nothing wrong with the units in examples/systemd."""
    files = sorted(glob.glob(f"{ROOT}/examples/systemd/*.service") + glob.glob(f"{ROOT}/examples/systemd/*.socket"))
    expect(len(files) >= 2, "there are no units")
    if not shutil.which("systemd-analyze"):
        raise Missing("systemd-analyze is not installed")
    # Warnings go to standard error, whatever the exit code says.
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, timeout=PATIENCE)
    wrong = [line for line in done.stderr.splitlines() if any(os.path.basename(file) in line for file in files)]
    expect(done.returncode == 0 and not wrong, f"{done.returncode}: {done.stderr}")


CHECKS = (notify, notify_of_another, activation, activation_refused, first_process, quota, two_instances, units)


def main():
    failed = passed = 0
    for check in CHECKS:
        if len(sys.argv) > 1 and not any(part in check.__name__ for part in sys.argv[1:]):
            continue
        with tempfile.TemporaryDirectory(prefix="ferrite-service-") as folder:
            try:
                check(folder)
            except Missing as missing:
                print(f"SKIPPED: {check.__doc__} ({missing})", flush=True)
                continue
            except (Failed, OSError, subprocess.SubprocessError, ValueError, http.client.HTTPException) as error:
                failed += 1
                print(f"FAILED: {check.__doc__}\n    {type(error).__name__}: {error}", flush=True)
                continue
        passed += 1
        print(f"ok: {check.__doc__}", flush=True)
    print(f"service: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
