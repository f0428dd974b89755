"""Compute isolation: what keeps the pods of a zone on its nodes, and everybody else away from them.

Input: a Scene. Decisions: only zones that ask for `node-isolation` are judged; a namespace is confined if the freest
pod that it admits, one that names its node itself, can run on nodes of the zone alone; what only running pods show (a
default or a webhook that the input does not hold) is judged by what these pods carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from audit.controls.placement import NodeIndex, Placement, placement
from audit.controls.pod_mutation import READ as ENGINES
from audit.controls.pod_mutation import validators
from audit.controls.project_selectors import SCHEDULER, Admitted, Platform, admitted, platform_of, wanted_annotation
from audit.controls.scene import Scene
from audit.inventory import Pod, Workload
from audit.model import Namespace, Zone
from audit.zones import is_platform

READ = (*ENGINES, SCHEDULER)
"""Kind keys that this control reads beside those that every verdict needs."""
REQUIREMENT = "node-isolation"
NOT_ASKED = "no zone of the matrix has `requires: [node-isolation]`"
State = Literal["confined", "open", "unknown", "nowhere", "unreadable"]


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """The ground of all questions: nodes, what namespaces admit, and who is asked about."""

    scene: Scene
    zones: tuple[Zone, ...]
    """The zones that ask for nodes of their own, and have some."""
    homeless: tuple[Zone, ...]
    """Those that ask for nodes and have none."""
    index: NodeIndex
    """Nodes with what lasts of their taints."""
    admitted: Mapping[str, Admitted]
    platform: Platform

    @property
    def asked(self) -> bool:
        """Whether any zone asks for nodes of its own."""
        return bool(self.zones or self.homeless)

    @cached_property
    def bits(self) -> Mapping[str, int]:
        """The nodes of each zone; one that several claim counts for each of them, which is another rule's fault."""
        names: dict[str, list[str]] = {zone.name: [] for zone in self.zones}
        for node, membership in self.scene.zone_map.nodes.items():
            for zone in names.keys() & set(membership.claims):
                names[zone].append(node)
        return {zone: self.index.bits(listed) for zone, listed in names.items()}

    @cached_property
    def placements(self) -> Mapping[str, Mapping[Placement, tuple[int, ...]]]:
        """By namespace what its running pods carry, each with the workloads that do; static pods are left out."""
        found: dict[str, dict[Placement, set[int]]] = {}
        for pod in self.scene.inventory.endpoints:
            if not pod.template and not is_static(self.scene.inventory.workloads[pod.workload]):
                found.setdefault(pod.namespace, {}).setdefault(placement(pod.spec), set()).add(pod.workload)
        return {name: {one: tuple(sorted(ids)) for one, ids in listed.items()} for name, listed in found.items()}

    @cached_property
    def templates(self) -> Mapping[str, tuple[Pod, ...]]:
        """By namespace the workloads without pods."""
        found: dict[str, list[Pod]] = {}
        for pod in self.scene.inventory.endpoints:
            if pod.template:
                found.setdefault(pod.namespace, []).append(pod)
        return {name: tuple(pods) for name, pods in found.items()}

    @cached_property
    def states(self) -> Mapping[str, State]:
        """Of each namespace of the zones whether its pods are kept on the nodes of its zone."""
        return {
            namespace.name: self._state(namespace, self.bits[zone.name])
            for zone in self.zones
            for namespace in self.scene.members(zone.name)
        }

    def _state(self, namespace: Namespace, own: int) -> State:
        one, index = self.admitted[namespace.name], self.index
        if one.error:
            return "unreadable"
        if not index.reach(one.certain) & ~own:
            return "confined" if index.labelled(one.certain.selector) & own else "nowhere"
        if one.blind and not self.running_beyond(namespace.name, own):
            return "unknown"
        if one.doubts and not index.reach(one.possible) & ~own:
            return "unknown"
        return "open"

    def running_beyond(self, namespace: str, own: int) -> int:
        """The other nodes on which running pods of a namespace could land by all that they carry."""
        found = 0
        for one in self.placements.get(namespace, ()):
            found |= self.index.landing(one)
        return found & ~own

    def selecting(self, zone: Zone) -> str:
        """A project node selector that only nodes of the zone match, `key=value,...`; empty where none is at hand."""
        asked = zone.nodes.requirements if zone.nodes else ()
        exact = tuple((one.key, one.values[0]) for one in asked if one.operator == "In" and len(one.values) == 1)
        labelled = [((key, zone.name),) for key in self.scene.matrix.settings.node_labels]
        for labels in (exact, *labelled):
            found = self.index.labelled(labels)
            if labels and found and not found & ~self.bits.get(zone.name, 0):
                return ",".join(f"{key}={value}" for key, value in labels)
        return ""

    def annotation(self, namespace: Namespace) -> str:
        """The annotation that has to hold its project node selector."""
        return wanted_annotation(self.platform, namespace.annotations)

    @cached_property
    def engines(self) -> tuple[str, ...]:
        """Engines that may refuse pods."""
        return validators(self.scene)


def isolation(scene: Scene) -> Isolation:
    """The ground for this input."""
    wanting = [zone for zone in scene.zones if REQUIREMENT in zone.requires]
    housed = {zone for membership in scene.zone_map.nodes.values() for zone in membership.claims}
    return Isolation(
        scene=scene,
        zones=tuple(zone for zone in wanting if zone.name in housed),
        homeless=tuple(zone for zone in wanting if zone.name not in housed),
        index=NodeIndex(scene.inventory.nodes.values(), lasting=True),
        admitted=admitted(scene),
        platform=platform_of(scene),
    )


def shown(names: Sequence[str], most: int = 5) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def is_static(workload: Workload) -> bool:
    """Whether a kubelet runs it from a file of its node, past all admission."""
    return workload.ref.kind == "Node"


def is_tenant(scene: Scene, namespace: str) -> bool:
    """Whether a namespace holds applications: of a zone of the cluster, or of none and not the platform's."""
    kind = scene.kind_of(namespace)
    return kind == "cluster" or (not kind and not is_platform(namespace))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfined:
    """A namespace that its zone cannot rely on."""

    namespace: Namespace
    zone: Zone
    state: State
    admitted: Admitted
    beyond: tuple[str, ...]
    """Nodes outside the zone on which a pod of the namespace may land."""


def unconfined(ground: Isolation) -> Iterator[Unconfined]:
    """Every namespace that is not certainly confined, zone by zone."""
    for zone in ground.zones:
        own = ground.bits[zone.name]
        for namespace in ground.scene.members(zone.name):
            state, one = ground.states[namespace.name], ground.admitted[namespace.name]
            if state != "confined" or one.repeated:
                yield Unconfined(
                    namespace=namespace,
                    zone=zone,
                    state=state,
                    admitted=one,
                    beyond=ground.index.named(ground.index.reach(one.certain) & ~own),
                )
