"""EGR009: egress firewalls that deny nothing."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.egress_filters import Idle, ground, idle, restricted
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together


@rule(
    "EGR009",
    "Egress firewall denies nothing",
    severity="medium",
    needs=("Namespace", "EgressFirewall.k8s.ovn.org", "EgressNetworkPolicy.network.openshift.io"),
    controls=("nist-800-53r5/sc-7.5", "nist-800-53r5/cm-6", "pci-dss-4.0.1/1.2.7"),
)
def idle_egress_firewall(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: an egress firewall denies something, if the matrix restricts what its zone may reach outside.

    It denies nothing without a deny rule, with a rule before it that allows every address, in a namespace of netid 0,
    and as a kind that the network plug-in does not know, such as an EgressNetworkPolicy left behind on OVN-Kubernetes.

    Why it matters: reviews see a firewall, and the namespace has none.

    How to fix: end the rules with the YAML of the finding, or write them as the kind that the plug-in knows.

    Limits: a namespace without any firewall is not reported here: what it can reach is judged against the matrix by
    NET001, with NetworkPolicies and firewalls together. Where NET001 has no complaint, the finding
    counts as low. IPv6 is looked at where a pod, a node or the pod network of the input has such addresses.
    """
    if stop := context.barred(context.of(ground)):
        yield stop
        return
    found = (((one.filter.zone.name, one.why), _finding(context, one)) for one in context.of(idle))
    yield from together(found, lambda count, one: f"{count} egress firewalls of zone {one.from_zone} deny nothing")


def _finding(context: Context, one: Idle) -> Finding:
    zone = one.filter.zone
    outside = restricted(context.scene, zone)
    kept = all(cell.verdict == "pass" for cell in context.cells if cell.source == zone.name and cell.target in outside)
    return Finding(
        title=f"{one.filter.ref} denies nothing",
        subjects=(one.filter.ref,),
        severity="low" if kept else "medium",
        from_zone=zone.name,
        expected=f"it restricts what zone {zone.name} reaches of {', '.join(outside)}",
        observed=one.why,
        fix=_fix(context, one),
        owner=zone.owner,
    )


def _fix(context: Context, one: Idle) -> str:
    deny = "- type: Deny\n  to: {cidrSelector: 0.0.0.0/0}"
    ovn = context.inventory.profile.plugin == "ovn-kubernetes"
    more = "\n- type: Deny\n  to: {cidrSelector: ::/0}" if ovn or one.filter.ref.kind == "EgressFirewall" else ""
    if one.filter.foreign:
        kind = "EgressFirewall with the name `default`" if ovn else "kind that the network plug-in knows"
        return f"Write its rules as an {kind}, ending with this one, and delete it.\n\n{deny}{more}"
    return f"Let its rules allow what the matrix allows, and end with this one.\n\n{deny}{more}"
