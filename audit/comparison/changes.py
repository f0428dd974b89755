"""Columns of two snapshots -> blocks of changed connections: sources x targets that all changed alike.

Only units with other columns than before are looked at, and in these only sources that differ; nothing is expanded to
pairs, so that counts are exact at the price of sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pyroaring import BitMap, FrozenBitMap

from audit.comparison.columns import CLOSED, Bounds, Column, Columns, Store
from audit.traffic import ALL, Traffic

State = Literal["denied", "unexposed", "unknown", "allowed"]
STATES: tuple[State, ...] = ("denied", "unexposed", "unknown", "allowed")
"""From closed to open; `unexposed` is what policy admits from outside where no entry point leads."""
Kind = Literal["opened", "closed", "changed"]
KINDS: tuple[Kind, ...] = ("opened", "closed", "changed")
Change = tuple[State, State, Traffic]
"""(was, now, ports)"""


@dataclass(frozen=True)
class Block:
    """Connections that changed alike: every source with every target but itself, or each unit with itself alone."""

    was: State
    now: State
    traffic: Traffic
    sources: FrozenBitMap
    targets: FrozenBitMap
    own: bool = False
    """Whether these are connections between the pods of one workload, each source with itself as the target."""

    @property
    def kind(self) -> Kind:
        """What happened: opened where it was not possible and now is, closed the other way round."""
        before, after = self.was in STATES[2:], self.now in STATES[2:]
        return "changed" if before == after else "opened" if after else "closed"

    @property
    def rising(self) -> bool:
        """Whether it is more open than before."""
        return STATES.index(self.now) > STATES.index(self.was)

    @cached_property
    def pairs(self) -> int:
        """Ordered pairs of units."""
        if self.own:
            return len(self.targets)
        both = self.sources.intersection_cardinality(self.targets)
        return len(self.sources) * len(self.targets) - both

    def listed(self) -> Iterator[tuple[int, int]]:
        """(source, target), target by target."""
        for target in self.targets:
            yield from ((source, target) for source in self.sources if (source == target) == self.own)

    def order(self) -> tuple[object, ...]:
        """A place that rests on content only."""
        return self.targets.min(), self.sources.min(), self.was, self.now, self.traffic.spans, self.own


def blocks(old: Columns, new: Columns, store: Store) -> list[Block]:
    """All changed connections, in a fixed order; no pair is in two blocks with the same port."""
    found: dict[tuple[Change, FrozenBitMap], BitMap] = {}
    deltas: dict[tuple[tuple[int, ...], tuple[int, ...]], list[tuple[Change, FrozenBitMap]]] = {}
    own: dict[Change, BitMap] = {}
    for unit, numbers in enumerate(zip(old.of, new.of, strict=True)):
        same = numbers[0] == numbers[1]
        if not same:
            if numbers not in deltas:
                deltas[numbers] = list(_delta(*(_column(store, listed) for listed in numbers)))
            for key in deltas[numbers]:
                found.setdefault(key, BitMap()).add(unit)
        if unit < old.units.workloads and not (same and _plain(old, new, unit)):
            for change in _own(old, new, unit):
                own.setdefault(change, BitMap()).add(unit)
    between = [Block(*change, sources, FrozenBitMap(units)) for (change, sources), units in found.items()]
    among = [Block(*change, FrozenBitMap(units), FrozenBitMap(units), own=True) for change, units in own.items()]
    return sorted((one for one in (*between, *among) if one.pairs), key=Block.order)


def _plain(old: Columns, new: Columns, unit: int) -> bool:
    """Whether equal columns mean that the pods of the unit reach each other as before: all are alike."""
    return all(len(side.classes_of[unit]) == 1 for side in (old, new))


def _own(old: Columns, new: Columns, unit: int) -> Iterator[Change]:
    """What changed between pods of one workload; scaling to or from one pod is no change."""
    counts = old.counts[unit], new.counts[unit]
    if 1 not in counts or 0 in counts:
        yield from changes(old.between(unit, unit), new.between(unit, unit))


def _column(store: Store, numbers: Sequence[int]) -> Column:
    """Several columns as one."""
    if len(numbers) == 1:
        return store.all[numbers[0]]
    found: dict[tuple[int, Traffic], FrozenBitMap] = {}
    for number in numbers:
        for key, sources in store.all[number].items():
            found[key] = found.get(key, FrozenBitMap()) | sources
    return found


def _delta(old: Column, new: Column) -> Iterator[tuple[Change, FrozenBitMap]]:
    """What changed for a target, with the sources that it changed for."""
    nobody = FrozenBitMap()
    differing = BitMap()
    for key in {**old, **new}:
        differing |= old.get(key, nobody) ^ new.get(key, nobody)
    pieces = {(CLOSED, CLOSED): FrozenBitMap(differing)} if differing else {}
    for place, column in enumerate((old, new)):
        for key, sources in column.items():
            refined: dict[tuple[Bounds, Bounds], FrozenBitMap] = {}
            for pair, members in pieces.items():
                grown = (pair[0].plus(key), pair[1]) if place == 0 else (pair[0], pair[1].plus(key))
                for one, part in ((grown, members & sources), (pair, members - sources)):
                    if part:
                        refined[one] = refined.get(one, nobody) | part
            pieces = refined
    found: dict[Change, FrozenBitMap] = {}
    for pair, members in pieces.items():
        for change in changes(*pair):
            found[change] = found.get(change, nobody) | members
    yield from found.items()


def changes(old: Bounds, new: Bounds) -> Iterator[Change]:
    """Every port whose state is another one, by what it was and is."""
    if old == new:
        return
    before, after = _states(old), _states(new)
    for was, ports in before.items():
        for now, others in after.items():
            if was != now and (traffic := ports & others):
                yield was, now, traffic


def _states(bounds: Bounds) -> Mapping[State, Traffic]:
    certain, possible, hidden = bounds
    return {
        "denied": ALL - possible - hidden,
        "unexposed": hidden - possible,
        "unknown": possible - certain,
        "allowed": certain,
    }
