"""Entry points as values: addresses and their zones, routers and their nodes' zones, backends and their verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from audit.completeness import completeness
from audit.explain import explain
from audit.exposure.routers import OPERATOR_NAMESPACE, ROUTER_NAMESPACE, SHARD_LABEL
from audit.flows import EntryPoint
from audit.reach_json import document
from tests.core.clusters import (
    blocks,
    evaluate,
    host,
    matrix,
    namespace,
    node,
    pod,
    policy,
    route,
    service,
    snapshot,
    tcp,
    zone,
    zoned,
)
from tests.core.doors import HTTP, SERVICE, WEB, from_shard, published, router, shard

Json = Any
PLAN = matrix(
    [
        zone("a", cidrs=blocks("10.1.0.0/16")),
        zone("b", cidrs=blocks("10.2.0.0/16")),
        zone("platform", kind="platform"),
        zone("internet", kind="internet"),
    ]
)
NODES = [
    node("n1", "192.168.0.1", labels={"network-zone": "a"}),
    node("n2", "192.168.0.2", labels={"network-zone": "b"}),
]
CLUSTER = [
    zoned("app", "a"),
    zoned("far", "b"),
    *map(namespace, (ROUTER_NAMESPACE, OPERATOR_NAMESPACE)),
    WEB,
    SERVICE,
    *NODES,
]
CHOSEN = {"namespaceSelector": {"matchLabels": {"network-zone": "a"}}}
ROUTER = router("x", nodeName="n2")


def balanced(made: Json, **address: str) -> Json:
    return made | {"status": {"loadBalancer": {"ingress": [address]}}}


VIP = balanced(service("router-x", ROUTER_NAMESPACE, {SHARD_LABEL: "x"}, HTTP, type="LoadBalancer"), ip="10.1.0.9")


def points(*objects: Json) -> dict[str, EntryPoint]:
    """`kind object` -> entry point."""
    found = evaluate(PLAN, *CLUSTER, *objects).facts.entry_points
    return {f"{one.kind} {one.object}": one for one in found}


def test_a_shard_is_an_entry_point_with_its_address_its_nodes_and_what_it_serves() -> None:
    found = points(shard("x", CHOSEN), ROUTER, VIP, published(), from_shard("x"))
    one = found["router IngressController openshift-ingress-operator/x"]
    assert (one.shard, one.addresses, one.address_zones) == ("x", ("10.1.0.9",), ("a",))
    assert (one.every_node, one.node_zones) == (True, ("a", "b")), "a load balancer opens a node port as well"
    assert ([str(ref) for ref in one.routers], one.router_zones) == (["Pod openshift-ingress/router-x"], ("b",))
    assert (one.namespaces, one.zones, one.open_zones) == (("app",), ("a",), ("a",))
    (backend,) = one.backends
    assert [str(backend.workload), backend.zone, str(backend.by)] == ["Pod app/web", "a", "Route app/r"]
    assert (backend.service, backend.ports, backend.verdict) == ("app/s", tcp(8080), "allowed")


def test_an_unrestricted_shard_is_open_to_every_zone_whatever_it_serves_now() -> None:
    one = points(shard("x"), ROUTER, published())["router IngressController openshift-ingress-operator/x"]
    assert (one.zones, one.open_zones) == (("a",), ("a", "b", "platform"))


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ([], "allowed"),
        ([policy({"policyTypes": ["Ingress"]})], "denied"),
        ([policy({"policyTypes": ["Ingress"], "ingress": [{"new": 1}]})], "unknown"),
    ],
)
def test_the_verdict_of_a_backend_is_that_of_the_routers_pods(more: Json, verdict: str) -> None:
    one = points(shard("x", CHOSEN), ROUTER, published(), *more)[
        "router IngressController openshift-ingress-operator/x"
    ]
    assert [backend.verdict for backend in one.backends] == [verdict]


def test_a_shard_without_pods_in_the_input_decides_nothing() -> None:
    one = points(shard("x"), published())["router IngressController openshift-ingress-operator/x"]
    assert (one.routers, [backend.verdict for backend in one.backends]) == ((), ["unknown"])


def test_the_service_of_a_shard_gives_its_address_even_where_its_pods_are_not_shown() -> None:
    one = points(shard("x"), VIP, published())["router IngressController openshift-ingress-operator/x"]
    assert one.addresses == ("10.1.0.9",)


def test_a_host_network_router_is_at_its_nodes_addresses() -> None:
    pods = host("r", "n1", ns=ROUTER_NAMESPACE, labels={SHARD_LABEL: "x"})
    found = points(shard("x"), pods, published())
    one = found["router IngressController openshift-ingress-operator/x"]
    assert (one.addresses, one.address_zones, one.router_zones) == (("192.168.0.1",), ("a",), ("a",))
    assert found["host-network Pod openshift-ingress/r"].addresses == ("192.168.0.1",)


@pytest.mark.parametrize("address", [{"ingressIPs": ["10.2.0.5"]}, {"ingressIP": "10.2.0.5"}])
def test_the_platforms_own_address_leads_to_the_default_shard(address: Json) -> None:
    platform: Json = {"apiVersion": "config.openshift.io/v1", "kind": "Infrastructure", "metadata": {"name": "cluster"}}
    platform |= {"status": {"platformStatus": {"type": "BareMetal", "baremetal": address}}}
    found = points(shard("default"), shard("x"), platform)
    assert found["router IngressController openshift-ingress-operator/default"].address_zones == ("b",)
    assert found["router IngressController openshift-ingress-operator/x"].addresses == ()


def test_a_gateway_shows_its_addresses() -> None:
    made = route("Gateway", "gateway.networking.k8s.io/v1", "app", {"listeners": []}, "gw")
    made["status"] = {"addresses": [{"value": "10.2.0.7"}, {"type": "Hostname", "value": "gw.example.com"}]}
    one = points(made)["gateway Gateway app/gw"]
    assert (one.addresses, one.hostnames, one.address_zones) == (("10.2.0.7",), ("gw.example.com",), ("b",))


def test_services_are_entry_points_whose_clients_policies_judge() -> None:
    outer = service("out", "app", {"app": "web"}, HTTP, type="LoadBalancer", externalIPs=["192.0.2.1", "no address"])
    one = points(balanced(outer, hostname="lb.example.com"))["service Service app/out"]
    assert (one.addresses, one.hostnames, one.address_zones) == (("192.0.2.1",), ("lb.example.com",), ("internet",))
    assert [(str(backend.workload), backend.verdict) for backend in one.backends] == [("Pod app/web", "by-client")]
    closed = outer | {"spec": outer["spec"] | {"allocateLoadBalancerNodePorts": False}}
    assert not points(closed)["service Service app/out"].every_node
    assert points(service("np", "app", {"app": "web"}, HTTP, type="NodePort"))["service Service app/np"].every_node
    assert "service Service app/s" not in points()


def test_host_ports_are_entry_points_on_their_nodes() -> None:
    ports = [{"name": "c", "ports": [{"containerPort": 9000, "hostPort": 90}]}]
    one = points(pod("edge", containers=ports, nodeName="n2"))["host-port Pod app/edge"]
    assert (one.addresses, one.address_zones) == (("192.168.0.2",), ("b",))
    assert [backend.ports for backend in one.backends] == [tcp(9000)]


def test_what_an_unknown_router_publishes_is_listed_object_by_object() -> None:
    found = points(published())
    assert [one.verdict for one in found["unknown-router Route app/r"].backends] == ["unknown"]
    spec = {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}, "ingressClassName": "nginx"}
    made = balanced(route("Ingress", "networking.k8s.io/v1", "app", spec, "i"), ip="10.2.0.8")
    assert points(made)["unknown-router Ingress app/i"].address_zones == ("b",)


def test_reach_json_lists_entry_points() -> None:
    objects = [*CLUSTER, shard("x", CHOSEN), ROUTER, VIP, published(), from_shard("x")]
    (one, _) = document(snapshot(objects), matrix=PLAN)["entry_points"]
    assert one == {
        "id": "IngressController openshift-ingress-operator/x",
        "kind": "router",
        "every_node": True,
        "shard": "x",
        "routers": ["openshift-ingress/Pod/router-x"],
        "addresses": ["10.1.0.9"],
        "namespaces": ["app"],
        "address_zones": ["a"],
        "node_zones": ["a", "b"],
        "router_zones": ["b"],
        "zones": ["a"],
        "open_zones": ["a"],
        "backends": [
            {
                "workload": "app/Pod/web",
                "by": "Route app/r",
                "zone": "a",
                "service": "app/s",
                "ports": {"TCP": "8080"},
                "verdict": "allowed",
            }
        ],
    }
    (plain, _) = document(snapshot(objects))["entry_points"]
    assert not {key for key in plain if "zone" in key} | {key for key in plain["backends"][0] if "zone" in key}


def test_explain_names_every_step_from_the_address_to_the_pod() -> None:
    objects = [*CLUSTER, shard("x", CHOSEN), ROUTER, VIP, published(), from_shard("x")]
    found = explain(snapshot(objects), "192.0.2.1", "app/Pod/web", "tcp/8080", PLAN)
    assert found.verdict == "allowed"
    assert (
        "  Route app/r: 10.1.0.9 (zone a) and every node (of zone a, b) -> IngressController "
        "openshift-ingress-operator/x -> openshift-ingress/Pod/router-x (nodes of zone b) -> Service app/s "
        "-> tcp/8080: allowed" in found.lines
    )


def test_explain_says_what_is_not_known_of_the_way() -> None:
    found = explain(snapshot([*CLUSTER, published()]), "192.0.2.1", "app/Pod/web", "tcp/8080")
    assert (
        "  Route app/r: an address that the input does not show -> a router that the input does not show "
        "-> Service app/s -> tcp/8080: unknown" in found.lines
    )


def test_what_decides_a_way_in_counts_as_read() -> None:
    read = {one.kind: (one.status, one.note) for one in completeness(snapshot([*CLUSTER, shard("x"), published()]))}
    assert read["IngressController.operator.openshift.io"] == read["Route.route.openshift.io"] == ("read", "")
    assert read["Gateway.gateway.networking.k8s.io"][0] == "not-in-source"


def test_the_same_objects_in_another_order_give_the_same_entry_points() -> None:
    objects = [*CLUSTER, shard("x"), shard("y"), ROUTER, router("y", ip="10.0.9.2"), VIP, published(), from_shard("x")]
    assert document(snapshot(objects), matrix=PLAN) == document(snapshot(objects[::-1]), matrix=PLAN)
