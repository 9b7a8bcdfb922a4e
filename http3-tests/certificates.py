"""An authority of the tests' own, and a certificate for localhost by it."""

import base64
import datetime
import hashlib
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


class Certificates:
    """Where the files are, and the hash of the server's public key as Chromium wants it."""

    def __init__(self, folder, spki):
        self.authority = os.path.join(folder, "authority.pem")
        self.certificate = os.path.join(folder, "server.pem")
        self.key = os.path.join(folder, "server.key")
        self.spki = spki


def write_certificates(folder):
    """Writes authority.pem, server.pem and server.key to a folder."""
    issuer_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _builder("Ferrite tests", "Ferrite tests", issuer_key, 30)
    issuer = issuer.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    issuer = issuer.sign(issuer_key, hashes.SHA256())

    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = _builder("localhost", "Ferrite tests", key, 30)
    leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.sign(issuer_key, hashes.SHA256())

    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    spki = base64.b64encode(hashlib.sha256(public).digest()).decode()
    made = Certificates(folder, spki)
    _write(made.authority, issuer.public_bytes(serialization.Encoding.PEM))
    _write(made.certificate, leaf.public_bytes(serialization.Encoding.PEM))
    _write(
        made.key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return made


def _builder(subject, issuer, key, days):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + days * DAY)
    )


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _write(path, content):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
