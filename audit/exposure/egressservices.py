"""EgressService and AdminPolicyBasedExternalRoute (`k8s.ovn.org/v1`): other ways out of OVN-Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.exposure.raw import decoded, listed, text_of
from audit.exposure.selecting import picked, readable
from audit.exposure.ways import Source, Way
from audit.inventory import Inventory
from audit.model import ObjectRef
from audit.snapshot import Entry

SERVICES_KEY = "EgressService.k8s.ovn.org"
ROUTES_KEY = "AdminPolicyBasedExternalRoute.k8s.ovn.org"
GATEWAYS = "k8s.ovn.org/routing-external-gws"
"""Annotation of namespaces, by which older releases sent their traffic to other gateways."""
SERVED = "k8s.ovn.org/routing-namespaces"
"""Annotation of pods that older releases made the gateway of the namespaces it lists."""


class EgressServices:
    """The Services whose pods leave with the address of their load balancer."""

    def __init__(self, inventory: Inventory) -> None:
        services = {(one.namespace, one.name): one for one in inventory.snapshot.of("Service")}
        self._listed: dict[str, list[tuple[Entry, Entry | None]]] = {}
        for entry in inventory.snapshot.of(SERVICES_KEY):
            service = services.get((entry.namespace, entry.name))
            self._listed.setdefault(entry.namespace, []).append((entry, service))

    def by_labels(self, namespace: str) -> bool:
        """Whether labels of pods make a difference in a namespace."""
        return namespace in self._listed

    def way(self, namespace: str, labels: Mapping[str, str]) -> Way | None:
        """What the objects do whose Service leads to a pod; None where none does."""
        found = [
            _served(entry, service)
            for entry, service in self._listed.get(namespace, ())
            if service is None or _leads(service, labels)
        ]
        if len(found) < 2:  # noqa: PLR2004 - which of two Services of a pod decides is open
            return found[0] if found else None
        sources = tuple(source for way in found for source in way.sources)
        return Way(sources, doubt=True, final=all(way.final for way in found))


def _leads(service: Entry, labels: Mapping[str, str]) -> bool:
    selector = (service.body.spec.selector or {}) if service.body.spec else {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _served(entry: Entry, service: Entry | None) -> Way:
    """What one object does; without its Service, its node or an address, it may not do it."""
    spec, host = decoded(entry.body.spec), text_of(decoded(entry.body.status), "host")
    via = str(ObjectRef(entry.kind, entry.namespace, entry.name))
    status = service.body.status if service else None
    points = (status.loadBalancer.ingress or ()) if status and status.loadBalancer else ()
    addresses = [one.ip for one in points if one.ip]
    if spec.get("sourceIPBy") != "LoadBalancerIP":
        return Way((Source("", via, "", "unknown"),), doubt=True, final=False)
    known = bool(host and addresses)
    sources = tuple(Source(address, via, host, "allowed") for address in addresses or [""])
    return Way(sources, doubt=not known, final=known)


class ExternalRoutes:
    """The namespaces whose traffic goes to other gateways, which see the pods' own addresses."""

    def __init__(self, inventory: Inventory) -> None:
        self._routes = [
            (ObjectRef(one.kind, "", one.name), _in_force(one)) for one in inventory.snapshot.of(ROUTES_KEY)
        ]
        specs = [decoded(one.body.spec) for one in inventory.snapshot.of(ROUTES_KEY)]
        selectors = [readable(_field(spec, "from").get("namespaceSelector")) for spec in specs]
        self._picked = picked(inventory.namespaces, selectors)
        self._annotated = _annotated(inventory)

    def way(self, namespace: str) -> Way | None:
        """What decides for the pods of a namespace; None where nothing does."""
        found = [(*self._routes[number], sure) for number, sure in self._picked.get(namespace, ())]
        if not found:
            old = self._annotated.get(namespace)
            return Way(keeps=old, doubt=True, final=False) if old else None
        certain = [str(ref) for ref, in_force, sure in found if in_force and sure]
        if certain:
            return Way(keeps=certain[0])
        return Way(keeps=str(found[0][0]), doubt=True, final=False)


def _in_force(entry: Entry) -> bool:
    """Whether the route certainly has a next hop: one that is written down, and no word of a failure."""
    hops = listed(_field(decoded(entry.body.spec), "nextHops"), "static")
    return bool(hops) and text_of(decoded(entry.body.status), "status") != "Fail"


def _annotated(inventory: Inventory) -> dict[str, str]:
    """Namespace -> what sends its traffic to another gateway by annotation."""
    found: dict[str, str] = {}
    for pod in inventory.snapshot.of("Pod"):
        if served := (pod.body.metadata.annotations or {}).get(SERVED):
            found |= {name.strip(): str(ObjectRef("Pod", pod.namespace, pod.name)) for name in served.split(",")}
    return found | {
        name: f"Namespace {name}" for name, one in inventory.namespaces.items() if GATEWAYS in one.annotations
    }


def _field(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = value.get(field)
    return found if isinstance(found, dict) else {}
