"""NET005: policies whose selectors match nothing."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.governance import mistaken_keys
from audit.rule import Context, Finding, PolicyFact, rule


@rule(
    "NET005",
    "Selector or peer of a NetworkPolicy matches nothing",
    severity="low",
    needs=("Namespace", "Pod", "NetworkPolicy"),
    undone_by=("Pod",),
    controls=("nist-800-53r5/cm-6", "pci-dss-4.0.1/1.2.7"),
)
def dead_selector(context: Context) -> Iterator[Finding]:
    """What it checks: policies that select no pod of their namespace, and peers that match no namespace or pod.

    Why it matters: it is how a typing error in a label looks. The protection someone believes in is not there, or a
    leftover rule waits to admit whatever takes that label next.

    How to fix: correct the label, or delete the policy or the peer.

    Limits: a policy for all pods of a namespace that has none yet is not reported, since it protects what comes. Among
    manifests alone the pods or namespaces may simply be part of another file. Peers that select a zone by a label of
    another design are ZON005, once for all policies.
    """
    told = frozenset(text for key in context.of(mistaken_keys) for text in key.requirements)
    for fact in context.facts.policies:
        dead = fact.selected == 0 and fact.selector != "everything"
        peers = tuple(peer for peer in fact.empty_peers if told.isdisjoint(_conditions(peer)))
        if dead or peers:
            yield _finding(context, fact, peers, dead=dead)


def _conditions(peer: str) -> list[str]:
    """What a peer demands of namespaces: `zone=b` of `ingress rule 1: pods app=x of namespaces zone=b`."""
    return peer.rpartition("namespaces ")[2].split(", ")


def _finding(context: Context, fact: PolicyFact, peers: tuple[str, ...], *, dead: bool) -> Finding:
    what = f"selects no pod ({fact.selector})" if dead else f"has peers that match nothing ({peers[0]})"
    seen = ([f"podSelector {fact.selector} selects no pod"] if dead else []) + list(peers)
    zone = context.matrix.zone(context.zone_of(fact.ref.namespace))
    return Finding(
        title=f"{fact.ref} {what}",
        subjects=(fact.ref,),
        expected="every selector matches something",
        observed="; ".join(seen),
        fix="Correct the labels, or delete what is no longer needed.",
        owner=zone.owner if zone else "",
        counts={"empty_peers": len(peers)},
    )
