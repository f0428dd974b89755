"""EGR010: egress firewalls that do not do what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from audit.controls.egress_filters import Broken, Fault, broken, ground
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, Severity, rule, together


class _Known(NamedTuple):
    """One fault in words."""

    what: str
    """Goes on after the name of the firewall; `{}` is the detail."""
    severity: Severity
    fix: str
    certain: bool = True


_FAULTS: Mapping[Fault, _Known] = {
    "refused": _Known(
        "is not applied, so that nothing is denied",
        "high",
        "Correct the rule that its status names: one that cannot be read disables the object.\n\n"
        "oc get egressfirewall default -n {namespace} -o yaml",
    ),
    "silent": _Known(
        "has no status that says it is applied",
        "high",
        "Look at its status.\n\noc get egressfirewall default -n {namespace} -o yaml",
        certain=False,
    ),
    "unread": _Known(
        "has a rule that the plug-in may refuse, and the whole object with it",
        "high",
        "Write the rule with known fields and valid blocks.\n\noc get egressfirewall default -n {namespace} -o yaml",
        certain=False,
    ),
    "several": _Known(
        "is one of several in the namespace, which drops all that leaves",
        "medium",
        "Put all rules into one object and delete the others.\n\noc get egressnetworkpolicy -n {namespace}",
    ),
    "shared": _Known(
        "stands in a network shared with other namespaces, which drops all that leaves",
        "medium",
        "Give the namespace a network of its own.\n\noc adm pod-network isolate-projects {namespace}",
    ),
    "ipv6": _Known(
        "denies all of IPv4 and leaves IPv6 open",
        "medium",
        "Deny the rest of IPv6 in the last rule.\n\n- type: Deny\n  to: {{cidrSelector: ::/0}}",
    ),
    "unreached": _Known(
        "has rules that never match",
        "low",
        "Put them before the rule that decides the same addresses, or delete them.\n\noc edit {kind} -n {namespace}",
    ),
    "names": _Known(
        "rests on domain names",
        "low",
        "Name address blocks instead of names, where they are known.\n\n- type: Allow\n  to: {{cidrSelector: BLOCK}}",
    ),
}


@rule(
    "EGR010",
    "Egress firewall does not do what it says",
    severity="medium",
    needs=("Namespace", "EgressFirewall.k8s.ovn.org", "EgressNetworkPolicy.network.openshift.io"),
    controls=("nist-800-53r5/sc-7.5", "nist-800-53r5/cm-6", "pci-dss-4.0.1/1.2.7"),
)
def broken_egress_firewall(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: egress firewalls of zones are in force as a whole, and each of their rules can match.

    An EgressFirewall is off as a whole when one rule is invalid; several EgressNetworkPolicies in a namespace, or one
    in a shared network, drop all that leaves; a block for all of IPv4 says nothing of IPv6; rules behind one that
    decides every address never match; domain names are resolved again and again, each node for itself.

    Why it matters: the text of the firewall is what people review, and what is enforced differs from it.

    How to fix: each finding says how, with a command or the rule to add.

    Limits: IPv6 is looked at where a pod, a node or the pod network of the input has such addresses. An
    EgressFirewall of another name than `default` is refused when the input is read, as an API server would do.
    """
    if stop := context.barred(context.of(ground)):
        yield stop
        return
    found = [((one.fault, one.filters[0].zone.name), _finding(one)) for one in context.of(broken)]
    for fault, known in _FAULTS.items():
        alike = (pair for pair in found if pair[0][0] == fault)
        yield from together(alike, lambda count, one, known=known: _all(count, one, known.what))  # type: ignore[misc]


def _all(count: int, one: Finding, what: str) -> str:
    return f"{count} egress firewalls of zone {one.from_zone}: each {what}"


def _finding(one: Broken) -> Finding:
    known, first = _FAULTS[one.fault], one.filters[0]
    detail = f": {one.detail}" if one.detail else ""
    return Finding(
        title=f"{first.ref} {known.what}",
        subjects=tuple(each.ref for each in one.filters),
        verdict="fail" if known.certain else "not-evaluated",
        severity=known.severity,
        from_zone=first.zone.name,
        expected="what its rules say is enforced",
        observed=f"it {known.what}{detail}",
        fix=known.fix.format(namespace=first.ref.namespace, kind=first.ref.kind.lower()),
        owner=first.zone.owner,
        reason="" if known.certain else f"{first.ref} {known.what}",
        identity=(one.fault,),
        counts={"firewalls": len(one.filters)},
    )
