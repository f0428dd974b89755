"""Claims and PersistentVolumes: who asks for what, what is bound to what, and where the data lies.

Input: a Scene. Output: `Claim` and `Volume` values. Decisions: the annotation of old releases wins over the field of
the spec; what pods and StatefulSets claim by a template stands under the workload.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from audit.controls.scene import Scene, ref
from audit.controls.storage_backends import NETWORK_SOURCES, NODE_SOURCES, Backend, Resolve, backend_of
from audit.controls.storage_classes import CLASS_ANNOTATION
from audit.exposure.raw import decoded, text_of
from audit.model import ObjectRef
from audit.snapshot import Entry
from audit.workloads import Metadata

CLAIM = "PersistentVolumeClaim"
VOLUME = "PersistentVolume"
_PROVISIONED = "pv.kubernetes.io/provisioned-by"
"""On volumes that a provisioner made; others were written by people."""
_MADE = re.compile(r"pvc-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How provisioners name volumes, for input without annotations."""
_REPLICA = re.compile(r"-[0-9]+\Z")


class Claim(NamedTuple):
    """A PersistentVolumeClaim, or a template of claims."""

    ref: ObjectRef
    """The claim; the workload where pods or replicas make it."""
    namespace: str
    written: str | None
    """The class that it names, empty for none on purpose; None where it leaves that to the default."""
    volume: str = ""
    """Name of the PersistentVolume that it is bound to, or asks for."""
    bound: bool = False
    origin: tuple[str, str, str] = ("", "", "")
    """(kind, namespace, name) of what it is filled from; the namespace is empty where it is the claim's own."""
    future: bool = False
    """Whether no API server has seen it yet, as one of a template or of a manifest."""


class Volume(NamedTuple):
    """A PersistentVolume."""

    ref: ObjectRef
    storage_class: str
    field: str
    """The field of its source: `csi`, `nfs`, ..."""
    backend: Backend
    handle: str
    """Of a CSI volume."""
    claim: tuple[str, str]
    """(namespace, name) of the claim that it belongs to, also where that is gone; empty texts without one."""
    phase: str
    policy: str
    """What happens to the data after the claim: `Retain`, `Delete`, `Recycle`."""
    provisioned: bool
    """Whether a provisioner made it."""


def volumes(scene: Scene, resolve: Resolve) -> Mapping[str, Volume]:
    """Every PersistentVolume by name, sorted."""
    return {entry.name: _volume(entry, resolve) for entry in scene.of(VOLUME)}


def resolver(scene: Scene) -> Resolve:
    """How Endpoints are looked up by namespace and name."""
    known: dict[tuple[str, str], tuple[str, ...]] = {}
    for entry in scene.of("Endpoints"):
        subsets = entry.body.subsets or ()
        found = tuple(one.ip for subset in subsets for one in subset.addresses or ())
        known[entry.namespace, entry.name] = found
    return lambda namespace, name: known.get((namespace, name), ())


def _volume(entry: Entry, resolve: Resolve) -> Volume:
    spec, marks = decoded(entry.body.spec), entry.body.metadata.annotations or {}
    field = next((one for one in (*NETWORK_SOURCES, *NODE_SOURCES) if isinstance(spec.get(one), dict)), "")
    source: Mapping[str, Any] = spec[field] if field else {}
    claim = (text_of(spec.get("claimRef"), "namespace"), text_of(spec.get("claimRef"), "name"))
    return Volume(
        ref=ref(entry),
        storage_class=marks.get(CLASS_ANNOTATION, text_of(spec, "storageClassName")),
        field=field,
        backend=backend_of(field, source, claim[0], resolve),
        handle=text_of(source, "volumeHandle"),
        claim=claim,
        phase=text_of(decoded(entry.body.status), "phase"),
        policy=text_of(spec, "persistentVolumeReclaimPolicy"),
        provisioned=_PROVISIONED in marks or bool(_MADE.fullmatch(entry.name)),
    )


def claims(scene: Scene) -> tuple[Claim, ...]:
    """Every claim, and what templates claim where no claim of theirs is there yet."""
    made = [_claim(entry, future=not scene.cluster) for entry in scene.of(CLAIM) if not _of_pod(entry.body.metadata)]
    kept = {(one.namespace, _REPLICA.sub("", one.ref.name)) for one in made}
    return (*made, *_of_sets(scene, kept), *_of_pods(scene))


def _of_pod(metadata: Metadata) -> bool:
    """Whether a pod made the claim; its workload stands for it."""
    return any(one.controller and one.kind == "Pod" for one in metadata.ownerReferences or ())


def _claim(entry: Entry, *, future: bool) -> Claim:
    return _read(
        ref(entry),
        decoded(entry.body.spec),
        entry.body.metadata.annotations or {},
        bound=text_of(decoded(entry.body.status), "phase") == "Bound",
        future=future,
    )


def _read(
    owner: ObjectRef, spec: Mapping[str, Any], marks: Mapping[str, Any], *, bound: bool = False, future: bool
) -> Claim:
    asked = marks.get(CLASS_ANNOTATION, spec.get("storageClassName"))
    origin = spec.get("dataSourceRef") or spec.get("dataSource")
    return Claim(
        ref=owner,
        namespace=owner.namespace,
        written=asked if isinstance(asked, str) else None,
        volume=text_of(spec, "volumeName"),
        bound=bound,
        origin=(text_of(origin, "kind"), text_of(origin, "namespace"), text_of(origin, "name")),
        future=future,
    )


def _of_template(owner: ObjectRef, template: object) -> Claim:
    """What a template of claims, as it stands in a StatefulSet or a pod, would claim."""
    value = template if isinstance(template, dict) else {}
    spec, metadata = value.get("spec"), value.get("metadata")
    marks = metadata.get("annotations") if isinstance(metadata, dict) else None
    return _read(owner, spec if isinstance(spec, dict) else {}, marks if isinstance(marks, dict) else {}, future=True)


def _of_sets(scene: Scene, kept: set[tuple[str, str]]) -> Iterator[Claim]:
    """What StatefulSets claim for replicas that have no claim yet; `kept` are claims there are, without number."""
    for entry in scene.of("StatefulSet"):
        templates = entry.body.spec.volumeClaimTemplates if entry.body.spec else None
        for template in templates or ():
            name = text_of(template.get("metadata"), "name")
            if (entry.namespace, f"{name}-{entry.name}") not in kept:
                yield _of_template(ref(entry), template)


def _of_pods(scene: Scene) -> Iterable[Claim]:
    """What pods claim for themselves, once for each workload and class."""
    inventory = scene.inventory
    found: dict[tuple[int, str | None], Claim] = {}
    for pod in inventory.endpoints:
        for volume in (pod.spec.volumes or ()) if pod.spec else ():
            if volume.ephemeral:
                template = volume.ephemeral.get("volumeClaimTemplate")
                claim = _of_template(inventory.workloads[pod.workload].ref, template)
                found.setdefault((pod.workload, claim.written), claim)
    return found.values()
