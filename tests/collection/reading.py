"""Collects from a cluster in memory, and keeps what it got as it came."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.api_resources import RESOURCES, Resource
from audit.collection import Order, collect
from audit.collection.api import Api
from audit.ledger import Cluster, Evidence, Manifest
from audit.sources.kinds import kind_key
from tests.collection.living import Living, namespaced

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
KEYS = {kind_key(one.group, one.kind): one for one in RESOURCES}
"""Every kind that is asked for, by its key."""
BASIC = ("Namespace", "Node", "Pod")
_ADMIN = {"priority": 10, "subject": {"namespaces": {}}}
FIELDS: Mapping[str, dict[str, Any]] = {
    "AdminNetworkPolicy.policy.networking.k8s.io": {"spec": _ADMIN},
    "BaselineAdminNetworkPolicy.policy.networking.k8s.io": {"spec": {"subject": {"namespaces": {}}}},
    "ClusterNetworkPolicy.policy.networking.k8s.io": {"spec": {"tier": "Admin", **_ADMIN}},
    "EgressFirewall.k8s.ovn.org": {"spec": {"egress": []}},
    "EgressNetworkPolicy.network.openshift.io": {"spec": {"egress": []}},
}
"""What no object of these kinds is without."""


@dataclass
class Kept:
    """What a Draft would write."""

    lists: dict[str, list[bytes]] = field(default_factory=dict)

    def begin(self, key: str, api_version: str, kind: str) -> None:
        assert api_version
        assert kind
        self.lists[key] = []

    def add(self, key: str, items: Iterable[bytes]) -> None:
        self.lists[key] += items

    def drop(self, key: str) -> None:
        self.lists.pop(key, None)

    def objects(self, key: str) -> list[dict[str, Any]]:
        return [json.loads(one) for one in self.lists.get(key, ())]

    def names(self, key: str) -> list[str]:
        return [one["metadata"]["name"] for one in self.objects(key)]


@dataclass(frozen=True)
class Collected:
    manifest: Manifest
    kept: Kept

    @property
    def ledger(self) -> Mapping[str, Evidence]:
        return {one.kind: one for one in self.manifest.ledger}


def collected(api: Api, order: Order | None = None) -> Collected:
    """What comes of it; holds what is true of every collection."""
    kept = Kept()
    found = collect(api, Cluster(context="lab"), kept, order=order or Order(), clock=lambda: NOW, progress=_silent)
    wanted = sorted(kind_key(one.group, one.kind) for one in (order or Order()).wanted)
    assert [one.kind for one in found.ledger] == wanted
    for one in found.ledger:
        assert (one.status in ("complete", "partial")) == (one.kind in kept.lists), one
        assert len(kept.lists.get(one.kind, ())) == one.objects, one
        assert one.status == "complete" or one.reason or one.proof, one
        assert one.status != "absent" or one.proof, one
    return Collected(found, kept)


def _silent(stage: str, done: int, total: int) -> None:
    assert stage
    assert done <= total or not total


def wanted(*keys: str) -> tuple[Resource, ...]:
    return tuple(KEYS[key] for key in dict.fromkeys((*BASIC, *keys)))


def cluster(*keys: str, objects: int = 5, **settings: Any) -> Living:
    """A cluster with as many objects of each kind, beside what no cluster is without."""
    made = Living(served=settings.pop("served", RESOURCES), **settings)
    made.put("Namespace", "kube-system", metadata={"uid": "0a1b2c3d-0000-4000-8000-000000000000"})
    made.put("Node", "n0")
    made.put("Pod", "p", "kube-system")
    for key in keys:
        for number in range(objects):
            made.put(key, f"{key.lower()}-{number}", "team" if namespaced(KEYS[key]) else "", **FIELDS.get(key, {}))
    return made
