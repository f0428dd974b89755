"""What NetworkPolicy objects say about one connection, straight from the API text, as the plug-in reads it.

Source: kubernetes/api networking/v1/types.go (field comments), kubernetes pkg/apis/networking/v1/defaults.go;
docs/reachability.md section 1.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping

from tests.oracle.admin import ALLOW, DENY, NEXT
from tests.oracle.objects import Hosts, group_of, namespace_of, spec_of
from tests.oracle.plugins import Plugin
from tests.oracle.terms import (
    BLOCK_FIELDS,
    MAYBE,
    NAME_LABEL,
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
    namespace_matches,
    network,
    selector_matches,
    whole,
)

SPEC_FIELDS = {"podSelector", "policyTypes", "ingress", "egress"}
PORT_FIELDS = {"protocol", "port", "endPort"}
PEER_FIELDS = {"podSelector", "namespaceSelector", "ipBlock"}
HOST_NAMESPACE = "openshift-host-network"
HOST_LABELS = {
    NAME_LABEL: HOST_NAMESPACE,
    "policy-group.network.openshift.io/host-network": "",
    "policy-group.network.openshift.io/ingress": "",
    "network.openshift.io/policy-group": "ingress",
}
"""What the platform gives this namespace at most."""


def is_network_policy(o: Json) -> bool:
    """Whether the object is a NetworkPolicy of Kubernetes itself, current or legacy."""
    return o["kind"] == "NetworkPolicy" and group_of(o) in ("networking.k8s.io", "extensions")


class NetworkPolicies:
    """Some policies, and what their selectors look at."""

    def __init__(  # noqa: PLR0913 - what selectors look at
        self,
        policies: Iterable[Json],
        namespaces: Mapping[str, Json],
        plugin: Plugin,
        hosts: Hosts,
        *,
        members: frozenset[str] | None = None,
        node_spaces: Iterable[str] = (),
    ) -> None:
        """`members` are the ids of the pods that selectors can see, if not all.

        `node_spaces` are the namespaces that stand for nodes too in openshift-sdn.
        """
        self.policies = list(policies)
        self.namespaces = namespaces
        self.plugin = plugin
        self.hosts = hosts
        self.members = members
        self.node_spaces = tuple(node_spaces)
        self._selecting = functools.cache(self._uncached_selecting)
        self._peers: dict[tuple[int, str, Endpoint, Address | None], int] = {}

    def answers(self, direction: str, subject: Endpoint, flow: Flow) -> set[str]:
        """Every answer that the policies may give; they say nothing about a pod that they do not isolate."""
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

    def _uncached_selecting(self, subject: Pod) -> tuple[list[Json], list[Json]]:
        """The policies that certainly select the pod, and those that may."""
        truths = [(policy, selects(policy, subject)) for policy in self.policies]
        return [p for p, truth in truths if truth == YES], [p for p, truth in truths if truth == MAYBE]

    def _together(self, direction: str, flow: Flow, policies: list[Json]) -> set[str]:
        """Every answer of these policies, all of which select the pod."""
        clear = [policy for policy in policies if not set(spec_of(policy)) - SPEC_FIELDS]
        isolating = [policy for policy in clear if direction in policy_types(spec_of(policy))]
        granted = max((self._granted(direction, flow, policy) for policy in isolating), default=NO)
        if self.plugin.ovn and isolating:
            # Rules of a direction that `policyTypes` leaves out are carried out all the same.
            inert = [policy for policy in clear if policy not in isolating]
            granted = max(granted, min(MAYBE, max((self._granted(direction, flow, p) for p in inert), default=NO)))
        # A field without semantics may isolate the pod and may let anything through; policies only ever add up, so it
        # takes away nothing that another one grants.
        open_to_doubt = clear != policies
        if not isolating:
            return {NEXT, ALLOW, DENY} if open_to_doubt else {NEXT}
        if granted == YES:
            return {ALLOW}
        return {ALLOW, DENY} if open_to_doubt or granted == MAYBE else {DENY}

    def _granted(self, direction: str, flow: Flow, policy: Json) -> int:
        """Whether one rule of the policy lets the connection through."""
        spec = spec_of(policy)
        rules = [self._rule(direction, rule or {}, namespace_of(policy), flow) for rule in spec.get(direction) or []]
        return min(max(rules, default=NO), self.plugin.whole_policy(spec, policy_types(spec)))

    def _rule(self, direction: str, rule: Json, namespace: str, flow: Flow) -> int:
        peers_field = "from" if direction == "ingress" else "to"
        if set(rule) - {peers_field, "ports"}:
            return MAYBE
        peers = rule.get(peers_field) or []
        ports = rule.get("ports") or []
        other, address = (
            (flow.source, flow.source_address) if direction == "ingress" else (flow.target, flow.target_address)
        )
        peer_truth = max((self._peer(peer or {}, direction, namespace, other, address) for peer in peers), default=NO)
        if address is None and whole(self._certain_blocks(peers)):
            peer_truth = YES  # each block may miss the address, all of them together cannot
        port_truth = max((self._port(port or {}, flow) for port in ports), default=NO)
        return min(peer_truth if peers else YES, port_truth if ports else YES)

    # Peers -----------------------------------------------------------------------------------------------------------

    def _peer(self, peer: Json, direction: str, namespace: str, other: Endpoint, address: Address | None) -> int:
        """Whether the other end is what one element of `from` or `to` names; remembered, as ports do not matter."""
        if not peer:
            return NO  # no field set: invalid, matches nothing
        key = (id(peer), direction, other, address)
        if key not in self._peers:
            self._peers[key] = self._uncached_peer(peer, direction, namespace, other, address)
        return self._peers[key]

    def _uncached_peer(
        self, peer: Json, direction: str, namespace: str, other: Endpoint, address: Address | None
    ) -> int:
        fields = {name: value for name, value in peer.items() if value is not None}
        if set(fields) - PEER_FIELDS:
            return MAYBE
        if not fields:
            return NO  # no field set: invalid, matches nothing
        if "ipBlock" in fields:
            return self._block(fields["ipBlock"], other, address)
        if isinstance(other, Outside) or other.host_network:
            return self._host_peer(fields, direction, namespace, other, address)
        if self.members is not None and other.id not in self.members:
            return NO
        pods = selector_matches(fields.get("podSelector") or {}, other.labels)
        return min(pods, self._in_namespace(fields, namespace, other.namespace))

    def _in_namespace(self, fields: Json, own: str, name: str) -> int:
        """Whether the peer is about pods of the namespace."""
        if "namespaceSelector" not in fields:
            return YES if name == own else NO
        if name == HOST_NAMESPACE and name not in self.namespaces:
            return selector_matches(fields["namespaceSelector"], HOST_LABELS)
        return namespace_matches(self.namespaces, fields["namespaceSelector"], name)

    def _host_peer(self, fields: Json, direction: str, namespace: str, other: Endpoint, address: Address | None) -> int:
        """Whether selectors, which select pods of the pod network, name a host-network pod or an outside address."""
        host = YES if isinstance(other, Pod) else self.hosts.has(address)
        spaces_only = "podSelector" not in fields
        found = NO
        if self.plugin.ovn and not spaces_only:
            found = self._shares_an_address(fields, namespace, other, address)
        if self.plugin.ovn and spaces_only and direction == "ingress":
            found = max(found, min(host, self._in_namespace(fields, namespace, HOST_NAMESPACE)))
        if self.plugin.sdn:
            spaces = [self._in_namespace(fields, namespace, name) for name in self.node_spaces]
            found = max(found, min(host, max(spaces, default=NO)))
        if self.plugin.sdn and spaces_only and everything(fields["namespaceSelector"]):
            found = YES
        return min(found, MAYBE)

    def _shares_an_address(self, fields: Json, namespace: str, other: Endpoint, address: Address | None) -> int:
        """Whether the other end is a host-network pod that the peer selects, or has or may have an address of one."""
        for pod in self.hosts.pods:
            pods = selector_matches(fields["podSelector"], pod.labels)
            if not min(pods, self._in_namespace(fields, namespace, pod.namespace)):
                continue
            unknown = pod.addresses == (None,)
            if isinstance(other, Pod) and (unknown or other is pod or address in (None, *pod.addresses)):
                return MAYBE
            if isinstance(other, Outside) and (address in pod.addresses or (unknown and self.hosts.has(address))):
                return MAYBE
        return NO

    def _block(self, block: Json, other: Endpoint, address: Address | None) -> int:
        """Whether the other end is in a block; Cilium's blocks are not about pods and nodes."""
        truth = min(block_matches(block, address), self.plugin.block(block))
        inside = isinstance(other, Pod) or address in self.hosts.shown
        return min(truth, MAYBE) if inside and self.plugin.name == "cilium" else truth

    def _certain_blocks(self, peers: list[Json]) -> list[tuple[Network, list[Network]]]:
        """The blocks, with their exceptions, of peers that are nothing else and that are certain to be read."""
        if self.plugin.name == "cilium" or self.members is not None:
            return []
        found = [{name: value for name, value in (peer or {}).items() if value is not None} for peer in peers]
        only = [p["ipBlock"] for p in found if set(p) == {"ipBlock"} and not set(p["ipBlock"]) - BLOCK_FIELDS]
        sure = [block for block in only if self.plugin.block(block) == YES]
        return [(network(b["cidr"]), [network(text) for text in b.get("except") or []]) for b in sure]

    # Ports -----------------------------------------------------------------------------------------------------------

    def _port(self, entry: Json, flow: Flow) -> int:
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
            return self.plugin.named_port(names_it=(port, protocol, flow.port) in declared)
        return YES if port <= flow.port <= fields.get("endPort", port) else NO


def everything(selector: Json) -> bool:
    """Whether a selector has no condition."""
    return not any(selector.values())


def policy_types(spec: Json) -> set[str]:
    """Directions in which the policy isolates, with the API server's default."""
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return {name.lower() for name in types}


def selects(policy: Json, pod: Pod) -> int:
    """Whether the policy selects the pod."""
    if namespace_of(policy) != pod.namespace:
        return NO
    return selector_matches(spec_of(policy).get("podSelector") or {}, pod.labels)
