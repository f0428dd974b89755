"""Peers and named ports of rules -> endpoint classes, each distinct one resolved once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyroaring import FrozenBitMap

from audit.classes import Classes
from audit.inventory import NamedPort
from audit.policy.clause import AnyPeer, Block, OwnPods, Peer, SelectedPods
from audit.selectors import LabelSelector
from audit.traffic import EVERYWHERE, NONE, AddressSet, Traffic


class Peers:
    """The peers of one cluster."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._blocks: dict[AddressSet, list[tuple[FrozenBitMap, str, int]]] = {}
        self._selected: dict[SelectedPods, tuple[FrozenBitMap, FrozenBitMap]] = {}
        self._own: dict[tuple[str, LabelSelector], FrozenBitMap] = {}
        self._named: dict[tuple[tuple[str, str], ...], list[tuple[Traffic, FrozenBitMap]]] = {}

    def of(self, namespace: str, peers: Sequence[Peer]) -> list[tuple[FrozenBitMap, str, int]]:
        """(classes, reason or empty, family or 0) of a rule's peers."""
        found: list[tuple[FrozenBitMap, str, int]] = []
        blocks: list[AddressSet] = []
        for peer in peers:
            match peer:
                case AnyPeer():
                    found.append((self._classes.everything, "", 0))
                case OwnPods(pods):
                    found.append((self.own(namespace, pods), "", 0))
                case SelectedPods():
                    certain, possible = self.selected(peer)
                    found += [(certain, "", 0), (possible - certain, "namespace-labels", 0)]
                case Block(addresses):
                    blocks.append(addresses)
                case _:
                    found.append((self._classes.everything, "unknown-field", 0))
        if covered := AddressSet.union_of(blocks):
            found += self._block(covered)
        return [one for one in found if one[0]]

    def own(self, namespace: str, selector: LabelSelector) -> FrozenBitMap:
        """Pods of one namespace."""
        found = self._own.get((namespace, selector))
        if found is None:
            found = self._classes.namespace_range(namespace)
            if selector.requirements:
                found &= self._classes.pods_matching(selector)
            self._own[namespace, selector] = found
        return found

    def selected(self, peer: SelectedPods) -> tuple[FrozenBitMap, FrozenBitMap]:
        """Pods that the selectors (certainly, possibly) pick."""
        found = self._selected.get(peer)
        if found is None:
            certain, possible = self._classes.in_namespaces(peer.namespaces)
            if peer.pods.requirements:
                pods = self._classes.pods_matching(peer.pods)
                certain, possible = certain & pods, possible & pods
            found = self._selected[peer] = (certain, possible)
        return found

    def _block(self, addresses: AddressSet) -> list[tuple[FrozenBitMap, str, int]]:
        """Whoever has an address there; endpoints without a known address only where every address is admitted."""
        if addresses == EVERYWHERE:
            return [(self._classes.everything, "", 0)]
        found = self._blocks.get(addresses)
        if found is None:
            found = self._blocks[addresses] = self._at(addresses)
        return found

    def _at(self, addresses: AddressSet) -> list[tuple[FrozenBitMap, str, int]]:
        classes = self._classes
        parts = _HALVES if classes.dual_stack else ((EVERYWHERE, 0),)
        pods = classes.addressless & classes.selectable_pods
        return [
            *((classes.at(addresses & half), "", family) for half, family in parts),
            (pods, "pod-address", 0),
            (classes.addressless - pods, "host-network", 0),
        ]

    def named(self, names: tuple[tuple[str, str], ...]) -> list[tuple[Traffic, FrozenBitMap]]:
        """What some named ports mean at which destinations."""
        found = self._named.get(names)
        if found is None:
            groups: dict[Traffic, list[int]] = {}
            for number, ports in enumerate(self._classes.ports_of):
                if ports and (traffic := resolve(names, ports)):
                    groups.setdefault(traffic, []).append(number)
            found = [(traffic, FrozenBitMap(numbers)) for traffic, numbers in groups.items()]
            self._named[names] = found
        return found


_HALVES = tuple((AddressSet((span,)), family) for span, family in zip(EVERYWHERE.spans, (4, 6), strict=True))


def resolve(names: Iterable[tuple[str, str]], ports: Iterable[NamedPort]) -> Traffic:
    """The numbers that named ports have on a pod; the protocol must agree."""
    total = NONE
    wanted = set(names)
    for port in ports:
        if (port.name, port.protocol) in wanted:
            total |= Traffic.port_range(port.protocol, port.port, port.port)
    return total
