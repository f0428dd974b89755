"""What the hops of a cluster rest on: openings, and what remains when some are closed.

With openings closed, the rows of the classes that they touch are made again from the grants that remain; all other
classes keep theirs. Closing a rule leaves its policy in place, so nothing falls back to a default.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from pyroaring import BitMap, FrozenBitMap

from audit.classes import NOTHING
from audit.exposure.entries import Exposure
from audit.exposure.publications import NOBODY
from audit.grants import DEFAULT, Grant
from audit.hops import Net, Product, Side, widened
from audit.inventory import Pod
from audit.meet import Meetings
from audit.permits import Permit
from audit.policy.clause import DIRECTIONS, Direction
from audit.traffic import ALL, NONE, Traffic

MOST_LINKS = 10_000
"""Pairs of permits that meet; more of them make searches cost seconds, and the graph of zones stands in."""


class Opening(NamedTuple):
    """Something that can be closed: a rule, the lack of isolation of a namespace, the entry points of a workload."""

    kind: str
    """`rule`, `default` or `entry`."""
    direction: Direction
    number: int
    """Policy, or workload of an entry; -1 for a default."""
    rule: int = -1
    namespace: str = ""


class _Profile(NamedTuple):
    """Classes that the same grants decide in one direction."""

    grants: tuple[Grant, ...] | None
    row: tuple[int, ...]
    namespace: str
    members: FrozenBitMap


class Ground:
    """The hops of one cluster under one matrix."""

    def __init__(self, meetings: Meetings, routable: Traffic | None) -> None:
        """`routable` is what of the pod network the outside reaches without entry points; None if not known."""
        self._meetings = meetings
        self._reach = meetings.reach
        self._classes = meetings.reach.classes
        self._routable = routable
        self._permits = meetings.reach.permits.all
        self._parts: dict[tuple[Direction, int], tuple[tuple[Opening | None, int, Permit], ...]] = {}

    @cached_property
    def certain(self) -> Net | None:
        """Hops that certainly exist; None when there are too many to search."""
        return self._net(certain=True)

    @cached_property
    def possible(self) -> Net | None:
        """Hops that may exist, certain ones among them; None as above."""
        return self._net(certain=False)

    def _net(self, *, certain: bool) -> Net | None:
        """The hops from pods, then those of addresses."""
        pairs = self._pairs(certain=certain)
        if pairs is None:
            return None
        pods = self._classes.all_pods
        egress, ingress = sorted({one for one, _ in pairs}), sorted({one for _, one in pairs})
        outs = [self._side(one, self._meetings.holders[one] & pods) for one in egress]
        ins = [self._side(one, self._admitted[one]) for one in ingress]
        places = {one: place for place, one in enumerate(ingress)}
        linked: dict[int, list[int]] = {one: [] for one in egress}
        for out, inner in sorted(pairs):
            linked[out].append(places[inner])
        beside = tuple(self._beside(certain=certain))
        return widened(Net(outs, ins, [linked[one] for one in egress], beside), self._entering(certain=certain), ())

    def _pairs(self, *, certain: bool) -> set[tuple[int, int]] | None:
        """(egress, ingress) permits that meet somewhere; None above MOST_LINKS."""
        found: set[tuple[int, int]] = set()
        for group in self._meetings.groups:
            for met in self._meetings.of(group):
                if not (certain and met.reasons):
                    found.add((met.egress, met.ingress))
            if len(found) > MOST_LINKS:
                return None
        return found

    @cached_property
    def _admitted(self) -> Mapping[int, FrozenBitMap]:
        """Ingress permit -> classes whose row has it."""
        found: dict[int, BitMap] = {}
        for group in self._meetings.groups:
            for permit in group.row:
                found.setdefault(permit, BitMap()).update(group.members)
        return {permit: FrozenBitMap(members) for permit, members in found.items()}

    def _side(self, number: int, holders: FrozenBitMap) -> Side:
        permit = self._permits[number]
        return Side(permit.traffic, permit.peers, holders, permit.reason, permit.family, permit.network, number)

    def _entering(self, *, certain: bool, shut: FrozenBitMap = NOTHING) -> Iterator[Side]:
        """What outside addresses may do: use entry points, but for those of some classes."""
        nodes = self._meetings.node_atoms
        if nodes:
            yield Side(ALL, self._classes.all_pods, nodes)
        peers: dict[tuple[Traffic, str], BitMap] = {}
        for exposure, members in self._exposed.items():
            free = self._free(exposure)
            for traffic, reason, exposed in exposure.split(ALL, self._routable):
                if exposed and not (certain and reason):
                    peers.setdefault((traffic & free, reason), BitMap()).update(members)
                    peers.setdefault((traffic - free, reason), BitMap()).update(members - shut)
        for (traffic, reason), found in peers.items():
            if traffic:
                yield Side(traffic, FrozenBitMap(found), self._classes.outside - nodes, reason)

    def _free(self, exposure: Exposure) -> Traffic:
        """What the outside reaches without an entry point."""
        return NONE if exposure.host else self._routable or NONE

    @cached_property
    def _exposed(self) -> Mapping[Exposure, FrozenBitMap]:
        """Pod classes by how the outside reaches them."""
        found: dict[Exposure, BitMap] = {}
        for group in self._meetings.groups:
            if not group.outside:
                found.setdefault(self._reach.exposure(group.members.min()), BitMap()).update(group.members)
        return {exposure: FrozenBitMap(members) for exposure, members in found.items()}

    def _beside(self, *, certain: bool) -> Iterator[Product]:
        for group in self._meetings.groups:
            for one in self._meetings.beside(group.members):
                if not (certain and one.reason):
                    reasons = (one.reason,) if one.reason else ()
                    yield Product(one.sources, group.members, one.traffic, reasons, router=one.router)

    # With some openings closed

    def without(self, closed: Collection[Opening]) -> Net:
        """What certainly remains with some openings closed; only for a cluster whose certain hops can be searched."""
        shut = frozenset(closed)
        net = self.certain or Net((), (), ())
        outs, more_outs = self._again("egress", net.outs, shut)
        ins, more_ins = self._again("ingress", net.ins, shut)
        linked: list[Sequence[int]] = list(net.linked)
        entered = FrozenBitMap.union(NOTHING, *(self._entered.get(one, NOTHING) for one in shut))
        if entered:
            pods = sum(side.number >= 0 for side in outs)
            del outs[pods:], linked[pods:]
            more_outs += self._entering(certain=True, shut=entered)
        return widened(Net(outs, ins, linked, _unentered(net.beside, entered)), more_outs, more_ins)

    @cached_property
    def _entered(self) -> Mapping[Opening, BitMap]:
        """Entry points to the pod classes that they lead to."""
        found: dict[Opening, BitMap] = {}
        for exposure, members in self._exposed.items():
            for number in members if exposure.direct or exposure.ways else ():
                found.setdefault(self._entry(number), BitMap()).add(number)
        return found

    def _again(
        self, direction: Direction, sides: Iterable[Side], shut: frozenset[Opening]
    ) -> tuple[list[Side], list[Side]]:
        """(the sides without the classes that closing touches, what remains of those)."""
        touched = {id(one): one for opening in sorted(shut) for one in self._profiles[direction].get(opening, ())}
        gone = FrozenBitMap.union(NOTHING, *(one.members for one in touched.values()))
        back: dict[int, BitMap] = {}
        fresh: dict[int, BitMap] = {}
        more: list[Side] = []
        for one in touched.values():
            for number, permit in self._left(direction, one, shut):
                if number in one.row:
                    back.setdefault(number, BitMap()).update(one.members)
                elif number >= 0:
                    fresh.setdefault(number, BitMap()).update(one.members)
                else:
                    more.append(Side(permit.traffic, permit.peers, one.members, "", permit.family, permit.network))
        kept = [
            replace(side, holders=(side.holders - gone) | back.get(side.number, NOTHING))
            if side.holders.intersect(gone)
            else side
            for side in sides
        ]
        return kept, [*(self._side(number, FrozenBitMap(members)) for number, members in fresh.items()), *more]

    @cached_property
    def _profiles(self) -> Mapping[Direction, Mapping[Opening, list[_Profile]]]:
        """Opening -> the classes that it decides; host-network pods are decided by none."""
        found: dict[Direction, dict[Opening, list[_Profile]]] = {}
        for direction in DIRECTIONS:
            grants, rows = self._reach.grants[direction], self._reach.rows[direction]
            keyed: dict[tuple[str, int, tuple[int, ...]], list[int]] = {}
            for namespace, (start, end) in self._classes.ranges.items():
                for number in range(start, min(end, self._classes.selectable)):
                    keyed.setdefault((namespace, id(grants[number]), rows[number]), []).append(number)
            listed = found.setdefault(direction, {})
            for (namespace, _, row), members in keyed.items():
                profile = _Profile(grants[members[0]], row, namespace, FrozenBitMap(members))
                every = (None,) if profile.grants is None else profile.grants
                for opening in {self._opening(direction, grant, namespace) for grant in every}:
                    listed.setdefault(opening, []).append(profile)
        return found

    def _opening(self, direction: Direction, grant: Grant | None, namespace: str) -> Opening:
        if grant is None or grant.policy == DEFAULT:
            return Opening("default", direction, -1, namespace=namespace)
        return Opening("rule", direction, grant.policy, grant.clause.index)

    def _entry(self, number: int) -> Opening:
        """The entry points of a pod class."""
        return Opening("entry", "ingress", self._first(number).workload)

    def _certain_row(self, row: Sequence[int]) -> list[Permit]:
        return [permit for number in row if not (permit := self._permits[number]).reason]

    def _left(self, direction: Direction, profile: _Profile, shut: frozenset[Opening]) -> Iterator[tuple[int, Permit]]:
        """What certainly remains of the row of some classes, with its number if a grant gives it as it stands."""
        key = (direction, id(profile))
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = tuple(self._explained(direction, profile))
        yield from ((number, permit) for opening, number, permit in found if opening is None or opening not in shut)

    def _explained(self, direction: Direction, profile: _Profile) -> Iterator[tuple[Opening | None, int, Permit]]:
        """(opening, number or -1, permit) of every part of a row; what no grant explains cannot be closed."""
        row, permits = self._certain_row(profile.row), self._permits
        if profile.grants is None:
            yield from ((None, -1, permit) for permit in row if permit.network)
            return
        for grant in profile.grants:
            permit = permits[grant.permit]
            if permit.reason:
                continue
            opening = self._opening(direction, grant, profile.namespace)
            if grant.permit in profile.row or any(one.covers(permit) for one in row):
                yield opening, grant.permit, permit
            else:
                yield from ((opening, -1, part) for part in _common(permit, row))
        given = {grant.permit for grant in profile.grants}
        for number in profile.row:
            if number not in given and not permits[number].reason:
                rest = _rest(permits[number], map(permits.__getitem__, sorted(given)))
                yield from ((None, -1, part) for part in rest)

    def openings(self, source: int, target: int, closed: Collection[Opening]) -> tuple[Opening, ...] | None:
        """Openings that a certain hop may rest on, with some closed; None if there is no such hop."""
        for out in self._ways("egress", source, target, closed):
            for inner in self._ways("ingress", target, source, closed):
                if out.side.meets(inner.side):
                    return tuple(one for one in (out.opening, inner.opening) if one is not None)
        routed = target < self._classes.pods and self._entry(target) not in closed and self._routed(source, target)
        return (self._entry(target),) if routed else None

    def _routed(self, source: int, target: int) -> bool:
        """Whether a router of the input certainly brings connections of an address to a pod class."""
        beside = self._meetings.beside(FrozenBitMap([target]))
        return any(one.router != NOBODY and not one.reason and source in one.sources for one in beside)

    def _ways(self, direction: Direction, number: int, peer: int, closed: Collection[Opening]) -> Iterator[_Way]:
        if number >= self._classes.pods:
            yield from self._outer_ways(direction, number, peer, closed)
            return
        row = [one for one in self._certain_row(self._reach.rows[direction][number]) if peer in one.peers]
        if number >= self._classes.selectable:
            yield from (_way(one, None) for one in row)
            return
        namespace = self._first(number).namespace
        grants = self._reach.grants[direction][number]
        if grants is None:
            opening = self._opening(direction, None, namespace)
            for one in row:
                if one.network or opening not in closed:
                    yield _way(one, None if one.network else opening)
            return
        given = [self._permits[grant.permit] for grant in grants]
        for grant, permit in zip(grants, given, strict=True):
            opening = self._opening(direction, grant, namespace)
            if opening not in closed and peer in permit.peers:
                yield from (_way(one, opening) for one in _common(permit, row))
        for one in row:
            if one not in given:
                yield from (_way(part, None) for part in _rest(one, given) if peer in part.peers)

    def _outer_ways(self, direction: Direction, number: int, peer: int, closed: Collection[Opening]) -> Iterator[_Way]:
        if direction == "ingress" or number in self._meetings.node_atoms:
            yield _way(Permit(ALL, NOTHING), None)
            return
        exposure, opening = self._reach.exposure(peer), self._entry(peer)
        free = self._free(exposure)
        if free:
            yield _way(Permit(free, NOTHING), None)
        for traffic, reason, exposed in exposure.split(ALL, self._routable):
            if exposed and not reason and traffic - free and opening not in closed:
                yield _way(Permit(traffic - free, NOTHING), opening)

    def _first(self, number: int) -> Pod:
        return self._classes.inventory.endpoints[self._classes.members[number][0]]


def _unentered(beside: Sequence[Product], shut: FrozenBitMap) -> Sequence[Product]:
    """Hops beside policies without those that routers bring to some classes."""
    if not shut:
        return beside
    return [one if one.router == NOBODY else one._replace(targets=one.targets - shut) for one in beside]


class _Way(NamedTuple):
    """One way for one side of a hop."""

    side: Side
    opening: Opening | None
    """None when nothing can close it."""


def _way(permit: Permit, opening: Opening | None) -> _Way:
    return _Way(Side(permit.traffic, permit.peers, NOTHING, "", permit.family, permit.network), opening)


def _common(permit: Permit, row: Iterable[Permit]) -> Iterator[Permit]:
    """What a grant certainly gives: its permit as far as the row has it."""
    if permit.reason:
        return
    for one in row:
        traffic, peers = permit.traffic & one.traffic, permit.peers & one.peers
        if traffic and peers and permit.network == one.network:
            yield Permit(traffic, peers, "", permit.family or one.family, one.network)


def _rest(permit: Permit, given: Iterable[Permit]) -> list[Permit]:
    """What of a permit none of the others covers."""
    parts = [permit]
    for one in given:
        if one.reason or one.network != permit.network or one.family not in (0, permit.family):
            continue
        parts = [
            Permit(traffic, peers, "", permit.family, permit.network)
            for part in parts
            for traffic, peers in (
                (part.traffic - one.traffic, part.peers),
                (part.traffic & one.traffic, part.peers - one.peers),
            )
            if traffic and peers
        ]
    return parts
