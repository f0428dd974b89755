"""NetworkPolicy specs -> what they say: defaults, nulls, sections without effect, gaps, and peers that name nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audit.policy.clause import (
    AnyPeer,
    Block,
    Clause,
    Direction,
    OwnPods,
    Peer,
    PolicyText,
    Ports,
    SelectedPods,
    UnknownPeer,
)
from audit.policy.networkpolicy import lower
from audit.selectors import EVERYTHING, LabelSelector
from audit.traffic import ALL, NONE, Traffic
from tests.core.clusters import blocks, tcp

Json = Any
BOTH: tuple[Direction, ...] = ("ingress", "egress")
WEB: Json = {"matchLabels": {"tier": "web"}}
IS_WEB = LabelSelector.parse(WEB)


def text(spec: Json) -> PolicyText:
    return lower(json.dumps(spec).encode())


def clause(rule: Json) -> Clause:
    """The only rule of an ingress policy."""
    (found,) = text({"ingress": [rule]}).clauses
    return found


def peers(*raw: Json) -> tuple[Peer, ...]:
    return clause({"from": list(raw)}).peers


def ports(*raw: Json) -> Ports:
    return clause({"ports": list(raw)}).ports


@pytest.mark.parametrize(
    ("spec", "isolates"),
    [
        ({}, ("ingress",)),
        ({"egress": []}, ("ingress",)),
        ({"egress": None}, ("ingress",)),
        ({"egress": [{}]}, BOTH),
        ({"egress": [None]}, BOTH),
        ({"ingress": [{}]}, ("ingress",)),
        ({"policyTypes": []}, ("ingress",)),
        ({"policyTypes": [], "egress": [{}]}, BOTH),
        ({"policyTypes": None, "egress": [{}]}, BOTH),
        ({"policyTypes": ["Ingress"], "egress": [{}]}, ("ingress",)),
        ({"policyTypes": ["Egress"]}, ("egress",)),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, ("egress",)),
        ({"policyTypes": ["Egress", "Ingress"]}, BOTH),
    ],
)
def test_directions_that_a_policy_isolates(spec: Json, isolates: tuple[Direction, ...]) -> None:
    assert text(spec).isolates == isolates


@pytest.mark.parametrize("raw", [b"", b"null", b"{}"])
def test_a_spec_without_content_denies_all_ingress_of_every_pod(raw: bytes) -> None:
    assert lower(raw) == PolicyText(subject=EVERYTHING, isolates=("ingress",), clauses=())


@pytest.mark.parametrize(
    ("selector", "expected"), [(None, EVERYTHING), ({}, EVERYTHING), (WEB, IS_WEB), ({"matchLabels": None}, EVERYTHING)]
)
def test_the_pods_that_a_policy_selects(selector: Json, expected: LabelSelector) -> None:
    assert text({"podSelector": selector}).subject == expected


@pytest.mark.parametrize("rule", [None, {}, {"from": []}, {"from": None}, {"ports": []}, {"from": [], "ports": None}])
def test_an_empty_rule_is_any_peer_on_any_port(rule: Json) -> None:
    assert clause(rule) == Clause("ingress", 0, (AnyPeer(),), Ports(ALL))


def test_rules_keep_their_place_in_their_direction() -> None:
    found = text({"ingress": [{}, {}], "egress": [{}]})
    assert [(one.direction, one.index) for one in found.clauses] == [("ingress", 0), ("ingress", 1), ("egress", 0)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"podSelector": {}}, OwnPods(EVERYTHING)),
        ({"podSelector": WEB}, OwnPods(IS_WEB)),
        ({"podSelector": WEB, "namespaceSelector": None, "ipBlock": None}, OwnPods(IS_WEB)),
        ({"namespaceSelector": {}}, SelectedPods(EVERYTHING, EVERYTHING, bare=True)),
        ({"namespaceSelector": WEB}, SelectedPods(IS_WEB, EVERYTHING, bare=True)),
        ({"namespaceSelector": WEB, "podSelector": None}, SelectedPods(IS_WEB, EVERYTHING, bare=True)),
        ({"namespaceSelector": WEB, "podSelector": {}}, SelectedPods(IS_WEB, EVERYTHING)),
        ({"namespaceSelector": {}, "podSelector": WEB}, SelectedPods(EVERYTHING, IS_WEB)),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, Block(blocks("10.0.0.0/8"), "10.0.0.0/8")),
        ({"ipBlock": {"cidr": "10.0.0.7/8", "except": []}}, Block(blocks("10.0.0.0/8"), "10.0.0.7/8")),
        ({"ipBlock": {"cidr": "fd00::/8", "except": None}}, Block(blocks("fd00::/8"), "fd00::/8")),
        (
            {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/9", "10.128.0.0/10"]}},
            Block(blocks("10.192.0.0/10"), "10.0.0.0/8 except 10.0.0.0/9, 10.128.0.0/10", holes=True),
        ),
    ],
)
def test_peers(raw: Json, expected: Peer) -> None:
    assert peers(raw) == (expected,)


def test_items_of_from_stay_apart() -> None:
    assert peers({"podSelector": {}}, {"namespaceSelector": {}}) == (
        OwnPods(EVERYTHING),
        SelectedPods(EVERYTHING, EVERYTHING, bare=True),
    )


@pytest.mark.parametrize("raw", [{}, None, {"podSelector": None, "namespaceSelector": None}])
def test_a_peer_that_names_nothing_matches_nothing_and_is_told(raw: Json) -> None:
    found = text({"ingress": [{}, {"from": [{"podSelector": {}}, raw]}]})
    assert found.clauses[1].peers == (OwnPods(EVERYTHING),)
    assert found.invalid == ("ingress rule 1: peer 1 names nothing",)


def test_a_rule_whose_only_peer_names_nothing_does_not_become_a_rule_for_any_peer() -> None:
    assert clause({"from": [{}]}).peers == ()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, Traffic.of("TCP")),
        ({}, Traffic.of("TCP")),
        ({"protocol": None}, Traffic.of("TCP")),
        ({"protocol": "UDP"}, Traffic.of("UDP")),
        ({"port": 1}, tcp(1)),
        ({"port": 65535, "protocol": "SCTP"}, Traffic.of("SCTP", 65535)),
        ({"port": 80, "endPort": None}, tcp(80)),
        ({"port": 80, "endPort": 80}, tcp(80)),
        ({"port": 80, "endPort": 90}, Traffic.of("TCP", 80, 90)),
    ],
)
def test_numeric_ports(raw: Json, expected: Traffic) -> None:
    assert ports(raw) == Ports(expected)


def test_named_ports_wait_for_a_destination() -> None:
    found = ports({"port": "sql"}, {"port": "dns", "protocol": "UDP"}, {"port": "sql"}, {"port": 80})
    assert found == Ports(tcp(80), (("dns", "UDP"), ("sql", "TCP")))
    assert str(found) == "tcp/80, udp/dns, tcp/sql"


def test_several_ports_add_up() -> None:
    assert ports({"port": 80}, {"port": 81}, {"port": 79, "endPort": 80}) == Ports(Traffic.of("TCP", 79, 81))


@pytest.mark.parametrize(
    ("spec", "inert"),
    [
        ({"policyTypes": ["Egress"], "ingress": [{}]}, "ingress rules are ignored: policyTypes does not list Ingress"),
        ({"policyTypes": ["Ingress"], "egress": [{}]}, "egress rules are ignored: policyTypes does not list Egress"),
    ],
)
def test_rules_of_a_direction_that_is_not_listed_have_no_effect(spec: Json, inert: str) -> None:
    found = text(spec)
    assert found.clauses == ()
    assert found.inert == (inert,)


@pytest.mark.parametrize("spec", [{"policyTypes": ["Egress"], "ingress": []}, {"egress": []}, {"ingress": [{}]}])
def test_an_empty_section_is_not_worth_a_remark(spec: Json) -> None:
    assert text(spec).inert == ()


@pytest.mark.parametrize(
    ("spec", "gap"),
    [
        ({"tier": "x"}, "unknown field `tier` in spec"),
        ({"ingress": [{"action": "Deny"}]}, "unknown field `action` in ingress rule 0"),
        ({"egress": [{}, {"from": []}]}, "unknown field `from` in egress rule 1"),
        ({"ingress": [{"from": [{"nodes": {}}]}]}, "unknown field `nodes` in a peer of ingress rule 0"),
        (
            {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "asn": 1}}]}]},
            "unknown field `asn` in an ipBlock of ingress rule 0",
        ),
        ({"ingress": [{"ports": [{"port": 1, "x": 2}]}]}, "unknown field `x` in a port of ingress rule 0"),
    ],
)
def test_a_field_that_is_not_modelled_is_a_gap(spec: Json, gap: str) -> None:
    assert text(spec).gaps == (gap,)


def test_what_an_unknown_field_makes_unknown() -> None:
    assert text({"tier": "x"}).unknown
    assert not text({"ingress": [{"action": "Deny"}]}).unknown
    assert clause({"action": "Deny"}).unknown
    assert peers({"nodes": {}, "podSelector": {}}) == (UnknownPeer("a peer with the unknown field `nodes`"),)
    assert ports({"port": 80, "x": 1}, {"port": 81}) == Ports(tcp(81), unknown=ALL)


def test_a_gap_in_a_rule_without_effect_is_still_told() -> None:
    assert text({"policyTypes": ["Egress"], "ingress": [{"action": "Deny"}]}).gaps


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "any peer on any port"),
        ({"from": [{"podSelector": {}}]}, "the same namespace on any port"),
        ({"from": [{"podSelector": WEB}]}, "pods tier=web of the same namespace on any port"),
        ({"from": [{"namespaceSelector": {}}], "ports": [{"port": 80}]}, "every namespace on tcp/80"),
        ({"from": [{"namespaceSelector": WEB}], "ports": [{"port": "sql"}]}, "namespaces tier=web on tcp/sql"),
        (
            {"from": [{"namespaceSelector": WEB, "podSelector": WEB}]},
            "pods tier=web of namespaces tier=web on any port",
        ),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"podSelector": {}}], "ports": [None]},
            "10.0.0.0/8, the same namespace on tcp/*",
        ),
        ({"from": [{}], "ports": [{"port": 80, "x": 1}]}, "no peer on no port"),
    ],
)
def test_a_rule_as_people_read_it(rule: Json, words: str) -> None:
    assert str(clause(rule)) == words


def test_equal_specs_written_differently_say_the_same() -> None:
    one = {"podSelector": {"matchLabels": {"a": "b"}}, "ingress": [{"from": None}], "policyTypes": ["Ingress"]}
    two = {"ingress": [None], "podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}
    assert text(one) == text(two)


def test_port_entries_without_a_number_never_mean_a_port_of_their_own() -> None:
    assert ports({"port": None, "protocol": "SCTP"}).traffic == Traffic.of("SCTP")
    assert ports({"port": "http"}).traffic == NONE
