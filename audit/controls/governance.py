"""Inventory: labels that policies take for zones, zones that the matrix lacks, tenants on the platform's ground.

Input: a Scene. Output: facts for the rules ZON005 and ZON008. Decisions: what a namespace carries is compared value by
value; namespaces whose object was not read may carry anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from audit.controls.scene import Scene, ref
from audit.model import CLUSTER_WIDE, NAME_LABEL, UNZONED, ObjectRef, Zone
from audit.selectors import LabelSelector, Requirement
from audit.zones import is_platform, stray_labels

POLICY_KINDS = ("NetworkPolicy", *CLUSTER_WIDE)
READ: tuple[str, ...] = (
    "ClusterRoleBinding.rbac.authorization.k8s.io",
    "ClusterRoleBinding.authorization.openshift.io",
    "Project.config.openshift.io",
    "Template.template.openshift.io",
)
"""What the rules of governance read besides what every verdict needs."""
RUN_LEVEL = "openshift.io/run-level"
_LOW_LEVELS = ("0", "1")
"""Run levels at which no security context constraint is applied to pods."""
_OPEN_GROUND = ("default", "kube-node-lease", "kube-public", "openshift")
"""Namespaces of the platform that hold no workload of it, but for those below."""
_OWN_OF_DEFAULT = ("docker-registry", "registry-console", "router")
"""Workloads that OpenShift 3 keeps in `default`; routers of further shards are known by what they serve."""
_SELECTORS = frozenset({"namespaceSelector", "namespaces"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakenKey:
    """A label by which policies select zones, with values that no namespace carries."""

    key: str
    values: tuple[tuple[str, str], ...]
    """(value, zone that it means), sorted."""
    policies: tuple[ObjectRef, ...]
    requirements: frozenset[str]
    """Those conditions of selectors as text."""
    unread: tuple[str, ...]
    """Namespaces whose labels were not read, so that they may carry it."""


def mistaken_keys(scene: Scene) -> tuple[MistakenKey, ...]:
    """One for each key, sorted; zones without a namespace are left out, since nothing says how they are labelled."""
    words = _ZoneWords(zone.name for zone in scene.zones if any(True for _ in scene.members(zone.name)))
    carried, keys = _carried(scene), _zone_keys(scene)
    read: dict[bytes, tuple[Requirement, ...]] = {}
    found: dict[str, _Draft] = {}
    for policy in scene.of(*POLICY_KINDS):
        spec = bytes(policy.body.spec)
        if spec not in read:  # most namespaces of a zone have the same policy
            read[spec] = tuple(one for one in _requirements(spec) if _carried_by_nobody(one, carried))
        for one in read[spec]:
            meant = [(value, words.zone(value)) for value in one.values]
            if all(zone and not (zone == value and one.key in keys) for value, zone in meant):
                draft = found.setdefault(one.key, _Draft(set(), {}, set()))
                draft.values.update(meant)
                draft.policies[ref(policy)] = None
                draft.requirements.add(str(one))
    unread = tuple(name for name, one in scene.inventory.namespaces.items() if not one.known and not is_platform(name))
    return tuple(
        MistakenKey(
            key=key,
            values=tuple(sorted(draft.values)),
            policies=tuple(sorted(draft.policies)),
            requirements=frozenset(draft.requirements),
            unread=unread,
        )
        for key, draft in sorted(found.items())
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    values: set[tuple[str, str]]
    policies: dict[ObjectRef, None]
    requirements: set[str]


class _ZoneWords:
    """Which zone a word means: its name by itself, or as a part between `-`, `_` or `.`, in any case."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name.lower(): name for name in names}
        listed = "|".join(re.escape(name) for name in sorted(self._names, key=lambda name: (-len(name), name)))
        self._part = re.compile(rf"(?:^|[-_.])({listed})(?=$|[-_.])") if listed else None

    def zone(self, word: str) -> str:
        """Its name; empty when it means none."""
        word = word.lower()
        part = self._part.search(word) if self._part else None
        return self._names.get(word) or (self._names[part[1]] if part else "")


def _carried(scene: Scene) -> frozenset[tuple[str, str]]:
    spaces = scene.inventory.namespaces.values()
    return frozenset(label for one in spaces if one.known for label in one.labels.items())


def _zone_keys(scene: Scene) -> frozenset[str]:
    """Label keys by which the matrix puts namespaces into zones."""
    selectors = (zone.namespaces.keys for zone in scene.matrix.zones if zone.namespaces)
    return frozenset(scene.matrix.settings.zone_labels).union(*selectors)


def _carried_by_nobody(one: Requirement, carried: frozenset[tuple[str, str]]) -> bool:
    return one.operator == "In" and one.key != NAME_LABEL and carried.isdisjoint((one.key, v) for v in one.values)


def _requirements(spec: bytes) -> tuple[Requirement, ...]:
    """Every condition that a policy puts on labels of namespaces."""
    try:
        raw = msgspec.json.decode(spec) if spec else None
    except msgspec.DecodeError:
        return ()
    return tuple(_within(raw))


def _within(node: Any) -> Iterator[Requirement]:
    for key, value in node.items() if isinstance(node, dict) else ():
        if key in _SELECTORS and isinstance(value, dict):
            # A peer `namespaces` of the first cluster-wide policies holds its selector one level deeper.
            yield from _parsed(value.get("namespaceSelector", value))
        else:
            yield from _within(value)
    for value in node if isinstance(node, list) else ():
        yield from _within(value)


def _parsed(raw: object) -> tuple[Requirement, ...]:
    try:
        return LabelSelector.parse(raw).requirements
    except ValueError:
        return ()


def zone_labels(zone: Zone, keys: Iterable[str]) -> Mapping[str, str]:
    """The labels that put a namespace into a zone; empty where no plain label does."""
    if zone.namespaces is None:
        return dict.fromkeys(list(keys)[:1], zone.name)
    plain = [one for one in zone.namespaces.requirements if one.operator == "In" and len(one.values) == 1]
    return {one.key: one.values[0] for one in plain} if len(plain) == len(zone.namespaces.requirements) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangeZone:
    """A zone that nodes are labelled with and the matrix lacks."""

    label: str
    """`key=value`."""
    nodes: tuple[ObjectRef, ...]
    namespaces: tuple[str, ...]
    """Those that carry the value, too, under a zone label."""


def strange_zones(scene: Scene) -> tuple[StrangeZone, ...]:
    """By label; nodes that a selector or an address gives a zone are left out."""
    keys, found = scene.matrix.settings.node_labels, dict[str, list[ObjectRef]]()
    for name, node in scene.inventory.nodes.items():
        for label in stray_labels(scene.matrix, keys, node.labels) if scene.node_zone(name) == UNZONED else ():
            found.setdefault(label, []).append(node.ref)
    spaces: dict[str, list[str]] = {}
    for name, one in scene.inventory.namespaces.items() if found else ():
        for label in stray_labels(scene.matrix, scene.matrix.settings.zone_labels, one.labels):
            spaces.setdefault(label.partition("=")[2], []).append(name)
    return tuple(
        StrangeZone(label=label, nodes=tuple(nodes), namespaces=tuple(spaces.get(label.partition("=")[2], ())))
        for label, nodes in sorted(found.items())
    )


def captured_platform(scene: Scene) -> tuple[tuple[str, str, str], ...]:
    """(namespace, zone, label) of namespaces of the platform that a label, and not their name, puts into a zone."""
    found = []
    for name, membership in scene.zone_map.namespaces.items():
        if is_platform(name) and scene.kind_of(name) == "cluster" and (label := _capturing(scene, name)):
            found.append((name, membership.zone, label))
    return tuple(sorted(found))


def _capturing(scene: Scene, name: str) -> str:
    """The label by which a namespace is in its zone; empty where something else decides."""
    membership = scene.zone_map.namespaces[name]
    if membership.reason.startswith("label "):
        return membership.reason.removeprefix("label ")
    zone, labels = scene.matrix.zone(membership.zone), scene.inventory.namespaces[name].labels
    if zone is None or zone.namespaces is None or NAME_LABEL in zone.namespaces.keys:
        return ""
    return next((f"{key}={labels[key]}" for key in sorted(zone.namespaces.keys) if key in labels), "")


def tenants_on_platform(scene: Scene) -> Mapping[str, tuple[ObjectRef, ...]]:
    """Namespace -> workloads that are none of the platform's, where no zone of applications holds the namespace.

    Only of a cluster: manifests that name no namespace stand in `default` by mere convention.
    """
    if not scene.cluster:
        return {}
    routers = {router for entry in scene.facts.entry_points for router in entry.routers}
    found: dict[str, list[ObjectRef]] = {}
    for workload in scene.inventory.workloads:
        one = workload.ref
        if one not in routers and _open_ground(scene, one.namespace) and not _own(one):
            found.setdefault(one.namespace, []).append(one)
    return {name: tuple(listed) for name, listed in sorted(found.items())}


def _open_ground(scene: Scene, name: str) -> bool:
    if scene.kind_of(name) == "cluster":
        return False
    return name in _OPEN_GROUND or (not is_platform(name) and run_level(scene, name) in _LOW_LEVELS)


def run_level(scene: Scene, name: str) -> str:
    """The run level of a namespace; empty when it has none."""
    namespace = scene.inventory.namespaces.get(name)
    return namespace.labels.get(RUN_LEVEL, "") if namespace else ""


def _own(one: ObjectRef) -> bool:
    return one.namespace == "default" and one.kind == "DeploymentConfig" and one.name in _OWN_OF_DEFAULT
