"""Where routers stand, and at which addresses clients reach them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from audit.bodies import Taint
from audit.controls.inbound import Gate, Inbound
from audit.controls.scene import Scene
from audit.inventory import Pod
from audit.model import UNZONED, Node, ObjectRef, Zone
from audit.selectors import LabelSelector
from audit.workloads import NodeRequirement, NodeTerm, PodSpec, Toleration

_REPELLING = ("NoSchedule", "NoExecute")


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
        self._open: dict[bytes, tuple[str, ...]] = {}

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
        found: set[str] = set()
        for pod in pods:
            if pod.spec is not None:
                daemon = self._scene.inventory.workloads[pod.workload].ref.kind == "DaemonSet"
                parts = (pod.spec.nodeSelector, pod.spec.affinity, pod.spec.tolerations)
                key = msgspec.json.encode(pod.workload if daemon else parts)  # each pod of a daemon names its node
                if key not in self._open:
                    nodes = self._scene.inventory.nodes.values()
                    self._open[key] = tuple(one.name for one in nodes if fits(pod.spec, one, daemon=daemon))
                found.update(self._open[key])
        return tuple(sorted(found))


def fits(spec: PodSpec, node: Node, *, daemon: bool = False) -> bool:
    """Whether a pod may be scheduled to a node, by node selector, required affinity and taints.

    `daemon`: it is of a DaemonSet, whose affinity names the node that the pod was made for and binds no other pod.
    Source: Kubernetes scheduler, plug-ins NodeAffinity and TaintToleration.
    """
    if any(node.labels.get(key) != value for key, value in (spec.nodeSelector or {}).items()):
        return False
    affinity = spec.affinity.nodeAffinity if spec.affinity else None
    required = affinity.requiredDuringSchedulingIgnoredDuringExecution if affinity else None
    if required and not any(_meets(term, node, daemon=daemon) for term in required.nodeSelectorTerms or ()):
        return False
    return all(_tolerated(taint, spec.tolerations or ()) for taint in node.taints if taint.effect in _REPELLING)


def _meets(term: NodeTerm, node: Node, *, daemon: bool) -> bool:
    """An empty term matches no node."""
    labels, fields = term.matchExpressions or (), term.matchFields or ()
    named = daemon or all(node.name in (one.values or ()) for one in fields if one.operator == "In")
    return bool(labels or fields) and named and all(_holds(one, node) for one in labels)


def _holds(one: NodeRequirement, node: Node) -> bool:
    """An operator that is not known may hold."""
    value, values = node.labels.get(one.key), one.values or ()
    match one.operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" if not (value or "").lstrip("-").isdigit():
            return False
        case _:
            return True


def _tolerated(taint: Taint, tolerations: Iterable[Toleration]) -> bool:
    return any(
        one.effect in (None, "", taint.effect)
        and (
            (not one.key and one.operator == "Exists")
            or (one.key == taint.key and (one.operator == "Exists" or (one.value or "") == (taint.value or "")))
        )
        for one in tolerations
    )


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
