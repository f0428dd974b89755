"""Objects of several sources, laid one over the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import structs

from audit.errors import InputError, Position
from audit.raw_body import RawBody, StatusBody
from audit.snapshot import Entry
from audit.sources.kinds import kind_key
from audit.sources.objects import label

Identity = tuple[str, str, str]
"""Kind key, namespace and name: what one cluster holds once. `extensions` and `apps` are two doors to one object."""
Layer = dict[Identity, Entry]


def identity(entry: Entry) -> Identity:
    """What tells this object from every other of a cluster."""
    return kind_key(entry.group, entry.kind), entry.namespace, entry.name


def add(layer: Layer, entry: Entry) -> InputError | None:
    """Puts an object into the layer of its source; an error if the source says two things of one object.

    The same content twice is kept once, where it was read first.
    """
    earlier = layer.setdefault(identity(entry), entry)
    if earlier is entry or _same(earlier.body, entry.body):
        return None
    first = Position(earlier.origin.file, earlier.origin.line)
    return InputError(
        f"conflicting duplicates: {label(entry)} is also at `{first}`, with other content",
        Position(entry.origin.file, entry.origin.line),
        "keep one of them, or give the newer one as a later SOURCE",
    )


def keep(layer: Layer, entry: Entry) -> bool:
    """Puts an object into the layer unless it is there already; whether what is there says otherwise.

    Status does not count: two readings of one object are never quite of the same time.
    """
    earlier = layer.setdefault(identity(entry), entry)
    return earlier is not entry and not _same(_settled(earlier.body), _settled(entry.body))


def overlay(layers: Iterable[tuple[str, Layer]]) -> tuple[Layer, tuple[str, ...]]:
    """The layers of named sources as one, later ones in front, and a note for each that replaced something."""
    merged: Layer = {}
    notes = []
    for source, layer in layers:
        replaced = len(merged.keys() & layer.keys())
        if replaced:
            what = "1 object" if replaced == 1 else f"{replaced:,} objects"
            notes.append(f"`{source}` replaces {what} of earlier sources")
        merged.update(layer)
    return merged, tuple(notes)


def by_kind(layer: Layer) -> Mapping[str, tuple[Entry, ...]]:
    """The objects under their kind keys, which are sorted, each sorted by namespace and name."""
    grouped: dict[str, list[Entry]] = {}
    for (key, _, _), entry in layer.items():
        grouped.setdefault(key, []).append(entry)
    order = attrgetter("namespace", "name")
    return {key: tuple(sorted(grouped[key], key=order)) for key in sorted(grouped)}


def _settled(body: Any) -> Any:
    """The body without its status."""
    if isinstance(body, StatusBody):
        return structs.replace(body, status=msgspec.Raw(b""))
    return structs.replace(body, status=None) if "status" in body.__struct_fields__ else body


def _same(a: Any, b: Any) -> bool:
    if a == b:
        return True
    if not (isinstance(a, RawBody) and isinstance(b, RawBody) and a.metadata == b.metadata):
        return False
    return bool(_raw(a) == _raw(b))


def _raw(body: RawBody) -> list[Any]:
    parts = [body.spec, body.status] if isinstance(body, StatusBody) else [body.spec]
    return [msgspec.json.decode(part) if bytes(part) else None for part in parts]
