"""What leads into the cluster: Services, host ports, and what routers publish.

Source: docs/reachability.md section 5; route/v1, networking/v1 and gateway/v1 field comments.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.oracle.objects import group_of, name_of, namespace_of, of_kind, spec_of
from tests.oracle.routers import GATEWAY, UNKNOWN, Routers, Server
from tests.oracle.services import Services, any_port, filters_clients, keeps_clients, leads_in, selects
from tests.oracle.terms import MAYBE, YES, Json, Pod

GATEWAY_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
TO_ROUTES = "openshift.io/ingress-to-route"
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
OPENSHIFT = ("config.openshift.io", "operator.openshift.io")


@dataclass(frozen=True)
class Backend:
    """A Service that something publishes."""

    service: Json
    form: str
    """Which of its ports, by `value`: `all`, by `target`, by `name`, or by `number`."""
    value: object
    servers: tuple[Server, ...]
    protocol: str = "TCP"

    def wants(self, port: Json, number: int) -> bool:
        """Whether a port of the Service is published, with that number at the pod."""
        if self.form == "target":
            return self.value in (port.get("name"), str(number))
        return self.form == "all" or bool(port.get({"name": "name", "number": "port"}[self.form]) == self.value)


class Entering:
    """All entry points of a cluster."""

    def __init__(self, objects: list[Json], namespaces: Mapping[str, Json], pods: Mapping[str, Pod]) -> None:
        self.objects = objects
        self.pods = pods
        self.services = Services(objects, pods.values())
        self.routers = Routers(objects, namespaces, pods)
        self.openshift = any(group_of(o) in OPENSHIFT for o in objects)
        self.backends = [*self._routes(), *self._ingresses(), *self._gateway_routes(), *self._virtual_services()]
        self.hiding = functools.cache(self._uncached_hiding)
        self.led_to = functools.cache(self._uncached_led_to)

    # The questions ---------------------------------------------------------------------------------------------------

    def masked(self, target: Pod, protocol: str, port: int) -> bool:
        """Whether clients may reach the port with a node's address instead of their own."""
        if not target.host_network and (protocol, port) in target.host_ports:
            return True
        return any(self.services.reaches(service, target, protocol, port, any_port) for service in self.hiding(target))

    def _uncached_hiding(self, target: Pod) -> list[Json]:
        """The Services behind which the pod may not see who calls, if they lead there."""
        leading = filter(leads_in, self.services.all)
        return [service for service in leading if not (keeps_clients(service) and selects(service, target))]

    def servers(self, target: Pod, protocol: str, port: int) -> Iterator[Server]:
        """What publishes the port."""
        for backend in self.backends:
            if backend.protocol == protocol:
                truth = self.services.reaches(backend.service, target, protocol, port, backend.wants)
                for server in backend.servers if truth else ():
                    yield Server(min(truth, server.truth), server.pods, server.private)

    def _uncached_led_to(self, name: str, *, private: bool) -> int:
        """Whether clients get to a router pod."""
        pod = self.pods[name]
        services = [s for s in self.services.all if leads_in(s) and self._any_port(s, pod)]
        open_to_all = [s for s in services if not filters_clients(s)]
        if open_to_all or pod.host_ports or pod.host_network or self._routed(pod):
            return YES
        # Who reaches the pod network itself reaches a private router, too, and nobody says who does.
        return MAYBE if services or private else YES

    def hides_clients(self, pod: Pod) -> bool:
        """Whether clients may get to the pod with another address than their own."""
        return self._routed(pod) or bool(pod.host_ports) or any(self._any_port(s, pod) for s in self.hiding(pod))

    def _routed(self, pod: Pod) -> bool:
        """Whether some router leads to the pod, by a Service or by what is listed for one."""
        return any(
            self.services.reaches(one.service, pod, one.protocol, number, one.wants)
            for one in self.backends
            if one.servers
            for number in self._numbers(one.service, pod)
        )

    def _any_port(self, service: Json, pod: Pod) -> bool:
        """Whether the Service leads to some port of the pod."""
        numbers = self._numbers(service, pod)
        return any(self.services.reaches(service, pod, p, n, any_port) for p in ("TCP", "UDP", "SCTP") for n in numbers)

    def _numbers(self, service: Json, pod: Pod) -> set[int]:
        """The ports of the pod that may be behind the Service."""
        return {number for _, _, number in pod.ports} | self.services.numbers(service)

    # Routes and Ingress ----------------------------------------------------------------------------------------------

    def _backend(  # noqa: PLR0913, PLR0917 - one line of a table
        self,
        namespace: str,
        name: str,
        form: str,
        value: object,
        servers: tuple[Server, ...],
        protocol: str = "TCP",
    ) -> Iterator[Backend]:
        for service in self.services.all:
            if (namespace_of(service), name_of(service)) == (namespace, name):
                yield Backend(service, form, value, servers, protocol)

    def _routes(self) -> Iterator[Backend]:
        for o in of_kind(self.objects, "Route", "route.openshift.io", ""):
            spec = spec_of(o)
            port = (spec.get("port") or {}).get("targetPort")
            form, value = ("all", None) if port is None else ("target", str(port))
            servers = tuple(self.routers.serve(o))
            if spec.get("wildcardPolicy") not in (None, "", "None"):
                servers = possibly(servers)
            for to in [spec["to"], *(spec.get("alternateBackends") or [])]:
                certain = servers if (to.get("kind") or "Service") == "Service" else possibly(servers)
                if to.get("weight") != 0:
                    yield from self._backend(namespace_of(o), to["name"], form, value, certain)

    def _ingresses(self) -> Iterator[Backend]:
        spoken_for = {
            (namespace_of(o), owner["name"])
            for o in of_kind(self.objects, "Route", "route.openshift.io", "")
            for owner in o["metadata"].get("ownerReferences") or []
            if owner["kind"] == "Ingress"
        }
        for o in of_kind(self.objects, "Ingress", "networking.k8s.io", "extensions"):
            as_routes = self._becomes_routes(o)
            if as_routes and (namespace_of(o), name_of(o)) in spoken_for:
                continue
            servers = tuple(self.routers.serve(o)) if as_routes else (UNKNOWN,)
            for backend, sure in ingress_backends(spec_of(o)):
                for name, form, value in ingress_service(backend):
                    yield from self._backend(namespace_of(o), name, form, value, servers if sure else possibly(servers))

    def _becomes_routes(self, ingress: Json) -> bool:
        """Whether OpenShift makes Routes of an Ingress."""
        classes = {name_of(o): o for o in of_kind(self.objects, "IngressClass", "networking.k8s.io")}
        annotations = ingress["metadata"].get("annotations") or {}
        name = spec_of(ingress).get("ingressClassName") or annotations.get("kubernetes.io/ingress.class")
        if not name:
            standard = [n for n, o in classes.items() if default_class(o)]
            name = standard[0] if len(standard) == 1 else None
        if not name:
            return self.openshift
        if name in classes:
            return bool(classes[name]["spec"].get("controller") == TO_ROUTES)
        return str(name).startswith("openshift-")

    # Gateway API -----------------------------------------------------------------------------------------------------

    def _gateway_routes(self) -> Iterator[Backend]:
        for o in [o for kind in GATEWAY_ROUTES for o in of_kind(self.objects, kind, GATEWAY)]:
            servers = tuple(self.routers.gateways(o))
            protocol = "UDP" if o["kind"] == "UDPRoute" else "TCP"
            for ref in backend_refs(o):
                namespace = ref.get("namespace") or namespace_of(o)
                if namespace == namespace_of(o) or self._granted(o, namespace, ref["name"]):
                    form, value = ("number", ref["port"]) if "port" in ref else ("all", None)
                    yield from self._backend(namespace, ref["name"], form, value, servers, protocol)

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

    def _virtual_services(self) -> Iterator[Backend]:
        """A mesh's routes, which some controller may serve."""
        for o in of_kind(self.objects, "VirtualService", "networking.istio.io"):
            for route in [one for rule in spec_of(o).get("http") or [] for one in rule.get("route") or []]:
                name, _, rest = route["destination"]["host"].partition(".")
                places = dict.fromkeys((namespace_of(o), rest.partition(".")[0]))
                for protocol in ("TCP", "UDP", "SCTP"):
                    for place in places:
                        yield from self._backend(place, name, "all", None, (UNKNOWN,), protocol)


def possibly(servers: tuple[Server, ...]) -> tuple[Server, ...]:
    """The same, not for certain."""
    return tuple(Server(min(MAYBE, one.truth), one.pods, one.private) for one in servers)


def default_class(o: Json) -> bool:
    """Whether the IngressClass is that of an Ingress without one."""
    return (o["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"


def ingress_backends(spec: Json) -> Iterator[tuple[Json, bool]]:
    """Every backend of an Ingress, and whether OpenShift makes a Route of it: not without a host."""
    for rule in spec.get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            yield path["backend"], bool(rule.get("host"))
    for name in ("defaultBackend", "backend"):
        if name in spec:
            yield spec[name], False


def ingress_service(backend: Json) -> Iterator[tuple[str, str, object]]:
    """Name and port of the Service that a backend of an Ingress names, in either form."""
    service = backend.get("service")
    if service:
        port = service.get("port") or {}
        yield service["name"], *(("name", port["name"]) if "name" in port else ("number", port.get("number")))
    elif "serviceName" in backend:
        port = backend["servicePort"]
        yield backend["serviceName"], "number" if isinstance(port, int) else "name", port


def backend_refs(route: Json) -> Iterator[Json]:
    """Every Service that a route of the Gateway API sends to, mirrors among them."""
    for rule in spec_of(route).get("rules") or []:
        refs = list(rule.get("backendRefs") or [])
        filters = [f for holder in (rule, *refs) for f in holder.get("filters") or []]
        refs += [f["requestMirror"]["backendRef"] for f in filters if "requestMirror" in f]
        for ref in refs:
            if (ref.get("group") or "", ref.get("kind") or "Service") == ("", "Service") and ref.get("weight") != 0:
                yield ref
