"""DOOR006: egress routers in namespaces of zones."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from audit.controls.side_networks import Card, cards
from audit.rule import Context, Finding, rule


@rule(
    "DOOR006",
    "Egress router stands beside all policies of a zone",
    severity="medium",
    needs=("Namespace", "Pod", "EgressRouter.network.operator.openshift.io"),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/ac-4", "pci-dss-4.0.1/1.3.2"),
)
def egress_router_door(context: Context) -> Iterator[Finding]:
    """What it checks: no workload of a zone has a network card of its own on the network of the nodes.

    These are pods with the annotation `pod.network.openshift.io/assign-macvlan`, egress routers or not, on
    openshift-sdn, and EgressRouters on OVN-Kubernetes.

    Why it matters: neither NetworkPolicies nor egress firewalls nor egress addresses bind what goes over the card.
    Whoever may talk to such a pod borrows its address outside.

    How to fix: give the namespace an egress address in its place, or have the router approved as an exception, and
    admit only the workloads that need it, with a NetworkPolicy; `oc delete` is in the finding.

    Limits: the destinations that a router is set up for are not judged, since its environment may be kept elsewhere.
    Addresses and gateways of another zone are EGR011.
    """
    for one in context.of(cards):
        yield _finding(context, one)


def _finding(context: Context, one: Card) -> Finding:
    zone = context.matrix.zone(one.zone)
    shown = f", leaving with {', '.join(one.addresses)}" if one.addresses else ""
    kind = one.ref.kind.lower()
    return Finding(
        title=f"{one.ref} of zone {one.zone} has a network card beside all policies"
        if one.certain
        else f"{one.ref} of zone {one.zone} may have a network card beside all policies",
        subjects=(one.ref,),
        verdict="fail" if one.certain else "not-evaluated",
        from_zone=one.zone,
        expected="all that leaves is bound by policies, egress firewalls and egress addresses",
        observed=f"{one.what}{shown}",
        fix="Give the namespace an egress address in its place and delete it, or have it approved.\n\n"
        f"oc delete {kind} {shlex.quote(one.ref.name)} -n {shlex.quote(one.ref.namespace)}",
        owner=zone.owner if zone else "",
        reason="" if one.certain else f"network profile {context.inventory.profile}",
    )
