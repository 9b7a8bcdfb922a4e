"""What is measured, and what it is measured against."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One row of load: a path, a wrk script, and how hard it is driven."""

    name: str
    path: str
    script: str = "get.lua"
    connections: int = 64
    workers: int = 1
    body_bytes: int = 0
    servers: tuple = ("ferrite", "nginx", "fpm")
    answer_bytes: int | None = None
    note: str = ""

    @property
    def handler(self):
        """The name that bench/server.php knows the handler by."""
        return self.path.lstrip("/").split("?")[0]


@dataclass(frozen=True)
class Aim:
    """A bound on a ratio of CPU seconds, or on bytes."""

    text: str
    case: str
    over: tuple = field(default=())  # (server, case) to divide by; empty: an absolute figure
    at_most: float = 0.0


CASES = [
    Case("hello", "/hello", answer_bytes=14),
    Case("headers", "/headers", script="headers.lua", note="15 fields, 4,096 different requests"),
    Case("16 KiB response", "/size/16384", answer_bytes=16384),
    Case("1 MiB response", "/size/1048576", connections=16, answer_bytes=1 << 20),
    Case("10 KiB echo", "/echo", "post.lua", body_bytes=10240, servers=("ferrite", "fpm")),
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
]

AIMS = [
    Aim("hello: at most 1.4 x nginx return 200", "hello", ("nginx", "hello"), 1.4),
    Aim("headers: at most 2 x nginx return 200 (hello)", "headers", ("nginx", "hello"), 2.0),
    Aim("hello: ten times cheaper than nginx + php-fpm", "hello", ("fpm", "hello"), 0.1),
    Aim("headers: ten times cheaper than nginx + php-fpm", "headers", ("fpm", "headers"), 0.1),
    Aim(
        "1 MiB response: at most 2.5 x nginx with a file",
        "1 MiB response",
        ("nginx", "1 MiB response"),
        2.5,
    ),
    Aim(
        "1 MiB echo: a third cheaper than nginx + php-fpm",
        "1 MiB echo",
        ("fpm", "1 MiB echo"),
        2 / 3,
    ),
    Aim("idle connection: at most 2 KiB", "idle", (), 2048.0),
]
