"""The common vocabulary of readers: one input as read, and one object found in it."""

from __future__ import annotations

import codecs
import hashlib
import re
from typing import NamedTuple

import msgspec

from audit.errors import InputError, Position

MAX_DEPTH = 100
"""Nested mappings and lists in one object. The deepest real ones, schemas of custom resources, stay near 60."""

MAX_JSON = 2 << 30
"""Bytes of one JSON input, ten times the dump of the largest cluster that Kubernetes supports."""
SUFFIXES = (".yaml", ".yml", ".json")
"""Files of a directory that are read."""
UTF8_BOM = codecs.BOM_UTF8
_CHUNK = 1 << 20
Steps = tuple[str | int, ...]
"""Keys and indices that lead from an object to one of its fields."""


class Text(msgspec.Struct, frozen=True, gc=False):
    """One input: a file or standard input."""

    file: str
    """As the user would name it; `-` for standard input."""
    content: bytes
    source: int
    """Ordinal of the SOURCE argument."""
    named: bool
    """The user named it, so it must hold objects; False for a file that was found in a directory."""

    @property
    def first(self) -> bytes:
        """The first byte that is no white space; empty if there is none."""
        match = _FIRST.match(self.content)
        return match[1] if match else b""

    @property
    def is_json(self) -> bool:
        """Told apart as kubectl does: what begins with `{` is JSON, the rest is YAML."""
        return self.first == b"{"

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes as read."""
        return hashlib.sha256(self.content).hexdigest()

    def error(self, reason: str, line: int = 0, column: int = 0, hint: str = "") -> InputError:
        """An error at a place in this input."""
        return InputError(reason, Position(self.file, line, column), hint)

    def error_at(self, reason: str, offset: int, hint: str = "") -> InputError:
        """An error at a byte offset."""
        line, column = place(self.content, offset)
        return self.error(reason, line, column, hint)


_FIRST = re.compile(rb"(?:\xef\xbb\xbf)?\s*(\S)")


class Found(msgspec.Struct, frozen=True, gc=False):
    """One object as JSON, and where its text is."""

    json: bytes
    line: int
    """1-based, of the object's first token."""
    column: int
    """1-based."""
    document: str = ""
    """YAML: the text of the document that holds the object; empty for JSON, whose text is `json` itself."""
    document_line: int = 1
    """YAML: the line on which that text starts."""
    prefix: Steps = ()
    """YAML: path of the object inside the document, such as `("items", 3)`."""
    api_version: str = ""
    """What an item of a typed list (`PodList`) inherits; empty otherwise."""
    kind: str = ""
    written: Written | None = None
    """None if it is no mapping."""


class Written(NamedTuple):
    """What an object says of itself, before anybody knows what it is."""

    api_version: object
    """None if it says none, as `kind`."""
    kind: object
    routes: bool
    """A container of a pod has a variable that configures routers."""


def written(value: object) -> Written | None:
    """What `Found.written` says of a decoded value."""
    if not isinstance(value, dict):
        return None
    kind = value.get("kind")
    return Written(value.get("apiVersion"), kind, kind in ("Pod", None) and _routes(value.get("spec")))


def _routes(spec: object) -> bool:
    """Looked for in the value, since a search of the text of every pod would take a second in a large cluster."""
    if not isinstance(spec, dict):
        return False
    for listed in (spec.get("containers"), spec.get("initContainers")):
        for container in listed if isinstance(listed, list) else ():
            variables = container.get("env") if isinstance(container, dict) else None
            if variables and isinstance(variables, list) and any(map(_configures, variables)):
                return True
    return False


def _configures(variable: object) -> bool:
    name = variable.get("name") if isinstance(variable, dict) else None
    return isinstance(name, str) and (name.startswith("ROUTE") or name.endswith("_LABELS"))


def place(content: bytes, offset: int) -> tuple[int, int]:
    """Line and column, both 1-based, of a byte offset; columns count characters."""
    start = content.rfind(b"\n", 0, offset) + 1
    return content.count(b"\n", 0, start) + 1, len(content[start:offset].decode(errors="replace")) + 1


def utf8_error(text: Text) -> InputError | None:
    """The first byte that is not UTF-8, as an error; None if there is none."""
    if text.content.isascii():
        return None
    if text.content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return text.error("the text is UTF-16, not UTF-8", 1, 1, "save it as UTF-8")
    decoder = codecs.getincrementaldecoder("utf-8")()
    # In pieces: the decoded form of a whole dump can take four times its size.
    for start in range(0, len(text.content), _CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(text.content[start : start + _CHUNK], final=start + _CHUNK >= len(text.content))
        except UnicodeDecodeError as error:
            return text.error_at("the text is not UTF-8", start - pending + error.start, "save it as UTF-8")
    return None


def empty_list(text: Text, line: int, kind: str) -> str:
    """The note that a list holds nothing: no policies at all is an answer, and one that a reader should see."""
    return f"`{text.file}` line {line} is an empty `{kind}`"


def skipped(text: Text, line: int, reason: str) -> str:
    """The note that something in a directory was passed over."""
    return f"`{text.file}` line {line} was skipped, it is not a Kubernetes object: {reason}"


def list_item_kind(api_version: str, kind: str) -> tuple[str, str]:
    """API version and kind of the items of a list that lack their own; both empty for the plain `List`."""
    return (api_version, kind.removesuffix("List")) if kind != "List" else ("", "")
