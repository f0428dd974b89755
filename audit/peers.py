"""Peers and named ports of rules -> endpoint classes, each distinct one resolved once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from pyroaring import BitMap, FrozenBitMap

from audit.classes import NOTHING, Classes
from audit.inventory import NamedPort
from audit.model import NAME_LABEL, Namespace, may_match
from audit.policy.clause import (
    AnyPeer,
    Block,
    Clause,
    DomainNames,
    HostPods,
    NodeNetwork,
    Nodes,
    OffPodNetwork,
    OutsideBlock,
    OwnPods,
    Peer,
    Relation,
    SelectedPods,
)
from audit.profile import HOST_NAMESPACE
from audit.selectors import LabelSelector
from audit.traffic import EVERYWHERE, NONE, AddressSet, Traffic

_HOST_LABELS = {
    "policy-group.network.openshift.io/host-network": "",
    "policy-group.network.openshift.io/ingress": "",
    "network.openshift.io/policy-group": "ingress",
}
"""Of the namespace that stands for the host network; the last two while a router of the platform runs there."""


class Peers:
    """The peers of one cluster."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._blocks: dict[AddressSet, list[tuple[FrozenBitMap, str, int]]] = {}
        self._selected: dict[SelectedPods, tuple[FrozenBitMap, FrozenBitMap]] = {}
        self._hosts: dict[tuple[str, OwnPods | SelectedPods], list[tuple[FrozenBitMap, str, int]]] = {}
        self._placed: dict[LabelSelector, list[tuple[FrozenBitMap, str, int]]] = {}
        self._own: dict[tuple[str, LabelSelector], FrozenBitMap] = {}
        self._named: dict[tuple[tuple[str, str], ...], list[tuple[Traffic, FrozenBitMap]]] = {}

    def of(self, namespace: str, peers: Sequence[Peer]) -> list[tuple[FrozenBitMap, str, int]]:
        """(classes, reason or empty, family or 0) of the peers of a rule."""
        found: list[tuple[FrozenBitMap, str, int]] = []
        blocks: list[AddressSet] = []
        outside: list[AddressSet] = []
        for peer in peers:
            if isinstance(peer, Block):
                blocks.append(peer.addresses)
            elif isinstance(peer, OutsideBlock):
                outside.append(peer.addresses)
            else:
                found += self._peer(namespace, peer)
        if blocks and (covered := AddressSet.union_of(blocks)):
            found += self._block(covered)
        if outside and (covered := AddressSet.union_of(outside)):
            strangers = self._classes.outside - self.network.atoms
            found += [(one & strangers, why, family) for one, why, family in self._block(covered)]
        return [one for one in found if one[0]]

    def _peer(  # noqa: PLR0911 - one return per kind of peer
        self, namespace: str, peer: Peer
    ) -> list[tuple[FrozenBitMap, str, int]]:
        match peer:
            case AnyPeer():
                return [(self._classes.everything, "", 0)]
            case OwnPods(pods):
                return [(self.own(namespace, pods), "", 0)]
            case SelectedPods():
                certain, possible = self.selected(peer)
                return [(certain, "", 0), (possible - certain, "namespace-labels", 0)]
            case Relation():
                return self._related(namespace, peer)
            case Nodes(selector):
                return self._nodes(selector)
            case DomainNames():
                return [(self._classes.everything - self._classes.selectable_pods, "domain-names", 0)]
            case HostPods(chosen):
                return self._host_pods(namespace, chosen)
            case NodeNetwork(chosen, names):
                spaces = self._classes.inventory.namespaces
                stands = any(_covers(namespace, chosen, spaces.get(name) or _unread(name)) for name in names)
                return [(self.network.every, "host-network", 0)] if stands else []
            case OffPodNetwork():
                return [(self._classes.everything - self._classes.selectable_pods, "", 0)]
            case _:
                return [(self._classes.everything, "unknown-field", 0)]

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

    def _related(self, namespace: str, peer: Relation) -> list[tuple[FrozenBitMap, str, int]]:
        """Pods of namespaces that have the labels, with the values of the subject's namespace or with some other."""
        spaces = self._classes.inventory.namespaces
        certain, doubtful = BitMap(), BitMap()
        for name in self._classes.ranges if peer.keys else ():
            truths = [_agree(spaces[namespace], spaces[name], key) for key in peer.keys]
            present = _all(here for here, _ in truths)
            equal = _all(same for _, same in truths)
            found = _all((present, equal if peer.same else None if equal is None else not equal))
            if found is not False:
                (certain if found else doubtful).update(self.own(name, peer.pods))
        return [(FrozenBitMap(certain), "", 0), (FrozenBitMap(doubtful), "namespace-labels", 0)]

    def _nodes(self, selector: LabelSelector) -> list[tuple[FrozenBitMap, str, int]]:
        found = self._placed.get(selector)
        if found is None:
            found = self._placed[selector] = self._selected_nodes(selector)
        return found

    def _selected_nodes(self, selector: LabelSelector) -> list[tuple[FrozenBitMap, str, int]]:
        """All addresses of the selected nodes; host-network pods whose node is not known may be there.

        Where no Node was read, or a selected one shows no address, any outside address may be one of a node.
        """
        classes = self._classes
        nodes = [node for node in classes.inventory.nodes.values() if selector.matches(node.labels)]
        names = {node.name for node in nodes}
        numbers = AddressSet.union_of(AddressSet(((number, number),)) for node in nodes for number in node.published)
        found = self._at(numbers)[:-2] if numbers else []
        hosts = range(classes.selectable, classes.pods)
        placed = {number: classes.inventory.endpoints[classes.members[number][0]].node for number in hosts}
        here = FrozenBitMap(number for number in hosts if placed[number] in names)
        lost = FrozenBitMap(n for n in hosts if not placed[n] or placed[n] not in classes.inventory.nodes)
        blind = not classes.inventory.nodes or not all(node.published for node in nodes)
        return [
            *((one & (classes.outside | here), why, family) for one, why, family in found),
            (here, "", 0),
            (lost - here, "host-network", 0),
            (classes.outside if blind else FrozenBitMap(), "host-network", 0),
        ]

    @cached_property
    def network(self) -> HostNetwork:
        """What is known of the addresses of nodes."""
        classes = self._classes
        endpoints, nodes = classes.inventory.endpoints, classes.inventory.nodes.values()
        shown = {number for node in nodes for number in node.published}
        shown.update(number for host in classes.hosts for number in endpoints[classes.members[host][0]].addresses)
        atoms = FrozenBitMap(classes.pods + classes.space.atom(number) for number in shown)
        blind = not nodes or not all(node.published for node in nodes)
        return HostNetwork(atoms, classes.hosts | (classes.outside if blind else atoms))

    def _host_pods(self, namespace: str, chosen: OwnPods | SelectedPods) -> list[tuple[FrozenBitMap, str, int]]:
        """Host-network pods with the labels, and the endpoints and addresses that are the same to whoever sees them."""
        own = isinstance(chosen, OwnPods)
        if own and namespace not in self._classes.host_namespaces:
            return []
        key = (namespace if own else "", chosen)
        found = self._hosts.get(key)
        if found is None:
            spaces = self._classes.inventory.namespaces
            among = [one for one in self._classes.host_namespaces if _covers(namespace, chosen, spaces[one])]
            picked = self._classes.hosts_matching(chosen.pods, among) if among else NOTHING
            found = self._hosts[key] = self._alike(picked) if picked else []
        return found

    def _alike(self, picked: FrozenBitMap) -> list[tuple[FrozenBitMap, str, int]]:
        """Some host-network pods, and whatever acts or may act with an address of theirs."""
        classes = self._classes
        if picked.intersect(classes.addressless):
            return [(self.network.every, "host-network", 0)]
        endpoints = classes.inventory.endpoints
        numbers = {number for host in picked for number in endpoints[classes.members[host][0]].addresses}
        near = classes.hosts | classes.outside
        parts = self._at(AddressSet.union_of(AddressSet(((number, number),)) for number in numbers))
        return [(picked, "host-network", 0), *((one & near, "host-network", family) for one, _, family in parts)]

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

    def traffic(self, clause: Clause, number: int) -> Sequence[tuple[Traffic, FrozenBitMap | None]]:
        """(traffic, destinations it is limited to) of a rule for a class: a named port is another number each time."""
        ports = clause.ports
        if not ports.named:
            return [(ports.traffic, None)]
        if clause.direction == "ingress":
            return [(ports.traffic | resolve(ports.named, self._classes.ports_of[number]), None)]
        return [(ports.traffic, None), *self.named(ports.named)]

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


class HostNetwork(NamedTuple):
    """Addresses of nodes, as classes."""

    atoms: FrozenBitMap
    """Addresses that a Node or a host-network pod shows."""
    every: FrozenBitMap
    """Host-network pods, and the addresses that are or may be a node's: all of them where a node was not read."""


def _unread(name: str) -> Namespace:
    """A namespace of the platform that the input does not hold, with what it has or may have for labels."""
    labels = {NAME_LABEL: name, **(_HOST_LABELS if name == HOST_NAMESPACE else {})}
    return Namespace(name=name, labels=labels, annotations={}, known=name == HOST_NAMESPACE)


def _covers(own: str, chosen: OwnPods | SelectedPods, namespace: Namespace) -> bool:
    """Whether a peer of a policy in namespace `own` may select pods of a namespace."""
    if isinstance(chosen, OwnPods):
        return namespace.name == own
    return may_match(chosen.namespaces, namespace)


def _agree(own: Namespace, other: Namespace, key: str) -> tuple[bool | None, bool | None]:
    """(the other namespace has the label, both say the same about it); None where labels are not known."""
    unknown = key != NAME_LABEL
    present = None if unknown and not other.known else key in other.labels
    if own.name == other.name:
        return present, True
    if unknown and not (own.known and other.known):
        return present, None
    return present, own.labels.get(key) == other.labels.get(key)


def _all(truths: Iterable[bool | None]) -> bool | None:
    """Three-valued `and`."""
    found = set(truths)
    return False if False in found else None if None in found else True


_HALVES = tuple((AddressSet((span,)), family) for span, family in zip(EVERYWHERE.spans, (4, 6), strict=True))


def resolve(names: Iterable[tuple[str, str]], ports: Iterable[NamedPort]) -> Traffic:
    """The numbers that named ports have on a pod; the protocol must agree."""
    total = NONE
    wanted = set(names)
    for port in ports:
        if (port.name, port.protocol) in wanted:
            total |= Traffic.port_range(port.protocol, port.port, port.port)
    return total
