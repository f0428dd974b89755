"""Who publishes what the matrix forbids: certain flows through routers -> breaches, one per publishing object.

The policies of the pod let the router in, as they must; what leads the outside there is the Route, Ingress or HTTPRoute
together with the router that serves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from audit.causes import Causes, Excess, Flow
from audit.exposure.publications import Publication
from audit.flows import Breach, Cause
from audit.meet import Meetings
from audit.model import ObjectRef
from audit.traffic import NONE, Traffic


@dataclass(slots=True)
class _Sum:
    """A breach while it is being filled."""

    traffic: Traffic = NONE
    endpoints: set[int] = field(default_factory=set)
    publications: dict[Publication, None] = field(default_factory=dict)
    first: tuple[int, int, Traffic] | None = None
    """(endpoint, smallest source class, what flows) of the first endpoint."""


class Publishers:
    """Explains what enters through routers."""

    def __init__(self, meetings: Meetings, causes: Causes) -> None:
        self._reach = meetings.reach
        self._ways = meetings.reach.ways
        self._causes = causes

    def breaches(self, excess: Sequence[Excess], allowed: Traffic) -> tuple[Breach, ...]:
        """One breach per publishing object, by its name."""
        sums: dict[ObjectRef, _Sum] = {}
        for one in excess:
            for flow in one.flows:
                beyond = flow.traffic - allowed
                if beyond and flow.routed and not flow.reasons:
                    for endpoint in self._endpoints(one):
                        self._add(sums, endpoint, flow, beyond)
        return tuple(self._breach(by, total) for by, total in sorted(sums.items()))

    def _endpoints(self, one: Excess) -> Iterator[int]:
        for number in one.group.members:
            yield from self._reach.classes.members[number]

    def _add(self, sums: dict[ObjectRef, _Sum], endpoint: int, flow: Flow, beyond: Traffic) -> None:
        for publication in self._ways.published.get(endpoint, ()):
            if publication.router != flow.router or not publication.certain:
                continue
            traffic = self._ways.ports(publication, endpoint) & beyond
            if traffic:
                total = sums.setdefault(publication.by, _Sum())
                total.traffic |= traffic
                total.endpoints.add(endpoint)
                total.publications[publication] = None
                if total.first is None or endpoint < total.first[0]:
                    total.first = (endpoint, flow.sources.min(), traffic)

    def causes(self, target: int, router: int, traffic: Traffic, *, certain: bool) -> Iterator[Cause]:
        """What publishes some traffic of the first member of a class through a router, by name."""
        (endpoint, *_) = self._reach.classes.members[target]
        by: dict[ObjectRef, list[Publication]] = {}
        for one in self._ways.published.get(endpoint, ()):
            if one.router == router and (one.certain or not certain) and self._ways.ports(one, endpoint) & traffic:
                by.setdefault(one.by, []).append(one)
        for ref, listed in sorted(by.items()):
            yield self._cause(ref, endpoint, listed)

    def _cause(self, by: ObjectRef, endpoint: int, listed: Iterable[Publication]) -> Cause:
        inventory = self._reach.inventory
        return Cause(
            direction="ingress",
            ref=by,
            endpoint=inventory.workloads[inventory.endpoints[endpoint].workload].ref,
            text="; ".join(dict.fromkeys(self._told(one) for one in sorted(listed))),
        )

    def _breach(self, by: ObjectRef, total: _Sum) -> Breach:
        endpoint, source, traffic = total.first or (0, 0, NONE)
        return Breach(
            traffic=total.traffic,
            certain=True,
            ingress=self._cause(by, endpoint, total.publications),
            sources=1,
            targets=len(total.endpoints),
            pairs=len(total.endpoints),
            subjects=(by,),
            witness=self._causes.witnesses.at(endpoint, source, traffic),
        )

    def _told(self, one: Publication) -> str:
        router = self._ways.routers[one.router]
        workloads = {self._reach.inventory.endpoints[index].workload for index in router.pods}
        pods = ", ".join(self._reach.inventory.workloads[number].id for number in sorted(workloads))
        gets = "policies let in" if one.certain else "policies may let in"
        return f"publishes Service {'/'.join(one.service)} through {router.ref}, whose pods ({pods}) {gets}"
