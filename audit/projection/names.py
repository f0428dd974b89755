"""Pseudonyms for users and groups: equal names get equal tokens, as long as the key is the same.

Service accounts, and users and groups of the system, keep their names: they are no persons, and rules know them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from audit.control_bodies import AUTHORIZATION, RBAC
from audit.projection.notes import REQUESTER

_TOKEN = re.compile(r"anon-[0-9a-f]{16}")
_SYSTEM = "system:"
_KEY_BYTES = 32
_GROUP = "Group.user.openshift.io"
_PERSONS = frozenset({"User", "Group"})
_NAMED = frozenset({"users", "groups", "identities", "useridentitymappings"})
"""Resources whose names are those of persons: rights to act as them are given by name."""
Rename = Callable[[str], str]


class Pseudonyms:
    """Tokens for names under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def fresh(cls) -> Pseudonyms:
        """With a key of its own, which nobody learns."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    def of(self, name: str) -> str:
        """The token of a user or group; the name itself for those of the system, and for a token."""
        if not name or name.startswith(_SYSTEM) or _TOKEN.fullmatch(name):
            return name
        return f"anon-{hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:16]}"


def shown(key: str, name: str, names: Pseudonyms | None) -> str:
    """What an object of a kind may be called in messages: a token for a group, a name else."""
    return names.of(name) if names and key == _GROUP else name


def renamed(key: str, text: bytes, names: Pseudonyms) -> bytes:
    """A projected object of a kind with tokens for names; the same bytes for kinds that name nobody."""
    change = _CHANGES.get(key)
    if change is None:
        return text
    value = msgspec.json.decode(text)
    change(value, names.of)
    return msgspec.json.encode(value)


def _listed(value: dict[str, Any], field: str, name: Rename) -> None:
    if field in value:
        value[field] = [name(one) for one in value[field]]


def _binding(value: dict[str, Any], name: Rename) -> None:
    for one in value.get("subjects", ()):
        if one.get("kind") in _PERSONS and "name" in one:
            one["name"] = name(one["name"])
    for field in ("userNames", "groupNames"):
        _listed(value, field, name)


def _role(value: dict[str, Any], name: Rename) -> None:
    for rule in value.get("rules", ()):
        if not _NAMED.isdisjoint(rule.get("resources", ())):
            _listed(rule, "resourceNames", name)


def _group(value: dict[str, Any], name: Rename) -> None:
    value["metadata"]["name"] = name(value["metadata"]["name"])
    _listed(value, "users", name)


def _constraints(value: dict[str, Any], name: Rename) -> None:
    for field in ("users", "groups"):
        _listed(value, field, name)


def _project(value: dict[str, Any], name: Rename) -> None:
    _requester(value.get("metadata", {}).get("annotations", {}), name)


def _quota(value: dict[str, Any], name: Rename) -> None:
    _requester(value.get("spec", {}).get("selector", {}).get("annotations", {}), name)


def _requester(annotations: dict[str, Any], name: Rename) -> None:
    if REQUESTER in annotations:
        annotations[REQUESTER] = name(str(annotations[REQUESTER]))


_CHANGES: Mapping[str, Callable[[dict[str, Any], Rename], None]] = {
    **{f"{kind}.{group}": _role for kind in ("Role", "ClusterRole") for group in (RBAC, AUTHORIZATION)},
    **{
        f"{kind}.{group}": _binding for kind in ("RoleBinding", "ClusterRoleBinding") for group in (RBAC, AUTHORIZATION)
    },
    _GROUP: _group,
    "SecurityContextConstraints.security.openshift.io": _constraints,
    "Namespace": _project,
    "ClusterResourceQuota.quota.openshift.io": _quota,
    "ClusterResourceQuota": _quota,
}
"""Kind key -> what of it names persons."""
