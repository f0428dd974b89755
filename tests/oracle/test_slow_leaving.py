"""The slow evaluator against every sentence of docs/reachability.md section 4, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.asking import PLACED, ask
from tests.oracle.draw_plugins import cluster_network
from tests.oracle.test_slow_plugins import version
from tests.oracle.world import API, OUT, PG, WEB, host, policy

Json = Any
NODE: Json = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"infra": "yes"}},
    "status": {"addresses": [{"type": "InternalIP", "address": "10.9.0.1"}]},
}
AGENT, NODE_ADDRESS = "app/Pod/agent", "10.9.0.1"
HOST = host("agent", "n1", hostIP=NODE_ADDRESS)
SDN = cluster_network("networkpolicy")


def rule(kind: str, to: str | Json, *ports: tuple[str, int], **more: Any) -> Json:
    found = {"type": kind, "to": {"cidrSelector": to} if isinstance(to, str) else to} | more
    return found | ({"ports": [{"protocol": p, "port": n} for p, n in ports]} if ports else {})


def firewall(*rules: Json, status: Json = None, **spec: Any) -> Json:
    metadata = {"name": "default", "namespace": "app"}
    made = {"apiVersion": "k8s.ovn.org/v1", "kind": "EgressFirewall", "metadata": metadata}
    return made | {"spec": {"egress": list(rules)} | spec} | ({} if status is None else {"status": status})


def old_firewall(*rules: Json, ns: str = "app", name: str = "x") -> Json:
    metadata = {"name": name, "namespace": ns}
    made = {"apiVersion": "network.openshift.io/v1", "kind": "EgressNetworkPolicy", "metadata": metadata}
    return made | {"spec": {"egress": list(rules)}}


def project(name: str, netid: int, *addresses: str) -> Json:
    made = {"apiVersion": "network.openshift.io/v1", "kind": "NetNamespace", "metadata": {"name": name}}
    return made | {"netname": name, "netid": netid} | ({"egressIPs": list(addresses)} if addresses else {})


def subnet(name: str, *addresses: str, cidrs: tuple[str, ...] = ()) -> Json:
    made = {"apiVersion": "network.openshift.io/v1", "kind": "HostSubnet", "metadata": {"name": name}, "host": name}
    return made | {"egressIPs": list(addresses), "egressCIDRs": list(cidrs)}


def out(*objects: Json, target: str = OUT, **kwargs: Any) -> str:
    """From `app/Pod/web` to the outside."""
    return ask([*PLACED, HOST, NODE, *objects], WEB, target, **kwargs)


DENY_ALL = rule("Deny", "0.0.0.0/0")
FAR = "198.51.100.1"


# EgressFirewall ------------------------------------------------------------------------------------------------------


def test_the_first_match_decides_and_no_match_allows() -> None:
    both = firewall(rule("Allow", "192.0.2.0/24"), DENY_ALL)
    assert [out(both, target=t) for t in (OUT, FAR, "2001:db8::1", NODE_ADDRESS, AGENT)] == [
        *("allowed", "denied", "allowed", "denied", "denied")
    ]
    assert out(firewall(DENY_ALL, rule("Allow", "192.0.2.0/24"))) == "denied"
    assert out(firewall(rule("Deny", "203.0.113.0/24"))) == "allowed"


def test_it_does_not_restrict_what_stays_inside_or_is_on_the_host_network() -> None:
    assert [out(firewall(DENY_ALL), target=t) for t in (API, PG)] == ["allowed"] * 2
    assert ask([*PLACED, HOST, NODE, firewall(DENY_ALL)], AGENT, OUT) == "allowed"
    assert ask([*PLACED, firewall(DENY_ALL)], PG, OUT) == "allowed", "of another namespace"


def test_policies_must_let_it_through_too() -> None:
    sealed = policy({"podSelector": {}, "policyTypes": ["Egress"]})
    assert out(firewall(rule("Allow", "0.0.0.0/0")), sealed) == "denied"


def test_ports() -> None:
    one = firewall(rule("Deny", "0.0.0.0/0", ("TCP", 80), ("UDP", 53)))
    asked = [(80, "TCP"), (81, "TCP"), (53, "UDP"), (53, "TCP")]
    assert [out(one, port=n, protocol=p) for n, p in asked] == ["denied", "allowed", "denied", "allowed"]


@pytest.mark.parametrize(("labels", "expected"), [({"infra": "yes"}, "allowed"), ({"infra": "no"}, "denied")])
def test_nodes(labels: Json, expected: str) -> None:
    one = firewall(rule("Allow", {"nodeSelector": {"matchLabels": labels}}), DENY_ALL)
    assert [out(one, target=t) for t in (NODE_ADDRESS, AGENT, OUT)] == [expected, expected, "denied"]


def test_names_may_be_any_outside_address() -> None:
    one = firewall(rule("Allow", {"dnsName": "example.com"}), DENY_ALL)
    assert [out(one, target=t) for t in (OUT, AGENT, API)] == ["unknown", "unknown", "allowed"]


def test_a_rule_that_cannot_be_read_leaves_open_what_follows() -> None:
    strange = rule("Allow", "192.0.2.0/24", log=True)
    assert out(firewall(rule("Allow", "192.0.2.0/24"), strange, DENY_ALL)) == "allowed"
    assert [out(firewall(strange, DENY_ALL), target=t) for t in (OUT, FAR)] == ["unknown"] * 2
    assert out(firewall(DENY_ALL, rule("Deny", {"serviceSelector": {}}))) == "unknown", "or nothing is applied"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, "denied"),
        ({"status": "EgressFirewall Rules applied"}, "denied"),
        ({"status": "EgressFirewall Rules not correctly applied"}, "unknown"),
        ({"status": ""}, "unknown"),
        ({"messages": []}, "unknown"),
    ],
)
def test_status(status: Json, expected: str) -> None:
    assert out(firewall(DENY_ALL, status=status)) == expected


@pytest.mark.parametrize(
    ("plugin", "new", "old"),
    [
        ("spec", "denied", "denied"),
        ("ovn-kubernetes", "denied", "allowed"),
        ("openshift-sdn", "allowed", "denied"),
        ("calico", "allowed", "allowed"),
        ("cilium", "allowed", "allowed"),
        ("unknown", "unknown", "unknown"),
    ],
)
def test_where_they_work(plugin: str, new: str, old: str) -> None:
    objects = [SDN, project("app", 7)]
    assert [out(one, *objects, plugin=plugin) for one in (firewall(DENY_ALL), old_firewall(DENY_ALL))] == [new, old]


def test_a_host_network_pod_of_unknown_address_may_be_in_every_block() -> None:
    unplaced = host("agent", "n8")
    rules = firewall(rule("Allow", "10.0.0.0/8"), rule("Deny", "10.0.0.0/9"))
    assert ask([*PLACED, unplaced, rules], WEB, AGENT) == "unknown"
    assert ask([*PLACED, unplaced, firewall(rule("Allow", "10.0.0.0/8"))], WEB, AGENT) == "allowed"


# EgressNetworkPolicy -------------------------------------------------------------------------------------------------


def on_sdn(*objects: Json, mode: str = "networkpolicy", **kwargs: Any) -> str:
    """With openshift-sdn of a version that enforces egress."""
    return out(cluster_network(mode), version("4.12.0"), *objects, **kwargs)


def test_zeros_mean_everything() -> None:
    zeros = old_firewall(rule("Deny", "0.0.0.0/32"))
    assert on_sdn(zeros, project("app", 7)) == "denied"
    assert out(firewall(rule("Deny", "0.0.0.0/32"))) == "allowed"


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([project("app", 7)], "allowed"),
        ([project("app", 7), old_firewall(name="y")], "denied"),
        ([project("app", 0), old_firewall(DENY_ALL, name="y")], "allowed"),
        ([project("app", 7), project("db", 7)], "denied"),
        ([project("app", 7), project("db", 8)], "allowed"),
    ],
)
def test_how_many_objects_and_projects(objects: list[Json], expected: str) -> None:
    assert on_sdn(old_firewall(rule("Allow", "0.0.0.0/0")), *objects) == expected


def test_a_project_that_was_not_read_may_be_a_global_one() -> None:
    assert [on_sdn(old_firewall(DENY_ALL)), out(old_firewall(DENY_ALL))] == ["unknown", "denied"]


def test_an_object_of_a_joined_project_counts() -> None:
    other = old_firewall(rule("Allow", "0.0.0.0/0"), ns="db")
    assert on_sdn(other, project("app", 7), project("db", 7)) == "denied"


@pytest.mark.parametrize(("mode", "expected"), [("multitenant", "denied"), ("subnet", "allowed")])
def test_modes(mode: str, expected: str) -> None:
    assert on_sdn(old_firewall(DENY_ALL), project("app", 7), mode=mode) == expected
    assert on_sdn(project("app", 7, "10.8.0.1"), subnet("n1"), mode=mode) == expected


def test_the_name_server_of_the_own_node_is_possible() -> None:
    asked = [(NODE_ADDRESS, 53, "UDP"), (AGENT, 53, "TCP"), (AGENT, 53, "SCTP"), (AGENT, 54, "UDP"), (OUT, 53, "UDP")]
    objects = [old_firewall(DENY_ALL), project("app", 7)]
    found = [on_sdn(*objects, target=t, port=n, protocol=p) for t, n, p in asked]
    assert found == ["unknown", "unknown", "denied", "denied", "denied"]
    assert out(firewall(DENY_ALL), target=AGENT, port=53, protocol="UDP") == "denied"


# Egress addresses ----------------------------------------------------------------------------------------------------

ONE, TWO = "10.8.0.1", "10.8.0.2"


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([project("app", 7), subnet("n1")], "allowed"),
        ([project("app", 7, ONE), subnet("n1", ONE)], "allowed"),
        ([project("app", 7, ONE), subnet("n1")], "denied"),
        ([project("app", 7, ONE), subnet("n1", ONE), subnet("n2", ONE)], "denied"),
        ([project("app", 7, ONE, TWO), subnet("n1", ONE)], "allowed"),
        ([project("app", 7, ONE), project("db", 8, ONE), subnet("n1", ONE)], "denied"),
        ([project("app", 7, ONE, TWO), project("db", 8, TWO), subnet("n1", ONE)], "denied"),
        ([project("app", 7, ONE), subnet("n1", cidrs=("10.8.0.0/24",))], "unknown"),
        ([project("app", 7, ONE), subnet("n1", cidrs=("10.9.0.0/24",))], "denied"),
        ([project("app", 7, ONE, TWO), subnet("n1", ONE, TWO)], "unknown"),
        ([project("app", 7, ONE)], "unknown"),
        ([project("app", 0, ONE), subnet("n1")], "unknown"),
        ([project("app", 0), project("db", 0, ONE), subnet("n1")], "unknown"),
        ([project("app", 7), project("db", 7, ONE), subnet("n1", ONE)], "unknown"),
    ],
)
def test_what_openshift_sdn_serves(objects: list[Json], expected: str) -> None:
    assert on_sdn(*objects) == on_sdn(*objects, target=AGENT) == expected
    assert on_sdn(*objects, target=API) == "allowed"
    assert out(*objects, plugin="ovn-kubernetes") == "allowed"


@pytest.mark.parametrize(("text", "expected"), [("3.10.0", "denied"), ("3.11.0", "allowed")])
def test_once_only_the_first_address_counted(text: str, expected: str) -> None:
    objects = [project("app", 7, ONE, TWO), subnet("n1"), subnet("n2", TWO)]
    assert out(SDN, version(text), *objects) == expected


def test_of_another_plugin_that_may_be_openshift_sdn() -> None:
    assert out(project("app", 7, ONE), subnet("n1"), plugin="unknown") == "unknown"
