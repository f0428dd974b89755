"""Random Gateways, routes of the Gateway API and grants."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.draw_pods import pod
from tests.oracle.draws import NODES, SERVICE_PORTS, SERVICES, Draw, Json, Shape, chance, pick, selector, some

GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
GATEWAY = "gateway.networking.k8s.io"
ROUTERS = "openshift-ingress"


def router_pods(draw: Draw, shape: Shape, name: str, ns: str, given: Json) -> list[Json]:
    """One or two pods of a router."""
    made = [pod(draw, shape, f"{name}-{index}", ns, NODES) for index in some(draw, 2, 1)]
    for o in made:
        o["metadata"] = o["metadata"] | {"namespace": ns, "labels": (o["metadata"]["labels"] or {}) | given}
    return made


def gateways(draw: Draw, shape: Shape, names: Sequence[str]) -> list[Json]:
    """Gateways with their pods or without, routes, and grants."""
    found: list[Json] = []
    for name in ("g", "h"):
        if chance(draw, 70):
            ns = pick(draw, (*names, ROUTERS))
            found.append(gateway(draw, name, ns))
            if chance(draw, 70):
                found += router_pods(draw, shape, f"gw-{name}", ns, {GATEWAY_LABEL: name})
    if chance(draw, 30):
        found.append(gateway_class(draw, pick(draw, ("istio", "c"))))
    there = [o["metadata"] for o in found if o["kind"] == "Gateway"]
    found += [gateway_route(draw, f"x{i}", pick(draw, names), names, there) for i in some(draw, 3, 1)]
    found += [grant(draw, f"grant{i}", pick(draw, names), names) for i in some(draw, 2)]
    return found


def gateway_class(draw: Draw, name: str) -> Json:
    """A GatewayClass of a controller that deploys pods beside its Gateways, or of another one."""
    spec = {"controllerName": pick(draw, ("istio.io/gateway-controller", "example.com/controller"))}
    return {"apiVersion": f"{GATEWAY}/v1", "kind": "GatewayClass", "metadata": {"name": name}, "spec": spec}


HOSTS = ("a.example.com", "*.example.com", "*.a.example.com", "other.org")


def gateway(draw: Draw, name: str, ns: str) -> Json:
    """A Gateway with one or two listeners."""
    listeners = []
    for index, section in enumerate(("http", "other")[: len(some(draw, 2, 1))]):
        protocol = pick(draw, ("HTTP", "HTTP", "HTTP", "TLS", "TCP", "UDP", "example.com/quic"))
        listener: Json = {"name": section, "port": 80 + index, "protocol": protocol}
        if protocol in ("HTTP", "TLS") and chance(draw, 30):
            listener["hostname"] = pick(draw, HOSTS)
        allowed: Json = {}
        source = pick(draw, (None, "Same", "All", "Selector"))
        if source:
            allowed["namespaces"] = {"from": source}
        if source == "Selector":
            allowed["namespaces"]["selector"] = selector(draw, namespaces=True)
        if chance(draw, 15):
            allowed["kinds"] = [{"kind": pick(draw, ROUTE_KINDS)}]
        listeners.append(listener | ({"allowedRoutes": allowed} if allowed else {}))
    spec = {"gatewayClassName": pick(draw, ("openshift-default", "istio", "istio", "c")), "listeners": listeners}
    metadata = {"name": name, "namespace": ns}
    return {"apiVersion": f"{GATEWAY}/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}


ROUTE_KINDS = ("HTTPRoute", "HTTPRoute", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
ROUTE_APIS = {"HTTPRoute": "v1", "GRPCRoute": "v1", "TLSRoute": "v1", "TCPRoute": "v1alpha2", "UDPRoute": "v1alpha2"}


def gateway_route(draw: Draw, name: str, ns: str, names: Sequence[str], there: list[Json]) -> Json:
    """A route of the Gateway API."""
    kind = pick(draw, ROUTE_KINDS)
    parents: list[Json] = []
    for _ in some(draw, 2, 1):
        one = parent(draw, names, there)
        if one not in parents:
            parents.append(one)
    rules: list[Json] = [{"backendRefs": [backend_ref(draw, names) for _ in some(draw, 2, 1)]}]
    if kind == "HTTPRoute" and chance(draw, 12):
        mirror = {name: value for name, value in backend_ref(draw, names).items() if name != "weight"}
        rules.append({"filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": mirror}}]})
    spec: Json = {"parentRefs": parents, "rules": rules}
    if kind == "TLSRoute" or (kind in ("HTTPRoute", "GRPCRoute") and chance(draw, 30)):
        spec["hostnames"] = sorted({pick(draw, HOSTS) for _ in some(draw, 2, 1)})
    metadata = {"name": name, "namespace": ns}
    return {"apiVersion": f"{GATEWAY}/{ROUTE_APIS[kind]}", "kind": kind, "metadata": metadata, "spec": spec}


def parent(draw: Draw, names: Sequence[str], there: list[Json]) -> Json:
    """What a route wants to be attached to: as a rule one of the Gateways that are there."""
    found: Json = {"name": pick(draw, ("g", "h"))}
    if there and chance(draw, 80):
        chosen = pick(draw, there)
        found = {"name": chosen["name"], "namespace": chosen["namespace"]}
    elif chance(draw, 65):
        found["namespace"] = pick(draw, (*names, ROUTERS))
    if chance(draw, 20):
        found["sectionName"] = pick(draw, ("http", "other"))
    if chance(draw, 10):
        found["port"] = pick(draw, (80, 81))
    if chance(draw, 6):
        found |= pick(draw, ({"group": "", "kind": "Service"}, {"kind": "ListenerSet"}))
    return found


def backend_ref(draw: Draw, names: Sequence[str]) -> Json:
    """One backend of a route of the Gateway API."""
    found: Json = {"name": pick(draw, SERVICES), "port": pick(draw, SERVICE_PORTS)}
    if chance(draw, 40):
        found["namespace"] = pick(draw, names)
    if chance(draw, 25):
        found["weight"] = pick(draw, (0, 1))
    return found


def grant(draw: Draw, name: str, ns: str, names: Sequence[str]) -> Json:
    """A ReferenceGrant."""
    sources = [
        {"group": GATEWAY, "kind": pick(draw, ROUTE_KINDS), "namespace": pick(draw, names)} for _ in some(draw, 2, 1)
    ]
    target: Json = {"group": "", "kind": pick(draw, ("Service", "Service", "Secret"))}
    if chance(draw, 35):
        target["name"] = pick(draw, SERVICES)
    metadata = {"name": name, "namespace": ns}
    spec = {"from": sources, "to": [target]}
    return {"apiVersion": f"{GATEWAY}/v1beta1", "kind": "ReferenceGrant", "metadata": metadata, "spec": spec}
