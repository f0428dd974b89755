"""Storage of different zones that lies on one backend, and storage of which nobody can tell.

Input: `Storage`. Output: `Shared` and `Opaque` values. Decisions: whatever has a host, array or datastore in common is
one backend; a class is known as soon as its parameters or any of its volumes tell where it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


class Holder(NamedTuple):
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


def shared(storage: Storage, held: Iterable[Holder]) -> Iterator[Shared]:
    """Backends of zones that are to be kept apart."""
    for ends, listed in _components(held):
        zones = {one.zone for one in listed}
        addressed = {zone for end in ends for zone in storage.standing(end)} - zones
        if len(zones | addressed) > 1 and _apart(sorted(zones | addressed), storage):
            yield Shared(
                tuple(sorted(map(str, ends))),
                tuple(sorted(zones | addressed)),
                tuple(sorted({one.subject for one in listed})),
                tuple(sorted(addressed)),
            )


def opaque(storage: Storage, held: Sequence[Holder]) -> Iterator[Opaque]:
    """Drivers of which nobody can tell whether they keep zones apart."""
    told = {one.subject for one in held if one.backend.ends}
    by_driver: dict[str, list[Holder]] = {}
    for one in held:
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


def holders(storage: Storage) -> tuple[Holder, ...]:
    """Classes by zone, and volumes under their class or their own name; those are left out that are strays.

    Of a class with several zones the first stands for all: that it has several is told apart from this.
    """
    return tuple(dict.fromkeys((*_classes(storage), *_volumes(storage))))


def _classes(storage: Storage) -> Iterator[Holder]:
    for name, one in storage.classes.known.items():
        zones = [zone for zone in storage.classes.owners.get(name, ()) if zone in storage.tenants]
        if zones:
            yield Holder(zones[0], one.ref, storage.class_backends[name])


def _volumes(storage: Storage) -> Iterator[Holder]:
    gone = {volume.ref for one in strays(storage) for volume in one.volumes}
    for volume in storage.volumes.values():
        zones = users(volume, storage)
        if zones and volume.field and volume.ref not in gone:
            known = storage.classes.known.get(volume.storage_class)
            yield Holder(zones[0], known.ref if known and volume.provisioned else volume.ref, volume.backend)


def _components(held: Iterable[Holder]) -> list[tuple[set[End], list[Holder]]]:
    """Holders that have an end in common, also by way of others, with all their ends."""
    root: dict[End, End] = {}

    def top(end: End) -> End:
        while root.setdefault(end, end) != end:
            root[end] = end = root[root[end]]
        return end

    listed = [one for one in held if one.backend.ends]
    for one in listed:
        first, *more = sorted(one.backend.ends)
        for end in more:
            root[top(end)] = top(first)
    found: dict[End, tuple[set[End], list[Holder]]] = {}
    for one in listed:
        ends, sharing = found.setdefault(top(min(one.backend.ends)), (set(), []))
        ends |= one.backend.ends
        sharing.append(one)
    return [found[end] for end in sorted(found)]
