"""Random Services, host ports, routers and what they publish."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.draw_pods import pod
from tests.oracle.draws import NODES, PORT_NAMES, PORTS, Draw, Json, Shape, chance, labels, pick, selector, some

OPERATOR, ROUTERS = "openshift-ingress-operator", "openshift-ingress"
ROUTER_LABEL = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
GATEWAY = "gateway.networking.k8s.io"
SERVICES = ("s", "t")
SHARDS = ("default", "zone-a")
STRINGS = (
    "",
    "zone=a",
    "zone==b",
    "zone!=a",
    "zone in (a,b)",
    "app notin (a, b),zone",
    "!zone",
    "app,!example.com/Zone",
)


def entering(draw: Draw, shape: Shape, objects: list[Json], names: Sequence[str]) -> list[Json]:
    """Ways into these namespaces; some containers among the objects get a host port."""
    if not shape.entering:
        return []
    host_ports(draw, objects)
    found = [service(draw, name, ns) for ns in names for name in SERVICES if chance(draw, 75)]
    form = pick(draw, ("none", "routes", "routes", "ingress", "gateway", "all"))
    if form in ("routes", "ingress", "all") and chance(draw, 85):
        found += shards(draw, shape)
    if form in ("routes", "all"):
        found += [route(draw, f"r{i}", pick(draw, names)) for i in some(draw, 3, 1)]
    if form in ("ingress", "all"):
        found += [ingress(draw, f"i{i}", pick(draw, names)) for i in some(draw, 2, 1)]
        found += [ingress_class(name) for name in CLASSES if chance(draw, 50)]
    if form in ("gateway", "all"):
        found += gateways(draw, shape, names)
    return found


# Services and host ports ---------------------------------------------------------------------------------------------


def host_ports(draw: Draw, objects: list[Json]) -> None:
    """Has nodes forward to some containers of pods off the host network."""
    for o in objects:
        if o["kind"] == "Pod" and not o["spec"].get("hostNetwork") and chance(draw, 12):
            for port in o["spec"]["containers"][0]["ports"]:
                port["hostPort"] = pick(draw, (8080, 443))
                break


def service(draw: Draw, name: str, ns: str) -> Json:
    """A Service of any type."""
    spec: Json = {"ports": service_ports(draw)}
    if chance(draw, 90):
        spec["selector"] = labels(draw) or {"zone": "a"}
    kind = pick(draw, (None, "ClusterIP", "NodePort", "LoadBalancer", "ClusterIP", "ExternalName"))
    if kind:
        spec["type"] = kind
    if kind == "ExternalName":
        spec |= {"externalName": "example.com"}
    if kind in ("NodePort", "LoadBalancer") and chance(draw, 50):
        spec["externalTrafficPolicy"] = pick(draw, ("Local", "Cluster"))
    if kind == "LoadBalancer" and chance(draw, 30):
        spec["loadBalancerSourceRanges"] = ["10.0.0.0/8"]
    if kind != "ExternalName" and chance(draw, 10):
        spec["externalIPs"] = ["192.0.2.1"]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": ns}, "spec": spec}


def service_ports(draw: Draw) -> list[Json]:
    """One or two ports, with names as soon as there are two."""
    found: list[Json] = []
    for name in ("http", "dns")[: len(some(draw, 2, 1))]:
        port: Json = {"port": pick(draw, PORTS)}
        form = pick(draw, ("number", "name", "none"))
        if form != "none":
            port["targetPort"] = pick(draw, PORTS if form == "number" else PORT_NAMES)
        if chance(draw, 25):
            port["protocol"] = pick(draw, ("TCP", "UDP"))
        found.append(port | {"name": name})
    if len(found) == 1 and chance(draw, 50):
        del found[0]["name"]
    return found


# Routers -------------------------------------------------------------------------------------------------------------


def shards(draw: Draw, shape: Shape) -> list[Json]:
    """IngressControllers and routers by environment, with pods or without."""
    found: list[Json] = []
    for name in SHARDS:
        if chance(draw, 55):
            found.append(controller(draw, name))
            if chance(draw, 75):
                found += router_pods(draw, shape, f"router-{name}", ROUTERS, {ROUTER_LABEL: name})
    if chance(draw, 35):
        found.append(old_router(draw))
    return found


def controller(draw: Draw, name: str) -> Json:
    """An IngressController."""
    spec: Json = {}
    if chance(draw, 55):
        spec["namespaceSelector"] = selector(draw, namespaces=True)
    if chance(draw, 45):
        spec["routeSelector"] = selector(draw)
    metadata = {"name": name, "namespace": OPERATOR}
    made = {"apiVersion": "operator.openshift.io/v1", "kind": "IngressController", "metadata": metadata, "spec": spec}
    if chance(draw, 40):
        made["status"] = {k: v for k, v in spec.items() if k.endswith("Selector")} | {"availableReplicas": 2}
    return made


def router_pods(draw: Draw, shape: Shape, name: str, ns: str, given: Json) -> list[Json]:
    """One or two pods of a router."""
    made = [pod(draw, shape, f"{name}-{index}", ns, NODES) for index in some(draw, 2, 1)]
    for o in made:
        o["metadata"] = o["metadata"] | {"namespace": ns, "labels": (o["metadata"]["labels"] or {}) | given}
    return made


def old_router(draw: Draw) -> Json:
    """A router that its environment tells."""
    env = [{"name": "ROUTER_SERVICE_NAME", "value": "r"}]
    if chance(draw, 80):
        name = pick(draw, ("NAMESPACE_LABELS", "PROJECT_LABELS"))
        env.append({"name": name, "value": pick(draw, STRINGS)})
    if chance(draw, 60) or len(env) == 1:
        env.append({"name": "ROUTE_LABELS", "value": pick(draw, STRINGS)})
    spec: Json = {"containers": [{"name": "router", "image": "ose-haproxy-router", "env": env}]}
    if chance(draw, 40):
        spec["hostNetwork"] = True
    template = {"metadata": {"labels": labels(draw)}, "spec": spec}
    api, kind = pick(draw, (("apps.openshift.io/v1", "DeploymentConfig"), ("apps/v1", "Deployment")))
    metadata = {"name": "router", "namespace": pick(draw, ("default", "a"))}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": {"template": template}}


# What they publish ---------------------------------------------------------------------------------------------------


def route(draw: Draw, name: str, ns: str) -> Json:
    """A Route, sometimes with more backends, a port, or a status that nothing should trust."""
    spec: Json = {"host": f"{name}.example.com", "to": backend(draw)}
    if chance(draw, 30):
        spec["alternateBackends"] = [backend(draw)]
    if chance(draw, 45):
        spec["port"] = {"targetPort": pick(draw, (*PORT_NAMES, *PORTS))}
    metadata = {"name": name, "namespace": ns, "labels": labels(draw)}
    made = {"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": metadata, "spec": spec}
    if chance(draw, 40):
        admitted = [{"type": "Admitted", "status": pick(draw, ("True", "False"))}]
        made["status"] = {"ingress": [{"routerName": pick(draw, SHARDS), "conditions": admitted}]}
    return made


def backend(draw: Draw) -> Json:
    """One backend of a Route."""
    found: Json = {"kind": "Service", "name": pick(draw, SERVICES)}
    if chance(draw, 40):
        found["weight"] = pick(draw, (0, 1, 100))
    return found


CLASSES = {"openshift-default": "openshift.io/ingress-to-route", "nginx": "k8s.io/ingress-nginx"}


def ingress_class(name: str) -> Json:
    """An IngressClass."""
    api = "networking.k8s.io/v1"
    return {
        "apiVersion": api,
        "kind": "IngressClass",
        "metadata": {"name": name},
        "spec": {"controller": CLASSES[name]},
    }


def ingress(draw: Draw, name: str, ns: str) -> Json:
    """An Ingress, current or legacy."""
    old = chance(draw, 20)
    rules: list[Json] = []
    for _ in some(draw, 2, 1):
        path = {"path": "/", "backend": ingress_backend(draw, old=old)} | ({} if old else {"pathType": "Prefix"})
        host = {"host": "a.example.com"} if chance(draw, 85) else {}
        rules.append(host | {"http": {"paths": [path]}})
    spec: Json = {"rules": rules}
    if chance(draw, 15):
        spec["backend" if old else "defaultBackend"] = ingress_backend(draw, old=old)
    if chance(draw, 45) and not old:
        spec["ingressClassName"] = pick(draw, tuple(CLASSES))
    metadata = {"name": name, "namespace": ns, "labels": labels(draw)}
    api = "extensions/v1beta1" if old else "networking.k8s.io/v1"
    return {"apiVersion": api, "kind": "Ingress", "metadata": metadata, "spec": spec}


def ingress_backend(draw: Draw, *, old: bool) -> Json:
    """A backend of an Ingress: one port of a Service by name or number."""
    port = pick(draw, ("http", "dns", 80, 443, 1))
    name = pick(draw, SERVICES)
    if old:
        return {"serviceName": name, "servicePort": port}
    return {"service": {"name": name, "port": {"number": port} if isinstance(port, int) else {"name": port}}}


# Gateway API ---------------------------------------------------------------------------------------------------------


def gateways(draw: Draw, shape: Shape, names: Sequence[str]) -> list[Json]:
    """Gateways with their pods or without, routes, and grants."""
    found: list[Json] = []
    for name in ("g", "h"):
        if chance(draw, 70):
            ns = pick(draw, (*names, ROUTERS))
            found.append(gateway(draw, name, ns))
            if chance(draw, 70):
                found += router_pods(draw, shape, f"gw-{name}", ns, {GATEWAY_LABEL: name})
    found += [gateway_route(draw, f"x{i}", pick(draw, names), names) for i in some(draw, 3, 1)]
    found += [grant(draw, f"grant{i}", pick(draw, names), names) for i in some(draw, 2)]
    return found


def gateway(draw: Draw, name: str, ns: str) -> Json:
    """A Gateway with one or two listeners."""
    listeners = []
    for index, section in enumerate(("http", "other")[: len(some(draw, 2, 1))]):
        listener: Json = {"name": section, "port": 80 + index, "protocol": "HTTP"}
        source = pick(draw, (None, "Same", "All", "Selector"))
        if source:
            listener["allowedRoutes"] = {"namespaces": {"from": source}}
        if source == "Selector":
            listener["allowedRoutes"]["namespaces"]["selector"] = selector(draw, namespaces=True)
        listeners.append(listener)
    spec = {"gatewayClassName": "c", "listeners": listeners}
    metadata = {"name": name, "namespace": ns}
    return {"apiVersion": f"{GATEWAY}/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}


def gateway_route(draw: Draw, name: str, ns: str, names: Sequence[str]) -> Json:
    """An HTTPRoute or GRPCRoute."""
    parents: list[Json] = []
    for _ in some(draw, 2, 1):
        parent: Json = {"name": pick(draw, ("g", "h"))}
        if chance(draw, 65):
            parent["namespace"] = pick(draw, (*names, ROUTERS))
        if chance(draw, 20):
            parent["sectionName"] = pick(draw, ("http", "other"))
        if parent not in parents:
            parents.append(parent)
    rules: list[Json] = [{"backendRefs": [backend_ref(draw, names) for _ in some(draw, 2, 1)]}]
    if chance(draw, 12):
        mirror = {name: value for name, value in backend_ref(draw, names).items() if name != "weight"}
        rules.append({"filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": mirror}}]})
    kind = pick(draw, ("HTTPRoute", "HTTPRoute", "GRPCRoute"))
    metadata = {"name": name, "namespace": ns}
    spec = {"parentRefs": parents, "rules": rules}
    return {"apiVersion": f"{GATEWAY}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def backend_ref(draw: Draw, names: Sequence[str]) -> Json:
    """One backend of a route of the Gateway API."""
    found: Json = {"name": pick(draw, SERVICES), "port": pick(draw, (80, 443, 1, 53))}
    if chance(draw, 40):
        found["namespace"] = pick(draw, names)
    if chance(draw, 25):
        found["weight"] = pick(draw, (0, 1))
    return found


def grant(draw: Draw, name: str, ns: str, names: Sequence[str]) -> Json:
    """A ReferenceGrant."""
    sources = [
        {"group": GATEWAY, "kind": pick(draw, ("HTTPRoute", "GRPCRoute")), "namespace": pick(draw, names)}
        for _ in some(draw, 2, 1)
    ]
    target: Json = {"group": "", "kind": pick(draw, ("Service", "Service", "Secret"))}
    if chance(draw, 35):
        target["name"] = pick(draw, SERVICES)
    metadata = {"name": name, "namespace": ns}
    spec = {"from": sources, "to": [target]}
    return {"apiVersion": f"{GATEWAY}/v1beta1", "kind": "ReferenceGrant", "metadata": metadata, "spec": spec}
