"""Facts of inventory and topology, where the cases of the rules do not reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audit import inventory as inventories
from audit import zones
from audit.controls import governance, project_requests, topology
from audit.controls.facing import Outside
from audit.controls.scene import Scene
from audit.model import ZoneMatrix
from audit.selectors import LabelSelector
from audit.traffic import ALL, NONE, Traffic, address_number
from tests.core.clusters import blocks, flow, inventory, matrix, node, zone, zoned

Json = Any
A, B = zone("a", cidrs=blocks("10.10.0.0/16")), zone("b", cidrs=blocks("10.20.0.0/16"))
PLAN = matrix((zone("internet", kind="internet"), A, B))
HTTPS = Traffic.of("TCP", 443, 443)


def scene(*objects: Json, plan: ZoneMatrix = PLAN) -> Scene:
    population: inventories.Inventory = inventory(*objects)
    members = zones.assign(plan, population.namespaces.values(), population.nodes.values())
    return Scene(inventory=population, zone_map=members, matrix=plan)


def policy(name: str, ns: str, *peers: Json) -> Json:
    metadata = {"name": name, "namespace": ns}
    spec = {"podSelector": {}, "ingress": [{"from": list(peers)}]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def by(**labels: str) -> Json:
    return {"namespaceSelector": {"matchLabels": labels}}


@pytest.mark.parametrize(
    ("value", "zones_named", "meant"),
    [
        ("a", ("a", "ab"), "a"),
        ("network-zone-A", ("a", "ab"), "a"),
        ("ab-router", ("a", "ab"), "ab"),
        ("zone.dmz-ext", ("dmz", "dmz-ext"), "dmz-ext"),
        ("app", ("a", "ab"), ""),
        ("data", ("a",), ""),
    ],
)
def test_a_word_means_a_zone_by_a_whole_part_of_it_the_longest_counts(
    value: str, zones_named: tuple[str, ...], meant: str
) -> None:
    plan = matrix(tuple(zone(name) for name in zones_named))
    spaces = [zoned(f"ns-{name}", name) for name in zones_named]
    found = governance.mistaken_keys(scene(*spaces, policy("p", "ns-a", by(tier=value)), plan=plan))
    assert [one.values for one in found] == ([((value, meant),)] if meant else [])


def test_equal_labels_of_all_policies_are_one_fact_with_every_policy() -> None:
    spaces = [zoned("x", "a"), zoned("y", "b")]
    listed = [policy("p", ns, by(name="network-zone-b")) for ns in ("x", "y")]
    (found,) = governance.mistaken_keys(scene(*spaces, *listed))
    assert [str(one) for one in found.policies] == ["NetworkPolicy x/p", "NetworkPolicy y/p"]
    assert found.requirements == {"name=network-zone-b"}


def test_the_labels_of_a_zone_are_those_of_its_selector_where_they_are_plain() -> None:
    plain = zone("a", namespaces=LabelSelector.parse({"matchLabels": {"tier": "edge"}}))
    odd = zone("a", namespaces=LabelSelector.parse({"matchExpressions": [{"key": "t", "operator": "Exists"}]}))
    assert governance.zone_labels(plain, ("network-zone",)) == {"tier": "edge"}
    assert governance.zone_labels(odd, ("network-zone",)) == {}
    assert governance.zone_labels(zone("a"), ("network-zone",)) == {"network-zone": "a"}


@pytest.mark.parametrize(
    ("spec", "isolates"),
    [
        ({"podSelector": {}}, True),
        ({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}, True),
        ({"podSelector": {}, "ingress": [{}]}, False),
        ({"podSelector": {"matchLabels": {"a": "b"}}}, False),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, False),
    ],
)
def test_a_template_isolates_only_by_a_policy_that_closes_every_pod(spec: Json, *, isolates: bool) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "any-name"},
        "roleRef": {"kind": "ClusterRole", "name": "self-provisioner"},
        "subjects": [{"kind": "User", "name": "eve"}],
    }
    config = {"apiVersion": "config.openshift.io/v1", "kind": "Project", "metadata": {"name": "cluster"},
              "spec": {"projectRequestTemplate": {"name": "t"}}}  # fmt: skip
    made = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": "p"}, "spec": spec}
    template = {"apiVersion": "template.openshift.io/v1", "kind": "Template",
                "metadata": {"name": "t", "namespace": "openshift-config"}, "objects": [made]}  # fmt: skip
    found = project_requests.requests(scene(binding, config, template))
    assert found.subjects == ("User/eve",)
    assert ("NetworkPolicy" not in found.lacking) == isolates


def test_outsiders_reach_an_address_by_the_zone_it_lies_in_and_the_ports_of_the_row() -> None:
    plan = replace(PLAN, flows=(flow("internet", "a", "allow-only", HTTPS),))
    outside = Outside(scene=scene(node("n", "192.0.2.1"), plan=plan))
    at_a, at_b = address_number("10.10.1.1"), address_number("10.20.1.1")
    assert outside.of_address(at_a, HTTPS).side == "outside"
    assert outside.of_address(at_a, Traffic.of("TCP", 6443, 6443)).side == "inside"
    assert outside.of_address(at_b, ALL).side == "inside"
    assert outside.of_address(address_number("8.8.8.8"), HTTPS).side == "outside"
    assert outside.of_address(address_number("192.168.1.1"), HTTPS).side == "unknown"
    assert (outside.enters("b", ALL), outside.open("a"), outside.open("b")) == (NONE, True, False)


def test_the_zone_of_a_node_goes_before_the_block_that_holds_its_address() -> None:
    found = scene(node("n", "10.20.0.9", labels={"network-zone": "a"}))
    assert Outside(scene=found).zone(address_number("10.20.0.9")) == "a"
    assert Outside(scene=found).zone(address_number("10.20.0.8")) == "b"


def test_where_the_matrix_has_no_internet_external_zones_are_outside() -> None:
    plan = matrix((zone("partner", kind="external"), A), cluster_mode="single-zone", cluster_zone="a")
    assert Outside(scene=scene(node("n", "192.0.2.1"), plan=plan)).zones == ("partner",)


def test_the_longest_name_of_a_node_that_ends_the_name_of_a_check_counts() -> None:
    check = {
        "apiVersion": "controlplane.operator.openshift.io/v1alpha1",
        "kind": "PodNetworkConnectivityCheck",
        "metadata": {"name": "network-check-source-b1-to-network-check-target-x-b1", "namespace": "n"},
        "spec": {"sourcePod": "gone", "targetEndpoint": "[fd00::9]:8080"},
        "status": {"conditions": [{"type": "Reachable", "status": "False", "message": "no"}], "outages": [{}]},
    }
    (found,) = topology.checks(scene(node("b1", "10.0.0.1"), node("x-b1", "10.0.0.2"), check))
    assert (found.source, found.target, found.reachable, found.message) == ("b1", "x-b1", False, "no")


def test_nodes_without_a_zone_are_in_no_zone_of_nodes() -> None:
    found = topology.zoned_nodes(scene(node("n1", "192.0.2.1"), node("n2", "10.10.0.1"), node("n3", "10.20.0.1")))
    assert found == {"a": ("n2",), "b": ("n3",)}
