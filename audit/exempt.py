"""Applies the exceptions file to results: which findings an approved exception covers, and the state of every entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.checker import CheckedFinding, Results, excuse
from audit.exceptions import ExceptionEntry, Ruling, match
from audit.model import ZoneMatrix
from audit.report import ExceptionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempted:
    """Results after exceptions, and the register for the report."""

    results: Results
    records: tuple[ExceptionRecord, ...]
    """In file order."""
    notes: tuple[str, ...]
    """Why entries that cover nothing do not."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """What an exception's scope is compared with."""

    rule: str
    from_zone: str
    to_zone: str
    ports: Mapping[str, str]
    subjects: Sequence[str]
    matrix_row: str


def exempt(results: Results, entries: Sequence[ExceptionEntry], matrix: ZoneMatrix, today: dt.date) -> Exempted:
    """The results with every finding marked that an exception in force covers. Only failed findings can be covered."""
    failed = [one for one in results.findings if one.verdict == "fail"]
    ids = {one.rule.id for one in results.rules}
    register = match(entries, [_failed(one) for one in failed], today, matrix=matrix, rules=ids)
    covered = {one.fingerprint: name for one, name in zip(failed, register.excused, strict=True) if name}
    return Exempted(
        results=excuse(results, covered),
        records=tuple(_record(ruling, failed) for ruling in register.rulings),
        notes=tuple(
            f"exception {ruling.entry.id} covers nothing, it is {ruling.status}: {ruling.reason}"
            for ruling in register.rulings
            if ruling.reason
        ),
    )


def _failed(one: CheckedFinding) -> _Failed:
    finding = one.finding
    return _Failed(
        rule=one.rule.id,
        from_zone=finding.from_zone,
        to_zone=finding.to_zone,
        ports=finding.traffic.ports(),
        subjects=tuple(map(str, finding.subjects)),
        matrix_row=finding.matrix_row,
    )


def _record(ruling: Ruling, failed: Sequence[CheckedFinding]) -> ExceptionRecord:
    entry = ruling.entry
    return ExceptionRecord(
        id=entry.id,
        title=entry.title,
        status=ruling.status,
        scope=str(entry.scope),
        rule=entry.rule,
        flow=entry.flow,
        sources=entry.scope.sources,
        targets=entry.scope.targets,
        services=entry.scope.services,
        subjects=entry.scope.subjects,
        justification=entry.justification,
        requested_by=entry.requested_by,
        requested_on=entry.requested_on,
        approved_by=entry.approved_by,
        approved_on=entry.approved_on,
        valid_from=entry.valid_from,
        expires_on=entry.expires_on,
        ticket=entry.ticket,
        owner=entry.owner,
        reason=ruling.reason,
        findings=tuple(failed[place].fingerprint for place in ruling.findings),
        would_cover=tuple(failed[place].fingerprint for place in ruling.refused),
    )
