"""Permits and rows: what the two sides of a connection allow, over endpoint classes.

A permit says "this traffic with these peers". A row is all that one class permits in one direction; equal permits and
equal rows are one object, so a zone design has a handful of them. Uncertain permits carry the reason; the `must` bound
of a row is its certain permits, the `may` bound all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from pyroaring import FrozenBitMap

from audit.traffic import ALL, Traffic

UNCERTAIN = {
    "host-network": "A host-network endpoint acts with its node's address. Where the address or the node is not known, "
    "address blocks may or may not match it, and a pod's own node may always reach it; whether the outside can reach "
    "node addresses is not known either.",
    "pod-address": "An address block could match a pod whose address is not known.",
    "namespace-labels": "A selector could match a namespace whose labels are not known, because its Namespace object "
    "was not read.",
    "domain-names": "A rule names domain names, whose addresses no snapshot holds.",
    "equal-priority": "Cluster-wide policies of equal priority have no order, and another order gives another result.",
    "unknown-field": "A policy has a field that is not modelled, so the rule may mean more or less than it shows.",
    "unmodelled-policy": "A policy kind that is not modelled may allow or deny traffic of these endpoints.",
    "unread-policy": "A kind of policy was not read in full, which may allow or deny traffic of these endpoints; the "
    "completeness table says which one, and why.",
    "service-source-address": "Traffic that enters through a Service or host port may reach the pod from its node's "
    "own address, which its policies always let in.",
    "router": "Traffic that enters through a router reaches the pod from the router's address; whether a router "
    "serves the pod, or its own pods may connect there, is not known.",
    "secondary-network": "Endpoints attached to further networks may meet there, where no NetworkPolicy binds them.",
    "user-defined-network": "Which network a namespace is on, or what joins its network with another, is not known; "
    "or a user-defined network admits some traffic of the default one, as for the resolution of names.",
    "network-plugin": "The network plug-in reads a construct in another way than the text of the API, or it is not "
    "known whether it enforces it; NET008 and NET009 name such policies.",
    "source-ranges": "A load balancer is told to admit some client addresses only; whether the platform does so is not "
    "known.",
    "pod-network": "It is not known whether pod addresses can be reached from outside: `settings.pod_network` does not "
    "say so, or some kind of entry point was not read in full.",
}
"""Reason id -> what it means, for the assumption register."""


class Permit(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """One interned permit."""

    traffic: Traffic
    peers: FrozenBitMap
    reason: str = ""
    """Empty when certain, else a key of UNCERTAIN."""
    family: int = 0
    """4 or 6 when it holds for addresses of that family only, 0 for both."""
    network: int = 0
    """0 for primary networks, else a secondary one: the two sides of a connection meet on one network."""

    def covers(self, other: Permit) -> bool:
        """Whether `other` adds nothing beside this one, in either bound."""
        return (
            (not self.reason or self.reason == other.reason)
            and self.family in (0, other.family)
            and self.network == other.network
            and other.peers.issubset(self.peers)
            and other.traffic <= self.traffic
        )


Row = tuple[int, ...]
"""Permit numbers, ascending; none covers another."""


class Permits:
    """All permits, numbered; equal ones get the same number."""

    def __init__(self) -> None:
        self.all: list[Permit] = []
        self._sizes: list[int] = []
        """Number of peers of each: what has fewer cannot cover it, and that is quick to see."""
        self._numbers: dict[Permit, int] = {}
        self._rows: dict[frozenset[int], Row] = {}

    def number(self, permit: Permit) -> int:
        """The number of a permit."""
        found = self._numbers.get(permit)
        if found is None:
            found = self._numbers[permit] = len(self.all)
            self.all.append(permit)
            self._sizes.append(len(permit.peers))
        return found

    def row(self, numbers: Iterable[int]) -> Row:
        """The row of some permits: without those that another covers."""
        key = frozenset(numbers)
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = self._reduced(sorted(key))
        return found

    def _reduced(self, numbers: Sequence[int]) -> Row:
        if len(numbers) < 2:  # noqa: PLR2004
            return tuple(numbers)
        listed = [(self._sizes[one], one, self.all[one]) for one in numbers]
        kept = []
        for size, one, permit in listed:
            for larger, other, wider in listed:
                if larger >= size and other != one and wider.covers(permit):
                    break
            else:
                kept.append(one)
        return tuple(kept)


def open_permit(peers: FrozenBitMap, reason: str = "") -> Permit:
    """Everything allowed with these peers."""
    return Permit(ALL, peers, reason)
