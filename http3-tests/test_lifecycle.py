"""What happens during a request: clients that leave, workers that change, a server that ends."""

import asyncio
import json
import os
import signal
import time

from client import GOAWAY, NO_ERROR, REQUEST_REJECTED, connect, pull
from server import Server
from suite import Failed, holds, same, until


async def tests(suite, tools):
    with Server() as server:

        async def test(name, function, **settings):
            await suite.run(name, lambda: function(server), server.log, **settings)

        await test("a client that stops reading: the handler is told", stop_started)
        await test("a client whose connection ends: the handler is told", close_started)
        await test("an upload that is reset never starts", reset_upload)
        await test("a reload of the workers is not noticed", reload, deadline=60)
        await test("a worker that is killed costs its own request", killed_worker)
    with Server(server={"worker_num": 1}) as server:
        await test("a request cancelled before its start never starts", never_starts)
    with Server() as server:
        await test("the end of the server: GOAWAY, the answer, no error", farewell)
    with Server() as server:
        await test("the reactor is killed: its clients learn at once (aioquic)", forgotten)


def started(server, name):
    return f"start {name}" in server.journal()


async def begin(client, name):
    """A request whose handler runs and has sent something."""
    answer = client.open("GET", f"/drip?name={name}")
    while not answer.body:
        await client.wait(answer)
    return answer


async def gone(server, name):
    await until("the handler was told", lambda: f"gone {name}" in server.journal(), 5)


async def stop_started(server):
    async with connect(server) as client:
        counted = server.stats()["given_up_count"]
        client.cancel(await begin(client, "stop"))
        await gone(server, "stop")
        same("requests given up", counted + 1, server.stats()["given_up_count"])
        same("status of the next", 200, (await client.get("/protocol")).status)


async def close_started(server):
    async with connect(server) as client:
        await begin(client, "close")
    await gone(server, "close")


async def reset_upload(server):
    """Half a request is none."""
    async with connect(server) as client:
        answer = client.open("POST", "/slow?ms=0&name=half", end=False)
        client.send(answer, b"half of it")
        # It has arrived when a later request has been answered.
        same("status of another", 200, (await client.get("/protocol")).status)
        client.cancel(answer, stop=False)
        same("status of the next", 200, (await client.get("/protocol")).status)
        await until("nothing is in work", lambda: server.stats()["concurrency"] == 1)
        holds("it never started", not started(server, "half"))


async def never_starts(server):
    """The one worker is busy when the request is cancelled; those before and after it are served."""
    async with connect(server) as client:
        first = client.open("GET", "/slow?ms=1000&name=first")
        await until("the first has started", lambda: started(server, "first"))
        second = client.open("GET", "/slow?ms=0&name=second")
        third = client.open("GET", "/slow?ms=0&name=third")
        # The reactor answers this one by itself: it has seen those before it.
        same("status", 431, (await client.get("/", [("x", "x" * 60_000)])).status)
        client.cancel(second)
        await client.complete(first)
        await client.complete(third)
        same("status", 200, third.status)
        same("started", ["start first", "start third"], server.journal())
        same("requests given up", 1, server.stats()["given_up_count"])
        holds("the client is not answered", second.status is None)


async def reload(server):
    """Requests are answered without a break, by old workers and by new ones."""
    old = server.workers()
    pids, failures = set(), []
    ended = asyncio.Event()

    async def lane(client):
        while not ended.is_set():
            try:
                answer = await client.get("/slow?ms=5&name=reload")
                same("status", 200, answer.status)
                pids.add(int(answer.body))
            except Failed as failed:
                failures.append(failed)
                return

    async with connect(server) as client, connect(server) as other:
        lanes = [asyncio.ensure_future(lane(c)) for c in (client, other) for _ in range(4)]
        try:
            await until("the old ones have answered", lambda: pids & old or failures)
            for _ in range(2):
                await server.reload()
            new = server.workers()
            await until("the new ones have answered", lambda: pids & new or failures)
        finally:
            ended.set()
            await asyncio.gather(*lanes)
        same("failures", [], failures)
        same("terminated", None, client.terminated)


async def killed_worker(server):
    """What it had begun is answered with 502; the connection and its other streams go on."""
    async with connect(server) as client:
        doomed = client.open("GET", "/slow?ms=20000&name=doomed")
        await until("it has started", lambda: started(server, "doomed"))
        told = json.loads((await client.get("/show")).body)
        (pid,) = server.workers() - {told["pid"]}
        os.kill(pid, signal.SIGKILL)
        await client.complete(doomed)
        same("status", 502, doomed.status)
        same("status of the next", 200, (await client.get("/protocol")).status)


async def farewell(server):
    """RFC 9114, 5.2: GOAWAY, at last with the first id that will not be answered; what is in work
    is finished, and what comes later may be sent again elsewhere."""
    async with connect(server) as client:
        answer = client.open("GET", "/slow?ms=1500&name=farewell")
        await until("it has started", lambda: started(server, "farewell"))
        server.signal(signal.SIGTERM)
        following = answer.stream_id + 4

        def last_goaway():
            ids = [pull(payload) for kind, payload in client.control_frames() if kind == GOAWAY]
            return ids and ids[-1] <= following

        await until("GOAWAY has come", last_goaway, 5)
        holds("before the answer", not answer.complete)
        late = client.open("GET", "/slow?ms=0&name=late")
        await client.complete(answer)
        same("status", 200, answer.status)
        same("code of the end", NO_ERROR, await asyncio.wait_for(client.until_closed(), 10))
        holds("the late one was not served", late.status is None and not started(server, "late"))
        same("its reset", REQUEST_REJECTED, late.reset)
    await server.ended()


async def forgotten(server):
    """A packet for a connection that is not known is answered by a stateless reset (RFC 9000,
    10.3): with the token that came with the connection id. aioquic only stores it."""
    async with connect(server) as client:
        same("status", 200, (await client.get("/protocol")).status)
        await until("there is a spare connection id", lambda: client._quic._peer_cid_available)
        known = [client._quic._peer_cid, *client._quic._peer_cid_available]
        tokens = {connection_id.stateless_reset_token for connection_id in known} - {b""}
        holds("there are tokens", tokens)
        seen = []
        receive = client.datagram_received

        def watch(data, address):
            seen.append(bytes(data[-16:]))
            receive(data, address)

        client.datagram_received = watch
        old = server.children()["reactor"]
        os.kill(old, signal.SIGKILL)
        await until("another reactor is there", lambda: server.children().get("reactor", old) != old)
        await until("it serves", lambda: server.stats()["reactor_restart_count"] == 1)
        begun = time.monotonic()
        client.open("GET", "/protocol")
        await until("the reset has come", lambda: tokens & set(seen), 5)
        holds("at once", time.monotonic() - begun < 2)
        # For the client: nothing more will come here.
        client._quic.close(NO_ERROR)
