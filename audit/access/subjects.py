"""Who holds rights: users, groups and service accounts under one name each, and who is in which group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from audit.control_bodies import Subject as Written
from audit.snapshot import Snapshot

GROUP = "Group.user.openshift.io"
MASTERS = "system:masters"
"""The group that passes before any role is looked at; client certificates put users into it."""
AUTHENTICATED = "system:authenticated"
OAUTH = "system:authenticated:oauth"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
ACCOUNTS = "system:serviceaccounts"
VIRTUAL = frozenset({AUTHENTICATED, OAUTH, UNAUTHENTICATED, ACCOUNTS})
"""Groups that the API server puts users into by what they are."""
_ACCOUNT = "system:serviceaccount:"
_KINDS: Mapping[str, Literal["User", "Group"]] = {
    "User": "User",
    "SystemUser": "User",  # words of authorization.openshift.io
    "Group": "Group",
    "SystemGroup": "Group",
}


class Subject(NamedTuple):
    """One holder of rights. A service account is never shown as the user that it also is."""

    kind: Literal["User", "Group", "ServiceAccount"]
    namespace: str
    """Of a service account; empty for the others."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def user(self) -> str:
        """Its name as a user; empty for a group."""
        if self.kind == "ServiceAccount":
            return f"{_ACCOUNT}{self.namespace}:{self.name}"
        return self.name if self.kind == "User" else ""


def user(name: str) -> Subject:
    """A user; a service account where the name is that of one."""
    namespace, colon, account = name.removeprefix(_ACCOUNT).partition(":")
    if name.startswith(_ACCOUNT) and namespace and colon and account:
        return Subject("ServiceAccount", namespace, account)
    return Subject("User", "", name)


def group(name: str) -> Subject:
    """A group."""
    return Subject("Group", "", name)


def subject(written: Written, namespace: str) -> Subject | None:
    """What a binding names; None for what matches nobody. `namespace` is that of a RoleBinding, else empty."""
    if written.kind == "ServiceAccount":
        home = written.namespace or namespace
        return Subject("ServiceAccount", home, written.name) if home and written.name else None
    kind = _KINDS.get(written.kind)
    if kind is None or not written.name:
        return None
    return user(written.name) if kind == "User" else group(written.name)


def account_namespace(name: str) -> str | None:
    """The namespace whose service accounts a group holds; empty for all of them, None for any other group."""
    if name == ACCOUNTS:
        return ""
    return name.removeprefix(f"{ACCOUNTS}:") if name.startswith(f"{ACCOUNTS}:") else None


class Groups:
    """Who is in which group, as far as Group objects and the names of users say."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.members: Mapping[str, tuple[str, ...]] = {
            entry.name: tuple(sorted(set(entry.body.users or ()))) for entry in snapshot.of(GROUP)
        }
        """Users by Group object; a group without one may hold anybody."""
        self._of: dict[str, list[str]] = {}
        for name, users in self.members.items():
            for one in users:
                self._of.setdefault(one, []).append(name)

    def of(self, one: Subject) -> tuple[str, ...]:
        """The groups that a user or service account is known to be in; of certificates and tokens nothing is known."""
        return tuple(dict.fromkeys(self._groups(one)))

    def _groups(self, one: Subject) -> Iterator[str]:
        yield from self._of.get(one.user, ())
        if one.kind == "ServiceAccount":
            yield from (ACCOUNTS, f"{ACCOUNTS}:{one.namespace}", AUTHENTICATED)
        elif one.kind == "User":
            yield UNAUTHENTICATED if one.name == ANONYMOUS else AUTHENTICATED

    def known(self, name: str) -> bool:
        """Whether the members of a group can be told: it has an object, or the API server decides by rule."""
        return name in self.members or name in VIRTUAL or account_namespace(name) is not None


def identities(name: str, groups: Iterable[str]) -> frozenset[Subject]:
    """Every subject of bindings that means a user of this name in these groups."""
    return frozenset((user(name), *map(group, groups)))
