"""EGR002: egress addresses that do not come from the addresses of the zone."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.egress import ground
from audit.controls.egress_needs import Stray, spare, strays, without_pool
from audit.controls.egress_values import pool
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar, together


@rule(
    "EGR002",
    "Egress address does not belong to the zone",
    severity="high",
    needs=("Namespace", "EgressIP.k8s.ovn.org", "NetNamespace.network.openshift.io"),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/ac-4", "pci-dss-4.0.1/1.3.2"),
)
def foreign_egress_address(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: egress addresses of a zone's namespaces lie in its `egress_cidrs`, or `cidrs` if it has none.

    Why it matters: the enterprise firewall knows a zone by its addresses. With an address of another zone the pods are
    given the rights of that zone; with one of no zone, nobody knows what they are given.

    How to fix: take free addresses of the zone, as in the YAML of the finding, or correct `egress_cidrs`.

    Limits: an object that gives addresses to several zones passes with those of any of them; it is EGR004. Zones
    without any declared addresses cannot be judged.
    """
    if stop := context.barred(context.of(ground)):
        yield stop
        return
    found = (((one.zone.name, one.of), _finding(context, one)) for one in context.of(strays))
    yield from together(found, lambda count, one: f"{count} objects give zone {one.from_zone} addresses of others")
    for zone in context.of(without_pool):
        yield NotEvaluated(f"zone {zone.name} declares neither `egress_cidrs` nor `cidrs`")


def _finding(context: Context, one: Stray) -> Finding:
    texts = ", ".join(address.text for address in one.addresses)
    many = len(one.addresses) > 1
    belongs = (
        f"belong{'' if many else 's'} to zone {one.of}" if one.of else f"{'are' if many else 'is'} not of the zone"
    )
    return Finding(
        title=f"{one.grant.ref} gives zone {one.zone.name} {texts}, which {belongs}",
        subjects=(one.grant.ref,),
        from_zone=one.zone.name,
        expected=f"addresses within {', '.join(pool(one.zone).cidrs()) or 'blocks of its own, which are not declared'}",
        observed=f"{texts} {belongs}",
        fix=_fix(context, one),
        owner=one.zone.owner,
        identity=(one.of,),
        counts={"addresses": len(one.addresses), "namespaces": len(one.grant.namespaces)},
    )


def _fix(context: Context, one: Stray) -> str:
    free = spare(context.scene, one.zone, len(one.addresses))
    if not free:
        return f"Declare `egress_cidrs` of zone {one.zone.name}, and list addresses of them in {one.grant.ref} instead."
    stays = [address.text for address in one.grant.addresses if address not in one.addresses]
    listed = ", ".join(scalar(text) for text in (*stays, *free))
    indent = "" if one.grant.ref.kind == "NetNamespace" else "spec:\n  "
    return f"List addresses of zone {one.zone.name} in {one.grant.ref} instead.\n\n{indent}egressIPs: [{listed}]"
