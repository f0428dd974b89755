"""`explain`: one connection, every policy that decides it and why, in plain lines.

The answer is read off the same rows and grants that the cells are made of; it is a view, not a second evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pyroaring import FrozenBitMap

from audit.causes import UNENFORCED
from audit.cells import meetings_of, missed, ways_in
from audit.classes import NOTHING
from audit.entry_points import path_line
from audit.errors import UsageError
from audit.explain_leaving import leaving_lines
from audit.explain_tiers import tier_lines
from audit.exposure.entries import HIDDEN
from audit.grants import Grant
from audit.lookup import EndpointNames, asked_traffic
from audit.meet import Meetings
from audit.model import UNZONED, ZoneMatrix
from audit.networks import DEFAULT, network_name
from audit.peers import resolve
from audit.permits import UNCERTAIN
from audit.pieces import Piece, pieces
from audit.policies import Policy
from audit.policy.clause import Clause, Direction, PolicyText
from audit.profile import Plugin
from audit.snapshot import Snapshot
from audit.traffic import ALL, NONE, Traffic, address_number
from audit.way_lines import parting, through

_NO_MATCH = "does not match"
MOST_CASES = 8
"""Replicas that differ are explained one by one up to this number."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer, for a terminal."""

    lines: tuple[str, ...]
    verdict: str
    """allowed, denied, unknown, or mixed where ports or replicas differ."""


def explain(  # noqa: PLR0913, PLR0917 - the options of the command
    snapshot: Snapshot,
    source: str,
    target: str,
    port: str | None = None,
    matrix: ZoneMatrix | None = None,
    plugin: Plugin | None = None,
) -> Explanation:
    """Why `source` may or may not open connections to `target`; endpoints as in reach JSON, or addresses.

    `port` is `tcp/5432` or None for every port. UsageError for an endpoint or a port that does not exist.
    """
    asked = asked_traffic(port)
    case = _Case(meetings_of(snapshot, matrix, plugin), asked, matrix)
    ends = case.find(source), case.find(target)
    if not any(one.members for side in ends for one in side):
        raise UsageError("both ends are outside the cluster", hint="name at least one pod or workload")
    pairs = [(left, right) for left in ends[0] for right in ends[1] if not _same(left, right)]
    if not pairs:
        raise UsageError(f"`{source}` and `{target}` are the same pod, which no policy decides")
    return case.answer(source, target, pairs)


@dataclass(frozen=True, slots=True)
class _End:
    """Endpoints of one class that were asked for, or an address."""

    number: int
    """The class."""
    members: tuple[int, ...]
    """Endpoints; none for an address."""
    title: str


def _same(left: _End, right: _End) -> bool:
    return len(left.members) == 1 and left.members == right.members


class _Case:
    """One question."""

    def __init__(self, meetings: Meetings, asked: Traffic, matrix: ZoneMatrix | None) -> None:
        self._reach = meetings.reach
        self._classes = meetings.reach.classes
        self._meetings = meetings
        self._asked = asked
        self._matrix = matrix
        self._names = EndpointNames(meetings.reach.inventory)
        self._group_of = {number: group for group in meetings.groups for number in group.members}

    def outside(self, number: int) -> bool:
        """Whether a class is outside addresses."""
        return number >= self._classes.pods

    def find(self, name: str) -> list[_End]:
        """What an endpoint id or an address stands for, class by class."""
        if "/" not in name:
            try:
                return [_End(self._classes.pods + self._classes.space.atom(address_number(name)), (), name)]
            except ValueError:
                pass
        by_class: dict[int, list[int]] = {}
        for index in self._names.find(name):
            by_class.setdefault(self._classes.class_of[index], []).append(index)
        return [_End(number, tuple(found), self._title(found)) for number, found in sorted(by_class.items())]

    def _title(self, members: Sequence[int]) -> str:
        inventory = self._classes.inventory
        first = inventory.endpoint_id(inventory.endpoints[members[0]])
        return first if len(members) == 1 else f"{first} and {len(members) - 1} alike"

    def answer(self, source: str, target: str, pairs: Sequence[tuple[_End, _End]]) -> Explanation:
        """The lines for every pair of classes."""
        lines = [f"not everything was read: {text}" for text in missed(self._reach)]
        if (profile := self._reach.profile).plugin != "spec":
            lines.append(f"network plug-in: {profile}, told by {', '.join(profile.evidence)}")
        verdicts: set[str] = set()
        for left, right in pairs[:MOST_CASES]:
            if len(pairs) > 1:
                lines += [f"== {left.title} -> {right.title}"]
            piece = self._piece(left, right)
            verdicts |= {word for word, traffic in self._split(piece) if traffic}
            lines += self._lines(source, target, (left, right), piece)
        if len(pairs) > MOST_CASES:
            lines.append(f"{len(pairs) - MOST_CASES} further combinations of replicas are not shown")
        for zones in dict.fromkeys((self._zone(left.number), self._zone(right.number)) for left, right in pairs):
            lines += parting(self._meetings, self._matrix, *zones)
        return Explanation(tuple(lines), verdicts.pop() if len(verdicts) == 1 else "mixed")

    def _piece(self, source: _End, target: _End) -> Piece:
        """What policies let through, and what gets through beside them."""
        found = Piece(NOTHING, NONE, NONE, frozenset())
        for piece in pieces(self._meetings, self._group_of[target.number]):
            if source.number in piece.sources:
                found = piece
        for certain, possible, reason in self._beside(source, target):
            reasons = found.reasons | ({reason} if reason else frozenset())
            found = Piece(found.sources, found.certain | certain, found.possible | possible, reasons)
        return found

    def _beside(self, source: _End, target: _End) -> Iterator[tuple[Traffic, Traffic, str]]:
        """(certain, possible, reason): a node reaches its own pods; entry points hide the client's address."""
        if self.outside(target.number):
            return
        for beside in self._meetings.beside(FrozenBitMap([target.number])):
            if source.number in beside.sources:
                yield NONE if beside.reason else beside.traffic, beside.traffic, beside.reason
        if self._shares_node(source, target) == {True}:
            yield ALL, ALL, ""
        elif self._shares_node(source, target) != {False}:
            yield NONE, ALL, "host-network"

    def _shares_node(self, source: _End, target: _End) -> set[bool | None]:
        """Whether host-network sources run on the nodes of the targets; None where a node is not known."""
        hosts = range(self._classes.selectable, self._classes.pods)
        if source.number not in hosts or target.number >= self._classes.selectable:
            return {False}
        pods = self._classes.inventory.endpoints
        nodes = ((pods[left].node, pods[right].node) for left in source.members for right in target.members)
        return {left == right if left and right else None for left, right in nodes}

    def _split(self, piece: Piece) -> list[tuple[str, Traffic]]:
        certain, possible = piece.certain & self._asked, piece.possible & self._asked
        return [("allowed", certain), ("unknown", possible - certain), ("denied", self._asked - possible)]

    def _lines(self, source: str, target: str, pair: tuple[_End, _End], piece: Piece) -> Iterator[str]:
        left, right = pair[0].number, pair[1].number
        yield f"{source} -> {target}"
        for word, traffic in self._split(piece):
            if traffic:
                yield f"  {word}: {traffic}"
        if (piece.possible - piece.certain) & self._asked:
            for reason in sorted(piece.reasons):
                yield f"  unknown because of {reason}: {UNCERTAIN[reason]}"
        yield from self._network_lines(left, right)
        yield from self._matrix_lines(left, right, piece)
        yield f"egress of {source}"
        yield from self._side("egress", left, right)
        if pair[0].members and (out := list(leaving_lines(self._reach, left, pair[0].members, right, self._asked))):
            yield from ("leaving the cluster", *out)
        yield f"ingress of {target}"
        if self._shares_node(*pair) == {True}:
            yield "  it runs on the same node, which may always reach it"
        yield from self._side("ingress", right, left)
        yield from self._entry(left, right)
        if not piece.certain & self._asked:
            yield from self._detour(*pair)

    def _matrix_lines(self, left: int, right: int, piece: Piece) -> Iterator[str]:
        if self._matrix is None:
            return
        zones = [self._zone(left), self._zone(right)]
        expected = self._matrix.expect(*zones)
        row = f"row {expected.row.id}" if expected.row else "no row, by default"
        yield f"  matrix: {zones[0]} -> {zones[1]} allows {expected.allowed} ({row})"
        beyond = (piece.certain & self._asked) - expected.allowed
        if beyond:
            yield f"  beyond the matrix: {beyond}"

    def _network_lines(self, left: int, right: int) -> Iterator[str]:
        """On which networks two pods are, where that matters."""
        hosts = range(self._classes.selectable, self._classes.size)
        if left in hosts or right in hosts:
            return
        inventory = self._classes.inventory
        pods = [inventory.endpoints[self._classes.members[number][0]] for number in (left, right)]
        homes = [inventory.networks.home.get(pod.namespace, DEFAULT) for pod in pods]
        if any(homes):
            named = [network_name(home) for home in homes]
            meet = "the same" if homes[0] == homes[1] else "pods of different networks do not meet there"
            yield f"  networks: {named[0]} -> {named[1]}: {meet}"
        shared = {one.network for one in pods[0].attachments} & {one.network for one in pods[1].attachments}
        for network in sorted(shared):
            where = network or "networks that may lead anywhere"
            yield f"  both are attached to {where}, where no NetworkPolicy binds them"

    def _zone(self, number: int) -> str:
        return self._group_of[number].zone or UNZONED

    def _side(self, direction: Direction, number: int, peer: int) -> Iterator[str]:
        """Every policy that decides one side, rule by rule."""
        if self.outside(number):
            yield "  outside the cluster: no policy of the cluster decides this side"
            return
        if number >= self._classes.selectable:
            yield "  host network: policies do not apply; it acts with its node's address"
            return
        namespace = self._classes.inventory.endpoints[self._classes.members[number][0]].namespace
        for foreign in self._reach.foreign:
            if foreign.ref.namespace in ("", namespace):
                yield f"  {foreign.ref} may decide it, and that kind is not modelled"
        for unread in self._reach.unread:
            if unread.ref.namespace in ("", namespace):
                yield f"  some {unread.ref.kind} may decide it: that kind was not read in full"
        tiers = tier_lines(self._reach, direction, number, peer, self._asked)
        yield from tiers["admin"]
        if number not in self._reach.isolated[direction]:
            yield from self._not_isolated(number, tiers["baseline"])
            return
        for index in self._isolating(direction, number, namespace):
            own = [grant for grant in self._reach.grants[direction][number] or () if grant.policy == index]
            yield from self._policy(self._reach.policies[index], direction, own, (number, peer))
        if tiers["baseline"]:
            yield "  the baseline tier is not reached: a NetworkPolicy isolates it in this direction"

    def _not_isolated(self, number: int, baseline: Sequence[str]) -> Iterator[str]:
        """What decides where no NetworkPolicy does."""
        if self._reach.profile.enforcement == "no":
            yield f"  {UNENFORCED}"
        elif number in self._reach.admin.selecting:
            yield "  no NetworkPolicy isolates it in this direction"
            yield from baseline
            yield "  what no rule above decides is open"
        else:
            yield "  no policy isolates it in this direction: open by default"

    def _isolating(self, direction: Direction, number: int, namespace: str) -> Iterator[int]:
        labels = self._classes.inventory.endpoints[self._classes.members[number][0]].labels
        for index in self._reach.by_namespace.get(namespace, ()):
            text = self._reach.text(index)
            speaks = direction in text.isolates or any(clause.direction == direction for clause in text.clauses)
            if speaks and text.subject.matches(labels):
                yield index

    def _policy(
        self, policy: Policy, direction: Direction, grants: Sequence[Grant], ends: tuple[int, int]
    ) -> Iterator[str]:
        text = policy.text
        listed = isinstance(text, PolicyText) and direction in text.isolates
        yield f"  {policy.ref} {'isolates it' if listed else 'does not list this direction'}{_place(policy)}"
        clauses = [clause for clause in text.clauses if clause.direction == direction]
        if not any(clause.index >= 0 for clause in clauses):
            yield "    it has no rule for this direction: it admits nothing"
        for clause in clauses:
            effect = self._effect([grant for grant in grants if grant.clause is clause], ends[1])
            if clause.index < 0:
                yield f"    the network plug-in may not enforce it: {effect}"
            elif not clause.doubt or effect.startswith("may"):
                meant = self._meant(clause, ends) if effect.startswith(_NO_MATCH) else ""
                yield f"    rule {clause.index}{_doubt(clause)}: {clause}: {effect}{meant}"

    def _meant(self, clause: Clause, ends: tuple[int, int]) -> str:
        """What the port names of a rule stand for at the destination."""
        place = ends[0] if clause.direction == "ingress" else ends[1]
        there = () if self.outside(place) else self._classes.ports_of[place]
        names = [f"{protocol.lower()}/{name}" for name, protocol in clause.ports.named]
        numbers = [resolve([name], there) or "no port" for name in clause.ports.named]
        told = ", ".join(f"{name} is {number} there" for name, number in zip(names, numbers, strict=True))
        return f" ({told})" if told else ""

    def _effect(self, grants: Iterable[Grant], peer: int) -> str:
        permits = [self._reach.permits.all[grant.permit] for grant in grants]
        fitting = [permit for permit in permits if peer in permit.peers]
        if not fitting:
            return "does not match this peer"
        certain, possible = NONE, NONE
        for permit in fitting:
            possible |= permit.traffic
            certain |= NONE if permit.reason else permit.traffic
        if certain & self._asked:
            return f"admits {certain & self._asked}"
        return f"may admit {possible & self._asked}" if possible & self._asked else "does not match this port"

    def _entry(self, left: int, right: int) -> Iterator[str]:
        """How the outside gets in at all."""
        if not self.outside(left) or self.outside(right):
            return
        exposure = self._reach.exposure(right)
        setting = self._matrix.settings.pod_network if self._matrix else "unknown"
        yield "entry points"
        if exposure == HIDDEN:
            yield f"  none leads to it; `settings.pod_network` is {setting}"
        if exposure.direct:
            yield f"  a Service, host port or the host network exposes {exposure.direct}"
        if exposure.masked:
            yield f"  {UNCERTAIN['service-source-address']}"
        if exposure.routed:
            yield f"  routers publish {exposure.routed}. {UNCERTAIN['router']}"
        pod = self._classes.inventory.endpoints[self._classes.members[right][0]]
        workload = self._classes.inventory.workloads[pod.workload].ref
        for entry in ways_in(self._meetings, self._matrix):
            for backend in entry.backends:
                if (backend.workload, backend.zone) == (workload, self._classes.zones[right]):
                    yield f"  {path_line(entry, backend)}"

    def _detour(self, left: _End, right: _End) -> Iterator[str]:
        """The shortest way around, through endpoints in between."""
        from audit import graph

        found = graph.quotient(self._meetings)
        path = graph.shortest_path(found, left.number, right.number, self._asked)
        if len(path) > 2:  # noqa: PLR2004 - more than the two ends
            steps = [left.title, *(self._name(graph.first_class(found, node)) for node in path[1:-1]), right.title]
            kind = "indirect path" if found.exact else "possible indirect path (by zone)"
            yield f"{kind}: {' -> '.join(steps)}"
            for place, ((here, there), nodes) in enumerate(zip(pairwise(steps), pairwise(path), strict=True), start=1):
                ports = found.graph.edges[nodes]["certain"] & (self._asked if place == len(steps) - 1 else ALL)
                yield f"  hop {place}: {here} -> {there} on {ports}"
                if found.exact:
                    ends = (left.number, *(graph.first_class(found, node) for node in path[1:-1]), right.number)
                    yield from through(self._meetings, ends[place - 1], ends[place], ports)
            yield "  it works only if every pod in between forwards the connection, or is taken over by an attacker"

    def _name(self, number: int) -> str:
        inventory = self._classes.inventory
        pod = inventory.endpoints[self._classes.members[number][0]]
        return inventory.workloads[pod.workload].id


def _doubt(clause: Clause) -> str:
    return ", as the network plug-in may read it" if clause.doubt else ""


def _place(policy: Policy) -> str:
    origin = policy.ref.origin
    return f" ({origin.place})" if origin and origin.place else ""
