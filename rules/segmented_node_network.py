"""TOP004: nodes of different zones that do not reach each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.controls.topology import CHECK, Check, checks, diagnostics_off, zoned_nodes
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, rule

_NAMED = 3
"""Checks that a finding spells out."""


@rule(
    "TOP004",
    "Nodes of different zones cannot reach each other",
    severity="high",
    needs=("Node", CHECK),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/cm-6", "iso-27001-2022/a.8.20"),
)
def segmented_node_network(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that the connectivity checks of OpenShift 4 between nodes of different zones reach their target.

    Why it matters: a firewall that parts the nodes by zone parts the overlay of the cluster. Names are no longer
    resolved, routers lose their pods, metrics and logs stop, and the API server cannot call what extends it. The zones
    are no safer for it: what pods may say to each other is decided by policies, and the pods of one zone may run on
    nodes of any.

    How to fix: open what `zone-audit ports` lists between the nodes of the two zones, and keep the zones apart by
    policies; `oc get podnetworkconnectivitychecks -n openshift-network-diagnostics` shows the checks.

    Limits: the checks start at one pod or a few, so nodes that none of them starts at are seen as targets only. They
    show that something is cut, not where. Other platforms have no such object.
    """
    zones = context.of(zoned_nodes)
    if len(zones) <= 1:
        yield NotApplicable("no nodes of different zones are known")
        return
    found = context.of(checks)
    if not found:
        yield _nothing(context)
        return
    between = [one for one in found if _pair(context, one)]
    if not between:
        yield NotEvaluated("no connectivity check runs between nodes of different zones")
    if silent := [one for one in between if one.reachable is None]:
        yield NotEvaluated(
            f"{len(silent)} connectivity checks between zones do not say whether they reach their target"
        )
    pairs: dict[tuple[str, str], list[Check]] = {}
    for one in between:
        pairs.setdefault(_pair(context, one) or ("", ""), []).append(one)
    for (source, target), listed in sorted(pairs.items()):
        if cut := [one for one in listed if one.reachable is False]:
            yield _finding(context, (source, target), cut, len(listed))


def _nothing(context: Context) -> NotApplicable | NotEvaluated:
    """What holds without any check."""
    if context.inventory.profile.product != "openshift-4":
        return NotApplicable("only OpenShift 4 checks whether its nodes reach each other")
    if context.of(diagnostics_off):
        return NotApplicable("the network operator is told to make no connectivity checks")
    missing = context.missing(CHECK)
    return missing or NotEvaluated("the cluster holds no PodNetworkConnectivityCheck")


def _pair(context: Context, one: Check) -> tuple[str, str] | None:
    """The zones of a check's nodes; None where they are one, or not known."""
    zones = [membership.zone for name in (one.source, one.target) if (membership := context.zone_map.nodes.get(name))]
    known = [zone for zone in zones if context.matrix.zone(zone)]
    return (known[0], known[1]) if len(set(known)) == len(zones) > 1 else None


def _finding(context: Context, pair: tuple[str, str], cut: Sequence[Check], total: int) -> Finding:
    source, target = pair
    shown = [f"{one.source} to {one.target}" + (f" ({one.message})" if one.message else "") for one in cut[:_NAMED]]
    more = len(cut) - _NAMED
    return Finding(
        title=f"nodes of zone {source} cannot reach nodes of zone {target}",
        subjects=(ObjectRef("Zone", "", source), ObjectRef("Zone", "", target)),
        from_zone=source,
        to_zone=target,
        expected="every node reaches every other",
        observed=f"{len(cut)} of {total} checks fail: {'; '.join(shown)}"
        + (f"; and {more} more" if more > 0 else "")
        + _unready(context, target),
        fix="Let the firewall pass what the nodes need between the two zones, and let policies keep pods apart."
        "\n\nzone-audit ports SNAPSHOT --zones zones.yaml -f csv > openings.csv",
        counts={"checks": len(cut), "outages": sum(one.outages for one in cut)},
    )


def _unready(context: Context, zone: str) -> str:
    """Words on nodes that are not ready, where only this zone has some."""
    nodes = context.inventory.nodes
    unready = {name for name, node in nodes.items() if node.ready is False}
    own = set(context.of(zoned_nodes).get(zone, ()))
    return f"; {len(unready)} nodes are not ready, all of zone {zone}" if unready and unready <= own else ""
