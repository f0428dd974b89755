"""What a picture of reachability shows, before anybody says where: boxes in frames, and arrows between them.

An arrow ends at the largest frame all of whose boxes it holds for, so that a rule for a whole zone is one arrow. A
document with more boxes or arrows than people can follow is drawn by coarser units, which the notes say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from audit.model import UNZONED
from audit.reach_filter import filtered
from audit.reach_fold import (
    INSIDE,
    OUTSIDE,
    SEVERAL,
    Entry,
    Folded,
    Group,
    Json,
    Label,
    Links,
    Unit,
    alike,
    coarser,
    unfolded,
)
from audit.reach_frames import Frame, Pairs, framed, joined, pairs_by_entry
from audit.reach_text import box_title, listed
from audit.safetext import safe_text
from audit.traffic import ALL, union

MOST_BOXES, MOST_ARROWS, MOST_FRAMED = 90, 160, 36
"""Boxes, arrows, and boxes of a frame, which is one column, that people can follow, by looking at pictures of generated
clusters; beyond, coarser units are drawn."""
MOST_REST = (48, 24, 12)
"""Units of the coarsest pictures; the least connected of the others become one."""


class Arrow(NamedTuple):
    """What every box of one stop may do to every box of another."""

    source: int
    target: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is drawn. Stops are numbered: boxes first, then frames."""

    boxes: tuple[Group, ...]
    frames: tuple[Frame, ...]
    """Lanes in order, then the frames in them, an outer one before its inner ones."""
    arrows: tuple[Arrow, ...]
    within: Mapping[int, tuple[Entry, ...]]
    """Stop -> what its members may do to each other."""
    heading: str
    counts: str
    notes: tuple[str, ...]

    @property
    def lanes(self) -> tuple[Frame, ...]:
        """The outermost frames, in order."""
        return tuple(frame for frame in self.frames if frame.kind == "lane")

    def inner(self, frame: Frame) -> list[Frame]:
        """The frames directly in a frame."""
        deeper = [one for one in self.frames if set(one.boxes) < set(frame.boxes) and one.kind != "lane"]
        return [one for one in deeper if not any(set(one.boxes) < set(other.boxes) for other in deeper)]

    def name(self, stop: int) -> str:
        """What a stop is called in full, up to a number of names."""
        if stop < len(self.boxes):
            return box_title(self.boxes[stop])
        return f"all of {listed(self.frames[stop - len(self.boxes)].names)}"

    def stop(self, frame: Frame) -> int:
        """The number of a frame among the stops."""
        return len(self.boxes) + self.frames.index(frame)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A scene before it is known whether people can follow it."""

    words: str
    groups: tuple[Group, ...]
    frames: tuple[Frame, ...]
    arrows: list[Arrow]
    within: Mapping[int, tuple[Entry, ...]]

    @property
    def clear(self) -> bool:
        inner = (frame for frame in self.frames if frame.kind != "lane")
        return len(self.arrows) <= MOST_ARROWS and all(len(frame.boxes) <= MOST_FRAMED for frame in inner)


def scene(document: Json, names: Mapping[str, str]) -> Scene:
    """The finest picture of a document that people can follow; of the coarsest one the arrows of most endpoints."""
    for draft in _drafts(document, names):
        if draft.clear:
            break
    kept = draft.arrows if len(draft.arrows) <= MOST_ARROWS else _heaviest(draft)
    notes = []
    if draft.words:
        notes.append(f"drawn by {draft.words}, as finer would be too much to follow; --from, --to and --port narrow it")
    if len(kept) < len(draft.arrows):
        notes.append(f"{len(kept)} of {len(draft.arrows)} arrows are drawn, those of most endpoints")
    notes += _explained(draft.groups, kept, draft.within)
    heading = _heading(document, len(draft.groups), len(kept), whole=len(kept) == len(draft.arrows))
    return Scene(draft.groups, draft.frames, tuple(kept), draft.within, *heading, tuple(notes))


def _drafts(document: Json, names: Mapping[str, str]) -> Iterator[_Draft]:
    """From the finest one with few enough boxes to the coarsest."""
    for found, words in _grains(unfolded(document, names)):
        groups, links = alike(found)
        if len(groups) <= MOST_BOXES:
            frames = framed(groups, links, _lanes(document))
            arrows, within = _lifted(groups, frames, links)
            used = {stop for arrow in arrows for stop in arrow[:2]} | within.keys()
            frames = tuple(
                one for stop, one in enumerate(frames, start=len(groups)) if one.kind != "part" or stop in used
            )
            yield _Draft(words, groups, frames, *_lifted(groups, frames, links))


def _explained(
    groups: Sequence[Group], arrows: Sequence[Arrow], within: Mapping[int, Sequence[Entry]]
) -> Iterator[str]:
    """How to read what this picture has."""
    merged = sum(len(group.members) > 1 for group in groups)
    if merged:
        yield f"boxes with a count stand for what all others treat alike ({merged} of {len(groups)} boxes)"
    if any(stop >= len(groups) for arrow in arrows for stop in arrow[:2]):
        yield "an arrow from or to a frame holds for everything in it"
    entries = chain((arrow.entry for arrow in arrows), *within.values())
    if any(entry.some for entry in entries):
        yield "some: not between all members, or not on all of these ports"


def _heading(document: Json, boxes: int, arrows: int, *, whole: bool) -> tuple[str, str]:
    """What the picture is of, and what was made of it."""
    ends, links, wanted = len(document["endpoints"]), len(document["connections"]), filtered(document)
    counts = f"{ends:,} endpoints, {links:,} connections, drawn as {boxes} boxes and {arrows} arrows"
    if whole:
        counts += "; what is not drawn was not asked for or is denied" if wanted else "; what no arrow shows is denied"
    return f"What can reach what {wanted}".rstrip(), counts


# Grains -------------------------------------------------------------------------------------------------------------


def _grains(whole: Folded) -> Iterator[tuple[Folded, str]]:
    """The document ever coarser, with what it is then drawn by."""
    yield whole, ""
    ranges = coarser(whole, _by_addresses, lambda units: f"{len(units)} ranges of addresses", "IPBlock")
    if len(ranges.units) < len(whole.units):
        yield ranges, "endpoint, addresses by zone"
    spaces = coarser(
        ranges, lambda unit: (unit.lane, unit.space or unit.name), lambda units: units[0].space, "Namespace"
    )
    if len(spaces.units) < len(ranges.units):
        yield spaces, "namespace"
    if not {unit.lane for unit in spaces.units} <= {INSIDE, OUTSIDE}:
        lanes = coarser(spaces, lambda unit: unit.lane, lambda units: units[0].lane, "Zone")
        yield lanes, "zone"
        spaces = lanes
    for most in MOST_REST:
        if len(spaces.units) > most:
            yield _rest(spaces, most), f"the {most} most connected, all others as one"


def _by_addresses(unit: Unit) -> object:
    return (unit.lane, "") if unit.kind == "IPBlock" else (unit.lane, unit.name)


def _rest(found: Folded, most: int) -> Folded:
    """The units with most links, all others inside and outside the cluster as one each."""
    degree = [0] * len(found.units)
    for source, target in found.links:
        degree[source] += 1
        degree[target] += 1
    ranked = sorted(range(len(found.units)), key=lambda one: (-degree[one], found.units[one].name))
    kept = {found.units[one] for one in ranked[:most]}
    return coarser(
        found,
        lambda unit: unit if unit in kept else unit.outside,
        lambda units: f"{len(units)} others",
        found.units[0].kind if found.units else "",
    )


# Frames -------------------------------------------------------------------------------------------------------------


def _lanes(document: Json) -> dict[str, str]:
    """Lane -> what its heading adds, in order: least trusted first, what has no zone last."""
    order = {safe_text(one["name"]): f"trust {one['trust']}" for one in document.get("zones", ())}
    found = {OUTSIDE: ""} | order
    for one in document["endpoints"]:
        if "zone" in one:
            found.setdefault(safe_text(one["zone"] or UNZONED), "")
    return found | {INSIDE: "", SEVERAL: ""}


# Arrows -------------------------------------------------------------------------------------------------------------


def _lifted(
    groups: Sequence[Group], frames: Sequence[Frame], links: Links
) -> tuple[list[Arrow], dict[int, tuple[Entry, ...]]]:
    """Arrows between the largest stops that they hold for, and what holds within a stop."""
    stops: list[tuple[int, ...]] = [(number,) for number in range(len(groups))] + [frame.boxes for frame in frames]
    shapes = sorted((n for n in range(len(groups), len(stops)) if len(stops[n]) > 1), key=lambda n: (-len(stops[n]), n))
    found: dict[tuple[int, int], set[Entry]] = {}
    for entry, pairs in pairs_by_entry(links).items():
        for ends in _covered(pairs, shapes, stops, groups):
            found.setdefault(ends, set()).add(entry)
    arrows: list[Arrow] = []
    within: dict[int, tuple[Entry, ...]] = {}
    for (source, target), entries in found.items():
        labels = [links[ends] for s in stops[source] for t in stops[target] if (ends := (s, t)) in links]
        plain = tuple(_plainer(entry, labels) for entry in joined(entries))
        if source == target:
            within[source] = plain
        else:
            arrows += [Arrow(source, target, entry) for entry in plain]
    return sorted(arrows), within


def _plainer(entry: Entry, labels: Sequence[Label]) -> Entry:
    """The entry with ports that other arrows show as well, where that says it in fewer words."""
    if entry.some:
        return entry
    common = ALL
    for label in labels:
        common &= union(one.ports for one in label if one._replace(spans=()) == entry._replace(spans=()))
    return entry._replace(spans=common.spans) if len(common.spans) < len(entry.spans) else entry


def _covered(
    pairs: Pairs, shapes: Sequence[int], stops: Sequence[tuple[int, ...]], groups: Sequence[Group]
) -> Iterator[tuple[int, int]]:
    """Pairs of stops that together are exactly these pairs of boxes, large ones first."""
    left = set(pairs)
    frames = sorted(((a, b) for a in shapes for b in shapes), key=lambda ab: -len(stops[ab[0]]) * len(stops[ab[1]]))
    targets, sources = sorted({b for _, b in pairs}), sorted({a for a, _ in pairs})
    for a, b in [*frames, *((a, b) for b in targets for a in shapes), *((a, b) for a in sources for b in shapes)]:
        if len(stops[a]) * len(stops[b]) > len(left) + len(stops[a]):
            continue
        needed = {(s, t) for s in stops[a] for t in stops[b] if s != t or _linked(groups[s])}
        if needed and needed <= left and all(s != t or len(groups[s].parts) == 1 for s, t in needed):
            left -= needed
            yield a, b
    yield from sorted(left)


def _linked(group: Group) -> bool:
    """Whether connections within a box are possible at all."""
    return len(group.members) > 1 or not group.members[0].lone


def _heaviest(draft: _Draft) -> list[Arrow]:
    weight = [sum(unit.size for unit in group.members) for group in draft.groups]
    weight += [sum(weight[box] for box in frame.boxes) for frame in draft.frames]
    ranked = sorted(draft.arrows, key=lambda one: (-weight[one.source] * weight[one.target], one))
    return sorted(ranked[:MOST_ARROWS])
