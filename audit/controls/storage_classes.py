"""Which storage class is whose, which zones are kept apart, and what a claim without a class gets.

Input: a Scene. Output: `Classes`. Decisions: `select.storageClasses` of the matrix says whose a class is; two zones are
kept apart where one of them requires storage isolation; of several default classes the newest counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from audit.control_bodies import StorageClassBody
from audit.controls.scene import Scene, ref
from audit.model import ObjectRef

STORAGE_CLASS = "StorageClass.storage.k8s.io"
REQUIRED = "storage-isolation"
"""The word in `requires` of a zone."""
DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
"""On claims and volumes it wins over `spec.storageClassName`."""
_NEWEST_DEFAULT = (4, 13)
"""The first OpenShift (Kubernetes 1.26) that takes the newest of several default classes; others refuse the claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageClass:
    """One StorageClass object."""

    name: str
    ref: ObjectRef
    provisioner: str
    parameters: Mapping[str, str]
    default: str
    """The annotation that makes it the default; empty if none does."""
    created: str
    """RFC 3339 time, empty when unknown."""


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes of the cluster and the zones that own them."""

    known: Mapping[str, StorageClass]
    """Objects by name, sorted."""
    owners: Mapping[str, tuple[str, ...]]
    """Class -> zones whose matrix entry names it, in matrix order; also classes that the cluster lacks."""
    required: frozenset[str]
    """Zones of kind `cluster` that require storage isolation."""
    refuses_several: bool
    """Whether this release refuses a claim without a class where several classes are the default."""

    def apart(self, zone: str, other: str) -> bool:
        """Whether the two are different zones, one of which requires storage isolation."""
        return zone != other and (zone in self.required or other in self.required)

    def foreign(self, zone: str, name: str) -> str:
        """The zone that owns a class which a zone must not use; empty where it may, and where nobody owns it."""
        owners = self.owners.get(name, ())
        return "" if zone in owners else next((one for one in owners if self.apart(zone, one)), "")

    @cached_property
    def defaults(self) -> tuple[StorageClass, ...]:
        """All classes that are marked as the default, the one that counts first: the newest, then by name."""
        marked = [one for one in self.known.values() if one.default]
        return tuple(sorted(marked, key=lambda one: one.created, reverse=True))

    @cached_property
    def default(self) -> tuple[StorageClass, ...]:
        """What a claim without a class may get: one class, or several where their ages are not known."""
        dated = all(one.created for one in self.defaults)
        return self.defaults[:1] if dated else self.defaults


def classes(scene: Scene) -> Classes:
    """The storage classes of the input with their zones."""
    owners: dict[str, list[str]] = {}
    for zone in scene.matrix.zones:
        for name in zone.storage_classes:
            owners.setdefault(name, []).append(zone.name)
    profile = scene.inventory.profile
    old = profile.version is not None and profile.version < _NEWEST_DEFAULT
    return Classes(
        known=_known(scene),
        owners={name: tuple(zones) for name, zones in owners.items()},
        required=frozenset(zone.name for zone in scene.zones if REQUIRED in zone.requires),
        refuses_several=old or profile.product == "openshift-3",
    )


def _known(scene: Scene) -> dict[str, StorageClass]:
    found = {}
    for entry in scene.of(STORAGE_CLASS):
        body: StorageClassBody = entry.body
        marks = body.metadata.annotations or {}
        found[entry.name] = StorageClass(
            name=entry.name,
            ref=ref(entry),
            provisioner=body.provisioner,
            parameters=body.parameters or {},
            default=next((one for one in DEFAULT_ANNOTATIONS if marks.get(one) == "true"), ""),
            created=body.metadata.creationTimestamp or "",
        )
    return found
