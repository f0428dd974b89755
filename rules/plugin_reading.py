"""NET008: constructs that the network plug-in reads in another way than the API text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from audit.rule import Context, Finding, ObjectRef, PolicyFact, rule, together


class _Known(NamedTuple):
    """One construct in words."""

    what: str
    """What happens: goes on after the name of the policy."""
    fix: str


_CONSTRUCTS: Mapping[str, _Known] = {
    "named-port": _Known(
        "opens every port of the protocol where it names a port by name", "Write the number of the port."
    ),
    "named-port-skipped": _Known("names a port by name, and that entry is skipped", "Write the number of the port."),
    "named-port-denies": _Known(
        "names a port by name, which makes the whole policy admit nobody", "Write the number of the port."
    ),
    "unlisted-direction": _Known(
        "opens a direction that its policyTypes leave out", "List the direction in policyTypes, or delete its rules."
    ),
    "host-network": _Known(
        "admits the host network besides the pods that it selects",
        "Select the pods that are meant in namespaces without host-network pods, and leave the host network out.",
    ),
    "any-source": _Known(
        "admits the outside and the host network by `namespaceSelector: {}`",
        "Add `podSelector: {}` to the peer, or name the namespaces that are meant.",
    ),
    "block-of-pods": _Known(
        "has an ipBlock that covers pods or nodes, which the plug-in does not match by address",
        "Select pods by label, and keep ipBlock for addresses outside the cluster.",
    ),
    "block-not-read": _Known(
        "has an ipBlock that this release does not read", "Update the cluster, or select what is meant by label."
    ),
    "egress-not-enforced": _Known(
        "restricts egress, which this release does not enforce",
        "Update the cluster, or restrict egress with an EgressNetworkPolicy.",
    ),
    "admin-kind": _Known(
        "is of a kind that the plug-in may not implement",
        "Say the same with NetworkPolicies, or have the plug-in's support for the kind confirmed.",
    ),
    "admin-priority": _Known(
        "has a priority above 99, which the plug-in does not program", "Give it a priority of 0 to 99."
    ),
}


@rule(
    "NET008",
    "Network plug-in reads a policy in another way than the API text",
    severity="medium",
    needs=("NetworkPolicy",),
    controls=("nist-800-53r5/cm-6", "nist-800-53r5/sc-7.5", "pci-dss-4.0.1/1.2.7"),
)
def plugin_reading(context: Context) -> Iterator[Finding]:
    """What it checks: constructs that the network plug-in of this cluster is known to read differently.

    Examples are named ports and rules of an unlisted direction on OVN-Kubernetes, egress rules on openshift-sdn before
    4.10, address blocks that cover pods on Cilium. Cluster-wide policies of equal priority that select the same pods
    are among them on every plug-in, since the API text leaves their order open.

    Why it matters: the policy says one thing and the cluster does another. Verdicts take both readings for possible, so
    that they are not-evaluated where the two differ.

    How to fix: write the policy so that both readings are the same; each finding says how.

    Limits: what is known of a plug-in is its source code at some releases. In profile `spec` no plug-in is known, and
    only equal priorities are reported. Constructs that make no difference for any endpoint of the input are left out.
    """
    found = [one for fact in context.facts.policies if fact.readings for one in _of(context, fact)]
    for construct, known in _CONSTRUCTS.items():
        alike = ((construct, finding) for name, finding in found if name == construct)
        yield from together(alike, lambda count, _, known=known: f"{count} policies: each {known.what}")  # type: ignore[misc]
    for refs in context.facts.unordered:
        yield _unordered(refs)


def _of(context: Context, fact: PolicyFact) -> Iterator[tuple[str, Finding]]:
    """One finding per construct of one policy."""
    places: dict[str, list[str]] = {}
    for construct, where in fact.readings:
        if construct in _CONSTRUCTS:
            places.setdefault(construct, []).append(where)
    zone = context.matrix.zone(context.zone_of(fact.ref.namespace)) if fact.ref.namespace else None
    for construct, listed in places.items():
        known, plugin = _CONSTRUCTS[construct], context.inventory.profile.plugin
        yield (
            construct,
            Finding(
                title=f"{fact.ref} {known.what}",
                subjects=(fact.ref,),
                to_zone=zone.name if zone else "",
                expected="the plug-in does what the API text says",
                observed=f"{plugin}: {'; '.join(one for one in listed if one) or 'the whole policy'}",
                fix=known.fix,
                owner=zone.owner if zone else "",
                identity=(construct,),
                counts={"rules": sum(map(bool, listed))},
            ),
        )


def _unordered(refs: tuple[ObjectRef, ...]) -> Finding:
    more = f" and {len(refs) - 2} more" if len(refs) > 2 else ""  # noqa: PLR2004 - the two that are named
    return Finding(
        title=f"{refs[0]} and {refs[1]}{more} have equal priority and select the same pods",
        subjects=refs,
        expected="an order between policies that select the same pods",
        observed=f"{len(refs)} policies of equal priority: which one decides is not defined",
        fix="Give each of them a priority of its own.",
        identity=("equal-priority",),
        counts={"policies": len(refs)},
    )
