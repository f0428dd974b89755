"""The file: made of members, and read back with everything checked that it can show by itself.

Layout: `audit.sources.archive.zip_layout`, with manifest.json first, SHA256SUMS, then the members that the manifest
names. Equal members give equal bytes. Readers hold it in memory; nothing is unpacked to disk but a private copy of the
snapshot, by whoever reads that.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import structs

from audit import files
from audit.errors import InputError, Position, RenderError
from audit.evidence import leaves, tree
from audit.evidence.leaves import Leaf
from audit.evidence.manifest import MANIFEST, SUMS, Manifest, Member, Merkle, Role, digest, parsed, sums, written
from audit.sources.archive import zip_layout
from audit.sources.archive.layout import MAX_MANIFEST, MAX_MEMBER, MAX_TOTAL, BrokenError
from audit.sources.archive.zip_reading import Entries

SNAPSHOT = "snapshot.zip"
_FIXED = 2
"""Entries before the members: the manifest and SHA256SUMS."""


@dataclass(frozen=True, slots=True)
class Part:
    """A member to be written."""

    name: str
    role: Role
    content: bytes


@dataclass(frozen=True)
class Bundle:
    """One that was read: its manifest is sound and its digests fit, all else is for `audit.evidence.checks`."""

    file: str
    manifest: Manifest
    text: bytes
    """The manifest as it stands in the file."""
    contents: Mapping[str, bytes]

    @property
    def sha256(self) -> str:
        """Digest of the manifest, by which the next bundle, signatures and time-stamps name this one."""
        return digest(self.text)

    def of(self, role: Role) -> bytes | None:
        """The content of the first member of a role."""
        member = self.manifest.named(role)
        return self.contents[member.name] if member else None

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Those of its tree."""
        with self.snapshot() as file:
            objects = leaves.of_snapshot(file) if file else iter(())
            return (*leaves.of_members(self.manifest.members), *objects)

    @contextmanager
    def snapshot(self) -> Iterator[Path | None]:
        """The snapshot as a private file that goes at the end of the block; None if there is none."""
        content = self.of("snapshot")
        if content is None:
            yield None
            return
        with private(content) as file:
            yield file


@contextmanager
def private(content: bytes) -> Iterator[Path]:
    """A file for the user alone that goes at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="zone-audit-") as folder:
        file = Path(folder, SNAPSHOT)
        with files.created(file) as handle:
            files.write_all(handle, content)
        yield file


def composed(manifest: Manifest, parts: Sequence[Part]) -> bytes:
    """The bundle; `members`, `merkle` and `snapshot` of the manifest are filled in."""
    members = tuple(
        Member(name=one.name, role=one.role, sha256=digest(one.content), size=len(one.content)) for one in parts
    )
    held = next((one.content for one in parts if one.role == "snapshot"), None)
    filled = structs.replace(
        manifest, members=members, merkle=_merkle(members, held), snapshot=None if held is None else digest(held)
    )
    text = written(filled)
    try:
        return zip_layout.archive(
            [(MANIFEST, text), (SUMS, sums(text, members)), *((one.name, one.content) for one in parts)]
        )
    except ValueError as error:
        raise RenderError("the bundle takes more than 4 GiB") from error


def merkle(found: Sequence[Leaf]) -> Merkle:
    """What a manifest says of these leaves."""
    return Merkle(root=tree.root([tree.leaf_hash(one.content) for one in found]).hex(), leaves=len(found))


def _merkle(members: Sequence[Member], snapshot: bytes | None) -> Merkle:
    found = list(leaves.of_members(members))
    if snapshot is not None:
        with private(snapshot) as file:
            found += leaves.of_snapshot(file)
    return merkle(found)


def opened(file: str | Path) -> Bundle:
    """A bundle, sound in layout, digests and manifest; InputError for any other file, and for one that changed."""
    try:
        return read(file)
    except BrokenError as error:
        raise InputError(str(error), Position(str(file)), error.hint) from error


def read(file: str | Path) -> Bundle:
    """As `opened`, with BrokenError for a file that is there and is no sound bundle."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _read(str(file), Entries(handle))
        finally:
            os.close(handle)
    except OSError as error:
        raise unreadable(str(file), error) from error


def unreadable(file: str, error: Exception) -> InputError:
    """What the system says of a file."""
    reason = getattr(error, "strerror", None) or "cannot be read"
    return InputError(reason.lower(), Position(file))


def _read(file: str, entries: Entries) -> Bundle:
    slots = entries.slots
    if [one.name for one in slots[:_FIXED]] != [MANIFEST, SUMS] or slots[0].size > MAX_MANIFEST:
        raise BrokenError("it is no evidence bundle", "`zone-audit scan ... -f bundle -o evidence.zip` writes one")
    if any(one.size > MAX_MEMBER for one in slots) or sum(one.size for one in slots) > MAX_TOTAL:
        raise BrokenError("its members are too large")
    text = entries.content(slots[0])
    manifest = parsed(text)
    told = [(one.name, one.size) for one in manifest.members]
    if told != [(one.name, one.size) for one in slots[_FIXED:]]:
        raise BrokenError(f"it has other entries than its `{MANIFEST}` names")
    if entries.content(slots[1]) != sums(text, manifest.members):
        raise BrokenError(f"`{SUMS}` is not that of its members")
    contents = {}
    for member, slot in zip(manifest.members, slots[_FIXED:], strict=True):
        contents[member.name] = entries.content(slot)
        if digest(contents[member.name]) != member.sha256:
            raise BrokenError(f"`{member.name}` was changed since it was written")
    return Bundle(file, manifest, text, contents)


def schema() -> bytes:
    """The JSON Schema of a manifest; `docs/evidence.schema.json` is a copy that a test keeps current."""
    described = msgspec.json.schema(Manifest) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "zone-audit.evidence/1",
        "description": "Text that does not apply is the empty string. Digests are SHA-256 in hex; docs/evidence.md "
        "says of what.",
    }
    return msgspec.json.format(msgspec.json.encode(described, order="sorted"), indent=2) + b"\n"
