"""DOOR003: Services that lead in past the routers."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from audit.controls.doors import Doors, balancers, by_namespace
from audit.controls.inbound import inbound
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together


@rule(
    "DOOR003",
    "Services of a zone lead in past its routers",
    severity="medium",
    needs=("Namespace", "Service"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "nist-800-53r5/sc-7.5", "pci-dss-4.0.1/1.4.1"),
)
def balancer_past_router(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: Services of type LoadBalancer, or with `externalIPs`, in the namespaces of zones.

    Fine are those of routers of the zone, and those whose addresses all lie in the CIDRs of the zone, or are declared
    as its ingress, while the matrix opens the ports of the pods to a zone outside the cluster.

    Why it matters: each is a way into the zone that no router and no rule of the ingress knows of. With `externalIPs`
    every node takes traffic for an address that the author of the Service picked.

    How to fix: publish the Service by a Route:
    `oc patch service NAME -n NAMESPACE -p '{"spec": {"type": "ClusterIP", "externalIPs": null}}'`; or give it an
    address of the zone and have the matrix allow the ports.

    Limits: a balancer that shows a host name, or no address yet, is found whatever stands behind it. Whether
    something outside routes an external address to the nodes is not seen.
    """
    if missing := context.missing("Service"):
        yield missing
        return
    doors = by_namespace(balancers(context.scene, context.of(inbound)))
    found = (("", _finding(context, one)) for one in doors)
    yield from together(
        found,
        lambda count, one: f"{count} namespaces of zone {one.to_zone} have Services that lead in past its routers",
    )


def _finding(context: Context, doors: Doors) -> Finding:
    zone, first = context.matrix.zone(doors.zone), doors.refs[0]
    patch = quote('{"spec": {"type": "ClusterIP", "externalIPs": null}}')
    command = f"oc patch service {quote(first.name)} -n {quote(first.namespace)} -p {patch}"
    return Finding(
        title=f"namespace {doors.namespace} of zone {doors.zone} has Services that lead in past its routers",
        subjects=doors.refs,
        to_zone=doors.zone,
        expected="ways in by the routers of the zone, or at its addresses as the matrix allows",
        observed=doors.words,
        fix="Publish them by a Route of the zone, or give them addresses of it and have the matrix allow their ports."
        f"\n\n{command}",
        owner=zone.owner if zone else "",
        counts={"objects": len(doors.refs)},
    )
