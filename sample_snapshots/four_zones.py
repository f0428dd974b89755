"""A current cluster: OpenShift 4 with OVN-Kubernetes, four zones."""

# ruff: noqa: INP001 - a script beside the samples, not a package

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import openshift_4 as platform
from zoned import SHARD, Object, Zone, nodes, quota, route, service, storage, workload, zone_policy

ZONES = (
    Zone(name="dmz", net=10, public=True, outside=(("203.0.113.0/24", 443),)),
    Zone(name="internal", net=20, callers=(("dmz", 8443), ("management", 8443))),
    Zone(name="database", net=30, callers=(("internal", 5432), ("management", 5432)), routed=False),
    Zone(name="management", net=40, outside=(("198.51.100.0/24", 443),)),
)
SPACES = {
    **dict.fromkeys(("edge-web", "edge-api", "edge-auth"), "dmz"),
    **dict.fromkeys(("orders", "customers", "pricing", "documents"), "internal"),
    **dict.fromkeys(("orders-db", "customers-db", "warehouse"), "database"),
    **dict.fromkeys(("observability", "deployment"), "management"),
}
WORKLOADS = """
edge-web      Deployment  www            3 https:8443
edge-web      Deployment  waf            2 https:8443
edge-api      Deployment  gateway        3 https:8443
edge-auth     Deployment  login          2 https:8443
edge-auth     StatefulSet otp-cache      2 redis:6379
orders        Deployment  orders         3 https:8443
orders        StatefulSet order-queue    2 amqp:5672 claim
customers     Deployment  customers      2 https:8443
pricing       Deployment  pricing        2 https:8443
documents     Deployment  documents      2 https:8443
documents     StatefulSet document-index 2 search:9200 claim
orders-db     StatefulSet orders-pg      2 pg:5432 claim
customers-db  StatefulSet customers-pg   2 pg:5432 claim
warehouse     StatefulSet history        2 pg:5432 claim
observability StatefulSet metrics-store  2 https:8443 claim
observability Deployment  grafana        2 https:8443
deployment    Deployment  runner         2 https:8443
"""
ROUTES = (
    "edge-web/www",
    "edge-api/gateway",
    "edge-auth/login",
    "orders/orders",
    "documents/documents",
    "observability/grafana",
)


def cluster() -> Iterator[tuple[str, Object]]:
    """Every object with its file."""
    listed = [*platform.masters(), *nodes(ZONES, {"k8s.ovn.org/egress-assignable": ""})]
    parts: dict[str, Callable[[], Iterable[Object]]] = {
        "namespaces": lambda: platform.namespaces(SPACES),
        "nodes": lambda: listed,
        "configuration": lambda: platform.configuration(platform.project_parts("internal")),
        "routers": lambda: platform.shards(ZONES),
        "console": platform.console,
        "workloads": _workloads,
        "policies": _policies,
        "egress": lambda: platform.egress(ZONES, SPACES),
        "storage": _storage,
        "access": lambda: platform.rights(SPACES),
        "diagnostics": lambda: platform.checks(listed),
    }
    for part, objects in parts.items():
        for one in objects():
            yield part, one


def _workloads() -> Iterator[Object]:
    yield from (workload(row) for row in WORKLOADS.strip().splitlines())
    for one in ROUTES:
        place, name = one.split("/")
        yield service(place, name, 443)
        yield route(place, name, f"{name}.apps.{SPACES[place]}.example.org", SPACES[place])


def _policies() -> Iterator[Object]:
    own = {zone.name: zone for zone in ZONES}
    for name, zone in SPACES.items():
        router = {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-ingress"}},
            "podSelector": {"matchLabels": {SHARD: zone}},
        }
        yield zone_policy(name, own[zone], router if own[zone].routed else None)


def _storage() -> Iterator[Object]:
    claims = [f"{row.split()[0]}/{row.split()[2]}" for row in WORKLOADS.strip().splitlines() if "claim" in row]
    yield from storage(ZONES, claims, SPACES)
    for name, zone in SPACES.items():
        yield quota(name, next(one for one in ZONES if one.name == zone), ZONES)
