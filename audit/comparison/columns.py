"""One snapshot as columns: what reaches each unit, from which units, how certainly.

Input: Meetings. Output: per target unit a few columns, each shared by all classes that the same sources reach alike.
Columns are numbered across both snapshots, so that equal columns have equal numbers. Loops run over target groups,
their meetings and members, never over pairs of endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from pyroaring import BitMap, FrozenBitMap

from audit.comparison.units import Units
from audit.meet import Meetings, TargetGroup
from audit.traffic import ALL, NONE, Traffic

CERTAIN, POSSIBLE, HIDDEN = 0, 1, 2
"""How far traffic gets: surely; maybe; admitted by policy, but no entry point leads there."""
Key = tuple[int, Traffic]
"""How far traffic gets, and the traffic."""
Column = Mapping[Key, FrozenBitMap]
"""Sources of all traffic: classes of one snapshot, or units."""


class Bounds(NamedTuple):
    """What one unit may do to another."""

    certain: Traffic = NONE
    possible: Traffic = NONE
    """Holds `certain`."""
    hidden: Traffic = NONE

    def plus(self, key: Key) -> Bounds:
        """The bounds after some more traffic."""
        level, traffic = key
        if level == HIDDEN:
            return Bounds(self.certain, self.possible, self.hidden | traffic)
        certain = self.certain | traffic if level == CERTAIN else self.certain
        return Bounds(certain, self.possible | traffic, self.hidden)


CLOSED = Bounds()


class Store:
    """All columns of units, numbered; equal ones get the same number."""

    def __init__(self) -> None:
        self.all: list[Column] = []
        self._numbers: dict[frozenset[tuple[Key, FrozenBitMap]], int] = {}

    def number(self, column: Column) -> int:
        """The number of a column."""
        key = frozenset(column.items())
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.all)
            self.all.append(column)
        return found


class Columns:
    """The columns of one snapshot."""

    def __init__(self, meetings: Meetings, units: Units, store: Store, routable: Traffic | None) -> None:
        """`routable` is what of the pod network the outside reaches; None when that is not known."""
        self.meetings = meetings
        self.units = units
        self.of_classes = units.of_classes(meetings)
        self.zones = units.zones(meetings, self.of_classes)
        self.counts = units.counts(meetings.reach.inventory)
        self.classes_of: list[list[int]] = [[] for _ in range(len(units))]
        """Unit -> its classes."""
        for number, found in enumerate(self.of_classes):
            for unit in found:
                self.classes_of[unit].append(number)
        self.group_of = {number: group for group in meetings.groups for number in group.members}
        self._routable = routable
        self._strangers = meetings.reach.classes.outside - meetings.node_atoms
        self._known: dict[FrozenBitMap, FrozenBitMap] = {}
        self.nearby = Nearby(self)
        self.of = self._fill(store)
        """Unit -> numbers of its columns, ascending; none where nothing reaches it."""
        self._known.clear()

    def _fill(self, store: Store) -> list[tuple[int, ...]]:
        found: list[set[int]] = [set() for _ in range(len(self.units))]
        for group in self.meetings.groups:
            shared = self._shared(group)
            known: dict[object, int] = {}
            for target in group.members:
                beside = self._beside(target)
                if beside not in known:
                    known[beside] = store.number(self._in_units(_merged(shared, beside)))
                for unit in self.of_classes[target]:
                    found[unit].add(known[beside])
        for unit, column in self.nearby.columns():
            found[unit].add(store.number(column))
        nothing = store.number({})
        return [tuple(sorted(numbers - {nothing})) for numbers in found]

    def _shared(self, group: TargetGroup) -> dict[Key, FrozenBitMap]:
        """What every member of a group gets, from classes."""
        sources: dict[Key, BitMap] = {}
        for met in self.meetings.of(group):
            level = POSSIBLE if met.reasons else CERTAIN
            callers = met.sources & self._strangers if not group.outside else FrozenBitMap()
            if inner := met.sources - callers:
                sources.setdefault((level, met.traffic), BitMap()).update(inner)
            for key in self._entering(group, level, met.traffic) if callers else ():
                sources.setdefault(key, BitMap()).update(callers)
        return {key: FrozenBitMap(found) for key, found in sources.items()}

    def _entering(self, group: TargetGroup, level: int, traffic: Traffic) -> Iterator[Key]:
        """Traffic from outside by how far it gets: policy may admit what no entry point leads to."""
        exposure = self.meetings.reach.exposure(group.members.min())
        for part, reason, way in exposure.split(traffic, self._routable):
            yield POSSIBLE if reason else level if way else HIDDEN, part

    def _beside(self, target: int) -> tuple[tuple[Key, FrozenBitMap], ...]:
        """What gets in with another address than the client's."""
        found = self.meetings.beside(FrozenBitMap([target]))
        return tuple(((POSSIBLE if one.reason else CERTAIN, one.traffic), one.sources) for one in found)

    def _in_units(self, column: Column) -> Column:
        return {key: self._converted(sources) for key, sources in column.items()}

    def _converted(self, classes: FrozenBitMap) -> FrozenBitMap:
        found = self._known.get(classes)
        if found is None:
            found = FrozenBitMap(chain.from_iterable(map(self.of_classes.__getitem__, classes)))
            self._known[classes] = found
        return found

    def between(self, source: int, target: int) -> Bounds:
        """What one unit may do to another; the connection of a pod to itself does not count."""
        total = self.nearby.between(source, target)
        for right in self.classes_of[target]:
            column = _merged(self._shared(self.group_of[right]), self._beside(right))
            for left in self.classes_of[source]:
                if left == right and source == target and self._members(left, source) == 1:
                    continue
                for key, sources in column.items():
                    total = total.plus(key) if left in sources else total
        return total

    def _members(self, number: int, unit: int) -> int:
        """Endpoints of a unit in one class."""
        inventory = self.meetings.reach.inventory
        workloads, pods = inventory.workloads, inventory.endpoints
        members = self.meetings.reach.classes.members[number]
        return sum(self.units.number[workloads[pods[index].workload].id] == unit for index in members)


class Nearby:
    """Connections of host-network pods to the pods of their node, which no policy decides."""

    def __init__(self, columns: Columns) -> None:
        inventory = columns.meetings.reach.inventory
        unit = [columns.units.number[one.id] for one in inventory.workloads]
        hosts: dict[str, BitMap] = {}
        self._nodes: dict[int, set[str]] = {}
        """Unit -> nodes of its pods that are not on the host network; empty text where not known."""
        for pod in inventory.endpoints:
            if pod.host_network:
                hosts.setdefault(pod.node, BitMap()).add(unit[pod.workload])
            else:
                self._nodes.setdefault(unit[pod.workload], set()).add(pod.node)
        self._lost = FrozenBitMap(hosts.pop("", BitMap()))
        self._hosts = {node: FrozenBitMap(found) for node, found in hosts.items()}
        self._placed = _union(self._hosts.values())

    def columns(self) -> Iterator[tuple[int, Column]]:
        """(target unit, sources) of every unit that has any."""
        for unit in sorted(self._nodes) if self._lost or self._hosts else ():
            column = {key: found for key, found in self._of(unit).items() if found}
            if column:
                yield unit, column

    def _of(self, unit: int) -> Column:
        nodes = self._nodes.get(unit, set())
        here = [self._hosts[node] for node in nodes if node in self._hosts]
        doubtful = self._lost | self._placed if "" in nodes else self._lost
        return {(CERTAIN, ALL): _union(here), (POSSIBLE, ALL): doubtful if nodes else FrozenBitMap()}

    def between(self, source: int, target: int) -> Bounds:
        """What a unit does to pods of its nodes."""
        total = CLOSED
        for key, sources in self._of(target).items():
            total = total.plus(key) if source in sources else total
        return total


def _merged(column: Column, more: Iterable[tuple[Key, FrozenBitMap]]) -> Column:
    found = dict(column)
    for key, sources in more:
        found[key] = found.get(key, FrozenBitMap()) | sources
    return found


def _union(sets: Iterable[FrozenBitMap]) -> FrozenBitMap:
    listed = list(sets)
    return FrozenBitMap.union(*listed) if listed else FrozenBitMap()
