"""EGR006: nodes outside a zone that may come to serve its egress addresses."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from audit.controls.egress import served_ground, system
from audit.controls.egress_nodes import Strangers, foreign_candidates
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

_NAMED = 5
"""Nodes that a text names; the finding lists them all."""


@rule(
    "EGR006",
    "Egress address may move to a node outside its zone",
    severity="low",
    needs=(
        "Namespace",
        "Node",
        "EgressIP.k8s.ovn.org",
        "NetNamespace.network.openshift.io",
        "HostSubnet.network.openshift.io",
    ),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/cm-6"),
)
def eligible_foreign_node(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: no node outside a zone is eligible for the zone's egress addresses.

    An EgressIP has no node selector. Every node with the label `k8s.ovn.org/egress-assignable` and an interface in the
    network of the address may get it; on openshift-sdn every node whose HostSubnet has it in `egressCIDRs`.

    Why it matters: it works today and stops to work without a change: after a failure or an update the address
    moves, and the traffic of the zone leaves through a node of another one.

    How to fix: give each zone egress addresses of a network that only its own nodes have an interface in, or run the
    `oc` command of the finding.

    Limits: without the annotations that tell the networks of a node, it is undecided. Nodes that serve addresses of the
    zone already are EGR003.
    """
    if stop := context.barred(context.of(served_ground)):
        yield stop
        return
    found = context.of(foreign_candidates)
    for one in found:
        if one.certain:
            yield _finding(context, one)
    if unsure := sorted({node for one in found if not one.certain for node in one.nodes}):
        more = f" and {len(unsure) - 1} more" if len(unsure) > 1 else ""
        yield NotEvaluated(f"the input does not tell the networks, or the zone, of egress node {unsure[0]}{more}")


def _finding(context: Context, one: Strangers) -> Finding:
    zone = context.matrix.zone(one.zone)
    refs = tuple(node.ref for name in one.nodes if (node := context.inventory.nodes.get(name)))
    named = ", ".join(one.nodes[:_NAMED]) + (f" and {len(one.nodes) - _NAMED} more" if len(one.nodes) > _NAMED else "")
    nodes = f"node {named}" if len(one.nodes) == 1 else f"nodes {named}"
    return Finding(
        title=f"{nodes} outside zone {one.zone} may come to serve its egress addresses",
        subjects=refs or tuple(grant.ref for grant in one.grants),
        from_zone=one.zone,
        expected=f"only nodes of zone {one.zone} are eligible",
        observed=f"{nodes} may take addresses of {one.grants[0].ref}"
        + (f" and {len(one.grants) - 1} more" if len(one.grants) > 1 else ""),
        fix=_fix(context, one),
        owner=zone.owner if zone else "",
        identity=(one.zone,),
        counts={"nodes": len(one.nodes), "objects": len(one.grants)},
    )


def _fix(context: Context, one: Strangers) -> str:
    start = f"Give zone {one.zone} egress addresses of a network that only its own nodes have an interface in"
    if system(context.scene) == "sdn":
        lines = "\n".join(f"oc edit hostsubnet {shlex.quote(name)}" for name in one.nodes[:_NAMED])
        return f"Take the blocks of zone {one.zone} out of `egressCIDRs` of nodes that are not its own.\n\n{lines}"
    names = " ".join(shlex.quote(name) for name in one.nodes[:_NAMED])
    return f"{start}, or take the label from the others.\n\noc label node {names} k8s.ovn.org/egress-assignable-"
