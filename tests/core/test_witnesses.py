"""The connection that stands for a breach: an address that a host may have, a port that the target declares."""

from __future__ import annotations

import pytest

from audit.flows import Witness
from tests.core.clusters import Json, cell, container, evaluate, matrix, pod, policy, service, zone, zoned

INTERNET = zone("internet", kind="internet", trust=0)
SPACES = [zoned("a1", "a"), zoned("b1", "b")]


def witness(*objects: Json, source: str = "a", target: str = "b") -> Witness:
    zones = [zone("a"), zone("b"), INTERNET]
    (breach,) = cell(evaluate(matrix(zones), *SPACES, *objects), source, target).breaches
    assert breach.witness is not None
    assert breach.traffic.ranges(breach.witness.protocol)
    assert any(low <= breach.witness.port <= high for low, high in breach.traffic.ranges(breach.witness.protocol))
    return breach.witness


@pytest.mark.parametrize(
    ("block", "address"),
    [
        ("198.51.100.0/24", "198.51.100.1"),
        ("198.51.100.7/32", "198.51.100.7"),
        ("0.0.0.0/0", "1.0.0.1"),
        ("0.0.0.0/8", "0.0.0.1"),
        ("2001:db8::/64", "2001:db8::1"),
    ],
)
def test_the_address_is_one_that_a_host_may_have(block: str, address: str) -> None:
    spec = {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": block}}]}]}
    found = witness(pod("p", "a1"), policy(spec, "a1"), target="internet")
    assert (found.target, found.protocol, found.port) == (address, "TCP", 443)


def test_an_address_that_enters_is_one_that_a_host_may_have() -> None:
    published = service("s", "b1", {"app": "x"}, {"port": 80, "nodePort": 30080}, type="NodePort")
    spec = {"ingress": [{"from": [{"ipBlock": {"cidr": "203.0.113.64/26"}}]}]}
    server = pod("server", "b1", labels={"app": "x"}, containers=[container(("web", "TCP", 80))])
    found = evaluate(matrix([zone("a"), zone("b"), INTERNET]), *SPACES, server, policy(spec, "b1"), published)
    sources = {one.witness.source for one in cell(found, "internet", "b").breaches if one.witness}
    assert "203.0.113.65" in sources


def declaring(*ports: tuple[str, str, int]) -> Json:
    return pod("server", "b1", containers=[container(*ports)])


def only(*ports: Json) -> Json:
    return policy({"ingress": [{"ports": list(ports)}]}, "b1")


@pytest.mark.parametrize(
    ("declared", "rule", "expected"),
    [
        ([("web", "TCP", 8080)], None, ("TCP", 8080)),
        ([("", "TCP", 9000), ("", "TCP", 8000)], None, ("TCP", 8000)),
        ([("dns", "UDP", 53)], None, ("UDP", 53)),
        ([("dns", "UDP", 53), ("web", "TCP", 8080)], None, ("TCP", 8080)),
        ([("web", "TCP", 8080)], {"port": 22}, ("TCP", 22)),
        ([("web", "TCP", 8080)], {"port": 8000, "endPort": 9000}, ("TCP", 8080)),
        ([], None, ("TCP", 443)),
        ([], {"port": 1521, "endPort": 1530}, ("TCP", 1521)),
        ([], {"port": 53, "protocol": "UDP"}, ("UDP", 53)),
    ],
)
def test_the_port_is_a_declared_one_where_that_is_open(
    declared: list[tuple[str, str, int]], rule: Json, expected: tuple[str, int]
) -> None:
    rules = [only(rule)] if rule else []
    found = witness(pod("client", "a1"), declaring(*declared), *rules)
    assert (found.protocol, found.port) == expected
