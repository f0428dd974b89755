"""How network plug-ins read policies: PolicyText, AdminText -> the same, with what plug-ins read differently in doubt.

A construct is never taken away: what the API text lets through and the plug-in may not, and the other way round,
becomes a clause with a doubt. Pure; nothing here looks at a cluster. Source: docs/reachability.md section 1;
OVN-Kubernetes `pkg/ovn/gress_policy.go`, openshift-sdn `pkg/network/node/networkpolicy.go` by release branch, cilium
issue 16308.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from audit.policy.clause import (
    AdminText,
    AnyPeer,
    Block,
    Clause,
    Direction,
    HostPods,
    NodeNetwork,
    OffPodNetwork,
    OutsideBlock,
    OwnPods,
    PolicyText,
    Ports,
    SelectedPods,
)
from audit.profile import Profile
from audit.traffic import ALL, EVERYWHERE, NONE, AddressSet, Traffic, union

REASON = "network-plugin"
HOST = "host-network"
_IPV4 = AddressSet(EVERYWHERE.spans[:1])
_OVN_PRIORITIES = 99
"""Highest priority of an AdminNetworkPolicy that OVN-Kubernetes programs (event ANPWithUnsupportedPriority)."""
_WITHOUT_ADMIN = ("calico", "cilium", "openshift-sdn", "unknown")
"""Plug-ins of which it is not known whether they implement cluster-wide policies."""

_Split = Callable[[Clause, Profile], Iterator[Clause]]
"""What becomes of one clause: itself, or parts of it, and what may be read besides."""


def read(text: PolicyText, profile: Profile) -> PolicyText:
    """A NetworkPolicy as the plug-in may enforce it; the text itself where that is what the API says."""
    match profile.plugin:
        case "ovn-kubernetes":
            return _through(replace(text, clauses=(*text.clauses, *_unlisted(text))), profile, _OVN)
        case "openshift-sdn" if profile.enforcement == "no":
            return replace(text, isolates=(), unknown=False)
        case "openshift-sdn":
            return _opened(_through(_sdn_named(text, profile), profile, _SDN), _sdn_open(text, profile))
        case "cilium":
            return _through(text, profile, (_outside_only,))
        case "unknown":
            return _opened(text, tuple((direction, "enforcement") for direction in text.isolates))
        case _:
            return text


def read_attached(text: PolicyText, profile: Profile) -> PolicyText:
    """A MultiNetworkPolicy as the plug-in may enforce it: ports and directions as in a NetworkPolicy, no host peers."""
    if profile.plugin != "ovn-kubernetes":
        return text
    return _through(replace(text, clauses=(*text.clauses, *_unlisted(text))), profile, (_whole_protocol,))


def read_admin(kind: str, text: AdminText, profile: Profile) -> AdminText:
    """A cluster-wide policy as the plug-in may enforce it; `kind` is its kind."""
    if profile.plugin == "cilium":
        text = replace(text, clauses=_split(text.clauses, profile, (_outside_only,)))
    if profile.plugin in _WITHOUT_ADMIN or (profile.plugin == "ovn-kubernetes" and kind == "ClusterNetworkPolicy"):
        return replace(text, doubt=REASON, reading="admin-kind")
    if profile.plugin == "ovn-kubernetes" and text.priority > _OVN_PRIORITIES:
        return replace(text, doubt=REASON, reading="admin-priority")
    return text


def _through(text: PolicyText, profile: Profile, splits: tuple[_Split, ...]) -> PolicyText:
    """The text with every clause split by one reading after the other."""
    return replace(text, clauses=_split(text.clauses, profile, splits))


def _split(clauses: tuple[Clause, ...], profile: Profile, splits: tuple[_Split, ...]) -> tuple[Clause, ...]:
    for one in splits:
        clauses = tuple(part for clause in clauses for part in one(clause, profile))
    return clauses


def _opened(text: PolicyText, directions: tuple[tuple[Direction, str], ...]) -> PolicyText:
    """The text with everything possible in some directions, each given with the reading that says so."""
    more = (
        Clause(direction, -1, (AnyPeer(),), Ports(ALL), doubt=REASON, reading=reading)
        for direction, reading in directions
    )
    return replace(text, clauses=(*text.clauses, *more))


def _doubted(clause: Clause, reading: str) -> Clause:
    """The clause in doubt; a reading it already has stays."""
    return replace(clause, doubt=clause.doubt or REASON, reading=clause.reading or reading)


# OVN-Kubernetes ------------------------------------------------------------------------------------------------------


def _unlisted(text: PolicyText) -> Iterator[Clause]:
    """Rules of a direction that `policyTypes` leaves out become rules all the same."""
    return (_doubted(clause, "unlisted-direction") for clause in text.unlisted)


def _whole_protocol(clause: Clause, _: Profile) -> Iterator[Clause]:
    """A named port has no number there, so that the rule matches every port of its protocol."""
    yield clause
    if clause.ports.named:
        whole = union(Traffic.of(protocol) for _, protocol in clause.ports.named)
        yield replace(_doubted(clause, "named-port"), ports=Ports(whole))


def _hosts(clause: Clause, profile: Profile) -> Iterator[Clause]:
    """Selectors reach the host network: pod by pod with `podSelector`, else as the namespace that stands for it."""
    yield clause
    chosen = [peer for peer in clause.peers if isinstance(peer, OwnPods | SelectedPods)]
    peers = [HostPods(peer) for peer in chosen if isinstance(peer, OwnPods) or not peer.bare]
    bare = [peer for peer in chosen if isinstance(peer, SelectedPods) and peer.bare]
    network = [NodeNetwork(peer, profile.host_namespaces) for peer in bare if clause.direction == "ingress"]
    if peers or network:
        yield replace(clause, peers=(*peers, *network), doubt=HOST, reading=clause.reading or "host-network")


# Cilium --------------------------------------------------------------------------------------------------------------


def _outside_only(clause: Clause, _: Profile) -> Iterator[Clause]:
    """Identities of pods and nodes go before address blocks, so that a block is sure of outside addresses only."""
    blocks = tuple(peer for peer in clause.peers if isinstance(peer, Block))
    if not blocks:
        yield clause
        return
    sure = (OutsideBlock(peer.addresses, peer.text) if isinstance(peer, Block) else peer for peer in clause.peers)
    yield replace(clause, peers=tuple(sure))
    yield replace(_doubted(clause, "block-of-pods"), peers=blocks)


# openshift-sdn -------------------------------------------------------------------------------------------------------


def _sdn_open(text: PolicyText, profile: Profile) -> tuple[tuple[Direction, str], ...]:
    """Directions in which a policy may not be enforced."""
    if not profile.mode:
        return tuple((direction, "enforcement") for direction in text.isolates)
    old = profile.before(4, 10) and "egress" in text.isolates
    return (("egress", "egress-not-enforced"),) if old else ()


def _sdn_named(text: PolicyText, profile: Profile) -> PolicyText:
    """Before 4.5 a named port anywhere turns the whole policy into one that admits nobody."""
    names = any(clause.ports.named or clause.ports.unknown_named for clause in text.clauses)
    if not profile.before(4, 5) or not names:
        return text
    return replace(text, clauses=tuple(_doubted(clause, "named-port-denies") for clause in text.clauses))


def _sdn_blocks(clause: Clause, profile: Profile) -> Iterator[Clause]:
    """Address blocks that the release may not read."""
    wrong = tuple(peer for peer in clause.peers if isinstance(peer, Block) and _misread(peer, profile))
    if not wrong:
        yield clause
        return
    if rest := tuple(peer for peer in clause.peers if peer not in wrong):
        yield replace(clause, peers=rest)
    yield replace(_doubted(clause, "block-not-read"), peers=wrong)


def _misread(block: Block, profile: Profile) -> bool:
    if profile.before(4, 5):
        return True
    if profile.before(4, 10):
        return block.holes
    return not block.addresses & _IPV4


def _sdn_ports(clause: Clause, profile: Profile) -> Iterator[Clause]:
    """From 4.5 an entry with a named port is skipped."""
    if profile.before(4, 5) or not clause.ports.named:
        yield clause
        return
    if clause.ports.traffic != NONE or clause.ports.unknown:
        yield replace(clause, ports=replace(clause.ports, named=()))
    yield replace(_doubted(clause, "named-port-skipped"), ports=Ports(NONE, clause.ports.named))


def _sdn_any_source(clause: Clause, _: Profile) -> Iterator[Clause]:
    """`namespaceSelector: {}` is no condition on the peer at all there."""
    yield clause
    if any(isinstance(peer, SelectedPods) and peer.bare and not peer.namespaces.requirements for peer in clause.peers):
        yield replace(_doubted(clause, "any-source"), peers=(OffPodNetwork(),))


def _sdn_hosts(clause: Clause, profile: Profile) -> Iterator[Clause]:
    """Namespaces with the network id 0 share it with all host traffic."""
    yield clause
    chosen = [peer for peer in clause.peers if isinstance(peer, OwnPods | SelectedPods)]
    if chosen:
        peers = tuple(NodeNetwork(peer, profile.host_namespaces) for peer in chosen)
        yield replace(clause, peers=peers, doubt=HOST, reading=clause.reading or "host-network")


_OVN: tuple[_Split, ...] = (_whole_protocol, _hosts)
_SDN: tuple[_Split, ...] = (_sdn_blocks, _sdn_ports, _sdn_any_source, _sdn_hosts)
