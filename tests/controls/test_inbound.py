"""Facts of routers: whose they are, whom they serve, where they may run, and what leads to them."""

from __future__ import annotations

from typing import Any

import pytest

from audit import cells
from audit.bodies import Taint
from audit.controls.doors import leads
from audit.controls.inbound import Inbound, inbound
from audit.controls.inbound_fronts import fronts
from audit.controls.inbound_places import of_any_node, standings
from audit.controls.inbound_policies import host_routers
from audit.controls.placement import NodeIndex, placement
from audit.controls.scene import Scene
from audit.controls.sharding import classes
from audit.exposure.routers import ROUTER_NAMESPACE, SHARD_LABEL
from audit.model import Node, Zone
from audit.selectors import LabelSelector
from audit.workloads import (
    Affinity,
    NodeAffinity,
    NodeRequirement,
    NodeSelector,
    NodeTerm,
    PodSpec,
    Toleration,
)
from audit.zones import assign
from tests.core.clusters import (
    blocks,
    host,
    inventory,
    matrix,
    namespace,
    node,
    pod,
    policy,
    route,
    service,
    zone,
    zoned,
)
from tests.core.doors import published, shard

Json = Any
ZONES = [
    zone("a", ingress_controllers=("ra",), cidrs=blocks("10.10.0.0/16")),
    zone("b", cidrs=blocks("10.20.0.0/16")),
    zone("platform", kind="platform"),
    zone("internet", kind="internet"),
]
SPACES = [zoned("a1", "a"), zoned("b1", "b"), namespace(ROUTER_NAMESPACE)]
NAMED = LabelSelector.parse({"matchLabels": {"kubernetes.io/metadata.name": "dark"}})
OF_A, OF_B = ({"namespaceSelector": {"matchLabels": {"network-zone": name}}} for name in "ab")


def scene(*objects: Json, zones: list[Zone] = ZONES, **settings: Any) -> Scene:
    """What rules see of a cluster."""
    plan, population = matrix(zones, **settings), inventory(*objects)
    members = assign(plan, population.namespaces.values(), population.nodes.values())
    facts = cells.evaluate(population, members, plan).facts
    return Scene(inventory=population, zone_map=members, matrix=plan, facts=facts)


def zones_of(found: Inbound) -> dict[str, str]:
    return {gate.ref.name: gate.zone for gate in found.gates}


def gateway(name: str, ns: str, allowed: Json = None) -> Json:
    listener = {"name": "web", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": allowed or {}}}
    spec = {"gatewayClassName": "istio", "listeners": [listener]}
    made = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}
    return made | {"metadata": {"name": name, "namespace": ns}, "spec": spec}


# whose they are


def test_a_router_belongs_to_the_zone_that_names_it_whatever_it_serves() -> None:
    assert zones_of(inbound(scene(*SPACES, shard("ra", OF_B)))) == {"ra": "a"}


def test_a_router_that_nobody_names_belongs_to_the_only_zone_that_it_would_serve() -> None:
    assert zones_of(inbound(scene(*SPACES, shard("x", OF_B)))) == {"x": "b"}


def test_a_router_for_several_zones_or_for_all_to_come_belongs_to_none() -> None:
    both = {"namespaceSelector": {"matchExpressions": [{"key": "network-zone", "operator": "Exists"}]}}
    assert zones_of(inbound(scene(*SPACES, shard("x", both)))) == {"x": ""}
    assert zones_of(inbound(scene(SPACES[0], shard("default")))) == {"default": ""}


def test_a_router_that_two_zones_name_belongs_to_none() -> None:
    zones = [zone(name, ingress_controllers=("ra",)) for name in "ab"]
    assert zones_of(inbound(scene(*SPACES, shard("ra", OF_A), zones=zones))) == {"ra": ""}


def test_a_gateway_belongs_to_the_zone_of_its_namespace() -> None:
    assert zones_of(inbound(scene(*SPACES, gateway("g", "b1", {"from": "All"})))) == {"g": "b"}


def test_in_a_single_zone_cluster_an_open_router_belongs_to_the_zone() -> None:
    found = inbound(scene(zoned("a1", "a"), shard("default"), cluster_mode="single-zone", cluster_zone="a"))
    assert zones_of(found) == {"default": "a"}


# whom they serve


def test_namespaces_without_a_namespace_object_may_be_served() -> None:
    (gate,) = inbound(scene(zoned("a1", "a"), pod("p", "dark"), shard("x", OF_A))).gates
    assert (dict(gate.admitted.certain), gate.admitted.possible - {"platform"}) == ({"a": 1}, frozenset())
    named = [zone("a"), zone("b", namespaces=NAMED)]
    (gate,) = inbound(scene(zoned("a1", "a"), pod("p", "dark"), shard("x", OF_A), zones=named)).gates
    assert gate.admitted.possible - {"platform"} == {"b"}


def test_listeners_are_told_apart_and_count_together() -> None:
    (gate,) = inbound(scene(*SPACES, gateway("g", "b1", {"from": "All"}))).gates
    assert gate.admitted.everything
    assert {name: dict(one.certain) for name, one in gate.listeners} == {"web": {"a": 1, "b": 1, "platform": 1}}


def test_routes_are_counted_by_namespace_and_by_who_serves_them() -> None:
    labelled = shard("ra", OF_A | {"routeSelector": {"matchLabels": {"kind": "public"}}})
    routes = [published(ns="a1", name="r1", labels={"kind": "public"}), published(ns="a1", name="r2")]
    found = inbound(
        scene(*SPACES, labelled, *routes, published(ns="a1", name="r3", labels={"kind": "public", "x": "y"}))
    )
    assert [(one.namespace, one.certain, one.possible, one.objects) for one in found.served] == [
        ("a1", (), (), 1),
        ("a1", (0,), (), 2),
    ]
    assert dict(found.gates[0].served) == {"a": 2}


def test_an_ingress_counts_unless_its_route_speaks_for_it() -> None:
    ingress = route("Ingress", "networking.k8s.io/v1", "a1", {"ingressClassName": "openshift-default"}, "i")
    child = published(ns="a1")
    child["metadata"]["ownerReferences"] = [{"kind": "Ingress", "name": "i"}]
    alone = inbound(scene(*SPACES, shard("ra", OF_A), ingress))
    spoken = inbound(scene(*SPACES, shard("ra", OF_A), ingress, child))
    assert [one.objects for one in alone.served] == [one.objects for one in spoken.served] == [1]


def test_a_class_is_used_by_the_zones_whose_ingresses_name_it() -> None:
    named = route("Ingress", "networking.k8s.io/v1", "a1", {"ingressClassName": "nginx"}, "i")
    bare = route("Ingress", "networking.k8s.io/v1", "b1", {}, "j")
    (use,) = classes(scene(*SPACES, named, bare))
    assert (use.ref.name, dict(use.used), use.declared) == ("nginx", {"a": ("a1",)}, ())


# where they may run


ZONE_A = NodeRequirement("zone", "In", ("a",))
HERE = Node(name="n", labels={"zone": "a"}, addresses=(), taints=(Taint("only", "a", "NoSchedule"),))
FREE = Node(name="n", labels={"zone": "a"}, addresses=())


def bound(*terms: NodeTerm) -> Affinity:
    return Affinity(NodeAffinity(NodeSelector(terms)))


@pytest.mark.parametrize(
    ("spec", "at", "fitting"),
    [
        (PodSpec(), FREE, True),
        (PodSpec(nodeSelector={"zone": "a"}), FREE, True),
        (PodSpec(nodeSelector={"zone": "b"}), FREE, False),
        (PodSpec(affinity=bound(NodeTerm((ZONE_A,)))), FREE, True),
        (PodSpec(affinity=bound(NodeTerm((NodeRequirement("zone", "NotIn", ("a",)),)))), FREE, False),
        (PodSpec(affinity=bound(NodeTerm((NodeRequirement("other", "Exists"),)), NodeTerm((ZONE_A,)))), FREE, True),
        (PodSpec(affinity=bound(NodeTerm((ZONE_A, NodeRequirement("zone", "DoesNotExist"))))), FREE, False),
        (PodSpec(affinity=bound(NodeTerm())), FREE, False),
        (PodSpec(affinity=bound(NodeTerm(matchFields=(NodeRequirement("metadata.name", "In", ("m",)),)))), FREE, False),
        (PodSpec(affinity=bound(NodeTerm((NodeRequirement("zone", "Gt", ("3",)),)))), FREE, False),
        (PodSpec(), HERE, False),
        (PodSpec(tolerations=(Toleration("only", "Exists"),)), HERE, True),
        (PodSpec(tolerations=(Toleration(operator="Exists"),)), HERE, True),
        (PodSpec(tolerations=(Toleration("only", "Equal", "a", "NoSchedule"),)), HERE, True),
        (PodSpec(tolerations=(Toleration("only", "Equal", "b"),)), HERE, False),
        (PodSpec(tolerations=(Toleration("only", value="a", effect="NoExecute"),)), HERE, False),
    ],
)
def test_a_pod_fits_where_the_scheduler_would_put_it(spec: PodSpec, at: Node, *, fitting: bool) -> None:
    assert bool(NodeIndex([at], lasting=True).landing(placement(spec))) is fitting


def test_the_node_that_a_daemons_pod_was_made_for_binds_no_other_pod() -> None:
    spec = PodSpec(affinity=bound(NodeTerm(matchFields=(NodeRequirement("metadata.name", "In", ("m",)),))))
    assert NodeIndex([FREE], lasting=True).landing(of_any_node(placement(spec)))


def test_a_pod_that_may_not_be_ready_counts_for_most_and_not_for_ready() -> None:
    labels = {SHARD_LABEL: "ra"}
    pods = [pod(f"r{n}", ROUTER_NAMESPACE, labels=labels, ip=f"10.128.0.{n}", nodeName=f"n{n}") for n in (1, 2)]
    pods[0]["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    (one,) = standings(view := scene(*SPACES, node("n1"), node("n2"), shard("ra", OF_A), *pods), inbound(view))
    assert (one.ready, one.most, one.pods) == (("n1",), 2, 2)


# at which addresses


def test_a_virtual_address_hides_those_of_the_nodes_behind_it() -> None:
    zones = [zone("a", ingress_controllers=("ra",), cidrs=blocks("10.10.0.0/16"), ingress_addresses=("10.10.0.9",))]
    pods = host("r", "n1", ns=ROUTER_NAMESPACE, labels={SHARD_LABEL: "ra"})
    objects = [*SPACES, node("n1", "192.0.2.1"), shard("ra", OF_A), pods]
    (one,) = fronts(view := scene(*objects, zones=zones), inbound(view))
    assert (one.judged, one.outside, one.doubt) == (("10.10.0.9",), (), "")
    (one,) = fronts(view := scene(*objects), inbound(view))
    assert (one.judged, one.outside) == ((), ("192.0.2.1",))
    (one,) = fronts(view := scene(*objects, router_nodes="shared"), inbound(view))
    assert (one.outside, bool(one.doubt)) == ((), True)


# what policies make of them


def test_the_namespace_of_the_host_network_has_its_labels_where_nobody_read_it() -> None:
    ovn = {"apiVersion": "config.openshift.io/v1", "kind": "Network", "metadata": {"name": "cluster"}}
    ovn |= {"status": {"networkType": "OVNKubernetes"}}
    peers = [{"namespaceSelector": {"matchLabels": {"policy-group.network.openshift.io/host-network": ""}}}]
    pods = host("r", "n1", ns=ROUTER_NAMESPACE, labels={SHARD_LABEL: "ra"})
    admits = policy({"ingress": [{"from": peers}]}, "a1")
    view = scene(*SPACES, ovn, node("n1", "10.10.0.1"), shard("ra", OF_A), pods, admits)
    assert [one.policies for one in host_routers(view, inbound(view))] == [1]


# where Services lead


@pytest.mark.parametrize(
    ("address", "target"),
    [("10.128.0.2", "b"), ("10.10.0.2", "b"), ("10.20.0.9", "b"), ("10.10.0.9", ""), ("192.0.2.1", "")],
    ids=["a pod", "a node", "a block", "a block of its own", "the internet"],
)
def test_an_address_is_that_of_its_pod_else_of_its_node_else_of_its_block(address: str, target: str) -> None:
    listed: Json = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "s", "namespace": "a1"}}
    listed |= {"subsets": [{"addresses": [{"ip": address}], "ports": [{"port": 80}]}]}
    there = [pod("p", "b1", ip="10.128.0.2"), node("n", "10.10.0.2", labels={"network-zone": "b"})]
    view = scene(*SPACES, *there, service("s", "a1", None, {"port": 80}), listed)
    assert [one.target for one in leads(view)] == ([target] if target else [])


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"addresses": ["10.10.0.0/24"]}, ()),
        ({"addresses": ["10.10.0.1-10.10.0.9", "192.0.2.1-192.0.2.9"]}, ("p",)),
        ({"addresses": ["192.0.2.0/24"], "autoAssign": False}, ()),
        ({"addresses": ["192.0.2.0/24"], "serviceAllocation": {"namespaces": ["x"]}}, ()),
        ({"addresses": ["neither"]}, ()),
    ],
)
def test_a_pool_counts_where_it_gives_addresses_outside_the_zone_to_anybody(spec: Json, named: tuple[str, ...]) -> None:
    pool = {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "p", "namespace": "m"}}
    labels = {SHARD_LABEL: "ra"}
    balancer = service("x", ROUTER_NAMESPACE, labels, {"port": 443}, type="LoadBalancer")
    objects = [*SPACES, shard("ra", OF_A), pod("r", ROUTER_NAMESPACE, labels=labels), pool | {"spec": spec}]
    (one,) = fronts(view := scene(*objects, balancer), inbound(view))
    assert one.pools == named
    balancer["metadata"]["annotations"] = {"metallb.io/address-pool": "of-a"}
    (one,) = fronts(view := scene(*objects, balancer), inbound(view))
    assert one.pools == ()
