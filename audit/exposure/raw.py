"""Fields of raw specs and statuses, read without trust in their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


def decoded(raw: msgspec.Raw) -> dict[str, Any]:
    """A spec or status as a mapping; empty where it is absent or something else."""
    value = msgspec.json.decode(raw) if bytes(raw) else None
    return value if isinstance(value, dict) else {}


def listed(value: Mapping[str, Any], field: str) -> Sequence[Any]:
    """A list within a spec; empty where it is absent or something else."""
    found = value.get(field)
    return found if isinstance(found, list) else ()


def text_of(value: Any, field: str) -> str:
    """A text within a mapping; empty where there is none."""
    found = value.get(field) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
