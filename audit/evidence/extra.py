"""What the extra `signing` brings, and what to say where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from audit.errors import AuditError, UsageError

PASSPHRASE = "ZONE_AUDIT_KEY_PASSPHRASE"  # noqa: S105 - its name
"""Environment variable with the passphrase of an encrypted key."""
SIGNATURES, TIME_STAMP = ".dsse.json", ".tsr"
"""What the name of a bundle is followed by in those of its signatures and its time-stamp."""


class KeyFault(AuditError):  # noqa: N818 - what is wrong with a key, in words for a user
    """A key or certificate cannot be used."""


@contextmanager
def needed() -> Iterator[None]:
    """Imports inside the block are of the extra; UsageError with the way to install it where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        hint = "`pip install 'zone-audit[signing]'`"
        raise UsageError(
            f"signatures and time-stamps need `{error.name}`, which is not installed", hint=hint
        ) from error
