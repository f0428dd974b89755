"""Topology: what stands in which zone, and whether the nodes of different zones reach each other.

Input: a Scene. Output: facts for TOP001, TOP004, TOP005. Decisions: only what is certain counts as foreign; the nodes
of a connectivity check are told by its pods and addresses, else by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audit.controls.scene import Scene, ref
from audit.exposure.publications import at, decoded, items, text
from audit.model import UNZONED, ObjectRef, Zone
from audit.snapshot import Entry
from audit.traffic import address_number, address_text

CHECK = "PodNetworkConnectivityCheck.controlplane.operator.openshift.io"
OPERATOR = "Network.operator.openshift.io"
READ: tuple[str, ...] = (
    CHECK,
    OPERATOR,
    "DNS.config.openshift.io",
    "EgressIP.k8s.ovn.org",
    "HostSubnet.network.openshift.io",
    "Infrastructure.config.openshift.io",
    "NetNamespace.network.openshift.io",
    "Route.route.openshift.io",
    "StorageClass.storage.k8s.io",
)
"""What the rules of topology read besides what every verdict needs."""


def zoned_nodes(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Zone -> its nodes, both sorted; nodes without a zone are left out."""
    found: dict[str, list[str]] = {}
    for name, membership in scene.zone_map.nodes.items():
        if membership.zone != UNZONED:
            found.setdefault(membership.zone, []).append(name)
    return {zone: tuple(sorted(names)) for zone, names in sorted(found.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Objects of one sort that belong to another zone than the one of the cluster."""

    what: str
    """`namespaces`, `nodes`, `routers`, `egress addresses`, `storage classes`."""
    zone: str
    objects: tuple[ObjectRef, ...]
    seen: tuple[str, ...]
    """What says so, one text for each."""


def strangers(scene: Scene) -> tuple[Stranger, ...]:
    """What belongs to another zone than the one of a single-zone cluster, by sort and zone."""
    home = scene.matrix.settings.cluster_zone
    found: dict[tuple[str, str], dict[ObjectRef, str]] = {}
    others = tuple(zone for zone in scene.zones if zone.name != home)
    for what, listed in (
        ("namespaces", _namespaces(scene, others)),
        ("nodes", _nodes(scene, others)),
        ("routers", _routers(scene, others)),
        ("egress addresses", _egress(scene, others)),
        ("storage classes", _classes(scene, others)),
    ):
        for zone, one, seen in listed:
            found.setdefault((what, zone), {}).setdefault(one, seen)
    return tuple(
        Stranger(what=what, zone=zone, objects=tuple(objects), seen=tuple(objects.values()))
        for (what, zone), objects in found.items()
    )


_Found = Iterator[tuple[str, ObjectRef, str]]
"""Zone, object, what says so."""


def _namespaces(scene: Scene, others: Iterable[Zone]) -> _Found:
    for zone in others:
        for one in scene.members(zone.name):
            yield zone.name, one.ref, f"{one.name}: {scene.zone_map.namespaces[one.name].reason}"


def _nodes(scene: Scene, others: Iterable[Zone]) -> _Found:
    names = {zone.name for zone in others}
    for name, node in scene.inventory.nodes.items():
        if (zone := scene.node_zone(name)) in names:
            yield zone, node.ref, f"{name}: {scene.zone_map.nodes[name].reason}"


def _routers(scene: Scene, others: Iterable[Zone]) -> _Found:
    claimed = {name: zone.name for zone in others for name in zone.ingress_controllers}
    for entry in scene.facts.entry_points:
        if entry.kind in ("router", "gateway") and (zone := claimed.get(entry.object.name)):
            yield zone, entry.object, f"{entry.object.name} is a router of the zone"


def _egress(scene: Scene, others: Iterable[Zone]) -> _Found:
    owned = [(zone.name, zone.egress_cidrs | zone.cidrs) for zone in others]
    for entry, address in _egress_addresses(scene):
        try:
            number = address_number(address)
        except ValueError:
            continue
        for zone, addresses in owned:
            if number in addresses:
                yield zone, ref(entry), f"{entry.name}: {address_text(number)}"


def _egress_addresses(scene: Scene) -> Iterator[tuple[Entry, str]]:
    for entry in scene.of("EgressIP.k8s.ovn.org"):
        yield from ((entry, one) for one in items(decoded(entry.body.spec), "egressIPs") if isinstance(one, str))
    for kind in ("NetNamespace", "HostSubnet"):
        for entry in scene.of(f"{kind}.network.openshift.io", kind):
            yield from ((entry, one) for one in entry.body.egressIPs or ())


def _classes(scene: Scene, others: Iterable[Zone]) -> _Found:
    claimed = {name: zone.name for zone in others for name in zone.storage_classes}
    for entry in scene.of("StorageClass.storage.k8s.io"):
        if zone := claimed.get(entry.name):
            yield zone, ref(entry), f"{entry.name} is a class of the zone"


def outside_home(scene: Scene) -> dict[ObjectRef, tuple[str, ...]]:
    """Nodes of a single-zone cluster with internal addresses outside the zone's CIDRs -> these addresses.

    Nodes of other zones are left out.
    """
    home = scene.matrix.settings.cluster_zone
    zone = scene.matrix.zone(home)
    if zone is None or not zone.cidrs:
        return {}
    found = {}
    for name, node in scene.inventory.nodes.items():
        strange = tuple(address_text(one) for one in node.addresses if one not in zone.cidrs)
        if strange and scene.node_zone(name) in (home, UNZONED):
            found[node.ref] = strange
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One connectivity check of the platform between nodes."""

    ref: ObjectRef
    source: str
    """Name of the node; empty when not known."""
    target: str
    reachable: bool | None
    """None when it says nothing."""
    message: str
    """Of the outage that goes on, or of the condition."""
    outages: int
    """How many outages it has recorded."""


def checks(scene: Scene) -> tuple[Check, ...]:
    """Every check, by name."""
    entries = tuple(scene.of(CHECK))
    if not entries:
        return ()
    places = _Places(scene)
    return tuple(_check(entry, places) for entry in entries)


class _Places:
    """Which node a pod, an address or the name of a check stands for."""

    def __init__(self, scene: Scene) -> None:
        self._nodes = scene.inventory.nodes
        self._of_address = {address: name for name, node in self._nodes.items() for address in node.published}
        self._of_pod: dict[tuple[str, str], str] = {}
        for pod in scene.inventory.endpoints:
            if pod.namespace == "openshift-network-diagnostics":
                self._of_pod[pod.namespace, pod.name] = pod.node
                self._of_address |= dict.fromkeys(pod.addresses, pod.node)

    def of_pod(self, namespace: str, name: str) -> str:
        return self._of_pod.get((namespace, name), "")

    def of_endpoint(self, endpoint: str) -> str:
        host = endpoint.rpartition(":")[0].strip("[]")
        try:
            return self._of_address.get(address_number(host), "")
        except ValueError:
            return ""

    def named(self, word: str) -> str:
        """The node that a part of a check's name ends with; the longest name counts."""
        parts = word.split("-")
        ends = ("-".join(parts[first:]) for first in range(len(parts)))
        return next((end for end in ends if end in self._nodes), "")


def _check(entry: Entry, places: _Places) -> Check:
    spec, status = decoded(entry.body.spec), decoded(entry.body.status)
    first, _, last = entry.name.partition("-to-")
    states = [one for one in items(status, "conditions") if text(one, "type") == "Reachable"]
    outages = [one for one in items(status, "outages") if isinstance(one, dict)]
    current = [one for one in outages if not one.get("end")]
    said = [*(text(one, "message") for one in current), *(text(one, "message") for one in states)]
    return Check(
        ref=ref(entry),
        source=places.of_pod(entry.namespace, text(spec, "sourcePod")) or places.named(first),
        target=places.of_endpoint(text(spec, "targetEndpoint")) or places.named(last),
        reachable={"True": True, "False": False}.get(text(states[0], "status")) if states else None,
        message=next(filter(None, said), ""),
        outages=len(outages),
    )


def diagnostics_off(scene: Scene) -> bool:
    """Whether the operator is told to make no connectivity checks."""
    return any(_setting(entry, "disableNetworkDiagnostics") is True for entry in scene.of(OPERATOR))


def _setting(entry: Entry, name: str) -> Any:
    return at(decoded(entry.body.spec), name)
