"""Who may change what zoning rests on, beside its owners and the platform itself.

Input: a Scene. Output: Holdings, one for each role and power: everybody who has it through that role, and where.
Decisions: owners are those that the settings declare, users whom Group objects put into declared groups, and the
platform's own subjects; a group is a holder like any other, whoever is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import msgspec

from audit.access.index import Access, Binding
from audit.access.roles import Role
from audit.access.subjects import GROUP, VIRTUAL, Groups, Subject, account_namespace, user
from audit.control_bodies import AUTHORIZATION, RBAC
from audit.controls.inbound import inbound
from audit.controls.ownership_powers import CLUSTER, FULL, OWN, ZONES, Kind, Reach, Table
from audit.controls.scene import Scene
from audit.model import ObjectRef
from audit.zones import is_platform

RBAC_KINDS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
NEEDS = (*(f"{kind}.{RBAC}" for kind in RBAC_KINDS), "Namespace")
"""Kinds without which nobody can tell who may do what."""
READ = (
    *(f"{kind}.{group}" for group in (RBAC, AUTHORIZATION) for kind in RBAC_KINDS),
    GROUP,
    "SecurityContextConstraints.security.openshift.io",
    "ValidatingAdmissionPolicy.admissionregistration.k8s.io",
    "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io",
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
    "ClusterPolicy.kyverno.io",
)
"""Kind keys that the controls of ownership read."""
_DEFAULT_ROLES = frozenset({"admin", "cluster-admin", "edit", "view"})
"""Cluster roles that the API server makes itself, and makes again when they are gone."""
_WRITING = frozenset({"policies", FULL})
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "daemonsets": ("apps", "extensions"),
    "deploymentconfigs": ("", "apps.openshift.io"),
    "deployments": ("apps", "extensions"),
    "statefulsets": ("apps",),
}
"""Resources of workloads that may run a router -> the API groups that serve them."""
GATEWAY = "Gateway.gateway.networking.k8s.io"


class Given(NamedTuple):
    """What one binding gives."""

    binding: ObjectRef
    subjects: tuple[Subject, ...]
    """Those who are no owners."""
    mixed: bool = False
    """Whether the binding names others, too, who keep what it gives."""


def only(given: Given, subjects: Iterable[Subject]) -> Given:
    """What a binding gives to some of those whom it names."""
    kept = tuple(subjects)
    return Given(given.binding, kept, given.mixed or len(kept) < len(given.subjects))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Everybody who has one power through one role, beside the owners."""

    power: str
    roles: tuple[ObjectRef, ...]
    """The role; several Roles of one name and equal rules in different namespaces."""
    given: tuple[Given, ...]
    """By binding."""
    reaches: tuple[Reach, ...]
    """What the rules of the role say, in their order."""

    @property
    def everywhere(self) -> bool:
        """Whether the bindings are cluster-wide; a Holding never mixes them with others."""
        return not self.given[0].binding.namespace

    @property
    def bindings(self) -> tuple[ObjectRef, ...]:
        """The bindings."""
        return tuple(one.binding for one in self.given)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Everybody, sorted."""
        return tuple(sorted({subject for one in self.given for subject in one.subjects}))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Where RoleBindings grant it, sorted; empty where it counts everywhere."""
        return tuple(sorted({one.binding.namespace for one in self.given if one.binding.namespace}))

    @property
    def verbs(self) -> tuple[str, ...]:
        """The verbs of all rules."""
        return tuple(dict.fromkeys(verb for reach in self.reaches for verb in reach.verbs))

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources of all rules."""
        return tuple(dict.fromkeys(str(reach.kind) for reach in self.reaches))


@dataclass(frozen=True)
class Owners:
    """Who may change zoning."""

    scene: Scene
    groups: Groups

    @cached_property
    def declared(self) -> frozenset[Subject]:
        """The subjects that the settings name."""
        return frozenset(map(_declared, self.scene.matrix.settings.zoning_owners))

    def strangers(self, subjects: Iterable[Subject]) -> Iterator[Subject]:
        """Those of the subjects that are no owners.

        A group of the platform itself stands for its members where a Group object shows them.
        """
        for one in subjects:
            if self._owns(one):
                continue
            if one.kind == "Group" and self._platform(one):
                members = (user(name) for name in self.groups.members.get(one.name, ()))
                yield from (member for member in members if not self._owns(member) and not self._platform(member))
            elif not self._platform(one):
                yield one

    def _owns(self, one: Subject) -> bool:
        return one in self.declared or any(Subject("Group", "", name) in self.declared for name in self._groups(one))

    def _groups(self, one: Subject) -> tuple[str, ...]:
        return () if one.kind == "Group" else self.groups.of(one)

    def _platform(self, one: Subject) -> bool:
        """Whether the platform runs with it: its own accounts, users and groups, not those that hold everybody."""
        home = one.namespace or (account_namespace(one.name) if one.kind == "Group" else None)
        if home:
            return (home, one.name) not in _ANYBODY_THERE and runs_platform(self.scene, home)
        return one.name.startswith("system:") and one.name not in VIRTUAL and one.name != "system:anonymous"


_ANYBODY_THERE = (("default", "default"), ("default", "system:serviceaccounts:default"))
"""Namespace and name of subjects that stand for whatever runs in `default` without an account of its own."""


def runs_platform(scene: Scene, namespace: str) -> bool:
    """Whether a namespace is the platform's own: its zone says so, or its name where no zone takes it."""
    return scene.kind_of(namespace) == "platform" or (is_platform(namespace) and not scene.kind_of(namespace))


def _declared(text: str) -> Subject:
    """`Group/netsec`, `User/NAME`, `ServiceAccount/NAMESPACE/NAME`."""
    kind, _, rest = text.partition("/")
    if kind == "ServiceAccount":
        namespace, _, name = rest.partition("/")
        return Subject("ServiceAccount", namespace, name)
    return Subject("Group", "", rest) if kind == "Group" else user(rest)


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """What RBAC says of zoning."""

    scene: Scene
    access: Access
    owners: Owners
    holdings: Mapping[str, tuple[Holding, ...]]
    """By power."""
    lacking: tuple[str, ...]
    """Kind keys without which nothing can be told."""
    writers: frozenset[Subject]
    """Everybody, owners too, whom some binding lets write the policies of a zone."""

    @cached_property
    def unread(self) -> str:
        """Why files cannot tell: bindings give strangers roles that they do not hold; empty if they can."""
        names = sorted({one.role[1] for one in self.access.dangling if self._given(one) and self._lost(one)})
        if not names:
            return ""
        more = f" and {len(names) - 1} more" if names[1:] else ""
        return f"bindings name the role {names[0]}{more}, which the input does not hold: add the roles of the cluster"

    @cached_property
    def dangling(self) -> tuple[Binding, ...]:
        """Bindings of strangers to roles that the cluster does not have."""
        return tuple(one for one in self.access.dangling if self._given(one) and not self._lost(one))

    def _lost(self, one: Binding) -> bool:
        """Whether its role must be somewhere, or may be for all that the input says.

        Every cluster has the default roles; a dump without any Role leaves them all out.
        """
        place, name = one.role
        if self.scene.inventory.snapshot.live:
            return bool(self.scene.lacking.of([f"{'Role' if place else 'ClusterRole'}.{RBAC}"]))
        roles = name not in _DEFAULT_ROLES if not place else any(home for home, _ in self.access.roles)
        return not (self.scene.cluster and roles)

    def _given(self, one: Binding) -> bool:
        where = not one.namespace or self.scene.kind_of(one.namespace) == "cluster"
        return where and any(True for _ in self.owners.strangers(one.subjects))

    @cached_property
    def unknown_owners(self) -> tuple[str, ...]:
        """Declared groups that may write policies and that no object shows the members of."""
        groups = (one for one in self.owners.declared & self.writers if one.kind == "Group")
        return tuple(sorted(one.name for one in groups if not self.access.groups.known(one.name)))


class _Draft(NamedTuple):
    """A Holding in the making."""

    reaches: dict[Reach, None]
    roles: dict[ObjectRef, None]
    given: dict[ObjectRef, Given]


def ownership(scene: Scene) -> Ownership:
    """Who holds which power, beside the owners."""
    access = Access(scene.inventory.snapshot)
    owners = Owners(scene, access.groups)
    legacy = scene.inventory.profile.product == "openshift-3"
    table = Table(_own_kinds(scene, owners), legacy=legacy)
    drafts: dict[tuple[Hashable, ...], _Draft] = {}
    writers: set[Subject] = set()
    for role in access.roles.values():
        if reaches := table.reaches(role.rules):
            for binding in access.of_role(role.key):
                counted = tuple(reach for reach in reaches if _counts(scene, table, binding, reach))
                if any(reach.power in _WRITING for reach in counted):
                    writers.update(binding.subjects)
                strangers = tuple(owners.strangers(binding.subjects)) if counted else ()
                if strangers:
                    mixed = not frozenset(binding.subjects) <= frozenset(strangers)
                    _add(drafts, role, Given(binding.ref, strangers, mixed), counted)
    holdings: dict[str, list[Holding]] = {}
    for (power, *_), draft in drafts.items():
        holdings.setdefault(str(power), []).append(_holding(str(power), draft))
    return Ownership(
        scene=scene,
        access=access,
        owners=owners,
        holdings={power: tuple(sorted(found, key=_order)) for power, found in holdings.items()},
        lacking=_lacking(scene),
        writers=frozenset(writers),
    )


def within(found: Ownership, zones: Collection[str]) -> Ownership:
    """The same without what RoleBindings give in namespaces of other zones."""

    def narrowed(holding: Holding) -> Iterator[Holding]:
        given = tuple(
            one
            for one in holding.given
            if not one.binding.namespace or found.scene.zone_of(one.binding.namespace) in zones
        )
        if given:
            yield replace(holding, given=given)

    kept = {
        power: tuple(one for holding in listed for one in narrowed(holding)) for power, listed in found.holdings.items()
    }
    return replace(found, holdings=kept)


def _own_kinds(scene: Scene, owners: Owners) -> Iterator[tuple[str, Kind]]:
    """Powers that hang on what the cluster holds: Gateways that let others in, routers, accounts that own zoning."""
    for namespace in sorted(_shared_gateways(scene)):
        yield "shards", Kind("gateway.networking.k8s.io", "gateways", namespace)
    for resource, namespace in sorted(_router_workloads(scene)):
        for group in _GROUPS[resource]:
            yield "shards", Kind(group, resource, namespace)
    for one in sorted(owners.declared):
        if one.kind == "ServiceAccount":
            yield "escalation", Kind("", "serviceaccounts", one.namespace, ("impersonate",))
            yield "escalation", Kind("", "serviceaccounts", one.namespace, ("create",), "token")


def _router_workloads(scene: Scene) -> set[tuple[str, str]]:
    """Resource and namespace of the workloads that are routers; OpenShift 3 keeps them in `default` as a rule."""
    found = {("deploymentconfigs", "default")} if scene.inventory.profile.product == "openshift-3" else set()
    refs = (one.ref for one in scene.once(inbound).routers)
    return found | {(f"{one.kind.lower()}s", one.namespace) for one in refs if f"{one.kind.lower()}s" in _GROUPS}


def _shared_gateways(scene: Scene) -> set[str]:
    found = set()
    for entry in scene.of(GATEWAY):
        spec = msgspec.json.decode(entry.body.spec) if bytes(entry.body.spec) else {}
        listeners = spec.get("listeners") if isinstance(spec, dict) else None
        for one in listeners if isinstance(listeners, list) else []:
            allowed = one.get("allowedRoutes") if isinstance(one, dict) else None
            among = allowed.get("namespaces") if isinstance(allowed, dict) else None
            if isinstance(among, dict) and among.get("from") in ("All", "Selector"):
                found.add(entry.namespace)
    return found


def _add(drafts: dict[tuple[Hashable, ...], _Draft], role: Role, given: Given, reaches: Iterable[Reach]) -> None:
    """Add what one binding gives to strangers. Roles of one name and equal rules are one, whatever their namespaces."""
    named: Hashable = (role.ref.name, id(role.rules)) if role.ref.namespace else role.key
    for reach in reaches:
        draft = drafts.setdefault((reach.power, named, not given.binding.namespace), _Draft({}, {}, {}))
        draft.reaches[reach] = None
        draft.roles[role.ref] = None
        draft.given[given.binding] = given


def _counts(scene: Scene, table: Table, binding: Binding, reach: Reach) -> bool:
    """Whether a right counts where the binding grants it."""
    where, home, names = reach.kind.where, binding.namespace, reach.names
    if not home:
        return where != OWN or not names or any(scene.kind_of(name) == "cluster" for name in names)
    if where in (ZONES, OWN):
        inside = scene.kind_of(home) == "cluster" or (reach.power == FULL and home in table.places)
        return inside and (where == ZONES or not names or home in names)
    return where != CLUSTER and home == where


def _holding(power: str, draft: _Draft) -> Holding:
    return Holding(
        power=power,
        roles=tuple(sorted(draft.roles)),
        given=tuple(draft.given[binding] for binding in sorted(draft.given)),
        reaches=tuple(draft.reaches),
    )


def _order(one: Holding) -> tuple[object, ...]:
    return not one.everywhere, one.roles


def _lacking(scene: Scene) -> tuple[str, ...]:
    """Of a cluster every kind of RBAC must be there but Roles; of files some role and some binding."""
    held = {
        kind for kind in RBAC_KINDS for group in (RBAC, AUTHORIZATION) if scene.inventory.snapshot.of(f"{kind}.{group}")
    }
    if scene.cluster:
        wanted = [kind for kind in RBAC_KINDS[:2] if kind not in held]
        return tuple(f"{kind}.{RBAC}" for kind in (*wanted, *(["RoleBinding"] if "RoleBinding" not in held else [])))
    roles = held & {"ClusterRole", "Role"}
    bindings = held & {"ClusterRoleBinding", "RoleBinding"}
    return tuple(f"{kind}.{RBAC}" for kind, known in (("ClusterRole", roles), ("RoleBinding", bindings)) if not known)
