"""What says that a node belongs to a zone: label keys that nodes may write themselves, addresses that say otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from audit.controls.api_server import plugin_enabled
from audit.controls.node_isolation import Isolation
from audit.controls.placement import ANY, Placement
from audit.model import Zone
from audit.selectors import Requirement
from audit.workloads import NodeRequirement, NodeSelector, NodeTerm

Asked = tuple[Requirement, ...]
"""What a node has to meet, joined by and."""
RESTRICTED = "node-restriction.kubernetes.io"
_OWNED = ("kubernetes.io", "k8s.io")
_KUBELETS_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELETS = frozenset({
    "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os",
    "beta.kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
})  # fmt: skip
"""Labels of Kubernetes' own domains that a kubelet may write (k8s.io/kubelet `well_known_labels`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writable:
    """A label that makes nodes members of zones and that nodes may write."""

    key: str
    zones: tuple[Zone, ...]
    nodes: tuple[str, ...]
    """Of the first of these zones."""
    reason: str
    doubt: str = ""
    """Why nobody can tell; empty where it is certain."""


def writable_keys(ground: Isolation) -> Iterator[Writable]:
    """By key, sorted; what zones and project node selectors ask of nodes, unless safe keys beside it are enough."""
    used: dict[str, list[Zone]] = {}
    for zone in ground.zones:
        for asked in sorted(_asked(ground, zone)):
            guarded = tuple(one for one in asked if _refused(ground, one.key))
            if not _tells(ground, zone, guarded):
                for key in dict.fromkeys(one.key for one in asked if one not in guarded):
                    used.setdefault(key, []).append(zone)
    for key, zones in sorted(used.items()):
        unsure = is_protected(key) and _restricted(ground) is None
        yield Writable(
            key=key,
            zones=tuple(dict.fromkeys(zones)),
            nodes=ground.index.named(ground.bits[zones[0].name]),
            reason=_reason(key),
            doubt="the input does not show whether the API server has NodeRestriction on" if unsure else "",
        )


def _tells(ground: Isolation, zone: Zone, guarded: Asked) -> bool:
    """Whether labels that no kubelet writes keep all other nodes out by themselves; that of a role rarely does."""
    asked = NodeTerm(tuple(NodeRequirement(one.key, one.operator, one.values) for one in guarded))
    met = ground.index.reach(Placement(affinity=NodeSelector((asked,)), tolerations=ANY))
    return bool(guarded) and not met & ~ground.bits[zone.name]


def _asked(ground: Isolation, zone: Zone) -> set[Asked]:
    """Sets of requirements each of which suffices to pass for a node of the zone."""
    found: set[Asked] = set()
    if zone.nodes is not None:
        found.add(zone.nodes.requirements)
    else:
        nodes = ground.scene.inventory.nodes.values()
        own = [node for node in nodes if ground.scene.node_zone(node.name) == zone.name]
        for key in ground.scene.matrix.settings.node_labels:
            found |= {(Requirement(key, "In", (zone.name,)),) for node in own if node.labels.get(key) == zone.name}
    selectors = {ground.admitted[namespace.name].possible.selector for namespace in ground.scene.members(zone.name)}
    found |= {tuple(Requirement(key, "In", (value,)) for key, value in selector) for selector in selectors}
    return found - {()}


def _restricted(ground: Isolation) -> bool | None:
    """Whether the API server keeps kubelets from writing labels; OpenShift 3 is older than that."""
    if ground.platform.openshift:
        return ground.scene.inventory.profile.product != "openshift-3"
    return plugin_enabled(ground.scene, "NodeRestriction")


def _refused(ground: Isolation, key: str) -> bool:
    """Whether the API server certainly refuses a kubelet that writes the label."""
    return is_protected(key) and _restricted(ground) is True


def is_protected(key: str) -> bool:
    """Whether NodeRestriction keeps kubelets from writing a label."""
    domain = key.rpartition("/")[0]
    if _within(domain, (RESTRICTED,)):
        return True
    return _within(domain, _OWNED) and key not in _KUBELETS and not _within(domain, _KUBELETS_DOMAINS)


def _within(domain: str, roots: tuple[str, ...]) -> bool:
    return domain.endswith(tuple(f".{root}" for root in roots)) or domain in roots


def _reason(key: str) -> str:
    if not is_protected(key):
        return f"its key does not begin with {RESTRICTED}/"
    return "the API server runs without NodeRestriction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Astray:
    """Nodes of one zone with addresses of another."""

    zone: Zone
    other: str
    nodes: tuple[str, ...]


def astray(ground: Isolation) -> Iterator[Astray]:
    """By zone and other zone, in the order of the matrix."""
    nodes = ground.scene.inventory.nodes
    for zone in ground.zones:
        own = ground.index.named(ground.bits[zone.name])
        for other in ground.scene.matrix.zones:
            there = [name for name in own if any(number in other.cidrs for number in nodes[name].addresses)]
            if there and other.name != zone.name:
                yield Astray(zone=zone, other=other.name, nodes=tuple(there))


def unaddressed(ground: Isolation) -> tuple[str, ...]:
    """Nodes of the zones without an internal address, where some zone has addresses to compare with; sorted."""
    if not any(zone.cidrs for zone in ground.scene.matrix.zones):
        return ()
    return tuple(
        name
        for zone in ground.zones
        for name in ground.index.named(ground.bits[zone.name])
        if not ground.scene.inventory.nodes[name].addresses
    )
