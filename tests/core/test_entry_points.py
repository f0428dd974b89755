"""Which ports of which pods an entry point exposes, and how certainly."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from audit.exposure.entries import HIDDEN, Exposure, ways_in
from audit.exposure.gateways import references
from audit.traffic import ALL, NONE, Traffic
from tests.core.clusters import container, host, inventory, namespace, node, pod, route, service, tcp

Json = Any
APP = {"app": "web"}
WEB = pod("web", labels=APP, containers=[container(("http", "TCP", 8080), ("dns", "UDP", 5353))])
OTHER = pod("other", labels={"app": "other"})
FAR = pod("web", "far", labels=APP)
WORLD = [namespace("app"), namespace("far"), WEB, OTHER, FAR]
HTTP = {"port": 80, "targetPort": 8080}


def exposed(*objects: Json) -> dict[str, Exposure]:
    """Pod id -> how it is exposed, without those that nothing exposes."""
    found = inventory(*WORLD, *objects)
    all_of_them = ways_in(found).exposed.items()
    return {found.endpoint_id(found.endpoints[index]): one for index, one in all_of_them if one != HIDDEN}


def web(*objects: Json) -> Exposure:
    """How `app/Pod/web` is exposed; nothing else may be."""
    found = exposed(*objects)
    assert set(found) <= {"app/Pod/web"}
    return found.get("app/Pod/web", HIDDEN)


# Services ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [{"type": "NodePort"}, {"type": "LoadBalancer"}, {"externalIPs": ["192.0.2.1"]}])
def test_services_that_lead_in_from_outside(spec: Json) -> None:
    assert web(service("s", "app", APP, HTTP, **spec)) == Exposure(direct=tcp(8080), masked=tcp(8080))


@pytest.mark.parametrize("spec", [{}, {"type": "ClusterIP"}, {"type": "ExternalName"}, {"externalIPs": []}])
def test_services_that_do_not(spec: Json) -> None:
    assert web(service("s", "app", APP, HTTP, **spec)) == HIDDEN


def test_a_service_selects_by_every_label_and_in_its_own_namespace_only() -> None:
    assert web(service("s", "app", APP | {"tier": "x"}, HTTP, type="NodePort")) == HIDDEN
    assert exposed(service("s", "far", APP, HTTP, type="NodePort")).keys() == {"far/Pod/web"}


@pytest.mark.parametrize("selector", [None, {}])
def test_a_service_without_a_selector_may_lead_to_any_pod_of_its_namespace(selector: Json) -> None:
    found = exposed(service("s", "app", selector, HTTP, type="NodePort"))
    assert found == dict.fromkeys(("app/Pod/web", "app/Pod/other"), Exposure(masked=tcp(8080)))
    assert exposed(service("s", "app", selector, HTTP)) == {}


def listing(*addresses: str, ports: Json = None, slices: bool = False, name: str = "s") -> Json:
    """What somebody wrote down for a Service without selector."""
    ports = [{"port": 9090}] if ports is None else ports
    if slices:
        metadata = {"name": f"{name}-1", "namespace": "app", "labels": {"kubernetes.io/service-name": name}}
        made = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
        return made | {"addressType": "IPv4", "endpoints": [{"addresses": list(addresses)}], "ports": ports}
    subsets = [{"addresses": [{"ip": one} for one in addresses], "ports": ports}]
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": name, "namespace": "app"}, "subsets": subsets}


THERE = pod("there", "far", ip="10.0.7.7")
BARE = service("s", "app", None, HTTP, type="NodePort")


@pytest.mark.parametrize("slices", [False, True])
def test_a_service_without_a_selector_leads_to_whoever_has_the_listed_addresses(*, slices: bool) -> None:
    found = exposed(BARE, THERE, listing("10.0.7.7", slices=slices))
    assert found == {"far/Pod/there": Exposure(direct=tcp(9090), masked=tcp(9090))}, "in whatever namespace"


def test_a_list_of_addresses_that_no_pod_has_leads_out_of_the_cluster_or_to_pods_without_an_address() -> None:
    placed = pod("web", "app", ip="10.0.7.1", labels=APP)
    found = inventory(namespace("app"), placed, BARE, listing("192.0.2.9"))
    assert ways_in(found).exposed == {}
    assert exposed(BARE, listing("192.0.2.9")).keys() == {"app/Pod/web", "app/Pod/other", "far/Pod/web"}
    assert exposed(BARE, listing("192.0.2.9"))["app/Pod/web"] == Exposure(masked=tcp(9090))


def test_a_listed_address_that_no_pod_has_may_be_that_of_a_pod_in_another_namespace() -> None:
    lost = pod("lost", "far")
    found = exposed(BARE, lost, listing("192.0.2.9"))
    assert found["far/Pod/lost"] == Exposure(masked=tcp(9090))
    assert "far/Pod/lost" not in exposed(BARE, lost, THERE, listing("10.0.7.7")), "every address is a known pod's"


@pytest.mark.parametrize("slices", [False, True])
@pytest.mark.parametrize(
    ("target", "expected"), [(None, tcp(5432)), ("other", tcp(5432)), (5432, tcp(5432)), ("web", NONE), (80, NONE)]
)
def test_routers_may_go_to_listed_ports_whose_names_are_none_of_the_services(
    target: Json, expected: Json, *, slices: bool
) -> None:
    bare = service("s", "app", None, HTTP | {"name": "web"}, type="NodePort")
    listed = listing("10.0.7.7", ports=[{"name": "other", "port": 5432}], slices=slices)
    spec = {"to": {"name": "s"}} | ({"port": {"targetPort": target}} if target else {})
    found = exposed(bare, THERE, listed, route("Route", "route.openshift.io/v1", "app", spec))
    assert found.get("far/Pod/there", Exposure()) == Exposure(routed=expected), "nodes go by the Service's ports"


def test_listed_ports_belong_to_the_services_port_of_the_same_name() -> None:
    ports = [{"name": "web", "port": 8443}, {"name": "lost", "port": 1}, {"port": 2}]
    named = service("s", "app", None, HTTP | {"name": "web"}, type="NodePort")
    assert exposed(named, THERE, listing("10.0.7.7", ports=ports))["far/Pod/there"].direct == tcp(8443)


def test_what_is_listed_for_a_service_with_a_selector_or_for_another_one_counts_for_nothing() -> None:
    assert exposed(service("s", "app", {"app": "x"}, HTTP, type="NodePort"), THERE, listing("10.0.7.7")) == {}
    found = exposed(BARE, THERE, listing("10.0.7.7", name="other"))
    assert "far/Pod/there" not in found


def test_an_endpoint_slice_adds_to_what_the_selector_of_a_service_finds() -> None:
    chosen = service("s", "app", APP, HTTP | {"targetPort": 8080}, type="NodePort")
    found = exposed(chosen, THERE, listing("10.0.7.7", slices=True))
    assert found["far/Pod/there"] == Exposure(direct=tcp(9090), masked=tcp(9090))
    assert found["app/Pod/web"] == Exposure(direct=tcp(8080), masked=tcp(8080))


def test_whoever_shares_the_address_of_a_selected_pod_is_not_added_by_the_slice_that_lists_it() -> None:
    host = [pod(name, "far", ip="10.0.7.7", labels={"n": name}, hostNetwork=True) for name in ("one", "two")]
    chosen = service("s", "far", {"n": "one"}, HTTP, type="NodePort")
    own = listing("10.0.7.7", slices=True)
    own["metadata"]["namespace"] = "far"
    found = exposed(chosen, *host, own)
    assert found["far/Pod/one"].direct
    assert not found["far/Pod/two"].direct


def test_without_a_selector_local_traffic_keeps_nobodys_address() -> None:
    local = service("s", "app", None, HTTP, type="NodePort", externalTrafficPolicy="Local")
    assert exposed(local, THERE, listing("10.0.7.7"))["far/Pod/there"].masked == tcp(9090)


@pytest.mark.parametrize("address", ["example.com", "", "10.0.7.300"])
def test_a_listed_address_that_is_none_breaks_nothing(address: str) -> None:
    assert exposed(BARE, THERE, listing(address, "10.0.7.7")).keys() == {"far/Pod/there"}


def test_a_route_may_lead_into_another_namespace_by_a_list_of_addresses() -> None:
    quiet = service("s", "app", None, HTTP)
    published = route("Route", "route.openshift.io/v1", "app", {"to": {"name": "s"}})
    assert exposed(quiet, THERE, listing("10.0.7.7"), published) == {"far/Pod/there": Exposure(routed=tcp(9090))}


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ({"port": 80}, tcp(80)),
        ({"port": 80, "targetPort": 8080}, tcp(8080)),
        ({"port": 80, "targetPort": 0}, tcp(80)),
        ({"port": 80, "targetPort": "http"}, tcp(8080)),
        ({"port": 80, "targetPort": "missing"}, NONE),
        ({"port": 80, "targetPort": "dns"}, NONE),
        ({"port": 53, "protocol": "UDP", "targetPort": "dns"}, Traffic.of("UDP", 5353)),
        ({"port": 53, "protocol": "UDP"}, Traffic.of("UDP", 53)),
        ({"port": 9, "protocol": "SCTP", "targetPort": 10}, Traffic.of("SCTP", 10)),
        ({"port": 80, "targetPort": "8080"}, tcp(8080)),
        ({"port": 80, "targetPort": "²"}, NONE),
        ({"port": 80, "nodePort": 30080}, tcp(80)),
    ],
)
def test_the_port_that_counts_is_the_pods(port: Json, expected: Traffic) -> None:
    assert web(service("s", "app", APP, port, type="NodePort")).direct == expected


def test_a_named_target_port_resolves_per_pod() -> None:
    replica = pod("web-2", labels=APP, containers=[container(("http", "TCP", 9090))])
    found = exposed(replica, service("s", "app", APP, {"port": 80, "targetPort": "http"}, type="NodePort"))
    assert {name: one.direct for name, one in found.items()} == {"app/Pod/web": tcp(8080), "app/Pod/web-2": tcp(9090)}


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_a_local_traffic_policy_keeps_the_clients_address(kind: str) -> None:
    local = service("s", "app", APP, HTTP, type=kind, externalTrafficPolicy="Local")
    assert web(local) == Exposure(direct=tcp(8080))


def test_several_services_add_up() -> None:
    local = service("l", "app", APP, {"port": 81}, type="NodePort", externalTrafficPolicy="Local")
    assert web(local, service("s", "app", APP, {"port": 82}, {"port": 83}, type="NodePort")) == Exposure(
        direct=tcp(81, 82, 83), masked=tcp(82, 83)
    )


# Nodes ---------------------------------------------------------------------------------------------------------------


def test_a_host_port_exposes_the_container_port() -> None:
    ports = [{"containerPort": 8443, "hostPort": 443}, {"containerPort": 9000}, {"containerPort": 1, "hostPort": 0}]
    made = pod("edge", containers=[{"name": "c", "ports": ports}])
    assert exposed(made) == {"app/Pod/edge": Exposure(direct=tcp(8443), masked=tcp(8443))}


def test_a_host_network_pod_listens_on_its_node_which_the_outside_may_or_may_not_reach() -> None:
    assert exposed(node("n1", "10.9.0.1"), host("agent")) == {"app/Pod/agent": Exposure(host=True)}


def test_a_service_before_a_host_network_pod_leads_there() -> None:
    found = exposed(
        host("agent", labels={"app": "agent"}), service("s", "app", {"app": "agent"}, HTTP, type="NodePort")
    )
    assert found == {"app/Pod/agent": Exposure(direct=tcp(8080), masked=tcp(8080), host=True)}


# Routers -------------------------------------------------------------------------------------------------------------

SERVICE = service("s", "app", APP, HTTP)
ROUTED = Exposure(routed=tcp(8080))
NEW = {"service": {"name": "s", "port": {"number": 80}}}
OLD = {"serviceName": "s", "servicePort": 80}
GATEWAY = "gateway.networking.k8s.io/v1"
UNSEEN = {"parentRefs": [{"name": "gw", "namespace": "infra"}]}
"""A Gateway that the input does not show."""


def paths(backend: Json) -> Json:
    return {"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/", "backend": backend}]}}]}


@pytest.mark.parametrize(
    ("kind", "api", "spec"),
    [
        ("Ingress", "networking.k8s.io/v1", paths(NEW)),
        ("Ingress", "networking.k8s.io/v1", {"defaultBackend": NEW}),
        ("Ingress", "extensions/v1beta1", paths(OLD)),
        ("Ingress", "networking.k8s.io/v1beta1", {"backend": OLD}),
        ("Route", "route.openshift.io/v1", {"to": {"kind": "Service", "name": "s"}}),
        ("Route", "v1", {"to": {"kind": "Service", "name": "s"}}),
        ("Route", "route.openshift.io/v1", {"to": {"name": "x"}, "alternateBackends": [{"name": "y"}, {"name": "s"}]}),
        ("HTTPRoute", GATEWAY, UNSEEN | {"rules": [{"backendRefs": [{"name": "x"}, {"name": "s", "port": 80}]}]}),
        ("HTTPRoute", GATEWAY, UNSEEN | {"rules": [{"filters": [{"requestMirror": {"backendRef": {"name": "s"}}}]}]}),
        ("GRPCRoute", GATEWAY, UNSEEN | {"rules": [{"backendRefs": [{"name": "s"}]}]}),
        ("TLSRoute", GATEWAY + "alpha2", UNSEEN | {"rules": [{"backendRefs": [{"name": "s"}]}]}),
        ("TCPRoute", GATEWAY + "alpha2", UNSEEN | {"rules": [{"backendRefs": [{"name": "s"}]}]}),
    ],
)
def test_kinds_that_publish_a_service_through_routers(kind: str, api: str, spec: Json) -> None:
    assert web(SERVICE, route(kind, api, "app", spec)) == ROUTED


def test_a_udp_route_publishes_udp_ports() -> None:
    both = service("s", "app", APP, HTTP, {"port": 53, "protocol": "UDP", "name": "dns"})
    published = route("UDPRoute", GATEWAY + "alpha2", "app", UNSEEN | {"rules": [{"backendRefs": [{"name": "s"}]}]})
    assert web(both, published) == Exposure(routed=Traffic.of("UDP", 53))


@pytest.mark.parametrize(
    ("kind", "api", "spec"),
    [
        ("Ingress", "networking.k8s.io/v1", paths({"service": {"name": "other"}})),
        ("Ingress", "networking.k8s.io/v1", paths({"resource": {"kind": "Bucket", "name": "s"}})),
        ("Ingress", "example.com/v1", paths(NEW)),
        ("Route", "example.com/v1", {"to": {"name": "s"}}),
        ("Route", "route.openshift.io/v1", {"to": {"name": "other"}}),
    ],
)
def test_what_publishes_nothing(kind: str, api: str, spec: Json) -> None:
    assert web(SERVICE, route(kind, api, "app", spec)) == HIDDEN


def test_routes_of_another_namespace_publish_their_own_services() -> None:
    assert web(SERVICE, route("Route", "route.openshift.io/v1", "far", {"to": {"name": "s"}})) == HIDDEN


@pytest.mark.parametrize("kind", ["Ingress", "Route", "HTTPRoute"])
@pytest.mark.parametrize(
    "spec",
    [
        None,
        [],
        "s",
        5,
        {"to": "s", "alternateBackends": 5},
        {"to": ["s"], "alternateBackends": {"name": "s"}},
        {"backend": None, "rules": "x"},
        {"defaultBackend": {"service": None}, "rules": [{"http": {"paths": [{"backend": 7}]}}]},
        {"rules": [{"backendRefs": None}, {"backendRefs": [None, {"name": 5}]}]},
    ],
)
def test_malformed_publishers_publish_nothing_and_break_nothing(kind: str, spec: Json) -> None:
    api = {"Ingress": "networking.k8s.io/v1", "Route": "route.openshift.io/v1", "HTTPRoute": GATEWAY}[kind]
    assert web(SERVICE, route(kind, api, "app", spec)) == HIDDEN


def test_a_spec_nested_deeper_than_the_stack_is_searched_all_the_same() -> None:
    deep: Json = {"backendRefs": [{"name": "s"}]}
    for _ in range(sys.getrecursionlimit() + 1):
        deep = {"rules": [deep]}
    assert list(references(deep)) == [{"name": "s"}]


def test_a_published_load_balancer_is_both() -> None:
    open_to_all = service("s", "app", APP, HTTP, type="LoadBalancer")
    published = route("Route", "route.openshift.io/v1", "app", {"to": {"name": "s"}})
    assert web(open_to_all, published) == Exposure(direct=tcp(8080), masked=tcp(8080), routed=tcp(8080))


# Certainty -----------------------------------------------------------------------------------------------------------


def test_a_load_balancer_with_source_ranges_is_no_certain_way_in() -> None:
    balancer = service("s", "app", APP, HTTP, type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"])
    found = web(balancer)
    assert (found.direct, found.filtered) == (NONE, tcp(8080))
    assert list(found.split(tcp(8080, 9090), NONE)) == [
        (tcp(8080), "source-ranges", True),
        (tcp(9090), "", False),
    ]


def test_external_addresses_are_not_held_by_source_ranges() -> None:
    ranges = ["10.0.0.0/8"]
    both = service(
        "s", "app", APP, HTTP, type="LoadBalancer", loadBalancerSourceRanges=ranges, externalIPs=["192.0.2.1"]
    )
    assert web(both).direct == tcp(8080)


def test_a_routable_pod_network_says_nothing_of_nodes() -> None:
    assert list(Exposure(host=True).split(tcp(22), ALL)) == [(tcp(22), "host-network", True)]
    assert list(HIDDEN.split(tcp(22), ALL)) == [(tcp(22), "", True)]
    assert list(HIDDEN.split(tcp(22), None)) == [(tcp(22), "pod-network", True)]


def test_the_parts_of_traffic_from_outside_are_disjoint_and_whole() -> None:
    exposure = Exposure(direct=tcp(80, 81), filtered=tcp(81, 82))
    parts = [part for part, _, _ in exposure.split(tcp(80, 81, 82, 83), NONE)]
    assert parts == [tcp(80, 81), tcp(82), tcp(83)]


# Other routers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "api", "spec"),
    [
        ("VirtualService", "networking.istio.io/v1", {"http": [{"route": [{"destination": {"host": "s"}}]}]}),
        ("VirtualService", "networking.istio.io/v1", {"tcp": [{"route": [{"destination": {"host": "s.app.svc"}}]}]}),
        ("IngressRoute", "traefik.io/v1alpha1", {"routes": [{"services": [{"name": "s", "port": 80}]}]}),
        ("HTTPProxy", "projectcontour.io/v1", {"routes": [{"services": [{"name": "s", "port": 80}]}]}),
    ],
)
def test_a_service_that_a_foreign_router_names_may_be_published(kind: str, api: str, spec: Json) -> None:
    inner = service("s", "app", APP, HTTP)
    assert web(inner, route(kind, api, "app", spec)).routed == tcp(8080)
    assert web(inner, route(kind, api, "far", spec)).routed == (tcp(8080) if "s.app" in str(spec) else NONE)
