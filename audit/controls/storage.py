"""Storage isolation: classes, quotas, claims and volumes of one input, and which zones are to be kept apart.

Input: a Scene. Output: `Storage`, whose parts are computed when a rule asks for the first time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from audit.controls.scene import Scene
from audit.controls.storage_backends import Backend, End, Resolve, class_backend
from audit.controls.storage_classes import REQUIRED, STORAGE_CLASS, Classes, classes
from audit.controls.storage_quotas import CLUSTER_QUOTA, CLUSTER_QUOTAS, RESOURCE_QUOTA, Held, Quotas, quotas
from audit.controls.storage_volumes import CLAIM, VOLUME, Claim, Volume, claims, resolver, volumes
from audit.model import Zone
from audit.storage_fields import address_or_none

SNAPSHOT = "VolumeSnapshot.snapshot.storage.k8s.io"
SNAPSHOT_CONTENT = "VolumeSnapshotContent.snapshot.storage.k8s.io"
CONSTRAINTS = "SecurityContextConstraints.security.openshift.io"
READ: tuple[str, ...] = (
    STORAGE_CLASS,
    RESOURCE_QUOTA,
    CLUSTER_QUOTA,
    CLAIM,
    VOLUME,
    SNAPSHOT,
    SNAPSHOT_CONTENT,
    CONSTRAINTS,
)
"""Kind keys that the rules of storage rest on, beside pods, namespaces and access rights."""


class Opening(NamedTuple):
    """Namespaces of one zone that may claim the same classes."""

    zone: str
    classes: tuple[str, ...]
    namespaces: tuple[str, ...]


@dataclass(frozen=True)
class Storage:
    """What the input says of storage."""

    scene: Scene

    @property
    def idle(self) -> str:
        """Why there is nothing to judge; empty if there is."""
        if self.classes.required:
            return ""
        return f"no zone of the matrix has `requires: [{REQUIRED}]`"

    @property
    def undeclared(self) -> str:
        """Why nobody can tell whose a class is; empty if one can."""
        return "" if self.classes.owners else "no zone of the matrix names its classes in `select.storageClasses`"

    @property
    def without_quotas(self) -> bool:
        """Whether the input holds no quota of any kind, although a cluster may have some."""
        kinds = (RESOURCE_QUOTA, *CLUSTER_QUOTAS)
        return self.scene.without(*kinds) == kinds

    @cached_property
    def classes(self) -> Classes:
        """The storage classes and whose they are."""
        return classes(self.scene)

    @cached_property
    def quotas(self) -> Quotas:
        """What quotas forbid."""
        return quotas(self.scene)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Who claims what."""
        return claims(self.scene)

    @cached_property
    def volumes(self) -> Mapping[str, Volume]:
        """The PersistentVolumes by name."""
        return volumes(self.scene, self.endpoints)

    @cached_property
    def endpoints(self) -> Resolve:
        """How Endpoints are looked up."""
        return resolver(self.scene)

    @cached_property
    def tenants(self) -> frozenset[str]:
        """The zones that are judged: the platform shares backends with every zone, and takes copies of all."""
        return frozenset(zone.name for zone in self.scene.zones)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every class that a claim can get something of, sorted: those with an object and those of volumes."""
        return tuple(sorted({*self.classes.known, *(one.storage_class for one in self.volumes.values())} - {""}))

    def open_to(self, zone: Zone, names: tuple[str, ...]) -> Iterator[Opening]:
        """Which of the classes the namespaces of a zone may claim, one value for each set of open classes."""
        open_in: dict[Held, tuple[str, ...]] = {}
        found: dict[tuple[str, ...], list[str]] = {}
        for namespace in self.scene.members(zone.name):
            held = self.quotas.held(namespace.name)
            if held not in open_in:
                open_in[held] = tuple(name for name in names if not held.forbids(name))
            if open_in[held] and namespace.name not in self.quotas.uncertain:
                found.setdefault(open_in[held], []).append(namespace.name)
        for missing, namespaces in sorted(found.items()):
            yield Opening(zone.name, missing, tuple(namespaces))

    @cached_property
    def class_backends(self) -> Mapping[str, Backend]:
        """Where each class makes its volumes, as far as its parameters tell."""
        return {
            name: class_backend(one.provisioner, one.parameters) for name, one in sorted(self.classes.known.items())
        }

    @cached_property
    def homes(self) -> Mapping[End, frozenset[str]]:
        """Backend -> the zones whose classes make volumes there."""
        found: dict[End, set[str]] = {}
        owners = {name: self.tenants.intersection(zones) for name, zones in self.classes.owners.items()}
        for name, backend in self.class_backends.items():
            for end in backend.ends:
                found.setdefault(end, set()).update(owners.get(name, ()))
        for volume in self.volumes.values():
            for end in volume.backend.ends if volume.provisioned else ():
                found.setdefault(end, set()).update(owners.get(volume.storage_class, ()))
        return {end: frozenset(zones) for end, zones in found.items()}

    def home(self, end: End) -> frozenset[str]:
        """The zones that a backend belongs to: by the classes that lead there, and by its address."""
        return self.homes.get(end, frozenset()) | self.standing(end)

    def standing(self, end: End) -> frozenset[str]:
        """The zones within whose address blocks a backend stands."""
        number = address_or_none(end.name) if end.kind == "host" else None
        return frozenset(zone.name for zone in self.scene.zones if number is not None and number in zone.cidrs)

    def strange(self, zone: str, backend: Backend) -> str:
        """The zone on whose backend a volume of another lies though it must not; empty where it may or is not known."""
        homes = frozenset().union(*map(self.home, backend.ends)) if backend.ends else frozenset()
        apart = sorted(one for one in homes if self.classes.apart(zone, one))
        return apart[0] if apart and zone not in homes else ""


def storage(scene: Scene) -> Storage:
    """What the input says of storage."""
    return Storage(scene)
