"""A workbook: what it comes to, the matrix in colour, every finding, zone pair and rule, exceptions, what was not seen.

The sheet `Results` has the columns of the CSV; totals are numbers, everything else is text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from audit.exports.csv_table import COLUMNS
from audit.exports.entries import everything, safe
from audit.model import SEVERITIES, VERDICTS, Verdict
from audit.report import Report
from audit.safetext import formula_safe
from audit.summary import conclusion, exit_text, grid, mark, not_seen, reason
from audit.workbooks import MAX_ROWS, Cell, Sheet, workbook

COLOURS: Mapping[Verdict, str] = {
    "fail": "#F4C7C3",
    "not-evaluated": "#FFF2CC",
    "excepted": "#D9D2E9",
    "manual": "#CFE2F3",
    "pass": "#C6E7C8",
    "not-applicable": "#EDEDED",
}
"""Fills of the matrix; the letter in the cell says the same."""
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def render(report: Report) -> bytes:
    """The file."""
    report = safe(report)
    sheets = (_summary(report), _matrix(report), _results(report), _exceptions(report), _unseen(report))
    return workbook(f"zone-audit {report.matrix.name}", sheets, _created(report))


def _created(report: Report) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(report.created)
    except ValueError:
        return _EPOCH


def _sheet(name: str, rows: Iterable[tuple[Cell, ...]]) -> Sheet:
    """The rows, as many as a sheet takes; the last one says how many more there are."""
    texts = [tuple(formula_safe(cell) if isinstance(cell, str) else cell for cell in row) for row in rows]
    if len(texts) > MAX_ROWS:
        more = len(texts) - MAX_ROWS + 1
        texts[MAX_ROWS - 1 :] = [(f"and {more:,} more", *[""] * (len(texts[0]) - 1))]
    return Sheet(name, tuple(texts))


def _summary(report: Report) -> Sheet:
    matrix, counts = report.matrix, report.counts
    facts: list[tuple[Cell, ...]] = [
        ("What", "Value"),
        ("Verdict", conclusion(report)),
        ("Reason", reason(report)),
        ("Matrix", f"{matrix.name} {matrix.version}"),
        ("Matrix approved by", matrix.approved_by),
        ("Matrix approved on", matrix.approved_on),
        ("Source", report.scope.source),
        ("Time", report.created),
        ("Exit code", exit_text(report)),
        ("Tool", report.tool),
        ("Rules", report.rule_pack),
    ]
    for what, numbers in (("Zone pairs", counts.cells), ("Rules", counts.rules), ("Findings", counts.findings)):
        facts += [(f"{what}: {verdict}", numbers.get(verdict, 0)) for verdict in VERDICTS]
    facts += [(f"Failed findings: {one}", counts.severities.get(one, 0)) for one in reversed(SEVERITIES)]
    facts.append(("Zone pairs that a default decided", counts.defaulted_cells))
    return _sheet("Summary", facts)


def _matrix(report: Report) -> Sheet:
    names = [zone.name for zone in report.zones]
    cells = grid(report)
    rows = [("from / to", *names), *((name, *map(mark, row)) for name, row in zip(names, cells, strict=True))]
    fills = {
        (number, column): COLOURS[cell.verdict if cell else "not-evaluated"]
        for number, row in enumerate(cells, 1)
        for column, cell in enumerate(row, 1)
    }
    return Sheet("Matrix", tuple(tuple(map(formula_safe, row)) for row in rows), fills, 14)


def _results(report: Report) -> Sheet:
    rows = (tuple(cell(entry) for cell in COLUMNS.values()) for entry in everything(report))
    return _sheet("Results", (tuple(COLUMNS), *rows))


def _exceptions(report: Report) -> Sheet:
    fields = ("id", "status", "title", "scope", "justification", "requested_by", "approved_by", "approved_on",
              "valid_from", "expires_on", "ticket", "owner", "reason")  # fmt: skip
    head = tuple(field.replace("_", " ").capitalize() for field in fields)
    rows: list[tuple[Cell, ...]] = [
        (*(getattr(one, field) for field in fields), len(one.findings)) for one in report.exceptions
    ]
    return _sheet("Exceptions", ((*head, "Findings covered"), *rows))


def _unseen(report: Report) -> Sheet:
    rows = ((one.what, one.extent, one.reason) for one in not_seen(report))
    return _sheet("Not seen", (("What", "Extent", "Reason"), *rows))
