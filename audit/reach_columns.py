"""What a picture of reachability is stacked of: items in columns, in an order that keeps arrows short.

A lane that would be too high goes on in another column; callers stand before those they call, and items beside what
they are joined with. Units are pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from audit.reach_fold import Entry
from audit.reach_scene import Scene

BOX, PAD, GAP, LINE = 220.0, 9.0, 11.0, 14.0
"""Width of a box, room within a frame, room between items, height of a line of text."""
RATIO = 1.5
"""Width of a picture to its height, about that of a screen."""
GUTTER = 110.0
"""Room between columns, about."""
SHORTEST = 480.0
"""A lane that is no higher is not split into columns."""
SWEEPS = 6
"""Rounds of ordering; pictures change little after a few."""


@dataclass(slots=True)
class Column:
    """Items below each other."""

    lane: int
    items: list[int]
    x: float = 0
    depth: int = 0
    """Frames around a box, the lane's own included."""
    threads: dict[int, list[tuple[int, Entry]]] = field(default_factory=dict)
    """Gap (0 is above the first item) -> targets of the arrows that pass through it."""
    gaps: list[float] = field(default_factory=list)
    """Middle of each gap."""

    @property
    def left(self) -> float:
        """Where its frames begin."""
        return self.x - self.depth * PAD

    @property
    def right(self) -> float:
        """Where its frames end."""
        return self.x + BOX + self.depth * PAD


class Stack:
    """The stops of a scene, nested, with their heights; then in columns."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.flat = all(group.members[0].kind == "Zone" and len(group.members) == 1 for group in scene.boxes)
        """Every box is a zone by itself: they stand below each other, without frames."""
        self.lanes = [scene.stop(frame) for frame in scene.lanes]
        self.slots = _slots(scene)
        """By stop what arrows bring, in the order of its lines."""
        self.children = self._tree()
        """Frame -> the items directly in it, in order."""
        self.depth = {stop: self._deep(stop) for stop in [*range(len(scene.boxes)), *self.children]}
        """Frames between a stop and the boxes deepest in it, its own included."""
        self._heights = {stop: self._high(stop) for stop in self.depth}
        self.columns: list[Column] = []
        self._split()
        if not self.flat:
            self._order()

    def _tree(self) -> dict[int, list[int]]:
        """Frame -> the items directly in it."""
        found: dict[int, list[int]] = {}
        inner: dict[int, int] = {}
        for number, frame in enumerate(self._scene.frames, start=len(self._scene.boxes)):
            found[number] = []
            if frame.kind != "lane":
                found[inner[frame.boxes[0]]].append(number)
            for box in frame.boxes:
                inner[box] = number
        for box, number in sorted(inner.items()):
            found[number].append(box)
        return found

    def _deep(self, stop: int) -> int:
        return 1 + max(map(self._deep, self.children[stop])) if stop in self.children else 0

    def texts(self, stop: int) -> int:
        """Lines of text above the slots of a stop."""
        if stop >= len(self._scene.boxes):
            return 1 + (stop in self._scene.within)
        return 2 + (len(self._scene.boxes[stop].members) > 1) + (stop in self._scene.within)

    def lines(self, stop: int) -> int:
        """Lines of a stop, apart from what is in it."""
        return self.texts(stop) + len(self.slots.get(stop, ()))

    def height(self, stop: int) -> float:
        """The height of a stop with all that is in it."""
        return self._heights[stop]

    def _high(self, stop: int) -> float:
        own = 8 + LINE * self.lines(stop)
        if stop not in self.children:
            return own
        return own + sum(self._high(one) + GAP for one in self.children[stop]) + PAD - GAP + 4

    def inside(self, stop: int) -> Iterator[int]:
        """The stop and everything in it."""
        yield stop
        for one in self.children.get(stop, ()):
            yield from self.inside(one)

    # Columns

    def _split(self) -> None:
        """Lanes into columns: a lane that is too high goes on beside itself, callers before those they call."""
        if self.flat:
            self.columns = [Column(0, [box for lane in self.lanes for box in self.children[lane]])]
            return
        total = sum(self.height(lane) for lane in self.lanes)
        limit = max(SHORTEST, math.sqrt(total * (BOX + GUTTER) / RATIO))
        for place, lane in enumerate(self.lanes):
            items = self.children[lane]
            largest = max(map(self.height, items))
            count = max(1, min(round(self.height(lane) / limit), int(self.height(lane) / largest)))
            if count > 1:
                items = sorted(items, key=lambda one: (self._pull(one), one))
            share, column, filled = self.height(lane) / count, Column(place, []), 0.0
            for one in items:
                if column.items and filled + self.height(one) / 2 > share:
                    self.columns.append(column)
                    column, filled = Column(place, []), 0.0
                column.items.append(one)
                filled += self.height(one) + GAP
            self.columns.append(column)

    def _pull(self, stop: int) -> float:
        """How much more is called than calls, among its arrows."""
        boxes = set(self.inside(stop))
        own = [(arrow.source in boxes, arrow.target in boxes) for arrow in self._scene.arrows]
        calls, called = sum(source for source, _ in own), sum(target for _, target in own)
        return (called - calls) / (called + calls) if called + calls else 0.0

    def _boxes(self, stop: int) -> Iterable[int]:
        yield stop
        for one in self.children.get(stop, ()):
            yield from self.inside(one)

    def _order(self) -> None:
        """Items beside what they are joined with, by the mean of their partners' places, a few times over."""
        partners: dict[int, list[int]] = {}
        for arrow in self._scene.arrows:
            partners.setdefault(arrow.source, []).append(arrow.target)
            partners.setdefault(arrow.target, []).append(arrow.source)
        for _ in range(SWEEPS):
            middle = self._middles()
            for stop in self.children:
                self.children[stop].sort(key=lambda one: (self._mean(one, partners, middle), one))
            for column in self.columns:
                column.items.sort(key=lambda one: (self._mean(one, partners, middle), one))

    def _middles(self) -> dict[int, float]:
        found: dict[int, float] = {}

        def settle(stop: int, top: float) -> float:
            height = self.height(stop)
            found[stop] = top + height / 2
            below = top + height - sum(self.height(one) + GAP for one in self.children.get(stop, ()))
            for one in self.children.get(stop, ()):
                below = settle(one, below) + GAP
            return top + height

        for column in self.columns:
            top = -sum(self.height(one) + GAP for one in column.items) / 2
            for one in column.items:
                top = settle(one, top) + GAP
        return found

    def _mean(self, stop: int, partners: Mapping[int, Sequence[int]], middle: Mapping[int, float]) -> float:
        places = [middle.get(other, 0.0) for one in self.inside(stop) for other in partners.get(one, ())]
        return sum(places) / len(places) if places else middle[stop]


def _slots(scene: Scene) -> dict[int, list[Entry]]:
    found: dict[int, set[Entry]] = {}
    for arrow in scene.arrows:
        found.setdefault(arrow.target, set()).add(arrow.entry)
    return {stop: sorted(entries) for stop, entries in found.items()}
