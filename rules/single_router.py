"""ING005: zones whose router is not running on two nodes."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.inbound import inbound
from audit.controls.inbound_places import Standing, missing_gates, standings
from audit.controls.sharding import blind
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, Zone, rule

_ENOUGH = 2
"""Nodes with a ready router that the design asks for in each zone."""


@rule(
    "ING005",
    "Router of a zone is not ready on two nodes",
    severity="medium",
    needs=("Namespace", "Pod", "IngressController.operator.openshift.io"),
    undone_by=("Pod",),
    controls=("nist-800-53r5/cp-10", "nist-800-53r5/sc-7"),
)
def single_router(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: that each router of a zone has ready pods on two nodes or more.

    A router that zones.yaml names and the cluster does not have is found, too; with `cluster_mode: single-zone` only
    those of the one zone are looked for.

    Why it matters: the design asks for two nodes in each zone. With one, a restart of the node is an outage of the
    zone, and the usual way out is to let the router of another zone serve it.

    How to fix: give the zone a second node, and the router a second replica, such as
    `oc scale -n openshift-ingress-operator ingresscontroller/NAME --replicas=2`.

    Limits: readiness is that of the moment of the snapshot. Whether a load balancer notices is not seen.
    """
    found = context.of(inbound)
    if reason := blind(context.scene, found):
        yield NotEvaluated(reason) if context.scene.cluster else NotApplicable(reason)
    elif not any(found.of_zones()):
        yield NotApplicable("no router belongs to a zone")
    elif missing := context.missing("Pod"):
        yield missing
    else:
        for one in standings(context.scene, found):
            if len(one.ready) < _ENOUGH:
                yield _short(context, one)
    yield from (_absent(zone, name) for zone, name in missing_gates(context.scene, found))


def _short(context: Context, one: Standing) -> Finding:
    gate, zone = one.gate, context.matrix.zone(one.gate.zone)
    unknown = one.most >= _ENOUGH or (not one.pods and not context.live)
    return Finding(
        title=f"{gate} of zone {gate.zone} {'may not be' if unknown else 'is not'} ready on two nodes",
        subjects=(gate.ref,),
        verdict="not-evaluated" if unknown else "fail",
        to_zone=gate.zone,
        expected="ready pods on two nodes",
        observed=f"ready on {', '.join(one.ready) or 'no node'}, of {one.pods} pods",
        fix=f"Run two replicas on two nodes of zone {gate.zone}.",
        owner=zone.owner if zone else "",
        reason="which of its pods are ready is not in the input" if unknown else "",
        counts={"pods": one.pods},
    )


def _absent(zone: Zone, name: str) -> Finding:
    return Finding(
        title=f"zone {zone.name} names the router {name}, which the cluster does not have",
        subjects=(ObjectRef("Zone", "", zone.name),),
        to_zone=zone.name,
        expected=f"a router {name}",
        observed="none of that name",
        fix="Create the router, or correct `select.ingress.ingressControllers` of the zone.",
        owner=zone.owner,
        identity=(name,),
    )
