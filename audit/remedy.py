"""Ready YAML for fixes: NetworkPolicies that say for one namespace what the matrix says for its zone.

Names come from clusters and files of others, so every scalar that is not plainly safe is written as a quoted string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal

from audit.model import UNZONED, Zone, ZoneMatrix
from audit.selectors import EVERYTHING, LabelSelector, Requirement
from audit.traffic import ALL, MAX_PORT, PROTOCOLS, Traffic

Direction = Literal["ingress", "egress"]
_PLAIN = re.compile(r"[a-z]([a-z0-9./-]*[a-z0-9])?")
"""Scalars that every YAML version reads as this very string (words such as `no` are caught by _WORDS)."""
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_MANY = 8
"""Address blocks spelled out per zone; a longer list belongs in the file of the zone's owner, not in a hint."""


ZonePolicy = Callable[..., str]
"""`(namespace, zone, direction="ingress")` -> YAML."""


def zone_policies(matrix: ZoneMatrix) -> ZonePolicy:
    """A function that writes, for a namespace of a zone, the NetworkPolicy that the matrix asks for.

    The policy isolates every pod of the namespace in one direction and admits what the matrix allows for the zone.
    Zones that no label or address block describes are left as a comment, to be filled in by hand.
    """

    @cache  # namespaces number in the thousands, zones in the tens
    def rules(zone: str, direction: Direction) -> str:
        allowed = _by_traffic(matrix, zone, direction)
        lines = [line for traffic, zones in allowed for line in _rule(traffic, zones, matrix, direction)]
        none = "" if any(line.startswith("  -") for line in lines) else " []"
        return "\n".join([f"  {direction}:{none}", *lines])

    def policy(namespace: str, zone: str, direction: Direction = "ingress") -> str:
        return "\n".join(
            (
                "apiVersion: networking.k8s.io/v1",
                "kind: NetworkPolicy",
                "metadata:",
                f"  name: {scalar(f'zone-{zone}-{direction}')}",
                f"  namespace: {scalar(namespace)}",
                "spec:",
                "  podSelector: {}",
                f"  policyTypes: [{direction.capitalize()}]",
                rules(zone, direction),
            )
        )

    return policy


def ports_yaml(traffic: Traffic) -> list[str]:
    """The items of a `ports` list for this traffic, one per range; empty for all traffic."""
    if traffic == ALL:
        return []
    items = []
    for protocol in PROTOCOLS:
        for low, high in traffic.ranges(protocol):
            port = (
                "" if (low, high) == (1, MAX_PORT) else f", port: {low}" + (f", endPort: {high}" if high > low else "")
            )
            items.append(f"- {{protocol: {protocol}{port}}}")
    return items


def scalar(text: str) -> str:
    """The text as a YAML scalar that reads back as this string."""
    return text if _PLAIN.fullmatch(text) and text not in _WORDS else json.dumps(text)


def _by_traffic(matrix: ZoneMatrix, zone: str, direction: Direction) -> list[tuple[Traffic, list[Zone]]]:
    """Peer zones with some traffic allowed, grouped by that traffic, in matrix order."""
    groups: dict[Traffic, list[Zone]] = {}
    for peer in matrix.zones:
        pair = (peer.name, zone) if direction == "ingress" else (zone, peer.name)
        if zone != UNZONED and (allowed := matrix.expect(*pair).allowed):
            groups.setdefault(allowed, []).append(peer)
    return list(groups.items())


def _rule(traffic: Traffic, zones: list[Zone], matrix: ZoneMatrix, direction: Direction) -> Iterator[str]:
    peers = [line for zone in zones for line in _peers(zone, matrix)]
    yield from (f"  {line}" for line in peers if line.startswith("#"))
    items = [line for line in peers if not line.startswith("#")]
    if not items:
        return
    yield "  - from:" if direction == "ingress" else "  - to:"
    yield from (f"    {line}" for line in items)
    ports = ports_yaml(traffic)
    if ports:
        yield "    ports:"
        yield from (f"    {line}" for line in ports)


def _peers(zone: Zone, matrix: ZoneMatrix) -> Iterator[str]:
    if zone.kind == "cluster" or zone.namespaces is not None:
        yield f"- namespaceSelector: {_selector(_namespaces(zone, matrix))}"
    blocks = zone.cidrs.cidrs()
    if zone.kind == "external" and blocks and len(blocks) <= _MANY:
        yield from (f"- ipBlock: {{cidr: {json.dumps(block)}}}" for block in blocks)
    elif zone.kind != "cluster" and zone.namespaces is None:
        yield f"# zone {scalar(zone.name)} is allowed too: add its routers, namespaces or address blocks here"


def _namespaces(zone: Zone, matrix: ZoneMatrix) -> LabelSelector:
    """How the namespaces of the zone are told: its own selector, or the first zone label."""
    if zone.namespaces is not None:
        return zone.namespaces
    labels = matrix.settings.zone_labels
    return LabelSelector((Requirement(labels[0], "In", (zone.name,)),)) if labels else EVERYTHING


def _selector(selector: LabelSelector) -> str:
    """Flow-style YAML of a selector."""
    equal = [r for r in selector.requirements if r.operator == "In" and len(r.values) == 1]
    keys = [r.key for r in equal]
    single = [r for r in equal if keys.count(r.key) == 1]
    labels = ", ".join(f"{scalar(r.key)}: {scalar(r.values[0])}" for r in single)
    others = ", ".join(_expression(r) for r in selector.requirements if r not in single)
    parts = [f"matchLabels: {{{labels}}}"] if labels else []
    parts += [f"matchExpressions: [{others}]"] if others else []
    return f"{{{', '.join(parts)}}}"


def _expression(requirement: Requirement) -> str:
    values = f", values: [{', '.join(map(scalar, requirement.values))}]" if requirement.values else ""
    return f"{{key: {scalar(requirement.key)}, operator: {requirement.operator}{values}}}"
