"""STO002: claims that use storage of another zone."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from audit.controls.storage import Storage, storage
from audit.controls.storage_claims import ForeignClaims, foreign_claims
from audit.controls.storage_classes import STORAGE_CLASS
from audit.controls.storage_volumes import CLAIM, VOLUME
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar, together


@rule(
    "STO002",
    "Claim uses storage of another zone",
    severity="high",
    needs=(CLAIM, "Namespace", VOLUME, STORAGE_CLASS),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def foreign_claim(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: the class of every claim and of its volume, and what pods and StatefulSets would claim.

    Why it matters: the data of one zone lies on the backend of another, where it is backed up, replicated and
    administered by the other zone's people. A quota does not end this: it stops new claims only.

    How to fix: create a claim of the zone's own class with the YAML that the finding gives, copy the data, switch the
    workload over and delete the old claim.

    Limits: whose a class is, `select.storageClasses` of the matrix says. A waiting claim without a class is certain to
    get the default from Kubernetes 1.28 on; before, and where the release is not known, it is not evaluated.
    """
    stored = context.of(storage)
    if stored.idle:
        yield NotApplicable(stored.idle)
        return
    if stored.undeclared:
        yield NotEvaluated(stored.undeclared)
        return
    yield from together(_each(context, stored), _title_of_many)
    if not stored.claims and (lacking := context.missing(CLAIM)):
        yield lacking


def _title_of_many(count: int, one: Finding) -> str:
    return f"claims in {count} namespaces of zone {one.from_zone} use storage of zone {one.to_zone}"


def _each(context: Context, stored: Storage) -> Iterator[tuple[Hashable, Finding]]:
    for one in foreign_claims(stored):
        yield (one.storage_class, one.by_default), _finding(context, stored, one)


def _finding(context: Context, stored: Storage, one: ForeignClaims) -> Finding:
    zone, count = context.matrix.zone(one.zone), len(one.claims)
    how = f"the default class {one.storage_class}" if one.by_default else f"class {one.storage_class}"
    first = one.claims[0]
    who = f"{first.kind} {first.name}" if count == 1 else f"{count} claims"
    verb = ("asks" if count == 1 else "ask") if not one.bound else ("uses" if count == 1 else "use")
    return Finding(
        title=f"{who} of namespace {one.namespace} {verb}{'' if one.bound else ' for'} storage of zone {one.owner}",
        subjects=one.claims,
        verdict="fail" if one.certain else "not-evaluated",
        reason="" if one.certain else "this release may leave a claim without a class as it is",
        from_zone=one.zone,
        to_zone=one.owner,
        expected=f"a class of zone {one.zone}",
        observed=f"{how} of zone {one.owner}; {one.bound} of {count} have a volume",
        fix="Claim storage of the zone's own class, copy the data and delete the old claim.\n\n"
        + _own_claim(stored, one),
        owner=zone.owner if zone else "",
        identity=(one.storage_class,),
        counts={"claims": count, "bound": one.bound},
    )


def _own_claim(stored: Storage, one: ForeignClaims) -> str:
    """A claim of a class of the zone, size left open."""
    own = next((name for name, zones in stored.classes.owners.items() if one.zone in zones), "")
    return "\n".join((
        "apiVersion: v1",
        "kind: PersistentVolumeClaim",
        f"metadata: {{name: {scalar(f'{one.claims[0].name}-{one.zone}')}, namespace: {scalar(one.namespace)}}}",
        "spec:",
        "  accessModes: [ReadWriteOnce]",
        f"  storageClassName: {scalar(own) if own else '# a class of the zone'}",
        "  resources: {requests: {storage: 10Gi}} # as much as the old claim has",
    ))  # fmt: skip
