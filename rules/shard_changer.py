"""OWN006: others than the owners may change the ingress shards."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_words import Wording, told
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="change ingress shards",
    expected="only the owners of zoning change ingress shards",
    fix="Take the right out of the role or delete the bindings; or name the holders in `settings.zoning_owners`.",
)


@rule(
    "OWN006",
    "Others than the owners may change the ingress shards",
    severity="high",
    needs=NEEDS,
    controls=(
        "nist-800-53r5/sc-7",
        "pci-dss-4.0.1/1.3.1",
    ),
)
def shard_changer(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may change ingress shards.

    That is ingress controllers, the ingress configuration, gateway classes, Gateways whose listeners admit routes of
    other namespaces, workloads that are routers, and on OpenShift 3 all deployments of the namespace default.

    Why it matters: whoever changes the selector of a shard publishes one zone through the routers of another.

    How to fix: take the right out of the role, or delete the binding with the `kubectl` command that the finding gives;
    name the holder in settings.zoning_owners if it is meant to have the right.

    Limits: who holds every right is told by OWN010 only. Gateways that admit routes of their own namespace only are the
    business of that namespace.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for part in kept(found, context.of(guards), "shards"):
        yield Finding(**told(context.scene, part, WORDS))
