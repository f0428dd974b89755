"""The reachability document as a table, CSV, Markdown, Graphviz or SVG. Every string goes through `safe_text`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from audit.safetext import safe_text
from audit.traffic import Traffic

COLUMNS = ("source", "target", "verdict", "ports", "exposed", "partial", "reason")
_ROW, _COLUMN, _BOX = 26, 300, 220
"""Pixels: height of an endpoint, distance between columns, width of an endpoint's box."""
_BEND = 60
"""How far a curve swings out before it turns to its target, in pixels."""
_NAME = 30
"""Characters of a name that fit a box; the full name is in its title."""
_GREY, _OPEN, _DOUBT = "#5b6472", "#1f6f8b", "#b7791f"


def render(document: Mapping[str, Any], name: str) -> str:
    """The document in the format `table`, `csv`, `md`, `dot` or `svg`; ends with a newline."""
    renderers: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "table": _table,
        "csv": _csv,
        "md": _markdown,
        "dot": _dot,
        "svg": _svg,
    }
    return renderers[name](document)


def _rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    names = _names(document)
    return [
        (
            names[one["src"]],
            names[one["dst"]],
            one["verdict"],
            str(Traffic.parse(one["ports"])),
            {True: "yes", False: "no", None: ""}.get(one.get("exposed"), "unknown"),
            "some replicas" if one.get("partial") else "",
            one.get("reason", ""),
        )
        for one in document["connections"]
    ]


def _names(document: Mapping[str, Any]) -> dict[str, str]:
    """Endpoint id -> what people read: a range of addresses is shown by its first block and how many follow."""
    found: dict[str, str] = {}
    for one in document["endpoints"]:
        blocks = one.get("cidrs")
        if blocks is None:
            found[one["id"]] = safe_text(one["id"])
        else:
            more = f" +{len(blocks) - 1}" if len(blocks) > 1 else ""
            found[one["id"]] = f"{one['id']} ({blocks[0]}{more})"
    return found


def _table(document: Mapping[str, Any]) -> str:
    rows = _rows(document)
    if not rows:
        return "no connection is possible\n"
    used = [index for index in range(len(COLUMNS)) if any(row[index] for row in rows)]
    lines = [tuple(COLUMNS[index].upper() for index in used), *(tuple(row[index] for index in used) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(used))]
    text = "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    count = len(document["connections"])
    return (
        f"{text}\n\n{count} connections between {len(document['endpoints'])} endpoints; pairs not listed are denied\n"
    )


def _csv(document: Mapping[str, Any]) -> str:
    """Cells that a spreadsheet would run as a formula get a leading apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(document):
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in row])
    return out.getvalue()


def _markdown(document: Mapping[str, Any]) -> str:
    def cell(text: str) -> str:
        for char in "\\`*_{}[]<>|~#":
            text = text.replace(char, "\\" + char)
        return text

    head = f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}\n"
    return head + "".join(f"| {' | '.join(map(cell, row))} |\n" for row in _rows(document))


def _dot(document: Mapping[str, Any]) -> str:
    names = _names(document)

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    lines = ["digraph reachability {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif", fontsize=10];']
    for number, (group, members) in enumerate(_groups(document)):
        lines.append(f"  subgraph cluster_{number} {{ label={quoted(group)};")
        lines += [f"    {quoted(names[one['id']])};" for one in members]
        lines.append("  }")
    for one in document["connections"]:
        style = ' style=dashed color="#b7791f"' if one["verdict"] == "unknown" else ""
        label = quoted(str(Traffic.parse(one["ports"])))
        lines.append(f"  {quoted(names[one['src']])} -> {quoted(names[one['dst']])} [label={label}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _groups(document: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Endpoints by zone, or by namespace where there is no matrix; addresses last."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in document["endpoints"]:
        outside = one["kind"] == "IPBlock"
        name = one.get("zone") or ("outside" if outside else one.get("namespace", ""))
        found.setdefault(safe_text(name), []).append(one)
    return sorted(found.items(), key=lambda item: (item[1][0]["kind"] == "IPBlock", item[0]))


def _svg(document: Mapping[str, Any]) -> str:
    """Groups as columns, endpoints as boxes, connections as curves; a pair is one curve whatever its ports."""
    groups = _groups(document)
    names = _names(document)
    places: dict[str, tuple[int, int]] = {}
    boxes: list[str] = []
    for column, (group, members) in enumerate(groups):
        left = 20 + column * _COLUMN
        boxes.append(_words(left, 28, group, weight="bold"))
        for row, one in enumerate(members):
            top = 44 + row * _ROW
            places[one["id"]] = (left, top)
            boxes.append(_box(left, top, names[one["id"]]))
    height = 64 + _ROW * max((len(members) for _, members in groups), default=1)
    width = 40 + _COLUMN * max(len(groups), 1)
    curves = _curves(document["connections"], places, names)
    text = f"{len(document['endpoints'])} endpoints, {len(document['connections'])} connections"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="Reachability: {text}" font-family="sans-serif" font-size="11">'
    )
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, ground, *curves, *boxes, "</svg>"]) + "\n"


def _curves(
    connections: Sequence[Mapping[str, Any]], places: Mapping[str, tuple[int, int]], names: Mapping[str, str]
) -> list[str]:
    found: list[str] = []
    opacity = max(0.12, min(0.8, 120 / max(len(connections), 1)))
    for one in connections:
        (x1, y1), (x2, y2) = places[one["src"]], places[one["dst"]]
        top, foot = y1 + _ROW / 2 - 3, y2 + _ROW / 2 - 3
        left, right = x1 + (_BOX if x2 >= x1 else 0), x2 + (0 if x2 > x1 else _BOX)
        bend = _BEND if x2 >= x1 else -_BEND
        back = bend if x1 == x2 else -bend
        path = f"M{left} {top:g}C{left + bend} {top:g} {right + back} {foot:g} {right} {foot:g}"
        doubt = one["verdict"] == "unknown"
        title = f"{names[one['src']]} to {names[one['dst']]}: {one['verdict']} {Traffic.parse(one['ports'])}"
        dash = ' stroke-dasharray="4 3"' if doubt else ""
        found.append(
            f'<path d="{path}" fill="none" stroke="{_DOUBT if doubt else _OPEN}" stroke-opacity="{opacity:.2f}"{dash}>'
            f"<title>{escape(title)}</title></path>"
        )
    return found


def _box(left: int, top: int, name: str) -> str:
    shown = name if len(name) <= _NAME else name[: _NAME - 1] + "…"
    return (
        f'<g><title>{escape(name)}</title><rect x="{left}" y="{top}" width="{_BOX}" height="{_ROW - 6}" rx="3" '
        f'fill="#f4f6f8" stroke="{_GREY}" stroke-opacity="0.5"/>{_words(left + 6, top + 14, shown)}</g>'
    )


def _words(x: int, y: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" fill="#1c2430" font-weight="{weight}">{escape(text)}</text>'
