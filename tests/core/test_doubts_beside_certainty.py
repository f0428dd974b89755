"""What is certain between some endpoints says nothing of the doubt between others."""

from __future__ import annotations

from tests.core.clusters import cell, evaluate, matrix, pod, policy, tcp, zone, zoned

FROM = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "na"}}}
LEAK = policy({"ingress": [{"from": [FROM], "ports": [{"port": 80}]}]}, "nb", "leak")
BLOCK = policy({"ingress": [{"from": [{"ipBlock": {"cidr": "10.1.7.0/24"}}], "ports": [{"port": 80}]}]}, "nb2", "block")
WORLD = [
    zoned("na", "a"),
    pod("pa", "na", "10.1.0.1"),
    zoned("na2", "a"),
    pod("lost", "na2"),
    zoned("nb", "b"),
    pod("pb", "nb", "10.1.0.2"),
    zoned("nb2", "b"),
    pod("pb2", "nb2", "10.1.0.5"),
]


def test_a_certain_breach_elsewhere_does_not_hide_a_doubt_on_the_same_port() -> None:
    found = cell(evaluate(matrix([zone("a"), zone("b")]), *WORLD, LEAK, BLOCK), "a", "b")
    assert [(one.certain, one.pairs) for one in found.breaches] == [(True, 1), (False, 1)]
    assert found.reasons == ("pod-address",)
    assert (found.excess_pairs, found.doubtful_pairs) == (1, 1)


def test_the_same_pair_is_not_in_doubt_about_what_it_certainly_gets() -> None:
    wide = policy({"ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 80}]}]}, "nb2", "wide")
    found = cell(evaluate(matrix([zone("a"), zone("b")]), *WORLD[:4], *WORLD[6:], BLOCK, wide), "a", "b")
    assert [one.certain for one in found.breaches] == [True]
    assert found.possible == tcp(80)
