"""A picture of reachability as text for Graphviz: the same boxes, frames and arrows as the SVG.

Arrows end at the line of their target that names their ports: labels beside lines hide each other. A frame that arrows
end at has a node of its own, as Graphviz joins nodes only. Every string was through `safe_text` and is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from audit.reach_fold import Entry
from audit.reach_frames import Frame
from audit.reach_scene import Arrow, Scene
from audit.reach_text import (
    MARKS,
    MEANINGS,
    box_lines,
    box_title,
    entry_title,
    entry_words,
    fitted,
    fitted_list,
    listed,
    within_words,
)

LOOKS = {"allowed": ("#1f6f8b", "solid"), "unknown": ("#a85b00", "dashed"), "hidden": ("#6d7480", "dotted")}
"""Kind of an arrow -> colour and style; its mark is the letter."""
ROOM, FONT = 230.0, 10.0
"""Pixels for a line of text, at this size."""
Slots = Mapping[int, list[Entry]]


def graph(scene: Scene) -> str:
    """The dot text."""
    found: dict[int, set[Entry]] = {arrow.source: set() for arrow in scene.arrows}
    for arrow in scene.arrows:
        found.setdefault(arrow.target, set()).add(arrow.entry)
    slots = {stop: sorted(entries) for stop, entries in found.items()}
    lines = [
        "digraph reachability {",
        f'  graph [rankdir=LR, ranksep=1.2, labelloc=t, fontname="sans-serif", label={_quoted(*_heading(scene))}];',
        '  node [shape=plain, fontname="sans-serif", fontsize=10];',
    ]
    for frame in scene.lanes:
        lines += _cluster(scene, frame, slots, "  ")
    lane = {box: frame.lane for frame in scene.lanes for box in frame.boxes}
    lane |= {scene.stop(frame): frame.lane for frame in scene.frames}
    for arrow in scene.arrows:
        way = (lane[arrow.target] > lane[arrow.source]) - (lane[arrow.target] < lane[arrow.source])
        lines.append(f"  {_arrow(scene, arrow, slots, way)};")
    first = [f"n{frame.boxes[0]}" for frame in scene.lanes]
    if len(first) > 1:
        lines.append(f"  {' -> '.join(first)} [style=invis, weight=10];")
    return "\n".join([*lines, "}"]) + "\n"


def _heading(scene: Scene) -> Iterator[str]:
    yield scene.heading
    yield scene.counts
    used = {arrow.entry.kind for arrow in scene.arrows}
    yield ", ".join(f"{MARKS[kind]} {words} ({LOOKS[kind][1]})" for kind, words in MEANINGS.items() if kind in used)
    yield from scene.notes


def _quoted(*lines: str) -> str:
    """One string of several lines; no part of it is an escape of Graphviz."""
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines if line) + '"'


def _cluster(scene: Scene, frame: Frame, slots: Slots, indent: str) -> Iterator[str]:
    """A frame with its frames and boxes."""
    stop, inner = scene.stop(frame), scene.inner(frame)
    name = fitted_list(frame.names, ROOM, FONT)
    title = f"{name} ({frame.detail})" if frame.detail else name
    look = "dashed" if all(unit.outside for box in frame.boxes for unit in scene.boxes[box].members) else "rounded"
    yield f"{indent}subgraph cluster_{stop} {{"
    yield f'{indent}  label={_quoted(title, *_within(scene, stop))}; style={look}; color="#5b6472";'
    if stop in slots:
        node = _node(stop, [f"all of {name}"], slots, listed(frame.names), 'border="1" bgcolor="#eef2f6"')
        yield f"{indent}  {node};"
    for one in inner:
        yield from _cluster(scene, one, slots, indent + "  ")
    for box in sorted(set(frame.boxes) - {box for one in inner for box in one.boxes}):
        yield f"{indent}  {_box(scene, box, slots)};"
    yield f"{indent}}}"


def _within(scene: Scene, stop: int) -> Iterator[str]:
    if stop in scene.within:
        parts = len(scene.boxes[stop].parts) if stop < len(scene.boxes) else 1
        yield within_words(scene.within[stop], parts, ROOM, FONT)


def _box(scene: Scene, stop: int, slots: Slots) -> str:
    group = scene.boxes[stop]
    lines = [fitted(line, ROOM, FONT) for line in box_lines(group, ROOM, FONT)]
    look = f'border="{1 + (len(group.members) > 1)}"' + (' style="dashed"' if group.members[0].outside else "")
    return _node(stop, [*lines, *_within(scene, stop)], slots, box_title(group), look)


def _node(stop: int, lines: list[str], slots: Slots, title: str, look: str) -> str:
    """A table: the lines of text, then one row for each thing that arrows bring."""
    head = "<br/>".join(escape(line) if place else f"<b>{escape(line)}</b>" for place, line in enumerate(lines) if line)
    rows = [f'<tr><td border="0">{head}</td></tr>']
    for place, entry in enumerate(slots.get(stop, ())):
        text = escape(f"{MARKS[entry.kind]} {entry_words(entry, ROOM, FONT)}")
        colour = LOOKS[entry.kind][0]
        rows.append(f'<tr><td port="s{place}" align="left"><font color="{colour}">{text}</font></td></tr>')
    table = f'<table cellborder="0" cellspacing="0" cellpadding="2" {look}>{"".join(rows)}</table>'
    return f"n{stop} [label=<{table}>, tooltip={_quoted(title)}]"


def _arrow(scene: Scene, arrow: Arrow, slots: Slots, way: int) -> str:
    """`way` is 1 to a later lane, only these decide who stands where; -1 back, 0 within a lane, beside its boxes."""
    colour, style = LOOKS[arrow.entry.kind]
    port = slots[arrow.target].index(arrow.entry)
    title = _quoted(f"{scene.name(arrow.source)} to {scene.name(arrow.target)}: {entry_title(arrow.entry)}")
    tail, head = (":e", ":e") if not way else ("", "")
    ends = f"n{arrow.source}{tail} -> n{arrow.target}:s{port}{head}"
    loose = "" if way > 0 else ", constraint=false"
    return f'{ends} [color="{colour}", style={style}, tooltip={title}{loose}]'
