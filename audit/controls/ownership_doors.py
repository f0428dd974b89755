"""Rights that lead into pods past every policy: exec, attach, port-forward and the proxies of the API server.

Input: Ownership. Output: Doors, by role and pair of zones. Decisions: a service account lives in the zone of its
namespace; a person has no zone, so a right in several zones only joins them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from audit.access.subjects import ACCOUNTS, VIRTUAL, Subject, account_namespace
from audit.controls.ownership import Holding, Ownership, only
from audit.controls.scene import Scene
from audit.model import ObjectRef
from audit.traffic import ALL

EVERY_ZONE = ""


class Door(NamedTuple):
    """Subjects that may enter pods of another zone than their own, through one role."""

    source: str
    """Zone they live in; empty for people, and for groups that hold everybody."""
    target: str
    """Zone of the pods; EVERY_ZONE for a cluster-wide right."""
    holding: Holding
    """Only the bindings and subjects concerned."""


class Joint(NamedTuple):
    """People who may enter pods of several zones."""

    zones: tuple[str, ...]
    subjects: tuple[Subject, ...]
    bindings: tuple[ObjectRef, ...]
    roles: tuple[ObjectRef, ...]


def doors(found: Ownership) -> Iterator[Door]:
    """Service accounts, and groups of everybody, that reach into another zone; whoever reaches into every zone."""
    for holding in found.holdings.get("doors", ()):
        parts: dict[tuple[str, str], dict[ObjectRef, list[Subject]]] = {}
        for one in holding.given:
            target = found.scene.zone_of(one.binding.namespace) if one.binding.namespace else EVERY_ZONE
            for subject in one.subjects:
                source = _home(found.scene, subject)
                if source is not None and _leads(found.scene, source, target):
                    parts.setdefault((source, target), {}).setdefault(one.binding, []).append(subject)
        for (source, target), given in sorted(parts.items()):
            yield Door(source, target, _part(holding, given))


def _part(holding: Holding, given: dict[ObjectRef, list[Subject]]) -> Holding:
    listed = (only(one, given[one.binding]) for one in holding.given if one.binding in given)
    return Holding(power=holding.power, roles=holding.roles, given=tuple(listed), reaches=holding.reaches)


def _home(scene: Scene, one: Subject) -> str | None:
    """The zone of a service account or of its group; empty for whoever has none, None for the unzoned."""
    home = one.namespace or (account_namespace(one.name) if one.kind == "Group" else "") or ""
    if not home:
        return ""
    return scene.zone_of(home) if scene.kind_of(home) == "cluster" else None


def _leads(scene: Scene, source: str, target: str) -> bool:
    """Whether it leads elsewhere. People with a right in one zone stay there, see `joints`."""
    if not source:
        return target == EVERY_ZONE
    return target == EVERY_ZONE or (source != target and scene.matrix.expect(source, target).allowed != ALL)


def shared(found: Ownership) -> Iterator[Door]:
    """Groups that hold everybody, or every service account, with a right in some zone."""
    for holding in found.holdings.get("doors", ()):
        parts: dict[str, dict[ObjectRef, list[Subject]]] = {}
        for one in holding.given:
            wide = [subject for subject in one.subjects if subject.name in VIRTUAL or subject.name == ACCOUNTS]
            if wide and one.binding.namespace:
                parts.setdefault(found.scene.zone_of(one.binding.namespace), {})[one.binding] = wide
        for target, given in sorted(parts.items()):
            yield Door("", target, _part(holding, given))


def joints(found: Ownership) -> Iterator[Joint]:
    """Users and groups with rights in several zones, those with the same zones together."""
    held: dict[Subject, dict[str, None]] = {}
    through: dict[Subject, list[tuple[ObjectRef, ObjectRef]]] = {}
    for holding in found.holdings.get("doors", ()):
        for one in holding.given if not holding.everywhere else ():
            for subject in one.subjects:
                if (
                    subject.kind != "ServiceAccount"
                    and _home(found.scene, subject) == ""
                    and subject.name not in VIRTUAL
                ):
                    held.setdefault(subject, {})[found.scene.zone_of(one.binding.namespace)] = None
                    through.setdefault(subject, []).append((one.binding, holding.roles[0]))
    groups: dict[tuple[str, ...], list[Subject]] = {}
    for subject, among in held.items():
        if len(among) > 1:
            groups.setdefault(tuple(sorted(among)), []).append(subject)
    for zones, subjects in sorted(groups.items()):
        pairs = [pair for subject in subjects for pair in through[subject]]
        yield Joint(
            zones,
            tuple(sorted(subjects)),
            tuple(sorted({one for one, _ in pairs})),
            tuple(sorted({one for _, one in pairs})),
        )
