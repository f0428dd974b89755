"""The slow evaluator against every row of docs/reachability.md section 5, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.asking import PLACED, ask
from tests.oracle.world import API, OUT, PG, WEB, container, host, pod, policy

Json = Any
DENY = policy({"podSelector": {}})
SEALED = policy({"podSelector": {}, "policyTypes": ["Egress"]}, "db")


def service(port: Json = None, name: str = "s", ns: str = "app", **spec: Any) -> Json:
    """A Service before `web`, unless told otherwise."""
    body = {"selector": {"tier": "web"}, "ports": [port or {"port": 80, "targetPort": 8080}]} | spec
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": ns}, "spec": body}


def on(*objects: Json, source: str = OUT, target: str = WEB, port: int = 8080, **kwargs: Any) -> str:
    """To `web`, which no policy lets anybody in to."""
    return ask([*PLACED, DENY, *objects], source, target, port, **kwargs)


# Services and host ports ---------------------------------------------------------------------------------------------

NODE_PORT = service(type="NodePort")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, "denied"),
        ({"type": "ClusterIP"}, "denied"),
        ({"type": "NodePort"}, "unknown"),
        ({"type": "LoadBalancer"}, "unknown"),
        ({"externalIPs": ["192.0.2.9"]}, "unknown"),
        ({"externalIPs": []}, "denied"),
        ({"type": "ExternalName", "externalIPs": ["192.0.2.9"]}, "denied"),
        ({"type": "NodePort", "externalTrafficPolicy": "Local"}, "denied"),
        ({"type": "LoadBalancer", "externalTrafficPolicy": "Cluster"}, "unknown"),
        ({"type": "NodePort", "selector": {"tier": "api"}}, "denied"),
        ({"type": "NodePort", "selector": {"tier": "web", "no": "pod"}}, "denied"),
    ],
)
def test_which_services_lead_in(spec: Json, expected: str) -> None:
    assert on(service(**spec)) == expected


def test_policies_do_not_decide_what_comes_by_a_node() -> None:
    assert [on(NODE_PORT, source=s) for s in (OUT, "2001:db8::1", PG)] == ["unknown"] * 3
    assert [on(NODE_PORT, port=n, protocol=p) for n, p in ((80, "TCP"), (8080, "UDP"))] == ["denied"] * 2
    assert ask([*PLACED, NODE_PORT], OUT, WEB, 8080) == "allowed"


@pytest.mark.parametrize(
    ("port", "asked", "expected"),
    [
        ({"port": 8080}, (8080, "TCP"), "unknown"),
        ({"port": 80, "targetPort": 0}, (80, "TCP"), "unknown"),
        ({"port": 80, "targetPort": "sql"}, (5432, "TCP"), "unknown"),
        ({"port": 80, "targetPort": "sql", "protocol": "UDP"}, (5432, "UDP"), "denied"),
        ({"port": 80, "targetPort": "none"}, (80, "TCP"), "denied"),
        ({"port": 53, "protocol": "UDP"}, (53, "UDP"), "unknown"),
    ],
)
def test_the_port_at_the_pod(port: Json, asked: tuple[int, str], expected: str) -> None:
    objects = [
        *PLACED,
        policy({"podSelector": {}}, "db"),
        service(port, ns="db", selector={"tier": "db"}, type="NodePort"),
    ]
    assert ask(objects, OUT, PG, *asked) == expected


def test_who_may_come_back_in() -> None:
    inside = policy({"policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}]}]}, "db")
    some = {
        "policyTypes": ["Egress"],
        "egress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 1}]}],
    }
    assert [on(NODE_PORT, one, source=PG) for one in (inside, SEALED, policy(some, "db"))] == [
        "denied",
        "denied",
        "unknown",
    ]
    assert on(NODE_PORT, SEALED, host("agent", "n1"), source="app/Pod/agent") == "unknown"
    attached = pod("vlan", "db")
    attached["metadata"]["annotations"] = {"k8s.v1.cni.cncf.io/networks": "vlan"}
    assert on(NODE_PORT, SEALED, attached, source="db/Pod/vlan") == "unknown"


def test_a_firewall_keeps_pods_from_coming_back() -> None:
    rules = [{"type": "Deny", "to": {"cidrSelector": text}} for text in ("0.0.0.0/0", "::/0")]
    metadata = {"name": "default", "namespace": "db"}
    one = {"apiVersion": "k8s.ovn.org/v1", "kind": "EgressFirewall", "metadata": metadata, "spec": {"egress": rules}}
    assert on(NODE_PORT, one, source=PG) == "denied"


def test_host_ports() -> None:
    ports = {"name": "c", "ports": [{"containerPort": 8080, "hostPort": 80}, {"containerPort": 9090}]}
    objects = [*PLACED, pod("edge", containers=[ports]), DENY]
    assert [ask(objects, OUT, "app/Pod/edge", n) for n in (8080, 80, 9090)] == ["unknown", "denied", "denied"]


def listed(form: str, *addresses: str, port: int = 8080, name: str | None = None) -> Json:
    """The addresses behind Service `s`."""
    ports = [{"port": port} | ({"name": name} if name else {})]
    if form == "Endpoints":
        subsets = [{"addresses": [{"ip": text} for text in addresses], "ports": ports}]
        return {"apiVersion": "v1", "kind": form, "metadata": {"name": "s", "namespace": "app"}, "subsets": subsets}
    labels = {"kubernetes.io/service-name": "s"}
    metadata = {"name": "s-1", "namespace": "app", "labels": labels}
    ends = [{"addresses": [text]} for text in addresses]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": form, "metadata": metadata, "endpoints": ends, "ports": ports}


BARE = service(type="NodePort", selector=None)


def test_without_selector_or_list_any_pod_of_the_namespace_may_be_meant() -> None:
    assert [on(BARE), on(BARE, target=API), on(BARE, policy({}, "db"), target=PG)] == ["unknown", "unknown", "denied"]


@pytest.mark.parametrize("form", ["Endpoints", "EndpointSlice"])
def test_lists_of_addresses(form: str) -> None:
    closed = policy({}, "db")
    assert [on(BARE, closed, listed(form, "10.0.1.1"), target=t) for t in (PG, WEB)] == ["unknown", "denied"]
    assert on(BARE, closed, listed(form, "10.0.1.1", name="x"), target=PG) == "denied", "no port of that name"
    strange = [listed(form, "10.7.7.7"), pod("new")]
    assert [on(BARE, *strange, target=t) for t in ("app/Pod/new", WEB)] == ["unknown", "denied"]
    local = service(type="NodePort", selector=None, externalTrafficPolicy="Local")
    assert on(local, listed(form, "10.0.0.1")) == "unknown", "lists keep no client's address"


def test_a_slice_adds_to_what_the_selector_finds() -> None:
    assert on(NODE_PORT, policy({}, "db"), listed("EndpointSlice", "10.0.0.1", "10.0.1.1"), target=PG) == "unknown"
    assert on(NODE_PORT, policy({}, "db"), listed("Endpoints", "10.0.1.1"), target=PG) == "denied"


def test_routers_go_to_what_a_slice_adds_under_any_name() -> None:
    more = [policy({}, "db"), listed("EndpointSlice", "10.0.1.1", "10.7.7.7", name="x"), pod("new", "db")]
    destination = {"host": "s.app.svc.cluster.local"}
    spec = {"http": [{"route": [{"destination": destination}]}]}
    metadata = {"name": "v", "namespace": "app"}
    mesh = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": spec}
    assert [on(service(), mesh, *more, target=t) for t in (PG, "db/Pod/new")] == ["unknown", "denied"]
    assert on(service(), *more, target=PG) == "denied"


def test_an_unmodelled_port_list_is_nobodys() -> None:
    assert on(service(ports=[], type="NodePort")) == "denied"
    assert on(NODE_PORT, pod("w2", labels={"tier": "web"}, containers=[container(("x", "TCP", 1))]), port=1) == "denied"
