"""Zone cells: for every ordered pair of zones what flows, what may flow, and who lets it through beyond the matrix.

Input: Inventory, ZoneMap, ZoneMatrix. Output: an Evaluation. Decisions: cells are computed over target groups; only what
exceeds the matrix is expanded, to causes, never to pairs of pods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pyroaring import FrozenBitMap

from audit.causes import Causes, Excess
from audit.exposure.entries import HIDDEN, Exposure
from audit.facts import gather
from audit.flows import CellFlow, Facts
from audit.inventory import Inventory, Pod
from audit.meet import Meeting, Meetings, TargetGroup, alone
from audit.model import UNZONED, ZoneMatrix
from audit.reach import Reachability
from audit.traffic import ALL, NONE, Traffic
from audit.zones import ZoneMap

SHARD_LABEL = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeFacts:
    """The population that the verdicts cover."""

    endpoint_pairs: int
    """Ordered pairs of different endpoints, plus both directions between endpoints and outside ranges."""
    outside_ranges: int
    profile: str = "spec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything the engine says about a cluster and a matrix."""

    cells: tuple[CellFlow, ...]
    """Every ordered pair of zones in matrix order; UNZONED last, only when it has members."""
    facts: Facts
    scope: ScopeFacts


def evaluate(
    inventory: Inventory,
    zone_map: ZoneMap,
    matrix: ZoneMatrix,
    progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Judges nothing; says what flows. InputError for policies that no API server would hold."""
    say = progress or (lambda _: None)
    say("reading policies")
    reach = reachability(inventory, zone_map, matrix)
    say("joining both sides of connections")
    meetings = Meetings(reach, atom_zones(reach, zone_map))
    say("comparing with the matrix")
    table = _Table(meetings, matrix)
    table.fill()
    cells = table.cells()
    ranges = len(reach.classes.space)
    pods = inventory.pods
    scope = ScopeFacts(endpoint_pairs=pods * (pods - 1) + 2 * pods * ranges, outside_ranges=ranges)
    return Evaluation(cells=cells, facts=gather(reach, table.doubts), scope=scope)


def reachability(inventory: Inventory, zone_map: ZoneMap, matrix: ZoneMatrix) -> Reachability:
    """Rows and grants with every endpoint in its zone."""
    return Reachability(
        inventory,
        zone_of=_pod_zone(zone_map, matrix),
        zone_addresses=[addresses for _, addresses in zone_map.addresses],
        extra_keys=frozenset({SHARD_LABEL}),
    )


def atom_zones(reach: Reachability, zone_map: ZoneMap) -> list[str]:
    """The zone of every atom of outside addresses."""
    space = reach.classes.space
    found = [UNZONED] * len(space)
    for zone, addresses in zone_map.addresses:
        for low, high in space.ranges(addresses):
            found[low:high] = [zone] * (high - low)
    return found


def _pod_zone(zone_map: ZoneMap, matrix: ZoneMatrix) -> Callable[[Pod], str]:
    """A router pod counts as the zone that names its shard, a host-network pod as its node's, any other as its namespace's."""
    shards: dict[str, set[str]] = {}
    for zone in matrix.zones:
        for shard in zone.ingress_controllers:
            shards.setdefault(shard, set()).add(zone.name)

    def zone_of(pod: Pod) -> str:
        if shards and (claims := shards.get(pod.labels.get(SHARD_LABEL, ""))) and len(claims) == 1:
            return next(iter(claims))
        if pod.host_network and (node := zone_map.nodes.get(pod.node)) and node.zone != UNZONED:
            return node.zone
        return zone_map.namespaces[pod.namespace].zone

    return zone_of


@dataclass(slots=True)
class _Sum:
    """A cell while it is being filled."""

    allowed: Traffic
    observed: Traffic = NONE
    possible: Traffic = NONE
    unexposed: Traffic = NONE
    pairs: int = 0
    excess_pairs: int = 0
    unexposed_pairs: int = 0
    out_sources: FrozenBitMap = FrozenBitMap()
    out_excess: FrozenBitMap = FrozenBitMap()
    first: tuple[int, int, Traffic] | None = None
    """Smallest (target class, source class) with what flows certainly."""
    excess: list[Excess] = field(default_factory=list)


class _Table:
    """All cells."""

    def __init__(self, meetings: Meetings, matrix: ZoneMatrix) -> None:
        self._meetings = meetings
        self._classes = meetings.reach.classes
        self._matrix = matrix
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._routable = {"routable": ALL, "overlay": NONE}.get(matrix.settings.pod_network)
        self.doubts: dict[str, int] = {}
        """Reason -> pairs whose verdict rests on it."""
        self.sides = self._sides()
        self._parts: dict[FrozenBitMap, list[tuple[str, bool, FrozenBitMap]]] = {}

    def _sides(self) -> list[tuple[str, bool, FrozenBitMap]]:
        """(zone, outside, classes) of every zone's pods and addresses, in order of zone."""
        members: dict[tuple[str, bool], list[int]] = {}
        for group in self._meetings.groups:
            members.setdefault((group.zone, group.outside), []).extend(group.members)
        return [(zone, outside, FrozenBitMap(found)) for (zone, outside), found in sorted(members.items())]

    def fill(self) -> None:
        """Adds every target group to the cells."""
        for group in self._meetings.groups:
            weight = self._classes.weight(group.members)
            flows: dict[tuple[str, bool], list[_Flow]] = {}
            for met in self._meetings.of(group):
                for zone, outside, sources in self._split(met.sources):
                    if not alone(sources, group, self._classes.weights):
                        flows.setdefault((zone, outside), []).extend(self._exposed(group, outside, sources, met))
            if not group.outside and isinstance(group.mark, Exposure) and group.mark != HIDDEN:
                for zone, outside, sources in self.sides:
                    if outside:
                        flows.setdefault((zone, outside), []).extend(_around(group.mark, sources))
            for (zone, outside), listed in flows.items():
                self._add(zone, outside, group, weight, listed)

    def _split(self, sources: FrozenBitMap) -> list[tuple[str, bool, FrozenBitMap]]:
        """Sources zone by zone."""
        found = self._parts.get(sources)
        if found is None:
            found = [
                (zone, outside, part)
                for zone, outside, members in self.sides
                if members.intersect(sources) and (part := members & sources)
            ]
            if len(sources) > _LARGE:
                self._parts[sources] = found
        return found

    def _exposed(self, group: TargetGroup, outside: bool, sources: FrozenBitMap, met: Meeting) -> Iterator[_Flow]:
        """One meeting as flows; from outside only what an entry point leads to counts."""
        if not outside or group.outside:
            yield _Flow(met.traffic, sources, met.reasons, met)
            return
        mark = group.mark if isinstance(group.mark, Exposure) else HIDDEN
        certain = met.traffic & (mark.direct | (self._routable or NONE))
        if certain:
            yield _Flow(certain, sources, met.reasons, met)
        rest = met.traffic - certain
        if rest and self._routable is None:
            yield _Flow(rest, sources, tuple(sorted({*met.reasons, "pod-network"})), met)
        elif rest:
            yield _Flow(rest, sources, met.reasons, met, exposed=False)

    def _add(self, zone: str, outside: bool, group: TargetGroup, weight: int, flows: Sequence[_Flow]) -> None:
        cell = self._sums.get((zone, group.zone))
        if cell is None:
            allowed = self._matrix.expect(zone, group.zone).allowed
            cell = self._sums[zone, group.zone] = _Sum(allowed)
        for flow in flows:
            if not flow.exposed:
                cell.unexposed |= flow.traffic
                continue
            cell.possible |= flow.traffic
            if flow.reasons:
                for reason in flow.reasons:
                    self.doubts[reason] = self.doubts.get(reason, 0) + self._pairs(outside, flow.sources, group, weight)
            else:
                cell.observed |= flow.traffic
                place = (group.members.min(), flow.sources.min())
                if cell.first is None or place < cell.first[:2]:
                    cell.first = (*place, flow.traffic)
        self._count(cell, outside, group, weight, flows)
        beyond = [flow for flow in flows if not flow.traffic <= cell.allowed]
        if beyond:
            cell.excess.append(Excess(zone, outside, group, weight, tuple(beyond)))

    def _count(self, cell: _Sum, outside: bool, group: TargetGroup, weight: int, flows: Sequence[_Flow]) -> None:
        shown = [flow for flow in flows if flow.exposed]
        hidden = [flow for flow in flows if not flow.exposed]
        beyond = [flow for flow in shown if not flow.traffic <= cell.allowed]
        if hidden:
            cell.unexposed_pairs += self._pairs(outside, _sources(hidden), group, weight)
        if group.outside:
            cell.out_sources |= _sources(shown)
            cell.out_excess |= _sources(beyond)
        else:
            cell.pairs += self._pairs(outside, _sources(shown), group, weight)
            if beyond:
                cell.excess_pairs += self._pairs(outside, _sources(beyond), group, weight)

    def _pairs(self, outside: bool, sources: FrozenBitMap, group: TargetGroup, weight: int) -> int:
        """Ordered pairs of different endpoints; all outside addresses of a zone count as one."""
        if not sources:
            return 0
        count = 1 if outside else self._classes.weight(sources)
        if group.outside:
            return count
        return count * weight - (0 if outside else self._classes.weight(sources & group.members))

    def cells(self) -> tuple[CellFlow, ...]:
        """Every ordered pair of zones of the matrix, and of UNZONED when it has members."""
        zones = [zone.name for zone in self._matrix.zones]
        populated = {zone for zone, _, _ in self.sides}
        if UNZONED in populated:
            zones.append(UNZONED)
        causes = Causes(self._meetings)
        return tuple(self._cell(source, target, populated, causes) for source in zones for target in zones)

    def _cell(self, source: str, target: str, populated: set[str], causes: Causes) -> CellFlow:
        cell = self._sums.get((source, target)) or _Sum(NONE)
        breaches = causes.breaches(cell.excess, cell.allowed)
        return CellFlow(
            source=source,
            target=target,
            observed=cell.observed,
            possible=cell.possible,
            populated=source in populated and target in populated,
            pairs=cell.pairs + self._classes.weight(cell.out_sources),
            excess_pairs=cell.excess_pairs + self._classes.weight(cell.out_excess),
            unexposed=cell.unexposed,
            unexposed_pairs=cell.unexposed_pairs,
            reasons=tuple(sorted({reason for breach in breaches for reason in breach.reasons})),
            breaches=breaches,
            witness=causes.witness(*cell.first) if cell.first else None,
        )


_LARGE = 64
"""Source sets above this size are shared by many groups, so their split by zone is remembered."""


@dataclass(frozen=True, slots=True)
class _Flow:
    """Traffic from some sources of one zone to a target group."""

    traffic: Traffic
    sources: FrozenBitMap
    reasons: tuple[str, ...]
    met: Meeting | None
    exposed: bool = True


def _around(mark: Exposure, outside: FrozenBitMap) -> Iterator[_Flow]:
    """What may enter with an address that is not the client's, so that the policy's word on the client does not decide."""
    if mark.masked:
        yield _Flow(mark.masked, outside, ("service-source-address",), None)
    if mark.routed:
        yield _Flow(mark.routed, outside, ("router",), None)


def _sources(flows: Sequence[_Flow]) -> FrozenBitMap:
    return FrozenBitMap.union(*(flow.sources for flow in flows)) if flows else FrozenBitMap()
