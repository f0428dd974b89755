"""The fewest openings to close so that no path is left: a search that only asks for paths.

A path needs all of its openings; a cut has to hit every path. That is hitting set, hard in general, so the search keeps
two bounds and says when they meet. From below: as many openings have to go as there are paths that share none, or as
the smallest set that hits all paths found so far. From above: a set that was seen to leave no path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
Path = tuple[T, ...]
"""The openings that one path needs, from source to target; empty when nothing can close it."""
Find = Callable[[frozenset[T], int], Sequence[Path[T]]]
"""(closed openings, most) -> up to so many paths that use none of these, no two with an opening in common."""

ROUNDS = 60
"""Further paths that are looked at to bring the bounds together."""
STEPS = 4_000
"""Choices tried for one hitting set."""


class Bounds(NamedTuple, Generic[T]):
    """What is known of the smallest cut."""

    cut: tuple[T, ...] | None
    """A set that parts, none of which can be left out, in order of the paths; None when none was found."""
    least: int
    """No smaller set parts; 0 when no set does, because a path needs no opening."""
    closed: frozenset[T] = frozenset()
    """With these closed a path without openings is found; only when no set parts."""

    @property
    def smallest(self) -> bool:
        """Whether the cut is proven to be a smallest one."""
        return self.cut is not None and len(self.cut) == self.least


def smallest(find: Find[T], most: int) -> Bounds[T]:
    """The smallest cut of up to `most` openings, or how many it takes at least.

    Closing more must never open a path, as nothing here checks that.
    """
    packed: list[Path[T]] = []
    while True:
        used = frozenset(one for path in packed for one in path)
        found = find(used, most + 1 - len(packed))
        if any(not path for path in found):
            return Bounds(None, 0, used)
        packed += found
        if not found or len(packed) > most:
            break
    if len(packed) > most:
        return Bounds(None, len(packed))
    return _closer(find, packed, _spared(find, packed), most)


def _spared(find: Find[T], packed: Sequence[Path[T]]) -> tuple[T, ...]:
    """The openings of some paths without those that can stay open; what lies near the source is spared first."""
    cut = dict.fromkeys(one for path in packed for one in path)
    for one, _ in sorted(((one, place) for path in packed for place, one in enumerate(path)), key=lambda pair: pair[1]):
        rest = frozenset(cut) - {one}
        if one in cut and not find(rest, 1):
            del cut[one]
    return tuple(cut)


def _closer(find: Find[T], paths: list[Path[T]], cut: tuple[T, ...], most: int) -> Bounds[T]:
    """The bounds after looking for a smaller cut than the one at hand."""
    least = len(paths)
    paths = list(paths)
    for _ in range(ROUNDS):
        if len(cut) == least:
            break
        limit = min(len(cut) - 1, most)
        hit = hitting(paths, least, limit)
        if hit is None:
            return _kept(cut, limit + 1, most)
        if not hit:
            break
        least = len(hit)
        more = find(frozenset(hit), most)
        if not more:
            return _kept(hit, least, most)
        paths += more
    return _kept(cut, least, most)


def _kept(cut: tuple[T, ...], least: int, most: int) -> Bounds[T]:
    return Bounds(cut if len(cut) <= most else None, least)


def hitting(paths: Sequence[Path[T]], least: int, most: int) -> tuple[T, ...] | None:
    """A smallest set of `least` to `most` that shares something with every path; None: there is none; empty: gave up.

    `least` must be a lower bound.
    """
    steps = STEPS
    for size in range(least, most + 1):
        steps, found = _hitting(paths, size, (), steps)
        if found is not None:
            return found
        if steps <= 0:
            return ()
    return None


def _hitting(
    paths: Sequence[Path[T]], size: int, chosen: tuple[T, ...], steps: int
) -> tuple[int, tuple[T, ...] | None]:
    """(steps left, a set with `chosen` and `size` more that hits all paths)."""
    if not paths:
        return steps, chosen
    if not size or steps <= 0:
        return steps, None
    for one in min(paths, key=len):
        rest = [path for path in paths if one not in path]
        steps, found = _hitting(rest, size - 1, (*chosen, one), steps - 1)
        if found is not None or steps <= 0:
            return steps, found
    return steps, None
