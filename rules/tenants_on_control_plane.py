"""CMP006: applications that may run beside the API server."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.node_isolation import NOT_ASKED, Isolation, isolation, shown
from audit.controls.node_strangers import masters_schedulable, shared_control_plane
from audit.controls.project_selectors import SCHEDULER
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, rule


@rule(
    "CMP006",
    "Applications may run on control-plane nodes",
    severity="medium",
    needs=("Namespace", "Node"),
    undone_by=(SCHEDULER,),
    controls=("nist-800-53r5/sc-7.21", "nist-800-53r5/cm-6", "iso-27001-2022/a.8.22"),
)
def tenants_on_control_plane(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that applications cannot run on the control plane, where a zone has `requires: [node-isolation]`.

    Its nodes carry a taint, or are cordoned, or the node selector of every namespace with applications leads elsewhere.

    Why it matters: who breaks out of a pod there holds the keys of all zones at once.

    How to fix: `oc patch scheduler cluster --type merge -p '{"spec":{"mastersSchedulable":false}}'` on OpenShift 4,
    `kubectl taint nodes NODE node-role.kubernetes.io/control-plane:NoSchedule` elsewhere, then restart what runs there.

    Limits: nodes are known by the role `control-plane` or `master`; a control plane that is hosted elsewhere shows
    none. Pods that tolerate the taint of the control plane on purpose are a matter of the whitelist of tolerations.
    """
    ground = context.of(isolation)
    if not ground.asked:
        yield NotApplicable(NOT_ASKED)
    elif missing := context.missing("Node"):
        yield missing
    else:
        yield from _findings(context, ground)


def _findings(context: Context, ground: Isolation) -> Iterator[Finding]:
    found = shared_control_plane(ground)
    if found is None:
        return
    schedulable = masters_schedulable(ground)
    nodes = tuple(context.inventory.nodes[name].ref for name in found.nodes)
    title = "applications may run on nodes of the control plane"
    yield Finding(
        title=f"nobody can tell whether {title}" if found.doubts else title,
        subjects=(ObjectRef("Scheduler", "", "cluster"),) if schedulable else nodes,
        verdict="not-evaluated" if found.doubts else "fail",
        expected="a taint, or node selectors that lead elsewhere",
        observed=f"nodes {shown(found.nodes)} are open to namespaces {shown(found.namespaces)}"
        + ("; mastersSchedulable of the Scheduler is true" if schedulable else ""),
        reason="; ".join(found.doubts),
        fix=_fix(found.nodes, schedulable=schedulable),
        counts={"nodes": len(found.nodes), "namespaces": len(found.namespaces)},
    )


def _fix(nodes: tuple[str, ...], *, schedulable: bool) -> str:
    if schedulable:
        patch = """oc patch scheduler cluster --type merge -p '{"spec":{"mastersSchedulable":false}}'"""
        return f"Keep applications off the control plane, once other nodes can take them.\n\n{patch}"
    taint = "node-role.kubernetes.io/control-plane:NoSchedule"
    return f"Taint the nodes of the control plane.\n\nkubectl taint nodes {' '.join(nodes[:8])} {taint}"
