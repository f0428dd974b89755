"""EGR005: egress addresses that fail together with one node."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.egress import GIVING, served_ground, system
from audit.controls.egress_needs import spare
from audit.controls.egress_nodes import Single, singles, untold
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar, together

_ONE_ADDRESS = (3, 10)
"""The last version of OpenShift that uses only the first egress address of a NetNamespace."""


@rule(
    "EGR005",
    "Egress address has no second node",
    severity="medium",
    needs=(
        "Namespace",
        "Node",
        "EgressIP.k8s.ovn.org",
        "NetNamespace.network.openshift.io",
        "HostSubnet.network.openshift.io",
    ),
    undone_by=(*GIVING, "Node"),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/cm-6"),
)
def single_egress_node(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: two nodes serve the egress addresses of a namespace, or a second one is ready to take over.

    On OVN-Kubernetes a ready node with the label `k8s.ovn.org/egress-assignable` takes over, if one of its networks
    holds the address; on openshift-sdn one whose HostSubnet has it in `egressCIDRs`.

    Why it matters: when the one node is down, openshift-sdn drops all that leaves, and OVN-Kubernetes lets it leave
    with the addresses of nodes, which is a leak out of the zone.

    How to fix: add an address and a node, as in the YAML or `oc` command of the finding.

    Limits: networks of nodes are known from annotations only; without them a second node with the label leaves it
    undecided. Capacity of cloud nodes is not looked at.
    """
    if stop := context.barred(context.of(served_ground)):
        yield stop
        return
    found = (((one.zone, len(one.grant.addresses) > 1), _finding(context, one)) for one in context.of(singles))
    yield from together(
        found, lambda count, one: f"egress addresses of {count} objects of zone {one.from_zone} hang on one node each"
    )
    if unknown := context.of(untold):
        yield NotEvaluated(f"which nodes serve the addresses of {unknown[0].ref} is not known")


def _finding(context: Context, one: Single) -> Finding:
    zone, ref = context.matrix.zone(one.zone), one.grant.ref
    count = len(one.grant.addresses)
    what = "one address only" if count == 1 else f"one node for {count} addresses"
    return Finding(
        title=f"{ref} of zone {one.zone} has {what}"
        if one.certain
        else f"whether a second node can serve the addresses of {ref} is not known",
        subjects=(ref,),
        verdict="fail" if one.certain else "not-evaluated",
        from_zone=one.zone,
        expected="two nodes that serve the addresses, or can take them over",
        observed=f"node {one.nodes[0]} alone serves {', '.join(each.text for each in one.grant.addresses)}",
        fix=_fix(context, one),
        owner=zone.owner if zone else "",
        reason="" if one.certain else "the input does not tell the networks of the other egress nodes",
        identity=() if one.certain else ("unknown",),
        counts={"addresses": count},
    )


def _fix(context: Context, one: Single) -> str:
    version = context.inventory.profile.version
    if system(context.scene) == "sdn":
        if version and version <= _ONE_ADDRESS:
            return "This release uses one address of a namespace and no other node takes over: update the cluster."
        zone = context.matrix.zone(one.zone)
        blocks = "\n".join(f"- {text}" for text in (zone.egress_cidrs or zone.cidrs).cidrs()) if zone else ""
        return (
            f"Let two nodes of zone {one.zone} offer its addresses, so that another takes over: add them there with "
            f"`oc edit hostsubnet NODE`.\n\negressCIDRs:\n{blocks}"
        )
    return f"Add an address, and label a second node of zone {one.zone}.\n\n{_yaml(context, one)}"


def _yaml(context: Context, one: Single) -> str:
    zone = context.matrix.zone(one.zone)
    present = tuple(each.text for each in one.grant.addresses)
    more = spare(context.scene, zone, 1) if zone and len(present) == 1 else ()
    return (
        f"spec:\n  egressIPs: [{', '.join(scalar(text) for text in (*present, *more))}]\n"
        "# oc label node NODE k8s.ovn.org/egress-assignable="
    )
