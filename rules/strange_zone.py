"""ZON008: zones that the matrix does not know, and namespaces of the platform that are used like others."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.governance import (
    RUN_LEVEL,
    StrangeZone,
    captured_platform,
    run_level,
    strange_zones,
    tenants_on_platform,
)
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, is_platform, rule, scalar

_NAMED = 5
"""Workloads that a finding spells out."""


@rule(
    "ZON008",
    "The cluster has zones, or tenants on the ground of the platform, that the matrix does not know",
    severity="medium",
    needs=("Namespace", "Node", "Pod"),
    controls=("nist-800-53r5/cm-8", "nist-800-53r5/sc-7", "pci-dss-4.0.1/12.5.2", "iso-27001-2022/a.8.22"),
)
def strange_zone(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: zone labels of nodes that name no zone of the matrix, and tenants on the ground of the platform.

    These are namespaces of the platform that a label puts into a zone of applications, and workloads of users in
    `default` and other namespaces of the platform, or in namespaces that run at the platform's own level.

    Why it matters: what the matrix does not name, no row judges. A namespace of the platform that counts as part of a
    zone lends that zone its rights, and a tenant's pod among the platform's is taken for one of them.

    How to fix: add the zone to the matrix, or correct the label (`oc label node NAME network-zone=ZONE --overwrite`);
    move workloads to a namespace of their zone.

    Limits: nodes that several zones share may carry a name of their own, which counts as low unless namespaces
    carry it too. Labels of namespaces that name no zone are ZON001. In namespaces such as `kube-system` nobody can
    tell the platform's workloads from others.
    """
    yield from (_strange(context, one) for one in context.of(strange_zones))
    yield from (_captured(context, *one) for one in context.of(captured_platform))
    if missing := context.missing("Node"):
        yield missing
        return
    if not context.inventory.workloads and (missing := context.missing("Pod")):
        yield missing
    for name, workloads in context.of(tenants_on_platform).items():
        yield _tenants(context, name, workloads)


def _strange(context: Context, one: StrangeZone) -> Finding:
    key, _, value = one.label.partition("=")
    spaces = f", and so do namespaces {', '.join(one.namespaces)}" if one.namespaces else ""
    return Finding(
        title=f"nodes are labelled {one.label}, and the matrix has no zone {value}",
        subjects=one.nodes,
        severity="medium" if one.namespaces else "low",
        expected=f"one of the zones {', '.join(zone.name for zone in context.scene.zones)}",
        observed=f"{len(one.nodes)} {'node carries' if len(one.nodes) == 1 else 'nodes carry'} {one.label}{spaces}",
        fix="Add the zone to the matrix, or correct the label."
        f"\n\noc label node {' '.join(scalar(node.name) for node in one.nodes[:8])} {scalar(key)}=ZONE --overwrite",
        identity=(one.label,),
        counts={"nodes": len(one.nodes)},
    )


def _captured(context: Context, name: str, zone: str, label: str) -> Finding:
    declared = context.matrix.zone(zone)
    return Finding(
        title=f"namespace {name} of the platform carries the label of zone {zone}",
        subjects=(context.namespace_ref(name),),
        to_zone=zone,
        expected="it belongs to the platform",
        observed=f"label {label} makes it a part of zone {zone}",
        fix=f"Remove the label.\n\noc label namespace {scalar(name)} {scalar(label.partition('=')[0])}-",
        owner=declared.owner if declared else "",
        identity=(label,),
    )


def _tenants(context: Context, name: str, workloads: tuple[ObjectRef, ...]) -> Finding:
    count = f"{len(workloads)} workload" + ("s" if len(workloads) > 1 else "")
    fix = "Move what users run to a namespace of its zone."
    if not is_platform(name):
        fix = f"Remove the run level.\n\noc label namespace {scalar(name)} {RUN_LEVEL}-"
    return Finding(
        title=f"{count} of users in namespace {name}, which belongs to no zone of applications",
        subjects=(context.namespace_ref(name),),
        expected="workloads of users stand in namespaces of their zone",
        observed=f"{', '.join(f'{one.kind} {one.name}' for one in workloads[:_NAMED])}"
        + (f" and {len(workloads) - _NAMED} more" if len(workloads) > _NAMED else "")
        + ("" if is_platform(name) else f"; {RUN_LEVEL} is {run_level(context.scene, name)}"),
        fix=fix,
        counts={"workloads": len(workloads)},
    )
