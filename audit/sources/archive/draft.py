"""A snapshot file in the making: objects go in as they come, kind by kind or all kinds at once.

Nothing is kept in memory. Equal objects in equal order give equal bytes, whatever the sizes of pages.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import msgspec
from msgspec import structs

from audit import files
from audit.errors import RenderError
from audit.ledger import Manifest, Member
from audit.sources.archive import zip_layout
from audit.sources.archive.layout import (
    FOLDER,
    MANIFEST,
    MAX_MANIFEST,
    MAX_MEMBER,
    member_name,
    sealed,
    written,
)
from audit.sources.archive.zip_layout import MAX_SIZE, Slot

_BLOCK = 1 << 18
"""Bytes that are compressed at a time, always as many, so that the result does not follow the sizes of pages."""
_LEVEL = 6
_TAIL = b"]}\n"


class Draft:
    """A snapshot file that is not there yet; used once, by as many threads as there are kinds.

    It takes the place of `target` when `finish` returns, whole or not at all. None makes a private temporary archive,
    which `close` removes. All methods raise RenderError for what the system refuses.
    """

    def __init__(self, target: Path | None, *, directory: bool = False) -> None:
        self._temporary = target is None
        name = f"zone-audit-{secrets.token_hex(8)}.zip"
        self._target = Path(tempfile.gettempdir(), name) if target is None else target.resolve()
        self._directory = directory
        self._spools: dict[str, _Spool] = {}
        with self._told():
            self._check()

    def begin(self, key: str, api_version: str, kind: str) -> None:
        """Makes room for the objects of a kind, which it has none of from now on, whatever it had."""
        self.drop(key)
        head = {"apiVersion": api_version, "kind": f"{kind}List"}
        with self._told():
            spool = self._spools[key] = _Spool(key, self._target.parent)
            spool.write(msgspec.json.encode(head)[:-1] + b',"items":[')

    def add(self, key: str, items: Iterable[bytes]) -> None:
        """Adds objects, each as JSON in one line; ValueError for a kind that was not begun."""
        if key not in self._spools:
            raise ValueError(f"`{key}` was not begun")
        with self._told():
            for item in items:
                self._spools[key].add(item)

    def finish(self, manifest: Manifest) -> Path:
        """Puts the file in its place, with this manifest and the facts of its members in it; where that is."""
        with self._told():
            spools = sorted(self._spools.values(), key=lambda one: one.name)
            for spool in spools:
                spool.end()
            ledger = tuple(sorted(manifest.ledger, key=lambda one: one.kind))
            members = tuple(spool.member() for spool in spools)
            text = written(sealed(structs.replace(manifest, ledger=ledger, members=members)))
            if len(text) > MAX_MANIFEST:
                raise RenderError("the snapshot says more of itself than its readers take", hint="report this")
            (_write_folder if self._directory else _write_zip)(self._target, text, spools)
        return self._target

    def drop(self, key: str) -> None:
        """Takes back what a kind had."""
        if spool := self._spools.pop(key, None):
            spool.close()

    def close(self) -> None:
        """Lets go of everything; the temporary file goes, too."""
        for key in tuple(self._spools):
            self.drop(key)
        if self._temporary:
            with suppress(OSError):
                self._target.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        """RenderError for a place where nothing can come to lie, before hours of collecting."""
        if self._target.is_dir():
            if not self._directory or any(self._target.iterdir()):
                what = "holds files" if self._directory else "is a directory"
                raise RenderError(f"`{self._target}` {what}", hint="name what does not exist yet")
        elif self._directory and self._target.exists():
            raise RenderError(f"`{self._target}` is a file, not a directory", hint="name what does not exist yet")
        os.close(files.unnamed(self._target.parent))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = (error.strerror or "output error").lower()
            raise RenderError(f"the snapshot `{self._target}` cannot be written: {reason}") from error


class _Spool:
    """The objects of one kind, compressed, in a file without a name."""

    def __init__(self, key: str, folder: Path) -> None:
        self.name = member_name(key)
        self._key = key
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._digest = hashlib.sha256()
        self._pending = bytearray()
        self._objects = 0
        self._crc = 0
        self._size = 0
        self._packed = 0
        self._handle = files.unnamed(folder)

    def add(self, item: bytes) -> None:
        """One more object."""
        self.write(b"," + item if self._objects else item)
        self._objects += 1

    def write(self, text: bytes) -> None:
        self._pending += text
        while len(self._pending) >= _BLOCK:
            self._compress(bytes(self._pending[:_BLOCK]))
            del self._pending[:_BLOCK]

    def end(self) -> None:
        """Closes the list."""
        self._compress(bytes(self._pending) + _TAIL)
        self._append(self._deflate.flush())

    def member(self) -> Member:
        """What the manifest says of it, once it is closed."""
        digest = self._digest.hexdigest()
        return Member(name=self.name, kind=self._key, sha256=digest, size=self._size, objects=self._objects)

    def slot(self, offset: int) -> Slot:
        """Its entry in an archive."""
        return Slot(self.name, self._crc, self._packed, self._size, offset)

    def packed(self) -> Iterator[bytes]:
        """The compressed bytes."""
        for start in range(0, self._packed, _BLOCK):
            wanted = min(_BLOCK, self._packed - start)
            piece = os.pread(self._handle, wanted, start)
            if len(piece) != wanted:
                raise OSError(errno.EIO, "what was written is not there any more")
            yield piece

    def plain(self) -> Iterator[bytes]:
        """The bytes before compression."""
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        for piece in self.packed():
            yield unpack.decompress(piece)

    def close(self) -> None:
        """Lets go of the file, of which nobody wants anything any more."""
        with suppress(OSError):
            os.close(self._handle)

    def _compress(self, block: bytes) -> None:
        self._size += len(block)
        if self._size > MAX_MEMBER:
            raise RenderError(f"the objects of `{self._key}` take more than {MAX_MEMBER >> 30} GiB")
        self._crc = zlib.crc32(block, self._crc)
        self._digest.update(block)
        self._append(self._deflate.compress(block))

    def _append(self, packed: bytes) -> None:
        files.write_all(self._handle, packed)
        self._packed += len(packed)


def _write_zip(target: Path, manifest: bytes, spools: Sequence[_Spool]) -> None:
    with files.replacing(target) as handle:
        digest = hashlib.sha256()
        for piece in _archive(manifest, spools):
            digest.update(piece)
            files.write_all(handle, piece)
        files.write_all(handle, digest.hexdigest().encode())


def _archive(manifest: bytes, spools: Sequence[_Spool]) -> Iterator[bytes]:
    """All but the comment."""
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(manifest) + deflate.flush()
    slots = [Slot(MANIFEST, zlib.crc32(manifest), len(packed), len(manifest), 0)]
    yield zip_layout.local_header(slots[0])
    yield packed
    for spool in spools:
        slots.append(spool.slot(slots[-1].end))
        if slots[-1].end > MAX_SIZE:
            raise RenderError("the snapshot takes more than 4 GiB", hint="write it as a directory")
        yield zip_layout.local_header(slots[-1])
        yield from spool.packed()
    yield zip_layout.directory(slots, slots[-1].end)


def _write_folder(target: Path, manifest: bytes, spools: Sequence[_Spool]) -> None:
    with files.new_folder(target) as part:
        with files.created(part / MANIFEST) as handle:  # first, so that nobody takes what is unfinished for manifests
            files.write_all(handle, manifest)
        (part / FOLDER).mkdir(0o700)
        for spool in spools:
            with files.created(part / spool.name) as handle:
                for piece in spool.plain():
                    files.write_all(handle, piece)
        files.sync_folder(part / FOLDER)
