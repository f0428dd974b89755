"""Services: the pods that they lead to and the ports there.

Source: kubernetes/api core/v1/types.go (ServiceSpec, ServicePort); docs/reachability.md section 5.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.oracle.objects import namespace_of
from tests.oracle.terms import MAYBE, NO, YES, Json, Pod


def leads_to(service: Json, pod: Pod) -> int:
    """Whether the Service leads to the pod; one without a selector leads to addresses that the input does not tell."""
    if namespace_of(service) != pod.namespace or service["spec"].get("type") == "ExternalName":
        return NO
    selector = service["spec"].get("selector")
    if not selector:
        return MAYBE
    return YES if all(pod.labels.get(key) == value for key, value in selector.items()) else NO


def leads_in(service: Json) -> bool:
    """Whether clients outside the cluster may call the Service."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return False
    return spec.get("type") in ("NodePort", "LoadBalancer") or bool(spec.get("externalIPs"))


def keeps_clients(service: Json) -> bool:
    """Whether the pod sees the address of the client, not of a node."""
    return service["spec"].get("externalTrafficPolicy") == "Local" and bool(service["spec"].get("selector"))


def target_ports(service: Json, pod: Pod) -> Iterator[tuple[Json, str, int]]:
    """Every port of the Service with protocol and number of the pod's port behind it."""
    for port in service["spec"].get("ports") or []:
        protocol = port.get("protocol") or "TCP"
        target = port.get("targetPort") or port["port"]
        if isinstance(target, int):
            yield port, protocol, target
        else:
            yield from ((port, protocol, number) for name, p, number in pod.ports if (name, p) == (target, protocol))


def has_port(service: Json, pod: Pod, protocol: str, number: int) -> bool:
    """Whether the Service leads to that port of the pod."""
    return any((p, n) == (protocol, number) for _, p, n in target_ports(service, pod))
