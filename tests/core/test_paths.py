"""Ways between zones that must be apart: puzzles by hand, the hops against the meetings, cuts carried out for real."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import openings, zones
from audit.cells import joined, reachability
from audit.flows import Cause, Chain, Cut, Paths
from audit.hops import Net
from audit.inventory import build
from audit.meet import Meetings
from audit.model import ZoneMatrix
from audit.openings import Ground
from audit.paths import paths
from audit.tally import Tally
from audit.traffic import NONE
from tests.core.clusters import (
    DENY_ALL,
    blocks,
    container,
    evaluate,
    flow,
    host,
    matrix,
    node,
    pod,
    policy,
    service,
    snapshot,
    tcp,
    zone,
    zoned,
)
from tests.core.test_networks import annotated, cudn, space, zoned_cudn
from tests.oracle import draws, strategies

Json = Any
NAMES = ("dmz", "internal", "database")
ZONES = [*(zone(name) for name in NAMES), zone("internet", kind="internet")]
TIERS = [
    *(zoned(name, name) for name in NAMES),
    *(pod(f"{name}-0", name, labels={"app": name}, containers=[container(("main", "TCP", 8443))]) for name in NAMES),
]
SEALED = [policy(DENY_ALL, name, "deny") for name in NAMES]
BY_DESIGN = (
    flow("internet", "dmz", "allow-only", tcp(8443)),
    flow("dmz", "internal", "allow-only", tcp(8443)),
    flow("internal", "database", "allow-only", tcp(5432)),
)
PLAN = matrix(ZONES, *BY_DESIGN)
PUBLISHED = service("web", "dmz", {"app": "dmz"}, {"port": 8443}, type="LoadBalancer", externalTrafficPolicy="Local")


def peer(name: str) -> Json:
    return {"namespaceSelector": {"matchLabels": {"network-zone": name}}}


def allow(source: str, target: str, port: int, name: str = "") -> list[Json]:
    """Both sides of one row."""
    ports = [{"port": port}]
    to = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [peer(target)], "ports": ports}]}
    come = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer(source)], "ports": ports}]}
    return [policy(to, source, f"to-{target}{name}"), policy(come, target, f"from-{source}{name}")]


FROM_ANYWHERE = policy(
    {
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 8443}]}],
    },
    "dmz",
    "public",
)
DESIGN = [
    *TIERS,
    *SEALED,
    PUBLISHED,
    FROM_ANYWHERE,
    *allow("dmz", "internal", 8443),
    *allow("internal", "database", 5432),
]


def ways(plan: ZoneMatrix, *objects: Json) -> Paths:
    return evaluate(plan, *objects).paths


def chain(found: Paths, source: str, target: str) -> Chain | None:
    listed = [one for one in found.chains if (one.source, one.target) == (source, target)]
    return listed[0] if listed else None


def cut(found: Paths, source: str, target: str) -> Cut | None:
    listed = [one for one in found.cuts if (one.source, one.target) == (source, target)]
    return listed[0] if listed else None


def names(causes: Sequence[Cause]) -> list[str]:
    return [f"{one.direction} {one.ref or one.endpoint}" for one in causes]


# Chains --------------------------------------------------------------------------------------------------------------


def test_rows_that_are_each_allowed_add_up_to_a_way_that_is_not() -> None:
    found = ways(PLAN, *DESIGN)
    assert [one.zones for one in found.chains] == [
        ("dmz", "internal", "database"),
        ("internet", "dmz", "internal"),
        ("internet", "dmz", "internal", "database"),
    ]
    assert all(one.certain and one.proven for one in found.chains)
    assert found.exact


def test_every_hop_has_a_witness_that_takes_up_where_the_last_one_ended() -> None:
    found = chain(ways(PLAN, *DESIGN), "internet", "database")
    assert found
    witnesses = [hop.witness for hop in found.hops if hop.witness]
    assert [(one.target, one.protocol, one.port) for one in witnesses] == [
        ("dmz/Pod/dmz-0", "TCP", 8443),
        ("internal/Pod/internal-0", "TCP", 8443),
        ("database/Pod/database-0", "TCP", 5432),
    ]
    assert [one.target for one in witnesses[:-1]] == [one.source for one in witnesses[1:]]


def test_every_hop_names_what_lets_it_through() -> None:
    found = chain(ways(PLAN, *DESIGN), "internet", "database")
    assert found
    assert [names(hop.through) for hop in found.hops] == [
        ["ingress Pod dmz/dmz-0", "ingress NetworkPolicy dmz/public"],
        ["egress NetworkPolicy dmz/to-internal", "ingress NetworkPolicy internal/from-dmz"],
        ["egress NetworkPolicy internal/to-database", "ingress NetworkPolicy database/from-internal"],
    ]


def test_transit_breaks_no_cell() -> None:
    assert not [cell for cell in evaluate(PLAN, *DESIGN).cells if cell.breaches]


def test_without_an_entry_point_the_outside_is_no_source() -> None:
    found = ways(PLAN, *(one for one in DESIGN if one is not PUBLISHED))
    assert chain(found, "internet", "database") is None
    assert chain(found, "dmz", "database")


def test_zones_in_a_row_whose_endpoints_do_not_meet_are_no_chain() -> None:
    entry = pod("entry", "internal", labels={"app": "entry"})
    into = policy(
        {"podSelector": {"matchLabels": {"app": "entry"}}, "ingress": [{"from": [peer("dmz")]}]}, "internal", "in"
    )
    leave = policy(
        {"podSelector": {"matchLabels": {"app": "internal"}}, "egress": [{"to": [peer("database")]}]},
        "internal",
        "out",
    )
    out, _ = allow("dmz", "internal", 8443)
    _, come = allow("internal", "database", 5432)
    apart = [*TIERS, entry, *SEALED, out, into, leave, come]
    assert chain(ways(PLAN, *apart), "dmz", "database") is None
    inside = policy({"ingress": [{"from": [{"podSelector": {}}]}]}, "internal", "inside")
    free = policy({"policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}]}, "internal", "free")
    found = chain(ways(PLAN, *apart, inside, free), "dmz", "database")
    assert found
    assert found.zones == ("dmz", "internal", "database")
    assert [hop.target for hop in found.hops] == ["internal", "internal", "database"]


def test_a_chain_that_only_perhaps_exists_says_why() -> None:
    cilium = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "x", "namespace": "internal"}, "spec": {}}  # fmt: skip # noqa: E501
    found = ways(PLAN, *DESIGN, cilium)
    doubtful = chain(found, "dmz", "database")
    assert doubtful
    assert not doubtful.certain
    assert {reason for hop in doubtful.hops for reason in hop.reasons} == {"unmodelled-policy"}
    assert cut(found, "dmz", "database") is None


def test_addresses_are_ends_and_never_steps() -> None:
    partner = zone("partner", kind="external", cidrs=blocks("192.0.2.0/24"))
    plan = matrix([zone("dmz"), zone("internal"), partner, zone("internet", kind="internet")])
    found = ways(plan, *(zoned(name, name) for name in ("dmz", "internal")), pod("a", "dmz"), pod("b", "internal"))
    assert {name for one in found.chains for name in one.zones[1:-1]} <= {"dmz", "internal"}


def test_nothing_is_searched_where_zones_alone_show_that_there_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ground, "_net", None)
    found = ways(matrix(ZONES), *TIERS, *SEALED)
    assert found == Paths(apart=found.apart)
    assert found.apart == 12


# Cuts ----------------------------------------------------------------------------------------------------------------


def test_one_rule_in_the_middle_parts_what_many_rules_join() -> None:
    found = cut(ways(PLAN, *DESIGN, *allow("dmz", "internal", 9000, "-more")), "dmz", "database")
    assert found
    assert (found.direct, found.transit, found.smallest) == (False, True, True)
    assert len(found.openings) == 1
    assert names(found.openings)[0].split("/")[1] in {"to-database", "from-internal"}


def test_two_policies_that_let_the_same_through_have_to_go_both() -> None:
    doubled = allow("internal", "database", 5432, "-again")
    plan = matrix(ZONES)
    found = cut(ways(plan, *TIERS, *SEALED, *allow("internal", "database", 5432), *doubled), "internal", "database")
    assert found
    assert found.direct
    assert found.smallest
    assert len(found.openings) == 2
    assert len({one.direction for one in found.openings}) == 1


def test_lack_of_isolation_is_an_opening_of_the_namespace() -> None:
    found = cut(ways(matrix(ZONES), *TIERS, *SEALED[:1]), "internal", "database")
    assert found
    assert names(found.openings) in (["egress Namespace internal"], ["ingress Namespace database"])
    assert found.smallest


def test_an_entry_point_is_an_opening() -> None:
    open_dmz = [*TIERS, *SEALED[1:], PUBLISHED, policy({"policyTypes": ["Egress"]}, "dmz", "quiet")]
    twice = [policy({"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}, "dmz", name) for name in "pq"]
    found = cut(ways(matrix(ZONES), *open_dmz, *twice), "internet", "dmz")
    assert found
    assert names(found.openings) == ["ingress Pod dmz/dmz-0"]
    assert "entry point" in found.openings[0].text


def test_host_network_on_both_sides_leaves_nothing_to_close() -> None:
    plan = matrix([zone("a"), zone("b"), zone("internet", kind="internet")])
    objects = [
        zoned("a", "a"), zoned("b", "b"), node("n1", "10.0.0.1"), node("n2", "10.0.0.2"),
        host("x", "n1", ns="a", hostIP="10.0.0.1"), host("y", "n2", ns="b", hostIP="10.0.0.2"),
    ]  # fmt: skip
    found = cut(ways(plan, *objects), "a", "b")
    assert found
    assert (found.openings, found.least, found.smallest) == ((), 0, False)
    assert found.reason == "no NetworkPolicy, cluster-wide policy or entry point decides a/Pod/x -> b/Pod/y"


def test_a_secondary_network_is_a_hop_that_no_policy_of_the_cluster_closes() -> None:
    objects = [
        *(zoned(name, name) for name in "ab"),
        *(annotated(pod("p", name), nets="shared") for name in "ab"),
        *(policy(DENY_ALL, name) for name in "ab"),
        cudn("shared", {}, role="Secondary", topology="Layer2"),
    ]
    plan = matrix([zone("a"), zone("b"), zone("c"), zone("internet", kind="internet")], flow("b", "c", "allow-all"))
    beyond = [zoned("c", "c"), annotated(pod("p", "c"), nets="shared")]
    found = ways(plan, *objects, *beyond)
    parted = cut(found, "a", "b")
    assert parted
    assert (parted.openings, parted.least) == ((), 0)
    assert parted.reason.endswith("decides a/Pod/p -> b/Pod/p")
    joined_by = chain(found, "a", "b")
    assert joined_by
    assert {cause.text for hop in joined_by.hops for cause in hop.through} == {
        "attached to ClusterUserDefinedNetwork shared"
    }


def test_pods_of_different_primary_networks_have_no_way() -> None:
    spaces = [space(name, z=name) for name in "ab"]
    for one in spaces:
        one["metadata"]["labels"]["network-zone"] = one["metadata"]["name"]
    plan = matrix([zone("a"), zone("b"), zone("internet", kind="internet")])
    pods = [pod("p", name) for name in "ab"]
    assert cut(ways(plan, *spaces, *pods, zoned_cudn("a"), zoned_cudn("b")), "a", "b") is None
    both = cudn("both", {"matchExpressions": [{"key": "z", "operator": "Exists"}]})
    assert cut(ways(plan, *spaces, *pods, both), "a", "b")


def test_more_openings_than_anyone_closes_are_counted_not_named() -> None:
    many = [f"{name}{n}" for name in "ab" for n in range(25)]
    objects = [one for name in many for one in (zoned(name, name[0]), pod("p", name))]
    found = cut(ways(matrix([zone("a"), zone("b"), zone("internet", kind="internet")]), *objects), "a", "b")
    assert found
    assert (found.openings, found.least) == ((), 21)
    assert found.reason == "at least 21 would have to be closed"


def test_too_many_permits_give_chains_of_zones_and_no_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "MOST_LINKS", 0)
    found = ways(PLAN, *DESIGN)
    assert not found.exact
    assert [one.zones for one in found.chains if one.source == "internet"] == [
        ("internet", "dmz", "internal"),
        ("internet", "dmz", "internal", "database"),
    ]
    assert not any(one.proven for one in found.chains)
    assert all(hop.witness for one in found.chains for hop in one.hops)
    assert {(one.openings, one.reason) for one in found.cuts} == {
        ((), "not sought: too many different permits meet to search them")
    }


# Against the engine --------------------------------------------------------------------------------------------------

COUNTED = settings(settings.get_profile("same"), max_examples=60, suppress_health_check=list(HealthCheck))
GROUPS = ("a", "b", "c")
RANDOM = matrix([*(zone(name) for name in GROUPS), zone("internet", kind="internet")], intra="allow")


def members(objects: Sequence[Json]) -> list[Json]:
    """The objects with every namespace in a zone of three, by its first letter."""
    found = copy.deepcopy(list(objects))
    for one in found:
        if one["kind"] == "Namespace":
            zone_name = GROUPS[sum(map(ord, one["metadata"]["name"])) % 3]
            one["metadata"]["labels"] = (one["metadata"].get("labels") or {}) | {"network-zone": zone_name}
    return found


def ground(objects: Sequence[Json], plan: ZoneMatrix) -> tuple[Meetings, Ground]:
    population = build(snapshot(objects))
    zone_map = zones.assign(plan, population.namespaces.values(), population.nodes.values())
    meetings = joined(reachability(population, zone_map, plan), zone_map)
    return meetings, Ground(meetings, NONE)


def certain_pairs(meetings: Meetings) -> set[tuple[int, int]]:
    """(source, target) classes with a certain, exposed connection."""
    pods = meetings.reach.classes.pods
    return {
        (source, target)
        for group in meetings.groups
        for met in meetings.of(group)
        if not met.reasons
        for target in group.members
        for source in met.sources
        if source < pods
        or target >= pods
        or source in meetings.node_atoms
        or any(way and not why for _, why, way in meetings.reach.exposure(target).split(met.traffic, NONE))
    }


def pairs_of(meetings: Meetings, net: Net) -> set[tuple[int, int]]:
    return {
        (source, target)
        for target in range(meetings.reach.classes.size)
        for one in net.products(target)
        for source in one.sources
    }


@COUNTED
@given(strategies.clusters(draws.Shape(max_pods=6)).map(members))
def test_the_hops_are_what_the_cells_are_made_of(objects: list[Json]) -> None:
    meetings, found = ground(objects, RANDOM)
    net = found.certain
    assert net
    hops = pairs_of(meetings, net)
    assert hops == certain_pairs(meetings)
    everything = meetings.reach.classes.everything
    assert set(net.after(everything)) == {target for _, target in hops}
    for source, target in hops:
        assert found.openings(source, target, ()) is not None


@COUNTED
@given(strategies.clusters(draws.Shape(max_pods=6)).map(members))
def test_closing_in_the_model_is_what_the_openings_of_single_hops_say(objects: list[Json]) -> None:
    meetings, found = ground(objects, RANDOM)
    net = found.certain
    assert net
    every = pairs_of(meetings, net)
    used = sorted({opening for pair in every for opening in found.openings(*pair, ()) or ()})
    for closed in [*((one,) for one in used[:6]), tuple(used)]:
        hops = pairs_of(meetings, found.without(closed))
        assert hops == {pair for pair in every if found.openings(*pair, closed) is not None}
        assert all(not set(found.openings(*pair, closed) or ()).intersection(closed) for pair in hops)


def carried_out(objects: Sequence[Json], causes: Sequence[Cause]) -> list[Json]:
    """The manifests with the openings of a cut closed, as a person would."""
    found = copy.deepcopy(list(objects))
    for place, cause in enumerate(causes):
        if cause.ref:
            _take_out(found, cause)
        elif cause.endpoint and cause.endpoint.kind == "Namespace":
            deny = {"podSelector": {}, "policyTypes": [cause.direction.capitalize()]}
            found.append(policy(deny, cause.endpoint.name, f"closed-{place}"))
        else:
            found = [one for one in found if one["kind"] != "Service"]
    for one in found:
        for section in ("ingress", "egress"):
            if isinstance(one.get("spec"), dict) and isinstance(one["spec"].get(section), list):
                one["spec"][section] = [rule for rule in one["spec"][section] if rule != "gone"]
    return found


def _take_out(objects: Sequence[Json], cause: Cause) -> None:
    for one in _named(objects, cause):
        spec = one["spec"]
        isolates = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        spec["policyTypes"] = spec.get("policyTypes") or isolates
        rule = spec[cause.direction][cause.rule]
        spec[cause.direction][cause.rule] = (
            rule | {"action": "Deny"} if isinstance(rule, dict) and "action" in rule else "gone"
        )


def _named(objects: Sequence[Json], cause: Cause) -> Iterator[Json]:
    ref = cause.ref
    for one in objects:
        where = (one["kind"], one["metadata"].get("namespace", "") or "", one["metadata"]["name"])
        if ref and where == (ref.kind, ref.namespace, ref.name):
            yield one


@COUNTED
@given(strategies.clusters(draws.Shape(max_pods=6, gaps=False)).map(members))
def test_a_cut_that_is_carried_out_parts_the_zones(objects: list[Json]) -> None:
    for one in ways(RANDOM, *objects).cuts:
        if one.openings:
            after = ways(RANDOM, *carried_out(objects, one.openings))
            assert cut(after, one.source, one.target) is None


@COUNTED
@given(strategies.clusters(draws.Shape(max_pods=6, gaps=False)).map(members), st.sampled_from(GROUPS))
def test_one_more_rule_never_makes_a_smallest_cut_smaller(objects: list[Json], name: str) -> None:
    spaces = [one["metadata"]["name"] for one in objects if one["kind"] == "Namespace"]
    wide = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer(name)]}]}
    isolated = [*objects, *(policy({"policyTypes": ["Ingress"]}, space, "zz-deny") for space in spaces)]
    before = ways(RANDOM, *isolated)
    after = ways(RANDOM, *isolated, *(policy(wide, space, "zz-more") for space in spaces))
    for one in before.cuts:
        more = cut(after, one.source, one.target)
        assert more
        if one.smallest and more.openings:
            assert one.least <= len(more.openings)


@COUNTED
@given(strategies.clusters(draws.Shape(max_pods=5, max_policies=4, max_admin=1)).map(members))
def test_no_set_of_fewer_openings_parts_the_zones(objects: list[Json]) -> None:
    meetings, found = ground(objects, RANDOM)
    cells = Tally(meetings, RANDOM).cells()
    for one in paths(meetings, RANDOM, cells).cuts:
        if not one.smallest or one.least > 2:
            continue
        graph = _Naive(meetings, found)
        every = sorted(graph.openings())
        for size in range(one.least):
            for closed in itertools.combinations(every, size):
                assert graph.connected(one.source, one.target, frozenset(closed))


class _Naive:
    """Every hop as a pair of classes, searched without any bitmap."""

    def __init__(self, meetings: Meetings, found: Ground) -> None:
        self.pods = meetings.reach.classes.pods
        self.zone = [*meetings.reach.classes.zones, *meetings.atom_zones]
        self.found = found
        self.pairs = certain_pairs(meetings)

    def openings(self) -> set[Any]:
        return {one for pair in self.pairs for one in self.found.openings(*pair, ()) or ()}

    def connected(self, source: str, target: str, closed: frozenset[Any]) -> bool:
        pairs = [pair for pair in self.pairs if self.found.openings(*pair, closed) is not None]
        seen = {number for number, name in enumerate(self.zone) if name == source}
        grown = True
        while grown:
            fresh = {b for a, b in pairs if a in seen and b not in seen and (a < self.pods or self.zone[a] == source)}
            grown = bool(fresh)
            seen |= fresh
        return any(self.zone[number] == target for number in seen)


def test_a_cluster_without_endpoints_has_no_ways() -> None:
    assert ways(matrix(ZONES), *TIERS[:3]) == Paths()
