"""Ingress objects, and objects of routers that are not modelled: which Services they publish.

On OpenShift an Ingress becomes Routes of its namespace, which every shard serves that selects them; the class binds it
to no shard. Elsewhere the controller is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audit.api_resources import PUBLISHING_GROUPS
from audit.exposure.publications import (
    EVERY_PORT,
    NOBODY,
    PortChoice,
    Publication,
    at,
    decoded,
    items,
    of_kind,
    ref,
    text,
)
from audit.exposure.routers import Shard, serving
from audit.inventory import Inventory
from audit.owners import NO_LABELS
from audit.raw_body import RawBody
from audit.snapshot import Entry, Snapshot

OPENSHIFT_CONTROLLER = "openshift.io/ingress-to-route"
_CLASS = "kubernetes.io/ingress.class"
_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
_OURS = "openshift-"
"""Beginning of the names of the classes that OpenShift makes, one for each IngressController."""


def ingresses(inventory: Inventory, listed: Sequence[Shard]) -> Iterator[Publication]:
    """What Ingress objects publish; those whose Routes were read are left to them."""
    controllers = _controllers(inventory.snapshot)
    spoken = _with_routes(inventory.snapshot)
    for entry in of_kind(inventory.snapshot, "Ingress"):
        spec = decoded(entry.body.spec)
        if not _on_openshift(inventory, entry, spec, controllers):
            for service, port in dict.fromkeys([*_by_host(spec), *_by_default(spec)]):
                yield Publication(ref(entry), NOBODY, service=(entry.namespace, service), port=port, protocol="TCP")
        elif (entry.namespace, entry.name) not in spoken:
            yield from _as_routes(inventory, entry, spec, listed)


def by_class(inventory: Inventory) -> Iterator[tuple[Entry, str | None]]:
    """Every Ingress with its class, None for one that becomes Routes; left out are those whose Routes were read.

    The class is empty where it names none and there is no default one: then every controller decides for itself.
    """
    controllers = _controllers(inventory.snapshot)
    spoken = _with_routes(inventory.snapshot)
    default = _default_class(inventory.snapshot)
    for entry in of_kind(inventory.snapshot, "Ingress"):
        spec = decoded(entry.body.spec)
        if not _on_openshift(inventory, entry, spec, controllers):
            yield entry, _asked(entry, spec) or default
        elif (entry.namespace, entry.name) not in spoken:
            yield entry, None


def _controllers(snapshot: Snapshot) -> dict[str, str]:
    """IngressClass -> its controller."""
    return {
        entry.name: text(decoded(entry.body.spec), "controller")
        for entry in snapshot.of("IngressClass.networking.k8s.io")
    }


def _asked(entry: Entry, spec: Mapping[str, Any]) -> str:
    """The class that an Ingress names."""
    return text(spec, "ingressClassName") or (entry.body.metadata.annotations or NO_LABELS).get(_CLASS, "")


def _as_routes(
    inventory: Inventory, entry: Entry, spec: Mapping[str, Any], listed: Sequence[Shard]
) -> Iterator[Publication]:
    """Its Routes would carry its labels; only rules with a host become Routes."""
    labels = entry.body.metadata.labels or NO_LABELS
    sure = dict.fromkeys(_by_host(spec, hosts=True))
    for number, certain in serving(listed, inventory.namespaces[entry.namespace], labels):
        for service, port in dict.fromkeys([*sure, *_by_host(spec), *_by_default(spec)]):
            known = certain and (service, port) in sure
            yield Publication(ref(entry), number, (entry.namespace, service), known, port, "TCP")


def _on_openshift(inventory: Inventory, entry: Entry, spec: Mapping[str, Any], controllers: Mapping[str, str]) -> bool:
    """Whether OpenShift's own controller takes care of it: by its class, its annotation, or for want of both."""
    if asked := _asked(entry, spec):
        return controllers[asked] == OPENSHIFT_CONTROLLER if asked in controllers else asked.startswith(_OURS)
    default = _default_class(inventory.snapshot)
    if default:
        return controllers[default] == OPENSHIFT_CONTROLLER
    return inventory.profile.product.startswith("openshift")


def _default_class(snapshot: Snapshot) -> str:
    """The class of an Ingress that names none; empty where there is none, or more than one."""
    found = [
        entry.name
        for entry in snapshot.of("IngressClass.networking.k8s.io")
        if (entry.body.metadata.annotations or NO_LABELS).get(_DEFAULT_CLASS) == "true"
    ]
    return found[0] if len(found) == 1 else ""


def _with_routes(snapshot: Snapshot) -> set[tuple[str, str]]:
    """Ingresses whose Routes are in the input."""
    return {
        (entry.namespace, owner.name)
        for entry in of_kind(snapshot, "Route")
        for owner in entry.body.metadata.ownerReferences or ()
        if owner.kind == "Ingress"
    }


def _by_host(spec: Mapping[str, Any], *, hosts: bool = False) -> Iterator[tuple[str, PortChoice]]:
    """(Service, port) of every path; `hosts` leaves out rules for every host."""
    for rule in items(spec, "rules"):
        if not hosts or text(rule, "host"):
            for path in items(rule, "http", "paths"):
                yield from _backend(at(path, "backend"))


def _by_default(spec: Mapping[str, Any]) -> Iterator[tuple[str, PortChoice]]:
    for key in ("defaultBackend", "backend"):
        yield from _backend(at(spec, key))


def _backend(backend: Any) -> Iterator[tuple[str, PortChoice]]:
    """A backend of the current form or of the one before it; none for what is no Service."""
    service = at(backend, "service")
    if name := text(service, "name"):
        yield name, _choice(text(service, "port", "name") or at(service, "port", "number"))
    elif name := text(backend, "serviceName"):
        yield name, _choice(at(backend, "servicePort"))


def _choice(port: object) -> PortChoice:
    if isinstance(port, int):
        return PortChoice(number=port)
    return PortChoice(name=port) if isinstance(port, str) and port else EVERY_PORT


def others(snapshot: Snapshot) -> Iterator[Publication]:
    """What objects of routers that are not modelled may publish."""
    services: set[tuple[str, str]] | None = None
    for listed in snapshot.entries.values():
        for entry in _publishing(listed):
            services = services or {(service.namespace, service.name) for service in snapshot.of("Service")}
            for service in sorted(_named(entry, services)):
                yield Publication(ref(entry), NOBODY, service=service)


def _publishing(listed: Sequence[Entry]) -> Sequence[Entry]:
    return listed if listed and listed[0].group in PUBLISHING_GROUPS and isinstance(listed[0].body, RawBody) else ()


def _named(entry: Entry, services: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Services that any text of an object names: `name`, `name.namespace` or a longer host name."""
    found = set()
    for one in _texts(decoded(entry.body.spec)):
        name, _, rest = one.partition(".")
        found |= services & {(entry.namespace, name), (rest.partition(".")[0], name)}
    return found


def _texts(node: Any) -> Iterator[str]:
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            pending += one.values()
