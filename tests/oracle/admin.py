"""The tiers above and below NetworkPolicy, one connection at a time, straight from the API text.

A tier answers Allow, Deny or NEXT (none of its rules matched, or one with Pass did). What cannot be told from the
input is tried both ways, each uncertain match on its own, so the answer is a set: every answer the tier may give.

Source: network-policy-api, field comments of apis/v1alpha1 (v0.1.0 and v0.1.7) and apis/v1alpha2 (v0.2.0).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.oracle.objects import Hosts, node_addresses
from tests.oracle.plugins import Plugin
from tests.oracle.terms import (
    MAYBE,
    NAME_LABEL,
    NO,
    SELECTOR_FIELDS,
    YES,
    Address,
    Endpoint,
    Flow,
    Json,
    Network,
    Outside,
    Pod,
    namespace_labels,
    namespace_matches,
    network,
    selector_matches,
    whole,
)

GROUP = "policy.networking.k8s.io"
KINDS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
ALLOW, DENY, NEXT = "Allow", "Deny", "next"
ANSWERS = {"Allow": ALLOW, "Accept": ALLOW, "Deny": DENY, "Pass": NEXT}
SPEC_FIELDS = {"priority", "tier", "subject", "ingress", "egress"}
PEERS = {
    "ingress": ("from", {"namespaces", "pods"}),
    "egress": ("to", {"namespaces", "pods", "nodes", "networks", "domainNames"}),
}
OLD_FIELDS = {"namespaceSelector", "sameLabels", "notSameLabels"}


@dataclass(frozen=True)
class Policy:
    """One object of these kinds."""

    kind: str
    tier: str
    priority: int | None
    """None where the kind has none: its place among others of the tier is open."""
    spec: Json
    ports: str
    """The field of a rule that names ports: `ports` in the first version, `protocols` in the second."""


def policies_of(objects: Iterable[Json]) -> list[Policy]:
    """The objects of these kinds."""
    return [as_policy(o) for o in objects if o["kind"] in KINDS and o["apiVersion"].partition("/")[0] == GROUP]


def as_policy(o: Json) -> Policy:
    """The object's spec without absent fields; a null is an absent field."""
    spec = {name: value for name, value in o["spec"].items() if value is not None}
    if o["kind"] == "ClusterNetworkPolicy":
        return Policy(o["kind"], spec["tier"], spec["priority"], spec, "protocols")
    if o["kind"] == "AdminNetworkPolicy":
        return Policy(o["kind"], "Admin", spec["priority"], spec, "ports")
    return Policy(o["kind"], "Baseline", None, spec, "ports")


class Tiers:
    """The objects of these kinds and what their selectors look at."""

    def __init__(
        self,
        objects: list[Json],
        namespaces: Mapping[str, Json],
        nodes: Mapping[str, Json],
        plugin: Plugin,
        hosts: Hosts,
    ) -> None:
        self.policies = policies_of(objects)
        self.namespaces = namespaces
        self.nodes = nodes
        self.plugin = plugin
        self.hosts = hosts

    def answers(self, tier: str, direction: str, flow: Flow) -> set[str]:
        """Every answer that the tier may give for one side of the connection."""
        subject = flow.source if direction == "egress" else flow.target
        if isinstance(subject, Outside) or subject.host_network:
            return {NEXT}
        concerned = [
            p
            for p in self.policies
            if p.tier == tier
            and (p.spec.get(direction) or set(p.spec) - SPEC_FIELDS)
            and self._selects(p, subject) > NO
        ]
        return set().union(*(self._first_match(list(order), direction, subject, flow) for order in orders(concerned)))

    def _first_match(self, policies: list[Policy], direction: str, subject: Pod, flow: Flow) -> set[str]:
        """Every answer of these policies, in this order."""
        if not policies:
            return {NEXT}
        policy, *rest = policies
        found = set()
        if self._selects(policy, subject) < YES:
            found |= self._first_match(rest, direction, subject, flow)
        if set(policy.spec) - SPEC_FIELDS:
            return found | {ALLOW, DENY, NEXT}
        for rule in policy.spec.get(direction) or []:
            truth, answer = self._rule(policy, rule, direction, subject, flow)
            if truth > NO:
                found.add(answer)
            if truth == YES:
                return found
        return found | self._first_match(rest, direction, subject, flow)

    def _selects(self, policy: Policy, subject: Pod) -> int:
        """Whether the policy's subject is or holds the pod, and the plug-in carries the policy out."""
        chosen = policy.spec["subject"]
        if "namespaces" in chosen:
            truth = namespace_matches(self.namespaces, chosen["namespaces"], subject.namespace)
        else:
            truth = self._pods(chosen["pods"], subject, subject)
        return min(truth, MAYBE) if self.plugin.may_ignore(policy.kind, policy.priority) else truth

    # One rule ----------------------------------------------------------------------------------------------------

    def _rule(self, policy: Policy, rule: Json, direction: str, subject: Pod, flow: Flow) -> tuple[int, str]:
        """Whether the rule matches, and its answer."""
        field, known = PEERS[direction]
        peers = [{name: value for name, value in peer.items() if value} | keep(peer) for peer in rule[field]]
        # A field that this version of the API does not have was dropped: fail closed. "For Allow rules: treat the rule
        # as matching no traffic. For Deny and Pass rules: treat the rule as a Deny all rule."
        closed = not all(peers)
        answer = ANSWERS[rule["action"]]
        if closed and answer != ALLOW:
            answer = DENY
        if set(rule) - {"name", "action", field, policy.ports}:
            return MAYBE, answer
        if closed:
            return (NO if answer == ALLOW else YES), answer
        other, address = (
            (flow.source, flow.source_address) if direction == "ingress" else (flow.target, flow.target_address)
        )
        peer_truth = max(self._peer(policy, peer, known, subject, other, address) for peer in peers)
        if (
            direction == "egress"
            and address is None
            and self.plugin.name != "cilium"
            and whole([(network(n), []) for peer in peers for n in networks_of(peer)])
        ):
            peer_truth = YES  # each network may miss the address, all of them together cannot
        entries = rule.get(policy.ports) or []
        matches = port_matches if policy.ports == "ports" else protocol_matches
        return min(peer_truth, max((matches(entry, flow) for entry in entries), default=YES)), answer

    def _peer(  # noqa: PLR0911, PLR0913, PLR0917 - the whole situation, one return per kind of peer
        self, policy: Policy, peer: Json, known: set[str], subject: Pod, other: Endpoint, address: Address | None
    ) -> int:
        """Whether the other end is what one element of `from` or `to` names."""
        if set(peer) - known or len(peer) > 1:
            return MAYBE
        ((field, value),) = peer.items()
        if field == "networks":
            return self._networks([network(text) for text in value], other, address)
        if field == "nodes":
            return self._node(value, other, address)
        if field == "domainNames":
            # What a name resolves to is not in the input; it may be any address that is no pod's.
            return MAYBE if isinstance(other, Outside) or other.host_network else NO
        if not readable(policy, field, value):
            return MAYBE  # a field without semantics may widen the peer
        if isinstance(other, Outside) or other.host_network:
            return NO
        if field == "namespaces":
            return self._namespaces(value, subject.namespace, other.namespace)
        return self._pods(value, subject, other)

    def _pods(self, value: Json, subject: Pod, other: Pod) -> int:
        """Whether a `pods` field names the pod."""
        if "namespaces" in value:
            inside = self._namespaces(value["namespaces"], subject.namespace, other.namespace)
        else:
            inside = namespace_matches(self.namespaces, value.get("namespaceSelector") or {}, other.namespace)
        return min(inside, selector_matches(value.get("podSelector") or {}, other.labels))

    # Namespaces --------------------------------------------------------------------------------------------------

    def _namespaces(self, value: Json, subject: str, other: str) -> int:
        """Whether a `namespaces` field, of either generation, names the namespace."""
        if set(value) <= SELECTOR_FIELDS:
            return namespace_matches(self.namespaces, value, other)
        ((field, inner),) = value.items()
        if field == "namespaceSelector":
            return namespace_matches(self.namespaces, inner, other)
        if not inner:
            return NO  # "If empty then nothing is selected."
        present = min(self._carries(other, key) for key in inner)
        same = min(self._same(subject, other, key) for key in inner)
        return min(present, same if field == "sameLabels" else YES - same)

    def _known(self, name: str, key: str) -> bool:
        return name in self.namespaces or key == NAME_LABEL

    def _carries(self, name: str, key: str) -> int:
        """Whether the namespace has the label."""
        if not self._known(name, key):
            return MAYBE
        return YES if key in namespace_labels(self.namespaces, name) else NO

    def _same(self, subject: str, other: str, key: str) -> int:
        """Whether the label's value, if it is there, is the same in both."""
        if subject == other:
            return YES
        if not (self._known(subject, key) and self._known(other, key)):
            return MAYBE
        values = [namespace_labels(self.namespaces, name).get(key) for name in (subject, other)]
        return YES if values[0] == values[1] else NO

    # Addresses -------------------------------------------------------------------------------------------------------

    def _networks(self, networks: list[Network], other: Endpoint, address: Address | None) -> int:
        """Whether the address, of a pod or not, is in one of the networks; Cilium's are not about pods and nodes."""
        if address is None:
            return MAYBE
        truth = YES if any(address in n for n in networks) else NO
        inside = isinstance(other, Pod) or address in self.hosts.shown
        return min(truth, MAYBE) if inside and self.plugin.name == "cilium" else truth

    # Nodes -----------------------------------------------------------------------------------------------------------

    def _node(self, selector: Json, other: Endpoint, address: Address | None) -> int:
        """Whether the other end is the network of a selected node."""
        return node_matches(self.nodes, selector, other, address)


def node_matches(nodes: Mapping[str, Json], selector: Json, other: Endpoint, address: Address | None) -> int:
    """Whether the other end has, in the status of a selected node, its address."""
    if isinstance(other, Pod) and not other.host_network:
        return NO
    truths = {name: selector_matches(selector, node["metadata"].get("labels") or {}) for name, node in nodes.items()}
    holders = [truths[name] for name, node in nodes.items() if address in node_addresses(node)]
    if address is not None and holders:
        return max(holders)
    if isinstance(other, Pod):
        return truths.get(other.node or "", MAYBE)
    if not nodes:
        return MAYBE
    unseen = [truths[name] for name, node in nodes.items() if not node_addresses(node)]
    return min(MAYBE, max(unseen, default=NO))


def networks_of(peer: Json) -> list[str]:
    """The networks of a peer that is nothing else."""
    return list(peer["networks"]) if set(peer) == {"networks"} else []


def keep(peer: Json) -> Json:
    """The fields whose empty value says something: an empty selector selects everything."""
    return {name: value for name, value in peer.items() if value == {}}


def readable(policy: Policy, field: str, value: Json) -> bool:
    """Whether `namespaces` or `pods` holds only what some generation of the kind has."""
    first = policy.ports == "ports"
    if field == "namespaces":
        return set(value) <= SELECTOR_FIELDS or (first and len(value) == 1 and set(value) <= OLD_FIELDS)
    if first and set(value) == {"namespaces", "podSelector"}:
        return readable(policy, "namespaces", value["namespaces"])
    return set(value) <= {"namespaceSelector", "podSelector"}


def orders(policies: list[Policy]) -> Iterator[tuple[Policy, ...]]:
    """Every order in which the policies may be looked at: ascending priority, any order among equals."""
    for order in itertools.permutations(policies):
        if all(
            a.priority is None or b.priority is None or a.priority <= b.priority
            for a, b in itertools.combinations(order, 2)
        ):
            yield order


# Ports ---------------------------------------------------------------------------------------------------------------


def port_matches(entry: Json, flow: Flow) -> int:
    """Whether one element of `ports` covers the connection's destination port."""
    if len(entry) != 1:
        return MAYBE
    ((field, value),) = entry.items()
    if field == "namedPort":
        return named(value, flow)
    known = {"portNumber": {"protocol", "port"}, "portRange": {"protocol", "start", "end"}}
    if field not in known or set(value) - known[field]:
        return MAYBE
    low, high = (value["port"],) * 2 if field == "portNumber" else (value["start"], value["end"])
    return YES if (value.get("protocol") or "TCP") == flow.protocol and low <= flow.port <= high else NO


def protocol_matches(entry: Json, flow: Flow) -> int:  # noqa: PLR0911 - one return per form
    """Whether one element of `protocols` covers the connection's destination port."""
    if len(entry) != 1:
        return MAYBE
    ((field, value),) = entry.items()
    if field == "destinationNamedPort":
        return named(value, flow)
    if field not in ("tcp", "udp", "sctp"):
        return MAYBE
    if field.upper() != flow.protocol:
        return NO
    port = value.get("destinationPort") or {}
    if set(value) != {"destinationPort"} or len(port) != 1 or set(port) - {"number", "range"}:
        return MAYBE
    if "number" in port:
        return YES if port["number"] == flow.port else NO
    return YES if port["range"]["start"] <= flow.port <= port["range"]["end"] else NO


def named(name: str, flow: Flow) -> int:
    """Whether the destination port is the target's container port of that name."""
    declared = () if isinstance(flow.target, Outside) else flow.target.ports
    return YES if (name, flow.protocol, flow.port) in declared else NO
