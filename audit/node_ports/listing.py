"""`Listing`: the openings between the nodes of different zones, as products of nodes.

Input: an Inventory and a ZoneMap. Output: a Listing. Decisions: one opening holds all nodes of a zone that a row of the
tables names, so their number does not grow with the nodes; nodes that no zone claims count as a zone of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from audit.controls.api_doors import CONTROL_PLANE
from audit.inventory import Inventory
from audit.model import Node
from audit.node_ports.service import Service, of
from audit.node_ports.settings import Settings, settings
from audit.node_ports.tables import ALL, CONDITIONS, Role, Row
from audit.traffic import address_text
from audit.zones import ZoneMap

_INFRA = "node-role.kubernetes.io/infra"
_WEB_PORTS = frozenset({80, 443})


class Place(NamedTuple):
    """One node."""

    name: str
    addresses: tuple[str, ...]
    """Internal ones."""


class Side(NamedTuple):
    """The nodes at one end of an opening."""

    zone: str
    role: str
    """`any`, or the roles that the requirement names."""
    nodes: tuple[Place, ...]
    """Sorted by name."""


class Opening(NamedTuple):
    """What some nodes must be able to send to others."""

    source: Side
    target: Side
    protocol: str
    ports: str
    purpose: str
    condition: str
    """Empty where it is needed for certain."""

    @property
    def service(self) -> Service:
        """Protocol and ports."""
        return of(self.protocol, self.ports)

    @property
    def pairs(self) -> int:
        """How many ordered pairs of nodes it is for."""
        return len(self.source.nodes) * len(self.target.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All openings."""

    platform: str
    zones: tuple[Side, ...]
    """The nodes of each zone."""
    openings: tuple[Opening, ...]
    """By zones, then in the order of the tables."""
    notes: tuple[str, ...]
    unaddressed: tuple[str, ...]
    """Nodes without an internal address in the input."""


def listing(inventory: Inventory, zone_map: ZoneMap) -> Listing:
    """What must be open between the nodes of different zones; no opening where they stand in one."""
    told = settings(inventory)
    roles = _roles(inventory)
    zones: dict[str, list[Node]] = {}
    for name, node in inventory.nodes.items():
        zones.setdefault(zone_map.nodes[name].zone, []).append(node)

    def side(zone: str, wanted: tuple[Role, ...]) -> Side:
        chosen = [node for node in zones[zone] if not roles[node.name].isdisjoint(wanted)]
        return Side(zone, "any" if wanted == ALL else " or ".join(wanted), _places(chosen))

    pairs = [(a, b) for a in sorted(zones) for b in sorted(zones) if a != b]
    return Listing(
        platform=told.platform,
        zones=tuple(Side(zone, "any", _places(zones[zone])) for zone in sorted(zones)),
        openings=tuple(
            opening
            for a, b in pairs
            for row in told.rows
            if told.applies(row)
            if (opening := _opening(told, row, side(a, row.sources), side(b, row.targets))) is not None
        ),
        notes=told.notes,
        unaddressed=tuple(name for name, node in inventory.nodes.items() if not node.addresses),
    )


def _opening(told: Settings, row: Row, source: Side, target: Side) -> Opening | None:
    """A row for two zones; None where one of them has no such node."""
    if not (source.nodes and target.nodes):
        return None
    condition = "" if told.certain(row) else CONDITIONS[row.when]
    return Opening(source, target, row.protocol, row.ports.format(**told.ports), row.purpose, condition)


def _places(nodes: Sequence[Node]) -> tuple[Place, ...]:
    return tuple(Place(node.name, tuple(address_text(one) for one in sorted(node.addresses))) for node in nodes)


def _roles(inventory: Inventory) -> dict[str, frozenset[Role]]:
    """Node -> its roles."""
    routers = set(_router_nodes(inventory))
    found: dict[str, frozenset[Role]] = {}
    for name, node in inventory.nodes.items():
        more: tuple[Role, ...] = ("router",) if name in routers else ()
        found[name] = frozenset((*_main_roles(node), *more))
    return found


def _main_roles(node: Node) -> Iterator[Role]:
    """A node may be several things; what says nothing is a worker."""
    control = not node.labels.keys().isdisjoint(CONTROL_PLANE)
    infra = _INFRA in node.labels or node.labels.get("region") == "infra"
    if control:
        yield "control plane"
    if infra:
        yield "infra"
    if not (control or infra) or "node-role.kubernetes.io/worker" in node.labels:
        yield "worker"


def _router_nodes(inventory: Inventory) -> Iterator[str]:
    """Nodes on which something of the platform's routers listens for clients."""
    for pod in inventory.endpoints:
        if pod.namespace in ("openshift-ingress", "default") and (pod.host_network or pod.host_ports):
            listened = {port for _, port in (*pod.ports, *pod.host_ports)}
            if pod.node and not listened.isdisjoint(_WEB_PORTS):
                yield pod.node
