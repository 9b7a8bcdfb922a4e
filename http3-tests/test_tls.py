"""TLS in QUIC: the same certificates as over TCP, and what lets a user look at the wire."""

import glob
import json

from certificates import write_certificates
from client import connect
from server import Server
from suite import Failed, holds, same, until


async def tests(suite, tools):
    with Server(environment={"SSLKEYLOGFILE": "keys"}) as server:
        await suite.run("certificates are replaced", lambda: replaced(server), server.log)
        await suite.run("SSLKEYLOGFILE gets the keys", lambda: keys(server), server.log)
    with Server(port={"http3_qlog_dir": "."}) as server:
        await suite.run("http3_qlog_dir gets a log of each connection", lambda: qlog(server), server.log)
    verify = {"ssl_verify_peer": True, "ssl_client_cert_file": "authority.pem"}
    with Server(port=verify) as server:
        await suite.run("a client shows its certificate", lambda: known(server), server.log)
        await suite.run("a client without a certificate is refused", lambda: unknown(server), server.log)


def shown(client):
    return client._quic.tls._peer_certificate.serial_number


async def replaced(server):
    """Who is connected stays so; who comes sees the new one."""
    async with connect(server) as client:
        old = shown(client)
        server.certificates = write_certificates(server.folder)
        await server.reload()
        async with connect(server) as other:
            holds("another certificate", shown(other) != old)
            same("status", 200, (await other.get("/protocol")).status)
        same("status of the old connection", 200, (await client.get("/protocol")).status)


async def keys(server):
    async with connect(server) as client:
        same("status", 200, (await client.get("/protocol")).status)
        random = client._quic.tls.client_random.hex()
    with open(server.path("keys"), encoding="ascii") as file:
        labels = {line.split()[0] for line in file if random in line}
    wanted = {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}
    same("keys of the connection that are missing", set(), wanted - labels)


async def qlog(server):
    async with connect(server) as client:
        same("status", 200, (await client.get("/protocol")).status)

    def logged():
        """The server still writes: what counts is whole records."""
        files = glob.glob(server.path("*.sqlog"))
        if len(files) != 1:
            return False
        with open(files[0], encoding="utf-8") as file:
            records = [record for record in file.read().split("\x1e") if record.endswith("\n")]
        names = {json.loads(record).get("name") for record in records}
        return {"quic:packet_received", "http3:frame_parsed", "http3:frame_created"} <= names

    await until("there is a log with packets and frames", logged)


async def known(server):
    own = server.certificates
    async with connect(server, certificate=own) as client:
        told = json.loads((await client.get("/show")).body)["server"]
        same("verified", "SUCCESS", told["ssl_client_verify"])
        holds(f"subject: {told['ssl_client_s_dn']}", "localhost" in told["ssl_client_s_dn"])


async def unknown(server):
    """TLS 1.3: the client's part of the handshake is done before the server has seen that."""
    try:
        async with connect(server) as client:
            answer = await client.get("/protocol")
        raise Failed(f"it got {answer.status}")
    except Failed as failed:
        holds(f"it is told why: {failed}", "0x174" in str(failed))
