"""The reachability document as a picture: groups below each other, flows in the margins, so that no box hides one.

Flows down the page run on the right, flows up on the left; an arrowhead marks the target. A small document shows every
connection between its endpoints; a larger one shows one flow per pair of groups, whose title lists the connections.
Every string was through `safe_text` when it comes here, and is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from audit.traffic import Traffic

INK, MUTED, GROUND = "#1c2430", "#5b6472", "#f4f6f8"
KINDS: dict[str, tuple[str, str, str]] = {
    "hidden": ("#8a94a3", "2 4", "admitted by policy, but no entry point leads there"),
    "unknown": ("#b7791f", "7 4", "unknown"),
    "allowed": ("#1f6f8b", "", "allowed"),
}
"""Kind of a flow -> colour, dashes and words; the last lies on top."""
WIDTH, MARGIN, PAD, TOP = 250, 260, 10, 44
"""Pixels: width of an endpoint's box, room for flows on either side, space around boxes, room for the legend."""
BOX, STEP, TITLE = 36, 14, 24
"""Pixels: least height of a box, distance between two flows that end at it, height of a group's title."""
NAME = 33
"""Characters on one line of a box; a longer name takes a second line, and its rest is in the title."""
EACH, MEMBERS = 40, 24
"""Up to so many connections and endpoints every connection is drawn by itself."""
MOST_FLOWS, MOST_BOXES, MOST_GROUPS, LISTED = 80, 60, 40, 12
"""Flows, boxes of a group, groups, and connections that a title lists; beyond, the picture says what it lacks."""

Json = Mapping[str, Any]
Group = tuple[str, list[Json]]


@dataclass(frozen=True, slots=True, order=True)
class _Flow:
    """One arrow, between the places of two stops."""

    source: int
    target: int
    kind: str

    @property
    def down(self) -> bool:
        return self.target > self.source


@dataclass(slots=True)
class _Stop:
    """What flows end at: a box or the frame of a group."""

    name: str
    top: float = 0
    height: float = 0
    left: float = MARGIN
    right: float = MARGIN
    ends: dict[bool, list[_Flow]] = field(default_factory=lambda: {True: [], False: []})
    """The flows that touch its right side (True) and its left side, from top to bottom."""


def picture(document: Json, groups: Sequence[Group], names: Mapping[str, str]) -> str:
    """The SVG text; `groups` as drawn, `names` of endpoints by id."""
    shown, notes = _ordered(document, groups)
    each = len(document["connections"]) <= EACH and sum(len(members) for _, members in shown) <= MEMBERS
    by_zone = all(one["kind"] == "Zone" for one in document["endpoints"])
    each = each or by_zone
    stop_of, stops = _stops(shown, names, each=each)
    bundles = _bundles(document["connections"], stop_of)
    flows = sorted((one for one in bundles if one.source != one.target), key=lambda one: (-len(bundles[one]), one))
    if len(flows) > MOST_FLOWS:
        notes.append(f"{MOST_FLOWS} of {len(flows)} flows are drawn, those of most connections")
        flows = flows[:MOST_FLOWS]
    columns = 1 if each else min(3, max((len(members) for _, members in shown), default=1))
    _attach(stops, flows)
    inner: dict[int, list[str]] = {}
    for one in sorted(bundles):
        if one.source == one.target:
            inner.setdefault(one.source, []).append(_inner(one, bundles[one], each=each))
    boxes, height = _boxes(shown, stops, stop_of, names, _Style(columns, each=each, framed=not by_zone, inner=inner))
    flows.sort(key=lambda one: (list(KINDS).index(one.kind), one))
    longest = max((abs(stops[one.source].top - stops[one.target].top) for one in flows), default=0)
    lines = [_arrow(one, stops, bundles[one], names, (len(flows), longest)) for one in flows]
    width = 2 * MARGIN + columns * (WIDTH + PAD) + PAD
    counts = f"{len(document['endpoints'])} endpoints, {len(document['connections'])} connections"
    foot = [_words(12, height + 16 * place, note, MUTED, 10) for place, note in enumerate(notes, start=1)]
    height += 16 * len(notes) + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" width="{width}" height="{height:g}" '
        f'role="img" aria-label="Reachability: {counts}" font-family="sans-serif" font-size="11">'
    )
    ground = f'<rect width="{width}" height="{height:g}" fill="#ffffff"/>'
    rest = "what is not drawn is denied" if each else "an arrow stands for all connections between two groups"
    legend = [*_legend(flows), _words(12, 34, f"{counts}; {rest}", MUTED, 10)]
    return "\n".join([head, ground, *legend, *boxes, *lines, *foot, "</svg>"]) + "\n"


def _ordered(document: Json, groups: Sequence[Group]) -> tuple[list[Group], list[str]]:
    """The groups, outside first, then from those that mostly open connections to those that mostly take them.

    With it what is left out, in words.
    """
    group_of = {one["id"]: name for name, members in groups for one in members}
    degree = {name: [0, 0] for name, _ in groups}
    pairs = {(group_of[one["src"]], group_of[one["dst"]]) for one in document["connections"]}
    for source, target in pairs:
        degree[source][0] += 1
        degree[target][1] += 1
    most = sorted(groups, key=lambda item: (-sum(degree[item[0]]), item[0]))
    kept = sorted(
        most[:MOST_GROUPS],
        key=lambda item: (not all(map(_outside, item[1])), degree[item[0]][1] - degree[item[0]][0], item[0]),
    )
    left = [one for _, members in most[MOST_GROUPS:] for one in members]
    notes = [f"{len(groups) - MOST_GROUPS} groups with {len(left)} endpoints and all their connections are left out"]
    return kept, notes if left else []


def _outside(endpoint: Json) -> bool:
    return endpoint["kind"] == "IPBlock" or bool(endpoint.get("outside"))


def _stops(groups: Sequence[Group], names: Mapping[str, str], *, each: bool) -> tuple[dict[str, int], list[_Stop]]:
    """Endpoint id -> place of what its flows end at, and the stops in order."""
    stop_of: dict[str, int] = {}
    stops: list[_Stop] = []
    for group, members in groups:
        for number, one in enumerate(members):
            if each or not number:
                stops.append(_Stop(names[one["id"]] if each else group))
            stop_of[one["id"]] = len(stops) - 1
    return stop_of, stops


def _bundles(connections: Iterable[Json], stop_of: Mapping[str, int]) -> dict[_Flow, list[Json]]:
    found: dict[_Flow, list[Json]] = {}
    for one in connections:
        if one["src"] in stop_of and one["dst"] in stop_of:
            flow = _Flow(stop_of[one["src"]], stop_of[one["dst"]], _kind(one))
            found.setdefault(flow, []).append(one)
    return found


def _kind(connection: Json) -> str:
    if connection.get("exposed") is False:
        return "hidden"
    doubtful = connection["verdict"] == "unknown" or connection.get("exposed") == "unknown"
    return "unknown" if doubtful else "allowed"


def _attach(stops: Sequence[_Stop], flows: Iterable[_Flow]) -> None:
    """Give every flow its place at both ends, so that few of them cross."""
    for one in flows:
        stops[one.source].ends[one.down].append(one)
        stops[one.target].ends[one.down].append(one)
    for place, stop in enumerate(stops):
        for ends in stop.ends.values():
            ends.sort(key=lambda one: (*_slot(place, one), one))


def _slot(place: int, flow: _Flow) -> tuple[int, int]:
    other = flow.target if flow.source == place else flow.source
    # Flows from above take the upper half, the nearest highest; those from below the lower half, the farthest highest.
    return (0, -other) if other < place else (1, -other)


@dataclass(frozen=True, slots=True)
class _Style:
    """How boxes are laid out."""

    columns: int
    each: bool
    framed: bool
    inner: Mapping[int, list[str]]
    """Stop -> what flows within it, in words."""


def _boxes(
    groups: Sequence[Group], stops: Sequence[_Stop], stop_of: Mapping[str, int], names: Mapping[str, str], style: _Style
) -> tuple[list[str], float]:
    """The markup of groups and boxes, places of the stops set on the way, and the height so far."""
    found: list[str] = []
    top: float = TOP
    for group, members in groups:
        start, marks = top, []
        top += TITLE if style.framed else 0
        if style.each:
            for one in members:
                stop = stops[stop_of[one["id"]]]
                stop.left, stop.right, stop.top = MARGIN + PAD, MARGIN + PAD + WIDTH, top
                stop.height = max(BOX, STEP * (max(map(len, stop.ends.values())) + 1))
                within = ", ".join(style.inner.get(stop_of[one["id"]], ()))
                marks.append(_box((stop.left, top, stop.height), names[one["id"]], one, within))
                top += stop.height + PAD
        else:
            stop = stops[stop_of[members[0]["id"]]]
            alone = len(members) == 1 and names[members[0]["id"]] == group
            for number, one in enumerate(() if alone else members[:MOST_BOXES]):
                left = MARGIN + PAD + number % style.columns * (WIDTH + PAD)
                place = top + number // style.columns * (BOX + PAD)
                marks.append(_box((left, place, BOX), names[one["id"]], one))
            rows = 0 if alone else -(-min(len(members), MOST_BOXES) // style.columns)
            top += rows * (BOX + PAD)
            if len(members) > MOST_BOXES:
                marks.append(_words(MARGIN + PAD, top + 8, f"and {len(members) - MOST_BOXES} more", MUTED, 10))
                top += STEP
            top = max(top, start + STEP * (max(map(len, stop.ends.values())) + 2))
            stop.left, stop.top, stop.height = MARGIN, start, top - start
            stop.right = MARGIN + PAD + style.columns * (WIDTH + PAD)
        within = ", ".join(style.inner.get(stop_of[members[0]["id"]], ())) if not style.each else ""
        found += [*_frame(group, start, top - start, within, style), *marks]
        top += 2 * PAD if style.framed else PAD
    return found, top


def _frame(group: str, top: float, height: float, within: str, style: _Style) -> Iterator[str]:
    if not style.framed:
        return
    width = style.columns * (WIDTH + PAD) + PAD
    yield (
        f'<rect x="{MARGIN}" y="{top:g}" width="{width}" height="{height:g}" rx="5" fill="#ffffff" stroke="{MUTED}" '
        f'stroke-opacity="0.6"/>'
    )
    text = group if len(group) <= NAME else group[: NAME - 1] + "…"
    yield _words(MARGIN + PAD, top + 16, text, INK, 12, weight="bold")
    if within:
        yield _words(MARGIN + width - PAD, top + 16, f"within: {within}", MUTED, 10, anchor="end")


def _inner(flow: _Flow, connections: Sequence[Json], *, each: bool) -> str:
    if each:
        ports = Traffic.parse(connections[0]["ports"])
        return f"{_cut(str(ports), 16)}{'' if flow.kind == 'allowed' else f' {flow.kind}'}"
    return f"{len(connections)} {flow.kind}"


def _box(place: tuple[float, float, float], name: str, one: Json, within: str = "") -> str:
    """A name of `namespace/Kind/name` shows its last part first, and the rest below; other names take two lines."""
    left, top, height = place
    parts = name.split("/")
    first, second = (parts[2], f"{parts[0]}, {parts[1]}") if len(parts) == 3 else (name, "")  # noqa: PLR2004
    if len(first) > NAME:
        first, second = first[:NAME], _cut(first[NAME:], NAME)
    elif one["kind"] == "IPBlock":
        first, _, second = name.partition(" ")
    elif one["kind"] == "Zone":
        second = "outside the cluster" if one.get("outside") else ""
    note = f"within: {within}" if within else ""
    second = ", ".join(part for part in (second, note) if part)
    dashes = ' stroke-dasharray="4 3"' if _outside(one) else ""
    return (
        f'<g><title>{escape(name)}</title><rect x="{left:g}" y="{top:g}" width="{WIDTH}" height="{height:g}" rx="3" '
        f'fill="{GROUND}" stroke="{MUTED}" stroke-opacity="0.7"{dashes}/>'
        f"{_words(left + 8, top + 15, first, INK, 11, weight='bold')}"
        f"{_words(left + 8, top + 29, _cut(second, NAME + 6), MUTED, 9.5) if second else ''}</g>"
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _arrow(
    flow: _Flow, stops: Sequence[_Stop], connections: Sequence[Json], names: Mapping[str, str], scale: tuple[int, float]
) -> str:
    """A curve in the margin with its head at the target and the ports beside it; `scale` is (flows, longest way)."""
    source, target = stops[flow.source], stops[flow.target]
    count, longest = scale
    sign = 1 if flow.down else -1
    x1, x2 = (source.right, target.right) if flow.down else (source.left, target.left)
    y1, y2 = (_level(stop, flow) for stop in (source, target))
    reach = 60 + (MARGIN - 80) * min(1.0, abs(y2 - y1) / max(longest, 400))
    tip = x2 + sign * 8
    colour, dashes, words = KINDS[flow.kind]
    opacity = max(0.45, min(0.95, 14 / count))
    width = 1.2 + min(2.4, len(connections) / 12)
    path = f"M{x1:g} {y1:.1f}C{x1 + sign * reach:.1f} {y1:.1f} {x2 + sign * reach:.1f} {y2:.1f} {tip:g} {y2:.1f}"
    head = f"M{x2:g} {y2:.1f}L{tip + sign:g} {y2 - 4:.1f}L{tip + sign:g} {y2 + 4:.1f}Z"
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    ports = sorted({str(Traffic.parse(one["ports"])) for one in connections})
    label = _cut(ports[0] if len(ports) == 1 else f"{len(connections)} connections", 24)
    text = _words(tip + sign * 6, y2 - 3, label, colour, 9, anchor="start" if flow.down else "end", halo=True)
    look = f'fill="none" stroke="{colour}" stroke-width="{width:.1f}" stroke-opacity="{opacity:.2f}"{dash}'
    return (
        f"<g><title>{escape(_title(flow, stops, connections, names, words))}</title>"
        f'<path d="{path}" {look}/>'
        f'<path d="{head}" fill="{colour}"/>{text}</g>'
    )


def _level(stop: _Stop, flow: _Flow) -> float:
    ends = stop.ends[flow.down]
    return stop.top + stop.height * (ends.index(flow) + 1) / (len(ends) + 1)


def _title(
    flow: _Flow, stops: Sequence[_Stop], connections: Sequence[Json], names: Mapping[str, str], words: str
) -> str:
    lines = [f"{stops[flow.source].name} to {stops[flow.target].name}: {words}"]
    for one in connections[:LISTED]:
        reason = f" ({one['reason']})" if one.get("reason") else ""
        lines.append(f"{names[one['src']]} to {names[one['dst']]}: {Traffic.parse(one['ports'])}{reason}")
    if len(connections) > LISTED:
        lines.append(f"and {len(connections) - LISTED} more")
    return " | ".join(lines)


def _legend(flows: Iterable[_Flow]) -> Iterator[str]:
    used = {one.kind for one in flows}
    x = 12
    for kind in reversed(KINDS):
        colour, dashes, words = KINDS[kind]
        if kind in used:
            dash = f' stroke-dasharray="{dashes}"' if dashes else ""
            yield f'<path d="M{x} 14h34" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
            yield f'<path d="M{x + 42} 14l-9 -4v8Z" fill="{colour}"/>'
            yield _words(x + 48, 18, words, INK, 10)
            x += 68 + 6 * len(words)


def _words(  # noqa: PLR0913 - one argument per attribute
    x: float, y: float, text: str, colour: str, size: float, *, weight: str = "", anchor: str = "", halo: bool = False
) -> str:
    extra = f' font-weight="{weight}"' if weight else ""
    extra += f' text-anchor="{anchor}"' if anchor else ""
    extra += ' stroke="#ffffff" stroke-width="3" paint-order="stroke"' if halo else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}"{extra}>{escape(text)}</text>'
