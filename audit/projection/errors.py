"""What is said of an object of which nothing is kept."""

from __future__ import annotations

from audit.sources.text import Steps
from audit.sources.wording import dotted


class ProjectionError(ValueError):
    """An object that does not decode, or that would not mean the same without what must not be kept; says why."""


def wrong(path: Steps, reason: str) -> ProjectionError:
    """The error that a field is not what it must be; no value is quoted."""
    return ProjectionError(f"`{dotted(path)}` {reason}" if path else reason)
