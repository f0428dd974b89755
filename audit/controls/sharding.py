"""Which routers and classes serve what they should not: judged zone by zone, for the rules to word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from audit.controls.inbound import Admitted, Gate, Inbound, Served, several
from audit.controls.scene import Scene, ref
from audit.exposure.ingresses import OPENSHIFT_CONTROLLER, by_class
from audit.exposure.publications import decoded, text
from audit.model import ObjectRef
from audit.selectors import LabelSelector

_NEGATIVE = ("NotIn", "DoesNotExist")


def mixed(scene: Scene, gate: Gate, admitted: Admitted) -> tuple[str, ...]:
    """The zones that would be served, where they are not just the one that the router belongs to; else none.

    A router that nobody names may serve one zone. One that is open to every namespace serves the zones to come as well.
    """
    zones = tuple(zone.name for zone in scene.zones if zone.name in admitted.certain)
    own = {gate.zone} if gate.zone else set(gate.declared)
    strange = bool(own) and not own.issuperset(zones)
    open_to_all = bool(zones) and admitted.everything and several(scene)
    return zones if strange or len(zones) > 1 or open_to_all else ()


def blind(scene: Scene, found: Inbound) -> str:
    """Why nobody can say which router serves what: the input shows none, although there must be one; else empty."""
    openshift = scene.inventory.profile.product.startswith("openshift") or found.routes
    if not openshift or scene.inventory.snapshot.live:
        return ""
    own = any(one.ref.kind == "IngressController" for one in found.routers)
    if found.routers and not own and scene.inventory.profile.product == "openshift-4":
        return "the input shows no router of the platform: add the IngressControllers"
    if found.routers:
        return ""
    return "the input shows no router: add the IngressControllers, or the DeploymentConfigs of routers of OpenShift 3.x"


def classless(scene: Scene) -> str:
    """Why nobody can say who serves some Ingresses of zones: they name no class and no single one is the default."""
    names = {zone.name for zone in scene.zones}
    spaces = {entry.namespace for entry, named in by_class(scene.inventory) if named == ""}
    zones = sorted(names.intersection(map(scene.zone_of, spaces)))
    if not zones or not several(scene):
        return ""
    return f"which controller serves Ingresses of zone {', '.join(zones)} that name no class is not known"


def served_beyond(scene: Scene, gate: Gate) -> tuple[str, ...]:
    """The zones that a router certainly serves and should not serve together.

    Where labels of Routes have a say, those whose Routes it serves now.
    """
    if not gate.by_routes:
        return mixed(scene, gate, gate.admitted)
    return mixed(scene, gate, Admitted(gate.served)) if mixed(scene, gate, gate.admitted) else ()


def unsure(scene: Scene, gate: Gate) -> tuple[str, ...]:
    """Zones that a router may serve besides those that it certainly serves, and should not."""
    if served_beyond(scene, gate):
        return ()
    likely = dict(gate.admitted.certain) | dict.fromkeys(gate.admitted.possible, 1)
    wide = Admitted(likely, everything=gate.admitted.everything)
    if gate.admitted.possible and (zones := mixed(scene, gate, wide)):
        return zones
    unread = gate.selection is not None and gate.selection.routes is None
    return mixed(scene, gate, gate.admitted) if unread else ()


def on_route_labels(scene: Scene, gate: Gate) -> tuple[str, ...]:
    """Zones that only labels of Routes keep apart."""
    if not gate.by_routes or served_beyond(scene, gate) or unsure(scene, gate):
        return ()
    return mixed(scene, gate, gate.admitted)


def by_absence(scene: Scene, gate: Gate) -> LabelSelector | None:
    """The selector of a router that picks its namespaces, or leaves out those of zones, by what labels do not say.

    Leaving out whatever has a zone label at all is sound, for a router that serves no zone.
    """
    chosen = gate.selection.namespaces if gate.selection else None
    if chosen is None or not chosen.requirements or served_beyond(scene, gate) or unsure(scene, gate):
        return None
    if any(one.operator not in _NEGATIVE for one in chosen.requirements):
        return None
    serves = any(zone.name in gate.admitted.certain for zone in scene.zones)
    sound = {one.key for one in chosen.requirements if one.operator == "DoesNotExist"} & _zone_keys(scene)
    return chosen if serves or not sound else None


def _zone_keys(scene: Scene) -> set[str]:
    keys = set(scene.matrix.settings.zone_labels)
    return keys.union(*(zone.namespaces.keys for zone in scene.zones if zone.namespaces))


@dataclass(frozen=True, slots=True, kw_only=True)
class Misserved:
    """Namespaces of one zone whose Routes or Ingresses the same wrong routers serve, or none."""

    zone: str
    wrong: tuple[str, ...]
    """Routers and classes that are not the zone's, for people; none where nobody serves them."""
    own: tuple[str, ...] = ()
    """Those of the zone that serve them as well."""
    sure: bool = True
    namespaces: tuple[str, ...]
    objects: int


def misserved(scene: Scene, found: Inbound, used: Iterable[ClassUse]) -> Iterator[Misserved]:
    """Routes and Ingresses that the wrong router serves, or none, by zone and routers."""
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...], bool], list[Served]] = {}
    for one in found.served:
        zone = scene.zone_of(one.namespace)
        wrong = [gate for number in one.certain if (gate := found.gates[number]).zone != zone]
        own = [gate for number in one.certain if (gate := found.gates[number]).zone == zone]
        if wrong or not one.certain:
            names = [tuple(map(str, listed)) for listed in (wrong, own)]
            sure = bool(wrong) or not one.possible
            groups.setdefault((zone, names[0], names[1], sure), []).append(one)
    for (zone, wrong_names, own_names, sure), served in sorted(groups.items()):
        yield Misserved(
            zone=zone,
            wrong=wrong_names,
            own=own_names,
            sure=sure,
            namespaces=tuple(dict.fromkeys(one.namespace for one in served)),
            objects=sum(one.objects for one in served),
        )
    for use in used:
        named = {zone.name for zone in scene.zones if zone.ingress_classes}
        for zone, spaces in use.used.items():
            if zone not in use.declared and (use.declared or zone in named):
                yield Misserved(zone=zone, wrong=(str(use.ref),), namespaces=spaces, objects=len(spaces))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassUse:
    """One class of Ingresses that OpenShift does not turn into Routes."""

    ref: ObjectRef
    declared: tuple[str, ...]
    """Zones of the matrix that name it."""
    used: Mapping[str, tuple[str, ...]]
    """Zone of kind `cluster` -> namespaces with an Ingress of the class, sorted."""


def classes(scene: Scene) -> tuple[ClassUse, ...]:
    """Every class that a zone and the input name, and every class that an Ingress of a zone names; by name."""
    controllers = {
        one.name: (ref(one), text(decoded(one.body.spec), "controller"))
        for one in scene.of("IngressClass.networking.k8s.io")
    }
    names = {zone.name for zone in scene.zones}
    used: dict[str, dict[str, set[str]]] = {}
    for entry, named in by_class(scene.inventory):
        if named and (zone := scene.zone_of(entry.namespace)) in names:
            used.setdefault(named, {}).setdefault(zone, set()).add(entry.namespace)
    asked = {one for zone in scene.matrix.zones for one in zone.ingress_classes}
    known = {name for name, (_, controller) in controllers.items() if controller != OPENSHIFT_CONTROLLER}
    return tuple(
        ClassUse(
            ref=controllers[name][0] if name in controllers else ObjectRef("IngressClass", "", name),
            declared=tuple(zone.name for zone in scene.matrix.zones if name in zone.ingress_classes),
            used={zone: tuple(sorted(spaces)) for zone, spaces in sorted(used.get(name, {}).items())},
        )
        for name in sorted({*used, *(asked & known)})
    )
