"""A certificate authority that lives as long as one test run."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes

    def context(self, folder: Path, client_authority: bytes = b"") -> ssl.SSLContext:
        """For a server that shows it, and asks clients for one of `client_authority` if that is given."""
        path = folder / "server.pem"
        path.write_bytes(self.certificate + self.key)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(path)
        if client_authority:
            made.verify_mode = ssl.CERT_REQUIRED
            made.load_verify_locations(cadata=client_authority.decode())
        return made


class Authority:
    """Signs certificates."""

    def __init__(self, name: str = "throw-away") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._sign(self._name, self._key, authority=True, names=(), days=2)
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)
        self.sha256 = self._certificate.fingerprint(hashes.SHA256()).hex()

    def issue(self, common_name: str, names: Sequence[str] = (), days: int = 1) -> Pair:
        """A certificate for hosts or IP addresses; it ended yesterday with `days` of -1."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        signed = self._sign(subject, key, authority=False, names=names, days=days)
        return Pair(
            signed.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool, names: Sequence[str], days: int
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3 * _DAY)
            .not_valid_after(now + days * _DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([*map(_alternative, names)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@cache
def authority() -> Authority:
    """The one that all servers of a run use."""
    return Authority()


@cache
def server_pair() -> Pair:
    """Of `authority`, for 127.0.0.1 and localhost."""
    return authority().issue("server", ("127.0.0.1", "localhost"))
