"""STO008: copies that carry data of one zone into another."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from audit.controls.storage import SNAPSHOT, SNAPSHOT_CONTENT, storage
from audit.controls.storage_copies import Carried, Imported, Kept, carried, imported, kept
from audit.controls.storage_volumes import CLAIM, VOLUME
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule


@rule(
    "STO008",
    "Copy carries data of one zone into another",
    severity="high",
    needs=(CLAIM, "Namespace", VOLUME, SNAPSHOT_CONTENT),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/ac-4.21", "iso-27001-2022/a.8.22"),
)
def carried_data(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: snapshots and claims made of data of another zone, and volumes that outlive their claim.

    A snapshot belongs to the namespace of its VolumeSnapshot, its data to the zone of the volume that it
    was made of. Volumes that are released and kept count as low.

    Why it matters: a snapshot or a clone is the whole data set, and neither network policy nor a quota of a class
    sees it go. A released volume keeps its data for whoever gets it next.

    How to fix: delete what was carried with the command that the finding gives, and take the right to create
    VolumeSnapshotContents away from everybody but the storage administrators; wipe or delete released volumes.

    Limits: a snapshot that was written down by handle, and whose volume and other snapshots are not in the input, has
    an unknown origin and is not evaluated. Copies that programs make are not seen.
    """
    stored = context.of(storage)
    if stored.idle:
        yield NotApplicable(stored.idle)
        return
    yield from (_carried(context, one) for one in carried(stored))
    yield from map(_imported, imported(stored))
    yield from (_kept(context, one) for one in kept(stored))
    if lacking := context.missing(CLAIM, VOLUME, *((SNAPSHOT_CONTENT,) if any(context.scene.of(SNAPSHOT)) else ())):
        yield lacking


def _carried(context: Context, one: Carried) -> Finding:
    zone, first, count = context.matrix.zone(one.target), one.refs[0], len(one.refs)
    inside = f"-n {shlex.quote(first.namespace)} " if first.namespace else ""
    who = f"{one.what} {first.name} carries" if count == 1 else f"{count} {one.what}s carry"
    return Finding(
        title=f"{who} data of zone {one.source} into namespace {one.namespace} of zone {one.target}",
        subjects=one.refs,
        from_zone=one.source,
        to_zone=one.target,
        expected=f"copies of zone {one.source} stay there",
        observed=f"made of {', '.join(one.origins[:3])}",
        fix="Delete it and what was filled from it, once nobody needs the data.\n\n"
        f"kubectl delete {first.kind.lower()} {inside}{shlex.quote(first.name)}",
        owner=zone.owner if zone else "",
        identity=(one.what, one.namespace),
        counts={"objects": count},
    )


def _imported(one: Imported) -> Finding:
    count = len(one.contents)
    return Finding(
        title=f"{count} snapshot{'s' if count > 1 else ''} of unknown origin in zone {one.zone}",
        subjects=one.contents,
        verdict="not-evaluated",
        reason="somebody wrote them down by handle, and nothing in the input says of which volume they were made",
        to_zone=one.zone,
        expected="snapshots of volumes of the zone",
        observed=", ".join(str(ref) for ref in one.contents[:3]),
        fix="Have the administrator of the storage confirm which volumes they were made of.",
        identity=("unknown-origin",),
        counts={"snapshots": count},
    )


def _kept(context: Context, one: Kept) -> Finding:
    zone, count = context.matrix.zone(one.zone), len(one.volumes)
    return Finding(
        title=f"{count} released volume{'s' if count > 1 else ''} of zone {one.zone} "
        f"{'keep' if count > 1 else 'keeps'} {'their' if count > 1 else 'its'} data",
        subjects=one.volumes,
        severity="low",
        from_zone=one.zone,
        expected="volumes go, or are wiped, with their claim",
        observed="reclaim policy Retain, phase Released: once the claimRef is cleared, any namespace can bind it",
        fix="Delete the volumes and their data at the storage, or wipe them.\n\n"
        f"kubectl delete pv {shlex.quote(one.volumes[0].name)}",
        owner=zone.owner if zone else "",
        identity=("released",),
        counts={"volumes": count},
    )
