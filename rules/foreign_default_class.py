"""STO003: default storage classes that take claims of zones they do not belong to."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from audit.controls.storage import Storage, storage
from audit.controls.storage_claims import Landing, landings
from audit.controls.storage_classes import STORAGE_CLASS
from audit.controls.storage_quotas import CLUSTER_QUOTA, RESOURCE_QUOTA
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule


@rule(
    "STO003",
    "Default storage class takes claims of other zones",
    severity="medium",
    needs=("Namespace", RESOURCE_QUOTA, CLUSTER_QUOTA, STORAGE_CLASS),
    undone_by=(RESOURCE_QUOTA, CLUSTER_QUOTA),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/cm-6", "iso-27001-2022/a.8.22"),
)
def foreign_default_class(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: where a claim that names no class lands, in every namespace of every zone.

    Why it matters: the default is one for the whole cluster. If it belongs to one zone, the claims of every other zone
    that forget the class are stored there, without anybody having chosen it.

    How to fix: unset the default with the command that the finding gives, or close the class for other zones by quota.

    Limits: of several defaults the newest counts, from Kubernetes 1.26 on; older releases refuse such claims, which
    counts as low, because an update changes it. Without times of creation every default may be the one.
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
    found = list(landings(stored))
    if found and stored.without_quotas and (lacking := context.missing(RESOURCE_QUOTA)):
        yield lacking
        return
    yield from (_finding(context, stored, one) for one in found)


def _finding(context: Context, stored: Storage, one: Landing) -> Finding:
    name, zones = one.storage_class.name, ", ".join(one.zones)
    several = [other.name for other in stored.classes.defaults]
    refused = len(several) > 1 and stored.classes.refuses_several
    whose = f"zone {one.owner}" if one.owner else "no zone"
    zone = context.matrix.zone(one.owner) if one.owner else None
    note = f"; default are {', '.join(several)}" if len(several) > 1 else ""
    note += ", which this release refuses and a later one does not" if refused else ""
    return Finding(
        title=f"default storage class {name} of {whose} takes claims of zone {zones}",
        subjects=(one.storage_class.ref,),
        verdict="fail" if one.certain or refused else "not-evaluated",
        reason="" if one.certain or refused else "several classes are default, and nothing says which is the newest",
        severity="medium" if one.owner and not refused else "low",
        from_zone=one.zones[0] if len(one.zones) == 1 else "",
        to_zone=one.owner,
        expected="no default class, or one that other zones have a quota of zero for",
        observed=f"{len(one.namespaces)} namespaces of zone {zones} have no quota of zero for {name}{note}",
        fix="Unset the default, so that every claim has to name its class.\n\n"
        f"kubectl annotate storageclass {shlex.quote(name)} {one.storage_class.default}=false --overwrite",
        owner=zone.owner if zone else "",
        counts={"namespaces": len(one.namespaces)},
    )
