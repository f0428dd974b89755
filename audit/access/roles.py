"""Roles with the rules that count: two APIs for the same objects, and cluster roles made of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.control_bodies import AUTHORIZATION, RBAC, PolicyRule
from audit.model import ObjectRef
from audit.selectors import LabelSelector
from audit.snapshot import Entry, Snapshot

RoleKey = tuple[str, str]
"""Namespace and name; the namespace of a ClusterRole is empty."""
Rules = tuple[PolicyRule, ...]
_LEGACY_CORE = ("",)


@dataclass(frozen=True, slots=True)
class Role:
    """A Role or ClusterRole."""

    ref: ObjectRef
    rules: Rules
    """Its own, then those that aggregation adds; equal tuples are one object."""

    @property
    def key(self) -> RoleKey:
        """What bindings name it by."""
        return self.ref.namespace, self.ref.name


def both(snapshot: Snapshot, kind: str) -> tuple[Entry, ...]:
    """The objects of a kind; those of authorization.openshift.io only where RBAC does not show the same."""
    current = snapshot.of(f"{kind}.{RBAC}")
    older = snapshot.of(f"{kind}.{AUTHORIZATION}")
    if not older:
        return current
    known = {(entry.namespace, entry.name) for entry in current}
    return (*current, *(entry for entry in older if (entry.namespace, entry.name) not in known))


def roles(snapshot: Snapshot) -> dict[RoleKey, Role]:
    """Every role."""
    entries = (*both(snapshot, "ClusterRole"), *both(snapshot, "Role"))
    found = {_key(entry): _rules(entry) for entry in entries}
    _aggregate([entry for entry in entries if entry.kind == "ClusterRole"], found)
    shared: dict[Rules, Rules] = {}
    made = (
        Role(ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin), found[_key(entry)]) for entry in entries
    )
    return {role.key: Role(role.ref, shared.setdefault(role.rules, role.rules)) for role in made}


def _key(entry: Entry) -> RoleKey:
    return entry.namespace, entry.name


def _rules(entry: Entry) -> Rules:
    """The rules as written; the older API means the core group where it names none."""
    rules: Rules = entry.body.rules or ()
    if entry.group != AUTHORIZATION:
        return rules
    return tuple(
        PolicyRule(rule.verbs, rule.apiGroups or _LEGACY_CORE, rule.resources, rule.resourceNames, rule.nonResourceURLs)
        for rule in rules
    )


def _aggregate(entries: Sequence[Entry], found: dict[RoleKey, Rules]) -> None:
    """Add to every aggregated role what its parts hold, until nothing is added any more."""
    made_of = {_key(entry): _parts(entry, entries) for entry in entries if entry.body.aggregationRule}
    grows = True
    while grows:
        grows = False
        for key, parts in made_of.items():
            rules = tuple(dict.fromkeys(_chained(found, (key, *parts))))
            grows |= len(rules) != len(found[key])
            found[key] = rules


def _chained(found: Mapping[RoleKey, Rules], keys: Iterable[RoleKey]) -> Iterator[PolicyRule]:
    for key in keys:
        yield from found[key]


def _parts(entry: Entry, entries: Iterable[Entry]) -> list[RoleKey]:
    """The cluster roles that any of its selectors picks; reading has refused what is no selector."""
    selectors = [LabelSelector.parse(raw) for raw in entry.body.aggregationRule.clusterRoleSelectors or ()]
    return [
        _key(one) for one in entries if any(selector.matches(one.body.metadata.labels or {}) for selector in selectors)
    ]
