"""Snapshot -> Inventory: endpoints, numbered and indexed, normalised as the API server would. (interface; being filled)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.model import Namespace, Node, ObjectRef
from audit.snapshot import Entry, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A controller (or a bare pod) and the pods it owns."""

    ref: ObjectRef
    pods: tuple[int, ...]
    """Dense pod ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The population."""

    namespaces: Mapping[str, Namespace]
    """Every namespace that any object names, sorted; also those without a Namespace object (`known` False)."""
    nodes: Mapping[str, Node]
    workloads: tuple[Workload, ...]
    """Sorted by namespace, kind, name."""
    pods: int
    """Number of pods (a template without pods counts as one)."""
    policies: tuple[Entry, ...]
    """NetworkPolicy entries."""
    snapshot: Snapshot


def build(snapshot: Snapshot) -> Inventory:
    """The endpoints of a snapshot; InputError for objects no API server would hold."""
    raise NotImplementedError
