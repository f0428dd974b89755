"""TOP005: the firewall between the nodes of different zones, which somebody has to confirm."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.topology import zoned_nodes
from audit.rule import Context, Manual, NotApplicable, rule


@rule(
    "TOP005",
    "Nobody has confirmed that the firewall lets the nodes of different zones reach each other",
    severity="info",
    needs=("Node",),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/cm-6", "pci-dss-4.0.1/1.2.5", "iso-27001-2022/a.8.20"),
)
def unconfirmed_node_firewall(context: Context) -> Iterator[Manual | NotApplicable]:
    """What it checks: nothing by itself; it asks a person to confirm the firewall between nodes of several zones.

    Why it matters: several zones on one cluster rest on nodes that talk freely with each other. What a firewall in
    between drops shows as faults of the platform that nobody traces back to it; what it passes beyond the need is a way
    past the zones.

    How to fix: compare the rules of the firewall with the list of the cluster:
    `zone-audit ports SNAPSHOT --zones zones.yaml --firewall rules.csv` says what is missing and what is too much.

    Limits: no snapshot of a cluster shows the firewall in front of its nodes. What did get cut may show in TOP004.
    """
    zones = context.of(zoned_nodes)
    if len(zones) <= 1:
        yield NotApplicable("no Node of a second zone is known, so no firewall stands between zones")
        return
    listed = ", ".join(f"{zone} ({len(nodes)})" for zone, nodes in zones.items())
    yield Manual(
        f"nodes stand in zones {listed}: confirm that the firewall between them passes what `zone-audit ports` lists"
    )
