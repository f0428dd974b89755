"""Reading policy specs field by field, as an API server would: refusals carry the path of the field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.selectors import EVERYTHING, LabelSelector
from audit.traffic import MAX_PORT, PROTOCOLS, AddressSet


class SpecError(ValueError):
    """A spec that no API server would hold; `path` leads to the field, from the spec's own fields down."""

    def __init__(self, message: str, path: Sequence[str | int]) -> None:
        super().__init__(message)
        self.path = tuple(path)


def cidr(raw: Any, path: tuple[str | int, ...]) -> AddressSet:
    """The addresses of one CIDR block."""
    if not isinstance(raw, str):
        raise SpecError("a CIDR block is needed here, such as `10.0.0.0/8`", path)
    try:
        return AddressSet.cidr(raw)
    except ValueError:
        raise SpecError(f"`{raw}` is not a CIDR block", path) from None


def protocol_of(raw: Any, path: tuple[str | int, ...]) -> str:
    """TCP unless said otherwise."""
    if raw is None:
        return "TCP"
    if raw not in PROTOCOLS:
        raise SpecError(f"unknown protocol `{raw}`; it must be TCP, UDP or SCTP", path)
    return str(raw)


def selector(raw: Any, path: tuple[str | int, ...]) -> LabelSelector:
    """A label selector; an absent one selects everything."""
    if raw is None:
        return EVERYTHING
    try:
        return LabelSelector.parse(raw)
    except ValueError as error:
        raise SpecError(str(error), path) from None


def as_list(raw: Any, path: tuple[str | int, ...]) -> list[Any]:
    """A list; an absent one is empty."""
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise SpecError(f"`{path[-1]}` must be a list", path)
    return raw


def as_mapping(raw: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    """A mapping; an absent one is empty."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise SpecError("a mapping is needed here", path)
    return raw


def within_ports(value: Any, path: tuple[str | int, ...]) -> int:
    """A port number."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_PORT:
        raise SpecError(f"port `{value}` is not within 1-65535", path)
    return value
