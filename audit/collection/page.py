"""One page of a list: whether it is what it should be, and its objects cut down to what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from audit.collection.answers import Answer, redacted
from audit.collection.routes import Route
from audit.projection import ProjectionError, Pseudonyms, project, shown


class WrongPageError(Exception):
    """An answer of success that is not the page that was asked for; another try may bring it."""


class Identity(NamedTuple):
    """What tells an object, and each of its states, from all others."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    """The digest of an object that has none."""


class Page(NamedTuple):
    """One page, or one object that was asked for by its name."""

    items: tuple[bytes, ...]
    """As they are kept: JSON with the fields that are read here and no others."""
    identities: tuple[Identity, ...]
    """Of all objects, in order, those among them that do not decode."""
    invalid: tuple[str, ...]
    """`namespace/name: reason`"""
    resource_version: str
    token: str = ""
    """Leads to the next page; empty on the last."""
    remaining: int = 0
    """Objects after it, as far as the server says."""
    namespace: str = ""
    """The only one that it covers; empty for all."""
    exact: bool = False
    """It shows the resource version that was asked for."""
    retries: int = 0
    warnings: tuple[str, ...] = ()


class _ListMeta(msgspec.Struct, frozen=True):
    resource_version: str = msgspec.field(default="", name="resourceVersion")
    token: str = msgspec.field(default="", name="continue")
    remaining: int | None = msgspec.field(default=None, name="remainingItemCount")


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """A list as the API server sends it."""

    api_version: str = ""
    kind: str = ""
    metadata: _ListMeta = _ListMeta()
    items: list[msgspec.Raw] | UnsetType | None = UNSET


class _ObjectMeta(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    metadata: _ObjectMeta
    api_version: str = ""
    kind: str = ""


_LISTED = msgspec.json.Decoder(Listed)
_OBJECT = msgspec.json.Decoder(_Object)


def listed(answer: Answer, route: Route) -> Listed:
    """The list that an answer is; WrongPageError for anything else, such as a Status, a login page, another kind."""
    try:
        found = _LISTED.decode(answer.body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise WrongPageError(f"the body is no list: {error}") from None
    if (found.api_version, found.kind) != (route.api_version, f"{route.kind.kind}List"):
        raise WrongPageError(f"the body is a `{found.kind}` of `{found.api_version}`, not a `{route.kind.kind}List`")
    if found.items is UNSET:
        raise WrongPageError("the list has no `items`")
    meta = found.metadata
    if not meta.resource_version:
        raise WrongPageError("the list has no resource version")
    if meta.token and not found.items:
        raise WrongPageError("the page is empty and not the last")
    if meta.remaining and not meta.token:
        raise WrongPageError(f"{meta.remaining} objects are left, and no way leads to them")
    return found


def check_order(found: Listed, before: Page) -> None:
    """WrongPageError unless the list can be the page after `before`, and is all of it if it says that it is the last.

    The number of objects left is told for lists without selectors only, by servers since Kubernetes 1.15.
    """
    count, meta = len(found.items or ()), found.metadata
    if meta.resource_version != before.resource_version:
        raise WrongPageError(f"resource version {meta.resource_version} on a page after {before.resource_version}")
    if meta.token and meta.token == before.token:
        raise WrongPageError("the page leads to itself")
    left = (meta.remaining or 0) if meta.token else 0
    told = meta.remaining is not None or not meta.token
    if before.remaining and told and not before.remaining - count <= left < before.remaining:
        raise WrongPageError(f"{before.remaining} objects were left, {count} came and {left} are left")


def cut_down(
    found: Listed, route: Route, names: Pseudonyms | None, *, namespace: str, seen: Collection[tuple[str, str]]
) -> Page:
    """The page with what is kept of each object; WrongPageError for one of another namespace or seen before."""
    items: list[bytes] = []
    identities: list[Identity] = []
    invalid: list[str] = []
    for place, raw in enumerate(found.items or (), start=1):
        content = bytes(raw)
        identity, fault = _identity(content, route, f"object {place} of a page")
        if namespace and identity.namespace != namespace:
            raise WrongPageError(f"an object of namespace `{identity.namespace}` in the list of `{namespace}`")
        identities.append(identity)
        try:
            items += [] if fault else [project(route.kind, content, names)]
        except ProjectionError as error:
            fault = str(error)
        if fault:
            invalid.append(_refused(route, identity, fault, names))
    _check_distinct(identities, seen)
    meta = found.metadata
    return Page(
        tuple(items),
        tuple(identities),
        tuple(invalid),
        meta.resource_version,
        meta.token,
        meta.remaining or 0,
        namespace,
    )


def _refused(route: Route, identity: Identity, fault: str, names: Pseudonyms | None) -> str:
    """The object and what is wrong with it; values that it quotes may be as long as an object is."""
    name = shown(route.kind.key, identity.name, names)
    told = fault.replace(f"`{identity.name}`", f"`{name}`")
    return redacted(f"{identity.namespace}/{name}: {told}".lstrip("/"))


def _identity(content: bytes, route: Route, place: str) -> tuple[Identity, str]:
    """Who the object says it is, and what is wrong with that."""
    try:
        found = _OBJECT.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return Identity("", place, "", ""), "it has no name"
    own = found.metadata
    # Without a resource version nothing but its content tells a changed object from the one it was.
    state = own.resource_version or hashlib.sha256(content).hexdigest()
    identity = Identity(own.namespace, own.name, own.uid, state)
    said = (found.api_version or route.api_version, found.kind or route.kind.kind)
    if said != (route.api_version, route.kind.kind):
        return identity, f"it is a `{said[1]}` of `{said[0]}`"
    if not own.name or bool(own.namespace) != route.namespaced:
        return identity, "it has no name" if not own.name else "its namespace does not fit its kind"
    return identity, ""


def _check_distinct(identities: Collection[Identity], seen: Collection[tuple[str, str]]) -> None:
    own = [identity[:2] for identity in identities]
    twice = [one for one in own if one in seen]
    if twice or len(set(own)) < len(own):
        raise WrongPageError("the page has objects that came before")
