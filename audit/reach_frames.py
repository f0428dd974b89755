"""Frames around boxes of a lane: the lane, namespaces, and whatever else makes one arrow of many.

Frames are nested or apart, never crossing. Those besides lanes and namespaces are sets of boxes that some box treats
alike, or that treat some box alike; the ones that save most arrows are kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.reach_fold import Entry, Group, Links
from audit.traffic import Traffic, union

MOST_TRIED, DEEPEST = 300, 3
"""Candidates looked at, and frames around one box with its lane, so that headings do not outweigh boxes."""
LEAST, SMALLEST = 4, 2
"""Arrows that a frame which is no namespace has to save, and boxes that it has to have more than."""
Set = frozenset[int]
Pairs = set[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Frame:
    """Boxes under one heading."""

    names: tuple[str, ...]
    """One, or the namespaces that a part is of."""
    detail: str
    lane: int
    """Place of its lane."""
    boxes: tuple[int, ...]
    kind: str
    """lane, namespace or part."""


def framed(groups: Sequence[Group], links: Links, lanes: Mapping[str, str]) -> tuple[Frame, ...]:
    """All frames, lanes first, an outer one before its inner ones; `lanes` has them in order with their details."""
    used: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        used.setdefault(group.members[0].lane, []).append(number)
    ordered = [name for name in lanes if name in used]
    shared = _shared(groups, links)
    found = [Frame((name,), lanes[name], place, tuple(used[name]), "lane") for place, name in enumerate(ordered)]
    for place, name in enumerate(ordered):
        boxes = frozenset(used[name])
        spaces = _spaces(groups, used[name])
        saved = {one: count for one, count in shared.items() if one < boxes}
        for inner in sorted(_kept(boxes, spaces, saved), key=lambda one: (-len(one), min(one))):
            names = (spaces[inner],) if inner in spaces else _spaces_of(groups, inner) or (f"part of {name}",)
            kind = "namespace" if inner in spaces else "part"
            found.append(Frame(names, "", place, tuple(sorted(inner)), kind))
    return tuple(found)


def _spaces(groups: Sequence[Group], boxes: Iterable[int]) -> dict[Set, str]:
    """The namespaces with several boxes of their own."""
    found: dict[str, set[int]] = {}
    shared: set[str] = set()
    for number in boxes:
        own = {unit.space for unit in groups[number].members}
        if len(own) == 1:
            found.setdefault(own.pop(), set()).add(number)
        else:
            shared |= own
    return {
        frozenset(numbers): f"{space} (part)" if space in shared else space
        for space, numbers in found.items()
        if space and len(numbers) > 1
    }


def _spaces_of(groups: Sequence[Group], boxes: Iterable[int]) -> tuple[str, ...]:
    return tuple(sorted({unit.space for number in boxes for unit in groups[number].members if unit.space}))


def _kept(lane: Set, spaces: Mapping[Set, str], saved: Mapping[Set, int]) -> Iterator[Set]:
    """Sets that save most arrows and cross no other; namespaces fill what room is left."""
    kept = [lane]
    worth = {one: count for one, count in saved.items() if count >= LEAST and len(one) > SMALLEST} | {
        one: saved.get(one, 0) + 1 for one in spaces if one < lane
    }
    ranked = sorted(worth, key=lambda one: (-worth[one], -len(one), sorted(one)))
    for one in ranked[:MOST_TRIED]:
        around = sum(one < other for other in kept)
        inside = max((_depth(other, kept) for other in kept if other < one), default=0)
        if around + inside < DEEPEST and all(one <= other or other <= one or not one & other for other in kept):
            kept.append(one)
            yield one


def _depth(one: Set, kept: Iterable[Set]) -> int:
    inner = [other for other in kept if other < one]
    return 1 + max((_depth(other, inner) for other in inner), default=0)


def pairs_by_entry(links: Links) -> dict[Entry, Pairs]:
    """Entry -> the pairs of boxes that have it, in a fixed order.

    Ports are taken apart as far as pairs differ, so that what a zone may do shows beside what some may do besides.
    """
    found: dict[Entry, Pairs] = {}
    cuts = _cuts(entry for label in links.values() for entry in label)
    for ends, label in links.items():
        for entry in label:
            for span in _pieces(entry, cuts):
                found.setdefault(entry._replace(spans=(span,) if not entry.some else entry.spans), set()).add(ends)
    alike: dict[object, list[Entry]] = {}
    for entry, pairs in sorted(found.items()):
        alike.setdefault((entry._replace(spans=()), frozenset(pairs)), []).append(entry)
    return {one: found[entries[0]] for entries in alike.values() for one in joined(entries)}


def _cuts(entries: Iterable[Entry]) -> list[int]:
    return sorted(
        {edge for entry in entries if not entry.some for low, high in entry.spans for edge in (low, high + 1)}
    )


def _pieces(entry: Entry, cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The spans of an entry, cut wherever a span of another begins or ends; those of `some` stay whole."""
    for low, high in entry.spans[:1] if entry.some else entry.spans:
        edges = cuts[bisect_left(cuts, low) : bisect_right(cuts, high)] if not entry.some else [low]
        for here, there in zip(edges, [*edges[1:], high + 1], strict=True):
            yield here, there - 1


def joined(entries: Iterable[Entry]) -> list[Entry]:
    """Entries that differ in ports only as one."""
    found: dict[Entry, list[Traffic]] = {}
    for entry in entries:
        found.setdefault(entry._replace(spans=()), []).append(entry.ports)
    return sorted(one._replace(spans=union(ports).spans) for one, ports in found.items())


def _shared(groups: Sequence[Group], links: Links) -> dict[Set, int]:
    """Sets of boxes of a lane with the same entry from or to a box -> arrows saved by a frame around them."""
    found: dict[Set, int] = {}
    for pairs in pairs_by_entry(links).values():
        for one, other in ((0, 1), (1, 0)):
            sides: dict[tuple[int, str], set[int]] = {}
            for ends in pairs:
                sides.setdefault((ends[other], groups[ends[one]].members[0].lane), set()).add(ends[one])
            for (box, lane), boxes in sides.items():
                if groups[box].members[0].lane == lane:
                    boxes.add(box)  # a single pod is left out of its own frame only because it is itself
                if len(boxes) > 1:
                    found[frozenset(boxes)] = found.get(frozenset(boxes), 0) + len(boxes) - 1
    return found
