"""ZON003: zones of the matrix that the cluster does not have."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Context, Finding, ObjectRef, rule


@rule(
    "ZON003",
    "Zone of the matrix has no members",
    severity="low",
    needs=("Namespace", "Node"),
    undone_by=("Node",),
    controls=("nist-800-53r5/cm-6", "pci-dss-4.0.1/1.2.7"),
)
def zone_without_members(context: Context) -> Iterator[Finding]:
    """What it checks: that each zone of the matrix has a namespace, a node or an address.

    Why it matters: its rows are judged over nothing. The label may be misspelt in the matrix, or the zone may be gone
    and its permissions left behind.

    How to fix: correct the selector or the label of the zone, or remove the zone and its rows.

    Limits: among manifests alone a zone may live elsewhere, so there it is information only.
    """
    taken = {membership.zone for membership in context.zone_map.namespaces.values()}
    taken |= {membership.zone for membership in context.zone_map.nodes.values()}
    taken |= {zone for zone, addresses in context.zone_map.addresses if addresses}
    for zone in context.matrix.zones:
        if zone.name not in taken:
            yield Finding(
                title=f"zone {zone.name} has no members",
                subjects=(ObjectRef("Zone", "", zone.name),),
                severity="low" if context.live and zone.kind == "cluster" else "info",
                to_zone=zone.name,
                expected="a namespace, a node or an address",
                observed="nothing",
                fix="Correct the selector of the zone, or remove the zone and its rows from the matrix.",
                owner=zone.owner,
            )
