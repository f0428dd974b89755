"""Routers of OpenShift: which Routes each serves, and what gets through to the pods behind them."""

from __future__ import annotations

from typing import Any

import pytest
from pyroaring import FrozenBitMap

from audit.cells import joined, reachability, zones_of
from audit.exposure.entries import HIDDEN
from audit.exposure.routers import ROUTER_NAMESPACE, SHARD_LABEL
from audit.flows import Paths
from audit.inventory import build
from audit.paths import paths
from audit.selectors import LabelSelector
from audit.tally import Tally
from audit.traffic import NONE, Traffic, address_number, union
from tests.comparison.pairs import compare
from tests.core.clusters import (
    cell,
    deployment,
    evaluate,
    flow,
    host,
    matrix,
    meetings,
    namespace,
    node,
    owned,
    pod,
    policy,
    route,
    service,
    snapshot,
    tcp,
    zone,
    zoned,
)
from tests.core.doors import (
    BACKEND,
    CLOSED,
    HTTP,
    SERVICE,
    WEB,
    WORLD,
    from_shard,
    published,
    router,
    shard,
    through_routers,
)

Json = Any
OPEN = (tcp(8080), tcp(8080))
MAYBE = (NONE, tcp(8080))
DENY = policy({"policyTypes": ["Ingress"]})
ZONE_A = {"matchLabels": {"zone": "a"}}
ZONE_B = {"matchLabels": {"zone": "b"}}


# Who serves a Route --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("selector", [None, {}, ZONE_A, {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}])
def test_a_shard_without_a_namespace_selector_or_with_a_fitting_one_serves_the_route(selector: Json) -> None:
    assert through_routers(shard("x", {"namespaceSelector": selector}), router("x"), published()) == OPEN


@pytest.mark.parametrize("selector", [ZONE_B, {"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}])
def test_a_route_that_no_shard_selects_leads_nowhere(selector: Json) -> None:
    assert through_routers(shard("x", {"namespaceSelector": selector}), router("x"), published()) == CLOSED


def test_not_in_also_selects_namespaces_without_the_label() -> None:
    chosen = {"namespaceSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["x"]}]}}
    assert through_routers(shard("x", chosen), router("x"), published()) == OPEN


@pytest.mark.parametrize(
    ("labels", "expected"), [({"type": "external"}, OPEN), ({"type": "internal"}, CLOSED), ({}, CLOSED)]
)
def test_a_route_selector_asks_for_labels_of_the_route(labels: Json, expected: Json) -> None:
    chosen = {"routeSelector": {"matchLabels": {"type": "external"}}}
    assert through_routers(shard("x", chosen), router("x"), published(labels=labels)) == expected


def test_both_selectors_must_match() -> None:
    chosen = {"namespaceSelector": ZONE_A, "routeSelector": {"matchLabels": {"type": "external"}}}
    assert through_routers(shard("x", chosen), router("x"), published()) == CLOSED


@pytest.mark.parametrize(("spec", "expected"), [(None, CLOSED), ({"namespaceSelector": ZONE_A}, OPEN)])
def test_where_the_spec_is_silent_the_status_says_what_is_in_effect(spec: Json, expected: Json) -> None:
    made = shard("x", spec, {"namespaceSelector": ZONE_B})
    assert through_routers(made, router("x"), published()) == expected


def test_what_the_status_of_a_route_says_is_no_authority() -> None:
    admitted = {"ingress": [{"routerName": "x", "conditions": [{"type": "Admitted", "status": "True"}]}]}
    made = published() | {"status": admitted}
    assert through_routers(shard("x", {"namespaceSelector": ZONE_B}), router("x"), made) == CLOSED
    assert through_routers(shard("x"), router("x"), published() | {"status": {"ingress": []}}) == OPEN


@pytest.mark.parametrize("selector", [{"matchLabels": {"zone": "a"}, "x": 1}, "zone=a", {"matchLabels": []}])
def test_a_selector_that_cannot_be_read_may_select_anything(selector: Json) -> None:
    assert through_routers(shard("x", {"namespaceSelector": selector}), router("x"), published()) == MAYBE


def test_a_namespace_whose_labels_are_not_known_may_be_selected() -> None:
    objects = [shard("x", {"namespaceSelector": ZONE_A}), router("x"), published(ns="lost")]
    lost = [pod("p", "lost", labels={"app": "web"}), service("s", "lost", {"app": "web"}, HTTP)]
    assert through_routers(*objects, *lost, target="lost/Pod/p") == MAYBE
    by_name = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "lost"}}}
    objects[0] = shard("x", by_name)
    assert through_routers(*objects, *lost, target="lost/Pod/p") == OPEN


def test_an_ingress_controller_outside_the_operators_namespace_is_none() -> None:
    found = [shard("x", ns="app"), shard("y", {"namespaceSelector": ZONE_B}), router("y"), published()]
    assert through_routers(*found) == CLOSED


def test_every_shard_that_selects_a_route_serves_it() -> None:
    objects = [shard("x"), router("x"), shard("y"), router("y", ip="10.0.9.2"), published()]
    assert through_routers(*objects, from_shard("x")) == OPEN
    assert through_routers(*objects, from_shard("y")) == OPEN


def test_where_the_input_shows_no_router_one_may_serve_it() -> None:
    assert through_routers(published()) == MAYBE
    assert through_routers(shard("x"), published()) == MAYBE


def test_pods_of_a_shard_whose_object_was_not_read_may_serve_anything() -> None:
    assert through_routers(router("x"), published()) == MAYBE
    assert through_routers(router("x"), published(), DENY) == CLOSED


# Backends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        ({"to": {"name": "s"}}, OPEN),
        ({"to": {"name": "s", "weight": 0}}, CLOSED),
        ({"to": {"name": "s", "weight": 256}}, OPEN),
        ({"to": {"name": "x"}, "alternateBackends": [{"name": "s"}]}, OPEN),
        ({"to": {"name": "x"}, "alternateBackends": [{"name": "s", "weight": 0}]}, CLOSED),
        ({"to": {"kind": "Pod", "name": "s"}}, CLOSED),
    ],
)
def test_a_backend_of_weight_zero_gets_nothing(backends: Json, expected: Json) -> None:
    assert through_routers(shard("x"), router("x"), published(backends)) == expected


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (None, tcp(8080, 9090)),
        ({"targetPort": "http"}, tcp(8080)),
        ({"targetPort": 9090}, tcp(9090)),
        ({"targetPort": "9090"}, tcp(9090)),
        ({"targetPort": 80}, NONE),
        ({"targetPort": "other"}, NONE),
    ],
)
def test_the_port_of_a_route_names_one_of_the_service_or_a_number_of_the_pod(port: Json, expected: Json) -> None:
    more = service("s", "app", {"app": "web"}, HTTP, {"name": "admin", "port": 81, "targetPort": 9090})
    dns = {"name": "dns", "port": 53, "protocol": "UDP"}
    more["spec"]["ports"].append(dns)
    spec = BACKEND | ({"port": port} if port else {})
    found = meetings(*[one for one in WORLD if one is not SERVICE], more, shard("x"), router("x"), published(spec))
    (index,) = [i for i, one in enumerate(found.reach.inventory.endpoints) if one.name == "web"]
    ways = found.reach.ways.exposed.get(index, HIDDEN).ways
    assert (ways[0].ports if ways else NONE) == expected, "a router speaks TCP"


def test_a_backend_is_a_service_of_the_routes_own_namespace() -> None:
    assert through_routers(shard("x"), router("x"), published(ns="far")) == CLOSED


# What gets through ---------------------------------------------------------------------------------------------------


def test_policies_of_the_pod_judge_the_router_and_not_the_client() -> None:
    objects = [shard("x"), router("x"), published()]
    assert through_routers(*objects, DENY) == CLOSED
    assert through_routers(*objects, from_shard("x")) == OPEN
    client = {"policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]}
    assert through_routers(*objects, policy(client)) == CLOSED


def test_policies_of_the_router_judge_it_too() -> None:
    shut = policy({"podSelector": {}, "policyTypes": ["Egress"]}, ROUTER_NAMESPACE)
    assert through_routers(shard("x"), router("x"), published(), shut) == CLOSED
    some = policy({"policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 9999}]}]})
    assert through_routers(shard("x"), router("x"), published(), some) == CLOSED


FROM_NEAR = {"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
GUARDED = policy({"policyTypes": ["Ingress"], "ingress": [FROM_NEAR]}, ROUTER_NAMESPACE)


def clients(*objects: Json) -> dict[str, tuple[Traffic, Traffic]]:
    """(certain, possible) of what a client inside and one outside of the admitted block get through routers."""
    found = meetings(*WORLD, namespace(ROUTER_NAMESPACE), shard("x"), published(), from_shard("x"), *objects)
    classes, inventory = found.reach.classes, found.reach.inventory
    (index,) = [i for i, one in enumerate(inventory.endpoints) if inventory.endpoint_id(one) == "app/Pod/web"]
    beside = found.beside(FrozenBitMap([classes.class_of[index]]))
    answers = {}
    for text in ("192.0.2.1", "198.51.100.1"):
        number = classes.pods + classes.space.atom(address_number(text))
        own = [one for one in beside if number in one.sources]
        answers[text] = (union(one.traffic for one in own if not one.reason), union(one.traffic for one in own))
    return answers


def test_who_may_not_call_a_router_is_no_client_of_what_it_publishes() -> None:
    near, far = "192.0.2.1", "198.51.100.1"
    assert clients(router("x")) == {near: OPEN, far: OPEN}
    assert clients(router("x"), GUARDED) == {near: OPEN, far: CLOSED}
    on_host = [router("x", hostNetwork=True, nodeName="n"), node("n", "10.1.0.1")]
    assert clients(*on_host, GUARDED) == clients(*on_host), "no policy selects it"


def test_advertised_routes_make_nobody_doubtful_who_calls_a_router() -> None:
    metadata = {"name": "r"}
    made = {"apiVersion": "k8s.ovn.org/v1", "kind": "RouteAdvertisements", "metadata": metadata, "spec": {}}
    assert clients(router("x"), made) == {"192.0.2.1": OPEN, "198.51.100.1": OPEN}
    assert clients(router("x"), GUARDED, made) == {"192.0.2.1": OPEN, "198.51.100.1": CLOSED}
    mesh = {"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy", "metadata": metadata, "spec": {}}
    assert clients(router("x"), made, mesh) == {"192.0.2.1": MAYBE, "198.51.100.1": MAYBE}


def test_a_router_that_may_see_another_address_than_the_clients_may_have_any_client() -> None:
    balancer = service("lb", ROUTER_NAMESPACE, {SHARD_LABEL: "x"}, {"port": 80}, type="LoadBalancer")
    assert clients(router("x"), GUARDED, balancer)["198.51.100.1"] == MAYBE
    balancer["spec"]["externalTrafficPolicy"] = "Local"
    assert clients(router("x"), GUARDED, balancer)["198.51.100.1"] == CLOSED


def test_each_router_pod_has_clients_of_its_own() -> None:
    open_pod = pod("other", ROUTER_NAMESPACE, ip="10.0.9.9", labels={SHARD_LABEL: "x", "open": "yes"})
    other = policy({"policyTypes": ["Ingress"], "podSelector": {"matchLabels": {"open": "yes"}}, "ingress": [{}]},
                   ROUTER_NAMESPACE, "open")  # fmt: skip
    assert clients(router("x"), open_pod, GUARDED, other)["198.51.100.1"] == OPEN


def test_what_one_shard_may_do_is_not_what_another_may() -> None:
    chosen = {"namespaceSelector": ZONE_B}
    objects = [shard("x", chosen), router("x"), shard("y"), router("y", ip="10.0.9.2"), published()]
    assert through_routers(*objects, from_shard("x")) == CLOSED, "x is let in but does not serve it"
    assert through_routers(*objects, from_shard("y")) == OPEN


def test_routers_that_no_policy_tells_apart_stay_apart() -> None:
    objects = [shard("x"), router("x"), shard("y"), router("y", ip="10.0.9.2")]
    found = meetings(*WORLD, *objects)
    assert len({found.reach.classes.class_of[index] for one in found.reach.ways.routers for index in one.pods}) == 2


def test_a_doubt_about_the_router_is_a_doubt_about_the_way() -> None:
    unknown = policy({"policyTypes": ["Ingress"], "ingress": [{"from": [{"namespaceSelector": {}, "new": 1}]}]})
    assert through_routers(shard("x"), router("x"), published(), unknown) == MAYBE
    block = policy({"policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.9.0/24"}}]}]})
    assert through_routers(shard("x"), router("x"), published(), block) == OPEN
    assert through_routers(shard("x"), router("x", ip=None), published(), block) == MAYBE


def test_a_host_network_router_acts_with_its_nodes_address() -> None:
    away = pod("away", labels={"app": "away"}, ip="10.0.0.9", nodeName="n9")
    objects = [shard("x"), host("r", "n1", ns=ROUTER_NAMESPACE, labels={SHARD_LABEL: "x"}), away]
    objects += [service("s2", "app", {"app": "away"}, HTTP), published({"to": {"name": "s2"}})]
    block = policy({"policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "10.9.0.1/32"}}]}]})
    assert through_routers(*objects, node("n1", "10.9.0.1"), block, target="app/Pod/away") == OPEN
    assert through_routers(*objects, node("n1", "10.9.0.2"), block, target="app/Pod/away") == CLOSED
    assert through_routers(*objects, block, target="app/Pod/away") == MAYBE
    assert through_routers(*objects, node("n1", "10.9.0.1"), from_shard("x"), target="app/Pod/away") == CLOSED


@pytest.mark.parametrize(("mine", "expected"), [("n1", OPEN), ("n2", CLOSED), (None, MAYBE)])
def test_a_host_network_router_always_reaches_the_pods_of_its_node(mine: str | None, expected: Json) -> None:
    placed = pod("placed", labels={"app": "placed"}, ip="10.0.0.9", **({"nodeName": mine} if mine else {}))
    objects = [service("s2", "app", {"app": "placed"}, HTTP), published({"to": {"name": "s2"}}), DENY, placed]
    hosts = [shard("x"), host("r", "n1", ns=ROUTER_NAMESPACE, labels={SHARD_LABEL: "x"}), node("n1", "10.9.0.1")]
    assert through_routers(*objects, *hosts, target="app/Pod/placed") == expected


# Whether the outside gets to the router ------------------------------------------------------------------------------


PRIVATE = {"endpointPublishingStrategy": {"type": "Private"}}
BALANCER = service("lb", ROUTER_NAMESPACE, {SHARD_LABEL: "x"}, HTTP, type="LoadBalancer")


@pytest.mark.parametrize(("spec", "status"), [(PRIVATE, None), ({}, PRIVATE)])
def test_a_private_router_that_nothing_publishes_is_no_way_in(spec: Json, status: Json) -> None:
    objects = [shard("x", spec, status), router("x"), published()]
    assert through_routers(*objects) == CLOSED
    assert through_routers(*objects, BALANCER) == OPEN, "somebody added a Service"
    inner = service("i", ROUTER_NAMESPACE, {SHARD_LABEL: "x"}, HTTP)
    chained = published({"to": {"name": "i"}}, ns=ROUTER_NAMESPACE)
    assert through_routers(*objects, inner, chained) == OPEN, "another router leads to it"


@pytest.mark.parametrize(("network", "expected"), [("overlay", CLOSED), ("unknown", MAYBE), ("routable", OPEN)])
def test_the_outside_gets_to_a_private_router_where_it_gets_to_pods(network: str, expected: Json) -> None:
    objects = [shard("x", PRIVATE), router("x"), published()]
    assert through_routers(*objects, pod_network=network) == expected


@pytest.mark.parametrize("kind", ["HostNetwork", "LoadBalancerService", "NodePortService"])
def test_a_router_with_an_address_that_the_input_does_not_show_is_a_way_in(kind: str) -> None:
    made = shard("x", {"endpointPublishingStrategy": {"type": kind}})
    assert through_routers(made, router("x"), published()) == OPEN


def test_behind_a_load_balancer_that_admits_some_clients_the_way_is_possible() -> None:
    told = BALANCER | {"spec": BALANCER["spec"] | {"loadBalancerSourceRanges": ["10.0.0.0/8"]}}
    assert through_routers(shard("x"), router("x"), published(), told) == MAYBE
    assert (
        through_routers(
            shard("x"),
            router("x"),
            published(),
            told,
            BALANCER | {"metadata": {"name": "b2", "namespace": ROUTER_NAMESPACE}},
        )
        == OPEN
    )


# Routers by their environment ----------------------------------------------------------------------------------------


def configured(name: str, ns: str = "routers", **variables: Any) -> Json:
    env = [
        {"name": key, **(value if isinstance(value, dict) else {"value": value})} for key, value in variables.items()
    ]
    return deployment(name, ns, labels={"router": name}, containers=[{"name": "router", "env": env}])


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"NAMESPACE_LABELS": "zone=a"}, OPEN),
        ({"NAMESPACE_LABELS": "zone=b"}, CLOSED),
        ({"NAMESPACE_LABELS": "tier!=x"}, OPEN),
        ({"NAMESPACE_LABELS": "!zone"}, CLOSED),
        ({"NAMESPACE_LABELS": "zone in (a, c)"}, OPEN),
        ({"PROJECT_LABELS": "zone=b"}, CLOSED),
        ({"ROUTE_LABELS": "type=external"}, CLOSED),
        ({"ROUTE_LABELS": "type notin (internal)"}, OPEN),
        ({"NAMESPACE_LABELS": "", "ROUTE_LABELS": ""}, OPEN),
        ({"ROUTER_SERVICE_NAME": "public"}, OPEN),
        ({"NAMESPACE_LABELS": "zone=="}, CLOSED),
        ({"NAMESPACE_LABELS": "zone=a,"}, MAYBE),
        ({"NAMESPACE_LABELS": "zone>3"}, MAYBE),
        ({"NAMESPACE_LABELS": {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}}, MAYBE),
        ({"NAMESPACE_LABELS": "zone=b", "PROJECT_LABELS": "zone=a"}, MAYBE),
        ({"ROUTE_FIELDS": "metadata.name=r"}, MAYBE),
        ({"ROUTER_ALLOWED_DOMAINS": "example.com", "ROUTE_LABELS": ""}, MAYBE),
    ],
)
def test_a_workload_with_a_routers_environment_serves_what_it_says(variables: Json, expected: Json) -> None:
    assert through_routers(namespace("routers"), configured("r", **variables), published()) == expected


@pytest.mark.parametrize("kind", ["DeploymentConfig", "DaemonSet"])
def test_whatever_kind_of_workload_it_is(kind: str) -> None:
    made = configured("r", NAMESPACE_LABELS="zone=b") | {"kind": kind}
    made["apiVersion"] = {"DeploymentConfig": "apps.openshift.io/v1", "DaemonSet": "apps/v1"}[kind]
    assert through_routers(made, published()) == CLOSED


def test_its_pods_are_those_that_it_owns() -> None:
    workload = configured("r", NAMESPACE_LABELS="zone=a")
    mine = owned(pod("r-1", "routers", ip="10.0.9.1", labels={"router": "r"}), "Deployment", "r")
    block = policy({"policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.9.1/32"}}]}]})
    assert through_routers(workload, mine, published(), block) == OPEN
    stranger = pod("r-1", "routers", ip="10.0.9.1", labels={"router": "r"})
    assert through_routers(workload, stranger, published(), block) == MAYBE, "the template has no address"


def bare_router(name: str, *variables: Json) -> Json:
    """A router's pod whose workload was not read."""
    controller = {"apiVersion": "v1", "kind": "ReplicationController", "name": "router-1", "controller": True}
    made = pod(name, "far", ip="10.0.9.9", containers=[{"name": "c", "image": "i", "env": list(variables)}])
    made["metadata"]["ownerReferences"] = [controller]
    return made


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ([{"name": "ROUTER_SERVICE_NAME", "value": "r"}], OPEN),
        ([{"name": "NAMESPACE_LABELS", "value": "zone=a"}], OPEN),
        ([{"name": "NAMESPACE_LABELS", "value": "zone=b"}], CLOSED),
        ([{"name": "ROUTE_LABELS", "value": "type=x"}], CLOSED),
        ([{"name": "ROUTE_LABELS", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}], MAYBE),
        ([{"name": "OTHER", "value": "ROUTE_LABELS"}], CLOSED),
    ],
)
def test_a_pod_with_a_routers_environment_is_one_though_its_workload_was_not_read(
    variables: Json, expected: Json
) -> None:
    other = shard("x", {"namespaceSelector": ZONE_B})
    assert through_routers(other, router("x"), bare_router("r", *variables), published()) == expected


def test_of_pods_that_disagree_nobody_knows_what_their_router_serves() -> None:
    pods = [bare_router(f"r-{zone}", {"name": "NAMESPACE_LABELS", "value": f"zone={zone}"}) for zone in "bc"]
    assert through_routers(shard("x", {"namespaceSelector": ZONE_B}), *pods, published()) == MAYBE


def test_a_workload_without_such_variables_is_no_router() -> None:
    plain = configured("r", ROUTER_URL="http://x", APP="y")
    assert through_routers(plain, published(), DENY) == MAYBE, "some router elsewhere"


def test_what_is_deployed_for_a_shard_outweighs_its_spec() -> None:
    running = deployment(
        "router-x",
        ROUTER_NAMESPACE,
        labels={SHARD_LABEL: "x"},
        containers=[{"name": "router", "env": [{"name": "NAMESPACE_LABELS", "value": "zone=a"}]}],
    )
    assert through_routers(shard("x", {"namespaceSelector": ZONE_B}), running, published()) == OPEN
    assert len(meetings(*WORLD, shard("x"), running).reach.ways.routers) == 1


def told(name: str, text: str | None, *, owner: str = "") -> Json:
    """A running pod of shard `x` with `NAMESPACE_LABELS`, or without any environment."""
    env = [] if text is None else [{"name": "NAMESPACE_LABELS", "value": text}]
    made = pod(name, ROUTER_NAMESPACE, labels={SHARD_LABEL: "x"}, containers=[{"name": "router", "env": env}])
    return owned(made, "Deployment", owner) if owner else made


@pytest.mark.parametrize("owner", ["", "router-x"])
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("zone=a", "zone=a", OPEN),
        ("zone=a", "zone==a", OPEN),
        ("zone=c", "zone=c", CLOSED),
        ("zone=a", "zone=c", MAYBE),
        ("zone=c", "zone=a", MAYBE),
        ("zone=c", None, MAYBE),
        (None, "zone=a", MAYBE),
        (None, None, CLOSED),
    ],
)
def test_what_running_pods_of_a_shard_are_told_outweighs_its_spec(
    first: str | None, second: str | None, expected: Json, owner: str
) -> None:
    pods = [told("r-1", first, owner=owner), told("r-2", second, owner=owner)]
    assert through_routers(shard("x", {"namespaceSelector": ZONE_B}), *pods, published()) == expected


@pytest.mark.parametrize(
    ("text", "running", "expected"),
    [("zone=a", "zone=a", OPEN), ("zone=a", "zone=b", MAYBE), ("zone=b", "zone=a", MAYBE), ("zone=a", None, OPEN)],
)
@pytest.mark.parametrize("labels", [{SHARD_LABEL: "x"}, {}])
def test_of_a_template_and_pods_that_disagree_nobody_knows_what_they_serve(
    text: str, running: str | None, expected: Json, labels: Json
) -> None:
    containers = [{"name": "router", "env": [{"name": "NAMESPACE_LABELS", "value": text}]}]
    workload = deployment("router-x", ROUTER_NAMESPACE, labels=labels, containers=containers)
    made = told("r-1", running, owner="router-x")
    made["metadata"]["labels"] = labels
    assert through_routers(shard("x", {"namespaceSelector": ZONE_B}), workload, made, published()) == expected


def test_a_wildcard_route_needs_a_router_that_admits_them() -> None:
    assert through_routers(shard("x"), router("x"), published(BACKEND | {"wildcardPolicy": "Subdomain"})) == MAYBE


# The string grammar of selectors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("", {}),
        ("a=b", {"matchLabels": {"a": "b"}}),
        ("a==b, c = d", {"matchLabels": {"a": "b", "c": "d"}}),
        ("a!=b", {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}),
        ("a in (x,y)", {"matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}]}),
        ("a notin (x)", {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}),
        ("!a,b", {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}, {"key": "b", "operator": "Exists"}]}),
        ("a=", {"matchLabels": {"a": ""}}),
        ("x.y/in=b", {"matchLabels": {"x.y/in": "b"}}),
    ],
)
def test_the_string_grammar_means_the_same_as_the_structured_one(text: str, same: Json) -> None:
    assert LabelSelector.parse_text(text) == LabelSelector.parse(same)


@pytest.mark.parametrize(
    "text", [",", "a,", "a b", "a in x", "a in (x", "!a=b", "=b", "a>1", "a=b=c", "-a", "a in (x) b"]
)
def test_what_the_grammar_does_not_allow_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"label selector|label key|valid value"):
        LabelSelector.parse_text(text)


# Ingress -------------------------------------------------------------------------------------------------------------


NEW = {"service": {"name": "s", "port": {"number": 80}}}
INGRESS: Json = {"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/", "backend": NEW}]}}]}


def ingress(spec: Json, labels: Json = None, annotations: Json = None) -> Json:
    made: Json = route("Ingress", "networking.k8s.io/v1", "app", INGRESS | spec, "i")
    made["metadata"] |= {"labels": labels or {}, "annotations": annotations or {}}
    return made


def ingress_class(name: str, controller: str, *, default: bool = False) -> Json:
    metadata = {"name": name, "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"} if default else {}}
    api = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass"}
    return api | {"metadata": metadata, "spec": {"controller": controller}}


OURS = ingress_class("mine", "openshift.io/ingress-to-route")
OTHERS = ingress_class("nginx", "k8s.io/ingress-nginx")


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([OURS, ingress({"ingressClassName": "mine"})], OPEN),
        ([ingress({"ingressClassName": "openshift-default"})], OPEN),
        ([ingress({}, annotations={"kubernetes.io/ingress.class": "openshift-x"})], OPEN),
        ([ingress_class("mine", "openshift.io/ingress-to-route", default=True), ingress({})], OPEN),
        ([OTHERS, ingress({"ingressClassName": "nginx"})], MAYBE),
        ([ingress({"ingressClassName": "nginx"})], MAYBE),
        ([ingress_class("n", "k8s.io/ingress-nginx", default=True), ingress({})], MAYBE),
    ],
)
def test_an_ingress_of_openshift_is_served_by_its_shards_any_other_perhaps(objects: Json, expected: Json) -> None:
    assert through_routers(shard("x"), router("x"), *objects) == expected


def test_an_ingress_without_a_class_is_openshifts_where_the_product_is() -> None:
    plain = configured("r", NAMESPACE_LABELS="zone=a")
    assert through_routers(shard("x"), router("x"), ingress({})) == OPEN
    assert through_routers(plain, ingress({})) == MAYBE, "nothing tells the product"


def test_the_class_binds_an_ingress_to_no_shard() -> None:
    objects = [shard("x"), router("x"), shard("y", {"namespaceSelector": ZONE_B}), router("y", ip="10.0.9.2")]
    assert through_routers(*objects, ingress({"ingressClassName": "openshift-y"}), from_shard("x")) == OPEN


def test_its_routes_carry_its_labels() -> None:
    chosen = shard("x", {"routeSelector": {"matchLabels": {"type": "external"}}})
    made = ingress({"ingressClassName": "openshift-x"}, labels={"type": "external"})
    assert through_routers(chosen, router("x"), made) == OPEN
    assert through_routers(chosen, router("x"), ingress({"ingressClassName": "openshift-x"})) == CLOSED


def test_routes_made_of_an_ingress_speak_for_it() -> None:
    made = ingress({"ingressClassName": "openshift-x"})
    generated = owned(published({"to": {"name": "s", "weight": 0}}), "Ingress", "i")
    assert through_routers(shard("x"), router("x"), made, generated) == CLOSED


def test_rules_for_every_host_and_default_backends_may_or_may_not_become_routes() -> None:
    anywhere = {"rules": [{"http": {"paths": [{"backend": NEW}]}}], "ingressClassName": "openshift-x"}
    assert through_routers(shard("x"), router("x"), ingress(anywhere)) == MAYBE
    default = {"rules": [], "defaultBackend": NEW, "ingressClassName": "openshift-x"}
    assert through_routers(shard("x"), router("x"), ingress(default)) == MAYBE


@pytest.mark.parametrize("port", [{"number": 81}, {"name": "https"}])
def test_an_ingress_names_a_port_of_the_service(port: Json) -> None:
    backend = {"service": {"name": "s", "port": port}}
    spec = {"rules": [{"host": "a", "http": {"paths": [{"backend": backend}]}}], "ingressClassName": "openshift-x"}
    assert through_routers(shard("x"), router("x"), ingress(spec)) == CLOSED


# Cells ---------------------------------------------------------------------------------------------------------------


INTERNET = zone("internet", kind="internet")
PLAN = matrix([zone("a"), zone("dmz", ingress_controllers=("x",)), INTERNET])
CLUSTER = [zoned("app", "a"), WEB, SERVICE, namespace(ROUTER_NAMESPACE), shard("x"), router("x"), from_shard("x")]


def test_the_cause_of_what_a_router_brings_in_is_the_route() -> None:
    found = cell(evaluate(PLAN, *CLUSTER, published()), "internet", "a")
    assert (found.observed, found.possible, found.excess_pairs) == (tcp(8080), tcp(8080), 1)
    (breach,) = [one for one in found.breaches if one.certain]
    assert [str(one) for one in breach.subjects] == ["Route app/r"]
    assert breach.ingress is not None
    assert "Service app/s" in breach.ingress.text
    assert "IngressController openshift-ingress-operator/x" in breach.ingress.text
    assert "openshift-ingress/Pod/router-x" in breach.ingress.text
    assert (breach.traffic, breach.pairs, breach.targets, breach.sources) == (tcp(8080), 1, 1, 1)
    assert breach.witness is not None
    assert (breach.witness.target, breach.witness.protocol, breach.witness.port) == ("app/Pod/web", "TCP", 8080)


def test_two_routes_are_two_causes_each_with_its_own_pods() -> None:
    more = [pod("two", labels={"app": "two"}), service("t", "app", {"app": "two"}, HTTP)]
    routes = [published(name="r1"), published({"to": {"name": "t"}}, name="r2")]
    found = cell(evaluate(PLAN, *CLUSTER, *more, *routes), "internet", "a")
    named = {
        str(one.subjects[0]): (one.pairs, one.witness and one.witness.target) for one in found.breaches if one.certain
    }
    assert named == {"Route app/r1": (1, "app/Pod/web"), "Route app/r2": (1, "app/Pod/two")}
    assert found.excess_pairs == 2


def test_what_the_matrix_allows_through_a_router_is_no_breach() -> None:
    plan = matrix([zone("a"), INTERNET], flow("internet", "a", "allow-only", tcp(8080)))
    found = cell(evaluate(plan, *CLUSTER, published()), "internet", "a")
    assert (found.observed, found.breaches) == (tcp(8080), ())


def test_a_router_that_policies_keep_out_brings_nothing_into_the_cell() -> None:
    found = cell(evaluate(PLAN, *CLUSTER[:-1], DENY, published()), "internet", "a")
    assert (found.observed, found.possible) == (NONE, NONE)


# Ways through other zones, and comparison ----------------------------------------------------------------------------


DB = [
    zoned("db", "b"),
    pod("pg", "db", ip="10.0.3.1"),
    policy({"policyTypes": ["Ingress"], "ingress": [{}]}, "db", "in"),
]


def apart(*objects: Json) -> Paths:
    plan = matrix(
        [zone("a"), zone("b"), zone("x"), INTERNET], flow("internet", "a", "allow-all"), flow("a", "b", "allow-all")
    )
    found = snapshot(objects)
    inventory = build(found)
    members = zones_of(inventory, plan)
    assert members is not None
    joint = joined(reachability(inventory, members, plan), members)
    return paths(joint, plan, Tally(joint, plan).cells())


def test_a_chain_goes_through_a_router_and_names_the_route() -> None:
    found = apart(*CLUSTER, *DB, published())
    (chain,) = [one for one in found.chains if (one.source, one.target) == ("internet", "b")]
    assert (chain.certain, chain.proven, chain.zones) == (True, True, ("internet", "a", "b"))
    first = chain.hops[0]
    assert first.traffic == tcp(8080)
    assert [str(one.ref) for one in first.through] == ["Route app/r"]


def test_closing_the_entry_points_of_the_pod_cuts_what_comes_through_a_router() -> None:
    found = apart(
        *CLUSTER,
        *DB[:-1],
        policy(from_app(), "db", "in"),
        policy({"policyTypes": ["Egress"], "egress": [{}]}, "app", "out"),
        published(),
    )
    (cut,) = [one for one in found.cuts if (one.source, one.target) == ("internet", "b")]
    assert cut.least == 1
    assert len(cut.openings) == 1


def from_app() -> Json:
    space = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "app"}}}
    return {"policyTypes": ["Ingress"], "ingress": [{"from": [space]}]}


def test_a_new_route_is_the_cause_of_what_it_opens() -> None:
    found = compare(CLUSTER, [*CLUSTER, published()])
    texts = {one.id: f"{one.change} {one.object}" for one in found.causes}
    opened = [one for one in found.connections if one.dst == "app/Pod/web" and one.now == "allowed"]
    assert opened
    assert {texts[cause] for one in opened for cause in one.causes} == {"added Route app/r"}


def test_another_shard_beside_changes_nothing_for_the_first() -> None:
    more = [shard("a-first", {"namespaceSelector": ZONE_B}), router("a-first", ip="10.0.9.3"), published()]
    found = compare([*CLUSTER, published()], [*CLUSTER, *more])
    assert not [one for one in found.connections if one.dst == "app/Pod/web" and one.src.startswith("ip/")]
