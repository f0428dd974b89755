"""Rows of text as an aligned table, CSV or Markdown. Callers pass cells through `safe_text`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

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
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in row])
    return out.getvalue()


def markdown(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table; nothing in a cell is markup."""
    first = f"| {' | '.join(head)} |\n|{' --- |' * len(head)}\n"
    return first + "".join(f"| {' | '.join(map(plain, row))} |\n" for row in rows)


def plain(text: str) -> str:
    """Text with everything escaped that Markdown would read as markup."""
    for char in "\\`*_{}[]<>|~#":
        text = text.replace(char, "\\" + char)
    return text
