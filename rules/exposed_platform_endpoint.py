"""TOP002: console, login, registry, monitoring and logging behind an entry point that faces outside."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.facing import CONTROLLER, not_judged, outside
from audit.controls.platform_doors import ROUTE, Door, platform_doors
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, is_platform, rule, scalar

_NAMED = 5
"""Endpoints that a finding spells out."""


@rule(
    "TOP002",
    "Endpoints of the platform are reachable from outside",
    severity="high",
    needs=("Namespace", "Service", CONTROLLER, ROUTE),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/sc-7.3", "pci-dss-4.0.1/1.4.2", "iso-27001-2022/a.8.20"),
)
def exposed_platform_endpoint(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that no entry point which outsiders reach serves console, login, registry, monitoring or logging.

    What namespaces of the platform publish counts, by Route, Ingress, Gateway or Service. Outsiders are the zones of
    kind `internet` (of kind `external` where there is none), and they reach an entry point in any zone that the matrix
    lets them into on its ports, or with a load balancer of scope External.

    Why it matters: who gets at them gets at the whole cluster. With one cluster for each zone the one in the DMZ still
    has them, and the shard `default` serves them to whoever reaches its address, unless somebody told it not to.

    How to fix: serve them by a shard of their own with an internal address, and take the namespaces of the platform out
    of every shard that faces outside (`namespaceSelector` of the IngressController; `oc edit ingresscontroller NAME -n
    openshift-ingress-operator`).

    Limits: names and load balancers outside of the cluster are not in a snapshot. A router on the host network whose
    nodes stand inside is then judged by the zone whose `select.ingress` names it, and else left open. A shard that
    could serve the platform, and serves none of it today, counts as low.
    """
    if reason := not_judged(context.scene):
        yield NotApplicable(reason)
        return
    if not context.of(outside).zones:
        yield NotEvaluated("the matrix has no zone of kind `internet` or `external`, so nobody knows who is outside")
        return
    found = context.of(platform_doors)
    if not any(one.endpoints for one in found):
        yield from _nothing(context)
    for one in found:
        if one.endpoints:
            yield from _judged(one)
        elif one.facing.side == "outside":
            yield _could(one)


def _nothing(context: Context) -> Iterator[NotApplicable | NotEvaluated]:
    """What holds where the input shows no endpoint of the platform."""
    product = context.inventory.profile.product
    if product in ("openshift-4", "openshift-3"):
        if missing := context.missing(ROUTE):
            yield missing
        elif product == "openshift-4" and not any(is_platform(one.namespace) for one in context.scene.of(ROUTE)):
            yield NotEvaluated(
                "the input holds no Route of the platform, not even the one by which it checks its routers"
            )
    elif missing := context.missing("Service"):
        yield missing


def _judged(one: Door) -> Iterator[Finding]:
    certain = tuple(endpoint for endpoint in one.endpoints if endpoint.certain)
    sure = one.facing.side == "outside" and bool(certain)
    if one.facing.side == "inside":
        return
    shown = certain if sure else one.endpoints
    words = ", ".join(dict.fromkeys(endpoint.word for endpoint in shown))
    listed = ", ".join(str(endpoint.ref) for endpoint in shown[:_NAMED])
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    reason = one.facing.why if one.facing.side == "unknown" else "whether it serves them is not known"
    yield Finding(
        title=f"{one.object} serves {words} of the platform to the outside"
        if sure
        else f"{one.object} may serve {words} of the platform to the outside",
        subjects=(one.object,),
        verdict="fail" if sure else "not-evaluated",
        reason="" if sure else f"{one.object}: {reason}",
        expected="an entry point that outsiders do not reach",
        observed=f"{one.facing.why}; serves {listed}{more}",
        fix=_fix(one),
        counts={"endpoints": len(shown)},
    )


def _could(one: Door) -> Finding:
    return Finding(
        title=f"{one.object} faces outside and could serve the platform: only labels of Routes keep it from that",
        subjects=(one.object,),
        severity="low",
        expected="a choice of namespaces without those of the platform",
        observed=f"{one.facing.why}; its choice of namespaces covers {', '.join(one.could[:_NAMED])}",
        fix=_fix(one),
        identity=("could",),
        counts={"namespaces": len(one.could)},
    )


def _fix(one: Door) -> str:
    """A sentence and YAML or a command for this kind of entry point."""
    name, space = scalar(one.object.name), scalar(one.object.namespace)
    spaces = sorted({*one.could, *(endpoint.ref.namespace for endpoint in one.endpoints)})
    if one.object.kind == "IngressController" and one.object.name == "default" and one.facing.scoped:
        strategy = '{"type": "LoadBalancerService", "loadBalancer": {"scope": "Internal"}}'
        return (
            "It is the router of the platform: give its load balancer an internal address.\n\n"
            f"oc patch ingresscontroller {name} -n {space} --type=merge "
            f"""-p '{{"spec": {{"endpointPublishingStrategy": {strategy}}}}}'"""
        )
    if one.object.kind == "IngressController":
        listed = ", ".join(map(scalar, spaces))
        return (
            "Take the namespaces of the platform out of the shard, and serve them by one with an internal address.\n\n"
            "apiVersion: operator.openshift.io/v1\n"
            "kind: IngressController\n"
            f"metadata: {{name: {name}, namespace: {space}}}\n"
            "spec:\n"
            "  namespaceSelector:\n"
            "    matchExpressions:\n"
            f"    - {{key: kubernetes.io/metadata.name, operator: NotIn, values: [{listed}]}}"
        )
    if one.object.kind == "Service":
        patch = """'{"spec": {"type": "ClusterIP", "externalIPs": null}}'"""
        return f"Publish it through an internal router.\n\nkubectl patch service {name} -n {space} -p {patch}"
    if one.object.kind == "DeploymentConfig":
        return (
            "Let the router serve the namespaces of its zone only.\n\n"
            f"oc set env dc/{name} -n {space} NAMESPACE_LABELS=network-zone=ZONE"
        )
    return f"Serve it by an internal entry point.\n\nkubectl get {one.object.kind.lower()} {name} -n {space} -o yaml"
