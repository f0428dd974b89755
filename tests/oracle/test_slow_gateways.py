"""The slow evaluator against docs/reachability.md section 5, the Gateway API, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.asking import PLACED, ask
from tests.oracle.routers import meets
from tests.oracle.test_slow_entering import DENY, on, service
from tests.oracle.world import OUT, WEB, pod, policy

Json = Any
INNER = service()
ZONE = {"matchLabels": {"team": "one"}}


# Gateway API ---------------------------------------------------------------------------------------------------------

GATEWAY = "gateway.networking.k8s.io"


def gateway(*listeners: Json, class_name: str = "istio", **more: Any) -> Json:
    base = {"name": "http", "port": 80, "protocol": "HTTP"}
    spec = {"gatewayClassName": class_name, "listeners": [base | one for one in listeners or ({},)]} | more
    metadata = {"name": "g", "namespace": "db"}
    return {"apiVersion": f"{GATEWAY}/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}


def attached(kind: str = "HTTPRoute", ns: str = "app", parent: Json = None, ref: Json = None, **spec: Any) -> Json:
    body = {
        "parentRefs": [{"name": "g", "namespace": "db"} | (parent or {})],
        "rules": [{"backendRefs": [{"name": "s", "port": 80} | (ref or {})]}],
    }
    metadata = {"name": "h", "namespace": ns}
    return {"apiVersion": f"{GATEWAY}/v1", "kind": kind, "metadata": metadata, "spec": body | spec}


PROXY = pod("proxy", "db", labels={f"{GATEWAY}/gateway-name": "g"})
FROM_DB = policy({"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "two"}}}]}]}, name="db")
ALL: Json = {"allowedRoutes": {"namespaces": {"from": "All"}}}


def by_gateway(*objects: Json, proxy: bool = True, **kwargs: Any) -> str:
    return on(INNER, *objects, FROM_DB, *([PROXY] if proxy else []), **kwargs)


def namespaces(**rule: Any) -> Json:
    return {"allowedRoutes": {"namespaces": rule}}


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        (ALL, "allowed"),
        ({}, "denied"),
        (namespaces(**{"from": "Same"}), "denied"),
        (namespaces(**{"from": "Selector", "selector": ZONE}), "allowed"),
        (namespaces(**{"from": "Selector", "selector": {"matchLabels": {"team": "two"}}}), "denied"),
        (namespaces(**{"from": "Selector"}), "unknown"),
        (namespaces(**{"from": "Friends"}), "unknown"),
        ({"allowedRoutes": ALL["allowedRoutes"] | {"kinds": [{"kind": "GRPCRoute"}]}}, "denied"),
        (ALL | {"protocol": "HTTPS"}, "allowed"),
        (ALL | {"protocol": "TLS"}, "denied"),
        (ALL | {"protocol": "example.com/quic"}, "unknown"),
        (ALL | {"hostname": "*.example.com"}, "allowed"),
        (ALL | {"hostname": "other.org"}, "denied"),
    ],
)
def test_which_listeners_take_a_route(listener: Json, expected: str) -> None:
    assert by_gateway(gateway(listener), attached(hostnames=["a.example.com"])) == expected


@pytest.mark.parametrize(
    ("name", "controls", "more", "expected"),
    [
        ("istio", None, {}, "allowed"),
        ("openshift-default", None, {}, "allowed"),
        ("c", None, {}, "unknown"),
        ("c", "istio.io/gateway-controller", {}, "allowed"),
        ("c", "openshift.io/gateway-controller/v1", {}, "allowed"),
        ("istio", "example.com/controller", {}, "unknown"),
        ("istio", None, {"addresses": [{"value": "192.0.2.1"}]}, "unknown"),
    ],
)
def test_whose_pods_carry_a_gateways_label(name: str, controls: str | None, more: Json, expected: str) -> None:
    api = {"apiVersion": f"{GATEWAY}/v1", "kind": "GatewayClass", "metadata": {"name": name}}
    classes = [api | {"spec": {"controllerName": controls}}] if controls else []
    assert by_gateway(gateway(ALL, class_name=name, **more), attached(), *classes) == expected


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ({"sectionName": "http"}, "allowed"),
        ({"sectionName": "other"}, "denied"),
        ({"port": 80}, "allowed"),
        ({"port": 81}, "denied"),
        ({"namespace": "app"}, "unknown"),
        ({"kind": "Service", "group": ""}, "denied"),
        ({"kind": "ListenerSet"}, "unknown"),
    ],
)
def test_what_a_route_wants_to_be_attached_to(parent: Json, expected: str) -> None:
    assert by_gateway(gateway(ALL), attached(parent=parent)) == expected


def test_a_gateway_without_pods_is_an_unknown_way() -> None:
    assert by_gateway(gateway(ALL), attached(), proxy=False) == "unknown"
    assert by_gateway(attached(parentRefs=[])) == "denied"
    assert by_gateway(attached(parentRefs=[], useDefaultGateways="All")) == "unknown"


@pytest.mark.parametrize(
    ("kind", "protocol", "asked", "expected"),
    [
        ("GRPCRoute", "HTTP", "TCP", "allowed"),
        ("TLSRoute", "TLS", "TCP", "allowed"),
        ("TCPRoute", "TLS", "TCP", "allowed"),
        ("TCPRoute", "TCP", "TCP", "allowed"),
        ("UDPRoute", "UDP", "TCP", "denied"),
        ("UDPRoute", "UDP", "UDP", "allowed"),
        ("HTTPRoute", "HTTP", "UDP", "denied"),
    ],
)
def test_kinds_and_protocols(kind: str, protocol: str, asked: str, expected: str) -> None:
    ports = [{"name": p, "port": 80, "targetPort": 8080, "protocol": p} for p in ("TCP", "UDP")]
    every = policy({"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "two"}}}]}]}, name="every")
    objects = [*PLACED, DENY, every, service(ports=ports), PROXY, gateway(ALL | {"protocol": protocol}), attached(kind)]
    assert ask(objects, OUT, WEB, 8080, asked) == expected


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({"port": 81}, "denied"),
        ({"weight": 0}, "denied"),
        ({"weight": 1}, "allowed"),
        ({"name": "none"}, "denied"),
        ({"kind": "Service", "group": ""}, "allowed"),
    ],
)
def test_backends(ref: Json, expected: str) -> None:
    assert by_gateway(gateway(ALL), attached(ref=ref)) == expected


def test_mirrors_are_backends() -> None:
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "s", "port": 80}}}
    assert by_gateway(gateway(ALL), attached(rules=[{"filters": [mirror]}])) == "allowed"


@pytest.mark.parametrize(
    ("source", "to", "expected"),
    [
        ({}, {}, "allowed"),
        ({"kind": "GRPCRoute"}, {}, "denied"),
        ({"namespace": "app"}, {}, "denied"),
        ({}, {"name": "s"}, "allowed"),
        ({}, {"name": "t"}, "denied"),
        ({}, {"kind": "Secret"}, "denied"),
    ],
)
def test_another_namespace_must_grant_it(source: Json, to: Json, expected: str) -> None:
    there = attached(ns="db", ref={"namespace": "app"})
    assert by_gateway(gateway(ALL), there) == "denied"
    spec = {
        "from": [{"group": GATEWAY, "kind": "HTTPRoute", "namespace": "db"} | source],
        "to": [{"group": "", "kind": "Service"} | to],
    }
    grant = {"apiVersion": f"{GATEWAY}/v1beta1", "kind": "ReferenceGrant", "spec": spec}
    assert by_gateway(gateway(ALL), there, grant | {"metadata": {"name": "x", "namespace": "app"}}) == expected
    assert by_gateway(gateway(ALL), there, grant | {"metadata": {"name": "x", "namespace": "db"}}) == "denied"


@pytest.mark.parametrize(
    ("listener", "name", "expected"),
    [
        (None, "a.b", True),
        ("a.b", "a.b", True),
        ("*.b", "a.b", True),
        ("*.b", "c.a.b", True),
        ("*.b", "b", False),
        ("a.b", "*.b", True),
        ("*.a.b", "*.b", True),
        ("*.c", "*.b", False),
        ("xb", "*.b", False),
    ],
)
def test_host_names(listener: str | None, name: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert meets(listener, name) is expected
