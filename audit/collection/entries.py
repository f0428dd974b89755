"""What came of each kind, as an entry of the evidence ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from audit.collection.cut import Cut
from audit.collection.passing import SYSTEM, Tally
from audit.collection.routes import Missing
from audit.ledger import Evidence, Status
from audit.sources.evidence import NEVER_EMPTY

LISTED = 100
"""Objects that do not decode and are named; more say nothing new."""


def ledger(found: Cut, missing: Sequence[Missing], namespaces: Sequence[str]) -> tuple[Evidence, ...]:
    """One entry for each kind, by kind."""
    entries = [_read(one, found, namespaces) for one in found.tallies.values()]
    entries += [_missing(one) for one in missing]
    return tuple(sorted(entries, key=lambda entry: entry.kind))


def _missing(one: Missing) -> Evidence:
    resource = one.resource
    return Evidence(
        kind=one.key,
        group=resource.group,
        resource=resource.name,
        status=one.status,
        reason=one.reason,
        proof=one.proof,
    )


def _read(tally: Tally, found: Cut, namespaces: Sequence[str]) -> Evidence:
    kind = tally.route.kind
    entry = Evidence(
        kind=kind.key,
        group=kind.group,
        version=kind.version,
        resource=tally.route.resource.name,
        status="complete",
        pages=tally.pages,
        retries=tally.retries,
        started=tally.started,
        ended=tally.ended,
        warnings=tuple(tally.warnings),
    )
    if tally.refusal:
        status: Status = "forbidden" if tally.refusal.why == "forbidden" else "unavailable"
        return msgspec.structs.replace(entry, status=status, reason=tally.refusal.text)
    if doubt := _doubt(tally):
        return msgspec.structs.replace(entry, status="unavailable", reason=doubt)
    exact = tally.exact and bool(found.resource_version)
    faults = "; ".join(_faults(tally, namespaces))
    return msgspec.structs.replace(
        entry,
        status="partial" if faults else "complete",
        reason=faults,
        objects=tally.objects,
        invalid=tuple(tally.invalid[:LISTED]),
        namespaces=tuple(tally.namespaces),
        resource_version=tally.resource_version,
        cut="exact" if exact else "bracketed" if kind.key in found.bracketed else "none",
        skew=0.0 if exact else round(abs(tally.finished - found.instant), 3),
    )


def _faults(tally: Tally, namespaces: Sequence[str]) -> Iterator[str]:
    """What is missing of a kind that was read."""
    if tally.namespaces:
        unread = [one for one in namespaces if one not in tally.namespaces]
        forbidden = f", also in {', '.join(unread)}" if unread else ""
        yield f"forbidden for the whole cluster{forbidden}; read in {', '.join(tally.namespaces)} only"
    if tally.invalid:
        yield f"{len(tally.invalid)} of {tally.objects + len(tally.invalid)} objects do not decode"


def _doubt(tally: Tally) -> str:
    """Why an answer of success is not believed: no cluster is without these; empty if it is."""
    if tally.namespaces or tally.invalid:
        return ""
    if tally.key in NEVER_EMPTY and not tally.objects:
        return "the API server shows none, and no running cluster is without"
    if tally.key == "Namespace" and not tally.uid:
        return f"the API server shows {tally.objects}, and `{SYSTEM}` is not among them"
    return ""
