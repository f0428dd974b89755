"""What annotations of a pod say of its networks: attachments, addresses, ports that are open to the default network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from audit.traffic import MAX_PORT, PROTOCOLS, address_number
from audit.workloads import MACVLAN

ATTACHED = "k8s.v1.cni.cncf.io/networks"
REPLACED = frozenset({"v1.multus-cni.io/default-network", MACVLAN})
"""Annotations that ask for an interface without naming its network, or put one in place of the cluster's own."""
POD_NETWORKS = "k8s.ovn.org/pod-networks"
OPEN_PORTS = "k8s.ovn.org/open-default-ports"
PHYSICAL = ""
"""The network of attachments that may lead anywhere, as through a node's interface."""
_LISTED = re.compile(r"(?:(?P<namespace>[^/@,\s]+)/)?(?P<name>[^/@,\s]+)(?:@[^,\s]*)?")
_ITEM_LINE = re.compile(r"\s*(?P<dash>-\s+)?(?P<key>protocol|port):\s*[\"']?(?P<value>[A-Za-z]+|[0-9]{1,5})[\"']?")


class Attachment(NamedTuple):
    """One further interface of a pod."""

    network: str
    """Of `Networks.virtual`, or PHYSICAL."""
    sure: bool
    """False: it may be of another network."""
    name: str
    """`namespace/name` of what it was asked by; empty where that is not known."""


UNNAMED = Attachment(PHYSICAL, sure=False, name="")


def attachments(
    namespace: str, annotations: Mapping[str, str], virtual: Mapping[tuple[str, str], tuple[str, bool]]
) -> tuple[Attachment, ...]:
    """The further interfaces that annotations ask for, sorted; what cannot be read is an unnamed physical one."""
    found = {UNNAMED for key in REPLACED if key in annotations}
    for one in wanted(annotations.get(ATTACHED, "").strip()):
        space, name = one or ("", "")
        whole = f"{space or namespace}/{name}" if name else ""
        key = (namespace, name) if space in ("", namespace) else ("", "")
        network, sure = virtual.get(key, (PHYSICAL, False))
        found.add(Attachment(network, sure, whole))
        if not sure:
            found.add(Attachment(PHYSICAL, sure, whole))
    return tuple(sorted(found))


def wanted(text: str) -> Iterator[tuple[str, str] | None]:
    """(namespace or empty, name) of every attachment; None for one that cannot be read."""
    if text.startswith("["):
        try:
            listed = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            listed = [None]
        for one in listed:
            name = one.get("name") if isinstance(one, dict) else None
            space = one.get("namespace", "") if isinstance(one, dict) else None
            yield (space, name) if isinstance(name, str) and name and isinstance(space, str) else None
        return
    for part in text.split(",") if text else ():
        match = _LISTED.fullmatch(part.strip())
        yield (match["namespace"] or "", match["name"]) if match else None


def primary_addresses(annotations: Mapping[str, str]) -> tuple[int, ...]:
    """The addresses on the primary user-defined network, sorted; empty where the annotation does not tell."""
    try:
        networks = msgspec.json.decode(annotations.get(POD_NETWORKS, "{}"))
    except (msgspec.DecodeError, RecursionError):
        return ()
    found: set[int] = set()
    for one in networks.values() if isinstance(networks, dict) else ():
        if isinstance(one, dict) and one.get("role") == "primary":
            listed = one.get("ip_addresses") or [one.get("ip_address")]
            found.update(_addresses(listed if isinstance(listed, list) else []))
    return tuple(sorted(found))


def _addresses(listed: list[Any]) -> Iterator[int]:
    for text in listed:
        try:
            yield address_number(str(text).partition("/")[0])
        except ValueError:
            continue


def _listed_ports(text: str) -> list[Any]:
    """The items of a list in JSON or in the plain form of YAML; [None] for anything else."""
    if text.lstrip().startswith("["):
        try:
            found = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return [None]
        return found if isinstance(found, list) else [None]
    items: list[dict[str, Any]] = []
    for line in filter(None, map(str.rstrip, text.splitlines())):
        match = _ITEM_LINE.fullmatch(line)
        if not match or not (match["dash"] or items):
            return [None]
        if match["dash"]:
            items.append({})
        value = match["value"]
        items[-1][match["key"]] = int(value) if value.isdigit() else value
    return list(items)


def open_ports(annotations: Mapping[str, str]) -> tuple[tuple[str, int], ...] | None:
    """(protocol, port) that accept connections from the default network, sorted; None where that cannot be read."""
    if OPEN_PORTS not in annotations:
        return ()
    found: set[tuple[str, int]] = set()
    for one in _listed_ports(annotations[OPEN_PORTS]):
        protocol, port = (one.get("protocol"), one.get("port")) if isinstance(one, dict) else (None, None)
        if not isinstance(protocol, str):
            return None
        if protocol.upper() not in PROTOCOLS:
            continue  # ICMP has no ports
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= MAX_PORT:
            return None
        found.add((protocol.upper(), port))
    return tuple(sorted(found))
