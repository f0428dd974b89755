"""Ways out beside egress addresses: egress routers, EgressServices, routes to other gateways, and where they lead.

Input: a Scene. Output: one Detour per object, zone and fault. Decisions: source addresses are those that the engine
computed for the workloads; a next hop counts as declared, whether or not it answers; a gateway pod is judged by the
namespaces that its selector picks, because whoever may create a pod there becomes the next hop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from audit.controls.egress import DETOURS, system
from audit.controls.egress_values import number_of
from audit.controls.scene import Ground, Scene
from audit.exposure.egressrouters import ROUTER_KEY
from audit.exposure.egressservices import GATEWAYS, ROUTES_KEY, SERVED, SERVICES_KEY
from audit.exposure.raw import decoded, listed, text_of
from audit.exposure.selecting import picked, readable
from audit.flows import Departure
from audit.inventory import Workload
from audit.model import UNZONED, Namespace, ObjectRef, Zone
from audit.selectors import LabelSelector
from audit.workloads import TemplateSpec

Fault = Literal["source", "gateway", "pods", "own", "node", "nodes", "any-node", "unknown"]
ROUTER_POD = "egress router pod"
_GATEWAY = "EGRESS_GATEWAY"
_OBJECTS = ("EgressRouter ", "EgressService ")
_ROUTES = ("AdminPolicyBasedExternalRoute ", "Namespace ", "Pod ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detour:
    """Something that leads the traffic of a zone out in another way, and is wrong about it."""

    ref: ObjectRef
    zone: Zone
    fault: Fault
    values: tuple[str, ...]
    """Addresses, nodes, or zones of namespaces, sorted."""


def ground(scene: Scene) -> Ground:
    """What the judgement of other ways out rests on."""
    routers = any(scene.kind_of(one.namespace) == "cluster" for one in scene.of(ROUTER_KEY))
    if not any(True for _ in _led(scene)) and not (_routed(scene) or routers or unclear(scene)):
        return Ground(idle="no pod of a zone leaves through an egress router, an EgressService or a route of its own")
    profile = scene.inventory.profile
    if profile.plugin == "unknown" or (profile.plugin == "openshift-sdn" and not profile.mode):
        return Ground(doubt=f"which ways out are in use is not known: network profile {profile}")
    return Ground()


def detours(scene: Scene) -> tuple[Detour, ...]:
    """Sorted by object, zone and fault."""
    found: dict[tuple[ObjectRef, str, Fault], set[str]] = {}
    for ref, zone, fault, value in (*_sources(scene), *_gateways(scene), *_services(scene), *_routes(scene)):
        found.setdefault((ref, zone, fault), set()).add(value)
    zones = {zone.name: zone for zone in scene.zones}
    return tuple(
        Detour(ref=ref, zone=zones[zone], fault=fault, values=tuple(sorted(values)))
        for (ref, zone, fault), values in sorted(found.items(), key=lambda one: one[0])
    )


_Fact = tuple[ObjectRef, str, Fault, str]


def _led(scene: Scene) -> Iterator[tuple[Workload, Departure]]:
    """Workloads of zones with what leads them out through a router, a service or a route."""
    ways = (ROUTER_POD, *_OBJECTS, *_ROUTES)
    concerned: dict[int, tuple[Departure, ...]] = {}
    for workload in scene.inventory.workloads:
        departures = scene.facts.departures.get(workload.id, ())
        if id(departures) not in concerned:
            concerned[id(departures)] = tuple(one for one in departures if one.via.startswith(ways))
        if concerned[id(departures)] and scene.kind_of(workload.ref.namespace) == "cluster":
            yield from ((workload, one) for one in concerned[id(departures)])


def _sources(scene: Scene) -> Iterator[_Fact]:
    """Source addresses of routers and services that the zone does not own, and nodes where they leave."""
    objects = {str(ref): ref for key in DETOURS for ref in _refs(scene, key)}
    zones = {zone.name: zone for zone in scene.zones}
    for workload, one in _led(scene):
        if one.via.startswith(_ROUTES):
            continue
        ref, zone = objects.get(one.via, workload.ref), scene.zone_of(workload.ref.namespace)
        if fault := _fault(zones[zone], one.address):
            yield ref, zone, "source" if fault == "gateway" else fault, one.address
        node = scene.node_zone(one.node)
        if one.address and node not in (zone, UNZONED):
            yield ref, zone, "node", f"{one.node} of zone {node}"


def _refs(scene: Scene, key: str) -> Iterator[ObjectRef]:
    return (ObjectRef(one.kind, one.namespace, one.name, one.origin) for one in scene.of(key))


def _fault(zone: Zone, address: str) -> Fault | None:
    """What is wrong with an address that a zone leaves to or with."""
    number, owned = number_of(address), zone.cidrs | zone.egress_cidrs
    if number is None or not owned:
        return "unknown"
    return None if number in owned else "gateway"


def _gateways(scene: Scene) -> Iterator[_Fact]:
    """Gateways of egress routers."""
    zones = {zone.name: zone for zone in scene.zones}
    for workload, one in _led(scene):
        zone = zones[scene.zone_of(workload.ref.namespace)]
        if one.via == ROUTER_POD:
            for address in _told(scene, workload):
                if _fault(zone, address) == "gateway":
                    yield workload.ref, zone.name, "gateway", address
    for entry in scene.of(ROUTER_KEY) if system(scene) == "ovn" else ():
        if owner := zones.get(scene.zone_of(entry.namespace)):
            ref = ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)
            for each in listed(decoded(entry.body.spec), "addresses"):
                source = text_of(each, "ip").partition("/")[0]
                if fault := _fault(owner, source):  # whether or not its pod is in the input
                    yield ref, owner.name, "source" if fault == "gateway" else fault, source
                if (gateway := text_of(each, "gateway")) and _fault(owner, gateway) == "gateway":
                    yield ref, owner.name, "gateway", gateway


def _told(scene: Scene, workload: Workload) -> list[str]:
    """The gateways that the environment of an egress router pod names."""
    specs = (scene.inventory.endpoints[index].spec for index in workload.pods)
    return [
        one.value
        for spec in specs
        if isinstance(spec, TemplateSpec)
        for container in (*(spec.initContainers or ()), *(spec.containers or ()))
        for one in container.env or ()
        if one.name == _GATEWAY and one.value
    ]


def _services(scene: Scene) -> Iterator[_Fact]:
    """EgressServices that any node may serve."""
    for entry in scene.of(SERVICES_KEY) if system(scene) == "ovn" else ():
        selector = decoded(entry.body.spec).get("nodeSelector")
        empty = not isinstance(selector, dict) or not any(selector.values())
        if scene.kind_of(entry.namespace) != "cluster":
            continue
        ref, zone = ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin), scene.zone_of(entry.namespace)
        if empty:
            yield ref, zone, "any-node", "no nodeSelector"
        elif chosen := readable(selector):
            picks = (one.name for one in scene.inventory.nodes.values() if chosen.matches(one.labels))
            yield from ((ref, zone, "nodes", f"nodes of zone {one}") for one in _foreign(scene, picks, zone))


def _foreign(scene: Scene, nodes: Iterable[str], zone: str) -> list[str]:
    """Other zones of some nodes, sorted; nodes of no zone are left out."""
    return sorted({scene.node_zone(one) for one in nodes} - {zone, UNZONED})


def unclear(scene: Scene) -> tuple[ObjectRef, ...]:
    """Routes that may or may not lead some namespace of a zone, sorted: selector or labels were not read."""
    if system(scene) != "ovn":
        return ()
    entries = scene.inventory.snapshot.of(ROUTES_KEY)
    selectors = [readable(_field(decoded(one.body.spec), "from").get("namespaceSelector")) for one in entries]
    chosen = picked(scene.inventory.namespaces, selectors).values()
    numbers = sorted({number for each in chosen for number, sure in each if not sure})
    return tuple(ObjectRef(entries[one].kind, "", entries[one].name, entries[one].origin) for one in numbers)


def _routed(scene: Scene) -> dict[str, list[str]]:
    """Name of a route -> zones whose namespaces it selects."""
    if system(scene) != "ovn" and scene.inventory.profile.plugin != "unknown":
        return {}
    entries = scene.inventory.snapshot.of(ROUTES_KEY)
    selectors = [readable(_field(decoded(one.body.spec), "from").get("namespaceSelector")) for one in entries]
    found: dict[str, set[str]] = {}
    for name, chosen in picked(scene.inventory.namespaces, selectors).items():
        for number, sure in chosen:
            if sure and scene.kind_of(name) == "cluster":
                found.setdefault(entries[number].name, set()).add(scene.zone_of(name))
    return {name: sorted(zones) for name, zones in sorted(found.items())}


def _routes(scene: Scene) -> Iterator[_Fact]:
    """Next hops of routes, and pods whose own address shows although their zone requires egress addresses."""
    zones = {zone.name: zone for zone in scene.zones}
    routed, behind = _routed(scene), scene.once(_gateway_zones)
    for entry in scene.of(ROUTES_KEY):
        ref = ObjectRef(entry.kind, "", entry.name, entry.origin)
        for name in routed.get(entry.name, ()):
            hops = _field(decoded(entry.body.spec), "nextHops")
            yield from _hops(ref, zones[name], hops, behind)
            if "egress-ip" in zones[name].requires:
                yield ref, name, "own", "the addresses of the pods"
    yield from _annotations(scene, zones)


def _hops(
    ref: ObjectRef, zone: Zone, hops: Mapping[str, Any], behind: Mapping[LabelSelector | None, tuple[str, ...]]
) -> Iterator[_Fact]:
    for one in listed(hops, "static"):
        address = text_of(one, "ip")
        if fault := _fault(zone, address):
            yield ref, zone.name, fault, address
    for one in listed(hops, "dynamic"):
        for other in behind[_of_pods(one)]:
            if other != zone.name:
                yield ref, zone.name, "pods", other


def _of_pods(hop: Any) -> LabelSelector | None:
    """The namespaces of the gateway pods of a hop; None for a selector that nobody can read."""
    return readable(_field(hop, "namespaceSelector") if isinstance(hop, dict) else {})


def _gateway_zones(scene: Scene) -> dict[LabelSelector | None, tuple[str, ...]]:
    """Selector of gateway pods -> zones of the namespaces that it picks, sorted; each is looked up once."""
    specs = (decoded(entry.body.spec) for entry in scene.of(ROUTES_KEY))
    selectors = [*dict.fromkeys(_of_pods(one) for spec in specs for one in listed(_field(spec, "nextHops"), "dynamic"))]
    found: dict[LabelSelector | None, set[str]] = {one: set() for one in selectors}
    for name, chosen in picked(scene.inventory.namespaces, selectors).items():
        for number, _ in chosen:
            found[selectors[number]].add(scene.zone_of(name))
    return {one: tuple(sorted(zones)) for one, zones in found.items()}


def _annotations(scene: Scene, zones: Mapping[str, Zone]) -> Iterator[_Fact]:
    """What older releases of OVN-Kubernetes read from annotations."""
    if system(scene) == "ovn":
        for name, namespace in scene.inventory.namespaces.items():
            owner = zones.get(scene.zone_of(name))
            if owner and GATEWAYS in namespace.annotations:
                yield from _sent(namespace, owner)
        yield from _serving_pods(scene, zones)


def _sent(namespace: Namespace, zone: Zone) -> Iterator[_Fact]:
    """Where an annotation of a namespace sends its traffic."""
    for text in _listed(namespace.annotations[GATEWAYS]):
        if fault := _fault(zone, text):
            yield namespace.ref, zone.name, fault, text
    if "egress-ip" in zone.requires:
        yield namespace.ref, zone.name, "own", "the addresses of the pods"


def _serving_pods(scene: Scene, zones: Mapping[str, Zone]) -> Iterator[_Fact]:
    """Namespaces whose pods declare themselves gateways of another zone."""
    for pod in scene.of("Pod"):
        if served := (pod.body.metadata.annotations or {}).get(SERVED):
            home = scene.zone_of(pod.namespace)
            for owner in filter(None, (zones.get(scene.zone_of(text)) for text in _listed(served))):
                if owner.name != home:
                    yield ObjectRef("Namespace", "", pod.namespace), owner.name, "pods", home


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _field(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = value.get(field)
    return found if isinstance(found, dict) else {}
