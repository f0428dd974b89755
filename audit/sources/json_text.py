"""JSON text -> objects, as views into the text: one object, a list of any kind, or several values one after the other.

The decoder keeps the last of duplicate keys, so every object is also decoded generically, encoded and compared with
its text; a difference that spelling does not explain is looked into. A hook in Python's own decoder costs twice that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import structs

from audit.errors import InputError
from audit.sources.text import UTF8_BOM, Found, Text, empty_list, list_item_kind, place, written
from audit.sources.yaml_text import Composer

MAX_COMPOSED = 4 << 20
"""Bytes of an object whose text is worth composing to find a column."""
_TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")
_BYTE = re.compile(r"^(?:JSON is malformed: )?(.*?) \(byte (\d+)\)")
_BETWEEN = re.compile(rb"[ \t\r\n]*,?[ \t\r\n]*")
_SPACE = re.compile(rb"[ \t\r\n]*")
_CLOSED = re.compile(rb"[ \t\r\n]*\]")


class _Header(msgspec.Struct, gc=False):
    kind: Any = None
    apiVersion: Any = None  # noqa: N815


class _ListHeader(_Header, gc=False):
    items: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET


_header = msgspec.json.Decoder(_Header)
_list_header = msgspec.json.Decoder(_ListHeader)
_generic = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode


def objects(text: Text) -> Iterator[Found | InputError | str]:
    """Every object, lists expanded, in file order; errors for what cannot be read, notes for empty lists."""
    content = text.content.removeprefix(UTF8_BOM)
    places = _Places(content)
    start = _skip_space(content, 0)
    try:
        while start < len(content):
            end, header = _value(content, start)
            found = None
            for found in _expand(content[start:end], header, places, start):
                yield _checked(text, found)
            if found is None:
                yield empty_list(text, places.of(start)[0], header.kind)
            start = _skip_space(content, end)
    except _DuplicateKeyError as error:
        yield _duplicate_error(text, error.shell, places.of(start), error.key)
    except RecursionError:
        yield text.error("too many levels of nesting", *places.of(start))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        yield _syntax_error(text, places, start, error)


def _value(content: bytes, start: int) -> tuple[int, _Header]:
    """End and header of the value at `start`; errors are msgspec's."""
    view = memoryview(content)[start:]
    try:
        return len(content), _head(view)
    except msgspec.DecodeError as error:
        if not (match := _TRAILING.search(str(error))):
            raise
    end = int(match[1]) - 1  # the decoder counts the first trailing character in
    return start + end, _head(view[:end])


def _head(view: memoryview) -> _Header:
    """What an object says of itself; of a list its items as well, all in one look at the text."""
    try:
        return _list_header.decode(view)
    except msgspec.ValidationError:  # no list, though it may have `items`
        return _header.decode(view)


def _expand(value: bytes, header: _Header, places: _Places, start: int) -> Iterator[Found]:
    """The items of the list, or the object itself."""
    kind, items = header.kind, header.items if isinstance(header, _ListHeader) else msgspec.UNSET
    if items is msgspec.UNSET or not (isinstance(kind, str) and kind.endswith("List")):
        yield Found(value, *places.of(start))
        return
    items = items or []
    offsets = _offsets(value, items)
    shell = _shell(value, offsets, items)
    if (duplicate := _duplicate(shell)) is not None:  # before any item: nobody knows which items are meant
        raise _DuplicateKeyError(shell, duplicate)
    inherited = list_item_kind(header.apiVersion if isinstance(header.apiVersion, str) else "", kind)
    for item, offset in zip(items, offsets or [0] * len(items), strict=True):
        yield Found(bytes(item), *places.of(start + offset), api_version=inherited[0], kind=inherited[1])


class _DuplicateKeyError(Exception):
    """The list object itself holds a key twice, so nobody knows which items are meant."""

    def __init__(self, shell: bytes, key: str) -> None:
        super().__init__(key)
        self.shell = shell
        self.key = key


class _Places:
    """Line and column of ascending offsets, looking at every byte once; columns count bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._line = 1
        self._newline = -1
        self._seen = 0

    def of(self, offset: int) -> tuple[int, int]:
        if offset < self._seen:
            return place(self._content, offset)
        if newlines := self._content.count(b"\n", self._seen, offset):
            self._line += newlines
            self._newline = self._content.rfind(b"\n", self._seen, offset)
        self._seen = offset
        return self._line, offset - self._newline

    def of_end(self) -> tuple[int, int]:
        return self.of(len(self._content))


def _skip_space(content: bytes, offset: int) -> int:
    match = _SPACE.match(content, offset)
    return match.end() if match else offset


def _offsets(value: bytes, items: list[msgspec.Raw]) -> list[int]:
    """Where each item of a list starts; empty if the text is not one array of just these items.

    The decoder gives views without offsets, so the items are found again, each where the one before it ended.
    """
    offsets: list[int] = []
    at = value.find(bytes(items[0]), max(value.find(b'"items"'), 0)) if items else -1
    for item in items:
        item_bytes = bytes(item)
        if not value.startswith(item_bytes, at):
            return []
        offsets.append(at)
        between = _BETWEEN.match(value, at + len(item_bytes))
        at = between.end() if between else -1
    return offsets


def _shell(value: bytes, offsets: list[int], items: list[msgspec.Raw]) -> bytes:
    """The list object without its items, or with them where the text gives no other way to be sure of its keys."""
    if not offsets:
        return value
    last = offsets[-1] + len(bytes(items[-1]))
    before = value[: offsets[0]].rstrip()
    return before + value[last:] if before.endswith(b"[") and _CLOSED.match(value, last) else value


def _checked(text: Text, found: Found) -> Found | InputError:
    try:
        value = _generic.decode(found.json)
        duplicate = _repeated(found.json, value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "too many levels of nesting" if isinstance(error, RecursionError) else f"broken JSON: {_reason(error)}"
        return text.error(reason, found.line, found.column)
    if duplicate is not None:
        return _duplicate_error(text, found.json, (found.line, found.column), duplicate)
    structs.force_setattr(found, "written", written(value))  # it is new: nobody else has it yet
    return found


def _duplicate(text: bytes) -> str | None:
    """A key that some mapping in this JSON text holds twice; None if there is none."""
    return _repeated(text, _generic.decode(text))


def _repeated(text: bytes, value: Any) -> str | None:
    """The same of a text that was decoded to `value`."""
    encoded = _encode(value)
    if encoded == text or encoded == msgspec.json.format(text, indent=-1):
        return None
    found: list[str] = []

    def note_duplicates(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        found.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]

    # Numbers stay text: their size is nobody's concern here.
    json.loads(text, object_pairs_hook=note_duplicates, parse_int=str, parse_float=str)
    return found[0] if found else None


def _duplicate_error(text: Text, json_text: bytes, at: tuple[int, int], key: str) -> InputError:
    if len(json_text) <= MAX_COMPOSED:
        composer = Composer(text, *at)
        # JSON may hold what YAML cannot (`\\ud83d\\ude00`): then the place of the object must do.
        with suppress(InputError):
            composer.compose(json_text.decode())
        if composer.duplicates:
            return composer.duplicates[0]
    return text.error(f"duplicate key `{key}`", *at, "a mapping holds each key once")


def _syntax_error(text: Text, places: _Places, start: int, error: Exception) -> InputError:
    if isinstance(error, msgspec.ValidationError):
        return text.error("a Kubernetes object is a mapping, this value is not", *places.of(start))
    if match := _BYTE.match(str(error)):
        return text.error(f"broken JSON: {match[1]}", *places.of(start + int(match[2])))
    return text.error(f"broken JSON: {_reason(error)}", *places.of_end())


def _reason(error: Exception) -> str:
    reason = str(error)
    return "the text ends too early or holds half a surrogate pair" if "truncated" in reason else reason
