"""`Clause`: the middle model that every policy dialect is lowered to.

A clause says: for the subjects of its policy, in this direction, these peers may use this traffic. Nothing in it
refers to a cluster; the engine resolves selectors and names against one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from audit.selectors import LabelSelector
from audit.traffic import ALL, NONE, AddressSet, Traffic

Direction = Literal["ingress", "egress"]
DIRECTIONS: tuple[Direction, Direction] = ("ingress", "egress")
Action = Literal["allow", "deny", "pass"]
Tier = Literal["admin", "baseline"]


@dataclass(frozen=True, slots=True)
class AnyPeer:
    """Everything: pods, nodes and outside addresses."""

    def __str__(self) -> str:
        return "any peer"


class OwnPods(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Pods of the policy's namespace."""

    pods: LabelSelector

    def __str__(self) -> str:
        return f"pods {self.pods} of the same namespace" if self.pods.requirements else "the same namespace"


class SelectedPods(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Pods of selected namespaces."""

    namespaces: LabelSelector
    pods: LabelSelector
    bare: bool = False
    """True for a peer of a NetworkPolicy without `podSelector`, which some plug-ins read in another way than `{}`."""

    def __str__(self) -> str:
        where = f"namespaces {self.namespaces}" if self.namespaces.requirements else "every namespace"
        return f"pods {self.pods} of {where}" if self.pods.requirements else where


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses, of pods and nodes as much as outside ones."""

    addresses: AddressSet
    text: str
    holes: bool = False
    """Whether it has an `except`."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class OutsideBlock:
    """Addresses outside the cluster: those that neither pods nor nodes have."""

    addresses: AddressSet
    text: str

    def __str__(self) -> str:
        return f"{self.text} outside the cluster"


@dataclass(frozen=True, slots=True)
class HostPods:
    """Host-network pods that a peer would select, and whatever shares an address with one of them."""

    chosen: OwnPods | SelectedPods

    def __str__(self) -> str:
        return f"host-network pods among {self.chosen}"


@dataclass(frozen=True, slots=True)
class NodeNetwork:
    """Every host-network pod and node address, if the peer selects a namespace that stands for them."""

    chosen: OwnPods | SelectedPods
    namespaces: tuple[str, ...]

    def __str__(self) -> str:
        return f"the host network of every node, if {self.chosen} covers namespace {' or '.join(self.namespaces)}"


@dataclass(frozen=True, slots=True)
class OffPodNetwork:
    """Every outside address and every host-network pod."""

    def __str__(self) -> str:
        return "everything off the pod network"


@dataclass(frozen=True, slots=True)
class UnknownPeer:
    """A peer with a field that is not modelled: it may match anything, and certainly matches nothing."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Relation:
    """Pods of namespaces whose labels relate to those of the subject's namespace."""

    keys: tuple[str, ...]
    same: bool
    """True: equal values of every key. False: another value of some key. Either way with every key present."""
    pods: LabelSelector

    def __str__(self) -> str:
        return f"namespaces with {'the same' if self.same else 'other'} {', '.join(self.keys)}"


@dataclass(frozen=True, slots=True)
class Nodes:
    """All addresses of selected nodes, and so the host-network pods there."""

    nodes: LabelSelector

    def __str__(self) -> str:
        return f"nodes {self.nodes}"


@dataclass(frozen=True, slots=True)
class DomainNames:
    """Whatever outside addresses some names stand for: not known from any snapshot."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"domain names {', '.join(self.names)}"


Peer = (
    AnyPeer
    | OwnPods
    | SelectedPods
    | Block
    | OutsideBlock
    | HostPods
    | NodeNetwork
    | OffPodNetwork
    | UnknownPeer
    | Relation
    | Nodes
    | DomainNames
)


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a clause."""

    traffic: Traffic
    """Numeric ports."""
    named: tuple[tuple[str, str], ...] = ()
    """(port name, protocol), resolved per destination pod; sorted."""
    unknown: Traffic = NONE
    """What may be meant besides, where a port entry has a field that is not modelled."""
    unknown_named: bool = False
    """Whether an entry with such a field has a name for its port."""

    def __str__(self) -> str:
        parts = [f"{protocol.lower()}/{name}" for name, protocol in self.named]
        if self.traffic == ALL:
            return "any port"
        return ", ".join(([str(self.traffic)] if self.traffic != NONE else []) + parts) or "no port"


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule of one policy."""

    direction: Direction
    index: int
    """0-based position among the rules of its direction."""
    peers: tuple[Peer, ...]
    ports: Ports
    unknown: bool = False
    """True when the rule has a field that is not modelled: it may match anything, and certainly matches nothing."""
    action: Action = "allow"
    """A NetworkPolicy only allows."""
    name: str = ""
    doubt: str = ""
    """Why it may not hold although the text says so, or may hold although it does not: a key of permits.UNCERTAIN."""
    reading: str = ""
    """Which construct a network plug-in reads in another way, where that is why the clause is in doubt."""

    def __str__(self) -> str:
        return f"{', '.join(map(str, self.peers)) or 'no peer'} on {self.ports}"


def is_local(clause: Clause) -> bool:
    """Whether a rule of a NetworkPolicy has other peers in other namespaces."""
    return any(isinstance(peer, OwnPods | HostPods | NodeNetwork) for peer in clause.peers)


@dataclass(frozen=True, slots=True)
class PolicyText:
    """What one policy spec says, independent of the namespace it stands in."""

    subject: LabelSelector
    isolates: tuple[Direction, ...]
    clauses: tuple[Clause, ...]
    unlisted: tuple[Clause, ...] = ()
    """Rules of directions that it does not isolate: by the API text they have no effect."""
    inert: tuple[str, ...] = ()
    """Sections without effect, for people."""
    gaps: tuple[str, ...] = ()
    """Fields that are not modelled, for people."""
    invalid: tuple[str, ...] = ()
    """Peers that name nothing and so match nothing; an API server would refuse them."""
    unknown: bool = False
    """True when the spec itself has a field that is not modelled: everything may be allowed, nothing certainly is."""


UNPLACED = -1
"""The priority of a policy that has none: its place among others of its tier is open."""


@dataclass(frozen=True, slots=True)
class AdminText:
    """What one cluster-wide policy says."""

    tier: Tier
    priority: int
    """0 to 1000, lower first; UNPLACED for a kind without priority."""
    namespaces: LabelSelector
    """Together with `pods` the subject."""
    pods: LabelSelector
    clauses: tuple[Clause, ...]
    """By direction, in rule order: the first that matches decides."""
    gaps: tuple[str, ...] = ()
    unknown: bool = False
    """True when the spec itself has a field that is not modelled."""
    doubt: str = ""
    """Why the policy as a whole may be ignored: a key of permits.UNCERTAIN."""
    reading: str = ""
    """As for a Clause."""
