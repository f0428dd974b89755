"""With which source address traffic leaves the cluster (docs/reachability.md, section 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audit import reach_json
from audit.completeness import completeness
from audit.explain import explain
from audit.flows import Departure
from audit.profile import Profile
from tests.core.clusters import (
    Json,
    blocks,
    deployment,
    evaluate,
    host,
    matrix,
    namespace,
    node,
    pod,
    service,
    snapshot,
    zone,
    zoned,
)
from tests.core.egress import (
    OUTSIDE,
    OVN,
    SDN,
    UNKNOWN,
    Shown,
    firewall,
    lines,
    made,
    net,
    sources,
    subnet,
)

IP, OTHER = "192.0.2.50", "192.0.2.51"
SPEC = Profile(plugin="spec")
NODES = [node("n1", "192.0.2.1"), node("n2", "192.0.2.2")]
NODE: Shown = ("192.0.2.1", "node", "n1", "allowed")


def app(**labels: str) -> list[Json]:
    """A pod on node n1."""
    return [namespace("app", team="x"), pod("a", labels=labels, nodeName="n1", ip="10.1.0.1"), *NODES]


def egress_ip(
    name: str = "e", *addresses: str, items: Any = None, select: Json = None, pods: Json = None, **fields: Any
) -> Json:
    spec = {"egressIPs": list(addresses or (IP,)), "namespaceSelector": select or {"matchLabels": {"team": "x"}}}
    status: Json = {} if items is None else {"status": {"items": [{"egressIP": a, "node": n} for a, n in items]}}
    return made(
        "EgressIP", "k8s.ovn.org", name, spec=spec | ({"podSelector": pods} if pods else {}), **status, **fields
    )


# Nodes ---------------------------------------------------------------------------------------------------------------


def test_a_pod_leaves_with_the_address_of_its_node() -> None:
    assert sources(*app(), profile=OVN) == [NODE]
    assert sources(*app(), profile=SDN) == [NODE]


def test_where_nobody_says_how_addresses_are_translated_it_is_possible_only() -> None:
    assert [sources(*app(), profile=Profile(plugin=p))[0][3] for p in ("spec", "calico", "cilium", "unknown")] == [
        "unknown"
    ] * 4


def test_a_pod_without_a_known_node_leaves_with_an_unknown_address() -> None:
    assert sources(namespace("app"), pod("a"), profile=OVN) == [("", "node", "", "unknown")]
    assert sources(namespace("app"), pod("a", nodeName="gone"), profile=OVN) == [("", "node", "gone", "unknown")]


def test_of_several_addresses_of_a_family_only_the_node_knows_which() -> None:
    objects = [namespace("app"), pod("a", nodeName="n1"), node("n1", "192.0.2.1", "192.0.2.9", "2001:db8::1")]
    assert sources(*objects, profile=OVN) == [
        ("192.0.2.1", "node", "n1", "unknown"),
        ("192.0.2.9", "node", "n1", "unknown"),
        ("2001:db8::1", "node", "n1", "allowed"),
    ]


def test_a_host_network_pod_leaves_with_its_node_and_no_egress_address() -> None:
    objects = [namespace("app", team="x"), host("a", "n1"), *NODES, egress_ip(items=[(IP, "n2")])]
    assert sources(*objects, profile=OVN) == [NODE]


# EgressIP ------------------------------------------------------------------------------------------------------------


def test_the_status_says_which_address_leaves_from_which_node() -> None:
    found = sources(*app(), egress_ip("e", IP, OTHER, items=[(IP, "n2")]), profile=OVN)
    assert found == [(IP, "EgressIP e", "n2", "allowed")]


def test_several_served_addresses_are_balanced_so_each_is_used() -> None:
    found = sources(*app(), egress_ip("e", IP, OTHER, items=[(IP, "n1"), (OTHER, "n2")]), profile=OVN)
    assert found == [(IP, "EgressIP e", "n1", "allowed"), (OTHER, "EgressIP e", "n2", "allowed")]


def test_an_address_that_no_node_serves_falls_back_to_the_node() -> None:
    found = sources(*app(), egress_ip(items=[]), profile=OVN)
    assert found == [("192.0.2.1", "node, as EgressIP e has no node", "n1", "allowed")]


def test_an_object_without_status_may_do_either() -> None:
    found = sources(*app(), egress_ip(), profile=OVN)
    assert found == [("192.0.2.1", "node", "n1", "unknown"), (IP, "EgressIP e", "", "unknown")]


def test_several_objects_for_a_pod_leave_open_which_serves_it() -> None:
    both = (egress_ip("e", items=[(IP, "n1")]), egress_ip("f", OTHER, items=[(OTHER, "n2")]))
    assert sources(*app(), *both, profile=OVN) == [
        (IP, "EgressIP e", "n1", "unknown"),
        (OTHER, "EgressIP f", "n2", "unknown"),
    ]
    one_unserved = (both[0], egress_ip("f", OTHER, items=[]))
    assert ("192.0.2.1", "node", "n1", "unknown") in sources(*app(), *one_unserved, profile=OVN)


def test_selectors_pick_namespaces_and_pods() -> None:
    web = egress_ip(items=[(IP, "n2")], pods={"matchLabels": {"app": "web"}})
    assert sources(*app(app="web"), web, profile=OVN)[0][0] == IP
    assert sources(*app(app="db"), web, profile=OVN) == [NODE]
    other = egress_ip(items=[(IP, "n2")], select={"matchLabels": {"team": "y"}})
    assert sources(*app(), other, profile=OVN) == [NODE]


@pytest.mark.parametrize("operator", ["NotIn", "DoesNotExist"])
def test_negative_selectors_pick_namespaces_without_the_label(operator: str) -> None:
    values = {"values": ["q"]} if operator == "NotIn" else {}
    select = {"matchExpressions": [{"key": "zone", "operator": operator, **values}]}
    assert sources(*app(), egress_ip(items=[(IP, "n2")], select=select), profile=OVN)[0][0] == IP


def test_a_namespace_without_known_labels_is_possibly_picked() -> None:
    objects = [pod("a", nodeName="n1"), *NODES]
    found = sources(*objects, egress_ip(items=[(IP, "n2")]), profile=OVN)
    assert found == [("192.0.2.1", "node", "n1", "unknown"), (IP, "EgressIP e", "n2", "unknown")]
    named = egress_ip(items=[(IP, "n2")], select={"matchLabels": {"kubernetes.io/metadata.name": "app"}})
    assert sources(*objects, named, profile=OVN) == [(IP, "EgressIP e", "n2", "allowed")]


def test_a_selector_that_nobody_can_read_may_pick_everything() -> None:
    select = {"matchExpressions": [{"key": "zone", "operator": "Likes"}]}
    found = sources(*app(), egress_ip(items=[(IP, "n2")], select=select), profile=OVN)
    assert [one[3] for one in found] == ["unknown", "unknown"]


def cloud(address: str, node_name: str, status: str = "True") -> Json:
    conditions = [{"type": "Assigned", "status": status}]
    fields: Json = {"spec": {"node": node_name}, "status": {"node": node_name, "conditions": conditions}}
    return made("CloudPrivateIPConfig", "cloud.network.openshift.io", address, **fields)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (cloud(IP, "n2"), ["allowed"]),
        (cloud(IP, "n1"), ["unknown", "unknown"]),
        (cloud(IP, "n2", "False"), ["unknown", "unknown"]),
        (cloud(OTHER, "n2"), ["unknown", "unknown"]),
    ],
)
def test_a_cloud_must_confirm_an_assignment(config: Json, expected: list[str]) -> None:
    found = sources(*app(), egress_ip(items=[(IP, "n2")]), config, profile=OVN)
    assert [one[3] for one in found] == expected


def test_a_cloud_names_ipv6_addresses_in_full_with_dots() -> None:
    config = cloud("2001.0db8.0000.0000.0000.0000.0000.0050", "n2")
    found = sources(*app(), egress_ip("e", "2001:db8::50", items=[("2001:db8::50", "n2")]), config, profile=OVN)
    assert found == [("2001:db8::50", "EgressIP e", "n2", "allowed")]


def test_on_a_network_of_its_own_a_namespace_may_not_be_served() -> None:
    labels = {"k8s.ovn.org/primary-user-defined-network": "", "team": "x"}
    objects = [namespace("app", **labels), pod("a", nodeName="n1"), *NODES, egress_ip(items=[(IP, "n2")])]
    assert [one[3] for one in sources(*objects, profile=OVN)] == ["unknown", "unknown"]


@pytest.mark.parametrize(("profile", "expected"), [(UNKNOWN, ["unknown", "unknown"]), (SDN, ["allowed"])])
def test_other_plug_ins_do_not_know_it(profile: Profile, expected: list[str]) -> None:
    found = sources(*app(), egress_ip(items=[(IP, "n2")]), profile=profile)
    assert [one[3] for one in found] == expected
    assert (IP in {one[0] for one in found}) == (profile is UNKNOWN)


# EgressService -------------------------------------------------------------------------------------------------------


def balanced(*addresses: str, by: str = "LoadBalancerIP", at: str = "n2") -> list[Json]:
    made_service = service("web", "app", {"app": "web"}, {"port": 80}, type="LoadBalancer")
    status = {"status": {"loadBalancer": {"ingress": [{"ip": one} for one in addresses]}}}
    fields: Json = {"spec": {"sourceIPBy": by}} | ({"status": {"host": at}} if at else {})
    return [made_service | status, made("EgressService", "k8s.ovn.org", "web", "app", **fields)]


def test_an_egress_service_wins_over_an_egress_ip() -> None:
    objects = [*app(app="web"), *balanced("198.51.100.7"), egress_ip(items=[(IP, "n1")])]
    assert sources(*objects, profile=OVN) == [("198.51.100.7", "EgressService app/web", "n2", "allowed")]
    others = [*app(app="db"), *balanced("198.51.100.7"), egress_ip(items=[(IP, "n1")])]
    assert sources(*others, profile=OVN) == [(IP, "EgressIP e", "n1", "allowed")]


@pytest.mark.parametrize(
    "objects", [balanced(), balanced("198.51.100.7", at=""), balanced("198.51.100.7", by="Network", at="ALL")]
)
def test_an_egress_service_without_address_or_node_leaves_the_rest_possible(objects: list[Json]) -> None:
    found = sources(*app(app="web"), *objects, profile=OVN)
    assert ("192.0.2.1", "node", "n1", "unknown") in found
    assert {one[3] for one in found} == {"unknown"}


def test_two_egress_services_of_one_pod_leave_open_which_decides() -> None:
    first = balanced("198.51.100.7")
    second = [one | {"metadata": one["metadata"] | {"name": "other"}} for one in balanced("198.51.100.8")]
    found = sources(*app(app="web"), *first, *second, profile=OVN)
    assert [one[::3] for one in found] == [("198.51.100.7", "unknown"), ("198.51.100.8", "unknown")]


# Other gateways ------------------------------------------------------------------------------------------------------


def external(hops: Json, status: str = "Success") -> Json:
    spec = {"from": {"namespaceSelector": {"matchLabels": {"team": "x"}}}, "nextHops": hops}
    return made("AdminPolicyBasedExternalRoute", "k8s.ovn.org", "gw", spec=spec, status={"status": status})


def test_an_external_route_keeps_the_address_of_the_pod() -> None:
    route = external({"static": [{"ip": "192.0.2.254"}]})
    found = sources(*app(), route, egress_ip(items=[(IP, "n2")]), profile=OVN)
    assert found == [("10.1.0.1", "AdminPolicyBasedExternalRoute gw", "n1", "allowed")]


@pytest.mark.parametrize(
    "route", [external({"dynamic": [{"podSelector": {}}]}), external({"static": [{"ip": "192.0.2.254"}]}, "Fail")]
)
def test_an_external_route_without_a_sure_next_hop_is_possible(route: Json) -> None:
    found = sources(*app(), route, profile=OVN)
    assert found == [
        ("10.1.0.1", "AdminPolicyBasedExternalRoute gw", "n1", "unknown"),
        ("192.0.2.1", "node", "n1", "unknown"),
    ]


def test_annotations_of_older_releases_may_keep_the_address_of_the_pod() -> None:
    space = namespace("app") | {"metadata": {"name": "app", "annotations": {"k8s.ovn.org/routing-external-gws": "x"}}}
    pods = [pod("a", nodeName="n1", ip="10.1.0.1"), *NODES]
    expected = [("10.1.0.1", "Namespace app", "n1", "unknown"), ("192.0.2.1", "node", "n1", "unknown")]
    assert sources(space, *pods, profile=OVN) == expected
    gateway = pod("gw", "edge")
    gateway["metadata"]["annotations"] = {"k8s.ovn.org/routing-namespaces": "web, app"}
    assert sources(namespace("app"), *pods, gateway, profile=OVN)[0][:2] == ("10.1.0.1", "Pod edge/gw")


def test_advertised_pod_networks_may_show_the_address_of_the_pod() -> None:
    found = sources(*app(), made("RouteAdvertisements", "k8s.ovn.org", "r", spec={}), profile=OVN)
    assert [one[::3] for one in found] == [("10.1.0.1", "unknown"), ("192.0.2.1", "unknown")]


# openshift-sdn -------------------------------------------------------------------------------------------------------


def test_an_active_egress_address_leaves_from_the_node_that_lists_it() -> None:
    found = sources(*app(), net("app", 7, IP), subnet("n2", IP), profile=SDN)
    assert found == [(IP, "NetNamespace app", "n2", "allowed")]


def test_a_pod_on_a_serving_node_uses_the_address_of_that_node() -> None:
    served = (net("app", 7, IP, OTHER), subnet("n1", IP), subnet("n2", OTHER))
    assert sources(*app(), *served, profile=SDN) == [(IP, "NetNamespace app", "n1", "allowed")]
    elsewhere = [namespace("app"), pod("a", nodeName="n3"), *NODES]
    assert [one[0] for one in sources(*elsewhere, *served, profile=SDN)] == [IP, OTHER]


def test_an_egress_address_that_is_not_served_drops_what_leaves() -> None:
    found = sources(*app(), net("app", 7, IP), subnet("n1"), profile=SDN)
    assert found == [("", "NetNamespace app", "", "denied")]


def test_an_automatic_range_makes_its_nodes_candidates() -> None:
    found = sources(*app(), net("app", 7, IP), subnet("n2", ranges=("192.0.2.0/24",)), profile=SDN)
    assert found == [("", "NetNamespace app", "", "unknown"), (IP, "NetNamespace app", "n2", "unknown")]
    two = (subnet("n1", ranges=("192.0.2.0/24",)), subnet("n2", ranges=("192.0.2.0/24",)))
    assert (IP, "NetNamespace app", "", "unknown") in sources(*app(), net("app", 7, IP), *two, profile=SDN)


def test_the_global_network_may_leave_with_the_node_instead() -> None:
    found = sources(*app(), net("app", 0, IP), subnet("n2", IP), profile=SDN)
    assert {one[0] for one in found} == {"", IP, "192.0.2.1"}
    assert {one[3] for one in found} == {"unknown"}


def test_without_a_known_mode_egress_addresses_are_possible() -> None:
    found = sources(*app(), net("app", 7, IP), subnet("n2", IP), profile=replace(SDN, mode=""))
    assert {one[::3] for one in found} == {(IP, "unknown"), ("192.0.2.1", "unknown")}
    assert sources(*app(), net("app", 7, IP), subnet("n2", IP), profile=replace(SDN, mode="subnet")) == [NODE]


# Egress routers ------------------------------------------------------------------------------------------------------

MACVLAN = "pod.network.openshift.io/assign-macvlan"


def router(*env: Json, kind: str = "initContainers") -> Json:
    containers: Json = {kind: [{"name": "r", "args": ["secret"], "env": list(env)}]}
    found = pod("a", nodeName="n1", **containers)
    found["metadata"]["annotations"] = {MACVLAN: "true"}
    return found


SOURCE = {"name": "EGRESS_SOURCE", "value": "192.0.2.99/24"}


@pytest.mark.parametrize("kind", ["initContainers", "containers"])
def test_an_egress_router_pod_leaves_with_the_address_of_its_environment(kind: str) -> None:
    objects = [namespace("app"), router(SOURCE, kind=kind), *NODES, net("app", 7, IP), subnet("n1")]
    assert sources(*objects, profile=SDN) == [("192.0.2.99", "egress router pod", "n1", "allowed")]


def test_an_egress_router_whose_address_is_not_written_leaves_with_an_unknown_one() -> None:
    from_map = {"name": "EGRESS_SOURCE", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}
    for env in ((), (from_map,)):
        found = sources(namespace("app"), router(*env), *NODES, profile=SDN)
        assert found == [("", "egress router pod", "n1", "unknown"), ("192.0.2.1", "node", "n1", "unknown")]


def test_other_plug_ins_do_not_know_the_annotation_of_egress_routers() -> None:
    objects = [namespace("app"), router(SOURCE), *NODES]
    assert sources(*objects, profile=OVN) == [NODE]
    assert {one[::3] for one in sources(*objects, profile=UNKNOWN)} == {
        ("192.0.2.1", "unknown"),
        ("192.0.2.99", "unknown"),
    }


def test_of_a_pod_only_what_an_egress_router_reads_is_kept() -> None:
    read = snapshot([router(SOURCE, {"name": "PASSWORD", "value": "hunter2"}), pod("b", containers=[{"name": "c"}])])
    (entry,) = [one for one in read.of("Pod") if one.name == "a"]
    (container,) = entry.body.spec.initContainers
    assert [one.name for one in container.env] == ["EGRESS_SOURCE"]
    assert "args" not in container.__struct_fields__
    assert "hunter2" not in repr(read)


def test_a_template_of_an_egress_router_says_it_as_well() -> None:
    made_template = deployment("a", initContainers=[{"name": "r", "env": [SOURCE]}])
    made_template["spec"]["template"]["metadata"]["annotations"] = {MACVLAN: "eth1"}
    found = sources(namespace("app"), made_template, profile=SDN)
    assert found == [("192.0.2.99", "egress router pod", "", "allowed")]


def test_the_pods_of_an_egress_router_object_leave_with_its_addresses() -> None:
    spec = {"addresses": [{"ip": "192.0.2.99/24", "gateway": "192.0.2.254"}]}
    one = made("EgressRouter", "network.operator.openshift.io", "er", "app", spec=spec)
    found = sources(*app(app="egress-router-cni"), one, profile=OVN)
    assert found == [("192.0.2.99", "EgressRouter app/er", "n1", "allowed")]
    assert sources(*app(app="web"), one, profile=OVN) == [NODE]


# What is shown -------------------------------------------------------------------------------------------------------


BY: tuple[reach_json.By, ...] = ("pod", "workload")


def test_reach_json_says_it_by_pod_and_by_workload() -> None:
    objects = [*app(), pod("b", nodeName="n2"), egress_ip(items=[(IP, "n2")])]
    shown = {"address": IP, "via": "EgressIP e", "node": "n2", "verdict": "allowed"}
    for by in BY:
        found = reach_json.document(snapshot(objects), by=by)
        assert found["endpoints"][0]["leaves_with"] == [shown]
    assert "leaves_with" not in reach_json.document(snapshot(objects), by="namespace")["endpoints"][0]


def test_explain_says_it_for_targets_outside() -> None:
    objects = [*app(), egress_ip(items=[(IP, "n2")])]
    assert f"leaves with source address {IP} (EgressIP e, from node n2)" in lines(OUTSIDE, *objects)
    inside = [*objects, pod("b", ip="10.1.0.9")]
    assert not any("source address" in line for line in explain(snapshot(inside), "app/a", "app/b").lines)


def test_every_departure_is_set_beside_the_zone_of_the_pods() -> None:
    zones = [
        zone("in", egress_cidrs=blocks("192.0.2.48/28")),
        zone("edge", cidrs=blocks("198.51.100.0/24")),
        zone("machines"),
    ]
    plan = matrix(zones)
    objects = [zoned("app", "in"), zoned("web", "in"), zoned("old", "in")]
    objects += [pod("a", "app", nodeName="n1"), pod("b", "web", nodeName="n1"), pod("c", "old", nodeName="n1")]
    objects += [node("n1", "192.0.2.1", labels={"network-zone": "machines"})]
    select = {"matchLabels": {"kubernetes.io/metadata.name": "app"}}
    objects += [egress_ip(items=[(IP, "n1")], select=select)]
    other = {"matchLabels": {"kubernetes.io/metadata.name": "web"}}
    objects += [egress_ip("f", "198.51.100.7", items=[("198.51.100.7", "n1")], select=other)]
    found = evaluate(plan, *objects).facts.departures
    assert found["app/Pod/a"] == (
        Departure(address=IP, via="EgressIP e", node="n1", verdict="allowed", zone="in", home="in"),
    )
    assert [(one.zone, one.home) for one in found["web/Pod/b"]] == [("edge", "in")]
    assert [(one.zone, one.home) for one in found["old/Pod/c"]] == [("machines", "in")]


def test_an_address_that_no_zone_or_several_claim_has_no_zone() -> None:
    objects = [zoned("app", "in"), pod("a", "app"), egress_ip(items=[(IP, "")], select={"matchLabels": {}})]
    for owned in ({}, {"cidrs": blocks("192.0.2.0/24")}):
        plan = matrix([zone("in", **owned), zone("out", egress_cidrs=blocks("192.0.2.0/24") if owned else blocks())])
        (one,) = evaluate(plan, *objects).facts.departures["app/Pod/a"]
        assert (one.address, one.zone) == (IP, "")


def test_the_kinds_are_listed_as_read() -> None:
    quality = made("EgressQoS", "k8s.ovn.org", "default", "app", spec={"egress": []})
    objects = [*app(), egress_ip(items=[]), *balanced(), external({}), net("app"), subnet("n1"), firewall(), quality]
    records = {one.kind: (one.status, one.note) for one in completeness(snapshot(objects))}
    for kind in ("EgressIP", "EgressService", "AdminPolicyBasedExternalRoute", "EgressFirewall"):
        assert records[f"{kind}.k8s.ovn.org"] == ("read", "")
    assert records["HostSubnet.network.openshift.io"] == ("read", "")
    assert records["EgressQoS.k8s.ovn.org"] == ("read", "no verdict uses this kind")
