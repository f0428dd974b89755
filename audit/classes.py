"""Endpoint classes: endpoints that no policy, zone or entry point can tell apart share one class.

Classes are numbered pods first (namespace by namespace, so that a namespace is a range), then host-network pods, then
the atoms of outside addresses. Sets of classes are roaring bitmaps: plain integers cost their full width for every
sparse row, and a microsegmented cluster has tens of thousands of sparse rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pyroaring import BitMap, FrozenBitMap

from audit.addresses import AddressSpace
from audit.attachments import Attachment
from audit.inventory import Inventory, NamedPort, Pod
from audit.model import NAME_LABEL, Namespace
from audit.selectors import LabelSelector, Requirement
from audit.traffic import AddressSet

NOTHING = FrozenBitMap()


class _Kind(NamedTuple):
    """What keeps endpoints of one namespace apart besides their labels."""

    zone: str
    mark: object
    atoms: tuple[int, ...]
    ports: tuple[NamedPort, ...]
    attachments: tuple[Attachment, ...]
    open_ports: tuple[tuple[str, int], ...] | None


class LabelIndex:
    """label -> bitmap of numbered objects; answers a selector with few bitmap operations."""

    def __init__(
        self, labels: Iterable[tuple[int, Mapping[str, str]]], keys: frozenset[str], everything: FrozenBitMap
    ) -> None:
        self._all = everything
        by_value: dict[tuple[str, str], BitMap] = {}
        by_key: dict[str, BitMap] = {key: BitMap() for key in keys}
        for number, mapping in labels:
            for key in keys & mapping.keys():
                by_key[key].add(number)
                by_value.setdefault((key, mapping[key]), BitMap()).add(number)
        self._values = {pair: FrozenBitMap(found) for pair, found in by_value.items()}
        self._keys = {key: FrozenBitMap(found) for key, found in by_key.items()}

    def select(self, requirement: Requirement) -> FrozenBitMap:
        """Objects that meet one requirement; its key must be among the indexed ones."""
        match requirement.operator:
            case "In" | "NotIn":
                found = [self._values.get((requirement.key, value), NOTHING) for value in requirement.values]
                listed = FrozenBitMap.union(*found) if len(found) > 1 else found[0]
                return listed if requirement.operator == "In" else self._all - listed
            case "Exists":
                return self._keys[requirement.key]
            case "DoesNotExist":
                return self._all - self._keys[requirement.key]

    def match(self, selector: LabelSelector) -> FrozenBitMap:
        """Objects that meet every requirement."""
        found = self._all
        for requirement in selector.requirements:
            found &= self.select(requirement)
        return found


class NamespaceIndex:
    """Namespaces by selector, with two bounds where a Namespace object was not read."""

    def __init__(self, namespaces: Sequence[Namespace], keys: frozenset[str]) -> None:
        everything = FrozenBitMap(range(len(namespaces)))
        self._labels = LabelIndex(
            ((i, one.labels) for i, one in enumerate(namespaces)), keys | {NAME_LABEL}, everything
        )
        self._unknown = FrozenBitMap(i for i, one in enumerate(namespaces) if not one.known)
        self._all = everything

    def match(self, selector: LabelSelector) -> tuple[FrozenBitMap, FrozenBitMap]:
        """(certainly selected, possibly selected); the second holds the first."""
        certain = possible = self._all
        for requirement in selector.requirements:
            found = self._labels.select(requirement)
            if requirement.key == NAME_LABEL or not self._unknown:
                certain, possible = certain & found, possible & found
            else:
                certain, possible = certain & (found - self._unknown), possible & (found | self._unknown)
        return certain, possible


class Classes:
    """The classes of one inventory and the sets that selectors and address blocks denote over them."""

    def __init__(  # noqa: PLR0913 - what tells endpoints apart is many things
        self,
        inventory: Inventory,
        space: AddressSpace,
        *,
        pod_keys: frozenset[str],
        namespace_keys: frozenset[str],
        port_names: frozenset[str],
        zone_of: Callable[[Pod], str],
        mark_of: Callable[[int], object],
        host_labels: bool = False,
    ) -> None:
        """`mark_of(pod index)` is anything hashable that must keep endpoints apart, such as how they are exposed.

        `host_labels` tells host-network pods apart by the labels that selectors read, too.
        """
        self.inventory = inventory
        self.space = space
        self.namespaces = tuple(inventory.namespaces.values())
        self.members: list[list[int]] = []
        """Class -> endpoint indices, for pod classes."""
        self.zones: list[str] = []
        """Class -> zone name, for pod classes."""
        self.marks: list[object] = []
        self.atoms_of: list[tuple[int, ...]] = []
        self.ports_of: list[tuple[NamedPort, ...]] = []
        self.attached: dict[Attachment, BitMap] = {}
        """Further interface -> pod classes that have it."""
        self.open_ports: dict[int, tuple[tuple[str, int], ...] | None] = {}
        """Pod class -> ports that are open to the default network; None when that cannot be told."""
        self.ranges: dict[str, tuple[int, int]] = {}
        """Namespace -> half-open range of its classes of pods that policies can select."""
        self._host_keys = pod_keys if host_labels else frozenset[str]()
        self.class_of = self._number(pod_keys, port_names, zone_of, mark_of)
        self.pods = len(self.members)
        """Number of pod classes; atom `a` is class `pods + a`."""
        self.size = self.pods + len(space)
        self._index(pod_keys, namespace_keys)

    def _number(
        self,
        keys: frozenset[str],
        port_names: frozenset[str],
        zone_of: Callable[[Pod], str],
        mark_of: Callable[[int], object],
    ) -> list[int]:
        """Groups endpoints into classes, in order of namespace; host-network pods come last."""
        endpoints = self.inventory.endpoints
        class_of = [-1] * len(endpoints)
        project = _Projection(keys)
        ports = _PortFilter(port_names)
        start, current = 0, ""
        numbers: dict[object, int] = {}
        hosts: list[int] = []
        for index, pod in enumerate(endpoints):
            if pod.host_network:
                hosts.append(index)
                continue
            if pod.namespace != current:
                self._close(current, start)
                start, current, numbers = len(self.members), pod.namespace, {}
            kind = self._kind(pod, zone_of(pod), mark_of(index), ports)
            class_of[index] = self._class(numbers, (project(pod.labels), kind), index, kind)
        self._close(current, start)
        self.selectable = len(self.members)
        """Classes below this number are pods that policies can select."""
        numbers, labels = {}, _Projection(self._host_keys)
        for index in hosts:
            pod = endpoints[index]
            kind = self._kind(pod, zone_of(pod), mark_of(index), ports)
            class_of[index] = self._class(numbers, (pod.namespace, pod.node, labels(pod.labels), kind), index, kind)
        return class_of

    def _kind(self, pod: Pod, zone: str, mark: object, ports: _PortFilter) -> _Kind:
        return _Kind(zone, mark, self._atoms(pod), ports(pod.named_ports), pod.attachments, pod.open_ports)

    def _class(self, numbers: dict[object, int], key: object, index: int, kind: _Kind) -> int:
        found = numbers.get(key)
        if found is None:
            found = numbers[key] = len(self.members)
            self.members.append([])
            self.zones.append(kind.zone)
            self.marks.append(kind.mark)
            self.atoms_of.append(kind.atoms)
            self.ports_of.append(kind.ports)
            for one in kind.attachments:
                self.attached.setdefault(one, BitMap()).add(found)
            if kind.open_ports != ():
                self.open_ports[found] = kind.open_ports
        self.members[found].append(index)
        return found

    def _close(self, namespace: str, start: int) -> None:
        if start < len(self.members):
            self.ranges[namespace] = (start, len(self.members))

    def _atoms(self, pod: Pod) -> tuple[int, ...]:
        return tuple(sorted({self.space.atom(number) for number in pod.addresses}))

    def _index(self, pod_keys: frozenset[str], namespace_keys: frozenset[str]) -> None:
        endpoints = self.inventory.endpoints
        self.selectable_pods = FrozenBitMap(range(self.selectable))
        self.all_pods = FrozenBitMap(range(self.pods))
        self.outside = FrozenBitMap(range(self.pods, self.size))
        self.everything = FrozenBitMap(range(self.size))
        self.hosts = self.all_pods - self.selectable_pods
        """Host-network pods."""
        first = ((number, endpoints[self.members[number][0]].labels) for number in range(self.selectable))
        self._labels = LabelIndex(first, pod_keys, self.selectable_pods)
        self._matching: dict[LabelSelector, FrozenBitMap] = {}
        self._index_hosts()
        self._spaces = NamespaceIndex(self.namespaces, namespace_keys)
        self.weights = [len(found) for found in self.members]
        self._slices = _slices(self.weights)
        self.addressless = FrozenBitMap(c for c in range(self.pods) if not self.atoms_of[c])
        by_atom: dict[int, BitMap] = {}
        for number, atoms in enumerate(self.atoms_of):
            for atom in atoms:
                by_atom.setdefault(atom, BitMap()).add(number)
        self._pod_atoms = sorted(by_atom)
        self._by_atom = by_atom
        self.dual_stack = any({self.space.family(a) for a in atoms} == {4, 6} for atoms in set(self.atoms_of))
        self.having = {
            family: FrozenBitMap(c for c in range(self.pods if self.dual_stack else 0) if family in self.families(c))
            for family in (4, 6)
        }
        """Family -> pod classes that are known to have an address of it; only filled where some pod has both."""

    def _index_hosts(self) -> None:
        """Host-network pods by namespace, and by those labels that tell them apart."""
        first = {number: self.inventory.endpoints[self.members[number][0]] for number in self.hosts}
        labels = ((number, pod.labels) for number, pod in first.items())
        self._host_labels = LabelIndex(labels, self._host_keys, self.hosts)
        spaces: dict[str, BitMap] = {}
        for number, pod in first.items():
            spaces.setdefault(pod.namespace, BitMap()).add(number)
        self.host_namespaces = {name: FrozenBitMap(found) for name, found in sorted(spaces.items())}
        """Namespace -> its host-network pods."""

    def hosts_matching(self, selector: LabelSelector, namespaces: Iterable[str]) -> FrozenBitMap:
        """Host-network pods of some namespaces whose labels match; needs `host_labels`."""
        here = FrozenBitMap.union(*(self.host_namespaces[name] for name in namespaces))
        return self._host_labels.match(selector) & here

    def families(self, number: int) -> frozenset[int]:
        """Address families of a pod class, 4 and 6; empty when its addresses are not known."""
        return frozenset(self.space.family(atom) for atom in self.atoms_of[number])

    def weight(self, classes: FrozenBitMap) -> int:
        """Number of endpoints in some pod classes; constant work per bit of the largest class size, not per class."""
        if len(classes) < 2:  # noqa: PLR2004 - most sets of a microsegmented cluster
            number = classes.min() if classes else self.pods
            return self.weights[number] if number < self.pods else 0
        return sum(bit.intersection_cardinality(classes) << power for power, bit in enumerate(self._slices))

    def pods_matching(self, selector: LabelSelector) -> FrozenBitMap:
        """Selectable classes whose labels match."""
        found = self._matching.get(selector)
        if found is None:
            found = self._matching[selector] = self._labels.match(selector)
        return found

    def namespace_range(self, name: str) -> FrozenBitMap:
        """Selectable classes of one namespace."""
        start, end = self.ranges.get(name, (0, 0))
        return FrozenBitMap(range(start, end))

    def in_namespaces(self, selector: LabelSelector) -> tuple[FrozenBitMap, FrozenBitMap]:
        """Selectable classes of (certainly, possibly) selected namespaces."""
        certain, possible = self._spaces.match(selector)
        known = self._ranges(certain)
        return known, known if certain == possible else self._ranges(possible)

    def _ranges(self, namespaces: FrozenBitMap) -> FrozenBitMap:
        if len(namespaces) == len(self.namespaces):
            return self.selectable_pods
        found = BitMap()
        for number in namespaces:
            start, end = self.ranges.get(self.namespaces[number].name, (0, 0))
            found.add_range(start, end)
        return FrozenBitMap(found)

    def at(self, addresses: AddressSet) -> FrozenBitMap:
        """Classes with an address in the set: pods, host-network pods, atoms. The set's cuts must be in the space."""
        found = BitMap()
        for low, high in self.space.ranges(addresses):
            found.add_range(self.pods + low, self.pods + high)
            found |= self._pods_between(low, high)
        return FrozenBitMap(found)

    def _pods_between(self, low: int, high: int) -> BitMap:
        return BitMap.union(BitMap(), *(self._by_atom[atom] for atom in _between(self._pod_atoms, low, high)))


def _between(ascending: Sequence[int], low: int, high: int) -> Sequence[int]:
    return ascending[bisect_left(ascending, low) : bisect_left(ascending, high)]


def _slices(weights: Sequence[int]) -> tuple[FrozenBitMap, ...]:
    """Bit k of every weight as one bitmap, so that a weighted count is a few cardinalities."""
    bits = max(weights, default=0).bit_length()
    found = [BitMap() for _ in range(bits)]
    for number, weight in enumerate(weights):
        for power in range(bits):
            if weight >> power & 1:
                found[power].add(number)
    return tuple(FrozenBitMap(one) for one in found)


class _Projection:
    """The part of a label map that selectors read; decoding makes equal maps one object, so identity is a cache key."""

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = sorted(keys)
        self._known: dict[int, tuple[tuple[str, str], ...]] = {}

    def __call__(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        found = self._known.get(id(labels))
        if found is None:
            found = tuple((key, labels[key]) for key in self._keys if key in labels)
            self._known[id(labels)] = found
        return found


class _PortFilter:
    """The named ports that policies name, sorted: what differs elsewhere cannot matter."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._known: dict[tuple[NamedPort, ...], tuple[NamedPort, ...]] = {}

    def __call__(self, ports: tuple[NamedPort, ...]) -> tuple[NamedPort, ...]:
        found = self._known.get(ports)
        if found is None:
            found = self._known[ports] = tuple(sorted({port for port in ports if port.name in self._names}))
        return found
