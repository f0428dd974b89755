"""ING002: sharding that rests on what tenants write, or on what labels do not say."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.inbound import Gate, inbound
from audit.controls.sharding import ClassUse, blind, by_absence, classes, classless, on_route_labels
from audit.controls.sharding_remedy import confined
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule


@rule(
    "ING002",
    "Sharding of routers does not hold by itself",
    severity="low",
    needs=("Namespace", "IngressController.operator.openshift.io"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.4.1"),
)
def weak_router_sharding(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: that routers tell zones apart by a label that namespaces have.

    Weak are: zones kept apart by labels of Routes, a selector that only says which labels a namespace must not have,
    and classes of Ingresses, which any namespace may name.

    Why it matters: today the right router serves everything. But who may edit a Route may set its labels, a new zone or
    a namespace that nobody labelled is taken by a selector with NotIn, and an Ingress picks its class itself.

    How to fix: give the router the namespace selector of the finding with `oc apply --server-side`; for classes,
    have the controller watch the namespaces of the zone only, and let an admission policy check the class.

    Limits: whether a controller of Ingresses is told to watch some namespaces only is not seen, so the finding about a
    class stays until an exception records it. A router that leaves out every namespace with a zone label is fine.
    """
    found, used = context.of(inbound), context.of(classes)
    if reason := blind(context.scene, found) or context.of(classless):
        yield NotEvaluated(reason) if context.scene.cluster else NotApplicable(reason)
    elif not found.routers and not used:
        yield NotApplicable("there is no router and no class of Ingresses")
    for gate in found.routers:
        if zones := on_route_labels(context.scene, gate):
            observed = f"Routes labelled {gate.selection.routes if gate.selection else ''}, of zones {', '.join(zones)}"
            yield _weak(context, gate, f"only labels of Routes keep zones {', '.join(zones)} apart at {gate}", observed)
        elif selector := by_absence(context.scene, gate):
            title = f"{gate} selects namespaces by labels that they lack"
            yield _weak(context, gate, title, f"namespaces with {selector}, and so every one without the label")
    yield from (_class(one) for one in used if one.declared)


def _weak(context: Context, gate: Gate, title: str, observed: str) -> Finding:
    yaml = confined(context.scene, gate)
    return Finding(
        title=title,
        subjects=(gate.ref,),
        to_zone=gate.zone,
        expected="a namespace selector that names the zone" if gate.zone else "no namespace with a zone label",
        observed=observed,
        fix="Let it select namespaces by the label of the zone." + (f"\n\n{yaml}" if yaml else ""),
    )


def _class(one: ClassUse) -> Finding:
    return Finding(
        title=f"any namespace may name {one.ref} of zone {one.declared[0]}",
        subjects=(one.ref,),
        to_zone=one.declared[0],
        expected="a class that only namespaces of its zone can use",
        observed="the class is a field of the Ingress",
        fix="Have its controller watch namespaces of the zone only, and deny the class elsewhere on admission.",
    )
