"""Two joined snapshots -> Difference: what changed, who caused it, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit import __version__
from audit.cells import missed
from audit.checker import Results
from audit.comparison.blame import Blame
from audit.comparison.changes import KINDS, blocks
from audit.comparison.columns import Columns, Store
from audit.comparison.findings import compared, counted
from audit.comparison.objects import ObjectChange, object_changes
from audit.comparison.parts import Part, Traced, asked, parts, samples, summed, traced
from audit.comparison.record import (
    CauseRecord,
    Changed,
    Connection,
    Difference,
    FindingChange,
    Range,
    SideRecord,
    Sum,
    ZonePair,
)
from audit.comparison.units import Units
from audit.conclusion import FINDINGS, complete
from audit.errors import INCOMPLETE
from audit.meet import Meetings
from audit.model import SEVERITIES, ObjectRef, Severity, ZoneMatrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One snapshot, evaluated."""

    source: str
    """As given on the command line."""
    meetings: Meetings
    results: Results | None = None
    """After exceptions; None without a matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How two snapshots are compared."""

    created: str
    """UTC in ISO form."""
    limit: int
    """Connections of one kind that are listed for a pair of zones; 0 for all."""
    matrix: ZoneMatrix | None = None
    fail_on: Severity = "low"


def difference(old: Side, new: Side, terms: Terms) -> Difference:
    """What differs; every sequence in a fixed order."""
    units, store = Units(old.meetings, new.meetings), Store()
    setting = terms.matrix.settings.pod_network if terms.matrix else "unknown"
    before, after = (Columns(side.meetings, units, store, side.meetings.reach.routable(setting)) for side in (old, new))
    found = parts(blocks(before, after, store), before, after)
    objects = object_changes(old.meetings.reach.inventory, new.meetings.reach.inventory)
    blame = Blame(before, after, objects)
    trace = traced(found, blame, blame.touching())
    causes = _Causes(objects, trace)
    connections = _connections(found, units, blame, causes, terms)
    findings = compared(old.results, new.results) if old.results and new.results else ()
    records = [_side(side) for side in (old, new)]
    return Difference(
        tool=f"zone-audit {__version__}",
        created=terms.created,
        headline=_headline(changed := _changed(found), findings, terms),
        exit_code=_exit_code(findings, records, terms),
        old=records[0],
        new=records[1],
        matrix=terms.matrix.metadata.name if terms.matrix else "",
        fail_on=terms.fail_on if terms.matrix else "",
        changes=changed,
        zone_pairs=_zone_pairs(found, trace, causes) if terms.matrix else (),
        causes=causes.records(),
        untraced=trace.untraced,
        connections=connections,
        limit=terms.limit,
        ranges=_ranges(connections, units),
        findings=findings,
        finding_counts=counted(findings) if terms.matrix else {},
    )


def _side(side: Side) -> SideRecord:
    inventory, gaps = side.meetings.reach.inventory, missed(side.meetings.reach)
    return SideRecord(
        source=side.source,
        namespaces=len(inventory.namespaces),
        workloads=len(inventory.workloads),
        pods=inventory.pods,
        policies=len(side.meetings.reach.policies),
        complete=complete(side.results) if side.results else not gaps,
        missed=gaps,
    )


def _changed(found: Iterable[Part]) -> Changed:
    sums = {kind: Sum(pairs=pairs, ports=traffic.ports()) for kind, (pairs, traffic) in summed(found).items()}
    return Changed(**sums)


def _zone_pairs(found: Iterable[Part], trace: Traced, causes: _Causes) -> tuple[ZonePair, ...]:
    by_zones: dict[tuple[str, str], list[Part]] = {}
    for part in found:
        by_zones.setdefault(part.zones, []).append(part)
    return tuple(
        ZonePair(
            from_zone=zones[0],
            to_zone=zones[1],
            changes=_changed(listed),
            causes=causes.ids(trace.of_zones.get(zones, ())),
        )
        for zones, listed in sorted(by_zones.items())
    )


class _Causes:
    """The objects that decide any change, most pairs first, then those that only listed connections name."""

    def __init__(self, objects: Sequence[ObjectChange], trace: Traced) -> None:
        self._objects = objects
        self._pairs = trace.pairs
        ranked = sorted(trace.pairs, key=lambda place: (-sum(trace.pairs[place].values()), place))
        self._ids = {place: number for number, place in enumerate(ranked, start=1)}

    def ids(self, places: Iterable[int]) -> tuple[int, ...]:
        """Their ids, ascending."""
        return tuple(sorted(self._ids.setdefault(place, len(self._ids) + 1) for place in sorted(places)))

    def records(self) -> tuple[CauseRecord, ...]:
        """All of them, by id."""
        return tuple(self._record(place, number) for place, number in self._ids.items())

    def _record(self, place: int, number: int) -> CauseRecord:
        one = self._objects[place]
        (old_file, old_line), (file, line) = _place(one.old), _place(one.new)
        return CauseRecord(
            id=number,
            object=str(one.ref),
            change=one.change,
            text=one.text,
            file=file,
            line=line,
            old_file=old_file,
            old_line=old_line,
            **{kind: self._pairs.get(place, {}).get(kind, 0) for kind in KINDS},
        )


def _place(ref: ObjectRef | None) -> tuple[str, int]:
    return (ref.origin.file, ref.origin.line) if ref and ref.origin and ref.origin.place else ("", 0)


def _connections(
    found: Iterable[Part], units: Units, blame: Blame, causes: _Causes, terms: Terms
) -> tuple[Connection, ...]:
    listed = sorted(
        samples(found, terms.limit),
        key=lambda one: (one.source, one.target, one.part.block.was, one.part.block.now, one.part.block.traffic.spans),
    )
    return tuple(
        Connection(
            change=one.part.block.kind,
            src=units.ids[one.source],
            dst=units.ids[one.target],
            was=one.part.block.was,
            now=one.part.block.now,
            ports=one.part.block.traffic.ports(),
            from_zone=one.part.zones[0],
            to_zone=one.part.zones[1],
            causes=causes.ids(blame.of(asked(one))),
        )
        for one in listed
    )


def _ranges(connections: Iterable[Connection], units: Units) -> tuple[Range, ...]:
    named = {name for one in connections for name in (one.src, one.dst)}
    return tuple(
        Range(id=units.ids[unit], cidrs=units.addresses(unit).cidrs())
        for unit in units.outside
        if units.ids[unit] in named
    )


def _exit_code(findings: Iterable[FindingChange], sides: Iterable[SideRecord], terms: Terms) -> int:
    """1 with new findings at or above the threshold, else 3 if either side is incomplete; always 0 without a matrix."""
    if terms.matrix is None:
        return 0
    if _failing(findings, terms.fail_on):
        return FINDINGS
    return 0 if all(side.complete for side in sides) else INCOMPLETE


def _failing(findings: Iterable[FindingChange], fail_on: Severity) -> int:
    floor = max(SEVERITIES.index(fail_on), SEVERITIES.index("low"))
    new = (one for one in findings if one.status == "new" and one.now == "fail")
    return sum(SEVERITIES.index(one.severity) >= floor for one in new)


def _headline(changes: Changed, findings: Sequence[FindingChange], terms: Terms) -> str:
    """One sentence without a final period."""
    said = [f"{_many(getattr(changes, kind).pairs, 'connection')} {kind}" for kind in KINDS]
    if terms.matrix is None:
        return ", ".join(said)
    count = counted(findings)
    at = _failing(findings, terms.fail_on)
    new = f"{_many(count['new'], 'finding')} new ({at} failing at or above {terms.fail_on})"
    rest = [f"{count[status]} {status}" for status in ("fixed", "unchanged", "undecided") if count[status]]
    return ", ".join([*said, new, *rest])


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
