"""A reachability document folded to units that may be drawn: endpoints, then coarser ones, and those alike as one.

Units are numbered; links are what one may open to another. Folding here looks at the document and not at the quotient
of the engine, because a document also holds what policies do not decide, and only what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from audit.model import UNZONED
from audit.safetext import safe_text
from audit.traffic import ALL, NONE, Traffic, union

Json = Mapping[str, Any]
OUTSIDE, INSIDE, SEVERAL = "outside the cluster", "inside the cluster", "other zones"
"""The lanes where no matrix names zones, and that of what stands for several lanes."""


class Entry(NamedTuple):
    """One thing that a unit may do to another."""

    kind: str
    """allowed, unknown or hidden."""
    spans: tuple[tuple[int, int], ...]
    some: bool
    """Not for all members, or not on all of the ports."""
    reason: str

    @property
    def ports(self) -> Traffic:
        """Its traffic."""
        return Traffic(self.spans)


@dataclass(frozen=True, slots=True)
class Unit:
    """An endpoint of the document, or several that are drawn as one thing."""

    name: str
    lane: str
    space: str
    """Namespace; empty for addresses and zones, and where there are several."""
    kind: str
    outside: bool
    size: int = 1
    """Endpoints of the document."""
    lone: bool = False
    """A single pod, which has no connection to itself."""


Label = frozenset[Entry]
Links = Mapping[tuple[int, int], Label]


@dataclass(frozen=True, slots=True)
class Folded:
    """Units and what they may do to each other."""

    units: tuple[Unit, ...]
    links: Links


@dataclass(frozen=True, slots=True)
class Group:
    """Units with equal rows and columns, as one box."""

    parts: tuple[tuple[Unit, ...], ...]
    """What the group may do to itself holds within each part, not between them."""

    @property
    def members(self) -> tuple[Unit, ...]:
        """The units of all parts."""
        return tuple(unit for part in self.parts for unit in part)


def unfolded(document: Json, names: Mapping[str, str]) -> Folded:
    """The endpoints of a document as they are."""
    zoned = "zones" in document
    number = {one["id"]: place for place, one in enumerate(document["endpoints"])}
    labels: dict[object, Label] = {}
    found: dict[tuple[int, int], Label] = {}
    for one in document["connections"]:
        ends, ports = (number[one["src"]], number[one["dst"]]), tuple(one["ports"].items())
        key = (one["verdict"], ports, one.get("reason"), one.get("exposed"), one.get("partial"))
        label = labels.get(key) or labels.setdefault(key, frozenset({_entry(one)}))  # few differ among millions
        found[ends] = found[ends] | label if ends in found else label
    units = tuple(_unit(one, names[one["id"]], zoned=zoned) for one in document["endpoints"])
    return Folded(units, found)


def _unit(one: Json, name: str, *, zoned: bool) -> Unit:
    outside = one["kind"] == "IPBlock" or bool(one.get("outside"))
    lane = safe_text(one.get("zone") or UNZONED) if zoned or "zone" in one else OUTSIDE if outside else INSIDE
    lone = one["kind"] == "Pod" or len(one.get("pods", "  ")) <= 1
    return Unit(name, lane, safe_text(one.get("namespace", "")), one["kind"], outside, lone=lone)


def _entry(one: Json) -> Entry:
    kind, reason = one["verdict"], one.get("reason", "")
    if one.get("exposed") is False:
        kind, reason = "hidden", ""
    elif one.get("exposed") == "unknown":
        kind, reason = "unknown", reason or "exposure"
    return Entry(kind, Traffic.parse(one["ports"]).spans, bool(one.get("partial")), safe_text(reason))


# Coarser ------------------------------------------------------------------------------------------------------------


def coarser(fine: Folded, key: Callable[[Unit], Hashable], name: Callable[[Sequence[Unit]], str], kind: str) -> Folded:
    """Units with an equal key as one; what only some of them may do is marked so."""
    ids: dict[Hashable, int] = {}
    place = [ids.setdefault(key(unit), len(ids)) for unit in fine.units]
    members: list[list[Unit]] = [[] for _ in ids]
    for unit, number in zip(fine.units, place, strict=True):
        members[number].append(unit)
    units = tuple(one[0] if len(one) == 1 and kind != "Zone" else _joined(one, name(one), kind) for one in members)
    found: dict[tuple[int, int], list[tuple[tuple[int, int], Label]]] = {}
    for (source, target), label in fine.links.items():
        found.setdefault((place[source], place[target]), []).append(((source, target), label))
    return Folded(units, {ends: _summed(parts, ends, members) for ends, parts in found.items()})


def _joined(members: Sequence[Unit], name: str, kind: str) -> Unit:
    spaces = {unit.space for unit in members}
    space = spaces.pop() if len(spaces) == 1 else ""
    lane = members[0].lane if len({unit.lane for unit in members}) == 1 else SEVERAL
    return Unit(name, lane, space, kind, members[0].outside, sum(unit.size for unit in members))


def _summed(
    parts: Sequence[tuple[tuple[int, int], Label]], ends: tuple[int, int], members: Sequence[Sequence[Unit]]
) -> Label:
    """What groups may do to each other, from what pairs of their members may."""
    source, target = ends
    whole = len(members[source]) * len(members[target])
    if source == target:
        whole -= sum(unit.lone for unit in members[source])
    found: set[Entry] = set()
    for kind in sorted({entry.kind for _, label in parts for entry in label}):
        entries = [[entry for entry in label if entry.kind == kind] for _, label in parts]
        reasons = {reason for listed in entries for entry in listed for reason in entry.reason.split(", ")} - {""}
        every = ALL if len(parts) == whole else NONE
        for listed in entries:
            every &= union(entry.ports for entry in listed if not entry.some)
        rest = union({entry.ports for listed in entries for entry in listed}) - every
        both = ((every, False), (rest, True))
        found |= {Entry(kind, ports.spans, some, ", ".join(sorted(reasons))) for ports, some in both if ports}
    return frozenset(found)


# Alike --------------------------------------------------------------------------------------------------------------


def alike(found: Folded) -> tuple[tuple[Group, ...], Links]:
    """Units of a lane that everything else treats alike as one group, and what groups may do to each other.

    First those that may open the same to each other, then whatever may open nothing to each other, but the same within
    itself. What holds within stands at (group, group). Work is in proportion to units and links.
    """
    rows: list[dict[int, Label]] = [{} for _ in found.units]
    columns: list[dict[int, Label]] = [{} for _ in found.units]
    for (source, target), label in found.links.items():
        rows[source][target] = columns[target][source] = label
    mates: dict[Hashable, list[int]] = {}
    for one in range(len(found.units)):
        for key in _closed(one, found.units, rows, columns):
            mates.setdefault(key, []).append(one)
    clubs = [tuple(one) for one in mates.values() if len(one) > 1]
    taken = {one for club in clubs for one in club}
    clubs = sorted([*clubs, *((one,) for one in range(len(found.units)) if one not in taken)])
    stacks: dict[Hashable, list[tuple[int, ...]]] = {}
    for club in clubs:
        stacks.setdefault(_open(club, found.units, rows, columns), []).append(club)
    groups = tuple(Group(tuple(tuple(found.units[one] for one in club) for club in stack)) for stack in stacks.values())
    first = {stack[0][0]: number for number, stack in enumerate(stacks.values())}
    links = {(first[a], first[b]): label for (a, b), label in found.links.items() if a in first and b in first}
    for number, (club, *_) in enumerate(stacks.values()):
        if own := rows[club[0]].get(club[-1]):
            links[number, number] = own
    return groups, links


Lines = Sequence[Mapping[int, Label]]


def _closed(one: int, units: Sequence[Unit], rows: Lines, columns: Lines) -> Iterator[Hashable]:
    """What units that reach each other alike have in common: rows and columns as if each reached itself, too."""
    unit, row, column = units[one], rows[one], columns[one]
    peers = {
        label
        for other, label in row.items()
        if other != one and units[other].lane == unit.lane and column.get(other) == label
    }
    for label in peers:
        if row.get(one) == label or (one not in row and unit.lone):
            kind = (unit.lane, unit.outside, unit.kind, label)
            yield kind, frozenset({**row, one: label}.items()), frozenset({**column, one: label}.items())


def _open(club: Sequence[int], units: Sequence[Unit], rows: Lines, columns: Lines) -> Hashable:
    """What clubs that do not reach each other have in common."""
    unit, row, column = units[club[0]], dict(rows[club[0]]), dict(columns[club[0]])
    own = row.get(club[-1], frozenset())
    for one in club:
        row.pop(one, None)
        column.pop(one, None)
    return unit.lane, unit.outside, unit.kind, own, frozenset(row.items()), frozenset(column.items())
