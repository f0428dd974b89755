"""The discovery documents of the API: aggregated (apidiscovery.k8s.io), per version (metav1), and the APIServices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from audit.collection.answers import Answer

T = TypeVar("T", bound=msgspec.Struct)

GroupName = Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$")]
VersionName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][-a-z0-9]{0,62}$")]
"""Names that become parts of paths: a document with any other is not believed at all."""


class Document(msgspec.Struct, frozen=True):
    """Any of them."""

    kind: str = ""


class ResponseKind(msgspec.Struct, frozen=True):
    """Of the objects of a resource."""

    kind: str = ""


class ResourceDiscovery(msgspec.Struct, frozen=True, rename="camel"):
    """One resource, aggregated."""

    resource: str
    response_kind: ResponseKind | None = None
    scope: str = ""
    verbs: tuple[str, ...] = ()


class VersionDiscovery(msgspec.Struct, frozen=True):
    """One version, aggregated."""

    version: VersionName
    resources: tuple[ResourceDiscovery, ...] = ()
    freshness: str = ""
    """`Current` or `Stale`"""


class GroupMetadata(msgspec.Struct, frozen=True):
    """Of a group, aggregated."""

    name: GroupName = ""


class GroupDiscovery(msgspec.Struct, frozen=True):
    """One group, aggregated; the preferred version first."""

    metadata: GroupMetadata
    versions: tuple[VersionDiscovery, ...] = ()


class GroupDiscoveryList(msgspec.Struct, frozen=True):
    """`APIGroupDiscoveryList`."""

    items: tuple[GroupDiscovery, ...]


class ApiVersions(msgspec.Struct, frozen=True):
    """`APIVersions`: those of the core group."""

    versions: tuple[VersionName, ...]


class GroupVersion(msgspec.Struct, frozen=True):
    """One version of a group."""

    version: VersionName


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """One group."""

    name: GroupName
    versions: tuple[GroupVersion, ...]
    preferred_version: GroupVersion | None = None


class GroupList(msgspec.Struct, frozen=True):
    """`APIGroupList`."""

    groups: tuple[Group, ...]


class Resource(msgspec.Struct, frozen=True):
    """One resource, or with a slash in its name a part of one."""

    name: str
    kind: str = ""
    namespaced: bool = False
    verbs: tuple[str, ...] = ()


class ResourceList(msgspec.Struct, frozen=True):
    """`APIResourceList`."""

    kind: str
    resources: tuple[Resource, ...]


class Condition(msgspec.Struct, frozen=True):
    """Of an APIService."""

    type: str = ""
    status: str = ""
    message: str = ""


class ServiceStatus(msgspec.Struct, frozen=True):
    """Of an APIService."""

    conditions: tuple[Condition, ...] = ()


class ServiceSpec(msgspec.Struct, frozen=True):
    """Of an APIService."""

    group: str = ""


class Service(msgspec.Struct, frozen=True):
    """An APIService: who serves one version of one group."""

    spec: ServiceSpec
    status: ServiceStatus = ServiceStatus()

    @property
    def fault(self) -> str:
        """Why it is not available; empty if it is."""
        down = [one for one in self.status.conditions if one.type == "Available" and one.status != "True"]
        return (down[0].message or "its APIService is not available") if down else ""


class ListMetadata(msgspec.Struct, frozen=True):
    """Of a list."""

    token: str = msgspec.field(default="", name="continue")


class ServiceList(msgspec.Struct, frozen=True):
    """`APIServiceList`."""

    kind: str
    metadata: ListMetadata
    items: tuple[Service, ...]


class Release(msgspec.Struct, frozen=True, rename="camel"):
    """What `/version` says."""

    git_version: str = ""


_DECODERS: Mapping[type[msgspec.Struct], Any] = {
    one: msgspec.json.Decoder(one)
    for one in (Document, GroupDiscoveryList, ApiVersions, GroupList, ResourceList, ServiceList, Release)
}
"""Made before threads are: msgspec crashes where one uses a type that another is making."""


def decoded(answer: Answer, struct: type[T]) -> T | None:
    """The body as this document; None if it is none."""
    try:
        found: T = _DECODERS[struct].decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return found
