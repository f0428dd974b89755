"""Routers: the shards of OpenShift and the Gateways, and what each of them serves.

Source: docs/reachability.md section 5; operator/v1 and gateway/v1 field comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.oracle.objects import environment, labels_of, name_of, namespace_of, of_kind, pod_template, spec_of
from tests.oracle.terms import MAYBE, NO, YES, Json, Pod, namespace_matches, selector_matches, unknown_selector_field

OPERATOR, ROUTERS = "openshift-ingress-operator", "openshift-ingress"
ROUTER_LABEL = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
GATEWAY = "gateway.networking.k8s.io"
NAMESPACE_LABELS, ROUTE_LABELS = ("NAMESPACE_LABELS", "PROJECT_LABELS"), ("ROUTE_LABELS",)
NARROWING = ("ROUTE_FIELDS", "ROUTER_ALLOWED_DOMAINS", "ROUTER_DENIED_DOMAINS")
ENVIRONMENT = frozenset(
    {
        *(*NAMESPACE_LABELS, *ROUTE_LABELS, *NARROWING),
        *("ROUTER_SERVICE_NAME", "ROUTER_SERVICE_NAMESPACE", "ROUTER_SUBDOMAIN", "ROUTER_CANONICAL_HOSTNAME"),
        *("ROUTER_ALLOW_WILDCARD_ROUTES", "ROUTER_DISABLE_NAMESPACE_OWNERSHIP_CHECK"),
    }
)
CONTROLLERS = ("openshift.io/gateway-controller/v1", "istio.io/gateway-controller")
CARRIED = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
HOSTLESS = ("TCPRoute", "UDPRoute")
Selector = Json | None


@dataclass(frozen=True)
class Server:
    """Something that serves, and how certainly."""

    truth: int
    pods: tuple[str, ...]
    """Ids of its pods that are in the input."""
    private: bool = False
    """Whether nobody is led to it by the platform."""


UNKNOWN = Server(MAYBE, ())


@dataclass(frozen=True)
class Shard:
    """What a router of OpenShift serves; None for a selector that is not in the input."""

    spaces: Selector
    routes: Selector
    pods: tuple[str, ...]
    doubt: bool = False
    """Whether something else may keep it from serving."""
    private: bool = False


class Routers:
    """All routers of a cluster."""

    def __init__(self, objects: list[Json], namespaces: Mapping[str, Json], pods: Mapping[str, Pod]) -> None:
        self.objects = objects
        self.namespaces = namespaces
        self.pods = pods
        told = [*self._controllers(), *self._deployments()]
        told += self._alone({name for shard in told for name in shard.pods})
        self.shards = [*told, *self._strays({name for shard in told for name in shard.pods})]
        places = [(namespace_of(o), name_of(o)) for o in of_kind(objects, "Gateway", GATEWAY)]
        gateways = [name for space, gateway in places for name in self._labelled(space, GATEWAY_LABEL, gateway)]
        self.pods_of_routers = frozenset([*gateways, *(name for shard in self.shards for name in shard.pods)])

    # Shards ----------------------------------------------------------------------------------------------------------

    def serve(self, o: Json) -> Iterator[Server]:
        """The shards that serve an object with these labels in this namespace."""
        if not self.shards:
            yield UNKNOWN
        for shard in self.shards:
            inside = MAYBE
            if shard.spaces is not None:
                inside = namespace_matches(self.namespaces, shard.spaces, namespace_of(o))
            truth = min(inside, MAYBE if shard.routes is None else selector_matches(shard.routes, labels_of(o)))
            if truth:
                yield Server(min(truth, MAYBE) if shard.doubt else truth, shard.pods, shard.private)

    def _controllers(self) -> Iterator[Shard]:
        """Every IngressController; what its pods are told, where they are, is what it does."""
        for o in of_kind(self.objects, "IngressController", "operator.openshift.io"):
            if namespace_of(o) != OPERATOR:
                continue
            spec, status = spec_of(o), o.get("status") or {}
            pods = self._labelled(ROUTERS, ROUTER_LABEL, name_of(o))
            told = self._told(pods)
            strategy = (spec.get("endpointPublishingStrategy") or {}).get("type")
            if told:
                yield shard_of(told, pods, private=strategy == "Private")
                continue
            selectors = [spec[f] if f in spec else status.get(f) or {} for f in ("namespaceSelector", "routeSelector")]
            spaces, routes = (None if unknown_selector_field(one) else one for one in selectors)
            yield Shard(spaces, routes, pods, private=strategy == "Private")

    def _deployments(self) -> Iterator[Shard]:
        """Every router that its environment tells, beside those of IngressControllers."""
        of_kinds = of_kind(self.objects, "IngressController", "operator.openshift.io")
        controllers = {name_of(o) for o in of_kinds if namespace_of(o) == OPERATOR}
        for o in self.objects:
            template = pod_template(o)
            if template is None:
                continue
            settings = environment(template.get("spec") or {})
            labels = (template.get("metadata") or {}).get("labels") or {}
            of_controller = namespace_of(o) == ROUTERS and labels.get(ROUTER_LABEL) in controllers
            if settings.keys() & ENVIRONMENT and not of_controller:
                yield shard_of(settings, self._made_by(o))

    def _strays(self, known: set[str]) -> Iterator[Shard]:
        """Router pods of which nothing says what they serve."""
        pods = [p for p in self.pods.values() if p.namespace == ROUTERS and ROUTER_LABEL in p.labels]
        for name in sorted({pod.labels[ROUTER_LABEL] for pod in pods}):
            group = tuple(pod.id for pod in pods if pod.labels[ROUTER_LABEL] == name)
            if not known & set(group):
                yield Shard({}, {}, group, doubt=True)

    def _alone(self, known: set[str]) -> Iterator[Shard]:
        """Running pods with the environment of a router that their workload, if it was read, does not have."""
        owners: dict[tuple[str, str], list[str]] = {}
        for o in self.objects:
            if o["kind"] == "Pod" and f"{namespace_of(o)}/Pod/{name_of(o)}" in self.pods:
                names = [w["name"] for w in o["metadata"].get("ownerReferences") or []] or [f"pod {name_of(o)}"]
                owners.setdefault((namespace_of(o), names[0]), []).append(f"{namespace_of(o)}/Pod/{name_of(o)}")
        for group in map(tuple, owners.values()):
            told = self._told(group)
            if told and not known & set(group):
                yield shard_of(told, group)

    def _told(self, pods: tuple[str, ...]) -> dict[str, str | None]:
        """The environment of a router that pods have; None for a variable in which they disagree."""
        found = [{k: v for k, v in self.pods[name].settings.items() if k in ENVIRONMENT} for name in pods]
        names = {name for one in found for name in one}
        return {n: found[0].get(n) if len({one.get(n, "absent") for one in found}) == 1 else None for n in names}

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

    # Gateways --------------------------------------------------------------------------------------------------------

    def gateways(self, route: Json) -> Iterator[Server]:
        """The Gateways that take a route, with those that may."""
        spec = spec_of(route)
        if spec.get("useDefaultGateways") not in (None, "", "None"):
            yield UNKNOWN
        for parent in spec.get("parentRefs") or []:
            yield from self._parent(route, parent)

    def _parent(self, route: Json, parent: Json) -> Iterator[Server]:
        if parent.get("kind") == "Service":
            return
        place = parent.get("namespace") or namespace_of(route), parent["name"]
        found = [o for o in of_kind(self.objects, "Gateway", GATEWAY) if (namespace_of(o), name_of(o)) == place]
        if not found or (parent.get("kind") or "Gateway") != "Gateway":
            yield UNKNOWN
            return
        truth = max(self._takes(found[0], one, parent, route) for one in found[0]["spec"]["listeners"])
        if truth:
            own = self._labelled(place[0], GATEWAY_LABEL, place[1]) if self._deploys(found[0]["spec"]) else ()
            yield Server(truth, own)

    def _deploys(self, gateway: Json) -> bool:
        """Whether the controller of a Gateway is one that deploys labelled pods beside it."""
        name = gateway.get("gatewayClassName")
        for o in of_kind(self.objects, "GatewayClass", GATEWAY):
            if name_of(o) == name:
                return o["spec"]["controllerName"] in CONTROLLERS and not gateway.get("addresses")
        return name in {"openshift-default", "istio"} and not gateway.get("addresses")

    def _takes(self, gateway: Json, listener: Json, parent: Json, route: Json) -> int:
        """Whether a listener takes the route."""
        if parent.get("sectionName") not in (None, "", listener["name"]):
            return NO
        if parent.get("port") not in (None, listener["port"]):
            return NO
        kinds = [one["kind"] for one in (listener.get("allowedRoutes") or {}).get("kinds") or []]
        if kinds and route["kind"] not in kinds:
            return NO
        protocol = listener["protocol"]
        carried = MAYBE if protocol not in CARRIED else YES if route["kind"] in CARRIED[protocol] else NO
        hosts = spec_of(route).get("hostnames") or []
        named = route["kind"] in HOSTLESS or not hosts or any(meets(listener.get("hostname"), one) for one in hosts)
        return min(carried, YES if named else NO, self._admits(gateway, listener, namespace_of(route)))

    def _admits(self, gateway: Json, listener: Json, namespace: str) -> int:
        """Whether a listener takes routes of the namespace."""
        allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
        source = allowed.get("from") or "Same"
        if source == "Selector" and allowed.get("selector") is not None:
            return namespace_matches(self.namespaces, allowed["selector"], namespace)
        if source in ("All", "Same"):
            return YES if source == "All" or namespace == namespace_of(gateway) else NO
        return MAYBE


def meets(listener: str | None, host: str) -> bool:
    """Whether a listener's host name and a route's have one in common."""
    if not listener or listener == host:
        return True
    if listener.startswith("*.") and host.startswith("*."):
        return listener.endswith(host[1:]) or host.endswith(listener[1:])
    wild, plain = (listener, host) if listener.startswith("*.") else (host, listener)
    return wild.startswith("*.") and plain.endswith(wild[1:]) and len(plain) > len(wild[1:])


# Selectors in environment variables ----------------------------------------------------------------------------------


def shard_of(settings: Mapping[str, str | None], pods: tuple[str, ...], *, private: bool = False) -> Shard:
    """What a router with this environment serves."""
    both = all(name in settings for name in NAMESPACE_LABELS)
    doubt = both or any(settings.get(name, "") != "" for name in NARROWING)
    return Shard(setting(settings, NAMESPACE_LABELS), setting(settings, ROUTE_LABELS), pods, doubt, private)


def setting(settings: Mapping[str, str | None], names: tuple[str, ...]) -> Selector:
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
