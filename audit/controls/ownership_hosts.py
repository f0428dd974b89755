"""Who may run pods on the host network in zones: through security context constraints, or for want of a label.

Input: Ownership. Output: Openings, one for each way. Decisions: an own `enforce` label of a namespace that keeps the
host network out closes it; platforms without constraints are judged by that label alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from audit.access.subjects import VIRTUAL, Subject, account_namespace, group, user
from audit.controls.ownership import Holding, Ownership, only
from audit.controls.ownership_guards import Guards
from audit.controls.ownership_powers import Kind
from audit.controls.scene import Scene, ref
from audit.controls.storage_quotas import has_run_level
from audit.model import Namespace, ObjectRef
from audit.snapshot import Entry

CONSTRAINTS = "SecurityContextConstraints.security.openshift.io"
ENFORCE = "pod-security.kubernetes.io/enforce"
_CLOSED = frozenset({"baseline", "restricted"})
_POD_SECURITY = (4, 11)
"""The first OpenShift that acts on the label."""
_PODS = Kind("", "pods")


class Named(NamedTuple):
    """Constraints that list whoever may use them."""

    constraints: ObjectRef
    subjects: tuple[Subject, ...]


class Allowed(NamedTuple):
    """A role that lets its holders use constraints."""

    holding: Holding
    constraints: tuple[str, ...]


class Unlabelled(NamedTuple):
    """Namespaces of one zone that no label closes."""

    zone: str
    namespaces: tuple[Namespace, ...]
    guards: tuple[str, ...]
    """Admission guards that are asked about pods in all of them."""


def constrained(scene: Scene) -> bool:
    """Whether security context constraints decide, as on OpenShift."""
    return scene.inventory.profile.product in ("openshift-3", "openshift-4") or bool(any(scene.of(CONSTRAINTS)))


def named(found: Ownership) -> Iterator[Named]:
    """Constraints with the host network that name strangers who may run pods in zones."""
    for entry in _opening(found.scene):
        listed = (*map(user, entry.body.users or ()), *map(group, entry.body.groups or ()))
        if strangers := tuple(sorted({one for one in found.owners.strangers(listed) if _within(found.scene, one)})):
            yield Named(ref(entry), strangers)


def allowed(found: Ownership) -> Iterator[Allowed]:
    """Roles that let strangers use constraints with the host network in zones."""
    host = {entry.name for entry in _opening(found.scene)}
    for holding in found.holdings.get("constraints", ()):
        usable = {name for reach in holding.reaches for name in (reach.names or host)} & host
        given = []
        for one in holding.given:
            kept = tuple(
                subject
                for subject in one.subjects
                if (
                    _open(found.scene, one.binding.namespace)
                    if one.binding.namespace
                    else _within(found.scene, subject)
                )
            )
            if kept:
                given.append(only(one, kept))
        if usable and given:
            yield Allowed(replace(holding, given=tuple(given)), tuple(sorted(usable)))


def _opening(scene: Scene) -> Iterator[Entry]:
    """The constraints that allow the host network."""
    return (entry for entry in scene.of(CONSTRAINTS) if entry.body.allowHostNetwork)


def _within(scene: Scene, one: Subject) -> bool:
    """Whether it may stand behind pods of a zone; a service account only in its own namespace."""
    home = one.namespace or (account_namespace(one.name) if one.kind == "Group" else None)
    if home:
        return scene.kind_of(home) == "cluster" and _open(scene, home)
    return one.name not in VIRTUAL or any(
        _open(scene, each.name) for zone in scene.zones for each in scene.members(zone.name)
    )


def _open(scene: Scene, name: str) -> bool:
    """Whether no label of the namespace keeps the host network out."""
    namespace = scene.inventory.namespaces.get(name)
    return namespace is None or level(scene, namespace) not in _CLOSED


def level(scene: Scene, namespace: Namespace) -> str:
    """The level of Pod Security that a namespace enforces; empty where none is, or where nothing reads the label."""
    profile = scene.inventory.profile
    older = profile.product == "openshift-3" or (profile.version is not None and profile.version < _POD_SECURITY)
    return "" if older else namespace.labels.get(ENFORCE, "")


def unread(scene: Scene) -> tuple[str, ...]:
    """Namespaces of zones whose labels were not read, so that nobody knows their level; sorted by zone and name."""
    return tuple(one.name for zone in scene.zones for one in scene.members(zone.name) if not one.known)


def without_constraints(scene: Scene) -> Iterator[Namespace]:
    """Namespaces of zones in which the platform checks no constraints at all."""
    for zone in scene.zones:
        for namespace in scene.members(zone.name):
            if has_run_level(namespace):
                yield namespace


def unlabelled(scene: Scene, around: Guards) -> Iterator[Unlabelled]:
    """By zone the namespaces whose label lets pods onto the host network, or that have none."""
    for zone in scene.zones:
        parts: dict[tuple[str, ...], list[Namespace]] = {}
        for namespace in scene.members(zone.name):
            if namespace.known and _open(scene, namespace.name):
                names = tuple(one.name for one in around.admission if one.covers(_PODS, namespace))
                parts.setdefault(names, []).append(namespace)
        for names, listed in sorted(parts.items()):
            yield Unlabelled(zone.name, tuple(listed), names)
