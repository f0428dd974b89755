"""Which rules of a policy let a zone do more than the matrix allows, and what may stay of them.

A hint must not break what is allowed: ports may be cut only in a rule that serves one zone, since they hold for every
peer of the rule. Where a pod may count as one of several zones it counts as all of them here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache, cached_property

from audit.flows import Cause
from audit.inventory import Inventory, Pod
from audit.model import UNZONED, ObjectRef, ZoneMatrix, may_match
from audit.policy.clause import Block, Clause, OwnPods, Peer, PolicyText, SelectedPods
from audit.policy.networkpolicy import lower
from audit.policy.specs import SpecError
from audit.selectors import LabelSelector
from audit.traffic import NONE, AddressSet, Traffic
from audit.zones import ZoneMap

Narrow = Callable[[Cause, str, Traffic], "Narrowing | None"]
"""`(cause, peer zone, what the matrix allows with it)` -> Narrowing; None where the rule is not at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """How to repair one policy for one zone on the other side."""

    rules: tuple[int, ...]
    """Rules at fault, among them the one of the cause."""
    peers: tuple[str, ...]
    """Their peers that cover the zone, in words."""
    shared: bool
    """Whether they serve other zones too, or may: then only their peers can be narrowed."""
    ports: Traffic = NONE
    """What may stay of the ports; NONE where nothing may, and where that cannot be told."""


def narrowings(inventory: Inventory, zone_map: ZoneMap, matrix: ZoneMatrix) -> Narrow:
    """A function that says how to repair the policy of a cause."""
    zones_of = _PeerZones(inventory, zone_map, matrix)

    @cache
    def policies() -> dict[ObjectRef, bytes]:
        return {ObjectRef("NetworkPolicy", one.namespace, one.name): bytes(one.body.spec) for one in inventory.policies}

    def narrow(cause: Cause, zone: str, allowed: Traffic) -> Narrowing | None:
        text = _text(policies().get(cause.ref, b"") if cause.ref else b"")
        if text is None or cause.ref is None:
            return None
        namespace = cause.ref.namespace
        touching = [
            clause
            for clause in text.clauses
            if clause.direction == cause.direction and zone in zones_of.clause(namespace, clause)
        ]
        wrong = [one for one in touching if one.index == cause.rule or one.ports.traffic - allowed]
        if cause.rule not in {one.index for one in wrong}:
            return None
        peers = [str(peer) for one in wrong for peer in one.peers if zone in zones_of.peer(namespace, peer)]
        exact = not any(one.unknown or one.ports.unknown or one.ports.named for one in touching)
        return Narrowing(
            rules=tuple(one.index for one in wrong),
            peers=tuple(dict.fromkeys(peers)),
            shared=not exact or any(zones_of.clause(namespace, one) != {zone} for one in wrong),
            ports=wrong[0].ports.traffic & allowed if len(wrong) == 1 else NONE,
        )

    return narrow


def _text(spec: bytes) -> PolicyText | None:
    try:
        return lower(spec) if spec else None
    except SpecError:
        return None


class _PeerZones:
    """The zones that the peers of rules cover."""

    def __init__(self, inventory: Inventory, zone_map: ZoneMap, matrix: ZoneMatrix) -> None:
        from audit.exposure.routers import SHARD_LABEL  # the engine is heavy, and help texts come by this module

        self._shard_label = SHARD_LABEL
        self._inventory = inventory
        self._zone_map = zone_map
        self._every = frozenset((*(zone.name for zone in matrix.zones), UNZONED))
        self._shards = [(shard, zone.name) for zone in matrix.zones for shard in zone.ingress_controllers]
        self._pods: dict[str, list[Pod]] = {}
        for pod in inventory.endpoints:
            self._pods.setdefault(pod.namespace, []).append(pod)
        self._alone: dict[str, frozenset[str]] = {}
        self._found: dict[object, frozenset[str]] = {}
        self._homes: dict[str, frozenset[str]] = {}

    def clause(self, namespace: str, clause: Clause) -> frozenset[str]:
        """Zones of all peers of a rule."""
        return self._every if clause.unknown else frozenset().union(*(self.peer(namespace, p) for p in clause.peers))

    def peer(self, namespace: str, peer: Peer) -> frozenset[str]:
        """Zones of one peer; every zone where it cannot be told."""
        key = (namespace if isinstance(peer, OwnPods) else "", peer)
        if key not in self._found:
            self._found[key] = frozenset(self._zones(namespace, peer))
        return self._found[key]

    def _zones(self, namespace: str, peer: Peer) -> Iterable[str]:
        match peer:
            case OwnPods(pods):
                return self._members(namespace, pods)
            case SelectedPods(spaces, pods):
                chosen = [one.name for one in self._inventory.namespaces.values() if may_match(spaces, one)]
                return {zone for name in chosen for zone in self._members(name, pods)}
            case Block(addresses):
                return self._addressed(addresses)
        return self._every

    def _members(self, namespace: str, pods: LabelSelector) -> AbstractSet[str]:
        """Zones of the pods of a namespace that match; its own zone where it holds no pod yet."""
        listed = self._pods.get(namespace, [])
        if not listed or not pods.requirements:
            return self._home(namespace, listed)
        return {zone for pod in listed if pods.matches(pod.labels) for zone in self._of(pod)}

    def _home(self, namespace: str, pods: Iterable[Pod]) -> frozenset[str]:
        """Zones of all pods of a namespace."""
        found = self._homes.get(namespace)
        if found is None:
            zones = frozenset().union(*map(self._of, pods))
            found = self._homes[namespace] = zones or frozenset({self._zone_map.namespaces[namespace].zone})
        return found

    def _addressed(self, addresses: AddressSet) -> set[str]:
        outside = {name for name, owned in self._zone_map.addresses if owned & addresses}
        return outside | {
            zone
            for zone, numbers in self._numbers.items()
            if any(bisect_left(numbers, low) < bisect_right(numbers, high) for low, high in addresses.spans)
        }

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        """Zone -> addresses of all its pods, ascending."""
        found: dict[str, list[int]] = {}
        for pod in self._inventory.endpoints:
            for zone in self._of(pod):
                found.setdefault(zone, []).extend(pod.addresses)
        return {zone: sorted(numbers) for zone, numbers in found.items()}

    def _of(self, pod: Pod) -> frozenset[str]:
        """Every zone that a pod may count as: its namespace's, its node's on the host network, its router shard's."""
        zone = self._zone_map.namespaces[pod.namespace].zone
        alone = self._alone.get(zone)
        if alone is None:
            alone = self._alone[zone] = frozenset({zone})
        if not pod.host_network and self._shard_label not in pod.labels:
            return alone
        shard = pod.labels.get(self._shard_label, "")
        node = self._zone_map.nodes.get(pod.node) if pod.host_network else None
        return alone.union({node.zone} if node else (), (one for name, one in self._shards if shard and name == shard))
