"""The ways to the API server and to the machine config server.

Input: a Scene. Output: facts for TOP003. Decisions: what leads to the API besides its own address is a way in wherever
it stands; what is said outside of the cluster (names, load balancers, configuration of masters) is told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from audit.controls.facing import Outside, addresses, outside
from audit.controls.scene import Scene, ref
from audit.exposure.publications import at, decoded, items, of_kind, text
from audit.model import ObjectRef
from audit.traffic import NONE, Traffic, union

INFRASTRUCTURE = "Infrastructure.config.openshift.io"
DNS = "DNS.config.openshift.io"
API_PORT = 6443
MACHINE_CONFIG = Traffic.of("TCP", 22623, 22624)
CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_SERVERS: Mapping[str, tuple[str, ...]] = {
    "kube-system": ("kube-apiserver", "master-api"),
    "openshift-kube-apiserver": ("kube-apiserver",),
    "openshift-machine-config-operator": ("machine-config-server",),
}
"""Namespace -> how the names of pods of the API server, and of the machine config server, begin."""
_API = ("default", "kubernetes")
_CLOUDS = ("AWS", "AlibabaCloud", "Azure", "GCP", "IBMCloud", "PowerVS")
"""Platforms that give the API a load balancer and a name, whoever installed the cluster."""
Sort = Literal["dns", "address", "node", "path"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDoor:
    """One way to the API server."""

    sort: Sort
    """`dns`: its name is published; `address`: its own; `node`: of the control plane; `path`: another way."""
    ref: ObjectRef
    seen: str
    zone: str = ""
    open: Traffic = NONE
    """What of the ports of the API the matrix lets outsiders send there; for `address` and `node`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDoors:
    """All ways, and what the input cannot tell."""

    doors: tuple[ApiDoor, ...]
    unknown: tuple[str, ...]
    """What the matrix could tell, and does not."""
    beyond: tuple[str, ...]
    """What decides as well and is no object of this cluster, so that a person has to look."""
    known: bool
    """Whether the input says where the API stands."""


def api_doors(scene: Scene) -> ApiDoors:
    """Every way to the API that lies open, or may."""
    seen = outside(scene)
    ports = _api_ports(scene)
    stands = tuple(_addresses(scene, seen, ports))
    unknown = dict.fromkeys(one.seen for one in stands if one.sort == "address" and not one.zone)
    return ApiDoors(
        doors=tuple(sorted({*_names(scene), *(one for one in stands if one.zone), *_paths(scene, ports)}, key=_order)),
        unknown=tuple(unknown),
        beyond=tuple(dict.fromkeys(_beyond(scene, seen))),
        known=bool(stands) or any(True for _ in scene.of(INFRASTRUCTURE, DNS)) or bool(_endpoints(scene, _API)),
    )


def _order(one: ApiDoor) -> tuple[str, ObjectRef, str]:
    return one.sort, one.ref, one.seen


def _names(scene: Scene) -> Iterator[ApiDoor]:
    for entry in scene.of(DNS):
        zone = at(decoded(entry.body.spec), "publicZone")
        if isinstance(zone, dict) and zone:
            yield ApiDoor(sort="dns", ref=ref(entry), seen="spec.publicZone is set")


def _endpoints(scene: Scene, service: tuple[str, str]) -> dict[int, frozenset[int]]:
    """Addresses behind a Service by its Endpoints and slices, each with its TCP ports."""
    found: dict[int, frozenset[int]] = {}
    for entry in scene.of("Endpoints"):
        for subset in (entry.body.subsets or ()) if (entry.namespace, entry.name) == service else ():
            ports = frozenset(one.port or 0 for one in subset.ports or () if one.protocol in (None, "TCP"))
            found |= dict.fromkeys(addresses(one.ip for one in subset.addresses or ()), ports)
    for entry in scene.of("EndpointSlice.discovery.k8s.io"):
        owner = (entry.body.metadata.labels or {}).get("kubernetes.io/service-name")
        for one in (entry.body.endpoints or ()) if (entry.namespace, owner) == service else ():
            ports = frozenset(port.port or 0 for port in entry.body.ports or () if port.protocol in (None, "TCP"))
            found |= dict.fromkeys(addresses(one.addresses or ()), ports)
    return found


def _api_ports(scene: Scene) -> Traffic:
    """Ports of the API server; those of OpenShift 3 with DNS are cut to what it names https by being the lowest."""
    known = {min(ports) for ports in _endpoints(scene, _API).values() if ports}
    ports = union(Traffic.of("TCP", one, one) for one in known) if known else Traffic.of("TCP", API_PORT, API_PORT)
    return ports | MACHINE_CONFIG if scene.inventory.profile.product == "openshift-4" else ports


def _addresses(scene: Scene, seen: Outside, ports: Traffic) -> Iterator[ApiDoor]:
    """Addresses of the API: its own where outsiders may enter their zone at all, those of nodes if on its ports."""
    for entry in scene.of(INFRASTRUCTURE):
        for number in addresses(_virtual(decoded(entry.body.status))):
            side, why, _ = seen.of_address(number, ports)
            zone, words = seen.zone(number), f"the API has an address: {why}"
            if side == "unknown":
                yield ApiDoor(sort="address", ref=ref(entry), seen=words)
            elif side == "outside" or seen.open(zone):
                more = "" if side == "outside" else f", which {seen.named} may enter on other ports"
                open_ = _open(seen, zone, ports)
                yield ApiDoor(sort="address", ref=ref(entry), seen=words + more, zone=zone, open=open_)
    for number, name in _control_plane(scene, seen).items():
        side, why, _ = seen.of_address(number, ports)
        if side == "outside":
            one = scene.inventory.nodes[name].ref if name else ObjectRef("Service", *_API)
            zone = seen.zone(number)
            yield ApiDoor(sort="node", ref=one, seen=why, zone=zone, open=_open(seen, zone, ports))


def _open(seen: Outside, zone: str, ports: Traffic) -> Traffic:
    return ports if zone in seen.zones else seen.enters(zone, ports)


def _virtual(status: Mapping[str, Any]) -> Iterator[object]:
    """Addresses of the API that a platform gives."""
    platforms = at(status, "platformStatus")
    for one in platforms.values() if isinstance(platforms, dict) else ():
        yield from items(one, "apiServerInternalIPs")
        yield text(one, "apiServerInternalIP")
        for key in ("apiLoadBalancerIPs", "apiIntLoadBalancerIPs"):
            yield from items(one, "cloudLoadBalancerConfig", "clusterHosted", key)


def _control_plane(scene: Scene, seen: Outside) -> dict[int, str]:
    """Address -> node of the control plane; by the Endpoints of the API, and by the roles of nodes."""
    found = {number: seen.node(number) for number in _endpoints(scene, _API)}
    for name, node in scene.inventory.nodes.items():
        if not node.labels.keys().isdisjoint(CONTROL_PLANE):
            found |= dict.fromkeys(node.published, name)
    return found


def _paths(scene: Scene, ports: Traffic) -> Iterator[ApiDoor]:
    """Routes, Ingresses and Services that lead to the API besides its own address."""
    for one in scene.facts.entry_points:
        for backend in one.backends if one.kind not in ("host-port", "host-network") else ():
            starts = _SERVERS.get(backend.workload.namespace, ())
            if any(backend.workload.name.startswith(start) for start in starts):
                yield ApiDoor(sort="path", ref=backend.by, seen=f"leads to {backend.workload}")
    for kind in ("Route", "Ingress"):
        for entry in of_kind(scene.inventory.snapshot, kind):
            if entry.namespace == _API[0] and _API[1] in _backends(decoded(entry.body.spec)):
                yield ApiDoor(sort="path", ref=ref(entry), seen="leads to Service default/kubernetes")
    yield from _services(scene, ports)


def _services(scene: Scene, ports: Traffic) -> Iterator[ApiDoor]:
    """Services without a selector whose endpoints are those of the API, and the one of the API itself."""
    behind = frozenset(_endpoints(scene, _API))
    for entry in scene.of("Service"):
        spec = entry.body.spec
        if spec is None or spec.selector or not (spec.type in ("NodePort", "LoadBalancer") or spec.externalIPs):
            continue
        if (entry.namespace, entry.name) == _API:
            yield ApiDoor(sort="path", ref=ref(entry), seen=f"it is of type {spec.type or 'ClusterIP'}")
            continue
        own = _endpoints(scene, (entry.namespace, entry.name))
        if any(number in behind and _shares(listed, ports) for number, listed in own.items()):
            yield ApiDoor(sort="path", ref=ref(entry), seen="its endpoints are those of the API")


def _shares(listed: frozenset[int], ports: Traffic) -> bool:
    return bool(union(Traffic.of("TCP", one, one) for one in listed if one) & ports)


def _backends(node: Any) -> set[str]:
    """Names of Services that the spec of a Route or an Ingress leads to."""
    found = {text(node, "to", "name")} | {text(one, "name") for one in items(node, "alternateBackends")}
    tops = [at(node, "defaultBackend"), at(node, "backend")]
    paths = [path for rule in items(node, "rules") for path in items(rule, "http", "paths")]
    for backend in (*tops, *(at(path, "backend") for path in paths)):
        found |= {text(backend, "service", "name"), text(backend, "serviceName")}
    return found - {""}


def _beyond(scene: Scene, seen: Outside) -> Iterator[str]:
    """What decides about the API and is no object of this cluster."""
    product = scene.inventory.profile.product
    for entry in scene.of(INFRASTRUCTURE):
        status = decoded(entry.body.status)
        if text(status, "controlPlaneTopology") == "External":
            yield "the control plane runs outside of this cluster (controlPlaneTopology is External)"
        elif reason := _balancer(status):
            yield reason
    if product == "openshift-3":
        yield "masterPublicURL stands in the configuration of the masters, which is no object of the cluster"
    elif product != "openshift-4" and len(_control_plane(scene, seen)) > 1:
        yield "what stands in front of the API servers, a load balancer or a name, is not in the input"


def _balancer(status: Mapping[str, Any]) -> str:
    """Why nobody knows where the load balancer of the API stands; empty where the input tells."""
    platforms = at(status, "platformStatus")
    listed = [one for one in platforms.values() if isinstance(one, dict)] if isinstance(platforms, dict) else []
    if any(text(one, "loadBalancer", "type") == "UserManaged" for one in listed):
        return "the load balancer of the API is managed by its users (loadBalancer.type is UserManaged)"
    if text(platforms, "type") not in _CLOUDS and not any(_virtual(status)):
        return "the load balancer of the API is none of the platform's, so its address is not in the input"
    return ""
