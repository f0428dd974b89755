"""Services as the matrix and the exceptions write them -> Traffic.

Grammar: `any`, `tcp/443`, `tcp/67-68`, `udp/*`, `sctp/3868`, `icmp`, `icmp/8`, or the name of a service group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from audit.errors import MatrixError, did_you_mean
from audit.matrix_yaml import shown
from audit.traffic import ALL, MAX_PORT, NONE, Traffic

RESERVED: Final = ("any", "icmp", "tcp", "udp", "sctp")
"""Words that no service group may have as its name."""
_PORTS: Final = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_NO_GROUPS: Final = (
    "write `tcp/443`, or add it to `service_groups`; a table takes those of `matrix convert --base zones.yaml`"
)
_ICMP_TYPES: Final = 255
"""RFC 792: the type is one octet."""


@lru_cache(1 << 12)
def service(text: str) -> Traffic | None:
    """What one service other than a group means.

    NONE for ICMP, which reachability does not model; None when by its form it can only be a group. MatrixError without
    position for a service that is written wrongly.
    """
    if text == "any":
        return ALL
    protocol, slash, ports = text.partition("/")
    if protocol == "icmp":
        _check_icmp(text, ports, given=bool(slash))
        return NONE
    if not slash:
        if protocol in RESERVED:
            msg = f"the service {shown(text)} lacks ports"
            raise MatrixError(msg, hint=f"write `{protocol}/*` for every port")
        return None
    if protocol not in RESERVED or protocol == "any":
        msg = f"unknown protocol {shown(protocol)} in {shown(text)}"
        raise MatrixError(msg, hint=did_you_mean(protocol.lower(), ("tcp", "udp", "sctp", "icmp")))
    return Traffic.of(protocol.upper()) if ports == "*" else _ports(text, protocol.upper(), ports)


def _check_icmp(text: str, kind: str, *, given: bool) -> None:
    if given and not (kind.isascii() and kind.isdigit() and len(kind) < 4 and int(kind) <= _ICMP_TYPES):  # noqa: PLR2004
        msg = f"the ICMP type in {shown(text)} is not a number from 0 to {_ICMP_TYPES}"
        raise MatrixError(msg)


def _ports(text: str, protocol: str, ports: str) -> Traffic:
    found = _PORTS.fullmatch(ports)
    if not found:
        msg = f"the ports in {shown(text)} are neither a number, a range nor `*`"
        raise MatrixError(msg, hint="write one service each, such as `tcp/80` or `tcp/67-68`")
    low, high = int(found[1]), int(found[2] or found[1])
    for port in (low, high):
        if not 1 <= port <= MAX_PORT:
            msg = f"the port `{port}` in {shown(text)} is not within 1-{MAX_PORT}"
            raise MatrixError(msg)
    if low > high:
        msg = f"the ports in {shown(text)} run backwards"
        raise MatrixError(msg, hint=f"did you mean `{text.partition('/')[0]}/{high}-{low}`?")
    return Traffic.port_range(protocol, low, high)


def member(text: str, groups: Mapping[str, tuple[str, ...]]) -> tuple[Traffic, tuple[str, ...]]:
    """What one entry of `services` means: its traffic, and the services in it that are not modelled (`icmp/8`).

    MatrixError without position when it is neither a service nor a group.
    """
    traffic = service(text)
    if traffic is None:
        if text not in groups:
            msg = f"unknown service group {shown(text)}"
            raise MatrixError(msg, hint=did_you_mean(text, groups) or _NO_GROUPS)
        return _union(member(inner, {}) for inner in groups[text])
    return traffic, () if traffic else (text,)


def resolve(services: Iterable[str], groups: Mapping[str, tuple[str, ...]]) -> tuple[Traffic, tuple[str, ...]]:
    """The traffic of all services together and what in them is not modelled, in order; errors as `member`."""
    return _union(member(text, groups) for text in services)


def _union(parts: Iterable[tuple[Traffic, tuple[str, ...]]]) -> tuple[Traffic, tuple[str, ...]]:
    traffic = NONE
    unmodelled: dict[str, None] = {}
    for part, odd in parts:
        traffic |= part
        unmodelled.update(dict.fromkeys(odd))
    return traffic, tuple(unmodelled)
