"""OWN005: others than the owners may change egress addresses, egress firewalls or networks."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_words import Wording, told
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="change egress addresses, egress firewalls or networks",
    expected="only the owners of zoning change egress and networks",
    fix="Take the right out of the role or delete the bindings; or name the holders in `settings.zoning_owners`.",
)


@rule(
    "OWN005",
    "Others than the owners may change egress addresses, egress firewalls or networks",
    severity="high",
    needs=NEEDS,
    controls=(
        "nist-800-53r5/ac-4",
        "nist-800-53r5/sc-7",
        "pci-dss-4.0.1/1.3.2",
    ),
)
def egress_changer(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may change the ways out of a zone.

    That is NetNamespaces, HostSubnets and egress network policies of openshift-sdn; egress addresses, egress firewalls,
    egress services, external routes and networks of OVN-Kubernetes; network attachments, egress routers, cloud
    addresses and the configuration of the cluster network.

    Why it matters: with them a tenant leaves with the address of another zone, opens the way out, joins the networks of
    other zones or goes around the policies on a network of its own.

    How to fix: take the right out of the role, or delete the binding with the `kubectl` command that the finding gives;
    on OVN-Kubernetes the role edit may write userdefinednetworks, so tenants need a role without them.

    Limits: who holds every right is told by OWN010 only. The right is reported whether or not the kind is in use.
    Admission guards only weaken a finding, because their conditions are not evaluated.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for part in kept(found, context.of(guards), "egress"):
        yield Finding(**told(context.scene, part, WORDS))
