"""Files that appear whole or not at all, whatever stops the process: a killed program, a full disk, a power cut.

What is written lies under a name of its own beside its place, is flushed to the disk, and takes the place by a rename,
so that a reader sees the old content or the new one. All errors are OSError, and leave the old content.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE = 0o600
USUAL = 0o666
"""Less what the user's umask takes away."""
PART = ".part"
"""How the names of unfinished files end, which begin with `.zone-audit-`; a killed process leaves one behind."""
_FOLDER = 0o700
_PERMISSIONS = 0o777
"""Without the bits that lend the owner's identity to whoever runs the file."""
_CREATE = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_UNSYNCABLE = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)
"""Of directories on some file systems, and of those that the user may write but not list."""


def write(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Replaces the file, which keeps its permissions, or makes one with `mode`; writes devices and pipes in place."""
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    with replacing(path, mode) as handle:
        write_all(handle, content)


@contextmanager
def replacing(path: Path, mode: int = PRIVATE) -> Iterator[int]:
    """A descriptor to write to; at the end of the block its content takes the place of the file, unless it raises."""
    part = path.with_name(_part())
    handle = os.open(part, os.O_WRONLY | _CREATE, mode)
    try:
        try:
            with suppress(FileNotFoundError):
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode) & _PERMISSIONS)
            yield handle
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A directory to fill; at the end of the block it takes the name `path`, where nothing but an empty one may be."""
    part = path.with_name(_part())
    part.mkdir(_FOLDER)
    try:
        yield part
        sync_folder(part)
        part.replace(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    sync_folder(path.parent)


@contextmanager
def created(path: Path) -> Iterator[int]:
    """A descriptor of a new private file, which is on the disk at the end of the block."""
    handle = os.open(path, os.O_WRONLY | _CREATE, PRIVATE)
    try:
        yield handle
        os.fsync(handle)
    finally:
        os.close(handle)


def unnamed(folder: Path) -> int:
    """A descriptor of a private file on the disk of a directory that no name leads to: it goes when it is closed."""
    with suppress(OSError):  # some file systems know no files without a name
        return os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, PRIVATE)
    part = folder / _part()
    handle = os.open(part, os.O_RDWR | _CREATE, PRIVATE)
    part.unlink()
    return handle


def write_all(handle: int, content: bytes) -> None:
    """All of the bytes; the system may take fewer at a time."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def sync_folder(folder: Path) -> None:
    """Names in a directory are on the disk after this."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _UNSYNCABLE:
            raise


def _part() -> str:
    return f".zone-audit-{secrets.token_hex(8)}{PART}"
