"""Who lets through what the matrix forbids: excess flows -> breaches, one per cause.

The cause of a connection into a pod is the rule of the policy that admits it there, or the lack of any policy that
isolates the pod. The cause of a connection to an outside address is found the same way on the source's side. A policy
that opens thousands of pairs is one breach, and so is the lack of isolation within one cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from audit.classes import NOTHING
from audit.exposure.publications import NOBODY
from audit.flows import Breach, Cause
from audit.grants import DEFAULT, Grant
from audit.inventory import Pod
from audit.meet import Meetings, TargetGroup, first_pair
from audit.model import ObjectRef
from audit.policy.clause import Direction
from audit.traffic import NONE, Traffic, union
from audit.witnesses import Witnesses


class Flow(msgspec.Struct, frozen=True, gc=False):
    """Traffic from some source classes to a target group."""

    traffic: Traffic
    sources: FrozenBitMap
    reasons: tuple[str, ...]
    """Empty when certain."""
    exposed: bool = True
    network: int = 0
    """The secondary network that it runs on; 0 for the cluster's own."""
    router: int = NOBODY
    """Index into WaysIn.routers of the router that it comes through, where that is known."""

    @property
    def routed(self) -> bool:
        """Whether a known router brings it, so that the target's policies see that router."""
        return self.router != NOBODY


class Excess(msgspec.Struct, frozen=True, gc=False):
    """Flows from one zone to one target group; when handed to `breaches`, each has traffic beyond the matrix."""

    zone: str
    outside: bool
    """Whether the sources are outside addresses."""
    group: TargetGroup
    weight: int
    """Endpoints in the group."""
    flows: tuple[Flow, ...]


UNENFORCED = "the network plug-in enforces no policy: open"
Grants = tuple[Grant, ...] | Literal["host"] | None
"""What decides one side: grants of policies, nothing because of the host network, or nothing at all."""
_Key = tuple[str, int, tuple[str, ...], bool, bool]
"""(`policy`, `open`, `host`, `network` or `doubt`; index; reasons; exposed; whether the targets are outside)

`open` is a pod that no policy isolates, `host` one on the host network, which no policy binds. The index is that of a
policy, or the number of a secondary network."""


_NONE = -2
"""Instead of a policy at fault: none is preferred."""
_Part = tuple[FrozenBitMap, Traffic]
"""Source classes that all get the same traffic beyond the matrix."""


@dataclass(slots=True)
class _Sum:
    """A breach while it is being filled."""

    traffic: Traffic = NONE
    sources: FrozenBitMap = NOTHING
    targets: FrozenBitMap = NOTHING
    pairs: int = 0
    outside: bool = False
    first: tuple[int, int, Traffic] | None = None
    """Smallest (target class, source class) with its traffic."""


class _Fault(NamedTuple):
    """One cause within one target group."""

    kind: str
    policy: int
    exposed: bool
    parts: Sequence[_Part]

    def key(self, *, to_outside: bool) -> _Key:
        return self.kind, self.policy, (), self.exposed, to_outside


class Causes:
    """Explains the excess of cells."""

    def __init__(self, meetings: Meetings) -> None:
        self._reach = meetings.reach
        self._classes = meetings.reach.classes
        self._namespaces = self._classes.inventory.namespaces
        self.witnesses = Witnesses(self._classes)

    def breaches(self, excess: Sequence[Excess], allowed: Traffic) -> tuple[Breach, ...]:
        """One breach per cause, but for what routers bring in for certain, which the publishing object causes.

        What is certain between two endpoints is not repeated as uncertain between the same two.
        """
        sums: dict[_Key, _Sum] = {}
        for one in excess:
            for key, targets, parts in self._parts(one, allowed):
                if parts:
                    self._add(sums.setdefault(key, _Sum()), one, targets, parts)
        return tuple(self._breach(key, total) for key, total in sums.items() if total.pairs)

    def _parts(self, one: Excess, allowed: Traffic) -> Iterator[tuple[_Key, FrozenBitMap, Sequence[_Part]]]:
        """(cause, target classes, what their sources get); one item per cause and group of targets."""
        doubtful: dict[_Key, list[_Part]] = {}
        certain = [flow for flow in one.flows if not flow.reasons]
        for flow in one.flows:
            if flow.reasons:
                parts = doubtful.setdefault(("doubt", -1, flow.reasons, flow.exposed, one.group.outside), [])
                parts += _beside(flow, certain, allowed)
        for key, parts in doubtful.items():
            yield key, one.group.members, parts
        yield from self._on_networks([flow for flow in certain if flow.network], one.group, allowed)
        yield from self._by_policies(
            [flow for flow in certain if not flow.network and not flow.routed], one.group, allowed
        )

    def _on_networks(
        self, certain: Sequence[Flow], group: TargetGroup, allowed: Traffic
    ) -> Iterator[tuple[_Key, FrozenBitMap, Sequence[_Part]]]:
        """What endpoints may do on the secondary networks that they share."""
        for network in sorted({flow.network for flow in certain}):
            parts = [(flow.sources, flow.traffic - allowed) for flow in certain if flow.network == network]
            yield _Fault("network", network, exposed=True, parts=parts).key(to_outside=False), group.members, parts

    def _by_policies(
        self, certain: Sequence[Flow], group: TargetGroup, allowed: Traffic
    ) -> Iterator[tuple[_Key, FrozenBitMap, Sequence[_Part]]]:
        """What the policies of one side let through, the targets' where they have any."""
        if not certain:
            return
        if group.outside:
            for grants, sources in self._by_grants("egress", _union(certain)):
                for fault in self._faults(grants, group.members, certain, allowed):
                    among = [(part & sources, traffic) for part, traffic in fault.parts if part.intersect(sources)]
                    yield fault.key(to_outside=True), group.members, among
            return
        for grants, targets in self._by_grants("ingress", group.members):
            for fault in self._faults(grants, None, certain, allowed):
                yield fault.key(to_outside=False), targets, fault.parts

    def _faults(
        self,
        grants: Grants,
        targets: FrozenBitMap | None,
        flows: Sequence[Flow],
        allowed: Traffic,
    ) -> Iterator[_Fault]:
        """One fault per policy that lets through what is beyond, or one for an open default.

        `targets` are outside targets, whose permits are looked up on the source's side; None looks on the target's.
        """
        for exposed in (True, False):
            listed = [flow for flow in flows if flow.exposed == exposed]
            if listed and (grants is None or grants == "host"):
                parts = [(flow.sources, flow.traffic - allowed) for flow in listed]
                yield _Fault(grants or "open", -1, exposed, parts)
            elif listed and isinstance(grants, tuple):
                found: dict[int, list[_Part]] = {}
                for grant in grants:
                    through = self._let_through(grant, targets, listed, allowed)
                    found.setdefault(grant.policy, []).extend(through)
                for policy, through in found.items():
                    yield _Fault("open" if policy == DEFAULT else "policy", policy, exposed, through)

    def _let_through(
        self, grant: Grant, targets: FrozenBitMap | None, flows: Sequence[Flow], allowed: Traffic
    ) -> list[_Part]:
        """(sources, traffic beyond) that one grant is to blame for."""
        permit = self._reach.permits.all[grant.permit]
        if permit.reason or (targets is not None and not permit.peers.intersect(targets)):
            return []
        found = []
        for flow in flows:
            traffic = (flow.traffic & permit.traffic) - allowed
            sources = flow.sources if targets is not None else flow.sources & permit.peers
            if traffic and sources:
                found.append((sources, traffic))
        return found

    def _by_grants(self, direction: Direction, numbers: FrozenBitMap) -> list[tuple[Grants, FrozenBitMap]]:
        """Pod classes grouped by the grants they share."""
        listed = self._reach.grants[direction]
        groups: dict[object, list[int]] = {}
        for number in numbers:
            host = number >= self._classes.selectable
            groups.setdefault("host" if host else id(listed[number]), []).append(number)
        return [("host" if key == "host" else listed[found[0]], FrozenBitMap(found)) for key, found in groups.items()]

    def _add(self, total: _Sum, one: Excess, targets: FrozenBitMap, parts: Sequence[_Part]) -> None:
        classes = self._classes
        sources = FrozenBitMap.union(*(part for part, _ in parts))
        if one.group.outside:
            total.pairs += classes.weight(sources - total.sources)
        else:
            count = 1 if one.outside else classes.weight(sources)
            total.pairs += count * classes.weight(targets) - (0 if one.outside else classes.weight(sources & targets))
        total.outside |= one.outside
        total.traffic |= union(traffic for _, traffic in parts)
        total.sources |= sources
        total.targets |= targets
        place = first_pair(sources, targets, classes.weights)
        if place and (total.first is None or place < total.first[:2]):
            # Only what this very source gets: another one may get other ports.
            total.first = (*place, union(traffic for part, traffic in parts if place[1] in part))

    def _breach(self, key: _Key, total: _Sum) -> Breach:
        kind, policy, reasons, exposed, to_outside = key
        target, source, traffic = total.first or (0, 0, NONE)
        pods = self._classes.pods
        ingress = None if to_outside else self._cause("ingress", target, source, traffic, key)
        egress = None if source >= pods else self._cause("egress", source, target, traffic, key)
        return Breach(
            traffic=total.traffic,
            certain=kind != "doubt",
            reasons=reasons,
            ingress=ingress,
            egress=egress,
            exposed=exposed,
            sources=self._classes.weight(total.sources) + total.outside,
            targets=1 if to_outside else self._classes.weight(total.targets),
            pairs=total.pairs,
            subjects=self._subjects(kind, policy, total.sources if to_outside else total.targets),
            witness=self.witnesses.between(target, source, traffic),
        )

    def _subjects(self, kind: str, policy: int, open_classes: FrozenBitMap) -> tuple[ObjectRef, ...]:
        if kind == "policy":
            return (self._reach.policies[policy].ref,)
        if kind == "network":
            return (self._network(policy),)
        if kind == "host":
            workloads = self._classes.inventory.workloads
            return tuple(workloads[index].ref for index in sorted({self._first(c).workload for c in open_classes}))
        names = {self._first(number).namespace for number in open_classes if number < self._classes.pods}
        return tuple(self._namespaces[name].ref for name in sorted(names))

    def _network(self, number: int) -> ObjectRef:
        """The secondary network of that number."""
        namespace, _, name = self._reach.secondary.networks[number - 1].rpartition("/")
        return ObjectRef("UserDefinedNetwork" if namespace else "ClusterUserDefinedNetwork", namespace, name)

    def _first(self, number: int) -> Pod:
        return self._classes.inventory.endpoints[self._classes.members[number][0]]

    def side(  # noqa: PLR0913 - one connection, seen from one end
        self,
        direction: Direction,
        number: int,
        peer: int,
        traffic: Traffic,
        *,
        reasons: tuple[str, ...] = (),
        network: int = 0,
    ) -> Cause:
        """Why one class lets some traffic through with a peer class, on a secondary network if one is given.

        `reasons` are empty when it certainly does.
        """
        kind = "doubt" if reasons else "network" if network else "policy"
        return self._cause(direction, number, peer, traffic, (kind, network or _NONE, reasons, True, False))

    def _cause(self, direction: Direction, number: int, peer: int, traffic: Traffic, key: _Key) -> Cause:
        """Why one class lets the traffic through with a peer class; the policy at fault is preferred."""
        kind, policy, reasons = key[:3]
        endpoint = self._classes.inventory.workloads[self._first(number).workload].ref
        grants, permits = self._reach.grants[direction][number], self._reach.permits.all
        text = ""
        if number >= self._classes.selectable:
            text = "host network: no policy applies"
        elif kind == "network":
            text = f"attached to {self._network(policy)}"
        elif kind == "doubt" and not self._surely(direction, number, peer, traffic):
            text = f"undecided: {', '.join(reasons)}"
        elif grants is None:
            text = self._open("isolates")
        if text or grants is None:
            return Cause(direction=direction, endpoint=endpoint, text=text)
        fitting = [
            grant for grant in grants if peer in permits[grant.permit].peers and permits[grant.permit].traffic & traffic
        ]
        fitting.sort(key=lambda grant: (grant.policy != policy, bool(permits[grant.permit].reason)))
        if not fitting:
            return Cause(direction=direction, endpoint=endpoint, text="no rule admits it for certain")
        grant = fitting[0]
        if grant.policy == DEFAULT:
            return Cause(direction=direction, endpoint=endpoint, text=self._open("denies"))
        return Cause(
            direction=direction,
            ref=self._reach.policies[grant.policy].ref,
            endpoint=endpoint,
            rule=grant.clause.index,
            text=f"rule {grant.clause.index} admits {grant.clause}",
        )

    def _open(self, verb: str) -> str:
        """Why something is open that no policy opens."""
        if self._reach.profile.enforcement == "no":
            return UNENFORCED
        return f"no policy {verb} it: open by default"

    def _surely(self, direction: Direction, number: int, peer: int, traffic: Traffic) -> bool:
        """Whether the row of a class certainly lets some of the traffic through with a peer class."""
        row = (self._reach.permits.all[permit] for permit in self._reach.rows[direction][number])
        return any(not one.reason and peer in one.peers and one.traffic & traffic for one in row)


def ordered(breaches: Iterable[Breach]) -> tuple[Breach, ...]:
    """Breaches of one cell: certain ones first, then exposed ones, then most pairs."""
    return tuple(sorted(breaches, key=lambda one: (not one.certain, not one.exposed, -one.pairs, _name(one))))


def _union(flows: Sequence[Flow]) -> FrozenBitMap:
    return FrozenBitMap.union(*(flow.sources for flow in flows))


def _beside(doubt: Flow, certain: Sequence[Flow], allowed: Traffic) -> list[_Part]:
    """What a doubtful flow adds to what the same sources certainly get."""
    parts = [(doubt.sources, doubt.traffic - allowed)]
    for flow in certain:
        if flow.exposed or not doubt.exposed:
            cut = (
                part
                for sources, traffic in parts
                for part in ((sources - flow.sources, traffic), (sources & flow.sources, traffic - flow.traffic))
            )
            parts = [(sources, traffic) for sources, traffic in cut if sources and traffic]
    return [(sources, traffic) for sources, traffic in parts if sources and traffic]


def _name(breach: Breach) -> tuple[str, ...]:
    return tuple(map(str, breach.subjects)) + breach.reasons
