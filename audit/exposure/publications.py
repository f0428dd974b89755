"""`Router` and `Publication`: who publishes which port of which Service, whatever kind of object says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from audit.lacking import UNREAD_DOORS
from audit.model import Namespace, ObjectRef
from audit.snapshot import Entry, Snapshot

ROUTED = {
    "Ingress": ("networking.k8s.io", "extensions"),
    "Route": ("route.openshift.io", ""),
    "HTTPRoute": ("gateway.networking.k8s.io",),
    "GRPCRoute": ("gateway.networking.k8s.io",),
    "TLSRoute": ("gateway.networking.k8s.io",),
    "TCPRoute": ("gateway.networking.k8s.io",),
    "UDPRoute": ("gateway.networking.k8s.io",),
}
"""Kinds that publish Services through routers, with their API groups."""
PUBLISHING = frozenset(ROUTED)
DECIDING = (
    "IngressController.operator.openshift.io",
    "IngressClass.networking.k8s.io",
    "Gateway.gateway.networking.k8s.io",
    "ReferenceGrant.gateway.networking.k8s.io",
    "Endpoints",
    "EndpointSlice.discovery.k8s.io",
)
"""Kinds that decide besides which router serves an object, and what a Service leads to."""
ENTRANCES = frozenset(
    {
        *(f"{kind}.{groups[0]}" for kind, groups in ROUTED.items()),
        *DECIDING,
        "Service",
        "GatewayClass.gateway.networking.k8s.io",
        UNREAD_DOORS,
    }
)
"""Every kind that may lead in from outside, under the keys that a cluster is asked for."""
NOBODY = -1
"""The number of a router that the input does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """One IngressController, router workload or Gateway."""

    ref: ObjectRef
    pods: tuple[int, ...]
    """Indices into Inventory.endpoints, ascending; none where the input does not show them."""
    nodes: frozenset[str] = frozenset()
    """Nodes of those of its pods that are on the host network; holds the empty text for a node that is not known."""
    private: bool = False
    """It is told to publish itself nowhere, so that only a Service of somebody else leads to it."""
    allows: Callable[[Namespace], bool | None] = field(compare=False)
    """Whether it would serve something of a namespace; None where that is not known."""


class PortChoice(NamedTuple):
    """Which ports of a Service are meant."""

    name: str = ""
    number: int = 0
    of_pod: bool = False
    """Whether the number is the pod's and not the Service's."""


EVERY_PORT = PortChoice()


class Publication(NamedTuple):
    """One Service that a router publishes."""

    by: ObjectRef
    """The Route, Ingress, HTTPRoute, ..."""
    router: int
    """Its number, or NOBODY."""
    service: tuple[str, str]
    """(namespace, name)."""
    certain: bool = False
    """Whether it certainly serves the object and passes on to the Service."""
    port: PortChoice = EVERY_PORT
    protocol: str = ""
    """What the router speaks to the pods; empty when that is not known."""


def decoded(raw: msgspec.Raw) -> Mapping[str, Any]:
    """A raw spec or status; empty for what is no mapping."""
    found = msgspec.json.decode(raw) if bytes(raw) else None
    return found if isinstance(found, dict) else {}


def at(node: Any, *path: str) -> Any:
    """The value at a path of keys; None where it ends early."""
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def text(node: Any, *path: str) -> str:
    """The text at a path of keys; empty for anything else."""
    found = at(node, *path)
    return found if isinstance(found, str) else ""


def items(node: Any, *path: str) -> list[Any]:
    """The list at a path of keys; empty for anything else."""
    found = at(node, *path)
    return found if isinstance(found, list) else []


def of_kind(snapshot: Snapshot, kind: str) -> Iterator[Entry]:
    """All objects of a kind of ROUTED, in whichever of its groups."""
    for group in ROUTED[kind]:
        yield from _of_group(snapshot, kind, group)


def _of_group(snapshot: Snapshot, kind: str, group: str) -> Iterator[Entry]:
    for key in dict.fromkeys((f"{kind}.{group}" if group else kind, kind)):
        yield from (entry for entry in snapshot.of(key) if entry.group == group)


def ref(entry: Entry) -> ObjectRef:
    """The object's name for reports."""
    return ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)


def every(truths: Iterable[bool | None]) -> bool | None:
    """Three-valued `and`."""
    found = set(truths)
    return False if False in found else None if None in found else True


def some(truths: Iterable[bool | None]) -> bool | None:
    """Three-valued `or`."""
    found = set(truths)
    return True if True in found else None if None in found else False
