"""Egress addresses as values: one address, the object that gives some, and where they belong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from audit.controls.scene import Scene
from audit.model import ObjectRef, Zone
from audit.traffic import AddressSet, address_number

State = Literal["served", "idle", "unknown"]


class Address(NamedTuple):
    """One egress address of a grant."""

    text: str
    number: int | None
    """None for what is no address."""
    state: State
    node: str = ""
    """That serves it, or should; empty where none does."""
    why: str = ""
    """Why it is not served, or why nobody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One object that gives egress addresses to namespaces."""

    ref: ObjectRef
    namespaces: tuple[str, ...]
    """Those that it certainly gives them to, sorted."""
    zones: tuple[str, ...]
    """Zones of the namespaces, sorted; what is unzoned and the platform count, too."""
    addresses: tuple[Address, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes that certainly serve an address, sorted."""
        return tuple(sorted({one.node for one in self.addresses if one.state == "served"}))

    @property
    def known(self) -> bool:
        """Whether it is certain of every address whether it is served."""
        return all(one.state != "unknown" for one in self.addresses)


def at_node(scene: Scene, text: str, number: int | None, node: str) -> Address:
    """An address that a node has, as far as the node serves."""
    known = scene.inventory.nodes.get(node)
    if known is None:
        return Address(text, number, "unknown", node, f"the input does not hold its node {node}")
    if known.ready is False:
        return Address(text, number, "idle", node, f"its node {node} is not ready")
    return Address(text, number, "served", node)


def number_of(text: str) -> int | None:
    """The number of an address; None for what is none."""
    try:
        return address_number(text)
    except ValueError:
        return None


def block(text: str) -> AddressSet | None:
    """The addresses of a block or of one address; None for what is neither."""
    try:
        return AddressSet.cidr(text if "/" in text else f"{text}/{128 if ':' in text else 32}")
    except ValueError:
        return None


def stretch(text: str) -> AddressSet | None:
    """What `block` reads, or `10.0.0.1-10.0.0.9` with or without a mask behind; None for anything else."""
    first, dash, last = text.partition("-")
    if not dash:
        return block(text)
    low, high = number_of(first.strip()), number_of(last.partition("/")[0].strip())
    return AddressSet(((low, high),)) if low is not None and high is not None and low <= high else None


def pool(zone: Zone) -> AddressSet:
    """Where the egress addresses of a zone must come from: `egress_cidrs`, or `cidrs` where it declares none."""
    return zone.egress_cidrs or zone.cidrs


def owner_zone(zones: Iterable[Zone], number: int) -> str:
    """The zone whose addresses hold one; empty where none does."""
    return next((zone.name for zone in zones if number in zone.cidrs or number in zone.egress_cidrs), "")
