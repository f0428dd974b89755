"""How network plug-ins read policies: one test, or more, per row of docs/reachability.md section 1."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from audit import reach_json
from audit.profile import Plugin
from tests.core.clusters import DENY_ALL, container, host, namespace, node, pod, policy, snapshot
from tests.oracle.engine import Address, Reach

Json = Any
OUTSIDE = ipaddress.ip_address("203.0.113.9")
NODE_1, NODE_2 = ipaddress.ip_address("192.168.0.1"), ipaddress.ip_address("192.168.0.2")
WEB, PG, AGENT, OTHER = "app/Pod/web", "db/Pod/pg", "ops/Pod/agent", "sys/Pod/other"
WORLD = [
    namespace("app", team="one"),
    namespace("db"),
    namespace("ops"),
    namespace("sys"),
    namespace("default"),
    node("n1", "192.168.0.1"),
    node("n2", "192.168.0.2"),
    pod("web", "app", "10.0.0.1", labels={"tier": "web"}, nodeName="n1"),
    pod("pg", "db", "10.0.0.2", nodeName="n2", containers=[container(("sql", "TCP", 5432))]),
    host("agent", "n1", ns="ops", labels={"tier": "agent"}, hostIP="192.168.0.1"),
    host("other", "n1", ns="sys", hostIP="192.168.0.1"),
]
ONE: Json = {"namespaceSelector": {"matchLabels": {"team": "one"}}}
CLOSED = policy(DENY_ALL, "db", "closed")
HOST_NETWORK = namespace("openshift-host-network")
ADMIN_API = "policy.networking.k8s.io"


def to_pg(*rules: Json, **spec: Any) -> Json:
    """A policy for the pods of `db` with these ingress rules."""
    return policy({"ingress": list(rules), **spec}, "db")


def cidr(*texts: str, **more: Any) -> Json:
    return {"from": [{"ipBlock": {"cidr": text, **more}} for text in texts]}


def sdn(mode: str = "networkpolicy", version: str = "") -> list[Json]:
    """What tells openshift-sdn, its mode and the version of OpenShift."""
    plugin = {"pluginName": f"redhat/openshift-ovs-{mode}"} if mode else {}
    found: list[Json] = [
        {"apiVersion": "network.openshift.io/v1", "kind": "ClusterNetwork", "metadata": {"name": "default"}, **plugin}
    ]
    if version:
        status = {"history": [{"state": "Completed", "version": version}]}
        made = {"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "metadata": {"name": "version"}}
        found.append(made | {"status": status})
    return found


class Found:
    """The engine's answers for the world and some more objects."""

    def __init__(self, plugin: Plugin | None, *objects: Json) -> None:
        document = reach_json.document(snapshot([*WORLD, *objects]), plugin=plugin)
        self._reach = Reach(document)
        self._reasons = {(one["src"], one["dst"]): one.get("reason", "") for one in document["connections"]}

    def __call__(self, source: str | Address, target: str | Address, port: int = 5432, protocol: str = "TCP") -> str:
        return self._reach.verdict(source, target, protocol, port)

    def reason(self, source: str | Address, target: str | Address) -> str:
        return str(self._reasons[self._reach.ends(source), self._reach.ends(target)])


def admin(kind: str = "AdminNetworkPolicy", action: str = "Deny", priority: int = 10, **peer: Any) -> Json:
    """A cluster-wide policy for the pods of `db` with one rule for ingress from `app`, or for egress to a peer."""
    version = "v1alpha2" if kind == "ClusterNetworkPolicy" else "v1alpha1"
    rule = {"action": action, "to": [peer]} if peer else {"action": action, "from": [{"namespaces": ONE_LABELS}]}
    spec: Json = {"subject": {"namespaces": NAMED_DB}, "egress" if peer else "ingress": [rule]}
    if kind != "BaselineAdminNetworkPolicy":
        spec["priority"] = priority
    if kind == "ClusterNetworkPolicy":
        spec["tier"] = "Admin"
    return {"apiVersion": f"{ADMIN_API}/{version}", "kind": kind, "metadata": {"name": "default"}, "spec": spec}


ONE_LABELS: Json = {"matchLabels": {"team": "one"}}
NAMED_DB: Json = {"matchLabels": {"kubernetes.io/metadata.name": "db"}}


# spec, unknown -------------------------------------------------------------------------------------------------------


def test_spec_is_what_the_api_text_says() -> None:
    found = Found(None, to_pg({"from": [ONE], "ports": [{"port": "sql"}]}))
    assert (found(WEB, PG), found(WEB, PG, 80), found(AGENT, PG), found(OUTSIDE, PG)) == (
        "allowed",
        "denied",
        "denied",
        "denied",
    )


def test_unknown_takes_what_policies_let_through_for_certain_and_the_rest_for_possible() -> None:
    found = Found("unknown", to_pg({"from": [ONE], "ports": [{"port": 5432}]}))
    assert (found(WEB, PG), found(WEB, PG, 80), found(OUTSIDE, PG)) == ("allowed", "unknown", "unknown")
    assert found.reason(OUTSIDE, PG) == "network-plugin"


def test_unknown_leaves_a_pod_without_policies_open() -> None:
    found = Found("unknown", CLOSED)
    assert (found(OUTSIDE, WEB), found(WEB, OUTSIDE), found(PG, OUTSIDE)) == ("allowed", "allowed", "unknown")


# Cluster-wide policies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"])
@pytest.mark.parametrize("plugin", ["calico", "cilium", "openshift-sdn", "unknown"])
def test_a_cluster_wide_policy_may_be_ignored(kind: str, plugin: Plugin) -> None:
    objects = sdn() if plugin == "openshift-sdn" else []
    found = Found(plugin, *objects, admin(kind))
    assert (found(WEB, PG), found(OUTSIDE, PG)) == ("unknown", "allowed")
    assert found.reason(WEB, PG) == "network-plugin"
    assert Found("spec", admin(kind))(WEB, PG) == "denied"


def test_a_cluster_wide_policy_that_may_be_ignored_allows_only_what_is_open_without_it() -> None:
    allow = admin(action="Allow")
    assert Found("calico", allow)(WEB, PG) == "allowed"
    assert Found("calico", allow, CLOSED)(WEB, PG) == "unknown"
    assert Found("spec", allow, CLOSED)(WEB, PG) == "allowed"


def test_a_policy_that_may_be_ignored_counts_as_a_whole() -> None:
    """Its second rule never decides alone what its first one decides."""
    both = admin(action="Allow")
    both["spec"]["ingress"].append({"action": "Deny", "from": [{"namespaces": {}}]})
    found = Found("calico", both)
    assert (found(WEB, PG), found(OUTSIDE, PG)) == ("allowed", "allowed")


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (admin(), "denied"),
        (admin(priority=99), "denied"),
        (admin(priority=100), "unknown"),
        (admin("BaselineAdminNetworkPolicy"), "denied"),
        (admin("ClusterNetworkPolicy"), "unknown"),
    ],
)
def test_ovn_has_admin_policies_up_to_priority_99_and_no_cluster_network_policy(made: Json, verdict: str) -> None:
    assert Found("ovn-kubernetes", made)(WEB, PG) == verdict


# OVN-Kubernetes ------------------------------------------------------------------------------------------------------


def test_ovn_may_open_every_port_of_the_protocol_of_a_named_port() -> None:
    found = Found("ovn-kubernetes", to_pg({"from": [ONE], "ports": [{"port": "sql"}]}))
    assert [found(WEB, PG, port, protocol) for port, protocol in ((5432, "TCP"), (80, "TCP"), (80, "UDP"))] == [
        "allowed",
        "unknown",
        "denied",
    ]
    assert found.reason(WEB, PG) == "network-plugin"
    assert found(OUTSIDE, PG, 80) == "denied"


def test_ovn_may_honour_rules_of_an_unlisted_direction() -> None:
    sloppy = policy({"policyTypes": ["Egress"], "ingress": [{"from": [ONE]}]}, "db", "sloppy")
    assert Found("ovn-kubernetes", CLOSED, sloppy)(WEB, PG) == "unknown"
    assert Found("spec", CLOSED, sloppy)(WEB, PG) == "denied"
    alone = Found("ovn-kubernetes", sloppy)
    assert (alone(WEB, PG), alone(OUTSIDE, PG), alone(PG, WEB)) == ("allowed", "allowed", "denied")


def test_ovn_admits_the_host_network_by_the_namespace_that_stands_for_it() -> None:
    everyone = to_pg({"from": [{"namespaceSelector": {}}]})
    found = Found("ovn-kubernetes", everyone, HOST_NETWORK)
    assert [found(one, PG) for one in (WEB, AGENT, NODE_1, NODE_2, OUTSIDE)] == [
        "allowed",
        "unknown",
        "unknown",
        "unknown",
        "denied",
    ]
    assert found.reason(AGENT, PG) == "host-network"
    elsewhere = Found("ovn-kubernetes", to_pg({"from": [ONE]}), HOST_NETWORK)
    assert elsewhere(AGENT, PG) == "denied"
    assert Found("ovn-kubernetes", everyone)(AGENT, PG) == "unknown"  # it is there, though nobody read it


def test_ovn_admits_the_host_network_for_ingress_only() -> None:
    found = Found("ovn-kubernetes", policy({"egress": [{"to": [{"namespaceSelector": {}}]}]}, "db"), HOST_NETWORK)
    assert (found(PG, AGENT), found(PG, NODE_1)) == ("denied", "denied")


def test_ovn_matches_host_network_pods_by_a_pod_selector() -> None:
    agents = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": "agent"}}}
    found = Found("ovn-kubernetes", policy({"egress": [{"to": [agents]}]}, "db"), host("far", "n2", ns="sys"))
    assert [found(PG, one) for one in (AGENT, OTHER, NODE_1, NODE_2, WEB)] == [
        "unknown",
        "unknown",  # it has the same address
        "unknown",
        "denied",
        "denied",
    ]
    assert found.reason(PG, AGENT) == "host-network"
    assert found(PG, "sys/Pod/far") == "denied"


def test_ovn_matches_host_network_pods_of_the_policys_own_namespace() -> None:
    own = policy({"podSelector": {"matchLabels": {"tier": "web"}}, "ingress": [{"from": [{"podSelector": {}}]}]}, "ops")
    found = Found("ovn-kubernetes", own, pod("front", "ops", "10.0.0.9", labels={"tier": "web"}, nodeName="n2"))
    assert found(AGENT, "ops/Pod/front") == "unknown"
    assert found(WEB, "ops/Pod/front") == "denied"


def test_ovn_takes_a_host_network_pod_without_a_node_for_any_of_them() -> None:
    agents = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": "lost"}}}
    lost = host("lost", None, ns="ops", labels={"tier": "lost"})
    found = Found("ovn-kubernetes", policy({"egress": [{"to": [agents]}]}, "db"), lost)
    assert [found(PG, one) for one in ("ops/Pod/lost", AGENT, NODE_2, OUTSIDE)] == [
        "unknown",
        "unknown",
        "unknown",
        "denied",
    ]


# Cilium --------------------------------------------------------------------------------------------------------------


def test_cilium_is_sure_of_blocks_for_outside_addresses_only() -> None:
    found = Found("cilium", to_pg(cidr("10.0.0.0/8", "192.168.0.0/16", "203.0.113.0/24")))
    assert [found(one, PG) for one in (OUTSIDE, WEB, AGENT, NODE_1)] == ["allowed", "unknown", "unknown", "unknown"]
    assert found.reason(WEB, PG) == "network-plugin"
    assert found(ipaddress.ip_address("198.51.100.1"), PG) == "denied"


def test_cilium_reads_the_whole_address_space_in_the_same_way() -> None:
    found = Found("cilium", to_pg(cidr("0.0.0.0/0", "::/0")))
    assert [found(one, PG) for one in (OUTSIDE, WEB, NODE_2)] == ["allowed", "unknown", "unknown"]


def test_cilium_reads_networks_of_admin_policies_in_the_same_way() -> None:
    allow = admin(action="Allow", networks=["10.0.0.0/8", "203.0.113.0/24"])
    deny_all = policy({"policyTypes": ["Egress"]}, "db")
    spec = Found("spec", allow, deny_all)
    assert (spec(PG, WEB), spec(PG, OUTSIDE)) == ("allowed", "allowed")
    found = Found("cilium", allow, deny_all)
    assert (found(PG, WEB), found(PG, OUTSIDE)) == ("unknown", "unknown")


# openshift-sdn -------------------------------------------------------------------------------------------------------


def test_sdn_subnet_enforces_nothing() -> None:
    found = Found(None, *sdn("subnet"), CLOSED)
    assert [found(*pair) for pair in ((WEB, PG), (PG, WEB), (PG, OUTSIDE), (OUTSIDE, PG))] == ["allowed"] * 4


def test_sdn_multitenant_enforces_no_policy_and_may_part_projects() -> None:
    found = Found(None, *sdn("multitenant"), CLOSED)
    assert [found(*pair) for pair in ((WEB, PG), (PG, WEB), (PG, OUTSIDE), (OUTSIDE, PG))] == [
        "unknown",
        "unknown",
        "allowed",
        "allowed",
    ]


def test_sdn_of_unknown_mode_may_enforce_nothing_and_may_part_projects() -> None:
    found = Found("openshift-sdn", to_pg({"from": [ONE, {"ipBlock": {"cidr": "203.0.113.0/24"}}]}))
    assert (found(WEB, PG), found(AGENT, PG), found(PG, OUTSIDE)) == ("unknown", "unknown", "allowed")


def test_sdn_without_version_is_read_as_the_least_certain_one() -> None:
    found = Found(None, *sdn(), to_pg(cidr("203.0.113.0/24"), {"from": [ONE], "ports": [{"port": 5432}]}), CLOSED)
    assert (found(OUTSIDE, PG), found(WEB, PG), found(PG, OUTSIDE)) == ("unknown", "allowed", "unknown")
    assert Found(None, *sdn(), to_pg({"from": [ONE]}, {"ports": [{"port": "sql"}]}))(WEB, PG) == "unknown"


@pytest.mark.parametrize(("version", "verdict"), [("4.4.9", "unknown"), ("4.9.1", "unknown"), ("4.10.0", "denied")])
def test_sdn_enforces_egress_from_4_10(version: str, verdict: str) -> None:
    allowed = policy({"policyTypes": ["Egress"], "egress": [{"to": [ONE]}]}, "db")
    found = Found(None, *sdn(version=version), allowed)
    assert (found(PG, WEB), found(PG, OUTSIDE)) == ("allowed", verdict)


@pytest.mark.parametrize(
    ("version", "plain", "holed", "six"),
    [
        ("4.4.9", "unknown", "unknown", "unknown"),
        ("4.5.0", "allowed", "unknown", "allowed"),
        ("4.9.1", "allowed", "unknown", "allowed"),
        ("4.10.0", "allowed", "allowed", "unknown"),
    ],
)
def test_sdn_reads_blocks_by_release(version: str, plain: str, holed: str, six: str) -> None:
    found = Found(None, *sdn(version=version), to_pg(cidr("203.0.113.0/24"), cidr("2001:db8::/32")))
    assert (found(OUTSIDE, PG), found(ipaddress.ip_address("2001:db8::1"), PG)) == (plain, six)
    less = {"from": [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"]}}, ONE]}
    found = Found(None, *sdn(version=version), to_pg(less))
    assert (found(OUTSIDE, PG), found(WEB, PG)) == (holed, "allowed")
    assert found(ipaddress.ip_address("203.0.113.200"), PG) == "denied"


def test_sdn_before_4_5_doubts_a_policy_with_a_named_port() -> None:
    named = to_pg({"from": [ONE]}, {"from": [{"podSelector": {}}], "ports": [{"port": "sql"}]})
    found = Found(None, *sdn(version="4.4.1"), named)
    assert (found(WEB, PG), found(OUTSIDE, PG)) == ("unknown", "denied")
    assert Found(None, *sdn(version="4.5.1"), named)(WEB, PG) == "allowed"


@pytest.mark.parametrize(("version", "verdict"), [("4.4.1", "unknown"), ("", "unknown"), ("4.5.1", "allowed")])
def test_sdn_takes_a_name_for_a_named_port_whatever_else_the_entry_says(version: str, verdict: str) -> None:
    named = to_pg({"from": [ONE]}, {"ports": [{"port": "sql", "appProtocol": "postgres"}]})
    assert Found(None, *sdn(version=version), named)(WEB, PG) == verdict


def test_sdn_from_4_5_doubts_the_entry_with_a_named_port() -> None:
    ports = [{"port": "sql"}, {"port": 80}]
    found = Found(None, *sdn(version="4.5.1"), to_pg({"from": [ONE], "ports": ports}))
    assert [found(WEB, PG, port) for port in (5432, 80, 81)] == ["unknown", "allowed", "denied"]


def test_sdn_takes_every_namespace_for_every_source() -> None:
    found = Found(None, *sdn(version="4.12.1"), to_pg({"from": [{"namespaceSelector": {}}]}))
    assert [found(one, PG) for one in (WEB, OUTSIDE, AGENT)] == ["allowed", "unknown", "unknown"]
    pods = Found(None, *sdn(version="4.12.1"), to_pg({"from": [{"namespaceSelector": {}, "podSelector": {}}]}))
    assert (pods(WEB, PG), pods(OUTSIDE, PG)) == ("allowed", "denied")


def test_sdn_admits_the_host_network_by_namespace_default() -> None:
    default = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}
    found = Found(None, *sdn(version="4.12.1"), to_pg({"from": [default]}))
    assert [found(one, PG) for one in (AGENT, NODE_1, NODE_2, OUTSIDE, WEB)] == [
        "unknown",
        "unknown",
        "unknown",
        "denied",
        "denied",
    ]
    assert found.reason(AGENT, PG) == "host-network"


def test_sdn_admits_the_host_network_by_a_global_project() -> None:
    """A project with network id 0 shares it with `default` and all host traffic."""
    rule = to_pg({"from": [ONE]})
    joined = {"apiVersion": "network.openshift.io/v1", "kind": "NetNamespace", "metadata": {"name": "app"}}
    made = [joined | {"netname": "app", "netid": number} for number in (0, 7)]
    verdicts = [Found(None, *sdn(version="4.12.1"), rule, one)(AGENT, PG) for one in made]
    assert verdicts == ["unknown", "denied"]
