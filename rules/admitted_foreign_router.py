"""ING007: policies of a zone that let in routers which do not serve the zone."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.inbound import inbound
from audit.controls.inbound_policies import Strangers, strangers
from audit.controls.sharding import blind
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar


@rule(
    "ING007",
    "Policies of a zone admit routers that do not serve it",
    severity="low",
    needs=("Namespace", "Pod", "NetworkPolicy", "IngressController.operator.openshift.io"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7.5", "pci-dss-4.0.1/1.3.1"),
)
def admitted_foreign_router(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: that policies in a zone with a router of its own admit this router and no other.

    On OpenShift 4 all routers share one namespace, so a peer that selects the namespace, by
    `policy-group.network.openshift.io/ingress` for example, admits the routers of every zone.

    Why it matters: then only the configuration of the routers keeps a Route of one zone from leading to the pods of
    another. It is medium where the router serves another zone.

    How to fix: put the `podSelector` of the finding beside the `namespaceSelector` of the rule; it names the router of
    the zone. `oc edit networkpolicy` or the repository of the policies is the place.

    Limits: a router that counts as a zone whose way in the matrix forbids is NET001's business, and so are policies
    that admit every namespace. Peers by address are not looked at, nor whether the policy selects any pod.
    """
    found = context.of(inbound)
    if reason := blind(context.scene, found):
        yield NotEvaluated(reason) if context.scene.cluster else NotApplicable(reason)
    elif not any(found.of_zones()):
        yield NotApplicable("no router belongs to a zone")
    elif missing := context.missing("NetworkPolicy", "Pod"):
        yield missing
    for one in strangers(context.scene, found):
        yield _finding(context, one)


def _finding(context: Context, one: Strangers) -> Finding:
    zone = context.matrix.zone(one.zone)
    names = ", ".join(map(str, one.gates))
    other = any(gate.zone for gate in one.gates)
    own = next((gate.ref.name for gate in one.own if gate.ref.kind == "IngressController"), "")
    yaml = "\n".join(
        (
            "- namespaceSelector:",
            "    matchLabels: {kubernetes.io/metadata.name: openshift-ingress}",
            "  podSelector:",
            "    matchLabels:",
            f"      ingresscontroller.operator.openshift.io/deployment-ingresscontroller: {scalar(own)}",
        )
    )
    return Finding(
        title=f"policies of zone {one.zone} admit {names} by {one.peer}",
        subjects=one.policies,
        severity="medium" if other else "low",
        to_zone=one.zone,
        expected=f"only {', '.join(map(str, one.own))}",
        observed=f"{len(one.policies)} policies admit {names} as well",
        fix=f"Narrow the peer to the pods of {', '.join(map(str, one.own))}." + (f"\n\n{yaml}" if own else ""),
        owner=zone.owner if zone else "",
        identity=(one.peer, *(str(gate.ref) for gate in one.gates)),
        counts={"policies": len(one.policies)},
    )
