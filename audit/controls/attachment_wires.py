"""Which network a NetworkAttachmentDefinition stands for: what it is plugged into, and the addresses on it.

Input: the objects of a Scene. Output: a Wire per attachment name. Decisions: two definitions with the same interface,
bridge or name of an overlay are one network, wherever they stand; what cannot be read is a network of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from audit.controls.egress_values import stretch
from audit.controls.scene import Scene
from audit.model import ObjectRef
from audit.networks import mapping, sequence, spec_of
from audit.snapshot import Entry
from audit.traffic import NOWHERE, AddressSet

DEFINITION = "NetworkAttachmentDefinition.k8s.cni.cncf.io"
WIDE = "ClusterUserDefinedNetwork.k8s.ovn.org"
_RESOURCE = "k8s.v1.cni.cncf.io/resourceName"
_LINK = {
    "macvlan": ("master",),
    "ipvlan": ("master",),
    "vlan": ("master", "vlanId"),
    "host-device": ("device", "pciBusID"),
    "bridge": ("bridge", "vlan"),
    "ovs": ("bridge", "vlan"),
}
"""CNI type -> fields that say what it is plugged into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One network that attachments lead to."""

    key: tuple[str, ...]
    """Equal for attachments to the same network."""
    text: str
    """What people call it."""
    addresses: AddressSet = NOWHERE
    """Of the pods on it; empty where nobody says."""
    inside: bool = False
    """Whether it ends inside the cluster."""
    read: bool = True
    """False: the input does not hold its definition."""


def wires(scene: Scene) -> dict[str, tuple[ObjectRef, Wire]]:
    """`namespace/name` of every definition, and `/name` of every cluster-wide network that leaves the cluster."""
    found = {}
    for entry in scene.of(DEFINITION):
        ref = ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)
        found[f"{entry.namespace}/{entry.name}"] = (ref, _defined(entry))
    for entry in scene.of(WIDE):
        network = mapping(spec_of(entry).get("network"))
        if network.get("topology") == "Localnet":
            ref = ObjectRef(entry.kind, "", entry.name, entry.origin)
            found[f"/{entry.name}"] = (ref, _localnet(mapping(network.get("localnet"))))
    return found


def _localnet(body: Mapping[str, Any]) -> Wire:
    physical, vlan = str(body.get("physicalNetworkName")), mapping(mapping(body.get("vlan")).get("access")).get("id")
    tag = f" vlan {vlan}" if vlan else ""
    return Wire(key=("localnet", physical, str(vlan)), text=f"{physical}{tag}", addresses=_blocks(body.get("subnets")))


def _defined(entry: Entry) -> Wire:
    config = _config(spec_of(entry).get("config"))
    kind, name = str(config.get("type") or ""), str(config.get("name") or entry.name)
    own = f"{entry.namespace}/{entry.name}"
    addresses = _addresses(config)
    if kind == "ovn-k8s-cni-overlay":
        inside = config.get("topology") in ("layer2", "layer3")
        return Wire(key=("overlay", name), text=f"overlay {name}", addresses=addresses, inside=inside)
    if kind == "sriov":
        resource = (entry.body.metadata.annotations or {}).get(_RESOURCE, own)
        return _link("sriov", resource, config.get("vlan"), addresses)
    if kind in _LINK and (first := config.get(_LINK[kind][0])):
        family = "bridge" if kind in ("bridge", "ovs") else "interface"
        tag = config.get(_LINK[kind][1]) if len(_LINK[kind]) > 1 else None
        return _link(family, str(first), tag, addresses)
    return Wire(key=("definition", own), text=own, addresses=addresses)


def _link(family: str, name: str, vlan: object, addresses: AddressSet) -> Wire:
    tag = f" vlan {vlan}" if vlan else ""
    return Wire(key=(family, name, tag), text=f"{family} {name}{tag}", addresses=addresses)


def _config(text: object) -> Mapping[str, Any]:
    """The configuration, or the first plug-in of a list of them; empty where it cannot be read."""
    try:
        found = mapping(msgspec.json.decode(text)) if isinstance(text, str) and text.strip() else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    plugins = sequence(found.get("plugins"))
    return {"name": found.get("name"), **mapping(plugins[0])} if plugins else found


def _addresses(config: Mapping[str, Any]) -> AddressSet:
    ipam = mapping(config.get("ipam"))
    texts = [ipam.get("range"), ipam.get("subnet"), *_ranges(ipam)]
    subnets = config.get("subnets")
    return _blocks([*texts, *(subnets.split(",") if isinstance(subnets, str) else ())])


def _ranges(ipam: Mapping[str, Any]) -> Iterator[object]:
    for outer in sequence(ipam.get("ranges")):
        yield from (mapping(one).get("subnet") for one in sequence(outer))
    yield from (mapping(one).get("range") for one in sequence(ipam.get("ipRanges")))
    yield from (mapping(one).get("address") for one in sequence(ipam.get("addresses")))


def _blocks(texts: object) -> AddressSet:
    """All blocks and ranges of a list; nothing where one of them cannot be read, as nobody knows the whole then."""
    found = [stretch(one.strip()) for one in sequence(texts) if isinstance(one, str) and one.strip()]
    return AddressSet.union_of(one for one in found if one) if all(found) else NOWHERE
