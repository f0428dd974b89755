"""ING010: routes of the Gateway API that lead to Services of another zone."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterator

from audit.controls.inbound_gateways import GRANT, ROUTES, Crossing, crossings
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together


@rule(
    "ING010",
    "Route leads to a backend of another zone",
    severity="medium",
    needs=("Namespace", "ReferenceGrant.gateway.networking.k8s.io", "HTTPRoute.gateway.networking.k8s.io"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.4.1"),
)
def foreign_backend(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: routes of the Gateway API whose backend is in another zone, where a ReferenceGrant allows it.

    Nothing is found where the matrix lets the zone of the route use these ports of the other zone. A grant that no
    route uses yet is weak: it is low.

    Why it matters: the way in through one zone then ends in another. On OpenShift those who administer a project may
    write a ReferenceGrant, so that two teams can agree on it without anybody who owns the zones.

    How to fix: delete the grant with the `oc delete referencegrant` command of the finding, and publish the Service in
    its own zone.

    Limits: a Route of OpenShift and an Ingress cannot do it. Where the pods behind a Service are not in the input, any
    traffic that the matrix allows between the two zones makes it fine.
    """
    if not any(True for _ in context.scene.of(GRANT)):
        routes = any(True for _ in context.scene.of(*ROUTES))
        missing = context.missing(GRANT) if routes else None
        yield missing or NotApplicable("there is no ReferenceGrant, without which no route leads to another namespace")
        return
    yield from together(_each(context), _many)


def _many(count: int, one: Finding) -> str:
    return f"{count} routes or grants lead from zone {one.from_zone} to zone {one.to_zone}"


def _each(context: Context) -> Iterator[tuple[Hashable, Finding]]:
    for one in crossings(context.scene):
        yield one.route is None, _finding(context, one)


def _finding(context: Context, one: Crossing) -> Finding:
    zone = context.matrix.zone(one.target)
    grant = one.grants[0] if one.grants else None
    named = f"oc delete referencegrant -n {shlex.quote(grant.namespace)} {shlex.quote(grant.name)}" if grant else ""
    title = (
        f"{one.route} of zone {one.source} leads to Service {one.service} of zone {one.target}"
        if one.route
        else f"{grant} of zone {one.target} lets routes of zone {one.source} lead to its Services"
    )
    return Finding(
        title=title,
        subjects=((one.route, *one.grants) if one.route else one.grants),
        severity=None if one.route else "low",
        from_zone=one.source,
        to_zone=one.target,
        traffic=one.excess if one.route else context.matrix.expect(one.source, one.target).allowed,
        expected=f"backends in zone {one.source}",
        observed=f"{one.excess} beyond the matrix" if one.route else "a grant that no route uses yet",
        fix="Publish the Service in its own zone, and delete the grant." + (f"\n\n{named}" if named else ""),
        owner=zone.owner if zone else "",
        identity=(one.source, one.service),
    )
