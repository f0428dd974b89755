"""Where everything in a picture of reachability goes: lanes side by side, boxes below each other, arrows between them.

Boxes of a column are equally wide, so arrows run in the gutters between columns, and past a column in the gaps between
its items: no arrow crosses a box. Arrows end at the line of their target that names their ports, so that all with the
same ports meet there and no label stands beside a line. Units are pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.reach_columns import BOX, GAP, LINE, PAD, Column, Stack
from audit.reach_fold import Entry
from audit.reach_scene import Arrow, Scene

HEAD = 12.0
"""From the top of a stop to the middle of its first line, where its arrows start."""
MARGIN, TOP = 26.0, 64.0
"""Around the lanes, and above them for the heading."""
THREAD = 5.0
"""Between arrows that pass a column through the same gap."""
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow as points that curves join; `down` and `up` of the last piece are `left` and `right` elsewhere."""

    arrow: Arrow
    points: tuple[Point, ...]
    bulge: float
    """How far a curve between two stops of one column leaves it, to the right if positive; 0 for all others."""


@dataclass(slots=True)
class Layout:
    """What a renderer needs."""

    width: float = 0
    height: float = 0
    places: dict[int, Place] = field(default_factory=dict)
    """By stop; a lane that needs no frame has none."""
    slots: dict[int, list[Entry]] = field(default_factory=dict)
    """By stop what arrows bring, in the order of its lines."""
    texts: dict[int, int] = field(default_factory=dict)
    """By stop the lines of text above them."""
    order: dict[tuple[int, Entry], int] = field(default_factory=dict)
    """Every such line by its place in the picture, column by column."""
    routes: list[Route] = field(default_factory=list)


def laid_out(scene: Scene) -> Layout:
    """The places of all stops and the ways of all arrows."""
    return _Plan(scene).made()


class _Plan:
    """The picture while it is made."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stack = Stack(scene)
        self._columns = self._stack.columns
        self._lanes = self._stack.lanes
        self._flat = self._stack.flat
        self._out = Layout(slots=self._stack.slots, texts={stop: self._stack.texts(stop) for stop in self._stack.depth})
        self._column_of: dict[int, tuple[int, int]] = {}
        """Stop -> its first and last column."""

    def made(self) -> Layout:
        self._index()
        self._settle()
        self._thread()
        self._settle()
        lines = [(stop, entry) for stop, listed in self._out.slots.items() for entry in listed]
        lines.sort(key=lambda one: (self._column_of[one[0]], self._slot(*one), one))
        self._out.order = {one: number for number, one in enumerate(lines)}
        self._out.routes = [self._route(arrow) for arrow in self._scene.arrows]
        return self._out

    def _index(self) -> None:
        for number, column in enumerate(self._columns):
            column.depth = max((self._stack.depth[one] for one in column.items), default=0) + (not self._flat)
            for one in column.items:
                for inner in self._stack.inside(one):
                    self._column_of[inner] = (number, number)
        if not self._flat:
            for place, lane in enumerate(self._lanes):
                own = [number for number, column in enumerate(self._columns) if column.lane == place]
                self._column_of[lane] = (own[0], own[-1])

    # Places

    def _settle(self) -> None:
        """Place everything; gaps are as wide as the arrows in them need."""
        x = MARGIN + self._gutter(0)
        for number, column in enumerate(self._columns):
            column.x = x + column.depth * PAD
            x = column.right + self._gutter(number + 1)
        tall = [self._column_height(column) for column in self._columns]
        heads = [0.0 if self._flat else 8 + LINE * self._stack.lines(lane) for lane in self._lanes]
        lane_tall = [
            max((tall[n] for n, column in enumerate(self._columns) if column.lane == place), default=0)
            + heads[place]
            + 4
            for place in range(len(self._lanes))
        ]
        most = max(lane_tall, default=0)
        for number, column in enumerate(self._columns):
            top = TOP + (0 if self._flat else (most - lane_tall[column.lane]) / 2)
            self._fill(column, top + (0 if self._flat else heads[column.lane]))
            if not self._flat and self._column_of[self._lanes[column.lane]][0] == number:
                last = self._columns[self._column_of[self._lanes[column.lane]][1]]
                place = Place(column.left, top, last.right - column.left, lane_tall[column.lane])
                self._out.places[self._lanes[column.lane]] = place
        self._out.width = x - self._gutter(len(self._columns)) + MARGIN + self._gutter(len(self._columns))
        self._out.height = TOP + most

    def _gap(self, column: Column, number: int) -> float:
        edge = number in (0, len(column.items))
        return (PAD if edge else GAP) + THREAD * len(column.threads.get(number, ()))

    def _column_height(self, column: Column) -> float:
        return sum(map(self._stack.height, column.items)) + sum(
            self._gap(column, n) for n in range(len(column.items) + 1)
        )

    def _fill(self, column: Column, top: float) -> None:
        column.gaps = []
        for number, one in enumerate(column.items):
            gap = self._gap(column, number)
            column.gaps.append(top + gap / 2)
            top = self._put(one, column, top + gap)
        column.gaps.append(top + self._gap(column, len(column.items)) / 2)

    def _put(self, stop: int, column: Column, top: float) -> float:
        wide, height = self._stack.depth[stop] * PAD, self._stack.height(stop)
        self._out.places[stop] = Place(column.x - wide, top, BOX + 2 * wide, height)
        below = top + 12 + LINE * self._stack.lines(stop)
        for one in self._stack.children.get(stop, ()):
            below = self._put(one, column, below) + GAP
        return top + height

    def _gutter(self, number: int) -> float:
        """Width of the room before a column: more where more arrows run."""
        if not self._column_of:
            return 0.0
        inner = {(arrow.target, arrow.entry) for arrow in self._scene.arrows if number in self._gutters(arrow)}
        edge = number in (0, len(self._columns))
        most = 240.0 if self._flat else 130.0
        return (10.0 if edge else 40.0) + (min(most, 16.0 + 8.0 * len(inner)) if inner else 0.0)

    def _gutters(self, arrow: Arrow) -> Iterable[int]:
        """The gutters that an arrow runs in; the one before column n has number n."""
        way, start, end = self._way(arrow)
        if way == 0:
            return (start + 1,) if self._downward(arrow) else (start,)
        return range(start + 1, end + 1) if way > 0 else range(end + 1, start + 1)

    # Ways

    def _way(self, arrow: Arrow) -> tuple[int, int, int]:
        """1 to the right, -1 to the left, 0 within a column; and the columns it starts and ends at."""
        source, target = self._column_of[arrow.source], self._column_of[arrow.target]
        if source[1] < target[0]:
            return 1, source[1], target[0]
        if target[1] < source[0]:
            return -1, source[0], target[1]
        narrow = source if source[0] == source[1] else target
        return 0, narrow[0], narrow[0]

    def _downward(self, arrow: Arrow) -> bool:
        """Whether an arrow within a column runs on the right: downwards, and between a frame and what is in it."""
        places = self._out.places
        if arrow.source not in places or arrow.target not in places:
            return True
        return self._holds(arrow.source, arrow.target) or places[arrow.source].y <= places[arrow.target].y

    def _holds(self, one: int, other: int) -> bool:
        return other in set(self._stack.inside(one)) or one in set(self._stack.inside(other))

    def _thread(self) -> None:
        """Give every arrow that passes a column the gap nearest to its way."""
        for arrow in self._scene.arrows:
            way, start, end = self._way(arrow)
            for number in range(start + way, end, way or 1):
                here, there = self._start(arrow.source), self._end(arrow)
                wanted = here + (there - here) * (number - start) / (end - start)
                column = self._columns[number]
                gap = min(range(len(column.gaps)), key=lambda one: (abs(column.gaps[one] - wanted), one))
                listed = column.threads.setdefault(gap, [])
                if all((arrow.target, arrow.entry) not in one for one in column.threads.values()):
                    listed.append((arrow.target, arrow.entry))
        for column in self._columns:
            for listed in column.threads.values():
                listed.sort(key=lambda one: (self._slot(*one), one))

    def _start(self, stop: int) -> float:
        return self._out.places[stop].y + HEAD

    def _slot(self, stop: int, entry: Entry) -> float:
        line = self._stack.texts(stop) + self._out.slots[stop].index(entry)
        return self._out.places[stop].y + 4 + LINE * (line + 0.5)

    def _end(self, arrow: Arrow) -> float:
        return self._slot(arrow.target, arrow.entry)

    def _route(self, arrow: Arrow) -> Route:
        way, start, end = self._way(arrow)
        source, target = self._out.places[arrow.source], self._out.places[arrow.target]
        first, last = self._start(arrow.source), self._end(arrow)
        if way == 0:
            return self._beside(arrow, start)
        points: list[Point] = [(source.x + (source.width if way > 0 else 0), first)]
        for number in range(start + way, end, way):
            column = self._columns[number]
            gap, listed = next(
                (gap, listed) for gap, listed in sorted(column.threads.items()) if (arrow.target, arrow.entry) in listed
            )
            y = column.gaps[gap] + THREAD * (listed.index((arrow.target, arrow.entry)) - (len(listed) - 1) / 2)
            ends = (column.left - 4, y), (column.right + 4, y)
            points += ends if way > 0 else reversed(ends)
        points.append((target.x + (0 if way > 0 else target.width), last))
        return Route(arrow, tuple(points), 0.0)

    def _beside(self, arrow: Arrow, number: int) -> Route:
        """Down on the right of a column, up on the left; within a lane of several columns, from or to its heading."""
        source, target = self._out.places[arrow.source], self._out.places[arrow.target]
        right = self._downward(arrow)
        first, last = self._start(arrow.source), self._end(arrow)
        column = self._columns[number]
        ends = []
        for stop, place, y in ((arrow.source, source, first), (arrow.target, target, last)):
            if self._column_of[stop][0] <= number < self._column_of[stop][1]:
                ends.append((column.right + 16, place.y + 8 + LINE * self._stack.lines(stop)))
            else:
                ends.append((place.x + (place.width if right else 0), y))
        high = abs(ends[0][1] - ends[1][1])
        # a curve of this form goes three quarters of the way to its control points
        share = min(1.0, high / self._longest(number, right=right)) if high else 1.0
        reach = min(16 + 1.2 * (self._gutter(number + right) - 16) * share, 20 + high * 0.6)
        return Route(arrow, tuple(ends), reach if right else -reach)

    def _longest(self, number: int, *, right: bool) -> float:
        """The greatest height of the arrows on one side of a column."""
        return max(
            abs(self._start(one.source) - self._end(one))
            for one in self._scene.arrows
            if self._way(one)[:2] == (0, number) and self._downward(one) == right
        )
