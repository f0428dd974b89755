"""Secondary networks: who meets there, and what MultiNetworkPolicies make of it.

Input: classes with their attachments. Output: further permits for their rows, each of one network. Decisions: a virtual
network ends inside the cluster, so that what its members may do is certain; all physical attachments count as one
network that reaches every outside address, and nothing on it is certain. Source: MultiNetworkPolicy v1beta1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pyroaring import BitMap, FrozenBitMap

from audit.attachments import PHYSICAL, Attachment
from audit.classes import Classes
from audit.lacking import Lacking
from audit.peers import Peers
from audit.permits import Permit, Permits
from audit.policies import MULTI_NETWORK_POLICY, AttachedPolicy
from audit.policy.clause import DIRECTIONS, Block, Clause, Direction
from audit.traffic import ALL

REASON = "secondary-network"


class SecondaryRows:
    """The secondary networks of one cluster."""

    def __init__(self, classes: Classes, peers: Peers, permits: Permits, policies: Sequence[AttachedPolicy]) -> None:
        self._classes = classes
        self._peers = peers
        self._permits = permits
        self._policies: dict[str, list[AttachedPolicy]] = {}
        for one in policies:
            self._policies.setdefault(one.ref.namespace, []).append(one)
        self._enforced = classes.inventory.networks.secondary_enforced
        self._unread = bool(Lacking(classes.inventory.snapshot).undoing([MULTI_NETWORK_POLICY]))
        self.networks = sorted({one.network for one in classes.attached})
        """Names of the networks; permits carry the place in this list, counted from 1."""
        self._members = {network: self._attached_to(network) for network in self.networks}
        physical = self._members.get(PHYSICAL)
        self.physical = self._number(PHYSICAL) if physical else 0
        """The number of the network that leads anywhere; 0 if there is none."""
        beyond = [Permit(ALL, physical, REASON, network=self.physical)] if physical else []
        self.beyond = tuple(permits.number(one) for one in beyond)
        """What an outside address admits on the physical network."""

    def _attached_to(self, network: str) -> FrozenBitMap:
        found = BitMap()
        for attachment, classes in self._classes.attached.items():
            if attachment.network == network:
                found |= classes
        return FrozenBitMap(found)

    def _number(self, network: str) -> int:
        return self.networks.index(network) + 1

    def rows(self) -> Iterator[tuple[Direction, int, list[int]]]:
        """(direction, class, further permits)."""
        for attachment, classes in sorted(self._classes.attached.items()):
            for number in classes:
                for direction in DIRECTIONS:
                    permits = self._side(attachment, number, direction)
                    yield direction, number, [self._permits.number(one) for one in permits]

    def _side(self, attachment: Attachment, number: int, direction: Direction) -> Iterator[Permit]:
        base = "" if attachment.sure and not self._unread else REASON
        members = self._members[attachment.network]
        among = members | self._classes.outside if attachment.network == PHYSICAL else members
        network = self._number(attachment.network)
        isolating = self._isolating(attachment, number, direction) if self._enforced is not False else []
        if not isolating or self._enforced is None:
            reason = base or ("network-plugin" if isolating else "")
            yield Permit(ALL, among, reason, network=network)
        for one in isolating:
            for permit in self._permitted(one, number, direction, members):
                if peers := permit.peers & among:
                    yield Permit(permit.traffic, peers, base or permit.reason, permit.family, network)

    def _isolating(self, attachment: Attachment, number: int, direction: Direction) -> list[AttachedPolicy]:
        """All that select the attachment where one isolates the direction; a plug-in may read rules of the others."""
        pod = self._classes.inventory.endpoints[self._classes.members[number][0]]
        selecting = [
            one
            for one in self._policies.get(pod.namespace, ())
            if attachment.name in one.attachments and one.text.subject.matches(pod.labels)
        ]
        isolated = any(one.text.unknown or direction in one.text.isolates for one in selecting)
        return selecting if isolated else []

    def _permitted(
        self, one: AttachedPolicy, number: int, direction: Direction, members: FrozenBitMap
    ) -> Iterator[Permit]:
        everything = self._classes.everything
        if one.text.unknown:
            yield Permit(ALL, everything, "unknown-field")
            return
        for clause in one.text.clauses:
            if clause.direction != direction:
                continue
            if clause.unknown:
                yield Permit(ALL, everything, "unknown-field")
                continue
            listed = list(self._listed(one.ref.namespace, clause, members))
            for peers, reason, family in listed:
                for traffic, among in self._peers.traffic(clause, number):
                    yield Permit(traffic, peers if among is None else peers & among, reason or clause.doubt, family)
                if clause.ports.unknown:
                    yield Permit(clause.ports.unknown, peers, "unknown-field", family)

    def _listed(self, namespace: str, clause: Clause, members: FrozenBitMap) -> Iterable[tuple[FrozenBitMap, str, int]]:
        """(classes, reason, family): the addresses that pods have on the network are not known."""
        blocks = [peer for peer in clause.peers if isinstance(peer, Block)]
        for block in blocks:
            yield self._classes.at(block.addresses) & self._classes.outside, "", 0
        if blocks:
            yield members, "pod-address", 0
        yield from self._peers.of(namespace, [peer for peer in clause.peers if not isinstance(peer, Block)])
