"""Side doors of zones: host ports and Services that lead in past the routers, and Services that lead to other zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from audit.bodies import EndpointPort
from audit.controls.inbound import Inbound
from audit.controls.scene import Scene, ref
from audit.exposure.services import SERVICE_LABEL
from audit.flows import EntryPoint
from audit.model import ObjectRef, Zone
from audit.snapshot import Entry
from audit.traffic import ALL, PROTOCOLS, Traffic, address_number, union

ENDPOINTS, SLICE = "Endpoints", "EndpointSlice.discovery.k8s.io"
_NAMED = 8
"""Doors of a namespace that a text names."""
_MANAGED = "endpointslice.kubernetes.io/managed-by"
_CONTROLLERS = ("endpointslice-controller.k8s.io",)
"""Keep the slices of Services with selector, and undo what anybody else writes into them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One object that leads into a namespace of a zone."""

    zone: str
    namespace: str
    ref: ObjectRef
    words: str
    """What it opens, for people."""


@dataclass(frozen=True, slots=True)
class Doors:
    """All doors of one kind into one namespace."""

    zone: str
    namespace: str
    refs: tuple[ObjectRef, ...]
    words: str
    """What they open, for people; the first ones where there are many."""


def by_namespace(doors: Iterable[Door]) -> Iterator[Doors]:
    """The doors of each namespace together, by name."""
    groups: dict[str, list[Door]] = {}
    for door in doors:
        groups.setdefault(door.namespace, []).append(door)
    for namespace, listed in sorted(groups.items()):
        more = len(listed) - _NAMED
        words = [*(door.words for door in listed[:_NAMED]), *([f"and {more} more"] if more > 0 else [])]
        yield Doors(listed[0].zone, namespace, tuple(sorted(door.ref for door in listed)), "; ".join(words))


def host_ports(scene: Scene, found: Inbound) -> Iterator[Door]:
    """Workloads with host ports, but for routers of the zone itself."""
    own = _routers(found)
    for entry, zone in _entries(scene, "host-port"):
        if (entry.object, zone) not in own:
            ports = union(one.ports for one in entry.backends)
            yield _door(entry.object, zone, f"{entry.object.kind} {entry.object.name}: {ports} of its pods")


def node_ports(scene: Scene, found: Inbound) -> Iterator[Door]:
    """Services of type NodePort, but for those of routers of the zone itself."""
    own = _own_services(scene, found)
    for service, zone in _services(scene):
        if service.body.spec.type == "NodePort" and (service.namespace, service.name) not in own:
            numbers = sorted({port.nodePort for port in service.body.spec.ports or () if port.nodePort})
            told = f"port {', '.join(map(str, numbers))}" if numbers else "some port"
            yield _door(ref(service), zone, f"Service {service.name}: {told} of every node")


def balancers(scene: Scene, found: Inbound) -> Iterator[Door]:
    """Services of type LoadBalancer, or with external addresses, that are no entry which the matrix foresees.

    Foreseen are Services of the zone's routers, and Services whose addresses all are the zone's own, or declared for
    its ingress, and whose ports the matrix opens to some zone outside the cluster.
    """
    own = _own_services(scene, found)
    entries = {(one.object.namespace, one.object.name): one for one, _ in _entries(scene, "service")}
    zones = {zone.name: zone for zone in scene.zones}
    for service, name in _services(scene):
        key, spec = (service.namespace, service.name), service.body.spec
        if (spec.type == "LoadBalancer" or spec.externalIPs) and key not in own:
            entry = entries.get(key)
            if entry is None or not _foreseen(scene, zones[name], entry):
                yield _door(ref(service), name, f"Service {service.name}: {_shown(spec.type, entry)}")


def _shown(kind: str | None, entry: EntryPoint | None) -> str:
    listed = [*entry.addresses, *entry.hostnames][:4] if entry else []
    what = "load balancer" if kind == "LoadBalancer" else "external addresses"
    return f"{what} {', '.join(listed) or 'whose address is not known'}"


def _foreseen(scene: Scene, zone: Zone, entry: EntryPoint) -> bool:
    if not entry.addresses or entry.hostnames:
        return False
    declared = set(zone.ingress_addresses)
    if any(one not in declared and address_number(one) not in zone.cidrs for one in entry.addresses):
        return False
    outside = (one.name for one in scene.matrix.zones if one.kind in ("internet", "external"))
    allowed = union(scene.matrix.expect(one, zone.name).allowed for one in outside)
    return bool(allowed) and union(one.ports for one in entry.backends) <= allowed


def _door(one: ObjectRef, zone: str, words: str) -> Door:
    return Door(zone=zone, namespace=one.namespace, ref=one, words=words)


def _entries(scene: Scene, kind: str) -> Iterator[tuple[EntryPoint, str]]:
    names = {zone.name for zone in scene.zones}
    for entry in scene.facts.entry_points:
        if entry.kind == kind and (zone := scene.zone_of(entry.object.namespace)) in names:
            yield entry, zone


def _services(scene: Scene) -> Iterator[tuple[Entry, str]]:
    """Services of zones, with the zone."""
    names = {zone.name for zone in scene.zones}
    for service in scene.of("Service"):
        if service.body.spec is not None and (zone := scene.zone_of(service.namespace)) in names:
            yield service, zone


def _routers(found: Inbound) -> frozenset[tuple[ObjectRef, str]]:
    """(workload, zone) of the routers of zones."""
    return frozenset(
        (workload, gate.zone) for gate in found.of_zones() if gate.entry for workload in gate.entry.routers
    )


def _own_services(scene: Scene, found: Inbound) -> frozenset[tuple[str, str]]:
    """Services that lead to nothing but routers of their zone."""
    own = _routers(found)
    return frozenset(
        (entry.object.namespace, entry.object.name)
        for entry, zone in _entries(scene, "service")
        if entry.backends and all((one.workload, zone) in own for one in entry.backends)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A Service of one zone that leads to another one, beyond the matrix."""

    source: str
    target: str
    ref: ObjectRef
    words: str
    """Where it leads, for people."""


class _List(NamedTuple):
    """Addresses written down for a Service."""

    service: Entry
    zone: str
    addresses: tuple[str, ...]
    ports: Traffic


def unread(scene: Scene) -> bool:
    """Whether there are Services without selector and no list of what they lead to was read."""
    lists = scene.without(ENDPOINTS, SLICE)
    return len(lists) > 1 and any(_bare(service) for service, _ in _services(scene))


def _bare(service: Entry) -> bool:
    spec = service.body.spec
    return spec.type != "ExternalName" and not spec.selector


def leads(scene: Scene) -> Iterator[Lead]:
    """Services that lead to addresses or namespaces of another zone of the cluster, or to an external zone.

    Only what the matrix does not let the zone of the Service do itself.
    """
    lists = tuple(_lists(scene))
    where = _Places(scene, {one for listed in lists for one in listed.addresses})
    targets = {zone.name for zone in scene.matrix.zones if zone.kind in ("cluster", "external")}
    for one in lists:
        found: dict[str, list[str]] = {}
        for address in one.addresses:
            zone = where.zone(address)
            if zone in targets - {one.zone} and one.ports - scene.matrix.expect(one.zone, zone).allowed:
                found.setdefault(zone, []).append(address)
        for zone, addresses in found.items():
            yield Lead(source=one.zone, target=zone, ref=ref(one.service), words=", ".join(addresses[:4]))
    for service, zone in _services(scene):
        target = scene.zone_of(_named(service))
        if target in targets - {zone} and not scene.matrix.expect(zone, target).allowed:
            yield Lead(source=zone, target=target, ref=ref(service), words=service.body.spec.externalName)


def _named(service: Entry) -> str:
    """The namespace that an ExternalName of the cluster's own names leads to; empty for any other Service."""
    spec = service.body.spec
    parts = (spec.externalName or "").lower().rstrip(".").split(".") if spec.type == "ExternalName" else []
    ends = (place for place, part in enumerate(parts) if place > 1 and part in ("svc", "pod"))
    return next((parts[place - 1] for place in ends), "")


def _lists(scene: Scene) -> Iterator[_List]:
    """What is written down by hand for Services of zones."""
    services = {(one.namespace, one.name): (one, zone) for one, zone in _services(scene)}
    for one, home in services.values():
        if one.body.spec.type == "ExternalName" and one.body.spec.externalName:
            yield _List(one, home, (one.body.spec.externalName,), ALL)  # routers connect to an address as well
    for entry in scene.of(ENDPOINTS):
        service, zone = services.get((entry.namespace, entry.name), (None, ""))
        for subset in entry.body.subsets or () if service and _bare(service) else ():
            listed = (*(subset.addresses or ()), *(subset.notReadyAddresses or ()))
            if service:
                yield _List(service, zone, tuple(one.ip for one in listed), _ports(subset.ports))
    for entry in scene.of(SLICE):
        labels = entry.body.metadata.labels or {}
        service, zone = services.get((entry.namespace, labels.get(SERVICE_LABEL, "")), (None, ""))
        if service and (_bare(service) or labels.get(_MANAGED) not in _CONTROLLERS):
            addresses = (address for one in entry.body.endpoints or () for address in one.addresses or ())
            yield _List(service, zone, tuple(addresses), _ports(entry.body.ports))


def _ports(listed: Iterable[EndpointPort] | None) -> Traffic:
    """No port means every port."""
    if not listed:
        return ALL
    known = [one for one in listed if (one.protocol or "TCP") in PROTOCOLS]
    return union(Traffic.of(one.protocol or "TCP", *([one.port] * 2 if one.port else ())) for one in known)


class _Places:
    """The zones of some addresses."""

    def __init__(self, scene: Scene, wanted: Iterable[str]) -> None:
        self._scene = scene
        self._numbers = dict(_numbers(wanted))
        asked = set(self._numbers.values())
        self._pods: Mapping[int, str] = {
            number: scene.zone_of(pod.namespace)
            for pod in (scene.inventory.endpoints if asked else ())
            if not pod.host_network
            for number in pod.addresses
            if number in asked
        }
        self._nodes = {
            number: scene.node_zone(name)
            for name, node in (scene.inventory.nodes.items() if asked else ())
            for number in node.published
            if number in asked
        }

    def zone(self, address: str) -> str:
        """Of the pod that has it, else of the node, else of the block that holds it; empty for no address."""
        number = self._numbers.get(address)
        if number is None:
            return ""
        for known in (self._pods, self._nodes):
            if number in known:
                return known[number]
        return next((zone for zone, addresses in self._scene.zone_map.addresses if number in addresses), "")


def _numbers(addresses: Iterable[str]) -> Iterator[tuple[str, int]]:
    for one in addresses:
        try:
            yield one, address_number(one)
        except ValueError:
            continue  # a list by host names
