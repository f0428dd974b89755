"""The bytes of the zip archives that snapshots and evidence are: one layout, so that nothing can hide in another.

No extra fields, no times, no descriptors, entries without a gap from the first byte on, then the directory, and as the
comment of the archive the SHA-256 of all bytes before it. A reader makes the headers again from the directory and
compares. Source: PKWARE APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from audit.sources.archive.layout import MAX_MEMBERS, BrokenError

DIGEST_SIZE = 64
"""The comment: hex digits."""
MAX_SIZE = (1 << 32) - 1
"""Bytes of an archive, whose offsets have 32 bits."""
MAGIC = b"PK\x03\x04"
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
END_SIZE = _END.size + DIGEST_SIZE
_MAX_NAME = 255
_VERSION = 20
"""2.0: deflate. No feature of a later version is used."""
_MADE_BY = 3 << 8 | _VERSION
"""Unix, whose permissions the upper half of the attributes holds."""
_ATTRIBUTES = 0o100600 << 16
_DEFLATE = 8
_TIME, _DATE = 0, 1 << 5 | 1
"""1 January 1980, the first day that the format knows."""
_LEVEL = 6
_LARGE = 64 << 20
_RATIO = 500
"""No list of Kubernetes objects is that repetitive; deflate itself ends at 1,032."""


class Slot(NamedTuple):
    """One entry."""

    name: str
    crc: int
    packed: int
    """Bytes in the archive."""
    size: int
    """Bytes before compression."""
    offset: int
    """Of its header."""

    @property
    def start(self) -> int:
        """Offset of its content."""
        return self.offset + _LOCAL.size + len(self.name)

    @property
    def end(self) -> int:
        """Offset of what comes next."""
        return self.start + self.packed


def local_header(slot: Slot) -> bytes:
    """What stands before the content of an entry."""
    name = slot.name.encode("ascii")
    facts = (_VERSION, 0, _DEFLATE, _TIME, _DATE, slot.crc, slot.packed, slot.size, len(name), 0)
    return _LOCAL.pack(MAGIC, *facts) + name


def directory(slots: Sequence[Slot], start: int) -> bytes:
    """What stands after the last entry, at offset `start`, all but the digest."""
    central = b"".join(map(_central_header, slots))
    end = _END.pack(b"PK\x05\x06", 0, 0, len(slots), len(slots), len(central), start, DIGEST_SIZE)
    return central + end


def archive(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A whole archive of members that are small enough to be held in memory; ValueError above MAX_SIZE."""
    slots: list[Slot] = []
    parts: list[bytes] = []
    for name, content in members:
        deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = deflate.compress(content) + deflate.flush()
        slots.append(Slot(name, zlib.crc32(content), len(packed), len(content), slots[-1].end if slots else 0))
        if slots[-1].end > MAX_SIZE:
            raise ValueError("the archive takes more than 4 GiB")
        parts += local_header(slots[-1]), packed
    whole = b"".join((*parts, directory(slots, slots[-1].end)))
    return whole + hashlib.sha256(whole).hexdigest().encode()


def directory_place(tail: bytes, size: int) -> tuple[int, int]:
    """Offset and length of the directory of an archive of this size that ends in `tail`, END_SIZE bytes."""
    magic, *_, length, start, comment = _END.unpack_from(tail)
    if magic != b"PK\x05\x06" or comment != DIGEST_SIZE or start + length + END_SIZE != size:
        raise BrokenError("it is no archive as zone-audit writes them, or was cut short or added to since")
    if length > MAX_MEMBERS * (_CENTRAL.size + _MAX_NAME):
        raise BrokenError("its directory is too large")
    return start, length


def parsed(content: bytes, start: int) -> tuple[Slot, ...]:
    """The entries of a directory with its end, which lies at `start`; BrokenError unless it is laid out as above."""
    slots = tuple(_slots(content[: -_END.size]))
    if directory(slots, start) != content:
        raise BrokenError("its directory is not as zone-audit writes it")
    offset = 0
    for slot in slots:
        if slot.offset != offset:
            raise BrokenError(f"its entry `{slot.name}` overlaps another, or leaves a gap")
        if slot.size > max(_LARGE, _RATIO * slot.packed):
            raise BrokenError(f"its entry `{slot.name}` would unpack to more than {_RATIO} times its size")
        offset = slot.end
    if offset != start:
        raise BrokenError("there is something between its last entry and its directory")
    return slots


def _central_header(slot: Slot) -> bytes:
    name = slot.name.encode("ascii")
    facts = (_MADE_BY, _VERSION, 0, _DEFLATE, _TIME, _DATE, slot.crc, slot.packed, slot.size, len(name), 0, 0, 0, 0)
    return _CENTRAL.pack(b"PK\x01\x02", *facts, _ATTRIBUTES, slot.offset) + name


def _slots(central: bytes) -> Iterator[Slot]:
    """The facts of each header; whether the rest of it is as it must be is for the caller to compare."""
    at = 0
    while at + _CENTRAL.size <= len(central):
        _, _, _, _, _, _, _, crc, packed, size, length, *_, offset = _CENTRAL.unpack_from(central, at)
        at += _CENTRAL.size + length
        name = central[at - length : at]
        if not name.isascii():
            raise BrokenError("its directory is not as zone-audit writes it")
        yield Slot(name.decode(), crc, packed, size, offset)
