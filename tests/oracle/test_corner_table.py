"""The table of hard corners, row by row: what the engine must say there; the slow evaluator agrees at every question.

Rows about findings, cells and the register run the rules and cells on top of the engine.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from audit import cells, checker, zones
from audit.checker import CheckedFinding, Results
from audit.discovery import discover
from audit.inventory import build
from audit.model import Flow
from audit.profile import Plugin
from audit.selectors import LabelSelector
from audit.traffic import ALL, NONE
from tests.core.clusters import cell, evaluate, matrix, node, owned, service, snapshot, zone, zoned
from tests.core.doors import published, router, shard
from tests.core.test_networks import LABEL as UDN_LABEL
from tests.core.test_networks import annotated, udn
from tests.oracle.engine import reach
from tests.oracle.terms import NAME_LABEL
from tests.oracle.test_admin_corners import EVERYONE, admin, banp, cnp, from_web, into, only, out, to
from tests.oracle.test_corners import EVERYTHING, SIX, A, Both, D, U, into_api
from tests.oracle.world import API, OUT, PG, WEB, WORLD, container, host, namespace, pod, policy

Json = Any
TABLE = Path(__file__).parents[3] / "shared" / "reference" / "peers.md"
ROWS: dict[str, list[str]] = {}
"""Titles of the table's rows, in its order, with the tests below that show them."""
TEAMS = ("one", "two")
ISOLATED = policy({"policyTypes": ["Ingress", "Egress"]})
TWO: Json = {"namespaces": {"matchLabels": {"team": "two"}}}
NODE_1, NODE_2 = "10.9.0.1", "10.9.0.2"
AGENT, NEAR, FAR = "app/Pod/agent", "app/Pod/near", "app/Pod/far"
HOSTS = [
    node("n1", NODE_1),
    node("n2", NODE_2),
    host("agent", hostIP=NODE_1, labels={"tier": "agent"}),
    pod("near", ip="10.0.0.8", nodeName="n1"),
    pod("far", ip="10.0.0.9", nodeName="n2"),
]

Test = Callable[..., None]


def row(title: str) -> Callable[[Test], Test]:
    """Says which row of the table a test shows."""

    def noted(test: Test) -> Test:
        ROWS.setdefault(title, []).append(test.__name__)
        return test

    return noted


def replicas(*labels: Json) -> list[Json]:
    """Pods of one StatefulSet."""
    made = [pod(f"s-{n}", ip=f"10.0.3.{n}", labels=one) for n, one in enumerate(labels)]
    return [owned(one, "StatefulSet", "s") for one in made]


def allowed_from(*peers: Json, **more: Json) -> Json:
    """A policy for the pods of `app` that admits these peers."""
    return policy({"ingress": [{"from": list(peers), **more}]})


def expression(key: str, operator: str, *values: str) -> Json:
    return {"matchExpressions": [{"key": key, "operator": operator} | ({"values": list(values)} if values else {})]}


def check(*objects: Json, plugin: Plugin | None = None, flows: Iterable[Flow] = ()) -> Results:
    """What the rules find where `app` and `db` are two zones that must be apart."""
    plan = matrix(
        [zone(name, namespaces=LabelSelector.parse({"matchLabels": {"team": name}})) for name in TEAMS], *flows
    )
    population = build(snapshot([*WORLD, *objects]), plugin)
    members = zones.assign(plan, population.namespaces.values(), population.nodes.values())
    found = cells.evaluate(population, members, plan)
    return checker.check(
        discover(),
        inventory=population,
        zone_map=members,
        matrix=plan,
        flows=found.cells,
        facts=found.facts,
        today=dt.date(2026, 11, 23),
    )


def found(rule: str, *objects: Json, plugin: Plugin | None = None) -> list[CheckedFinding]:
    return [one for one in check(*objects, plugin=plugin).findings if one.rule.id == rule]


def observed(rule: str, *objects: Json, plugin: Plugin | None = None) -> list[str]:
    return [one.finding.observed for one in found(rule, *objects, plugin=plugin)]


# Who is an endpoint --------------------------------------------------------------------------------------------------


@row("pod to itself")
def test_a_pod_reaches_itself_in_no_output_and_replicas_count() -> None:
    same = {"app": "s"}
    closed = Both(namespace("app"), *replicas(same, same), ISOLATED)
    assert closed.ask("app/Pod/s-0", "app/Pod/s-1") == D
    by_workload = reach([namespace("app"), *replicas(same, same)], by="workload")
    assert by_workload.pair("app/StatefulSet/s", "app/StatefulSet/s") == EVERYTHING
    plan = matrix([zone("a")], intra="deny")
    alone, several = ([zoned("app", "a"), *replicas(*[same] * count)] for count in (1, 2))
    assert reach(alone).pair("app/Pod/s-0", "app/Pod/s-0") == {}
    assert cell(evaluate(plan, *alone), "a", "a").observed == NONE
    assert cell(evaluate(plan, *several), "a", "a").observed == ALL


@row("hostNetwork pods")
@pytest.mark.parametrize("plugin", ["spec", "ovn-kubernetes"])
def test_host_network_pods_are_not_selected_and_act_with_the_address_of_their_node(plugin: Plugin) -> None:
    both = Both(*WORLD, *HOSTS, ISOLATED, plugin=plugin)
    assert [both.ask(PG, AGENT), both.ask(AGENT, PG), both.ask(AGENT, OUT), both.ask(OUT, AGENT)] == [A] * 4
    peer: Json = {"namespaceSelector": {"matchLabels": {"team": "one"}}}
    both = Both(*WORLD, *HOSTS, allowed_from(peer), plugin=plugin)
    assert [both.ask(AGENT, FAR), both.ask(WEB, FAR)] == [D, A]
    both = Both(*WORLD, *HOSTS, allowed_from({"ipBlock": {"cidr": "10.9.0.0/31"}}), plugin=plugin)
    assert [both.ask(AGENT, FAR), both.ask(WEB, FAR)] == [A, D]
    networks = admin(**out("Deny", {"networks": [f"{NODE_1}/32"]}), **into("Deny", EVERYONE))
    both = Both(*WORLD, *HOSTS, networks, plugin=plugin)
    assert [both.ask(WEB, AGENT), both.ask(AGENT, WEB), both.ask(WEB, FAR)] == [D, A, D]


@row("hostNetwork pods")
def test_where_nobody_knows_the_plug_in_a_host_network_peer_is_unknown() -> None:
    both = Both(*WORLD, *HOSTS, allowed_from({"podSelector": {"matchLabels": {"tier": "agent"}}}), plugin="unknown")
    assert [both.ask(AGENT, FAR), both.ask(AGENT, NEAR)] == [U, A]


@row("OpenShift `namespaceSelector` and host network")
def test_one_namespace_stands_for_the_host_network_on_ovn_kubernetes_without_pod_selector_only() -> None:
    stands: Json = {"namespaceSelector": {"matchLabels": {"policy-group.network.openshift.io/host-network": ""}}}
    there = namespace("openshift-host-network", **stands["namespaceSelector"]["matchLabels"])
    for peer, verdicts in ((stands, [U, U, D]), ({**stands, "podSelector": {}}, [D, D, D])):
        both = Both(*WORLD, *HOSTS, there, allowed_from(peer), plugin="ovn-kubernetes")
        assert [both.ask(AGENT, FAR), both.ask(NODE_1, FAR), both.ask(OUT, FAR)] == verdicts
        unread = reach([*WORLD, *HOSTS, allowed_from(peer)], plugin="ovn-kubernetes")
        assert unread.verdict(AGENT, FAR, "TCP", 80) == verdicts[0], "it has its labels where it was not read"
        assert Both(*WORLD, *HOSTS, there, allowed_from(peer)).ask(AGENT, FAR) == D


@row("node -> pod on the same node")
def test_a_node_reaches_its_own_pods_and_no_cell_counts_it() -> None:
    for more in (ISOLATED, admin(**into("Deny", EVERYONE)), cnp(**into("Deny", EVERYONE))):
        both = Both(*WORLD, *HOSTS, more)
        assert both.ask(AGENT, NEAR) == A
    assert Both(*WORLD, *HOSTS, ISOLATED).ask(AGENT, FAR) == D
    inherent = [zoned("a", "a"), zoned("b", "b"), host("agent", ns="a", hostIP=NODE_1)]
    inherent += [pod("near", "b", "10.0.0.8", nodeName="n1"), policy({}, "b")]
    assert cell(evaluate(matrix([zone("a"), zone("b")]), *inherent), "a", "b").possible == NONE


# Named ports ---------------------------------------------------------------------------------------------------------


@row("named port, differs per pod")
def test_a_named_port_is_the_number_of_each_pod_though_their_labels_are_equal() -> None:
    pods = [pod(f"x{n}", ip=f"10.0.0.{n}", containers=[container(("http", "TCP", n))]) for n in (81, 82)]
    for rules in (policy({"ingress": [{"ports": [{"port": "http"}]}]}), egress_to("http")):
        both = Both(*WORLD, *pods, rules)
        assert [both.ask(WEB, f"app/Pod/x{n}", port) for n in (81, 82) for port in (81, 82)] == [A, D, D, A]


def egress_to(port: str | int) -> Json:
    """A policy that lets the pods of `app` out on one port."""
    return policy({"policyTypes": ["Egress"], "egress": [{"ports": [{"port": port}]}]})


@row("named port whose protocol differs")
def test_a_named_port_of_another_protocol_is_no_match() -> None:
    one = pod("x", ip="10.0.0.9", containers=[container(("dns", "UDP", 53))])
    for named, verdicts in (({"port": "dns"}, [D, D]), ({"port": "dns", "protocol": "UDP"}, [D, A])):
        both = Both(*WORLD, one, policy({"ingress": [{"ports": [named]}]}))
        assert [both.ask(WEB, "app/Pod/x", 53, protocol) for protocol in ("TCP", "UDP")] == verdicts


# Addresses -----------------------------------------------------------------------------------------------------------


@row("ipBlock overlapping pod IPs")
def test_an_ip_block_matches_pods_by_address_and_what_is_not_known_is_unknown() -> None:
    block: Json = {"ipBlock": {"cidr": "10.0.0.0/15", "except": ["10.0.0.1/32"]}}
    new = pod("new", "db")
    readings: dict[Plugin, list[str]] = {"spec": [D, A, U], "ovn-kubernetes": [D, A, U], "cilium": [D, U, U]}
    for plugin, verdicts in readings.items():
        both = Both(*WORLD, new, allowed_from(block), plugin=plugin)
        assert [both.ask(source, API) for source in (WEB, PG, "db/Pod/new")] == verdicts
    assert found("NET008", allowed_from(block), plugin="cilium")


@row("ANP/CNP `networks` vs pods")
@pytest.mark.parametrize("make", [admin, cnp])
def test_networks_of_cluster_wide_policies_match_pods(make: Callable[..., Json]) -> None:
    assert from_web(make(**out("Deny", {"networks": ["0.0.0.0/0"]}))) == [D, D, D]
    assert from_web(make(**out("Deny", {"networks": ["10.0.1.1/32"]}))) == [A, D, A]


@row("IPv6 CIDR")
def test_an_ipv6_block_holds_ipv6_addresses_only() -> None:
    one: Json = {"ipBlock": {"cidr": "2001:db8::/32"}}
    assert into_api({"ingress": [{"from": [one]}]}, SIX, "2001:db9::", "32.1.13.184") == [A, D, D]
    assert into_api({"ingress": [{"from": [{"ipBlock": {"cidr": "::/0"}}]}]}, SIX, OUT, WEB) == [A, D, D]
    assert from_web(admin(**out("Deny", {"networks": ["::/0"]})), targets=(SIX, OUT, PG)) == [D, A, A]


@row("replicas of one owner with different labels")
def test_replicas_are_judged_by_their_own_labels() -> None:
    both = Both(*WORLD, *replicas({"n": "0"}, {"n": "1"}), policy({"podSelector": {"matchLabels": {"n": "0"}}}))
    assert [both.ask(WEB, f"app/Pod/s-{n}") for n in (0, 1)] == [D, A]


@row("missing Namespace object")
def test_a_namespace_that_was_not_read_has_its_name_and_perhaps_more() -> None:
    ghost = pod("x", "ghost", "10.0.9.1")
    labels = [{NAME_LABEL: "ghost"}, {NAME_LABEL: "other"}, {"team": "one"}]
    assert [Both(*WORLD, ghost, allowed_from(of_spaces(one))).ask("ghost/Pod/x", API) for one in labels] == [A, D, U]
    assert [one.finding.title for one in found("ZON004", ghost)] == ["the labels of namespace ghost are unknown"]


def of_spaces(labels: Json) -> Json:
    return {"namespaceSelector": {"matchLabels": labels}}


@row("Ingress controller")
def test_the_way_in_is_by_the_routers_that_serve_the_route_and_policies_judge_their_pods() -> None:
    backend = pod("x", ip="10.0.0.9", labels={"app": "x"}, nodeName="n2")
    routers = [namespace("openshift-ingress"), shard("s", {"routeSelector": {"matchLabels": {"on": "s"}}})]
    routers += [router("s", nodeName="n1"), service("s", "app", {"app": "x"}, {"port": 80, "targetPort": 8080})]
    admits = allowed_from(of_spaces({NAME_LABEL: "openshift-ingress"}))

    def ask(labels: Json, *objects: Json) -> list[str]:
        route = published({"to": {"kind": "Service", "name": "s"}}, labels)
        both = Both(*WORLD, backend, route, *objects)
        return [both.ask(OUT, "app/Pod/x", 8080), both.ask(OUT, "app/Pod/x", 8081)]

    assert ask({"on": "s"}, *routers, admits) == [A, D]
    assert ask({"on": "other"}, *routers, admits) == [D, D]
    assert ask({"on": "s"}, *routers, ISOLATED) == [D, D]
    assert ask({"on": "s"}, routers[-1], admits) == [U, D], "no router in the input"
    on_host = router("s", ip=NODE_1, hostNetwork=True, nodeName="n1", hostIP=NODE_1)
    placed = [*routers[:2], on_host, *routers[3:], node("n1", NODE_1), node("n2", NODE_2)]
    assert ask({"on": "s"}, *placed, admits) == [D, D], "a router on the host network is its node"
    assert ask({"on": "s"}, *placed, allowed_from({"ipBlock": {"cidr": f"{NODE_1}/32"}})) == [A, D]


# Tiers ---------------------------------------------------------------------------------------------------------------


@row("ANP Pass")
def test_a_pass_skips_the_admin_tier_for_its_port_and_peer() -> None:
    port = [{"portNumber": {"protocol": "TCP", "port": 80}}]
    passes, base = admin(egress=[to("Pass", TWO, ports=port), to("Deny", EVERYONE)]), banp(**out("Deny", TWO))
    later = admin(name="later", priority=9, **out("Deny", TWO))
    for port_number, verdicts in ((80, [D, A, A]), (81, [D, D, A])):
        assert from_web(passes, later, port=port_number) == verdicts
    assert from_web(passes, later, base) == [D, D, A]
    admits = policy({"policyTypes": ["Egress"], "egress": [{"ports": [{"port": 80}]}]})
    assert from_web(passes, later, base, admits) == [D, A, A]


@row("NP present but ANP silent")
def test_a_network_policy_isolates_where_cluster_wide_ones_are_silent() -> None:
    silent = admin(**out("Allow", {"networks": ["198.51.100.0/24"]}))
    assert from_web(silent, policy({"policyTypes": ["Egress"]}), banp(**out("Allow", EVERYONE))) == [D, D, D]


@row("two ANPs, same priority")
def test_equal_priorities_are_unknown_where_the_order_matters_and_a_finding() -> None:
    clash = admin(name="a", **out("Allow", TWO)), admin(name="b", **out("Deny", EVERYONE))
    assert from_web(*clash) == [D, U, A]
    assert [one.finding.identity for one in found("NET008", *clash)] == [("equal-priority",)]
    assert from_web(clash[0], admin(name="b", **out("Deny", {"networks": [f"{OUT}/32"]}))) == [A, A, D]


@row("ANP priority")
@pytest.mark.parametrize(
    ("priority", "plugin", "verdict", "constructs"),
    [
        (99, "ovn-kubernetes", D, []),
        (100, "ovn-kubernetes", U, [("admin-priority",)]),
        (1000, "spec", D, []),
    ],
)
def test_ovn_kubernetes_may_not_program_a_priority_above_99_which_is_a_finding(
    priority: int, plugin: Plugin, verdict: str, constructs: Json
) -> None:
    denies = admin(priority=priority, **out("Deny", EVERYONE))
    assert Both(*WORLD, denies, plugin=plugin).ask(WEB, PG) == verdict
    assert [one.finding.identity for one in found("NET008", denies, plugin=plugin)] == constructs


@row("unknown peer field (newer CRD)")
def test_a_peer_with_an_unknown_field_fails_closed_or_is_unknown_and_reported() -> None:
    deny = to("Deny", EVERYONE, {"networks": ["0.0.0.0/0"]})
    strange: Json = {"services": {}}
    assert from_web(admin(egress=[to("Allow", {}), deny])) == [D, D, D], "a server that dropped the field"
    assert from_web(admin(egress=[to("Allow", strange), deny])) == [U, U, U]
    assert [from_web(admin(egress=[to(action, {})])) for action in ("Deny", "Pass")] == [[D, D, D]] * 2
    assert from_web(admin(egress=[to("Deny", strange)])) == [U, U, U]
    assert from_web(admin(egress=[to("Pass", strange), deny])) == [U, U, U]
    facts = evaluate(matrix([zone("a")]), *WORLD, admin(**out("Deny", strange))).facts
    assert [fact.gaps for fact in facts.policies] == [("unknown field `services` in a peer of egress rule 0",)]


@row("domainNames")
def test_domain_names_are_outside_addresses_that_nobody_can_tell_and_never_pods() -> None:
    names = {"domainNames": ["*.example.com"]}
    assert from_web(admin(**only("Allow", names)), targets=(OUT, SIX, PG)) == [U, U, D]
    with_reason = Both(*WORLD, admin(**only("Allow", names))).answer.document["connections"]
    assert {one["reason"] for one in with_reason if one["verdict"] == "unknown"} == {"domain-names"}


# Forms of a policy ---------------------------------------------------------------------------------------------------


@row("port with protocol, no port")
def test_a_protocol_without_port_is_every_port_of_that_protocol() -> None:
    both = Both(*WORLD, policy({"ingress": [{"ports": [{"protocol": "UDP"}]}]}))
    asked = [("UDP", 1), ("UDP", 65535), ("TCP", 1), ("SCTP", 1)]
    assert [both.ask(WEB, API, port, protocol) for protocol, port in asked] == [A, A, D, D]


@row("`ports: []` / missing")
@pytest.mark.parametrize("rule", [{"ports": []}, {"ports": None}, {}])
def test_no_ports_are_all_ports(rule: Json) -> None:
    both = Both(*WORLD, policy({"ingress": [{"from": [{"podSelector": {}}]} | rule]}))
    assert [both.ask(WEB, API, 65535, protocol) for protocol in ("TCP", "UDP", "SCTP")] == [A, A, A]
    assert both.ask(PG, API) == D


@row("`from: []` vs missing vs `[{}]` peers")
def test_no_peers_are_everybody_and_a_peer_without_field_is_nobody_and_a_finding() -> None:
    everybody: list[Json] = [{"from": []}, {"from": None}, {}]
    for one in everybody:
        assert into_api({"ingress": [one]}, WEB, PG, OUT, SIX) == [A, A, A, A]
    assert into_api({"ingress": [{"from": [{}]}]}, WEB, PG, OUT, SIX) == [D, D, D, D]
    assert observed("NET005", allowed_from({})) == ["ingress rule 0: peer 0 names nothing"]
    assert observed("NET005", allowed_from({"podSelector": {}})) == []


@row("`ingress: []` vs missing vs `[{}]`")
def test_no_rules_let_nothing_in_and_an_empty_rule_everything() -> None:
    nothing: list[Json] = [{"ingress": []}, {"ingress": None}, {}]
    for one in nothing:
        assert into_api(one, WEB, PG, OUT) == [D, D, D]
    assert into_api({"ingress": [{}]}, WEB, PG, OUT) == [A, A, A]


@row("policyTypes missing")
def test_missing_policy_types_are_ingress_and_egress_only_where_there_are_egress_rules() -> None:
    for spec, verdicts in (({}, [A, D]), ({"egress": []}, [A, D]), ({"egress": [{"ports": [{"port": 1}]}]}, [D, D])):
        missing: list[Json] = [{}, {"policyTypes": None}, {"policyTypes": []}]
        for types in missing:
            both = Both(*WORLD, policy(spec | types))
            assert [both.ask(WEB, PG), both.ask(PG, WEB)] == verdicts


@row("rules for a type not listed")
def test_rules_of_a_type_that_is_not_listed_do_nothing_and_are_a_finding() -> None:
    unlisted = policy({"policyTypes": ["Ingress"], "egress": [{"ports": [{"port": 1}]}]})
    both = Both(*WORLD, unlisted)
    assert [both.ask(WEB, PG), both.ask(PG, WEB)] == [A, D]
    assert observed("NET006", unlisted) == ["egress rules are ignored: policyTypes does not list Egress"]


@row("terminated pods (Succeeded/Failed)")
def test_pods_that_ended_are_gone_and_pending_pods_have_an_unknown_address() -> None:
    pods = [pod(phase.lower(), "db", phase=phase) for phase in ("Succeeded", "Failed", "Pending")]
    both = Both(*WORLD, *pods, allowed_from({"ipBlock": {"cidr": "10.0.0.0/8"}}))
    assert both.answer.inside == (API, WEB, "db/Pod/pending", PG)
    assert set(both.cluster.pods) == set(both.answer.inside)
    assert both.ask("db/Pod/pending", API) == U


# Selectors -----------------------------------------------------------------------------------------------------------


@row("`podSelector` absent in a peer that has namespaceSelector")
def test_a_namespace_selector_alone_is_every_pod_of_its_namespaces() -> None:
    gap = replicas({"app": "s"}, {"app": "s", "extra": "1"})
    peer = of_spaces({"team": "one"})
    both = Both(*WORLD, *gap, policy({"ingress": [{"from": [peer]}]}, "db"))
    assert [both.ask(source, PG) for source in (WEB, API, "app/Pod/s-0", "app/Pod/s-1", OUT)] == [A, A, A, A, D]


@row("matchExpressions Exists with namespaceSelector")
def test_an_expression_is_looked_for_in_the_selected_namespaces() -> None:
    peer = of_spaces({"team": "two"}) | {"podSelector": expression("tier", "Exists")}
    both = Both(*WORLD, pod("bare", "db", "10.0.1.2"), allowed_from(peer))
    assert [both.ask(source, API) for source in (PG, "db/Pod/bare", WEB)] == [A, D, D]
    keyed = {"namespaceSelector": expression("team", "Exists")}
    assert into_api({"ingress": [{"from": [keyed]}]}, PG, WEB, "bare/Pod/x", more=BARE) == [A, A, D]


BARE = (namespace("bare"), pod("x", "bare", "10.0.2.1"))


@row('label value "" vs missing key')
def test_an_empty_value_is_a_value() -> None:
    spaces = [namespace("empty", team=""), pod("e", "empty", "10.0.2.2"), *BARE]
    for asked, verdicts in (
        (expression("team", "In", ""), [A, D]),
        (expression("team", "NotIn", ""), [D, A]),
        (expression("team", "Exists"), [A, D]),
        (expression("team", "DoesNotExist"), [D, A]),
        ({"matchLabels": {"team": ""}}, [A, D]),
    ):
        both = Both(*WORLD, *spaces, allowed_from({"namespaceSelector": asked}))
        assert [both.ask("empty/Pod/e", API), both.ask("bare/Pod/x", API)] == verdicts


# Beside the policies -------------------------------------------------------------------------------------------------


@row("ICMP")
def test_icmp_is_in_no_verdict_and_a_row_that_blocks_it_passes_only_where_nothing_is_open() -> None:
    register = {one["id"]: one["text"] for one in reach(WORLD).document["assumptions"]}
    assert "ICMP" in register["protocols"]
    rules = [to("Accept", EVERYONE, protocols=[{"icmp": {}}]), to("Deny", EVERYONE)]
    assert from_web(cnp(egress=rules)) == [U, U, A], "what else the entry may mean is open"
    blocked = Flow(id="r", source="one", target="two", access="block-only", services=("icmp",), unmodelled=("icmp",))
    verdicts = [
        one.verdict
        for closed in ([], [policy({}, "db")])
        for one in check(*closed, flows=[blocked]).cells
        if (one.cell.source, one.cell.target) == ("one", "two")
    ]
    assert verdicts == ["not-evaluated", "pass"]


@row("primary UDN exceptions")
def test_a_primary_network_is_apart_but_for_dns_the_api_server_and_open_ports() -> None:
    own = namespace("own", **{UDN_LABEL: ""})
    inside = annotated(pod("in", "own", nodeName="n2"), ports="- protocol: tcp\n  port: 8080\n")
    dns = [namespace("openshift-dns"), pod("dns", "openshift-dns", "10.0.4.1", labels={"dns": "default"})]
    dns += [service("dns-default", "openshift-dns", {"dns": "default"}, {"port": 53, "protocol": "UDP"})]
    kube = [node("n1", NODE_1), host("kube-apiserver", ns="kube", hostIP=NODE_1), namespace("kube")]
    more = [own, udn("own"), inside, *dns, *kube, service("s", "app", {"tier": "api"}, {"port": 80})]
    both = Both(*WORLD, *more, plugin="ovn-kubernetes")
    source = "own/Pod/in"
    assert [both.ask(source, "openshift-dns/Pod/dns", 53, protocol) for protocol in ("UDP", "TCP")] == [U, D]
    assert [both.ask(source, "kube/Pod/kube-apiserver", 6443), both.ask(source, OUT)] == [A, A]
    assert [both.ask(WEB, source, port) for port in (8080, 8081)] == [U, D]
    assert both.ask(source, API) == D, "Services of the default network lead to its pods, which are apart"


# The table itself ----------------------------------------------------------------------------------------------------


def test_every_row_of_the_table_has_a_test() -> None:
    if not TABLE.is_file():
        pytest.skip("the table of corners is not beside the repository")
    section = TABLE.read_text(encoding="utf-8").partition("\n## 2.")[2].partition("\n## ")[0]
    titles = [text.strip() for text in re.findall(r"^\|([^|]+)\|", section, re.MULTILINE)]
    assert titles[:2] == ["corner", "---"]
    assert list(ROWS) == titles[2:]
