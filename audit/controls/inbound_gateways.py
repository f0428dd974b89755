"""Gateways that admit several zones, and routes whose backends are in another zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from audit.controls.inbound import Admitted, Gate, Inbound, several
from audit.controls.scene import Scene, ref
from audit.controls.sharding import mixed
from audit.exposure.gateways import GROUP, SPOKEN, gateway_routes, gateways
from audit.exposure.publications import Publication, decoded, items, text
from audit.model import ObjectRef
from audit.snapshot import Entry
from audit.traffic import ALL, NONE, Traffic

ROUTES = tuple(f"{kind}.{GROUP}" for kind in SPOKEN)
GATEWAY, GRANT = f"Gateway.{GROUP}", f"ReferenceGrant.{GROUP}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A Gateway that admits what it should not, or may."""

    gate: Gate
    listeners: tuple[str, ...]
    """Those at fault; none where namespaces may add listeners of their own."""
    zones: tuple[str, ...]
    sure: bool = True
    guests: tuple[str, ...] = ()
    """Zones whose namespaces may add listeners, where these are not those of the Gateway's zone."""


def openings(scene: Scene, found: Inbound) -> Iterator[Opening]:
    """At most one for each Gateway."""
    for gate in found.gates:
        if gate.selection is None:
            sure = _opening(scene, gate, perhaps=False)
            opening = sure if sure.zones else _opening(scene, gate, perhaps=True)
            if opening.zones:
                yield opening


def _opening(scene: Scene, gate: Gate, *, perhaps: bool) -> Opening:
    faults: dict[str, tuple[str, ...]] = {}
    for name, admitted in gate.listeners:
        if zones := _mixed(scene, gate, admitted, perhaps=perhaps):
            faults[name or "one that cannot be read"] = zones
    guests = _mixed(scene, gate, gate.invited, perhaps=perhaps)
    if gate.invited.everything and several(scene) and not perhaps:
        guests = tuple(zone.name for zone in scene.zones)
    named = {zone for zones in faults.values() for zone in zones}.union(guests)
    order = tuple(zone.name for zone in scene.zones if zone.name in named)
    return Opening(gate=gate, listeners=tuple(faults), zones=order, sure=not perhaps, guests=guests)


def _mixed(scene: Scene, gate: Gate, admitted: Admitted, *, perhaps: bool) -> tuple[str, ...]:
    taken = dict(admitted.certain) | (dict.fromkeys(admitted.possible, 1) if perhaps else {})
    return mixed(scene, gate, Admitted(taken, everything=admitted.everything))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A route with a backend in another zone, or a grant that nobody uses yet."""

    source: str
    target: str
    route: ObjectRef | None
    """None for a grant alone."""
    service: str
    """`namespace/name`; empty for a grant alone."""
    grants: tuple[ObjectRef, ...]
    excess: Traffic
    """What the matrix does not allow of it."""


def crossings(scene: Scene) -> Iterator[Crossing]:
    """Routes first, then grants; only what the matrix does not allow."""
    granted = [(entry, source) for entry in scene.of(GRANT) for source in sorted(set(_sources(entry)))]
    names = {zone.name for zone in scene.zones}
    ports = {
        (one.by, one.service): one.ports for entry in scene.facts.entry_points for one in entry.backends if one.service
    }
    used = set()
    for route, service in dict.fromkeys((one.by, one.service) for one in _published(scene)):
        source, target = scene.zone_of(route.namespace), scene.zone_of(service[0])
        if route.namespace == service[0] or source == target or target not in names:
            continue
        used.add((service[0], route.namespace))
        name = "/".join(service)
        allowed = scene.matrix.expect(source, target).allowed
        if excess := ports.get((route, name), NONE if allowed else ALL) - allowed:
            by = tuple(ref(one) for one, space in granted if (one.namespace, space) == (service[0], route.namespace))
            yield Crossing(source=source, target=target, route=route, service=name, grants=by, excess=excess)
    for entry, space in granted:
        known = space in scene.inventory.namespaces and (entry.namespace, space) not in used
        source, target = (scene.zone_of(space) if known else ""), scene.zone_of(entry.namespace)
        if known and source != target and target in names and not scene.matrix.expect(source, target).allowed:
            yield Crossing(source=source, target=target, route=None, service="", grants=(ref(entry),), excess=ALL)


def _published(scene: Scene) -> Iterator[Publication]:
    return gateway_routes(scene.inventory, gateways(scene.inventory), 0)


def _sources(entry: Entry) -> Iterator[str]:
    """Namespaces whose routes a grant lets lead to Services of its own."""
    spec = decoded(entry.body.spec)
    if any(text(one, "kind") == "Service" and text(one, "group") in ("", "core") for one in items(spec, "to")):
        for one in items(spec, "from"):
            if text(one, "group") == GROUP and text(one, "kind") in SPOKEN:
                yield text(one, "namespace")
