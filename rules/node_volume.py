"""STO007: data of a zone on the disks of nodes."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterator

from audit.controls.storage import Storage, storage
from audit.controls.storage_inline import Inline, node_volumes
from audit.controls.storage_volumes import VOLUME
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together

_SHOWN = 5


@rule(
    "STO007",
    "Zone keeps data on the disks of nodes",
    severity="medium",
    needs=("Namespace", VOLUME, "Pod"),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def node_volume(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: hostPath volumes in pods of a zone, and volumes of the sorts hostPath and local that it claims.

    It counts as low where the zone requires node isolation, because then the nodes are its own.

    Why it matters: what is written to a node stays there, for every pod that comes to this node later and can read the
    path. A zone without nodes of its own shares them with others.

    How to fix: replace the volume by a claim of the zone's own class, or require node isolation for the zone; the
    command that the finding gives shows the volumes.

    Limits: whether node isolation holds is for the rules of compute isolation. What is at the path is not known: logs
    and sockets of the host count alike.
    """
    stored = context.of(storage)
    if stored.idle:
        yield NotApplicable(stored.idle)
        return
    yield from together(_each(context, stored), _title_of_many)
    if not context.inventory.endpoints:
        lacking = context.missing("Pod", VOLUME)
    else:
        bound = context.scene.cluster and any(claim.volume for claim in stored.claims)
        lacking = context.missing(VOLUME) if bound else None
    if lacking:
        yield lacking


def _title_of_many(count: int, one: Finding) -> str:
    return f"{one.observed.partition(' ')[0]} volumes in {count} namespaces of zone {one.from_zone}"


def _each(context: Context, stored: Storage) -> Iterator[tuple[Hashable, Finding]]:
    for one in node_volumes(stored):
        yield one.field, _finding(context, one)


def _finding(context: Context, one: Inline) -> Finding:
    zone, count = context.matrix.zone(one.zone), len(one.workloads)
    isolated = zone is not None and "node-isolation" in zone.requires
    return Finding(
        title=f"{one.field} volumes in namespace {one.namespace}",
        subjects=tuple(sorted(one.workloads)),
        severity="low" if isolated else "medium",
        from_zone=one.zone,
        expected="volumes outside the nodes" if not isolated else "volumes that outlive and leave the node",
        observed=f"{one.field} volumes of {', '.join(map(str, sorted(one.workloads)[:_SHOWN]))}"
        + ("" if isolated else f"; zone {one.zone} requires no node isolation"),
        fix="Replace the volume by a claim of the zone's own class, or require node isolation for the zone.\n\n"
        f"kubectl get pods -n {shlex.quote(one.namespace)} -o jsonpath='{{.items[*].spec.volumes}}'",
        owner=zone.owner if zone else "",
        identity=(one.field,),
        counts={"objects": count},
    )
