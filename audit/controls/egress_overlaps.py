"""Pods that several EgressIPs select: which of them decides is not defined.

Input: a Scene. Output: one Overlap per set of objects. Decisions: label sets are tried, not pods; in a namespace
without pods only objects that take all pods are said to meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.controls.egress import system
from audit.controls.egress_values import owner_zone
from audit.controls.scene import Scene
from audit.exposure.egressips import EgressIP, egress_ips
from audit.exposure.selecting import picked
from audit.model import ObjectRef
from audit.traffic import address_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Some EgressIPs that select the same pods."""

    refs: tuple[ObjectRef, ...]
    """Sorted."""
    namespaces: tuple[str, ...]
    """Where they do, sorted."""
    zone: str
    """Of the namespaces."""
    pods: int
    address_zones: tuple[str, ...]
    """Zones that their addresses belong to, sorted; empty text for none."""


def overlaps(scene: Scene) -> tuple[Overlap, ...]:
    """In namespaces of zones, by zone and objects."""
    if system(scene) != "ovn":
        return ()
    listed = egress_ips(scene.inventory.snapshot)
    several = {
        name: [number for number, sure in chosen if sure]
        for name, chosen in picked(scene.inventory.namespaces, [one.namespaces for one in listed]).items()
        if len(chosen) > 1 and scene.kind_of(name) == "cluster"
    }
    pods = _pods(scene, several)
    found: dict[tuple[str, tuple[int, ...]], dict[str, int]] = {}
    for name, numbers in several.items():
        for meeting, count in _meetings(listed, numbers, pods.get(name, ())).items():
            found.setdefault((scene.zone_of(name), meeting), {})[name] = count
    return tuple(_overlap(scene, listed, zone, numbers, places) for (zone, numbers), places in sorted(found.items()))


def unclear(scene: Scene) -> tuple[ObjectRef, ...]:
    """EgressIPs of which nobody can tell whether they select some namespace, sorted: their selector cannot be read.

    Or it is one that may pick a namespace whose labels were not read.
    """
    if system(scene) != "ovn":
        return ()
    listed = egress_ips(scene.inventory.snapshot)
    chosen = picked(scene.inventory.namespaces, [one.namespaces for one in listed]).values()
    return tuple(sorted({listed[number].ref for each in chosen for number, sure in each if not sure}))


def _pods(scene: Scene, names: dict[str, list[int]]) -> dict[str, list[dict[str, str]]]:
    """Labels of the pods on the pod network of some namespaces."""
    found: dict[str, list[dict[str, str]]] = {}
    for pod in scene.inventory.endpoints if names else ():
        if pod.namespace in names and not pod.host_network:
            found.setdefault(pod.namespace, []).append(dict(pod.labels))
    return found


def _meetings(
    listed: Sequence[EgressIP], numbers: Sequence[int], pods: Sequence[dict[str, str]]
) -> dict[tuple[int, ...], int]:
    """Sets of objects that select one pod -> number of such pods."""
    found: dict[tuple[int, ...], int] = {}
    if not pods:
        always = tuple(one for one in numbers if (selector := listed[one].pods) and not selector.requirements)
        return {always: 0} if len(always) > 1 else {}
    for labels in pods:
        chosen = tuple(one for one in numbers if (selector := listed[one].pods) and selector.matches(labels))
        if len(chosen) > 1:
            found[chosen] = found.get(chosen, 0) + 1
    return found


def _overlap(
    scene: Scene, listed: Sequence[EgressIP], zone: str, numbers: tuple[int, ...], places: dict[str, int]
) -> Overlap:
    owners = set()
    for number in numbers:
        for text in listed[number].wanted:
            try:
                owners.add(owner_zone(scene.matrix.zones, address_number(text)))
            except ValueError:
                owners.add("")
    return Overlap(
        refs=tuple(sorted(listed[number].ref for number in numbers)),
        namespaces=tuple(sorted(places)),
        zone=zone,
        pods=sum(places.values()),
        address_zones=tuple(sorted(owners)),
    )
