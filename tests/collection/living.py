"""A cluster in memory with a history: every state of it can be listed until it is compacted, as in etcd.

It answers as `Client` does, in one process and without a wire, and changes while it is read if it is told how.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit.api_resources import API_SERVICES, RESOURCES, Resource
from audit.collection import Answer, Failure
from audit.sources.kinds import kind_key, kind_of

Object = dict[str, Any]
Name = tuple[str, str]
"""Namespace, empty where there is none, and name."""


def said(value: object, status: int = 200) -> Answer:
    return Answer(status=status, headers={}, body=json.dumps(value).encode())


def refused(status: int, message: str = "", body: bytes = b"") -> Answer:
    return Answer(status=status, headers={}, body=body, message=message)


def version_of(resource: Resource) -> str:
    """The newest version of it that is read here."""
    for version in ("v1", "v1beta1", "v1alpha3"):
        try:
            kind_of(f"{resource.group}/{version}".lstrip("/"), resource.kind)
        except ValueError:
            continue
        return version
    raise AssertionError(resource)


def namespaced(resource: Resource) -> bool:
    return kind_of(f"{resource.group}/{version_of(resource)}".lstrip("/"), resource.kind).namespaced is not False


@dataclass(slots=True)
class Listing:
    """One list request."""

    key: str
    page: int
    query: Mapping[str, str]
    namespace: str = ""


@dataclass
class Living:
    """`on_list` is called before each list, with what is asked; what it gives back is the answer instead."""

    served: Sequence[Resource] = RESOURCES
    on_list: Callable[[Listing], Answer | Failure | None] = lambda _: None
    aggregated: str = "v2"
    """Version of aggregated discovery; empty for a server that has none."""
    stale: frozenset[str] = frozenset()
    """Groups whose server is down."""
    forbidden: frozenset[str] = frozenset()
    """Kind keys, and paths."""
    foreign: frozenset[str] = frozenset()
    """Kind keys of a server that knows no `resourceVersion`."""
    services: Sequence[str] | None = None
    """Groups of APIServices; None where they may not be listed."""
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Namespace to the kind keys that may be read in there."""
    user: str = "reader"
    revision: int = 100
    compacted: int = 0
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    _history: dict[str, dict[Name, list[tuple[int, bytes | None]]]] = field(default_factory=dict)

    def put(self, key: str, name: str, namespace: str = "", **fields: Any) -> None:
        """Create or change an object."""
        self.revision += 1
        states = self._history.setdefault(key, {}).setdefault((namespace, name), [])
        metadata = {"name": name, "uid": f"{key}-{namespace}-{name}", "resourceVersion": str(self.revision)}
        metadata |= {"namespace": namespace} if namespace else {}
        metadata |= fields.pop("metadata", {})
        states.append((self.revision, json.dumps({"metadata": metadata, **fields}).encode()))

    def delete(self, key: str, name: str, namespace: str = "") -> None:
        self.revision += 1
        self._history[key][namespace, name].append((self.revision, None))

    def at(self, key: str, revision: int, namespace: str = "") -> list[bytes]:
        """The objects of a kind as they were, in order."""
        found = []
        for name, states in sorted(self._history.get(key, {}).items()):
            past = [content for at, content in states if at <= revision]
            if past and past[-1] is not None and namespace in ("", name[0]):
                found.append(past[-1])
        return found

    def whoami(self, *, deadline: float) -> str:  # noqa: ARG002 - the signature of Client
        return self.user

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        accept: str = "application/json",
        deadline: float,  # noqa: ARG002 - the signature of Client
    ) -> Answer:
        self.asked.append((path, query or {}))
        if path in self.forbidden:
            return refused(403, f"forbidden: {path}")
        parts = path.strip("/").split("/")
        return self._objects(parts, query or {}) or self._documents(parts, accept) or refused(404, "404 page not found")

    def _documents(self, parts: Sequence[str], accept: str) -> Answer | None:
        match parts:
            case ["version"]:
                return said({"gitVersion": "v1.36.2"})
            case ["api" | "apis" as root]:
                return self._discovery(core=root == "api", accept=accept)
            case ["apis", group] if group in {one.group for one in self.served} | self.stale:
                return said({"kind": "APIGroup"})
            case ["api", version]:
                return self._resources("", version)
            case ["apis", group, version]:
                return self._resources(group, version)
        return None

    def _groups(self, *, core: bool) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {group: [] for group in self.stale if bool(group) != core}
        for one in self.served:
            if (one.group == "") == core:
                found.setdefault(one.group, []).extend([] if one.group in self.stale else [one])
        return found

    def _discovery(self, *, core: bool, accept: str) -> Answer:
        groups = self._groups(core=core)
        if self.aggregated and f"v={self.aggregated};as=APIGroupDiscoveryList" in accept:
            return said({"kind": "APIGroupDiscoveryList", "items": [*map(self._aggregated, groups, groups.values())]})
        if core:
            return said({"kind": "APIVersions", "versions": ["v1"]})
        listed = []
        for name, resources in groups.items():
            versions = [{"version": one} for one in sorted({version_of(one) for one in resources} or {"v1"})]
            listed.append({"name": name, "versions": versions, "preferredVersion": versions[0]})
        return said({"kind": "APIGroupList", "groups": listed})

    def _aggregated(self, name: str, resources: Sequence[Resource]) -> Object:
        versions = [
            {
                "version": version,
                "freshness": "Stale" if name in self.stale else "Current",
                "resources": [
                    {
                        "resource": one.name,
                        "responseKind": {"group": one.group, "version": version, "kind": one.kind},
                        "scope": "Namespaced" if namespaced(one) else "Cluster",
                        "verbs": ["get", "list"],
                    }
                    for one in resources
                    if version_of(one) == version
                ],
            }
            for version in sorted({version_of(one) for one in resources} or {"v1"})
        ]
        return {"metadata": {"name": name}, "versions": versions}

    def _resources(self, group: str, version: str) -> Answer:
        if group in self.stale:
            raise Failure("unavailable", "503: service unavailable", status=503)
        own = [one for one in self.served if one.group == group and version_of(one) == version]
        if not own:
            return refused(404, "404 page not found")
        listed = [
            {"name": one.name, "kind": one.kind, "namespaced": namespaced(one), "verbs": ["get", "list"]} for one in own
        ]
        return said({"kind": "APIResourceList", "resources": listed})

    def _services(self) -> Answer:
        if self.services is None:
            return refused(403, "apiservices is forbidden")
        items = [
            {
                "spec": {"group": one},
                "status": {"conditions": [{"type": "Available", "status": "False" if one in self.stale else "True"}]},
            }
            for one in self.services
        ]
        return said({"kind": "APIServiceList", "metadata": {}, "items": items})

    def _objects(self, parts: Sequence[str], query: Mapping[str, str]) -> Answer | None:
        match parts:
            case ["apis", API_SERVICES.group, "v1", API_SERVICES.name]:
                return self._services()
            case ["api", _, *rest] if rest:
                return self._object_list("", rest, query)
            case ["apis", group, _, *rest] if rest:
                return self._object_list(group, rest, query)
        return None

    def _object_list(self, group: str, rest: Sequence[str], query: Mapping[str, str]) -> Answer:
        namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else ""
        name = rest[2] if namespace else rest[0]
        resource = next((one for one in self.served if (one.group, one.name) == (group, name)), None)
        if group in self.stale:
            raise Failure("unavailable", "503: service unavailable", status=503)
        if resource is None:
            return refused(404, "the server could not find the requested resource")
        key = kind_key(group, resource.kind)
        if key in self.forbidden and key not in self.allowed.get(namespace or rest[-1], ()):
            return refused(403, f"{name} is forbidden")
        if name == "namespaces" and len(rest) == 2:
            return self._namespace(rest[1])
        return self._list(resource, key, namespace, query)

    def _namespace(self, name: str) -> Answer:
        found = self._history.get("Namespace", {}).get(("", name))
        if not found or found[-1][1] is None:
            return refused(404, f"namespaces `{name}` not found")
        return said({"apiVersion": "v1", "kind": "Namespace", **json.loads(found[-1][1])})

    def _list(self, resource: Resource, key: str, namespace: str, query: Mapping[str, str]) -> Answer:
        limit = int(query["limit"])
        at, start = self.revision, 0
        if "continue" in query:
            at, start = map(int, query["continue"].split(":"))
        elif query.get("resourceVersionMatch") == "Exact" and key not in self.foreign:
            at = int(query["resourceVersion"])
        assert query.get("continue") != INCONSISTENT
        if instead := self.on_list(Listing(key, start // limit, query, namespace)):
            if isinstance(instead, Failure):
                raise instead
            return instead
        if at < self.compacted:
            status = {"kind": "Status", "code": 410, "metadata": {"continue": INCONSISTENT}}
            return refused(410, "the provided continue parameter is too old", json.dumps(status).encode())
        objects = self.at(key, at, namespace)
        metadata: Object = {"resourceVersion": str(at)}
        if start + limit < len(objects):
            metadata |= {"continue": f"{at}:{start + limit}", "remainingItemCount": len(objects) - start - limit}
        head = {"apiVersion": f"{resource.group}/{version_of(resource)}".lstrip("/"), "kind": f"{resource.kind}List"}
        items = b",".join(objects[start : start + limit])
        text = json.dumps({**head, "metadata": metadata, "items": []})
        return Answer(status=200, headers={}, body=text[:-2].encode() + items + b"]}")


INCONSISTENT = "-1:0"
"""The way on in another state, which a 410 offers."""
