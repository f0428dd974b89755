"""EGR011: egress routers, EgressServices and external routes that leave a zone outside its addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from audit.controls.egress_detours import Detour, Fault, detours, ground, unclear
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, Severity, rule, scalar


class _Known(NamedTuple):
    """One fault in words."""

    what: str
    """Goes on after the name of the object; `{0}` is the zone, `{1}` what was found."""
    severity: Severity
    fix: str
    certain: bool = True


_FAULTS: Mapping[Fault, _Known] = {
    "source": _Known("leaves zone {0} with {1}, which is not of the zone", "high", "Give it an address of zone {0}."),
    "gateway": _Known("sends zone {0} to {1}, which is not of the zone", "high", "Name a gateway of zone {0}."),
    "pods": _Known(
        "sends zone {0} through pods of {1}", "high", "Let its gateway pods run in namespaces of zone {0} only."
    ),
    "own": _Known(
        "sends zone {0} out with {1} in place of egress addresses",
        "medium",
        "Remove the route, or have its gateway put an address of zone {0} in the place of the pods' own.",
    ),
    "node": _Known("leaves zone {0} from node {1}", "medium", "Have it run on nodes of zone {0}."),
    "nodes": _Known("may leave zone {0} from {1}", "medium", "Select the nodes of zone {0} only."),
    "any-node": _Known("may leave zone {0} from any node", "low", "Select the nodes of zone {0}."),
    "unknown": _Known(
        "leaves zone {0} in a way that cannot be judged",
        "high",
        "Write its addresses down, and those of the zone.",
        certain=False,
    ),
}


@rule(
    "EGR011",
    "Egress router, service or route leads out of the zone's addresses",
    severity="high",
    needs=(
        "Namespace",
        "Pod",
        "EgressRouter.network.operator.openshift.io",
        "EgressService.k8s.ovn.org",
        "AdminPolicyBasedExternalRoute.k8s.ovn.org",
    ),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/ac-4", "pci-dss-4.0.1/1.3.2"),
)
def foreign_egress_route(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: ways out of a zone beside egress addresses keep to addresses and nodes of the zone.

    These are source addresses and gateways of egress routers, load balancer addresses and nodes of EgressServices, and
    next hops of AdminPolicyBasedExternalRoutes or of the annotations that stood in their place.

    Why it matters: they go before egress addresses and, as a network card of their own, beside egress firewalls. With
    an address or a gateway of another zone the traffic arrives as that zone, or goes through its firewall.

    How to fix: give the object addresses, gateways and nodes of the zone, as in the YAML of the finding.

    Limits: what a gateway outside does to the traffic is not seen. A route that keeps the pods' addresses is reported
    for zones that require egress addresses. That egress routers exist at all is DOOR006.
    """
    if stop := context.barred(context.of(ground)):
        yield stop
        return
    for one in context.of(detours):
        yield _finding(context, one)
    if names := context.of(unclear):
        yield NotEvaluated(f"which namespaces {names[0]} leads is not known: its selector, or labels, were not read")


def _finding(context: Context, one: Detour) -> Finding:
    known = _FAULTS[one.fault]
    values = [value or "an address that is not known" for value in one.values]
    if one.fault == "pods":
        values = [value if value.startswith("(") else f"zone {value}" for value in one.values]
    says = known.what.format(one.zone.name, " and ".join(values))
    return Finding(
        title=f"{one.ref} {says}",
        subjects=(one.ref,),
        verdict="fail" if known.certain else "not-evaluated",
        severity=known.severity,
        from_zone=one.zone.name,
        expected=f"addresses, gateways and nodes of zone {one.zone.name}",
        observed=f"it {says}",
        fix=_fix(context, one),
        owner=one.zone.owner,
        reason="" if known.certain else f"{one.ref} {says}: {', '.join(values)}",
        identity=(one.fault,),
    )


def _fix(context: Context, one: Detour) -> str:
    text = _FAULTS[one.fault].fix.format(one.zone.name)
    blocks = ", ".join((one.zone.egress_cidrs or one.zone.cidrs).cidrs())
    labels = context.matrix.settings.node_labels
    select = f"nodeSelector:\n  matchLabels:\n    {labels[0]}: {scalar(one.zone.name)}" if labels else ""
    match one.fault, one.ref.kind:
        case (("node" | "nodes" | "any-node"), "EgressService"):
            return f"{text}\n\n{select}" if select else text
        case (("source" | "unknown"), "EgressRouter"):
            return f"{text}\n\naddresses:\n- ip: ADDRESS  # within {blocks}\n  gateway: GATEWAY"
        case (("source" | "unknown"), "EgressService"):
            return f"{text}\n\nloadBalancerIP: ADDRESS  # of the Service, within {blocks}"
        case (("source" | "gateway" | "unknown"), "AdminPolicyBasedExternalRoute"):
            return f"{text}\n\nnextHops:\n  static:\n  - ip: GATEWAY  # within {blocks}"
        case (("source" | "gateway" | "unknown"), _):
            name = "EGRESS_GATEWAY" if one.fault == "gateway" else "EGRESS_SOURCE"
            return f"{text}\n\nenv:\n- name: {name}\n  value: ADDRESS  # within {blocks}"
    return text
