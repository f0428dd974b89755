"""OWN004: others than the owners may change the zone of a node."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_words import Wording, told
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="change nodes or what they are made from",
    expected="only the owners of zoning change nodes",
    fix="Take the right out of the role or delete the bindings; or name the holders in `settings.zoning_owners`.",
)


@rule(
    "OWN004",
    "Others than the owners may change the zone of a node",
    severity="high",
    needs=NEEDS,
    controls=(
        "nist-800-53r5/sc-7",
        "nist-800-53r5/cm-6",
    ),
)
def node_changer(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may change nodes or what they are made from.

    That is nodes themselves, the machines and machine sets that they are made from, machine configurations, and the
    default node selector of the scheduler.

    Why it matters: whoever relabels a node moves it into another zone, with the pods, routers and egress addresses that
    follow the label; machine configurations give root on every node.

    How to fix: take the right out of the role, or delete the binding with the `kubectl` command that the finding gives;
    name agents that must label nodes in settings.zoning_owners.

    Limits: who holds every right is told by OWN010 only. Kubelets change the labels of their own node within limits
    that no role shows: that is judged with the node labels themselves.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for part in kept(found, context.of(guards), "nodes"):
        yield Finding(**told(context.scene, part, WORDS))
