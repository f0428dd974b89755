"""OWN001: others than the owners may write the network policies of a zone."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_words import Wording, guard_policy, told
from audit.rule import Context, Finding, Manual, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="write network policies",
    expected="only the owners of zoning write the network policies of a zone",
    fix="Give the tenants a role without networkpolicies, or refuse their changes at admission; or name them in "
    "`settings.zoning_owners` if they are meant to.",
)


@rule(
    "OWN001",
    "Others than the owners may write the network policies of a zone",
    severity="high",
    needs=NEEDS,
    controls=(
        "nist-800-53r5/ac-4",
        "pci-dss-4.0.1/1.2.8",
        "iso-27001-2022/a.8.22",
    ),
)
def policy_writer(context: Context) -> Iterator[Finding | Manual | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may write NetworkPolicies in the namespaces of zones.

    Every role, binding and group of the input counts. The roles edit and admin may by default.

    Why it matters: policies only add up: one policy that allows everything opens the namespace, whatever the policies
    of the security team say.

    How to fix: bind the tenants to a role without networkpolicies, or let a cluster-wide policy decide first, or refuse
    the change at admission with the policy that the finding gives; `zone-audit who-can patch networkpolicies -n
    NAMESPACE SOURCE` shows the bindings. Who should have the right belongs into settings.zoning_owners.

    Limits: owners are those of settings.zoning_owners, users whom Group objects put into their groups, and the
    platform's own service accounts, users and groups. Who holds every right is told by OWN010 only. Client
    certificates of system:masters, the members of groups outside the cluster and other authorizers are in no
    object. A namespace counts as protected where the admin tier decides every connection into it from other zones;
    what leaves the cluster is judged elsewhere. Admission guards only weaken a finding, because their conditions
    are not evaluated.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    words = WORDS._replace(yaml=guard_policy(context.matrix.settings))
    parts = tuple(kept(found, context.of(guards), "policies"))
    for part in parts:
        yield Finding(**told(context.scene, part, words))
    if found.unknown_owners:
        reason = f"no Group object shows who is in {' and '.join(found.unknown_owners)}, which may write them"
        if context.inventory.profile.product in ("openshift-3", "openshift-4"):
            yield NotEvaluated(reason)
        elif not parts:
            yield Manual(f"{reason}: ask whoever keeps its members")
