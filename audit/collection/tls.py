"""TLS towards the API server: whom to trust, and which certificate to show."""

from __future__ import annotations

import hashlib
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.errors import AccessError

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@contextmanager
def _memory_file(content: bytes) -> Iterator[Path]:
    """A path to the content that is in memory only: OpenSSL reads keys from files, and none may be left on a disk."""
    handle = os.memfd_create("zone-audit")
    try:
        with os.fdopen(handle, "wb", closefd=False) as stream:
            stream.write(content)
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


def certificates(pem: bytes) -> tuple[bytes, ...]:
    """The certificates in a PEM file, in DER; AccessError if there is none."""
    try:
        found = tuple(ssl.PEM_cert_to_DER_cert(match.decode("ascii")) for match in _PEM.findall(pem))
    except ValueError:
        found = ()
    if not found:
        raise AccessError("the certificate authority of the cluster holds no certificate in PEM")
    return found


def fingerprint(authorities: tuple[bytes, ...]) -> str:
    """SHA-256 in hex: of the certificate if there is one, else of all in sorted order; empty for none."""
    return hashlib.sha256(b"".join(sorted(set(authorities)))).hexdigest() if authorities else ""


def context(
    authorities: tuple[bytes, ...], certificate: bytes | None, key: bytes | None, *, verify: bool
) -> ssl.SSLContext:
    """Verifies the server against these authorities, or against those of the system for none.

    Every one of them is an anchor, also an intermediate one, as for kubectl. `certificate` and `key` of the client are
    PEM; AccessError for what is none.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    try:
        if authorities:
            made.load_verify_locations(cadata=b"".join(authorities))
        else:
            made.load_default_certs()
    except ssl.SSLError:
        raise AccessError("the certificate authority of the cluster is no valid certificate") from None
    if certificate is not None and key is not None:
        _show(made, certificate, key)
    elif certificate is not None or key is not None:
        raise AccessError("a client certificate needs its key, and the key its certificate")
    return made


def _show(made: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    with _memory_file(certificate) as shown, _memory_file(key) as secret:
        try:
            made.load_cert_chain(shown, secret, password=_no_password)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            named = getattr(error, "reason", None) or "encrypted, or no PEM"
            raise AccessError(f"the client certificate and its key cannot be used ({named})") from None


def _no_password() -> str:
    """Without this OpenSSL would ask the terminal for the password of an encrypted key."""
    raise ValueError
