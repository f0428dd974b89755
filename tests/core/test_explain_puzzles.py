"""Puzzles for `explain`: halves of a whole, a port name that differs per pod, a pass that ends in the baseline."""

from __future__ import annotations

from typing import Any

from audit.explain import Explanation, explain
from tests.core.clusters import container, pod, policy, snapshot, zoned

Json = Any
WEB = pod("web", "a", "10.0.0.1", labels={"app": "web"})


def ask(*objects: Json, source: str = "a/Pod/web", target: str = "b/Pod/db", port: str = "tcp/5432") -> Explanation:
    return explain(snapshot(objects), source, target, port)


def test_a_whole_written_as_two_halves_admits_everybody() -> None:
    halves = [{"ipBlock": {"cidr": one}} for one in ("0.0.0.0/1", "128.0.0.0/1")]
    found = ask(
        zoned("a", "a"),
        zoned("b", "b"),
        WEB,
        pod("db", "b", "10.0.0.2"),
        policy({"ingress": [{"from": halves}]}, "b", "open"),
    )
    assert found.verdict == "allowed"
    assert any("rule 0: 0.0.0.0/1, 128.0.0.0/1 on any port: admits tcp/5432" in line for line in found.lines)


def test_a_port_name_is_the_number_of_each_pod() -> None:
    pods = [
        pod("db", "b", "10.0.0.2", containers=[container(("sql", "TCP", 5432))]),
        pod("old", "b", "10.0.0.3", containers=[container(("sql", "TCP", 3306))]),
    ]
    rules = policy({"ingress": [{"ports": [{"port": "sql"}]}]}, "b", "sql")
    world = (zoned("a", "a"), zoned("b", "b"), WEB, *pods, rules)
    assert ask(*world).verdict == "allowed"
    other = ask(*world, target="b/Pod/old")
    assert other.verdict == "denied"
    assert any(
        "any peer on tcp/sql: does not match this port (tcp/sql is tcp/3306 there)" in line for line in other.lines
    )


def test_a_pass_falls_to_the_baseline() -> None:
    api = "policy.networking.k8s.io/v1alpha1"
    guard = {
        "apiVersion": api,
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "guard"},
        "spec": {
            "priority": 10,
            "subject": {"namespaces": {"matchLabels": {"network-zone": "b"}}},
            "ingress": [{"action": "Pass", "from": [{"namespaces": {"matchLabels": {"network-zone": "a"}}}]}],
        },
    }
    base = {
        "apiVersion": api,
        "kind": "BaselineAdminNetworkPolicy",
        "metadata": {"name": "default"},
        "spec": {"subject": {"namespaces": {}}, "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]},
    }
    found = ask(zoned("a", "a"), zoned("b", "b"), WEB, pod("db", "b", "10.0.0.2"), guard, base)
    assert found.verdict == "denied"
    told = "\n".join(found.lines)
    passed = told.index("rule 0 (pass): namespaces network-zone=a on any port: passes tcp/5432 on")
    assert passed < told.index("rule 0 (deny): every namespace on any port: decides tcp/5432")
