"""Who would let pods of a zone bring network volumes along: security context constraints, or Pod Security.

Input: `Storage`. Output: `Admitting` values. Decisions: on OpenShift the constraints decide that service accounts of a
namespace may use, what people may use is left to the rules of ownership; elsewhere the label of Pod Security decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from audit.control_bodies import AUTHORIZATION, RBAC, BindingBody, ConstraintsBody, PolicyRule
from audit.controls.ownership_hosts import level
from audit.controls.scene import Scene, ref
from audit.controls.storage import CONSTRAINTS, Storage
from audit.controls.storage_quotas import has_run_level
from audit.model import ObjectRef
from audit.snapshot import Entry

_NETWORK = frozenset({
    "*", "nfs", "iscsi", "cephfs", "rbd", "fc", "glusterfs", "flexvolume", "vsphere", "cinder", "awselasticblockstore",
    "gcepersistentdisk", "azuredisk", "azurefile", "photonpersistentdisk", "quobyte", "scaleio", "storageos",
    "portworxvolume",
})  # fmt: skip
"""Words of `volumes` of constraints that let network volumes in, lower case."""
_ACCOUNT = "system:serviceaccount:"
_ACCOUNTS = "system:serviceaccounts"
_EVERYBODY = (_ACCOUNTS, "system:authenticated")
Everywhere = None
"""Stands for every namespace."""


class Admitting(NamedTuple):
    """What lets network volumes into pods of a zone."""

    zone: str
    constraints: ObjectRef | None
    """None where it is Pod Security, or the run level of the namespaces."""
    volumes: tuple[str, ...]
    """What the constraints let in, as written; empty otherwise."""
    namespaces: tuple[str, ...]
    run_level: bool = False
    """Whether constraints and Pod Security have no effect in the namespaces."""


def is_openshift(scene: Scene) -> bool:
    """Whether constraints, and not Pod Security alone, decide."""
    return scene.inventory.profile.product.startswith("openshift") or any(scene.of(CONSTRAINTS))


def admitting(storage: Storage) -> Iterator[Admitting]:
    """What lets network volumes in, by zone; only zones that require isolation, and only of a cluster."""
    if not storage.scene.cluster:
        return
    if is_openshift(storage.scene):
        yield from _by_constraints(storage)
        return
    for zone in sorted(storage.classes.required):
        open_in = tuple(one.name for one in storage.scene.members(zone) if level(storage.scene, one) != "restricted")
        if open_in:
            yield Admitting(zone, None, (), open_in)


def _by_constraints(storage: Storage) -> Iterator[Admitting]:
    scene = storage.scene
    zoned: dict[str, list[str]] = {}
    for zone in sorted(storage.classes.required):
        exempt = tuple(one.name for one in scene.members(zone) if has_run_level(one))
        if exempt:
            yield Admitting(zone, None, (), exempt, run_level=True)
        open_in = (one.name for one in scene.members(zone) if level(scene, one) != "restricted")
        zoned[zone] = [name for name in open_in if name not in exempt]
    granted = _granted(scene)
    for entry in scene.of(CONSTRAINTS):
        body: ConstraintsBody = entry.body
        volumes = tuple(one for one in body.volumes or () if one.lower() in _NETWORK)
        if not volumes:
            continue
        places = {*_places(body), *granted.get(entry.name, ()), *granted.get("", ())}
        for zone, names in zoned.items():
            reached = tuple(name for name in names if Everywhere in places or name in places)
            if reached:
                yield Admitting(zone, ref(entry), volumes, reached)


def _places(body: ConstraintsBody) -> Iterator[str | None]:
    """Namespaces whose service accounts the constraints list."""
    yield from (name for user in body.users or () if (name := _of_account(user)))
    for group in body.groups or ():
        yield from _of_group(group)


def _of_account(user: str) -> str:
    return user.removeprefix(_ACCOUNT).partition(":")[0] if user.startswith(_ACCOUNT) else ""


def _of_group(group: str) -> Iterator[str | None]:
    if group in _EVERYBODY:
        yield Everywhere
    elif group.startswith(f"{_ACCOUNTS}:"):
        yield group.removeprefix(f"{_ACCOUNTS}:")


def _granted(scene: Scene) -> Mapping[str, set[str | None]]:
    """Constraints by name (empty for all of them) -> namespaces whose service accounts a role lets use them."""
    roles = {
        (entry.namespace, entry.name): names
        for group in (RBAC, AUTHORIZATION)
        for entry in scene.of(f"ClusterRole.{group}", f"Role.{group}")
        if (names := frozenset(_usable(entry.body.rules or ())))
    }
    found: dict[str, set[str | None]] = {}
    for group in (RBAC, AUTHORIZATION):
        for entry in scene.of(f"ClusterRoleBinding.{group}", f"RoleBinding.{group}"):
            for name in roles.get(_role(entry), ()):
                found.setdefault(name, set()).update(_bound(entry))
    return found


def _usable(rules: Iterable[PolicyRule]) -> Iterator[str]:
    for one in rules:
        groups, resources, verbs = one.apiGroups or (), one.resources or (), one.verbs or ()
        named = {"*", "security.openshift.io"} & {*groups} and {"*", "securitycontextconstraints"} & {*resources}
        every = "*" in groups and "*" in resources and "*" in verbs  # the rules of ownership tell who holds every right
        if named and {"*", "use"} & {*verbs} and not every:
            yield from one.resourceNames or ("",)


def _role(entry: Entry) -> tuple[str, str]:
    """(namespace, name) of the role that a binding grants."""
    body: BindingBody = entry.body
    local = body.roleRef.kind == "Role" or (not body.roleRef.kind and body.roleRef.namespace)
    return (entry.namespace if local else "", body.roleRef.name)


def _bound(entry: Entry) -> Iterator[str | None]:
    """Namespaces whose service accounts a binding names; a binding within a namespace counts there only."""
    body: BindingBody = entry.body
    for subject in body.subjects or ():
        match subject.kind:
            case "ServiceAccount":
                places: list[str | None] = [subject.namespace or entry.namespace]
            case "User" | "SystemUser":
                places = [_of_account(subject.name)]
            case _:
                places = [*_of_group(subject.name)]
        for place in places:
            if not entry.namespace:
                yield place
            elif place in (Everywhere, entry.namespace):
                yield entry.namespace
