"""The quotient of reachability as a networkx graph: nodes are groups of endpoints that nothing tells apart.

A node has `zone`, `outside` (addresses), `classes` and `size` (endpoints); an edge has `certain` and `possible` Traffic
and `reasons`. This is the only module that imports networkx; everything about paths is asked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx
from pyroaring import FrozenBitMap

from audit.meet import Meetings, TargetGroup
from audit.pieces import Piece, pieces
from audit.traffic import NONE, Traffic

MOST_EDGES = 1_000_000
"""Above this the full quotient is not worth its memory (about 300 bytes an edge); the zone graph stands in."""


@dataclass(frozen=True, slots=True)
class Quotient:
    """The graph and how exact it is."""

    graph: nx.DiGraph[int]
    node_of: Mapping[int, int]
    """Class -> node."""
    exact: bool
    """False: nodes are zones, because the full quotient would be too dense; a path is then possible, not proven."""


def quotient(meetings: Meetings, most_edges: int = MOST_EDGES) -> Quotient:
    """Groups of classes with equal rows and columns; the zone graph when that has too many edges."""
    exact = _group(meetings, _signatures(meetings))
    sizes: dict[int, int] = {}
    for node in exact.values():
        sizes[node] = sizes.get(node, 0) + 1
    if len(sizes) ** 2 <= most_edges or _edges(meetings, exact, most_edges) <= most_edges:
        return _built(meetings, exact, exact=True)
    zones = _group(meetings, {number: (group.zone, group.outside) for group, number in _members(meetings)})
    return _built(meetings, zones, exact=False)


def shortest_path(found: Quotient, source: int, target: int, traffic: Traffic | None = None) -> list[int]:
    """Nodes from one class to another over connections that certainly exist; empty if there is no path.

    `traffic` limits the last hop: it must carry some of it. The ends are different endpoints, so a node may be both.
    """
    start, end = found.node_of[source], found.node_of[target]
    crowded = found.graph.nodes[end]["size"] > 1
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from((start, _ARRIVED))
    for left, right, data in found.graph.edges(data=True):
        certain = data["certain"]
        if not certain or (left != start and found.graph.nodes[left]["outside"]):
            continue
        if right != end or crowded:  # another endpoint of the last node may be a step on the way
            graph.add_edge(left, right)
        if right == end and (traffic is None or certain & traffic):
            graph.add_edge(left, _ARRIVED)
    try:
        return [*nx.shortest_path(graph, start, _ARRIVED)[:-1], end]
    except nx.NetworkXNoPath:
        return []


_ARRIVED = -1
"""Stands for the very endpoint that a path leads to, as against the others of its node."""


def _members(meetings: Meetings) -> list[tuple[TargetGroup, int]]:
    return [(group, number) for group in meetings.groups for number in group.members]


def _signatures(meetings: Meetings) -> dict[int, object]:
    """Class -> everything that decides its row and its column."""
    reach = meetings.reach
    inside: dict[int, list[int]] = {number: [] for number in range(reach.classes.size)}
    used = sorted({permit for row in set(reach.rows["ingress"]) for permit in row} | {*reach.outside_row})
    for permit in used:
        for number in reach.permits.all[permit].peers:
            inside[number].append(permit)
    egress = reach.rows["egress"]
    return {
        number: (index, egress[number] if number < reach.classes.pods else None, tuple(inside[number]))
        for index, group in enumerate(meetings.groups)
        for number in group.members
    }


def _group(meetings: Meetings, signatures: Mapping[int, object]) -> dict[int, int]:
    ids: dict[object, int] = {}
    return {number: ids.setdefault(signatures[number], len(ids)) for number in range(meetings.reach.classes.size)}


def _edges(meetings: Meetings, node_of: Mapping[int, int], most: int) -> int:
    """Number of edges, counted no further than `most`."""
    count = 0
    for group in meetings.groups:
        targets = len({node_of[number] for number in group.members})
        sources = {node_of[number] for met in meetings.of(group) for number in met.sources}
        count += targets * len(sources)
        if count > most:
            break
    return count


def _built(meetings: Meetings, node_of: Mapping[int, int], *, exact: bool) -> Quotient:
    graph: nx.DiGraph[int] = nx.DiGraph()
    weights = meetings.reach.classes.weights
    for group in meetings.groups:
        for number in group.members:
            node = node_of[number]
            if node not in graph:
                graph.add_node(node, zone=group.zone, outside=group.outside, classes=[], size=0)
            graph.nodes[node]["classes"].append(number)
            graph.nodes[node]["size"] += 1 if group.outside else weights[number]
    for group in meetings.groups:
        targets = sorted({node_of[number] for number in group.members})
        for piece in pieces(meetings, group):
            for source in sorted({node_of[number] for number in piece.sources}):
                for target in targets:
                    _join(graph, source, target, piece)
    return Quotient(graph, node_of, exact)


def _join(graph: nx.DiGraph[int], source: int, target: int, piece: Piece) -> None:
    old = graph.get_edge_data(source, target) or {"certain": NONE, "possible": NONE, "reasons": frozenset()}
    graph.add_edge(
        source,
        target,
        certain=old["certain"] | piece.certain,
        possible=old["possible"] | piece.possible,
        reasons=old["reasons"] | piece.reasons,
    )


def first_class(found: Quotient, node: int) -> int:
    """The lowest class of a node, to name it by."""
    return int(FrozenBitMap(found.graph.nodes[node]["classes"]).min())
