"""Where clients connect to: the addresses of Services, nodes, Gateways and platforms, and the zones of places."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from audit.exposure.publications import Router, at, decoded, items, text
from audit.inventory import Inventory
from audit.model import UNZONED
from audit.snapshot import Entry
from audit.traffic import address_number, address_text
from audit.zones import ZoneMap


class Front(NamedTuple):
    """Where clients connect to."""

    addresses: frozenset[str] = frozenset()
    hostnames: frozenset[str] = frozenset()
    every_node: bool = False

    def __or__(self, other: Front) -> Front:
        joined = self.hostnames | other.hostnames
        return Front(self.addresses | other.addresses, joined, self.every_node or other.every_node)


class Places:
    """Zones of addresses, nodes and namespaces; nothing has one without a matrix."""

    def __init__(self, inventory: Inventory, zone_map: ZoneMap | None) -> None:
        self._inventory = inventory
        self._map = zone_map
        owned = zone_map.addresses if zone_map else ()
        self._spans = sorted((low, high, zone) for zone, addresses in owned for low, high in addresses.spans)
        self._starts = [low for low, _, _ in self._spans]
        self._nodes = {
            number: zone_map.nodes[name].zone
            for name, node in (inventory.nodes.items() if zone_map else ())
            for number in node.published
            if zone_map
        }

    def of_addresses(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Zones of addresses."""
        return tuple(sorted({self._of_address(address_number(one)) for one in addresses})) if self._map else ()

    def _of_address(self, number: int) -> str:
        """The zone of the node that has it, else of the block that holds it."""
        at_node = self._nodes.get(number, UNZONED)
        if at_node != UNZONED:
            return at_node
        place = bisect_right(self._starts, number) - 1
        return self._spans[place][2] if place >= 0 and number <= self._spans[place][1] else UNZONED

    def of_nodes(self, names: Iterable[str]) -> tuple[str, ...]:
        """Zones of nodes; a node that was not read has none."""
        known = self._map.nodes if self._map else {}
        return tuple(sorted({known[name].zone for name in names if name in known}))

    def of_namespaces(self, names: Iterable[str]) -> tuple[str, ...]:
        """Zones of namespaces."""
        return tuple(sorted({self._map.namespaces[name].zone for name in names})) if self._map else ()

    def open_to(self, router: Router) -> tuple[str, ...]:
        """Zones of the namespaces that a router would serve."""
        listed = self._inventory.namespaces.values() if self._map else ()
        return self.of_namespaces(one.name for one in listed if router.allows(one) is not False)


def service_front(service: Entry) -> Front:
    """The addresses of a Service."""
    spec, status = service.body.spec, service.body.status
    listed = (status.loadBalancer.ingress or ()) if status and status.loadBalancer else ()
    balanced = listed if spec.type == "LoadBalancer" else ()
    open_ports = spec.type == "NodePort" or (
        spec.type == "LoadBalancer" and spec.allocateLoadBalancerNodePorts is not False
    )
    return Front(
        _addresses([*(one.ip for one in balanced), *(spec.externalIPs or ())]),
        frozenset(one.hostname for one in balanced if one.hostname),
        open_ports,
    )


def balancer_front(status: Mapping[str, Any]) -> Front:
    """`status.loadBalancer` of an Ingress."""
    listed = items(status, "loadBalancer", "ingress")
    return Front(
        _addresses(text(one, "ip") for one in listed),
        frozenset(filter(None, (text(one, "hostname") for one in listed))),
    )


def _addresses(texts: Iterable[str | None]) -> frozenset[str]:
    """The addresses among some texts, as everybody else writes them."""
    found = set()
    for one in texts:
        try:
            found.add(address_text(address_number(one or "")))
        except ValueError:
            continue
    return frozenset(found)


def controlled(router: Router) -> bool:
    """Whether it is an IngressController."""
    return router.ref.kind == "IngressController"


def object_front(inventory: Inventory, router: Router, gateways: Mapping[tuple[str, str], Entry]) -> Iterator[Front]:
    """Addresses that a Gateway shows, or that the platform has for the IngressController `default`."""
    if entry := gateways.get((router.ref.namespace, router.ref.name)) if router.ref.kind == "Gateway" else None:
        shown = items(decoded(entry.body.status), "addresses") or items(decoded(entry.body.spec), "addresses")
        values = [text(one, "value") for one in shown]
        yield Front(_addresses(values), frozenset(one for one in values if one and not _addresses([one])))
    elif controlled(router) and router.ref.name == "default":
        for infrastructure in inventory.snapshot.of("Infrastructure.config.openshift.io"):
            status = at(decoded(infrastructure.body.status), "platformStatus")
            for platform in status.values() if isinstance(status, dict) else ():
                listed = [*items(platform, "ingressIPs"), text(platform, "ingressIP")]
                yield Front(_addresses(one for one in listed if isinstance(one, str)))
