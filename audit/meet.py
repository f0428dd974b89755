"""Where the two sides of connections meet: groups of targets, and for each the sources that get through.

Loops run over groups of targets that share ingress row, egress coverage, zone and exposure, and over the few permits of
each; never over pairs of endpoints. Two permits meet in (their common traffic) x (sources that hold the egress permit
and are peers of the ingress permit).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from pyroaring import BitMap, FrozenBitMap

from audit.exposure.entries import Way
from audit.exposure.publications import NOBODY
from audit.permits import Row
from audit.reach import Reachability
from audit.traffic import ALL, NONE, Traffic, union

_MEMO = 200_000
"""Meetings remembered at a time; a zone design has thousands, a microsegmented cluster meets most pairs only once."""


class Meeting(msgspec.Struct, frozen=True, gc=False):
    """What one ingress permit and one egress permit let through together."""

    ingress: int
    egress: int
    traffic: Traffic
    reasons: tuple[str, ...]
    """Empty when certain."""
    sources: FrozenBitMap
    """Source classes, all of them getting the whole traffic."""
    network: int = 0
    """0, or the secondary network on which they meet."""


class TargetGroup(msgspec.Struct, frozen=True, gc=False):
    """Classes that accept the same from the same sources."""

    zone: str
    outside: bool
    row: Row
    coverage: tuple[int, ...]
    """Egress permits that reach them, ascending."""
    mark: object
    """How they are exposed."""
    members: FrozenBitMap


class Beside(NamedTuple):
    """Connections that the policies of their two ends do not decide."""

    sources: FrozenBitMap
    traffic: Traffic
    reason: str
    """Empty when certain: policies certainly let the router's pods through."""
    router: int = NOBODY
    """Index into WaysIn.routers of the router that they come through, where that is known."""

    @property
    def routed(self) -> bool:
        """Whether a known router brings them."""
        return self.router != NOBODY


class Meetings:
    """All meetings of one Reachability, target group by target group."""

    def __init__(self, reach: Reachability, atom_zones: Sequence[str], nodes: Iterable[int] = ()) -> None:
        """`atom_zones` is the zone of each atom, `nodes` are the atoms that are addresses of a zone's nodes."""
        self.reach = reach
        self.atom_zones = atom_zones
        self.node_atoms = FrozenBitMap(reach.classes.pods + atom for atom in nodes)
        """Classes that are addresses of nodes: they always lead to the pod network."""
        self._permits = reach.permits.all
        self._memo: dict[tuple[int, int], Meeting | None] = {}
        self.holders = self._holders()
        """Egress permit -> source classes whose row has it."""
        self.groups = self._groups(atom_zones)
        self._callers = self._leaving() | reach.classes.outside
        """Addresses, and pod classes that may reach one outside the pod network, as a node's or a load balancer's."""
        self._strangers = reach.classes.outside - self.node_atoms
        self.group_of = {number: index for index, group in enumerate(self.groups) for number in group.members}
        """Class -> place of its target group."""
        self._router_pods = [
            sorted({reach.classes.class_of[index] for index in router.pods}) for router in reach.ways.routers
        ]
        self._passed: dict[tuple[int, int], tuple[Traffic, Traffic]] = {}
        self._called: dict[int, tuple[FrozenBitMap, FrozenBitMap]] = {}

    def _holders(self) -> Mapping[int, FrozenBitMap]:
        reach = self.reach
        by_row: dict[Row, list[int]] = {}
        for number, row in enumerate(reach.rows["egress"]):
            by_row.setdefault(row, []).append(number)
        found: dict[int, BitMap] = {reach.to_pods: BitMap(reach.classes.outside)}
        for row, numbers in by_row.items():
            members = BitMap(numbers)
            for permit in row:
                found.setdefault(permit, BitMap()).update(members)
        return {permit: FrozenBitMap(members) for permit, members in sorted(found.items())}

    def _leaving(self) -> FrozenBitMap:
        outside = self.reach.classes.outside
        found = BitMap()
        for permit, members in self.holders.items():
            if self._permits[permit].peers.intersect(outside):
                found |= members
        return FrozenBitMap(found & self.reach.classes.all_pods)

    def _groups(self, atom_zones: Sequence[str]) -> tuple[TargetGroup, ...]:
        classes = self.reach.classes
        coverage: list[list[int]] = [[] for _ in range(classes.size)]
        for permit in self.holders:
            for number in self._permits[permit].peers:
                coverage[number].append(permit)
        from_pods = self.reach.outside_row
        found: dict[tuple[str, bool, Row, tuple[int, ...], object], list[int]] = {}
        for number in range(classes.size):
            if number < classes.pods:
                zone, row, mark = classes.zones[number], self.reach.rows["ingress"][number], classes.marks[number]
            else:
                zone, row, mark = atom_zones[number - classes.pods], from_pods, None
            key = (zone, number >= classes.pods, row, tuple(coverage[number]), mark)
            found.setdefault(key, []).append(number)
        return tuple(TargetGroup(*key, FrozenBitMap(numbers)) for key, numbers in found.items())

    def of(self, group: TargetGroup, within: FrozenBitMap | None = None) -> Iterator[Meeting]:
        """The meetings that reach a group, in a fixed order; each holds for every member alike.

        `within` leaves out egress permits that none of these sources hold.
        """
        coverage: Iterable[int] = group.coverage
        if within is not None:
            coverage = [egress for egress in coverage if self.holders[egress].intersect(within)]
        for ingress in group.row:
            for egress in coverage:
                met = self._meet(ingress, egress)
                if met is not None:
                    yield met

    def beside(self, targets: FrozenBitMap) -> tuple[Beside, ...]:
        """What comes in with an address that is not the client's, or by another network.

        `targets` are pod classes of one target group; none of it for addresses.
        """
        classes, first = self.reach.classes, targets.min()
        if first >= classes.pods:
            return ()
        exposure, row = self.reach.exposure(first), self.reach.rows["ingress"][first]
        attached = [self._permits[one] for one in row if self._permits[one].network]
        found = (
            Beside(self._callers, exposure.masked, "service-source-address"),
            # what the cluster's own pods and nodes ask of a router leaves it and meets its firewall
            Beside(self._strangers, exposure.routed, "router"),
            *(one for way in exposure.ways for one in self._through(first, way)),
            *(Beside(one.peers & classes.outside, one.traffic, one.reason) for one in attached),
        )
        return tuple(one for one in found if one.traffic and one.sources)

    def _through(self, target: int, way: Way) -> Iterator[Beside]:
        """What a router passes on to a class: from who may call its pods, and no more than they may send there."""
        number = self.group_of[target]
        for pods in self._router_pods[way.router]:
            certain, possible = self._sent(number, pods)
            if way.near is not False and self.reach.exposure(pods).host:
                certain, possible = ALL if way.near else certain, ALL
            surely, perhaps = self._clients(pods)
            known = NONE if way.reason else way.ports & certain
            yield Beside(surely, known, "", way.router)
            yield Beside(surely, (way.ports & possible) - known, way.reason or "router", way.router)
            yield Beside(perhaps - surely, way.ports & possible, way.reason or "router", way.router)

    def _sent(self, number: int, pods: int) -> tuple[Traffic, Traffic]:
        """(certain, possible) traffic from a class of router pods to a target group."""
        found = self._passed.get((number, pods))
        if found is None:
            met = [one for one in self.of(self.groups[number]) if not one.network and pods in one.sources]
            certain = union(one.traffic for one in met if not one.reasons)
            found = self._passed[number, pods] = (certain, union(one.traffic for one in met))
        return found

    def _clients(self, pods: int) -> tuple[FrozenBitMap, FrozenBitMap]:
        """(certain, possible) outside addresses that policies let into a class of router pods on some port."""
        found = self._called.get(pods)
        if found is None:
            exposure = self.reach.exposure(pods)
            row = [self._permits[one] for one in self.reach.called[pods]]
            hidden = exposure.masked or exposure.ways or exposure.routed  # the policies may see another address
            surely = [self._strangers] if exposure.host else [one.peers for one in row if not one.reason]
            perhaps = [self._strangers] if exposure.host or hidden else [one.peers for one in row]
            found = self._called[pods] = (
                FrozenBitMap.union(FrozenBitMap(), *surely) & self._strangers,
                FrozenBitMap.union(FrozenBitMap(), *perhaps) & self._strangers,
            )
        return found

    def _meet(self, ingress: int, egress: int) -> Meeting | None:
        key = (ingress, egress)
        if key in self._memo:
            return self._memo[key]
        if len(self._memo) > _MEMO:
            self._memo.clear()
        found = self._memo[key] = self._fresh(ingress, egress)
        return found

    def _fresh(self, ingress: int, egress: int) -> Meeting | None:
        inner, outer = self._permits[ingress], self._permits[egress]
        if inner.network != outer.network or (inner.family and outer.family and inner.family != outer.family):
            return None
        traffic = inner.traffic & outer.traffic
        if not traffic:
            return None
        sources = inner.peers & self.holders[egress]
        if not sources:
            return None
        reasons = tuple(sorted({inner.reason, outer.reason} - {""}))
        return Meeting(ingress, egress, traffic, reasons, sources, inner.network)


def outside_groups(meetings: Meetings) -> list[int]:
    """Atom -> number of its group: atoms of one zone that no permit tells apart; numbered by first address."""
    classes = meetings.reach.classes
    signature: list[list[int]] = [[] for _ in range(len(classes.space))]
    for number, permit in enumerate(meetings.reach.permits.all):
        for one in permit.peers & classes.outside:
            signature[one - classes.pods].append(number)
    ids: dict[object, int] = {}
    found = []
    for atom, permits in enumerate(signature):
        kind = (meetings.atom_zones[atom], classes.pods + atom in meetings.node_atoms)
        found.append(ids.setdefault((kind, tuple(permits)), len(ids)))
    return found


def alone(sources: FrozenBitMap, group: TargetGroup, weights: Sequence[int]) -> bool:
    """Whether the only connection is that of one pod to itself, which no policy decides and no output shows."""
    return len(sources) == 1 and sources == group.members and not group.outside and weights[sources.min()] == 1


def first_pair(sources: FrozenBitMap, targets: FrozenBitMap, weights: Sequence[int]) -> tuple[int, int] | None:
    """The smallest (target class, source class) that is more than one pod and itself; None if there is none."""
    target, source = targets.min(), sources.min()
    if target != source or weights[target] > 1:
        return target, source
    if len(sources) > 1:
        return target, sources[1]
    return (targets[1], source) if len(targets) > 1 else None
