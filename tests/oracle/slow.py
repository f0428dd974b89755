"""A second evaluator that decides one connection at a time, straight from the API text, over parsed manifests.

It is slow on purpose: no classes, no bitmaps, no interval algebra. It shares no code with the package it judges.

Truth has three values, ordered NO < MAYBE < YES, so that `min` is "and", `max` is "or" (Kleene's logic). MAYBE stands
for every gap in the input that could decide.

Source: kubernetes/api networking/v1/types.go (field comments), kubernetes pkg/apis/networking/v1/defaults.go.
"""

from __future__ import annotations

import functools
import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Any
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NO, MAYBE, YES = 0, 1, 2
VERDICTS = ("denied", "unknown", "allowed")
PROTOCOLS = ("TCP", "UDP", "SCTP")
NAME_LABEL = "kubernetes.io/metadata.name"
TEMPLATES = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "DeploymentConfig",
    "Job",
    "VirtualMachine",
)

UNMODELLED = {
    ("cilium.io", "CiliumNetworkPolicy"): "namespace",
    ("cilium.io", "CiliumClusterwideNetworkPolicy"): "nodes",
    ("projectcalico.org", "NetworkPolicy"): "namespace",
    ("projectcalico.org", "GlobalNetworkPolicy"): "nodes",
    ("crd.projectcalico.org", "NetworkPolicy"): "namespace",
    ("crd.projectcalico.org", "GlobalNetworkPolicy"): "nodes",
    ("policy.networking.k8s.io", "AdminNetworkPolicy"): "cluster",
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"): "cluster",
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"): "cluster",
    ("security.istio.io", "AuthorizationPolicy"): "namespace",
    ("crd.antrea.io", "NetworkPolicy"): "namespace",
    ("crd.antrea.io", "ClusterNetworkPolicy"): "nodes",
}
"""Policy kinds whose semantics this evaluator does not have, and what one object may select.

The pods of its namespace, those of the cluster, or those and the nodes (host firewalls, host endpoints).
"""

RESTRICTING = ("security.istio.io", "AuthorizationPolicy")
"""Decided in a proxy behind the pod network: it never lets through what a NetworkPolicy keeps out."""

SPEC_FIELDS = {"podSelector", "policyTypes", "ingress", "egress"}
PORT_FIELDS = {"protocol", "port", "endPort"}
PEER_FIELDS = {"podSelector", "namespaceSelector", "ipBlock"}
BLOCK_FIELDS = {"cidr", "except"}
SELECTOR_FIELDS = {"matchLabels", "matchExpressions"}
EXPRESSION_FIELDS = {"key", "operator", "values"}


@dataclass(frozen=True, eq=False)
class Pod:
    """A pod, or the pods that a template would make."""

    id: str
    namespace: str
    labels: Mapping[str, str]
    addresses: tuple[Address | None, ...]
    """What a peer sees; `(None,)` when unknown. A host-network pod has its node's."""
    host_network: bool
    node: str | None
    ports: tuple[tuple[str, str, int], ...]
    """Name, protocol, number of every named container port that a running pod can hold."""


@dataclass(frozen=True)
class Outside:
    """One address that belongs to no pod."""

    address: Address


Endpoint = Pod | Outside


@dataclass(frozen=True)
class Flow:
    """One connection between one address of each side."""

    source: Endpoint
    source_address: Address | None
    target: Endpoint
    target_address: Address | None
    protocol: str
    port: int


class Cluster:
    """The question-answering machine for one list of parsed objects."""

    def __init__(self, objects: Iterable[Json]) -> None:
        self.objects = list(objects)
        self.namespaces = {o["metadata"]["name"]: o for o in self.objects if o["kind"] == "Namespace"}
        self.nodes = {o["metadata"]["name"]: o for o in self.objects if o["kind"] == "Node"}
        self.policies = [o for o in self.objects if is_network_policy(o)]
        self.pods = {pod.id: pod for pod in self._pods()}
        self._selecting = functools.cache(self._uncached_selecting)
        self._peers: dict[tuple[int, Endpoint, Address | None], int] = {}

    # Endpoints ---------------------------------------------------------------------------------------------------

    def _pods(self) -> Iterator[Pod]:
        owners: set[tuple[str, str, str]] = set()
        for o in self.objects:
            for owner in o["metadata"].get("ownerReferences") or []:
                owners.add((namespace_of(o), owner["kind"], owner["name"]))
        for o in self.objects:
            phase = (o.get("status") or {}).get("phase")
            if o["kind"] == "Pod" and phase not in ("Succeeded", "Failed"):
                yield self._pod("Pod", o, o["metadata"], o.get("spec") or {}, o.get("status") or {})
            template = pod_template(o)
            # A workload whose pods (or whose replica sets) are in the input is represented by those.
            if template is not None and (namespace_of(o), o["kind"], o["metadata"]["name"]) not in owners:
                yield self._pod(o["kind"], o, template.get("metadata") or {}, template.get("spec") or {}, {})

    def _pod(self, kind: str, o: Json, metadata: Json, spec: Json, status: Json) -> Pod:
        host_network = bool(spec.get("hostNetwork"))
        node = spec.get("nodeName")
        texts = self._node_addresses(node, status) if host_network else pod_addresses(status)
        return Pod(
            id=f"{namespace_of(o)}/{kind}/{o['metadata']['name']}",
            namespace=namespace_of(o),
            labels=metadata.get("labels") or {},
            addresses=tuple(ipaddress.ip_address(text) for text in texts) or (None,),
            host_network=host_network,
            node=node,
            ports=tuple(named_ports(spec)),
        )

    def _node_addresses(self, node: str | None, status: Json) -> list[str]:
        known = [status["hostIP"]] if status.get("hostIP") else []
        entries = ((self.nodes.get(node or "") or {}).get("status") or {}).get("addresses") or []
        return unique(known + [entry["address"] for entry in entries if entry["type"] == "InternalIP"])

    # The question ------------------------------------------------------------------------------------------------

    def decide(self, source: Endpoint, target: Endpoint, protocol: str, port: int) -> str:
        """`allowed`, `denied` or `unknown` for one connection."""
        return VERDICTS[self._decide(source, target, protocol, port)]

    def _decide(self, source: Endpoint, target: Endpoint, protocol: str, port: int) -> int:
        by_policy = max(
            min(self._side("egress", flow), self._side("ingress", flow))
            for flow in flows(source, target, protocol, port)
        )
        return max(by_policy, from_own_node(source, target))

    def other_policies(self, endpoint: Endpoint) -> set[tuple[str, str]]:
        """Group and kind of the policies without semantics here that may select the endpoint."""
        if isinstance(endpoint, Outside):
            return set()
        found = set()
        for o in self.objects:
            scope = UNMODELLED.get((group_of(o), o["kind"]))
            inside = scope in ("cluster", "nodes") or (scope == "namespace" and namespace_of(o) == endpoint.namespace)
            if inside and (scope == "nodes" or not endpoint.host_network):
                found.add((group_of(o), o["kind"]))
        return found

    # One side ----------------------------------------------------------------------------------------------------

    def _uncached_selecting(self, subject: Pod) -> tuple[list[Json], list[Json]]:
        """The policies that certainly select the pod, and those that may."""
        truths = [(policy, selects(policy, subject)) for policy in self.policies]
        return [p for p, truth in truths if truth == YES], [p for p, truth in truths if truth == MAYBE]

    def _side(self, direction: str, flow: Flow) -> int:
        """Whether the pod on that side lets the connection through; an outside address always does."""
        subject = flow.source if direction == "egress" else flow.target
        other = self.other_policies(subject)
        if other - {RESTRICTING}:
            return MAYBE  # it may deny what the others allow, and override what they deny
        return min(self._by_network_policies(direction, subject, flow), MAYBE if other else YES)

    def _by_network_policies(self, direction: str, subject: Endpoint, flow: Flow) -> int:
        if isinstance(subject, Outside) or subject.host_network:
            return YES
        certain, doubtful = self._selecting(subject)
        # A policy that may or may not select the pod: try every combination; only what all agree on is certain.
        worlds = [
            self._isolated_side(direction, flow, certain + list(chosen))
            for count in range(len(doubtful) + 1)
            for chosen in itertools.combinations(doubtful, count)
        ]
        return worlds[0] if len(set(worlds)) == 1 else MAYBE

    def _isolated_side(self, direction: str, flow: Flow, policies: list[Json]) -> int:
        """What these policies, all of which select the pod, decide together."""
        clear = [policy for policy in policies if not set(spec_of(policy)) - SPEC_FIELDS]
        isolating = [policy for policy in clear if direction in policy_types(spec_of(policy))]
        truths = [
            self._rule(direction, rule or {}, namespace_of(policy), flow)
            for policy in isolating
            for rule in spec_of(policy).get(direction) or []
        ]
        granted = max(truths, default=NO)
        if clear != policies:
            # A field without semantics may isolate the pod and may let anything through; policies only ever add up,
            # so it takes away nothing that another one grants.
            return YES if granted == YES else MAYBE
        return granted if isolating else YES

    def _rule(self, direction: str, rule: Json, namespace: str, flow: Flow) -> int:
        peers_field = "from" if direction == "ingress" else "to"
        if set(rule) - {peers_field, "ports"}:
            return MAYBE
        peers = rule.get(peers_field) or []
        ports = rule.get("ports") or []
        other, address = (
            (flow.source, flow.source_address) if direction == "ingress" else (flow.target, flow.target_address)
        )
        peer_truth = max((self._peer(peer or {}, namespace, other, address) for peer in peers), default=NO)
        port_truth = max((port_matches(port or {}, flow) for port in ports), default=NO)
        return min(peer_truth if peers else YES, port_truth if ports else YES)

    def _peer(self, peer: Json, namespace: str, other: Endpoint, address: Address | None) -> int:
        """Whether the other end is what one element of `from` or `to` names; remembered, as ports do not matter."""
        if not peer:
            return NO  # no field set: invalid, matches nothing
        key = (id(peer), other, address)
        if key not in self._peers:
            self._peers[key] = self._uncached_peer(peer, namespace, other, address)
        return self._peers[key]

    def _uncached_peer(self, peer: Json, namespace: str, other: Endpoint, address: Address | None) -> int:
        fields = {name for name, value in peer.items() if value is not None}
        if fields - PEER_FIELDS:
            return MAYBE
        if not fields:
            return NO  # no field set: invalid, matches nothing
        if "ipBlock" in fields:
            return block_matches(peer["ipBlock"], address)
        if isinstance(other, Outside) or other.host_network:
            # Selectors select pods of the pod network; a selector that cannot be read does not change that.
            return NO
        pods = selector_matches(peer.get("podSelector") or {}, other.labels)
        if "namespaceSelector" not in fields:
            return pods if other.namespace == namespace else NO
        return min(pods, self._namespace_matches(peer["namespaceSelector"], other.namespace))

    def _namespace_matches(self, selector: Json, name: str) -> int:
        if name in self.namespaces:
            labels = self.namespaces[name]["metadata"].get("labels") or {}
            return selector_matches(selector, {**labels, NAME_LABEL: name})  # the API server sets the name label
        if unknown_selector_field(selector):
            return MAYBE
        truth = YES
        for key, operator, values in requirements(selector):
            truth = min(truth, holds(operator, values, name) if key == NAME_LABEL else MAYBE)
        return truth


# Connections ---------------------------------------------------------------------------------------------------------


def flows(source: Endpoint, target: Endpoint, protocol: str, port: int) -> list[Flow]:
    """The address pairs over which the connection may run: of one family where there are such.

    Whether two ends without a common family can talk at all is no question of policy, so all pairs stand then.
    """
    pairs = list(itertools.product(addresses_of(source), addresses_of(target)))
    same = [(a, b) for a, b in pairs if a is None or b is None or a.version == b.version]
    return [Flow(source, a, target, b, protocol, port) for a, b in same or pairs]


def addresses_of(endpoint: Endpoint) -> tuple[Address | None, ...]:
    """What the other side sees."""
    return (endpoint.address,) if isinstance(endpoint, Outside) else endpoint.addresses


def from_own_node(source: Endpoint, target: Endpoint) -> int:
    """Traffic from the pod's local node is always allowed (API text of `spec.ingress`)."""
    if isinstance(source, Outside) or isinstance(target, Outside):
        return NO
    if not source.host_network or target.host_network:
        return NO
    if source.node is None or target.node is None:
        return MAYBE
    return YES if source.node == target.node else NO


# Policies ------------------------------------------------------------------------------------------------------------


def is_network_policy(o: Json) -> bool:
    """Whether the object is a NetworkPolicy of Kubernetes itself, current or legacy."""
    return o["kind"] == "NetworkPolicy" and group_of(o) in ("networking.k8s.io", "extensions")


def spec_of(policy: Json) -> Json:
    """The policy's spec without absent fields; a null is an absent field."""
    return {name: value for name, value in (policy.get("spec") or {}).items() if value is not None}


def policy_types(spec: Json) -> set[str]:
    """Directions in which the policy isolates, with the API server's default."""
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return {name.lower() for name in types}


def selects(policy: Json, pod: Pod) -> int:
    """Whether the policy selects the pod."""
    if namespace_of(policy) != pod.namespace:
        return NO
    return selector_matches(spec_of(policy).get("podSelector") or {}, pod.labels)


def port_matches(entry: Json, flow: Flow) -> int:
    """Whether one element of `ports` covers the connection's destination port."""
    fields = {name: value for name, value in entry.items() if value is not None}
    if set(fields) - PORT_FIELDS:
        return MAYBE
    protocol = fields.get("protocol") or "TCP"
    if protocol != flow.protocol:
        return NO
    port = fields.get("port")
    if port is None:
        return YES
    if isinstance(port, str):
        declared = () if isinstance(flow.target, Outside) else flow.target.ports
        return YES if (port, protocol, flow.port) in declared else NO
    return YES if port <= flow.port <= fields.get("endPort", port) else NO


def block_matches(block: Json, address: Address | None) -> int:
    """Whether an address is in the block: in `cidr` and in no `except`."""
    if set(block) - BLOCK_FIELDS:
        return MAYBE
    cidr = network(block["cidr"])
    excepts = [network(text) for text in block.get("except") or []]
    if address is None:
        return NO if covers(excepts, cidr) else MAYBE
    return YES if address in cidr and not any(address in e for e in excepts) else NO


def covers(parts: list[Network], whole: Network) -> bool:
    """Whether the parts together hold every address of the whole."""
    inside = [part for part in parts if part.version == whole.version]
    if whole in inside or any(whole.subnet_of(part) for part in inside):  # type: ignore[arg-type]
        return True
    if whole.prefixlen == whole.max_prefixlen or not any(part.subnet_of(whole) for part in inside):  # type: ignore[arg-type]
        return False
    return all(covers(parts, half) for half in whole.subnets())


def network(text: str) -> Network:
    """A CIDR block; host bits are masked, as Go's ParseCIDR does."""
    return ipaddress.ip_network(text, strict=False)


# Selectors -----------------------------------------------------------------------------------------------------------


def selector_matches(selector: Json, labels: Mapping[str, str]) -> int:
    """Whether an object with exactly these labels is selected."""
    if unknown_selector_field(selector):
        return MAYBE
    return min(
        (holds(operator, values, labels.get(key)) for key, operator, values in requirements(selector)), default=YES
    )


def unknown_selector_field(selector: Json) -> bool:
    """Whether the selector has a field without semantics."""
    return bool(set(selector) - SELECTOR_FIELDS) or any(
        set(e) - EXPRESSION_FIELDS for e in selector.get("matchExpressions") or []
    )


def requirements(selector: Json) -> Iterator[tuple[str, str, list[str]]]:
    """Key, operator and values of every condition."""
    for key, value in (selector.get("matchLabels") or {}).items():
        yield key, "In", [value]
    for expression in selector.get("matchExpressions") or []:
        yield expression["key"], expression["operator"], expression.get("values") or []


def holds(operator: str, values: list[str], value: str | None) -> int:
    """One condition on one label; `value` None means that the key is absent."""
    truth = {
        "In": value is not None and value in values,
        "NotIn": value is None or value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[operator]
    return YES if truth else NO


# Objects -------------------------------------------------------------------------------------------------------------


def group_of(o: Json) -> str:
    """The API group; empty for core."""
    group, slash, _ = str(o["apiVersion"]).partition("/")
    return group if slash else ""


def namespace_of(o: Json) -> str:
    """The namespace; kubectl puts an object without one into `default`."""
    return o["metadata"].get("namespace") or "default"


def pod_template(o: Json) -> Json | None:
    """The pod template of a workload, or None for any other object."""
    spec = o.get("spec") or {}
    if o["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    elif o["kind"] not in TEMPLATES:
        return None
    return spec.get("template") or {}


def pod_addresses(status: Json) -> list[str]:
    """Every address of a pod, in the order given, once."""
    listed = [entry["ip"] for entry in status.get("podIPs") or []]
    return unique(([status["podIP"]] if status.get("podIP") else []) + listed)


def named_ports(spec: Json) -> Iterator[tuple[str, str, int]]:
    """Named ports of the containers that run as long as the pod: regular ones and native sidecars."""
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    for container in (spec.get("containers") or []) + sidecars:
        for port in container.get("ports") or []:
            if port.get("name"):
                yield port["name"], port.get("protocol") or "TCP", port["containerPort"]


def unique(texts: Iterable[str]) -> list[str]:
    """The texts without repeats, first occurrence first."""
    return list(dict.fromkeys(texts))


# Probes --------------------------------------------------------------------------------------------------------------


def probe_ports(objects: Iterable[Json]) -> list[int]:
    """Ports at which some verdict may change: every port number that occurs, each one more and one less, the ends."""
    numbers = {1, 65535}
    for o in objects:
        numbers |= {n + step for n in port_numbers(o) for step in (-1, 0, 1)}
    return sorted(n for n in numbers if 1 <= n <= 65535)


def port_numbers(value: Json) -> Iterator[int]:
    """Every `port`, `endPort` and `containerPort` number inside a value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("port", "endPort", "containerPort") and isinstance(inner, int):
                yield inner
            else:
                yield from port_numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from port_numbers(inner)


def blocks(value: Json) -> Iterator[Network]:
    """Every CIDR that an `ipBlock` inside a value names, in `cidr` and in `except`."""
    if isinstance(value, dict):
        block = value.get("ipBlock")
        if block:
            yield from (network(text) for text in [block["cidr"], *(block.get("except") or [])])
        for inner in value.values():
            yield from blocks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from blocks(inner)


def probe_addresses(objects: Iterable[Json]) -> list[Address]:
    """Addresses at which some verdict may change: the ends of each block and family, and their neighbours."""
    found: set[Address] = set()
    for block in {n for o in objects for n in blocks(o)} | {network("0.0.0.0/0"), network("::/0")}:
        low, high = int(block.network_address), int(block.broadcast_address)
        for number in (low - 1, low, high, high + 1):
            if 0 <= number < 1 << block.max_prefixlen:
                found.add(type(block.network_address)(number))
    return sorted(found, key=lambda address: (address.version, int(address)))
