"""ING003: Routes and Ingresses of a zone that a router of another zone serves, or none."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.inbound import inbound
from audit.controls.sharding import Misserved, blind, classes, classless, misserved
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

_NAMED = 8
"""Namespaces that the text of a finding names; all are subjects."""


@rule(
    "ING003",
    "Routes are served by a router of another zone, or by none",
    severity="medium",
    needs=("Namespace", "IngressController.operator.openshift.io", "Route.route.openshift.io"),
    undone_by=("IngressController.operator.openshift.io", "IngressClass.networking.k8s.io"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.4.1"),
)
def misserved_route(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: that the Routes and Ingresses of each zone are served by a router of the zone, and by no other.

    One finding for each zone and set of routers. Ingresses that OpenShift does not turn into Routes are judged by
    their class, where the zone, or another one, names classes.

    Why it matters: a Route that a second router serves can be reached at the address of another zone, past the firewall
    in front of its own. A Route that none serves is an outage.

    How to fix: narrow the router (ING001), or label the namespace for its own one, such as
    `oc label namespace NAME network-zone=ZONE`; give an Ingress the class of its zone.

    Limits: it computes who serves a Route from selectors. What the status of a Route says is not asked, since tenants
    may write it. Domains that a router refuses are not modelled, and make what it serves unknown.
    """
    found, used = context.of(inbound), context.of(classes)
    if reason := blind(context.scene, found) or context.of(classless):
        yield NotEvaluated(reason) if context.scene.cluster else NotApplicable(reason)
    elif not found.served and not any(one.used for one in used):
        yield NotApplicable("no namespace of a zone has a Route or an Ingress")
    for one in misserved(context.scene, found, used):
        yield _finding(context, one)


def _finding(context: Context, one: Misserved) -> Finding:
    zone = context.matrix.zone(one.zone)
    by = ", ".join(one.wrong)
    besides = f" besides {', '.join(one.own)}" if one.own else ""
    may = "" if one.sure else "may not be served by any router"
    says = may or (f"are served by {by}{besides}" if one.wrong else "are served by no router")
    names = ", ".join(one.namespaces[:_NAMED]) + (", ..." if len(one.namespaces) > _NAMED else "")
    what = "1 Route or Ingress" if one.objects == 1 else f"{one.objects} Routes and Ingresses"
    return Finding(
        title=f"Routes and Ingresses of zone {one.zone} {says}",
        subjects=tuple(context.namespace_ref(name) for name in one.namespaces),
        verdict="fail" if one.sure else "not-evaluated",
        severity="medium" if one.wrong else "low",
        to_zone=one.zone,
        expected=f"served by a router of zone {one.zone} only",
        observed=f"{what} in namespace{'s' if one.namespaces[1:] else ''} {names}",
        fix="Keep the zone out of what the router selects, or give the Ingress the class of its zone."
        if one.wrong
        else "Label the namespaces so that the router of the zone selects them, or widen its selector.",
        owner=zone.owner if zone else "",
        reason="" if one.sure else "what a router that may serve them selects is not known",
        identity=one.wrong,
        counts={"namespaces": len(one.namespaces), "routes": one.objects},
    )
