"""Cluster-wide policies folded into rows: admin tier, then what NetworkPolicies or the baseline tier say, then allow.

Input: a class's row of NetworkPolicy permits and the cluster-wide policies that select it. Output: its row in the end.
Decisions: regions are made once for all classes that the same policies select with the same row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
DOWN = frozenset({"pass", "none"})
"""Outcomes that leave a connection to the tiers below."""
ALLOWED = frozenset({"allow"})
OPEN = ALLOWED | DOWN
"""Outcomes other than a refusal."""
Part = tuple[Traffic, FrozenBitMap, str]
"""Traffic, peers and reason of a permit, of one part of what is asked."""


@dataclass(frozen=True, slots=True)
class Upper:
    """What the admin tier says to all classes that the same policies select alike, over addresses of one family."""

    passing: tuple[tuple[FrozenBitMap, Traffic, str], ...]
    """Peers and traffic that it leaves to the tiers below, and why that is not certain."""
    allowed: tuple[int, ...]
    """Permits of its own."""
    grants: tuple[tuple[int, int, Clause], ...]
    family: int
    number: int


class Folded(NamedTuple):
    """What one class permits in one direction after all tiers."""

    row: Row
    grants: tuple[tuple[int, int, Clause], ...]
    """(permit, policy, clause) of the cluster-wide rules that allow."""
    above: tuple[Upper, ...]
    """What the admin tier says, for each family of addresses; `AdminRows.kept` tells what each leaves of a permit."""


class AdminRows:
    """The cluster-wide policies of one cluster."""

    def __init__(self, classes: Classes, peers: Peers, permits: Permits, policies: Sequence[Policy]) -> None:
        self._classes = classes
        self._peers = peers
        self._permits = permits
        self.texts = {index: one.text for index, one in enumerate(policies) if isinstance(one.text, AdminText)}
        self._relative = {index for index, text in self.texts.items() if _relative(text)}
        self.selecting = self._selecting()
        """Class -> (policy, whether it certainly selects the class), by policy."""
        self._clauses: list[tuple[int, Clause]] = []
        self._numbers: dict[tuple[int, str, int], int] = {}
        self._matches: dict[object, Ordered] = {}
        self._uppers: dict[object, Upper] = {}
        self._above_of: dict[object, tuple[Upper, ...]] = {}
        self._left: dict[tuple[int, int], tuple[int, ...]] = {}
        self._kept: dict[tuple[int, int], tuple[int, ...]] = {}
        self._baselines: dict[object, tuple[int, ...]] = {}
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
        numbers: list[int] = []
        grants: list[tuple[int, int, Clause]] = []
        above = self._above(number, direction)
        for plane, upper in zip(self._planes, above, strict=True):
            numbers += upper.allowed
            grants += upper.grants
            for permit in self._below(lower, number, direction, plane):
                numbers += self._through(upper, permit)
        return Folded(self._permits.row(numbers), tuple(grants), above)

    def _above(self, number: int, direction: Direction) -> tuple[Upper, ...]:
        """What the admin tier says to a class, for each family of addresses."""
        classes = self._classes
        ports = classes.ports_of[number] if direction == "ingress" else None
        families = classes.families(number) if classes.dual_stack else None
        key = (direction, self.selecting[number], ports, families, self.namespace_of(number))
        found = self._above_of.get(key)
        if found is None:
            found = self._above_of[key] = tuple(self._upper(number, direction, plane) for plane in self._planes)
        return found

    def _upper(self, number: int, direction: Direction, plane: int) -> Upper:
        seen, family = self._seen(number, plane)
        key = (family, self._told("admin", number, direction, plane))
        found = self._uppers.get(key)
        if found is None:
            regions = [
                (region, peers)
                for region in self._regions("admin", number, direction, plane)
                if (peers := region.peers & seen)
            ]
            allowed = [
                (region.rules[-1], (region.traffic, peers, _doubt(region, ALLOWED)))
                for region, peers in regions
                if "allow" in region.outcomes
            ]
            found = self._uppers[key] = Upper(
                passing=tuple(
                    (peers, region.traffic, _doubt(region, OPEN))
                    for region, peers in regions
                    if not region.outcomes.isdisjoint(DOWN)
                ),
                allowed=self._joined(allowed, family),
                grants=tuple(
                    (self._permits.number(Permit(*part, family)), *self._clauses[rule]) for rule, part in allowed
                ),
                family=family,
                number=len(self._uppers),
            )
        return found

    def _through(self, upper: Upper, below: int) -> tuple[int, ...]:
        """What the admin tier leaves of one permit of the tiers below.

        What is common to a zone stays one permit: its parts join again, but never with those of another one.
        """
        key = (upper.number, below)
        found = self._left.get(key)
        if found is None:
            permit = self._permits.all[below]
            parts = (
                (0, (traffic, peers, permit.reason or reason))
                for among, ports, reason in upper.passing
                if (traffic := permit.traffic & ports) and (peers := permit.peers & among)
            )
            found = self._left[key] = self._joined(parts, upper.family)
        return found

    def kept(self, upper: Upper, permit: int) -> tuple[int, ...]:
        """What the admin tier leaves of one permit of the tiers below, part by part, each as certain as the permit."""
        key = (upper.number, permit)
        found = self._kept.get(key)
        if found is None:
            whole = self._permits.all[permit]
            found = self._kept[key] = tuple(
                self._permits.number(Permit(traffic, peers, whole.reason, whole.family))
                for among, ports, _ in upper.passing
                if (traffic := whole.traffic & ports) and (peers := whole.peers & among)
            )
        return found

    def _joined(self, parts: Iterable[tuple[int, Part]], family: int) -> tuple[int, ...]:
        """Permits of parts, those of one origin with equal traffic and reason as one."""
        collected: dict[tuple[int, Traffic, str], BitMap] = {}
        for origin, (traffic, peers, reason) in parts:
            collected.setdefault((origin, traffic, reason), BitMap()).update(peers)
        return tuple(
            self._permits.number(Permit(traffic, FrozenBitMap(peers), reason, family))
            for (_, traffic, reason), peers in collected.items()
        )

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

    def _below(self, lower: Row | None, number: int, direction: Direction, plane: int) -> Sequence[int]:
        """Permits of the tiers under the admin tier."""
        if lower is not None:
            return [one for one in lower if not plane or self._permits.all[one].family in (0, plane)]
        key = self._told("baseline", number, direction, plane)
        found = self._baselines.get(key)
        if found is None:
            found = self._baselines[key] = tuple(
                self._permits.number(Permit(region.traffic, region.peers, _doubt(region, OPEN)))
                for region in self._regions("baseline", number, direction, plane)
                if not region.outcomes.isdisjoint(OPEN)
            )
        return found

    def _chosen(self, tier: Tier, number: int) -> list[tuple[int, bool]]:
        """The policies of one tier that select a class, by priority, and whether they certainly do."""
        chosen = [(index, sure) for index, sure in self.selecting[number] if self.texts[index].tier == tier]
        return sorted(chosen, key=lambda one: self.texts[one[0]].priority)

    def _told(self, tier: Tier, number: int, direction: Direction, plane: int) -> tuple[object, ...]:
        """Equal for classes to which one tier says the same."""
        told = (self._key(index, direction, number, plane, sure=sure) for index, sure in self._chosen(tier, number))
        return (direction, plane, *told)

    def _regions(self, tier: Tier, number: int, direction: Direction, plane: int) -> list[Region]:
        groups = {
            priority: [self._policy(index, direction, number, plane, sure=sure) for index, sure in group]
            for priority, group in groupby(self._chosen(tier, number), key=lambda one: self.texts[one[0]].priority)
        }
        unplaced = groups.pop(UNPLACED, [])
        return evaluate(self._classes.everything, groups.values(), unplaced)

    def _key(self, index: int, direction: Direction, number: int, plane: int, *, sure: bool) -> tuple[object, ...]:
        """Equal for classes to which one policy says the same."""
        namespace = self._namespace(number) if index in self._relative else ""
        ports = self._classes.ports_of[number] if direction == "ingress" else ()
        return index, direction, plane, sure, namespace, ports

    def _policy(self, index: int, direction: Direction, number: int, plane: int, *, sure: bool) -> Ordered:
        """One policy for one class."""
        text = self.texts[index]
        key = self._key(index, direction, number, plane, sure=sure)
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
        if self._relative and any(index in self._relative for index, _ in self.selecting[number]):
            return self._namespace(number)
        return ""

    def _namespace(self, number: int) -> str:
        return self._classes.inventory.endpoints[self._classes.members[number][0]].namespace


def _doubt(region: Region, outcomes: frozenset[str]) -> str:
    """Why it is not certain that one of these outcomes holds; empty when it is. A permit carries one reason."""
    return "" if region.outcomes <= outcomes else min(region.reasons, default="")


def _doubted(match: Match, reason: str) -> Match:
    return Match(match.rule, match.action, match.traffic, match.peers, match.reason or reason)


def _relative(text: AdminText) -> bool:
    """Whether peers depend on the namespace of the class."""
    return any(isinstance(peer, Relation) for clause in text.clauses for peer in clause.peers)
