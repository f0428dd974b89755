"""YAML text -> objects as JSON, read from parser events.

PyYAML's own constructors disagree with kubectl on types, keep the last of duplicate keys, expand aliases without limit
and recurse in C until the process dies. Events have none of these faults: libyaml makes them without recursion, and
depth, aliases and keys are counted here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from audit.errors import InputError
from audit.sources import scalars
from audit.sources.text import MAX_DEPTH, UTF8_BOM, Found, Text, empty_list, list_item_kind, skipped, written

MAX_ALIASED = 1_000_000
"""Nodes that aliases and merge keys may add to what is written; an honest manifest adds a few hundred."""
_CHARACTERS_PER_NODE = 32
"""A long scalar weighs as many nodes as it has such pieces, so that aliases of long texts count too."""
_DUPLICATES_SHOWN = 20
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_HELM = re.compile(r"\{\{-? ?[.$a-z]")


def objects(text: Text) -> Iterator[Found | InputError | str]:
    """Every object, lists expanded, in file order; errors for documents that cannot be read, notes for the others.

    Documents are told apart by `---` at the start of a line, as kubectl does, so one broken document hides no other.
    """
    content = text.content.removeprefix(UTF8_BOM).decode()
    starts = sorted({0, *(match.start() for match in _SEPARATOR.finditer(content))})
    line = 1
    for start, end in zip(starts, [*starts[1:], len(content)], strict=True):
        document = content[start:end]
        yield from _document(text, document, line)
        line += document.count("\n")


def _document(text: Text, document: str, line: int) -> Iterator[Found | InputError | str]:
    composer = Composer(text, line)
    try:
        value = composer.compose(document)
    except InputError as error:
        yield from (*composer.duplicates, error)
        return
    if composer.duplicates:
        yield from composer.duplicates
    elif isinstance(value, dict):
        yield from _expand(text, value, document, line, composer)
    elif value is not None:
        at = composer.start or (line, 1)
        foreign = isinstance(value, list) and not text.named and "apiVersion" not in document
        reason = "a Kubernetes object is a mapping, this document is not"
        yield skipped(text, at[0], "it is a list") if foreign else text.error(reason, *at)


def _expand(text: Text, value: dict[str, Any], document: str, line: int, composer: Composer) -> Iterator[Found | str]:
    at = composer.starts.get(id(value), (line, 1))
    kind, items, version = value.get("kind"), value.get("items"), value.get("apiVersion")
    if not (isinstance(kind, str) and kind.endswith("List") and "items" in value and isinstance(items, list | None)):
        yield Found(msgspec.json.encode(value), *at, document, line, written=written(value))
        return
    if not items:
        yield empty_list(text, at[0], kind)
    inherited = list_item_kind(version if isinstance(version, str) else "", kind)
    for index, item in enumerate(items or ()):
        place = composer.starts.get(id(item), at)
        yield Found(
            msgspec.json.encode(item), *place, document, line, ("items", index), *inherited, written=written(item)
        )


class _Frame:
    """A mapping or list that is still open."""

    __slots__ = ("anchor", "key", "merged", "merging", "value", "weight")

    def __init__(self, value: dict[str, Any] | list[Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: str | None = None
        self.merging = False
        self.merged: set[str] = set()
        self.weight = 1

    @property
    def takes_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None and not self.merging


class Composer:
    """Builds one document from its events; used once. The document begins at `line` and `column` of the input."""

    def __init__(self, text: Text, line: int, column: int = 1) -> None:
        self._text = text
        self._line = line
        self._column = column
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int] | None] = {}
        self._aliased = 0
        self._root: Any = None
        self.start: tuple[int, int] | None = None
        """Line and column of the root node, once it was seen."""
        self.starts: dict[int, tuple[int, int]] = {}
        """Line and column of the root mapping and of mappings in a list directly under it, by identity."""
        self.duplicates: list[InputError] = []

    def compose(self, document: str) -> Any:
        """The value of the document with kubectl's types; None if it is empty. InputError for what stops reading."""
        import yaml

        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open_mapping,
            yaml.SequenceStartEvent: self._open_list,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._begin,
        }
        # The pure parser is slower by an order of magnitude; it too makes events without recursion.
        loader_type: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            loader = loader_type(document)
            while (event := loader.get_event()) is not None:
                if handler := handlers.get(type(event)):
                    handler(event)
        except yaml.YAMLError as error:
            raise self._syntax_error(error, document) from None
        return self._root

    def _begin(self, event: Any) -> None:
        if self.start:
            raise self._error("text after the end of a document", event, "begin the next document with `---`")

    def _scalar(self, event: Any) -> None:
        text = event.value
        frame = self._stack[-1] if self._stack else None
        if text == "<<" and event.implicit[0] and frame and frame.takes_key:
            self._start_merge(frame, event)
            return
        try:
            value = self._value(event, text)
        except ValueError as error:
            raise self._error(str(error), event) from None
        weight = 1 + len(text) // _CHARACTERS_PER_NODE
        if event.anchor:
            self._anchors[event.anchor] = (value, weight)
        self._place(value, weight, event)

    @staticmethod
    def _value(event: Any, text: str) -> scalars.Scalar:
        if event.tag is not None:
            return scalars.tagged(event.tag, text)
        return scalars.plain(text) if event.implicit[0] else text

    def _open_mapping(self, event: Any) -> None:
        self._open({}, event, "map")

    def _open_list(self, event: Any) -> None:
        self._open([], event, "seq")

    def _open(self, value: dict[str, Any] | list[Any], event: Any, kind: str) -> None:
        depth = len(self._stack)
        if depth >= MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} levels of nesting", event)
        if wrong := scalars.collection_tag(event.tag, kind):
            raise self._error(wrong, event)
        if not depth:
            self.start = self._at(event)
        if depth in (0, 2) and kind == "map":
            self.starts[id(value)] = self._at(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(value, event.anchor))

    def _close(self, event: Any) -> None:
        frame = self._stack.pop()
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.value, frame.weight)
        self._place(frame.value, frame.weight, event)

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if name not in self._anchors:
            raise self._error(f"the alias `*{name}` has no anchor", event)
        anchored = self._anchors[name]
        if anchored is None:
            raise self._error(f"the anchor `&{name}` contains itself", event)
        self._aliased += anchored[1]
        if self._aliased > MAX_ALIASED:
            raise self._error(f"aliases expand to more than {MAX_ALIASED:,} nodes", event)
        self._place(*anchored, event)

    def _place(self, value: Any, weight: int, event: Any) -> None:
        """Puts a finished node where it belongs: document, list, key or value of a mapping, source of a merge."""
        if not self._stack:
            self.start = self.start or self._at(event)
            self._root = value
            return
        frame = self._stack[-1]
        frame.weight += weight
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.merging:
            self._merge(frame, value, event)
        elif frame.key is None:
            self._key(frame, value, event)
        else:
            frame.value[frame.key] = value
            frame.key = None

    def _key(self, frame: _Frame, value: Any, event: Any) -> None:
        frame.weight += 1
        if isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, int):
            value = str(value)
        elif not isinstance(value, str):
            raise self._error("a key is not a string", event, "quote it")
        frame.key = value
        if value in frame.merged:
            frame.merged.discard(value)
        elif value in frame.value and len(self.duplicates) < _DUPLICATES_SHOWN:
            self.duplicates.append(self._error(f"duplicate key `{value}`", event, "a mapping holds each key once"))

    def _start_merge(self, frame: _Frame, event: Any) -> None:
        if frame.merged:
            self.duplicates.append(self._error("duplicate key `<<`", event, "merge a list of aliases instead"))
        frame.merging = True

    def _merge(self, frame: _Frame, value: Any, event: Any) -> None:
        frame.merging = False
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources) or not isinstance(frame.value, dict):
            raise self._error("a merge key `<<` takes a mapping or a list of mappings", event)
        for source in reversed(sources):
            if overlap := sorted(source.keys() & (frame.value.keys() - frame.merged)):
                # Which of the two wins differs between versions of kubectl.
                raise self._error(f"the merge key `<<` comes after `{overlap[0]}`", event, "put `<<` first")
            frame.value.update(source)
            frame.merged.update(source)

    def _at(self, event: Any) -> tuple[int, int]:
        mark = event.start_mark
        return mark.line + self._line, mark.column + (1 if mark.line else self._column)

    def _error(self, reason: str, event: Any, hint: str = "") -> InputError:
        return self._text.error(reason, *self._at(event), hint)

    def _syntax_error(self, error: Any, document: str) -> InputError:
        hint = "render the template first (`helm template`)" if _HELM.search(document) else ""
        if (mark := getattr(error, "problem_mark", None)) is not None:
            context = f" ({error.context})" if error.context else ""
            reason = f"broken YAML: {error.problem}{context}"
            return self._text.error(reason, mark.line + self._line, mark.column + 1, hint)
        offset = getattr(error, "position", 0)
        line = document.encode()[:offset].count(b"\n") + self._line
        return self._text.error(f"broken YAML: {getattr(error, 'reason', 'unreadable text')}", line, 0, hint)
