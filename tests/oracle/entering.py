"""What leads into the cluster: Services, host ports, and routers with what they publish.

Source: docs/reachability.md section 5; route/v1, operator/v1, networking/v1 and gateway/v1 field comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.oracle.objects import labels_of, name_of, namespace_of, of_kind, pod_template, spec_of
from tests.oracle.services import has_port, keeps_clients, leads_in, leads_to, target_ports
from tests.oracle.terms import MAYBE, NO, YES, Json, Pod, namespace_matches, selector_matches

OPERATOR, ROUTERS = "openshift-ingress-operator", "openshift-ingress"
ROUTER_LABEL = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
GATEWAY = "gateway.networking.k8s.io"
GATEWAY_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
TO_ROUTES = "openshift.io/ingress-to-route"
NAMESPACE_LABELS, ROUTE_LABELS = ("NAMESPACE_LABELS", "PROJECT_LABELS"), ("ROUTE_LABELS",)
DEPLOYMENTS = {"DeploymentConfig": ("apps.openshift.io", ""), "Deployment": ("apps", "extensions")}


@dataclass(frozen=True)
class Server:
    """Something that serves, and how certainly."""

    truth: int
    pods: tuple[str, ...]
    """Ids of its pods that are in the input."""


UNKNOWN = Server(MAYBE, ())


@dataclass(frozen=True)
class Backend:
    """A Service that something publishes."""

    service: Json
    ports: tuple[str, object]
    """Which of its ports: `all`, by `target`, by `name`, or by `number`, with the value."""
    servers: tuple[Server, ...]


class Entering:
    """All entry points of a cluster."""

    def __init__(self, objects: list[Json], namespaces: Mapping[str, Json], pods: Mapping[str, Pod]) -> None:
        self.objects = objects
        self.namespaces = namespaces
        self.pods = pods
        self.services = of_kind(objects, "Service", "")
        self.shards = [*self._controllers(), *self._deployments()]
        self.backends = [*self._routes(), *self._ingresses(), *self._gateway_routes()]

    # The questions ---------------------------------------------------------------------------------------------------

    def masked(self, target: Pod, protocol: str, port: int) -> bool:
        """Whether clients may reach the port with a node's address instead of their own."""
        if not target.host_network and (protocol, port) in target.host_ports:
            return True
        return any(
            leads_in(service)
            and not keeps_clients(service)
            and leads_to(service, target)
            and has_port(service, target, protocol, port)
            for service in self.services
        )

    def servers(self, target: Pod, protocol: str, port: int) -> Iterator[Server]:
        """What publishes the port."""
        for backend in self.backends:
            truth = leads_to(backend.service, target)
            if truth and publishes(backend, target, protocol, port):
                yield from (Server(min(truth, server.truth), server.pods) for server in backend.servers)

    # Shards ----------------------------------------------------------------------------------------------------------

    def _controllers(self) -> Iterator[tuple[Json | None, Json | None, tuple[str, ...]]]:
        """Namespace selector, route selector and pods of every IngressController."""
        for o in of_kind(self.objects, "IngressController", "operator.openshift.io"):
            if namespace_of(o) == OPERATOR:
                spec = spec_of(o)
                pods = self._labelled(ROUTERS, ROUTER_LABEL, name_of(o))
                yield spec.get("namespaceSelector") or {}, spec.get("routeSelector") or {}, pods

    def _deployments(self) -> Iterator[tuple[Json | None, Json | None, tuple[str, ...]]]:
        """The same for every router that is told by its environment; None for a selector that is not in the input."""
        for kind, groups in DEPLOYMENTS.items():
            for o in of_kind(self.objects, kind, *groups):
                template = pod_template(o) or {}
                env = [e for c in (template.get("spec") or {}).get("containers") or [] for e in c.get("env") or []]
                settings = {e["name"]: e.get("value", None if "valueFrom" in e else "") for e in env}
                if settings.keys() & {*NAMESPACE_LABELS, *ROUTE_LABELS}:
                    yield setting(settings, NAMESPACE_LABELS), setting(settings, ROUTE_LABELS), self._made_by(o)

    def _labelled(self, namespace: str, key: str, value: str) -> tuple[str, ...]:
        pods = self.pods.values()
        return tuple(pod.id for pod in pods if pod.namespace == namespace and pod.labels.get(key) == value)

    def _made_by(self, o: Json) -> tuple[str, ...]:
        """Ids of the pods of a workload, or of the one that stands for them."""
        wanted = {(o["kind"], name_of(o))}
        for _ in range(2):  # pods of its replica sets
            for other in self.objects:
                owners = {(w["kind"], w["name"]) for w in other["metadata"].get("ownerReferences") or []}
                if namespace_of(other) == namespace_of(o) and owners & wanted:
                    wanted.add((other["kind"], name_of(other)))
        ids = {f"{namespace_of(o)}/{kind}/{name}" for kind, name in wanted}
        return tuple(sorted(ids & self.pods.keys()))

    def _served(self, o: Json) -> Iterator[Server]:
        """The shards that serve an object with these labels in this namespace."""
        if not self.shards:
            yield UNKNOWN
        for spaces, routes, pods in self.shards:
            inside = MAYBE if spaces is None else namespace_matches(self.namespaces, spaces, namespace_of(o))
            truth = min(inside, MAYBE if routes is None else selector_matches(routes, labels_of(o)))
            if truth:
                yield Server(truth, pods)

    # Routes and Ingress ----------------------------------------------------------------------------------------------

    def _routes(self) -> Iterator[Backend]:
        for o in of_kind(self.objects, "Route", "route.openshift.io", ""):
            spec = spec_of(o)
            port = (spec.get("port") or {}).get("targetPort")
            ports = ("all", None) if port is None else ("target", str(port))
            servers = tuple(self._served(o))
            for to in [spec["to"], *(spec.get("alternateBackends") or [])]:
                if to.get("weight") != 0 and (to.get("kind") or "Service") == "Service":
                    yield from self._backend(namespace_of(o), to["name"], ports, servers)

    def _backend(
        self, namespace: str, name: str, ports: tuple[str, object], servers: tuple[Server, ...]
    ) -> Iterator[Backend]:
        for service in self.services:
            if (namespace_of(service), name_of(service)) == (namespace, name):
                yield Backend(service, ports, servers)

    def _ingresses(self) -> Iterator[Backend]:
        classes = {name_of(o): o for o in of_kind(self.objects, "IngressClass", "networking.k8s.io")}
        for o in of_kind(self.objects, "Ingress", "networking.k8s.io", "extensions"):
            spec = spec_of(o)
            name = spec.get("ingressClassName")
            as_routes = bool(self.shards) and (
                name is None or (name in classes and classes[name]["spec"].get("controller") == TO_ROUTES)
            )
            servers = tuple(self._served(o)) if as_routes else (UNKNOWN,)
            rules = [r for r in spec.get("rules") or [] if r.get("host") or not as_routes]
            paths = [p["backend"] for r in rules for p in (r.get("http") or {}).get("paths") or []]
            whole = [] if as_routes else [spec[f] for f in ("defaultBackend", "backend") if f in spec]
            for backend in paths + whole:
                for service, ports in ingress_service(backend):
                    yield from self._backend(namespace_of(o), service, ports, servers)

    # Gateway API -----------------------------------------------------------------------------------------------------

    def _gateway_routes(self) -> Iterator[Backend]:
        for kind in GATEWAY_ROUTES:
            for o in of_kind(self.objects, kind, GATEWAY):
                servers = tuple(
                    server for parent in spec_of(o).get("parentRefs") or [] for server in self._gateway(o, parent)
                )
                for ref in backend_refs(o):
                    namespace = ref.get("namespace") or namespace_of(o)
                    if namespace == namespace_of(o) or self._granted(o, namespace, ref["name"]):
                        ports = ("number", ref["port"]) if "port" in ref else ("all", None)
                        yield from self._backend(namespace, ref["name"], ports, servers)

    def _gateway(self, route: Json, parent: Json) -> Iterator[Server]:
        """The Gateway that a parent reference names, if it admits the route."""
        if (parent.get("kind") or "Gateway") != "Gateway":
            return
        place = parent.get("namespace") or namespace_of(route), parent["name"]
        found = [o for o in of_kind(self.objects, "Gateway", GATEWAY) if (namespace_of(o), name_of(o)) == place]
        if not found:
            yield UNKNOWN
        for o in found:
            section = parent.get("sectionName")
            listeners = [one for one in o["spec"]["listeners"] if section in (None, one["name"])]
            truth = max((self._admits(o, one, namespace_of(route)) for one in listeners), default=NO)
            if truth:
                yield Server(truth, self._labelled(*place[:1], GATEWAY_LABEL, place[1]))

    def _admits(self, gateway: Json, listener: Json, namespace: str) -> int:
        """Whether a listener takes routes of the namespace."""
        allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
        source = allowed.get("from") or "Same"
        if source == "Selector":
            return namespace_matches(self.namespaces, allowed.get("selector") or {}, namespace)
        return YES if source == "All" or (source == "Same" and namespace == namespace_of(gateway)) else NO

    def _granted(self, route: Json, namespace: str, service: str) -> bool:
        """Whether the namespace lets routes of this kind and namespace name the Service."""
        for o in of_kind(self.objects, "ReferenceGrant", GATEWAY):
            wanted = (GATEWAY, route["kind"], namespace_of(route))
            sources = [(one["group"], one["kind"], one["namespace"]) for one in o["spec"]["from"]]
            targets = [one for one in o["spec"]["to"] if (one["group"], one["kind"]) == ("", "Service")]
            named = any(one.get("name") in (None, "", service) for one in targets)
            if namespace_of(o) == namespace and wanted in sources and named:
                return True
        return False


def publishes(backend: Backend, pod: Pod, protocol: str, port: int) -> bool:
    """Whether the backend's ports lead to that port of the pod."""
    form, value = backend.ports
    for listed, p, number in target_ports(backend.service, pod):
        wanted = {
            "all": True,
            "target": value in (listed.get("name"), str(number)),
            "name": listed.get("name") == value,
            "number": listed["port"] == value,
        }[form]
        if wanted and (p, number) == (protocol, port):
            return True
    return False


def ingress_service(backend: Json) -> Iterator[tuple[str, tuple[str, object]]]:
    """Name and port of the Service that a backend of an Ingress names, in either form."""
    service = backend.get("service")
    if service:
        port = service.get("port") or {}
        yield service["name"], ("name", port["name"]) if "name" in port else ("number", port.get("number"))
    elif "serviceName" in backend:
        port = backend["servicePort"]
        yield backend["serviceName"], ("number" if isinstance(port, int) else "name", port)


def backend_refs(route: Json) -> Iterator[Json]:
    """Every Service that a route of the Gateway API sends to, mirrors among them."""
    for rule in spec_of(route).get("rules") or []:
        refs = list(rule.get("backendRefs") or [])
        filters = [f for holder in (rule, *refs) for f in holder.get("filters") or []]
        refs += [f["requestMirror"]["backendRef"] for f in filters if "requestMirror" in f]
        for ref in refs:
            if (ref.get("group") or "", ref.get("kind") or "Service") == ("", "Service") and ref.get("weight") != 0:
                yield ref


# Selectors in environment variables ----------------------------------------------------------------------------------


def setting(settings: Mapping[str, str | None], names: tuple[str, ...]) -> Json | None:
    """The label selector that one of the variables holds; None where its value is not in the input."""
    found = [settings[name] for name in names if name in settings]
    if None in found:
        return None
    return {"matchExpressions": [requirement(part) for text in found if text for part in parts(text)]}


def parts(text: str) -> Iterator[str]:
    """The requirements of a selector in its string form: separated by commas that are in no parentheses."""
    depth, start = 0, 0
    for index, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            yield text[start:index].strip()
            start = index + 1
    yield text[start:].strip()


def requirement(text: str) -> Json:
    """One requirement as an element of matchExpressions."""
    if text.endswith(")"):
        head, _, values = text[:-1].partition("(")
        key, operator = head.split()
        found = [value.strip() for value in values.split(",")]
        return {"key": key, "operator": {"in": "In", "notin": "NotIn"}[operator], "values": found}
    for sign, operator in (("!=", "NotIn"), ("==", "In"), ("=", "In")):
        key, found_sign, value = text.partition(sign)
        if found_sign:
            return {"key": key.strip(), "operator": operator, "values": [value.strip()]}
    if text.startswith("!"):
        return {"key": text[1:].strip(), "operator": "DoesNotExist"}
    return {"key": text, "operator": "Exists"}
