"""`Access`: who may do what, indexed so that each role is looked at once for a right, and bindings after that.

Input: a Snapshot. Decisions: what the API server would decide with RBAC alone; a binding whose role was not read grants
nothing and is kept in `dangling`. `system:masters` passes every request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from audit.access.matching import Hit, Right, grants_url, hits, names
from audit.access.roles import Role, RoleKey, Rules, both, roles
from audit.access.subjects import GROUP, MASTERS, Groups, Subject, group, identities, subject, user
from audit.control_bodies import AUTHORIZATION, RBAC
from audit.model import ObjectRef
from audit.snapshot import Entry, Snapshot

OWN_NAMESPACE = frozenset({("", "namespaces"), ("project.openshift.io", "projects"), ("", "projects")})
"""Cluster-wide resources of which a named object is decided within the namespace of that name."""
RIGHTS = (*(f"{kind}.{RBAC}" for kind in ("ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding")), GROUP)
"""Kind keys that say who may do what."""
_NOWHERE = "-"
"""No namespace can be called that."""


class Request(NamedTuple):
    """One request to the API server."""

    right: Right
    namespace: str = ""
    """Empty for cluster-wide resources and for all namespaces at once."""
    name: str = ""
    """Empty where the request names no object: create, list, watch, deletecollection."""

    @property
    def home(self) -> str:
        """The namespace whose bindings count."""
        named = bool(self.name) and (self.right.group, self.right.resource) in OWN_NAMESPACE
        return self.name if named else self.namespace


@dataclass(frozen=True, slots=True)
class Binding:
    """A RoleBinding or ClusterRoleBinding."""

    ref: ObjectRef
    role: RoleKey
    subjects: tuple[Subject, ...]

    @property
    def namespace(self) -> str:
        """Where it grants; empty for everywhere."""
        return self.ref.namespace


class Grant(NamedTuple):
    """A binding and what its role says of a right."""

    binding: Binding
    role: Role
    hits: tuple[Hit, ...]
    """Never empty."""


class Access:
    """The roles, bindings and groups of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.roles: Mapping[RoleKey, Role] = roles(snapshot)
        self.groups = Groups(snapshot)
        entries = (*both(snapshot, "ClusterRoleBinding"), *both(snapshot, "RoleBinding"))
        self.bindings: Sequence[Binding] = tuple(map(_binding, entries))
        self.dangling: Sequence[Binding] = tuple(one for one in self.bindings if one.role not in self.roles)
        """Bindings whose role was not read: they grant nothing until a role of that name is there."""
        self._in: dict[str, list[Binding]] = {}
        self._of: dict[RoleKey, list[Binding]] = {}
        for one in self.bindings:
            if one.role in self.roles:
                self._in.setdefault(one.namespace, []).append(one)
                self._of.setdefault(one.role, []).append(one)
        self._hits: dict[tuple[int, Right], tuple[Hit, ...]] = {}
        self._granting: dict[tuple[Right, str], tuple[Grant, ...]] = {}

    def of_role(self, key: RoleKey) -> Sequence[Binding]:
        """The bindings of a role."""
        return self._of.get(key, ())

    def hits(self, rules: Rules, right: Right) -> tuple[Hit, ...]:
        """Which rules grant a right; `rules` is of a Role of this Access, worked out once for all that share it."""
        found = self._hits.get((id(rules), right))
        if found is None:
            found = self._hits[id(rules), right] = hits(rules, right)
        return found

    def some(self, right: Right) -> Iterator[Grant]:
        """Every binding that grants the right somewhere, if only for objects of some names; cluster-wide ones first."""
        for home in self._in:
            yield from self._grants(right, home)

    def limited(self, right: Right, namespace: str) -> Iterator[Grant]:
        """The bindings that grant the right in one namespace, if only for objects of some names."""
        yield from self._grants(right, "")
        if namespace:
            yield from self._grants(right, namespace)

    def grants(self, request: Request) -> Iterator[Grant]:
        """The bindings that let a request pass, cluster-wide ones first."""
        for grant in self.limited(request.right, request.home):
            kept = tuple(hit for hit in grant.hits if names(grant.role.rules[hit.rule], request.name))
            if kept:
                yield grant._replace(hits=kept)

    def allows(self, user: str, groups: Iterable[str], request: Request) -> bool:
        """Whether a user in these groups may do it."""
        among = frozenset(groups)
        means = identities(user, among)
        return MASTERS in among or any(not means.isdisjoint(grant.binding.subjects) for grant in self.grants(request))

    def allows_url(self, user: str, groups: Iterable[str], verb: str, url: str) -> bool:
        """Whether a user in these groups may ask for a path that is no resource; only cluster-wide bindings count."""
        among = frozenset(groups)
        means = identities(user, among)
        return MASTERS in among or any(
            not means.isdisjoint(one.subjects)
            and any(grants_url(rule, verb, url) for rule in self.roles[one.role].rules)
            for one in self._in.get("", ())
        )

    def _grants(self, right: Right, home: str) -> tuple[Grant, ...]:
        """The grants of the bindings of one namespace, or of the cluster-wide ones."""
        found = self._granting.get((right, home))
        if found is None:
            listed = ((one, self.roles[one.role]) for one in self._in.get(home, ()))
            made = (Grant(one, role, self.hits(role.rules, right)) for one, role in listed)
            found = self._granting[right, home] = tuple(grant for grant in made if grant.hits)
        return found


def _binding(entry: Entry) -> Binding:
    body = entry.body
    listed = [subject(one, entry.namespace) for one in body.subjects or ()]
    if entry.group == AUTHORIZATION:
        listed += [*map(user, body.userNames or ()), *map(group, body.groupNames or ())]
    return Binding(
        ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin),
        _role(entry),
        tuple(dict.fromkeys(one for one in listed if one)),
    )


def _role(entry: Entry) -> RoleKey:
    """The role that a binding names. The older API names no kind: a namespace means a Role.

    A ClusterRoleBinding cannot name a Role: it finds none.
    """
    ref = entry.body.roleRef
    own = ref.kind == "Role" or (not ref.kind and bool(ref.namespace))
    return (entry.namespace or _NOWHERE if own else "", ref.name)
