"""A crowd of slow readers, over HTTP/1 and HTTP/2, also by TLS: each asks for the same large answer, and takes a little of it now and
then. What 10,000 of them (FERRITE_CROWD) cost a server, in memory and for a fast client beside them.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time

READERS = int(os.environ.get("FERRITE_CROWD", 10_000))
FILE_BYTES = 10 << 20
# Made by PHP it lies in the spool, of which not every disk has 100 GiB: so much for all of them together.
SPOOL_BYTES = int(os.environ.get("FERRITE_CROWD_SPOOL_MIB", 2048)) << 20
KINDS = ("file", "static", "made")
# How many answers a connection has, and by which protocol.
WAYS = {
    "h1": ("h1", 1),
    "tls-h1": ("tls-h1", 1),
    "h2c": ("h2c", 1),
    "h2c-streams": ("h2c", 100),
    "tls-h2": ("tls-h2", 1),
}
# What they may cost.
MEMORY_BYTES_MAX = 200 << 20
P99_SECONDS = 0.05
SECONDS = 240


def target(kind, readers):
    made = SPOOL_BYTES // readers // 16 * 16
    return {"file": "/file", "static": "/documents/file", "made": f"/made?bytes={made}"}[kind]


def measure(kind, way, started, p99, readers=READERS):
    """Memory that is not page cache, of all processes, and a fast client beside them. `started` runs a server, and
    `p99` is what most of its probes take."""
    with tempfile.TemporaryDirectory(prefix="ferrite-crowd-") as folder:
        os.mkdir(os.path.join(folder, "documents"))
        with open(os.path.join(folder, "documents", "file"), "wb") as file:
            file.write(os.urandom(1 << 20) * (FILE_BYTES >> 20))
        options = {
            "max_connection": readers + 100,
            "request_queue_len_max": readers,
            "response_spool_disk_bytes_max": 2 * SPOOL_BYTES,
            "send_timeout": 120,
            "enable_static_handler": True,
            "document_root": folder,
            "static_handler_locations": ["/documents/"],
        }
        with started(options, script="crowd.php") as server:
            return asyncio.run(measured(server, kind, way, p99, readers))


async def measured(server, kind, way, p99, readers):
    protocol, streams = WAYS[way]
    path = target(kind, readers)
    await p99(server, "h1")
    before, open_before = own_memory(server), server.descriptors()
    connections = readers // streams
    process = await asyncio.create_subprocess_exec(
        *command(server, protocol, path, connections, streams),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said = await process.stdout.readline()
    if said.decode() != f"READY {connections}\n":
        raise RuntimeError(said.decode() + (await process.stderr.read()).decode().strip())
    await all_answered(server)
    took = await p99(server, "h1")
    stats, memory, kernel = await server.stats(), own_memory(server), socket_memory()
    ours = server_sockets(server)
    # The end of its input is its end.
    _, errors = await process.communicate(b"")
    if process.returncode:
        raise RuntimeError(errors.decode().strip())
    # Static files stay open for a while.
    left = [] if kind == "static" else await server.settled(open_before, draining=10)
    told = (
        f"{readers} readers of {path} on {connections} connections by {protocol}: {memory >> 20} MiB in all processes "
        f"({before >> 20} before), {stats['response_spool_memory_bytes'] >> 20} MiB of it counted as content, "
        f"{stats['response_spool_disk_bytes'] >> 20} MiB in the spool, {kernel >> 20} MiB in the kernel's sockets, "
        f"{ours >> 20} of them at the server's end; 99% of requests beside them within {took * 1000:.1f} ms, "
        f"{stats['connection_num']} connections; {own_memory(server) >> 20} MiB afterwards"
    )
    if memory > MEMORY_BYTES_MAX or took > P99_SECONDS or stats["connection_num"] < connections:
        raise RuntimeError(told)
    if left:
        raise RuntimeError("; ".join([told, *left]))
    return told


def command(server, protocol, path, connections, streams):
    """What makes the crowd."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "crowd_readers.py")
    port = server.port if protocol.startswith("tls-") else server.clear
    return (sys.executable, program, str(port), protocol, path, str(connections), str(streams))


async def all_answered(server):
    """Waits until no handler works on an answer any more."""
    deadline = time.monotonic() + SECONDS
    while True:
        stats = await server.stats()
        if stats["concurrency"] == 1 and stats["queue_len"] == 0:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"workers still wait for readers: {stats}")
        await asyncio.sleep(0.2)


def own_memory(server):
    """Bytes of all its processes that are not page cache, counted once where they are shared."""
    reactor, workers = server.children()
    total = 0
    for pid in (server.pid, reactor, *workers):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                    total += int(line.split()[1]) << 10
    return total


def socket_memory():
    """Bytes of content that the kernel keeps for sockets of TCP, all processes together; those of files that are
    sent lie in the page cache."""
    with open("/proc/net/sockstat", encoding="ascii") as file:
        words = next(line for line in file if line.startswith("TCP:")).split()
    return int(words[words.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")


def server_sockets(server):
    """Bytes of that at the server's end of its connections over TCP."""
    ports = [f"sport = :{server.clear}", "or", f"sport = :{server.port}"]
    shown = subprocess.run(["ss", "-tmnH", "(", *ports, ")"], capture_output=True, text=True, check=True)
    return sum(sum(map(int, found)) for found in re.findall(r"skmem:\(r(\d+),.*?,f(\d+),w(\d+),", shown.stdout))
