"""Smaller and smaller clusters that still show a fault."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

Json = Any
Path = tuple[str | int, ...]
KEPT = frozenset(
    {
        *("apiVersion", "kind", "metadata", "name", "spec", "template", "containers", "type", "to", "from", "action"),
        *("subject", "priority", "tier", "podSelector", "network", "topology", "role", "networkSelectors", "egress"),
        *("netid", "netname", "host", "hostIP", "subnet", "listeners", "parentRefs", "backendRefs", "rules", "ports"),
    }
)
"""Fields that are not taken away: without them there would be no such object."""


def shrunk(objects: list[Json], faults: Callable[[list[Json]], set[str]]) -> list[Json]:
    """The objects after everything was taken away without which one of the first faults still shows."""
    first = faults(objects)
    found = step(objects, faults, first)
    while found is not None:
        objects, found = found, step(found, faults, first)
    return objects


def step(objects: list[Json], faults: Callable[[list[Json]], set[str]], first: set[str]) -> list[Json] | None:
    """The objects without one thing, or nothing when all matter."""
    for path in sorted(removable(objects), key=len):
        smaller = without(objects, path)
        if faults(smaller) & first:
            return smaller
    return None


def removable(value: Json, path: Path = ()) -> Iterator[Path]:
    """The place of every item of a list and of every field that an object may lack."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if key not in KEPT:
            yield (*path, key)
        yield from removable(inner, (*path, key))


def without(objects: list[Json], path: Path) -> list[Json]:
    """A copy without what is at that place."""
    made = copy.deepcopy(objects)
    holder: Json = made
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return made
