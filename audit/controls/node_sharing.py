"""Who shares nodes: pods of a zone elsewhere, strangers on its nodes, and workloads that only luck keeps at home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

from audit.controls.node_isolation import Isolation, is_static, is_tenant
from audit.controls.placement import Placement, merged, placement
from audit.inventory import Pod, Workload
from audit.model import UNZONED, Zone
from audit.zones import is_platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Misplaced:
    """Pods of one namespace on nodes of one other zone."""

    namespace: str
    zone: str
    """Of the namespace."""
    node_zone: str
    """UNZONED for nodes of no zone."""
    workloads: tuple[int, ...]
    nodes: tuple[str, ...]
    pods: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocated:
    """Pods that run on a node which the input does not tell."""

    namespace: str
    zone: str
    workloads: tuple[int, ...]
    node: str
    """As the pods name it; empty where they name none."""


def misplaced(ground: Isolation) -> tuple[tuple[Misplaced, ...], tuple[Unlocated, ...]]:
    """Running pods where a zone with nodes of its own and somebody else share a node, and those nobody can place."""
    wrong: dict[tuple[str, str, str], list[Pod]] = {}
    unknown: dict[tuple[str, str, str], set[int]] = {}
    scene, asking = ground.scene, {zone.name for zone in ground.zones}
    known, claims = scene.inventory.nodes, scene.zone_map.nodes
    tenants = {name: scene.zone_of(name) for name in scene.inventory.namespaces if is_tenant(scene, name)}
    for pod in scene.inventory.endpoints:
        zone = tenants.get(pod.namespace)
        if zone is None or pod.template or not _counts(zone, pod, scene.inventory.workloads[pod.workload]):
            continue
        if pod.node not in known:
            if zone in asking and (pod.node or _runs(pod)):
                unknown.setdefault((zone, pod.namespace, pod.node), set()).add(pod.workload)
            continue
        there = scene.node_zone(pod.node)
        if there != zone and (zone in asking or there in asking) and len(claims[pod.node].claims) < 2:  # noqa: PLR2004
            wrong.setdefault((zone, pod.namespace, there), []).append(pod)
    return (
        tuple(_misplaced(key, pods) for key, pods in sorted(wrong.items())),
        tuple(
            Unlocated(namespace=namespace, zone=zone, workloads=tuple(sorted(ids)), node=node)
            for (zone, namespace, node), ids in sorted(unknown.items())
        ),
    )


def _counts(zone: str, pod: Pod, workload: Workload) -> bool:
    """Not static pods, nor the agents that the platform, or a namespace of no zone, runs on every node."""
    agent = workload.ref.kind == "DaemonSet" and (zone == UNZONED or is_platform(pod.namespace))
    return not agent and not is_static(workload)


def _runs(pod: Pod) -> bool:
    """Whether a pod that names no node must have one: it has an address, or was ready or not."""
    return bool(pod.addresses) or pod.ready is not None


def _misplaced(key: tuple[str, str, str], pods: list[Pod]) -> Misplaced:
    zone, namespace, node_zone = key
    return Misplaced(
        namespace=namespace,
        zone=zone,
        node_zone=node_zone,
        workloads=tuple(sorted({pod.workload for pod in pods})),
        nodes=tuple(sorted({pod.node for pod in pods})),
        pods=len(pods),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """Workloads that stay on the nodes of their zone only if something the input does not show keeps them there."""

    namespace: str
    zone: Zone
    workloads: tuple[int, ...]
    beyond: tuple[str, ...]
    unseen: tuple[str, ...]
    """Of workloads without a pod: what may place these; empty for those whose pods show that nothing did."""


def loose(ground: Isolation) -> Iterator[Loose]:
    """Workloads that could land beyond their zone, of namespaces of which nobody can tell whether they are confined."""
    zones = {zone.name: zone for zone in ground.zones}
    for name, state in sorted(ground.states.items()):
        if state == "unknown":
            yield from _loose(ground, name, zones[ground.scene.zone_of(name)])


def _loose(ground: Isolation, namespace: str, zone: Zone) -> Iterator[Loose]:
    admitted, own = ground.admitted[namespace], ground.bits[zone.name]
    found: dict[tuple[str, ...], dict[int, int]] = {}
    for one, ids, unseen in _carried(ground, namespace):
        bound = merged(one, admitted.certain.selector)
        beyond = ground.index.landing(bound) & ~own if bound else 0
        group = found.setdefault(unseen, {})
        group.update({number: group.get(number, 0) | beyond for number in ids if beyond})
    for unseen, workloads in sorted(found.items()):
        if workloads:
            beyond = reduce(or_, workloads.values())
            yield Loose(
                namespace=namespace,
                zone=zone,
                workloads=tuple(sorted(workloads)),
                beyond=ground.index.named(beyond),
                unseen=unseen,
            )


def _carried(ground: Isolation, namespace: str) -> Iterator[tuple[Placement, tuple[int, ...], tuple[str, ...]]]:
    """What running pods and templates of a namespace carry, whose, and what may place these besides.

    A bare pod never moves again.
    """
    workloads = ground.scene.inventory.workloads
    for one, ids in ground.placements.get(namespace, {}).items():
        yield one, tuple(number for number in ids if workloads[number].ref.kind != "Pod"), ()
    for pod in ground.templates.get(namespace, ()):
        yield placement(pod.spec, bound=False), (pod.workload,), ground.admitted[namespace].blind
