"""The corners of NetworkPolicy that analysers get wrong, one by one, on the engine; the slow evaluator must agree."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from audit.profile import Plugin
from tests.oracle.engine import Reach, reach
from tests.oracle.slow import Cluster
from tests.oracle.terms import NAME_LABEL, Endpoint, Outside
from tests.oracle.world import API, OUT, PG, WEB, WORLD, container, deployment, host, namespace, pod, policy

Json = Any
ALL = [(1, 65535)]
EVERYTHING = {"allowed": {"TCP": ALL, "UDP": ALL, "SCTP": ALL}}
UNKNOWN = {"unknown": EVERYTHING["allowed"]}
SIX = "2001:db8::1"


class Both:
    """The engine's answer, checked against the slow evaluator at every question."""

    def __init__(self, *objects: Json, plugin: Plugin | None = None) -> None:
        self.answer: Reach = reach(objects, plugin=plugin)
        self.cluster = Cluster(objects, plugin)

    def ask(self, source: str, target: str, port: int = 80, protocol: str = "TCP") -> str:
        expected = self.cluster.decide(self._end(source), self._end(target), protocol, port)
        ends = [end if "/" in end else ipaddress.ip_address(end) for end in (source, target)]
        got = self.answer.verdict(ends[0], ends[1], protocol, port)
        assert got == expected
        return got

    def _end(self, text: str) -> Endpoint:
        return self.cluster.pods[text] if "/" in text else Outside(ipaddress.ip_address(text))


def into_api(spec: Json, *sources: str, more: tuple[Json, ...] = (), **kwargs: Any) -> list[str]:
    """Verdicts from the sources to `app/Pod/api` under one policy of its namespace."""
    both = Both(*WORLD, *more, policy(spec))
    return [both.ask(source, API, **kwargs) for source in sources]


A, D, U = "allowed", "denied", "unknown"


# Who is an endpoint, and with which identity -------------------------------------------------------------------------


def test_a_pod_to_itself_is_left_out_and_replica_to_replica_is_kept() -> None:
    labels = {"tier": "x"}
    owner = [{"kind": "ReplicaSet", "name": "r", "controller": True}]
    replicas = [pod(f"r-{n}", ip=f"10.0.0.{n}", labels=labels) for n in (1, 2)]
    for replica in replicas:
        replica["metadata"]["ownerReferences"] = owner
    answer = reach([namespace("app"), *replicas, policy({"policyTypes": ["Ingress", "Egress"]})])
    assert answer.document["connections"] == []
    answer = reach([namespace("app"), *replicas])
    assert answer.pair("app/Pod/r-1", "app/Pod/r-2") == EVERYTHING
    assert answer.pair("app/Pod/r-1", "app/Pod/r-1") == {}
    by_workload = reach([namespace("app"), *replicas], by="workload")
    (workload,) = by_workload.inside
    assert by_workload.pair(workload, workload) == EVERYTHING


def test_replicas_of_one_owner_with_different_labels_are_judged_pod_by_pod() -> None:
    owner = [{"kind": "StatefulSet", "name": "s", "controller": True}]
    replicas = [pod(f"s-{n}", ip=f"10.0.3.{n}", labels={"n": str(n)}) for n in (0, 1)]
    for replica in replicas:
        replica["metadata"]["ownerReferences"] = owner
    spec = {"podSelector": {"matchLabels": {"n": "0"}}}
    both = Both(*WORLD, *replicas, policy(spec))
    assert [both.ask(WEB, f"app/Pod/s-{n}") for n in (0, 1)] == [D, A]


def test_by_workload_a_pair_where_replicas_differ_is_partial() -> None:
    replicas = [pod(f"s-{n}", ip=f"10.0.3.{n}", labels={"n": str(n)}) for n in (0, 1)]
    for replica in replicas:
        replica["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": "s", "controller": True}]
    objects = [*WORLD, *replicas, policy({"podSelector": {"matchLabels": {"n": "0"}}})]
    found = {(c["src"], c["dst"]): c for c in reach(objects, by="workload").document["connections"]}
    assert found[WEB, "app/StatefulSet/s"]["partial"] is True
    assert not found[WEB, API].get("partial")


def test_host_network_pods_are_no_subjects() -> None:
    both = Both(*WORLD, host("agent", hostIP="10.9.0.1"), policy({"policyTypes": ["Ingress", "Egress"]}))
    assert [both.ask(PG, "app/Pod/agent"), both.ask("app/Pod/agent", OUT), both.ask("app/Pod/agent", PG)] == [A, A, A]


def test_host_network_pods_are_no_selector_peers() -> None:
    there = pod("there", ip="10.0.0.9", nodeName="n2")
    spec: Json = {"ingress": [{"from": [{"podSelector": {}}, {"namespaceSelector": {}}]}]}
    both = Both(namespace("app"), there, host("agent", hostIP="10.9.0.1"), policy(spec))
    assert both.ask("app/Pod/agent", "app/Pod/there") == D


def test_host_network_pods_have_the_address_of_their_node() -> None:
    there = pod("there", ip="10.0.0.9", nodeName="n2")
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n3"}}
    node["status"] = {
        "addresses": [{"type": "ExternalIP", "address": "192.0.2.3"}, {"type": "InternalIP", "address": "10.9.0.3"}]
    }
    spec = {"ingress": [{"from": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}]}
    hosts = [
        host("one", hostIP="10.9.0.1"),
        host("three", "n3"),
        host("four", "n4"),
        host("far", "n5", hostIP="10.8.0.1"),
    ]
    both = Both(namespace("app"), there, node, *hosts, policy(spec))
    assert [both.ask(f"app/Pod/{name}", "app/Pod/there") for name in ("one", "three", "four", "far")] == [A, A, U, D]


def test_a_node_always_reaches_its_own_pods() -> None:
    pods = [
        pod("here", ip="10.0.0.8", nodeName="n1"),
        pod("there", ip="10.0.0.9", nodeName="n2"),
        pod("new", ip="10.0.0.7"),
    ]
    both = Both(namespace("app"), *pods, host("agent", hostIP="10.9.0.1"), policy({}))
    assert [both.ask("app/Pod/agent", f"app/Pod/{name}") for name in ("here", "there", "new")] == [A, D, U]


def test_a_host_network_template_may_run_on_any_node() -> None:
    both = Both(
        namespace("app"), pod("here", ip="10.0.0.8", nodeName="n1"), deployment("agent", hostNetwork=True), policy({})
    )
    assert both.ask("app/Deployment/agent", "app/Pod/here") == U


def test_finished_pods_are_gone_and_pending_pods_stay() -> None:
    phases = ("Succeeded", "Failed", "Pending", "Running")
    assert reach([namespace("app"), *(pod(p.lower(), phase=p) for p in phases)]).inside == (
        "app/Pod/pending",
        "app/Pod/running",
    )


def test_a_pending_pod_without_an_address_is_unknown_where_a_block_decides() -> None:
    spec = {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}
    assert into_api(spec, "app/Pod/new", PG, more=(pod("new", phase="Pending"),)) == [U, A]
    with_selector = {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"podSelector": {}}]}]}
    assert into_api(with_selector, "app/Pod/new", more=(pod("new"),)) == [A]


# Named ports ---------------------------------------------------------------------------------------------------------


def test_a_named_port_differs_from_pod_to_pod() -> None:
    pods = [pod(f"x{n}", ip=f"10.0.0.{n}", containers=[container(("http", "TCP", n))]) for n in (81, 82)]
    both = Both(*WORLD, *pods, policy({"ingress": [{"ports": [{"port": "http"}]}]}))
    assert [both.ask(WEB, f"app/Pod/x{n}", port) for n in (81, 82) for port in (81, 82)] == [A, D, D, A]
    assert both.ask(WEB, API, 81) == D


def test_a_named_port_with_another_protocol_matches_nothing() -> None:
    x = pod("x", ip="10.0.0.9", containers=[container(("dns", "UDP", 53))])
    both = Both(*WORLD, x, policy({"ingress": [{"ports": [{"port": "dns"}]}]}))
    assert [both.ask(WEB, "app/Pod/x", 53, protocol) for protocol in ("TCP", "UDP")] == [D, D]
    both = Both(*WORLD, x, policy({"ingress": [{"ports": [{"port": "dns", "protocol": "UDP"}]}]}))
    assert [both.ask(WEB, "app/Pod/x", 53, protocol) for protocol in ("TCP", "UDP")] == [D, A]


def test_an_egress_named_port_is_the_destinations_and_never_an_outside_one() -> None:
    both = Both(*WORLD, policy({"policyTypes": ["Egress"], "egress": [{"ports": [{"port": "sql"}]}]}))
    assert [both.ask(WEB, end, 5432) for end in (PG, API, OUT)] == [A, D, D]


def test_native_sidecars_declare_named_ports() -> None:
    init = [container(("a", "TCP", 81)) | {"restartPolicy": "Always"}, container(("b", "TCP", 82))]
    x = pod("x", ip="10.0.0.9", initContainers=init)
    both = Both(*WORLD, x, policy({"ingress": [{"ports": [{"port": "a"}, {"port": "b"}]}]}))
    assert [both.ask(WEB, "app/Pod/x", port) for port in (81, 82)] == [A, D]


# Blocks --------------------------------------------------------------------------------------------------------------


def test_an_ip_block_that_holds_pod_addresses_matches_the_pods() -> None:
    block = {"cidr": "10.0.0.0/16", "except": ["10.0.0.0/30"]}
    assert into_api({"ingress": [{"from": [{"ipBlock": block}]}]}, WEB, PG, "10.0.2.1", "10.1.0.0") == [D, A, A, D]


@pytest.mark.parametrize("ends", ["10.0.1.1/32", "10.0.1.0/31", "10.0.0.0/15"])
def test_egress_to_the_address_of_a_pod_reaches_the_pod(ends: str) -> None:
    both = Both(*WORLD, policy({"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": ends}}]}]}))
    assert both.ask(WEB, PG) == A


def test_ipv6_blocks_are_ipv6() -> None:
    everything = {"ingress": [{"from": [{"ipBlock": {"cidr": "::/0"}}]}]}
    assert into_api(everything, SIX, "::", OUT, WEB) == [A, A, D, D]
    one = {"ingress": [{"from": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}]}
    assert into_api(one, SIX, "2001:db9::", "32.1.13.184") == [A, D, D]
    assert into_api({"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}, SIX, OUT) == [D, A]


def test_a_whole_family_as_two_halves_is_whole() -> None:
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in ("0.0.0.0/1", "128.0.0.0/1")]
    both = Both(*WORLD, policy({"ingress": [{"from": peers}]}))
    assert [both.ask(end, API) for end in ("0.0.0.1", "127.255.255.255", "128.0.0.0", "255.255.255.255", SIX)] == [
        A,
        A,
        A,
        A,
        D,
    ]


def test_host_bits_of_a_block_are_masked() -> None:
    assert into_api({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.1.9/24"}}]}]}, PG, "10.0.1.0", WEB) == [A, A, D]


def test_a_dual_stack_pod_is_matched_by_either_address() -> None:
    dual = pod("dual", "db", "10.0.5.1", podIPs=[{"ip": "10.0.5.1"}, {"ip": "fd00::5"}])
    web = pod("web6", ip="10.0.6.1", podIPs=[{"ip": "10.0.6.1"}, {"ip": "fd00::6"}])
    for cidr in ("10.0.5.0/24", "fd00::/64"):
        both = Both(*WORLD, dual, web, policy({"ingress": [{"from": [{"ipBlock": {"cidr": cidr}}]}]}))
        assert both.ask("db/Pod/dual", "app/Pod/web6") == A


# Namespaces and selectors --------------------------------------------------------------------------------------------


def test_a_namespace_without_an_object_has_its_name_and_nothing_else_for_certain() -> None:
    ghost = pod("x", "ghost", "10.0.9.1")

    def verdict(selector: Json) -> str:
        return into_api({"ingress": [{"from": [{"namespaceSelector": selector}]}]}, "ghost/Pod/x", more=(ghost,))[0]

    assert verdict({"matchLabels": {NAME_LABEL: "ghost"}}) == A
    assert verdict({"matchLabels": {NAME_LABEL: "other", "team": "one"}}) == D
    assert verdict({"matchLabels": {"team": "one"}}) == U
    assert verdict({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}) == U
    assert verdict({}) == A


def test_the_name_label_is_there_though_the_manifest_does_not_write_it() -> None:
    assert into_api({"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {NAME_LABEL: "db"}}}]}]}, PG, WEB) == [
        A,
        D,
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "team", "operator": "NotIn", "values": ["one"]}, [D, A, A]),
        ({"key": "team", "operator": "DoesNotExist"}, [D, D, A]),
        ({"key": "team", "operator": "Exists"}, [A, A, D]),
        ({"key": "team", "operator": "In", "values": [""]}, [D, D, D]),
    ],
)
def test_expressions_on_absent_keys(expression: Json, expected: list[str]) -> None:
    bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bare"}}
    spec = {"ingress": [{"from": [{"namespaceSelector": {"matchExpressions": [expression]}}]}]}
    assert into_api(spec, WEB, PG, "bare/Pod/x", more=(bare, pod("x", "bare", "10.0.2.1"))) == expected


def test_an_empty_label_value_is_not_an_absent_key() -> None:
    empty = pod("empty", ip="10.0.0.9", labels={"tier": ""})
    absent = pod("absent", ip="10.0.0.10")

    def verdicts(**expression: Any) -> list[str]:
        peer = {"podSelector": {"matchExpressions": [{"key": "tier"} | expression]}}
        return into_api({"ingress": [{"from": [peer]}]}, "app/Pod/empty", "app/Pod/absent", more=(empty, absent))

    assert verdicts(operator="In", values=[""]) == [A, D]
    assert verdicts(operator="NotIn", values=[""]) == [D, A]
    assert verdicts(operator="Exists") == [A, D]


def test_a_namespace_selector_alone_means_all_pods_of_these_namespaces() -> None:
    peer = {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}
    assert into_api({"ingress": [{"from": [peer]}]}, WEB, PG, OUT) == [A, A, D]


def test_a_pod_selector_alone_stays_in_the_namespace_of_the_policy() -> None:
    assert into_api({"ingress": [{"from": [{"podSelector": {}}]}]}, WEB, PG) == [A, D]


def test_selectors_in_one_item_are_and_and_in_two_items_are_or() -> None:
    two, web = {"matchLabels": {"team": "two"}}, {"matchLabels": {"tier": "web"}}
    assert into_api({"ingress": [{"from": [{"namespaceSelector": two, "podSelector": web}]}]}, WEB, PG) == [D, D]
    assert into_api({"ingress": [{"from": [{"namespaceSelector": two}, {"podSelector": web}]}]}, WEB, PG) == [A, A]


def test_every_namespace_is_every_pod_and_nothing_outside() -> None:
    assert into_api({"ingress": [{"from": [{"namespaceSelector": {}}]}]}, WEB, PG, OUT, SIX) == [A, A, D, D]


# Forms of a policy ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ingress", [[{}], [None], [{"from": []}], [{"from": None}], [{"ports": []}], [{"from": [], "ports": None}]]
)
def test_an_empty_rule_and_empty_lists_in_it_mean_any(ingress: Json) -> None:
    assert into_api({"ingress": ingress}, WEB, PG, OUT, SIX) == [A, A, A, A]


@pytest.mark.parametrize(
    "spec", [{}, {"podSelector": None}, {"ingress": []}, {"ingress": None}, {"policyTypes": [], "egress": []}]
)
def test_no_rule_means_nothing(spec: Json) -> None:
    assert into_api(spec, WEB, PG, OUT, SIX) == [D, D, D, D]


@pytest.mark.parametrize("peer", [{}, None])
def test_a_peer_with_no_field_set_matches_nothing(peer: Json) -> None:
    assert into_api({"ingress": [{"from": [peer]}]}, WEB, PG, OUT) == [D, D, D]


@pytest.mark.parametrize(
    ("spec", "egress", "ingress"),
    [
        ({"egress": []}, A, D),
        ({"egress": [{}]}, A, D),
        ({"egress": [None]}, A, D),
        ({"egress": [{"ports": [{"port": 1}]}]}, D, D),
        ({"policyTypes": ["Egress"]}, D, A),
        ({"policyTypes": ["Egress"], "ingress": [{"ports": [{"port": 1}]}]}, D, A),
        ({"policyTypes": ["Ingress"], "egress": [{"ports": [{"port": 1}]}]}, A, D),
        ({"policyTypes": ["Ingress"], "ingress": [{}]}, A, A),
        ({"policyTypes": ["Ingress", "Egress"], "ingress": [{}]}, D, A),
    ],
)
def test_policy_types_and_their_default(spec: Json, egress: str, ingress: str) -> None:
    both = Both(*WORLD, policy(spec))
    assert [both.ask(WEB, PG), both.ask(PG, WEB)] == [egress, ingress]


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([{}], [A, D, A, D]),
        ([None], [A, D, A, D]),
        ([{"protocol": "UDP"}], [D, A, D, D]),
        ([{"protocol": "SCTP"}], [D, D, D, A]),
        ([{"port": 80}], [A, D, D, D]),
        ([{"port": 80, "endPort": 80}], [A, D, D, D]),
        ([{"port": 81, "endPort": 65535}], [D, D, A, D]),
        ([{"port": 80, "protocol": "SCTP"}, {"port": 1, "endPort": 80}], [A, D, D, A]),
    ],
)
def test_ports(ports: Json, expected: list[str]) -> None:
    both = Both(*WORLD, policy({"ingress": [{"ports": ports}]}))
    probes = ((80, "TCP"), (80, "UDP"), (81, "TCP"), (80, "SCTP"))
    assert [both.ask(WEB, API, port, protocol) for port, protocol in probes] == expected


def test_the_legacy_api_means_the_same() -> None:
    legacy = policy({"ingress": [{"from": [{"podSelector": {}}]}]}) | {"apiVersion": "extensions/v1beta1"}
    both = Both(*WORLD, legacy)
    assert [both.ask(WEB, API), both.ask(PG, API)] == [A, D]


def test_policies_add_up_and_never_deny_each_other() -> None:
    one, two = policy({"ingress": [{"ports": [{"port": 80}]}]}), policy({"ingress": []}, name="q")
    both = Both(*WORLD, one, two)
    assert [both.ask(WEB, API, port) for port in (80, 81)] == [A, D]


def test_one_side_alone_is_not_enough() -> None:
    out = policy({"policyTypes": ["Egress"], "egress": [{}]})
    both = Both(*WORLD, out, policy({}, "db"))
    assert both.ask(WEB, PG) == D


def test_replies_need_no_rule() -> None:
    both = Both(*WORLD, policy({"policyTypes": ["Ingress", "Egress"], "egress": [{}]}))
    assert [both.ask(WEB, PG), both.ask(PG, WEB)] == [A, D]


def test_objects_without_a_namespace_are_in_default() -> None:
    bare = policy({})
    del bare["metadata"]["namespace"]
    both = Both(*WORLD, pod("x", "default", "10.0.7.1"), bare)
    assert [both.ask(WEB, "default/Pod/x"), both.ask(PG, WEB)] == [D, A]


# Gaps ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ingress": [{"action": "Deny", "ports": [{"port": 80}]}]}, [U, U, U]),
        ({"ingress": [{"from": [{"podSelector": {}, "nodes": {}}], "ports": [{"port": 80}]}]}, [U, D, U]),
        ({"ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80, "appProtocol": "x"}]}]}, [U, U, D]),
        ({"ingress": [{"from": [{"podSelector": {}}, {"nodes": {}}]}]}, [A, A, U]),
        ({"tier": "x"}, [U, U, U]),
    ],
)
def test_unknown_fields_fail_closed(spec: Json, expected: list[str]) -> None:
    both = Both(*WORLD, policy(spec))
    assert [both.ask(WEB, API), both.ask(WEB, API, 81), both.ask(OUT, API)] == expected


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("cilium.io/v2", "CiliumNetworkPolicy"),
        ("projectcalico.org/v3", "NetworkPolicy"),
        ("crd.projectcalico.org/v1", "NetworkPolicy"),
        ("security.istio.io/v1beta1", "AuthorizationPolicy"),
        ("crd.antrea.io/v1alpha1", "NetworkPolicy"),
    ],
)
def test_a_namespaced_policy_kind_without_semantics_makes_its_namespace_unknown(api: str, kind: str) -> None:
    other = {"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "app"}, "spec": {}}
    both = Both(*WORLD, pod("two", "db", "10.0.1.2"), other, policy({}, "db"))
    assert [both.ask(WEB, PG), both.ask(OUT, API), both.ask("db/Pod/two", OUT)] == [D, U, A]
    assert both.answer.pair(WEB, API) == UNKNOWN


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
        ("projectcalico.org/v3", "GlobalNetworkPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
    ],
)
def test_a_cluster_wide_policy_kind_without_semantics_makes_every_pod_unknown(api: str, kind: str) -> None:
    other = {"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": {}}
    both = Both(*WORLD, other, policy({}, "db"))
    assert [both.ask(WEB, PG), both.ask(OUT, API), both.ask(PG, OUT)] == [U, U, U]


def test_a_policy_for_secondary_networks_decides_nothing_about_the_pod_network() -> None:
    other = {
        "apiVersion": "k8s.cni.cncf.io/v1beta1",
        "kind": "MultiNetworkPolicy",
        "metadata": {"name": "x", "namespace": "app"},
        "spec": {"podSelector": {}},
    }
    assert Both(*WORLD, other).ask(WEB, API) == A


def test_every_unknown_says_why_and_the_register_lists_the_reason() -> None:
    other = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "x", "namespace": "app"},
        "spec": {},
    }
    document = Both(*WORLD, other).answer.document
    reasons = {c["reason"] for c in document["connections"] if c["verdict"] == "unknown"}
    assert reasons
    assert reasons <= {a["id"] for a in document["assumptions"]}


def test_blocks_of_one_rule_that_together_hold_every_address_hold_one_that_is_not_known() -> None:
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in ("0.0.0.0/0", "::/0")]
    nameless = pod("new", labels={"tier": "new"})
    assert into_api({"ingress": [{"from": peers}]}, "app/Pod/new", more=(nameless,)) == [A]
    assert into_api({"ingress": [{"from": peers[:1]}]}, "app/Pod/new", more=(nameless,)) == [U]
