"""What keeps a right from doing harm: cluster-wide policies that decide first, and admission that may refuse.

Input: Ownership. Output: Holdings without the namespaces that policies of the admin tier protect, each with the
admission guards that name its resources. Conditions of guards are never evaluated, so they only weaken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from audit.access.matching import EVERY
from audit.controls.admin_tier import decided
from audit.controls.ownership import Given, Holding, Ownership
from audit.controls.ownership_powers import Kind
from audit.controls.scene import Scene
from audit.model import NAME_LABEL, Namespace
from audit.selectors import EVERYTHING, LabelSelector
from audit.snapshot import Entry

ADMISSION = "admissionregistration.k8s.io"
_KYVERNO = ("ClusterPolicy.kyverno.io", "Policy.kyverno.io")
_GATEKEEPER = "constraints.gatekeeper.sh"


class Guard(NamedTuple):
    """Something that may refuse a change."""

    name: str
    """`ValidatingAdmissionPolicy netpol-owners`."""
    resources: frozenset[tuple[str, str]]
    """(group or `*`, resource) that it names."""
    namespaces: LabelSelector

    def covers(self, kind: Kind, namespace: Namespace | None) -> bool:
        """Whether it is asked about this resource there; for None everywhere."""
        named = not self.resources.isdisjoint(((kind.group, str(kind)), (EVERY, str(kind))))
        if namespace is None:
            return named and self.namespaces == EVERYTHING
        return named and (
            self.namespaces == EVERYTHING or (namespace.known and self.namespaces.matches(namespace.labels))
        )


class Kept(NamedTuple):
    """A part of a Holding, and what may keep it from doing harm."""

    holding: Holding
    guards: tuple[str, ...]
    """Names of the guards that are asked about everything in it; none where it is free."""


@dataclass(frozen=True)
class Guards:
    """Every guard of a cluster."""

    scene: Scene
    admission: tuple[Guard, ...]

    @cached_property
    def decided(self) -> frozenset[str]:
        """Namespaces of zones into which no NetworkPolicy can let other zones: the admin tier decides before it."""
        return frozenset(decided(self.scene))

    def over(self, holding: Holding, namespace: str) -> tuple[str, ...]:
        """The guards that together are asked about every resource of a Holding in one namespace, or everywhere."""
        known = self.scene.inventory.namespaces.get(namespace) if namespace else None
        found: dict[str, None] = {}
        for kind in {reach.kind: None for reach in holding.reaches}:
            asked = [one.name for one in self.admission if one.covers(kind, known)]
            if not asked:
                return ()
            found.update(dict.fromkeys(asked))
        return tuple(found)


def guards(scene: Scene) -> Guards:
    """The guards of a cluster."""
    return Guards(
        scene, tuple(sorted((*_policies(scene), *_webhooks(scene), *_engines(scene)), key=lambda one: one.name))
    )


def kept(found: Ownership, around: Guards, power: str) -> Iterator[Kept]:
    """The Holdings of one power, parted by what guards them; what cannot do harm is left out."""
    for holding in found.holdings.get(power, ()):
        parts: dict[tuple[str, ...], list[Given]] = {}
        for given in holding.given:
            place = given.binding.namespace
            if power != "policies" or not _closed(found.scene, around, place):
                parts.setdefault(around.over(holding, place), []).append(given)
        for names, listed in sorted(parts.items()):
            yield Kept(replace(holding, given=tuple(listed)), names)


def _closed(scene: Scene, around: Guards, place: str) -> bool:
    """Whether the admin tier protects a namespace, or every namespace of every zone."""
    if place:
        return place in around.decided
    return bool(around.decided) and all(
        one.name in around.decided for zone in scene.zones for one in scene.members(zone.name)
    )


def _policies(scene: Scene) -> Iterator[Guard]:
    """Validating admission policies that some binding makes refuse."""
    specs = {entry.name: _spec(entry) for entry in scene.of(f"ValidatingAdmissionPolicy.{ADMISSION}")}
    for entry in scene.of(f"ValidatingAdmissionPolicyBinding.{ADMISSION}"):
        binding = _spec(entry)
        name = str(binding.get("policyName"))
        if name in specs and "Deny" in _list(binding.get("validationActions")):
            asked, within = _dict(specs[name].get("matchConstraints")), _dict(binding.get("matchResources"))
            selectors = [_selector(one.get("namespaceSelector")) for one in (asked, within)]
            if None not in selectors:
                joined = LabelSelector(tuple(sorted({part for one in selectors if one for part in one.requirements})))
                yield Guard(f"ValidatingAdmissionPolicy {name}", _named(asked.get("resourceRules")), joined)


def _webhooks(scene: Scene) -> Iterator[Guard]:
    """Webhooks that name resources; one for everything is no sign of a guard."""
    for entry in scene.of(f"ValidatingWebhookConfiguration.{ADMISSION}"):
        for hook in entry.body.webhooks or ():
            rules = [
                {"apiGroups": rule.apiGroups, "resources": rule.resources, "operations": rule.operations}
                for rule in hook.rules or ()
            ]
            namespaces = _selector(hook.namespaceSelector)
            if namespaces is not None:
                yield Guard(f"ValidatingWebhookConfiguration {entry.name}", _named(rules), namespaces)


def _engines(scene: Scene) -> Iterator[Guard]:
    """Policies of Kyverno and constraints of Gatekeeper that refuse."""
    for entry in scene.of(*_KYVERNO):
        if "enforce" in str(bytes(entry.body.spec)).lower():
            yield _of_kinds(entry, _spec(entry).get("rules"))
    for entry in scene.inventory.snapshot.of_group(_GATEKEEPER):
        if _spec(entry).get("enforcementAction", "deny") == "deny":
            yield _of_kinds(entry, _dict(_spec(entry).get("match")).get("kinds"))


def _of_kinds(entry: Entry, rules: object) -> Guard:
    """A guard by the kinds that it matches, whatever their groups."""
    kinds = {str(kind).rpartition("/")[2] for kind in _kinds_in(rules)}
    own = LabelSelector.parse({"matchLabels": {NAME_LABEL: entry.namespace}}) if entry.namespace else EVERYTHING
    return Guard(f"{entry.kind} {entry.name}", frozenset((EVERY, plural(kind)) for kind in kinds), own)


def _kinds_in(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from _list(value.get("kinds"))
        for inner in value.values():
            yield from _kinds_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _kinds_in(inner)


def plural(kind: str) -> str:
    """The resource of a kind: `networkpolicies` of `NetworkPolicy`."""
    word = kind.lower()
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def _named(rules: object) -> frozenset[tuple[str, str]]:
    """(group, resource) of the rules that are asked about changes; a wildcard for the resource names nothing."""
    return frozenset(
        (str(group), str(resource))
        for rule in map(_dict, _list(rules))
        if {EVERY, "CREATE", "UPDATE"} & set(map(str, _list(rule.get("operations"))))
        for group in _list(rule.get("apiGroups"))
        for resource in _list(rule.get("resources"))
        if resource != EVERY
    )


def _selector(raw: object) -> LabelSelector | None:
    """None for one that no API server takes."""
    try:
        return LabelSelector.parse(raw)
    except ValueError:
        return None


def _spec(entry: Entry) -> dict[str, Any]:
    try:
        return _dict(msgspec.json.decode(entry.body.spec)) if bytes(entry.body.spec) else {}
    except msgspec.DecodeError:
        return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
