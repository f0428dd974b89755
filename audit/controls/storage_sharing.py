"""Storage of different zones that lies on one backend, and storage of which nobody can tell.

Input: `Storage`. Output: `Shared` and `Opaque` values. Decisions: whatever has a host, array or datastore in common is
one backend; a class is known as soon as its parameters or any of its volumes tell where it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from audit.controls.storage import Storage
from audit.controls.storage_backends import Backend, End
from audit.controls.storage_claims import strays, users
from audit.model import ObjectRef


class Shared(NamedTuple):
    """One backend that several zones use."""

    ends: tuple[str, ...]
    """What it is known by, sorted."""
    zones: tuple[str, ...]
    """Sorted."""
    subjects: tuple[ObjectRef, ...]
    """Classes that lead there, and volumes of no class, sorted."""
    addressed: tuple[str, ...]
    """Those of the zones that have it by its address only."""


class Opaque(NamedTuple):
    """One driver that keeps volumes of several zones where nobody can tell."""

    driver: str
    zones: tuple[str, ...]
    subjects: tuple[ObjectRef, ...]


class _Holder(NamedTuple):
    """A class or volume of a zone with its backend."""

    zone: str
    subject: ObjectRef
    backend: Backend


def doubly_owned(storage: Storage) -> Iterator[tuple[ObjectRef, tuple[str, ...]]]:
    """(class, zones) of classes that the matrix gives to zones which are to be kept apart, by name."""
    for name, zones in sorted(storage.classes.owners.items()):
        tenants = storage.tenants.intersection(zones)
        if name in storage.classes.known and _apart(tenants, storage):
            yield storage.classes.known[name].ref, tuple(sorted(tenants))


def shared(storage: Storage) -> Iterator[Shared]:
    """Backends of zones that are to be kept apart."""
    holders = list(_holders(storage))
    for ends, listed in _components(holders):
        zones = {one.zone for one in listed}
        addressed = {zone for end in ends for zone in storage.standing(end)} - zones
        if len(zones | addressed) > 1 and _apart(sorted(zones | addressed), storage):
            yield Shared(
                tuple(sorted(map(str, ends))),
                tuple(sorted(zones | addressed)),
                tuple(sorted({one.subject for one in listed})),
                tuple(sorted(addressed)),
            )


def opaque(storage: Storage) -> Iterator[Opaque]:
    """Drivers of which nobody can tell whether they keep zones apart."""
    holders = list(_holders(storage))
    told = {one.subject for one in holders if one.backend.ends}
    by_driver: dict[str, list[_Holder]] = {}
    for one in holders:
        if not one.backend.local:
            by_driver.setdefault(one.backend.driver, []).append(one)
    for driver, listed in sorted(by_driver.items()):
        hidden = [one for one in listed if one.subject not in told]
        zones = tuple(sorted({one.zone for one in listed}))
        if hidden and _apart(zones, storage):
            yield Opaque(driver, zones, tuple(sorted({one.subject for one in hidden})))


def _apart(zones: Iterable[str], storage: Storage) -> bool:
    """Whether any two of the zones are to be kept apart."""
    found = set(zones)
    return len(found) > 1 and not found.isdisjoint(storage.classes.required)


def _holders(storage: Storage) -> Iterator[_Holder]:
    """Classes by zone, and volumes under their class or their own name; those are left out that are strays.

    Of a class with several zones the first stands for all: that it has several is told apart from this.
    """
    for name, one in storage.classes.known.items():
        for zone in [zone for zone in storage.classes.owners.get(name, ()) if zone in storage.tenants][:1]:
            yield _Holder(zone, one.ref, storage.class_backends[name])
    gone = {volume.ref for one in strays(storage) for volume in one.volumes}
    for volume in storage.volumes.values():
        known = storage.classes.known.get(volume.storage_class)
        for zone in users(volume, storage)[:1] if volume.ref not in gone and volume.field else ():
            yield _Holder(zone, known.ref if known and volume.provisioned else volume.ref, volume.backend)


def _components(holders: Iterable[_Holder]) -> list[tuple[set[End], list[_Holder]]]:
    """Holders that have an end in common, also by way of others, with all their ends."""
    root: dict[End, End] = {}

    def top(end: End) -> End:
        while root.setdefault(end, end) != end:
            root[end] = end = root[root[end]]
        return end

    held = [one for one in holders if one.backend.ends]
    for one in held:
        first, *more = sorted(one.backend.ends)
        for end in more:
            root[top(end)] = top(first)
    found: dict[End, tuple[set[End], list[_Holder]]] = {}
    for one in held:
        ends, listed = found.setdefault(top(min(one.backend.ends)), (set(), []))
        ends |= one.backend.ends
        listed.append(one)
    return [found[end] for end in sorted(found)]
