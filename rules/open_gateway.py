"""ING009: Gateways whose listeners admit routes of several zones."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.inbound import inbound
from audit.controls.inbound_gateways import GATEWAY, ROUTES, Opening, openings
from audit.controls.sharding_remedy import confined
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule


@rule(
    "ING009",
    "Gateway admits routes of several zones",
    severity="high",
    needs=("Namespace", "Gateway.gateway.networking.k8s.io"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.4.1", "iso-27001-2022/a.8.22"),
)
def open_gateway(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: that the listeners of each Gateway admit routes from namespaces of one zone only.

    A Gateway belongs to the zone that names it, else to that of its namespace, else to the only one that it admits.
    Found are listeners that admit every namespace, or pick namespaces of more zones, and Gateways to which every
    namespace may add listeners.

    Why it matters: a route attaches itself. Where a listener admits a zone, anybody there may publish at the address of
    the Gateway, which is that of another zone.

    How to fix: give the listener the `allowedRoutes` of the finding with `oc edit gateway -n NAMESPACE NAME`.

    Limits: host names that no route of a zone has are not taken as a barrier. Whether a controller honours the
    listener is not seen.
    """
    found = context.of(inbound)
    if not any(gate.selection is None for gate in found.gates):
        routes = any(True for _ in context.scene.of(*ROUTES))
        yield (context.missing(GATEWAY) if routes else None) or NotApplicable("there is no Gateway")
        return
    for one in openings(context.scene, found):
        yield _finding(context, one)


def _finding(context: Context, one: Opening) -> Finding:
    gate, zones = one.gate, ", ".join(one.zones)
    listeners = f"listeners {', '.join(one.listeners)}" if one.listeners else ""
    who = "every namespace" if gate.invited.everything else f"namespaces of {', '.join(one.guests)}"
    invited = f"{who} may add listeners" if one.guests else ""
    return Finding(
        title=f"{gate}{f' of zone {gate.zone}' if gate.zone else ''} {'admits' if one.sure else 'may admit'} {zones}",
        subjects=(gate.ref,),
        verdict="fail" if one.sure else "not-evaluated",
        expected=f"namespaces of zone {gate.zone} only" if gate.zone else "namespaces of one zone",
        observed=" and ".join(filter(None, (listeners, invited))),
        fix="Admit namespaces of its zone only, and no listeners of others.\n\n" + _yaml(context, one),
        reason="" if one.sure else "listeners, or labels of namespaces, could not be read",
        identity=one.zones,
    )


def _yaml(context: Context, one: Opening) -> str:
    if one.gate.zone and (ready := confined(context.scene, one.gate)):
        return ready
    return "allowedRoutes: {namespaces: {from: Same}}"
