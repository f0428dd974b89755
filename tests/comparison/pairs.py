"""Two clusters compared, in one call each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from audit.assessment import Declared, judged
from audit.cells import joined, meetings_of, reachability, tallied
from audit.comparison.compose import Side, Terms, difference
from audit.comparison.record import Difference
from audit.discovery import discover
from audit.inventory import build
from audit.model import Severity, ZoneMatrix
from audit.traffic import Traffic
from audit.zones import assign
from tests.core.clusters import snapshot

Json = Any
TODAY = dt.date(2026, 11, 23)
Row = tuple[str, str, str, str, str, str]


def compare(
    old: Sequence[Json],
    new: Sequence[Json],
    plan: ZoneMatrix | None = None,
    limit: int = 0,
    fail_on: Severity = "low",
) -> Difference:
    """What differs between two lists of objects."""
    sides = (_side("old", old, plan), _side("new", new, plan))
    return difference(*sides, Terms(created="2026-11-23T00:00:00Z", matrix=plan, limit=limit, fail_on=fail_on))


def _side(name: str, objects: Sequence[Json], plan: ZoneMatrix | None) -> Side:
    found = snapshot(objects)
    if plan is None:
        return Side(source=name, meetings=meetings_of(found, None))
    population = build(found)
    zone_map = assign(plan, population.namespaces.values(), population.nodes.values())
    meetings = joined(reachability(population, zone_map, plan), zone_map)
    given = Declared(matrix=plan, exceptions=(), rules=discover())
    results = judged(given, population, zone_map, tallied(meetings, zone_map, plan), TODAY).results
    return Side(source=name, meetings=meetings, results=results)


def rows(found: Difference) -> list[Row]:
    """(change, source, target, was, now, ports) of what is listed between workloads."""
    outside = {one.id for one in found.ranges}
    return [
        (one.change, one.src, one.dst, one.was, one.now, str(Traffic.parse(one.ports)))
        for one in found.connections
        if not {one.src, one.dst} & outside
    ]


def causes(found: Difference, source: str, target: str) -> set[str]:
    """The causes of every listed connection between two endpoints."""
    texts = {one.id: f"{one.change} {one.object}" for one in found.causes}
    mine = [one for one in found.connections if (one.src, one.dst) == (source, target)]
    assert mine, f"nothing changed from {source} to {target}"
    return {texts[cause] for one in mine for cause in one.causes}
