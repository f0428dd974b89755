"""Blocks of changed connections, cut by pairs of zones, counted, sampled and traced to their causes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pyroaring import FrozenBitMap

from audit.comparison.blame import Asked, Blame
from audit.comparison.changes import KINDS, Block, Kind
from audit.comparison.columns import Columns
from audit.traffic import Traffic, union

Zones = tuple[str, str]
MOST_TRACES = 20_000
"""Connections that are traced to their causes: seconds, even where every object differs."""
EACH = 200
"""Up to so many connections of a part are traced one by one; in a larger one some stand for those that look alike."""


@dataclass(frozen=True, slots=True)
class Part:
    """The connections of one block between two zones."""

    zones: Zones
    """As they are in the snapshot in which the connections are more open."""
    block: Block


@dataclass(frozen=True, slots=True)
class Sample:
    """One changed connection."""

    part: Part
    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Traced:
    """What the causes of all parts come to."""

    pairs: Mapping[int, Mapping[Kind, int]]
    """Changed object -> pairs by kind."""
    of_zones: Mapping[Zones, Collection[int]]
    """Between two zones the changed objects that decide any connection."""
    untraced: int
    """Pairs of parts that were left out."""


def parts(blocks: Iterable[Block], old: Columns, new: Columns) -> list[Part]:
    """The blocks cut by zones, in the order of blocks and zones."""
    sides = [_by_zone(side.zones) for side in (old, new)]
    return [part for block in blocks for part in _cut(block, sides[block.rising])]


def _by_zone(zones: Sequence[str]) -> list[tuple[str, FrozenBitMap]]:
    found: dict[str, list[int]] = {}
    for unit, zone in enumerate(zones):
        found.setdefault(zone, []).append(unit)
    return [(zone, FrozenBitMap(units)) for zone, units in sorted(found.items())]


def _cut(block: Block, zones: Sequence[tuple[str, FrozenBitMap]]) -> Iterator[Part]:
    sources = [(zone, block.sources & members) for zone, members in zones]
    targets = [(zone, block.targets & members) for zone, members in zones]
    for left, froms in sources:
        for right, tos in targets:
            if froms and tos and not (block.own and left != right):
                part = replace(block, sources=froms, targets=tos)
                if part.pairs:
                    yield Part((left, right), part)


def summed(found: Iterable[Part]) -> dict[Kind, tuple[int, Traffic]]:
    """Kind -> (pairs, ports); a pair of which some ports went one way and some another counts once for each kind.

    A pair may be in several parts of one kind, as some of its ports were denied and others unexposed before.
    """
    listed = list(found)
    sums = {}
    for kind in KINDS:
        blocks = [part.block for part in listed if part.block.kind == kind]
        sums[kind] = (_pairs(blocks), union(block.traffic for block in blocks))
    return sums


def _pairs(blocks: Sequence[Block]) -> int:
    """Different pairs of units in some blocks: sources are added up for each set of targets that shares its blocks."""
    by_target: dict[int, list[int]] = {}
    for place, block in enumerate(blocks):
        for target in block.targets:
            by_target.setdefault(target, []).append(place)
    members: dict[tuple[int, ...], list[int]] = {}
    for target, places in by_target.items():
        members.setdefault(tuple(places), []).append(target)
    return sum(_different([blocks[place] for place in places], targets) for places, targets in members.items())


def _different(blocks: Sequence[Block], targets: Sequence[int]) -> int:
    """Pairs of any source of the blocks with some targets that all blocks have."""
    among = FrozenBitMap(targets)
    own = any(block.own for block in blocks)
    others = [block.sources for block in blocks if not block.own]
    sources = FrozenBitMap.union(*others) if others else FrozenBitMap()
    both = sources.intersection_cardinality(among)
    return len(sources) * len(among) - both + (len(among) if own else 0)


def samples(found: Iterable[Part], limit: int) -> list[Sample]:
    """Up to `limit` connections of each kind for every pair of zones, taken from all parts in turn; 0 takes all."""
    queues: dict[tuple[Zones, Kind], list[Part]] = {}
    for part in found:
        queues.setdefault((part.zones, part.block.kind), []).append(part)
    return [one for listed in queues.values() for one in islice(_in_turn(listed), limit or None)]


def _in_turn(listed: Iterable[Part]) -> Iterator[Sample]:
    waiting = [(part, part.block.listed()) for part in listed]
    while waiting:
        left = []
        for part, pairs in waiting:
            pair = next(pairs, None)
            if pair is not None:
                left.append((part, pairs))
                yield Sample(part, *pair)
        waiting = left


def asked(sample: Sample) -> Asked:
    """The question what decides a connection."""
    return Asked(sample.source, sample.target, sample.part.block.traffic, sample.part.block.rising)


def traced(found: Sequence[Part], blame: Blame, touching: Sequence[tuple[FrozenBitMap, FrozenBitMap]]) -> Traced:
    """The causes of all parts, largest part first.

    In a large part one connection stands for all that the same object touches on the same side.
    """
    by_unit = _inverted(touching)
    touched = FrozenBitMap(by_unit)
    caused: dict[int, dict[Kind, list[Block]]] = {}
    of_zones: dict[Zones, set[int]] = {}
    traces = untraced = 0
    for part in sorted(found, key=lambda one: (-one.block.pairs, one.block.order(), one.zones)):
        if traces > MOST_TRACES:
            untraced += part.block.pairs
            continue
        ends = (part.block.sources | part.block.targets) & touched
        trace = _Trace(part.block, blame)
        for place, blocks in trace.causes({place: touching[place] for unit in ends for place in by_unit[unit]}):
            kinds = caused.setdefault(place, {kind: [] for kind in KINDS})
            kinds[part.block.kind] += blocks
            of_zones.setdefault(part.zones, set()).add(place)
        traces += len(trace.known)
    pairs = {place: {kind: _pairs(blocks) for kind, blocks in kinds.items()} for place, kinds in caused.items()}
    return Traced(pairs, of_zones, untraced)


def _inverted(touching: Sequence[tuple[FrozenBitMap, FrozenBitMap]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for place, (sources, targets) in enumerate(touching):
        for unit in sources | targets:
            found.setdefault(unit, []).append(place)
    return found


class _Trace:
    """The causes of one block."""

    def __init__(self, block: Block, blame: Blame) -> None:
        self._block = block
        self._blame = blame
        self.known: dict[tuple[int, int], tuple[int, ...]] = {}
        """Connection -> its causes."""

    def causes(self, touching: Mapping[int, tuple[FrozenBitMap, FrozenBitMap]]) -> list[tuple[int, list[Block]]]:
        """(changed object, the connections that it decides) of those given; else whatever decides the first of all."""
        if self._block.pairs <= EACH:
            return self._each()
        found = [(place, self._caused(place, *ends)) for place, ends in sorted(touching.items())]
        decisive = [(place, blocks) for place, blocks in found if blocks]
        return decisive or [(place, [self._block]) for place in self._why(*next(self._block.listed()))]

    def _each(self) -> list[tuple[int, list[Block]]]:
        """As `causes`, every connection asked by itself."""
        found: dict[int, dict[int, list[int]]] = {}
        for source, target in self._block.listed():
            for place in self._why(source, target):
                found.setdefault(place, {}).setdefault(target, []).append(source)
        return [
            (
                place,
                [replace(self._block, sources=FrozenBitMap(of), targets=FrozenBitMap([to])) for to, of in by.items()],
            )
            for place, by in sorted(found.items())
        ]

    def _caused(self, place: int, sources: FrozenBitMap, targets: FrozenBitMap) -> list[Block]:
        """The connections that one object decides: all of the sources and of the targets that it touches."""
        block = self._block
        sources, targets = block.sources & sources, block.targets & targets
        if block.own:
            part = replace(block, sources=sources | targets, targets=sources | targets)
            return [part] if part.targets and self._decides(place, part) else []
        found = []
        if sources:
            part = replace(block, sources=sources)
            if self._decides(place, replace(part, targets=block.targets - targets or block.targets)):
                found.append(part)
        if targets:
            part = replace(block, targets=targets)
            if self._decides(place, replace(part, sources=block.sources - sources or block.sources)):
                found.append(part)
        return found

    def _decides(self, place: int, block: Block) -> bool:
        """Whether an object is a cause of the first of some connections."""
        pair = next(block.listed(), None)
        return pair is not None and place in self._why(*pair)

    def _why(self, source: int, target: int) -> tuple[int, ...]:
        key = (source, target)
        if key not in self.known:
            self.known[key] = self._blame.of(Asked(source, target, self._block.traffic, self._block.rising))
        return self.known[key]
