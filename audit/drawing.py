"""The reachability document as a table, CSV, Markdown, Graphviz or SVG. Every string goes through `safe_text`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audit import reach_ways
from audit.safetext import safe_text
from audit.tables import aligned, comma_separated, markdown
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
    rows = _rows(document)
    if not rows:
        return "no connection is possible\n"
    text = aligned(COLUMNS, rows)
    count = len(document["connections"])
    return (
        f"{text}\n\n{count} connections between {len(document['endpoints'])} endpoints; pairs not listed are denied\n"
    )


def _csv(document: Mapping[str, Any]) -> str:
    return comma_separated(COLUMNS, _rows(document))


def _markdown(document: Mapping[str, Any]) -> str:
    return markdown(COLUMNS, _rows(document))


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
    from audit.reach_picture import picture

    return picture(document, _groups(document), _names(document))
