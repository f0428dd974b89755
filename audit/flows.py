"""What the engine says about zones: the values that rules and reports read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from audit.model import ObjectRef
from audit.traffic import NONE, Traffic


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cause:
    """Why one side of a connection lets it through."""

    direction: str
    """`egress` (at the source) or `ingress` (at the target)."""
    ref: ObjectRef | None = None
    """The policy whose rule permits it; None when nothing selects the endpoint, so that it is open by default."""
    endpoint: ObjectRef | None = None
    """The workload on this side of the witness."""
    rule: int = -1
    """0-based rule index within the direction; -1 with no policy."""
    text: str = ""
    """One clause for people: `rule 0 admits namespaces network-zone=a on tcp/8443`, `no policy isolates it`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One concrete connection."""

    source: str
    """Endpoint id as in reach JSON (`app/Deployment/web`) or an address for outside."""
    target: str
    protocol: str
    port: int
    source_labels: str = ""
    target_labels: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Traffic of one cell beyond what is allowed, with one cause."""

    traffic: Traffic
    certain: bool
    """True: it flows (must bound). False: it may flow, `reasons` say what is unknown."""
    reasons: tuple[str, ...] = ()
    """Assumption ids, sorted; empty when certain."""
    ingress: Cause | None = None
    """None when the target is outside the cluster."""
    egress: Cause | None = None
    """None when the source is outside the cluster."""
    exposed: bool = True
    """False: the source is outside, policy admits it, but no entry point leads there."""
    sources: int = 0
    targets: int = 0
    pairs: int = 0
    subjects: tuple[ObjectRef, ...] = ()
    """What to repair: the policy at fault, or for an open default the namespaces that lack isolation."""
    witness: Witness | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFlow:
    """Everything about one ordered pair of zones. The inherent connection of a node to its own pods is left out."""

    source: str
    target: str
    observed: Traffic = NONE
    """Certainly open between some pair (exposed, where the source is outside)."""
    possible: Traffic = NONE
    """Possibly open; a superset of `observed`."""
    populated: bool = True
    """False when a zone of the pair has no endpoint, so there is nothing to judge."""
    pairs: int = 0
    """Ordered pairs of different endpoints with a certainly open port; a zone's outside addresses count as one."""
    excess_pairs: int = 0
    """Those of them with a port beyond what is allowed."""
    doubtful_pairs: int = 0
    """Ordered pairs with a port beyond what is allowed that may be open, though none beyond is certainly open."""
    unexposed: Traffic = NONE
    unexposed_pairs: int = 0
    reasons: tuple[str, ...] = ()
    """Assumption ids behind `possible - observed - allowed`."""
    breaches: tuple[Breach, ...] = ()
    """Sorted by severity of cause: certain first, then most pairs."""
    witness: Witness | None = None
    """A connection that is open and allowed, when there is no breach; None when nothing flows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One entry of the assumption register."""

    id: str
    text: str
    connections: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """How many pods of one namespace some policy isolates, by direction. Host-network pods are not counted."""

    pods: int
    ingress: int
    egress: int
    policies: int
    """NetworkPolicies in the namespace."""
    future_ingress: bool
    """Whether a new pod without labels would be isolated for ingress."""
    future_egress: bool
    open_ingress_by: tuple[Cause, ...] = ()
    """Rules that admit every peer on every port to isolated pods: the policy exists, isolation does not."""


class Reading(NamedTuple):
    """A construct of a policy that the network plug-in reads in another way than the API text."""

    construct: str
    """Its id, such as `named-port`."""
    where: str
    """`ingress rule 0: pods app=db of the same namespace on tcp/5432`; empty for the policy as a whole."""


class PolicyFact(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What is odd about one policy."""

    ref: ObjectRef
    selected: int
    """Pods it selects now."""
    selector: str
    empty_peers: tuple[str, ...] = ()
    """Peers that match no namespace or no pod now: `ingress rule 1: namespaces network-zone=b`."""
    inert: tuple[str, ...] = ()
    """Sections that have no effect: `ingress rules are ignored: policyTypes lists only Egress`."""
    gaps: tuple[str, ...] = ()
    """Unknown fields and constructs that are not modelled."""
    readings: tuple[Reading, ...] = ()
    """Only those that make a difference for some endpoint of the input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """What a zone holds, counted as the cells judge it: a router counts where its shard belongs."""

    workloads: int
    pods: int
    guests: tuple[ObjectRef, ...] = ()
    """Workloads whose namespace belongs to another zone, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Departure:
    """One source address that outside traffic of a workload shows."""

    address: str
    """Empty when not known, and where nothing leaves."""
    via: str
    """What gives it: an object, `node`, `egress router pod`."""
    node: str
    """Where it leaves the cluster; empty when not known."""
    verdict: Literal["allowed", "unknown", "denied"]
    """`allowed`: some traffic leaves like this. `unknown`: it may. `denied`: it is dropped instead."""
    zone: str = ""
    """The zone that the address belongs to, or its node; empty when not known."""
    home: str = ""
    """The zone of the pods that leave."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Backend:
    """Ports of one workload that an entry point leads to."""

    workload: ObjectRef
    zone: str
    """Empty without a matrix."""
    by: ObjectRef
    """The Route, Ingress, HTTPRoute, ... that says so; the Service or the workload itself where none is needed."""
    service: str
    """`namespace/name`; empty for host ports and the host network."""
    ports: Traffic = field(compare=False)
    verdict: Literal["allowed", "unknown", "denied", "by-client"]
    """What becomes of a connection from the router's pods; `by-client` where policies see the client's own address, or
    its node's, and so decide client by client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """One way into the cluster: address, router, backends. Zones are empty without a matrix; everything is sorted."""

    kind: Literal["router", "gateway", "service", "host-port", "host-network", "unknown-router"]
    object: ObjectRef
    """The IngressController, router workload, Gateway, Service or workload; what publishes it for an unknown router."""
    addresses: tuple[str, ...] = ()
    """Where clients connect to; empty when the input does not say."""
    hostnames: tuple[str, ...] = ()
    """Names that stand for addresses which the input does not hold."""
    every_node: bool = False
    """Whether a port of every node leads in as well; those addresses are not listed."""
    address_zones: tuple[str, ...] = ()
    """Zones of the addresses."""
    node_zones: tuple[str, ...] = ()
    """Zones of all nodes, where every node leads in."""
    shard: str = ""
    """Name of the IngressController."""
    routers: tuple[ObjectRef, ...] = ()
    """Workloads of the router's pods; none where the input does not show them."""
    router_zones: tuple[str, ...] = ()
    """Zones of the nodes that the router's pods run on."""
    namespaces: tuple[str, ...] = ()
    """Namespaces of whatever it serves."""
    zones: tuple[str, ...] = ()
    """Zones of those namespaces."""
    open_zones: tuple[str, ...] = ()
    """Zones of all namespaces that it would serve if they asked for it."""
    backends: tuple[Backend, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that rules read besides the cells."""

    population: Mapping[str, Population] = field(default_factory=dict)
    """By zone, for zones that hold endpoints."""

    isolation: Mapping[str, Isolation] = field(default_factory=dict)
    """By namespace, for namespaces that hold endpoints."""
    policies: tuple[PolicyFact, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    foreign: tuple[ObjectRef, ...] = ()
    """Policy objects of kinds that are seen but not modelled."""
    unordered: tuple[tuple[ObjectRef, ...], ...] = ()
    """Cluster-wide policies of one tier and priority that select a pod of another of them, one group per priority."""
    departures: Mapping[str, tuple[Departure, ...]] = field(default_factory=dict)
    """By workload id, sorted."""
    entry_points: tuple[EntryPoint, ...] = ()
    """Every way into the cluster, by kind and object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One connection of a chain."""

    source: str
    """Zone, as is `target`."""
    target: str
    traffic: Traffic
    witness: Witness | None
    """Its source is the target of the hop before, unless the chain is one of zones only."""
    reasons: tuple[str, ...] = ()
    """Assumption ids; empty when certain."""
    through: tuple[Cause, ...] = ()
    """What lets it through, from the source on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A shortest way through other zones, from one zone to another that it must not reach."""

    source: str
    target: str
    certain: bool
    """True: every connection exists (must bound)."""
    proven: bool
    """False: each pair of zones in it is connected, but perhaps not through the same endpoints."""
    hops: tuple[Hop, ...]

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones passed, each once in a row."""
        return (self.source, *(hop.target for hop in self.hops if hop.target != hop.source))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The fewest openings to close so that one zone does not certainly reach another, directly or through others."""

    source: str
    target: str
    direct: bool
    """Whether they are connected directly."""
    transit: bool
    """Whether they are connected through other zones."""
    openings: tuple[Cause, ...] = ()
    """Empty when none is named, `reason` then says why."""
    least: int = 0
    """No smaller set parts them; 0 when nothing is known or no set parts them."""
    reason: str = ""

    @property
    def smallest(self) -> bool:
        """Whether no smaller set than the one named exists."""
        return bool(self.openings) and len(self.openings) == self.least


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Everything about ways between zones that the matrix keeps apart."""

    apart: int = 0
    """Ordered pairs of zones with members between which it allows nothing."""
    chains: tuple[Chain, ...] = ()
    """At most one a pair, in order of the cells; a certain one where there is one."""
    cuts: tuple[Cut, ...] = ()
    """One for every such pair with a certain connection, in order of the cells."""
    exact: bool = True
    """False: too many permits meet to search endpoints, so that chains are those of zones and no cut is sought."""
