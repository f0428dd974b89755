"""Networks beside the default one: who meets whom on user-defined and on secondary ones (docs/reachability.md 3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audit import cells, reach_json, zones
from audit.inventory import build
from audit.networks import UNDECIDED
from audit.profile import Plugin
from audit.traffic import ALL, NONE
from tests.core.clusters import (
    DENY_ALL,
    Json,
    cell,
    evaluate,
    flow,
    host,
    matrix,
    namespace,
    pod,
    policy,
    service,
    snapshot,
    zone,
)
from tests.oracle.engine import Reach

LABEL = "k8s.ovn.org/primary-user-defined-network"
OUT = "192.0.2.1"


def space(name: str, *, primary: bool = True, **labels: str) -> Json:
    return namespace(name, **labels, **({LABEL: ""} if primary else {}))


def udn(ns: str, name: str = "own", role: str = "Primary", topology: str = "Layer2") -> Json:
    spec = {"topology": topology, topology.lower(): {"role": role, "subnets": ["10.60.0.0/16"]}}
    return {
        "apiVersion": "k8s.ovn.org/v1",
        "kind": "UserDefinedNetwork",
        "metadata": {"name": name, "namespace": ns},
        "spec": spec,
    }


def cudn(name: str, selector: Json, role: str = "Primary", topology: str = "Layer3", **network: Any) -> Json:
    network |= {"topology": topology, topology.lower(): {"role": role}}
    return {
        "apiVersion": "k8s.ovn.org/v1",
        "kind": "ClusterUserDefinedNetwork",
        "metadata": {"name": name, "labels": {"net": name}},
        "spec": {"namespaceSelector": selector, "network": network},
    }


def zoned_cudn(name: str) -> Json:
    return cudn(name, {"matchLabels": {"z": name}})


def annotated(made: Json, **annotations: str) -> Json:
    keys = {
        "nets": "k8s.v1.cni.cncf.io/networks",
        "ports": "k8s.ovn.org/open-default-ports",
        "addresses": "k8s.ovn.org/pod-networks",
        "default": "v1.multus-cni.io/default-network",
    }
    made["metadata"]["annotations"] = {keys[key]: value for key, value in annotations.items()}
    return made


def net_namespace(name: str, netid: int) -> Json:
    api = {"apiVersion": "network.openshift.io/v1", "kind": "NetNamespace"}
    return api | {"metadata": {"name": name}, "netname": name, "netid": netid}


def reach(*objects: Json, plugin: Plugin | None = None) -> Reach:
    return Reach(json.loads(json.dumps(reach_json.document(snapshot(objects), plugin=plugin))))


def verdict(found: Reach, source: str, target: str, port: int = 80) -> str:
    ends = [one if "." in one else f"{one}/Pod/p" for one in (source, target)]
    import ipaddress

    known = [ipaddress.ip_address(one) if "." in one else one for one in ends]
    return found.verdict(known[0], known[1], "TCP", port)


PODS = [pod("p", ns, f"10.0.0.{i}") for i, ns in enumerate(("a1", "a2", "b1", "d"), start=1)]
SPACES = [space("a1", z="a"), space("a2", z="a"), space("b1", z="b"), space("d", primary=False, z="a")]
PARTED = [*PODS, *SPACES, zoned_cudn("a"), zoned_cudn("b")]


# Primary networks ----------------------------------------------------------------------------------------------------


def test_pods_of_one_network_meet_and_of_two_do_not() -> None:
    found = reach(*PARTED)
    assert verdict(found, "a1", "a2") == "allowed"
    for pair in (("a1", "b1"), ("b1", "a1"), ("a1", "d"), ("d", "a1")):
        assert verdict(found, *pair) == "denied"


def test_policies_decide_inside_a_network() -> None:
    closed = policy({"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"z": "b"}}}]}]}, "a2")
    assert verdict(reach(*PARTED, closed), "a1", "a2") == "denied"


def test_a_selected_namespace_without_the_label_stays_on_the_default_network() -> None:
    assert verdict(reach(*PARTED), "d", "d") == "denied"  # a pod's connection to itself is no pair
    other = [space("e", primary=False, z="b"), pod("p", "e", "10.0.0.9")]
    assert verdict(reach(*PARTED, *other), "d", "e") == "allowed"


def test_a_network_of_its_own_namespace() -> None:
    found = reach(*PARTED, udn("c"), space("c"), pod("p", "c", "10.0.0.8"))
    assert verdict(found, "c", "a1") == verdict(found, "d", "c") == "denied"


@pytest.mark.parametrize(
    "networks",
    [
        [],
        [udn("c"), zoned_cudn("c")],
        [udn("c"), udn("c", "second")],
        [udn("c", topology="Layer9")],
        [cudn("c", {"matchLabels": {"z": "c"}}, transport="EVPN")],
        [cudn("c", {"bad": {}})],
    ],
)
def test_a_namespace_whose_network_cannot_be_told_is_undecided(networks: list[Json]) -> None:
    found = reach(*PARTED, *networks, space("c", z="c"), pod("p", "c", "10.0.0.8"), pod("q", "c", "10.0.0.7"))
    assert verdict(found, "c", "a1") == verdict(found, "a1", "c") == verdict(found, "d", "c") == "unknown"
    assert found.verdict("c/Pod/p", "c/Pod/q", "TCP", 80) == "allowed"
    assert "user-defined-network" in json.dumps(found.document["connections"])


def test_a_namespace_without_known_labels_is_undecided_while_there_are_networks() -> None:
    stranger = pod("p", "x", "10.0.0.8")
    assert build(snapshot([*PARTED, stranger])).networks.home["x"] == UNDECIDED
    assert verdict(reach(*PARTED, stranger), "x", "d") == "unknown"
    assert verdict(reach(*PODS, *SPACES[3:], stranger), "x", "d") == "allowed"


def test_outside_addresses_and_nodes_are_reached_as_ever() -> None:
    found = reach(*PARTED, host("p", "n1", ns="d2", hostIP="10.9.0.1"), space("d2", primary=False))
    assert verdict(found, "a1", OUT) == verdict(found, OUT, "a1") == "allowed"
    assert verdict(found, "a1", "d2") == "allowed"
    assert verdict(found, "d2", "a1") == "unknown"


def test_a_pods_own_node_always_reaches_it() -> None:
    placed = pod("q", "a1", "10.0.0.77", nodeName="n1")
    found = reach(*PARTED, placed, host("p", "n1", ns="d2", hostIP="10.9.0.1"), space("d2", primary=False))
    assert found.verdict("d2/Pod/p", "a1/Pod/q", "TCP", 80) == "allowed"


DNS = [
    space("openshift-dns", primary=False),
    pod("p", "openshift-dns", "10.0.0.53", {"dns": "default"}),
    service("dns-default", "openshift-dns", {"dns": "default"}, {"port": 53, "targetPort": 5353}),
]


def test_names_are_resolved_from_every_network() -> None:
    found = reach(*PARTED, *DNS)
    assert verdict(found, "a1", "openshift-dns", 5353) == "unknown"
    assert verdict(found, "a1", "openshift-dns", 53) == "denied"
    assert verdict(found, "d", "openshift-dns", 53) == "allowed"
    assert verdict(reach(*PARTED, *DNS, policy(DENY_ALL, "a1")), "a1", "openshift-dns", 5353) == "denied"


@pytest.mark.parametrize(
    "text", ["- protocol: tcp\n  port: 80\n- protocol: icmp\n", '[{"protocol": "TCP", "port": 80}]']
)
def test_ports_may_be_open_to_the_default_network(text: str) -> None:
    opened = annotated(pod("q", "a1", "10.0.0.66"), ports=text)
    found = reach(*PARTED, opened, policy(DENY_ALL, "a1"))
    assert found.verdict("d/Pod/p", "a1/Pod/q", "TCP", 80) == "unknown"
    assert found.verdict("d/Pod/p", "a1/Pod/q", "TCP", 81) == "denied"
    assert found.verdict("b1/Pod/p", "a1/Pod/q", "TCP", 80) == "denied"
    assert found.verdict("d/Pod/p", "a1/Pod/p", "TCP", 80) == "denied"
    kept = policy({"policyTypes": ["Egress"]}, "d")
    assert reach(*PARTED, opened, kept).verdict("d/Pod/p", "a1/Pod/q", "TCP", 80) == "denied"


@pytest.mark.parametrize("text", ["port 80", "- port: 80", "[1", '[{"protocol": "tcp", "port": 0}]', "{a: b}", "- - -"])
def test_open_ports_that_cannot_be_read_may_be_any(text: str) -> None:
    opened = annotated(pod("q", "a1", "10.0.0.66"), ports=text)
    assert reach(*PARTED, opened).verdict("d/Pod/p", "a1/Pod/q", "UDP", 9) == "unknown"


def test_ports_may_be_open_where_the_network_is_undecided() -> None:
    opened = annotated(pod("q", "c", "10.0.0.66"), ports='[{"protocol": "TCP", "port": 80}]')
    lost = [space("c", z="c"), space("e", z="e"), pod("p", "e", "10.0.0.7"), pod("p", "c", "10.0.0.8")]
    found = reach(*PARTED, opened, *lost, policy(DENY_ALL, "c"))
    assert found.verdict("e/Pod/p", "c/Pod/q", "TCP", 80) == "unknown"
    assert found.verdict("c/Pod/p", "c/Pod/q", "TCP", 80) == "denied"


def test_routers_get_into_every_network() -> None:
    shard = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
    router = [space("openshift-ingress", primary=False), pod("p", "openshift-ingress", "10.0.0.90", {shard: "default"})]
    controller = {"apiVersion": "operator.openshift.io/v1", "kind": "IngressController", "spec": {}}
    controller |= {"metadata": {"name": "default", "namespace": "openshift-ingress-operator"}}
    found = reach(*PARTED, *router, controller)
    assert verdict(found, "openshift-ingress", "a1") == "unknown"
    assert verdict(found, "a1", "openshift-ingress") == "denied"
    closed = reach(*PARTED, *router, controller, policy(DENY_ALL, "a1"))
    assert verdict(closed, "openshift-ingress", "a1") == "denied"


def connect(*selections: Json) -> Json:
    spec = {"networkSelectors": list(selections), "connectivity": ["PodNetwork"], "connectSubnets": []}
    meta = {"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterNetworkConnect", "metadata": {"name": "c"}}
    return meta | {"spec": spec}


def chosen(name: str) -> Json:
    labels = {"networkSelector": {"matchLabels": {"net": name}}}
    kind = "ClusterUserDefinedNetworks"
    return {"networkSelectionType": kind, "clusterUserDefinedNetworkSelector": labels}


@pytest.mark.parametrize(
    ("selections", "joined", "to_default"),
    [
        ([chosen("a"), chosen("b")], "unknown", "denied"),
        ([chosen("a")], "denied", "denied"),
        ([chosen("a"), {"networkSelectionType": "DefaultNetwork"}], "denied", "unknown"),
        ([chosen("a"), {"networkSelectionType": "Other"}], "unknown", "unknown"),
    ],
)
def test_networks_may_be_joined(selections: list[Json], joined: str, to_default: str) -> None:
    found = reach(*PARTED, connect(*selections))
    assert verdict(found, "a1", "b1") == verdict(found, "b1", "a1") == joined
    assert verdict(found, "a1", "d") == verdict(found, "d", "a1") == to_default


def test_a_network_of_a_namespace_is_joined_by_the_labels_of_that() -> None:
    selector = {"namespaceSelector": {"matchLabels": {"team": "x"}}}
    wanted = {"networkSelectionType": "PrimaryUserDefinedNetworks", "primaryUserDefinedNetworkSelector": selector}
    for team, expected in (("x", "unknown"), ("y", "denied")):
        own = [udn("c"), space("c", team=team), pod("p", "c", "10.0.0.8")]
        assert verdict(reach(*PARTED, *own, connect(wanted, chosen("a"))), "c", "a1") == expected


def test_addresses_are_those_of_the_primary_network() -> None:
    given = json.dumps(
        {
            "default": {"ip_addresses": ["10.0.0.1/24"], "role": "infrastructure-locked"},
            "a1/n": {"ip_addresses": ["10.60.0.5/16"], "role": "primary"},
        }
    )
    admits = policy({"ingress": [{"from": [{"ipBlock": {"cidr": "10.60.0.0/24"}}]}]}, "a2")
    known = annotated(pod("k", "a1", "10.0.0.41"), addresses=given)
    found = reach(*PARTED, admits, known)
    assert found.verdict("a1/Pod/k", "a2/Pod/p", "TCP", 80) == "allowed"
    assert found.verdict("a1/Pod/p", "a2/Pod/p", "TCP", 80) == "unknown"
    for bad in ("{", "[]", '{"x": {"role": "primary", "ip_addresses": ["nonsense"]}}'):
        lost = annotated(pod("k", "a1", "10.0.0.41"), addresses=bad)
        assert reach(*PARTED, admits, lost).verdict("a1/Pod/k", "a2/Pod/p", "TCP", 80) == "unknown"


def test_a_plug_in_that_nobody_knows_may_part_nothing() -> None:
    assert verdict(reach(*PARTED, plugin="unknown"), "a1", "b1") == "unknown"


def test_without_the_plug_in_the_objects_have_no_effect() -> None:
    assert verdict(reach(*PARTED, plugin="calico"), "a1", "b1") == "allowed"


def test_advertised_routes_leave_connections_with_the_outside_undecided() -> None:
    meta = {"apiVersion": "k8s.ovn.org/v1", "kind": "RouteAdvertisements", "metadata": {"name": "r"}, "spec": {}}
    found = reach(*PARTED, meta)
    assert verdict(found, OUT, "a1") == verdict(found, "a1", OUT) == "unknown"
    assert (verdict(found, "a1", "a2"), verdict(found, "a1", "b1")) == ("allowed", "denied")
    assert verdict(reach(*PARTED, meta, policy(DENY_ALL, "a1")), OUT, "a1") == "denied"
    assert verdict(reach(*PARTED, meta, plugin="calico"), OUT, "a1") == "allowed"
    plan = matrix([zone("a"), zone("net", kind="internet")], pod_network="overlay")
    spaces = [namespace("a1", **{"network-zone": "a"}), PODS[0]]
    assert cell(evaluate(plan, *spaces), "net", "a").possible == NONE
    assert cell(evaluate(plan, *spaces, meta), "net", "a").possible == ALL


def test_a_network_that_selects_nothing_changes_nothing() -> None:
    plain = [*PODS, *(space(one["metadata"]["name"], primary=False) for one in SPACES)]
    assert reach(*plain, zoned_cudn("zzz")).document == reach(*plain).document


# Netids --------------------------------------------------------------------------------------------------------------


MULTITENANT = {
    "apiVersion": "network.openshift.io/v1",
    "kind": "ClusterNetwork",
    "metadata": {"name": "default"},
    "pluginName": "redhat/openshift-ovs-multitenant",
}


def sdn(*ids: tuple[str, int]) -> Reach:
    spaces = [namespace(name) for name in ("a1", "a2", "b1", "d")]
    objects = [*PODS, *spaces, MULTITENANT, *(net_namespace(*one) for one in ids)]
    return reach(*objects, plugin="openshift-sdn")


def test_projects_with_equal_netids_are_joined_and_zero_is_global() -> None:
    found = sdn(("a1", 5), ("a2", 5), ("b1", 6), ("d", 0))
    assert verdict(found, "a1", "a2") == verdict(found, "a1", "d") == verdict(found, "d", "b1") == "allowed"
    assert verdict(found, "a1", "b1") == verdict(found, "b1", "a2") == "denied"
    lost = sdn(("a1", 5), ("a2", 5), ("d", 0))
    assert verdict(lost, "b1", "a1") == verdict(lost, "a1", "b1") == "unknown"
    assert verdict(lost, "d", "b1") == "allowed"


def test_a_project_with_two_netids_may_be_on_any_network() -> None:
    for ids in ((5, 6), (6, 5), (6, 5, 6)):
        claims = [net_namespace("b1", one) for one in ids]
        for number, claim in enumerate(claims):
            claim["metadata"]["name"] = f"claim-{number}"
        objects = [*PODS, namespace("a1"), namespace("b1"), net_namespace("a1", 5), *claims, MULTITENANT]
        found = reach(*objects, plugin="openshift-sdn")
        assert verdict(found, "a1", "b1") == verdict(found, "b1", "a1") == "unknown"


# Secondary networks --------------------------------------------------------------------------------------------------

SEALED = [policy(DENY_ALL, ns, "seal") for ns in ("s1", "s2")]
PLAIN = [namespace("s1", z="s"), namespace("s2", z="s")]
VIRTUAL = cudn("l2", {"matchLabels": {"z": "s"}}, role="Secondary", topology="Layer2")


def attached(ns: str, text: str, name: str = "p", **labels: str) -> Json:
    return annotated(pod(name, ns, labels=labels), nets=text)


def multi(ns: str, spec: Json, names: str) -> Json:
    meta = {"name": "m", "namespace": ns, "annotations": {"k8s.v1.cni.cncf.io/policy-for": names}}
    return {"apiVersion": "k8s.cni.cncf.io/v1beta1", "kind": "MultiNetworkPolicy", "metadata": meta, "spec": spec}


@pytest.mark.parametrize("text", ["l2", "s1/l2@net1, x", '[{"name": "l2"}]', '[{"name": "l2", "namespace": "s1"}]'])
def test_pods_on_one_virtual_network_meet_whatever_policies_say(text: str) -> None:
    found = reach(*PLAIN, *SEALED, VIRTUAL, attached("s1", text), attached("s2", "l2"))
    assert verdict(found, "s1", "s2") == verdict(found, "s2", "s1") == "allowed"
    assert verdict(found, OUT, "s2") == verdict(found, "s2", OUT) == "denied"


@pytest.mark.parametrize("text", ["other", "s2/l2", "[", "a b", '[{"name": 1}]'])
def test_any_other_attachment_may_lead_anywhere(text: str) -> None:
    found = reach(*PLAIN, *SEALED, VIRTUAL, attached("s1", text), attached("s2", "vlan"))
    assert verdict(found, "s1", "s2") == verdict(found, "s1", OUT) == verdict(found, OUT, "s1") == "unknown"


def test_a_network_that_may_select_a_namespace_is_possible_there() -> None:
    everyone = cudn("l2", {}, role="Secondary", topology="Layer2")
    objects = [*PLAIN[:1], *SEALED, attached("s1", "l2"), attached("s2", "l2")]
    assert verdict(reach(*objects, everyone), "s1", "s2") == "allowed"
    found = reach(*objects, VIRTUAL)
    assert verdict(found, "s1", "s2") == verdict(found, "s2", "s1") == verdict(found, "s2", OUT) == "unknown"
    named = cudn("l2", {"matchLabels": {"kubernetes.io/metadata.name": "s1"}}, role="Secondary", topology="Layer2")
    assert verdict(reach(*objects, named), "s1", "s2") == "denied"


def test_a_virtual_and_a_physical_network_do_not_meet() -> None:
    found = reach(*PLAIN, *SEALED, VIRTUAL, attached("s1", "l2"), attached("s2", "vlan"))
    assert verdict(found, "s1", "s2") == "denied"


def test_a_network_on_the_host_is_physical() -> None:
    local = cudn("l2", {}, role="Secondary", topology="Localnet")
    found = reach(*PLAIN, *SEALED, local, attached("s1", "l2"), attached("s2", "l2"))
    assert verdict(found, "s1", "s2") == "unknown"


def test_host_network_pods_have_no_further_interfaces() -> None:
    agent = annotated(host("p", "n1", ns="s1", hostIP="10.9.0.1"), nets="l2")
    other = attached("s2", "l2")
    other["spec"]["nodeName"] = "n2"
    assert verdict(reach(*PLAIN, *SEALED, VIRTUAL, agent, other), "s1", "s2") == "denied"


FROM_TIER = {"ingress": [{"from": [{"podSelector": {"matchLabels": {"t": "w"}}}], "ports": [{"port": 80}]}]}


@pytest.mark.parametrize("names", ["l2", "s2/l2", "x, s2/l2"])
def test_multi_network_policies_bind_the_attachment_they_name(names: str) -> None:
    web = attached("s2", "l2", "web", t="w")
    found = reach(
        *PLAIN, *SEALED, VIRTUAL, attached("s1", "l2"), web, attached("s2", "l2"), multi("s2", FROM_TIER, names)
    )
    assert found.verdict("s2/Pod/web", "s2/Pod/p", "TCP", 80) == "allowed"
    assert found.verdict("s2/Pod/web", "s2/Pod/p", "TCP", 81) == "denied"
    assert verdict(found, "s1", "s2") == "denied"
    assert verdict(found, "s2", "s1") == "allowed"


NAMED = {"ingress": [{"ports": [{"port": "http"}]}]}
UNLISTED = [{"policyTypes": ["Ingress"]}, {"policyTypes": ["Egress"], "ingress": [{}], "egress": [{}]}]


@pytest.mark.parametrize("specs", [[NAMED], UNLISTED])
@pytest.mark.parametrize(("plugin", "expected"), [("ovn-kubernetes", "unknown"), ("spec", "denied")])
def test_ovn_reads_multi_network_policies_as_widely_as_network_policies(
    specs: list[Json], plugin: Plugin, expected: str
) -> None:
    operator = {"apiVersion": "operator.openshift.io/v1", "kind": "Network", "metadata": {"name": "cluster"}}
    told = [multi("s2", spec, "l2") for spec in specs]
    for number, one in enumerate(told):
        one["metadata"]["name"] = f"m{number}"
    objects = [*PLAIN, *SEALED, VIRTUAL, attached("s1", "l2"), attached("s2", "l2"), *told]
    found = reach(*objects, operator | {"spec": {"useMultiNetworkPolicy": True}}, plugin=plugin)
    assert verdict(found, "s1", "s2") == expected


def test_a_policy_for_another_attachment_binds_nothing() -> None:
    found = reach(*PLAIN, *SEALED, VIRTUAL, attached("s1", "l2"), attached("s2", "l2"), multi("s2", {}, "s1/l2"))
    assert verdict(found, "s1", "s2") == "allowed"


def test_what_a_multi_network_policy_denies_on_a_physical_network_is_denied() -> None:
    found = reach(*PLAIN, *SEALED, attached("s1", "vlan"), attached("s2", "vlan"), multi("s2", {}, "vlan"))
    assert verdict(found, "s1", "s2") == verdict(found, OUT, "s2") == "denied"
    assert verdict(found, "s2", "s1") == verdict(found, "s2", OUT) == "unknown"
    unnamed = annotated(pod("p", "s2"), nets="vlan", default="x")
    found = reach(*PLAIN, *SEALED, attached("s1", "vlan"), unnamed, multi("s2", {}, "vlan"))
    assert verdict(found, "s1", "s2") == "unknown"


def test_address_blocks_on_secondary_networks_match_pods_possibly() -> None:
    block = {"ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]}
    found = reach(*PLAIN, *SEALED, VIRTUAL, attached("s1", "l2"), attached("s2", "l2"), multi("s2", block, "l2"))
    assert verdict(found, "s1", "s2") == "unknown"


@pytest.mark.parametrize(("value", "expected"), [(True, "denied"), (False, "allowed"), (None, "unknown")])
def test_the_operator_says_whether_multi_network_policies_are_enforced(value: Json, expected: str) -> None:
    operator = {"apiVersion": "operator.openshift.io/v1", "kind": "Network", "metadata": {"name": "cluster"}}
    listed = [] if value is None else [operator | {"spec": {"useMultiNetworkPolicy": value}}]
    objects = [*PLAIN, *SEALED, VIRTUAL, attached("s1", "l2"), attached("s2", "l2"), multi("s2", {}, "l2")]
    assert verdict(reach(*objects, *listed, plugin="ovn-kubernetes"), "s1", "s2") == expected


# Zones ---------------------------------------------------------------------------------------------------------------


def test_a_shared_secondary_network_is_the_cause_of_a_breach() -> None:
    plan = matrix([zone("a"), zone("b")], flow("a", "a", "allow-all"))
    spaces = [namespace("s1", z="s", **{"network-zone": "a"}), namespace("s2", z="s", **{"network-zone": "b"})]
    found = build(snapshot([*spaces, *SEALED, VIRTUAL, attached("s1", "l2"), attached("s2", "l2")]))
    zone_map = zones.assign(plan, found.namespaces.values(), [])
    cell = next(one for one in cells.evaluate(found, zone_map, plan).cells if (one.source, one.target) == ("a", "b"))
    (breach,) = cell.breaches
    assert (cell.observed, breach.certain, breach.traffic, breach.pairs) == (ALL, True, ALL, 1)
    assert [str(one) for one in breach.subjects] == ["ClusterUserDefinedNetwork l2"]
    assert breach.ingress is not None
    assert breach.ingress.text == "attached to ClusterUserDefinedNetwork l2"


def test_zones_on_networks_of_their_own_are_apart_without_policies() -> None:
    plan = matrix([zone("a"), zone("b")], flow("a", "a", "allow-all"))
    labels = {LABEL: ""}
    spaces = [namespace(f"{z}1", z=z, **labels, **{"network-zone": z}) for z in ("a", "b")]
    found = build(snapshot([*spaces, PODS[0], PODS[2], zoned_cudn("a"), zoned_cudn("b")]))
    zone_map = zones.assign(plan, found.namespaces.values(), [])
    apart = [one for one in cells.evaluate(found, zone_map, plan).cells if {one.source, one.target} == {"a", "b"}]
    assert [one.possible for one in apart] == [NONE, NONE]
