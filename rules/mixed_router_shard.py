"""ING001: routers that serve namespaces of more than one zone, or of another zone than their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from audit.controls.inbound import Gate, inbound
from audit.controls.sharding import ClassUse, blind, classes, classless, served_beyond, unsure
from audit.controls.sharding_remedy import confined
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule


@rule(
    "ING001",
    "Router serves namespaces of another zone",
    severity="high",
    needs=("Namespace", "IngressController.operator.openshift.io"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.4.1", "iso-27001-2022/a.8.22"),
)
def mixed_router_shard(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: that each router serves the namespaces of one zone only, and of the zone that names it.

    Counted are the namespaces that it would serve if they had a Route, by its namespace selector as it is deployed. A
    router without such a selector, such as `default` as it is installed, serves every zone. Classes of Ingresses that
    no zone names must not be used by two zones.

    Why it matters: whoever reaches a router reaches what it serves. One router for two zones joins their ways in: a
    Route of the database zone then answers at the address of the DMZ.

    How to fix: give the router the namespace selector that the finding holds, with `oc apply --server-side` or, on
    OpenShift 3.x, with the `oc set env` command of the finding. Keep zones out of `default` the same way.

    Limits: it reads selectors. Where labels of Routes narrow further what a router serves, only the Routes of today
    count, and ING002 speaks of the rest. Which namespaces an Ingress controller of somebody else watches is not known.
    Gateways are ING009.
    """
    found, used = context.of(inbound), context.of(classes)
    if reason := blind(context.scene, found) or context.of(classless):
        yield NotEvaluated(reason) if context.scene.cluster else NotApplicable(reason)
    elif not found.routers and not used:
        yield NotApplicable("there is no router and no class of Ingresses")
    for gate in found.routers:
        if zones := served_beyond(context.scene, gate):
            yield _mixed(context, gate, zones)
        elif zones := unsure(context.scene, gate):
            yield _unsure(gate, zones)
    yield from (_shared(one) for one in used if len(one.used) > 1 and not one.declared)


def _mixed(context: Context, gate: Gate, zones: tuple[str, ...]) -> Finding:
    counts = gate.served if gate.by_routes else gate.admitted.certain
    what = "Routes" if gate.by_routes else "namespaces"
    own = gate.zone or " and ".join(gate.declared)
    yaml = confined(context.scene, gate)
    zone = context.matrix.zone(gate.zone)
    keep = f"only namespaces of zone {gate.zone}" if gate.zone else "no namespace of a zone"
    how = "it selects every namespace" if gate.admitted.everything else f"it selects {_selector(gate)}"
    return Finding(
        title=f"{gate}{f' of zone {own}' if own else ''} serves zone{'s' if len(zones) > 1 else ''} {', '.join(zones)}",
        subjects=(gate.ref,),
        to_zone=zones[0] if len(zones) == 1 else "",
        expected=keep if gate.zone or gate.declared else "namespaces of one zone, or of none",
        observed=f"{_counted(counts, zones, what)}: {how}",
        fix=f"Let it select {keep}." + (f"\n\n{yaml}" if yaml else ""),
        owner=zone.owner if zone else "",
        identity=zones,
        counts={"namespaces": sum(gate.admitted.certain.get(zone, 0) for zone in zones)},
    )


def _selector(gate: Gate) -> str:
    return str(gate.selection.namespaces) if gate.selection else ""


def _counted(counts: Mapping[str, int], zones: tuple[str, ...], what: str) -> str:
    numbers = ((counts.get(zone, 0), zone) for zone in zones)
    return ", ".join(f"{number} {what[:-1] if number == 1 else what} of zone {zone}" for number, zone in numbers)


def _unsure(gate: Gate, zones: tuple[str, ...]) -> Finding:
    return Finding(
        title=f"{gate} may serve zones {', '.join(zones)}",
        subjects=(gate.ref,),
        verdict="not-evaluated",
        fix="Add the Namespaces and the workload of the router to the input, and write selectors that can be read.",
        reason=f"what {gate.ref} serves is not known: labels of namespaces, or its selectors, could not be read",
        identity=zones,
    )


def _shared(one: ClassUse) -> Finding:
    return Finding(
        title=f"{one.ref} serves zones {', '.join(one.used)}",
        subjects=(one.ref,),
        expected="Ingresses of one zone",
        observed=_counted({zone: len(spaces) for zone, spaces in one.used.items()}, tuple(one.used), "namespaces"),
        fix="Run one controller with a class of its own for each zone, and name the class under "
        "`select.ingress.ingressClasses` of the zone.",
        identity=tuple(one.used),
    )
