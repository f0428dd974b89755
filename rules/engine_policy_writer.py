"""OWN002: others than the owners may write policies above or beside network policies."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_words import Wording, told
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="write policies above or beside network policies",
    expected="only the owners of zoning write cluster-wide policies and those of other engines",
    fix="Take the right out of the role or delete the bindings; or name the holders in `settings.zoning_owners`.",
)


@rule(
    "OWN002",
    "Others than the owners may write policies above or beside network policies",
    severity="high",
    needs=NEEDS,
    controls=(
        "nist-800-53r5/ac-4",
        "pci-dss-4.0.1/1.2.8",
    ),
)
def engine_policy_writer(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may write policies above or beside NetworkPolicies.

    These are cluster-wide policies (AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy), policies of
    Calico, Cilium or Antrea, and policies of further networks in the namespaces of zones.

    Why it matters: these policies decide before or beside the network policies: one of them rewrites the firewall of
    every zone at once.

    How to fix: take the right out of the role, or delete the binding with the `kubectl` command that the finding gives;
    name the holder in settings.zoning_owners if it is meant to have the right.

    Limits: who holds every right is told by OWN010 only. The right is reported whether or not the plug-in of that
    policy is installed. Admission guards only weaken a finding, because their conditions are not evaluated.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for part in kept(found, context.of(guards), "engines"):
        yield Finding(**told(context.scene, part, WORDS))
