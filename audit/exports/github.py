"""Annotations of GitHub Actions: workflow commands that a step prints, a line each.

A step shows ten errors, ten warnings and ten notices and drops the rest without a word. So at most ten of each are
printed, the worst first, and the last one of ten says how many more there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.exports.entries import Entry, entries, relative, safe, sentences
from audit.exports.sarif import LEVELS
from audit.report import Report
from audit.safetext import command_property, command_text
from audit.summary import split_fix

MOST = 10
"""Annotations of one level that a step shows."""
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> bytes:
    """UTF-8 lines; one with the verdict comes last, and is all there is when nothing is wrong."""
    report = safe(report)
    by_level: dict[str, list[Entry]] = {command: [] for command in _COMMANDS.values()}
    for entry in entries(report):
        if level := _level(entry):
            by_level[level].append(entry)
    lines = [line for level, found in by_level.items() for line in _lines(level, found)]
    return "\n".join([*lines, f"zone-audit: {command_text(report.headline)}", ""]).encode()


def _level(entry: Entry) -> str:
    """The command for it; empty for what nobody must act on."""
    match entry.verdict:
        case "fail":
            return _COMMANDS[LEVELS[entry.severity]]
        case "not-evaluated":
            return "warning"
        case "manual":
            return "notice"
    return ""


def _lines(level: str, found: Sequence[Entry]) -> list[str]:
    shown = found if len(found) <= MOST else found[: MOST - 1]
    lines = [_command(level, entry) for entry in shown]
    if rest := len(found) - len(shown):
        lines.append(f"::{level} title=zone-audit::and {rest:,} more; the job summary and the results have all of them")
    return lines


def _command(level: str, entry: Entry) -> str:
    message = sentences(entry.title, entry.text, split_fix(entry.fix)[0])
    file = command_property(relative(entry.file))
    title = command_property(f"{entry.rule} {entry.pair}".strip())
    return f"::{level} file={file},line={entry.line},endLine={entry.line},title={title}::{command_text(message)}"
