"""What an auditor asks of a report that a system made, answered on one page.

Input: a Report. Output: one answer per question. Decisions: a question without an answer is answered with what is not
known, never left out; hashes stand apart from the words, since they are copied and not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from audit import due, summary
from audit.report import Report

REPEATABLE = "Equal input gives equal bytes: two people can compare hashes."


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the sheet."""

    question: str
    sentences: tuple[str, ...]
    hashes: tuple[tuple[str, str], ...] = ()
    """What it is of, and the SHA-256 in hex."""


def answers(report: Report, results_sha256: str) -> tuple[Answer, ...]:
    """The whole sheet, in the order in which an auditor asks."""
    return (
        Answer("Source", tuple(_source(report))),
        Answer("Scope", tuple(_scope(report))),
        Answer("Parameters", tuple(_parameters(report))),
        Answer("Time", tuple(_time(report))),
        Answer("Completeness", tuple(_completeness(report))),
        Answer("Population", tuple(_population(report))),
        Answer("Accuracy", tuple(_accuracy(report))),
        Answer("Exceptions", tuple(_exceptions(report))),
        Answer("Integrity", (REPEATABLE,), _hashes(report, results_sha256)),
        Answer("People", tuple(_people(report))),
    )


def _source(report: Report) -> Iterator[str]:
    taken = report.collection
    if taken is None:
        yield f"{report.scope.source}: files, not a live cluster."
        return
    cluster = taken.cluster
    yield f"Live cluster {cluster.uid or '(uid not read)'}, version {cluster.version or 'not known'}."
    yield f"Collected by {taken.tool} in context {cluster.context or 'not named'}."
    if cluster.unverified_tls:
        yield "The identity of the API server was not verified, by order of the operator."
    if taken.pseudonyms:
        yield "Names of users and groups were replaced by tokens."


def _scope(report: Report) -> Iterator[str]:
    scope, matrix = report.scope, report.matrix
    yield (
        f"{scope.namespaces:,} namespaces ({scope.unzoned_namespaces:,} in no single zone), {scope.workloads:,} "
        f"workloads, {scope.pods:,} pods, {scope.nodes:,} nodes, {scope.policies:,} policy objects."
    )
    version = f" version {matrix.version}" if matrix.version else ""
    yield f"Judged against zone matrix {matrix.name}{version}, {len(report.zones):,} zones."


def _parameters(report: Report) -> Iterator[str]:
    excepting = [one.file for one in report.inputs if one.role == "exceptions"]
    exceptions = excepting[0] if excepting else "none given"
    yield f"Zones file {report.matrix.file or 'not stated'}; exceptions file {exceptions}."
    yield f"Exit code {summary.exit_text(report)}."
    yield f"Network profile {summary.profile_text(report)}."


def _time(report: Report) -> Iterator[str]:
    taken = report.collection
    if taken is None:
        yield f"Report made {report.created} (UTC)."
        yield "Age of the data is not known: files carry no collection time."
        return
    yield f"Collected {taken.started} to {taken.ended}, report made {report.created} (UTC)."
    old = due.age(taken.ended, report.created)
    yield f"Age of the data at that moment: {old or 'not known'}."
    cut = f"at resource version {taken.resource_version}" if taken.resource_version else "at no common resource version"
    yield f"Read {cut}; clock of the machine that ran it."


def _completeness(report: Report) -> Iterator[str]:
    said = summary.read_text(report)
    yield f"{said[:1].upper()}{said[1:]}."
    unread = [one for one in report.completeness if one.status not in (*summary.SEEN, summary.LACKING)]
    if unread:
        tally = Counter(one.status for one in unread)
        yield f"Not fully read: {', '.join(f'{_kinds(number)} {status}' for status, number in sorted(tally.items()))}."
    if lack := summary.lacking_kinds(report):
        yield f"Not in the source: {_kinds(len(lack))} that can change a verdict."
    if not unread and not lack:
        yield "No kind that can change a verdict is missing."


def _kinds(number: int) -> str:
    return f"{number:,} {'kind' if number == 1 else 'kinds'}"


def _population(report: Report) -> Iterator[str]:
    cells = report.counts.cells
    yield f"Full population, no sampling: {summary.undecided_text(report)}, every TCP, UDP and SCTP port."
    yield (
        f"{len(report.cells):,} zone pairs: {len(report.cells) - report.counts.defaulted_cells:,} decided by a row, "
        f"{report.counts.defaulted_cells:,} by a default; {cells.get('not-evaluated', 0):,} not evaluated."
    )


def _accuracy(report: Report) -> Iterator[str]:
    yield f"{report.tool}, rules {report.rule_pack}: {summary.totals(report)[1]}."
    given = sum(one.standing for one in report.assumptions)
    yield f"{len(report.assumptions):,} assumptions on record, {given:,} taken as given."


def _exceptions(report: Report) -> Iterator[str]:
    if not report.exceptions:
        yield "No exception is on file."
    else:
        tally = Counter(record.status for record in report.exceptions)
        statuses = ", ".join(f"{number:,} {status}" for status, number in sorted(tally.items()))
        yield f"{len(report.exceptions):,} on file: {statuses}."
    yield f"{summary.totals(report)[2]}."


def _hashes(report: Report, results_sha256: str) -> tuple[tuple[str, str], ...]:
    excepting = [one.sha256 for one in report.inputs if one.role == "exceptions"]
    before = report.changes.sha256 if report.changes else ""
    return (
        ("results", results_sha256),
        ("matrix", report.matrix.sha256),
        *((("exceptions", excepting[0]),) if excepting else ()),
        *((("baseline", before),) if before else ()),
    )


def _people(report: Report) -> Iterator[str]:
    user = report.collection.cluster.user if report.collection else ""
    yield f"Cluster read as {user}." if user else "Run by: not recorded, since files were read."
    matrix = report.matrix
    on = f" on {matrix.approved_on}" if matrix.approved_on else ""
    yield f"Matrix approved by {matrix.approved_by or 'nobody'}{on}, owned by {matrix.owner or 'nobody'}."
    yield f"Matrix review: {due.review(report).text}."
