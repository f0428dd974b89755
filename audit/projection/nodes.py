"""What is kept of one value of JSON: the words in which the allow-list is written.

A node takes a value and gives what is kept of it, of the same type. All are frozen, never change a value twice, and
tell in words what they keep. What is not of the type that a field has is an error: who reads it might take it for
absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from audit.projection.errors import ProjectionError, wrong
from audit.sources.text import Steps
from audit.storage_fields import SHARE, hosts, is_host, told

Line = tuple[str, str]
"""Path of a field, and what is kept of it; empty for all of it."""
UNREADABLE = (msgspec.DecodeError, UnicodeEncodeError, RecursionError)
"""What decoding a text raises that is no JSON, or too deep."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}")
"""Names of fields that may stay without their value."""


class Node(Protocol):
    """What is kept of one value."""

    def kept(self, value: Any, path: Steps) -> Any:
        """What is kept, None for nothing. ProjectionError for a value of another type; `path` leads to it."""

    def lines(self, path: str) -> Iterator[Line]:
        """The same in words."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, a number or a truth value."""

    def kept(self, value: Any, path: Steps) -> Any:
        """The value."""
        if isinstance(value, dict | list):
            raise wrong(path, "must be a single value")
        return value

    def lines(self, path: str) -> Iterator[Line]:
        """One."""
        yield path, ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Only whether there is something: no more of it is ever read."""

    def kept(self, value: Any, path: Steps) -> Any:
        """A value of the same type that is as empty, or as full."""
        del path
        full: Mapping[type, Any] = {dict: {"redacted": True}, list: ["redacted"], str: "redacted"}
        return full.get(type(value), True) if value else value

    def lines(self, path: str) -> Iterator[Line]:
        """One."""
        yield path, "whether it is set"


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping with these fields; others are left out."""

    known: Mapping[str, Node]
    names: bool = False
    """Whether other fields stay by name, without their value: whoever reads the mapping must see unknown ones."""
    rest: Node | None = None
    """What is kept of every other field."""
    loose: bool = False
    """Whether fields of another type are left out: nobody checks them when they are written."""
    words: str = ""
    """For all of it, where the fields need not be told."""

    def kept(self, value: Any, path: Steps) -> Any:
        """The mapping; fields that are null are as good as absent, unless they are unknown ones."""
        if not isinstance(value, dict):
            raise wrong(path, "must be a mapping")
        found = {}
        for key, item in value.items():
            node = self.known.get(key, self.rest)
            if node is None:
                if self.names:
                    found[_named(key, path)] = _emptied(item)
            elif item is not None and (one := self._of(node, item, (*path, key))) is not None:
                found[key] = one
        return found

    def _of(self, node: Node, item: Any, path: Steps) -> Any:
        try:
            return node.kept(item, path)
        except ProjectionError:
            if self.loose:
                return None
            raise

    def lines(self, path: str) -> Iterator[Line]:
        """Those of the fields."""
        if self.words:
            yield path, self.words
            return
        for name, node in self.known.items():
            yield from node.lines(f"{path}.{name}".removeprefix("."))
        if self.rest:
            yield from self.rest.lines(f"{path}.*")
        if self.names:
            yield f"{path}.*".removeprefix("."), "names of other fields"
        elif not self.known and not self.rest:
            yield path, "whether it is there"


def _named(key: str, path: Steps) -> str:
    if not _NAME.fullmatch(key):
        raise wrong(path, "has a field whose name cannot be kept")
    return key


def _emptied(value: Any) -> Any:
    """What stands for the value of an unknown field: to whoever reads it, it is as much there as the value was."""
    return value if value is None or value == [] else {}


@dataclass(frozen=True, slots=True)
class Each:
    """A list."""

    item: Node

    def kept(self, value: Any, path: Steps) -> Any:
        """Every item; null stays null, since in a rule it means an empty one."""
        if not isinstance(value, list):
            raise wrong(path, "must be a list")
        return [None if one is None else self.item.kept(one, (*path, index)) for index, one in enumerate(value)]

    def lines(self, path: str) -> Iterator[Line]:
        """Those of an item."""
        return self.item.lines(f"{path}[]")


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping of free keys to single values, such as labels."""

    words: tuple[str, ...] = ()
    """A key is kept if it holds one of these; without any, all are."""

    def kept(self, value: Any, path: Steps) -> Any:
        """The pairs."""
        if not isinstance(value, dict):
            raise wrong(path, "must be a mapping")
        chosen = (key for key in value if not self.words or any(word in key for word in self.words))
        return {key: SCALAR.kept(value[key], (*path, key)) for key in chosen}

    def lines(self, path: str) -> Iterator[Line]:
        """One."""
        words = " or ".join(f"`{word}`" for word in self.words)
        yield f"{path}.*", f"keys with {words}" if words else ""


@dataclass(frozen=True, slots=True)
class Within:
    """Some fields, however deep they are nested; what leads to none of them is left out."""

    sought: Mapping[str, Node]

    def kept(self, value: Any, path: Steps) -> Any:
        """The mapping or list with what is sought; None for anything else."""
        if isinstance(value, list):
            items = (self.kept(one, (*path, index)) for index, one in enumerate(value))
            return [one for one in items if one]
        if not isinstance(value, dict):
            return None
        found = {}
        for key, item in value.items():
            if node := self.sought.get(key):
                found[key] = None if item is None else node.kept(item, (*path, key))
            elif below := self.kept(item, (*path, key)):
                found[_named(key, path)] = below
        return found

    def lines(self, path: str) -> Iterator[Line]:
        """Those of the fields."""
        for name, node in self.sought.items():
            yield from node.lines(f"{path}.**.{name}")


@dataclass(frozen=True, slots=True)
class Told:
    """A mapping, and of some words whether they stand anywhere in it."""

    node: Node
    words: tuple[str, ...]
    """In lower case."""

    def kept(self, value: Any, path: Steps) -> Any:
        """What the node keeps; words that are lost by it are listed beside it."""
        found = self.node.kept(value, path)
        whole, rest = (str(msgspec.json.encode(one), "utf-8").lower() for one in (value, found))
        lost = [word for word in self.words if word in whole and word not in rest]
        return {**found, "mentions": lost} if lost else found

    def lines(self, path: str) -> Iterator[Line]:
        """Those of the node and one more."""
        yield from self.node.lines(path)
        yield (
            f"{path}.mentions",
            f"of {' and '.join(f'`{one}`' for one in self.words)}, what was left out with the rest",
        )


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text of which a part is kept."""

    part: Callable[[str], str | None]
    """None for nothing."""
    words: str

    def kept(self, value: Any, path: Steps) -> Any:
        """The part."""
        if not isinstance(value, str):
            raise wrong(path, "must be a text")
        return self.part(value)

    def lines(self, path: str) -> Iterator[Line]:
        """One."""
        yield path, self.words


@dataclass(frozen=True, slots=True)
class Json:
    """A text that is JSON of its own."""

    node: Node
    words: str

    def kept(self, value: Any, path: Steps) -> Any:
        """The text with what the node keeps; an empty one for what is no JSON of that kind, as for an empty text."""
        try:
            found = self.node.kept(msgspec.json.decode(value), path) if isinstance(value, str) else None
        except (*UNREADABLE, ProjectionError):
            return ""
        return "" if found is None else str(msgspec.json.encode(found), "utf-8")

    def lines(self, path: str) -> Iterator[Line]:
        """One."""
        yield path, self.words


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of storage: those by which a backend is known. All others are settings or credentials."""

    def kept(self, value: Any, path: Steps) -> Any:
        """Hosts without scheme, user, port and path; names of arrays and clusters."""
        if not isinstance(value, dict):
            raise wrong(path, "must be a mapping")
        return {key: kept for key, name, text in told(value) if (kept := _parameter(name, text))}

    def lines(self, path: str) -> Iterator[Line]:
        """One."""
        yield f"{path}.*", "names of hosts, arrays and clusters of storage"


def _parameter(name: str, text: str) -> str:
    if not is_host(name, text):
        return text
    start = SHARE if name == "source" else ""
    return ",".join(f"{start}{one}" for one in hosts(text))


SCALAR = Scalar()
SCALARS = Each(SCALAR)
MARK = Mark()
NOTHING = Fields({})
"""A mapping of which only its being there counts."""


def scalars(words: str) -> dict[str, Node]:
    """Fields of single values."""
    return dict.fromkeys(words.split(), SCALAR)


SELECTOR = Fields(
    {
        "matchLabels": Pairs(),
        "matchExpressions": Each(Fields({**scalars("key operator"), "values": SCALARS}, names=True)),
    },
    names=True,
    words="label selector, with the names of unknown fields",
)
"""A label selector; with a field that nobody knows it cannot be read, so the name of that field stays."""
