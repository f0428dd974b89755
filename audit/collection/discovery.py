"""What an API server serves, in which versions, and what of it is down.

Discovery comes in two documents where the server can aggregate it (v2 from Kubernetes 1.30, v2beta1 from 1.27), else in
one for each version of each group. An extension whose server is down stays in there and is `stale`: shown without its
resources, it is not proven to have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.api_resources import API_SERVICES, unmodelled
from audit.collection import documents
from audit.collection.answers import Answer, Failure
from audit.collection.api import OK, Api, refusal, soon
from audit.collection.documents import decoded
from audit.collection.threads import each

_JSON = "application/json"
_VERSIONS = ("v2", "v2beta1")
AGGREGATED = ",".join(
    (*(f"{_JSON};g=apidiscovery.k8s.io;v={one};as=APIGroupDiscoveryList" for one in _VERSIONS), _JSON)
)
"""Best first; a server that knows none of them gives the older documents."""
_UNREADABLE = "the answer is no discovery document"


@dataclass(frozen=True, slots=True)
class Served:
    """One resource of one version."""

    kind: str
    namespaced: bool
    listable: bool


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a group, as discovery shows it."""

    name: str
    resources: Mapping[str, Served]
    """By plural; of a stale version what was known before, often nothing."""
    stale: bool = False
    """The server behind it does not answer the API server."""


Groups = Mapping[str, tuple[Version, ...]]
"""By name, empty for core; the preferred version first."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """All that is served."""

    groups: Groups
    faults: tuple[str, ...] = ()
    """Documents that could not be read: then more may be served than is shown."""
    services: Mapping[str, str] | None = None
    """Group of each APIService to why it is not available, empty if it is; None where they may not be listed."""

    @property
    def stale(self) -> tuple[str, ...]:
        """`group/version` of all that is stale, sorted."""
        pairs = ((group, one) for group, versions in self.groups.items() for one in versions)
        return tuple(sorted(f"{group}/{one.name}".lstrip("/") for group, one in pairs if one.stale))

    @property
    def unmodelled(self) -> tuple[str, ...]:
        """Groups that may decide traffic and that nobody asks for, sorted; whether they can be read does not matter."""
        pairs = ((group, one) for group, versions in self.groups.items() for one in versions)
        return unmodelled((group, kind) for group, one in pairs for kind in _kinds(one))


def discover(api: Api, deadline: float) -> Discovery:
    """What the API server says it serves; what it does not say is among the faults."""
    groups: dict[str, tuple[Version, ...]] = {}
    faults: list[str] = []
    for path in ("/api", "/apis"):
        known = _groups(api, path, deadline)
        if isinstance(known, str):
            faults.append(f"discovery at `{path}`: {known}")
        else:
            groups.update(known)
    services = _services(api, deadline) if API_SERVICES.group in groups else None
    return Discovery(groups, tuple(faults), services)


def server_version(api: Api, deadline: float) -> str:
    """`v1.36.2`; empty where the API server does not say. Failure when it does not answer at all."""
    answer = api.get("/version", deadline=soon(deadline))
    found = decoded(answer, documents.Release) if answer.status == OK else None
    return found.git_version if found else ""


def _kinds(version: Version) -> tuple[str, ...]:
    """Those that it shows; one without a name where it shows none, since its group is there all the same."""
    return tuple(served.kind for served in version.resources.values()) or ("",)


def _groups(api: Api, path: str, deadline: float) -> Groups | str:
    """What the document at this path shows, whichever form it has; why it is not known, in words."""
    answer = _document(api, path, deadline)
    if isinstance(answer, str):
        return answer
    known = decoded(answer, documents.Document)
    match known and known.kind:
        case "APIGroupDiscoveryList":
            aggregated = decoded(answer, documents.GroupDiscoveryList)
            return {one.metadata.name: _versions(one) for one in aggregated.items} if aggregated else _UNREADABLE
        case "APIVersions":
            core = decoded(answer, documents.ApiVersions)
            return _each(api, path, {"": core.versions}, deadline) if core else _UNREADABLE
        case "APIGroupList":
            listed = decoded(answer, documents.GroupList)
            return (
                _each(api, path, {one.name: _ordered(one) for one in listed.groups}, deadline)
                if listed
                else _UNREADABLE
            )
    return _UNREADABLE


def _document(api: Api, path: str, deadline: float) -> Answer | str:
    """The answer to a question for discovery; why there is none, in words."""
    try:
        answer = api.get(path, accept=AGGREGATED, deadline=soon(deadline))
    except Failure as failure:
        return failure.message
    return answer if answer.status == OK else refusal(answer)


def _versions(group: documents.GroupDiscovery) -> tuple[Version, ...]:
    return tuple(
        Version(
            version.version,
            {
                one.resource: Served(one.response_kind.kind, one.scope == "Namespaced", "list" in one.verbs)
                for one in version.resources
                if one.response_kind
            },
            stale=version.freshness == "Stale",
        )
        for version in group.versions
    )


def _ordered(group: documents.Group) -> tuple[str, ...]:
    """Its versions, the preferred one first."""
    return tuple(one.version for one in sorted(group.versions, key=lambda one: one != group.preferred_version))


def _each(api: Api, path: str, groups: Mapping[str, tuple[str, ...]], deadline: float) -> Groups:
    """The same from the older documents, one for each version."""
    pairs = [(group, version) for group, versions in groups.items() for version in versions]

    def read(pair: tuple[str, str]) -> Version:
        return _version(api, "/".join(filter(None, (path, *pair))), pair[1], deadline)

    found = dict(zip(pairs, each(read, pairs), strict=True))
    return {group: tuple(found[group, version] for version in versions) for group, versions in groups.items()}


def _version(api: Api, path: str, name: str, deadline: float) -> Version:
    """The version that a document of its own shows; stale if it cannot be read."""
    answer = _document(api, path, deadline)
    listed = None if isinstance(answer, str) else decoded(answer, documents.ResourceList)
    if listed is None or listed.kind != "APIResourceList":
        return Version(name, {}, stale=True)
    return Version(name, {one.name: Served(one.kind, one.namespaced, "list" in one.verbs) for one in listed.resources})


def _services(api: Api, deadline: float) -> Mapping[str, str] | None:
    """`Discovery.services`; None too where there is more than a page of them, which no cluster has."""
    try:
        answer = api.get(
            f"/apis/{API_SERVICES.group}/v1/{API_SERVICES.name}", {"limit": "500"}, deadline=soon(deadline)
        )
    except Failure:
        return None
    listed = decoded(answer, documents.ServiceList) if answer.status == OK else None
    if listed is None or listed.kind != "APIServiceList" or listed.metadata.token:
        return None
    faults: dict[str, str] = {}
    for one in listed.items:
        faults[one.spec.group] = faults.get(one.spec.group, "") or one.fault
    return faults
