"""Volumes that pods bring along, past every quota, and who would let them: pods' own network volumes and node disks.

Input: `Storage`. Output: what a rule names, grouped by namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from audit.controls.storage import Storage
from audit.controls.storage_backends import NODE_SOURCES, Backend, backend_of, source_of
from audit.model import ObjectRef
from audit.workloads import Volume as PodVolume

_HARMLESS = (
    "secrets-store.csi.k8s.io", "csi.sharedresource.openshift.io", "csi.cert-manager.io", "csi.spiffe.io",
    "spiffe.csi.cert-manager.io",
)  # fmt: skip
"""CSI drivers that hand certificates and secrets to pods and store nothing."""


class Inline(NamedTuple):
    """Volumes of one sort that workloads of one namespace bring along."""

    namespace: str
    zone: str
    field: str
    """`nfs`, `csi`, ...; `hostPath` or `local` for the disk of the node."""
    backend: Backend
    owner: str
    """The zone on whose backend they lie though they must not; empty if on none."""
    workloads: tuple[ObjectRef, ...]


def inline_volumes(storage: Storage) -> Iterator[Inline]:
    """Network volumes in pods of zones that require isolation, and of others those that lead into such a zone."""
    for namespace, field, backend, workloads in _brought(storage):
        zone = storage.scene.zone_of(namespace)
        owner = storage.strange(zone, backend)
        if field not in NODE_SOURCES and (owner or zone in storage.classes.required):
            yield Inline(namespace, zone, field, backend, owner, workloads)


def node_volumes(storage: Storage) -> Iterator[Inline]:
    """Disks of nodes in pods of zones that require isolation, and in volumes that these zones claim."""
    found: dict[tuple[str, str], list[ObjectRef]] = {}
    for namespace, field, _, workloads in _brought(storage):
        if field in NODE_SOURCES:
            found.setdefault((namespace, field), []).extend(workloads)
    for volume in storage.volumes.values():
        if volume.field in NODE_SOURCES and volume.claim[0]:
            found.setdefault((volume.claim[0], volume.field), []).append(volume.ref)
    for (namespace, field), refs in sorted(found.items()):
        zone = storage.scene.zone_of(namespace)
        if zone in storage.classes.required:
            yield Inline(namespace, zone, field, Backend(field, local=True), "", tuple(dict.fromkeys(refs)))


def _brought(storage: Storage) -> Iterator[tuple[str, str, Backend, tuple[ObjectRef, ...]]]:
    """(namespace, field, backend, workloads) of volumes in pods of zones; one pass over pods."""
    inventory, scene = storage.scene.inventory, storage.scene
    zoned = {namespace.name for zone in scene.zones for namespace in scene.members(zone.name)}
    found: dict[tuple[str, str, Backend], dict[int, None]] = {}
    for pod in inventory.endpoints:
        if pod.spec and pod.spec.volumes and pod.namespace in zoned:
            for field, backend in _sources(pod.spec.volumes, pod.namespace, storage):
                found.setdefault((pod.namespace, field, backend), {})[pod.workload] = None
    for namespace, field, backend in sorted(found, key=_order):
        indices = found[namespace, field, backend]
        yield namespace, field, backend, tuple(inventory.workloads[index].ref for index in indices)


def _order(key: tuple[str, str, Backend]) -> tuple[object, ...]:
    namespace, field, backend = key
    return namespace, field, backend.driver, sorted(backend.ends)


def _sources(volumes: Iterable[PodVolume], namespace: str, storage: Storage) -> Iterator[tuple[str, Backend]]:
    for volume in volumes:
        if volume.persistentVolumeClaim or volume.ephemeral:
            continue
        found = source_of(msgspec.structs.asdict(volume))
        if found is not None:
            field, source = found
            backend = backend_of(field, source, namespace, storage.endpoints)
            if backend.driver not in _HARMLESS:
                yield field, backend
