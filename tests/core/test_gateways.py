"""Gateway API: which Gateways take a route, which Services it leads to, and what gets through."""

from __future__ import annotations

from typing import Any

import pytest

from audit.exposure.gateways import GATEWAY_LABEL
from audit.traffic import NONE, Traffic
from tests.core.clusters import namespace, pod, policy, route, service, tcp
from tests.core.doors import CLOSED, HTTP, through_routers

Json = Any
OPEN = (tcp(8080), tcp(8080))
MAYBE = (NONE, tcp(8080))
API = "gateway.networking.k8s.io/v1"
GROUP = "gateway.networking.k8s.io"
LISTENER: Json = {"name": "web", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
PARENT: Json = {"name": "gw", "namespace": "infra"}


def gateway(*listeners: Json, name: str = "gw", ns: str = "infra") -> Json:
    spec = {"gatewayClassName": "istio", "listeners": list(listeners or (LISTENER,))}
    return route("Gateway", API, ns, spec, name)


def attached(*parents: Json, kind: str = "HTTPRoute", ns: str = "app", refs: Json = None, **spec: Any) -> Json:
    rules = [{"backendRefs": refs or [{"name": "s", "port": 80}]}]
    return route(kind, API, ns, {"parentRefs": list(parents or (PARENT,)), "rules": rules} | spec)


POD = pod("gw-pod", "infra", ip="10.0.8.1", labels={GATEWAY_LABEL: "gw"})
INFRA = [namespace("infra"), POD]


def from_(kind: Any, **more: Any) -> Json:
    return LISTENER | {"allowedRoutes": {"namespaces": {"from": kind, **more}}}


# Attachment ----------------------------------------------------------------------------------------------------------


def test_a_route_is_served_by_the_gateway_that_it_names() -> None:
    assert through_routers(*INFRA, gateway(), attached()) == OPEN


@pytest.mark.parametrize(
    "parent",
    [
        PARENT | {"kind": "Service", "group": ""},
        PARENT | {"sectionName": "other"},
        PARENT | {"port": 81},
    ],
)
def test_a_parent_that_is_no_gateway_or_no_listener_of_it_leads_nowhere(parent: Json) -> None:
    assert through_routers(*INFRA, gateway(), attached(parent)) == CLOSED


@pytest.mark.parametrize(
    "parent", [PARENT | {"sectionName": "web"}, PARENT | {"port": 80}, PARENT | {"group": GROUP, "kind": "Gateway"}]
)
def test_a_parent_may_name_a_listener_by_section_or_port(parent: Json) -> None:
    assert through_routers(*INFRA, gateway(), attached(parent)) == OPEN


def test_a_route_without_parents_leads_nowhere() -> None:
    assert through_routers(*INFRA, gateway(), attached(parentRefs=[])) == CLOSED
    assert through_routers(*INFRA, gateway(), attached(parentRefs=[], useDefaultGateways="All")) == MAYBE


def test_a_parent_without_a_namespace_is_of_the_routes_own() -> None:
    assert through_routers(*INFRA, gateway(), attached({"name": "gw"})) == MAYBE, "a Gateway that is not shown"
    own = gateway(LISTENER | {"allowedRoutes": {}}, ns="app")
    assert through_routers(own, pod("g", "app", labels={GATEWAY_LABEL: "gw"}), attached({"name": "gw"})) == OPEN


@pytest.mark.parametrize("parent", [{"name": "lost", "namespace": "infra"}, PARENT | {"kind": "ListenerSet"}])
def test_a_gateway_or_listener_set_that_is_not_shown_may_serve_it(parent: Json) -> None:
    assert through_routers(*INFRA, gateway(), attached(parent)) == MAYBE


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        (from_("All"), OPEN),
        (from_("Same"), CLOSED),
        (LISTENER | {"allowedRoutes": {}}, CLOSED),
        (from_("Selector", selector={"matchLabels": {"zone": "a"}}), OPEN),
        (from_("Selector", selector={"matchLabels": {"zone": "b"}}), CLOSED),
        (from_("Selector", selector={}), OPEN),
        (from_("Selector", selector={"x": 1}), MAYBE),
        (from_("Selector"), MAYBE),
        (from_("New"), MAYBE),
        (from_(["All"]), MAYBE),
        (from_("None"), CLOSED),
    ],
)
def test_a_listener_takes_routes_of_the_namespaces_it_allows(listener: Json, expected: Json) -> None:
    assert through_routers(*INFRA, gateway(listener), attached()) == expected


def test_a_namespace_whose_labels_are_not_known_may_be_allowed() -> None:
    listener = from_("Selector", selector={"matchLabels": {"zone": "a"}})
    lost = [pod("p", "lost", labels={"app": "web"}), service("s", "lost", {"app": "web"}, HTTP)]
    found = through_routers(*INFRA, gateway(listener), attached(ns="lost"), *lost, target="lost/Pod/p")
    assert found == MAYBE


@pytest.mark.parametrize(
    ("protocol", "kind", "expected"),
    [
        ("HTTP", "HTTPRoute", OPEN),
        ("HTTPS", "GRPCRoute", OPEN),
        ("TLS", "TLSRoute", OPEN),
        ("TLS", "TCPRoute", OPEN),
        ("TCP", "TCPRoute", OPEN),
        ("HTTP", "TCPRoute", CLOSED),
        ("TCP", "HTTPRoute", CLOSED),
        ("UDP", "UDPRoute", CLOSED),
        ("example.com/x", "HTTPRoute", MAYBE),
    ],
)
def test_a_listener_takes_the_kinds_of_its_protocol(protocol: str, kind: str, expected: Json) -> None:
    assert through_routers(*INFRA, gateway(LISTENER | {"protocol": protocol}), attached(kind=kind)) == expected


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([{"kind": "HTTPRoute"}], OPEN),
        ([{"kind": "GRPCRoute"}, {"group": GROUP, "kind": "HTTPRoute"}], OPEN),
        ([{"kind": "GRPCRoute"}], CLOSED),
        ([{"group": "example.com", "kind": "HTTPRoute"}], CLOSED),
        ([], OPEN),
    ],
)
def test_a_listener_may_list_the_kinds_it_takes(kinds: Json, expected: Json) -> None:
    listener = LISTENER | {"allowedRoutes": {"namespaces": {"from": "All"}, "kinds": kinds}}
    assert through_routers(*INFRA, gateway(listener), attached()) == expected


@pytest.mark.parametrize(
    ("hostname", "hosts", "expected"),
    [
        ("", ["a.example.com"], OPEN),
        ("a.example.com", [], OPEN),
        ("A.example.com", ["a.Example.com"], OPEN),
        ("a.example.com", ["b.example.com"], CLOSED),
        ("*.example.com", ["b.example.com"], OPEN),
        ("*.example.com", ["c.b.example.com"], OPEN),
        ("*.example.com", ["example.com"], CLOSED),
        ("*.example.com", ["b.example.org"], CLOSED),
        ("b.example.com", ["*.example.com"], OPEN),
        ("*.example.com", ["*.b.example.com"], OPEN),
        ("*.b.example.com", ["*.example.com"], OPEN),
        ("*.a.example.com", ["*.b.example.com"], CLOSED),
        ("a.example.com", ["b.example.com", "a.example.com"], OPEN),
    ],
)
def test_host_names_of_listener_and_route_must_have_one_in_common(hostname: str, hosts: Json, expected: Json) -> None:
    listener = LISTENER | ({"hostname": hostname} if hostname else {})
    assert through_routers(*INFRA, gateway(listener), attached(hostnames=hosts)) == expected


def test_one_listener_that_takes_it_is_enough() -> None:
    assert through_routers(*INFRA, gateway(from_("Same"), from_("All")), attached()) == OPEN
    assert (
        through_routers(*INFRA, gateway(LISTENER | {"port": 81}, from_("Same")), attached(PARENT | {"port": 80}))
        == CLOSED
    )


# Backends ------------------------------------------------------------------------------------------------------------


def grant(*, ns: str = "app", kind: str = "HTTPRoute", source: str = "far", **to: str) -> Json:
    giving = {"group": GROUP, "kind": kind, "namespace": source}
    spec = {"from": [giving], "to": [{"group": "", "kind": "Service"} | to]}
    return route("ReferenceGrant", "gateway.networking.k8s.io/v1beta1", ns, spec, "grant")


ACROSS = [{"name": "s", "namespace": "app", "port": 80}]


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], CLOSED),
        ([grant()], OPEN),
        ([grant(name="s")], OPEN),
        ([grant(name="other")], CLOSED),
        ([grant(name="other"), grant(name="s") | {"metadata": {"name": "g2", "namespace": "app"}}], OPEN),
        ([grant(ns="far")], CLOSED),
        ([grant(kind="TCPRoute")], CLOSED),
        ([grant(source="app")], CLOSED),
    ],
)
def test_a_backend_in_another_namespace_needs_a_grant_there(grants: Json, expected: Json) -> None:
    assert through_routers(*INFRA, gateway(), attached(ns="far", refs=ACROSS), *grants) == expected


def test_a_grant_is_for_services() -> None:
    other = grant()
    other["spec"]["to"] = [{"group": "", "kind": "Secret"}]
    assert through_routers(*INFRA, gateway(), attached(ns="far", refs=ACROSS), other) == CLOSED


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"name": "s"}, OPEN),
        ({"name": "s", "port": 80, "weight": 1}, OPEN),
        ({"name": "s", "port": 80, "weight": 0}, CLOSED),
        ({"name": "s", "port": 81}, CLOSED),
        ({"name": "x", "port": 80}, CLOSED),
        ({"name": "s", "kind": "ServiceImport", "group": "multicluster.x-k8s.io"}, MAYBE),
    ],
)
def test_a_backend_reference_names_a_service_and_its_port(reference: Json, expected: Json) -> None:
    assert through_routers(*INFRA, gateway(), attached(refs=[reference])) == expected


def test_a_udp_route_leads_to_udp_ports() -> None:
    dns = service("d", "app", {"app": "web"}, {"name": "dns", "port": 53, "protocol": "UDP"}, HTTP | {"port": 53})
    made = attached(kind="UDPRoute", refs=[{"name": "d", "port": 53}])
    found = through_routers(*INFRA, gateway(LISTENER | {"protocol": "UDP"}), dns, made)
    assert found == (Traffic.of("UDP", 53), Traffic.of("UDP", 53))


# What gets through ---------------------------------------------------------------------------------------------------


def test_policies_of_the_pod_judge_the_pods_of_the_gateway() -> None:
    objects = [*INFRA, gateway(), attached()]
    assert through_routers(*objects, policy({"policyTypes": ["Ingress"]})) == CLOSED
    peer = {"namespaceSelector": {}, "podSelector": {"matchLabels": {GATEWAY_LABEL: "gw"}}}
    assert through_routers(*objects, policy({"ingress": [{"from": [peer]}]})) == OPEN


def test_pods_of_a_gateway_are_in_its_namespace() -> None:
    sealed = policy({"policyTypes": ["Ingress"]})
    objects = [namespace("infra"), gateway(), attached(), sealed]
    assert through_routers(*objects, pod("p", "far", labels={GATEWAY_LABEL: "gw"})) == MAYBE
    assert through_routers(*objects, POD) == CLOSED


def test_a_gateway_without_pods_in_the_input_may_get_through() -> None:
    assert through_routers(gateway(), attached(), policy({"policyTypes": ["Ingress"]})) == MAYBE


STRANGE: list[Json] = [{"port": "80"}, {"hostname": 5}, {"protocol": ["HTTP"]}]


@pytest.mark.parametrize(
    "spec",
    [
        *({"listeners": "x"}, {"listeners": {"a": "b"}}, {"listeners": [None, 5]}, {}, None),
        *({"listeners": [LISTENER | one]} for one in STRANGE),
        {"listeners": [LISTENER | {"allowedRoutes": []}]},
        {"listeners": [LISTENER | {"allowedRoutes": {"namespaces": "All"}}]},
        {"listeners": [LISTENER | {"allowedRoutes": {"kinds": {}}}]},
        {"listeners": [LISTENER | {"allowedRoutes": {"namespaces": {"from": ["All"]}}}]},
    ],
)
def test_a_gateway_whose_listeners_cannot_be_read_may_take_everything(spec: Json) -> None:
    made = spec if spec is None else spec | {"gatewayClassName": "istio"}
    objects = [*INFRA, route("Gateway", API, "infra", made, "gw"), attached()]
    assert through_routers(*objects) == MAYBE


def test_a_gateway_without_listeners_takes_nothing() -> None:
    assert through_routers(*INFRA, route("Gateway", API, "infra", {"listeners": []}, "gw"), attached()) == CLOSED


def gateway_class(controller: Json, name: str = "c") -> Json:
    made = {"apiVersion": API, "kind": "GatewayClass", "metadata": {"name": name}}
    return made | {"spec": {"controllerName": controller}}


@pytest.mark.parametrize(
    ("name", "classes", "addresses", "expected"),
    [
        ("istio", [], [], CLOSED),
        ("openshift-default", [], [], CLOSED),
        ("c", [gateway_class("openshift.io/gateway-controller/v1")], [], CLOSED),
        ("c", [gateway_class("istio.io/gateway-controller")], [], CLOSED),
        ("c", [], [], MAYBE),
        (None, [], [], MAYBE),
        ("c", [gateway_class("example.com/controller")], [], MAYBE),
        ("c", [gateway_class(["istio.io/gateway-controller"])], [], MAYBE),
        ("istio", [gateway_class("example.com/controller", "istio")], [], MAYBE),
        ("istio", [], [{"type": "Hostname", "value": "shared.far.svc.cluster.local"}], MAYBE),
    ],
)
def test_labelled_pods_are_the_data_plane_only_of_controllers_that_deploy_it_so(
    name: Json, classes: Json, addresses: Json, expected: Json
) -> None:
    made = gateway()
    made["spec"] |= {"gatewayClassName": name, "addresses": addresses}
    assert through_routers(*INFRA, made, attached(), policy({"policyTypes": ["Ingress"]}), *classes) == expected


@pytest.mark.parametrize("spec", [{"parentRefs": "x"}, {"parentRefs": [None, "gw", {"name": 5}]}, {"hostnames": [1]}])
def test_a_malformed_route_breaks_nothing(spec: Json) -> None:
    certain, _ = through_routers(*INFRA, gateway(), attached(**spec))
    assert certain == (tcp(8080) if "hostnames" in spec else NONE)
