"""Every way into the cluster as a value: address and its zone, router and its nodes' zone, Service, workloads.

The verdicts are read off the meetings that cells are made of; this is a view, not a second evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from audit.exposure.entries import leads_in
from audit.exposure.gateways import GROUP
from audit.exposure.publications import NOBODY, Publication, Router, decoded
from audit.exposure.routers import ROUTER_NAMESPACE
from audit.exposure.services import chosen
from audit.flows import Backend, EntryPoint
from audit.fronts import Front, Places, balancer_front, controlled, object_front, service_front
from audit.meet import Beside, Meetings
from audit.model import UNZONED, ObjectRef
from audit.traffic import NONE, Traffic, address_number, address_text, union
from audit.zones import ZoneMap

Verdict = Literal["allowed", "unknown", "denied", "by-client"]
_BY_CLIENT: Verdict = "by-client"
_BEST: tuple[Verdict, ...] = ("allowed", "by-client", "unknown", "denied")


def entry_points(meetings: Meetings, zone_map: ZoneMap | None = None) -> tuple[EntryPoint, ...]:
    """All ways into the cluster, by kind and object. Work is in proportion to the endpoints that they lead to."""
    found = _Finder(meetings, zone_map)
    listed = (*found.services(), *found.hosts(), *found.routers(), *found.unknown())
    return tuple(sorted(listed, key=lambda one: (one.kind, one.object)))


class _Finder:
    """Finds them in one cluster."""

    def __init__(self, meetings: Meetings, zone_map: ZoneMap | None) -> None:
        self._meetings = meetings
        self._ways = meetings.reach.ways
        self._inventory = meetings.reach.inventory
        self._places = Places(self._inventory, zone_map)
        self._leading = [one for one in self._inventory.snapshot.of("Service") if leads_in(one)]
        self._by_router: dict[int, list[Publication]] = {}
        for one in self._ways.publications:
            self._by_router.setdefault(one.router, []).append(one)
        self._routed: dict[int, dict[int, tuple[Traffic, Traffic]]] = {}

    def services(self) -> Iterator[EntryPoint]:
        """Services that lead in by themselves."""
        for service in self._leading:
            by = ObjectRef("Service", service.namespace, service.name, service.origin)
            key = (service.namespace, service.name)
            listed = [one for one in self._ways.behind.get(key, ()) if not one.unnamed]
            known = {id(one.targets): one.targets for one in listed}
            ports = {key: union(target.traffic for target in targets) for key, targets in known.items()}
            backends = self._backends(by, key, ((one.endpoint, ports[id(one.targets)], _BY_CLIENT) for one in listed))
            yield self._entry("service", by, service_front(service), backends, [service.namespace])

    def hosts(self) -> Iterator[EntryPoint]:
        """Workloads with host ports or on the host network."""
        by_workload: dict[tuple[int, bool], list[int]] = {}
        for index, pod in enumerate(self._inventory.endpoints):
            if pod.host_network or pod.host_ports:
                by_workload.setdefault((pod.workload, pod.host_network), []).append(index)
        for (number, host), listed in sorted(by_workload.items()):
            by = self._inventory.workloads[number].ref
            pods = ((index, self._host_ports(index), _BY_CLIENT) for index in listed)
            front = self._node_front(listed)
            kind: Literal["host-network", "host-port"] = "host-network" if host else "host-port"
            yield self._entry(kind, by, front, self._backends(by, None, pods), [by.namespace])

    def _host_ports(self, index: int) -> Traffic:
        pod = self._inventory.endpoints[index]
        ports = pod.ports if pod.host_network else pod.host_ports
        return union(Traffic.of(protocol, number, number) for protocol, number in ports)

    def _node_front(self, pods: Iterable[int]) -> Front:
        nodes = {self._inventory.endpoints[index].node for index in pods} & self._inventory.nodes.keys()
        numbers = {number for name in nodes for number in self._inventory.nodes[name].published}
        return Front(frozenset(map(address_text, numbers)))

    def routers(self) -> Iterator[EntryPoint]:
        """Routers that the input shows."""
        fronts = self._router_fronts()
        for number, router in enumerate(self._ways.routers):
            published = self._by_router.get(number, [])
            backends = [backend for one in published for backend in self._published(one)]
            found = self._entry(
                "gateway" if router.ref.kind == "Gateway" else "router",
                router.ref,
                fronts.get(number, Front()),
                backends,
                {one.by.namespace for one in published},
                router,
            )
            yield found

    def _router_fronts(self) -> dict[int, Front]:
        """Router -> the addresses of the Services and nodes that lead to its pods, and those that its object shows."""
        router_of = {index: number for number, one in enumerate(self._ways.routers) for index in one.pods}
        found: dict[int, Front] = {}
        for service in self._leading:
            behind = self._ways.behind.get((service.namespace, service.name), ())
            for number in {router_of[one.endpoint] for one in behind if one.endpoint in router_of and not one.unnamed}:
                found[number] = found.get(number, Front()) | service_front(service)
        shown = {(one.namespace, one.name): one for one in self._leading}
        gateways = {(one.namespace, one.name): one for one in self._inventory.snapshot.of(f"Gateway.{GROUP}")}
        for number, router in enumerate(self._ways.routers):
            own = shown.get((ROUTER_NAMESPACE, f"router-{router.ref.name}"))
            listening = [index for index in router.pods if self._listens(index)]
            parts = [self._node_front(listening), service_front(own) if own and controlled(router) else Front()]
            for part in (*parts, *object_front(self._inventory, router, gateways)):
                found[number] = found.get(number, Front()) | part
        return found

    def _listens(self, index: int) -> bool:
        pod = self._inventory.endpoints[index]
        return pod.host_network or bool(pod.host_ports)

    def unknown(self) -> Iterator[EntryPoint]:
        """What routers publish that the input does not show, object by object."""
        by_object: dict[ObjectRef, list[Publication]] = {}
        for one in self._by_router.get(NOBODY, []):
            by_object.setdefault(one.by, []).append(one)
        ingresses = {(one.namespace, one.name): one for one in self._inventory.snapshot.of("Ingress.networking.k8s.io")}
        for by, listed in sorted(by_object.items()):
            ingress = ingresses.get((by.namespace, by.name)) if by.kind == "Ingress" else None
            front = balancer_front(decoded(ingress.body.status)) if ingress else Front()
            backends = [backend for one in listed for backend in self._published(one)]
            yield self._entry("unknown-router", by, front, backends, [by.namespace])

    def _published(self, one: Publication) -> Iterator[Backend]:
        """The workloads behind one publication."""
        listed = self._ways.behind.get(one.service, ())
        known = {id(found.targets): found.targets for found in listed}  # a Service's pods share them
        ports = {key: chosen(targets, one.port, one.protocol) for key, targets in known.items()}
        pods = (
            (found.endpoint, traffic, self._verdict(one, found.endpoint, traffic))
            for found in listed
            if (traffic := ports[id(found.targets)])
        )
        return self._backends(one.by, one.service, pods)

    def _verdict(self, one: Publication, endpoint: int, ports: Traffic) -> Verdict:
        """What policies make of a connection from the router's pods."""
        if one.router == NOBODY or not self._ways.routers[one.router].pods:
            return "unknown"
        number = self._meetings.group_of[self._meetings.reach.classes.class_of[endpoint]]
        if number not in self._routed:
            self._routed[number] = _by_router(self._meetings.beside(self._meetings.groups[number].members))
        certain, possible = self._routed[number].get(one.router, (NONE, NONE))
        if one.certain and ports & certain:
            return "allowed"
        return "unknown" if ports & possible else "denied"

    def _backends(
        self, by: ObjectRef, service: tuple[str, str] | None, pods: Iterable[tuple[int, Traffic, Verdict]]
    ) -> Iterator[Backend]:
        """One for each workload and zone; the best verdict of its pods counts."""
        classes = self._meetings.reach.classes
        found: dict[tuple[int, str], tuple[Traffic, Verdict]] = {}
        for index, ports, verdict in pods:
            key = (self._inventory.endpoints[index].workload, classes.zones[classes.class_of[index]])
            old, best = found.get(key, (ports, verdict))
            if old is not ports or best != verdict or key not in found:
                found[key] = (old | ports, min(best, verdict, key=_BEST.index))
        for (number, zone), (ports, verdict) in found.items():
            workload = self._inventory.workloads[number].ref
            name = "/".join(service) if service else ""
            yield Backend(workload=workload, zone=zone, by=by, service=name, ports=ports, verdict=verdict)

    def _entry(  # noqa: PLR0913, PLR0917 - one value of many parts
        self,
        kind: Literal["router", "gateway", "service", "host-port", "host-network", "unknown-router"],
        by: ObjectRef,
        front: Front,
        backends: Iterable[Backend],
        namespaces: Iterable[str],
        router: Router | None = None,
    ) -> EntryPoint:
        pods = router.pods if router else ()
        served = sorted(namespaces)
        return EntryPoint(
            kind=kind,
            object=by,
            addresses=tuple(sorted(front.addresses, key=address_number)),
            hostnames=tuple(sorted(front.hostnames)),
            every_node=front.every_node,
            address_zones=self._places.of_addresses(front.addresses),
            node_zones=self._places.of_nodes(self._inventory.nodes if front.every_node else ()),
            shard=by.name if by.kind == "IngressController" else "",
            routers=self._workloads(pods),
            router_zones=self._places.of_nodes({self._inventory.endpoints[index].node for index in pods}),
            namespaces=tuple(served),
            zones=self._places.of_namespaces(served),
            open_zones=self._places.open_to(router) if router else (),
            backends=tuple(sorted(backends)),
        )

    def _workloads(self, pods: Iterable[int]) -> tuple[ObjectRef, ...]:
        numbers = sorted({self._inventory.endpoints[index].workload for index in pods})
        return tuple(self._inventory.workloads[number].ref for number in numbers)


def _by_router(besides: Iterable[Beside]) -> dict[int, tuple[Traffic, Traffic]]:
    """Router -> (certain, possible) traffic that it brings in."""
    found: dict[int, tuple[Traffic, Traffic]] = {}
    for one in besides:
        certain, possible = found.get(one.router, (NONE, NONE))
        found[one.router] = (certain if one.reason else certain | one.traffic, possible | one.traffic)
    return found


def entry_json(one: EntryPoint, *, zoned: bool) -> dict[str, Any]:
    """An entry point as JSON-ready values; parts that say nothing are left out."""
    found: dict[str, Any] = {"id": str(one.object), "kind": one.kind}
    texts = {"addresses": one.addresses, "hostnames": one.hostnames, "namespaces": one.namespaces}
    zones = {"address_zones": one.address_zones, "node_zones": one.node_zones, "router_zones": one.router_zones}
    zones |= {"zones": one.zones, "open_zones": one.open_zones}
    found |= {"every_node": True} if one.every_node else {}
    found |= {"shard": one.shard} if one.shard else {}
    found |= {"routers": [_id(router) for router in one.routers]} if one.routers else {}
    found |= {key: list(value) for key, value in (texts | (zones if zoned else {})).items() if value}
    found["backends"] = [_backend_json(backend, zoned=zoned) for backend in one.backends]
    return found


def _backend_json(one: Backend, *, zoned: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"workload": _id(one.workload), "by": str(one.by)}
    found |= {"zone": one.zone or UNZONED} if zoned else {}
    found |= {"service": one.service} if one.service else {}
    return found | {"ports": one.ports.ports(), "verdict": one.verdict}


def _id(workload: ObjectRef) -> str:
    return f"{workload.namespace}/{workload.kind}/{workload.name}"


_SAID = {"by-client": "policies decide client by client"}
_MOST = 8
"""Addresses that a line names."""


def path_line(entry: EntryPoint, backend: Backend) -> str:
    """One line for people: address, router, Service, ports, and what becomes of it."""
    shown = [*entry.addresses[:_MOST], *entry.hostnames[:_MOST]]
    more = len(entry.addresses) + len(entry.hostnames) - len(shown)
    listed = ", ".join([*shown, *([f"{more} more"] if more else [])])
    front = [listed + _zoned("zone", entry.address_zones)] if listed else []
    front += ["every node" + _zoned("of zone", entry.node_zones)] if entry.every_node else []
    steps = [" and ".join(front) or "an address that the input does not show"]
    if entry.kind in ("router", "gateway"):
        pods = ", ".join(map(_id, entry.routers)) or "pods that the input does not show"
        steps += [str(entry.object), pods + _zoned("nodes of zone", entry.router_zones)]
    elif entry.kind == "unknown-router":
        steps.append("a router that the input does not show")
    steps += [f"Service {backend.service}"] if backend.service else []
    return f"{backend.by}: {' -> '.join(steps)} -> {backend.ports}: {_SAID.get(backend.verdict, backend.verdict)}"


def _zoned(words: str, zones: Iterable[str]) -> str:
    return f" ({words} {', '.join(zones)})" if zones else ""
