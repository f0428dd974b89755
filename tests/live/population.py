"""Puts objects into a test server, one of every kind or thousands of pods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.live.client import Client, RefusedError, several

Json = Any
EVERY_KIND = Path(__file__).with_name("cluster.yaml")
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_REFUSED = {"AlreadyExists"}
_TURNS = {"Namespace": 0, "ResourceQuota": 2}
"""What comes first, and what comes last because nothing counts here and the server waits for the count."""
_SECRET = {"name": "PASSWORD", "value": "c4n4ry"}
_SEVERAL = 25
"""Pods of one workload."""


@dataclass(frozen=True)
class Places:
    """Where a server keeps the objects of each kind."""

    plurals: dict[tuple[str, str], tuple[str, bool]]
    """API version and kind to resource, and whether it has namespaces."""

    def of(self, item: Json) -> str:
        """Path of the collection that an object belongs to; namespace `default` where it names none."""
        version = item["apiVersion"]
        plural, namespaced = self.plurals[version, item["kind"]]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        namespace = item["metadata"].get("namespace", "default")
        return f"{root}/namespaces/{namespace}/{plural}" if namespaced else f"{root}/{plural}"

    def everywhere(self, group: str, kind: str) -> str:
        """Path of all objects of a kind, whatever namespace they are in."""
        version, plural = next((v, one[0]) for (v, k), one in self.plurals.items() if (_group(v), k) == (group, kind))
        return f"/apis/{version}/{plural}" if group else f"/api/{version}/{plural}"


def _group(version: str) -> str:
    return version.rpartition("/")[0]


def places(admin: Client) -> Places:
    """As discovery has them now."""
    found: dict[tuple[str, str], tuple[str, bool]] = {}
    for root in ("/api", "/apis"):
        for group in admin.must("GET", root, accept=_DISCOVERY)["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                api = f"{name}/{version['version']}" if name else version["version"]
                for one in version.get("resources", ()):
                    found[api, one["responseKind"]["kind"]] = one["resource"], one["scope"] == "Namespaced"
    return Places(found)


def every_kind() -> list[Json]:
    """One object or more of every kind that the audit reads, namespaces first."""
    return [item for item in yaml.load_all(EVERY_KIND.read_bytes(), yaml.CSafeLoader) if item]


def create(admin: Client, objects: Sequence[Json]) -> None:
    """Creates them with the status that they carry; those that exist stay as they are."""
    where = places(admin)
    for turn in range(3):
        several(lambda item: _create(admin, where, item), [o for o in objects if _TURNS.get(o["kind"], 1) == turn])


def _create(admin: Client, where: Places, item: Json) -> None:
    path = where.of(item)
    status, found = admin.ask("POST", path, item)
    if status >= 300:
        if isinstance(found, dict) and found.get("reason") in _REFUSED:
            return
        raise RefusedError(status, found)
    if "status" in item and found.get("status") != item["status"]:
        admin.must("PUT", f"{path}/{item['metadata']['name']}/status", found | {"status": item["status"]})


def pods(count: int, per_namespace: int = 500) -> Iterator[Json]:
    """Namespaces with as many pods, workloads of 25, every pod with an address and a policy for each namespace."""
    for start in range(0, count, per_namespace):
        number = start // per_namespace
        namespace = f"team-{number}"
        zone = ("dmz", "inner", "outer")[number % 3]
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {"zone": zone}},
        }
        yield _policy(namespace, zone)
        for index in range(start, min(start + per_namespace, count)):
            yield _pod(namespace, index)


def _policy(namespace: str, zone: str) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "own-zone", "namespace": namespace},
        "spec": {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"zone": zone}}}]}]},
    }


def _pod(namespace: str, index: int) -> Json:
    address = f"10.{128 + index // 65536}.{index // 256 % 256}.{index % 256}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"p-{index}",
            "namespace": namespace,
            "labels": {"app": f"a-{index // _SEVERAL}"},
            "annotations": {"example.com/note": "dropped on the way " * 8},
        },
        "spec": {
            "nodeName": f"node-{1 + index % 2}",
            "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 8080}], "env": [_SECRET]}],
        },
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]},
    }
