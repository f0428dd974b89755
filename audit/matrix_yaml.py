"""YAML or JSON text -> a tree of nodes that know where they were written, within bounds that hold for hostile input.

The tree is built from libyaml's event stream with a stack of our own: composing in C recurses and ends the process on
deep nesting, and an alias costs nothing there but everything to whoever walks the result.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from audit.errors import AuditErrors, MatrixError, Position

if TYPE_CHECKING:
    import yaml

MAX_BYTES: Final = 5 << 20
"""A matrix of 60 zones with every row filled in takes 1 MiB."""
MAX_DEPTH: Final = 64
"""zones.yaml needs 8."""
MAX_NODES: Final = 400_000
"""Nodes after aliases are expanded; the 60-zone matrix has 100,000."""
_PLAIN_INT: Final = re.compile(r"-?(0|[1-9][0-9]{0,8})")
_CORE: Final = "tag:yaml.org,2002:"
_SHOWN: Final = 60
_HEAD: Final = 1 << 16
"""Bytes within which the `kind` of an object stands."""
_YAML_KIND: Final = re.compile(r"""^kind:[ \t]*["']?([A-Za-z]{1,60})["']?[ \t]*(?:#.*)?\r?$""", re.MULTILINE)
_JSON_KIND: Final = re.compile(r"""\s*\{\s*(?:"apiVersion"\s*:\s*"[^"]*"\s*,\s*)?"kind"\s*:\s*"([A-Za-z]{1,60})\"""")

ODD_KINDS: Final = {"bool": "a boolean", "null": "an empty value", "int": "a number", "float": "a number"}
"""YAML 1.1 tags that no field of ours takes as they stand, in words."""


@dataclass(frozen=True, slots=True)
class OddScalar:
    """A bare word that YAML 1.1 reads as neither text nor a plain decimal: `no`, `1.10`, `0x1F`, nothing."""

    text: str
    kind: str
    """The last part of the YAML tag: `bool`, `null`, `int`, `float`."""


class Node(msgspec.Struct, frozen=True):
    """One value and its place. Lines and columns are 1-based, 0 when unknown; `cell` is set in spreadsheets."""

    value: Any
    """`str`, `int` or OddScalar; `list` or `dict` of nodes."""
    file: str
    line: int = 0
    column: int = 0
    cell: str = ""
    keys: dict[str, tuple[int, int]] = {}
    """Line and column of each key of a mapping."""

    @property
    def position(self) -> Position:
        """The place for an error."""
        return Position(self.file, self.line, self.column, self.cell)

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass(frozen=True, slots=True)
class Document:
    """One file as a tree, with the faults that did not stop the reading."""

    root: Node
    faults: tuple[MatrixError, ...] = ()
    sha256: str = ""
    """Hex digest of the bytes as read."""

    def place(self, path: tuple[str | int, ...], *, key: bool = False) -> Position:
        """Where the value at `path` stands, or its key; what is absent stands where its parent does."""
        node = self.root
        for depth, step in enumerate(path):
            if key and depth == len(path) - 1 and step in node.keys:
                line, column = node.keys[str(step)]
                return Position(node.file, line, column, node.value[step].cell)
            inner = _child(node, step)
            if inner is None:
                break
            node = inner
        return node.position


def _child(node: Node, step: str | int) -> Node | None:
    match node.value, step:
        case dict() as fields, str():
            found: Node | None = fields.get(step)
            return found
        case list() as items, int() if step < len(items):
            item: Node = items[step]
            return item
    return None


def shown(value: object) -> str:
    """A user's word in backticks, cut and with unprintable characters escaped."""
    text = value.text if isinstance(value, OddScalar) else str(value)
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text[: _SHOWN + 1])
    return f"`{safe[:_SHOWN]}...`" if len(safe) > _SHOWN else f"`{safe}`"


def read_bytes(path: str | Path, limit: int = MAX_BYTES, missing: str = "") -> bytes:
    """The bytes of a file; MatrixError when it is missing (hint `missing`), unreadable or larger than `limit`."""
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        msg = f"{shown(path)} cannot be read: {(error.strerror or 'input error').lower()}"
        raise MatrixError(msg, hint=missing if isinstance(error, FileNotFoundError) else "") from error
    except ValueError as error:
        msg = f"{shown(path)} is not a file name"
        raise MatrixError(msg) from error
    if len(data) > limit:
        msg = f"the file is larger than {limit >> 20} MiB"
        raise MatrixError(msg, Position(str(path)))
    return data


def decode(data: bytes, file: str) -> str:
    """The text of UTF-8 bytes, with or without a byte order mark; MatrixError with the place of the first bad byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        msg = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise MatrixError(msg, Position(file, line, column), "save the file as UTF-8") from error


def other_kind(data: bytes) -> str:
    """The `kind` of the first object where the text is plainly something else than a matrix, else empty.

    Read off the text, since a file of several objects is no document of ours.
    """
    text = data[:_HEAD].decode("utf-8-sig", "replace")
    found = _JSON_KIND.match(text) if text.lstrip().startswith("{") else _YAML_KIND.search(text)
    kind = found[1] if found else ""
    return kind if kind and not difflib.get_close_matches(kind.lower(), ("zonematrix", "matrix")) else ""


def document(data: bytes, file: str) -> Document:
    """The tree of one YAML or JSON document; MatrixError or AuditErrors when there is no tree to speak of."""
    builder = _Builder(file)
    for event in _events(decode(data, file), file):
        builder.take(event)
    if builder.root is None:
        msg = "the file is empty"
        raise MatrixError(msg, Position(file, 1, 1))
    return Document(builder.root, tuple(builder.faults), hashlib.sha256(data).hexdigest())


def _events(text: str, file: str) -> Iterator[yaml.Event]:
    import yaml

    try:
        yield from yaml.parse(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
        reason = " ".join(part for part in (error.context, error.problem) if part)
        msg = f"this is not YAML: {reason}"
        raise MatrixError(msg, position) from error
    except yaml.YAMLError as error:
        at = getattr(error, "position", None)
        before = text.encode()[:at].decode(errors="ignore") if isinstance(at, int) else ""
        position = Position(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        msg = f"this is not YAML: {getattr(error, 'reason', '') or 'the text cannot be read'}"
        raise MatrixError(msg, position) from error


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    line: int
    column: int
    anchor: str | None
    value: dict[str, Node] | list[Node]
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    key: str | None = None
    """The key that waits for its value; None when a key is due."""
    dropped: bool = False
    """The key that waits is a second one of that name: its value is read and forgotten."""
    size: int = 1


class _Builder:
    """Folds events into nodes; the stack is bounded by MAX_DEPTH and all nodes, aliases expanded, by MAX_NODES."""

    def __init__(self, file: str) -> None:
        import yaml

        self.file = file
        self.root: Node | None = None
        self.faults: list[MatrixError] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._documents = 0
        self._resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers

    def take(self, event: Any) -> None:
        """Adds one event to the tree."""
        match type(event).__name__:
            case "ScalarEvent":
                self._scalar(event)
            case "MappingStartEvent" | "SequenceStartEvent":
                self._start(event)
            case "MappingEndEvent" | "SequenceEndEvent":
                self._end()
            case "AliasEvent":
                self._alias(event)
            case "DocumentStartEvent":
                self._documents += 1
                if self._documents > 1:
                    raise self._error("the file holds more than one document", event)

    def _error(self, message: str, event: Any, hint: str = "") -> MatrixError:
        mark = event.start_mark
        return MatrixError(message, Position(self.file, mark.line + 1, mark.column + 1), hint)

    def _start(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            raise self._error(f"the tag {shown(event.tag)} is not accepted", event)
        if len(self._stack) >= MAX_DEPTH:
            raise self._error(f"the file is nested deeper than {MAX_DEPTH} levels", event)
        mark = event.start_mark
        is_mapping = type(event).__name__ == "MappingStartEvent"
        self._need_text_key(event)
        self._stack.append(_Open(mark.line + 1, mark.column + 1, event.anchor, {} if is_mapping else []))

    def _need_text_key(self, event: Any) -> None:
        top = self._stack[-1] if self._stack else None
        if top and isinstance(top.value, dict) and top.key is None:
            raise self._error("a key must be text", event)

    def _end(self) -> None:
        done = self._stack.pop()
        node = Node(done.value, self.file, done.line, done.column, keys=done.keys)
        self._place(node, done.anchor, done.size)

    def _alias(self, event: Any) -> None:
        self._need_text_key(event)
        if event.anchor not in self._anchors:
            raise self._error(f"the alias {shown(event.anchor)} refers to nothing above it, or to itself", event)
        target, size = self._anchors[event.anchor]
        mark = event.start_mark
        self._place(Node(target.value, self.file, mark.line + 1, mark.column + 1, keys=target.keys), None, size)

    def _scalar(self, event: Any) -> None:
        value = self._value(event)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        top = self._stack[-1] if self._stack else None
        if top and isinstance(top.value, dict) and top.key is None:
            self._key(top, value, event)
        else:
            self._place(Node(value, self.file, line, column), event.anchor, 1)

    def _key(self, top: _Open, value: str | int | OddScalar, event: Any) -> None:
        if not isinstance(value, str) or value == "<<":
            self.faults.append(self._error(f"the key {shown(value)} is not text", event, "quote it"))
        top.key = value.text if isinstance(value, OddScalar) else str(value)
        top.dropped = top.key in top.keys
        if top.dropped:
            first = top.keys[top.key][0]
            self.faults.append(self._error(f"the key {shown(top.key)} is given twice, first on line {first}", event))
        else:
            top.keys[top.key] = (event.start_mark.line + 1, event.start_mark.column + 1)

    def _value(self, event: Any) -> str | int | OddScalar:
        text: str = event.value
        if event.tag not in (None, "!", _CORE + "str"):
            raise self._error(f"the tag {shown(event.tag)} is not accepted", event)
        if event.tag is not None or not event.implicit[0]:
            return text
        kind = next((tag for tag, pattern in self._resolvers.get(text[:1], ()) if pattern.match(text)), "")
        kind = kind.removeprefix(_CORE)
        if kind == "int" and _PLAIN_INT.fullmatch(text):
            return int(text)
        # Dates stay text: their fields check them, and a version that looks like a date is none.
        return OddScalar(text, kind) if kind in ODD_KINDS else text

    def _place(self, node: Node, anchor: str | None, size: int) -> None:
        if size > MAX_NODES:
            msg = f"the file holds more than {MAX_NODES} values, aliases expanded"
            raise MatrixError(msg, node.position)
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if not self._stack:
            self.root = node
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(node)
        elif top.key is not None:
            if not top.dropped:
                top.value[top.key] = node
            top.key = None


def raise_all(faults: list[MatrixError], most: int = 100) -> None:
    """Raises AuditErrors with the faults in file order, the first `most` and a count of the rest; returns if none."""
    if not faults:
        return
    ordered = sorted(faults, key=_order)
    rest = len(ordered) - most
    if rest > 0:
        ordered = [*ordered[:most], MatrixError(f"and {rest} more errors", None, "repair these first")]
    raise AuditErrors(ordered)


def _order(fault: MatrixError) -> tuple[str, int, str, int, str]:
    place = fault.position or Position("")
    return place.file, place.line, place.cell, place.column, fault.message
