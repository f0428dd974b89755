"""Gateway API: which Gateways take which routes, and which Services those lead to.

Computed from `parentRefs`, the listeners and ReferenceGrants; conditions in `status` are no authority.
Source: Gateway API v1, `Listener`, `ParentReference`, `ReferenceGrant`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from audit.exposure.publications import (
    EVERY_PORT,
    NOBODY,
    PortChoice,
    Publication,
    Router,
    at,
    decoded,
    every,
    items,
    of_kind,
    ref,
    some,
    text,
)
from audit.exposure.routers import host_nodes, parsed, selected
from audit.inventory import Inventory
from audit.model import Namespace
from audit.snapshot import Entry

GROUP = "gateway.networking.k8s.io"
GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
"""On the pods of a Gateway's data plane, where its controller deploys one into the Gateway's namespace."""
_DEPLOYING = frozenset({"openshift.io/gateway-controller/v1", "istio.io/gateway-controller"})
"""Controllers known to do that; elsewhere anybody may put the label on a pod that serves nothing."""
_DEPLOYED = frozenset({"openshift-default", "istio"})
"""Classes of theirs, by the names that they have as a rule: for input without the GatewayClass."""
_SHAPE: tuple[tuple[tuple[str, ...], type], ...] = (
    *((("name",), str), (("port",), int), (("protocol",), str), (("hostname",), str)),
    *((("allowedRoutes",), dict), (("allowedRoutes", "kinds"), list)),
    *((("allowedRoutes", "namespaces"), dict), (("allowedRoutes", "namespaces", "from"), str)),
)
"""Types of what is read of a listener."""
SPOKEN = {"HTTPRoute": "TCP", "GRPCRoute": "TCP", "TLSRoute": "TCP", "TCPRoute": "TCP", "UDPRoute": "UDP"}
"""Kinds of routes with the protocol that backends are reached by."""
_TAKEN = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
"""Protocol of a listener -> kinds of routes it may take; listeners of other protocols are not known."""
_NAMED = ("HTTPRoute", "GRPCRoute", "TLSRoute")
"""Kinds with host names."""


class Parent(NamedTuple):
    """What one `parentRefs` entry names."""

    namespace: str
    name: str
    section: str
    port: object


class Gateway:
    """One Gateway with its listeners."""

    def __init__(self, inventory: Inventory, entry: Entry, pods: tuple[int, ...]) -> None:
        nodes = host_nodes(inventory, pods)
        self.router = Router(ref=ref(entry), pods=pods, nodes=nodes, allows=self._allows_some)
        self.namespace = entry.namespace
        self.listeners = _listeners(decoded(entry.body.spec))
        """Those that can be read, and None for the others."""

    def takes(self, kind: str, route: Namespace, parent: Parent, hosts: Sequence[str]) -> bool | None:
        """Whether some listener takes a route; None where that is not known."""
        return some(
            every((_chosen(one, parent), _allows_kind(one, kind), self._allows(one, route), _meets(one, kind, hosts)))
            if one
            else None
            for one in self.listeners
        )

    def _allows_some(self, route: Namespace) -> bool | None:
        return some(self._allows(one, route) if one else None for one in self.listeners)

    def _allows(self, listener: Any, route: Namespace) -> bool | None:
        """`allowedRoutes.namespaces`."""
        asked = at(listener, "allowedRoutes", "namespaces")
        given = at(asked, "from")
        match "Same" if given in (None, "") else given:
            case "All":
                return True
            case "Same":
                return route.name == self.namespace
            case "Selector":
                raw = at(asked, "selector")
                return None if raw is None else selected(parsed(raw), route)
            case "None":
                return False
            case _:
                return None


def _listeners(spec: Mapping[str, Any]) -> list[Mapping[str, Any] | None]:
    listed = at(spec, "listeners")
    return [one if _readable(one) else None for one in listed] if isinstance(listed, list) else [None]


def _readable(listener: Any) -> bool:
    return (
        bool(listener)
        and isinstance(listener, dict)
        and all(found is None or isinstance(found, kind) for path, kind in _SHAPE for found in [at(listener, *path)])
    )


def _chosen(listener: Any, parent: Parent) -> bool:
    named = not parent.section or text(listener, "name") == parent.section
    return named and (parent.port is None or at(listener, "port") == parent.port)


def _allows_kind(listener: Any, kind: str) -> bool | None:
    listed = items(listener, "allowedRoutes", "kinds")
    asked = [one for one in listed if (text(one, "group") or GROUP) == GROUP]
    if listed and kind not in [text(one, "kind") for one in asked]:
        return False
    fitting = _TAKEN.get(text(listener, "protocol"))
    return None if fitting is None else kind in fitting


def _meets(listener: Any, kind: str, hosts: Sequence[str]) -> bool:
    """Whether the host names of listener and route have one in common; none at all means every name."""
    own = text(listener, "hostname").lower()
    return kind not in _NAMED or not own or not hosts or any(_common(own, one.lower()) for one in hosts)


def _common(left: str, right: str) -> bool:
    """Whether two host names, either of which may begin with `*.`, share one."""
    wild = [one.startswith("*.") for one in (left, right)]
    match wild:
        case [True, True]:
            return left.endswith(right[1:]) or right.endswith(left[1:])
        case [True, False]:
            return right.endswith(left[1:])
        case [False, True]:
            return left.endswith(right[1:])
        case _:
            return left == right


def gateways(inventory: Inventory) -> tuple[Gateway, ...]:
    """All Gateways by namespace and name."""
    pods: dict[tuple[str, str], list[int]] = {}
    for index, pod in enumerate(inventory.endpoints):
        if name := pod.labels.get(GATEWAY_LABEL):
            pods.setdefault((pod.namespace, name), []).append(index)
    controllers = {
        entry.name: text(decoded(entry.body.spec), "controllerName")
        for entry in inventory.snapshot.of(f"GatewayClass.{GROUP}")
    }
    return tuple(
        Gateway(inventory, entry, tuple(pods.get((entry.namespace, entry.name), ())) if own else ())
        for entry in inventory.snapshot.of(f"Gateway.{GROUP}")
        for own in [_deployed(decoded(entry.body.spec), controllers)]
    )


def _deployed(spec: Mapping[str, Any], controllers: Mapping[str, str]) -> bool:
    """Whether the pods with a Gateway's label are its data plane; not where its addresses say that others are."""
    name = text(spec, "gatewayClassName")
    known = controllers[name] in _DEPLOYING if name in controllers else name in _DEPLOYED
    return known and not at(spec, "addresses")


def gateway_routes(inventory: Inventory, listed: Sequence[Gateway], first: int) -> Iterator[Publication]:
    """What routes of every kind publish; `listed` are numbered from `first`."""
    known = {(one.namespace, one.router.ref.name): (number, one) for number, one in enumerate(listed, start=first)}
    grants = grants_of(inventory)
    for kind, protocol in SPOKEN.items():
        for entry in of_kind(inventory.snapshot, kind):
            spec = decoded(entry.body.spec)
            attached = _attached(inventory, entry, spec, known)
            for service, port, sure in dict.fromkeys(_backends(entry, spec, grants)):
                for number, certain in attached:
                    yield Publication(ref(entry), number, service, certain and sure, port, protocol)


def _attached(
    inventory: Inventory, entry: Entry, spec: Mapping[str, Any], known: Mapping[tuple[str, str], tuple[int, Gateway]]
) -> list[tuple[int, bool]]:
    """(router, whether certain) of every parent that takes a route."""
    hosts = [one for one in items(spec, "hostnames") if isinstance(one, str)]
    space = inventory.namespaces[entry.namespace]
    truths: dict[int, list[bool | None]] = {}
    for one in items(spec, "parentRefs"):
        group, kind = at(one, "group"), text(one, "kind") or "Gateway"
        if kind == "Service" and group in ("", "core"):
            continue  # of a service mesh: no way into the cluster
        namespace = text(one, "namespace") or entry.namespace
        parent = Parent(namespace, text(one, "name"), text(one, "sectionName"), at(one, "port"))
        number, gateway = known.get((parent.namespace, parent.name), (NOBODY, None))
        if gateway is None or kind != "Gateway" or group not in (None, GROUP):
            truths.setdefault(NOBODY, []).append(None)  # a set of listeners, or a Gateway that the input does not show
        else:
            truths.setdefault(number, []).append(gateway.takes(entry.kind, space, parent, hosts))
    if text(spec, "useDefaultGateways") not in ("", "None"):
        truths.setdefault(NOBODY, []).append(None)
    return [(number, truth is True) for number, found in truths.items() if (truth := some(found)) is not False]


def _backends(
    entry: Entry, spec: Mapping[str, Any], grants: Mapping[tuple[str, str, str], frozenset[str]]
) -> Iterator[tuple[tuple[str, str], PortChoice, bool]]:
    """((namespace, name), port, whether certain) of every Service that gets something."""
    for one in references(spec):
        name, namespace = text(one, "name"), text(one, "namespace") or entry.namespace
        if not name or at(one, "weight") == 0:
            continue
        if namespace != entry.namespace:
            allowed = grants.get((namespace, entry.kind, entry.namespace), frozenset())
            if not allowed & {"", name}:
                continue
        port = at(one, "port")
        plain = text(one, "kind") in ("", "Service") and text(one, "group") in ("", "core")
        yield (namespace, name), PortChoice(number=port) if isinstance(port, int) else EVERY_PORT, plain


def references(node: Any) -> Iterator[Any]:
    """Every object that names a backend Service, wherever a route kind keeps it."""
    pending = [node]
    while pending:  # no recursion: how deep a spec is nested is up to whoever wrote it
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            for key, value in one.items():
                if key in ("backendRefs", "backendRef"):
                    yield from value if isinstance(value, list) else [value]
                else:
                    pending.append(value)


def grants_of(inventory: Inventory) -> dict[tuple[str, str, str], frozenset[str]]:
    """(namespace of the Service, kind of route, namespace of the route) -> Services; the empty name is every one."""
    found: dict[tuple[str, str, str], frozenset[str]] = {}
    for entry in inventory.snapshot.of(f"ReferenceGrant.{GROUP}"):
        spec = decoded(entry.body.spec)
        services = frozenset(
            text(one, "name")
            for one in items(spec, "to")
            if text(one, "kind") == "Service" and text(one, "group") in ("", "core")
        )
        for one in items(spec, "from"):
            if text(one, "group") == GROUP:
                key = (entry.namespace, text(one, "kind"), text(one, "namespace"))
                found[key] = found.get(key, frozenset()) | services
    return found
