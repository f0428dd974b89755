"""Where verdicts may change: ports and outside addresses that the objects of a cluster draw a line at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tests.oracle.objects import node_addresses
from tests.oracle.terms import Address, Json, Network, edges_of, network

PORT_NUMBERS = {
    "port", "endPort", "containerPort", "start", "end", "number", "targetPort", "servicePort"
}  # fmt: skip
DNS = 53
OPEN_PORTS = "k8s.ovn.org/open-default-ports"


def probe_ports(objects: Iterable[Json]) -> list[int]:
    """Ports at which some verdict may change: every port number that occurs, each one more and one less, the ends."""
    numbers = {1, 65535}
    for o in objects:
        if o["kind"] in ("EgressNetworkPolicy", "NetNamespace"):
            numbers |= {DNS - 1, DNS, DNS + 1}  # never denied at the pod's own node
        numbers |= {n + step for n in port_numbers(o) for step in (-1, 0, 1)}
    return sorted(n for n in numbers if 1 <= n <= 65535)


def port_numbers(value: Json) -> Iterator[int]:
    """Every port number inside a value, the ends of ranges among them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in PORT_NUMBERS and isinstance(inner, int):
                yield inner
            elif name == OPEN_PORTS:
                yield from map(int, re.findall(r"\d+", inner))
            else:
                yield from port_numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from port_numbers(inner)


def blocks(value: Json) -> Iterator[Network]:
    """Every CIDR that a policy or firewall inside a value names, exceptions among them, and every node's addresses."""
    if isinstance(value, dict):
        block = value.get("ipBlock")
        if block:
            yield from (network(text) for text in [block["cidr"], *(block.get("except") or [])])
        if isinstance(value.get("networks"), list):
            yield from (network(text) for text in value["networks"] if isinstance(text, str))
        if "cidrSelector" in value:
            yield network(value["cidrSelector"])
        if value.get("kind") == "Node":
            yield from (network(str(address)) for address in sorted(node_addresses(value), key=str))
        for inner in value.values():
            yield from blocks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from blocks(inner)


def probe_addresses(objects: Iterable[Json]) -> list[Address]:
    """Addresses at which some verdict may change: the ends of each block and family, and their neighbours."""
    named = {n for o in objects for n in blocks(o)} | {network("0.0.0.0/0"), network("::/0")}
    found = {address for block in named for address in edges_of(block)}
    return sorted(found, key=lambda address: (address.version, int(address)))
