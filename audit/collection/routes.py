"""Where each kind is listed, or why it is not: decided from discovery, with proof of what a cluster does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit.api_resources import Resource
from audit.collection.answers import Failure, redacted
from audit.collection.api import FORBIDDEN, NOT_FOUND, Api, refusal, soon
from audit.collection.discovery import Discovery, Served
from audit.collection.threads import each
from audit.ledger import Status
from audit.sources.kinds import Kind, NoSuchKindError, kind_key, kind_of


@dataclass(frozen=True, slots=True)
class Route:
    """A kind that is served."""

    resource: Resource
    kind: Kind
    namespaced: bool

    @property
    def api_version(self) -> str:
        """As objects name it: `v1`, `apps/v1`."""
        return f"{self.kind.group}/{self.kind.version}".lstrip("/")

    def path(self, namespace: str = "") -> str:
        """Where its objects are listed, all of them or those of one namespace."""
        within = f"/namespaces/{namespace}" if namespace else ""
        return f"{root(self.kind.group, self.kind.version)}{within}/{self.resource.name}"


@dataclass(frozen=True, slots=True)
class Missing:
    """A kind that is not listed."""

    resource: Resource
    status: Status
    reason: str = ""
    proof: str = ""
    """Of absence."""

    @property
    def key(self) -> str:
        """In the snapshot."""
        return kind_key(self.resource.group, self.resource.kind)


def routes(
    api: Api, discovery: Discovery, wanted: Iterable[Resource], deadline: float
) -> tuple[tuple[Route, ...], tuple[Missing, ...]]:
    """What is listed and what is not, each in the order of `wanted`.

    Whatever discovery does not show is asked for directly, since absence needs both to say so.
    """

    def decide(resource: Resource) -> Route | Missing:
        return _shown(discovery, resource) or _unseen(api, discovery, resource, deadline)

    found = each(decide, wanted)
    return (
        tuple(one for one in found if isinstance(one, Route)),
        tuple(one for one in found if isinstance(one, Missing)),
    )


def root(group: str, version: str) -> str:
    """Path of an API version."""
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _shown(discovery: Discovery, resource: Resource) -> Route | Missing | None:
    """Decided by what discovery shows of the resource; None if it shows nothing of it.

    The preferred version is taken if it is read here, else the next one; a stale one only if there is no other.
    """
    shown = list(_served(discovery, resource))
    readable = [(route, stale) for served, version, stale in shown if (route := _route(resource, served, version))]
    if readable:
        return min(readable, key=lambda pair: pair[1])[0]
    if not shown:
        return None
    versions = ", ".join(f"`{version}`" for _, version, _ in shown)
    kinds = {served.kind for served, _, _ in shown}
    if not any(served.listable for served, _, _ in shown):
        return Missing(resource, "unavailable", f"served in {versions}, but it cannot be listed")
    if resource.kind not in kinds:
        return Missing(resource, "unavailable", redacted(f"served with objects of kind {', '.join(sorted(kinds))}"))
    return Missing(resource, "unavailable", f"served in {versions} only, which is not read")


def _served(discovery: Discovery, resource: Resource) -> Iterator[tuple[Served, str, bool]]:
    for version in discovery.groups.get(resource.group, ()):
        if served := version.resources.get(resource.name):
            yield served, version.name, version.stale


def _route(resource: Resource, served: Served, version: str) -> Route | None:
    """The way to it; None where it cannot be listed or this version is not read."""
    if served.kind != resource.kind or not served.listable:
        return None
    try:
        kind = kind_of(f"{resource.group}/{version}".lstrip("/"), resource.kind)
    except NoSuchKindError:
        return None
    return Route(resource, kind, served.namespaced)


def _unseen(api: Api, discovery: Discovery, resource: Resource, deadline: float) -> Missing:
    """What a kind is that discovery does not show: absent if all that was asked says so."""
    if doubt := _doubt(discovery, resource):
        return Missing(resource, "unavailable", redacted(f"cannot tell absent from unavailable: {doubt}"))
    versions = discovery.groups.get(resource.group, ())
    path = f"{root(resource.group, versions[0].name)}/{resource.name}" if versions else f"/apis/{resource.group}"
    try:
        answer = api.get(path, {"limit": "1"} if versions else None, deadline=soon(deadline))
    except Failure as failure:
        return Missing(
            resource, "unavailable", f"discovery does not show it, and `{path}` does not say: {failure.message}"
        )
    if answer.status == NOT_FOUND:
        return Missing(resource, "absent", proof=_proof(discovery, resource, path))
    status: Status = "forbidden" if answer.status == FORBIDDEN else "unavailable"
    return Missing(resource, status, f"discovery does not show it, but `{path}` is no 404: {refusal(answer)}")


def _doubt(discovery: Discovery, resource: Resource) -> str:
    """Why discovery proves nothing about the resource; empty if it does."""
    if discovery.faults:
        return "; ".join(discovery.faults)
    group = resource.group
    own = [f"{group}/{one.name}".lstrip("/") for one in discovery.groups.get(group, ()) if one.stale]
    if own:
        why = (discovery.services or {}).get(group, "")
        return f"the server of `{own[0]}` does not answer" + (f" ({why})" if why else "")
    if group in discovery.groups:
        return ""
    if not group:
        return "discovery does not show the core group"
    if discovery.services is None and discovery.stale:
        return f"the server of `{discovery.stale[0]}` does not answer, and APIServices may not be listed"
    return f"an APIService names group `{group}`" if group in (discovery.services or ()) else ""


def _proof(discovery: Discovery, resource: Resource, path: str) -> str:
    what = "the resource" if resource.group in discovery.groups else f"group `{resource.group}`"
    asked = "discovery and APIServices" if discovery.services is not None else "discovery"
    return f"{asked} complete without {what}, and 404 at `{path}`"
