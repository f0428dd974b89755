"""CSV: one row for every finding, zone pair and rule, in the columns of `COLUMNS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from audit.exports.entries import Entry, everything, safe
from audit.report import Report
from audit.summary import split_fix
from audit.tables import comma_separated

COLUMNS: Mapping[str, Callable[[Entry], str]] = {
    "record": lambda one: one.record,
    "verdict": lambda one: one.verdict,
    "severity": lambda one: one.severity,
    "rule": lambda one: one.rule,
    "from": lambda one: one.from_zone,
    "to": lambda one: one.to_zone,
    "service": lambda one: one.service,
    "title": lambda one: one.title,
    "expected": lambda one: one.expected,
    "observed": lambda one: one.observed,
    "reason": lambda one: one.reason,
    "objects": lambda one: ", ".join(one.subjects),
    "file": lambda one: one.file,
    "line": lambda one: str(one.line),
    "matrix_row": lambda one: one.matrix_row,
    "fix": lambda one: split_fix(one.fix)[0],
    "owner": lambda one: one.owner,
    "controls": lambda one: ", ".join(one.controls),
    "exception": lambda one: one.exception,
    "first_seen": lambda one: one.first_seen,
    "baseline_state": lambda one: one.baseline_state,
    "fingerprint": lambda one: one.identity,
}
"""Name of a column to its cell; `record` is finding, zone-pair or rule."""


def render(report: Report) -> bytes:
    """UTF-8 with a byte order mark, by which Excel knows it; worst first, a header row first of all."""
    rows = ([cell(entry) for cell in COLUMNS.values()] for entry in everything(safe(report)))
    return comma_separated(tuple(COLUMNS), rows).encode("utf-8-sig")
