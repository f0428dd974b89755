"""Rows on more than one network: what user-defined networks part, and what secondary ones open besides.

Input: the row of a class as policies make it. Output: the row in the end. Decisions: only classes of namespaces off the
default network are narrowed, on both sides, so that the rows of the default network stay shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pyroaring import BitMap, FrozenBitMap

from audit.classes import NOTHING, Classes
from audit.exposure.services import behind
from audit.networks import DEFAULT, UNDECIDED
from audit.permits import Permit, Permits, Row
from audit.policy.clause import Direction
from audit.traffic import ALL, NONE, Traffic, union

REASON = "user-defined-network"
NAME_SERVICES = (("openshift-dns", "dns-default"), ("kube-system", "kube-dns"))
"""Services of the default network that every network reaches."""


class _Reach(NamedTuple):
    """Which peers the members of one network have, policies willing."""

    certain: FrozenBitMap
    possible: FrozenBitMap
    """Those that are not certain; where others are among them, the certain bound still holds."""


class NetworkRows:
    """The primary networks of one cluster."""

    def __init__(self, classes: Classes, permits: Permits, routers: FrozenBitMap) -> None:
        """`routers` are the classes of router pods, which networks let in."""
        self._classes = classes
        self._permits = permits
        self._networks = classes.inventory.networks
        self._hosts = classes.hosts
        self._routers = routers
        self._members = self._by_network()
        self._known: dict[tuple[str, Direction], _Reach] = {}
        self._done: dict[tuple[str, Direction, Row], tuple[int, ...]] = {}
        parted = self._networks.home and not self._networks.open_default
        self._names = tuple(self._name_services()) if parted else ()

    def _by_network(self) -> dict[str, FrozenBitMap]:
        found: dict[str, BitMap] = {}
        home = self._networks.home
        for namespace, (start, end) in self._classes.ranges.items() if home else ():
            found.setdefault(home.get(namespace, DEFAULT), BitMap()).add_range(start, end)
        return {network: FrozenBitMap(members) for network, members in found.items()}

    def _name_services(self) -> Iterator[tuple[Traffic, FrozenBitMap]]:
        """(ports, classes) of the pods that resolve names."""
        class_of = self._classes.class_of
        found: dict[int, Traffic] = {}
        for namespace, name in NAME_SERVICES:
            for index, ports in behind(self._classes.inventory, namespace, name):
                number = class_of[index]
                found[number] = found.get(number, NONE) | ports
        for ports in sorted(set(found.values()), key=str):
            yield ports, FrozenBitMap(number for number, one in found.items() if one == ports)

    def narrowed(self) -> Iterator[tuple[str, int]]:
        """(network or the namespace that is undecided, class) of every class off the default network."""
        for namespace, (start, end) in self._classes.ranges.items():
            network = self._networks.home.get(namespace)
            if network is not None:
                key = f"{UNDECIDED} {namespace}" if network == UNDECIDED else network
                for number in range(start, end):
                    yield key, number

    def row(self, key: str, number: int, direction: Direction, row: Row) -> Row:
        """The row of a class of the network that `narrowed` names with it."""
        done = (key, direction, row)
        if done not in self._done:
            self._done[done] = tuple(self._narrow(self._reach(key, direction), direction, row))
        numbers = self._done[done]
        if direction == "ingress" and number in self._classes.open_ports:
            return self._permits.row((*numbers, self._opened(number)))
        return self._permits.row(numbers)

    def _narrow(self, reach: _Reach, direction: Direction, row: Row) -> Iterator[int]:
        for one in row:
            permit = self._permits.all[one]
            yield from self._part(permit, permit.traffic, reach.certain, "")
            yield from self._part(permit, permit.traffic, reach.possible, REASON)
            for ports, classes in self._names if direction == "egress" else ():
                yield from self._part(permit, permit.traffic & ports, classes - reach.certain, REASON)

    def _part(self, permit: Permit, traffic: Traffic, among: FrozenBitMap, reason: str) -> Iterator[int]:
        peers = permit.peers & among
        if peers and traffic:
            yield self._permits.number(Permit(traffic, peers, permit.reason or reason, permit.family))

    def _opened(self, number: int) -> int:
        """What the default network reaches on ports that the pod opens to it, whatever its policies say."""
        classes = self._classes
        ports = classes.open_ports[number]
        traffic = ALL if ports is None else union(Traffic.of(protocol, port, port) for protocol, port in ports)
        own = classes.inventory.endpoints[classes.members[number][0]].namespace
        others = self._members.get(UNDECIDED, NOTHING) - classes.namespace_range(own)
        return self._permits.number(Permit(traffic, self._members.get(DEFAULT, NOTHING) | others, REASON))

    def _reach(self, key: str, direction: Direction) -> _Reach:
        found = self._known.get((key, direction))
        if found is None:
            found = self._known[key, direction] = self._fresh(key, direction)
        return found

    def _fresh(self, key: str, direction: Direction) -> _Reach:
        classes, networks = self._classes, self._networks
        undecided = self._members.get(UNDECIDED, NOTHING)
        if key.startswith(UNDECIDED):
            own, possible = classes.namespace_range(key.removeprefix(f"{UNDECIDED} ")), classes.all_pods
        else:
            own = self._members[key]
            others = [self._members.get(one, NOTHING) for one in networks.joined.get(key, ())]
            possible = FrozenBitMap.union(undecided, *others, self._hosts)
            if direction == "ingress":
                possible |= self._routers
        certain = own | classes.outside
        if networks.open_default:
            certain |= self._hosts | self._members.get(DEFAULT, NOTHING)
        elif direction == "egress":
            certain |= self._hosts
        if not networks.strict:  # with the certain ones, so that networks share it
            return _Reach(certain, classes.all_pods)
        return _Reach(certain, possible - certain)
