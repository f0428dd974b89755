"""Reads and writes the history of scans."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import Engine, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from audit.baseline import Baseline, decoded
from audit.errors import Position, UsageError
from audit.exports import results_v1
from audit.history.database import engine
from audit.history.tables import Run, Sighting
from audit.report import Report
from audit.report_annex import TrendPoint

TREND = 24
"""Earlier scans that a report shows."""
_BATCH = 500
"""Fingerprints per query."""
_MAX_RESULTS = 1 << 30
"""Bytes of results after unpacking; more is no result of ours."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One scan of the history."""

    id: int
    created: str
    source: str
    matrix: str
    subject: str
    verdict: str
    exit_code: int
    refused: bool
    severities: dict[str, int]
    excepted: int
    not_evaluated: int
    tool: str
    sha256: str


@contextmanager
def opened(place: str) -> Iterator[History]:
    """The history in a SQLite file, which is made where there is none, or at a URL; UsageError if it cannot be used."""
    with engine(place) as made:
        yield History(made)


def subject(report: Report) -> str:
    """What a scan is of: the cluster, or the sources as given, and the name of the matrix."""
    cluster = report.collection.cluster.uid if report.collection else ""
    return f"{cluster or report.scope.source} | {report.matrix.name}"


class History:
    """All scans of a database."""

    def __init__(self, made: Engine) -> None:
        self._engine = made

    def told(self, report: Report) -> Report:
        """The report with what the history knows: when findings were first seen, and the trend before it."""
        known = self._first_seen(subject(report), [one.fingerprint for one in report.findings])
        findings = tuple(
            structs.replace(one, first_seen=_earliest(known.get(one.fingerprint, ""), one.first_seen, report.created))
            for one in report.findings
        )
        return structs.replace(report, findings=findings, trend=self.trend(subject(report), report.created))

    def latest(self, report: Report, *, refused: bool = True) -> Baseline | None:
        """The last scan of the same subject, or the last not `refused`, to compare with; None if there is none."""
        query = select(Run).where(Run.subject == subject(report), Run.created <= report.created)
        if not refused:
            query = query.where(Run.refused.is_(False))
        with Session(self._engine) as session:
            run = session.scalars(query.order_by(Run.created.desc(), Run.id.desc()).limit(1)).first()
            return _baseline(run) if run else None

    def record(self, report: Report, *, refused: bool = False) -> int:
        """Adds a scan; its number. The same results are kept once. `refused`: see the table."""
        content = results_v1.render(report)
        digest = hashlib.sha256(content).hexdigest()
        with Session(self._engine) as session, session.begin():
            kept = session.scalars(select(Run).where(Run.subject == subject(report), Run.sha256 == digest)).first()
            if kept is not None:
                kept.refused = kept.refused and refused
                return kept.id
            run = Run(
                subject=subject(report),
                source=report.scope.source,
                matrix=report.matrix.name,
                created=report.created,
                verdict=report.verdict,
                exit_code=report.exit_code,
                refused=refused,
                severities=msgspec.json.encode(report.counts.severities).decode(),
                excepted=report.counts.findings.get("excepted", 0),
                not_evaluated=sum(each.get("not-evaluated", 0) for each in (report.counts.cells, report.counts.rules)),
                tool=report.tool,
                sha256=digest,
                results=zlib.compress(content),
            )
            session.add(run)
            _note(session, report)
            session.flush()
            return run.id

    def runs(self, only: str = "", limit: int | None = None) -> tuple[Summary, ...]:
        """Scans, newest first; of one subject, whose text holds `only`."""
        query = select(Run).order_by(Run.created.desc(), Run.id.desc()).limit(limit)
        if only:
            query = query.where(Run.subject.contains(only, autoescape=True))
        with Session(self._engine) as session:
            return tuple(_summary(run) for run in session.scalars(query))

    def results(self, number: int) -> bytes:
        """The results of a scan, as they were written; UsageError for a scan that is not there, or was changed."""
        with Session(self._engine) as session:
            run = session.get(Run, number)
            if run is None:
                raise UsageError(f"the history has no scan `{number}`", hint="`zone-audit history list` shows all")
            return _content(run)

    def trend(self, of: str, before: str) -> tuple[TrendPoint, ...]:
        """The last scans of a subject before a time, oldest first."""
        query = select(Run).where(Run.subject == of, Run.created < before)
        with Session(self._engine) as session:
            found = session.scalars(query.order_by(Run.created.desc(), Run.id.desc()).limit(TREND)).all()
        return tuple(_point(run) for run in reversed(found))

    def prune(self, keep: int, *, dry_run: bool = False) -> tuple[Summary, ...]:
        """Removes all but the last `keep` scans of every subject, and the last one not refused; those that go.

        Findings stay known.
        """
        newest = (Run.created.desc(), Run.id.desc())
        place = func.row_number().over(partition_by=Run.subject, order_by=newest)
        among = func.row_number().over(partition_by=(Run.subject, Run.refused), order_by=newest)
        numbered = select(Run.id.label("id"), place.label("place"), among.label("among")).subquery()
        old = and_(numbered.c.place > keep, or_(Run.refused.is_(True), numbered.c.among > 1))
        with Session(self._engine) as session, session.begin():
            found = session.scalars(
                select(Run).join(numbered, Run.id == numbered.c.id).where(old).order_by(Run.id)
            ).all()
            gone = tuple(_summary(run) for run in found)
            if not dry_run and gone:
                session.execute(delete(Run).where(Run.id.in_([one.id for one in gone])))
        return gone

    def _first_seen(self, of: str, fingerprints: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        with Session(self._engine) as session:
            for start in range(0, len(fingerprints), _BATCH):
                among = Sighting.fingerprint.in_(fingerprints[start : start + _BATCH])
                rows = session.execute(
                    select(Sighting.fingerprint, Sighting.first_seen).where(Sighting.subject == of, among)
                )
                found.update((name, day) for name, day in rows)
        return found


def _earliest(*days: str) -> str:
    return min(day for day in days if day)


def _note(session: Session, report: Report) -> None:
    """Keeps the first and the last time that each finding was seen."""
    of = subject(report)
    names = [one.fingerprint for one in report.findings]
    known: dict[str, Sighting] = {}
    for start in range(0, len(names), _BATCH):
        query = select(Sighting).where(Sighting.subject == of, Sighting.fingerprint.in_(names[start : start + _BATCH]))
        known.update((one.fingerprint, one) for one in session.scalars(query))
    for finding in report.findings:
        first = finding.first_seen or report.created
        row = known.get(finding.fingerprint)
        if row is None:
            session.add(
                Sighting(
                    subject=of,
                    fingerprint=finding.fingerprint,
                    rule=finding.rule,
                    severity=finding.severity,
                    title=finding.title,
                    first_seen=first,
                    last_seen=report.created,
                )
            )
            continue
        row.first_seen, row.last_seen = min(row.first_seen, first), max(row.last_seen, report.created)
        row.severity, row.title = finding.severity, finding.title


def _content(run: Run) -> bytes:
    """The results of a run, checked against its digest."""
    unpacked = zlib.decompressobj()
    try:
        content = unpacked.decompress(run.results, _MAX_RESULTS)
    except zlib.error:
        content = b""
    if hashlib.sha256(content).hexdigest() != run.sha256:
        raise UsageError(
            f"scan `{run.id}` of the history was changed: its results do not have the digest noted for them"
        )
    return content


def _baseline(run: Run) -> Baseline:
    name = f"scan {run.id} of the history"
    return Baseline(name=name, sha256=run.sha256, report=decoded(_content(run), Position(name)))


def _summary(run: Run) -> Summary:
    values: dict[str, Any] = {field: getattr(run, field) for field in Summary.__struct_fields__}
    return Summary(**values | {"severities": _severities(run)})


def _severities(run: Run) -> dict[str, int]:
    try:
        return msgspec.json.decode(run.severities, type=dict[str, int])
    except msgspec.DecodeError:
        return {}


def _point(run: Run) -> TrendPoint:
    return TrendPoint(
        created=run.created,
        verdict=run.verdict,
        severities=_severities(run),
        excepted=run.excepted,
        not_evaluated=run.not_evaluated,
    )
