"""The programs that make load: each is driven for some seconds and gives its figures.

wrk asks over HTTP/1, h2load over HTTP/2. TLS handshakes are made by openssl s_time, the one common
program that resumes sessions of TLS 1.3: it does so only when it reads an answer, as the tickets come
behind the handshake, so each of its connections asks once. HTTP/3 has a program of its own, h3load:
Debian's h2load has none.

The figures are those that wrk/report.lua prints. What a program does not tell is None.
"""

import json
import os
import re
import socket
import ssl
import subprocess
import time
from dataclasses import replace

from cases import DOWNLOAD, HANDSHAKES, TRANSFER
from servers import HERE, ServerError

ROOT = os.path.dirname(HERE)
BUILT = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "release")
H3LOAD = os.path.join(BUILT, "h3load")
WRK = os.path.join(HERE, "wrk")
ANSWER_SECONDS_MAX = 30
# The same suite and group for all, as the defaults of the programs differ.
ENVIRONMENT = {**os.environ, "OPENSSL_CONF": os.path.join(HERE, "conf", "openssl.cnf")}
ERRORS = ("connect", "read", "write", "status", "timeout")
HTTP_VERSIONS = {
    "h1": ("--http1.1", "1.1"),
    "h2c": ("--http2-prior-knowledge", "2"),
    "tls-h1": ("--http1.1", "1.1"),
    "tls-h2": ("--http2", "2"),
    "h3": (None, "3"),
}


def tools(case):
    """The programs that a case is driven by."""
    if case.kind == HANDSHAKES:
        return ["openssl", "curl"]
    if case.kind == TRANSFER:
        return ["curl"]
    if case.protocol == "h3":
        return [H3LOAD, *(tools(case.beside) if case.beside else [])]
    return ["h2load" if "h2" in case.protocol else "wrk", "curl"]


def load(server, case, seconds):
    """Drives a server; gives the figures."""
    if case.kind == HANDSHAKES:
        return s_time(server, case, seconds)
    if case.protocol == "h3":
        amount = ["--requests", "1"] if case.kind == DOWNLOAD else ["--seconds", str(seconds)]
        return h3load(server, case, seconds, amount)
    return h2load(server, case, seconds) if "h2" in case.protocol else wrk(server, case, seconds)


def ask(server, case):
    """(HTTP version, status, body sent, body received) of one request, made by curl."""
    place = f"{server.log}.asked"
    if case.protocol == "h3":
        one = ["--requests", "1", "--output", f"{place}.answer"]
        figures = h3load(server, replace(case, connections=1, streams=1), 1, one)
        body = load_body(case)
        status = 200 if figures["requests"] == 1 and not figures["status"] else 0
        with open(f"{place}.answer", "rb") as file:
            return "3", status, body, file.read()
    version, _ = HTTP_VERSIONS[case.protocol]
    command = ["curl", "-q", "-sS", version, "--noproxy", "*", "-m", str(ANSWER_SECONDS_MAX)]
    command += ["-o", f"{place}.answer", "-w", "%{http_version} %{http_code} %{size_download}"]
    if case.tls:
        command += ["--cacert", server.certificate]
    if case.accept:
        command += ["-H", f"Accept-Encoding: {case.accept}", "--compressed"]
    body = b"x" * case.body_bytes
    if body:
        write(f"{place}.body", body)
        command += ["-H", "Expect:", "--data-binary", f"@{place}.body"]
    write(f"{place}.answer", b"")
    done = subprocess.run([*command, server.url(case.path)], capture_output=True, text=True)
    if done.returncode != 0:
        raise ServerError(f"{server.name} does not answer {case.path}: {done.stderr.strip()}")
    spoken, status, received = done.stdout.split()
    with open(f"{place}.answer", "rb") as file:
        content = file.read()
    if case.accept and int(received) >= len(content):
        raise ServerError(f"{server.name} does not compress {case.path} for '{case.accept}'")
    return spoken, int(status), body, content


def wrk(server, case, seconds):
    command = ["wrk", "-t1", f"-c{case.connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", os.path.join(WRK, case.script), server.url(case.path)]
    environment = {
        **ENVIRONMENT,
        "FERRITE_BENCH_WRK": WRK,
        "FERRITE_BENCH_BODY": str(case.body_bytes),
        "FERRITE_BENCH_ACCEPT": case.accept,
    }
    return bench_line(server, "wrk", run(server, command, seconds, environment))


def h2load(server, case, seconds):
    command = ["h2load", "-t1", f"-c{case.connections}", f"-m{case.streams}"]
    command += ["-n1"] if case.kind == DOWNLOAD else [f"-D{seconds}"]
    if case.body_bytes:
        command += ["-d", body_file(server, case)]
    output = run(server, [*command, server.url(case.path)], seconds)
    return figures_of_h2load(output) or fail(server, "h2load", output)


def h3load(server, case, seconds, amount):
    command = [H3LOAD, "--ca", server.certificate, "--connections", str(case.connections)]
    command += ["--streams", str(case.streams), *amount]
    if case.body_bytes:
        command += ["--body", body_file(server, case)]
    if case.answer_bytes or case.body_bytes:
        command += ["--answer-bytes", str(case.answer_bytes or case.body_bytes)]
    return bench_line(server, "h3load", run(server, [*command, server.url(case.path)], seconds))


def bench_line(server, program, output):
    """The figures in the one line that our own programs print."""
    for line in output.splitlines():
        if line.startswith("BENCH "):
            return json.loads(line[len("BENCH ") :])
    return fail(server, program, output)


def load_body(case):
    return b"0123456789abcdef" * (case.body_bytes // 16)


def body_file(server, case):
    path = f"{server.log}.load"
    write(path, load_body(case))
    return path


def figures_of_h2load(output):
    """From lines such as "requests: 9 total, 9 started, 9 done, 9 succeeded, 0 failed, …"."""
    took = re.search(r"^finished in ([\d.]+)(us|ms|s|m)\b", output, re.MULTILINE)
    counts = re.search(r"^requests: (.*)$", output, re.MULTILINE)
    if not took or not counts:
        return None
    micros = float(took[1]) * {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}[took[2]]
    count = {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", counts[1])}
    return {
        **nothing_wrong(),
        "requests": count["done"],
        "micros": micros,
        # Failed are those with a bad status, and the errored ones, which were never done.
        "status": count["failed"] - count["errored"],
        "read": count["errored"],
        "timeout": count["timeout"],
    }


def s_time(server, case, seconds):
    # It does not look at answers, so their lengths tell whether each was the one that is wanted.
    answer_bytes = len(answer_to_s_time(server, case))
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{server.port}", "-tls1_3"]
    command += ["-reuse" if case.resumed else "-new", "-www", case.path, "-time", str(seconds)]
    began = time.monotonic()
    done = resumed = 0
    for output in together(server, command, case.connections, deadline_of(seconds)):
        total = re.search(r"^(\d+) connections in [\d.]+s;.* bytes read (\d+)$", output, re.MULTILINE)
        if not total:
            fail(server, "openssl s_time", output)
        connections, read = int(total[1]), int(total[2])
        if read != connections * answer_bytes:
            raise ServerError(
                f"{server.name}: {connections} answers to {case.path} have {read} bytes, "
                f"not {answer_bytes} each: some are not the wanted one"
            )
        done += connections
        # A line of one letter for each connection: r for a resumed one, others for new ones.
        resumed += sum(line.count("r") for line in output.splitlines() if set(line) <= set("rt*"))
    micros = (time.monotonic() - began) * 1e6
    if resumed != (done if case.resumed else 0):
        raise ServerError(f"{server.name}: {resumed} of {done} handshakes were resumed")
    return {**nothing_wrong(), "requests": done, "micros": micros}


def answer_to_s_time(server, case):
    """The whole answer to the request that s_time makes, which has to be a 200."""
    context = ssl.create_default_context(cafile=server.certificate)
    address, seconds = ("127.0.0.1", server.port), ANSWER_SECONDS_MAX
    answer = b""
    try:
        with socket.create_connection(address, seconds) as tcp:
            with context.wrap_socket(tcp, server_hostname="localhost") as client:
                client.sendall(f"GET {case.path} HTTP/1.0\r\n\r\n".encode())
                while piece := client.recv(1 << 16):
                    answer += piece
    except OSError as error:
        raise ServerError(f"{server.name} does not answer {case.path}: {error}") from None
    head, _, content = answer.partition(b"\r\n\r\n")
    wanted = case.answer_bytes
    if head.split(b" ")[1:2] != [b"200"] or (wanted and len(content) != wanted):
        said = head.split(b"\r\n")[0].decode(errors="replace")
        raise ServerError(f"{server.name} answers {case.path} with {said}, {len(content)} bytes")
    return answer


def together(server, command, count, seconds):
    """What so many processes of a program have printed; none is left behind."""
    deadline = time.monotonic() + seconds
    clients = []
    try:
        for _ in range(count):
            clients.append(
                subprocess.Popen(
                    command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
                )
            )
        outputs = []
        for client in clients:
            left = max(0.1, deadline - time.monotonic())
            outputs.append(client.communicate(timeout=left)[0].decode(errors="replace"))
            if client.returncode != 0:
                fail(server, " ".join(command[:2]), outputs[-1])
        return outputs
    except subprocess.TimeoutExpired:
        fail(server, " ".join(command[:2]), f"it does not end within {seconds} s")
    finally:
        for client in clients:
            if client.poll() is None:
                client.kill()
                client.communicate()


def deadline_of(seconds):
    """How long a program that makes load for so many seconds may take."""
    return seconds * 3 + 60


def nothing_wrong():
    return {"p50": None, "p99": None, "fast": [], **dict.fromkeys(ERRORS, 0)}


def run(server, command, seconds, environment=ENVIRONMENT):
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=deadline_of(seconds)
        )
    except subprocess.TimeoutExpired:
        fail(server, command[0], "it does not end")
    return done.stdout + done.stderr


def fail(server, program, output):
    raise ServerError(
        f"{program} failed: {output.strip()[-500:]}\n{server.name} says: {server.said()}"
    )


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
