"""At which addresses clients reach the routers of zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit.controls.egress_values import stretch
from audit.controls.inbound import Gate, Inbound
from audit.controls.scene import Scene
from audit.exposure.publications import decoded, items
from audit.model import ObjectRef, Zone
from audit.snapshot import Entry
from audit.traffic import AddressSet, address_number, address_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The addresses of one router of a zone."""

    gate: Gate
    zone: Zone
    judged: tuple[str, ...]
    """Addresses that lead to it: of its Services, its Gateway or platform, those that the matrix declares."""
    outside: tuple[str, ...]
    """Those of them that are not in the CIDRs of the zone."""
    doubt: str
    """Why there may be other addresses; empty if all are known."""
    pools: tuple[str, ...] = ()
    """Pools of MetalLB with addresses outside the zone, from which its balancer may get its next address."""


def fronts(scene: Scene, found: Inbound) -> Iterator[Front]:
    """One for each router and Gateway of a zone; the zone may have no CIDRs."""
    services = _Services(scene)
    pools = tuple(_pools(scene))
    for gate in found.of_zones():
        zone = next(one for one in scene.zones if one.name == gate.zone)
        own = _node_addresses(scene, gate)
        shown = set(gate.entry.addresses if gate.entry else ())
        judged = (shown - own) | set(zone.ingress_addresses)
        direct = not judged and scene.matrix.settings.router_nodes == "zone"
        outside = _beyond(zone, judged or (own if direct else set()))
        if not judged and not outside and services.leading(gate, "NodePort"):
            outside = _other_nodes(scene, zone)
        free = any(map(_free, services.leading(gate, "LoadBalancer")))
        yield Front(
            gate=gate,
            zone=zone,
            judged=_sorted(judged),
            outside=outside,
            doubt=_doubt(gate, zone, judged, own),
            pools=tuple(name for name, addresses in pools if free and not addresses <= zone.cidrs),
        )


def _sorted(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(addresses, key=address_number))


def _beyond(zone: Zone, addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(one for one in _sorted(addresses) if address_number(one) not in zone.cidrs)


def _node_addresses(scene: Scene, gate: Gate) -> set[str]:
    """Of the nodes on which its pods listen themselves."""
    pods = (scene.inventory.endpoints[index] for index in gate.router.pods)
    names = {pod.node for pod in pods if pod.host_network or pod.host_ports} & scene.inventory.nodes.keys()
    return {address_text(number) for name in names for number in scene.inventory.nodes[name].published}


class _Services:
    """Services that lead to routers by themselves."""

    def __init__(self, scene: Scene) -> None:
        self._endpoints = scene.inventory.endpoints
        self._by_place: dict[tuple[str, str], list[Entry]] = {}
        for one in scene.of("Service"):
            if one.body.spec and one.body.spec.selector and one.body.spec.type in ("NodePort", "LoadBalancer"):
                self._by_place.setdefault((one.namespace, one.body.spec.type), []).append(one)

    def leading(self, gate: Gate, kind: str) -> list[Entry]:
        """Those of a type that select some pod of a router."""
        pods = [self._endpoints[index] for index in gate.router.pods]
        spaces = sorted({pod.namespace for pod in pods})
        return [
            one
            for space in spaces
            for one in self._by_place.get((space, kind), ())
            if any(one.body.spec.selector.items() <= pod.labels.items() for pod in pods)
        ]


def _other_nodes(scene: Scene, own: Zone) -> tuple[str, ...]:
    """The other zones that have nodes."""
    taken = {member.zone for member in scene.zone_map.nodes.values()}
    return tuple(f"the nodes of zone {zone.name}" for zone in scene.zones if zone.name in taken - {own.name})


def _pools(scene: Scene) -> Iterator[tuple[str, AddressSet]]:
    """(name, addresses) of the pools from which any Service gets an address that asks for none."""
    for entry in scene.of("IPAddressPool.metallb.io"):
        spec = decoded(entry.body.spec)
        if spec.get("autoAssign") is not False and not spec.get("serviceAllocation"):
            read = (stretch(str(one)) for one in items(spec, "addresses"))
            yield entry.name, AddressSet.union_of(one for one in read if one)  # MetalLB takes no other


def _free(balancer: Entry) -> bool:
    """Whether a load balancer says nothing of the address that it wants."""
    annotations = balancer.body.metadata.annotations or {}
    return not balancer.body.spec.loadBalancerIP and not any(
        key.startswith(("metallb.io/", "metallb.universe.tf/")) for key in annotations
    )


def _doubt(gate: Gate, zone: Zone, judged: set[str], own: set[str]) -> str:
    entry = gate.entry
    if zone.ingress_addresses:
        return ""
    if entry and entry.hostnames:
        return f"the addresses behind {', '.join(entry.hostnames[:3])} are not in the input"
    if judged or gate.router.private:
        return ""
    if own:
        return "its pods listen on their nodes, and which load balancer stands before them is not in the input"
    return "the input shows no address that leads to it"


def ingress_addresses(scene: Scene) -> Iterator[tuple[Zone, ObjectRef, tuple[str, ...]]]:
    """(zone, Ingress, addresses outside the zone) of Ingresses whose controller the input does not show."""
    zones = {zone.name: zone for zone in scene.zones if zone.cidrs}
    for entry in scene.facts.entry_points:
        zone = zones.get(scene.zone_of(entry.object.namespace)) if entry.kind == "unknown-router" else None
        if zone and (outside := _beyond(zone, entry.addresses)):
            yield zone, entry.object, outside
