"""CMP002: pods of two zones on one node, where a zone asks for nodes of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audit.controls.node_isolation import NOT_ASKED, isolation, shown
from audit.controls.node_sharing import Misplaced, Unlocated, misplaced
from audit.rule import UNZONED, Context, Finding, NotApplicable, NotEvaluated, ObjectRef, rule, together


@rule(
    "CMP002",
    "Pods run on nodes of another zone",
    severity="high",
    needs=("Namespace", "Node", "Pod"),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def pod_on_foreign_node(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that pods of a zone with `requires: [node-isolation]` and others share no node.

    Pods of the zone on other nodes count, and so do pods of other zones, or of none, on its nodes. Static pods and
    DaemonSets of the platform are left aside.

    Why it matters: pods of one node share its kernel, its disks and its address. A pod is never moved when the selector
    of its namespace or the label of its node changes, so the wrong place can outlive the right settings.

    How to fix: set the project node selector (CMP001), then restart what runs elsewhere, for example with
    `oc rollout restart deployment/NAME -n NAMESPACE`.

    Limits: nodes that several zones claim are ZON002. Pods of the platform on nodes of a zone are not reported, nor are
    the DaemonSets of namespaces that belong to no zone (ZON001).
    """
    ground = context.of(isolation)
    if not ground.asked:
        yield NotApplicable(NOT_ASKED)
        return
    if missing := context.missing("Node", "Pod"):
        yield missing
        return
    wrong, unknown = misplaced(ground)
    found = (((one.node_zone, "wrong"), _finding(context, one)) for one in wrong)
    yield from together(found, lambda n, first: _title(f"{n} namespaces", first.from_zone, first.to_zone))
    lost = (((one.node, "lost"), _unknown(context, one)) for one in unknown)
    yield from together(lost, lambda n, _: f"nobody can tell where pods of {n} namespaces run")


def _finding(context: Context, one: Misplaced) -> Finding:
    zone = context.matrix.zone(one.zone) or context.matrix.zone(one.node_zone)
    subjects = _workloads(context, one.workloads)
    return Finding(
        title=_title(f"namespace {one.namespace}", one.zone, one.node_zone),
        subjects=subjects,
        from_zone=one.zone,
        to_zone=one.node_zone,
        expected=f"nodes of zone {one.zone}" if one.zone != UNZONED else f"no node of zone {one.node_zone}",
        observed=f"{one.pods} on {shown(one.nodes)}",
        fix=f"Set the project node selector of the namespace, then restart its workloads.\n\n{_restart(subjects)}",
        owner=zone.owner if zone else "",
        counts={"pods": one.pods, "nodes": len(one.nodes)},
    )


def _title(whose: str, zone: str, node_zone: str) -> str:
    return f"pods of {whose} ({_zone(zone)}) run on nodes of {_zone(node_zone)}"


def _zone(name: str) -> str:
    return "no zone" if name == UNZONED else f"zone {name}"


def _unknown(context: Context, one: Unlocated) -> Finding:
    zone = context.matrix.zone(one.zone)
    where = f"node {one.node}, which the input does not hold" if one.node else "a node that the input does not name"
    return Finding(
        title=f"nobody can tell where pods of namespace {one.namespace} run",
        subjects=_workloads(context, one.workloads),
        verdict="not-evaluated",
        to_zone=one.zone,
        expected=f"nodes of zone {one.zone}",
        observed=f"they run on {where}",
        reason=f"pods run on {where}",
        identity=("unknown",),
        owner=zone.owner if zone else "",
    )


def _workloads(context: Context, numbers: Iterable[int]) -> tuple[ObjectRef, ...]:
    return tuple(sorted(context.inventory.workloads[number].ref for number in numbers))


def _restart(subjects: tuple[ObjectRef, ...]) -> str:
    first = subjects[0]
    if first.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        return f"kubectl rollout restart {first.kind.lower()}/{first.name} -n {first.namespace}"
    if first.kind == "DeploymentConfig":
        return f"oc rollout latest dc/{first.name} -n {first.namespace}"
    return f"kubectl get pods -o wide -n {first.namespace}"
