"""Which kinds of objects the parts of what a rule sees rest on, and a view of them that notes what is looked at.

A rule is a function of what it reads. If nothing that it looked at was incomplete, no object that was not read could
have changed its verdict: so the runner notes what each rule looks at, and needs nobody to declare it.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from dataclasses import replace
from typing import Any, TypeVar, cast

from audit.bodies import WORKLOADS
from audit.controls.scene import Scene
from audit.exposure.leaving import READ as LEAVING
from audit.exposure.publications import ENTRANCES
from audit.firewalls import FIREWALL_KEYS
from audit.inventory import Inventory
from audit.lacking import UNREAD_POLICIES
from audit.model import CLUSTER_WIDE
from audit.networks import networks_of
from audit.policies import MULTI_NETWORK_POLICY
from audit.policy.foreign import FOREIGN
from audit.profile import EVIDENCE, NET_NAMESPACE, detect
from audit.rule import Context
from audit.snapshot import EVERY_KIND, Entry, Snapshot

Kinds = frozenset[str]
NOTHING: Kinds = frozenset()
POPULATION: Kinds = frozenset({"Pod", *WORKLOADS})
"""What runs, or would run once it is scaled."""
PLATFORM: Kinds = frozenset({*EVIDENCE, *NET_NAMESPACE, "HostSubnet.network.openshift.io", "DaemonSet"})
"""What tells the network plug-in and how it enforces policies."""
NETWORKS: Kinds = frozenset(
    f"{kind}.k8s.ovn.org" for kind in ("UserDefinedNetwork", "ClusterUserDefinedNetwork", "ClusterNetworkConnect")
)
"""What parts pods into networks."""
POLICIES: Kinds = frozenset(
    {
        *("NetworkPolicy", MULTI_NETWORK_POLICY, *CLUSTER_WIDE, *FIREWALL_KEYS),
        *(f"{kind}.{group}" for group, kinds in FOREIGN.items() for kind in kinds),
        UNREAD_POLICIES,
    }
)
"""What allows or denies traffic, or may."""
SERVICES: Kinds = frozenset({"Service", "Endpoints", "EndpointSlice.discovery.k8s.io"})
"""What lets the pods of the cluster past policies as well, which see the address of a node then."""
POLICED: Kinds = frozenset({"Namespace", "Node"}) | POPULATION | PLATFORM | NETWORKS | POLICIES
"""What decides which pods are isolated, and how."""
_GATES: Kinds = frozenset(f"{kind}.gateway.networking.k8s.io" for kind in ("Gateway", "GatewayClass"))
"""What says which pods are routers, beside their labels: networks of their own let these in."""
INSIDE: Kinds = POLICED | SERVICES | _GATES
"""What decides whether one pod reaches another, or leaves the cluster."""
REACH_EVIDENCE: Kinds = INSIDE | ENTRANCES
"""What decides the cells: every kind that the engine reads for them."""
OF_FILES: Kinds = frozenset({"Namespace", "NetworkPolicy", "Pod"})
"""What the cells of files need in full: files claim nothing of what they do not hold."""
_WAYS_OUT: Kinds = frozenset({*LEAVING, "RouteAdvertisements.k8s.ovn.org"}) | POLICED | SERVICES
_ADDRESSED: Kinds = frozenset({"Infrastructure.config.openshift.io"})
_MEMBERS: Mapping[str, Kinds] = {
    "namespaces": frozenset({"Namespace"}),
    "nodes": frozenset({"Node"}),
    "addresses": NOTHING,
}
"""By part of the ZoneMap."""
FACTS: Mapping[str, Kinds] = {
    **dict.fromkeys(("population", "isolation", "policies", "foreign", "unordered"), POLICED),
    "assumptions": REACH_EVIDENCE,
    "departures": _WAYS_OUT,
    "entry_points": REACH_EVIDENCE | _ADDRESSED,
}
_CONTEXT: Mapping[str, Kinds] = {
    "cells": REACH_EVIDENCE,
    **dict.fromkeys(
        (
            *("inventory", "zone_map", "facts", "scene", "of", "missing", "barred", "zone_of", "kind_of"),
            *("namespace_ref", "matrix", "gaps", "today", "protected", "zone_policy", "narrow", "live"),
        ),
        NOTHING,
    ),
}
"""By part of the Context; those that hold other parts note what is read of these. `narrow` only words a fix."""


class Noted(Mapping[str, tuple[Entry, ...]]):
    """The objects of a Snapshot, noting of which kinds somebody asks; going through all of them notes every kind."""

    def __init__(self, entries: Mapping[str, tuple[Entry, ...]], seen: set[str]) -> None:
        self._entries = entries
        self._seen = seen

    def __getitem__(self, kind: str) -> tuple[Entry, ...]:
        self._seen.add(kind)
        return self._entries[kind]

    def __iter__(self) -> Iterator[str]:
        self._seen.add(EVERY_KIND)
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def values(self) -> ValuesView[tuple[Entry, ...]]:  # noqa: D102 - as of every Mapping
        self._seen.add(EVERY_KIND)
        return self._entries.values()

    def items(self) -> ItemsView[str, tuple[Entry, ...]]:  # noqa: D102
        self._seen.add(EVERY_KIND)
        return self._entries.items()


class _Part:
    """A value that notes what its parts rest on; a part that nobody described rests on everything."""

    def __init__(self, value: object, rests: Mapping[str, Kinds], seen: set[str]) -> None:
        self._value = value
        self._rests = rests
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        self._seen.update(self._rests.get(name, (EVERY_KIND,)))
        return getattr(self._value, name)


_Value = TypeVar("_Value")


def _part(value: _Value, rests: Mapping[str, Kinds], seen: set[str]) -> _Value:
    return cast(_Value, _Part(value, rests, seen))


class Footing:
    """What the parts of one context rest on."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._inventory = resting(context.inventory)

    def noting(self, seen: set[str]) -> Context:
        """The context with a scene of its own; whatever is looked at adds the kinds that it rests on to `seen`.

        No scene is shared between rules: what one rule has computed would be read by another without a note.
        """
        context = self._context
        inventory = _part(noted(context.inventory, seen), self._inventory, seen)
        zone_map, facts = _part(context.zone_map, _MEMBERS, seen), _part(context.facts, FACTS, seen)
        scene = Scene(inventory=inventory, zone_map=zone_map, matrix=context.matrix, facts=facts)
        seen_as = replace(context, inventory=inventory, zone_map=zone_map, facts=facts, scene=scene)
        return _part(seen_as, {**_CONTEXT, "host_network": self._inventory["endpoints"]}, seen)


def noted(inventory: Inventory, seen: set[str]) -> Inventory:
    """The inventory, its snapshot adding to `seen` the kinds of which objects are read."""
    return replace(inventory, snapshot=_watched(inventory.snapshot, seen))


def _watched(snapshot: Snapshot, seen: set[str]) -> Snapshot:
    return replace(snapshot, entries=Noted(snapshot.entries, seen))


def told_by(inventory: Inventory) -> Kinds:
    """What told the platform of a live cluster, seen by looking once more; files claim nothing besides."""
    seen = set[str]()
    if inventory.snapshot.live:
        snapshot = _watched(inventory.snapshot, seen)
        detect(snapshot)
        detect(snapshot, inventory.profile.plugin)
    return frozenset(seen)


def resting(inventory: Inventory) -> Mapping[str, Kinds]:
    """By part of the Inventory. What the platform and its networks rest on is seen by looking at them once more."""
    platform, networks = told_by(inventory), set[str]()
    for one in (detect(inventory.snapshot), inventory.profile):
        networks_of(_watched(inventory.snapshot, networks), inventory.namespaces, one)
    of_networks = platform | networks | {"Namespace"}
    pods = of_networks | POPULATION | {"Node"}
    return {
        "namespaces": frozenset({"Namespace"}),
        "nodes": frozenset({"Node"}),
        "policies": frozenset({"NetworkPolicy"}),
        "profile": platform,
        "networks": of_networks,
        "snapshot": NOTHING,
        **dict.fromkeys(("workloads", "endpoints", "pods", "host_network", "endpoint_id"), pods),
    }
