"""Nodes as endpoints: where a zone consists of nodes, their addresses are judged like any other member."""

from __future__ import annotations

from typing import Any

from audit.selectors import LabelSelector
from audit.traffic import ALL, NONE
from tests.core.clusters import cell, evaluate, matrix, node, pod, policy, tcp, zone, zoned

Json = Any
NODES = LabelSelector.parse({"matchLabels": {"role": "mgmt"}})
ZONES = [zone("a"), zone("mgmt", nodes=NODES), zone("net", kind="internet")]
NODE = node("n1", "192.168.1.10", labels={"role": "mgmt"})
SHOP = [zoned("na", "a"), pod("pa", "na", "10.1.0.1")]


def rule(direction: str, cidr: str) -> Json:
    field = "from" if direction == "ingress" else "to"
    return policy(
        {
            "policyTypes": [direction.title()],
            direction: [{field: [{"ipBlock": {"cidr": cidr}}], "ports": [{"port": 22}]}],
        },
        "na",
    )


def test_pods_that_nothing_isolates_reach_a_zone_of_nodes() -> None:
    found = evaluate(matrix(ZONES, pod_network="overlay"), *SHOP, NODE)
    assert cell(found, "a", "mgmt").observed == ALL
    assert cell(found, "mgmt", "a").observed == ALL, "a node always gets to the pod network"
    assert cell(found, "net", "a").observed == NONE


def test_address_blocks_decide_between_pods_and_nodes() -> None:
    into = evaluate(matrix(ZONES, pod_network="overlay"), *SHOP, NODE, rule("ingress", "192.168.1.10/32"))
    assert cell(into, "mgmt", "a").observed == tcp(22)
    out = evaluate(matrix(ZONES, pod_network="overlay"), *SHOP, NODE, rule("egress", "192.168.1.11/32"))
    assert cell(out, "a", "mgmt").observed == NONE


def test_the_nodes_of_a_zone_with_namespaces_are_left_to_the_firewall() -> None:
    zones = [zone("a", nodes=NODES), zone("b"), zone("net", kind="internet")]
    found = evaluate(matrix(zones, pod_network="overlay"), *SHOP, NODE, zoned("nb", "b"), pod("pb", "nb", "10.1.0.2"))
    assert cell(found, "b", "a").pairs == 1
    assert "node-addresses" in {one.id for one in found.facts.assumptions}
