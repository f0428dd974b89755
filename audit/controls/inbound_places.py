"""Where routers stand, and at which addresses clients reach them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.controls.inbound import Gate, Inbound
from audit.controls.placement import NodeIndex, Placement, placement
from audit.controls.scene import Scene
from audit.inventory import Pod
from audit.model import UNZONED, ObjectRef, Zone
from audit.selectors import LabelSelector
from audit.workloads import NodeSelector, NodeTerm


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the pods of one router of a zone run, and may run."""

    gate: Gate
    workloads: tuple[ObjectRef, ...]
    pods: int
    """Those that the input shows; templates do not count."""
    nodes: tuple[str, ...]
    """Where they run, sorted."""
    outside: tuple[str, ...]
    """Nodes of these that are in another zone or in none: `n2 of zone b`."""
    placeless: int
    """Pods whose node is not in the input."""
    roaming: tuple[str, ...]
    """Other nodes, in another zone or in none, that its pods may be scheduled to."""
    ready: tuple[str, ...]
    """Nodes with a pod that certainly is ready."""
    most: int
    """Nodes that may have a ready pod, those counted that are not known."""


def standings(scene: Scene, found: Inbound) -> Iterator[Standing]:
    """One for each router and Gateway that belongs to a zone of this cluster."""
    places = _Places(scene)
    for gate in found.of_zones():
        if not _at_home(scene, gate.zone):
            continue
        pods = [scene.inventory.endpoints[index] for index in gate.router.pods]
        running = [pod for pod in pods if not pod.template]
        known = sorted({pod.node for pod in running if pod.node in scene.inventory.nodes})
        alive = [pod for pod in running if pod.ready is not False and places.alive(pod.node)]
        numbers = sorted({pod.workload for pod in pods})
        yield Standing(
            gate=gate,
            workloads=tuple(scene.inventory.workloads[number].ref for number in numbers),
            pods=len(running),
            nodes=tuple(known),
            outside=tuple(places.told(name) for name in known if scene.node_zone(name) != gate.zone),
            placeless=sum(pod.node not in scene.inventory.nodes for pod in running),
            roaming=tuple(places.told(name) for name in places.open_to(pods) if scene.node_zone(name) != gate.zone),
            ready=tuple(sorted({pod.node for pod in alive if pod.ready and pod.node})),
            most=len({pod.node or f"pod {pod.name}" for pod in alive}),
        )


class _Places:
    """Nodes as somewhere to run."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._index = NodeIndex(scene.inventory.nodes.values(), lasting=True)

    def told(self, name: str) -> str:
        """A node with its zone, for people."""
        zone = self._scene.node_zone(name)
        return f"{name} of no zone" if zone == UNZONED else f"{name} of zone {zone}"

    def alive(self, name: str) -> bool:
        """Whether a node may be ready."""
        node = self._scene.inventory.nodes.get(name)
        return node is None or node.ready is not False

    def open_to(self, pods: Sequence[Pod]) -> tuple[str, ...]:
        """Nodes that some of the pods may be scheduled to, sorted."""
        found = 0
        for pod in pods:
            daemon = self._scene.inventory.workloads[pod.workload].ref.kind == "DaemonSet"
            one = placement(pod.spec)
            found |= self._index.landing(of_any_node(one) if daemon else one)
        return self._index.named(found)


def of_any_node(one: Placement) -> Placement:
    """What binds every pod of a DaemonSet alike: the affinity of each also names the node that it was made for."""
    terms = one.affinity.nodeSelectorTerms or () if one.affinity else ()
    if any(term.matchFields and not term.matchExpressions for term in terms):
        return one._replace(affinity=None)
    kept = tuple(NodeTerm(matchExpressions=term.matchExpressions) for term in terms)
    return one._replace(affinity=NodeSelector(nodeSelectorTerms=kept)) if terms else one


def missing_gates(scene: Scene, found: Inbound) -> Iterator[tuple[Zone, str]]:
    """(zone, name) of routers that a zone of this cluster names and the cluster does not have."""
    known = {one.ref.name for one in found.gates}
    if not scene.cluster or not found.gates:
        return
    for zone in scene.zones:
        if _at_home(scene, zone.name):
            yield from ((zone, name) for name in zone.ingress_controllers if name not in known)


def _at_home(scene: Scene, zone: str) -> bool:
    """Whether a zone may be here at all; where it may not, its routers are too many as such, which TOP001 says."""
    settings = scene.matrix.settings
    return settings.cluster_mode == "multi-zone" or zone == settings.cluster_zone


def zone_nodes(zone: Zone, key: str) -> dict[str, str]:
    """Labels that every node of a zone has, where its selector asks for labels."""
    selector = zone.nodes or LabelSelector.parse({"matchLabels": {key: zone.name}})
    return {one.key: one.values[0] for one in selector.requirements if one.operator == "In" and len(one.values) == 1}
