"""What faces outside: which zones outsiders may enter, and whether an entry point stands in one of them.

Input: a Scene. Output: facts for TOP002 and TOP003. Decisions: an address decides before a declaration of the matrix,
and where neither tells, as behind a load balancer that is no object of the cluster, nobody knows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from audit.controls.scene import Scene
from audit.exposure.publications import at, decoded, text
from audit.flows import EntryPoint
from audit.model import UNZONED
from audit.snapshot import Entry
from audit.traffic import NONE, Traffic, address_number, address_text, union

WEB = union((Traffic.of("TCP", 80, 80), Traffic.of("TCP", 443, 443)))
NODE_PORTS = union(Traffic.of(protocol, 30000, 32767) for protocol in ("TCP", "UDP"))
"""The range from which Services get ports of nodes, unless an API server is told another."""
CONTROLLER = "IngressController.operator.openshift.io"
_INTERNAL: Mapping[str, tuple[str, ...]] = {
    "service.beta.kubernetes.io/aws-load-balancer-internal": ("true", "0.0.0.0/0"),
    "service.beta.kubernetes.io/aws-load-balancer-scheme": ("internal",),
    "service.beta.kubernetes.io/azure-load-balancer-internal": ("true",),
    "cloud.google.com/load-balancer-type": ("Internal", "internal"),
    "networking.gke.io/load-balancer-type": ("Internal", "internal"),
    "service.beta.kubernetes.io/openstack-internal-load-balancer": ("true",),
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": ("private",),
}
"""Annotations by which a load balancer of a cloud gets internal addresses only."""


class Facing(NamedTuple):
    """Where an entry point stands."""

    side: Literal["outside", "inside", "unknown"]
    why: str
    scoped: bool = False
    """Whether the scope of its load balancer says so."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Who is outside, and what they may enter."""

    scene: Scene

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Zones of kind `internet`; those of kind `external` where the matrix has none."""
        kinds = {one.kind for one in self.scene.matrix.zones}
        wanted = "internet" if "internet" in kinds else "external"
        return tuple(one.name for one in self.scene.matrix.zones if one.kind == wanted)

    @cached_property
    def _entry(self) -> Mapping[str, Traffic]:
        """Zone -> what outsiders may send there."""
        matrix = self.scene.matrix
        names = (*(zone.name for zone in matrix.zones if zone.name not in self.zones), UNZONED)
        return {name: union(matrix.expect(one, name).allowed for one in self.zones) for name in names}

    def enters(self, zone: str, traffic: Traffic) -> Traffic:
        """The part of some traffic that outsiders may send to a zone."""
        return self._entry.get(zone, NONE) & traffic

    def open(self, zone: str) -> bool:
        """Whether outsiders may enter a zone at all."""
        return bool(self._entry.get(zone))

    @cached_property
    def _nodes(self) -> Mapping[int, str]:
        return {number: name for name, node in self.scene.inventory.nodes.items() for number in node.published}

    def node(self, address: int) -> str:
        """The node that has an address; empty when none has."""
        return self._nodes.get(address, "")

    def zone(self, address: int) -> str:
        """The zone of the node that has it, else of the block that holds it."""
        at_node = self.scene.node_zone(self.node(address))
        if at_node != UNZONED:
            return at_node
        owned = self.scene.zone_map.addresses
        return next((zone for zone, addresses in owned if address in addresses), UNZONED)

    def of_address(self, address: int, traffic: Traffic) -> Facing:
        """Whether outsiders reach an address by the matrix."""
        zone, shown = self.zone(address), address_text(address)
        if zone in self.zones or zone == UNZONED:
            if zone != UNZONED and ipaddress.ip_address(shown).is_global:
                return Facing("outside", f"{shown} is an address of zone {zone}")
            return Facing("unknown", f"no zone claims {shown}")
        if part := self.enters(zone, traffic):
            return Facing("outside", f"{shown} lies in zone {zone}, which {self.named} may enter on {part}")
        return Facing("inside", f"{shown} lies in zone {zone}")

    @property
    def named(self) -> str:
        """The zones outside in words."""
        return " or ".join(self.zones)


def outside(scene: Scene) -> Outside:
    """The same for every rule that asks."""
    return Outside(scene=scene)


def not_judged(scene: Scene) -> str:
    """Why nothing faces outside here; empty where something may."""
    kinds = {zone.kind for zone in scene.matrix.zones}
    if scene.matrix.settings.cluster_mode == "single-zone" or "internet" in kinds:
        return ""
    return "the matrix has no zone of kind `internet`, and the cluster is none of a single zone"


class Doors:
    """Judges entry points, routers by what their IngressController says."""

    def __init__(self, scene: Scene, seen: Outside) -> None:
        self._scene, self._outside = scene, seen
        self._controllers = {one.name: one for one in scene.of(CONTROLLER)}
        self._services = {(one.namespace, one.name): one for one in scene.of("Service")}

    def facing(self, entry: EntryPoint) -> Facing:
        """Where an entry point stands."""
        traffic = self._ports(entry)
        judged = [self._outside.of_address(address_number(one), traffic) for one in entry.addresses]
        judged += [self._of_nodes(zone) for zone in entry.node_zones]
        if found := next((one for one in judged if one.side == "outside"), None):
            return found
        told = self._told(entry)
        fronts = [one for one in entry.addresses if not self._outside.node(address_number(one))]
        if told and (told.side == "outside" or entry.hostnames or not fronts):
            return told
        if unknown := next((one for one in judged if one.side == "unknown"), None):
            return told or unknown
        if entry.hostnames:
            return Facing("unknown", f"the address behind {entry.hostnames[0]} is not in the input")
        if fronts or (judged and entry.kind == "service"):
            return judged[0]
        return self._declared(entry, traffic)

    def _ports(self, entry: EntryPoint) -> Traffic:
        service = self._services.get((entry.object.namespace, entry.object.name)) if entry.kind == "service" else None
        ports = (service.body.spec.ports or ()) if service and service.body.spec else ()
        return union(Traffic.of(one.protocol or "TCP", one.port, one.port) for one in ports) if ports else WEB

    def _of_nodes(self, zone: str) -> Facing:
        if part := self._outside.enters(zone, NODE_PORTS):
            named = self._outside.named
            return Facing("outside", f"a port of every node, also in zone {zone}, which {named} may enter on {part}")
        return Facing("inside", f"a port of the nodes of zone {zone}")

    def _told(self, entry: EntryPoint) -> Facing | None:
        """What the IngressController, or the Service in front, says of its load balancer."""
        if controller := self._controllers.get(entry.object.name) if entry.kind == "router" else None:
            strategy = _strategy(controller)
            scope = text(strategy, "loadBalancer", "scope")
            if text(strategy, "type") == "Private":
                return Facing("inside", "it is published nowhere")
            if text(strategy, "type") == "LoadBalancerService" and scope:
                side: Literal["outside", "inside"] = "inside" if scope == "Internal" else "outside"
                return Facing(side, f"its load balancer has scope {scope}", scoped=True)
            name = ("openshift-ingress", f"router-{controller.name}")
        else:
            name = (entry.object.namespace, entry.object.name)
        service = self._services.get(name)
        notes = (service.body.metadata.annotations or {}) if service else {}
        if any(notes.get(key) in values for key, values in _INTERNAL.items()):
            return Facing("inside", "an annotation makes its load balancer internal")
        return None

    def _declared(self, entry: EntryPoint, traffic: Traffic) -> Facing:
        """What the matrix says of a router whose clients come through something that is not in the input."""
        owner = next((one.name for one in self._scene.zones if entry.object.name in one.ingress_controllers), "")
        if not owner:
            return Facing("unknown", "whatever stands in front of it, a load balancer or a name, is not in the input")
        if part := self._outside.enters(owner, traffic):
            return Facing("outside", f"it is a router of zone {owner}, which {self._outside.named} may enter on {part}")
        return Facing("inside", f"it is a router of zone {owner}")


def _strategy(entry: Entry) -> Any:
    for raw in (entry.body.status, entry.body.spec):
        found = at(decoded(raw), "endpointPublishingStrategy")
        if isinstance(found, dict) and found.get("type"):
            return found
    return {}


def addresses(texts: Iterable[object]) -> Iterator[int]:
    """Those of some values that are addresses, as numbers."""
    for one in texts:
        try:
            yield address_number(str(one))
        except ValueError:
            continue
