"""What the policies of zones make of routers: whom they let in besides the router of the zone.

Policies are read as the API text says. What the cells of the matrix report already is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from audit.controls.inbound import CONTROLLER, Gate, Inbound
from audit.controls.scene import Scene, ref
from audit.exposure.publications import decoded, text
from audit.exposure.routers import OPERATOR_NAMESPACE, ROUTER_NAMESPACE, SHARD_LABEL
from audit.model import NAME_LABEL, Namespace, ObjectRef
from audit.policy import networkpolicy
from audit.policy.clause import Block, Clause, PolicyText, SelectedPods
from audit.profile import HOST_NAMESPACE
from audit.traffic import ALL, AddressSet
from audit.zones import is_platform

_INGRESS_LABELS = {"policy-group.network.openshift.io/ingress": "", "network.openshift.io/policy-group": "ingress"}
"""Of the namespace that stands for the host network, while `default` is published there."""
_HOST_LABELS = {NAME_LABEL: HOST_NAMESPACE, "policy-group.network.openshift.io/host-network": ""}


class Rule(NamedTuple):
    """One rule of a policy of a zone."""

    zone: str
    policy: ObjectRef
    clause: Clause


def _rules(scene: Scene) -> Iterator[Rule]:
    """The ingress rules of every policy in a namespace of a zone; equal specs are read once."""
    names = {zone.name for zone in scene.zones}
    texts: dict[bytes, PolicyText] = {}
    for entry in scene.inventory.policies:
        if (zone := scene.zone_of(entry.namespace)) in names:
            spec = bytes(entry.body.spec)
            if spec not in texts:
                texts[spec] = networkpolicy.lower(spec)
            policy = ref(entry)
            for clause in texts[spec].clauses:
                if clause.direction == "ingress" and not clause.unknown:
                    yield Rule(zone, policy, clause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """Routers that a zone lets in although they do not serve it."""

    zone: str
    own: tuple[Gate, ...]
    """The routers of the zone."""
    gates: tuple[Gate, ...]
    peer: str
    policies: tuple[ObjectRef, ...]


def strangers(scene: Scene, found: Inbound) -> Iterator[Strangers]:
    """By zone, peer and routers; of zones that have a router of their own."""
    own = {zone.name: tuple(one for one in found.gates if one.zone == zone.name) for zone in scene.zones}
    doors = _Doors(scene, found)
    groups: dict[tuple[str, str, tuple[int, ...]], dict[ObjectRef, None]] = {}
    for rule in _rules(scene):
        for peer in rule.clause.peers if own[rule.zone] else ():
            if isinstance(peer, SelectedPods) and (peer.namespaces.requirements or peer.pods.requirements):
                numbers = tuple(one for one in doors.of(peer) if doors.strange(one, rule))
                if numbers:
                    groups.setdefault((rule.zone, str(peer), numbers), {})[rule.policy] = None
    for (zone, words, numbers), policies in sorted(groups.items()):
        gates = tuple(found.gates[number] for number in numbers)
        yield Strangers(zone=zone, own=own[zone], gates=gates, peer=words, policies=tuple(policies))


class _Seen(NamedTuple):
    """A pod of a router, as a peer sees it."""

    namespace: str
    labels: Mapping[str, str]


def _seen(scene: Scene, gate: Gate, published: frozenset[str]) -> list[_Seen]:
    """The pods of a router on the pod network; of an IngressController without any, those that it would have."""
    pods = [scene.inventory.endpoints[index] for index in gate.router.pods]
    if not pods and gate.ref.kind == "IngressController" and gate.ref.name not in published:
        return [_Seen(ROUTER_NAMESPACE, {SHARD_LABEL: gate.ref.name})]
    return [_Seen(pod.namespace, pod.labels) for pod in pods if not pod.host_network]


class _Doors:
    """The pods of routers, as policies see them."""

    def __init__(self, scene: Scene, found: Inbound) -> None:
        self._scene = scene
        self._found = found
        published = _on_hosts(scene)
        self._pods = [_seen(scene, gate, published) for gate in found.gates]
        self._known: dict[SelectedPods, tuple[int, ...]] = {}

    def of(self, peer: SelectedPods) -> tuple[int, ...]:
        """The routers with a pod that a peer selects."""
        if peer not in self._known:
            self._known[peer] = tuple(
                number for number, pods in enumerate(self._pods) if any(self._selects(peer, pod) for pod in pods)
            )
        return self._known[peer]

    def _selects(self, peer: SelectedPods, pod: _Seen) -> bool:
        namespace = self._scene.inventory.namespaces.get(pod.namespace)
        return namespace is not None and _picks(peer, namespace, pod.labels)

    def strange(self, number: int, rule: Rule) -> bool:
        """Whether a router does not serve the zone of a rule, and no cell of the matrix says so already."""
        gate = self._found.gates[number]
        if rule.zone in gate.admitted.certain or rule.zone in gate.admitted.possible or gate.zone == rule.zone:
            return False
        counted = self._counted(gate, self._pods[number])
        allowed = self._scene.matrix.expect(counted, rule.zone).allowed
        ports = rule.clause.ports
        return counted != gate.zone and ports.traffic <= allowed and (not ports.named or allowed == ALL)

    def _counted(self, gate: Gate, pods: Iterable[_Seen]) -> str:
        """The zone that its pods count as in the cells of the matrix."""
        home = next((pod.namespace for pod in pods), gate.ref.namespace)
        platform = self._scene.kind_of(home) == "platform" or is_platform(home)
        return gate.declared[0] if platform and len(gate.declared) == 1 else self._scene.zone_of(home)


def _picks(peer: SelectedPods, namespace: Namespace, labels: Mapping[str, str]) -> bool:
    """Whether a peer certainly selects a pod."""
    known = namespace.known or peer.namespaces.keys <= {NAME_LABEL}
    return known and peer.namespaces.matches(namespace.labels) and peer.pods.matches(labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRouter:
    """A router of a zone on the host network, and what lets it in."""

    gate: Gate
    peers: tuple[str, ...]
    """Peers of policies of the zone that let in the host network of nodes, sorted."""
    policies: int


def host_routers(scene: Scene, found: Inbound) -> tuple[HostRouter, ...]:
    """Every router of a zone that is on the host network; one that no policy has to tell apart has no peers."""
    published = _on_hosts(scene)
    hosts = [gate for gate in found.of_zones() if _is_host(scene, gate, published)]
    zones = {gate.zone for gate in hosts}
    peers: dict[str, dict[SelectedPods | Block, int]] = {}
    for rule in _rules(scene) if hosts else ():
        for peer in rule.clause.peers if rule.zone in zones else ():
            if isinstance(peer, SelectedPods | Block):
                counts = peers.setdefault(rule.zone, {})
                counts[peer] = counts.get(peer, 0) + 1
    return tuple(_judged(scene, gate, published, peers.get(gate.zone, {})) for gate in hosts)


def _judged(
    scene: Scene, gate: Gate, published: frozenset[str], peers: Mapping[SelectedPods | Block, int]
) -> HostRouter:
    spaces = tuple(_standing_for_hosts(scene, gate, published))
    own, others = _addresses(scene, gate)
    admitting = {
        peer: count
        for peer, count in peers.items()
        if (
            bool(peer.addresses & own) and bool(peer.addresses & others)
            if isinstance(peer, Block)
            else _wide(peer) and any(_picks(peer, one, {}) for one in spaces)
        )
    }
    return HostRouter(gate=gate, peers=tuple(sorted(map(str, admitting))), policies=sum(admitting.values()))


def _wide(peer: SelectedPods) -> bool:
    """Whether it does not select everything, which the cells of the matrix report, and no single pods."""
    return bool(peer.namespaces.requirements) and not peer.pods.requirements


def _on_hosts(scene: Scene) -> frozenset[str]:
    """IngressControllers that are published on the host network."""
    path = ("endpointPublishingStrategy", "type")
    return frozenset(
        entry.name
        for entry in scene.of(CONTROLLER)
        if entry.namespace == OPERATOR_NAMESPACE
        and (text(decoded(entry.body.status), *path) or text(decoded(entry.body.spec), *path)) == "HostNetwork"
    )


def _is_host(scene: Scene, gate: Gate, published: frozenset[str]) -> bool:
    by_name = gate.ref.kind == "IngressController" and gate.ref.name in published
    return by_name or any(scene.inventory.endpoints[index].host_network for index in gate.router.pods)


def _standing_for_hosts(scene: Scene, gate: Gate, published: frozenset[str]) -> Iterator[Namespace]:
    """Namespaces that stand for the host network; where the plug-in has none, the one in which the router runs."""
    known = scene.inventory.namespaces
    homes = [scene.inventory.endpoints[index].namespace for index in gate.router.pods[:1]] or [ROUTER_NAMESPACE]
    for name in scene.inventory.profile.host_namespaces or homes:
        if name in known and known[name].known:
            yield known[name]
        elif name == HOST_NAMESPACE:
            labels = _HOST_LABELS | (_INGRESS_LABELS if "default" in published else {})
            yield Namespace(name=name, labels=labels, annotations={}, known=True)


def _addresses(scene: Scene, gate: Gate) -> tuple[AddressSet, AddressSet]:
    """Of the nodes that the router runs on, and of all others."""
    here = {scene.inventory.endpoints[index].node for index in gate.router.pods}
    parts: tuple[list[AddressSet], list[AddressSet]] = ([], [])
    for name, node in scene.inventory.nodes.items():
        parts[name not in here].extend(AddressSet(((number, number),)) for number in node.addresses)
    return AddressSet.union_of(parts[0]), AddressSet.union_of(parts[1])
