"""All that a control is judged by, with the questions that every control asks.

A control asks for its facts with a function of the Scene; `Context.of` calls it once, however many rules ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from audit.flows import Facts
from audit.inventory import Inventory
from audit.lacking import Lacking
from audit.model import UNZONED, Namespace, ObjectRef, Zone, ZoneMatrix
from audit.snapshot import Entry
from audit.zones import ZoneMap

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Whether a control has anything to rest on; the first field that is not empty decides."""

    doubt: str = ""
    """Why nothing can be told."""
    idle: str = ""
    """Why there is nothing to judge."""
    kinds: tuple[str, ...] = ()
    """Kinds of which the input must hold some object."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The population, who belongs to which zone, what was declared, and what the engine says."""

    inventory: Inventory
    zone_map: ZoneMap
    matrix: ZoneMatrix
    facts: Facts = field(default_factory=Facts)
    _known: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, control: Callable[[Scene], Fact]) -> Fact:
        """What a control says of this scene; computed once, whichever rules and controls ask."""
        if control not in self._known:
            self._known[control] = control(self)
        found: Fact = self._known[control]
        return found

    def zone_of(self, namespace: str) -> str:
        """Zone of a namespace; UNZONED when none or several claim it."""
        membership = self.zone_map.namespaces.get(namespace)
        return membership.zone if membership else UNZONED

    def node_zone(self, node: str) -> str:
        """Zone of a node; UNZONED when none or several claim it, and when it is not known."""
        membership = self.zone_map.nodes.get(node)
        return membership.zone if membership else UNZONED

    def kind_of(self, namespace: str) -> str:
        """Kind of the zone of a namespace (`cluster`, `platform`, ...); empty when unzoned."""
        return self._kinds.get(self.zone_of(namespace), "")

    @cached_property
    def _kinds(self) -> dict[str, str]:
        return {zone.name: zone.kind for zone in self.matrix.zones}

    @cached_property
    def zones(self) -> tuple[Zone, ...]:
        """The zones of kind `cluster`, in the order of the matrix."""
        return tuple(zone for zone in self.matrix.zones if zone.kind == "cluster")

    def members(self, zone: str) -> Iterator[Namespace]:
        """The namespaces of a zone, sorted by name."""
        return (self.inventory.namespaces[name] for name in self._members.get(zone, ()))

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.inventory.namespaces:
            found.setdefault(self.zone_of(name), []).append(name)
        return found

    @cached_property
    def cluster(self) -> bool:
        """Whether the input describes a cluster: one that runs, or a dump with its nodes. Manifests do not."""
        return self.inventory.snapshot.live or bool(self.inventory.nodes)

    def of(self, *kinds: str) -> Iterator[Entry]:
        """The objects of some kind keys (`Node`, `Role.rbac.authorization.k8s.io`), kind by kind."""
        for kind in kinds:
            yield from self.inventory.snapshot.of(kind)

    def without(self, *kinds: str) -> tuple[str, ...]:
        """Those of the kinds of which the input holds no object, though a cluster may: nobody can tell.

        A kind of a live cluster that was read to its end, or that is absent with proof, has none for certain.
        """
        empty = tuple(one for one in kinds if not self.inventory.snapshot.of(one))
        return tuple(one for one in empty if self.lacking.of([one])) if self.inventory.snapshot.live else empty

    @cached_property
    def lacking(self) -> Lacking:
        """What was not read."""
        return Lacking(self.inventory.snapshot)


def ref(entry: Entry) -> ObjectRef:
    """An object as subject of a finding."""
    return ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)
