"""Routers: the shards of OpenShift and the Gateways, and what each of them serves.

Source: docs/reachability.md section 5; operator/v1 and gateway/v1 field comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

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
    pods: tuple[str, ...] = ()
    doubt: bool = False
    """Whether something else may keep it from serving."""
    private: bool = False


NOBODY_KNOWS = Shard(None, None)


class Routers:
    """All routers of a cluster."""

    def __init__(self, objects: list[Json], namespaces: Mapping[str, Json], pods: Mapping[str, Pod]) -> None:
        self.objects = objects
        self.namespaces = namespaces
        self.pods = pods
        self.templates = [
            (self._made_by(o), settings) for o in objects if (settings := router_settings(pod_template(o) or {}))
        ]
        self.shards = list(self._controlled())
        self.shards += self._beside({name for shard in self.shards for name in shard.pods})
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

    def _controlled(self) -> Iterator[Shard]:
        """Every IngressController, also where only pods of it were read; what these are told is what it does."""
        found = of_kind(self.objects, "IngressController", "operator.openshift.io")
        controllers = {name_of(o): o for o in found if namespace_of(o) == OPERATOR}
        labelled = {
            p.labels[ROUTER_LABEL] for p in self.pods.values() if p.namespace == ROUTERS and ROUTER_LABEL in p.labels
        }
        for name in sorted({*controllers, *labelled}):
            pods = self._labelled(ROUTERS, ROUTER_LABEL, name)
            o = controllers.get(name)
            strategy = (spec_of(o).get("endpointPublishingStrategy") or {}).get("type") if o else None
            chosen = self._told(pods) or (declared(o) if o else NOBODY_KNOWS)
            yield replace(chosen, pods=pods, private=strategy == "Private")

    def _beside(self, known: set[str]) -> Iterator[Shard]:
        """Every other router that its environment tells, workload by workload."""
        groups = [pods for pods, _ in self.templates]
        owners: dict[tuple[str, str], list[str]] = {}
        for o in self.objects:
            if o["kind"] == "Pod" and (pod := f"{namespace_of(o)}/Pod/{name_of(o)}") in self.pods:
                names = [w["name"] for w in o["metadata"].get("ownerReferences") or []] or [f"pod {name_of(o)}"]
                owners.setdefault((namespace_of(o), names[0]), []).append(pod)
        for group in dict.fromkeys([*groups, *(tuple(sorted(pods)) for pods in owners.values())]):
            told = self._told(group)
            if told and not known & set(group):
                yield replace(told, pods=group)

    def _told(self, pods: tuple[str, ...]) -> Shard | None:
        """What pods serve by the environment of a router that they or their templates have; None where none has."""
        said: list[Shard | None] = []
        for name in pods:
            above = [settings for group, settings in self.templates if name in group]
            own = {key: value for key, value in self.pods[name].settings.items() if key in ENVIRONMENT}
            said += map(shard_of, filter(None, [own, *above])) if own or above else [None]
        if not any(said):
            return None
        return said[0] if all(one == said[0] for one in said) else NOBODY_KNOWS

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


def declared(controller: Json) -> Shard:
    """What an IngressController says that it serves."""
    spec, status = spec_of(controller), controller.get("status") or {}
    selectors = [spec[f] if f in spec else status.get(f) or {} for f in ("namespaceSelector", "routeSelector")]
    spaces, routes = (None if unknown_selector_field(one) else one for one in selectors)
    return Shard(spaces, routes)


def router_settings(template: Json) -> dict[str, str | None]:
    """The variables of a pod template that only routers have."""
    return {key: value for key, value in environment(template.get("spec") or {}).items() if key in ENVIRONMENT}


def shard_of(settings: Mapping[str, str | None]) -> Shard:
    """What a router with this environment serves."""
    both = all(name in settings for name in NAMESPACE_LABELS)
    doubt = both or any(settings.get(name, "") != "" for name in NARROWING)
    return Shard(setting(settings, NAMESPACE_LABELS), setting(settings, ROUTE_LABELS), doubt=doubt)


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
