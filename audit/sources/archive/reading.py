"""A snapshot file read back, without unpacking it: what is not exactly as it was written is refused.

Sizes are bounded before anything is unpacked, and each member is compared with its SHA-256 before it is given out.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from audit.errors import InputError, Position
from audit.ledger import Manifest, Member
from audit.sources.archive.layout import FOLDER, MANIFEST, MAX_MANIFEST, BrokenError, is_manifest, parsed
from audit.sources.archive.zip_layout import MAGIC
from audit.sources.archive.zip_reading import Entries, read_bytes

_EMPTY_ZIP = b"PK\x05\x06"
_READ = os.O_RDONLY | os.O_CLOEXEC
_INSIDE = _READ | os.O_NOFOLLOW | os.O_NONBLOCK
"""A link inside a directory is not followed, and a pipe that lies there does not hang the reader."""
_HINT = "unpack any other archive and give its directory"


@dataclass(frozen=True, slots=True)
class Archive:
    """A snapshot file that is open."""

    file: str
    manifest: Manifest
    text: bytes
    """The manifest as it stands in the file."""
    _content: Callable[[Member], bytes]

    def members(self) -> Iterator[tuple[Member, bytes]]:
        """Every member, in the order of names, with its content, which is just what was written; else InputError."""
        for member in self.manifest.members:
            with _told(self.file):
                content = self._content(member)
                if len(content) != member.size or hashlib.sha256(content).hexdigest() != member.sha256:
                    raise BrokenError(f"`{member.name}` was changed since it was written")
            yield member, content


def is_snapshot(path: str | Path) -> bool:
    """Whether it is a zip archive, or a directory that holds the manifest of a snapshot; names tell nothing."""
    place = Path(path)
    with suppress(OSError, ValueError):
        if place.is_dir():
            manifest = place / MANIFEST
            if manifest.is_file():
                with manifest.open("rb") as stream:
                    return is_manifest(stream.read(MAX_MANIFEST))
        elif place.is_file():
            with place.open("rb") as stream:
                return stream.read(len(MAGIC)) in (MAGIC, _EMPTY_ZIP)
    return False


@contextmanager
def opened(path: str | Path) -> Iterator[Archive]:
    """The snapshot in a zip archive or a directory; InputError for anything wrong with it, then or while it is read."""
    with _told(str(path)):
        handle = os.open(path, _READ)
    try:
        with _told(str(path)):
            held = _Folder(handle) if stat.S_ISDIR(os.fstat(handle).st_mode) else _Zip(handle)
            manifest = parsed(held.text)
            held.check(manifest)
        yield Archive(str(path), manifest, held.text, held.content)
    finally:
        os.close(handle)


class _Zip:
    """The members of an archive."""

    def __init__(self, handle: int) -> None:
        self._entries = Entries(handle)
        slots = self._entries.slots
        if not slots or slots[0].name != MANIFEST or slots[0].size > MAX_MANIFEST:
            raise BrokenError(f"it does not begin with `{MANIFEST}`", _HINT)
        self.text = self._entries.content(slots[0])

    def check(self, manifest: Manifest) -> None:
        """BrokenError unless it has just the entries that the manifest names."""
        told = [(MANIFEST, len(self.text)), *((one.name, one.size) for one in manifest.members)]
        if told != [(one.name, one.size) for one in self._entries.slots]:
            raise BrokenError(f"it has other entries than its `{MANIFEST}` names")

    def content(self, member: Member) -> bytes:
        return self._entries.content(next(one for one in self._entries.slots if one.name == member.name))


class _Folder:
    """The members of a directory."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.text = self._file(MANIFEST, MAX_MANIFEST)

    def check(self, manifest: Manifest) -> None:
        """BrokenError unless it holds just the files that the manifest names."""
        inside = os.open(FOLDER, _INSIDE | os.O_DIRECTORY, dir_fd=self._handle)
        try:
            # Of descriptors, which no link can move.
            names = [os.listdir(handle) for handle in (self._handle, inside)]  # noqa: PTH208
        finally:
            os.close(inside)
        found = {*names[0], *(f"{FOLDER}/{name}" for name in names[1])}
        told = {MANIFEST, FOLDER, *(one.name for one in manifest.members)}
        for name in sorted(found ^ told):
            reason = "is missing" if name in told else f"is not named in its `{MANIFEST}`"
            raise BrokenError(f"`{name}` {reason}")

    def content(self, member: Member) -> bytes:
        return self._file(member.name, member.size)

    def _file(self, name: str, most: int) -> bytes:
        """The content of a plain file, no more than `most` bytes."""
        handle = os.open(name, _INSIDE, dir_fd=self._handle)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise BrokenError(f"`{name}` is not a regular file")
            if status.st_size > most:
                raise BrokenError(f"`{name}` was changed since it was written: it is larger than it says")
            return read_bytes(handle, status.st_size, 0)
        finally:
            os.close(handle)


@contextmanager
def _told(file: str) -> Iterator[None]:
    """What goes wrong, as an InputError."""
    try:
        yield
    except BrokenError as error:
        raise InputError(str(error), Position(file), error.hint) from error
    except OSError as error:
        links = error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO)
        reason = "is not a regular file" if links else (error.strerror or "cannot be read").lower()
        raise InputError(f"`{error.filename or file}`: {reason}", Position(file)) from error
