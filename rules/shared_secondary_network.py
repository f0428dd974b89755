"""DOOR005: pods of a zone on a further network that another zone, or nobody knows who, is on as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from audit.controls.side_networks import Meeting, Side, sides
from audit.rule import UNZONED, Context, Finding, Severity, rule, scalar

_SEVERITY: Mapping[Meeting, Severity] = {"zones": "high", "other": "high", "stranger": "medium", "unread": "medium"}
_NAMED = 5
"""Namespaces that a text names."""


@rule(
    "DOOR005",
    "Pods of a zone are on a further network with others",
    severity="high",
    needs=(
        "Namespace",
        "Pod",
        "NetworkAttachmentDefinition.k8s.cni.cncf.io",
        "UserDefinedNetwork.k8s.ovn.org",
        "ClusterUserDefinedNetwork.k8s.ovn.org",
    ),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/ac-4", "pci-dss-4.0.1/1.4.1", "iso-27001-2022/a.8.22"),
)
def shared_secondary_network(context: Context) -> Iterator[Finding]:
    """What it checks: networks that pods of a zone attach to besides the cluster's own have no members of other zones.

    Attachments are those of Multus: macvlan, ipvlan, bridge, SR-IOV, overlays, secondary user-defined networks. Two
    definitions with the same interface, bridge or overlay are one network. One that leaves the cluster is the
    zone's if all its addresses lie in the zone's `cidrs`.

    Why it matters: NetworkPolicies, egress firewalls and egress addresses do not see what goes over such a card. A pod
    on the network of another zone stands in that zone, and one on both is a bridge between them.

    How to fix: attach the pods to a network of their own zone, or take the attachment away; the finding gives the
    `oc` command or the range that the definition has to declare.

    Limits: which machines outside the cluster are on a network is not seen, so that a network without addresses of the
    zone counts as medium. MultiNetworkPolicies are considered by NET001, not here: this is about the wiring.
    """
    for one in context.of(sides):
        yield _finding(context, one)


def _finding(context: Context, one: Side) -> Finding:
    own = [zone for zone in context.scene.zones if zone.name in one.zones]
    home = next(zone for zone in own if any(context.zone_of(name) == zone.name for name in one.namespaces))
    names = ", ".join(one.namespaces[:_NAMED])
    more = f" and {len(one.namespaces) - _NAMED} more" if len(one.namespaces) > _NAMED else ""
    return Finding(
        title=_title(one, home.name),
        subjects=one.refs,
        verdict="not-evaluated" if one.fault == "unread" else "fail",
        severity=_SEVERITY[one.fault],
        from_zone=home.name,
        to_zone=next((zone.name for zone in own if zone is not home), "") if len(one.zones) == 2 else "",  # noqa: PLR2004
        expected=f"a network of zone {home.name} alone",
        observed=f"{one.pods} pod{'s' if one.pods > 1 else ''} of namespace {names}{more} on {one.text}",
        fix=_fix(context, one, home.name),
        owner=home.owner,
        reason=f"the definition of {one.text} was not read" if one.fault == "unread" else "",
        identity=(one.fault, *one.zones),
        counts={"pods": one.pods, "namespaces": len(one.namespaces)},
    )


def _title(one: Side, home: str) -> str:
    zones = [f"zone {name}" if name != UNZONED else "no zone" for name in one.zones]
    match one.fault:
        case "zones":
            return f"pods of {' and '.join(zones)} are on one further network: {one.text}"
        case "other":
            return f"pods of zone {home} are on a network of {' and '.join(zones[1:])}: {one.text}"
        case "stranger":
            return f"pods of zone {home} are on a network of which nobody knows who else is on it: {one.text}"
        case "unread":
            return f"pods of zone {home} are on a network that the input does not hold: {one.text}"


def _fix(context: Context, one: Side, home: str) -> str:
    zone = context.matrix.zone(home)
    blocks = zone.cidrs.cidrs() if zone else ()
    if one.fault == "stranger" and blocks:
        return (
            f"Attach them to a network of zone {home}, and have its definition declare the addresses.\n\n"
            f'"ipam": {{"type": "whereabouts", "range": {scalar(blocks[0])}}}'
        )
    return (
        "Take the annotation that attaches them from the templates of all zones but one.\n\n"
        f"oc get pods -n {one.namespaces[0]} -o custom-columns=NAME:.metadata.name,"
        "NETWORKS:.metadata.annotations.k8s\\.v1\\.cni\\.cncf\\.io/networks"
    )
