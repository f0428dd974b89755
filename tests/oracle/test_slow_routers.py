"""The slow evaluator against docs/reachability.md section 5, shards and what they serve, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.asking import PLACED, ask
from tests.oracle.draw_networks import advertisement
from tests.oracle.routers import setting
from tests.oracle.terms import selector_matches
from tests.oracle.test_slow_entering import DENY, on, service
from tests.oracle.world import OUT, PG, WEB, namespace, pod, policy

Json = Any
SHARD = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
ROUTER = "openshift-ingress/Pod/router"
FROM_ROUTERS = policy(
    {
        "ingress": [
            {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-ingress"}}}]}
        ]
    },
    name="routers",
)


# Routers -------------------------------------------------------------------------------------------------------------


def route(ns: str = "app", labels: Json = None, name: str = "r", **spec: Any) -> Json:
    body = {"host": "a.example.com", "to": {"kind": "Service", "name": "s"}} | spec
    metadata = {"name": name, "namespace": ns, "labels": labels or {}}
    return {"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": metadata, "spec": body}


def controller(name: str = "x", ns: str = "openshift-ingress-operator", status: Json = None, **spec: Any) -> Json:
    metadata = {"name": name, "namespace": ns}
    made = {"apiVersion": "operator.openshift.io/v1", "kind": "IngressController", "metadata": metadata, "spec": spec}
    return made | ({"status": status} if status else {})


def router(shard: str = "x", **spec: Any) -> Json:
    return pod("router", "openshift-ingress", labels={SHARD: shard}, **spec)


INNER = service()
ZONE = {"matchLabels": {"team": "one"}}
SERVED = [INNER, route(), controller(), router()]


def test_policies_judge_the_router_pod() -> None:
    assert on(*SERVED) == "denied"
    assert on(*SERVED, FROM_ROUTERS) == "allowed"
    assert [on(*SERVED, FROM_ROUTERS, port=n, protocol=p) for n, p in ((80, "TCP"), (8080, "UDP"))] == ["denied"] * 2
    assert on(*SERVED, FROM_ROUTERS, source=PG) == "denied", "a pod is no outside client"
    doubtful = {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"who": "knows"}}}]}]}
    assert on(*SERVED, policy(doubtful, name="doubt")) == "unknown", (
        "the labels of the routers' namespace are not known"
    )


def test_policies_of_the_router_pods_judge_the_client() -> None:
    far = {"policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "198.51.100.0/24"}}]}]}
    near = {"policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]}
    served = [*SERVED, FROM_ROUTERS]
    assert on(*served, policy(near, "openshift-ingress", "guard")) == "allowed"
    assert on(*served, policy(far, "openshift-ingress", "guard")) == "denied"
    front = service({"port": 80}, "front", "openshift-ingress", selector={SHARD: "x"}, type="LoadBalancer")
    assert on(*served, policy(far, "openshift-ingress", "guard"), front) == "unknown", "it may see a node's address"
    front["spec"]["externalTrafficPolicy"] = "Local"
    assert on(*served, policy(far, "openshift-ingress", "guard"), front) == "denied"


def test_a_router_that_another_leads_to_by_a_list_may_have_any_client() -> None:
    far = {"policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "198.51.100.0/24"}}]}]}
    served = [*SERVED, FROM_ROUTERS, policy(far, "openshift-ingress", "guard")]
    labels = {"kubernetes.io/service-name": "front"}
    metadata = {"name": "front-1", "namespace": "openshift-ingress", "labels": labels}
    listed = {"endpoints": [{"addresses": ["10.0.5.1"]}], "ports": [{"port": 80, "name": "x"}], "metadata": metadata}
    front = service({"port": 80, "name": "http"}, "front", "openshift-ingress", selector=None)
    more = [front, {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", **listed}]
    placed = [one for one in served if one["kind"] != "Pod"] + [router(ip="10.0.5.1")]
    assert on(*placed, *more) == "denied"
    chained = route("openshift-ingress", name="chain", to={"kind": "Service", "name": "front"})
    assert on(*placed, *more, chained) == "unknown"


def test_without_router_pods_or_shards_it_is_possible() -> None:
    assert on(INNER, route(), controller()) == "unknown"
    assert on(INNER, route()) == "unknown"
    assert on(INNER, route(), controller(ns="elsewhere"), FROM_ROUTERS, router("y")) == "unknown", "a stray router"


@pytest.mark.parametrize(
    ("spec", "labels", "expected"),
    [
        ({"namespaceSelector": ZONE}, {}, "allowed"),
        ({"namespaceSelector": {"matchLabels": {"team": "two"}}}, {}, "denied"),
        ({"routeSelector": {"matchLabels": {"type": "x"}}}, {"type": "x"}, "allowed"),
        ({"routeSelector": {"matchLabels": {"type": "x"}}}, {}, "denied"),
        ({"namespaceSelector": ZONE, "routeSelector": {"matchLabels": {"type": "x"}}}, {}, "denied"),
        ({"namespaceSelector": {}, "routeSelector": {}}, {}, "allowed"),
        ({"namespaceSelector": {"fields": {}}}, {}, "unknown"),
    ],
)
def test_which_shard_serves_a_route(spec: Json, labels: Json, expected: str) -> None:
    forged = route(labels=labels) | {"status": {"ingress": [{"routerName": "x", "conditions": []}]}}
    assert on(INNER, forged, controller(**spec), router(), FROM_ROUTERS) == expected


def test_the_status_of_a_controller_fills_its_spec() -> None:
    narrow = controller(status={"namespaceSelector": {"matchLabels": {"team": "two"}}})
    assert on(INNER, route(), narrow, router(), FROM_ROUTERS) == "denied"


def test_a_namespace_that_was_not_read_may_be_served() -> None:
    objects = [*[o for o in PLACED if o["kind"] != "Namespace"], DENY, INNER, route()]
    objects += [controller(namespaceSelector=ZONE), router(), FROM_ROUTERS]
    assert ask(objects, OUT, WEB, 8080) == "unknown"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"to": {"kind": "Service", "name": "s", "weight": 0}}, "denied"),
        ({"to": {"kind": "Service", "name": "none"}}, "denied"),
        (
            {"to": {"kind": "Service", "name": "none"}, "alternateBackends": [{"kind": "Service", "name": "s"}]},
            "allowed",
        ),
        ({"to": {"kind": "Bucket", "name": "s"}}, "unknown"),
        ({"port": {"targetPort": 8080}}, "allowed"),
        ({"port": {"targetPort": "8080"}}, "allowed"),
        ({"port": {"targetPort": "http"}}, "allowed"),
        ({"port": {"targetPort": 80}}, "denied"),
        ({"port": {"targetPort": "https"}}, "denied"),
        ({"wildcardPolicy": "Subdomain"}, "unknown"),
        ({"wildcardPolicy": "None"}, "allowed"),
    ],
)
def test_what_a_route_publishes(spec: Json, expected: str) -> None:
    named = service({"name": "http", "port": 80, "targetPort": 8080})
    assert on(named, route(**spec), controller(), router(), FROM_ROUTERS) == expected


def test_a_route_publishes_its_own_namespace_and_tcp_only() -> None:
    assert on(INNER, route("db"), controller(), router(), FROM_ROUTERS) == "denied"
    udp = service({"port": 8080, "protocol": "UDP"})
    assert on(udp, route(), controller(), router(), FROM_ROUTERS, protocol="UDP") == "denied"


def deployed(env: Json, kind: str = "DeploymentConfig", ns: str = "default", **labels: str) -> Json:
    spec = {"containers": [{"name": "router", "env": env}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    api = "apps.openshift.io/v1" if kind == "DeploymentConfig" else "apps/v1"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "r", "namespace": ns}, "spec": {"template": template}}


FROM_DEFAULT = policy(
    {"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}]}]},
    name="default",
)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ([{"name": "ROUTER_SERVICE_NAME", "value": "r"}], "allowed"),
        ([{"name": "NAMESPACE_LABELS", "value": "team=one"}], "allowed"),
        ([{"name": "PROJECT_LABELS", "value": "team!=one"}], "denied"),
        ([{"name": "ROUTE_LABELS", "value": "type in (x,y)"}], "denied"),
        ([{"name": "ROUTE_LABELS", "value": "!type"}], "allowed"),
        ([{"name": "NAMESPACE_LABELS", "value": ""}], "allowed"),
        ([{"name": "NAMESPACE_LABELS", "valueFrom": {}}], "unknown"),
        ([{"name": "NAMESPACE_LABELS", "value": ""}, {"name": "PROJECT_LABELS", "value": ""}], "unknown"),
        ([{"name": "ROUTER_DENIED_DOMAINS", "value": "example.com"}], "unknown"),
    ],
)
@pytest.mark.parametrize("kind", ["DeploymentConfig", "Deployment"])
def test_routers_by_their_environment(env: Json, expected: str, kind: str) -> None:
    assert on(INNER, route(), deployed(env, kind), FROM_DEFAULT) == expected


def test_other_workloads_are_no_routers() -> None:
    assert (
        on(INNER, route(), controller(), router(), deployed([{"name": "HOME", "value": "/"}]), FROM_DEFAULT) == "denied"
    )


def test_a_shard_serves_what_its_deployment_says() -> None:
    env = [{"name": "NAMESPACE_LABELS", "value": "team=two"}]
    made = deployed(env, "Deployment", "openshift-ingress", **{SHARD: "x"})
    assert on(INNER, route(), controller(), made, FROM_ROUTERS) == "denied"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("team=two", "team=two", "denied"),
        ("team=one", "team=one", "allowed"),
        ("team=one", "team==one", "allowed"),
        ("team=one", "team=two", "unknown"),
        ("team=two", None, "unknown"),
        (None, None, "allowed"),
    ],
)
def test_what_running_pods_are_told(first: str | None, second: str | None, expected: str) -> None:
    """Pods of one workload whose template was not read, with the IngressController in the input."""
    assert on(INNER, route(), controller(), *running(first, second, **{SHARD: "x"}), FROM_ROUTERS) == expected


@pytest.mark.parametrize(
    ("template", "first", "second", "expected"),
    [
        ("team=two", None, None, "denied"),
        ("team=two", "team=two", None, "denied"),
        ("team=two", "team=one", "team=one", "unknown"),
        ("team=one", "team=one", "team=two", "unknown"),
    ],
)
@pytest.mark.parametrize("labels", [{SHARD: "x"}, {}])
def test_what_templates_and_their_pods_are_told(
    template: str, first: str | None, second: str | None, expected: str, labels: Json
) -> None:
    env = [{"name": "NAMESPACE_LABELS", "value": template}]
    made = deployed(env, "ReplicaSet", "openshift-ingress", **labels)
    made["metadata"]["name"] = "router-1"
    other = controller(namespaceSelector={"matchLabels": {"team": "two"}})
    found = running(first, second, **labels)
    assert on(INNER, route(), other, made, *found, FROM_ROUTERS) == expected


def running(*texts: str | None, **labels: str) -> list[Json]:
    """Pods of one ReplicaSet with `NAMESPACE_LABELS`, or without any environment."""
    made = []
    for number, text in enumerate(texts):
        env = [] if text is None else [{"name": "NAMESPACE_LABELS", "value": text}]
        one = pod(f"router-{number}", "openshift-ingress", labels=labels, containers=[{"name": "c", "env": env}])
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "router-1", "controller": True}
        one["metadata"]["ownerReferences"] = [owner]
        made.append(one)
    return made


def test_pods_of_a_shard_that_was_not_read_serve_what_they_are_told() -> None:
    made = running("team=two", "team=two", **{SHARD: "x"})
    assert on(INNER, route(), *made, FROM_ROUTERS) == "denied"
    assert on(INNER, route(), *made, router("y"), FROM_ROUTERS) == "unknown", "a shard of its own"


def test_a_running_pod_with_the_environment_is_a_router() -> None:
    env = [{"name": "ROUTER_SERVICE_NAME", "value": "r"}]
    alone = pod("proxy", "default", containers=[{"name": "c", "env": env}])
    assert on(INNER, route(), alone, FROM_DEFAULT) == "allowed"


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("a=b, c in (d, e),!f", {"a": "b", "c": "e"}, True),
        ("a=b, c in (d, e),!f", {"a": "b", "c": "e", "f": ""}, False),
        ("a==b,c notin (d),g", {"a": "b", "g": ""}, True),
        ("a!=b", {}, True),
        ("", {}, True),
    ],
)
def test_selectors_as_text(text: str, labels: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a table
    assert bool(selector_matches(setting({"ROUTE_LABELS": text}, ("ROUTE_LABELS",)), labels)) is expected


def test_routers_on_the_host_network() -> None:
    near = router(hostNetwork=True, nodeName="n5")
    far = router(hostNetwork=True, nodeName="n6", hostIP="10.9.0.6")
    assert [on(INNER, route(), controller(), one) for one in (near, far)] == ["allowed", "denied"]
    block = policy({"ingress": [{"from": [{"ipBlock": {"cidr": "10.9.0.6/32"}}]}]}, name="node")
    assert on(INNER, route(), controller(), far, block) == "allowed"


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        (None, "unknown"),
        ({"type": "ClusterIP"}, "unknown"),
        ({"type": "LoadBalancer"}, "allowed"),
        ({"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]}, "unknown"),
    ],
)
def test_private_routers(front: Json, expected: str) -> None:
    private = controller(endpointPublishingStrategy={"type": "Private"})
    before = [] if front is None else [service(name="front", ns="openshift-ingress", selector={SHARD: "x"}, **front)]
    assert on(INNER, route(), private, router(), FROM_ROUTERS, *before) == expected


def test_routers_reach_pods_of_other_primary_networks_possibly() -> None:
    spec = {"topology": "Layer2", "layer2": {"role": "Primary"}}
    metadata = {"name": "n", "namespace": "app"}
    own = {"apiVersion": "k8s.ovn.org/v1", "kind": "UserDefinedNetwork", "metadata": metadata, "spec": spec}
    labelled = namespace("app", team="one", **{"k8s.ovn.org/primary-user-defined-network": ""})
    objects = [
        labelled,
        *[o for o in PLACED if o["metadata"]["name"] != "app"],
        DENY,
        own,
        namespace("openshift-ingress"),
    ]
    assert ask([*objects, *SERVED, FROM_ROUTERS], OUT, WEB, 8080) == "unknown"
    assert ask([*objects, *SERVED, FROM_ROUTERS], ROUTER, WEB, 8080) == "unknown"
    assert ask([*objects, *SERVED], OUT, WEB, 8080) == "denied"


def test_advertised_routes_do_not_doubt_routers() -> None:
    assert on(*SERVED, FROM_ROUTERS, advertisement()) == "allowed"


# Ingress -------------------------------------------------------------------------------------------------------------

VERSION: Json = {"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "metadata": {"name": "version"}}
NEVER = controller(routeSelector={"matchLabels": {"never": "x"}})


def ingress(port: Json = None, rule_host: str | None = "a.example.com", notes: Json = None, **spec: Any) -> Json:
    backend = {"service": {"name": "s", "port": port or {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/", "backend": backend}]}} | ({"host": rule_host} if rule_host else {})
    metadata = {"name": "i", "namespace": "app", "annotations": notes or {}}
    body = {"rules": [rule]} | spec
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": body}


def ingress_class(name: str, controls: str, notes: Json = None) -> Json:
    metadata = {"name": name, "annotations": notes or {}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": metadata,
        "spec": {"controller": controls},
    }


DEFAULT = {"ingressclass.kubernetes.io/is-default-class": "true"}
OURS = "openshift.io/ingress-to-route"


def test_elsewhere_an_unknown_controller_serves_it() -> None:
    assert on(INNER, ingress()) == "unknown"
    assert on(INNER, ingress(port={"number": 81})) == "denied"
    assert on(INNER, ingress(rules=[], defaultBackend={"service": {"name": "s", "port": {"number": 80}}})) == "unknown"
    assert on(service({"name": "web", "port": 80, "targetPort": 8080}), ingress(port={"name": "web"})) == "unknown"
    old = [{"http": {"paths": [{"backend": {"serviceName": "s", "servicePort": 80}}]}}]
    assert on(INNER, ingress(rules=old) | {"apiVersion": "extensions/v1beta1"}) == "unknown"


@pytest.mark.parametrize(
    ("one", "more", "expected"),
    [
        (ingress(), [], "denied"),
        (ingress(ingressClassName="openshift-x"), [], "denied"),
        (ingress(ingressClassName="nginx"), [], "unknown"),
        (ingress(ingressClassName="nginx"), [ingress_class("nginx", OURS)], "denied"),
        (ingress(notes={"kubernetes.io/ingress.class": "nginx"}), [], "unknown"),
        (ingress(), [ingress_class("nginx", "k8s.io/ingress-nginx", DEFAULT)], "unknown"),
        (ingress(), [ingress_class("nginx", "k8s.io/ingress-nginx")], "denied"),
    ],
)
def test_on_openshift_shards_serve_what_is_theirs(one: Json, more: list[Json], expected: str) -> None:
    assert on(INNER, one, VERSION, NEVER, router(), FROM_ROUTERS, *more) == expected


def test_an_ingress_of_openshift_is_served_like_its_routes() -> None:
    shards = [VERSION, controller(), router(), FROM_ROUTERS]
    assert on(INNER, ingress(), *shards) == "allowed"
    assert on(INNER, ingress(rule_host=None), *shards) == "unknown"
    made = route(to={"kind": "Service", "name": "none"})
    made["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Ingress", "name": "i", "controller": True}]
    assert on(INNER, ingress(), made, *shards) == "denied", "that Route speaks for it"
    assert on(INNER, ingress(), VERSION) == "unknown", "no router is in the input"


def test_routes_of_a_mesh() -> None:
    spec = {"http": [{"route": [{"destination": {"host": "s.app.svc"}}]}]}
    metadata = {"name": "v", "namespace": "db"}
    one = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": spec}
    assert [on(INNER, one), on(INNER, one, port=80)] == ["unknown", "denied"]
