"""Who may delete a project of a zone and ask for it again: it comes back without its zone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from audit.access.subjects import AUTHENTICATED, OAUTH, Subject
from audit.controls.ownership import Holding, Ownership


class Recreation(NamedTuple):
    """One way to ask for projects, and those who may delete projects of zones and use it."""

    asking: Holding
    subjects: tuple[Subject, ...]
    """Sorted."""
    namespaces: tuple[str, ...]
    """Those that they may delete, sorted; never empty."""


def recreations(found: Ownership) -> Iterator[Recreation]:
    """For each role that lets ask for projects."""
    for asking in found.holdings.get("requests", ()):
        asked = frozenset(asking.subjects)
        subjects: dict[Subject, None] = {}
        namespaces: dict[str, None] = {}
        for leaving in found.holdings.get("leaving", ()):
            for given in leaving.given:
                able = [one for one in given.subjects if _may_ask(one, asked, found)]
                subjects.update(dict.fromkeys(able))
                if able:
                    namespaces.update(dict.fromkeys(_places(given.binding.namespace, found)))
        if namespaces:
            yield Recreation(asking, tuple(sorted(subjects)), tuple(sorted(namespaces)))


def _may_ask(one: Subject, asked: frozenset[Subject], found: Ownership) -> bool:
    """Whether it is among those who may ask for projects; everybody who logs in is in the wide groups."""
    wide = [name for name in (AUTHENTICATED, OAUTH) if Subject("Group", "", name) in asked]
    if one in asked or AUTHENTICATED in wide or (wide and one.kind != "ServiceAccount"):
        return True
    return one.kind != "Group" and any(Subject("Group", "", name) in asked for name in found.access.groups.of(one))


def _places(namespace: str, found: Ownership) -> Iterator[str]:
    """The namespace of a RoleBinding, or every one of a zone."""
    if namespace:
        yield namespace
        return
    for zone in found.scene.zones:
        yield from (one.name for one in found.scene.members(zone.name))
