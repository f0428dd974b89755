"""EGR008: pods that several EgressIPs select."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.egress import ground, system
from audit.controls.egress_overlaps import Overlap, overlaps, unclear
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar

_NAMED = 5
"""Namespaces that a text names."""


@rule(
    "EGR008",
    "Several EgressIPs select the same pods",
    severity="medium",
    needs=("Namespace", "Pod", "EgressIP.k8s.ovn.org"),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/cm-6"),
)
def doubly_selected_egress(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: no pod of a zone is selected by more than one EgressIP.

    Why it matters: which object decides is not defined and may change with every restart. Where the addresses
    belong to different zones, the pods may leave as another zone.

    How to fix: narrow the selectors until one object selects each pod; the finding has the YAML.

    Limits: only OVN-Kubernetes has the kind. In a namespace without pods only objects that take all pods are compared.
    """
    if stop := context.barred(context.of(ground)):
        yield stop
        return
    if system(context.scene) != "ovn":
        yield NotApplicable("only OVN-Kubernetes has EgressIPs")
        return
    for one in context.of(overlaps):
        yield _finding(context, one)
    if names := context.of(unclear):
        yield NotEvaluated(f"which namespaces {names[0]} selects is not known: its selector, or labels, were not read")


def _finding(context: Context, one: Overlap) -> Finding:
    zone = context.matrix.zone(one.zone)
    names = ", ".join(one.namespaces[:_NAMED])
    more = f" and {len(one.namespaces) - _NAMED} more" if len(one.namespaces) > _NAMED else ""
    zones = [f"zone {name}" if name else "no zone" for name in one.address_zones]
    mixed = len(zones) > 1
    listed = ", ".join(map(scalar, one.namespaces[:_NAMED]))
    return Finding(
        title=f"{' and '.join(map(str, one.refs))} select the same pods of zone {one.zone}",
        subjects=one.refs,
        severity="high" if mixed else "medium",
        from_zone=one.zone,
        expected="one EgressIP selects a pod",
        observed=f"{len(one.refs)} EgressIPs select pods of namespace {names}{more}"
        + (f", with addresses of {' and '.join(zones)}" if mixed else ""),
        fix="Narrow the selectors until one of them selects each pod.\n\n"
        "spec:\n  namespaceSelector:\n    matchExpressions:\n"
        f"    - {{key: kubernetes.io/metadata.name, operator: NotIn, values: [{listed}]}}",
        owner=zone.owner if zone else "",
        identity=(one.zone,),
        counts={"pods": one.pods, "namespaces": len(one.namespaces)},
    )
