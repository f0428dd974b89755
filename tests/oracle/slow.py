"""A second evaluator that decides one connection at a time, straight from the API text, over parsed manifests.

It is slow on purpose: no classes, no bitmaps, no interval algebra. It shares no code with the package it judges.

Source: docs/reachability.md and the API texts that the modules of this folder name.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable

from tests.oracle.admin import DENY, NEXT, Tiers
from tests.oracle.entering import Entering
from tests.oracle.leaving import Leaving
from tests.oracle.netpol import NetworkPolicies, is_network_policy
from tests.oracle.networks import Networks
from tests.oracle.objects import group_of, hosts_of, name_of, namespace_of, of_kind, population
from tests.oracle.plugins import detected
from tests.oracle.probes import probe_addresses, probe_ports
from tests.oracle.secondary import Secondary
from tests.oracle.terms import MAYBE, NO, YES, Address, Endpoint, Flow, Json, Outside, Pod

VERDICTS = ("denied", "unknown", "allowed")
PROTOCOLS = ("TCP", "UDP", "SCTP")

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


class Cluster:
    """The question-answering machine for one list of parsed objects."""

    def __init__(self, objects: Iterable[Json], plugin: str | None = None) -> None:
        """`plugin` is the network plug-in, where the user says which."""
        self.objects = list(objects)
        self.plugin = detected(self.objects, plugin)
        namespaces = {name_of(o): o for o in of_kind(self.objects, "Namespace", "")}
        nodes = {name_of(o): o for o in of_kind(self.objects, "Node", "")}
        self.networks = Networks(self.objects, namespaces, self.plugin)
        self.pods = {pod.id: pod for pod in population(self.objects, nodes, self.networks.addresses)}
        hosts = hosts_of(nodes, self.pods.values())
        self.tiers = Tiers(self.objects, namespaces, nodes, self.plugin, hosts)
        policies = filter(is_network_policy, self.objects) if self.plugin.network_policies else ()
        default = self.networks.global_projects()
        self.policies = NetworkPolicies(policies, namespaces, self.plugin, hosts, node_spaces=default)
        self.leaving = Leaving(self.objects, nodes, self.plugin)
        self.secondary = Secondary(self.objects, namespaces, self.plugin, self.pods)
        self.entering = Entering(self.objects, namespaces, self.pods)
        self._may_leave = functools.cache(self._uncached_may_leave)
        self._let_in = functools.cache(self._uncached_let_in)
        self.other_policies = functools.cache(self._uncached_other_policies)

    # The question ----------------------------------------------------------------------------------------------------

    def decide(self, source: Endpoint, target: Endpoint, protocol: str, port: int) -> str:
        """`allowed`, `denied` or `unknown` for one connection."""
        return VERDICTS[self._decide(source, target, protocol, port)]

    def _decide(self, source: Endpoint, target: Endpoint, protocol: str, port: int) -> int:
        """The best verdict of all ways."""
        found = self.over_the_pod_network(source, target, protocol, port)
        if self._advertised(source, target):
            found = min(found, MAYBE)
        if found < YES:
            found = max(found, self.secondary.verdict(source, target, protocol, port))
        if found < YES and isinstance(target, Pod):
            found = max(found, self._by_entry_points(source, target, protocol, port))
        return found

    def over_the_pod_network(self, source: Endpoint, target: Endpoint, protocol: str, port: int) -> int:
        """What policies, networks and firewalls let through."""
        together, alone = YES, NO
        if isinstance(source, Pod) and isinstance(target, Pod):
            router = source.id in self.entering.routers.pods_of_routers
            together, alone = self.networks.relation(source, target, protocol, port, router=router)
        found = max(self._flow(flow, together, alone) for flow in flows(source, target, protocol, port))
        return max(found, from_own_node(source, target))

    def _flow(self, flow: Flow, together: int, alone: int) -> int:
        """`together` and `alone`: how far a network carries what both sides let through, and what the source does."""
        egress = self._side("egress", flow)
        found = min(alone, egress)
        if together > found and egress > found:
            found = max(found, min(together, egress, self._side("ingress", flow)))
        return min(found, self.leaving.lets_out(flow)) if found else NO

    def _advertised(self, source: Endpoint, target: Endpoint) -> bool:
        """Whether the pod network is known outside, so that connections between there and a pod may differ."""
        outside = isinstance(source, Outside) or isinstance(target, Outside)
        return (
            self.networks.advertised
            and outside
            and not any(isinstance(e, Pod) and e.host_network for e in (source, target))
        )

    # Entry points ----------------------------------------------------------------------------------------------------

    def _by_entry_points(self, source: Endpoint, target: Pod, protocol: str, port: int) -> int:
        found = NO
        if self.entering.masked(target, protocol, port) and self._may_leave(source):
            found = MAYBE
        if isinstance(source, Outside):
            found = max(found, self._by_routers(source, target, protocol, port))
        return found

    def _by_routers(self, source: Outside, target: Pod, protocol: str, port: int) -> int:
        """The policies of the target see the router pods, those of the router pods the client."""
        found = NO
        for server in self.entering.servers(target, protocol, port):
            reached = [
                min(
                    self.entering.led_to(name, private=server.private),
                    self._let_in(source, name),
                    self.over_the_pod_network(self.pods[name], target, protocol, port),
                )
                for name in server.pods
            ]
            found = max(found, min(server.truth, max(reached, default=NO if server.pods else MAYBE)))
        return found

    def _uncached_let_in(self, source: Outside, name: str) -> int:
        """Whether the policies of a router pod let an outside client in, on some port."""
        pod = self.pods[name]
        if pod.host_network:
            return YES
        found = max(
            self.over_the_pod_network(source, pod, protocol, port)
            for protocol in PROTOCOLS
            for port in probe_ports(self.objects)
        )
        return max(found, MAYBE if self.entering.hides_clients(pod) else NO)

    def _uncached_may_leave(self, source: Endpoint) -> bool:
        """Whether the source is outside the pod network or may get there."""
        if isinstance(source, Outside) or source.host_network:
            return True
        return any(
            self._decide(source, Outside(address), protocol, port)
            for address in probe_addresses(self.objects)
            for protocol in PROTOCOLS
            for port in probe_ports(self.objects)
        )

    # One side --------------------------------------------------------------------------------------------------------

    def _uncached_other_policies(self, endpoint: Endpoint) -> set[tuple[str, str]]:
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

    def _side(self, direction: str, flow: Flow) -> int:
        """Whether the pod on that side lets the connection through; an outside address always does."""
        subject = flow.source if direction == "egress" else flow.target
        other = self.other_policies(subject)
        if other - {RESTRICTING}:
            return MAYBE  # it may deny what the others allow, and override what they deny
        truth = min(self._by_tiers(direction, subject, flow), MAYBE if other else YES)
        return truth if self.plugin.enforced(direction) == YES else max(truth, MAYBE)

    def _by_tiers(self, direction: str, subject: Endpoint, flow: Flow) -> int:
        """What the tiers decide one after the other; what none of them decides is allowed."""
        answers = self.tiers.answers("Admin", direction, flow)
        if NEXT in answers:
            answers = answers - {NEXT} | self.policies.answers(direction, subject, flow)
        if NEXT in answers:
            answers = answers - {NEXT} | self.tiers.answers("Baseline", direction, flow)
        truths = {NO if answer == DENY else YES for answer in answers}
        return truths.pop() if len(truths) == 1 else MAYBE


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
