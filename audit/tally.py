"""Adds target groups up into zone cells.

Only what exceeds the matrix is kept for `causes`; everything else ends as unions of traffic and counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pyroaring import FrozenBitMap

from audit.causes import Causes, Excess, Flow, ordered
from audit.classes import NOTHING
from audit.exposure.entries import HIDDEN, Exposure
from audit.flows import CellFlow
from audit.meet import Meeting, Meetings, TargetGroup, alone, first_pair
from audit.model import UNZONED, ZoneMatrix
from audit.published import Publishers
from audit.traffic import NONE, Traffic

_LARGE = 64
"""Source sets above this size are shared by many groups, so their split by zone is remembered."""


class Side(NamedTuple):
    """Source classes of one zone: its pods, or its outside addresses."""

    zone: str
    outside: bool
    classes: FrozenBitMap


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
    doubtful_pairs: int = 0
    doubtful_to_outside: FrozenBitMap = NOTHING
    to_outside: FrozenBitMap = NOTHING
    """Source classes that certainly reach some outside address; they are counted once, at the end."""
    excess_to_outside: FrozenBitMap = NOTHING
    first: tuple[int, int, Traffic] | None = None
    """Smallest (target class, source class) with what flows certainly."""
    excess: list[Excess] = field(default_factory=list)


class Tally:
    """All cells of one matrix."""

    def __init__(self, meetings: Meetings, matrix: ZoneMatrix) -> None:
        self._meetings = meetings
        self._classes = meetings.reach.classes
        self._matrix = matrix
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._routable = meetings.reach.routable(matrix.settings.pod_network)
        """What of the pod network can be reached from outside; None when that is not known."""
        self.doubts: dict[str, int] = {}
        """Reason -> ordered pairs whose verdict rests on it."""
        self._sides = self._all_sides()
        self._splits: dict[FrozenBitMap, list[Side]] = {}
        for group in meetings.groups:
            self._add(group)

    def _all_sides(self) -> list[Side]:
        """Every zone's pods and addresses, in order of zone."""
        members: dict[tuple[str, bool], list[int]] = {}
        for group in self._meetings.groups:
            members.setdefault((group.zone, group.outside), []).extend(group.members)
        return [Side(*key, FrozenBitMap(found)) for key, found in sorted(members.items())]

    def _add(self, group: TargetGroup) -> None:
        flows: dict[tuple[str, bool], list[Flow]] = {}
        for met in self._meetings.of(group):
            for side in self._split(met.sources):
                if not alone(side.classes, group, self._classes.weights):
                    flows.setdefault(side[:2], []).extend(self._exposed(side, group, met))
        for beside in self._meetings.beside(group.members):
            for side in self._split(beside.sources):
                if not alone(side.classes, group, self._classes.weights):
                    reasons = (beside.reason,) if beside.reason else ()
                    flow = Flow(beside.traffic, side.classes, reasons, router=beside.router)
                    flows.setdefault(side[:2], []).append(flow)
        weight = self._classes.weight(group.members)
        for (zone, outside), listed in flows.items():
            self._sum_up(Excess(zone, outside, group, weight, tuple(listed)))

    def _split(self, sources: FrozenBitMap) -> list[Side]:
        """Sources zone by zone."""
        found = self._splits.get(sources)
        if found is None:
            found = [
                Side(side.zone, side.outside, part)
                for side in self._sides
                if side.classes.intersect(sources) and (part := side.classes & sources)
            ]
            if len(sources) > _LARGE:
                self._splits[sources] = found
        return found

    def _exposed(self, side: Side, group: TargetGroup, met: Meeting) -> Iterator[Flow]:
        """One meeting as flows; from outside only what an entry point leads to counts as exposed."""
        if not side.outside or group.outside:
            yield Flow(met.traffic, side.classes, met.reasons, network=met.network)
            return
        mark = group.mark if isinstance(group.mark, Exposure) else HIDDEN
        if nodes := side.classes & self._meetings.node_atoms:
            yield Flow(met.traffic, nodes, met.reasons)
        callers = side.classes - nodes
        for traffic, reason, exposed in mark.split(met.traffic, self._routable) if callers else ():
            reasons = tuple(sorted({*met.reasons, reason})) if reason else met.reasons
            yield Flow(traffic, callers, reasons, exposed=exposed)

    def _sum_up(self, found: Excess) -> None:
        cell = self._sums.get((found.zone, found.group.zone))
        if cell is None:
            allowed = self._matrix.expect(found.zone, found.group.zone).allowed
            cell = self._sums[found.zone, found.group.zone] = _Sum(allowed)
        certain = [flow for flow in found.flows if flow.exposed and not flow.reasons]
        for flow in found.flows:
            self._note(cell, found, flow, certain)
        self._count(cell, found, certain)
        beyond = tuple(flow for flow in found.flows if not flow.traffic <= cell.allowed)
        if beyond:
            cell.excess.append(Excess(found.zone, found.outside, found.group, found.weight, beyond))

    def _note(self, cell: _Sum, found: Excess, flow: Flow, certain: Sequence[Flow]) -> None:
        if not flow.exposed:
            cell.unexposed |= flow.traffic
            return
        cell.possible |= flow.traffic
        if flow.reasons:
            known = (one.sources for one in certain if flow.traffic <= one.traffic)
            pairs = self._pairs(found, flow.sources - FrozenBitMap.union(NOTHING, *known))
            for reason in flow.reasons:
                self.doubts[reason] = self.doubts.get(reason, 0) + pairs
        if not flow.reasons:
            cell.observed |= flow.traffic
            place = first_pair(flow.sources, found.group.members, self._classes.weights)
            if place and (cell.first is None or place < cell.first[:2]):
                cell.first = (*place, flow.traffic)

    def _count(self, cell: _Sum, found: Excess, certain: Sequence[Flow]) -> None:
        hidden = [flow for flow in found.flows if not flow.exposed]
        beyond = [flow for flow in certain if not flow.traffic <= cell.allowed]
        doubtful = [f for f in found.flows if f.exposed and f.reasons and not f.traffic <= cell.allowed]
        unsure = _sources(doubtful) - _sources(beyond)
        cell.unexposed_pairs += self._pairs(found, _sources(hidden))
        if found.group.outside:
            cell.to_outside |= _sources(certain)
            cell.excess_to_outside |= _sources(beyond)
            cell.doubtful_to_outside |= unsure
        else:
            cell.pairs += self._pairs(found, _sources(certain))
            cell.excess_pairs += self._pairs(found, _sources(beyond))
            cell.doubtful_pairs += self._pairs(found, unsure)

    def _pairs(self, found: Excess, sources: FrozenBitMap) -> int:
        """Ordered pairs of different endpoints; all outside addresses of a zone count as one."""
        if not sources:
            return 0
        if found.outside:
            return found.weight
        count = self._classes.weight(sources)
        if found.group.outside:
            return count
        return count * found.weight - self._classes.weight(sources & found.group.members)

    def cells(self) -> tuple[CellFlow, ...]:
        """Every ordered pair of zones of the matrix, and of UNZONED when it has members."""
        zones = [zone.name for zone in self._matrix.zones]
        populated = {side.zone for side in self._sides}
        if UNZONED in populated:
            zones.append(UNZONED)
        causes = Causes(self._meetings)
        publishers = Publishers(self._meetings, causes)
        return tuple(self._cell(source, target, populated, causes, publishers) for source in zones for target in zones)

    def _cell(self, source: str, target: str, populated: set[str], causes: Causes, publishers: Publishers) -> CellFlow:
        cell = self._sums.get((source, target)) or _Sum(NONE)
        found = (maker.breaches(cell.excess, cell.allowed) for maker in (causes, publishers))
        breaches = ordered(one for listed in found for one in listed)
        weight = self._classes.weight
        return CellFlow(
            source=source,
            target=target,
            observed=cell.observed,
            possible=cell.possible,
            populated=source in populated and target in populated,
            pairs=cell.pairs + weight(cell.to_outside),
            excess_pairs=cell.excess_pairs + weight(cell.excess_to_outside),
            doubtful_pairs=cell.doubtful_pairs + weight(cell.doubtful_to_outside - cell.excess_to_outside),
            unexposed=cell.unexposed,
            unexposed_pairs=cell.unexposed_pairs,
            reasons=tuple(sorted({reason for breach in breaches if breach.exposed for reason in breach.reasons})),
            breaches=breaches,
            witness=causes.witnesses.between(*cell.first) if cell.first else None,
        )


def _sources(flows: Sequence[Flow]) -> FrozenBitMap:
    if len(flows) == 1:
        return flows[0].sources
    return FrozenBitMap.union(*(flow.sources for flow in flows)) if flows else NOTHING
