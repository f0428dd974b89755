"""A Listing as a table, as CSV that is read back as rules of a firewall, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from audit.node_ports.listing import Listing, Opening, Place, Side
from audit.safetext import safe_text
from audit.tables import aligned, comma_separated

SCHEMA = "zone-audit.ports/1"
HEAD = (
    "source_zone", "source_role", "source_nodes", "source", "destination_zone", "destination_role",
    "destination_nodes", "destination", "protocol", "ports", "purpose", "condition",
)  # fmt: skip
MAX_LINES = 20_000
"""Pairs of nodes that are written one by one unless somebody asks for more; a table of rules takes no more lines."""
_NAMED = 4
"""Nodes that a line names."""
By = Literal["zone", "node"]


def lines(openings: Sequence[Opening]) -> int:
    """How many lines there would be by node."""
    return sum(one.pairs for one in openings)


def by_node(openings: Sequence[Opening]) -> Iterator[Opening]:
    """One opening for each ordered pair of nodes."""
    for one in openings:
        for source in one.source.nodes:
            for target in one.target.nodes:
                ends = one.source._replace(nodes=(source,)), one.target._replace(nodes=(target,))
                yield one._replace(source=ends[0], target=ends[1])


def csv(openings: Sequence[Opening]) -> str:
    """A line for each opening; several nodes and addresses of a cell are divided by `; `."""
    return comma_separated(HEAD, (_cells(one) for one in openings))


def _cells(one: Opening) -> list[str]:
    ends = [cell for side in (one.source, one.target) for cell in _end(side)]
    return [safe_text(cell) for cell in (*ends, one.protocol, one.ports, one.purpose, one.condition)]


def _end(side: Side) -> tuple[str, str, str, str]:
    names = "; ".join(place.name for place in side.nodes)
    return side.zone, side.role, names, "; ".join(text for place in side.nodes for text in place.addresses)


def table(listed: Listing, openings: Sequence[Opening], *, named: bool) -> str:
    """The zones with their nodes, then a line for each opening; `named` adds the nodes to it."""
    told = [f"{side.zone}: {_nodes(side.nodes, addresses=True)}" for side in listed.zones]
    rows = [
        [safe_text(cell) for cell in (*_who(one.source, named=named), *_who(one.target, named=named), *_what(one))]
        for one in openings
    ]
    head = ("from", "nodes", "to", "nodes", "protocol", "ports", "purpose", "condition")
    shown = [safe_text(line) for line in (listed.platform, *told)]
    return "\n".join([*shown, *(["", aligned(head, rows)] if rows else [])]) + "\n"


def _what(one: Opening) -> tuple[str, ...]:
    return one.protocol, one.ports, one.purpose, one.condition


def _who(side: Side, *, named: bool) -> tuple[str, str]:
    zone = side.zone if side.role == "any" else f"{side.zone}, {side.role}"
    return zone, _nodes(side.nodes, addresses=False) if named else ""


def _nodes(nodes: Sequence[Place], *, addresses: bool) -> str:
    shown = [" ".join((one.name, *(one.addresses if addresses else ()))) for one in nodes[:_NAMED]]
    more = len(nodes) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def document(listed: Listing, openings: Sequence[Opening], remarks: Sequence[str]) -> dict[str, Any]:
    """JSON-ready values."""
    return {
        "schema": SCHEMA,
        "platform": listed.platform,
        "zones": [_side(side) for side in listed.zones],
        "openings": [_opening(one) for one in openings],
        "notes": list(listed.notes),
        "remarks": list(remarks),
    }


def _opening(one: Opening) -> dict[str, Any]:
    found = {"from": _side(one.source), "to": _side(one.target), "protocol": one.protocol, "ports": one.ports}
    return found | {"purpose": one.purpose} | ({"condition": one.condition} if one.condition else {})


def _side(side: Side) -> dict[str, Any]:
    nodes = [{"name": one.name, "addresses": list(one.addresses)} for one in side.nodes]
    return {"zone": side.zone, "role": side.role, "nodes": nodes}
