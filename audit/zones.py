"""Who belongs to which zone, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.model import UNZONED, Namespace, Node, ZoneMatrix
from audit.traffic import AddressSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The zone of one namespace or node."""

    zone: str
    """A zone name, or UNZONED when none or several claim it."""
    claims: tuple[str, ...]
    """Every zone that selects it, in matrix order; two or more is a conflict."""
    reason: str
    """`label network-zone=dmz`, `select.namespaces of zone dmz`, `platform namespace`, `no zone selects it`, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneMap:
    """Namespace and node membership, and the addresses of each zone."""

    namespaces: Mapping[str, Membership]
    nodes: Mapping[str, Membership]
    addresses: tuple[tuple[str, AddressSet], ...]
    """Zones that own outside addresses, disjoint, in matrix order; together they cover all of IPv4 and IPv6:
    what no zone claims belongs to the `internet` zone, or to UNZONED where the matrix has none."""


def assign(matrix: ZoneMatrix, namespaces: Iterable[Namespace], nodes: Iterable[Node]) -> ZoneMap:
    """The zone of every namespace, node and address; see ZoneMap."""
    raise NotImplementedError
