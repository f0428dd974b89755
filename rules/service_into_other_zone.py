"""DOOR004: Services that lead to addresses or namespaces of another zone."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from shlex import quote

from audit.controls.doors import ENDPOINTS, SLICE, Lead, leads, unread
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together

_NAMED = 8
"""Services that the text of a finding names; all are subjects."""


@rule(
    "DOOR004",
    "Service leads to another zone",
    severity="medium",
    needs=("Namespace", "Service", "Endpoints", "EndpointSlice.discovery.k8s.io"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.4.1"),
)
def service_into_other_zone(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: Services in zones whose addresses somebody wrote down, and that are those of another zone.

    Looked at are Endpoints of Services without selector, EndpointSlices by other hands than the cluster's, and
    ExternalNames of the cluster's own names. Nothing is found where the matrix lets the zone of the Service use these
    ports of the other zone anyway.

    Why it matters: a Route may publish such a Service. Then the router opens the connection, which policies of the
    other zone may admit, as it is a router and no pod of this zone.

    How to fix: publish the other zone's Service where it is, and delete this one:
    `oc delete service NAME -n NAMESPACE`. Leave `endpoints/restricted` to those who own the zones.

    Limits: zones are those of the pod or node that has the address, else of the CIDRs. Names outside the cluster, and
    addresses of Services, are not followed.
    """
    if missing := context.missing("Service"):
        yield missing
        return
    if unread(context.scene) and (missing := context.missing(ENDPOINTS, SLICE)):
        yield missing
    yield from together(_each(context), _many)


def _many(count: int, one: Finding) -> str:
    return f"Services of {count} namespaces of zone {one.from_zone} lead to zone {one.to_zone}"


def _each(context: Context) -> Iterator[tuple[Hashable, Finding]]:
    groups: dict[tuple[str, str, str], list[Lead]] = {}
    for lead in leads(context.scene):
        groups.setdefault((lead.source, lead.target, lead.ref.namespace), []).append(lead)
    for _, listed in sorted(groups.items()):
        yield "", _finding(context, listed)


def _finding(context: Context, listed: list[Lead]) -> Finding:
    first, zone = listed[0], context.matrix.zone(listed[0].target)
    named = {str(lead.ref): f"Service {lead.ref.name}: {lead.words}" for lead in listed}
    return Finding(
        title=f"Services of namespace {first.ref.namespace} of zone {first.source} lead to zone {first.target}",
        subjects=tuple(sorted({lead.ref for lead in listed})),
        from_zone=first.source,
        to_zone=first.target,
        expected=f"endpoints in zone {first.source}",
        observed="; ".join([*named.values()][:_NAMED]),
        fix=f"Delete them, and publish what they lead to in zone {first.target}, or have the matrix allow it.\n\n"
        f"oc delete service {quote(first.ref.name)} -n {quote(first.ref.namespace)}",
        owner=zone.owner if zone else "",
        counts={"services": len(named)},
    )
