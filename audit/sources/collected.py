"""A snapshot file -> the objects of a live cluster. One that does not decode is left out, and a gap says so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import structs

from audit.errors import InputError, Position
from audit.ledger import Manifest, Member
from audit.snapshot import Entry, Gap, InputFile
from audit.sources import archive, evidence, json_text, layers
from audit.sources.archive.layout import MANIFEST
from audit.sources.kinds import kind_key
from audit.sources.layers import Layer
from audit.sources.objects import entry
from audit.sources.shared import Shared
from audit.sources.text import Found, Text, utf8_error

_NAMED = 20
"""Objects of one kind that are named when they do not decode; the others are counted."""
_UID = 8
"""Characters of a cluster's UID that tell one from another."""


@dataclass(slots=True)
class Collected:
    """What a snapshot file holds."""

    manifest: Manifest
    layer: Layer = field(default_factory=dict)
    files: list[InputFile] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What reports call the cluster, wherever its snapshot lies."""
        return f"cluster {self.manifest.cluster.uid[:_UID] or 'of unknown identity'}"


def collected(file: str, ordinal: int, shared: Shared, say: Callable[[str], None]) -> Collected:
    """The contents of the SOURCE with this ordinal; InputError for a file that is no sound snapshot."""
    with archive.opened(file) as found:
        held = Collected(found.manifest)
        held.gaps += evidence.gaps(found.manifest)
        digest = hashlib.sha256(found.text).hexdigest()
        held.files.append(InputFile(file=f"{held.name}:{MANIFEST}", sha256=digest, size=len(found.text), objects=0))
        for member, content in found.members():
            text = Text(f"{held.name}:{member.name}", content, ordinal, named=True)
            say(f"reading {text.file}")
            _read(held, member, text, shared, Position(file))
    return held


def _read(held: Collected, member: Member, text: Text, shared: Shared, place: Position) -> None:
    """Adds one member."""
    if error := utf8_error(text):
        raise error
    refused: list[Gap] = []
    objects = 0
    for found in json_text.objects(text):
        if isinstance(found, str):  # an empty list: the ledger says so
            continue
        objects += 1
        problem = found if isinstance(found, InputError) else _add(held.layer, member, text, found, shared)
        if problem:
            scope = _identity(found) if isinstance(found, Found) else ""
            refused.append(Gap(kind=member.kind, reason="invalid-object", scope=scope, text=problem.message))
    if objects != member.objects:
        reason = f"`{member.name}` holds {objects:,} objects, `{MANIFEST}` says {member.objects:,}"
        raise InputError(reason, place)
    size = len(text.content)
    held.files.append(InputFile(file=text.file, sha256=member.sha256, size=size, objects=objects - len(refused)))
    held.gaps += _told(member.kind, refused)
    if refused:
        what = "1 object was" if len(refused) == 1 else f"{len(refused):,} objects were"
        held.notes.append(f"`{text.file}`: {what} left out: {refused[0].text}")


def _add(layer: Layer, member: Member, text: Text, found: Found, shared: Shared) -> InputError | None:
    """Adds one object; what is wrong with it."""
    # All objects stand in one line, which tells nobody anything.
    made = entry(text, structs.replace(found, line=0), shared)
    match made:
        case Entry():
            if kind_key(made.group, made.kind) != member.kind:
                return InputError(f"an object of kind `{made.kind}` does not belong to `{member.kind}`")
            return layers.add(layer, made)
        case InputError():
            return made
        case tuple():
            return made[0]
    return InputError("this is not a Kubernetes object")


def _told(kind: str, refused: list[Gap]) -> Iterator[Gap]:
    yield from refused[:_NAMED]
    if (more := len(refused) - _NAMED) > 0:
        yield Gap(kind=kind, reason="invalid-object", text=f"{more:,} more objects do not decode")


class _Names(msgspec.Struct, frozen=True):
    name: str = ""
    namespace: str = ""


class _Identity(msgspec.Struct, frozen=True):
    metadata: _Names = _Names()


def _identity(found: Found) -> str:
    """`namespace/name` of an object that does not decode, as far as it can be told."""
    try:
        names = msgspec.json.decode(found.json, type=_Identity).metadata
    except msgspec.MsgspecError:
        return ""
    return f"{names.namespace}/{names.name}" if names.namespace else names.name
