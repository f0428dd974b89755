"""Dates that a report must remind of: reviews of the matrix and its rows, exceptions that run out.

Input: a Report. Output: what is due and since when. Decisions: the day of the report counts, never the clock; a date
that cannot be read is not due, since the matrix is refused with one.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from audit.report import CellRecord, ExceptionRecord, Report

ENDING = ("expired", "expiring")
"""Statuses of exceptions that somebody must renew or withdraw."""


class Review(NamedTuple):
    """The next review of the matrix."""

    text: str
    """`overdue since 2026-10-31 (23 days)`, `due 2027-03-31` or `no review is recorded`"""
    overdue: bool


def day(report: Report) -> str:
    """The day of the report, ISO."""
    return report.created[:10]


def review(report: Report) -> Review:
    """Whether the matrix was reviewed in time."""
    due = report.matrix.review_by
    if not due:
        return Review("no review is recorded", overdue=False)
    late = _days(due, day(report))
    if late <= 0:
        return Review(f"due {due}", overdue=False)
    return Review(f"overdue since {due} ({late:,} {'day' if late == 1 else 'days'})", overdue=True)


def overdue_rows(report: Report) -> tuple[CellRecord, ...]:
    """Rows of the matrix whose own review is overdue, in the order of the cells."""
    return tuple(cell for cell in report.cells if cell.row and _days(cell.review_by, day(report)) > 0)


def ending(report: Report) -> tuple[ExceptionRecord, ...]:
    """Exceptions that ran out or are about to, the earliest first."""
    found = (record for record in report.exceptions if record.status in ENDING)
    return tuple(sorted(found, key=lambda record: (record.expires_on, record.id)))


def moment(text: str) -> dt.datetime:
    """The moment that a report writes as text; the beginning of time for anything else."""
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return dt.datetime.fromtimestamp(0, dt.UTC)


def age(since: str, until: str) -> str:
    """`2 h 5 min` between two moments as the report writes them; empty if either cannot be read."""
    try:
        seconds = int((dt.datetime.fromisoformat(until) - dt.datetime.fromisoformat(since)).total_seconds())
    except (TypeError, ValueError):
        return ""
    if seconds < 0:
        return ""
    minutes = seconds // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = ((days, "d"), (hours, "h"), (minutes % 60, "min"))
    return " ".join(f"{number:,} {unit}" for number, unit in parts if number) or "less than a minute"


def _days(since: str, until: str) -> int:
    """Days from one date to another; 0 if either is none."""
    try:
        return (dt.date.fromisoformat(until) - dt.date.fromisoformat(since)).days
    except ValueError:
        return 0
