"""STO005: network volumes that pods bring along, past every quota."""

from __future__ import annotations

import json
import shlex
from collections.abc import Hashable, Iterator

from audit.controls.ownership_hosts import ENFORCE
from audit.controls.storage import CONSTRAINTS, Storage, storage
from audit.controls.storage_admission import Admitting, admitting, is_openshift
from audit.controls.storage_inline import Inline, inline_volumes
from audit.controls.storage_quotas import RUN_LEVEL
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, rule, together


@rule(
    "STO005",
    "Pods bring network volumes that no quota holds",
    severity="medium",
    needs=("Namespace", "Pod"),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def inline_volume(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: volumes in pods that name a server, an array or a CSI driver themselves, and who would let them.

    On OpenShift it looks for security context constraints with network volumes that service accounts of a zone may use,
    elsewhere for namespaces without Pod Security `restricted`. What is only possible counts as low; a volume on the
    backend of another zone as high.

    Why it matters: such a volume is no claim. It has no class and no quota counts it, so that a pod reaches whatever
    storage its node can reach.

    How to fix: replace the volume by a claim of the zone's own class; take network volumes out of
    the constraints with the command that the finding gives, or label the namespace.

    Limits: constraints that people may use, and not service accounts, are for the rules of ownership, and so is who
    holds every right. Other admission engines are not read. CSI drivers that are known to hand out certificates and
    secrets only are left out.
    """
    stored = context.of(storage)
    if stored.idle:
        yield NotApplicable(stored.idle)
        return
    yield from together(_brought(context, stored), _title_of_many)
    yield from (_admitted(context, one) for one in _by_gate(stored))
    if not context.inventory.endpoints and (lacking := context.missing("Pod")):
        yield lacking
    elif context.scene.cluster and is_openshift(context.scene) and context.scene.without(CONSTRAINTS):
        yield NotEvaluated("the input holds no SecurityContextConstraints, which say who may bring network volumes")


def _title_of_many(count: int, one: Finding) -> str:
    return f"{one.observed.partition(' ')[0]} volumes in pods of {count} namespaces of zone {one.from_zone}"


def _brought(context: Context, stored: Storage) -> Iterator[tuple[Hashable, Finding]]:
    for one in inline_volumes(stored):
        yield (one.field, one.backend.driver, one.owner), _inline(context, one)


def _inline(context: Context, one: Inline) -> Finding:
    zone, count = context.matrix.zone(one.zone), len(one.workloads)
    ends = ", ".join(sorted(map(str, one.backend.ends))) or "no server named"
    driver = one.field if one.backend.driver == one.field else f"{one.field} {one.backend.driver}"
    who = f"{one.workloads[0].kind} {one.workloads[0].name}" if count == 1 else f"{count} workloads"
    where = f" on a backend of zone {one.owner}" if one.owner else ""
    return Finding(
        title=f"{who} of namespace {one.namespace} bring{'s' if count == 1 else ''} {driver} volumes{where}",
        subjects=tuple(sorted(one.workloads)),
        severity="high" if one.owner else "medium",
        from_zone=one.zone,
        to_zone=one.owner,
        expected="volumes by claims of the zone's own classes",
        observed=f"{driver} volume, {ends}",
        fix="Replace the volume by a claim of the zone's own class.\n\n"
        f"kubectl get pods -n {shlex.quote(one.namespace)} -o jsonpath='{{.items[*].spec.volumes}}'",
        owner=zone.owner if zone else "",
        identity=(driver, *sorted(map(str, one.backend.ends))),
        counts={"workloads": count},
    )


def _by_gate(stored: Storage) -> list[list[Admitting]]:
    """What lets volumes in, once for all zones of one set of constraints; anything else zone by zone."""
    gates: dict[Hashable, list[Admitting]] = {}
    for one in admitting(stored):
        gates.setdefault(one.constraints or (one.zone, one.run_level), []).append(one)
    return list(gates.values())


def _admitted(context: Context, listed: list[Admitting]) -> Finding:
    constraints = listed[0].constraints
    return _by_constraints(constraints, listed) if constraints else _by_namespace(context, listed[0])


def _spaces(listed: list[Admitting]) -> tuple[int, str]:
    """How many namespaces, and in words."""
    count = sum(len(one.namespaces) for one in listed)
    return count, f"{count} namespace{'s' if count > 1 else ''} of zone {', '.join(one.zone for one in listed)}"


def _by_namespace(context: Context, one: Admitting) -> Finding:
    count, spaces = _spaces([one])
    name = shlex.quote(one.namespaces[0])
    label = f"kubectl label namespace {name} {ENFORCE}=restricted --overwrite"
    unlabel = f"oc label namespace {name} {RUN_LEVEL}-"
    return Finding(
        title=f"{'the run level' if one.run_level else 'Pod Security'} lets pods of {spaces} bring network volumes",
        subjects=tuple(context.namespace_ref(name) for name in one.namespaces),
        severity="low",
        from_zone=one.zone,
        expected="no run level" if one.run_level else f"{ENFORCE}: restricted, which allows no network volumes in pods",
        observed="constraints have no effect there" if one.run_level else "another level or none",
        fix=f"Take the run level off, or move the workloads out.\n\n{unlabel}"
        if one.run_level
        else f"Label each namespace once its pods fit the level.\n\n{label}",
        identity=("run-level" if one.run_level else "pod-security",),
        counts={"namespaces": count},
    )


def _by_constraints(constraints: ObjectRef, listed: list[Admitting]) -> Finding:
    count, spaces = _spaces(listed)
    harmless = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
    patch = shlex.quote(json.dumps({"volumes": harmless}))
    return Finding(
        title=f"constraints {constraints.name} let pods of {spaces} bring network volumes",
        subjects=(constraints,),
        severity="low",
        from_zone=listed[0].zone if len(listed) == 1 else "",
        expected="no network volumes for service accounts of a zone",
        observed=f"volumes {', '.join(listed[0].volumes)}; {', '.join(listed[0].namespaces[:3])}",
        fix="Take network volumes out of the constraints, or the service accounts off them. Constraints that the "
        "platform brings stay as they are: bind others.\n\n"
        f"oc patch scc {shlex.quote(constraints.name)} --type merge -p {patch}",
        identity=("constraints",),
        counts={"namespaces": count},
    )
