"""Egress addresses of openshift-sdn: what became of those that NetNamespaces ask for.

An address is served if exactly one NetNamespace and exactly one HostSubnet list it, unless the network of the namespace
is a shared one.
"""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.egress_values import Address, Grant, at_node, number_of
from audit.controls.scene import Scene
from audit.exposure.netnamespaces import Tenant, both_groups, tenants


def of_net_namespaces(scene: Scene) -> Iterator[Grant]:
    """One grant for each NetNamespace that lists egress addresses, by name."""
    claims = _Claims(scene)
    for name, tenant in claims.tenants.items():
        if tenant.wanted:
            here = (name,) if name in scene.inventory.namespaces else ()
            yield Grant(
                ref=tenant.ref,
                namespaces=here,
                zones=tuple(map(scene.zone_of, here)),
                addresses=tuple(claims.address(name, text) for text in tenant.wanted),
            )


class _Claims:
    """Who asks for which address, and which nodes list it."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.tenants = tenants(scene.inventory)
        self._asking: dict[int, list[str]] = {}
        for name, tenant in self.tenants.items():
            for number in {number_of(text) for text in tenant.wanted} - {None}:
                self._asking.setdefault(number or 0, []).append(name)
        self._listing: dict[int, list[str]] = {}
        for entry in both_groups(scene.inventory.snapshot, "HostSubnet"):
            for text in entry.body.egressIPs or ():
                if (number := number_of(text)) is not None:
                    self._listing.setdefault(number, []).append(entry.body.host or entry.name)

    def address(self, name: str, text: str) -> Address:
        """What became of one address of a NetNamespace."""
        number, tenant = number_of(text), self.tenants[name]
        why = "it is no address" if number is None else self._hindered(tenant, name, number)
        if why or number is None:
            return Address(text, number, "idle", "", why)
        for listed, node in tenant.active:
            if number_of(listed) == number:
                return at_node(self._scene, text, number, node)
        for listed, node in tenant.possible:
            if number_of(listed) == number:
                taken = number in self._listing
                why = f"node {node} has another address of the namespace, too" if taken else "no node has taken it yet"
                return Address(text, number, "unknown", node, why)
        return Address(text, number, "idle", "", "no HostSubnet lists it")

    def _hindered(self, tenant: Tenant, name: str, number: int) -> str:
        """What keeps every node from serving the address; empty if nothing does."""
        others = [one for one in self._asking[number] if one != name]
        nodes = sorted(self._listing.get(number, ()))
        if tenant.joined:
            return f"the network of the namespace is shared with {', '.join(tenant.joined)} and cannot use it"
        if tenant.netid == 0:
            return "the network of the namespace has the netid 0 and cannot use it"
        if others:
            return f"NetNamespace {' and '.join(others)} asks for it, too"
        if spoilt := [one for one in tenant.wanted if len(self._asking.get(number_of(one) or 0, ())) > 1]:
            return f"another NetNamespace asks for {spoilt[0]}, too, which takes every address from both"
        return f"HostSubnets {' and '.join(nodes)} both list it" if len(nodes) > 1 else ""
