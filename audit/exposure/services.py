"""Which endpoints are behind a Service, and which of their ports."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from audit.bodies import EndpointPort, ServicePort
from audit.exposure.publications import PortChoice
from audit.inventory import Inventory, NamedPort, Pod
from audit.snapshot import Entry
from audit.template_labels import may_be
from audit.traffic import NONE, PROTOCOLS, Traffic, address_number, union

SERVICE_LABEL = "kubernetes.io/service-name"
"""On an EndpointSlice: the Service that it is part of."""


_NO_PORT = -1


class Target(NamedTuple):
    """What one port of a Service means at one endpoint."""

    name: str
    number: int
    """The Service's own."""
    traffic: Traffic


Targets = tuple[Target, ...]


class Behind(NamedTuple):
    """One endpoint behind a Service."""

    endpoint: int
    targets: Targets
    certain: bool
    selected: bool = False
    """Whether the Service's selector finds it, and no list alone."""
    unnamed: bool = False
    """Whether the ports are only listed, under no name of a port of the Service: routers may go there, nodes do not."""


class _Listed(NamedTuple):
    """Addresses that somebody wrote down for a Service."""

    addresses: tuple[int, ...]
    ports: Sequence[EndpointPort]
    sliced: bool
    """Whether an EndpointSlice says so, which counts for every Service; Endpoints do only for one without selector."""


class Services:
    """The Services of one inventory. Work is in proportion to the endpoints behind the Services that are asked for."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._namespaces = [pod.namespace for pod in inventory.endpoints]
        self._current: tuple[str, _Labels] | None = None
        self._listed: dict[tuple[str, str], list[_Listed]] | None = None
        self._at: dict[int, list[int]] = {}
        """Address -> endpoints."""
        self._placeless: list[int] = []
        """Endpoints without a known address, whatever their namespace."""

    def behind(self, service: Entry) -> Iterator[Behind]:
        """Every endpoint behind a Service; those of one namespace should be asked for one after the other."""
        if service.body.spec.selector:
            found = list(self._selected(service, service.body.spec.selector))
            yield from found
            yield from self._added(service, [one.endpoint for one in found])
        else:
            yield from self._addressed(service)

    def _selected(self, service: Entry, selector: Mapping[str, str]) -> Iterator[Behind]:
        if self._current is None or self._current[0] != service.namespace:
            self._current = (service.namespace, _Labels(self._inventory.endpoints, self._own(service.namespace)))
        known: dict[tuple[NamedPort, ...], Targets] = {}
        for index in self._current[1].matching(selector):
            ports = self._inventory.endpoints[index].named_ports
            if ports not in known:
                known[ports] = _targets(service, ports)
            yield Behind(index, known[ports], certain=True, selected=True)

    def _added(self, service: Entry, selected: Sequence[int]) -> Iterator[Behind]:
        """Endpoints that an EndpointSlice adds to those that the selector finds: nobody asks who wrote it."""
        listed = self._lists().get((service.namespace, service.name), ())
        pods = self._inventory.endpoints
        own = {number for index in selected for number in pods[index].addresses} if listed else set()
        for one in listed:
            more = [index for number in one.addresses if number not in own for index in self._at.get(number, ())]
            if one.sliced and more:
                yield from _together(more, one, service, certain=True)

    def _own(self, namespace: str) -> range:
        return range(bisect_left(self._namespaces, namespace), bisect_right(self._namespaces, namespace))

    def _addressed(self, service: Entry) -> Iterator[Behind]:
        """Endpoints, in any namespace, that have the addresses that somebody listed.

        Where no list was read, any pod of the namespace may be meant; an address that no pod is known to have may be
        that of any pod whose address is not known.
        """
        pods = self._inventory.endpoints
        found = self._lists().get((service.namespace, service.name))
        if found is None:
            for index in self._own(service.namespace):
                yield Behind(index, _targets(service, pods[index].named_ports), certain=False)
            return
        for one in found:
            known = [index for number in one.addresses for index in self._at.get(number, ())]
            yield from _together(known, one, service, certain=True)
            if any(number not in self._at for number in one.addresses):
                yield from _together(self._placeless, one, service, certain=False)

    def _lists(self) -> Mapping[tuple[str, str], list[_Listed]]:
        """Service -> what is written down for it; `_at` and `_placeless` are filled with it."""
        if self._listed is None:
            self._listed = _lists(self._inventory)
            for index, pod in enumerate(self._inventory.endpoints if self._listed else ()):
                if not pod.addresses:
                    self._placeless.append(index)
                for number in pod.addresses:
                    self._at.setdefault(number, []).append(index)
        return self._listed


def behind(inventory: Inventory, namespace: str, name: str) -> Iterator[tuple[int, Traffic]]:
    """(endpoint index, its ports) of every endpoint that a Service selects."""
    for service in inventory.snapshot.of("Service"):
        if (service.namespace, service.name) == (namespace, name) and service.body.spec and service.body.spec.selector:
            for one in Services(inventory).behind(service):
                yield one.endpoint, union(target.traffic for target in one.targets)


class _Labels:
    """The endpoints of one namespace by label."""

    def __init__(self, endpoints: Sequence[Pod], numbers: Iterable[int]) -> None:
        self._endpoints = endpoints
        self._values: dict[tuple[str, str], list[int]] = {}
        self._unknown: dict[str, list[int]] = {}
        for index in numbers:
            pod = endpoints[index]
            for item in pod.labels.items():
                self._values.setdefault(item, []).append(index)
            for key in pod.unknown_labels:
                self._unknown.setdefault(key, []).append(index)

    def matching(self, selector: Mapping[str, str]) -> list[int]:
        """Endpoints with every label, ascending: looks through those that have the rarest of them."""
        found = [{*self._values.get(item, ()), *self._unknown.get(item[0], ())} for item in selector.items()]
        few = min(found, key=len)
        return sorted(index for index in few if self._fits(self._endpoints[index], selector))

    def _fits(self, pod: Pod, selector: Mapping[str, str]) -> bool:
        return all(pod.labels.get(key) == value or _maybe(pod, key, value) for key, value in selector.items())


def _maybe(pod: Pod, key: str, value: str) -> bool:
    """Whether a template stands for a pod that has the label: a Service that asks for it was written for one."""
    return key in pod.unknown_labels and may_be(pod.name, key, value)


def _targets(service: Entry, named: Sequence[NamedPort]) -> Targets:
    return tuple(Target(port.name or "", port.port, _target(port, named)) for port in service.body.spec.ports or ())


def _target(port: ServicePort, named: Sequence[NamedPort]) -> Traffic:
    """The pod's port behind one Service port; a name resolves per pod, to nothing when the pod has no such port."""
    protocol = port.protocol if port.protocol in PROTOCOLS else "TCP"
    target = port.targetPort if port.targetPort not in (None, 0, "") else port.port
    if isinstance(target, str) and target.isascii() and target.isdigit():
        target = int(target)
    if isinstance(target, int):
        return _one(protocol, target)
    return union(_one(one.protocol, one.port) for one in named if one.name == target and one.protocol == protocol)


def _one(protocol: str, number: int) -> Traffic:
    return Traffic.port_range(protocol, number, number) if 1 <= number <= 65535 else NONE  # noqa: PLR2004


def _together(indices: Sequence[int], listed: _Listed, service: Entry, *, certain: bool) -> Iterator[Behind]:
    """Endpoints with the ports of one list: each is that of the Service's port of the same name."""
    ports = {port.name or "": port.port for port in service.body.spec.ports or ()}
    targets = [
        (one.name or "", _one(one.protocol or "TCP", one.port or 0))
        for one in listed.ports
        if (one.protocol or "TCP") in PROTOCOLS
    ]
    named = tuple(Target(name, ports[name], traffic) for name, traffic in targets if name in ports)
    unnamed = tuple(Target(name, _NO_PORT, traffic) for name, traffic in targets if name not in ports)
    yield from (Behind(index, named, certain) for index in indices)
    if unnamed:
        yield from (Behind(index, unnamed, certain=False, unnamed=True) for index in indices)


def _lists(inventory: Inventory) -> dict[tuple[str, str], list[_Listed]]:
    """Service -> what its Endpoints and EndpointSlices list."""
    found: dict[tuple[str, str], list[_Listed]] = {}
    for entry in inventory.snapshot.of("Endpoints"):
        own = found.setdefault((entry.namespace, entry.name), [])
        for subset in entry.body.subsets or ():
            listed = [one.ip for one in (*(subset.addresses or ()), *(subset.notReadyAddresses or ()))]
            own.append(_Listed(_numbers(listed), subset.ports or (), sliced=False))
    for entry in inventory.snapshot.of("EndpointSlice.discovery.k8s.io"):
        if name := (entry.body.metadata.labels or {}).get(SERVICE_LABEL):
            listed = [address for one in entry.body.endpoints or () for address in one.addresses or ()]
            read = _Listed(_numbers(listed), entry.body.ports or (), sliced=True)
            found.setdefault((entry.namespace, name), []).append(read)
    return found


def _numbers(addresses: Iterable[str]) -> tuple[int, ...]:
    """The addresses that can be read; a list by host names holds none."""
    found = []
    for one in addresses:
        try:
            found.append(address_number(one))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))


def chosen(targets: Targets, choice: PortChoice, protocol: str) -> Traffic:
    """What of an endpoint's ports a publication means, in its protocol."""
    found = union(_picked(target, choice) for target in targets)
    return found & Traffic.of(protocol) if protocol else found


def _picked(target: Target, choice: PortChoice) -> Traffic:
    if choice.name:
        return target.traffic if target.name == choice.name else NONE
    if choice.of_pod:
        return target.traffic & union(_one(protocol, choice.number) for protocol in PROTOCOLS)
    return target.traffic if choice.number in (0, target.number) else NONE
