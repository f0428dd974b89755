"""Claims and volumes that stand in one zone and use the storage of another.

Input: `Storage`. Output: what a rule names, grouped by namespace. Decisions: a claim is judged by the class that it
names and by that of its volume; a claim that leaves the class open gets the default, where the release says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from audit.controls.storage import Storage
from audit.controls.storage_classes import StorageClass
from audit.controls.storage_volumes import Claim, Volume
from audit.model import ObjectRef

_RETROACTIVE = (4, 15)
"""The first OpenShift (Kubernetes 1.28) that gives a waiting claim without a class the default for certain."""


class ForeignClaims(NamedTuple):
    """Claims of one namespace that use a class of another zone."""

    namespace: str
    zone: str
    owner: str
    """Zone that owns the class."""
    storage_class: str
    claims: tuple[ObjectRef, ...]
    bound: int
    """How many of them have a volume."""
    by_default: bool
    """Whether they name no class, and get the default."""
    certain: bool


class Landing(NamedTuple):
    """Where a default class takes claims without a class that should not go there."""

    storage_class: StorageClass
    owner: str
    """Zone of the class; empty where nobody owns it."""
    zones: tuple[str, ...]
    namespaces: tuple[str, ...]
    certain: bool
    """False where several classes are the default and their ages are not known."""


class Loose(NamedTuple):
    """Claims of one namespace that no quota of a class counts."""

    namespace: str
    zone: str
    claims: tuple[ObjectRef, ...]


class Stray(NamedTuple):
    """Volumes that people wrote, used by one zone and lying on a backend of another."""

    zone: str
    owner: str
    """Zone whose backend it is."""
    backend: tuple[str, ...]
    """The driver and what the backend is known by."""
    volumes: tuple[Volume, ...]


def foreign_claims(storage: Storage) -> Iterator[ForeignClaims]:
    """Claims that use a class of another zone, by namespace and class."""
    found: dict[tuple[str, str, bool, bool], list[Claim]] = {}
    for claim in storage.claims:
        zone = storage.scene.zone_of(claim.namespace)
        for name, by_default, certain in _classes_of(claim, storage):
            if zone in storage.tenants and storage.classes.foreign(zone, name):
                found.setdefault((claim.namespace, name, by_default, certain), []).append(claim)
    for (namespace, name, by_default, certain), listed in sorted(found.items()):
        zone = storage.scene.zone_of(namespace)
        yield ForeignClaims(
            namespace=namespace,
            zone=zone,
            owner=storage.classes.foreign(zone, name),
            storage_class=name,
            claims=tuple(dict.fromkeys(one.ref for one in listed)),
            bound=sum(one.bound for one in listed),
            by_default=by_default,
            certain=certain,
        )


def _classes_of(claim: Claim, storage: Storage) -> Iterator[tuple[str, bool, bool]]:
    """(class, whether by default, whether for certain) of what a claim uses."""
    volume = storage.volumes.get(claim.volume)
    if claim.written is not None:
        yield claim.written, False, True
    if volume is not None and volume.storage_class != (claim.written or ""):
        yield volume.storage_class, False, True
    if claim.written is None and not claim.volume:
        chosen = storage.classes.default
        certain = len(chosen) == 1 and (claim.future or not storage.scene.inventory.profile.before(*_RETROACTIVE))
        if not (len(storage.classes.defaults) > 1 and storage.classes.refuses_several):
            yield from ((one.name, True, certain) for one in chosen)


def landings(storage: Storage) -> Iterator[Landing]:
    """Default classes that take claims of zones that must not use them, or that nobody gave to a zone."""
    chosen = storage.classes.default
    for one in chosen:
        owners = storage.classes.owners.get(one.name, ())
        by_zone = {
            zone.name: [name for opening in storage.open_to(zone, (one.name,)) for name in opening.namespaces]
            for zone in storage.scene.zones
            if (storage.classes.foreign(zone.name, one.name) if owners else zone.name in storage.classes.required)
        }
        zones = tuple(name for name, listed in by_zone.items() if listed)
        if zones:
            namespaces = tuple(sorted(name for listed in by_zone.values() for name in listed))
            yield Landing(one, storage.classes.foreign(zones[0], one.name), zones, namespaces, len(chosen) == 1)


def loose_claims(storage: Storage) -> Iterator[Loose]:
    """Claims without a class in zones that require isolation, where no quota on all claims stops them."""
    found: dict[str, list[ObjectRef]] = {}
    for claim in storage.claims:
        volume = storage.volumes.get(claim.volume)
        classless = claim.written == "" or (claim.written is None and bool(claim.volume))
        if classless and not (volume and volume.storage_class) and _open(claim.namespace, storage):
            found.setdefault(claim.namespace, []).append(claim.ref)
    for namespace, refs in sorted(found.items()):
        yield Loose(namespace, storage.scene.zone_of(namespace), tuple(dict.fromkeys(refs)))


def _open(namespace: str, storage: Storage) -> bool:
    required = storage.scene.zone_of(namespace) in storage.classes.required
    return required and not storage.quotas.held(namespace).everything


def unreserved(storage: Storage) -> tuple[ObjectRef, ...]:
    """Volumes without a class that any namespace may bind, sorted."""
    free = (one for one in storage.volumes.values() if not one.storage_class and not one.claim[0])
    return tuple(sorted(one.ref for one in free if one.phase in ("Available", "Pending", "")))


def strays(storage: Storage) -> Iterator[Stray]:
    """Volumes that people wrote for a zone and that lie on the backend of another, by zones and backend."""
    found: dict[tuple[str, str, tuple[str, ...]], list[Volume]] = {}
    for volume in storage.volumes.values():
        for zone in users(volume, storage) if not volume.provisioned else ():
            if owner := storage.strange(zone, volume.backend):
                ends = (volume.backend.driver, *sorted(map(str, volume.backend.ends)))
                found.setdefault((zone, owner, ends), []).append(volume)
    for (zone, owner, ends), volumes in sorted(found.items(), key=lambda one: one[0]):
        yield Stray(zone, owner, ends, tuple(volumes))


def users(volume: Volume, storage: Storage) -> tuple[str, ...]:
    """The zones of the class of a volume; of its claim where nobody owns the class. The platform is none."""
    claimed = (storage.scene.zone_of(volume.claim[0]),) if volume.claim[0] else ()
    zones = storage.classes.owners.get(volume.storage_class, claimed)
    return tuple(zone for zone in zones if zone in storage.tenants)
