"""Line and column of a field inside an object, found again on demand: only errors and evidence ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from audit.errors import AuditError, Position
from audit.snapshot import Entry
from audit.sources import json_text, yaml_text
from audit.sources.kinds import kind_of
from audit.sources.text import Found, Steps, Text

MAX_REREAD = 16 << 20
"""Bytes of an input that is read again for a position; in a larger one the line of the object must do."""
MAX_COMPOSED = json_text.MAX_COMPOSED

_standard_input: list[bytes] = []
"""Standard input as last read, because it cannot be read again; empty if it was too large to keep."""


def locate(entry: Entry, path: Sequence[str | int]) -> Position:
    """Where the field at `path` of an object is written, such as `("spec", "egress", 0, "to", 1, "ipBlock", "cidr")`.

    The nearest enclosing field that is written, if that one is not; the line of the object if its input is large or
    has changed since. Never raises.
    """
    origin = entry.origin
    fallback = Position(origin.file, origin.line)
    try:
        found = _find(entry)
    except (OSError, ValueError, RecursionError, AuditError):
        return fallback
    return position(origin.file, found, tuple(path)) if found else fallback


def position(file: str, found: Found, path: Steps) -> Position:
    """The same for an object as it was found."""
    fallback = Position(file, found.line, found.column)
    text = found.document or _json_document(found)
    if not text or len(text) > MAX_COMPOSED:
        return fallback
    mark = _mark(text, found.prefix + path)
    if mark is None:
        return fallback
    line, column = mark
    if found.document:
        return Position(file, found.document_line + line, column + 1)
    return Position(file, found.line + line, column + (1 if line else found.column))


def remember_standard_input(content: bytes) -> None:
    """Keeps standard input for `locate`, unless it is too large."""
    _standard_input[:] = [content] if len(content) <= MAX_REREAD else []


def _json_document(found: Found) -> str:
    return found.json.decode(errors="replace") if len(found.json) <= MAX_COMPOSED else ""


@lru_cache(maxsize=4)
def _nodes(text: str) -> Any:
    import yaml

    try:
        # Only text that was read before comes here, so its depth is known to be harmless.
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return None


def _mark(text: str, path: Steps) -> tuple[int, int] | None:
    """0-based line and column of the deepest node on the path; None if the text cannot be composed."""
    node = _nodes(text)
    if node is None:
        return None
    for step in path:
        below = _child(node, step)
        if below is None:
            break
        node = below
    return node.start_mark.line, node.start_mark.column


def _child(node: Any, step: str | int) -> Any:
    if node.id == "sequence" and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step]
    if node.id != "mapping":
        return None
    return next((value for key, value in _members(node) if key == str(step)), None)


def _members(node: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a mapping node, its own first, then those that it merges."""
    pending = [node]
    for source in pending:
        for key, value in source.value:
            if key.tag == "tag:yaml.org,2002:merge":
                pending += value.value if value.id == "sequence" else [value]
            elif key.id == "scalar":
                yield key.value, value


class _Names(msgspec.Struct, gc=False):
    name: str | None = None
    generateName: str | None = None  # noqa: N815
    namespace: str | None = None


class _Identity(msgspec.Struct, gc=False):
    kind: str = ""
    apiVersion: str = ""  # noqa: N815
    metadata: _Names | None = None


def _find(entry: Entry) -> Found | None:
    for found in _objects(entry.origin.file, *_state(entry.origin.file)):
        if found.line == entry.origin.line and _is(found, entry):
            return found
    return None


def _is(found: Found, entry: Entry) -> bool:
    identity = msgspec.json.decode(found.json, type=_Identity)
    kind = kind_of(identity.apiVersion or found.api_version, identity.kind or found.kind)
    names = identity.metadata or _Names()
    namespace = kind.namespace(names.namespace or "")
    return (kind.kind, namespace, names.name or names.generateName) == (entry.kind, entry.namespace, entry.name)


def _state(file: str) -> tuple[int, int]:
    """What tells a changed file from the cached one."""
    if file == "-":
        return id(_standard_input[0]) if _standard_input else 0, 0
    status = Path(file).stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _objects(file: str, _modified: int, size: int) -> tuple[Found, ...]:
    if size > MAX_REREAD:
        return ()
    content = b"".join(_standard_input) if file == "-" else Path(file).read_bytes()
    text = Text(file, content, 0, named=True)
    reader = json_text if text.is_json else yaml_text
    return tuple(found for found in reader.objects(text) if isinstance(found, Found))
