"""The numbers that a reader sees first: what fails, what was not decided, what is excepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audit.model import SEVERITIES
from audit.report import Report

NAMED = 2
"""Severities that a tile names, the worst ones."""
IN_FORCE = ("matched", "unused", "expiring")
"""Statuses of exceptions that cover what they name."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One number."""

    number: int
    label: str
    note: str
    tone: Literal["bad", "wait", "plain"]


def tiles(report: Report) -> tuple[Tile, ...]:
    """Four numbers, in the order in which they matter."""
    counts = report.counts
    failed, broken = counts.cells.get("fail", 0), counts.findings.get("fail", 0)
    judged = len(report.cells) - counts.cells.get("not-applicable", 0)
    waiting = sum(one.get("not-evaluated", 0) for one in (counts.cells, counts.rules, counts.findings))
    idle = sum(record.status not in IN_FORCE for record in report.exceptions)
    return (
        Tile(failed, "zone pairs fail", f"of {judged:,} judged", "bad" if failed else "plain"),
        Tile(broken, "findings fail", _grades(report), "bad" if broken else "plain"),
        Tile(waiting, "not decided", "zone pairs, rules, findings", "wait" if waiting else "plain"),
        Tile(len(report.exceptions), "exceptions", f"{idle:,} not in force", "wait" if idle else "plain"),
    )


def _grades(report: Report) -> str:
    """The worst severities there are: `2 critical, 5 high`."""
    found = [(severity, report.counts.severities.get(severity, 0)) for severity in reversed(SEVERITIES)]
    return ", ".join([f"{count:,} {severity}" for severity, count in found if count][:NAMED]) or "none"
