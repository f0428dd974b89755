"""STO001: namespaces that may claim storage of another zone."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.storage import Opening, Storage, storage
from audit.controls.storage_classes import STORAGE_CLASS
from audit.controls.storage_fixes import UNOWNED, quota_yaml
from audit.controls.storage_quotas import CLUSTER_QUOTA, CLUSTER_QUOTAS, RESOURCE_QUOTA
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, rule

_SHOWN = 5
"""Classes and namespaces spelled out in a sentence."""


@rule(
    "STO001",
    "Namespace may claim storage of another zone",
    severity="high",
    needs=("Namespace", RESOURCE_QUOTA, CLUSTER_QUOTA, STORAGE_CLASS),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def open_foreign_class(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that every namespace of a zone has a quota of zero for every storage class of other zones.

    All ResourceQuotas and ClusterResourceQuotas that bind the namespace are read, on the class and on all claims.
    Either zone of a pair may require the isolation. Classes that no zone owns count as low.

    Why it matters: a class without a quota is without limit. Whoever may create a claim there stores data on the
    backend of another zone, past every network policy, as storage traffic comes from the node.

    How to fix: apply the quota that the finding gives: one ClusterResourceQuota for a zone on OpenShift, one
    ResourceQuota for each namespace elsewhere. Extend them with every new class, and name its zone in the matrix.

    Limits: quotas hold claims that are new; those that are there already are STO002. They are read as written, not
    tried. ClusterResourceQuotas are taken to have no effect in run-level namespaces.
    """
    stored = context.of(storage)
    if stored.idle:
        yield NotApplicable(stored.idle)
        return
    if stored.undeclared:
        yield NotEvaluated(stored.undeclared)
        return
    if lacking := context.missing(STORAGE_CLASS):
        yield lacking
        return
    found = [*_foreign(context, stored), *_unowned(stored)]
    lacking = context.missing(RESOURCE_QUOTA) if stored.without_quotas else None
    if found and lacking:
        yield lacking
    elif found and context.scene.lacking.of((RESOURCE_QUOTA, *CLUSTER_QUOTAS)):
        yield NotEvaluated("some quotas could not be read, so that nobody can tell what they hold")
    else:
        yield from found
    if stored.quotas.uncertain:
        listed = ", ".join(sorted(stored.quotas.uncertain)[:_SHOWN])
        yield NotEvaluated(f"a ClusterResourceQuota may select namespaces whose labels were not read: {listed}")


def _foreign(context: Context, stored: Storage) -> Iterator[Finding]:
    """One finding for each zone and set of open classes."""
    for zone in context.scene.zones:
        names = tuple(name for name in stored.names if stored.classes.foreign(zone.name, name))
        for opening in stored.open_to(zone, names):
            yield _open(context, stored, opening, quota_yaml(stored, zone, opening.namespaces, names))


def _open(context: Context, stored: Storage, opening: Opening, quota: str) -> Finding:
    zone = next(one for one in context.scene.zones if one.name == opening.zone)
    owners = sorted({stored.classes.foreign(zone.name, name) for name in opening.classes})
    count = len(opening.namespaces)
    who = f"namespace {opening.namespaces[0]}" if count == 1 else f"{count} namespaces"
    more = "" if count == 1 else " Repeat it for the other namespaces where it names one."
    return Finding(
        title=f"{who} of zone {zone.name} may claim storage of zone {_few(owners)}",
        subjects=tuple(context.namespace_ref(name) for name in opening.namespaces),
        from_zone=zone.name,
        to_zone=owners[0] if len(owners) == 1 else "",
        expected="a quota of zero for every class of another zone",
        observed=f"no quota of zero for {_few(opening.classes)}",
        fix=f"Apply this quota.{more}\n\n{quota}",
        owner=zone.owner,
        identity=opening.classes,
        counts={"namespaces": count, "classes": len(opening.classes)},
    )


def _unowned(stored: Storage) -> Iterator[Finding]:
    """One finding for each set of zones whose namespaces may claim classes of nobody."""
    names = tuple(name for name in stored.names if not stored.classes.owners.get(name))
    open_in: dict[str, dict[str, int]] = {}
    for zone in stored.scene.zones:
        for opening in stored.open_to(zone, names) if zone.name in stored.classes.required else ():
            for name in opening.classes:
                counts = open_in.setdefault(name, {})
                counts[zone.name] = counts.get(zone.name, 0) + len(opening.namespaces)
    alike: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for name, counts in open_in.items():
        alike.setdefault(tuple(counts.items()), []).append(name)
    for zones, classes in sorted(alike.items()):
        yield _nobodys(stored, dict(zones), classes, names)


def _nobodys(stored: Storage, zones: dict[str, int], classes: list[str], unowned: tuple[str, ...]) -> Finding:
    known = stored.classes.known
    subjects = [known[name].ref if name in known else ObjectRef("StorageClass", "", name) for name in classes]
    several = len(classes) > 1
    first = next(zone for zone in stored.scene.zones if zone.name in zones)
    members = tuple(one.name for one in stored.scene.members(first.name))
    many = " There are more zones that need one." if len(zones) > 1 else ""
    return Finding(
        title=f"storage class{'es' if several else ''} {_few(classes)} belong{'' if several else 's'} to no zone and "
        f"{'are' if several else 'is'} open to zone {_few(list(zones))}",
        subjects=tuple(subjects),
        severity="low",
        expected="every class has a zone, and a quota of zero in the others",
        observed="; ".join(f"{count} namespaces of zone {zone}" for zone, count in zones.items()),
        fix=f"Name the class under `select.storageClasses` of its zone, and close it for the others.{many}\n\n"
        f"{quota_yaml(stored, first, members, unowned, UNOWNED)}",
        identity=("unowned",),
        counts={"namespaces": sum(zones.values()), "classes": len(classes)},
    )


def _few(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
