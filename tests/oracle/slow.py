"""A second evaluator that decides one connection at a time, straight from the API text, over parsed manifests.

It is slow on purpose: no classes, no bitmaps, no interval algebra. It shares no code with the package it judges.

Source: kubernetes/api networking/v1/types.go (field comments), kubernetes pkg/apis/networking/v1/defaults.go.
"""

from __future__ import annotations

import functools
import ipaddress
import itertools
from collections.abc import Iterable, Iterator

from tests.oracle.admin import ALLOW, DENY, NEXT, Tiers, node_addresses
from tests.oracle.terms import (
    BLOCK_FIELDS,
    MAYBE,
    NO,
    YES,
    Address,
    Endpoint,
    Flow,
    Json,
    Network,
    Outside,
    Pod,
    block_matches,
    edges_of,
    namespace_matches,
    network,
    selector_matches,
    whole,
)

VERDICTS = ("denied", "unknown", "allowed")
PROTOCOLS = ("TCP", "UDP", "SCTP")
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
    ("security.istio.io", "AuthorizationPolicy"): "namespace",
    ("crd.antrea.io", "NetworkPolicy"): "namespace",
    ("crd.antrea.io", "ClusterNetworkPolicy"): "nodes",
}
"""Policy kinds whose semantics this evaluator does not have, and what one object may select.

The pods of its namespace, or those of the cluster and the nodes (host firewalls, host endpoints).
"""

RESTRICTING = ("security.istio.io", "AuthorizationPolicy")
"""Decided in a proxy behind the pod network: it never lets through what a NetworkPolicy keeps out."""

SPEC_FIELDS = {"podSelector", "policyTypes", "ingress", "egress"}
PORT_FIELDS = {"protocol", "port", "endPort"}
PORT_NUMBERS = {"port", "endPort", "containerPort", "start", "end", "number"}
PEER_FIELDS = {"podSelector", "namespaceSelector", "ipBlock"}


class Cluster:
    """The question-answering machine for one list of parsed objects."""

    def __init__(self, objects: Iterable[Json]) -> None:
        self.objects = list(objects)
        self.namespaces = {o["metadata"]["name"]: o for o in self.objects if o["kind"] == "Namespace"}
        self.nodes = {o["metadata"]["name"]: o for o in self.objects if o["kind"] == "Node"}
        self.policies = [o for o in self.objects if is_network_policy(o)]
        self.tiers = Tiers(self.objects, self.namespaces, self.nodes)
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
            inside = scope == "nodes" or (scope == "namespace" and namespace_of(o) == endpoint.namespace)
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
        return min(self._by_tiers(direction, subject, flow), MAYBE if other else YES)

    def _by_tiers(self, direction: str, subject: Endpoint, flow: Flow) -> int:
        """What the tiers decide one after the other; what none of them decides is allowed."""
        answers = self.tiers.answers("Admin", direction, flow)
        if NEXT in answers:
            answers = answers - {NEXT} | self._by_network_policies(direction, subject, flow)
        if NEXT in answers:
            answers = answers - {NEXT} | self.tiers.answers("Baseline", direction, flow)
        truths = {NO if answer == DENY else YES for answer in answers}
        return truths.pop() if len(truths) == 1 else MAYBE

    def _by_network_policies(self, direction: str, subject: Endpoint, flow: Flow) -> set[str]:
        """Every answer that this tier may give; it says nothing about a pod that it does not isolate."""
        if isinstance(subject, Outside) or subject.host_network:
            return {NEXT}
        certain, doubtful = self._selecting(subject)
        # A policy that may or may not select the pod: try every combination.
        return {
            answer
            for count in range(len(doubtful) + 1)
            for chosen in itertools.combinations(doubtful, count)
            for answer in self._together(direction, flow, certain + list(chosen))
        }

    def _together(self, direction: str, flow: Flow, policies: list[Json]) -> set[str]:
        """Every answer of these policies, all of which select the pod."""
        clear = [policy for policy in policies if not set(spec_of(policy)) - SPEC_FIELDS]
        isolating = [policy for policy in clear if direction in policy_types(spec_of(policy))]
        granted = max(
            (
                self._rule(direction, rule or {}, namespace_of(policy), flow)
                for policy in isolating
                for rule in spec_of(policy).get(direction) or []
            ),
            default=NO,
        )
        # A field without semantics may isolate the pod and may let anything through; policies only ever add up, so it
        # takes away nothing that another one grants.
        open_to_doubt = clear != policies
        if not isolating:
            return {NEXT, ALLOW, DENY} if open_to_doubt else {NEXT}
        if granted == YES:
            return {ALLOW}
        return {ALLOW, DENY} if open_to_doubt or granted == MAYBE else {DENY}

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
        if address is None and whole(plain_blocks(peers)):
            peer_truth = YES  # each block may miss the address, all of them together cannot
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
        return min(pods, namespace_matches(self.namespaces, peer["namespaceSelector"], other.namespace))


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


def plain_blocks(peers: list[Json]) -> list[tuple[Network, list[Network]]]:
    """The address blocks, with their exceptions, of peers that are nothing else."""
    found = [{name: value for name, value in (peer or {}).items() if value is not None} for peer in peers]
    only = [peer["ipBlock"] for peer in found if set(peer) == {"ipBlock"} and not set(peer["ipBlock"]) - BLOCK_FIELDS]
    return [(network(b["cidr"]), [network(text) for text in b.get("except") or []]) for b in only]


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
    """Named ports of what runs as long as the pod: containers, native sidecars, a virtual machine's interfaces."""
    devices = (spec.get("domain") or {}).get("devices") or {}
    for interface in devices.get("interfaces") or []:
        for port in interface.get("ports") or []:
            if port.get("name"):
                yield port["name"], port.get("protocol") or "TCP", port["port"]
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
    """Every port number inside a value, the ends of ranges among them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in PORT_NUMBERS and isinstance(inner, int):
                yield inner
            else:
                yield from port_numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from port_numbers(inner)


def blocks(value: Json) -> Iterator[Network]:
    """Every CIDR that a policy inside a value names, exceptions among them, and every address of a node."""
    if isinstance(value, dict):
        block = value.get("ipBlock")
        if block:
            yield from (network(text) for text in [block["cidr"], *(block.get("except") or [])])
        if isinstance(value.get("networks"), list):
            yield from map(network, value["networks"])
        if value.get("kind") == "Node":
            yield from (network(str(address)) for address in sorted(node_addresses(value), key=str))
        for inner in value.values():
            yield from blocks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from blocks(inner)


def probe_addresses(objects: Iterable[Json]) -> list[Address]:
    """Addresses at which some verdict may change: the ends of each block and family, and their neighbours."""
    named = {n for o in objects for n in blocks(o)} | {network("0.0.0.0/0"), network("::/0")}
    found = {address for block in named for address in edges_of(block)}
    return sorted(found, key=lambda address: (address.version, int(address)))
