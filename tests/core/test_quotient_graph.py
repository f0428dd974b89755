"""The quotient graph says what the pairs say: nodes partition the classes, edges and paths are the document's."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import graph, reach_json
from audit.meet import Meetings
from audit.reach import Reachability
from audit.traffic import NONE, Traffic
from tests.core.clusters import (
    DENY_ALL,
    Json,
    evaluate,
    inventory,
    matrix,
    meetings,
    namespace,
    pod,
    policy,
    snapshot,
    tcp,
    zone,
)
from tests.oracle import draws, strategies

COUNTED = settings(settings.get_profile("same"), max_examples=120, suppress_health_check=list(HealthCheck))
SHAPE = draws.Shape(host_network=False, max_pods=6)
"""Without host network: what a node may do to its own pods is in the document and not in the graph."""
clusters = strategies.clusters(SHAPE)


class Both:
    """A cluster as graph and as document."""

    def __init__(self, objects: list[Json]) -> None:
        self.document = reach_json.document(snapshot(objects))
        self.meetings = meetings(*objects)
        self.classes = self.meetings.reach.classes
        self.found = graph.quotient(self.meetings)
        self.links: dict[tuple[str, str], dict[str, Traffic]] = {}
        for one in self.document["connections"]:
            link = self.links.setdefault((one["src"], one["dst"]), {})
            link[one["verdict"]] = link.get(one["verdict"], NONE) | Traffic.parse(one["ports"])

    def certain(self, source: str, target: str) -> Traffic:
        return self.links.get((source, target), {}).get("allowed", NONE)

    def pods(self) -> Iterator[tuple[str, int]]:
        """Endpoint id and class of every pod."""
        population = self.classes.inventory
        for index, one in enumerate(population.endpoints):
            yield population.endpoint_id(one), self.classes.class_of[index]

    def hops(self, source: str, target: str, wanted: Traffic) -> int | None:
        """Connections on the shortest way between two pods, by breadth first over the document."""
        ids = [name for name, _ in self.pods()]
        seen, queue = {source}, deque([(source, 0)])
        while queue:
            here, steps = queue.popleft()
            if self.certain(here, target) & wanted:
                return steps + 1
            for other in ids:
                if other not in seen and other != target and self.certain(here, other):
                    seen.add(other)
                    queue.append((other, steps + 1))
        return None


@COUNTED
@given(clusters)
def test_nodes_partition_the_classes(objects: list[Json]) -> None:
    both = Both(objects)
    listed = [number for node in both.found.graph for number in both.found.graph.nodes[node]["classes"]]
    assert sorted(listed) == list(range(both.classes.size))
    assert all(number in both.found.graph.nodes[node]["classes"] for number, node in both.found.node_of.items())
    assert both.found.exact
    assert [graph.first_class(both.found, node) for node in both.found.graph] == [
        min(both.found.graph.nodes[node]["classes"]) for node in both.found.graph
    ]


@COUNTED
@given(clusters)
def test_an_edge_carries_what_the_document_says_of_every_pair_of_its_nodes(objects: list[Json]) -> None:
    both = Both(objects)
    ids = list(both.pods())
    for source, left in ids:
        for target, right in ids:
            if source == target:
                continue
            edge = both.found.graph.get_edge_data(both.found.node_of[left], both.found.node_of[right])
            link = both.links.get((source, target), {})
            assert (edge["certain"] if edge else NONE) == link.get("allowed", NONE)
            possible = link.get("allowed", NONE) | link.get("unknown", NONE)
            assert (edge["possible"] if edge else NONE) == possible


@COUNTED
@given(clusters, st.sampled_from([None, tcp(80), Traffic.of("UDP", 53)]))
def test_a_shortest_path_is_as_long_as_a_naive_search_finds_it(objects: list[Json], last: Traffic | None) -> None:
    both = Both(objects)
    ids = list(both.pods())
    for source, left in ids:
        for target, right in ids:
            if source == target:
                continue
            path = graph.shortest_path(both.found, left, right, last)
            hops = both.hops(source, target, last or Traffic.of("TCP") | Traffic.of("UDP") | Traffic.of("SCTP"))
            assert (len(path) - 1 if path else None) == hops
            for one, two in itertools.pairwise(path):
                assert both.found.graph.edges[one, two]["certain"]


CHAIN = [
    namespace("app"),
    *(pod(name, labels={"n": name}) for name in ("a", "b", "c", "d")),
    policy(DENY_ALL),
]


def allow(source: str, target: str, port: int) -> list[Json]:
    """Both sides of one connection."""
    left, right = ({"matchLabels": {"n": name}} for name in (source, target))
    ports = [{"port": port}]
    return [
        policy(
            {
                "podSelector": left,
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"podSelector": right}], "ports": ports}],
            },
            name=f"{source}-{target}-out",
        ),
        policy(
            {"podSelector": right, "ingress": [{"from": [{"podSelector": left}], "ports": ports}]},
            name=f"{source}-{target}-in",
        ),
    ]


def path_of(objects: list[Json], source: str, target: str, traffic: Traffic | None = None) -> list[str]:
    both = Both(objects)
    number = dict(both.pods())
    path = graph.shortest_path(both.found, number[f"app/Pod/{source}"], number[f"app/Pod/{target}"], traffic)
    name = {node: one for one, of in number.items() for node in [both.found.node_of[of]]}
    return [name[node].rpartition("/")[2] for node in path]


STEPS = [*CHAIN, *allow("a", "b", 1), *allow("b", "c", 2), *allow("c", "d", 3), *allow("a", "c", 9)]


def test_a_path_goes_around_what_is_closed() -> None:
    assert path_of(STEPS, "a", "d") == ["a", "c", "d"]
    assert path_of(STEPS, "d", "a") == []


def test_the_last_hop_must_carry_the_traffic_that_was_asked_for() -> None:
    assert path_of(STEPS, "a", "c") == ["a", "c"]
    assert path_of(STEPS, "a", "c", tcp(2)) == ["a", "b", "c"]
    assert path_of(STEPS, "a", "c", tcp(5)) == []


def test_replicas_that_may_only_talk_through_another_pod_have_a_path() -> None:
    replicas = [pod(f"r{n}", labels={"n": "r"}) for n in range(2)]
    objects = [*CHAIN, *replicas, *allow("r", "a", 1), *allow("a", "r", 2)]
    assert len(path_of(objects, "r0", "r1")) == 3


def test_an_address_outside_is_an_end_and_never_a_step() -> None:
    open_pods = [namespace("app"), *(pod(name, labels={"n": name}) for name in "ab")]
    sealed = policy(
        {"podSelector": {"matchLabels": {"n": "b"}}, "ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]}
    )
    joined = meetings(*open_pods, sealed)
    classes = joined.reach.classes
    found = graph.quotient(joined)
    source, target = (classes.class_of[n] for n in range(2))
    assert graph.shortest_path(found, source, target) == []
    block = classes.pods + classes.space.atom(192 << 24 | 2 << 8)
    assert len(graph.shortest_path(found, block, target)) == 2
    assert len(graph.shortest_path(found, source, block)) == 2


def test_a_graph_that_would_be_too_dense_becomes_the_graph_of_zones() -> None:
    zones = [zone("a"), zone("b"), zone("internet", kind="internet")]
    objects = [namespace(name, **{"network-zone": name}) for name in "ab"]
    objects += [pod(f"p{n}", ns, labels={"n": str(n)}) for ns in "ab" for n in range(3)]
    objects += [
        policy({"podSelector": {"matchLabels": {"n": str(n)}}, "ingress": [{"ports": [{"port": n + 1}]}]}, "b", f"p{n}")
        for n in range(3)
    ]
    assert evaluate(matrix(zones), *objects).cells
    population = inventory(*objects)
    reach = Reachability(population, zone_of=lambda one: one.namespace)
    joined = Meetings(reach, ["internet"] * len(reach.classes.space))
    exact, coarse = graph.quotient(joined), graph.quotient(joined, most_edges=3)
    assert exact.exact
    assert not coarse.exact
    nodes = {(data["zone"], data["outside"]): node for node, data in coarse.graph.nodes(data=True)}
    assert nodes.keys() == {("a", False), ("b", False), ("internet", True)}
    edge = coarse.graph.edges[nodes["a", False], nodes["b", False]]
    assert edge["certain"] == tcp(1, 2, 3)
    assert len(coarse.graph) < len(exact.graph)


@pytest.mark.parametrize("most", [0, 1, 10**9])
def test_the_zone_graph_has_no_connection_that_the_exact_one_lacks(most: int) -> None:
    joined = meetings(*STEPS)
    exact, found = graph.quotient(joined), graph.quotient(joined, most_edges=most)
    for left, right, data in exact.graph.edges(data=True):
        one, two = (found.node_of[graph.first_class(exact, node)] for node in (left, right))
        assert data["certain"] <= found.graph.edges[one, two]["certain"]
