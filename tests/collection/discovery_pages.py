"""What an API server says of itself: version, discovery in both forms, the account that asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.collection.fault_server import FaultServer, Served


def answer(path: str, accept: str, api: FaultServer) -> tuple[dict[str, Any], int] | None:
    """Value and status of a path that is no list; None for a path that the API server does not have."""
    groups = sorted({one.group for one in api.kinds if one.group})
    aggregated = "as=APIGroupDiscoveryList" in accept and api.aggregated_discovery
    core = [one for one in api.kinds if not one.group]
    if path == "/apis/authentication.k8s.io/v1/selfsubjectreviews" and api.self_reviews:
        return {**_kind("SelfSubjectReview", "authentication.k8s.io/v1"), "status": _who(api)}, 201
    fixed: Mapping[str, dict[str, Any]] = {
        "/version": {"major": "1", "minor": "36", "gitVersion": api.version},
        "/api": _aggregated([_group("", core, api)]) if aggregated else {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": _aggregated([_group(name, _of(name, api), api) for name in groups])
        if aggregated
        else {**_kind("APIGroupList"), "groups": [_legacy_group(name, _of(name, api)) for name in groups]},
    }
    if path in fixed:
        return fixed[path], 200
    served = [one for one in api.kinds if one.root == path]
    if not served:
        return None
    if served[0].group in api.stale:
        return {**_kind("Status"), "status": "Failure", "reason": "ServiceUnavailable", "code": 503}, 503
    listed = [_legacy_resource(one) for one in served]
    return {**_kind("APIResourceList"), "groupVersion": served[0].api_version, "resources": listed}, 200


def _kind(kind: str, api_version: str = "v1") -> dict[str, Any]:
    return {"kind": kind, "apiVersion": api_version}


def _who(api: FaultServer) -> dict[str, Any]:
    return {"userInfo": {"username": api.user, "groups": ["system:authenticated"]}}


def _of(group: str, api: FaultServer) -> list[Served]:
    return [one for one in api.kinds if one.group == group]


def _versions(kinds: Iterable[Served]) -> list[str]:
    return sorted({one.version for one in kinds})


def _aggregated(groups: list[dict[str, Any]]) -> dict[str, Any]:
    return {**_kind("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"), "metadata": {}, "items": groups}


def _group(name: str, kinds: list[Served], api: FaultServer) -> dict[str, Any]:
    stale = name in api.stale
    versions = [
        {
            "version": version,
            "resources": [] if stale else [_resource(one) for one in kinds if one.version == version],
            "freshness": "Stale" if stale else "Current",
        }
        for version in _versions(kinds)
    ]
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def _resource(one: Served) -> dict[str, Any]:
    return {
        "resource": one.plural,
        "responseKind": {"group": one.group, "version": one.version, "kind": one.kind},
        "scope": "Namespaced" if one.namespaced else "Cluster",
        "singularResource": one.kind.lower(),
        "verbs": ["get", "list", "watch"],
    }


def _legacy_group(name: str, kinds: list[Served]) -> dict[str, Any]:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in _versions(kinds)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _legacy_resource(one: Served) -> dict[str, Any]:
    return {
        "name": one.plural,
        "singularName": one.kind.lower(),
        "namespaced": one.namespaced,
        "kind": one.kind,
        "verbs": ["get", "list", "watch"],
    }
