"""Builders for the tests of what leads into a cluster: routers, Routes, Gateways, and what gets through them."""

from __future__ import annotations

from typing import Any

from pyroaring import FrozenBitMap

from audit.exposure.routers import OPERATOR_NAMESPACE, ROUTER_NAMESPACE, SHARD_LABEL
from audit.traffic import NONE, Traffic, union
from tests.core.clusters import container, meetings, namespace, pod, policy, route, service

Json = Any
APP = {"app": "web"}
HTTP = {"name": "http", "port": 80, "targetPort": 8080}
WEB = pod("web", ip="10.0.0.1", labels=APP, containers=[container(("http", "TCP", 8080))])
SERVICE = service("s", "app", APP, HTTP)
WORLD = [namespace("app", zone="a"), namespace("far", zone="b"), WEB, SERVICE]
BACKEND: Json = {"to": {"kind": "Service", "name": "s"}}


def shard(name: str, spec: Json = None, status: Json = None, ns: str = OPERATOR_NAMESPACE) -> Json:
    """An IngressController."""
    made = {"apiVersion": "operator.openshift.io/v1", "kind": "IngressController"}
    return made | {"metadata": {"name": name, "namespace": ns}, "spec": spec or {}, "status": status or {}}


def router(name: str, **kwargs: Any) -> Json:
    """A pod of an IngressController."""
    return pod(f"router-{name}", ROUTER_NAMESPACE, labels={SHARD_LABEL: name}, **({"ip": "10.0.9.1"} | kwargs))


def published(spec: Json = None, labels: Json = None, ns: str = "app", name: str = "r") -> Json:
    """A Route."""
    made: Json = route("Route", "route.openshift.io/v1", ns, spec or BACKEND, name)
    made["metadata"]["labels"] = labels or {}
    return made


def from_shard(name: str) -> Json:
    """A policy that admits the pods of one shard and nobody else."""
    pods = {"matchLabels": {SHARD_LABEL: name}}
    spaces = {"matchLabels": {"kubernetes.io/metadata.name": ROUTER_NAMESPACE}}
    peer = {"namespaceSelector": spaces, "podSelector": pods}
    return policy({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer]}]})


def through_routers(
    *objects: Json, target: str = "app/Pod/web", pod_network: str = "overlay"
) -> tuple[Traffic, Traffic]:
    """(certain, possible) of what outside addresses reach of a pod, but for what policies admit to it."""
    found = meetings(*WORLD, namespace(ROUTER_NAMESPACE), *objects, pod_network=pod_network)
    inventory, classes = found.reach.inventory, found.reach.classes
    (index,) = [i for i, one in enumerate(inventory.endpoints) if inventory.endpoint_id(one) == target]
    beside = [one for one in found.beside(FrozenBitMap([classes.class_of[index]])) if one.sources & classes.outside]
    certain = union(one.traffic for one in beside if not one.reason)
    return certain, union(one.traffic for one in beside)


CLOSED = (NONE, NONE)
