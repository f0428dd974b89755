"""Elements of SVG and the colours of verdicts.

Colours are presentation attributes, which style sheets of the page may override by class (dark mode) and the PDF takes
as they are; no `style` attribute, which the page's policy would refuse. All text is escaped here; callers pass reports
that went through `summary.shown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from audit.model import Severity, Verdict
from audit.report import ZoneRecord

COLOURS: Mapping[Verdict, tuple[str, str]] = {
    "fail": ("#b23a0e", "#ffffff"),
    "not-evaluated": ("url(#hatch)", "#33384a"),
    "excepted": ("#f2d68a", "#4a3800"),
    "manual": ("#d9d2ea", "#3a2a63"),
    "pass": ("#d3e8e4", "#0f4f47"),
    "not-applicable": ("#f2f3f5", "#6a7280"),
}
"""Fill and ink. Vermilion against blue-green, dark against light: they stay apart for every kind of colour vision."""
GRADES: Mapping[Severity, tuple[str, str]] = {
    "critical": ("#7d2408", "#ffffff"),
    "high": ("#b23a0e", "#ffffff"),
    "medium": ("#e08a5b", "#33160a"),
    "low": ("#f1c3a8", "#4a2412"),
    "info": ("#f7e6dc", "#5b3a2a"),
}
"""Fill and ink of severities: one hue, darker is worse."""
INK, MUTED, LINE = "#1c2430", "#5b6472", "#c3c9d2"
HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<rect class="hatch-ground" width="5" height="5" fill="#eef0f4"/>'
    '<path class="hatch-line" d="M-1 1L1 -1M0 5L5 0M4 6L6 4" stroke="#a9b0c0" stroke-width="1"/></pattern></defs>'
)
GROUND = "#dfe2ea"
"""Instead of the hatch where its pattern is not at hand."""
LABEL = 26
"""Characters of a zone name in a picture; longer ones are shortened, which the note says."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG element, and what its caption must say about things left out."""

    svg: str
    notes: tuple[str, ...] = ()


def tag(name: str, /, content: str = "", **attributes: object) -> str:
    """One element; `content` is markup, attribute values are escaped. `_` in a name means `-`, a last one is cut."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(number(value))}"'
        for key, value in attributes.items()
        if value != ""
    )
    return f"<{name}{pairs}>{content}</{name}>"


def number(value: object) -> str:
    """A float with one decimal at most; anything else as text."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def text(x: float, y: float, words: str, **attributes: object) -> str:
    """Words at a place; dark unless `fill` says otherwise."""
    return tag("text", escape(words), x=x, y=y, **({"fill": INK, "class_": "ink"} | attributes))


def short(name: str) -> str:
    """A zone's name as pictures show it."""
    return name if len(name) <= LABEL else name[: LABEL - 1] + "…"


def shortened(zones: Iterable[ZoneRecord]) -> tuple[str, ...]:
    """The note on names that were cut, if any."""
    cut = sum(len(zone.name) > LABEL for zone in zones)
    return (f"{cut} long zone names are shortened in the picture; the tables give them in full.",) if cut else ()


def drawing(width: float, height: float, title: str, body: str) -> str:
    """A whole picture; its title is what people hear who do not see it."""
    return tag(
        "svg",
        tag("title", escape(title)) + body,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {number(width)} {number(height)}",
        width=width, height=height,
        role="img", aria_label=title, font_family="Audit Sans, system-ui, sans-serif",
    )  # fmt: skip
