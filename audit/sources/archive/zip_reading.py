"""The entries of a zip archive that is laid out as `zip_layout` says; whatever is not is refused.

Sizes are bounded before anything is unpacked, and the digest of the whole is compared before anything is read.
"""

from __future__ import annotations

import hashlib
import io
import os
import zlib

from audit.sources.archive import zip_layout
from audit.sources.archive.layout import BrokenError
from audit.sources.archive.zip_layout import DIGEST_SIZE, END_SIZE, Slot

_CHUNK = 1 << 20


class Entries:
    """What an open file holds; BrokenError for anything that zone-audit does not write."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        size = os.fstat(handle).st_size
        tail = read_bytes(handle, END_SIZE, size - END_SIZE) if size > END_SIZE else bytes(END_SIZE)
        start, length = zip_layout.directory_place(tail, size)
        if _digest(handle, size - DIGEST_SIZE) != tail[-DIGEST_SIZE:]:
            raise BrokenError("it was changed since it was written")
        central = read_bytes(handle, length, start) + tail[:-DIGEST_SIZE]
        self.slots = zip_layout.parsed(central, start)

    def content(self, slot: Slot) -> bytes:
        """The content of one entry."""
        head = zip_layout.local_header(slot)
        if read_bytes(self._handle, len(head), slot.offset) != head:
            raise BrokenError(f"the header of its entry `{slot.name}` is not as zone-audit writes it")
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        found = io.BytesIO()
        for at in range(slot.start, slot.end, _CHUNK):
            packed = read_bytes(self._handle, min(_CHUNK, slot.end - at), at)
            try:
                found.write(unpack.decompress(packed, slot.size + 1 - found.tell()))
            except zlib.error as error:
                raise BrokenError(f"its entry `{slot.name}` does not unpack") from error
            if found.tell() > slot.size:
                raise BrokenError(f"its entry `{slot.name}` unpacks to more than it says")
        content = found.getvalue()
        whole = unpack.eof and not unpack.unused_data and len(content) == slot.size
        if not whole or zlib.crc32(content) != slot.crc:
            raise BrokenError(f"its entry `{slot.name}` does not unpack to what it says")
        return content


def read_bytes(handle: int, size: int, start: int) -> bytes:
    """So many bytes from an offset on; BrokenError where the file ends before."""
    found = io.BytesIO()
    while (done := found.tell()) < size:
        piece = os.pread(handle, size - done, start + done)
        if not piece:
            raise BrokenError("it was cut short")
        found.write(piece)
    return found.getvalue()


def _digest(handle: int, size: int) -> bytes:
    digest = hashlib.sha256()
    for start in range(0, size, _CHUNK):
        digest.update(read_bytes(handle, min(_CHUNK, size - start), start))
    return digest.hexdigest().encode()
