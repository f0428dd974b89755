"""Rows of text as an aligned table, CSV or Markdown. Callers pass cells of aligned tables through `safe_text`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from audit.safetext import formula_safe, markdown_cell, markdown_text

Row = Sequence[str]


def aligned(head: Row, rows: Iterable[Row]) -> str:
    """Lines in columns under a head in capitals; columns that are empty throughout are left out. No final newline."""
    listed = list(rows)
    used = [place for place in range(len(head)) if any(row[place] for row in listed)]
    lines = [[head[place].upper() for place in used], *([row[place] for place in used] for row in listed)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(used))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def comma_separated(head: Row, rows: Iterable[Row]) -> str:
    """CSV. Cells that a spreadsheet would run as a formula get a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow(map(formula_safe, row))
    return out.getvalue()


def markdown(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table; nothing in a cell is markup."""
    first = f"| {' | '.join(head)} |\n|{' --- |' * len(head)}\n"
    return first + "".join(f"| {' | '.join(map(markdown_cell, row))} |\n" for row in rows)


def plain(text: str) -> str:
    """Text of any number of lines in which nothing is markup for Markdown."""
    return "\n".join(map(markdown_text, text.split("\n")))
