"""What was read of a cluster: an object that does not decode is left out, and a gap says so; nothing stops the reading.

Manifests are repaired by whoever wrote them, so they are refused instead. What a cluster holds nobody can repair first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import structs

from audit.errors import InputError
from audit.snapshot import Entry, Gap, InputFile
from audit.sources import json_text, yaml_text
from audit.sources.kinds import kind_key
from audit.sources.layers import Layer
from audit.sources.objects import entry
from audit.sources.shared import Shared
from audit.sources.text import Found, Text

_NAMED = 20
"""Objects of one input that are named when they do not decode; the others are counted."""
Add = Callable[[Layer, Entry], InputError | None]
"""Puts an object into a layer; what is wrong with that."""


@dataclass(slots=True)
class Held:
    """The part of one source."""

    layer: Layer = field(default_factory=dict)
    files: list[InputFile] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, text: Text, kind: str, shared: Shared, add: Add, *, lines: bool) -> int:
        """Adds the objects of an input, all of one kind, with their lines or without; how many it held."""
        refused: list[Gap] = []
        objects = 0
        for found in (json_text if text.is_json else yaml_text).objects(text):
            if isinstance(found, str):  # an empty list, or an empty document
                continue
            objects += 1
            placed = found if lines or isinstance(found, InputError) else structs.replace(found, line=0)
            problem = placed if isinstance(placed, InputError) else self._add(text, placed, kind, shared, add)
            if problem:
                scope = _identity(placed) if isinstance(placed, Found) else ""
                refused.append(Gap(kind=kind, reason="invalid-object", scope=scope, text=problem.message))
        kept, size = objects - len(refused), len(text.content)
        self.files.append(InputFile(file=text.file, sha256=text.sha256, size=size, objects=kept))
        self.gaps += _told(kind, refused)
        if refused:
            what = "1 object was" if len(refused) == 1 else f"{len(refused):,} objects were"
            self.notes.append(f"`{text.file}`: {what} left out: {refused[0].text}")
        return objects

    def _add(self, text: Text, found: Found, kind: str, shared: Shared, add: Add) -> InputError | None:
        """Adds one object; what is wrong with it."""
        made = entry(text, found, shared)
        match made:
            case Entry():
                if kind_key(made.group, made.kind) != kind:
                    return InputError(f"an object of kind `{made.kind}` does not belong to `{kind}`")
                return add(self.layer, made)
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
