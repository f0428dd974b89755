"""ING008: routers on the host network that policies cannot tell from other traffic of nodes."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.inbound import inbound
from audit.controls.inbound_policies import HostRouter, host_routers
from audit.controls.sharding import blind
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

_NAMED = 3
"""Peers that the text of a finding names."""


@rule(
    "ING008",
    "Policies cannot tell a router from other traffic of nodes",
    severity="medium",
    needs=("Namespace", "Pod", "NetworkPolicy", "IngressController.operator.openshift.io"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.3.1"),
)
def indistinct_host_router(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: routers of a zone on the host network, and policies that let them in as part of the host network.

    Such a policy selects the namespace that stands for the host network (`openshift-host-network`, or `default` with
    openshift-sdn), or a block that holds the addresses of nodes without a router of the zone.

    Why it matters: to a policy, a router on the host network is its node. Whoever admits it that way admits every
    process on the network of every node, in every zone.

    How to fix: publish the router by a load balancer, so that it runs on the pod network; an IngressController cannot
    change its strategy, so make a new one with `oc create` whose `endpointPublishingStrategy` is LoadBalancerService.
    Else admit only the addresses of the nodes that run routers of the zone, where the network plug-in honours that.

    Limits: policies that admit everything are NET001's business. Whether a host-network router is let in at all is not
    judged here. OVN-Kubernetes does not match the addresses of nodes by blocks in every case.
    """
    found = context.of(inbound)
    if reason := blind(context.scene, found):
        yield NotEvaluated(reason) if context.scene.cluster else NotApplicable(reason)
        return
    routers = host_routers(context.scene, found)
    if not routers:
        yield NotApplicable("no router of a zone is on the host network")
    elif missing := context.missing("NetworkPolicy"):
        yield missing
    yield from (_finding(context, one) for one in routers if one.peers)


def _finding(context: Context, one: HostRouter) -> Finding:
    gate, zone = one.gate, context.matrix.zone(one.gate.zone)
    return Finding(
        title=f"policies of zone {gate.zone} admit {gate} as any host-network traffic",
        subjects=(gate.ref,),
        to_zone=gate.zone,
        expected="a peer that only the router matches",
        observed=f"{one.policies} rules admit {'; '.join(one.peers[:_NAMED])}",
        fix="Run the router on the pod network behind a load balancer, or admit the addresses of its nodes only.",
        owner=zone.owner if zone else "",
        counts={"rules": one.policies},
    )
