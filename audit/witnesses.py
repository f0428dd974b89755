"""Concrete connections that stand for many: one between two classes, or to one endpoint."""

from __future__ import annotations

from collections.abc import Iterable

from audit.classes import Classes
from audit.flows import Witness
from audit.traffic import PROTOCOLS, AddressSet, Traffic, address_number, address_text

HTTPS = ("TCP", 443)
RESERVED = ((0, address_number("1.0.0.1")), (address_number("::"), address_number("2000::1")))
"""Beginnings of the address lines, where no host lives, and the first address of each that one may have (RFC 6890)."""


class Witnesses:
    """The witnesses of one cluster."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes

    def between(self, target: int, source: int, traffic: Traffic) -> Witness:
        """One concrete connection between two classes, preferring different endpoints of one class.

        The port is one that the target's containers declare, where one is in the traffic.
        """
        if target < self._classes.pods:
            return self.at(self._classes.members[target][0], source, traffic, last=source == target)
        return _connection(self._end(source), (self._address(target), ""), _port(traffic, ()))

    def at(self, target: int, source: int, traffic: Traffic, *, last: bool = False) -> Witness:
        """The connection of a class to one endpoint, by index; `last` takes the last member of the class."""
        endpoints = self._classes.inventory.endpoints
        port = _port(traffic, endpoints[target].ports)
        return _connection(self._end(source, last=last), self._named(target), port)

    def _end(self, number: int, *, last: bool = False) -> tuple[str, str]:
        """(workload id or address, labels) of a class; `last` takes its last member."""
        if number >= self._classes.pods:
            return self._address(number), ""
        return self._named(self._classes.members[number][-1 if last else 0])

    def _address(self, number: int) -> str:
        return address_text(_host_address(self._classes.space.addresses([number - self._classes.pods])))

    def _named(self, index: int) -> tuple[str, str]:
        """(workload id, labels) of an endpoint."""
        inventory = self._classes.inventory
        pod = inventory.endpoints[index]
        known = sorted(item for item in pod.labels.items() if item[0] not in pod.unknown_labels)
        return inventory.workloads[pod.workload].id, ", ".join(f"{key}={value}" for key, value in known)


def _connection(left: tuple[str, str], right: tuple[str, str], port: tuple[str, int]) -> Witness:
    return Witness(
        source=left[0],
        target=right[0],
        protocol=port[0],
        port=port[1],
        source_labels=left[1],
        target_labels=right[1],
    )


def _port(traffic: Traffic, declared: Iterable[tuple[str, int]]) -> tuple[str, int]:
    """(protocol, port) of the traffic: the first declared one, else HTTPS, else the lowest; empty if there is none."""
    known = sorted(declared, key=lambda one: (PROTOCOLS.index(one[0]), one[1]))
    for protocol, port in (*known, HTTPS):
        if any(low <= port <= high for low, high in traffic.ranges(protocol)):
            return protocol, port
    lowest = [(protocol, ranges[0][0]) for protocol in PROTOCOLS if (ranges := traffic.ranges(protocol))]
    return lowest[0] if lowest else ("", 0)


def _host_address(atom: AddressSet) -> int:
    """An address of a range that a host could have: not the network's own, nor one of those that mean no host."""
    ((low, high),) = atom.spans
    for start, usable in RESERVED:
        if low == start and usable <= high:
            return usable
    return min(low + 1, high)
