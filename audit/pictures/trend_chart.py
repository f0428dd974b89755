"""Failed findings of the last scans as stacked bars, this scan last; a number and a letter on every bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from audit.model import SEVERITIES
from audit.pictures.elements import GRADES, INK, MUTED, Picture, drawing, tag, text
from audit.report import Report

SHOWN = 12
"""Scans that fit beside each other."""
WIDTH, HEIGHT, TOP, BOTTOM = 300.0, 84.0, 12.0, 22.0
"""Of the picture, and the margins above and below the bars."""
LETTERS: Mapping[str, str] = {"compliant": "C", "not-compliant": "N", "incomplete": "?"}
"""One letter per verdict of a scan."""


class _Bar(NamedTuple):
    """One scan."""

    day: str
    letter: str
    severities: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.severities.values())


def trend_chart(report: Report) -> Picture | None:
    """The picture; None where no earlier scan is known, since one bar is no trend."""
    if not report.trend:
        return None
    bars = [_Bar(one.created[:10], LETTERS.get(one.verdict, "?"), one.severities) for one in report.trend]
    bars.append(_Bar(report.created[:10], LETTERS.get(report.verdict, "?"), report.counts.severities))
    shown = bars[-SHOWN:]
    most = max(1, *(bar.total for bar in shown))
    step = WIDTH / len(shown)
    parts = [_bar(bar, place * step, min(step * 0.66, 30.0), most) for place, bar in enumerate(shown)]
    ground = HEIGHT - BOTTOM
    line = tag("path", d=f"M0 {ground:.0f}H{WIDTH:.0f}", stroke=MUTED, stroke_width=0.75, fill="none")
    notes = (f"The last {SHOWN} of {len(bars)} scans.",) if len(bars) > SHOWN else ()
    return Picture(drawing(WIDTH, HEIGHT, _spoken(shown), line + "".join(parts)), notes)


def _bar(bar: _Bar, x: float, width: float, most: int) -> str:
    ground = HEIGHT - BOTTOM
    scale = (ground - TOP) / most
    parts, y = [], ground
    for severity in reversed(SEVERITIES):
        count = bar.severities.get(severity, 0)
        y -= count * scale
        if count:
            look = {"fill": GRADES[severity][0], "class_": f"g-{severity}"}
            parts.append(tag("rect", x=x, y=y, width=width, height=count * scale, **look))
    small = {"font_size": 7.5, "fill": MUTED, "class_": "muted"}
    parts.append(text(x + width / 2, y - 3, f"{bar.total:,}", font_size=8.0, text_anchor="middle", fill=INK))
    parts.append(text(x + width / 2, ground + 10, bar.day[5:] or "?", text_anchor="middle", **small))
    parts.append(text(x + width / 2, ground + 20, bar.letter, text_anchor="middle", font_weight="700", **small))
    return tag("g", "".join(parts))


def _spoken(bars: list[_Bar]) -> str:
    said = ", ".join(f"{bar.day} {bar.total}" for bar in bars)
    return f"Failed findings per scan, oldest first: {said}"
