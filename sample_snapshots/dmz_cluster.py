"""One cluster per zone: a cluster of OpenShift 4 that holds the DMZ and nothing else."""

# ruff: noqa: INP001 - a script beside the samples, not a package

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import openshift_4 as platform
from zoned import SHARD, Object, Zone, nodes, quota, route, service, storage, workload, zone_policy

ZONES = (Zone(name="dmz", net=10, public=True, outside=(("203.0.113.0/24", 443),), workers=3),)
SPACES = dict.fromkeys(("storefront", "partner-api", "login", "static-content"), "dmz")
WORKLOADS = """
storefront     Deployment  www        3 https:8443
storefront     Deployment  basket     2 https:8443
partner-api    Deployment  gateway    2 https:8443
login          Deployment  login      2 https:8443
login          StatefulSet tokens     2 redis:6379 claim
static-content Deployment  files      2 https:8443
"""
ROUTES = ("storefront/www", "partner-api/gateway", "login/login", "static-content/files")


def cluster() -> Iterator[tuple[str, Object]]:
    """Every object with its file."""
    listed = [*platform.masters(), *nodes(ZONES, {"k8s.ovn.org/egress-assignable": ""})]
    parts: dict[str, Callable[[], Iterable[Object]]] = {
        "namespaces": lambda: platform.namespaces(SPACES),
        "nodes": lambda: listed,
        "configuration": lambda: platform.configuration(platform.project_parts("dmz")),
        "routers": lambda: platform.shards(ZONES),
        "console": platform.console,
        "workloads": _workloads,
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
    router = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-ingress"}},
        "podSelector": {"matchLabels": {SHARD: "dmz"}},
    }
    for name in SPACES:
        yield zone_policy(name, ZONES[0], router)
    for one in ROUTES:
        place, name = one.split("/")
        yield service(place, name, 443)
        yield route(place, name, f"{name}.apps.dmz.example.org", "dmz")


def _storage() -> Iterator[Object]:
    claims = [f"{row.split()[0]}/{row.split()[2]}" for row in WORKLOADS.strip().splitlines() if "claim" in row]
    yield from storage(ZONES, claims, SPACES)
    for name in SPACES:
        yield quota(name, ZONES[0], ZONES)
