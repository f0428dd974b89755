"""The slow evaluator against every row of docs/reachability.md section 1, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.asking import PLACED, ask
from tests.oracle.draw_plugins import agent, cluster_network, network_config, operator_network, past
from tests.oracle.plugins import Plugin, detected
from tests.oracle.world import API, OUT, PG, WEB, host, namespace, pod, policy

Json = Any
DENY: Json = {"podSelector": {}}
SDN = cluster_network("networkpolicy")
PLUGINS = ("spec", "ovn-kubernetes", "calico", "cilium", "unknown")
NODE: Json = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1"},
    "status": {"addresses": [{"type": "InternalIP", "address": "10.9.0.1"}]},
}
AGENT, NODE_ADDRESS = "app/Pod/agent", "10.9.0.1"
HOST = host("agent", "n9", labels={"tier": "agent"})


def version(text: str, *, older: bool = False) -> Json:
    """The object that tells the version of OpenShift."""
    history = [past("Partial", "4.99.0"), past("Completed", text), past("Completed", "4.1.0")]
    status = {"history": [] if older else history, "desired": {"version": text if older else "4.98.0"}}
    metadata = {"name": "version"}
    return {"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "metadata": metadata, "status": status}


def on(spec: Json, source: str, target: str, *more: Json, plugin: str | None = None, **kwargs: Any) -> str:
    """One connection where one policy stands in namespace `app`."""
    return ask([*PLACED, policy(spec), *more], source, target, plugin=plugin, **kwargs)


def on_sdn(spec: Json, source: str, target: str, text: str | None, *more: Json, **kwargs: Any) -> str:
    """The same with openshift-sdn of some version."""
    return on(spec, source, target, SDN, *([version(text)] if text else []), *more, **kwargs)


# Detection -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], Plugin("spec")),
        ([network_config("OVNKubernetes")], Plugin("ovn-kubernetes")),
        ([network_config("oVnKubernetes")], Plugin("ovn-kubernetes")),
        ([network_config("Kuryr")], Plugin("unknown")),
        ([network_config("OpenShiftSDN")], Plugin("openshift-sdn")),
        ([cluster_network("multitenant")], Plugin("openshift-sdn", "multitenant")),
        ([cluster_network("subnet"), network_config("OpenShiftSDN")], Plugin("openshift-sdn", "subnet")),
        ([cluster_network("subnet"), network_config("Calico")], Plugin("unknown")),
        ([agent("calico-system", "calico-node")], Plugin("calico")),
        ([agent("kube-system", "cilium")], Plugin("cilium")),
        ([agent("default", "cilium")], Plugin("spec")),
        ([agent("openshift-sdn", "sdn"), version("4.9.7")], Plugin("openshift-sdn", "", (4, 9))),
        ([SDN, version("4.12.1", older=True)], Plugin("openshift-sdn", "networkpolicy", (4, 12))),
        (
            [network_config("OpenShiftSDN"), operator_network({"type": "OpenShiftSDN"})],
            Plugin("openshift-sdn", "networkpolicy"),
        ),
        (
            [
                network_config("OpenShiftSDN"),
                operator_network({"type": "OpenShiftSDN", "openshiftSDNConfig": {"mode": "Multitenant"}}),
            ],
            Plugin("openshift-sdn", "multitenant"),
        ),
        ([network_config("OpenShiftSDN"), operator_network({"type": "OVNKubernetes"})], Plugin("openshift-sdn")),
    ],
)
def test_detection(objects: list[Json], expected: Plugin) -> None:
    assert detected(objects) == expected


def test_what_the_user_says_counts() -> None:
    assert detected([network_config("Calico")], "cilium") == Plugin("cilium")


def test_net_namespaces_tell_where_nothing_else_does() -> None:
    left: Json = {"apiVersion": "network.openshift.io/v1", "kind": "NetNamespace", "metadata": {"name": "a"}}
    assert detected([left]) == Plugin("openshift-sdn")
    assert detected([left, network_config("Calico")]) == Plugin("calico")


# Enforcement ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plugin", "expected"), [*((name, "denied") for name in PLUGINS if name != "unknown"), ("unknown", "unknown")]
)
def test_what_policies_do_not_let_through(plugin: str, expected: str) -> None:
    assert [on(DENY, source, WEB, plugin=plugin) for source in (API, PG, OUT)] == [expected] * 3
    assert on(DENY, WEB, PG, plugin=plugin) == "allowed"


def test_what_policies_let_through_an_unknown_plugin_lets_through() -> None:
    spec: Json = {"ingress": [{"from": [{"podSelector": {}}]}]}
    assert [on(spec, source, WEB, plugin="unknown") for source in (API, PG)] == ["allowed", "unknown"]


@pytest.mark.parametrize("plugin", ["calico", "cilium", "openshift-sdn", "unknown"])
def test_policies_around_network_policies_may_be_ignored(plugin: str) -> None:
    assert [on_admin(action, 5, plugin) for action in ("Allow", "Deny")] == ["unknown"] * 2


def on_admin(action: str, priority: int, plugin: str) -> str:
    """From `web` to `api`, which a NetworkPolicy closes if the rule allows, and not if it denies."""
    spec = {"priority": priority, "subject": {"namespaces": {}}}
    spec["ingress"] = [{"action": action, "from": [{"namespaces": {}}]}]
    api = "policy.networking.k8s.io/v1alpha1"
    admin = {"apiVersion": api, "kind": "AdminNetworkPolicy", "metadata": {"name": "a"}, "spec": spec}
    objects = [*PLACED, admin, *([policy(DENY)] if action == "Allow" else [])]
    return ask(objects, WEB, API, plugin=plugin)


@pytest.mark.parametrize(("priority", "expected"), [(99, ["allowed", "denied"]), (100, ["unknown", "unknown"])])
def test_ovn_kubernetes_has_a_greatest_priority(priority: int, expected: list[str]) -> None:
    assert [on_admin(action, priority, "ovn-kubernetes") for action in ("Allow", "Deny")] == expected


def test_ovn_kubernetes_may_ignore_cluster_network_policies() -> None:
    spec = {"priority": 5, "tier": "Admin", "subject": {"namespaces": {}}}
    spec["ingress"] = [{"action": "Deny", "from": [{"namespaces": {}}]}]
    api = "policy.networking.k8s.io/v1alpha2"
    objects = [*PLACED, {"apiVersion": api, "kind": "ClusterNetworkPolicy", "metadata": {"name": "c"}, "spec": spec}]
    assert [ask(objects, WEB, API, plugin=plugin) for plugin in ("spec", "ovn-kubernetes")] == ["denied", "unknown"]


# OVN-Kubernetes ------------------------------------------------------------------------------------------------------

OVN: Json = {"plugin": "ovn-kubernetes"}


def test_ovn_a_named_port_opens_its_protocol() -> None:
    spec = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": "sql"}]}]}
    target = pod("sql", ip="10.0.0.9", containers=[{"name": "c", "ports": [{"name": "sql", "containerPort": 5432}]}])
    ends = [(WEB, 5432, "TCP"), (WEB, 80, "TCP"), (WEB, 80, "UDP"), (PG, 80, "TCP")]
    found = [on(spec, s, "app/Pod/sql", target, port=p, protocol=q, **OVN) for s, p, q in ends]
    assert found == ["allowed", "unknown", "denied", "denied"]


def test_ovn_rules_of_an_unlisted_direction_are_possible() -> None:
    inert = {"policyTypes": ["Egress"], "ingress": [{"from": [{"podSelector": {}}]}], "egress": [{}]}
    assert on(inert, PG, WEB, **OVN) == "allowed"
    closed = policy(DENY, name="closed")
    assert [on(inert, source, WEB, closed, **OVN) for source in (API, PG)] == ["unknown", "denied"]
    assert on(inert, API, WEB, closed) == "denied"


@pytest.mark.parametrize("more", [[], [namespace("openshift-host-network")]])
def test_ovn_the_namespace_of_nodes_stands_for_them(more: list[Json]) -> None:
    spec: Json = {"ingress": [{"from": [{"namespaceSelector": {}}]}]}
    found = [on(spec, source, WEB, NODE, HOST, *more, **OVN) for source in (AGENT, NODE_ADDRESS, OUT)]
    assert found == ["unknown", "unknown", "denied"]
    only = {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "two"}}}]}]}
    assert on(only, NODE_ADDRESS, WEB, NODE, *more, **OVN) == "denied"


def test_ovn_where_no_node_was_read_every_address_may_be_one() -> None:
    assert on({"ingress": [{"from": [{"namespaceSelector": {}}]}]}, OUT, WEB, **OVN) == "unknown"


def test_ovn_the_namespace_of_nodes_counts_for_ingress_only() -> None:
    spec = {"policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}]}]}
    assert on(spec, WEB, NODE_ADDRESS, NODE, **OVN) == "denied"


def test_ovn_a_pod_selector_names_host_network_pods_by_label() -> None:
    spec = {"ingress": [{"from": [{"podSelector": {"matchLabels": {"tier": "agent"}}}]}]}
    shown = host("agent", "n1", labels={"tier": "agent"}, hostIP=NODE_ADDRESS)
    other = host("other", "n9", hostIP="10.9.0.7")
    found = [on(spec, s, WEB, NODE, shown, other, **OVN) for s in (AGENT, "app/Pod/other", NODE_ADDRESS, OUT)]
    assert found == ["unknown", "denied", "unknown", "denied"]
    assert on(spec, AGENT, WEB, NODE, shown) == "denied"


# Cilium --------------------------------------------------------------------------------------------------------------


def test_cilium_blocks_are_about_the_outside() -> None:
    spec = {"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}
    found = [on(spec, source, WEB, NODE, plugin="cilium") for source in (OUT, API, NODE_ADDRESS)]
    assert found == ["allowed", "unknown", "unknown"]
    assert on({"ingress": [{"from": [{"ipBlock": {"cidr": "172.16.0.0/12"}}]}]}, API, WEB, plugin="cilium") == "denied"


# openshift-sdn -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["subnet", "multitenant"])
def test_sdn_modes_without_policies(mode: str) -> None:
    projects = [project("app", 1), project("db", 1)]
    assert on(DENY, PG, WEB, cluster_network(mode), *projects) == on(DENY, OUT, WEB, cluster_network(mode)) == "allowed"


def project(name: str, netid: int) -> Json:
    """A NetNamespace."""
    body = {"metadata": {"name": name}, "netname": name, "netid": netid}
    return {"apiVersion": "network.openshift.io/v1", "kind": "NetNamespace", **body}


def test_sdn_of_unknown_mode() -> None:
    config = network_config("OpenShiftSDN")
    assert on(DENY, OUT, WEB, config) == "unknown"
    joined, apart = [project("app", 1), project("db", 1)], [project("app", 1), project("db", 2)]
    assert [on({"ingress": [{}]}, PG, WEB, config, *more) for more in (joined, apart)] == ["allowed", "unknown"]


@pytest.mark.parametrize(("text", "expected"), [("4.9.9", "unknown"), ("4.10.0", "denied"), (None, "unknown")])
def test_sdn_learns_egress(text: str | None, expected: str) -> None:
    spec = {"policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}]}
    assert [on_sdn(spec, WEB, target, text) for target in (API, PG)] == ["allowed", expected]


@pytest.mark.parametrize(("text", "expected"), [("3.11.0", "unknown"), ("4.5.0", "allowed"), (None, "unknown")])
def test_sdn_learns_blocks(text: str | None, expected: str) -> None:
    assert on_sdn({"ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]}, OUT, WEB, text) == expected


@pytest.mark.parametrize(("text", "expected"), [("4.4.9", "unknown"), ("4.9.0", "unknown"), ("4.10.0", "allowed")])
def test_sdn_learns_exceptions(text: str, expected: str) -> None:
    block = {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}
    spec = {"ingress": [{"from": [{"ipBlock": block}]}]}
    assert [on_sdn(spec, source, WEB, text) for source in (OUT, "192.0.2.200")] == [expected, "denied"]


@pytest.mark.parametrize(("text", "expected"), [("4.9.0", "allowed"), ("4.10.0", "unknown")])
def test_sdn_does_not_read_blocks_of_ipv6(text: str, expected: str) -> None:
    assert on_sdn({"ingress": [{"from": [{"ipBlock": {"cidr": "::/0"}}]}]}, "2001:db8::1", WEB, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4.4.0", ["unknown", "unknown"]), ("4.9.0", ["unknown", "allowed"]), (None, ["unknown", "unknown"])],
)
def test_sdn_and_named_ports(text: str | None, expected: list[str]) -> None:
    """Before 4.5 the name spoils the whole policy, later its entry only."""
    target = pod("sql", ip="10.0.0.9", containers=[{"name": "c", "ports": [{"name": "sql", "containerPort": 5432}]}])
    spec = {"ingress": [{"ports": [{"port": "sql"}]}, {"ports": [{"port": 80}]}]}
    assert [on_sdn(spec, WEB, "app/Pod/sql", text, target, port=port) for port in (5432, 80)] == expected


def test_sdn_a_name_in_a_direction_that_the_policy_leaves_out_spoils_nothing() -> None:
    spec = {"policyTypes": ["Ingress"], "ingress": [{}], "egress": [{"ports": [{"port": "sql"}]}]}
    assert on_sdn(spec, OUT, WEB, "4.4.0") == "allowed"


def test_sdn_every_namespace_is_every_source() -> None:
    spec: Json = {"ingress": [{"from": [{"namespaceSelector": {}}]}]}
    found = [on_sdn(spec, s, WEB, "4.12.0", NODE, HOST, namespace("default")) for s in (OUT, AGENT, PG)]
    assert found == ["unknown", "unknown", "allowed"]
    both: Json = {"ingress": [{"from": [{"namespaceSelector": {}, "podSelector": {}}]}]}
    assert on_sdn(both, OUT, WEB, "4.12.0", NODE) == "denied"


def test_sdn_namespaces_of_nodes() -> None:
    spec = {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "two"}}, "podSelector": {}}]}]}
    default = namespace("default")
    assert on_sdn(spec, NODE_ADDRESS, WEB, "4.12.0", NODE, default) == "denied"
    assert on_sdn(spec, NODE_ADDRESS, WEB, "4.12.0", NODE, namespace("default", team="two")) == "unknown"
    assert on_sdn(spec, NODE_ADDRESS, WEB, "4.12.0", NODE, default, project("db", 0)) == "unknown"
    assert on_sdn(spec, NODE_ADDRESS, WEB, "4.12.0", NODE) == "unknown", "the labels of `default` are not known"
    assert on_sdn(spec, OUT, WEB, "4.12.0", NODE, default, project("db", 0)) == "denied"
