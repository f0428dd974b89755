"""What rules read besides the cells: isolation, rules for everyone, peers without a match, sections without effect."""

from __future__ import annotations

from typing import Any

import pytest

from audit.facts import gather
from audit.flows import Facts, Isolation, PolicyFact
from tests.core.clusters import DENY_ALL, deployment, host, namespace, pod, policy, reachability

Json = Any
WEB: Json = {"matchLabels": {"tier": "web"}}
WORLD = [namespace("app"), namespace("db", team="two"), pod("web", labels={"tier": "web"}), pod("api"), pod("pg", "db")]


def facts(*objects: Json) -> Facts:
    return gather(reachability(*WORLD, *objects), {})


def fact(spec: Json, *objects: Json) -> PolicyFact:
    """What is odd about one policy in `app`."""
    (found,) = facts(policy(spec), *objects).policies
    return found


def app(*objects: Json) -> Isolation:
    return facts(*objects).isolation["app"]


# Isolation -----------------------------------------------------------------------------------------------------------


def test_without_policies_nothing_is_isolated() -> None:
    assert app() == Isolation(pods=2, ingress=0, egress=0, policies=0, future_ingress=False, future_egress=False)


@pytest.mark.parametrize(
    ("spec", "counts", "future"),
    [
        ({}, (2, 0), (True, False)),
        (DENY_ALL, (2, 2), (True, True)),
        ({"podSelector": WEB}, (1, 0), (False, False)),
        ({"podSelector": WEB, "policyTypes": ["Egress"]}, (0, 1), (False, False)),
        (
            {"podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}},
            (1, 0),
            (True, False),
        ),
        ({"podSelector": {"matchLabels": {"tier": "none"}}}, (0, 0), (False, False)),
        ({"ingress": [{"ports": [{"port": 80}]}]}, (2, 0), (True, False)),
    ],
)
def test_how_many_pods_are_isolated_and_whether_a_new_one_would_be(
    spec: Json, counts: tuple[int, int], future: tuple[bool, bool]
) -> None:
    found = app(policy(spec))
    assert (found.pods, found.policies) == (2, 1)
    assert (found.ingress, found.egress) == counts
    assert (found.future_ingress, found.future_egress) == future


def test_policies_that_share_the_pods_count_each_pod_once() -> None:
    found = app(policy({}, name="one"), policy({"podSelector": WEB}, name="two"), policy(DENY_ALL, name="three"))
    assert (found.policies, found.ingress, found.egress) == (3, 2, 2)


def test_host_network_pods_are_not_counted_and_replicas_are() -> None:
    replicas = [pod(f"web-{n}", labels={"tier": "web"}) for n in range(3)]
    found = app(*replicas, host("agent"), deployment("job", labels={"tier": "job"}), policy({"podSelector": WEB}))
    assert (found.pods, found.ingress) == (6, 4)


def test_namespaces_without_pods_that_policies_can_select_are_left_out() -> None:
    found = facts(namespace("empty"), policy({}, "empty"), namespace("nodes"), host("agent", ns="nodes"))
    assert set(found.isolation) == {"app", "db"}


# Rules for everyone --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({}, "rule 0 admits any peer on any port"),
        ({"from": [{"namespaceSelector": {}}]}, "rule 0 admits every namespace on any port"),
        (
            {"from": [{"podSelector": WEB}, {"namespaceSelector": {}}]},
            "rule 0 admits pods tier=web of the same namespace, every namespace on any port",
        ),
        ({"ports": [{"protocol": name} for name in ("TCP", "UDP", "SCTP")]}, "rule 0 admits any peer on any port"),
    ],
)
def test_a_rule_that_admits_everyone_on_every_port_undoes_isolation(rule: Json, text: str) -> None:
    (cause,) = app(policy({"ingress": [rule]})).open_ingress_by
    assert (str(cause.ref), cause.rule, cause.text) == ("NetworkPolicy app/p", 0, text)


@pytest.mark.parametrize(
    "spec",
    [
        {"ingress": [{"ports": [{}]}]},
        {"ingress": [{"from": [{"podSelector": {}}]}]},
        {"ingress": [{"from": [{"namespaceSelector": {}, "podSelector": WEB}]}]},
        {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]}]},
        {"policyTypes": ["Egress"], "egress": [{}]},
        {"policyTypes": ["Egress"], "ingress": [{}]},
        {"podSelector": {"matchLabels": {"tier": "none"}}, "ingress": [{}]},
        {"ingress": [{"action": "Deny"}]},
    ],
)
def test_rules_that_admit_less_or_nobody_knows_what_do_not(spec: Json) -> None:
    assert app(policy(spec)).open_ingress_by == ()


# Oddities of a policy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "selected", "text"),
    [({}, 2, "everything"), (WEB, 1, "tier=web"), ({"matchLabels": {"tier": "none"}}, 0, "tier=none")],
)
def test_how_many_pods_a_policy_selects(selector: Json, selected: int, text: str) -> None:
    found = fact({"podSelector": selector})
    assert (found.selected, found.selector) == (selected, text)


def test_a_policy_in_a_namespace_without_pods_selects_none() -> None:
    (found,) = facts(policy({}, "elsewhere")).policies
    assert found.selected == 0


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        ({"podSelector": {"matchLabels": {"tier": "none"}}}, "pods tier=none of the same namespace"),
        ({"namespaceSelector": {"matchLabels": {"team": "none"}}}, "namespaces team=none"),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}}, "pods a=b of every namespace"),
        (
            {"namespaceSelector": {"matchLabels": {"team": "two"}}, "podSelector": WEB},
            "pods tier=web of namespaces team=two",
        ),
    ],
)
def test_a_peer_that_matches_nothing_now(peer: Json, text: str) -> None:
    rules = [{}, {"from": [{"podSelector": WEB}, peer]}]
    assert fact({"ingress": rules}).empty_peers == (f"ingress rule 1: {text}",)
    egress = [{"to": [peer]}]
    assert fact({"policyTypes": ["Egress"], "egress": egress}).empty_peers == (f"egress rule 0: {text}",)


@pytest.mark.parametrize(
    "peer",
    [
        {"podSelector": WEB},
        {"podSelector": {}},
        {"namespaceSelector": {"matchLabels": {"team": "two"}}},
        {"ipBlock": {"cidr": "192.0.2.0/24"}},
        {"nodes": {}},
    ],
)
def test_a_peer_that_matches_something_or_cannot_be_told_is_not_empty(peer: Json) -> None:
    assert fact({"ingress": [{"from": [peer]}]}).empty_peers == ()


def test_a_namespace_whose_labels_are_not_known_may_match() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"team": "none"}}}
    assert fact({"ingress": [{"from": [peer]}]}, pod("x", "ghost")).empty_peers == ()


def test_a_peer_that_names_nothing_is_told_with_the_empty_ones() -> None:
    assert fact({"ingress": [{"from": [{}]}]}).empty_peers == ("ingress rule 0: peer 0 names nothing",)


def test_sections_without_effect_and_gaps_are_passed_on() -> None:
    found = fact({"policyTypes": ["Egress"], "ingress": [{"action": "x"}]})
    assert found.inert == ("ingress rules are ignored: policyTypes does not list Ingress",)
    assert found.gaps == ("unknown field `action` in ingress rule 0",)


# The register --------------------------------------------------------------------------------------------------------


def test_what_every_verdict_rests_on_is_always_said_and_doubts_are_added_with_their_counts() -> None:
    standing = gather(reachability(*WORLD), {}).assumptions
    assert {one.id for one in standing} == {"enforcement", "node-addresses", "node-to-own-pods", "protocols"}
    more = gather(reachability(*WORLD), {"router": 3}).assumptions
    assert [(one.id, one.connections) for one in more if one not in standing] == [("router", 3)]
    assert all(one.text for one in more)


def test_policies_of_kinds_that_are_not_modelled_are_named() -> None:
    other = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "x", "namespace": "app"}}
    assert [str(ref) for ref in facts(other | {"spec": {}}).foreign] == ["CiliumNetworkPolicy app/x"]
