"""On random clusters with random zones every cell is what counting the expanded reachability document gives.

A node's own pods are the one thing that the document shows and cells leave out, so host-network pods run on nodes of
their own here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from audit import cells, reach_json, zones
from audit.flows import Breach, CellFlow
from audit.inventory import build
from audit.model import NAME_LABEL, UNZONED, Access, ZoneMatrix
from audit.selectors import LabelSelector
from audit.traffic import NONE, Traffic, address_number
from tests.core.clusters import blocks, flow, matrix, snapshot, zone
from tests.oracle import draws, strategies

Json = Any
Draw = Callable[[st.SearchStrategy[Any]], Any]
COUNTED = settings(
    settings.get_profile("same"),
    max_examples=400,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
OUTSIDE = ("10.0.0.0/24", "10.0.0.128/25", "192.168.0.0/16", "fd00::/64", "0.0.0.0/1")
ACCESS: tuple[Access, ...] = ("allow-all", "block-all", "allow-only", "block-only")
PORTS = ({"TCP": "80-81"}, {"UDP": "53"}, {"TCP": "1-1023", "SCTP": "443"})


def settled(objects: list[Json]) -> Iterator[Json]:
    """The same cluster with every pod on a node: host-network pods on their own nodes, all others on `w`."""
    for one in objects:
        made = json.loads(json.dumps(one))
        spec = made if made["kind"] == "Pod" else made.get("spec") or {}
        spec = (spec.get("jobTemplate") or {}).get("spec") or spec
        body = made.get("spec") if made["kind"] == "Pod" else (spec.get("template") or {}).get("spec")
        if isinstance(body, dict):
            body["nodeName"] = body.get("nodeName", "n1") if body.get("hostNetwork") else "w"
        yield made


def services(draw: Draw) -> Iterator[Json]:
    """Entry points into some namespaces."""
    for number in draws.some(draw, 2):
        kind = draws.pick(draw, ("NodePort", "LoadBalancer", "ClusterIP"))
        ns = draws.pick(draw, draws.NAMESPACES)
        port: Json = {"port": draws.pick(draw, (80, 443)), "targetPort": draws.pick(draw, (80, "http", 53))}
        spec: Json = {"type": kind, "selector": draws.labels(draw), "ports": [port]}
        if draws.chance(draw, 40):
            spec["externalTrafficPolicy"] = "Local"
        meta = {"name": f"s{number}", "namespace": ns}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
        if draws.chance(draw, 30):
            to = {"to": {"kind": "Service", "name": f"s{number}"}}
            yield {"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": meta, "spec": to}


def plans(draw: Draw) -> ZoneMatrix:
    """Zones that claim random namespaces and addresses, and a few rows between them."""
    claimed: dict[str, list[str]] = {}
    for ns in draws.NAMESPACES:
        claimed.setdefault(draws.pick(draw, ("a", "b", "none")), []).append(ns)
    found = [zone(name, namespaces=LabelSelector.parse(_named(claimed.get(name, ["nowhere"])))) for name in ("a", "b")]
    if draws.chance(draw, 60):
        cidr = draws.pick(draw, OUTSIDE)
        found.append(zone("partner", kind="external", cidrs=blocks(cidr)))
    if draws.chance(draw, 70):
        found.append(zone("internet", kind="internet"))
    rows = {}
    for _ in draws.some(draw, 4):
        pair = draws.pick(draw, found).name, draws.pick(draw, found).name
        traffic = Traffic.parse(draws.pick(draw, PORTS))
        rows[pair] = flow(*pair, draws.pick(draw, ACCESS), traffic)
    return matrix(
        found,
        *rows.values(),
        intra=draws.pick(draw, ("allow", "deny")),
        inter=draws.pick(draw, ("deny", "allow")),
        pod_network=draws.pick(draw, ("overlay", "routable", "unknown")),
    )


def _named(names: list[str]) -> Json:
    return {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": names}]}


@st.composite
def worlds(draw: Draw) -> tuple[list[Json], ZoneMatrix]:
    shape = draws.Shape(max_pods=6, max_policies=4)
    return [*settled(draw(strategies.clusters(shape))), *services(draw)], plans(draw)


@dataclass
class Count:
    """One cell, counted pair by pair."""

    observed: Traffic = NONE
    possible: Traffic = NONE
    unexposed: Traffic = NONE
    pairs: set[tuple[str, str]] = field(default_factory=set)
    excess: set[tuple[str, str]] = field(default_factory=set)
    hidden: set[tuple[str, str]] = field(default_factory=set)


def counted(document: Json, plan: ZoneMatrix) -> dict[tuple[str, str], Count]:
    """The cells of a document; all outside addresses of a zone are one endpoint."""
    zone_of = {one["id"]: one["zone"] for one in document["endpoints"]}
    outside = {one["id"] for one in document["endpoints"] if one["kind"] == "IPBlock"}
    found: dict[tuple[str, str], Count] = {}
    for one in document["connections"]:
        ends = zone_of[one["src"]], zone_of[one["dst"]]
        total = found.setdefault(ends, Count())
        traffic = Traffic.parse(one["ports"])
        pair = tuple("outside" if end in outside else end for end in (one["src"], one["dst"]))
        assert len(pair) == 2
        if one.get("exposed") is False:
            total.unexposed |= traffic
            total.hidden.add(pair)
            continue
        total.possible |= traffic
        if one["verdict"] == "allowed" and one.get("exposed") != "unknown":
            total.observed |= traffic
            total.pairs.add(pair)
            if not traffic <= plan.expect(*ends).allowed:
                total.excess.add(pair)
    return found


def judge(one: CellFlow, expected: Count, plan: ZoneMatrix) -> None:
    allowed = plan.expect(one.source, one.target).allowed
    assert one.observed == expected.observed
    assert one.possible == expected.possible
    assert one.unexposed == expected.unexposed
    assert one.pairs == len(expected.pairs)
    assert one.excess_pairs == len(expected.excess)
    assert one.unexposed_pairs == len(expected.hidden)
    certain = [found for found in one.breaches if found.certain and found.exposed]
    assert _union(certain) == one.observed - allowed
    doubtful = [found for found in one.breaches if not found.certain and found.exposed]
    assert (_union(doubtful) | one.observed) - allowed == one.possible - allowed
    assert _union([found for found in one.breaches if not found.exposed]) <= one.unexposed - allowed
    assert bool(one.witness) == bool(one.observed)
    assert one.reasons or not one.possible - one.observed - allowed
    assert not one.reasons or one.possible - allowed


def _union(found: list[Breach]) -> Traffic:
    total = NONE
    for one in found:
        total |= one.traffic
    return total


def judge_breach(one: Breach, cell: CellFlow, opened: Callable[[str, str, str, int], set[str]]) -> None:
    assert one.pairs > 0
    assert one.pairs <= one.sources * one.targets
    assert one.subjects or not one.certain
    assert bool(one.reasons) != one.certain
    assert one.pairs <= (cell.excess_pairs if one.certain and one.exposed else one.pairs)
    assert one.witness is not None
    verdicts = opened(one.witness.source, one.witness.target, one.witness.protocol, one.witness.port)
    assert ("allowed" if one.certain else "unknown") in verdicts | ({"unknown"} if "allowed" in verdicts else set())
    assert Traffic.of(one.witness.protocol, one.witness.port) <= one.traffic


@COUNTED
@given(worlds())
def test_cells_are_what_counting_pairs_gives(world: tuple[list[Json], ZoneMatrix]) -> None:
    objects, plan = world
    note(json.dumps(objects))
    read = snapshot(objects)
    document = json.loads(json.dumps(reach_json.document(read, matrix=plan)))
    population = build(read)
    members = zones.assign(plan, population.namespaces.values(), population.nodes.values())
    evaluation = cells.evaluate(population, members, plan)
    expected = counted(document, plan)
    opened = asker(
        document, {population.endpoint_id(p): population.workloads[p.workload].id for p in population.endpoints}
    )
    for one in evaluation.cells:
        note(f"{one.source} -> {one.target}")
        judge(one, expected.pop((one.source, one.target), Count()), plan)
        for breach in one.breaches:
            judge_breach(breach, one, opened)
    assert not {ends for ends in expected if UNZONED not in ends}
    assert not expected


def asker(document: Json, workload_of: dict[str, str]) -> Callable[[str, str, str, int], set[str]]:
    """(source, target, protocol, port) -> verdicts of the pairs that a workload id or an address stands for."""
    ranges = {one["id"]: blocks(*one["cidrs"]) for one in document["endpoints"] if one["kind"] == "IPBlock"}
    parsed = [(one, Traffic.parse(one["ports"])) for one in document["connections"]]

    def is_meant(end: str, name: str) -> bool:
        return (
            address_number(name) in ranges[end] if end in ranges and "/" not in name else workload_of.get(end) == name
        )

    def opened(source: str, target: str, protocol: str, port: int) -> set[str]:
        asked = Traffic.of(protocol, port)
        return {
            one["verdict"]
            for one, traffic in parsed
            if is_meant(one["src"], source) and is_meant(one["dst"], target) and asked <= traffic
        }

    return opened
