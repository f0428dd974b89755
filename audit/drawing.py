"""The reachability document as a table, CSV, Markdown, Graphviz or SVG. Every string goes through `safe_text`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audit import reach_ways
from audit.reach_filter import filtered
from audit.safetext import safe_text
from audit.tables import aligned, comma_separated, markdown, plain
from audit.traffic import Traffic

COLUMNS = ("source", "target", "verdict", "ports", "exposed", "partial", "reason")


def render(document: Mapping[str, Any], name: str) -> str:
    """The document in the format `table`, `csv`, `md`, `dot` or `svg`; ends with a newline."""
    renderers: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "table": _table,
        "csv": _csv,
        "md": _markdown,
        "dot": _dot,
        "svg": _svg,
    }
    return renderers[name](document) + reach_ways.section(document, name)


def _rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    names = _names(document)
    grouped = any(one["kind"] in ("Namespace", "Zone") for one in document["endpoints"])
    members = "members" if grouped else "replicas"
    return [
        (
            names[one["src"]],
            names[one["dst"]],
            one["verdict"],
            str(Traffic.parse(one["ports"])),
            {True: "yes", False: "no", None: ""}.get(one.get("exposed"), "unknown"),
            f"some {members}" if one.get("partial") else "",
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
    rows, wanted = _rows(document), filtered(document)
    if not rows:
        return f"no connection is possible {wanted}".rstrip() + "\n"
    text = aligned(COLUMNS, rows)
    count = len(document["connections"])
    ends = f"{len(document['endpoints'])} endpoints {wanted}".rstrip()
    rest = f"pairs {'asked for and ' if wanted else ''}not listed are denied"
    return f"{text}\n\n{count} connections between {ends}; {rest}\n"


def _csv(document: Mapping[str, Any]) -> str:
    return comma_separated(COLUMNS, _rows(document))


def _markdown(document: Mapping[str, Any]) -> str:
    wanted = filtered(document)
    foot = f"\nOnly connections {plain(wanted)} were asked for.\n" if wanted else ""
    return markdown(COLUMNS, _rows(document)) + foot


def _dot(document: Mapping[str, Any]) -> str:
    from audit.reach_dot import graph
    from audit.reach_scene import scene

    return graph(scene(document, _names(document)))


def _svg(document: Mapping[str, Any]) -> str:
    from audit.reach_picture import picture
    from audit.reach_scene import scene

    return picture(scene(document, _names(document)))
