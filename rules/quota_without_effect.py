"""STO009: quotas that look like isolation of storage and hold nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from audit.controls.storage import Storage, storage
from audit.controls.storage_classes import STORAGE_CLASS
from audit.controls.storage_faults import Fault, What, faults
from audit.controls.storage_fixes import quota_yaml
from audit.controls.storage_quotas import CLUSTER_QUOTA, RESOURCE_QUOTA
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

_WORDS: Mapping[What, tuple[str, str, str]] = {
    "scope": (
        "counts only objects of scope {about}, so that its limits hold no claim",
        "a quota on storage has no scope",
        "Move the limits on storage into a quota without scopes.",
    ),
    "no-class": (
        "limits the storage class {about}, which does not exist",
        "the name of a storage class",
        "Correct the name of the class, or remove the limit.",
    ),
    "no-namespace": (
        "closes {about} and binds no namespace of a zone",
        "the selector finds the namespaces of a zone",
        "Correct the selector: labels and annotations must both match.",
    ),
    "size": (
        "lets zone {zone} claim {detail} of class {about}, which belongs to another zone",
        "a limit of zero",
        "Set the limit to zero.",
    ),
    "key": (
        "has a limit on {about}, which nothing counts",
        "CLASS.storageclass.storage.k8s.io/requests.storage with a quantity",
        "Correct the key or the quantity.",
    ),
}
"""What is wrong, as a title goes on after the name of the quota; what is expected; how to repair it."""


@rule(
    "STO009",
    "Quota on storage has no effect",
    severity="medium",
    needs=("Namespace", RESOURCE_QUOTA, CLUSTER_QUOTA, STORAGE_CLASS),
    undone_by=(STORAGE_CLASS,),
    controls=("nist-800-53r5/cm-6", "nist-800-53r5/ac-4.21", "iso-27001-2022/a.8.22"),
)
def quota_without_effect(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that quotas on storage classes bind what they look like they bind.

    It finds those that have a scope, name a class that does not exist, select no namespace of a zone, give a size where
    zero is meant, or use a key that nothing counts.

    Why it matters: whoever reviews the quotas sees isolation that is not there. One misspelt letter in the name of a
    class leaves the class without limit.

    How to fix: correct the quota as the finding says; the YAML that it gives holds the classes of other zones.

    Limits: a limit on a class that does not exist counts as low, unless the name is close to that of a class
    of another zone which is open. What is open in the end is STO001.
    """
    stored = context.of(storage)
    if stored.idle:
        yield NotApplicable(stored.idle)
        return
    yield from (_finding(context, stored, one) for one in faults(stored))
    unread = context.missing(RESOURCE_QUOTA) if stored.without_quotas else None
    unnamed = context.missing(STORAGE_CLASS) if stored.quotas.listed else None
    if lacking := unread or unnamed:
        yield lacking


def _finding(context: Context, stored: Storage, one: Fault) -> Finding:
    title, expected, fix = _WORDS[one.what]
    zone, count = context.matrix.zone(one.zone), len(one.quotas)
    who = str(one.quotas[0]) if count == 1 else f"each of {count} quotas{f' of zone {one.zone}' if one.zone else ''}"
    said = title.format(about=one.about, zone=one.zone, detail=one.detail)
    meant = f"; did you mean {one.detail}?" if one.what == "no-class" and one.detail else ""
    return Finding(
        title=f"{who} {said}",
        subjects=one.quotas,
        severity="low" if one.harmless else "medium",
        from_zone=one.zone,
        expected=expected,
        observed=(one.detail if one.what in ("size", "no-namespace") else one.about) + meant,
        fix=f"{fix}{_ready(stored, one)}",
        owner=zone.owner if zone else "",
        identity=(one.what, one.about),
        counts={"quotas": count},
    )


def _ready(stored: Storage, one: Fault) -> str:
    """A blank line and the quota that the zone needs; the command that shows the quota where it has none."""
    zone = next((zone for zone in stored.scene.zones if zone.name == one.zone), None)
    names = [name for name in stored.names if stored.classes.foreign(one.zone, name)]
    members = [space.name for space in stored.scene.members(one.zone)]
    if zone is None or not names or not members:
        first = one.quotas[0]
        inside = f" -n {shlex.quote(first.namespace)}" if first.namespace else ""
        return f"\n\nkubectl get {first.kind.lower()} {shlex.quote(first.name)}{inside} -o yaml"
    return f"\n\n{quota_yaml(stored, zone, members, names)}"
