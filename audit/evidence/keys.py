"""Keys, signatures and certificates, by the library `cryptography`: Ed25519, and ECDSA on P-256 with SHA-256.

The only module that imports it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit.errors import Position
from audit.evidence.extra import PASSPHRASE, KeyFault, needed

with needed():
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

_KINDS = "an Ed25519 or ECDSA P-256 key, in PEM"
_ENCRYPTED = b"ENCRYPTED"
Private = Any
Public = Any
Certificate = x509.Certificate


def private_key(file: str, passphrase: Callable[[], str]) -> Private:
    """The key in a PEM file; `passphrase` is asked for an encrypted one only. KeyFault for anything else."""
    text = read(file)
    secret = passphrase().encode() if _ENCRYPTED in text else None
    try:
        key = serialization.load_pem_private_key(text, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        hint = f"is the passphrase in `{PASSPHRASE}` right?" if secret else f"it takes {_KINDS}"
        raise KeyFault("this is no private key that can be read", Position(file), hint) from error
    _public(key.public_key(), file)
    return key


def public_key(file: str) -> Public:
    """The public key in a PEM file: a key, or that of a certificate."""
    text = read(file)
    try:
        if b"BEGIN CERTIFICATE" in text:
            return _public(x509.load_pem_x509_certificate(text).public_key(), file)
        return _public(serialization.load_pem_public_key(text), file)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFault("this is no public key that can be read", Position(file), f"it takes {_KINDS}") from error


def certificates(file: str) -> tuple[x509.Certificate, ...]:
    """The certificates in a PEM file."""
    try:
        return tuple(x509.load_pem_x509_certificates(read(file)))
    except ValueError as error:
        raise KeyFault("this holds no certificate in PEM", Position(file)) from error


def der(certificate: Certificate) -> bytes:
    """A certificate in DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def private_der(private: Private) -> bytes:
    """A private key in DER, not encrypted."""
    plain = serialization.NoEncryption()
    made: bytes = private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)
    return made


def key_id(public: Public) -> str:
    """SHA-256 of a public key's SubjectPublicKeyInfo, in hex."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def signature(private: Private, message: bytes) -> bytes:
    """The signature of a message; that of Ed25519 is always the same."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(message)
    signed: bytes = private.sign(message, ec.ECDSA(hashes.SHA256()))
    return signed


def digest_for(private: Private) -> str:
    """The digest of a signed document: Ed25519 comes with SHA-512 (RFC 8419, section 3.1)."""
    return "sha512" if isinstance(private, ed25519.Ed25519PrivateKey) else "sha256"


def fits(public: Public, signed: bytes, message: bytes) -> bool:
    """Whether it is the signature of a message by the owner of a key."""
    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signed, message)
        else:
            public.verify(signed, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def read(file: str) -> bytes:
    """A key or certificate file; KeyFault where it cannot be read."""
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise KeyFault(reason.lower(), Position(file)) from error


def _public(key: Any, file: str) -> Public:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise KeyFault("keys of this kind are not used here", Position(file), f"it takes {_KINDS}")
