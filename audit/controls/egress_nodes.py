"""Nodes that may serve egress addresses: who does, who could, and whether another one takes over.

Input: a Scene. Output: what is eligible for the addresses of each zone. Decisions: OVN-Kubernetes has no node selector
for egress addresses, so every node with the label whose networks hold the address may get it after a failure; where the
networks of a node are not known, nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from audit.controls.egress import grants_of, system, tenant_zones
from audit.controls.egress_values import Grant, block
from audit.controls.scene import Scene
from audit.exposure.netnamespaces import both_groups
from audit.model import Node
from audit.traffic import AddressSet

ASSIGNABLE = "k8s.ovn.org/egress-assignable"
"""Label of nodes that OVN-Kubernetes may put egress addresses on."""
_NETWORKS = ("k8s.ovn.org/host-cidrs", "k8s.ovn.org/node-primary-ifaddr", "cloud.network.openshift.io/egress-ipconfig")
"""Annotations of a node that tell its networks; the first one tells all of them."""
_TWO = 2
"""Nodes that high availability takes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Nodes that may serve the same addresses."""

    addresses: AddressSet | None
    """None where the networks of the nodes are not known."""
    nodes: tuple[str, ...]
    """Sorted."""

    def holds(self, number: int) -> bool:
        """Whether the address is, or may be, among them."""
        return self.addresses is None or number in self.addresses


def offers(scene: Scene) -> tuple[Offer, ...]:
    """Every node that may serve egress addresses, with the addresses that it may serve."""
    found: dict[AddressSet | None, list[str]] = {}
    for name, addresses in _offered(scene):
        found.setdefault(addresses, []).append(name)
    return tuple(Offer(addresses, tuple(sorted(nodes))) for addresses, nodes in found.items())


def _offered(scene: Scene) -> Iterator[tuple[str, AddressSet | None]]:
    if system(scene) == "ovn":
        for name, node in scene.inventory.nodes.items():
            if ASSIGNABLE in node.labels:
                yield name, networks(node)
    if system(scene) == "sdn":
        for entry in both_groups(scene.inventory.snapshot, "HostSubnet"):
            blocks = [found for text in entry.body.egressCIDRs or () if (found := block(text))]
            if blocks:
                yield entry.body.host or entry.name, AddressSet.union_of(blocks)


def networks(node: Node) -> AddressSet | None:
    """The networks that a node has interfaces in; None where the input does not tell."""
    for key in _NETWORKS:
        if key in node.annotations:
            found = [one for text in _texts(_json(node.annotations[key])) if "/" in text and (one := block(text))]
            return AddressSet.union_of(found) or None
    return None


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _texts(value: Any) -> Iterator[str]:
    """Every text within a list or mapping."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """Nodes beyond a zone that serve its egress addresses, or may come to."""

    zone: str
    nodes: tuple[str, ...]
    """Sorted."""
    grants: tuple[Grant, ...]
    """The objects whose addresses they serve or may serve."""
    certain: bool = True
    """False: what networks a node has, or which nodes belong to the zone, is not known."""


def foreign_servers(scene: Scene) -> tuple[Strangers, ...]:
    """(zone, node) where a node outside the zone certainly serves, by zone and node."""
    found: dict[tuple[str, str], list[Grant]] = {}
    for grant in scene.once(grants_of):
        for zone in tenant_zones(scene, grant):
            for node in grant.nodes:
                if scene.node_zone(node) != zone:
                    found.setdefault((zone, node), []).append(grant)
    homes = _homes(scene)
    return tuple(
        Strangers(zone=zone, nodes=(node,), grants=tuple(grants), certain=_known(scene, node, zone, homes))
        for (zone, node), grants in sorted(found.items())
    )


def foreign_candidates(scene: Scene) -> tuple[Strangers, ...]:
    """Nodes outside a zone that serve none of its addresses yet and may come to; one value per zone and certainty."""
    by_zone: dict[str, list[Grant]] = {}
    for grant in scene.once(grants_of):
        for zone in tenant_zones(scene, grant):
            by_zone.setdefault(zone, []).append(grant)
    homes = _homes(scene)
    return tuple(found for zone, grants in sorted(by_zone.items()) for found in _candidates(scene, zone, grants, homes))


def _candidates(scene: Scene, zone: str, grants: list[Grant], homes: frozenset[str]) -> Iterator[Strangers]:
    serving = {node for grant in grants for node in grant.nodes}
    nodes: dict[bool, list[str]] = {}
    concerned: dict[bool, list[Grant]] = {}
    for offer in scene.once(offers):
        held = [grant for grant in grants if any(one.number and offer.holds(one.number) for one in grant.addresses)]
        for node in offer.nodes if held else ():
            if scene.node_zone(node) != zone and node not in serving:
                sure = offer.addresses is not None and _known(scene, node, zone, homes)
                nodes.setdefault(sure, []).append(node)
                concerned.setdefault(sure, []).extend(held)
    for sure, names in sorted(nodes.items(), reverse=True):
        unique = {grant.ref: grant for grant in concerned[sure]}
        yield Strangers(
            zone=zone,
            nodes=tuple(sorted(names)),
            grants=tuple(unique[ref] for ref in sorted(unique)),
            certain=sure,
        )


def _homes(scene: Scene) -> frozenset[str]:
    """Zones that some node belongs to."""
    return frozenset(one.zone for one in scene.zone_map.nodes.values())


def _known(scene: Scene, node: str, zone: str, homes: frozenset[str]) -> bool:
    """Whether the node certainly stands outside the zone: another zone claims it, or the zone has nodes of its own."""
    membership = scene.zone_map.nodes.get(node)
    return zone in homes or bool(membership and membership.claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A grant that loses its address with one node."""

    grant: Grant
    zone: str
    nodes: tuple[str, ...]
    """That serve it now."""
    certain: bool
    """False: another node may take over, but its networks are not known."""


def singles(scene: Scene) -> tuple[Single, ...]:
    """Grants of zones without a second node, by object; what nobody serves, or may serve, is left out."""
    listed = scene.once(offers)
    return tuple(
        Single(grant=grant, zone=tenant_zones(scene, grant)[0], nodes=grant.nodes, certain=state == "single")
        for grant in scene.once(grants_of)
        if tenant_zones(scene, grant) and (state := _availability(scene, grant, listed)) in ("single", "unsure")
    )


def untold(scene: Scene) -> tuple[Grant, ...]:
    """Grants of zones of which nobody knows how many nodes serve them."""
    return tuple(grant for grant in scene.once(grants_of) if tenant_zones(scene, grant) and not grant.known)


def _availability(scene: Scene, grant: Grant, listed: Iterable[Offer]) -> str:
    """`several`, `single`, `unsure`, or empty where nothing is served."""
    if len(grant.nodes) >= _TWO:
        return "several"
    if not grant.nodes:
        return ""
    best: Mapping[bool, set[str]] = {True: set(), False: set()}
    for offer in listed:
        for one in grant.addresses:
            if one.state == "served" and one.number is not None and offer.holds(one.number):
                ready = {node for node in offer.nodes if _ready(scene, node)}
                best[offer.addresses is not None].update(ready)
    sure = best[True] | set(grant.nodes)
    if len(sure) >= _TWO:
        return "several"
    return "unsure" if len(sure | best[False]) >= _TWO or not grant.known else "single"


def _ready(scene: Scene, node: str) -> bool:
    known = scene.inventory.nodes.get(node)
    return known is not None and known.ready is not False
