"""Which ports of which endpoints the outside reaches, by what, and how far that is certain.

Services (LoadBalancer, NodePort, externalIPs), host ports and the host network lead in by themselves. What routers
publish is kept router by router, because there the policy sees the router's pods: whether these get through is for
whoever joins both sides of connections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import msgspec

from audit.exposure.gateways import gateway_routes, gateways
from audit.exposure.ingresses import ingresses, others
from audit.exposure.publications import NOBODY, Publication, Router
from audit.exposure.routers import routes, shards
from audit.exposure.services import Behind, Services, chosen
from audit.inventory import Inventory, Pod
from audit.snapshot import Entry
from audit.traffic import NONE, Traffic, union


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """Ports that a router whose pods are known publishes."""

    router: int
    """Index into WaysIn.routers."""
    reason: str
    """Why it may not serve them, or not for everybody; empty when it certainly does."""
    near: bool | None
    """Whether one of its host-network pods runs on the endpoint's node, which may always reach it; None: not known."""
    ports: Traffic

    def key(self) -> tuple[int, str, bool | None]:
        """All but the ports."""
        return self.router, self.reason, self.near


class Exposure(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """How the outside reaches one endpoint."""

    direct: Traffic = NONE
    """Ports an entry point leads to; the policy sees the client's address, or a node's (see `masked`)."""
    masked: Traffic = NONE
    """Ports where the policy may see a node's address instead of the client's, so its word on clients is not all."""
    routed: Traffic = NONE
    """Ports published through routers that the input does not show."""
    filtered: Traffic = NONE
    """Ports of load balancers that are told to admit some client addresses only, which not every platform does."""
    host: bool = False
    """Every port listens on the node's address; whether the outside can route there is not the cluster's to say."""
    ways: tuple[Way, ...] = ()
    """What routers publish that the input shows, sorted."""
    routers: tuple[int, ...] = ()
    """Routers that it is a pod of: what they publish is judged by where it may connect."""

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


@dataclass(frozen=True)
class WaysIn:
    """Everything that leads into one cluster."""

    exposed: Mapping[int, Exposure]
    """Endpoint index -> how it is exposed; endpoints that nothing exposes are left out."""
    routers: tuple[Router, ...]
    """IngressControllers, router workloads, then Gateways."""
    publications: tuple[Publication, ...]
    behind: Mapping[tuple[str, str], tuple[Behind, ...]]
    """Service (namespace, name) -> its endpoints, for Services that something exposes or publishes."""

    @cached_property
    def published(self) -> Mapping[int, tuple[Publication, ...]]:
        """Endpoint index -> what publishes some port of it."""
        found: dict[int, list[Publication]] = {}
        for one in self.publications:
            for behind in self.behind.get(one.service, ()):
                found.setdefault(behind.endpoint, []).append(one)
        return {index: tuple(listed) for index, listed in found.items()}

    def ports(self, publication: Publication, endpoint: int) -> Traffic:
        """What a publication leads to at one endpoint."""
        listed = (one for one in self.behind.get(publication.service, ()) if one.endpoint == endpoint)
        return union(chosen(one.targets, publication.port, publication.protocol) for one in listed)


def ways_in(inventory: Inventory, routable: Traffic | None = None) -> WaysIn:
    """All that leads into the cluster; `routable` is as for `Exposure.split`."""
    listed, gates = shards(inventory), gateways(inventory)
    routers = (*(one.router for one in listed), *(one.router for one in gates))
    publications = (
        *routes(inventory, listed),
        *ingresses(inventory, listed),
        *gateway_routes(inventory, gates, len(listed)),
        *others(inventory.snapshot),
    )
    parts, behind = _direct(inventory, {one.service for one in publications})
    for number, router in enumerate(routers):
        for index in router.pods:
            parts.setdefault(index, []).append(Exposure(routers=(number,)))
    led_to = {found.endpoint for one in publications for found in behind.get(one.service, ())}
    closed, guarded = _closed(routers, parts, led_to), _guarded(routers, parts)
    doors = {NOBODY: _Door(shown=False, nodes=frozenset(), reason="")}
    for number, router in enumerate(routers):
        inner = number in closed and not routable
        if not inner or routable is None:
            reason = "pod-network" if inner else "source-ranges" if number in guarded else ""
            doors[number] = _Door(bool(router.pods), router.nodes, reason)
    for one in publications:
        if one.router in doors:
            _publish(inventory.endpoints, one, behind.get(one.service, ()), doors[one.router], parts)
    return WaysIn(_together(parts), routers, publications, behind)


def _together(parts: Mapping[int, list[Exposure]]) -> dict[int, Exposure]:
    """The parts of each endpoint as one; pods of one workload share theirs, so few are put together."""
    same: dict[Exposure, Exposure] = {}
    merged: dict[tuple[int, ...], Exposure] = {}
    found = {}
    for index, listed in sorted(parts.items()):
        key = tuple(map(id, listed))
        if key not in merged:
            one = _merged(listed)
            merged[key] = same.setdefault(one, one)
        found[index] = merged[key]
    return found


_Parts = dict[int, list[Exposure]]
_Behind = dict[tuple[str, str], tuple[Behind, ...]]


def _direct(inventory: Inventory, published: set[tuple[str, str]]) -> tuple[_Parts, _Behind]:
    """What leads in without a router, and the endpoints behind each Service that does so or is published."""
    parts: _Parts = {}
    for index, pod in enumerate(inventory.endpoints):
        if pod.host_network:
            parts.setdefault(index, []).append(Exposure(host=True))
        elif pod.host_ports:
            ports = union(Traffic.of(protocol, number, number) for protocol, number in pod.host_ports)
            parts.setdefault(index, []).append(Exposure(direct=ports, masked=ports))
    services, behind = Services(inventory), {}
    for service in inventory.snapshot.of("Service"):
        spec, key = service.body.spec, (service.namespace, service.name)
        if spec is None or spec.type == "ExternalName":
            continue
        if not (leading := leads_in(service)) and key not in published:
            continue
        found = behind[key] = tuple(services.behind(service))
        known: dict[tuple[int, bool], Exposure] = {}
        for one in found if leading else ():
            if one.unnamed:
                continue
            key_of_part = (id(one.targets), one.certain)
            if key_of_part not in known:
                known[key_of_part] = _exposure(service, one)
            parts.setdefault(one.endpoint, []).append(known[key_of_part])
    return parts, behind


def leads_in(service: Entry) -> bool:
    """Whether a Service by itself leads in from outside."""
    spec = service.body.spec
    return spec is not None and (spec.type in ("NodePort", "LoadBalancer") or bool(spec.externalIPs))


def _exposure(service: Entry, behind: Behind) -> Exposure:
    spec, ports = service.body.spec, union(one.traffic for one in behind.targets)
    if not behind.certain:
        return Exposure(masked=ports)
    masked = NONE if spec.externalTrafficPolicy == "Local" and behind.selected else ports
    if spec.loadBalancerSourceRanges and spec.type == "LoadBalancer" and not spec.externalIPs:
        return Exposure(filtered=ports, masked=masked)
    return Exposure(direct=ports, masked=masked)


def _closed(routers: Sequence[Router], parts: Mapping[int, Sequence[Exposure]], led_to: set[int]) -> frozenset[int]:
    """Routers that only the pod network leads to: they publish nothing, and no Service or router does it for them."""
    return frozenset(
        number
        for number, router in enumerate(routers)
        if router.private
        and router.pods
        and led_to.isdisjoint(router.pods)
        and all(part == Exposure(routers=part.routers) for index in router.pods for part in parts[index])
    )


def _guarded(routers: Sequence[Router], parts: Mapping[int, Sequence[Exposure]]) -> frozenset[int]:
    """Routers whose only way in is a load balancer that is told to admit some client addresses."""
    found = set()
    for number, router in enumerate(routers):
        own = [part for index in router.pods for part in parts.get(index, ())]
        if any(part.filtered for part in own) and not any(part.direct or part.host for part in own):
            found.add(number)
    return frozenset(found)


class _Door(NamedTuple):
    """What every publication of one router has in common."""

    shown: bool
    """Whether its pods are in the input."""
    nodes: frozenset[str]
    reason: str
    """Why the outside may not get to its pods; empty when it certainly does."""


def _publish(pods: Sequence[Pod], one: Publication, behind: Sequence[Behind], door: _Door, parts: _Parts) -> None:
    """Adds what one publication leads to."""
    known: dict[tuple[int, bool, bool | None], Exposure] = {}
    for found in behind:
        near = _near(door.nodes, pods[found.endpoint]) if door.shown else None
        key = (id(found.targets), found.certain, near)
        if key not in known:
            ports = chosen(found.targets, one.port, one.protocol)
            sure = one.certain and found.certain
            way = Way(one.router, door.reason if sure else "router", near, ports)
            known[key] = HIDDEN if not ports else Exposure(ways=(way,)) if door.shown else Exposure(routed=ports)
        if known[key] is not HIDDEN:
            parts.setdefault(found.endpoint, []).append(known[key])


def _near(nodes: frozenset[str], pod: Pod) -> bool | None:
    """Whether a pod's node is among some nodes."""
    if pod.host_network:
        return False
    if pod.node in nodes and pod.node:
        return True
    return None if "" in nodes or (nodes and not pod.node) else False


def _merged(parts: Sequence[Exposure]) -> Exposure:
    if len(parts) == 1:
        return parts[0]
    by_key: dict[tuple[int, str, bool | None], list[Traffic]] = {}
    for part in parts:
        for way in part.ways:
            by_key.setdefault(way.key(), []).append(way.ports)
    ways = [Way(*key, union(ports)) for key, ports in by_key.items()]
    return Exposure(
        direct=union(part.direct for part in parts),
        masked=union(part.masked for part in parts),
        routed=union(part.routed for part in parts),
        filtered=union(part.filtered for part in parts),
        host=any(part.host for part in parts),
        ways=tuple(sorted(ways, key=lambda way: (way.router, way.reason, str(way.near)))),
        routers=tuple(sorted({number for part in parts for number in part.routers})),
    )
