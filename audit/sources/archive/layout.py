"""What a snapshot file is made of: names, limits, and the text of its manifest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import msgspec
from msgspec import structs

from audit.ledger import SCHEMA, Manifest
from audit.sources.text import MAX_JSON

MANIFEST = "manifest.json"
FOLDER = "objects"
MAX_MANIFEST = 16 << 20
"""Bytes; ten thousand objects that were refused take less."""
MAX_MEMBERS = 1000
MAX_MEMBER = MAX_JSON
"""Bytes before compression, as of any JSON input."""
MAX_TOTAL = 4 * MAX_MEMBER
_KEY = re.compile(r"[A-Z][A-Za-z0-9]{0,62}(?:\.[a-z0-9](?:[-a-z0-9.]{0,126}[a-z0-9])?)?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UID = re.compile(r"[-A-Za-z0-9]{0,64}")
_FAMILY = SCHEMA.partition("/")[0]
_MARKS = (f'"{_FAMILY}/'.encode(), b'"ledger"', b'"members"', b'"seal"')
_ENOUGH_MARKS = 2
"""Whatever single byte of a manifest changed, it is still taken for one, and refused."""


class BrokenError(ValueError):
    """Why a file is no snapshot that can be trusted, in words for a user."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


class _Named(msgspec.Struct):
    schema: str = ""
    tool: str = ""


def member_name(key: str) -> str:
    """The member that holds the objects of a kind key; ValueError for what is no such key."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"`{key}` is not the key of a kind")
    return f"{FOLDER}/{key}.json"


def is_manifest(text: bytes) -> bool:
    """Whether a text is meant to be the manifest of a snapshot, sound or not."""
    return sum(mark in text for mark in _MARKS) >= _ENOUGH_MARKS


def sealed(manifest: Manifest) -> Manifest:
    """The manifest with the seal that fits the rest of it."""
    digest = hashlib.sha256(written(structs.replace(manifest, seal=""))).hexdigest()
    return structs.replace(manifest, seal=digest)


def written(manifest: Manifest) -> bytes:
    """The one text of a manifest: JSON, a line to a value."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def parsed(text: bytes) -> Manifest:
    """The manifest that `written` gives this very text for; BrokenError for any other text."""
    try:
        named = msgspec.json.decode(text, type=_Named)
        _check_version(named)
        manifest = msgspec.json.decode(text, type=Manifest)
        same = written(manifest) == text and sealed(manifest) == manifest
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BrokenError(f"`{MANIFEST}` is broken: {error}") from error
    if not same:
        raise BrokenError(f"`{MANIFEST}` was changed since it was written")
    for problem in _problems(manifest):
        raise BrokenError(f"`{MANIFEST}` is broken: {problem}")
    return manifest


def schema() -> bytes:
    """The JSON Schema of a manifest; `docs/snapshot.schema.json` is a copy that a test keeps current."""
    described = msgspec.json.schema(Manifest) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": "Text that does not apply is the empty string. `seal` and the digests of `members` are SHA-256 "
        "in hex; docs/snapshot.md says of what.",
    }
    return msgspec.json.format(msgspec.json.encode(described, order="sorted"), indent=2) + b"\n"


def _check_version(named: _Named) -> None:
    if named.schema.partition("/")[0] != _FAMILY:
        raise BrokenError(f"`{MANIFEST}` is not that of a snapshot: its schema is `{named.schema}`, not `{SCHEMA}`")
    if named.schema != SCHEMA:
        tool = f" of {named.tool}" if named.tool else ""
        raise BrokenError(
            f"its format `{named.schema}`{tool} is not known; this version reads `{SCHEMA}`",
            "collect it again with this version, or scan it with the one that wrote it",
        )


def _problems(manifest: Manifest) -> Iterator[str]:
    """What a writer in its right mind does not say."""
    if not _UID.fullmatch(manifest.cluster.uid):
        yield "what it calls its cluster is no UID"
    kinds = [one.kind for one in manifest.ledger]
    names = [one.name for one in manifest.members]
    held = {one.kind for one in manifest.members}
    if kinds != sorted(set(kinds)):
        yield "its ledger does not name each kind once, in order"
    if names != sorted(set(names)) or len(names) > MAX_MEMBERS:
        yield "its members are not named once each, in order"
    for one in manifest.members:
        if not _KEY.fullmatch(one.kind) or one.name != member_name(one.kind):
            yield f"`{one.name}` is no name for the objects of `{one.kind}`"
        if not _DIGEST.fullmatch(one.sha256) or one.objects < 0 or not 0 <= one.size <= MAX_MEMBER:
            yield f"what it says of `{one.name}` is out of range"
    if sum(one.size for one in manifest.members) > MAX_TOTAL:
        yield "its members are too large together"
    for entry in manifest.ledger:
        if entry.objects and entry.kind not in held:
            yield f"the objects of `{entry.kind}` are missing"
