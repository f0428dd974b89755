"""Cluster-wide policies folded into rows: admin tier, then what NetworkPolicies or the baseline tier say, then allow.

Input: a class's row of NetworkPolicy permits and the cluster-wide policies that select it. Output: its row in the end.
Decisions: regions are made once for all classes that the same policies select with the same row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from pyroaring import BitMap, FrozenBitMap

from audit.classes import Classes
from audit.peers import Peers
from audit.permits import Permit, Permits, Row
from audit.policies import Policy
from audit.policy.clause import UNPLACED, AdminText, AnyPeer, Clause, Direction, Ports, Relation, SelectedPods, Tier
from audit.tiers import Match, Ordered, Region, evaluate
from audit.traffic import ALL, Traffic

_ANY_PORT = Ports(ALL)
Key = tuple[int, Traffic, str, int]
"""Where a permit comes from; its traffic, reason and family."""


class Folded(NamedTuple):
    """What one class permits in one direction after all tiers."""

    row: Row
    grants: tuple[tuple[int, int, Clause], ...]
    """(permit, policy, clause) of the cluster-wide rules that allow."""
    passed: tuple[tuple[FrozenBitMap, Traffic], ...]
    """Peers and traffic on which the tiers below decide, alone or possibly."""


class AdminRows:
    """The cluster-wide policies of one cluster."""

    def __init__(self, classes: Classes, peers: Peers, permits: Permits, policies: Sequence[Policy]) -> None:
        self._classes = classes
        self._peers = peers
        self._permits = permits
        self.texts = {index: one.text for index, one in enumerate(policies) if isinstance(one.text, AdminText)}
        self.selecting = self._selecting()
        """Class -> (policy, whether it certainly selects the class), by policy."""
        self._clauses: list[tuple[int, Clause]] = []
        self._numbers: dict[tuple[int, str, int], int] = {}
        self._matches: dict[object, Ordered] = {}
        self._planes = (4, 6) if classes.dual_stack else (0,)
        self._having = {plane: self._with(plane) for plane in self._planes if plane}

    def _with(self, family: int) -> FrozenBitMap:
        """Classes that have an address of the family, or may have one as none is known of them."""
        classes = self._classes
        pods = (n for n in range(classes.pods) if not (known := classes.families(n)) or family in known)
        atoms = (n for n in classes.outside if classes.space.family(n - classes.pods) == family)
        return FrozenBitMap([*pods, *atoms])

    def _selecting(self) -> dict[int, tuple[tuple[int, bool], ...]]:
        found: dict[int, list[tuple[int, bool]]] = {}
        for index, text in self.texts.items():
            certain, possible = self._peers.selected(SelectedPods(text.namespaces, text.pods))
            for number in possible:
                found.setdefault(number, []).append((index, number in certain))
        return {number: tuple(listed) for number, listed in found.items()}

    def fold(self, number: int, direction: Direction, lower: Row | None) -> Folded:
        """All tiers of one class; `lower` is its NetworkPolicy row, None if no NetworkPolicy isolates it."""
        collected: dict[Key, BitMap] = {}
        grants: list[tuple[int, int, Clause]] = []
        passed: list[tuple[FrozenBitMap, Traffic]] = []
        for plane in self._planes:
            seen, family = self._seen(number, plane)
            below = self._below(lower, number, direction, plane)
            for region in self._regions("admin", number, direction, plane):
                if not {"pass", "none"}.isdisjoint(region.outcomes):
                    passed.append((region.peers & seen, region.traffic))
                for found, origin in _permits(region, below):
                    permit = Permit(found.traffic, found.peers & seen, found.reason, family)
                    if not permit.peers:
                        continue
                    # Parts of one permit join again; those of several do not: what a zone shares stays one permit.
                    key = (origin, permit.traffic, permit.reason, permit.family)
                    collected.setdefault(key, BitMap()).update(permit.peers)
                    if origin >= 0:
                        grants.append((self._permits.number(permit), *self._clauses[origin]))
        numbers = [
            self._permits.number(Permit(traffic, FrozenBitMap(peers), reason, family))
            for (_, traffic, reason, family), peers in collected.items()
        ]
        return Folded(self._permits.row(numbers), tuple(grants), tuple(passed))

    def _seen(self, number: int, plane: int) -> tuple[FrozenBitMap, int]:
        """(peers that a class talks to by addresses of a family, family of the permits).

        Two ends talk over a family that both have; where they are known to share none, that is no question of policy,
        and the peer's address counts whatever the class has.
        """
        if not plane:
            return self._classes.everything, 0
        families = self._classes.families(number)
        if not families or plane in families:
            return self._having[plane], plane
        return self._classes.everything - self._having[next(iter(families))], 0

    def _below(self, lower: Row | None, number: int, direction: Direction, plane: int) -> list[Permit]:
        """What the tiers under the admin tier let through."""
        if lower is not None:
            return [
                one for one in (self._permits.all[permit] for permit in lower) if one.family in (0, plane) or not plane
            ]
        found = []
        for region in self._regions("baseline", number, direction, plane):
            outcomes = {"allow" if one in ("none", "pass") else one for one in region.outcomes}
            if "allow" in outcomes:
                reason = "" if outcomes == {"allow"} else _reason(region)
                found.append(Permit(region.traffic, region.peers, reason))
        return found

    def _regions(self, tier: Tier, number: int, direction: Direction, plane: int) -> list[Region]:
        chosen = [(index, sure) for index, sure in self.selecting[number] if self.texts[index].tier == tier]
        chosen.sort(key=lambda one: self.texts[one[0]].priority)
        groups = {
            priority: [self._policy(index, direction, number, plane, sure=sure) for index, sure in group]
            for priority, group in groupby(chosen, key=lambda one: self.texts[one[0]].priority)
        }
        unplaced = groups.pop(UNPLACED, [])
        return evaluate(self._classes.everything, groups.values(), unplaced)

    def _policy(self, index: int, direction: Direction, number: int, plane: int, *, sure: bool) -> Ordered:
        """One policy for one class."""
        text = self.texts[index]
        namespace = self._namespace(number) if _relative(text) else ""
        ports = self._classes.ports_of[number] if direction == "ingress" else ()
        key = (index, direction, plane, sure, namespace, ports)
        found = self._matches.get(key)
        if found is None:
            matches = [
                match
                for clause in text.clauses
                if clause.direction == direction
                for match in self._clause(index, clause, number, plane)
            ]
            if text.unknown:
                matches = [*self._anything(index, direction), *(_doubted(match, "unknown-field") for match in matches)]
            found = self._matches[key] = Ordered(matches, text.doubt or ("" if sure else "namespace-labels"))
        return found

    def _anything(self, index: int, direction: Direction) -> Iterator[Match]:
        """A spec with a field that is not modelled may decide anything."""
        clause = Clause(direction, -1, (AnyPeer(),), _ANY_PORT, unknown=True)
        rule = self._rule(index, clause)
        for action in ("allow", "deny", "pass"):
            yield Match(rule, action, ALL, self._classes.everything, "unknown-field")

    def _clause(self, index: int, clause: Clause, number: int, plane: int) -> Iterator[Match]:
        rule = self._rule(index, clause)
        if clause.unknown:
            yield Match(rule, clause.action, ALL, self._classes.everything, "unknown-field")
            return
        listed = self._peers.of(self._namespace(number), clause.peers)
        parts = [(peers, why or clause.doubt) for peers, why, family in listed if family in (0, plane) or not plane]
        certain = sorted(parts, key=lambda part: bool(part[1]))
        for traffic, among in self._peers.traffic(clause, number):
            for peers, reason in certain:
                within = peers if among is None else peers & among
                if within and traffic:
                    yield Match(rule, clause.action, traffic, within, reason)
        if clause.ports.unknown:
            for peers, _ in parts:
                yield Match(rule, clause.action, clause.ports.unknown, peers, "unknown-field")

    def matches(self, index: int, clause: Clause, number: int) -> list[Match]:
        """Where one rule of a policy matches for a class, whatever the rules before it say."""
        return list(self._clause(index, clause, number, 0))

    def _rule(self, index: int, clause: Clause) -> int:
        key = (index, clause.direction, clause.index)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._clauses)
            self._clauses.append((index, clause))
        return found

    def namespace_of(self, number: int) -> str:
        """The namespace of a class if some policy that selects it has peers relative to it, else empty."""
        return self._namespace(number) if any(_relative(self.texts[i]) for i, _ in self.selecting[number]) else ""

    def _namespace(self, number: int) -> str:
        return self._classes.inventory.endpoints[self._classes.members[number][0]].namespace


def _permits(region: Region, below: Sequence[Permit]) -> Iterator[tuple[Permit, int]]:
    """(permit, origin) of one region of the admin tier: a rule, or below zero a permit of the tiers below."""
    outcomes = frozenset("pass" if one == "none" else one for one in region.outcomes)
    reason = _reason(region)
    rule = region.rules[-1] if region.rules else -1
    if outcomes == {"allow"}:
        yield Permit(region.traffic, region.peers), rule
    elif "allow" in outcomes:
        yield Permit(region.traffic, region.peers, reason), rule
    if "pass" in outcomes:
        doubtful = "deny" in outcomes
        for place, permit in enumerate(below, start=1):
            traffic, peers = permit.traffic & region.traffic, permit.peers & region.peers
            if traffic and peers:
                yield Permit(traffic, peers, permit.reason or (reason if doubtful else "")), -place


def _reason(region: Region) -> str:
    """The first reason for more than one outcome; a permit carries one."""
    return min(region.reasons, default="")


def _doubted(match: Match, reason: str) -> Match:
    return Match(match.rule, match.action, match.traffic, match.peers, match.reason or reason)


def _relative(text: AdminText) -> bool:
    """Whether peers depend on the namespace of the class."""
    return any(isinstance(peer, Relation) for clause in text.clauses for peer in clause.peers)
