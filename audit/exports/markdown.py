"""The report as Markdown, for merge requests, wikis and chat: tables and short lists, no HTML and no links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from audit.exports.entries import Entry, Record, everything, safe
from audit.report import Report
from audit.safetext import markdown_text
from audit.summary import conclusion, exit_text, grid, mark, not_seen, reason, split_fix, totals
from audit.tables import Row, markdown

ALL = 10_000
"""Rows of a table; the table says how many more there are."""
_TITLES: Mapping[Record, str] = {
    "finding": "Findings",
    "zone-pair": "Zone pairs to look at",
    "rule": "Rules to look at",
}
_LEGEND = """Rows call columns. F fails, ? could not be decided, E is excepted, P passes, - does not apply;
in lower case a default decided."""
_NOTED = ("fail", "not-evaluated", "excepted", "manual")
"""Verdicts of zone pairs and rules that have a row."""


def render(report: Report) -> bytes:
    """UTF-8 Markdown; everything but what passes or does not apply, which the totals count."""
    return page(report, ALL).encode()


def page(report: Report, most: int) -> str:
    """The page with at most `most` rows in each table."""
    report = safe(report)
    parts = [*_head(report), *_matrix(report), *_entries(report, most), *_exceptions(report, most), *_unseen(report)]
    return "\n\n".join(parts) + "\n"


def _head(report: Report) -> Iterator[str]:
    matrix, scope = report.matrix, report.scope
    yield f"# Zone audit: {markdown_text(conclusion(report))}"
    yield f"**Why:** {markdown_text(reason(report))}."
    approved = f", approved by {matrix.approved_by} on {matrix.approved_on}" if matrix.approved_by else ""
    facts = (
        ("Matrix", f"{matrix.name} {matrix.version}{approved}"),
        ("Source", scope.source),
        ("Time", report.created),
        ("Exit code", exit_text(report)),
        ("Tool", f"{report.tool}, rules {report.rule_pack}"),
        *(("Total", str(total)) for total in totals(report)),
    )
    yield markdown(("What", "Value"), facts).rstrip()


def _matrix(report: Report) -> Iterator[str]:
    """The cells by zone, rows call columns; columns are numbered, because names are long."""
    names = [zone.name for zone in report.zones]
    rows = [
        (f"{number} {name}", *map(mark, cells))
        for number, (name, cells) in enumerate(zip(names, grid(report), strict=True), 1)
    ]
    yield "## Zone matrix"
    yield _LEGEND
    yield markdown(("From", *map(str, range(1, len(names) + 1))), rows).rstrip()


def _entries(report: Report, most: int) -> Iterator[str]:
    head = ("Verdict", "Severity", "Rule", "Zones", "What", "Objects", "To do", "Owner", "Fingerprint")
    listed = everything(report)
    for record, title in _TITLES.items():
        rows = [_row(one) for one in listed if one.record == record and (record == "finding" or one.verdict in _NOTED)]
        yield f"## {title}"
        yield _table(head, rows, most) if rows else "None."


def _row(entry: Entry) -> Row:
    what = "; ".join(part for part in (entry.title, entry.text) if part)
    if entry.exception:
        what += f"; exception {entry.exception}"
    todo = split_fix(entry.fix)[0]
    objects = ", ".join(entry.subjects)
    return (entry.verdict, entry.severity, entry.rule, entry.pair, what, objects, todo, entry.owner, entry.identity)


def _exceptions(report: Report, most: int) -> Iterator[str]:
    yield "## Exceptions"
    rows = [
        (one.id, one.status, one.title, one.scope, one.approved_by, one.expires_on, one.ticket, str(len(one.findings)))
        for one in report.exceptions
    ]
    head = ("Id", "Status", "Title", "Scope", "Approved by", "Expires on", "Ticket", "Findings")
    yield _table(head, rows, most) if rows else "None."


def _unseen(report: Report) -> Iterator[str]:
    yield "## Not seen"
    rows = [(one.what, one.extent, one.reason) for one in not_seen(report)]
    yield markdown(("What", "Extent", "Reason"), rows).rstrip() if rows else "Nothing was left unseen."


def _table(head: Row, rows: Sequence[Row], most: int) -> str:
    """The table, and how many rows it leaves out."""
    more = f"\n\nAnd {len(rows) - most:,} more." if len(rows) > most else ""
    return markdown(head, rows[:most]).rstrip() + more
