"""Endpoints of the platform, and the ways in that lead to them.

Input: a Scene. Output: facts for TOP002. Decisions: which router serves a Route is computed from its selectors, whether
or not the input shows the pods behind; what serves nothing of the platform today and may tomorrow is told, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from audit.controls.facing import Doors, Facing, outside
from audit.controls.scene import Scene
from audit.exposure.publications import NOBODY, of_kind, ref
from audit.exposure.routers import Shard, serving, shards
from audit.flows import EntryPoint
from audit.model import ObjectRef
from audit.owners import NO_LABELS
from audit.zones import is_platform

ROUTE = "Route.route.openshift.io"
_WORDS: Mapping[str, str] = {
    "kubernetes-dashboard": "dashboard",
    "logging": "logging",
    "openshift-authentication": "OAuth",
    "openshift-console": "console",
    "openshift-image-registry": "registry",
    "openshift-infra": "metrics",
    "openshift-logging": "logging",
    "openshift-metrics": "metrics",
    "openshift-monitoring": "monitoring",
    "openshift-user-workload-monitoring": "monitoring",
}
"""Namespace -> what its endpoints are."""
_OF_DEFAULT: Mapping[str, str] = {"docker-registry": "registry", "registry-console": "registry console"}
"""What OpenShift 3 publishes from `default`; the rest of that namespace is not the platform's."""
_HARMLESS = ("openshift-ingress-canary",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One Route, Ingress or Service of the platform."""

    ref: ObjectRef
    word: str
    certain: bool
    """Whether the entry point certainly serves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One entry point with what it serves of the platform."""

    object: ObjectRef
    facing: Facing
    endpoints: tuple[Endpoint, ...]
    """Sorted; empty for one that could serve some."""
    could: tuple[str, ...] = ()
    """Namespaces of endpoints of the platform that its choice of namespaces covers."""


def platform_doors(scene: Scene) -> tuple[Door, ...]:
    """Entry points that serve, or could serve, endpoints of the platform, sorted."""
    listed = shards(scene.inventory)
    entries = {one.object: one for one in scene.facts.entry_points if one.kind != "unknown-router"}
    doors = Doors(scene, outside(scene))
    found: dict[ObjectRef, dict[ObjectRef, Endpoint]] = {}
    for router, endpoint in (*_routes(scene, listed), *_others(scene)):
        found.setdefault(router, {}).setdefault(endpoint.ref, endpoint)
    spaces = sorted({one.namespace for served in found.values() for one in served})
    open_to = {
        shard.router.ref: tuple(
            name for name in spaces if (known := scene.inventory.namespaces.get(name)) and shard.router.allows(known)
        )
        for shard in listed
    }
    return tuple(
        Door(
            object=one,
            facing=_facing(doors, entries.get(one)),
            endpoints=tuple(sorted(found.get(one, {}).values(), key=lambda endpoint: endpoint.ref)),
            could=open_to.get(one, ()),
        )
        for one in sorted({*found, *(router for router, names in open_to.items() if names)})
    )


def _facing(doors: Doors, entry: EntryPoint | None) -> Facing:
    if entry is None:
        return Facing("unknown", "the router that serves it is not in the input")
    return doors.facing(entry)


def _routes(scene: Scene, listed: tuple[Shard, ...]) -> Iterator[tuple[ObjectRef, Endpoint]]:
    """Routes of the platform with each router that serves them; with the Route itself where none is shown."""
    for entry in of_kind(scene.inventory.snapshot, "Route"):
        if word := _word(scene, entry.namespace, entry.name):
            labels = entry.body.metadata.labels or NO_LABELS
            for number, sure in serving(listed, scene.inventory.namespaces[entry.namespace], labels):
                router = ref(entry) if number == NOBODY else listed[number].router.ref
                yield router, Endpoint(ref=ref(entry), word=word, certain=sure)


def _others(scene: Scene) -> Iterator[tuple[ObjectRef, Endpoint]]:
    """Endpoints that an Ingress, a route of a Gateway, or a Service of its own leads to."""
    routers = {router for one in scene.facts.entry_points for router in one.routers}
    for entry in scene.facts.entry_points:
        if entry.kind == "service":
            word = _word(scene, entry.object.namespace, entry.object.name)
            behind = {backend.workload for backend in entry.backends}
            if word and not (behind and behind <= routers) and entry.object.namespace != "openshift-ingress":
                yield entry.object, Endpoint(ref=entry.object, word=word, certain=True)
        elif entry.kind in ("router", "gateway", "unknown-router"):
            for backend in entry.backends:
                word = _word(scene, backend.by.namespace, backend.by.name)
                if word and backend.by.kind != "Route":
                    yield entry.object, Endpoint(ref=backend.by, word=word, certain=backend.verdict != "unknown")


def _word(scene: Scene, namespace: str, name: str) -> str:
    """What an object of the platform is for; empty for objects of others."""
    if namespace == "default":
        return _OF_DEFAULT.get(name, "")
    own = namespace in _WORDS or is_platform(namespace) or scene.kind_of(namespace) == "platform"
    return _WORDS.get(namespace, name) if own and namespace not in _HARMLESS else ""
