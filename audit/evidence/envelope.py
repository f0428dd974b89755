"""Signatures of bundles: a DSSE envelope around an in-toto statement, in a file beside the bundle.

Sources: DSSE v1 (secure-systems-lab/dsse, protocol.md), in-toto Statement v1 and its predicate test-result v0.1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from audit.errors import InputError, Position
from audit.evidence import keys
from audit.evidence.bundle import Bundle
from audit.evidence.checks import Check, results
from audit.evidence.extra import SIGNATURES
from audit.evidence.manifest import MANIFEST
from audit.sources.archive.layout import BrokenError

TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
_RESULTS = {"compliant": "PASSED", "incomplete": "WARNED", "not-compliant": "FAILED"}
_TESTS = {"pass": "passedTests", "fail": "failedTests"}


class Signature(msgspec.Struct, frozen=True):
    """One signature."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What DSSE calls an envelope; bytes are in base64."""

    payload: str
    payloadType: str = TYPE  # noqa: N815 - the name in the format
    signatures: tuple[Signature, ...] = ()


def statement(bundle: Bundle) -> dict[str, Any]:
    """What a signature says: this manifest and this snapshot, judged against this matrix, with this result."""
    manifest = bundle.manifest
    subject = [(MANIFEST, bundle.sha256)]
    subject += [(one.name, one.sha256) for one in manifest.members if one.role == "snapshot"]
    configuration = [(one.name, one.sha256) for one in manifest.members if one.role in ("zones", "exceptions")]
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for rule in results(bundle).rules:
        if rule.verdict != "not-applicable":
            tests[_TESTS.get(rule.verdict, "warnedTests")].append(rule.id)
    return {
        "_type": STATEMENT,
        "subject": [_described(*one) for one in subject],
        "predicateType": PREDICATE,
        "predicate": {
            "result": _RESULTS[manifest.verdict],
            "configuration": [_described(*one) for one in configuration],
            **tests,
        },
    }


def signed(bundle: Bundle, private: keys.Private, before: Envelope | None = None) -> Envelope:
    """The envelope with one more signature, a new one for the same key in place of the old."""
    message = msgspec.json.encode(statement(bundle), order="sorted")
    payload = base64.b64encode(message).decode()
    mine = keys.key_id(private.public_key())
    others = [one for one in before.signatures if one.keyid != mine] if before else []
    made = Signature(mine, base64.b64encode(keys.signature(private, _authenticated(message))).decode())
    return Envelope(payload=payload, signatures=tuple(sorted((*others, made), key=lambda one: one.keyid)))


def written(envelope: Envelope) -> bytes:
    """The one text of an envelope."""
    return msgspec.json.format(msgspec.json.encode(envelope), indent=1) + b"\n"


def place(bundle: str) -> Path:
    """Where the signatures of a bundle are."""
    return Path(bundle + SIGNATURES)


def found(bundle: Bundle) -> Envelope | None:
    """The envelope beside a bundle, which is about it; None where there is none, BrokenError where it is wrong."""
    path = place(bundle.file)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError((error.strerror or "cannot be read").lower(), Position(str(path))) from error
    try:
        envelope = msgspec.json.decode(text, type=Envelope)
        said = msgspec.json.decode(base64.b64decode(envelope.payload, validate=True))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, binascii.Error) as error:
        raise BrokenError(f"`{path.name}` is no envelope of signatures") from error
    if written(envelope) != text or envelope.payloadType != TYPE:
        raise BrokenError(f"`{path.name}` is not as zone-audit writes it")
    if said != statement(bundle):
        raise BrokenError(f"`{path.name}` is about something else than this bundle")
    return envelope


def checked(bundle: Bundle, public: Sequence[keys.Public]) -> Check:
    """Whether the owner of every key signed the bundle."""
    try:
        envelope = found(bundle)
    except BrokenError as error:
        return Check("signature", "failed", str(error))
    if envelope is None:
        return Check("signature", "failed", f"there is no `{place(bundle.file).name}`")
    message = base64.b64decode(envelope.payload)
    for key in public:
        mine = [one for one in envelope.signatures if one.keyid == keys.key_id(key)]
        if not any(_fits(key, one, message) for one in mine):
            return Check("signature", "failed", f"there is no valid signature by the key {keys.key_id(key)}")
    if not public:
        by = ", ".join(one.keyid for one in envelope.signatures) or "nobody"
        return Check("signature", "unchecked", f"it says that it is signed by {by}; give the key with `--public-key`")
    return Check("signature", "passed", f"signed by {', '.join(map(keys.key_id, public))}")


def _fits(key: keys.Public, one: Signature, message: bytes) -> bool:
    try:
        sig = base64.b64decode(one.sig, validate=True)
    except binascii.Error:
        return False
    return base64.b64encode(sig).decode() == one.sig and keys.fits(key, sig, _authenticated(message))


def _authenticated(message: bytes) -> bytes:
    """What is signed: type and payload with their lengths."""
    return b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(message), message)


def _described(name: str, sha256: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}}
