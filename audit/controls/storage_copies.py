"""Data that leaves its zone in a copy: snapshots, clones, and volumes that outlive their claim.

Input: `Storage`. Output: `Carried`, `Kept` and `Imported` values. Decisions: a snapshot belongs to the zone of the
volume that it was made of; a handle of which no volume and no other snapshot is known has an unknown origin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from audit.controls.scene import ref
from audit.controls.storage import SNAPSHOT_CONTENT, Storage
from audit.controls.storage_claims import users
from audit.controls.storage_volumes import Volume
from audit.exposure.raw import decoded, text_of
from audit.model import UNZONED, ObjectRef


class Carried(NamedTuple):
    """Objects that bring data of one zone into one namespace of another."""

    what: str
    """`snapshot` or `clone`."""
    source: str
    """Zone of the data."""
    target: str
    namespace: str
    """Where the data arrives."""
    refs: tuple[ObjectRef, ...]
    origins: tuple[str, ...]
    """What each was made of, in words."""


class Imported(NamedTuple):
    """Snapshots of one zone that somebody wrote down by handle, and whose origin is not known."""

    zone: str
    contents: tuple[ObjectRef, ...]


class Kept(NamedTuple):
    """Volumes of a zone whose claim is gone and whose data is not."""

    zone: str
    volumes: tuple[ObjectRef, ...]


class _Content(NamedTuple):
    """A VolumeSnapshotContent."""

    ref: ObjectRef
    driver: str
    namespace: str
    """Of the snapshot that it belongs to."""
    volume: str
    """Handle of the volume that it is made of; empty for one that was there before."""
    snapshot: str
    """Handle of the snapshot."""


def carried(storage: Storage) -> Iterator[Carried]:
    """Snapshots and clones that cross zones which are to be kept apart."""
    found: dict[tuple[str, str, str, str], dict[ObjectRef, str]] = {}
    for what, source, namespace, named, origin in (*_moved(storage), *_cloned(storage)):
        target = storage.scene.zone_of(namespace)
        if {source, target} <= storage.tenants and storage.classes.apart(source, target):
            found.setdefault((what, source, target, namespace), {})[named] = origin
    for key, made in sorted(found.items()):
        yield Carried(*key, tuple(made), tuple(made.values()))


_Copy = tuple[str, str, str, ObjectRef, str]
"""(snapshot or clone, zone of the data, namespace where it arrives, object, what it was made of)."""


def _moved(storage: Storage) -> Iterator[_Copy]:
    for one, source, origin in _snapshots(storage):
        yield "snapshot", source, one.namespace, one.ref, origin


def _cloned(storage: Storage) -> Iterator[_Copy]:
    for claim in storage.claims:
        kind, namespace, name = claim.origin
        if namespace:
            yield "clone", storage.scene.zone_of(namespace), claim.namespace, claim.ref, f"{kind} {namespace}/{name}"


def imported(storage: Storage) -> Iterator[Imported]:
    """Snapshots without a known origin in zones that require isolation."""
    found: dict[str, list[ObjectRef]] = {}
    for one, source, _ in _snapshots(storage):
        target = storage.scene.zone_of(one.namespace)
        if not source and not one.volume and target in storage.classes.required:
            found.setdefault(target, []).append(one.ref)
    for zone, refs in sorted(found.items()):
        yield Imported(zone, tuple(refs))


def kept(storage: Storage) -> Iterator[Kept]:
    """Released volumes of zones that require isolation."""
    found: dict[str, list[ObjectRef]] = {}
    for volume in storage.volumes.values():
        zone = _zone_of(volume, storage)
        if volume.phase == "Released" and volume.policy == "Retain" and zone in storage.classes.required:
            found.setdefault(zone, []).append(volume.ref)
    for zone, refs in sorted(found.items()):
        yield Kept(zone, tuple(refs))


def _zone_of(volume: Volume, storage: Storage) -> str:
    """The zone whose data a volume holds: of its claim, else of its class; empty when unknown."""
    claimed = storage.scene.zone_of(volume.claim[0]) if volume.claim[0] else UNZONED
    return claimed if claimed != UNZONED else next(iter(users(volume, storage)), "")


def _snapshots(storage: Storage) -> Iterator[tuple[_Content, str, str]]:
    """(content, zone of the data or empty, what it was made of)."""
    contents = [_content(entry.body, ref(entry)) for entry in storage.scene.of(SNAPSHOT_CONTENT)]
    by_volume = {(one.backend.driver, one.handle): one for one in storage.volumes.values() if one.handle}
    made: Mapping[tuple[str, str], _Content] = {
        (one.driver, one.snapshot): one for one in contents if one.volume and one.snapshot
    }
    for one in contents:
        first = one if one.volume else made.get((one.driver, one.snapshot))
        volume = by_volume.get((first.driver, first.volume)) if first else None
        if volume is not None:
            yield one, _zone_of(volume, storage), f"PersistentVolume {volume.ref.name}"
        elif first is not None and first is not one and (zone := storage.scene.zone_of(first.namespace)) != UNZONED:
            yield one, zone, f"snapshot of namespace {first.namespace}"
        else:
            yield one, "", ""


def _content(body: Any, named: ObjectRef) -> _Content:
    spec, status = decoded(body.spec), decoded(body.status)
    source = spec.get("source")
    return _Content(
        ref=named,
        driver=text_of(spec, "driver"),
        namespace=text_of(spec.get("volumeSnapshotRef"), "namespace"),
        volume=text_of(source, "volumeHandle"),
        snapshot=text_of(source, "snapshotHandle") or text_of(status, "snapshotHandle"),
    )
