"""The corners of the tiers around NetworkPolicy, one by one, on the engine; the slow evaluator must agree."""

from __future__ import annotations

from typing import Any

import pytest

from audit.errors import AuditErrors
from tests.oracle.engine import reach
from tests.oracle.test_corners import UNKNOWN, A, Both, D, U
from tests.oracle.world import API, OUT, PG, WEB, WORLD, container, host, namespace, pod, policy

Json = Any
VERSIONS = {"AdminNetworkPolicy": 1, "BaselineAdminNetworkPolicy": 1, "ClusterNetworkPolicy": 2}
EVERYONE: Json = {"namespaces": {}}
NODE_OUT, NODE_IN = "198.51.100.1", "10.9.0.1"
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"role": "x"}},
    "status": {
        "addresses": [
            {"type": "Hostname", "address": "n1"},
            {"type": "InternalIP", "address": NODE_IN},
            {"type": "ExternalIP", "address": NODE_OUT},
        ]
    },
}
AGENT = "app/Pod/agent"
HOSTS = [NODE, host("agent", hostIP=NODE_IN)]


def admin(kind: str = "AdminNetworkPolicy", name: str = "x", subject: Json = None, **spec: Json) -> Json:
    """An object of one of the kinds, for every pod unless told otherwise."""
    head: Json = {"subject": subject or EVERYONE}
    if kind != "BaselineAdminNetworkPolicy":
        head["priority"] = 5
    if kind == "ClusterNetworkPolicy":
        head["tier"] = "Admin"
    version = f"policy.networking.k8s.io/v1alpha{VERSIONS[kind]}"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": head | spec}


def banp(**spec: Json) -> Json:
    return admin("BaselineAdminNetworkPolicy", "default", **spec)


def cnp(name: str = "c", **spec: Json) -> Json:
    return admin("ClusterNetworkPolicy", name, **spec)


def to(action: str, *peers: Json, **more: Json) -> Json:
    return {"action": action, "to": list(peers), **more}


def out(action: str, *peers: Json, **more: Json) -> Json:
    """Egress of one rule."""
    return {"egress": [to(action, *peers, **more)]}


def into(action: str, *peers: Json, **more: Json) -> Json:
    return {"ingress": [{"action": action, "from": list(peers), **more}]}


def only(action: str, peer: Json) -> Json:
    """Egress where only what the rule names is not denied."""
    return {"egress": [to(action, peer), to("Deny", EVERYONE, {"networks": ["0.0.0.0/0", "::/0"]})]}


def from_web(*objects: Json, targets: tuple[str, ...] = (API, PG, OUT), **kwargs: Any) -> list[str]:
    both = Both(*WORLD, *objects)
    return [both.ask(WEB, target, **kwargs) for target in targets]


# Order ---------------------------------------------------------------------------------------------------------------


def test_lower_priority_values_come_first() -> None:
    first = admin(name="z", priority=1, **out("Allow", {"namespaces": {"matchLabels": {"team": "two"}}}))
    second = admin(name="a", priority=1000, **out("Deny", EVERYONE))
    assert from_web(second, first) == [D, A, A]


def test_within_one_object_the_first_matching_rule_decides() -> None:
    two = {"namespaces": {"matchLabels": {"team": "two"}}}
    assert from_web(admin(egress=[to("Deny", two), to("Allow", EVERYONE), to("Deny", EVERYONE)])) == [A, D, A]


def test_an_object_that_does_not_match_has_no_effect() -> None:
    nobody = {"namespaces": {"matchLabels": {"team": "none"}}}
    assert from_web(admin(**out("Allow", nobody)), admin(name="y", subject=nobody, **out("Deny", EVERYONE))) == [A] * 3


def test_allow_overrides_network_policy() -> None:
    deny = policy({"policyTypes": ["Egress"]})
    assert from_web(deny, admin(**out("Allow", {"namespaces": {"matchLabels": {"team": "two"}}}))) == [D, A, D]


def test_network_policy_isolates_where_the_admin_tier_is_silent() -> None:
    assert (
        from_web(policy({"policyTypes": ["Egress"]}), admin(**out("Deny", {"networks": ["192.0.2.0/24"]}))) == [D] * 3
    )


def test_pass_skips_later_admin_rules_and_leaves_network_policy_to_decide() -> None:
    passes = admin(priority=1, **out("Pass", {"namespaces": {"matchLabels": {"team": "two"}}}))
    denies = admin(name="y", priority=2, **out("Deny", EVERYONE))
    assert from_web(passes, denies) == [D, A, A]
    assert from_web(passes, denies, policy({"policyTypes": ["Egress"]})) == [D, D, D]


def test_pass_leads_to_the_baseline_where_no_network_policy_selects() -> None:
    passes, base = admin(**out("Pass", EVERYONE)), banp(**out("Deny", EVERYONE))
    assert from_web(passes, base) == [D, D, A]
    allows = policy({"policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}]})
    assert from_web(passes, base, allows) == [A, D, D]


def test_pass_is_per_port_and_peer() -> None:
    port = [{"portNumber": {"protocol": "TCP", "port": 80}}]
    rules = [to("Pass", {"namespaces": {"matchLabels": {"team": "two"}}}, ports=port), to("Deny", EVERYONE)]
    assert from_web(admin(egress=rules)) == [D, A, A]
    assert from_web(admin(egress=rules), port=81) == [D, D, A]


def test_the_baseline_decides_only_for_pods_that_no_network_policy_isolates() -> None:
    base = banp(**into("Deny", EVERYONE))
    opened = policy({"podSelector": {"matchLabels": {"tier": "api"}}, "ingress": [{}]})
    both = Both(*WORLD, base, opened)
    assert [both.ask(WEB, API), both.ask(WEB, PG), both.ask(OUT, PG)] == [A, D, A]


def test_egress_and_ingress_are_decided_apart_and_both_must_allow() -> None:
    allow = admin(subject={"namespaces": {"matchLabels": {"team": "one"}}}, **out("Allow", EVERYONE))
    assert from_web(allow, policy({"policyTypes": ["Ingress"]}, "db")) == [A, D, A]


def test_pass_in_a_baseline_object_goes_to_the_default() -> None:
    rules = [to("Pass", {"namespaces": {"matchLabels": {"team": "two"}}}), to("Deny", EVERYONE)]
    assert from_web(cnp(tier="Baseline", egress=rules)) == [D, A, A]


# Equal priorities ----------------------------------------------------------------------------------------------------


def test_equal_priorities_are_unknown_only_where_the_order_matters() -> None:
    two = {"namespaces": {"matchLabels": {"team": "two"}}}
    assert from_web(admin(name="a", **out("Allow", two)), admin(name="b", **out("Deny", EVERYONE))) == [D, U, A]


def test_disjoint_objects_of_equal_priority_are_certain() -> None:
    one, two = ({"namespaces": {"matchLabels": {"team": team}}} for team in ("one", "two"))
    assert from_web(admin(name="a", **out("Allow", two)), admin(name="b", **out("Deny", one))) == [D, A, A]


def test_equal_priorities_that_agree_are_certain() -> None:
    assert from_web(admin(name="a", **out("Deny", EVERYONE)), cnp(**out("Deny", EVERYONE))) == [D, D, A]


def test_a_pass_against_a_deny_of_equal_priority_counts_only_if_the_tiers_below_differ() -> None:
    clash = admin(name="a", **out("Pass", EVERYONE)), admin(name="b", **out("Deny", EVERYONE))
    assert from_web(*clash) == [U, U, A]
    assert from_web(*clash, policy({"policyTypes": ["Egress"]})) == [D, D, D]


def test_equal_priorities_of_different_tiers_do_not_meet() -> None:
    assert from_web(cnp("a", **out("Accept", EVERYONE)), cnp("b", tier="Baseline", **out("Deny", EVERYONE))) == [A] * 3


def test_a_baseline_without_priority_has_no_place_among_others() -> None:
    first = cnp(tier="Baseline", priority=0, **out("Deny", EVERYONE))
    last = cnp("d", tier="Baseline", priority=1000, **out("Accept", EVERYONE))
    base = banp(**out("Allow", {"namespaces": {"matchLabels": {"team": "two"}}}))
    assert from_web(first, last, base) == [D, U, A]


@pytest.mark.parametrize("value", [100, 1000])
def test_the_whole_range_of_priorities_counts(value: int) -> None:
    assert from_web(admin(priority=value, **out("Deny", EVERYONE))) == [D, D, A]


@pytest.mark.parametrize("value", [-1, 1001, None, "5", True])
def test_other_priorities_are_refused(value: Json) -> None:
    with pytest.raises(AuditErrors, match="priority"):
        reach([*WORLD, admin(priority=value)])


# Subjects and peers --------------------------------------------------------------------------------------------------


def test_host_network_pods_are_neither_subjects_nor_selected_peers() -> None:
    both = Both(*WORLD, *HOSTS, admin(**out("Deny", EVERYONE), **into("Deny", EVERYONE)))
    assert [both.ask(WEB, AGENT), both.ask(AGENT, OUT), both.ask(AGENT, PG)] == [A, A, A]
    placed = pod("far", "db", ip="10.0.1.9", nodeName="n2")
    pods: Json = {"pods": {"namespaceSelector": {}, "podSelector": {}}}
    both = Both(*WORLD, *HOSTS, placed, admin(**out("Deny", pods), **into("Deny", pods)))
    assert [both.ask(WEB, AGENT), both.ask(AGENT, "db/Pod/far")] == [A, A]


def test_subject_pods_need_both_selectors_to_match() -> None:
    subject = {
        "pods": {"namespaceSelector": {"matchLabels": {"team": "one"}}, "podSelector": {"matchLabels": {"tier": "web"}}}
    }
    both = Both(*WORLD, admin(subject=subject, **out("Deny", EVERYONE)))
    assert [both.ask(WEB, PG), both.ask(API, PG), both.ask(PG, WEB)] == [D, A, A]


@pytest.mark.parametrize("subject", [{"podz": {}}, {"namespaces": None}, {"namespaces": {}, "pods": {}}])
def test_a_subject_without_exactly_one_field_is_refused(subject: Json) -> None:
    with pytest.raises(AuditErrors, match="subject"):
        reach([*WORLD, admin(subject=subject)])


def test_networks_match_the_addresses_of_pods() -> None:
    assert from_web(admin(**out("Deny", {"networks": ["10.0.1.0/24"]}))) == [A, D, A]
    assert from_web(admin(**out("Deny", {"networks": ["0.0.0.0/0"]}))) == [D, D, D]


def test_a_pass_for_pods_before_a_network_rule_spares_them() -> None:
    assert from_web(admin(egress=[to("Pass", EVERYONE), to("Deny", {"networks": ["0.0.0.0/0"]})])) == [A, A, D]


def test_networks_and_a_pod_without_an_address_are_unknown() -> None:
    nameless = pod("new", labels={"tier": "new"})
    assert from_web(nameless, admin(**out("Deny", {"networks": ["10.0.0.0/8"]})), targets=("app/Pod/new",)) == [U]
    halves = {"networks": ["0.0.0.0/1", "128.0.0.0/1", "::/0"]}
    assert from_web(nameless, admin(**out("Deny", halves)), targets=("app/Pod/new", OUT)) == [D, D]


def test_ipv4_networks_never_match_ipv6() -> None:
    assert from_web(admin(**out("Deny", {"networks": ["0.0.0.0/0"]})), targets=("2001:db8::1",)) == [A]
    assert from_web(admin(**out("Deny", {"networks": ["2001:db8::/32"]})), targets=("2001:db8::1", "32.1.13.184")) == [
        D,
        A,
    ]


def test_nodes_are_all_their_addresses_and_the_host_network_pods_there() -> None:
    targets = (AGENT, NODE_IN, NODE_OUT, OUT, PG)
    assert from_web(*HOSTS, admin(**out("Deny", {"nodes": {}})), targets=targets) == [D, D, D, A, A]
    other = {"nodes": {"matchLabels": {"role": "y"}}}
    assert from_web(*HOSTS, admin(**out("Deny", other)), targets=targets) == [A] * 5


def test_without_node_objects_any_outside_address_may_be_a_node() -> None:
    nodes = {"nodes": {"matchLabels": {"role": "x"}}}
    assert from_web(admin(**only("Allow", nodes)), targets=(OUT, PG)) == [U, D]
    assert from_web(HOSTS[1], admin(**only("Allow", nodes)), targets=(AGENT,)) == [U]


@pytest.mark.parametrize("field", ["nodes", "networks", "domainNames", "services"])
def test_a_peer_field_that_ingress_does_not_have_is_unknown(field: str) -> None:
    both = Both(*WORLD, admin(**into("Deny", {field: {} if field in ("nodes", "services") else ["10.0.0.0/8"]})))
    assert [both.ask(OUT, API), both.ask(WEB, API), both.ask(API, OUT)] == [U, U, A]


def test_domain_names_may_be_any_outside_address_and_no_pod() -> None:
    names = {"domainNames": ["*.example.com"]}
    assert from_web(*HOSTS, admin(**only("Allow", names)), targets=(OUT, PG, AGENT)) == [U, D, U]


# Failing closed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [{}, {"namespaces": None}, {"networks": []}])
def test_an_allow_rule_with_an_empty_peer_matches_nothing(empty: Json) -> None:
    deny = to("Deny", EVERYONE, {"networks": ["0.0.0.0/0"]})
    assert from_web(admin(egress=[to("Allow", empty), deny])) == [D] * 3
    assert from_web(admin(egress=[to("Allow", empty, EVERYONE), deny])) == [D] * 3


@pytest.mark.parametrize("action", ["Deny", "Pass"])
def test_another_rule_with_an_empty_peer_denies_everything(action: str) -> None:
    port = [{"portNumber": {"protocol": "TCP", "port": 443}}]
    assert from_web(admin(**out(action, {}, ports=port))) == [D] * 3
    assert from_web(cnp(**out(action, {}, EVERYONE))) == [D] * 3


@pytest.mark.parametrize("action", ["Allow", "Deny", "Pass"])
@pytest.mark.parametrize("peer", [{"services": {}}, {"services": {}, "namespaces": {}}])
def test_an_unknown_peer_field_may_match_anything(action: str, peer: Json) -> None:
    below = policy({"policyTypes": ["Egress"]}) if action != "Deny" else {**NODE}
    expected = D if action == "Pass" else U
    assert from_web(below, admin(**out(action, peer))) == [expected] * 3


def test_an_unknown_field_in_a_rule_or_spec_may_decide_anything() -> None:
    nobody = {"namespaces": {"matchLabels": {"team": "none"}}}
    assert from_web(admin(**out("Deny", nobody, logging=True))) == [U] * 3
    answer = reach([*WORLD, admin(mode="audit")])
    assert answer.pair(WEB, PG) == UNKNOWN
    assert from_web(admin(mode="audit")) == [U] * 3


@pytest.mark.parametrize("listed", [None, []])
def test_a_rule_without_peers_is_refused(listed: Json) -> None:
    with pytest.raises(AuditErrors, match="at least one peer"):
        reach([*WORLD, admin(egress=[{"action": "Deny", "to": listed}])])


def test_a_peer_with_two_fields_is_refused() -> None:
    with pytest.raises(AuditErrors, match="exactly one field"):
        reach([*WORLD, admin(**out("Deny", {"namespaces": {}, "networks": ["10.0.0.0/8"]}))])


@pytest.mark.parametrize(
    ("kind", "action"),
    [("AdminNetworkPolicy", "Accept"), ("BaselineAdminNetworkPolicy", "Pass"), ("ClusterNetworkPolicy", "Allow")],
)
def test_an_action_that_the_kind_does_not_have_is_refused(kind: str, action: str) -> None:
    with pytest.raises(AuditErrors, match="action"):
        reach([*WORLD, admin(kind, **out(action, EVERYONE))])


def test_unknown_namespace_labels_leave_subject_and_peer_open() -> None:
    objects = [pod("lost", "gone", ip="10.0.7.1"), pod("near", "app", ip="10.0.7.2")]
    two = {"namespaces": {"matchLabels": {"team": "two"}}}
    assert from_web(*objects, admin(**out("Deny", two)), targets=("gone/Pod/lost", PG, API)) == [U, D, A]
    both = Both(*WORLD, *objects, admin(subject=two, **out("Deny", EVERYONE)))
    assert [both.ask("gone/Pod/lost", PG), both.ask(PG, API)] == [U, D]
    named = {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "gone"}}}
    assert from_web(*objects, admin(**out("Deny", named)), targets=("gone/Pod/lost", PG)) == [D, A]


# Both generations ----------------------------------------------------------------------------------------------------


def test_the_first_generation_selects_namespaces_one_level_deeper() -> None:
    inner = {"namespaceSelector": {"matchLabels": {"team": "two"}}}
    assert from_web(admin(**out("Deny", {"namespaces": inner}))) == [A, D, A]
    pods = {"namespaces": {"namespaceSelector": {}}, "podSelector": {"matchLabels": {"tier": "api"}}}
    assert from_web(admin(**out("Deny", {"pods": pods}))) == [D, A, A]


MORE = [
    namespace("twin", team="one"),
    namespace("bare"),
    pod("t", "twin", ip="10.0.8.1"),
    pod("b", "bare", ip="10.0.8.2"),
]
SPACES = (API, PG, "twin/Pod/t", "bare/Pod/b")


def test_same_labels_need_the_label_and_the_value_of_the_subject() -> None:
    assert from_web(*MORE, admin(**out("Deny", {"namespaces": {"sameLabels": ["team"]}})), targets=SPACES) == [
        D,
        A,
        D,
        A,
    ]


def test_not_same_labels_need_the_label_with_another_value() -> None:
    assert from_web(*MORE, admin(**out("Deny", {"namespaces": {"notSameLabels": ["team"]}})), targets=SPACES) == [
        A,
        D,
        A,
        A,
    ]


@pytest.mark.parametrize("field", ["sameLabels", "notSameLabels"])
@pytest.mark.parametrize("keys", [[], ["never"]])
def test_no_labels_or_labels_that_nothing_has_select_nothing(field: str, keys: list[str]) -> None:
    assert from_web(*MORE, admin(**out("Deny", {"namespaces": {field: keys}})), targets=SPACES) == [A] * 4


def test_the_second_version_has_no_fields_of_the_first_generation() -> None:
    assert from_web(cnp(**out("Deny", {"namespaces": {"sameLabels": ["team"]}}))) == [U] * 3


def test_what_an_upgrade_leaves_of_a_first_generation_peer_selects_every_namespace() -> None:
    """Dropping `namespaceSelector` from `namespaces` leaves an empty selector, which in the flat form is everything."""
    assert from_web(admin(**out("Deny", {"namespaces": {}}))) == [D, D, A]
    assert from_web(admin(**out("Deny", {"pods": {"podSelector": {"matchLabels": {"tier": "db"}}}}))) == [A, D, A]


# Ports ---------------------------------------------------------------------------------------------------------------


def test_ports_are_destination_ports_with_a_protocol() -> None:
    ports = [{"portNumber": {"port": 80}}, {"portRange": {"protocol": "UDP", "start": 53, "end": 54}}]
    both = Both(*WORLD, admin(**out("Deny", EVERYONE, ports=ports)))
    asked = [("TCP", 80), ("UDP", 80), ("TCP", 81), ("UDP", 52), ("UDP", 53), ("UDP", 54), ("UDP", 55), ("SCTP", 53)]
    assert [both.ask(WEB, PG, port, protocol) for protocol, port in asked] == [D, A, A, A, D, D, A, A]


def test_protocols_of_the_second_version() -> None:
    protocols = [
        {"tcp": {"destinationPort": {"number": 443}}},
        {"sctp": {"destinationPort": {"range": {"start": 1, "end": 9}}}},
    ]
    both = Both(*WORLD, cnp(**into("Deny", EVERYONE, protocols=protocols)))
    asked = [("TCP", 443), ("UDP", 443), ("TCP", 444), ("SCTP", 9), ("SCTP", 10)]
    assert [both.ask(WEB, PG, port, protocol) for protocol, port in asked] == [D, A, A, D, A]


@pytest.mark.parametrize("entry", [{}, {"icmp": {}}, {"tcp": {}}, {"tcp": {"destinationPort": {}}}])
def test_a_protocol_that_says_too_little_is_unknown(entry: Json) -> None:
    assert from_web(cnp(**only("Accept", EVERYONE) | out("Accept", EVERYONE, protocols=[entry]))) == [A] * 3
    rules = [to("Accept", EVERYONE, protocols=[entry]), to("Deny", EVERYONE)]
    assert from_web(cnp(egress=rules)) == [U, U, A]


@pytest.mark.parametrize("entry", [{}, {"appPort": 1}, {"portNumber": {"port": 80, "sourcePort": 1}}])
def test_a_port_with_an_unknown_field_is_unknown(entry: Json) -> None:
    assert from_web(admin(egress=[to("Allow", EVERYONE, ports=[entry]), to("Deny", EVERYONE)])) == [U, U, A]


@pytest.mark.parametrize(
    ("make", "ports"), [(admin, {"ports": [{"namedPort": "p"}]}), (cnp, {"protocols": [{"destinationNamedPort": "p"}]})]
)
def test_named_ports_are_resolved_per_destination_pod_with_every_protocol(make: Any, ports: Json) -> None:
    pods = [
        pod("one", ip="10.0.9.1", containers=[container(("p", "TCP", 1000))]),
        pod("two", ip="10.0.9.2", containers=[container(("p", "UDP", 2000))]),
        pod("none", ip="10.0.9.3"),
    ]
    for rules in (out("Deny", EVERYONE, **ports), into("Deny", EVERYONE, **ports)):
        both = Both(*WORLD, *pods, make(**rules))
        asked = [
            ("one", "TCP", 1000),
            ("one", "UDP", 1000),
            ("two", "UDP", 2000),
            ("two", "TCP", 1000),
            ("none", "TCP", 1000),
        ]
        assert [both.ask(WEB, f"app/Pod/{n}", port, protocol) for n, protocol, port in asked] == [D, A, D, A, A]


# Beside the tiers ----------------------------------------------------------------------------------------------------


def test_a_pod_to_itself_is_left_out_and_replicas_are_denied() -> None:
    answer = reach([*WORLD, admin(**out("Deny", EVERYONE, {"networks": ["0.0.0.0/0", "::/0"]}))])
    assert answer.pair(WEB, WEB) == {}
    assert answer.pair(WEB, API) == {}


def test_a_node_reaches_its_own_pods_whatever_the_tiers_say() -> None:
    here = pod("here", ip="10.0.0.8", nodeName="n1")
    both = Both(*WORLD, *HOSTS, here, admin(**into("Deny", {})))
    assert [both.ask(AGENT, "app/Pod/here"), both.ask(WEB, "app/Pod/here")] == [A, D]


def test_a_policy_kind_without_semantics_still_takes_all_certainty() -> None:
    cilium = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumClusterwideNetworkPolicy",
        "metadata": {"name": "x"},
        "spec": {},
    }
    assert from_web(cilium, admin(**out("Deny", EVERYONE))) == [U] * 3


def test_an_unknown_field_in_a_network_policy_leaves_the_admin_tier_certain() -> None:
    strange = policy({"podSelector": {}, "tier": "x"})
    rules = [to("Allow", {"namespaces": {"matchLabels": {"team": "two"}}}), to("Deny", {"networks": ["192.0.2.0/24"]})]
    assert from_web(strange, admin(egress=rules), targets=(PG, OUT, "198.51.100.7")) == [A, D, U]


def test_a_pass_with_an_empty_peer_and_an_unknown_field_may_deny_everything() -> None:
    assert from_web(admin(**out("Pass", {}, logging=True))) == [U] * 3


def test_networks_of_two_peers_that_together_hold_every_address_hold_one_that_is_not_known() -> None:
    nameless = pod("new", labels={"tier": "new"})
    peers = [{"networks": ["0.0.0.0/0"]}, {"networks": ["::/0"]}]
    assert from_web(nameless, admin(**out("Deny", *peers)), targets=("app/Pod/new", OUT)) == [D, D]
