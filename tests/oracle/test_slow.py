"""The slow evaluator against truth tables worked out by hand from the API text."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from tests.oracle.objects import pod_template
from tests.oracle.probes import probe_addresses, probe_ports
from tests.oracle.slow import Cluster
from tests.oracle.terms import NAME_LABEL, Outside, Pod, covers, network
from tests.oracle.world import API, OUT, PG, WEB, WORLD, container, host, pod, policy

Json = Any


def ask(objects: list[Json], source: str, target: str, port: int = 80, protocol: str = "TCP") -> str:
    cluster = Cluster(objects)

    def end(text: str) -> Pod | Outside:
        return cluster.pods[text] if "/" in text else Outside(ipaddress.ip_address(text))

    return cluster.decide(end(source), end(target), protocol, port)


def table(spec: Json, ends: tuple[str, ...], target: str, **kwargs: Any) -> list[str]:
    return [ask([*WORLD, policy(spec)], end, target, **kwargs) for end in ends]


def test_without_policies_everything_is_allowed() -> None:
    assert ask(WORLD, WEB, PG) == ask(WORLD, OUT, PG) == ask(WORLD, PG, "2001:db8::1", 65535, "SCTP") == "allowed"


@pytest.mark.parametrize(
    "spec", [{}, {"podSelector": {}}, {"podSelector": None, "ingress": []}, {"policyTypes": []}, {"egress": []}]
)
def test_recipe_deny_all_traffic_into_a_namespace(spec: Json) -> None:
    assert table(spec, (WEB, PG, OUT), API) == ["denied"] * 3
    assert ask([*WORLD, policy(spec)], API, PG) == "allowed"


@pytest.mark.parametrize("ingress", [[{}], [None], [{"from": []}], [{"from": None, "ports": None}], [{"ports": []}]])
def test_recipe_allow_all_traffic_into_a_namespace(ingress: Json) -> None:
    assert table({"ingress": ingress}, (WEB, PG, OUT, "2001:db8::1"), API) == ["allowed"] * 4


@pytest.mark.parametrize(
    "spec", [{"policyTypes": ["Egress"]}, {"policyTypes": ["Egress"], "ingress": [{}], "egress": []}]
)
def test_recipe_deny_egress(spec: Json) -> None:
    objects = [*WORLD, policy(spec)]
    assert [ask(objects, WEB, end) for end in (API, PG, OUT)] == ["denied"] * 3
    assert ask(objects, PG, WEB) == "allowed"


def test_one_egress_rule_without_policy_types_isolates_both_directions() -> None:
    objects = [*WORLD, policy({"egress": [{}]})]
    assert (ask(objects, WEB, PG), ask(objects, PG, WEB)) == ("allowed", "denied")


def test_rules_of_a_direction_that_policy_types_leave_out_do_nothing() -> None:
    assert table({"policyTypes": ["Ingress"], "egress": []}, (PG,), WEB) == ["denied"]
    objects = [*WORLD, policy({"policyTypes": ["Ingress"], "egress": [{"to": [{"podSelector": {}}]}]})]
    assert ask(objects, WEB, PG) == "allowed"


def test_recipe_allow_from_pods_of_the_same_namespace() -> None:
    assert table({"ingress": [{"from": [{"podSelector": {}}]}]}, (WEB, PG, OUT), API) == ["allowed", "denied", "denied"]


def test_both_selectors_in_one_item_are_and_two_items_are_or() -> None:
    two, web = {"matchLabels": {"team": "two"}}, {"matchLabels": {"tier": "web"}}
    both = {"ingress": [{"from": [{"namespaceSelector": two, "podSelector": web}]}]}
    either = {"ingress": [{"from": [{"namespaceSelector": two}, {"podSelector": web}]}]}
    assert table(both, (WEB, PG), API) == ["denied", "denied"]
    assert table(either, (WEB, PG), API) == ["allowed", "allowed"]


def test_the_empty_namespace_selector_means_every_pod_and_nothing_outside() -> None:
    assert table({"ingress": [{"from": [{"namespaceSelector": {}}]}]}, (WEB, PG, OUT), API) == [
        "allowed",
        "allowed",
        "denied",
    ]


@pytest.mark.parametrize("peer", [{}, None, {"podSelector": None}])
def test_a_peer_without_fields_matches_nothing(peer: Json) -> None:
    assert table({"ingress": [{"from": [peer]}]}, (WEB, PG, OUT), API) == ["denied"] * 3


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([{}], ["allowed", "denied", "allowed"]),
        ([None], ["allowed", "denied", "allowed"]),
        ([{"protocol": "UDP"}], ["denied", "allowed", "denied"]),
        ([{"port": 80}], ["allowed", "denied", "denied"]),
        ([{"port": 79, "endPort": 80}], ["allowed", "denied", "denied"]),
        ([{"port": 81, "endPort": 90}], ["denied", "denied", "allowed"]),
        ([{"port": 80, "protocol": "UDP"}, {"port": 81}], ["denied", "allowed", "allowed"]),
    ],
)
def test_ports(ports: Json, expected: list[str]) -> None:
    objects = [*WORLD, policy({"ingress": [{"ports": ports}]})]
    assert [
        ask(objects, WEB, API, port, protocol) for port, protocol in ((80, "TCP"), (80, "UDP"), (81, "TCP"))
    ] == expected


def test_a_named_port_is_looked_up_at_the_destination_with_its_protocol() -> None:
    egress = policy({"policyTypes": ["Egress"], "egress": [{"ports": [{"port": "sql"}]}]})
    objects = [*WORLD, egress]
    assert [ask(objects, WEB, PG, port) for port in (5432, 5433)] == ["allowed", "denied"]
    assert (
        ask(objects, WEB, PG, 5432, "UDP") == ask(objects, WEB, API, 5432) == ask(objects, WEB, OUT, 5432) == "denied"
    )


def test_native_sidecars_declare_named_ports_and_other_init_containers_do_not() -> None:
    once = container(("a", "TCP", 1))
    sidecar = container(("b", "TCP", 2)) | {"restartPolicy": "Always"}
    objects = [*WORLD, pod("x", ip="10.0.0.3", initContainers=[once, sidecar])]
    objects.append(policy({"ingress": [{"ports": [{"port": "a"}, {"port": "b"}]}]}))
    assert [ask(objects, WEB, "app/Pod/x", port) for port in (1, 2)] == ["denied", "allowed"]


def test_an_ip_block_matches_pods_and_outside_addresses_alike() -> None:
    block = {"cidr": "10.0.0.0/16", "except": ["10.0.0.0/24"]}
    assert table({"ingress": [{"from": [{"ipBlock": block}]}]}, (WEB, PG, "10.0.1.9", "10.0.0.9", OUT), API) == [
        "denied",
        "allowed",
        "allowed",
        "denied",
        "denied",
    ]


def test_a_pod_without_an_address_is_unknown_where_a_block_could_decide() -> None:
    objects = [*WORLD, pod("new"), pod("far", "db")]
    block = policy({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"podSelector": {}}]}]})
    assert [ask([*objects, block], end, API) for end in ("app/Pod/new", "db/Pod/far")] == ["allowed", "unknown"]
    nothing = policy(
        {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/9", "10.128.0.0/9"]}}]}]}
    )
    assert ask([*objects, nothing], "db/Pod/far", API) == "denied"


def test_ipv4_blocks_hold_no_ipv6_address() -> None:
    spec = {"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}
    assert table(spec, (WEB, "255.255.255.255", "::"), API) == ["allowed", "allowed", "denied"]


def test_a_dual_stack_pair_must_be_allowed_over_one_family() -> None:
    four, six = {"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "fd00::/8"}}

    def dual(name: str, n: int) -> Json:
        return pod(name, ip=f"10.1.0.{n}", labels={"name": name}, podIPs=[{"ip": f"10.1.0.{n}"}, {"ip": f"fd00::{n}"}])

    def verdict(out: Json, into: Json) -> str:
        egress = {"podSelector": {"matchLabels": {"name": "a"}}, "policyTypes": ["Egress"], "egress": [{"to": [out]}]}
        ingress = {"podSelector": {"matchLabels": {"name": "b"}}, "ingress": [{"from": [into]}]}
        return ask([dual("a", 1), dual("b", 2), policy(egress), policy(ingress, name="q")], "app/Pod/a", "app/Pod/b")

    assert [verdict(four, four), verdict(six, six), verdict(four, six)] == ["allowed", "allowed", "denied"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "team", "operator": "NotIn", "values": ["one"]}, ["denied", "allowed", "allowed"]),
        ({"key": "team", "operator": "DoesNotExist"}, ["denied", "denied", "allowed"]),
        ({"key": "team", "operator": "Exists"}, ["allowed", "allowed", "denied"]),
        ({"key": "team", "operator": "In", "values": ["two", ""]}, ["denied", "allowed", "denied"]),
        ({"key": NAME_LABEL, "operator": "In", "values": ["bare"]}, ["denied", "denied", "allowed"]),
    ],
)
def test_expressions_on_absent_keys(expression: Json, expected: list[str]) -> None:
    bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bare"}}
    objects = [*WORLD, bare, pod("x", "bare", "10.0.2.1")]
    objects.append(policy({"ingress": [{"from": [{"namespaceSelector": {"matchExpressions": [expression]}}]}]}))
    assert [ask(objects, end, API) for end in (WEB, PG, "bare/Pod/x")] == expected


def test_a_namespace_without_an_object_has_only_its_name_for_certain() -> None:
    objects = [*WORLD, pod("x", "ghost", "10.0.2.1")]

    def verdict(labels: Json) -> str:
        return ask(
            [*objects, policy({"ingress": [{"from": [{"namespaceSelector": {"matchLabels": labels}}]}]})],
            "ghost/Pod/x",
            API,
        )

    assert verdict({NAME_LABEL: "ghost"}) == verdict({}) == "allowed"
    assert verdict({NAME_LABEL: "other"}) == verdict({NAME_LABEL: "other", "team": "one"}) == "denied"
    assert verdict({"team": "one"}) == verdict({"team": "one", NAME_LABEL: "ghost"}) == "unknown"


def test_finished_pods_are_gone_and_pending_ones_stay() -> None:
    objects = [pod(phase, phase=phase) for phase in ("Succeeded", "Failed", "Pending", "Running", "Unknown")]
    assert sorted(Cluster(objects).pods) == ["app/Pod/Pending", "app/Pod/Running", "app/Pod/Unknown"]


def test_host_network_pods_are_neither_subjects_nor_selector_peers() -> None:
    objects = [
        *WORLD,
        host("agent", hostIP="10.9.0.1"),
        policy({"policyTypes": ["Ingress", "Egress"], "ingress": [{"from": [{"podSelector": {}}]}]}),
    ]
    assert ask(objects, OUT, "app/Pod/agent") == ask(objects, "app/Pod/agent", PG) == "allowed"
    objects = [*WORLD[:2], pod("web", ip="10.0.0.1", nodeName="n2"), host("agent", hostIP="10.9.0.1"), objects[-1]]
    assert ask(objects, "app/Pod/agent", WEB) == "denied"


def test_host_network_pods_act_with_the_address_of_their_node() -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
    node["status"] = {
        "addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "10.9.0.1"}]
    }
    block = policy(
        {
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}],
            "egress": [{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}],
        }
    )
    objects = [pod("web", ip="10.0.0.1", nodeName="n2"), host("agent", "n1"), host("lost", "n3"), node, block]
    assert [ask(objects, f"app/Pod/{end}", WEB) for end in ("agent", "lost")] == ["allowed", "unknown"]
    assert [ask(objects, WEB, f"app/Pod/{end}") for end in ("agent", "lost")] == ["allowed", "unknown"]


def test_a_node_reaches_its_own_pods_and_an_unknown_node_may() -> None:
    deny = policy({})
    objects = [
        pod("web", nodeName="n1"),
        pod("new"),
        host("agent", hostIP="10.9.0.1"),
        host("far", "n2"),
        host("template", None),
        deny,
    ]
    assert [ask(objects, f"app/Pod/{end}", WEB) for end in ("agent", "far", "template")] == [
        "allowed",
        "denied",
        "unknown",
    ]
    assert ask(objects, "app/Pod/agent", "app/Pod/new") == "unknown"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"tier": 1}, ["unknown"] * 3),
        ({"ingress": [{"namespaces": [], "ports": [{"port": 80}]}]}, ["unknown"] * 3),
        (
            {"ingress": [{"from": [{"podSelector": {}, "nodes": {}}], "ports": [{"port": 80}]}]},
            ["unknown", "denied", "unknown"],
        ),
        (
            {"ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80, "name": "x"}]}]},
            ["unknown", "unknown", "denied"],
        ),
        (
            {"ingress": [{"from": [{"podSelector": {}}, {"ipBlock": {"cidr": "0.0.0.0/0", "ports": []}}]}]},
            ["allowed", "allowed", "unknown"],
        ),
    ],
)
def test_unknown_fields_make_unknown_what_they_could_affect(spec: Json, expected: list[str]) -> None:
    objects = [*WORLD, policy(spec)]
    assert [ask(objects, WEB, API), ask(objects, WEB, API, 81), ask(objects, OUT, API)] == expected


def test_an_unknown_field_in_the_pod_selector_leaves_the_selection_open() -> None:
    assert table({"podSelector": {"matchFields": []}, "ingress": []}, (WEB,), API) == ["unknown"]
    assert table({"podSelector": {"matchFields": []}, "ingress": [{}]}, (WEB,), API) == ["allowed"]


@pytest.mark.parametrize(
    ("api", "kind", "expected"),
    [
        ("cilium.io/v2", "CiliumNetworkPolicy", ["unknown", "unknown", "allowed"]),
        ("projectcalico.org/v3", "NetworkPolicy", ["unknown", "unknown", "allowed"]),
        ("projectcalico.org/v3", "GlobalNetworkPolicy", ["unknown"] * 3),
        ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", ["allowed"] * 3),
    ],
)
def test_policy_kinds_without_semantics_make_unknown_what_they_may_select(
    api: str, kind: str, expected: list[str]
) -> None:
    other = {"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "app"}, "spec": {}}
    objects = [*WORLD, pod("second", "db"), other]
    assert [ask(objects, WEB, PG), ask(objects, OUT, WEB), ask(objects, PG, "db/Pod/second")] == expected


def test_templates_stand_for_workloads_without_pods() -> None:
    template = {"metadata": {"labels": {"tier": "web"}}, "spec": {}}

    def workload(kind: str, spec: Json, name: str = "w") -> Json:
        return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "app"}, "spec": spec}

    cron = workload("CronJob", {"jobTemplate": {"spec": {"template": template}}})
    replicas = workload("ReplicaSet", {"template": template}, "w-1")
    replicas["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "w", "controller": True}]
    owned = pod("w-1-a")
    owned["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "w-1", "controller": True}]
    assert pod_template(cron) == template
    objects = [cron, workload("Deployment", {"template": template}), replicas, owned]
    assert sorted(Cluster(objects).pods) == ["app/CronJob/w", "app/Pod/w-1-a"]


def test_probes_hold_every_boundary() -> None:
    objects = [
        policy(
            {
                "ingress": [
                    {
                        "from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
                        "ports": [{"port": 80, "endPort": 90}],
                    }
                ]
            }
        )
    ]
    assert probe_ports(objects) == [1, 79, 80, 81, 89, 90, 91, 65535]
    assert {"9.255.255.255", "10.0.0.0", "10.1.0.0", "10.2.0.0", "11.0.0.0", "::"} <= {
        str(a) for a in probe_addresses(objects)
    }


def test_covers() -> None:
    parts = [network("10.0.0.0/9"), network("10.128.0.0/10"), network("10.192.0.0/10")]
    assert covers(parts, network("10.0.0.0/8"))
    assert not covers(parts[1:], network("10.0.0.0/8"))
    assert not covers(parts, network("fd00::/8"))
