"""STO004: claims and volumes that no quota of a class holds."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterator

from audit.controls.storage import Storage, storage
from audit.controls.storage_claims import Loose, Stray, loose_claims, strays, unreserved
from audit.controls.storage_volumes import CLAIM, VOLUME
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together


@rule(
    "STO004",
    "Claim or pre-provisioned volume passes quotas by",
    severity="medium",
    needs=(CLAIM, "Namespace", VOLUME),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def claim_beside_quota(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: claims and free volumes without a class, and where volumes that people wrote lie.

    Such a volume fails where it has a class of one zone, or a claim there, and lies on a backend that the classes or
    the addresses of another zone lead to. The rest counts as low.

    Why it matters: quotas of a class count claims that name the class. A claim of no class binds any volume of no
    class, and the class of a volume written by hand is free text: it says nothing of where the data lies.

    How to fix: give volumes a class of their zone and reserve each with `claimRef`, or move their data with the
    command that the finding gives. Where a zone needs no claims without a class, have an admission policy refuse them.

    Limits: backends are compared as STO006 does. No quota counts claims without a class alone: only one on
    all claims stops them.
    """
    stored = context.of(storage)
    if stored.idle:
        yield NotApplicable(stored.idle)
        return
    yield from (_stray(context, one) for one in strays(stored))
    yield from together(_loose(context, stored), _title_of_many)
    yield from _unreserved(stored)
    if lacking := context.missing(CLAIM, VOLUME):
        yield lacking


def _stray(context: Context, one: Stray) -> Finding:
    zone, first, count = context.matrix.zone(one.zone), one.volumes[0], len(one.volumes)
    claim = f"claim {'/'.join(first.claim)}" if first.claim[0] else "no claim yet"
    driver, *ends = one.backend
    who = f"volume {first.ref.name}" if count == 1 else f"{count} volumes"
    return Finding(
        title=f"{who} of zone {one.zone} lie{'s' if count == 1 else ''} on a backend of zone {one.owner}",
        subjects=tuple(volume.ref for volume in one.volumes),
        from_zone=one.zone,
        to_zone=one.owner,
        expected=f"a backend of zone {one.zone}",
        observed=f"{driver} {', '.join(ends)}; class {first.storage_class or '(none)'}, {claim}",
        fix="Move the data to a volume of the zone's own class, then delete this one.\n\n"
        f"kubectl delete pv {shlex.quote(first.ref.name)}",
        owner=zone.owner if zone else "",
        counts={"volumes": count},
    )


def _title_of_many(count: int, one: Finding) -> str:
    return f"claims without a class in {count} namespaces of zone {one.from_zone}"


def _loose(context: Context, stored: Storage) -> Iterator[tuple[Hashable, Finding]]:
    for one in loose_claims(stored):
        yield "loose", _classless(context, one)


def _classless(context: Context, one: Loose) -> Finding:
    zone, count = context.matrix.zone(one.zone), len(one.claims)
    return Finding(
        title=f"{count} claim{'s' if count > 1 else ''} of namespace {one.namespace} "
        f"{'have' if count > 1 else 'has'} no class that a quota could hold",
        subjects=one.claims,
        severity="low",
        from_zone=one.zone,
        expected="every claim names a class of its zone",
        observed="storage class (none)",
        fix="Look at the volumes behind the claims, and give them and the claims a class of the zone.\n\n"
        f"kubectl get pvc -n {shlex.quote(one.namespace)} -o wide",
        owner=zone.owner if zone else "",
        counts={"claims": count},
    )


def _unreserved(stored: Storage) -> Iterator[Finding]:
    refs = unreserved(stored)
    if refs:
        count = len(refs)
        name = shlex.quote(refs[0].name)
        yield Finding(
            title=f"{count} volume{'s' if count > 1 else ''} without a class or claim "
            f"wait{'' if count > 1 else 's'} for any namespace",
            subjects=refs,
            severity="low",
            expected="a class of its zone, or a claimRef",
            observed="no class and no claimRef: the first claim without a class that fits gets it",
            fix="Reserve each volume for the claim that it was made for.\n\n"
            f"kubectl patch pv {name} --type merge -p "
            """'{"spec":{"claimRef":{"namespace":"NAMESPACE","name":"CLAIM"}}}'""",
            counts={"volumes": count},
        )
