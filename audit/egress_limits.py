"""Barriers folded into egress rows: what a namespace's egress firewalls leave of what its policies let out.

Input: rows, and the barriers of each namespace. Output: the rows in the end. Decisions: the part of a row towards pods
of the pod network is never touched; what passes a barrier is computed once for all namespaces with an equal one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableSequence

from pyroaring import BitMap, FrozenBitMap

from audit.classes import Classes
from audit.firewalls import Barrier
from audit.peers import Peers
from audit.permits import Permit, Permits, Row
from audit.policy.clause import Clause, Nodes
from audit.selectors import EVERYTHING
from audit.tiers import Match, Ordered, Region, evaluate
from audit.traffic import ALL, Traffic, union

_DNS = union(Traffic.of(protocol, 53) for protocol in ("TCP", "UDP"))
Families = frozenset[int]
"""Address families of a source class; empty where they are not known or make no difference."""


class EgressLimits:
    """The barriers of one cluster."""

    def __init__(
        self, classes: Classes, peers: Peers, permits: Permits, barriers: Mapping[str, tuple[Barrier, ...]]
    ) -> None:
        self.barriers = barriers
        self._classes = classes
        self._peers = peers
        self._permits = permits
        self._outer = classes.everything - classes.selectable_pods
        self._passing: dict[object, tuple[Permit, ...]] = {}
        self._parts: dict[object, tuple[int, ...]] = {}
        self._rows: dict[object, Row] = {}

    def apply(self, rows: MutableSequence[Row]) -> None:
        """Narrows the egress rows of every limited class in place."""
        for namespace, barriers in self.barriers.items():
            start, end = self._classes.ranges.get(namespace, (0, 0))
            keys = tuple(barrier.key for barrier in barriers)
            for number in range(start, end):
                rows[number] = self._row(rows[number], barriers, keys, number)

    def _row(self, row: Row, barriers: Iterable[Barrier], keys: tuple[object, ...], number: int) -> Row:
        families = self._classes.families(number) if self._classes.dual_stack else frozenset[int]()
        found = self._rows.get((row, keys, families))
        if found is None:
            parts: Iterable[int] = row
            for barrier in barriers:
                parts = [part for permit in parts for part in self._narrowed(permit, barrier, families)]
            found = self._rows[row, keys, families] = self._permits.row(parts)
        return found

    def _narrowed(self, number: int, barrier: Barrier, families: Families) -> tuple[int, ...]:
        """What a barrier leaves of a permit: all of it towards pods, what passes towards everything else."""
        key = (number, barrier.key, families)
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = tuple(self._split(self._permits.all[number], barrier, families))
        return found

    def _split(self, permit: Permit, barrier: Barrier, families: Families) -> Iterator[int]:
        inner = permit.peers & self._classes.selectable_pods
        if inner:
            yield self._permits.number(Permit(permit.traffic, inner, permit.reason, permit.family))
        if len(inner) == len(permit.peers):
            return
        for part in self._passes(barrier, families):
            traffic, peers = permit.traffic & part.traffic, permit.peers & part.peers
            if traffic and peers and (not permit.family or part.family in (0, permit.family)):
                family = permit.family or part.family
                yield self._permits.number(Permit(traffic, peers, permit.reason or part.reason, family))

    def _passes(self, barrier: Barrier, families: Families) -> tuple[Permit, ...]:
        """What passes a barrier, as permits without pods of the pod network among their peers."""
        key = (barrier.key, families)
        found = self._passing.get(key)
        if found is None:
            collected: dict[tuple[Traffic, str, int], BitMap] = {}
            for among, plane, family in self._planes(families):
                for region in evaluate(among, [[Ordered(self._matches(barrier, plane))]]) if among else ():
                    if (reason := _reason(region, barrier.doubts)) is not None:
                        collected.setdefault((region.traffic, reason, family), BitMap()).update(region.peers)
            found = self._passing[key] = tuple(_widened(collected))
        return found

    def _planes(self, families: Families) -> Iterator[tuple[FrozenBitMap, int, int]]:
        """(peers, family of the addresses that count for them, family of the permits), disjoint but for families.

        Nodes may have addresses of both families, and two ends talk over one that both have; where they share none,
        the peer's address counts.
        """
        if not self._classes.dual_stack:
            yield self._outer, 0, 0
            return
        yield self._classes.outside, 0, 0
        hosts = self._outer - self._classes.outside
        for plane, other in ((4, 6), (6, 4)):
            if not families or plane in families:
                yield hosts & (self._classes.having[plane] | self._classes.addressless), plane, plane
            else:
                yield hosts - self._classes.having[other] - self._classes.addressless, plane, 0

    def _matches(self, barrier: Barrier, plane: int) -> list[Match]:
        """Where the rules of a barrier match, in order; a spec that is not understood may deny anything."""
        found = [match for clause in barrier.text.clauses for match in self.clause(clause, plane)]
        if barrier.text.unknown:
            found = [Match(-1, "deny", ALL, self._outer, "unknown-field"), *found]
        if barrier.shut:
            found = [Match(-1, "deny", ALL, self._outer)]
        if barrier.own_node:
            found = [*(Match(-1, "allow", _DNS, peers, "host-network") for peers in self._nodes(plane)), *found]
        return found

    def _nodes(self, plane: int) -> Iterator[FrozenBitMap]:
        """The known addresses of nodes, and host-network pods."""
        for peers, reason, family in self._peers.of("", (Nodes(EVERYTHING),)):
            if _fits(family, plane):
                yield peers - self._classes.outside if reason else peers

    def clause(self, clause: Clause, plane: int = 0) -> list[Match]:
        """Where one rule matches, whatever the rules before it say; what certainly matches comes first."""
        if clause.unknown:
            return [Match(clause.index, one, ALL, self._outer, "unknown-field") for one in ("allow", "deny")]
        parts = [
            (within, reason)
            for peers, reason, family in self._peers.of("", clause.peers)
            if _fits(family, plane) and (within := peers & self._outer)
        ]
        return [
            Match(clause.index, clause.action, clause.ports.traffic, peers, reason)
            for peers, reason in sorted(parts, key=lambda part: bool(part[1]))
        ]


def _widened(collected: Mapping[tuple[Traffic, str, int], BitMap]) -> Iterator[Permit]:
    """Permits, doubtful ones with what certainly passes besides.

    Namespaces that certainly reach other addresses then share them, where else each would have one of its own.
    """
    for (traffic, reason, family), peers in collected.items():
        sure = [
            other
            for (more, why, plane), other in collected.items()
            if reason and not why and traffic <= more and plane in (0, family)
        ]
        yield Permit(traffic, FrozenBitMap(BitMap.union(peers, *sure)), reason, family)


def _fits(family: int, plane: int) -> bool:
    return not plane or family in (0, plane)


def _reason(region: Region, doubts: tuple[str, ...]) -> str | None:
    """Why it is not certain that a region passes; empty where it is, None where nothing passes."""
    outcomes = frozenset("allow" if one == "none" else one for one in region.outcomes)
    if outcomes == {"allow"}:
        return ""
    if "allow" not in outcomes and not doubts:
        return None
    return min(region.reasons | frozenset(doubts))
