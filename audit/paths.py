"""Ways between zones that the matrix keeps apart: chains through other zones, and what to close to part them.

Input: Meetings, the matrix and its cells. Output: Paths. Decisions: a chain steps through pods only, as what happens
behind an outside address is not the cluster's to say; the inherent connection of a node to its own pods is no step, as
it is in no cell; where zones alone already show that there is no way, nothing is searched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from pyroaring import FrozenBitMap

from audit.causes import Causes
from audit.classes import NOTHING
from audit.cuts import smallest
from audit.exposure.publications import NOBODY
from audit.flows import Cause, CellFlow, Chain, Cut, Hop, Paths
from audit.hops import Net, Product, Way, shortest
from audit.inventory import Pod
from audit.meet import Meetings
from audit.model import ObjectRef, ZoneMatrix
from audit.openings import Ground, Opening
from audit.published import Publishers
from audit.traffic import Traffic, union

MOST = 20
"""Openings of a cut; nobody closes more than these one by one."""
DENSE = "not sought: too many different permits meet to search them"
Pair = tuple[str, str]


def paths(meetings: Meetings, matrix: ZoneMatrix, cells: Sequence[CellFlow]) -> Paths:
    """All chains and cuts."""
    return Search(meetings, matrix, cells).found()


def between(
    meetings: Meetings, matrix: ZoneMatrix, cells: Sequence[CellFlow], source: str, target: str
) -> tuple[Chain | None, Cut | None]:
    """The chain and the cut of one pair of zones; neither where the matrix lets something through."""
    search = Search(meetings, matrix, cells)
    if not _apart(matrix, source, target):
        return None, None
    chain = search.chain(source, target)
    return chain, search.cut(source, target, chain)


class Search:
    """Chains and cuts of one matrix."""

    def __init__(self, meetings: Meetings, matrix: ZoneMatrix, cells: Sequence[CellFlow]) -> None:
        self._meetings = meetings
        self._classes = meetings.reach.classes
        self._cells = {(cell.source, cell.target): cell for cell in cells}
        self._apart = [pair for pair, cell in self._cells.items() if cell.populated and _apart(matrix, *pair)]
        self._ground = Ground(meetings, meetings.reach.routable(matrix.settings.pod_network))
        self._causes = Causes(meetings)
        self._publishers = Publishers(meetings, self._causes)
        self._certain = {pair for pair, cell in self._cells.items() if cell.observed}
        self._possible = {pair for pair, cell in self._cells.items() if cell.possible}

    def found(self) -> Paths:
        """Everything, pair by pair."""
        chains = {pair: chain for pair in self._apart if (chain := self.chain(*pair))}
        cuts = [cut for pair in self._apart if (cut := self.cut(*pair, chain=chains.get(pair)))]
        exact = all(chain.proven for chain in chains.values()) and all(cut.reason != DENSE for cut in cuts)
        return Paths(apart=len(self._apart), chains=tuple(chains.values()), cuts=tuple(cuts), exact=exact)

    # Chains

    def chain(self, source: str, target: str) -> Chain | None:
        """A shortest chain from one zone to another, over certain connections where there is one; else None."""
        for edges, certain in ((self._certain, True), (self._possible, False)):
            zones = self._by_zone(source, target, edges)
            if not zones:
                continue
            net = self._ground.certain if certain else self._ground.possible
            if net is None:
                hops = tuple(self._zone_hop(*pair, certain=certain) for pair in pairwise(zones))
                return Chain(source=source, target=target, certain=certain, proven=False, hops=hops)
            way = self._way(net, source, target, direct=False)
            if way:
                hops = tuple(self._hop(net, *pair) for pair in pairwise(way.classes))
                surely = not any(hop.reasons for hop in hops)
                return Chain(source=source, target=target, certain=surely, proven=True, hops=hops)
        return None

    def _by_zone(self, source: str, target: str, edges: Collection[Pair]) -> list[str]:
        """The shortest chain of zones of more than one hop; empty if there is none."""
        before = {zone: source for zone in self._zones if (source, zone) in edges and zone not in (source, target)}
        frontier = list(before)
        while frontier:
            for zone in frontier:
                if zone in self._peopled and (zone, target) in edges:
                    chain = [target, zone]
                    while chain[-1] != source:
                        chain.append(before[chain[-1]])
                    return chain[::-1]
            frontier = self._beyond(frontier, before, edges, (source, target))
        return []

    def _beyond(
        self, frontier: Iterable[str], before: dict[str, str], edges: Collection[Pair], ends: Pair
    ) -> list[str]:
        fresh = []
        for zone in frontier:
            for other in self._zones:
                if zone in self._peopled and (zone, other) in edges and other not in before and other not in ends:
                    before[other] = zone
                    fresh.append(other)
        return fresh

    @cached_property
    def _zones(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(source for source, _ in self._cells))

    @cached_property
    def _peopled(self) -> frozenset[str]:
        """Zones with pods."""
        return frozenset(self._classes.zones)

    @cached_property
    def _members(self) -> Mapping[str, FrozenBitMap]:
        """Zone -> classes."""
        listed: dict[str, list[int]] = {}
        for number, zone in enumerate((*self._classes.zones, *self._meetings.atom_zones)):
            listed.setdefault(zone, []).append(number)
        return {zone: FrozenBitMap(numbers) for zone, numbers in listed.items()}

    def _way(self, net: Net, source: str, target: str, *, direct: bool = True) -> Way | None:
        start, goal = self._members.get(source, NOTHING), self._members.get(target, NOTHING)
        return shortest(net, start, goal, self._classes.all_pods - goal, direct=direct)

    def _zone_of(self, number: int) -> str:
        pods = self._classes.pods
        return self._classes.zones[number] if number < pods else self._meetings.atom_zones[number - pods]

    def _hop(self, net: Net, source: int, target: int) -> Hop:
        """Everything about one connection; its reasons are those of its surest part."""
        listed = [one for one in net.products(target) if source in one.sources]
        first = min(listed, key=lambda one: (len(one.reasons), one.reasons, one.network))
        reasons, network = first.reasons, first.network
        traffic = union(one.traffic for one in listed if (one.reasons, one.network) == (reasons, network))
        witness = self._causes.witnesses.between(target, source, traffic)
        port = Traffic.of(witness.protocol, witness.port)
        return Hop(
            source=self._zone_of(source),
            target=self._zone_of(target),
            traffic=traffic,
            witness=witness,
            reasons=reasons,
            through=tuple(self._through(source, target, port, first)),
        )

    def _through(self, source: int, target: int, port: Traffic, product: Product) -> Iterator[Cause]:
        reasons, network = product.reasons, product.network
        if product.router != NOBODY:
            yield from self._publishers.causes(target, product.router, port, certain=not reasons)
            return
        if source < self._classes.pods:
            yield self._causes.side("egress", source, target, port, reasons=reasons, network=network)
        elif source not in self._meetings.node_atoms and port <= self._meetings.reach.exposure(target).direct:
            yield _entry_cause(self._classes.inventory.workloads[self._first(target).workload].ref)
        if target < self._classes.pods:
            yield self._causes.side("ingress", target, source, port, reasons=reasons, network=network)

    def _zone_hop(self, source: str, target: str, *, certain: bool) -> Hop:
        """A connection of two zones, whichever endpoints have it."""
        cell = self._cells[source, target]
        breach = next((one for one in cell.breaches if one.certain == certain and one.exposed), None)
        sides = (breach.egress, breach.ingress) if breach else ()
        return Hop(
            source=source,
            target=target,
            traffic=cell.observed if certain else cell.possible,
            witness=breach.witness if breach else cell.witness,
            reasons=() if certain else cell.reasons,
            through=tuple(side for side in sides if side),
        )

    # Cuts

    def cut(self, source: str, target: str, chain: Chain | None) -> Cut | None:
        """What parts two zones, of which `chain` is the way through others; None if nothing certain connects them."""
        direct = (source, target) in self._certain
        transit = chain is not None and chain.certain
        if not direct and not transit:
            return None
        if self._ground.certain is None:
            return Cut(source=source, target=target, direct=direct, transit=transit, reason=DENSE)
        found = smallest(lambda closed, most: self._disjoint(source, target, closed, most), MOST)
        openings: tuple[Cause, ...] = ()
        reason = ""
        if found.cut:
            openings = tuple(self._cause(one) for one in sorted(found.cut))
        elif found.least:
            reason = f"at least {found.least} would have to be closed"
        else:
            reason = self._why(source, target, found.closed)
        return Cut(
            source=source,
            target=target,
            direct=direct,
            transit=transit,
            openings=openings,
            least=found.least,
            reason=reason,
        )

    def _disjoint(self, source: str, target: str, closed: frozenset[Opening], most: int) -> list[tuple[Opening, ...]]:
        """Ways that remain, no two with an opening in common; all of them variants of one shortest way."""
        way = self._way(self._ground.without(closed), source, target)
        found: list[tuple[Opening, ...]] = []
        used = set(closed)
        pools = list(way.pools) if way else []
        while pools and all(pools) and len(found) < most:
            classes = [pool.min() for pool in pools]
            openings = self._openings(classes, closed)
            if not used.intersection(openings):
                found.append(openings)
                used.update(openings)
                if not openings:
                    break
            pools = [pool - self._alike(number) for pool, number in zip(pools, classes, strict=True)]
        return found

    def _openings(self, classes: Sequence[int], closed: Collection[Opening]) -> tuple[Opening, ...]:
        found: list[Opening] = []
        for source, target in pairwise(classes):
            # A hop that no opening explains counts as one that nothing closes: then no cut is claimed.
            found += self._ground.openings(source, target, closed) or ()
        return tuple(dict.fromkeys(found))

    def _alike(self, number: int) -> FrozenBitMap:
        """What need not be tried beside a class: the rest of its namespace. Addresses rest on nothing, so any will do.

        Ways that this misses are found when what was used is closed.
        """
        if number >= self._classes.pods:
            return NOTHING
        start, end = self._classes.ranges.get(self._first(number).namespace, (0, 0))
        return FrozenBitMap(range(start, end)) | FrozenBitMap([number])

    def _first(self, number: int) -> Pod:
        return self._classes.inventory.endpoints[self._classes.members[number][0]]

    def _cause(self, opening: Opening) -> Cause:
        """An opening for people."""
        if opening.kind == "rule":
            policy = self._meetings.reach.policies[opening.number]
            wanted = (opening.direction, opening.rule)
            clause = next(one for one in policy.text.clauses if (one.direction, one.index) == wanted)
            text = f"rule {opening.rule} admits {clause}"
            return Cause(direction=opening.direction, ref=policy.ref, rule=opening.rule, text=text)
        inventory = self._classes.inventory
        if opening.kind == "entry":
            return _entry_cause(inventory.workloads[opening.number].ref)
        place = inventory.namespaces[opening.namespace].ref
        return Cause(direction=opening.direction, endpoint=place, text="no policy isolates its pods: open by default")

    def _why(self, source: str, target: str, closed: Collection[Opening]) -> str:
        """Why nothing parts two zones: the way without an opening, over the host network or a secondary network."""
        net = self._ground.without(closed)
        way = self._way(net, source, target)
        hops = [self._hop(net, *pair) for pair in pairwise(way.classes)] if way else []
        named = " and ".join(f"{hop.witness.source} -> {hop.witness.target}" for hop in hops if hop.witness)
        return f"no NetworkPolicy, cluster-wide policy or entry point decides {named}"


def _entry_cause(workload: ObjectRef) -> Cause:
    text = "an entry point leads to it: a Service, a host port, the host network or a router"
    return Cause(direction="ingress", endpoint=workload, text=text)


def _apart(matrix: ZoneMatrix, source: str, target: str) -> bool:
    """Whether the matrix lets nothing from one zone to another."""
    return source != target and not matrix.expect(source, target).allowed
