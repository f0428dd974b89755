"""The zone matrix as a heat map: rows from, columns to, lowest trust first; a letter and a colour in every cell."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from audit.model import Verdict
from audit.pictures.elements import COLOURS, HATCH, MUTED, Picture, drawing, number, short, shortened, tag, text
from audit.report import CellRecord, Report, ZoneRecord
from audit.summary import grid, mark

WIDTH = 658.0
"""Of the whole picture where cells are small: the width of a printed page in CSS pixels."""
LARGEST = 46.0
"""Side of a cell, however few there are."""
SLANT = 0.72
"""How far a label that is turned by 46 degrees reaches up and to the right, as part of its length."""
ADVANCE = 0.56
"""Width of a character as part of the font's size."""
SPOKEN = 40
"""Pairs that the words beside the picture name."""


def heat_map(report: Report) -> Picture:
    """The picture."""
    names = [short(zone.name) for zone in report.zones]
    size, font = _measures(names)
    longest = max((len(name) for name in names), default=0) * font * ADVANCE
    left, top = longest + 4.2 * font + 12, longest * SLANT + 3 * font
    side = size * len(names)
    small = {"font_size": font * 0.85, "fill": MUTED, "class_": "muted"}
    parts = [
        text(left + side / 2, font * 1.1, "to", text_anchor="middle", **small | {"font_size": font}),
        text(0.0, top - 6, "from", **small | {"font_size": font}),
        text(left - 8, top - 6, "trust", text_anchor="end", **small),
    ]
    for place, (zone, name) in enumerate(zip(report.zones, names, strict=True)):
        middle = place * size + size / 2
        trust = "" if zone.trust is None else str(zone.trust)
        turn = f"rotate(-46 {number(left + middle)} {number(top - 6)})"
        parts.append(text(left + middle, top - 6, name, font_size=font, transform=turn))
        parts.append(text(0.0, top + middle + font * 0.36, name, font_size=font))
        parts.append(text(left - 8, top + middle + font * 0.36, trust, text_anchor="end", **small))
    parts += _cells(report, left, top, size)
    width = left + side + longest * SLANT + 4
    return Picture(drawing(width, top + side + 2, _spoken(report), HATCH + "".join(parts)), shortened(report.zones))


def _measures(names: Sequence[str]) -> tuple[float, float]:
    """Side of a cell and size of the labels, so that the picture fits `WIDTH`."""
    font = 13.0 if len(names) <= 8 else 11.5 if len(names) <= 22 else 10.0  # noqa: PLR2004 - rows get lower
    labels = max((len(name) for name in names), default=0) * font * ADVANCE
    room = WIDTH - labels * (1 + SLANT) - 4.2 * font - 16
    return min(LARGEST, max(room / max(len(names), 1), 12.0)), font


def _cells(report: Report, left: float, top: float, size: float) -> list[str]:
    return [
        _cell(cell, (source, target), (left + j * size, top + i * size, size))
        for i, (source, row) in enumerate(zip(report.zones, grid(report), strict=True))
        for j, (target, cell) in enumerate(zip(report.zones, row, strict=True))
    ]


def _cell(cell: CellRecord | None, zones: tuple[ZoneRecord, ZoneRecord], box: tuple[float, float, float]) -> str:
    x, y, size = box
    verdict: Verdict = cell.verdict if cell else "not-evaluated"
    fill, ink = COLOURS[verdict]
    letters = mark(cell)
    font = min(size * 0.44, size * 1.3 / max(len(letters), 2))
    words = f"{zones[0].name} to {zones[1].name}: {verdict}" + (", by default" if cell and cell.by_default else "")
    return tag(
        "g",
        tag("title", escape(words))
        + tag("rect", x=x + 0.7, y=y + 0.7, width=size - 1.4, height=size - 1.4, rx=1.5, fill=fill,
              class_=f"c-{verdict}")
        + text(
            x + size / 2, y + size / 2 + font * 0.36, letters, font_size=font, text_anchor="middle", fill=ink,
            font_weight="700" if verdict == "fail" else "400", class_=f"t-{verdict}",
        )
    )  # fmt: skip


def _spoken(report: Report) -> str:
    """The picture in words: its size, its verdicts by number, and as many failing pairs as one can listen to."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in report.counts.cells.items() if count)
    failed = [f"{cell.from_zone} to {cell.to_zone}" for cell in report.cells if cell.verdict == "fail"]
    more = f", and {len(failed) - SPOKEN} more" if len(failed) > SPOKEN else ""
    fails = f" Failing: {', '.join(failed[:SPOKEN])}{more}." if failed else ""
    size = len(report.zones)
    return f"Zone matrix, {size} by {size}: rows are sources, columns are targets; {counts or 'no pairs'}.{fails}"
