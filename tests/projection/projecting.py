"""Whole inputs through the projection, as a snapshot of a cluster would hold them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from audit.projection import Pseudonyms, project
from audit.projection.describe import known
from audit.sources import inputs, json_text, yaml_text
from audit.sources.kinds import Kind, kind_of
from audit.sources.text import Found, Text

Json = dict[str, Any]
KEYS = {kind.key for kind in known()} | {"Route", "Ingress.extensions", "EgressNetworkPolicy", "ClusterResourceQuota"}
"""Kinds that a snapshot is asked for, by the groups of older releases, too."""


def read(*sources: Path) -> Iterator[tuple[Kind, bytes]]:
    """Every object of some files with its kind."""
    for source in sources:
        for text in inputs.texts(str(source), 0, None, lambda _: None):
            assert isinstance(text, Text), text
            for found in (json_text if text.is_json else yaml_text).objects(text):
                assert isinstance(found, Found | str), found
                if isinstance(found, Found):
                    yield kind_in(found.json, found.api_version, found.kind), found.json


def kind_in(item: bytes, api_version: str = "", kind: str = "") -> Kind:
    """The kind that an object says it is."""
    value = json.loads(item)
    return kind_of(value.get("apiVersion") or api_version, value.get("kind") or kind)


def projected(kind: Kind, item: bytes, names: Pseudonyms | None = None) -> bytes:
    """What a snapshot would keep; kinds that it does not ask for stay whole."""
    return project(kind, item, names) if kind.key in KEYS else item


def written(objects: Iterable[tuple[Kind, bytes]], target: Path, names: Pseudonyms | None = None) -> Path:
    """A file with the objects of each kind as one list, projected."""
    lists: dict[Kind, list[bytes]] = {}
    for kind, item in objects:
        lists.setdefault(kind, []).append(projected(kind, item, names))
    with target.open("wb") as stream:
        for kind, items in lists.items():
            version = f"{kind.group}/{kind.version}" if kind.group else kind.version
            stream.write(b'{"apiVersion":"%s","kind":"%sList","items":[' % (version.encode(), kind.kind.encode()))
            stream.write(b",".join(items) + b"]}\n")
    return target


def given(values: Iterable[Json]) -> Iterator[tuple[Kind, bytes]]:
    """Objects as the API server would send them."""
    for value in values:
        item = json.dumps(value, default=str).encode()
        yield kind_in(item), item


def one(value: Json, names: Pseudonyms | None = None) -> Json:
    """What is kept of an object."""
    item = json.dumps(value).encode()
    found: Json = json.loads(project(kind_in(item), item, names))
    return found


def mappings(value: Any) -> list[Json]:
    """Every mapping within a value."""
    found: list[Json] = []
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            found.append(part)
        pending += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return found
