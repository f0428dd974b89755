"""The zones and their flows as a diagram: boxes by trust, curves between them.

Thin is allowed, thick and dashed a violation, dotted excepted, dash-dotted not evaluated; within a zone, the mark in
its box says it. Curves on the right run down the list, those on the left up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from audit.model import SEVERITIES, Verdict
from audit.pictures.elements import COLOURS, GROUND, INK, MUTED, Picture, drawing, short, shortened, tag, text
from audit.report import CellRecord, Report, ZoneRecord
from audit.summary import mark

DRAWN = 24
"""Flows of one kind in the diagram beyond which lines only hide each other."""


@dataclass(frozen=True, slots=True)
class _Line:
    """How flows of one verdict are drawn."""

    colour: str
    width: float
    dashes: str = ""

    @property
    def look(self) -> dict[str, Any]:
        """The attributes of a path."""
        return {"stroke": self.colour, "stroke_width": self.width, "stroke_dasharray": self.dashes}


LINES: Mapping[Verdict, _Line] = {
    "pass": _Line("#7d8da3", 1.0),
    "excepted": _Line("#a87b00", 1.8, "1.8 2.6"),
    "not-evaluated": _Line("#5a4a8a", 1.3, "7 3 1.5 3"),
    "manual": _Line("#5a4a8a", 1.3, "7 3 1.5 3"),
    "fail": _Line("#b23a0e", 2.6, "7 3.5"),
}
"""In drawing order: the worst lies on top."""
WORDS: Mapping[Verdict, str] = {
    "pass": "allowed and within the matrix",
    "excepted": "excepted",
    "not-evaluated": "not evaluated",
    "manual": "to be judged by a person",
    "fail": "violation",
}
BOX, REACH, TOP = 190.0, 190.0, 8.0
"""Width of a zone's box, room for curves on either side, and the margin above."""


def zone_diagram(report: Report) -> Picture:
    """Zones as boxes, lowest trust on top. Curves on the right run down the list, on the left up.

    Thin is allowed, thick and dashed a violation, dotted not evaluated; within a zone, the mark in its box says it.
    """
    flows, notes = _drawn_flows(report)
    height, gap = (40.0, 16.0) if len(report.zones) <= 10 else (24.0, 9.0)  # noqa: PLR2004 - what one page holds
    pitch = height + gap
    body = [_curve(flow, _sides(flows), pitch, height, badge=_few_violations(flows)) for flow in flows]
    cells = {(cell.from_zone, cell.to_zone): cell for cell in report.cells}
    for place, zone in enumerate(report.zones):
        box = _zone_box(zone, cells.get((zone.name, zone.name)), TOP + place * pitch, height)
        body.append(tag("g", tag("title", escape(zone.name)) + box, class_="zone", data_zone=place))
    end = TOP + len(report.zones) * pitch
    body.append(_line_legend(flows, end + 6))
    title = "Zones by trust, lowest on top, and the flows between them: " + ", ".join(
        f"{sum(flow.cell.verdict == verdict for flow in flows)} {WORDS[verdict]}" for verdict in reversed(tuple(LINES))
    )
    return Picture(drawing(BOX + 2 * REACH, end + 24, title, "".join(body)), (*notes, *shortened(report.zones)))


@dataclass(frozen=True, slots=True)
class _Flow:
    """A curve between two boxes, by their places in the list."""

    cell: CellRecord
    source: int
    target: int

    @property
    def span(self) -> int:
        return abs(self.target - self.source)

    @property
    def down(self) -> bool:
        return self.target > self.source


def _drawn_flows(report: Report) -> tuple[list[_Flow], tuple[str, ...]]:
    """The flows to draw, worst last, and what was left out."""
    place = {zone.name: number for number, zone in enumerate(report.zones)}
    drawn: list[_Flow] = []
    notes: list[str] = []
    for verdict in LINES:
        cells = [c for c in report.cells if c.verdict == verdict and c.from_zone != c.to_zone and _has_traffic(c)]
        worst = sorted(cells, key=lambda c: (-SEVERITIES.index(c.severity), -c.excess_pairs, c.from_zone, c.to_zone))
        drawn += [_Flow(c, place[c.from_zone], place[c.to_zone]) for c in worst[:DRAWN]]
        if len(worst) > DRAWN:
            notes.append(
                f"{DRAWN} of {len(worst)} flows are drawn of the kind: {WORDS[verdict]}. The matrix shows all."
            )
    return drawn, tuple(notes)


def _has_traffic(cell: CellRecord) -> bool:
    return cell.verdict != "pass" or bool(cell.expected)


def _few_violations(flows: Iterable[_Flow]) -> bool:
    return sum(flow.cell.verdict == "fail" for flow in flows) <= 12  # noqa: PLR2004 - more marks cover each other


def _sides(flows: list[_Flow]) -> dict[tuple[int, bool], list[tuple[int, int]]]:
    """For every box and side, the curves that touch it as (source, target), top to bottom so that few of them cross."""
    touching: dict[tuple[int, bool], list[tuple[int, int]]] = {}
    for flow in flows:
        for box in (flow.source, flow.target):
            touching.setdefault((box, flow.down), []).append((flow.source, flow.target))
    for (box, _), ends in touching.items():
        ends.sort(key=lambda pair: _slot(box, pair))
    return touching


def _slot(box: int, pair: tuple[int, int]) -> tuple[int, int]:
    other = pair[1] if pair[0] == box else pair[0]
    # Curves from above take the upper half, the nearest highest; those from below the lower half, the farthest highest.
    return (0, box - other) if other < box else (1, box - other)


def _curve(
    flow: _Flow, sides: Mapping[tuple[int, bool], list[tuple[int, int]]], pitch: float, height: float, *, badge: bool
) -> str:
    def level(box: int) -> float:
        ends = sides[box, flow.down]
        return TOP + box * pitch + height * (ends.index((flow.source, flow.target)) + 1) / (len(ends) + 1)

    line = LINES[flow.cell.verdict]
    spans = max(span for span in (abs(a - b) for ends in sides.values() for a, b in ends))
    bulge = 34 + (REACH * 1.2 - 34) * (flow.span - 1) / max(spans - 1, 6)
    sign = 1 if flow.down else -1
    x = REACH + (BOX if flow.down else 0)
    start, end = level(flow.source), level(flow.target)
    tip = x + sign * 7
    path = (
        f"M{x:.1f} {start:.1f}C{x + sign * bulge:.1f} {start:.1f} {x + sign * bulge:.1f} {end:.1f} {tip:.1f} {end:.1f}"
    )
    head = f"M{x:.1f} {end:.1f}L{tip + sign:.1f} {end - 3.6:.1f}L{tip + sign:.1f} {end + 3.6:.1f}Z"
    words = f"{flow.cell.from_zone} to {flow.cell.to_zone}: {WORDS[flow.cell.verdict]}"
    body = tag("title", escape(words))
    body += tag("path", d=path, fill="none", class_=f"l-{flow.cell.verdict}", **line.look)
    body += tag("path", d=head, fill=line.colour, class_=f"h-{flow.cell.verdict}")
    if badge and flow.cell.verdict == "fail":
        body += _badge(flow.cell, x + sign * bulge * 0.75, (start + end) / 2)
    return tag("g", body, class_="flow", data_from=flow.source, data_to=flow.target)


def _badge(cell: CellRecord, x: float, y: float) -> str:
    fill, ink = COLOURS[cell.verdict]
    fill = GROUND if fill.startswith("url") else fill
    letters = mark(cell)
    width = 8.0 + 6.5 * len(letters)
    return tag(
        "rect", x=x - width / 2, y=y - 7.5, width=width, height=15.0, rx=2, fill=fill, class_=f"b-{cell.verdict}"
    ) + text(
        x, y + 3.6, letters, font_size=10, text_anchor="middle", fill=ink, font_weight="700", class_=f"t-{cell.verdict}"
    )


def _zone_box(zone: ZoneRecord, inside: CellRecord | None, y: float, height: float) -> str:
    outside = zone.kind in {"internet", "external"}
    box = tag(
        "rect", x=REACH, y=y, width=BOX, height=height, rx=2, fill="#ffffff", stroke=INK if not outside else MUTED,
        stroke_width=1.1, stroke_dasharray="4 2" if outside else "", class_="box",
    )  # fmt: skip
    tall = height > 30  # noqa: PLR2004 - room for a second line
    name = text(REACH + 9, y + (16 if tall else height / 2 + 4), short(zone.name), font_size=11.5, font_weight="700")
    trust = "no zone" if zone.trust is None else f"trust {zone.trust}"
    detail = f"{trust}, outside" if outside else f"{trust}, {zone.workloads:,} workloads, {zone.pods:,} pods"
    second = text(REACH + 9, y + 31, detail, font_size=9, fill=MUTED, class_="muted") if tall else ""
    return box + name + second + (_badge(inside, REACH + BOX - 19, y + height / 2) if inside else "")


def _line_legend(flows: Iterable[_Flow], y: float) -> str:
    parts, x = [], 8.0
    used = {flow.cell.verdict for flow in flows}
    for verdict, line in LINES.items():
        if verdict in used:
            parts.append(tag("path", d=f"M{x:.0f} {y + 6:.0f}h30", fill="none", class_=f"l-{verdict}", **line.look))
            parts.append(text(x + 36, y + 9.5, WORDS[verdict], font_size=9.5))
            x += 56 + 5.4 * len(WORDS[verdict])
    return "".join(parts)
