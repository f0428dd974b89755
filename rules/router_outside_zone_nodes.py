"""ING004: routers on nodes outside their zone, or free to move there."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.inbound import Gate, inbound
from audit.controls.inbound_places import Standing, standings
from audit.controls.sharding import blind
from audit.controls.sharding_remedy import placed
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

_NAMED = 8
"""Nodes that the text of a finding names."""


@rule(
    "ING004",
    "Router runs on nodes outside its zone",
    severity="medium",
    needs=("Namespace", "Node", "Pod", "IngressController.operator.openshift.io"),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def router_outside_zone_nodes(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: that the pods of a zone's router run on nodes of the zone, and can run nowhere else.

    Weak is a router that stands right today although its node selector, affinity and tolerations admit other nodes.

    Why it matters: traffic from outside enters the cluster at the router's node. On a node of another network it passes
    that network first, and the firewall between the zones never sees it.

    How to fix: give the router the node placement that the finding holds, with `oc apply --server-side`, or with the
    `oc patch` command of the finding for other workloads, and taint the nodes if they are for routers only.

    Limits: where routers may stand with other nodes and only their address belongs to the zone, say
    `settings.router_nodes: shared` in zones.yaml; then this rule does not apply and ING006 judges the address. It
    looks at the nodes there are, not at nodes to come.
    """
    found = context.of(inbound)
    if context.matrix.settings.router_nodes == "shared":
        yield NotApplicable("settings.router_nodes says that routers may stand with other nodes")
        return
    if reason := blind(context.scene, found):
        yield NotEvaluated(reason) if context.scene.cluster else NotApplicable(reason)
        return
    if not any(found.of_zones()):
        yield NotApplicable("no router belongs to a zone")
        return
    if missing := context.missing("Node"):
        yield missing
        return
    zones = {zone.name for zone in context.scene.zones}
    if zones.isdisjoint(member.zone for member in context.zone_map.nodes.values()):
        yield NotEvaluated("no node belongs to a zone: label the nodes, or set settings.router_nodes to `shared`")
        return
    for one in standings(context.scene, found):
        yield from _judged(context, one)


def _judged(context: Context, one: Standing) -> Iterator[Finding]:
    gate = one.gate
    if one.outside:
        title = f"{gate} of zone {gate.zone} runs on nodes outside the zone"
        yield _finding(context, gate, title, f"on {_listed(one.outside)}")
    elif one.placeless or not one.pods:
        yield Finding(
            title=f"nobody knows where {gate} of zone {gate.zone} runs",
            subjects=(gate.ref,),
            verdict="not-evaluated",
            to_zone=gate.zone,
            fix="Add the pods of the router and their nodes to the input.",
            reason="its pods are not in the input" if not one.pods else f"{one.placeless} pods without a known node",
        )
    elif one.roaming:
        title = f"{gate} of zone {gate.zone} is not bound to nodes of the zone"
        yield _finding(context, gate, title, f"it may be scheduled to {_listed(one.roaming)}", weak=True)


def _finding(context: Context, gate: Gate, title: str, observed: str, *, weak: bool = False) -> Finding:
    zone = context.matrix.zone(gate.zone)
    yaml = placed(context.scene, gate)
    return Finding(
        title=title,
        subjects=(gate.ref,),
        severity="low" if weak else None,
        to_zone=gate.zone,
        expected=f"nodes of zone {gate.zone} only",
        observed=observed,
        fix=f"Place it on nodes of zone {gate.zone}." + (f"\n\n{yaml}" if yaml else ""),
        owner=zone.owner if zone else "",
    )


def _listed(nodes: tuple[str, ...]) -> str:
    more = len(nodes) - _NAMED
    return ", ".join([*nodes[:_NAMED], *([f"and {more} more"] if more > 0 else [])])
