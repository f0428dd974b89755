"""OWN008: others than the owners may change what keeps the storage of zones apart."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership, within
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_words import Wording, told
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="change what keeps the storage of zones apart",
    expected="only the owners of zoning change quotas, storage classes, volumes and snapshot contents",
    fix="Take the right out of the role or delete the bindings; name storage drivers in `settings.zoning_owners`.",
)


@rule(
    "OWN008",
    "Others than the owners may change what keeps the storage of zones apart",
    severity="medium",
    needs=NEEDS,
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7"),
)
def storage_changer(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may write quotas, storage classes, volumes and snapshot contents.

    Quotas count in the namespaces of zones that require storage-isolation.

    Why it matters: without the quota of zero a claim may use the class of another zone; a volume or a snapshot content
    made by hand may stand for data of another zone.

    How to fix: take the right out of the role, or delete the binding with the `kubectl` command that the finding gives;
    name storage drivers that must create volumes in settings.zoning_owners.

    Limits: who holds every right is told by OWN010 only. Drivers in namespaces of the platform count as the platform.
    """
    zones = frozenset(zone.name for zone in context.scene.zones if "storage-isolation" in zone.requires)
    if not zones:
        yield NotApplicable("no zone requires storage-isolation")
        return
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for part in kept(within(found, zones), context.of(guards), "storage"):
        yield Finding(**told(context.scene, part, WORDS))
