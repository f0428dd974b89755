"""A picture of reachability as SVG: a function of the scene and its layout.

Colour is never alone: arrows differ in dashes, their ends carry a letter. Every string was through `safe_text` and is
escaped here. No style sheet and no script, so that a picture may be shown anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from audit.reach_columns import BOX, LINE
from audit.reach_fold import Entry
from audit.reach_layout import MARGIN, Layout, Place, Route, laid_out
from audit.reach_scene import Scene
from audit.reach_text import (
    MARKS,
    MEANINGS,
    box_lines,
    box_title,
    entry_title,
    entry_words,
    fitted,
    fitted_list,
    width,
    within_words,
)

INK, MUTED, LINES = "#1c2430", "#5b6472", "#8a94a3"
LOOKS = {
    "allowed": (("#1f6f8b", "#3a4fa3", "#2f7d45", "#6b3f98"), ""),
    "unknown": (("#a85b00", "#b23a48"), "6 3"),
    "hidden": (("#6d7480", "#8a6f5a"), "1.5 3"),
}
"""Kind of an arrow -> colours and dashes. Colours are dark enough for text on white; arrows to neighbours differ."""
SHADES = ("#f1f4f8", "#ffffff", "#f6f8fa")
"""Ground of frames by depth."""
FONT = 10.0
INNER = 7.0
"""From the border of a stop to its text."""


def picture(scene: Scene) -> str:
    """The SVG text."""
    layout = laid_out(scene)
    legend = list(_legend(scene))
    least = MARGIN * 2 + max(
        width(scene.heading, 14, bold=True), *(width(text, FONT) for text in (scene.counts, *scene.notes)), 420
    )
    wide, notes = max(layout.width, least), scene.notes
    high = layout.height + 24 + LINE * len(notes)
    parts = [
        _root(wide, high, f"{scene.heading}: {scene.counts}"),
        f'<rect width="{wide:.0f}" height="{high:.0f}" fill="#ffffff"/>',
        _words(MARGIN, 22, scene.heading, INK, 14, bold=True),
        _words(MARGIN, 38, scene.counts, MUTED),
        *legend,
        *_grounds(scene, layout),
        *(_arrow(scene, layout, route) for route in layout.routes),
        *_frames(scene, layout),
        *_boxes(scene, layout),
        *(_words(MARGIN, layout.height + 20 + LINE * place, note, MUTED) for place, note in enumerate(notes)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _root(wide: float, high: float, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" '
        f'height="{high:.0f}" role="img" aria-label="{escape(label)}" '
        f'font-family="DejaVu Sans, Verdana, Arial, sans-serif" font-size="{FONT:g}">'
    )


def _legend(scene: Scene) -> Iterator[str]:
    used = {arrow.entry.kind for arrow in scene.arrows} | {one.kind for all_ in scene.within.values() for one in all_}
    x = MARGIN
    for kind, ((colour, *_), dashes) in LOOKS.items():
        if kind in used:
            yield f'<path d="M{x:g} 51h28" fill="none" stroke="{colour}" stroke-width="1.6"{_dashed(dashes)}/>'
            yield f'<path d="M{x + 34:g} 51l-8 -4v8Z" fill="{colour}"/>'
            yield from _mark(x + 40, 51, kind, colour)
            yield _words(x + 56, 54.5, MEANINGS[kind], INK)
            x += 76 + width(MEANINGS[kind], FONT)


def _dashed(dashes: str) -> str:
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _mark(x: float, y: float, kind: str, colour: str) -> Iterator[str]:
    yield f'<rect x="{x:g}" y="{y - 5.5:g}" width="11" height="11" rx="2" fill="{colour}"/>'
    yield _words(x + 5.5, y + 3, MARKS[kind], "#ffffff", 8, bold=True, middle=True)


# Stops --------------------------------------------------------------------------------------------------------------


def _grounds(scene: Scene, layout: Layout) -> Iterator[str]:
    depth: dict[int, int] = {}
    for frame in scene.frames:
        stop = scene.stop(frame)
        if stop in layout.places:
            depth[stop] = sum(set(frame.boxes) < set(other.boxes) for other in scene.frames)
            outside = all(unit.outside for box in frame.boxes for unit in scene.boxes[box].members)
            yield _rect(layout.places[stop], SHADES[depth[stop] % len(SHADES)], LINES, "4 3" if outside else "")


def _frames(scene: Scene, layout: Layout) -> Iterator[str]:
    for frame in scene.frames:
        stop = scene.stop(frame)
        if stop in layout.places:
            place = layout.places[stop]
            inner = _inner(place)
            size = 12.0 if frame.kind == "lane" else 10.5
            room = inner.width - (width(frame.detail, FONT) + 8 if frame.detail else 0)
            name = fitted_list(frame.names, room, size, bold=True)
            title = f"{', '.join(frame.names)}: " + "; ".join(box_title(scene.boxes[box]) for box in frame.boxes[:12])
            yield f"<g><title>{escape(title)}</title>"
            yield _words(inner.x, inner.y + LINE - 2, name, INK, size, bold=True)
            if frame.detail:
                x = inner.x + width(name, size, bold=True) + 8
                yield _words(x, inner.y + LINE - 2, frame.detail, MUTED)
            yield from _lines(scene, layout, stop, 1)
            yield "</g>"


def _inner(place: Place) -> Place:
    """Where the text of a stop goes: as wide as a box, on the left."""
    return Place(place.x + INNER, place.y + 2, min(place.width, BOX) - 2 * INNER, place.height)


def _boxes(scene: Scene, layout: Layout) -> Iterator[str]:
    for stop, group in enumerate(scene.boxes):
        place = layout.places[stop]
        inner = _inner(place)
        several = len(group.members) > 1
        outside = group.members[0].outside
        yield f"<g><title>{escape(box_title(group))}</title>"
        if several:  # a second sheet behind it
            yield _rect(Place(place.x + 3, place.y + 3, place.width, place.height), "#ffffff", LINES)
        yield _rect(place, "#ffffff", INK if several else MUTED, "4 3" if outside else "")
        lines = box_lines(group, inner.width, FONT)
        yield _words(inner.x, inner.y + LINE - 2, fitted(lines[0], inner.width, 11, bold=True), INK, 11, bold=True)
        for number, line in enumerate(lines[1:], start=2):
            yield _words(inner.x, inner.y + LINE * number - 2, fitted(line, inner.width, FONT), MUTED)
        yield from _lines(scene, layout, stop, len(lines))
        yield "</g>"


def _lines(scene: Scene, layout: Layout, stop: int, above: int) -> Iterator[str]:
    """What holds within a stop, and the ends of arrows."""
    inner = _inner(layout.places[stop])
    if stop in scene.within:
        parts = len(scene.boxes[stop].parts) if stop < len(scene.boxes) else 1
        text = within_words(scene.within[stop], parts, inner.width, FONT)
        full = "; ".join(map(entry_title, scene.within[stop]))
        yield f"<g><title>{escape(f'within: {full}')}</title>"
        yield _words(inner.x, inner.y + LINE * (above + 1) - 2, text, INK)
        yield "</g>"
    for number, entry in enumerate(layout.slots.get(stop, ()), start=layout.texts[stop]):
        y = layout.places[stop].y + 4 + LINE * (number + 0.5)
        colour = _colour(layout, stop, entry)
        yield from _mark(inner.x, y, entry.kind, colour)
        yield _words(inner.x + 16, y + 3.5, entry_words(entry, inner.width - 16, FONT), colour)


def _colour(layout: Layout, stop: int, entry: Entry) -> str:
    """By the place of a line among all lines, so that lines near each other differ."""
    colours = LOOKS[entry.kind][0]
    return colours[layout.order[stop, entry] % len(colours)]


def _rect(place: Place, fill: str, stroke: str, dashes: str = "") -> str:
    return (
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" height="{place.height:.1f}" rx="3" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="0.8"{_dashed(dashes)}/>'
    )


# Arrows -------------------------------------------------------------------------------------------------------------


def _arrow(scene: Scene, layout: Layout, route: Route) -> str:
    colour, dashes = _colour(layout, *route.arrow[1:]), LOOKS[route.arrow.entry.kind][1]
    path, head = (_arc if route.bulge else _curve)(route)
    source, target = map(scene.name, route.arrow[:2])
    title = f"{source} to {target}: {entry_title(route.arrow.entry)}"
    return (
        f'<g><title>{escape(title)}</title><path d="{path}" fill="none" stroke="{colour}" stroke-width="1.2"'
        f'{_dashed(dashes)}/><path d="{head}" fill="{colour}"/></g>'
    )


def _curve(route: Route) -> tuple[str, str]:
    """Curves that leave and arrive level, straight past the columns between."""
    points = list(route.points)
    sign = 1 if points[-1][0] > points[0][0] else -1
    tip = points[-1]
    points[-1] = (tip[0] - sign * 7, tip[1])
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for number, ((x1, y1), (x2, y2)) in enumerate(pairwise(points)):
        if number % 2:
            path += f"L{x2:.1f} {y2:.1f}"
        else:
            middle = (x1 + x2) / 2
            path += f"C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return path, _head(tip, sign)


def _arc(route: Route) -> tuple[str, str]:
    """Out to one side and back to the same side."""
    (x1, y1), (x2, y2) = route.points
    sign = 1 if route.bulge > 0 else -1
    far = (max(x1, x2) if sign > 0 else min(x1, x2)) + route.bulge
    tip = x2 + sign * 7
    path = f"M{x1:.1f} {y1:.1f}C{far:.1f} {y1:.1f} {far:.1f} {y2:.1f} {tip:.1f} {y2:.1f}"
    return path, _head((x2, y2), -sign)


def _head(tip: tuple[float, float], sign: int) -> str:
    x, y = tip
    return f"M{x:.1f} {y:.1f}L{x - sign * 8:.1f} {y - 3.6:.1f}L{x - sign * 8:.1f} {y + 3.6:.1f}Z"


def _words(  # noqa: PLR0913 - one argument per attribute
    x: float, y: float, text: str, colour: str, size: float = FONT, *, bold: bool = False, middle: bool = False
) -> str:
    extra = ' font-weight="bold"' if bold else ""
    extra += ' text-anchor="middle"' if middle else ""
    extra += f' font-size="{size:g}"' if size != FONT else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{extra}>{escape(text)}</text>'
