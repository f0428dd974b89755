"""EGR003: egress addresses that a node outside the zone serves."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from audit.controls.egress import served_ground, system
from audit.controls.egress_nodes import Strangers, foreign_servers, untold
from audit.rule import UNZONED, Context, Finding, NotApplicable, NotEvaluated, ObjectRef, rule

_NAMED = 5
"""Objects that a text names; the finding lists them all."""


@rule(
    "EGR003",
    "Egress address is served by a node outside its zone",
    severity="high",
    needs=("Namespace", "Node", "EgressIP.k8s.ovn.org", "NetNamespace.network.openshift.io"),
    controls=("nist-800-53r5/sc-7", "pci-dss-4.0.1/1.3.2", "iso-27001-2022/a.8.22"),
)
def foreign_egress_node(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: the nodes that serve the egress addresses of a zone belong to the zone.

    Why it matters: the traffic of the zone leaves through a machine of another zone, past the firewall that
    stands before its own, and whoever holds that machine sees and may forge it.

    How to fix: run the `oc` command of the finding, so that nodes of the zone serve its addresses.

    Limits: where no node of the input belongs to the zone and nobody claims the node, it cannot be told. Nodes that
    could serve the addresses and do not are EGR006.
    """
    if stop := context.barred(context.of(served_ground)):
        yield stop
        return
    for one in context.of(foreign_servers):
        yield _finding(context, one)
    if unknown := context.of(untold):
        yield NotEvaluated(f"which nodes serve the addresses of {unknown[0].ref} is not known")


def _finding(context: Context, one: Strangers) -> Finding:
    node, zone = one.nodes[0], context.matrix.zone(one.zone)
    other = context.scene.node_zone(node)
    of = "no zone" if other == UNZONED else f"zone {other}"
    addresses = [each.text for grant in one.grants for each in grant.addresses if each.node == node]
    known = context.inventory.nodes.get(node)
    refs = tuple(grant.ref for grant in one.grants)
    if system(context.scene) == "sdn":  # where the HostSubnet decides, and NetNamespaces are many
        refs = (ObjectRef("HostSubnet", "", node),)
    return Finding(
        title=f"node {node} of {of} serves egress addresses of zone {one.zone}"
        if one.certain
        else f"node {node} serves egress addresses of zone {one.zone}, and no node is known to belong to the zone",
        subjects=(*((known.ref,) if known else ()), *refs),
        verdict="fail" if one.certain else "not-evaluated",
        severity="high" if other in {each.name for each in context.scene.zones} else "medium",
        from_zone=one.zone,
        expected=f"nodes of zone {one.zone} serve them",
        observed=f"node {node} of {of} serves {', '.join(addresses[:_NAMED])}"
        + (f" and {len(addresses) - _NAMED} more" if len(addresses) > _NAMED else ""),
        fix=_fix(context, node, one.zone),
        owner=zone.owner if zone else "",
        reason="" if one.certain else f"no node of the input belongs to zone {one.zone}",
        identity=(node,),
        counts={"addresses": len(addresses), "objects": len(one.grants)},
    )


def _fix(context: Context, node: str, zone: str) -> str:
    if system(context.scene) == "sdn":
        return (
            f"Take the addresses from HostSubnet {node} and list them on nodes of zone {zone}.\n\n"
            f"oc edit hostsubnet {shlex.quote(node)}"
        )
    return (
        f"Have nodes of zone {zone} alone serve addresses: keep the label from {node}, or give the zone addresses of a "
        f"network that {node} has no interface in.\n\n"
        f"oc label node {shlex.quote(node)} k8s.ovn.org/egress-assignable-"
    )
