"""What is measured, and what it is measured against."""

from dataclasses import dataclass, field, replace

# How a case's requests travel. The first two are cleartext.
PROTOCOLS = ("h1", "h2c", "tls-h1", "tls-h2", "h3")

LOAD, HANDSHAKES, DOWNLOAD, IDLE = "load", "handshakes", "download", "idle"
TRANSFER = "transfer"
IDLE_CONNECTIONS = 5000
IDLE_CONNECTIONS_H3 = 10_000


@dataclass(frozen=True)
class Case:
    """One row of load: a path, how it is asked for, and how hard it is driven."""

    name: str
    path: str
    script: str = "get.lua"
    connections: int = 64
    workers: int = 1
    body_bytes: int = 0
    servers: tuple = ("ferrite", "nginx", "fpm")
    answer_bytes: int | None = None
    note: str = ""
    protocol: str = "h1"
    # Requests in flight on each connection.
    streams: int = 1
    # Our server and nginx take turns with themselves over another protocol, driven by this case.
    beside: "Case | None" = None
    kind: str = LOAD
    # Whether handshakes resume a session.
    resumed: bool = False
    # Clients beside the load that ask for the path with `page=1` and do not read, and what they speak.
    unread: int = 0
    unread_by: str = "h1"
    # What its `Accept-Encoding` says.
    accept: str = ""
    # How content goes to the server in a transfer: as a body or in a form; empty: it comes from there.
    sends: str = ""
    # One of applications.NAMES, of which PHP files are run as under php-fpm.
    application: str = ""
    # How Ferrite runs it: one of applications.WAYS.
    way: str = "classic"
    # The CPU time that is shown is that of so many requests.
    per: int = 100_000

    @property
    def handler(self):
        """The name that bench/server.php knows the handler by."""
        return self.path.lstrip("/").split("?")[0]

    @property
    def tls(self):
        return self.protocol == "h3" or self.protocol.startswith("tls")

    def wanted(self, parts):
        """Whether its name or its protocol contains one of these, or there are none."""
        about = f"{self.name} {self.protocol}".lower()
        return not parts or any(part.lower() in about for part in parts)


@dataclass(frozen=True)
class Aim:
    """A bound on a ratio of CPU seconds (or of what else a run has figures of), or on bytes."""

    text: str
    case: str
    over: tuple = field(default=())  # (server, case) to divide by; empty: an absolute figure
    at_most: float | None = None
    at_least: float | None = None
    key: str = "cpu_s_per_100k"


HELLO = Case("hello", "/hello", answer_bytes=14)
KIB_16 = Case("16 KiB response", "/size/16384", answer_bytes=16384)
MIB_1 = Case("1 MiB response", "/size/1048576", connections=16, answer_bytes=1 << 20)
KIB_10 = Case("10 KiB echo", "/echo", "post.lua", body_bytes=10240, servers=("ferrite", "fpm"))

CASES = [
    HELLO,
    Case(
        "observed hello",
        "/observed",
        servers=("ferrite",),
        answer_bytes=14,
        beside=HELLO,
        note="hello with an access log (JSON to a file), metrics and ids, beside one without",
    ),
    Case("headers", "/headers", script="headers.lua", note="15 fields, 4,096 different requests"),
    KIB_16,
    MIB_1,
    Case(
        "static 16 KiB",
        "/static/16384",
        servers=("ferrite", "nginx"),
        answer_bytes=16384,
        note="a file without a worker",
    ),
    Case(
        "sendfile 1 MiB",
        "/sendfile/1048576",
        connections=16,
        servers=("ferrite", "nginx"),
        answer_bytes=1 << 20,
        note="nginx sends the file by itself",
    ),
    *(
        Case(
            f"{coding} 64 KiB page",
            f"/coded/{coding}",
            connections=16,
            servers=("ferrite", "nginx") if coding == "gzip" else ("ferrite",),
            accept=coding,
            answer_bytes=64 << 10,
            per=1000,
            note="HTML, compressed for each request; nginx compresses a file, at the same level",
        )
        for coding in ("gzip", "br", "zstd")
    ),
    KIB_10,
    Case("1 MiB echo", "/echo", "post.lua", 16, body_bytes=1 << 20, servers=("ferrite", "fpm")),
    Case("1,000 connections", "/hello", connections=1000, answer_bytes=14),
    Case("5,000 connections", "/hello", connections=5000, answer_bytes=14),
    Case(
        "sleep 100 ms",
        "/sleep",
        connections=10,
        workers=10,
        servers=("ferrite", "fpm"),
        answer_bytes=6,
        note="10 clients, 10 workers: 100 req/s is all there is",
    ),
    Case(
        "mix",
        "/mix?kind=fast&sent=0",
        script="mix.lua",
        workers=8,
        servers=("ferrite", "fpm"),
        answer_bytes=7,
        note="1 % take 100 ms, 64 paced clients, 8 workers; p50 and p99 are of the fast ones",
    ),
    Case(
        "slow readers",
        "/page",
        connections=4,
        workers=4,
        servers=("ferrite",),
        answer_bytes=14,
        unread=40,
        note="40 clients beside the load do not read answers of 6 MiB",
    ),
]


def over(protocol, case, connections, streams=1, beside=None, servers=None):
    """The same case by another way, with as much in flight by the other protocol beside it."""
    case = replace(case, servers=servers or case.servers)
    if beside == "tls-h2":
        beside = replace(case, protocol=beside, connections=connections, streams=streams)
    elif beside:
        beside = replace(case, protocol=beside)
    return replace(
        case,
        name=f"{protocol} {case.name}",
        protocol=protocol,
        connections=connections,
        streams=streams,
        beside=beside,
    )


CASES += [
    over("h2c", HELLO, 8, 32),
    over("tls-h1", HELLO, 64),
    over("tls-h2", HELLO, 8, 32),
    over("h2c", KIB_16, 8, 8, beside="h1"),
    over("h2c", MIB_1, 4, 4, beside="h1"),
    over("tls-h2", KIB_16, 8, 8, beside="tls-h1"),
    over("tls-h2", MIB_1, 4, 4, beside="tls-h1"),
]
[SLOW_READERS] = [case for case in CASES if case.unread]
# The load is HTTP/1's, whose program tells times.
CASES += [
    replace(SLOW_READERS, name=f"{by} slow readers", protocol=protocol, unread_by=by)
    for by, protocol in (("tls-h1", "tls-h1"), ("h2c", "h1"), ("tls-h2", "tls-h1"))
]
CADDY = ("ferrite", "caddy")
CASES += [
    over("h3", HELLO, 8, 32, beside="tls-h2", servers=CADDY),
    over("h3", KIB_16, 8, 8, beside="tls-h2", servers=CADDY),
    over("h3", MIB_1, 4, 4, beside="tls-h2", servers=CADDY),
    over("h3", KIB_10, 8, 8, beside="tls-h2", servers=CADDY),
    over(
        "h3",
        Case("1 GiB download", "/download?mib=1024", answer_bytes=1 << 30, kind=DOWNLOAD, per=1),
        1,
        beside="tls-h2",
        servers=CADDY,
    ),
]
CASES += [
    Case(
        name,
        path,
        servers=("ferrite", "fpm"),
        body_bytes=mib << 20,
        sends=sends,
        kind=TRANSFER,
        note=note,
    )
    for name, path, mib, sends, note in (
        ("256 MiB upload", "/upload", 256, "body", "read by the handler while it arrives"),
        ("256 MiB download", "/download?mib=256", 256, "", "written in pieces of 1 MiB"),
        ("20 MiB form", "/form", 20, "form", "multipart, one file, parsed by PHP"),
    )
]
for resumed in (False, True):
    CASES.append(
        Case(
            "tls handshakes, " + ("resumed" if resumed else "new"),
            "/hello",
            answer_bytes=14,
            connections=4,
            protocol="tls-h1",
            kind=HANDSHAKES,
            resumed=resumed,
            per=1000,
            note="4 clients that connect, shake hands (TLS 1.3), ask once and leave",
        )
    )
CASES.append(Case("idle", "/hello", answer_bytes=14, kind=IDLE, connections=IDLE_CONNECTIONS))
for protocol in PROTOCOLS[1:]:
    CASES.append(
        replace(
            CASES[-1],
            name=f"idle {protocol}",
            protocol=protocol,
            # quic-go, which Caddy has, closes idle connections before so many are open.
            servers=("ferrite",) if protocol == "h3" else ("ferrite", "nginx"),
            connections=IDLE_CONNECTIONS_H3 if protocol == "h3" else IDLE_CONNECTIONS,
        )
    )

# A page takes up to some hundred milliseconds: with more connections a short run would end before them.
CASES += [
    Case(
        f"apps {application}{suffix}",
        path,
        connections=64 if application == "echo" else 2,
        servers=("ferrite", "fpm"),
        application=application,
        way=way,
        note=f"{note}; {how}",
    )
    for way, suffix, how in (
        ("classic", "", "every request runs it anew"),
        ("callback", " callback", "the script stays, by a Ferrite\\Http\\Web; php-fpm runs it anew"),
        ("pull", " pull", "the script stays, and asks for requests; php-fpm runs it anew"),
        ("package", " package", "the package for the framework has it stay; php-fpm runs it anew"),
    )
    for path, application, note in (
        ("/", "echo", "hello by echo"),
        ("/hello/world", "symfony", "a page of Symfony with Twig"),
        ("/hello/world", "laravel", "a page of Laravel with Blade and a session"),
        ("/", "wordpress", "the front page of WordPress"),
    )
    if way == "classic"
    or application in ("symfony", "laravel")
    or (application == "echo" and way != "package")
]

AIMS = [
    Aim("apps echo: at most 0.4 x nginx + php-fpm", "apps echo", ("fpm", "apps echo"), 0.4),
    Aim(
        "apps wordpress: at most 0.95 x nginx + php-fpm",
        "apps wordpress",
        ("fpm", "apps wordpress"),
        0.95,
    ),
    *(
        Aim(f"{case}: at most 0.2 x nginx + php-fpm", case, ("fpm", case), 0.2)
        for case in ("apps symfony callback", "apps symfony pull", "apps symfony package")
    ),
    Aim("hello: at most 1.4 x nginx return 200", "hello", ("nginx", "hello"), 1.4),
    Aim(
        "observed hello: at most 8 % more than hello",
        "observed hello",
        ("ferrite h1", "observed hello"),
        1.08,
    ),
    Aim("headers: at most 2 x nginx return 200 (hello)", "headers", ("nginx", "hello"), 2.0),
    Aim("hello: ten times cheaper than nginx + php-fpm", "hello", ("fpm", "hello"), 0.1),
    Aim("headers: ten times cheaper than nginx + php-fpm", "headers", ("fpm", "headers"), 0.1),
    Aim(
        "1 MiB response: at most 2.5 x nginx with a file",
        "1 MiB response",
        ("nginx", "1 MiB response"),
        2.5,
    ),
    *(
        Aim(f"{case}: at most 1.15 x nginx", case, ("nginx", case), 1.15)
        for case in ("static 16 KiB", "sendfile 1 MiB")
    ),
    Aim(
        "1 MiB echo: a third cheaper than nginx + php-fpm",
        "1 MiB echo",
        ("fpm", "1 MiB echo"),
        2 / 3,
    ),
    *(
        Aim(f"{case}: cheaper than nginx + php-fpm", case, ("fpm", case), 1.0)
        for case in ("256 MiB upload", "256 MiB download", "20 MiB form")
    ),
    *(
        Aim(f"{case}: at most 32 MiB above idle", case, (), 32.0 * (1 << 20), key="above_idle_bytes")
        for case in ("256 MiB upload", "256 MiB download")
    ),
    Aim("20 MiB form: at most 15 ms of CPU", "20 MiB form", (), 15.0, key="cpu_ms_each"),
    Aim("h2c hello: at most 1.6 x nginx", "h2c hello", ("nginx", "h2c hello"), 1.6),
    Aim("tls-h2 hello: at most 1.6 x nginx", "tls-h2 hello", ("nginx", "tls-h2 hello"), 1.6),
    Aim("tls-h1 hello: at most 1.5 x nginx", "tls-h1 hello", ("nginx", "tls-h1 hello"), 1.5),
    *(
        Aim(
            f"{protocol} {size} response: at most 1.5 x {beside}",
            f"{protocol} {size} response",
            (f"ferrite {beside}", f"{protocol} {size} response"),
            1.5,
        )
        for protocol, beside in (("h2c", "h1"), ("tls-h2", "tls-h1"))
        for size in ("16 KiB", "1 MiB")
    ),
    *(
        Aim(f"{name}: five times cheaper than Caddy + php-fpm", name, ("caddy", name), 0.2)
        for name in ("h3 hello", "h3 16 KiB response", "h3 1 MiB response", "h3 10 KiB echo")
    ),
    Aim("h3 hello: at most 2.5 x tls-h2", "h3 hello", ("ferrite tls-h2", "h3 hello"), 2.5),
    Aim(
        "h3 1 GiB download: at least half as fast as tls-h2",
        "h3 1 GiB download",
        ("ferrite tls-h2", "h3 1 GiB download"),
        at_least=0.5,
        key="requests_per_second",
    ),
    *(
        Aim(f"{case.name}: p99 at most 50 ms", case.name, (), 50.0, key="p99_ms")
        for case in CASES
        if case.unread
    ),
    Aim("idle connection: at most 2 KiB", "idle", (), 2048.0),
    Aim("idle h2c connection: at most 10 KiB", "idle h2c", (), 10 * 1024.0),
    Aim("idle tls-h1 connection: at most 40 KiB", "idle tls-h1", (), 40 * 1024.0),
    Aim("idle tls-h2 connection: at most 40 KiB", "idle tls-h2", (), 40 * 1024.0),
    Aim("idle h3 connection: at most 30 KiB", "idle h3", (), 30 * 1024.0),
]
