"""Who belongs to which zone, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.model import UNZONED, Namespace, Node, ZoneMatrix
from audit.selectors import LabelSelector
from audit.traffic import EVERYWHERE, AddressSet

PLATFORM_NAMES = ("default", "openshift")
PLATFORM_PREFIXES = ("openshift-", "kube-")
_METADATA_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The zone of one namespace or node."""

    zone: str
    """A zone name, or UNZONED when none or several claim it."""
    claims: tuple[str, ...]
    """Every zone that selects it, in matrix order; two or more is a conflict."""
    reason: str
    """`label network-zone=dmz`, `select.namespaces of zone dmz`, `platform namespace`, `no zone selects it`, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneMap:
    """Namespace and node membership, and the addresses of each zone."""

    namespaces: Mapping[str, Membership]
    nodes: Mapping[str, Membership]
    addresses: tuple[tuple[str, AddressSet], ...]
    """Zones that own outside addresses, disjoint, in matrix order; together they cover all of IPv4 and IPv6:
    what no zone claims belongs to the `internet` zone, or to UNZONED where the matrix has none."""


def assign(matrix: ZoneMatrix, namespaces: Iterable[Namespace], nodes: Iterable[Node]) -> ZoneMap:
    """The zone of every namespace, node and address, members sorted by name; see ZoneMap."""
    return ZoneMap(
        namespaces=_namespaces(matrix, namespaces),
        nodes={node.name: _node(matrix, node) for node in sorted(nodes, key=lambda node: node.name)},
        addresses=_addresses(matrix),
    )


def is_platform(namespace: str) -> bool:
    """Whether a namespace is the platform's own by its name."""
    return namespace in PLATFORM_NAMES or namespace.startswith(PLATFORM_PREFIXES)


@dataclass(frozen=True, slots=True)
class _Claim:
    """One zone's hold on a member."""

    zone: str
    reason: str


def _namespaces(matrix: ZoneMatrix, namespaces: Iterable[Namespace]) -> dict[str, Membership]:
    """Members by name, sorted. Namespaces that no selector and no zone label tells apart are decided once."""
    selectors = [zone.namespaces.keys for zone in matrix.zones if zone.namespaces is not None]
    keys = sorted(frozenset(matrix.settings.zone_labels).union(*selectors))
    decided: dict[tuple[object, ...], Membership] = {}
    members: dict[str, Membership] = {}
    for namespace in sorted(namespaces, key=lambda ns: ns.name):
        labels = _labels(namespace)
        alike = (namespace.known, is_platform(namespace.name), *map(labels.get, keys))
        if alike not in decided:
            decided[alike] = _namespace(matrix, namespace)
        members[namespace.name] = decided[alike]
    return members


def _labels(namespace: Namespace) -> Mapping[str, str]:
    return namespace.labels if namespace.known else {_METADATA_NAME: namespace.name}


def _namespace(matrix: ZoneMatrix, namespace: Namespace) -> Membership:
    claims = _selected(matrix, namespace)
    if not claims:
        claims = _by_label(matrix, namespace)
    platform = [zone.name for zone in matrix.zones if zone.kind == "platform"]
    if platform and is_platform(namespace.name):
        # The platform's hold on its own namespaces yields to every other zone.
        claims = [claim for claim in claims if claim.zone not in platform] or [
            _Claim(name, "platform namespace") for name in platform
        ]
    elif not claims and _takes_the_rest(matrix, namespace):
        claims = [_Claim(matrix.settings.cluster_zone, "single-zone cluster"), *_named(matrix, namespace)]
    return _settle(matrix, claims) or Membership(zone=UNZONED, claims=(), reason=_why_none(matrix, namespace))


def _takes_the_rest(matrix: ZoneMatrix, namespace: Namespace) -> bool:
    """Whether the zone of a single-zone cluster takes a namespace that nobody claims.

    Not one that its label may put, or was to put, elsewhere.
    """
    if matrix.settings.cluster_mode != "single-zone":
        return False
    return namespace.known and not stray_labels(matrix, matrix.settings.zone_labels, _labels(namespace))


def stray_labels(matrix: ZoneMatrix, keys: Iterable[str], labels: Mapping[str, str]) -> tuple[str, ...]:
    """The zone labels, of these keys, that name no zone of the matrix, as `key=value`, in the order of the keys."""
    return tuple(f"{key}={labels[key]}" for key in keys if key in labels and not matrix.zone(labels[key]))


def _selected(matrix: ZoneMatrix, namespace: Namespace) -> list[_Claim]:
    """Zones whose selector matches; then a label that names another zone contradicts it and is a claim too."""
    claims = [
        _Claim(zone.name, f"select.namespaces of zone {zone.name}")
        for zone in matrix.zones
        if zone.namespaces is not None and _certainly(zone.namespaces, namespace)
    ]
    return claims + _named(matrix, namespace) if claims else []


def _certainly(selector: LabelSelector, namespace: Namespace) -> bool:
    """Whether the selector matches whatever labels an unread Namespace object may have."""
    if not namespace.known and not selector.keys <= {_METADATA_NAME}:
        return False
    return selector.matches(_labels(namespace))


def _by_label(matrix: ZoneMatrix, namespace: Namespace) -> list[_Claim]:
    """The zone that the first zone label present names, if it takes labels; every named zone when labels contradict."""
    named = _named(matrix, namespace)
    if len({claim.zone for claim in named}) > 1:
        return named
    first = next(((key, value) for key, value in _zone_labels(matrix, namespace)), ("", ""))
    zone = matrix.zone(first[1])
    if zone is None or zone.kind != "cluster" or zone.namespaces is not None:
        return []
    return [_Claim(zone.name, f"label {first[0]}={first[1]}")]


def _named(matrix: ZoneMatrix, namespace: Namespace) -> list[_Claim]:
    """Every zone that a zone label names, whether it takes labels or not."""
    return [
        _Claim(value, f"label {key}={value}") for key, value in _zone_labels(matrix, namespace) if matrix.zone(value)
    ]


def _zone_labels(matrix: ZoneMatrix, namespace: Namespace) -> list[tuple[str, str]]:
    labels = _labels(namespace)
    return [(key, labels[key]) for key in matrix.settings.zone_labels if key in labels]


def _why_none(matrix: ZoneMatrix, namespace: Namespace) -> str:
    if not namespace.known:
        return "no zone selects it: its Namespace object is missing, so its labels are not known"
    for key, value in _zone_labels(matrix, namespace):
        zone = matrix.zone(value)
        if zone is None:
            return f"no zone selects it: label {key}={value} names no zone"
        if zone.namespaces is not None:
            return f"no zone selects it: label {key}={value}, but select.namespaces of zone {zone.name} does not match"
        return f"no zone selects it: label {key}={value}, but zone {zone.name} of kind {zone.kind} takes no labels"
    return "no zone selects it"


def _node(matrix: ZoneMatrix, node: Node) -> Membership:
    claims = [
        _Claim(zone.name, f"select.nodes of zone {zone.name}")
        for zone in matrix.zones
        if zone.nodes is not None and zone.nodes.matches(node.labels)
    ]
    claims = claims or _node_labelled(matrix, node) or _node_addressed(matrix, node)
    stray = stray_labels(matrix, matrix.settings.node_labels, node.labels)
    if not claims and not stray and matrix.settings.cluster_mode == "single-zone":
        claims = [_Claim(matrix.settings.cluster_zone, "single-zone cluster")]
    reason = f"no zone selects it: label {stray[0]} names no zone" if stray else "no zone selects it"
    return _settle(matrix, claims) or Membership(zone=UNZONED, claims=(), reason=reason)


def _node_labelled(matrix: ZoneMatrix, node: Node) -> list[_Claim]:
    present = [(key, node.labels[key]) for key in matrix.settings.node_labels if key in node.labels]
    return [
        _Claim(value, f"label {key}={value}")
        for key, value in present
        if (zone := matrix.zone(value)) and zone.kind in ("cluster", "platform") and zone.nodes is None
    ]


def _node_addressed(matrix: ZoneMatrix, node: Node) -> list[_Claim]:
    return [
        _Claim(zone.name, f"address within cidrs of zone {zone.name}")
        for zone in matrix.zones
        if any(number in zone.cidrs for number in node.addresses)
    ]


def _settle(matrix: ZoneMatrix, claims: list[_Claim]) -> Membership | None:
    claimed = {claim.zone for claim in claims}
    names = tuple(zone.name for zone in matrix.zones if zone.name in claimed)
    match names:
        case ():
            return None
        case (name,):
            return Membership(zone=name, claims=names, reason=next(c.reason for c in claims if c.zone == name))
    reasons = {claim.reason: None for claim in claims}
    return Membership(zone=UNZONED, claims=names, reason="several zones claim it: " + ", ".join(reasons))


def _addresses(matrix: ZoneMatrix) -> tuple[tuple[str, AddressSet], ...]:
    rest = EVERYWHERE - AddressSet.union_of(zone.cidrs for zone in matrix.zones)
    owned = [(zone.name, rest if zone.kind == "internet" else zone.cidrs) for zone in matrix.zones]
    if all(zone.kind != "internet" for zone in matrix.zones):
        owned.append((UNZONED, rest))
    return tuple((name, addresses) for name, addresses in owned if addresses)
