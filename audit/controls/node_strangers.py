"""Whom the nodes of a zone, and those of the control plane, let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

from audit.controls.node_isolation import Isolation, is_tenant
from audit.controls.placement import is_control_plane, taints_of
from audit.controls.project_selectors import Admitted, scheduler_field
from audit.model import Zone


class Reach(NamedTuple):
    """The nodes on which pods of a namespace may land."""

    plain: int
    """As they are, for sure."""
    asking: int
    """With tolerations of their own choice, for sure."""
    maybe: int
    """If every doubt turns out not to bind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Nodes that pods of others may land on."""

    zone: Zone | None
    """None for the nodes of the control plane."""
    nodes: tuple[str, ...]
    namespaces: tuple[str, ...]
    """Whose pods, sorted."""
    asking: bool
    """Whether these pods have to tolerate a taint, which nothing keeps them from."""
    doubts: tuple[str, ...]
    """Why nobody can tell; empty where it is certain."""


def strangers(ground: Isolation) -> Iterator[Opened]:
    """Of each zone that asks for nodes of its own who may land there; one of its kind that is open is told apart."""
    outside = [one for one in _reaches(ground) if one[0] not in ground.states]
    for zone in ground.zones:
        if found := _opened(ground, zone, ground.bits[zone.name], outside):
            yield found


def shared_control_plane(ground: Isolation) -> Opened | None:
    """The nodes of the control plane that no taint keeps tenants from, and the tenants that can land there."""
    nodes = ground.scene.inventory.nodes.values()
    bare = [node.name for node in nodes if is_control_plane(node) and not taints_of(node, lasting=True)]
    found = _opened(ground, None, ground.index.bits(bare), _reaches(ground))
    return None if found and found.asking else found


def masters_schedulable(ground: Isolation) -> bool:
    """Whether the Scheduler of OpenShift 4 takes the taint from the control plane."""
    return scheduler_field(ground.scene, "mastersSchedulable") is True


def _opened(ground: Isolation, zone: Zone | None, own: int, reaches: Sequence[tuple[str, Reach]]) -> Opened | None:
    """The gravest of: open to pods as they are, open to pods that ask, open if a doubt turns out so."""
    for kind in range(len(Reach._fields)):
        found = [(name, reach[kind] & own) for name, reach in reaches if reach[kind] & own]
        if found:
            doubtful = {doubt: None for name, _ in found for doubt in _doubts(ground, name)} if kind > 1 else {}
            return Opened(
                zone=zone,
                nodes=ground.index.named(reduce(or_, (bits for _, bits in found))),
                namespaces=tuple(name for name, _ in found),
                asking=kind == 1,
                doubts=tuple(doubtful),
            )
    return None


def _reaches(ground: Isolation) -> list[tuple[str, Reach]]:
    """Of every namespace with applications the nodes that its pods reach; none where no pod can be made."""
    decided: dict[Admitted, Reach] = {}
    found: list[tuple[str, Reach]] = []
    for name in ground.scene.inventory.namespaces:
        one = ground.admitted[name]
        if is_tenant(ground.scene, name) and not one.error:
            if one not in decided:
                decided[one] = _reach(ground, one)
            reach = decided[one]
            if one.blind:
                seen = ground.running_beyond(name, 0)
                reach = Reach(seen, seen, reach.maybe)
            found.append((name, reach))
    return found


def _reach(ground: Isolation, one: Admitted) -> Reach:
    landing = ground.index.landing
    return Reach(
        plain=landing(one.possible._replace(tolerations=one.given)),
        asking=landing(one.possible),
        maybe=landing(one.certain),
    )


def _doubts(ground: Isolation, namespace: str) -> tuple[str, ...]:
    return (*ground.admitted[namespace].doubts, *ground.admitted[namespace].blind)
