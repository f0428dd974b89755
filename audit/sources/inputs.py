"""SOURCE argument -> the texts to read: which files, how large, in what encoding."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from audit.errors import InputError, Position
from audit.snapshot import Gap
from audit.sources.archive import is_snapshot
from audit.sources.kustomize import FILES, missing
from audit.sources.text import MAX_JSON, SUFFIXES, Text, utf8_error
from audit.sources.trees import is_tree

MAX_YAML = 64 << 20
"""Bytes of one YAML input; more would take minutes."""
Input = Text | InputError | Gap
_CHUNK = 1 << 24
_WORTH_SAYING = 1 << 20
_MEGABYTE = 1_000_000


def texts(source: str, ordinal: int, stdin: BinaryIO | None, say: Callable[[str], None]) -> Iterator[Input]:
    """The inputs of one source in the order of their names; errors for what cannot be read, gaps for what is not."""
    if source == "-":
        say("reading standard input")
        yield _read(stdin, "-", ordinal, named=True) if stdin else InputError("standard input is closed")
    elif os.path.isdir(source):  # noqa: PTH112
        yield from _directory(source, ordinal, say)
    else:
        yield text_of(source, ordinal, say, named=True)


def fault(text: Text) -> InputError | None:
    """Why the text cannot be decoded at all: too large, not UTF-8, empty, a list; None if it can.

    A list in a directory is left to the YAML reader, which passes over lists that have nothing to do with Kubernetes.
    """
    limit, form = (MAX_JSON, "JSON") if text.is_json else (MAX_YAML, "YAML")
    if len(text.content) > limit:
        reason = f"{len(text.content) / _MEGABYTE:,.0f} MB of {form}, the limit is {limit / _MEGABYTE:,.0f} MB"
        return text.error(reason, hint="" if text.is_json else "JSON is read up to 2 GB (`kubectl get -o json`)")
    first = text.first
    if text.named and not first:
        return text.error("the input is empty")
    if first == b"[" and (text.named or b"apiVersion" in text.content):
        reason, hint = "a Kubernetes object is a mapping, this is a list", "use `kind: List` with `items`"
        return text.error_at(reason, text.content.index(b"["), hint)
    return utf8_error(text)


def _directory(source: str, ordinal: int, say: Callable[[str], None]) -> Iterator[Input]:
    problems: list[InputError | Gap] = []
    paths = listed(source, problems)
    yield from sorted(problems, key=str)
    for path in paths:
        yield text_of(str(path), ordinal, say, named=False)


def listed(source: str, problems: list[InputError | Gap]) -> list[Path]:
    """The files of a directory that are read, in the order of their names; what cannot be listed goes to `problems`."""

    def unreadable(error: OSError) -> None:
        problems.append(_system_error(error, str(error.filename)))

    paths = []
    for folder, folders, files in os.walk(source, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        skipped = {name: tuple(_skipped(Path(folder, name))) for name in folders}
        problems += [gap for gaps in skipped.values() for gap in gaps]
        folders[:] = [name for name in folders if not skipped[name]]
        paths += [Path(folder, name) for name in files if _is_manifest(name)]
    return sorted(paths, key=lambda path: path.parts)


def _is_manifest(name: str) -> bool:
    return not name.startswith(".") and (name.lower().endswith(SUFFIXES) or name in FILES)


def _skipped(path: Path) -> Iterator[Gap]:
    """Why a directory inside another is not read; nothing if it is."""
    if path.is_symlink():
        text = f"`{path}` was skipped: a symbolic link to a directory; give the directory as a SOURCE as well"
        yield from missing(str(path), text)
    elif is_snapshot(path) or is_tree(path):
        text = f"`{path}` was skipped: a snapshot of a cluster; give the directory as a SOURCE of its own"
        yield from missing(str(path), text)


def text_of(file: str, ordinal: int, say: Callable[[str], None], *, named: bool) -> Text | InputError:
    """The content of a file; `named` says that the user gave its name. What keeps it from being read is an error."""
    try:
        file.encode()
    except UnicodeEncodeError:
        return InputError(f"the file name `{file.encode(errors='backslashreplace').decode()}` is not UTF-8")
    try:
        with Path(file).open("rb") as stream:
            status = os.fstat(stream.fileno())
            if status.st_size > _WORTH_SAYING:
                say(f"reading {file} ({status.st_size / _MEGABYTE:,.0f} MB)")
            # A pipe that the user names is fine (`<(kubectl get ...)`); one that lies in a directory would hang.
            if not named and not stat.S_ISREG(status.st_mode):
                return InputError("not a regular file", Position(file))
            return _read(stream, file, ordinal, named=named, expected=status.st_size)
    except OSError as error:
        return _system_error(error, file)
    except ValueError:
        return InputError("the file name holds a NUL character")


def _read(stream: BinaryIO, file: str, ordinal: int, *, named: bool, expected: int = 0) -> Text | InputError:
    """The text of a stream; with its size in bytes `expected`, it is read at once and never held twice."""
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(max(_CHUNK, min(expected, MAX_JSON) + 1 - size)):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_JSON:
            return InputError(f"larger than {MAX_JSON / _MEGABYTE:,.0f} MB", Position(file))
    return Text(file, b"".join(chunks), ordinal, named)


def _system_error(error: OSError, file: str) -> InputError:
    match error:
        case FileNotFoundError():
            return InputError("no such file or directory", Position(file), "SOURCE is a file, a directory or `-`")
        case PermissionError():
            return InputError("no permission to read this", Position(file))
    return InputError((error.strerror or "cannot be read").lower(), Position(file))
