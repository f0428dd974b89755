"""CMP007: zones that ask for nodes of their own and have none, or whose nodes stand in another zone's network."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.node_isolation import NOT_ASKED, Isolation, isolation, shown
from audit.controls.node_labels import Astray, astray, unaddressed
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, Zone, rule


@rule(
    "CMP007",
    "Nodes of a zone are missing, or stand in another zone's network",
    severity="medium",
    needs=("Namespace", "Node"),
    undone_by=("Node",),
    controls=("nist-800-53r5/sc-7.21", "nist-800-53r5/cm-6", "iso-27001-2022/a.8.22"),
)
def zone_without_nodes(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that each zone with `requires: [node-isolation]` has nodes, and in no other zone's network.

    Why it matters: a zone without nodes shares those of others, whatever the matrix asks. An address of another zone
    says that label and cabling disagree about what the node is.

    How to fix: `oc label node NODE node-restriction.kubernetes.io/network-zone=ZONE`, or correct `select.nodes` and
    `cidrs` of the zone in the matrix.

    Limits: an address is evidence beside the label and weighs low, since nodes talk freely across zones. Zones
    without any member are ZON003, nodes that several zones claim ZON002.
    """
    ground = context.of(isolation)
    if not ground.asked:
        yield NotApplicable(NOT_ASKED)
        return
    if missing := context.missing("Node"):
        yield missing
        return
    yield from (_homeless(context, ground, zone) for zone in ground.homeless if any(ground.scene.members(zone.name)))
    yield from map(_astray, astray(ground))
    if nodes := unaddressed(ground):
        yield NotEvaluated(f"the input shows no internal address of nodes {shown(nodes)}")


def _homeless(context: Context, ground: Isolation, zone: Zone) -> Finding:
    members = [namespace.name for namespace in ground.scene.members(zone.name)]
    keys = context.matrix.settings.node_labels
    label = f"\n\nkubectl label node NODE {keys[0]}={zone.name}" if keys and zone.nodes is None else ""
    return Finding(
        title=f"zone {zone.name} asks for nodes of its own and has none",
        subjects=(ObjectRef("Zone", "", zone.name),),
        to_zone=zone.name,
        expected="nodes that the zone claims by label, selector or address",
        observed=f"no node; namespaces {shown(members)}",
        fix=f"Label the nodes of the zone, or correct its selector in the matrix.{label}",
        owner=zone.owner,
        counts={"namespaces": len(members)},
    )


def _astray(one: Astray) -> Finding:
    return Finding(
        title=f"nodes of zone {one.zone.name} have addresses of zone {one.other}",
        subjects=tuple(ObjectRef("Node", "", name) for name in one.nodes),
        severity="low",
        from_zone=one.other,
        to_zone=one.zone.name,
        expected=f"addresses outside the networks of zone {one.other}",
        observed=f"nodes {shown(one.nodes)}",
        fix=f"Move the nodes to the network of zone {one.zone.name}, or correct their label or `cidrs` in the matrix.",
        identity=("address",),
        owner=one.zone.owner,
        counts={"nodes": len(one.nodes)},
    )
