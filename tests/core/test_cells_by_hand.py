"""Zone cells of small clusters whose answer a person can count: traffic, pairs, causes, zones of odd endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from audit.exposure.routers import SHARD_LABEL
from audit.flows import Breach, Population
from audit.model import UNZONED, Flow, ZoneMatrix
from audit.selectors import LabelSelector
from audit.traffic import ALL, NONE, Traffic
from tests.core.clusters import (
    DENY_ALL,
    blocks,
    cell,
    container,
    evaluate,
    flow,
    host,
    matrix,
    namespace,
    node,
    pod,
    policy,
    route,
    service,
    tcp,
    zone,
    zoned,
)

Json = Any

INTERNET = zone("internet", kind="internet")
PARTNER = zone("partner", kind="external", cidrs=blocks("192.0.2.0/24"))
ZONES = [zone("a"), zone("b"), INTERNET]
DENY_IN: Json = {"podSelector": {}}
FROM_A = {"namespaceSelector": {"matchLabels": {"network-zone": "a"}}}


def pods(ns: str, count: int, **kwargs: Any) -> list[Json]:
    return [pod(f"{ns}{number}", ns, **kwargs) for number in range(count)]


TWO_ZONES = [zoned("a1", "a"), zoned("b1", "b"), *pods("a1", 2), *pods("b1", 3)]
"""Two pods in zone a, three in zone b."""
SEALED = [policy(DENY_ALL, "a1"), policy(DENY_ALL, "b1")]


def plan(*flows: Flow, **settings: Any) -> ZoneMatrix:
    return matrix(ZONES, *flows, **settings)


def only(breaches: tuple[Breach, ...]) -> Breach:
    (found,) = breaches
    return found


# Counts --------------------------------------------------------------------------------------------------------------


def test_an_open_cluster() -> None:
    found = evaluate(plan(), *TWO_ZONES)
    across = cell(found, "a", "b")
    assert (across.observed, across.possible) == (ALL, ALL)
    assert (across.pairs, across.excess_pairs) == (6, 6)
    back = cell(found, "b", "a")
    assert (back.pairs, back.excess_pairs) == (6, 6)
    assert across.populated
    assert across.reasons == ()


def test_a_sealed_cluster() -> None:
    found = evaluate(plan(), *TWO_ZONES, *SEALED)
    for one in found.cells:
        assert (one.observed, one.possible, one.unexposed) == (NONE, NONE, NONE)
        assert (one.pairs, one.excess_pairs, one.unexposed_pairs) == (0, 0, 0)
        assert one.breaches == ()
        assert one.witness is None


def test_pairs_within_a_zone_leave_each_pod_itself_out() -> None:
    found = evaluate(plan(), *TWO_ZONES)
    assert cell(found, "a", "a").pairs == 2 * 1
    assert cell(found, "b", "b").pairs == 3 * 2


def test_a_zone_with_one_pod_has_nothing_to_judge_within() -> None:
    found = evaluate(matrix(ZONES, intra="deny"), zoned("a1", "a"), pod("only", "a1"))
    within = cell(found, "a", "a")
    assert (within.observed, within.pairs, within.breaches, within.witness) == (NONE, 0, (), None)


def test_pairs_within_a_zone_of_two_namespaces() -> None:
    closed = policy({"ingress": [{"from": [{"podSelector": {}}]}]}, "a2")
    found = evaluate(plan(), zoned("a1", "a"), zoned("a2", "a"), *pods("a1", 2), *pods("a2", 2), closed)
    assert cell(found, "a", "a").pairs == 2 + 2 + 4  # within a1, within a2, from a2 to a1


def test_a_cell_that_the_matrix_allows_has_pairs_and_a_witness_but_no_excess() -> None:
    rules = policy({"ingress": [{"from": [FROM_A], "ports": [{"port": 443}]}]}, "b1")
    found = cell(evaluate(plan(flow("a", "b", "allow-only", tcp(443, 8443))), *TWO_ZONES, rules), "a", "b")
    assert (found.observed, found.possible) == (tcp(443), tcp(443))
    assert (found.pairs, found.excess_pairs, found.breaches) == (6, 0, ())
    assert found.witness is not None
    assert (found.witness.source, found.witness.target) == ("a1/Pod/a10", "b1/Pod/b10")
    assert (found.witness.protocol, found.witness.port) == ("TCP", 443)


def test_only_what_is_beyond_the_matrix_is_a_breach() -> None:
    rules = policy({"ingress": [{"from": [FROM_A], "ports": [{"port": 443}, {"port": 22}]}]}, "b1")
    found = cell(evaluate(plan(flow("a", "b", "allow-only", tcp(443))), *TWO_ZONES, rules), "a", "b")
    assert found.observed == tcp(22, 443)
    assert only(found.breaches).traffic == tcp(22)
    assert found.excess_pairs == 6


def test_every_pair_of_zones_has_a_cell_in_the_order_of_the_matrix() -> None:
    found = evaluate(plan(), *TWO_ZONES)
    names = ["a", "b", "internet"]
    assert [(one.source, one.target) for one in found.cells] == [(one, two) for one in names for two in names]


def test_a_zone_without_endpoints_is_not_populated() -> None:
    found = evaluate(matrix([*ZONES, zone("c")]), *TWO_ZONES)
    assert not cell(found, "a", "c").populated
    assert not cell(found, "c", "c").populated
    assert cell(found, "a", "internet").populated


def test_the_population_behind_the_verdicts() -> None:
    found = evaluate(matrix([zone("a"), zone("b"), INTERNET, PARTNER]), *TWO_ZONES)
    assert found.scope.outside_ranges == 2  # 192.0.2.0/24, and all other addresses
    assert found.scope.endpoint_pairs == 5 * 4 + 2 * 5 * 2
    assert found.facts.population == {"a": Population(workloads=2, pods=2), "b": Population(workloads=3, pods=3)}


# Causes --------------------------------------------------------------------------------------------------------------


def test_the_lack_of_isolation_is_one_breach_with_the_namespaces_to_repair() -> None:
    objects = [*TWO_ZONES, zoned("b2", "b"), *pods("b2", 1), zoned("b3", "b"), *pods("b3", 1), policy(DENY_ALL, "b3")]
    breach = only(cell(evaluate(plan(), *objects), "a", "b").breaches)
    assert (breach.sources, breach.targets, breach.pairs) == (2, 4, 8)
    assert [str(ref) for ref in breach.subjects] == ["Namespace b1", "Namespace b2"]
    assert breach.certain
    assert breach.exposed
    assert breach.ingress is not None
    assert breach.ingress.ref is None
    assert breach.ingress.text == "no policy isolates it: open by default"


def test_a_policy_that_opens_many_pairs_is_one_breach() -> None:
    rules = {"ingress": [{"from": [FROM_A], "ports": [{"port": 22}]}, {"from": [FROM_A], "ports": [{"port": 23}]}]}
    breach = only(cell(evaluate(plan(), *TWO_ZONES, policy(rules, "b1", "wide")), "a", "b").breaches)
    assert breach.traffic == tcp(22, 23)
    assert (breach.sources, breach.targets, breach.pairs) == (2, 3, 6)
    assert [str(ref) for ref in breach.subjects] == ["NetworkPolicy b1/wide"]
    assert breach.ingress is not None
    assert (breach.ingress.rule, str(breach.ingress.ref)) == (0, "NetworkPolicy b1/wide")
    assert breach.egress is not None
    assert breach.egress.ref is None


def test_two_policies_at_fault_are_two_breaches_most_pairs_first() -> None:
    objects = [zoned("b2", "b"), *pods("b2", 1)]
    rules = {"ingress": [{"from": [FROM_A]}]}
    one, two = policy(rules, "b1", "one"), policy(rules, "b2", "two")
    found = cell(evaluate(plan(), *TWO_ZONES, *objects, two, one), "a", "b").breaches
    assert [(str(one.subjects[0]), one.pairs) for one in found] == [
        ("NetworkPolicy b1/one", 6),
        ("NetworkPolicy b2/two", 2),
    ]


def test_a_policy_and_the_lack_of_one_are_two_breaches() -> None:
    rules = policy({"ingress": [{"from": [FROM_A]}]}, "b1", "wide")
    found = cell(evaluate(plan(), *TWO_ZONES, zoned("b2", "b"), *pods("b2", 1), rules), "a", "b").breaches
    assert [str(one.subjects[0]) for one in found] == ["NetworkPolicy b1/wide", "Namespace b2"]


def test_two_policies_that_admit_the_same_are_both_at_fault() -> None:
    rules = {"ingress": [{"from": [FROM_A], "ports": [{"port": 22}]}]}
    found = cell(evaluate(plan(), *TWO_ZONES, policy(rules, "b1", "one"), policy(rules, "b1", "two")), "a", "b")
    assert sorted(str(one.subjects[0]) for one in found.breaches) == ["NetworkPolicy b1/one", "NetworkPolicy b1/two"]
    assert found.excess_pairs == 6


def test_the_way_out_is_to_blame_on_the_sources_side() -> None:
    found = evaluate(plan(), *TWO_ZONES, *SEALED[1:])
    breach = only(cell(found, "a", "internet").breaches)
    assert (breach.sources, breach.targets, breach.pairs) == (2, 1, 2)
    assert [str(ref) for ref in breach.subjects] == ["Namespace a1"]
    assert breach.ingress is None
    assert breach.egress is not None
    assert breach.egress.ref is None


def test_a_policy_that_lets_out_is_to_blame() -> None:
    spec = {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/25"}}]}]}
    zones = [zone("a"), zone("b"), INTERNET, PARTNER]
    found = evaluate(matrix(zones), *TWO_ZONES, policy(spec, "a1", "out"), *SEALED[1:])
    breach = only(cell(found, "a", "partner").breaches)
    assert [str(ref) for ref in breach.subjects] == ["NetworkPolicy a1/out"]
    assert breach.witness is not None
    assert (breach.witness.source, breach.witness.target) == ("a1/Pod/a10", "192.0.2.1")
    assert cell(found, "a", "internet").possible == NONE


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_witness_within_a_zone_is_never_a_pod_and_itself(count: int) -> None:
    tell_apart = policy({"podSelector": {"matchLabels": {"n": "none"}}}, "a1")
    mine = [pod(f"p{number}", "a1", labels={"n": str(number)}) for number in range(count)]
    allowed = cell(evaluate(plan(), zoned("a1", "a"), *mine, tell_apart), "a", "a").witness
    assert (allowed is None) == (count == 1)
    assert allowed is None or allowed.source != allowed.target
    for breach in cell(evaluate(matrix(ZONES, intra="deny"), zoned("a1", "a"), *mine, tell_apart), "a", "a").breaches:
        assert breach.witness is not None
        assert breach.witness.source != breach.witness.target


def test_the_witness_of_a_breach_flows_on_the_port_that_it_names() -> None:
    def out(name: str, port: int) -> Json:
        spec = {"podSelector": {"matchLabels": {"n": name}}, "policyTypes": ["Egress"]}
        return policy(spec | {"egress": [{"ports": [{"port": port}]}]}, "a1", name)

    first, second = (pod(name, "a1", labels={"n": name}) for name in ("x", "y"))
    objects = [zoned("a1", "a"), zoned("b1", "b"), first, second, pod("target", "b1"), out("x", 443), out("y", 80)]
    breach = only(cell(evaluate(plan(), *objects), "a", "b").breaches)
    assert breach.traffic == tcp(80, 443)
    assert breach.witness is not None
    assert (breach.witness.source, breach.witness.port) in {("a1/Pod/x", 443), ("a1/Pod/y", 80)}


# Doubt ---------------------------------------------------------------------------------------------------------------

BLOCK_RULE = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 80}]}


def test_doubt_is_possible_and_not_observed() -> None:
    rules = policy({"ingress": [BLOCK_RULE]}, "b1")
    found = cell(evaluate(plan(), *TWO_ZONES, rules), "a", "b")
    assert (found.observed, found.possible) == (NONE, tcp(80))
    assert (found.pairs, found.excess_pairs) == (0, 0)
    assert found.reasons == ("pod-address",)
    breach = only(found.breaches)
    assert not breach.certain
    assert (breach.reasons, breach.traffic, breach.pairs) == (("pod-address",), tcp(80), 6)
    assert found.witness is None


def test_doubt_about_two_ports_for_one_reason_counts_every_pair_once() -> None:
    other = {"from": [{"ipBlock": {"cidr": "10.0.0.0/9"}}], "ports": [{"port": 81}]}
    breach = only(cell(evaluate(plan(), *TWO_ZONES, policy({"ingress": [BLOCK_RULE, other]}, "b1")), "a", "b").breaches)
    assert breach.traffic == tcp(80, 81)
    assert breach.pairs == 6


def test_what_is_certain_is_not_said_again_as_doubt() -> None:
    rules = policy({"ingress": [BLOCK_RULE, {"from": [FROM_A], "ports": [{"port": 80}]}]}, "b1")
    found = cell(evaluate(plan(), *TWO_ZONES, rules), "a", "b")
    assert only(found.breaches).certain
    assert found.reasons == ()


def test_doubt_about_what_the_matrix_allows_is_no_breach() -> None:
    found = evaluate(plan(flow("a", "b", "allow-all")), *TWO_ZONES, policy({"ingress": [BLOCK_RULE]}, "b1"))
    assert cell(found, "a", "b").breaches == ()
    assert cell(found, "a", "b").possible == tcp(80)


def test_doubts_are_counted_in_the_register() -> None:
    found = evaluate(plan(), *TWO_ZONES, policy({"ingress": [BLOCK_RULE]}, "b1"))
    counted = {one.id: one.connections for one in found.facts.assumptions}
    assert counted["pod-address"] == 6 + 3 * 2  # from zone a, and between the pods of b


# Outside -------------------------------------------------------------------------------------------------------------


def test_an_outside_zone_counts_as_one_endpoint() -> None:
    found = evaluate(matrix([zone("a"), zone("b"), INTERNET, PARTNER]), *TWO_ZONES)
    out = cell(found, "a", "partner")
    assert (out.observed, out.pairs, out.excess_pairs) == (ALL, 2, 2)
    assert cell(found, "internet", "partner").observed == NONE


OPEN = service("s", "b1", {"app": "web"}, {"port": 80, "targetPort": 8080}, type="LoadBalancer")
LOCAL = OPEN | {"spec": OPEN["spec"] | {"externalTrafficPolicy": "Local"}}
WEB = [zoned("b1", "b"), pod("web", "b1", labels={"app": "web"}), pod("db", "b1", labels={"app": "db"})]


def test_from_outside_only_what_an_entry_point_leads_to_is_observed() -> None:
    found = cell(evaluate(plan(), *WEB, LOCAL), "internet", "b")
    assert (found.observed, found.possible) == (tcp(8080), tcp(8080))
    assert (found.pairs, found.excess_pairs) == (1, 1)
    assert found.unexposed == ALL
    assert found.unexposed_pairs == 2
    certain = [(one.exposed, one.traffic, one.sources, one.targets, one.pairs) for one in found.breaches]
    assert certain == [(True, tcp(8080), 1, 1, 1), (False, ALL, 1, 2, 2)]


def test_behind_a_service_the_pod_may_see_its_nodes_address() -> None:
    found = cell(evaluate(plan(), *WEB, policy(DENY_IN, "b1"), OPEN), "internet", "b")
    assert (found.observed, found.possible, found.unexposed) == (NONE, tcp(8080), NONE)
    assert found.reasons == ("service-source-address",)
    sealed = cell(evaluate(plan(), *WEB, policy(DENY_IN, "b1"), LOCAL), "internet", "b")
    assert sealed.possible == NONE


def test_behind_a_router_nothing_is_certain() -> None:
    inner = OPEN | {"spec": OPEN["spec"] | {"type": "ClusterIP"}}
    published = route("Route", "route.openshift.io/v1", "b1", {"to": {"name": "s"}})
    found = cell(evaluate(plan(), *WEB, policy(DENY_IN, "b1"), inner, published), "internet", "b")
    assert (found.observed, found.possible) == (NONE, tcp(8080))
    assert found.reasons == ("router",)


@pytest.mark.parametrize(
    ("pod_network", "observed", "possible", "unexposed", "reasons"),
    [
        ("routable", ALL, ALL, NONE, ()),
        ("overlay", NONE, NONE, ALL, ()),
        ("unknown", NONE, ALL, NONE, ("pod-network",)),
    ],
)
def test_whether_pod_addresses_can_be_reached_from_outside(
    pod_network: str, observed: Traffic, possible: Traffic, unexposed: Traffic, reasons: tuple[str, ...]
) -> None:
    found = cell(evaluate(plan(pod_network=pod_network), *TWO_ZONES), "internet", "b")
    assert (found.observed, found.possible, found.unexposed) == (observed, possible, unexposed)
    assert found.reasons == reasons
    assert found.pairs == (3 if observed else 0)
    assert found.unexposed_pairs == (3 if unexposed else 0)


def test_a_policy_that_admits_the_outside_where_nothing_leads_is_named() -> None:
    rules = policy({"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 22}]}]}, "b1", "wide")
    breach = only(cell(evaluate(plan(), *TWO_ZONES, rules), "internet", "b").breaches)
    assert (breach.exposed, breach.certain, breach.traffic) == (False, True, tcp(22))
    assert [str(ref) for ref in breach.subjects] == ["NetworkPolicy b1/wide"]


def test_addresses_belong_to_the_zone_that_claims_them() -> None:
    rules = policy({"ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.7/32"}}], "ports": [{"port": 22}]}]}, "b1")
    zones = [zone("b"), INTERNET, PARTNER]
    found = evaluate(matrix(zones, pod_network="routable"), *TWO_ZONES[1:2], *pods("b1", 1), rules)
    assert cell(found, "partner", "b").observed == tcp(22)
    assert cell(found, "internet", "b").possible == NONE


# Zones of endpoints --------------------------------------------------------------------------------------------------


def test_namespaces_that_no_zone_claims_stand_in_a_zone_of_their_own() -> None:
    found = evaluate(plan(), *TWO_ZONES, namespace("lost"), *pods("lost", 2))
    assert cell(found, UNZONED, "a").pairs == 4
    assert cell(found, "a", UNZONED).pairs == 4
    assert cell(found, UNZONED, UNZONED).pairs == 2
    assert cell(found, UNZONED, UNZONED).excess_pairs == 2, "unzoned endpoints take the default between zones"
    assert [one.source for one in found.cells][-1] == UNZONED


def test_a_zone_of_pods_and_addresses_blames_each_direction_on_its_own() -> None:
    found = evaluate(matrix([zone("a"), PARTNER]), namespace("lost"), *pods("lost", 2), host("agent", ns="lost"))
    within = cell(found, UNZONED, UNZONED)
    assert (within.pairs, within.excess_pairs) == (3 * 2 + 3, 3 * 2 + 3)
    certain = [(one.egress is None, one.ingress is None, str(one.subjects[0]), one.pairs) for one in within.breaches][
        :4
    ]
    assert sorted(certain) == [
        (False, False, "Namespace lost", 2 * 2),
        (False, False, "Pod lost/agent", 2),
        (False, True, "Namespace lost", 2),
        (False, True, "Pod lost/agent", 1),
    ]


def test_a_namespace_that_two_zones_claim_is_in_neither() -> None:
    selected = zone("a", namespaces=LabelSelector.parse({"matchLabels": {"team": "x"}}))
    both = namespace("both", **{"team": "x", "network-zone": "b"})
    found = evaluate(matrix([selected, zone("b"), INTERNET]), both, pod("p", "both"), zoned("b1", "b"), *pods("b1", 1))
    assert not cell(found, "a", "b").populated
    assert cell(found, UNZONED, "b").pairs == 1
    assert cell(found, "b", "b").pairs == 0


def test_without_an_internet_zone_unclaimed_addresses_are_unzoned() -> None:
    found = evaluate(matrix([zone("a"), PARTNER]), zoned("a1", "a"), *pods("a1", 1))
    assert cell(found, "a", UNZONED).observed == ALL
    assert cell(found, "a", "partner").observed == ALL


def test_a_router_counts_as_the_zone_that_names_its_shard() -> None:
    zones = [zone("a", ingress_controllers=("shard-a",)), zone("b", ingress_controllers=("shard-b",)), INTERNET]
    ns = "openshift-ingress"
    routers = [pod(name, ns, labels={SHARD_LABEL: name}) for name in ("shard-a", "shard-b", "other")]
    found = evaluate(matrix(zones), zoned("a1", "a"), *pods("a1", 1), namespace(ns), *routers)
    assert cell(found, "a", "a").pairs == 2
    assert cell(found, "b", "a").pairs == 2
    assert cell(found, UNZONED, "b").pairs == 1


def test_a_pod_of_a_zone_cannot_take_another_zone_by_a_routers_label() -> None:
    zones = [zone("a"), zone("b", ingress_controllers=("shard-b",)), INTERNET]
    guise = pod("p", "a1", labels={SHARD_LABEL: "shard-b"})
    found = evaluate(matrix(zones), zoned("a1", "a"), guise, zoned("b1", "b"), *pods("b1", 1))
    assert cell(found, "a", "b").pairs == 1
    assert cell(found, "b", "b").pairs == 0


def old_router(ns: str, name: str, *env: str) -> Json:
    """A router of OpenShift 3.x without pods."""
    listed = [{"name": one, "value": "network-zone=a"} for one in env]
    spec = {"template": {"spec": {"containers": [{"name": "router", "env": listed}]}}}
    metadata = {"name": name, "namespace": ns}
    return {"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    ("router", "counted"),
    [
        (old_router("default", "router-a", "NAMESPACE_LABELS"), "a"),
        (old_router("default", "router-b", "NAMESPACE_LABELS"), UNZONED),
        (old_router("default", "router-a", "OTHER"), UNZONED),
        (old_router("b1", "router-a", "NAMESPACE_LABELS"), "b"),
    ],
    ids=["named", "not named", "no router", "of a tenant"],
)
def test_a_router_of_3x_counts_as_the_zone_that_names_its_workload(router: Json, counted: str) -> None:
    zones = [zone("a", ingress_controllers=("router-a",)), zone("b"), INTERNET]
    spaces = [namespace("default"), zoned("a1", "a"), zoned("b1", "b")]
    found = evaluate(matrix(zones), *spaces, router, *pods("a1", 1))
    assert cell(found, counted, "a").pairs == (2 if counted == "a" else 1)


def test_a_shard_that_two_zones_name_stays_with_its_namespace() -> None:
    zones = [zone(name, ingress_controllers=("shard",)) for name in "ab"]
    router = pod("r", "openshift-ingress", labels={SHARD_LABEL: "shard"})
    found = evaluate(
        matrix([*zones, INTERNET]), zoned("openshift-ingress", "b"), router, zoned("a1", "a"), *pods("a1", 1)
    )
    assert cell(found, "b", "a").pairs == 1
    assert cell(found, "a", "a").pairs == 0


def test_a_host_network_pod_counts_as_its_nodes_zone() -> None:
    nodes = [node("n1", "10.9.0.1", labels={"network-zone": "b"}), node("n2", "10.9.0.2")]
    objects = [zoned("a1", "a"), host("one", "n1", ns="a1"), host("two", "n2", ns="a1"), host("three", None, ns="a1")]
    found = evaluate(plan(), *objects, *nodes)
    wanted = "one on a node of b and that node's address; others are where no zone is, and take the namespace's"
    assert cell(found, "b", "a").pairs == 2 + 2, wanted
    assert cell(found, "a", "a").pairs == 2
    breach = only(tuple(one for one in cell(found, "a", "b").breaches if one.ingress))
    assert [str(ref) for ref in breach.subjects] == ["Pod a1/one"]
    assert breach.ingress is not None
    assert breach.ingress.text == "host network: no policy applies"


def test_a_node_and_its_own_pods_are_left_out() -> None:
    objects = [zoned("a1", "a"), zoned("b1", "b"), host("agent", "n1", ns="a1", hostIP="10.9.0.1")]
    objects += [pod("here", "b1", ip="10.0.0.1", nodeName="n1"), policy(DENY_ALL, "b1")]
    found = evaluate(plan(), *objects)
    assert cell(found, "a", "b").possible == NONE
    assert {one.id for one in found.facts.assumptions} >= {"node-to-own-pods"}


def test_a_host_network_pod_is_possibly_open_to_the_outside() -> None:
    found = cell(evaluate(plan(), zoned("a1", "a"), host("agent", "n1", ns="a1")), "internet", "a")
    assert (found.observed, found.possible, found.reasons) == (NONE, ALL, ("host-network",))


def test_named_ports_count_by_the_target_that_has_them() -> None:
    target = pod("db", "b1", containers=[container(("sql", "TCP", 5432))])
    rules = policy({"ingress": [{"from": [FROM_A], "ports": [{"port": "sql"}]}]}, "b1")
    found = cell(evaluate(plan(), *TWO_ZONES, target, rules), "a", "b")
    assert found.observed == tcp(5432)
    assert found.pairs == 2
