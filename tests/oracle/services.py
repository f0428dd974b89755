"""Services: the pods that they lead to and the ports there.

Source: kubernetes/api core/v1/types.go (ServiceSpec, ServicePort, Endpoints) and discovery/v1/types.go (EndpointSlice);
docs/reachability.md section 5.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Iterable, Iterator

from tests.oracle.objects import labels_of, name_of, namespace_of, of_kind
from tests.oracle.terms import MAYBE, NO, YES, Address, Json, Pod

SLICE_OF = "kubernetes.io/service-name"
Wanted = Callable[[Json, int], bool]
"""Whether a port of a Service, behind which is that number at the pod, is meant."""


class Services:
    """The Services of a cluster with the lists of addresses behind those without a selector."""

    def __init__(self, objects: list[Json], pods: Iterable[Pod]) -> None:
        self.all = of_kind(objects, "Service", "")
        self.objects = objects
        self._named = {id(service): service for service in self.all}
        self.selected = functools.cache(lambda pod, which: selects(self._named[which], pod))
        self._added = functools.cache(lambda which: list(self._uncached_added(self._named[which])))
        self.pods = list(pods)
        self.taken = {address for pod in self.pods for address in pod.addresses}

    def reaches(self, service: Json, pod: Pod, protocol: str, port: int, wanted: Wanted) -> int:
        """Whether the Service leads to that port of the pod by a port of its own that is wanted."""
        if service["spec"].get("type") == "ExternalName":
            return NO
        if service["spec"].get("selector"):
            found = target_ports(service, pod) if self.selected(pod, id(service)) else ()
            if any((p, n) == (protocol, port) and wanted(o, n) for o, p, n in found):
                return YES
            added = [self._listed(service, pod, protocol, port, wanted, *one) for one in self._added(id(service))]
            return max(added, default=NO)
        lists = list(self._lists(service))
        if lists:
            return max(self._listed(service, pod, protocol, port, wanted, *one) for one in lists)
        meant = namespace_of(service) == pod.namespace and any(
            (p, n) == (protocol, port) and wanted(o, n) for o, p, n in target_ports(service, pod)
        )
        return MAYBE if meant else NO

    def numbers(self, service: Json) -> set[int]:
        """Every number that may be that of a pod's port behind the Service."""
        own = {
            port[key] for port in service["spec"].get("ports") or [] for key in ("port", "targetPort") if key in port
        }
        listed = {entry["port"] for _, ports in self._lists(service) for entry in ports}
        return {number for number in own | listed if isinstance(number, int)}

    def _lists(self, service: Json) -> Iterator[tuple[list[str], list[Json]]]:
        """Addresses and ports of every list for the Service."""
        place = namespace_of(service), name_of(service)
        for o in of_kind(self.objects, "Endpoints", ""):
            if (namespace_of(o), name_of(o)) == place:
                for subset in o.get("subsets") or []:
                    yield [entry["ip"] for entry in subset.get("addresses") or []], subset.get("ports") or []
        yield from self._slices(service)

    def _slices(self, service: Json) -> Iterator[tuple[list[str], list[Json]]]:
        place = namespace_of(service), name_of(service)
        for o in of_kind(self.objects, "EndpointSlice", "discovery.k8s.io"):
            if (namespace_of(o), labels_of(o).get(SLICE_OF)) == place:
                yield [text for entry in o.get("endpoints") or [] for text in entry["addresses"]], o.get("ports") or []

    def _uncached_added(self, service: Json) -> Iterator[tuple[list[str], list[Json]]]:
        """What lists add to the pods that a selector finds: addresses that none of those has, but some other pod."""
        own = {address for pod in self.pods if selects(service, pod) for address in pod.addresses}
        for addresses, ports in self._slices(service):
            yield [text for text in addresses if ipaddress.ip_address(text) in self.taken - own], ports

    def _listed(  # noqa: PLR0913, PLR0917 - a list and a question
        self,
        service: Json,
        pod: Pod,
        protocol: str,
        port: int,
        wanted: Wanted,
        texts: list[str],
        ports: list[Json],
    ) -> int:
        """Whether a list leads to that port of the pod."""
        own = {o.get("name") or "": o for o in service["spec"].get("ports") or []}
        numbers = {
            entry["port"]
            for entry in ports
            if (entry.get("protocol") or "TCP") == protocol
            and (entry.get("name") or "") in own
            and wanted(own[entry.get("name") or ""], entry["port"])
        }
        unnamed = {
            entry["port"]
            for entry in ports
            if (entry.get("protocol") or "TCP") == protocol
            and (entry.get("name") or "") not in own
            and wanted is not any_port
            and wanted({"name": entry.get("name") or ""}, entry["port"])
        }
        addresses: list[Address] = [ipaddress.ip_address(text) for text in texts]
        if port not in numbers | unnamed:
            return NO
        if any(address in pod.addresses for address in addresses):
            return YES if port in numbers else MAYBE
        stray = any(address not in self.taken for address in addresses)
        return MAYBE if stray and None in pod.addresses else NO


def selects(service: Json, pod: Pod) -> bool:
    """Whether the Service selects the pod."""
    wanted = service["spec"].get("selector") or {}
    same_space = namespace_of(service) == pod.namespace
    return bool(wanted) and same_space and all(pod.labels.get(key) == value for key, value in wanted.items())


def leads_in(service: Json) -> bool:
    """Whether clients outside the cluster may call the Service."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return False
    return spec.get("type") in ("NodePort", "LoadBalancer") or bool(spec.get("externalIPs"))


def keeps_clients(service: Json) -> bool:
    """Whether a pod that the Service selects sees the address of the client and not of a node."""
    return bool(service["spec"].get("externalTrafficPolicy") == "Local")


def filters_clients(service: Json) -> bool:
    """Whether the Service is told to take some clients only."""
    spec = service["spec"]
    return (
        spec.get("type") == "LoadBalancer"
        and bool(spec.get("loadBalancerSourceRanges"))
        and not spec.get("externalIPs")
    )


def target_ports(service: Json, pod: Pod) -> Iterator[tuple[Json, str, int]]:
    """Every port of the Service with protocol and number of the pod's port behind it."""
    for port in service["spec"].get("ports") or []:
        protocol = port.get("protocol") or "TCP"
        target = port.get("targetPort") or port["port"]
        if isinstance(target, int):
            yield port, protocol, target
        else:
            yield from ((port, protocol, number) for name, p, number in pod.ports if (name, p) == (target, protocol))


def any_port(_: Json, __: int) -> bool:
    """Every port of a Service."""
    return True
