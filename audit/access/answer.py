"""Who can do one thing: the answer of `who-can`, as rows of plain values.

Input: Access and what is asked. Output: one row for each holder and place, with the bindings that say so. Decisions: a
group is a row of its own with its members; whom no object shows is said in the notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from audit.access.index import Access, Grant
from audit.access.matching import Right
from audit.access.resources import Asked
from audit.access.subjects import MASTERS, Subject
from audit.model import ObjectRef

_SHOWN = 5
"""Names that a note lists."""
UNNAMED = frozenset({"create", "list", "watch", "deletecollection"})
"""Verbs whose requests name no object, so that a rule with resourceNames never grants them."""


class Link(NamedTuple):
    """One way to the right: a binding, its role, a rule."""

    binding: ObjectRef
    role: ObjectRef
    rule: int
    """0-based."""

    def __str__(self) -> str:
        return f"{_placed(self.binding)} -> {_placed(self.role)} -> rule {self.rule}"


class Holder(NamedTuple):
    """Somebody who can, and where."""

    subject: Subject
    namespace: str
    """Empty for everywhere."""
    names: tuple[str, ...]
    """The only objects that it holds for; empty for all of them."""
    members: tuple[str, ...]
    """Users of the Group object; empty for everything that is no group."""
    unknown: bool
    """Whether it is a group of which no object shows the members."""
    through: tuple[Link, ...]


def holders(access: Access, verb: str, what: Asked, namespace: str = "") -> tuple[Holder, ...]:
    """Everybody who can, sorted by place and name; with a namespace, there or everywhere."""
    if what.own_namespace and namespace and not what.name and verb not in UNNAMED:
        what = replace(what, name=namespace)
    found: dict[tuple[str, Subject, tuple[str, ...]], list[Link]] = {}
    for grant in _grants(access, verb, what, namespace):
        for hit in grant.hits:
            limit = () if what.name or not _matters(what, grant) else tuple(sorted(hit.names))
            link = Link(grant.binding.ref, grant.role.ref, hit.rule)
            for subject in grant.binding.subjects:
                found.setdefault((grant.binding.namespace, subject, limit), []).append(link)
    return tuple(
        Holder(subject, place, limit, *_members(access, subject), tuple(links))
        for (place, subject, limit), links in sorted(found.items())
    )


def _grants(access: Access, verb: str, what: Asked, namespace: str) -> Iterator[Grant]:
    """The grants of what is asked, with the hits that hold for it."""
    unnamed = verb in UNNAMED and not what.subresource
    for grant in _around(access, Right(verb, what.group, what.resource, what.subresource), what, namespace, unnamed):
        place = grant.binding.namespace if what.own_namespace else ""
        wanted = what.name or place
        kept = tuple(hit for hit in grant.hits if not hit.names or (wanted in hit.names if wanted or unnamed else True))
        if kept:
            yield grant._replace(hits=kept)


def _around(access: Access, right: Right, what: Asked, namespace: str, unnamed: bool) -> Iterator[Grant]:  # noqa: FBT001
    """The grants within reach of what is asked, whatever objects they hold for."""
    if what.own_namespace and (what.name or unnamed):
        return access.limited(right, what.name)
    if what.cluster and not what.own_namespace:
        return access.limited(right, "")
    return access.limited(right, namespace) if namespace and not what.own_namespace else access.some(right)


def _matters(what: Asked, grant: Grant) -> bool:
    """Whether names limit anything: a RoleBinding reaches one Namespace object only."""
    return not (what.own_namespace and grant.binding.namespace)


def _members(access: Access, subject: Subject) -> tuple[tuple[str, ...], bool]:
    if subject.kind != "Group":
        return (), False
    return access.groups.members.get(subject.name, ()), not access.groups.known(subject.name)


def unseen(access: Access, found: Iterable[Holder]) -> Iterator[str]:
    """What the answer leaves out, one sentence each."""
    yield f"members of {MASTERS} may do everything; they hold certificates, which no object shows"
    if strangers := sorted({one.subject.name for one in found if one.unknown and one.subject.name != MASTERS}):
        yield f"no Group object tells who is in {_listed(strangers)}"
    if access.dangling:
        roles = sorted({f"{'Role' if one.role[0] else 'ClusterRole'} {one.role[1]}" for one in access.dangling})
        number = len(access.dangling)
        named = "1 binding names a role" if number == 1 else f"{number} bindings name roles"
        yield f"{named} that the input does not hold: {_listed(roles)}"
    yield "whoever may impersonate a holder can do it, too: ask for `impersonate` of users, groups, serviceaccounts"
    yield "other authorizers of the API server (webhook, node) are not in the input"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _placed(ref: ObjectRef) -> str:
    return f"{ref} ({ref.origin.place})" if ref.origin and ref.origin.place else str(ref)
