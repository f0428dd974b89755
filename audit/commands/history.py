"""`zone-audit history`: what earlier scans said."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from audit.commands.session import Session
from audit.commands.wording import Group, Words
from audit.errors import UsageError
from audit.model import SEVERITIES
from audit.safetext import safe_text

if TYPE_CHECKING:
    from audit.history import Summary

VARIABLE = "ZONE_AUDIT_HISTORY"
history_option = click.option(
    "--history",
    "place",
    envvar=VARIABLE,
    metavar="FILE|URL",
    help=f"SQLite file, or URL of a PostgreSQL database. [environment: {VARIABLE}]",
)
_form = click.option(
    "-f", "--format", "form", type=Words(("text", "json", "csv")), default="text", show_default=True, help="Form."
)
_only = click.option(
    "--of", "only", default="", metavar="TEXT", help="Only scans whose cluster, source or matrix holds it."
)
_COUNTED = tuple(reversed(SEVERITIES))


@click.group(
    cls=Group,
    epilog="\b\nExamples:\n  zone-audit scan cluster.json --zones zones.yaml --history history.db\n"
    "  zone-audit history trend --history history.db",
)
def command() -> None:
    """Show what earlier scans said, how it went, and keep the history small."""


@command.command(
    "list",
    short_help="Every scan, newest first.",
    epilog="\b\nExamples:\n  zone-audit history list --history history.db\n"
    "  zone-audit history list --of corporate-zones -f json",
)
@history_option
@_only
@_form
@click.pass_obj
def list_runs(session: Session, place: str | None, only: str, form: str) -> None:
    """List every scan of the history, newest first."""
    from audit.history import opened

    with opened(_place(place)) as history:
        found = history.runs(only)
    session.print(_rendered(found, form))


@command.command(
    "show",
    short_help="The results of one scan.",
    epilog="\b\nExample:\n  zone-audit history show 17 --history history.db > results.json",
)
@click.argument("number", type=int, metavar="SCAN")
@history_option
@click.pass_obj
def show(session: Session, number: int, place: str | None) -> None:
    """Write the results of one scan as JSON, byte for byte as they were."""
    from audit.history import opened

    with opened(_place(place)) as history:
        session.write(history.results(number))


@command.command(
    "trend",
    short_help="How findings went over time.",
    epilog="\b\nExamples:\n  zone-audit history trend --history history.db --of corporate-zones\n"
    "  zone-audit history trend --history history.db -f csv > trend.csv",
)
@history_option
@_only
@_form
@click.option("--last", default=30, show_default=True, type=click.IntRange(min=1), help="Scans to show.")
@click.pass_obj
def trend(session: Session, place: str | None, only: str, form: str, last: int) -> None:
    """Show the numbers of findings scan by scan, oldest first, of one cluster or source and one matrix."""
    from audit.history import opened

    with opened(_place(place)) as history:
        found = history.runs(only, last)
    subjects = sorted({one.subject for one in found})
    if len(subjects) > 1:
        named = ", ".join(f"`{one}`" for one in subjects[:3])
        raise UsageError(f"these are scans of {len(subjects)} subjects: {named}", hint="name one with `--of`")
    session.print(_rendered(tuple(reversed(found)), form, bars=True))


@command.command(
    "prune",
    short_help="Remove old scans.",
    epilog="\b\nExample:\n  zone-audit history prune --history history.db --keep 90",
)
@history_option
@click.option("--keep", required=True, type=click.IntRange(min=1), metavar="N", help="Scans of each subject that stay.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.pass_obj
def prune(session: Session, place: str | None, keep: int, *, dry_run: bool) -> None:
    """Remove all but the last N scans of every cluster and matrix.

    When a finding was first seen stays known. No history yet is nothing to remove.
    """
    from audit.history import opened

    place = _named(place)
    if not _there(place):  # a scheduled job prunes before its first scan
        session.note(f"there is no history `{place}` yet: nothing to remove")
        return
    with opened(place) as history:
        gone = history.prune(keep, dry_run=dry_run)
    session.print(_rendered(gone, "text") if gone else "")
    session.note(f"{len(gone)} scan{'' if len(gone) == 1 else 's'} {'would be removed' if dry_run else 'removed'}")


def _place(place: str | None) -> str:
    """The history to read, which has to be there."""
    place = _named(place)
    if not _there(place):
        raise UsageError(f"there is no history `{place}`", hint="`zone-audit scan --history` makes one")
    return place


def _named(place: str | None) -> str:
    if not place:
        raise UsageError("which history is not said", hint=f"name it with `--history`, or set {VARIABLE}")
    return place


def _there(place: str) -> bool:
    """Whether a file is; a database tells on opening."""
    return "://" in place or Path(place).exists()


def _rendered(found: Sequence[Summary], form: str, *, bars: bool = False) -> str:
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"
    return _csv(found) if form == "csv" else _table(found, bars=bars)


def _csv(found: Sequence[Summary]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(["scan", "created", "verdict", *_COUNTED, "excepted", "not-evaluated", "source", "matrix"])
    for one in found:
        counts = [one.severities.get(severity, 0) for severity in _COUNTED]
        texts = [_cell(one.source), _cell(one.matrix)]
        writer.writerow([one.id, one.created, one.verdict, *counts, one.excepted, one.not_evaluated, *texts])
    return buffer.getvalue()


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    safe = safe_text(text)
    return f"'{safe}" if safe.startswith(("=", "+", "-", "@")) else safe


def _table(found: Sequence[Summary], *, bars: bool) -> str:
    """One line per scan; with bars one that is as long as its findings are many."""
    heads = ("scan", "created", "verdict", *_COUNTED, "excepted", "undecided", "" if bars else "of")
    most = max((sum(one.severities.values()) for one in found), default=0)
    rows = [heads, *(_row(one, "#" * _length(one, most) if bars else safe_text(one.subject)) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def _row(one: Summary, last: str) -> tuple[str, ...]:
    counts = (str(one.severities.get(severity, 0)) for severity in _COUNTED)
    return (str(one.id), one.created, safe_text(one.verdict), *counts, str(one.excepted), str(one.not_evaluated), last)


_BAR = 40
"""Characters of the longest bar."""


def _length(one: Summary, most: int) -> int:
    total = sum(one.severities.values())
    return -(-total * _BAR // most) if total else 0
