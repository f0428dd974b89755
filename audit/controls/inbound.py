"""Routers and Gateways: whom each of them serves, and which zone it belongs to.

What one may serve is read off its selectors and listeners, what it serves now off the Routes; `status` is no authority.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from audit.controls.scene import Scene
from audit.exposure.gateways import GROUP, Gateway, gateways
from audit.exposure.ingresses import by_class
from audit.exposure.publications import ROUTED, Router, at, decoded, of_kind, text
from audit.exposure.routers import Selection, Shard, parsed, selected, serving, shards
from audit.flows import EntryPoint
from audit.model import Namespace, ObjectRef
from audit.owners import NO_LABELS
from audit.selectors import EVERYTHING, LabelSelector
from audit.snapshot import Entry

CONTROLLER = "IngressController.operator.openshift.io"
READ = (
    CONTROLLER,
    "Infrastructure.config.openshift.io",
    "IngressClass.networking.k8s.io",
    "IPAddressPool.metallb.io",
    "Service",
    "Endpoints",
    "EndpointSlice.discovery.k8s.io",
    *(f"{kind}.{GROUP}" for kind in ("Gateway", "GatewayClass", "ReferenceGrant")),
    *(f"{kind}.{group}" for kind, groups in ROUTED.items() for group in groups if group),
)
"""Kind keys that the controls of the way in read."""
NO_COUNTS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Admitted:
    """The zones of the namespaces that a selector picks; namespaces without a zone are left out."""

    certain: Mapping[str, int]
    """Zone -> number of namespaces."""
    possible: frozenset[str] = frozenset()
    """Zones of further namespaces that it may pick."""
    everything: bool = False
    """Whether it picks every namespace there will ever be."""


NOBODY_ELSE = Admitted({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One router or Gateway."""

    ref: ObjectRef
    declared: tuple[str, ...]
    """Zones of the matrix that name it."""
    zone: str
    """The zone of kind `cluster` that it belongs to; empty where it serves none, or several."""
    admitted: Admitted
    selection: Selection | None
    """None for a Gateway."""
    router: Router
    entry: EntryPoint | None
    served: Mapping[str, int] = field(default_factory=dict)
    """Zone -> number of Routes and Ingresses that it certainly serves now."""
    listeners: tuple[tuple[str, Admitted], ...] = ()
    """Of a Gateway: its listeners by name."""
    invited: Admitted = NOBODY_ELSE
    """Of a Gateway: the namespaces that may add listeners to it."""

    @property
    def by_routes(self) -> bool:
        """Whether labels of Routes have a say in what it serves."""
        return self.selection is not None and (self.selection.routes is None or self.selection.routes != EVERYTHING)

    def __str__(self) -> str:
        return str(self.ref) if self.ref.kind != "IngressController" else f"router {self.ref.name}"


class Served(NamedTuple):
    """The Routes and Ingresses of one namespace that the same routers serve."""

    namespace: str
    certain: tuple[int, ...]
    """Indices into Inbound.gates."""
    possible: tuple[int, ...]
    """Those besides that may serve them."""
    objects: int


@dataclass(frozen=True, slots=True)
class Inbound:
    """Everything about routers."""

    gates: tuple[Gate, ...]
    """Routers of OpenShift, then Gateways."""
    served: tuple[Served, ...]
    """Sorted; of the namespaces of zones of kind `cluster`."""
    routes: bool
    """Whether the input holds Routes at all."""

    @property
    def routers(self) -> tuple[Gate, ...]:
        """Those that are no Gateways."""
        return tuple(one for one in self.gates if one.selection is not None)

    def of_zones(self) -> Iterator[Gate]:
        """Those that belong to a zone."""
        return (one for one in self.gates if one.zone)


def inbound(scene: Scene) -> Inbound:
    """All routers and Gateways, and what the routers serve."""
    listed, gates = shards(scene.inventory), gateways(scene.inventory)
    picks = _Picks(scene)
    invited = {(one.namespace, one.name): _invited(one, picks) for one in scene.of(f"Gateway.{GROUP}")}
    entries = {one.object: one for one in scene.facts.entry_points if one.kind in ("router", "gateway")}
    served = tuple(_served(scene, listed))
    live = _by_zone(scene, served)
    found = [_router(scene, one, picks, entries, live.get(number, NO_COUNTS)) for number, one in enumerate(listed)]
    found += [
        replace(_gateway(scene, one, picks, entries), invited=invited[one.namespace, one.router.ref.name])
        for one in gates
    ]
    return Inbound(tuple(found), served, routes=any(True for _ in of_kind(scene.inventory.snapshot, "Route")))


def _invited(gateway: Entry, picks: _Picks) -> Admitted:
    return _chosen(at(decoded(gateway.body.spec), "allowedListeners", "namespaces"), gateway.namespace, picks, "None")


class _Picks:
    """What selectors pick; each is looked up once, however many routers have it."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._known: dict[LabelSelector | None, Admitted] = {}

    def of(self, selector: LabelSelector | None) -> Admitted:
        """The zones that it admits."""
        if selector not in self._known:
            namespaces = self._scene.inventory.namespaces.values()
            truths = ((one, selected(selector, one)) for one in namespaces)
            self._known[selector] = self._counted(truths, everything=selector == EVERYTHING)
        return self._known[selector]

    def one(self, name: str) -> Admitted:
        """A single namespace."""
        return self._counted([(self._scene.inventory.namespaces[name], True)], everything=False)

    def _counted(self, truths: Iterable[tuple[Namespace, bool | None]], *, everything: bool) -> Admitted:
        certain: Counter[str] = Counter()
        possible = set()
        for namespace, truth in truths:
            zone = self._scene.zone_of(namespace.name)
            if truth:
                certain[zone] += 1
            elif truth is None:
                possible.add(zone)
        kept = {zone.name for zone in self._scene.matrix.zones}
        counts = {zone: count for zone, count in sorted(certain.items()) if zone in kept}
        return Admitted(counts, frozenset(possible & kept - counts.keys()), everything)


def _router(
    scene: Scene, shard: Shard, picks: _Picks, entries: Mapping[ObjectRef, EntryPoint], served: Mapping[str, int]
) -> Gate:
    admitted = picks.of(shard.selection.namespaces)
    return Gate(
        ref=shard.router.ref,
        declared=_declared(scene, shard.router.ref.name),
        zone=_owner(scene, shard.router.ref, admitted),
        admitted=admitted,
        selection=shard.selection,
        router=shard.router,
        entry=entries.get(shard.router.ref),
        served=served,
    )


def _declared(scene: Scene, name: str) -> tuple[str, ...]:
    return tuple(zone.name for zone in scene.matrix.zones if name in zone.ingress_controllers)


def _owner(scene: Scene, router: ObjectRef, admitted: Admitted) -> str:
    """The zone that names it; else the one in whose namespace it stands; else the only one that it would serve."""
    names = {zone.name for zone in scene.zones}
    if declared := _declared(scene, router.name):
        return declared[0] if len(declared) == 1 and declared[0] in names else ""
    if (home := scene.zone_of(router.namespace)) in names:
        return home
    serving_zones = (admitted.certain.keys() | admitted.possible) & names
    single = len(serving_zones) == 1 and not (admitted.everything and several(scene))
    return next(iter(serving_zones)) if single else ""


def several(scene: Scene) -> bool:
    """Whether the cluster is for more than one zone."""
    return scene.matrix.settings.cluster_mode == "multi-zone" and len(scene.zones) > 1


def _gateway(scene: Scene, gate: Gateway, picks: _Picks, entries: Mapping[ObjectRef, EntryPoint]) -> Gate:
    admitted = [(text(one, "name"), _of_listener(gate, one, picks)) for one in gate.listeners]
    whole = joined(one for _, one in admitted)
    return Gate(
        ref=gate.router.ref,
        declared=_declared(scene, gate.router.ref.name),
        zone=_owner(scene, gate.router.ref, whole),
        admitted=whole,
        selection=None,
        router=gate.router,
        entry=entries.get(gate.router.ref),
        listeners=tuple(admitted),
    )


def _of_listener(gate: Gateway, listener: Mapping[str, Any] | None, picks: _Picks) -> Admitted:
    if listener is None:
        return picks.of(None)
    return _chosen(at(listener, "allowedRoutes", "namespaces"), gate.namespace, picks, "Same")


def _chosen(asked: Any, home: str, picks: _Picks, default: str) -> Admitted:
    """The namespaces of a choice of the Gateway API; `default` is what no choice means."""
    match text(asked, "from") or default:
        case "All":
            return picks.of(EVERYTHING)
        case "Same":
            return picks.one(home)
        case "Selector" if at(asked, "selector") is not None:
            return picks.of(parsed(at(asked, "selector")))
        case "None":
            return NOBODY_ELSE
        case _:
            return picks.of(None)


def joined(parts: Iterable[Admitted]) -> Admitted:
    """What several admit together; a zone counts with the most namespaces that one of them admits."""
    certain: dict[str, int] = {}
    possible: set[str] = set()
    everything = False
    for part in parts:
        for zone, count in part.certain.items():
            certain[zone] = max(count, certain.get(zone, 0))
        possible |= part.possible
        everything |= part.everything
    return Admitted(dict(sorted(certain.items())), frozenset(possible - certain.keys()), everything)


def _published(scene: Scene) -> Iterator[Entry]:
    """Routes, and Ingresses that become Routes."""
    yield from of_kind(scene.inventory.snapshot, "Route")
    yield from (entry for entry, named in by_class(scene.inventory) if named is None)


def _served(scene: Scene, listed: Sequence[Shard]) -> Iterator[Served]:
    """Namespace by namespace, those alike as one; nothing where no router is shown."""
    if not listed:
        return
    keys = sorted({key for one in listed for key in (one.selection.routes.keys if one.selection.routes else ())})
    names = {zone.name for zone in scene.zones}
    known: dict[tuple[str, ...], list[tuple[int, bool]]] = {}
    counts: Counter[tuple[str, tuple[int, ...], tuple[int, ...]]] = Counter()
    for entry in _published(scene):
        if scene.zone_of(entry.namespace) not in names:
            continue
        labels = entry.body.metadata.labels or NO_LABELS
        key = (entry.namespace, *(f"={labels[one]}" if one in labels else "" for one in keys))
        if key not in known:
            known[key] = serving(listed, scene.inventory.namespaces[entry.namespace], labels)
        parts = [tuple(number for number, certain in known[key] if certain is wanted) for wanted in (True, False)]
        counts[entry.namespace, parts[0], parts[1]] += 1
    yield from (Served(*key, objects) for key, objects in sorted(counts.items()))


def _by_zone(scene: Scene, served: Iterable[Served]) -> dict[int, dict[str, int]]:
    """Router -> zone -> Routes that it certainly serves."""
    found: dict[int, dict[str, int]] = {}
    for one in served:
        zone = scene.zone_of(one.namespace)
        for number in one.certain:
            counts = found.setdefault(number, {})
            counts[zone] = counts.get(zone, 0) + one.objects
    return found
