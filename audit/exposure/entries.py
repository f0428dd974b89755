"""Which ports of which pods an entry point exposes, and how far its effect is certain.

Modelled: hostPort, host network, Services of type NodePort and LoadBalancer, externalIPs, and, coarsely, everything
that publishes a Service through routers (Ingress, Route, Gateway API routes): behind a router the policy sees the
router's address, so whether an outside client gets through is possible, never certain.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from audit.bodies import RawBody, ServicePort
from audit.inventory import Inventory, Pod
from audit.snapshot import Entry, Snapshot
from audit.template_labels import may_be
from audit.traffic import NONE, PROTOCOLS, Traffic, union

ROUTED = {
    "Ingress": ("networking.k8s.io", "extensions"),
    "Route": ("route.openshift.io", ""),
    "HTTPRoute": ("gateway.networking.k8s.io",),
    "GRPCRoute": ("gateway.networking.k8s.io",),
    "TLSRoute": ("gateway.networking.k8s.io",),
    "TCPRoute": ("gateway.networking.k8s.io",),
    "UDPRoute": ("gateway.networking.k8s.io",),
}
"""Kinds that publish Services through routers, with their API groups."""
PUBLISHING_GROUPS = frozenset(
    {
        "networking.istio.io",
        "traefik.io",
        "traefik.containo.us",
        "projectcontour.io",
        "configuration.konghq.com",
        "k8s.nginx.org",
        "getambassador.io",
        "apisix.apache.org",
        "ingress.v1.haproxy.org",
        "gateway.solo.io",
        "serving.knative.dev",
    }
)
"""Groups of other routers: whatever Service an object of theirs names, in any field, may be published."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the outside reaches one endpoint."""

    direct: Traffic = NONE
    """Ports an entry point leads to; the policy sees the client's address, or a node's (see `masked`)."""
    masked: Traffic = NONE
    """Ports where the policy may see a node's address instead of the client's, so its word on clients is not all."""
    routed: Traffic = NONE
    """Ports published through routers."""
    filtered: Traffic = NONE
    """Ports of load balancers that are told to admit some client addresses only, which not every platform does."""
    host: bool = False
    """Every port listens on the node's address; whether the outside can route there is not the cluster's to say."""

    def split(self, traffic: Traffic, routable: Traffic | None) -> Iterator[tuple[Traffic, str, bool]]:
        """(part, reason why its way in is not certain, whether there is a way in at all) of traffic from outside.

        `routable` is what of the pod network the outside reaches without any entry point; None when that is not known.
        """
        certain = traffic & (self.direct if self.host else self.direct | (routable or NONE))
        filtered = (traffic & self.filtered) - certain
        rest = traffic - certain - filtered
        hidden = "host-network" if self.host else "pod-network" if routable is None else ""
        parts = ((certain, "", True), (filtered, "source-ranges", True), (rest, hidden, bool(hidden)))
        yield from (part for part in parts if part[0])


HIDDEN = Exposure()


def exposures(inventory: Inventory) -> dict[int, Exposure]:
    """Endpoint index -> how it is exposed; endpoints that nothing exposes are left out."""
    found: dict[int, list[Exposure]] = {}
    for index, pod in enumerate(inventory.endpoints):
        if pod.host_network:
            found.setdefault(index, []).append(Exposure(host=True))
        elif pod.host_ports:
            ports = union(Traffic.of(protocol, number, number) for protocol, number in pod.host_ports)
            found.setdefault(index, []).append(Exposure(direct=ports, masked=ports))
    namespaces = [pod.namespace for pod in inventory.endpoints]
    for service, kind in _exposing(inventory.snapshot):
        for index in _selected(inventory, namespaces, service):
            ports = _target_ports(service, inventory.endpoints[index])
            found.setdefault(index, []).append(_exposure(service, kind, ports))
    return {index: _merged(parts) for index, parts in sorted(found.items())}


def behind(inventory: Inventory, namespace: str, name: str) -> Iterator[tuple[int, Traffic]]:
    """(endpoint index, its ports) of every endpoint that a Service selects."""
    namespaces = [pod.namespace for pod in inventory.endpoints]
    for service in inventory.snapshot.of("Service"):
        if (service.namespace, service.name) == (namespace, name) and service.body.spec and service.body.spec.selector:
            for index in _selected(inventory, namespaces, service):
                yield index, _target_ports(service, inventory.endpoints[index])


def _exposure(service: Entry, kind: str, ports: Traffic) -> Exposure:
    if kind == "routed":
        return Exposure(routed=ports)
    if kind == "listed":
        return Exposure(masked=ports)
    spec = service.body.spec
    masked = NONE if spec.externalTrafficPolicy == "Local" else ports
    if spec.loadBalancerSourceRanges and spec.type == "LoadBalancer" and not spec.externalIPs:
        return Exposure(filtered=ports, masked=masked)
    return Exposure(direct=ports, masked=masked)


def _merged(parts: list[Exposure]) -> Exposure:
    return Exposure(
        direct=union(part.direct for part in parts),
        masked=union(part.masked for part in parts),
        routed=union(part.routed for part in parts),
        filtered=union(part.filtered for part in parts),
        host=any(part.host for part in parts),
    )


def _exposing(snapshot: Snapshot) -> Iterator[tuple[Entry, str]]:
    """Services that lead in from outside, each with `direct`, `routed` or `listed`.

    A Service without selector leads to addresses that somebody listed; which pods have them is not read, so any pod of
    its namespace may be meant.
    """
    routed = _routed_services(snapshot)
    for service in snapshot.of("Service"):
        spec = service.body.spec
        if spec is None or spec.type == "ExternalName":
            continue
        if not spec.selector:
            leads = spec.type in ("NodePort", "LoadBalancer") or bool(spec.externalIPs)
            if leads or (service.namespace, service.name) in routed:
                yield service, "listed"
            continue
        if spec.type in ("NodePort", "LoadBalancer") or spec.externalIPs:
            yield service, "direct"
        if (service.namespace, service.name) in routed:
            yield service, "routed"


def _selected(inventory: Inventory, namespaces: list[str], service: Entry) -> Iterator[int]:
    """Endpoints behind a Service."""
    selector: Mapping[str, str] = service.body.spec.selector or {}
    start, end = bisect_left(namespaces, service.namespace), bisect_right(namespaces, service.namespace)
    for index in range(start, end):
        pod = inventory.endpoints[index]
        if all(pod.labels.get(key) == value or _maybe(pod, key, value) for key, value in selector.items()):
            yield index


def _maybe(pod: Pod, key: str, value: str) -> bool:
    """Whether a template stands for a pod that has the label: a Service that asks for it was written for one."""
    return key in pod.unknown_labels and may_be(pod.name, key, value)


def _target_ports(service: Entry, pod: Pod) -> Traffic:
    return union(_target_port(port, pod) for port in service.body.spec.ports or ())


def _target_port(port: ServicePort, pod: Pod) -> Traffic:
    """The pod's port behind one Service port; a name resolves per pod, to nothing when the pod has no such port."""
    protocol = port.protocol if port.protocol in PROTOCOLS else "TCP"
    target = port.targetPort if port.targetPort not in (None, 0, "") else port.port
    if isinstance(target, str) and target.isascii() and target.isdigit():
        target = int(target)
    if isinstance(target, int):
        return Traffic.port_range(protocol, target, target) if 1 <= target <= 65535 else NONE  # noqa: PLR2004
    return union(
        Traffic.port_range(one.protocol, one.port, one.port)
        for one in pod.named_ports
        if one.name == target and one.protocol == protocol
    )


def _routed_services(snapshot: Snapshot) -> set[tuple[str, str]]:
    """(namespace, name) of every Service that some router publishes."""
    found: set[tuple[str, str]] = set()
    for kind, groups in ROUTED.items():
        for group in groups:
            for entry in _entries(snapshot, kind, group):
                found.update(_backends(kind, entry))
    others = [entry for listed in snapshot.entries.values() for entry in _publishing(listed)]
    if others:
        services = {(service.namespace, service.name) for service in snapshot.of("Service")}
        for entry in others:
            found |= _named(entry, services)
    return found


def _publishing(listed: Sequence[Entry]) -> Sequence[Entry]:
    return listed if listed and listed[0].group in PUBLISHING_GROUPS and isinstance(listed[0].body, RawBody) else ()


def _named(entry: Entry, services: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Services that any text of an object names: `name`, `name.namespace` or a longer host name."""
    spec = msgspec.json.decode(entry.body.spec) if bytes(entry.body.spec) else {}
    found = set()
    for text in _texts(spec):
        name, _, rest = text.partition(".")
        found |= services & {(entry.namespace, name), (rest.partition(".")[0], name)}
    return found


def _texts(node: Any) -> Iterator[str]:
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            pending += one.values()


def _entries(snapshot: Snapshot, kind: str, group: str) -> Iterator[Entry]:
    for key in (f"{kind}.{group}" if group else kind, kind):
        for entry in snapshot.of(key):
            if entry.group == group:
                yield entry
        if not group:
            return


def _backends(kind: str, entry: Entry) -> Iterator[tuple[str, str]]:
    spec = msgspec.json.decode(entry.body.spec) if bytes(entry.body.spec) else {}
    if kind == "Route":
        spec = spec if isinstance(spec, dict) else {}
        others = spec.get("alternateBackends")
        targets = [spec.get("to"), *(others if isinstance(others, list) else ())]
        yield from ((entry.namespace, name) for one in targets if (name := _text(one, "name")))
        return
    for reference in _references(spec):
        name = _text(reference, "name") or _text(reference, "serviceName")
        if name:
            yield _text(reference, "namespace") or entry.namespace, name


def _references(node: Any) -> Iterator[Any]:
    """Every object that names a backend Service, wherever a route kind keeps it."""
    pending = [node]
    while pending:  # no recursion: how deep a spec is nested is up to whoever wrote it
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            for key, value in one.items():
                if key in ("backend", "defaultBackend"):
                    yield value.get("service", value) if isinstance(value, dict) else None
                elif key in ("backendRefs", "backendRef"):
                    yield from value if isinstance(value, list) else [value]
                else:
                    pending.append(value)


def _text(node: Any, key: str) -> str:
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, str) else ""
