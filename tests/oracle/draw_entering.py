"""Random Services, host ports, routers and what they publish."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.draw_gateways import ROUTERS, gateways, router_pods
from tests.oracle.draws import (
    BLOCKS,
    POD_ADDRESSES,
    PORT_NAMES,
    PORTS,
    SERVICE_PORTS,
    SERVICES,
    Draw,
    Json,
    Shape,
    chance,
    labels,
    pick,
    selector,
    some,
)

OPERATOR = "openshift-ingress-operator"
ROUTER_LABEL = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
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
    closed = [closing(draw, name) for name in names if chance(draw, 60)]
    found = [service(draw, name, ns, objects) for ns in names for name in SERVICES if chance(draw, 80)]
    listed = [one for one in found if "selector" not in one["spec"] or chance(draw, 12)]
    found += [o for one in listed for o in addresses_behind(draw, one)]
    form = pick(draw, ("none", "routes", "routes", "ingress", "gateway", "all"))
    if form in ("routes", "ingress", "all") and chance(draw, 85):
        found += shards(draw, shape)
    if form in ("routes", "all"):
        found += [route(draw, f"r{i}", pick(draw, names)) for i in some(draw, 3, 1)]
    if form in ("ingress", "all"):
        found += [ingress(draw, f"i{i}", pick(draw, names)) for i in some(draw, 2, 1)]
        found += [ingress_class(draw, name) for name in CLASSES if chance(draw, 50)]
        found += owned_routes(draw, [o for o in found if o["kind"] == "Ingress"])
    if form in ("gateway", "all"):
        found += gateways(draw, shape, names)
    if chance(draw, 10):
        found.append(virtual_service(draw, pick(draw, names)))
    return found + closed


def closing(draw: Draw, ns: str) -> Json:
    """A NetworkPolicy that lets nobody in, or only some pods: what routers bring shows there."""
    spec: Json = {"podSelector": {}, "policyTypes": ["Ingress"]}
    if chance(draw, 60):
        peer: Json = {"namespaceSelector": selector(draw, namespaces=True)} if chance(draw, 70) else {}
        rule: Json = {"from": [peer | ({"podSelector": selector(draw)} if not peer or chance(draw, 30) else {})]}
        spec["ingress"] = [rule | ({"ports": [{"port": pick(draw, PORTS)}]} if chance(draw, 30) else {})]
    metadata = {"name": "closed", "namespace": ns}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


# Services and host ports ---------------------------------------------------------------------------------------------


def host_ports(draw: Draw, objects: list[Json]) -> None:
    """Has nodes forward to some containers of pods off the host network."""
    for o in objects:
        if o["kind"] == "Pod" and not o["spec"].get("hostNetwork") and chance(draw, 12):
            for port in o["spec"]["containers"][0]["ports"]:
                port["hostPort"] = pick(draw, (8080, 443))
                break


def service(draw: Draw, name: str, ns: str, objects: list[Json]) -> Json:
    """A Service of any type, as a rule before some pod of its namespace."""
    spec: Json = {"ports": service_ports(draw)}
    if chance(draw, 90):
        pods = [o["metadata"]["labels"] for o in objects if o["kind"] == "Pod" and o["metadata"].get("namespace") == ns]
        chosen = [one for one in pods if one]
        spec["selector"] = pick(draw, chosen) if chosen and chance(draw, 75) else labels(draw) or {"zone": "a"}
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
        port: Json = {"port": pick(draw, SERVICE_PORTS)}
        form = pick(draw, ("number", "number", "name", "none"))
        if form != "none":
            port["targetPort"] = pick(draw, PORTS if form == "number" else PORT_NAMES)
        if chance(draw, 25):
            port["protocol"] = pick(draw, ("TCP", "UDP"))
        found.append(port | {"name": name})
    if len(found) == 1 and chance(draw, 50):
        del found[0]["name"]
    return found


def addresses_behind(draw: Draw, service: Json) -> list[Json]:
    """The list of addresses behind a Service without a selector, in either form, or none."""
    form = pick(draw, ("none", "Endpoints", "EndpointSlice"))
    if form == "none":
        return []
    addresses = sorted({pick(draw, (*POD_ADDRESSES[:5], "10.9.9.9")) for _ in some(draw, 2, 1)})
    ports = [{"port": pick(draw, PORTS), "protocol": pick(draw, ("TCP", "TCP", "UDP"))} for _ in some(draw, 1, 1)]
    for port in ports:
        name = pick(draw, ("http", "dns", None))
        if name:
            port["name"] = name
    metadata: Json = {"name": service["metadata"]["name"], "namespace": service["metadata"]["namespace"]}
    if form == "Endpoints":
        subset = {"addresses": [{"ip": text} for text in addresses], "ports": ports}
        return [{"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [subset]}]
    labels_of_slice = {"kubernetes.io/service-name": metadata["name"]}
    metadata = {"name": f"{metadata['name']}-abc", "namespace": metadata["namespace"], "labels": labels_of_slice}
    body = {"addressType": "IPv4", "endpoints": [{"addresses": [text]} for text in addresses], "ports": ports}
    return [{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, **body}]


# Routers -------------------------------------------------------------------------------------------------------------


def shards(draw: Draw, shape: Shape) -> list[Json]:
    """IngressControllers and routers by environment, with pods or without."""
    found: list[Json] = []
    for name in SHARDS:
        known = chance(draw, 55)
        if known:
            found.append(controller(draw, name))
        if chance(draw, 75 if known else 8):
            if chance(draw, 25):
                found += running(draw, shape, deployed_router(draw, name), {ROUTER_LABEL: name})
            else:
                pods = router_pods(draw, shape, f"router-{name}", ROUTERS, {ROUTER_LABEL: name})
                found += told(draw, pods) if chance(draw, 25) else pods
            if chance(draw, 40):
                found.append(front(draw, name))
    if chance(draw, 30):
        found.append(guard(draw))
    if chance(draw, 35):
        found += running(draw, shape, old_router(draw), {})
    if chance(draw, 10):
        found += told(draw, router_pods(draw, shape, "proxy", pick(draw, ("default", "a")), {}))
    return found


def guard(draw: Draw) -> Json:
    """A NetworkPolicy that says from where the pods of some shards may be called."""
    spec: Json = {"podSelector": {"matchLabels": {ROUTER_LABEL: pick(draw, SHARDS)}}, "policyTypes": ["Ingress"]}
    if chance(draw, 30):
        spec["podSelector"] = {}
    cidr, inside = pick(draw, BLOCKS)
    peers: list[Json] = [{"ipBlock": {"cidr": cidr} | ({"except": [pick(draw, inside)]} if inside else {})}]
    if chance(draw, 30):
        peers.append({"namespaceSelector": selector(draw, namespaces=True)})
    spec["ingress"] = [{"from": peers} | ({"ports": [{"port": pick(draw, PORTS)}]} if chance(draw, 25) else {})]
    metadata = {"name": "guard", "namespace": ROUTERS}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def told(draw: Draw, pods: list[Json]) -> list[Json]:
    """The pods of a router with its environment, as a rule the same."""
    env = environment(draw)
    for o in pods:
        other = environment(draw) if chance(draw, 70) else []
        o["spec"]["containers"][0]["env"] = env if chance(draw, 70) else other
    return pods


def running(draw: Draw, shape: Shape, workload: Json, given: Json) -> list[Json]:
    """The workload of a router, sometimes with pods, which may be told something else than its template."""
    if chance(draw, 60):
        return [workload]
    name, ns = workload["metadata"]["name"], workload["metadata"]["namespace"]
    pods = router_pods(draw, shape, f"{name}-run", ns, given)
    env = workload["spec"]["template"]["spec"]["containers"][0]["env"]
    form = pick(draw, ("same", "silent", "other", "other"))
    for o in pods:
        owner = {"apiVersion": workload["apiVersion"], "kind": workload["kind"], "name": name, "uid": "u"}
        o["metadata"]["ownerReferences"] = [owner | {"controller": True}]
        o.get("status", {}).pop("phase", None)  # as with every workload: what stands for finished pods is no question
        if form == "same":
            o["spec"]["containers"][0]["env"] = env
    return [workload, *(told(draw, pods) if form == "other" else pods)]


def deployed_router(draw: Draw, shard: str) -> Json:
    """The Deployment of a shard, with what its pods are told."""
    env = environment(draw) if chance(draw, 70) else []
    spec: Json = {"containers": [{"name": "router", "env": env, "ports": [{"containerPort": 80, "name": "http"}]}]}
    if chance(draw, 30):
        spec["hostNetwork"] = True
    template = {"metadata": {"labels": labels(draw) | {ROUTER_LABEL: shard}}, "spec": spec}
    metadata = {"name": f"router-{shard}", "namespace": ROUTERS}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}


def controller(draw: Draw, name: str) -> Json:
    """An IngressController."""
    spec: Json = {}
    if chance(draw, 55):
        spec["namespaceSelector"] = selector(draw, namespaces=True)
    if chance(draw, 45):
        spec["routeSelector"] = selector(draw)
    status = dict(spec)
    if chance(draw, 35):
        kind = pick(draw, ("Private", "HostNetwork", "LoadBalancerService"))
        spec["endpointPublishingStrategy"] = {"type": kind}
    if chance(draw, 15):
        spec.pop("namespaceSelector", None)  # its status still has it
    metadata = {"name": name, "namespace": OPERATOR if chance(draw, 95) else ROUTERS}
    made = {"apiVersion": "operator.openshift.io/v1", "kind": "IngressController", "metadata": metadata, "spec": spec}
    return made | ({"status": status | {"availableReplicas": 2}} if chance(draw, 40) else {})


def front(draw: Draw, shard: str) -> Json:
    """The Service before the pods of a shard."""
    spec: Json = {"selector": {ROUTER_LABEL: shard}, "ports": [{"name": "http", "port": 80, "targetPort": 80}]}
    spec["type"] = pick(draw, ("LoadBalancer", "ClusterIP", "NodePort"))
    if spec["type"] == "LoadBalancer" and chance(draw, 60):
        spec["loadBalancerSourceRanges"] = ["10.0.0.0/8"]
    metadata = {"name": f"router-{shard}", "namespace": ROUTERS}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def environment(draw: Draw) -> list[Json]:
    """The variables that tell a router what to serve."""
    env: list[Json] = []
    if chance(draw, 80):
        name = pick(draw, ("NAMESPACE_LABELS", "PROJECT_LABELS"))
        env.append({"name": name, "value": pick(draw, STRINGS)})
    if chance(draw, 60) or not env:
        env.append({"name": "ROUTE_LABELS", "value": pick(draw, STRINGS)})
    if chance(draw, 6):
        env.append({"name": "ROUTER_DENIED_DOMAINS", "value": pick(draw, ("example.com", ""))})
    if chance(draw, 6):
        source = {"configMapKeyRef": {"name": "c", "key": "k"}}
        env[0] = {"name": env[0]["name"], "valueFrom": source}
    return env


def old_router(draw: Draw) -> Json:
    """A router that its environment tells."""
    env = [{"name": "ROUTER_SERVICE_NAME", "value": "r"}, *(environment(draw) if chance(draw, 85) else [])]
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
    if chance(draw, 30):
        spec["port"] = {"targetPort": pick(draw, ("http", "dns", 80, 443, 1))}
    if chance(draw, 8):
        spec["wildcardPolicy"] = pick(draw, ("Subdomain", "None"))
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


def owned_routes(draw: Draw, ingresses: list[Json]) -> list[Json]:
    """Routes that OpenShift made of some of the Ingresses."""
    found = []
    for o in ingresses:
        if chance(draw, 20):
            made = route(draw, f"{o['metadata']['name']}-route", o["metadata"]["namespace"])
            owner = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": o["metadata"]["name"], "uid": "u"}
            made["metadata"]["ownerReferences"] = [owner | {"controller": True}]
            found.append(made)
    return found


def virtual_service(draw: Draw, ns: str) -> Json:
    """A route of a mesh."""
    host = pick(draw, SERVICES) + pick(draw, ("", ".a", ".b.svc.cluster.local"))
    spec = {"hosts": ["example.com"], "http": [{"route": [{"destination": {"host": host}}]}]}
    metadata = {"name": "v", "namespace": ns}
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": spec}


def ingress_class(draw: Draw, name: str) -> Json:
    """An IngressClass, sometimes the default one."""
    metadata: Json = {"name": name}
    if chance(draw, 25):
        metadata["annotations"] = {"ingressclass.kubernetes.io/is-default-class": pick(draw, ("true", "false"))}
    api = "networking.k8s.io/v1"
    return {"apiVersion": api, "kind": "IngressClass", "metadata": metadata, "spec": {"controller": CLASSES[name]}}


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
    metadata: Json = {"name": name, "namespace": ns, "labels": labels(draw)}
    if chance(draw, 45):
        chosen = pick(draw, tuple(CLASSES))
        if old:
            metadata["annotations"] = {"kubernetes.io/ingress.class": chosen}
        else:
            spec["ingressClassName"] = chosen
    api = "extensions/v1beta1" if old else "networking.k8s.io/v1"
    return {"apiVersion": api, "kind": "Ingress", "metadata": metadata, "spec": spec}


def ingress_backend(draw: Draw, *, old: bool) -> Json:
    """A backend of an Ingress: one port of a Service by name or number."""
    port = pick(draw, ("http", "dns", 80, 443, 80))
    name = pick(draw, SERVICES)
    if old:
        return {"serviceName": name, "servicePort": port}
    return {"service": {"name": name, "port": {"number": port} if isinstance(port, int) else {"name": port}}}
