"""Pictures of a report: the zone matrix as a heat map, the zones and their flows as a diagram.

Plain SVG text for both the page and the PDF. Colours are presentation attributes, which style sheets of the page may
override by class (dark mode) and the PDF takes as they are; no `style` attribute, which the page's policy would refuse.
All text is escaped here; callers pass reports that went through `summary.shown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from audit.model import SEVERITIES, Verdict
from audit.report import CellRecord, Report, ZoneRecord
from audit.summary import anchor, grid, mark

COLOURS: Mapping[Verdict, tuple[str, str]] = {
    "fail": ("#b23a0e", "#ffffff"),
    "not-evaluated": ("url(#hatch)", "#33384a"),
    "excepted": ("#f2d68a", "#4a3800"),
    "manual": ("#d9d2ea", "#3a2a63"),
    "pass": ("#d3e8e4", "#0f4f47"),
    "not-applicable": ("#f2f3f5", "#6a7280"),
}
"""Fill and ink. Vermilion against blue-green, dark against light: they stay apart for every kind of colour vision."""
INK, MUTED, LINE = "#1c2430", "#5b6472", "#c3c9d2"
HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<rect class="hatch-ground" width="5" height="5" fill="#eef0f4"/>'
    '<path class="hatch-line" d="M-1 1L1 -1M0 5L5 0M4 6L6 4" stroke="#a9b0c0" stroke-width="1"/></pattern></defs>'
)
LABEL = 26
"""Characters of a zone name in a picture; longer ones are shortened, which the note says."""
DRAWN = 24
"""Flows of one kind in the diagram beyond which lines only hide each other."""
GROUND = "#dfe2ea"
"""Instead of the hatch where its pattern is not at hand."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG element, and what its caption must say about things left out."""

    svg: str
    notes: tuple[str, ...] = ()


def _tag(name: str, /, content: str = "", **attributes: object) -> str:
    """One element; `content` is markup, attribute values are escaped. `_` in a name means `-`, a last one is cut."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value != ""
    )
    return f"<{name}{pairs}>{content}</{name}>"


def _number(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def _text(x: float, y: float, text: str, **attributes: object) -> str:
    return _tag("text", escape(text), x=x, y=y, **({"fill": INK, "class_": "ink"} | attributes))


def _short(name: str) -> str:
    return name if len(name) <= LABEL else name[: LABEL - 1] + "…"


def _shortened(zones: Iterable[ZoneRecord]) -> tuple[str, ...]:
    cut = sum(len(zone.name) > LABEL for zone in zones)
    return (f"{cut} long zone names are shortened in the picture; the tables give them in full.",) if cut else ()


def _svg(width: float, height: float, title: str, body: str) -> str:
    return _tag(
        "svg",
        _tag("title", escape(title)) + body,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_number(width)} {_number(height)}",
        width=width, height=height,
        role="img", aria_label=title, font_family="Audit Sans, system-ui, sans-serif",
    )  # fmt: skip


def heat_map(report: Report, *, linked: bool = False) -> Picture:
    """Rows from, columns to, lowest trust first; a letter and a colour in every cell.

    `linked` makes a cell with findings a link to its first one; the PDF renderer cannot draw such links.
    """
    size, font = _cell_size(len(report.zones))
    names = [_short(zone.name) for zone in report.zones]
    longest = max((len(name) for name in names), default=0) * font * 0.56
    left, top = longest + 4.2 * font + 12, longest * 0.72 + 3 * font
    side = size * len(names)
    parts = [
        _text(left + side / 2, font * 1.1, "to", font_size=font, text_anchor="middle", fill=MUTED, class_="muted"),
        _text(0.0, top - 6, "from", font_size=font, fill=MUTED, class_="muted"),
        _text(left - 8, top - 6, "trust", font_size=font * 0.85, text_anchor="end", fill=MUTED, class_="muted"),
    ]
    for place, (zone, name) in enumerate(zip(report.zones, names, strict=True)):
        middle = place * size + size / 2
        x = left + middle
        turn = f"rotate(-46 {_number(x)} {_number(top - 6)})"
        parts.append(_text(x, top - 6, name, font_size=font, transform=turn))
        parts.append(_text(0.0, top + middle + font * 0.36, name, font_size=font))
        trust = "" if zone.trust is None else str(zone.trust)
        where = {"font_size": font * 0.85, "text_anchor": "end", "fill": MUTED, "class_": "muted"}
        parts.append(_text(left - 8, top + middle + font * 0.36, trust, **where))
    for i, row in enumerate(grid(report)):
        for j, cell in enumerate(row):
            zones = (report.zones[i].name, report.zones[j].name)
            parts.append(_cell(cell, zones, (left + j * size, top + i * size, size), linked=linked))
    title = f"Zone matrix, {len(names)} by {len(names)}: rows are sources, columns are targets"
    width = left + side + longest * 0.72 + 4
    return Picture(_svg(width, top + side + 2, title, HATCH + "".join(parts)), _shortened(report.zones))


def _cell_size(zones: int) -> tuple[float, float]:
    """Side of a cell and size of the labels: the picture stays about 640 wide, so that it prints on one page."""
    for limit, size, font in ((8, 46.0, 13.0), (14, 34.0, 12.0), (22, 25.0, 11.0)):
        if zones <= limit:
            return size, font
    return 19.0, 10.5


def _cell(cell: CellRecord | None, zones: tuple[str, str], box: tuple[float, float, float], *, linked: bool) -> str:
    x, y, size = box
    verdict: Verdict = cell.verdict if cell else "not-evaluated"
    fill, ink = COLOURS[verdict]
    text = mark(cell)
    font = min(size * 0.42, size * 1.25 / max(len(text), 2))
    weight = "700" if verdict == "fail" else "400"
    words = f"{zones[0]} to {zones[1]}: {verdict}" + (", by default" if cell and cell.by_default else "")
    body = (
        _tag("title", escape(words))
        + _tag("rect", x=x + 0.7, y=y + 0.7, width=size - 1.4, height=size - 1.4, rx=1.5, fill=fill,
               class_=f"c-{verdict}")
        + _text(
            x + size / 2, y + size / 2 + font * 0.36, text, font_size=font, text_anchor="middle", fill=ink,
            font_weight=weight, class_=f"t-{verdict}",
        )
    )  # fmt: skip
    target = next((anchor(one) for one in cell.findings if anchor(one)), "") if cell and linked else ""
    return _tag("a", body, href=f"#{target}") if target else _tag("g", body)


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
    "excepted": _Line("#a87b00", 1.6, "7 3 1.5 3"),
    "not-evaluated": _Line("#5a4a8a", 1.5, "1.5 3"),
    "manual": _Line("#5a4a8a", 1.5, "1.5 3"),
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
        body.append(_zone_box(zone, cells.get((zone.name, zone.name)), TOP + place * pitch, height))
    end = TOP + len(report.zones) * pitch
    body.append(_line_legend(flows, end + 6))
    title = "Zones by trust, lowest on top, and the flows between them: " + ", ".join(
        f"{sum(flow.cell.verdict == verdict for flow in flows)} {WORDS[verdict]}" for verdict in reversed(tuple(LINES))
    )
    return Picture(_svg(BOX + 2 * REACH, end + 24, title, "".join(body)), (*notes, *_shortened(report.zones)))


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
    body = _tag("title", escape(words))
    body += _tag("path", d=path, fill="none", class_=f"l-{flow.cell.verdict}", **line.look)
    body += _tag("path", d=head, fill=line.colour, class_=f"h-{flow.cell.verdict}")
    if badge and flow.cell.verdict == "fail":
        body += _badge(flow.cell, x + sign * bulge * 0.75, (start + end) / 2)
    return _tag("g", body)


def _badge(cell: CellRecord, x: float, y: float) -> str:
    fill, ink = COLOURS[cell.verdict]
    fill = GROUND if fill.startswith("url") else fill
    text = mark(cell)
    width = 8.0 + 6.5 * len(text)
    return _tag(
        "rect", x=x - width / 2, y=y - 7.5, width=width, height=15.0, rx=2, fill=fill, class_=f"b-{cell.verdict}"
    ) + _text(
        x, y + 3.6, text, font_size=10, text_anchor="middle", fill=ink, font_weight="700", class_=f"t-{cell.verdict}"
    )


def _zone_box(zone: ZoneRecord, inside: CellRecord | None, y: float, height: float) -> str:
    outside = zone.kind in {"internet", "external"}
    box = _tag(
        "rect", x=REACH, y=y, width=BOX, height=height, rx=2, fill="#ffffff", stroke=INK if not outside else MUTED,
        stroke_width=1.1, stroke_dasharray="4 2" if outside else "", class_="box",
    )  # fmt: skip
    tall = height > 30  # noqa: PLR2004 - room for a second line
    name = _text(REACH + 9, y + (16 if tall else height / 2 + 4), _short(zone.name), font_size=11.5, font_weight="700")
    trust = "no zone" if zone.trust is None else f"trust {zone.trust}"
    detail = f"{trust}, outside" if outside else f"{trust}, {zone.workloads:,} workloads, {zone.pods:,} pods"
    second = _text(REACH + 9, y + 31, detail, font_size=9, fill=MUTED, class_="muted") if tall else ""
    return box + name + second + (_badge(inside, REACH + BOX - 19, y + height / 2) if inside else "")


def _line_legend(flows: Iterable[_Flow], y: float) -> str:
    parts, x = [], 8.0
    used = {flow.cell.verdict for flow in flows}
    for verdict, line in LINES.items():
        if verdict in used:
            parts.append(_tag("path", d=f"M{x:.0f} {y + 6:.0f}h30", fill="none", class_=f"l-{verdict}", **line.look))
            parts.append(_text(x + 36, y + 9.5, WORDS[verdict], font_size=9.5))
            x += 56 + 5.4 * len(WORDS[verdict])
    return "".join(parts)
