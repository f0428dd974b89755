"""ING006: routers whose address does not belong to their zone."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.inbound import inbound
from audit.controls.inbound_fronts import Front, fronts, ingress_addresses
from audit.controls.sharding import blind
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, Zone, rule, together


@rule(
    "ING006",
    "Clients reach a zone at an address that is not the zone's",
    severity="high",
    needs=("Namespace", "Service", "IngressController.operator.openshift.io"),
    controls=("nist-800-53r5/sc-7", "pci-dss-4.0.1/1.4.2", "iso-27001-2022/a.8.22"),
)
def router_address_outside_zone(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: that the addresses at which clients reach the routers of a zone are in the CIDRs of the zone.

    Addresses are those of load balancers, external addresses of Services, of Gateways, of the platform for `default`,
    and those that zones.yaml declares; of routers that listen on their nodes, those of the nodes. Of Ingresses, those
    that their status shows. Weak is a balancer of MetalLB that asks for no address, while a pool that assigns by
    itself holds addresses outside the zone.

    Why it matters: the firewall of the enterprise knows zones by address. A way into the database zone at an address of
    the DMZ is open to whoever the DMZ is open to.

    How to fix: give the router an address of its zone, such as a MetalLB pool of the zone or a load balancer in its
    network; `oc get service -A --field-selector spec.type=LoadBalancer` lists what there is.

    Limits: a balancer that shows only a host name, and an appliance before routers on the host network, are not in any
    snapshot: declare their addresses under `select.ingress.addresses` of the zone, which then count instead. Whether
    the network really leads an address to the zone is not seen, nor which pools of MetalLB are for some Services only.
    """
    found = context.of(inbound)
    if not any(zone.cidrs for zone in context.scene.zones):
        yield NotApplicable("no zone declares addresses")
        return
    if reason := blind(context.scene, found):
        yield NotEvaluated(reason) if context.scene.cluster else NotApplicable(reason)
    listed = tuple(ingress_addresses(context.scene))
    ways = tuple(fronts(context.scene, found))
    if not ways and not listed:
        yield NotApplicable("no router belongs to a zone")
    elif not context.scene.cluster and not listed and not any(one.judged or one.outside for one in ways):
        yield NotApplicable("manifests do not show at which addresses routers answer")
        return
    yield from (finding for one in ways for finding in _judged(one))
    spread = (((zone.name, outside), _ingress(zone, by, outside)) for zone, by, outside in listed)
    yield from together(spread, lambda count, one: f"{count} Ingresses of zone {one.to_zone} answer outside the zone")


def _judged(one: Front) -> Iterator[Finding]:
    gate, zone = one.gate, one.zone
    if one.outside and zone.cidrs:
        yield Finding(
            title=f"{gate} of zone {zone.name} is reached outside the addresses of the zone",
            subjects=(gate.ref,),
            to_zone=zone.name,
            expected=f"addresses in {_blocks(zone)}",
            observed=", ".join(one.outside[:8]),
            fix=f"Give it an address in {_blocks(zone)}, and take away the others.",
            owner=zone.owner,
        )
    elif one.doubt or not zone.cidrs:
        yield Finding(
            title=f"the address of {gate} of zone {zone.name} cannot be judged",
            subjects=(gate.ref,),
            verdict="not-evaluated",
            to_zone=zone.name,
            fix="Declare what clients connect to under `select.ingress.addresses` of the zone, and its `cidrs`.",
            owner=zone.owner,
            reason=one.doubt or "the zone declares no cidrs",
        )
    elif one.pools:
        yield _unbound(one)


def _unbound(one: Front) -> Finding:
    gate, zone = one.gate, one.zone
    return Finding(
        title=f"nothing binds the address of {gate} to zone {zone.name}",
        subjects=(gate.ref,),
        severity="low",
        to_zone=zone.name,
        expected=f"an address that the Service asks for, in {_blocks(zone)}",
        observed=f"the next one may come from pool {', '.join(one.pools[:8])}",
        fix="Name a pool of the zone in an annotation of the Service of the router, or take automatic assignment from "
        "the others.\n\nmetadata:\n  annotations:\n    metallb.io/address-pool: POOL-OF-THE-ZONE",
        owner=zone.owner,
    )


def _ingress(zone: Zone, by: ObjectRef, outside: tuple[str, ...]) -> Finding:
    return Finding(
        title=f"{by} of zone {zone.name} answers at {', '.join(outside[:8])}, outside the zone",
        subjects=(by,),
        to_zone=zone.name,
        expected=f"addresses in {_blocks(zone)}",
        observed=", ".join(outside[:8]),
        fix="Have a controller serve it that stands behind an address of the zone.",
        owner=zone.owner,
    )


def _blocks(zone: Zone) -> str:
    return ", ".join(zone.cidrs.cidrs()[:8])
