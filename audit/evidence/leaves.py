"""What the Merkle tree of a bundle stands over: its members, then every object of its snapshot, as canonical JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import rfc8785

from audit.evidence.manifest import Member
from audit.sources import archive


class Leaf(NamedTuple):
    """One leaf."""

    name: str
    """`Pod shop/web`; of a member its file name."""
    content: bytes
    """RFC 8785 JSON: `{"kind": KEY, "object": {...}}`, or `{"member": NAME, "sha256": HEX}`.

    An object that has no canonical form, such as one with a number that JavaScript cannot hold, is `{"kind": KEY,
    "sha256": HEX}`, the digest of its text in the snapshot.
    """


class _List(msgspec.Struct):
    items: tuple[msgspec.Raw, ...] = ()


class _Names(msgspec.Struct):
    name: Any = ""
    namespace: Any = ""


class _Named(msgspec.Struct):
    metadata: _Names = msgspec.field(default_factory=_Names)


class _Content(msgspec.Struct):
    kind: str = ""
    object: msgspec.Raw = msgspec.Raw(b"{}")
    member: str = ""


def of_members(members: Iterable[Member]) -> Iterator[Leaf]:
    """One leaf for each member, in order."""
    for one in members:
        yield Leaf(one.name, rfc8785.dumps({"member": one.name, "sha256": one.sha256}))


def of_snapshot(file: Path) -> Iterator[Leaf]:
    """One leaf for each object of a snapshot file, by kind and in the order of the file; InputError as reading it."""
    with archive.opened(file) as found:
        for member, content in found.members():
            for item in msgspec.json.decode(content, type=_List).items:
                yield _leaf(member.kind, bytes(item))


def _leaf(kind: str, text: bytes) -> Leaf:
    try:
        content = rfc8785.dumps({"kind": kind, "object": msgspec.json.decode(text)})
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        content = rfc8785.dumps({"kind": kind, "sha256": hashlib.sha256(text).hexdigest()})
    return Leaf(_named(kind, text), content)


def leaf_name(content: bytes) -> str:
    """What the content of a leaf is about."""
    try:
        said = msgspec.json.decode(content, type=_Content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return "nothing"
    return _named(said.kind, bytes(said.object)) if said.kind else said.member


def _named(kind: str, text: bytes) -> str:
    try:
        about = msgspec.json.decode(text, type=_Named).metadata
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        about = _Names()
    return f"{kind} {about.namespace}/{about.name}" if about.namespace else f"{kind} {about.name}"
