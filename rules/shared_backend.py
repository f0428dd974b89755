"""STO006: storage of different zones on one backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.controls.storage import Storage, storage
from audit.controls.storage_classes import STORAGE_CLASS
from audit.controls.storage_sharing import Opaque, Shared, doubly_owned, holders, opaque, shared
from audit.controls.storage_volumes import VOLUME
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, rule, scalar

_SHOWN = 5


@rule(
    "STO006",
    "Zones share a storage backend",
    severity="high",
    needs=(VOLUME, STORAGE_CLASS),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def shared_backend(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: where the classes and volumes of each zone lead: server, portals, monitors, array, datastore.

    Two zones share a backend where these have anything in common, where it stands at an address of the other zone, or
    where the matrix gives one class to both.

    Why it matters: the nodes mount the backend for both zones. Whoever breaks it, or whoever administers it for one
    zone, has the data of the other, and no network policy stands between.

    How to fix: give each zone a backend and a class of its own, as in the YAML that the finding gives, and move the
    volumes; where one array with strict tenants is accepted, approve that as an exception.

    Limits: volumes of which only a handle is known are not evaluated, once for each driver. A server
    that goes by a name here and by an address there is not recognised, nor one array behind two drivers.
    """
    stored = context.of(storage)
    if stored.idle:
        yield NotApplicable(stored.idle)
        return
    if stored.undeclared:
        yield NotEvaluated(stored.undeclared)
        return
    yield from (_doubly(stored, *one) for one in doubly_owned(stored))
    held = holders(stored)
    yield from (_shared(context, stored, one) for one in shared(stored, held))
    yield from map(_opaque, opaque(stored, held))
    if lacking := context.missing(VOLUME, STORAGE_CLASS):
        yield lacking


def _doubly(stored: Storage, ref: ObjectRef, zones: Sequence[str]) -> Finding:
    listed = ", ".join(zones)
    return Finding(
        title=f"the matrix gives storage class {ref.name} to zones {listed}",
        subjects=(ref,),
        from_zone=zones[0],
        to_zone=zones[1],
        expected="a class of its own for each zone",
        observed=f"`select.storageClasses` of zones {listed}",
        fix=_fix(stored, ref.name, zones[1]),
        identity=("two-zones",),
    )


def _shared(context: Context, stored: Storage, one: Shared) -> Finding:
    ends, zones = _few(one.ends), ", ".join(one.zones)
    by_address = f"; its address is one of zone {', '.join(one.addressed)}" if one.addressed else ""
    zone = context.matrix.zone(one.zones[0])
    return Finding(
        title=f"zones {zones} share the storage backend {ends}",
        subjects=one.subjects,
        from_zone=one.zones[0] if len(one.zones) == len(("a", "b")) else "",
        to_zone=one.zones[1] if len(one.zones) == len(("a", "b")) else "",
        expected="a backend for each zone",
        observed=f"{_few([str(ref) for ref in one.subjects])} lead to {ends}{by_address}",
        fix=_fix(stored, one.subjects[-1].name, one.zones[-1]),
        owner=zone.owner if zone else "",
        identity=one.ends,
        counts={"objects": len(one.subjects)},
    )


def _opaque(one: Opaque) -> Finding:
    zones = ", ".join(one.zones)
    return Finding(
        title=f"nobody can tell whether {one.driver} keeps zones {zones} apart",
        subjects=one.subjects,
        verdict="not-evaluated",
        reason=f"nothing says on which backend {_few([str(ref) for ref in one.subjects])} lie",
        expected="a backend for each zone",
        observed="handles of volumes only",
        fix="Have the administrator of the storage confirm a backend for each zone, or name it in the parameters.",
        identity=(one.driver,),
        counts={"objects": len(one.subjects)},
    )


def _fix(stored: Storage, name: str, zone: str) -> str:
    """A class for the zone with the same provisioner, its backend left open."""
    known = stored.classes.known.get(name)
    provisioner = known.provisioner if known else "kubernetes.io/no-provisioner"
    return "\n".join((
        f"Give zone {zone} a backend of its own and a class that leads there, then move its volumes.",
        "",
        "apiVersion: storage.k8s.io/v1",
        "kind: StorageClass",
        f"metadata: {{name: {scalar(f'{zone}-own')}}}",
        f"provisioner: {scalar(provisioner)}",
        f"parameters: {{}} # the backend of zone {scalar(zone)}",
        "reclaimPolicy: Delete",
        "volumeBindingMode: WaitForFirstConsumer",
    ))  # fmt: skip


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
