"""Which annotations are kept, on whatever object they stand, and how much of each.

Others are dropped: controllers and people keep whole configurations there, tokens included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from audit.attachments import ATTACHED, OPEN_PORTS, POD_NETWORKS, REPLACED, open_ports, wanted
from audit.projection.nodes import MARK, SCALAR, UNREADABLE, Each, Fields, Json, Node, Rewritten, scalars

REQUESTER = "openshift.io/requester"
"""Who asked for a project: what ClusterResourceQuotas select projects of one person by."""
_BLOCK = re.compile(r"[0-9A-Fa-f:.]+/[0-9]+")
_NETWORK = re.compile(r"(?:[^/@,\s]+/)?[^/@,\s]+")
_UNREADABLE = "/"
"""Of an item in a list of networks: no name, as the item was none."""


def _attached(text: str) -> str:
    """The list of networks with their names only."""
    names = ("/".join(filter(None, one)) if one else _UNREADABLE for one in wanted(text.strip()))
    return ",".join(name if _NETWORK.fullmatch(name) else _UNREADABLE for name in names)


def _primary(text: str) -> str | None:
    """The addresses of the primary network."""
    try:
        networks = msgspec.json.decode(text)
    except UNREADABLE:
        return None
    listed = networks.values() if isinstance(networks, dict) else ()
    chosen = [one for one in listed if isinstance(one, dict) and one.get("role") == "primary"]
    kept = {str(number): {"role": "primary", "ip_addresses": [*_addresses(one)]} for number, one in enumerate(chosen)}
    return str(msgspec.json.encode(kept), "utf-8") if kept else None


def _addresses(network: dict[str, Any]) -> Iterator[str]:
    listed = network.get("ip_addresses") or [network.get("ip_address")]
    yield from (one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, str))


def _ports(text: str) -> str:
    """The list of ports in one form."""
    found = open_ports({OPEN_PORTS: text})
    if found is None:
        return _UNREADABLE
    return str(msgspec.json.encode([{"protocol": protocol, "port": port} for protocol, port in found]), "utf-8")


def _blocks(text: str) -> str:
    """The address blocks in some JSON, however deep, as a list."""
    try:
        value = msgspec.json.decode(text)
    except UNREADABLE:
        value = None
    return str(msgspec.json.encode([one for one in _texts(value) if _BLOCK.fullmatch(one)]), "utf-8")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


_TOLERATIONS = Json(Each(Fields(scalars("key operator value effect"))), "key, operator, value and effect of each")
_NETWORKS = Rewritten(_blocks, "address blocks")

KEPT: Mapping[str, Node] = {
    # where pods may run
    "openshift.io/node-selector": SCALAR,
    "scheduler.alpha.kubernetes.io/node-selector": SCALAR,
    "scheduler.alpha.kubernetes.io/defaultTolerations": _TOLERATIONS,
    "scheduler.alpha.kubernetes.io/tolerationsWhitelist": _TOLERATIONS,
    # networks of pods and nodes
    ATTACHED: Rewritten(_attached, "names of networks"),
    **dict.fromkeys(sorted(REPLACED), MARK),
    POD_NETWORKS: Rewritten(_primary, "addresses on the primary network"),
    OPEN_PORTS: Rewritten(_ports, "protocols and ports"),
    "k8s.v1.cni.cncf.io/policy-for": SCALAR,
    "k8s.v1.cni.cncf.io/resourceName": SCALAR,
    "k8s.ovn.org/host-cidrs": _NETWORKS,
    "k8s.ovn.org/node-primary-ifaddr": _NETWORKS,
    "cloud.network.openshift.io/egress-ipconfig": _NETWORKS,
    "k8s.ovn.org/routing-external-gws": SCALAR,
    "k8s.ovn.org/routing-namespaces": SCALAR,
    # storage
    "storageclass.kubernetes.io/is-default-class": SCALAR,
    "storageclass.beta.kubernetes.io/is-default-class": SCALAR,
    "volume.beta.kubernetes.io/storage-class": SCALAR,
    "pv.kubernetes.io/provisioned-by": MARK,
    # ways in
    "kubernetes.io/ingress.class": SCALAR,
    "ingressclass.kubernetes.io/is-default-class": SCALAR,
    "service.beta.kubernetes.io/aws-load-balancer-internal": SCALAR,
    "service.beta.kubernetes.io/aws-load-balancer-scheme": SCALAR,
    "service.beta.kubernetes.io/azure-load-balancer-internal": SCALAR,
    "service.beta.kubernetes.io/openstack-internal-load-balancer": SCALAR,
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": SCALAR,
    "cloud.google.com/load-balancer-type": SCALAR,
    "networking.gke.io/load-balancer-type": SCALAR,
    # who asked for a project
    REQUESTER: SCALAR,
}
"""Key -> what is kept of its value."""
PREFIXES = ("metallb.io/", "metallb.universe.tf/", "openshift.io/sa.scc.")
"""Beginnings of keys that are kept without their value: that there is one counts."""


def kept(annotations: Mapping[str, str] | None) -> dict[str, str] | None:
    """What is kept of the annotations of one object; None for nothing."""
    found = {key: text for key, value in (annotations or {}).items() if (text := _value(key, value)) is not None}
    return found or None


def _value(key: str, value: str) -> str | None:
    node = KEPT.get(key)
    if node is None:
        return MARK.kept(value, ()) if key.startswith(PREFIXES) else None
    found: str | None = node.kept(value, ())
    return found


def lines() -> Iterable[tuple[str, str]]:
    """(key or beginning of keys, what is kept of the value; empty for all of it), in order."""
    for key, node in KEPT.items():
        yield from node.lines(key)
    yield from ((f"{prefix}*", "whether it is set") for prefix in PREFIXES)
