"""Source addresses of outside traffic beside the zones: what every workload shows, and to which zone that belongs."""

from __future__ import annotations

from collections.abc import Mapping

from audit.exposure.ways import Source
from audit.flows import Departure
from audit.model import UNZONED, ZoneMatrix
from audit.reach import Reachability
from audit.traffic import address_number
from audit.zones import ZoneMap


def departures(reach: Reachability, zone_map: ZoneMap, matrix: ZoneMatrix) -> Mapping[str, tuple[Departure, ...]]:
    """Workload id -> its departures, sorted; equal lists are one object."""
    homes = _Homes(zone_map, matrix)
    zones, class_of = reach.classes.zones, reach.classes.class_of
    known: dict[tuple[tuple[Source, ...], str], tuple[Departure, ...]] = {}
    found = {}
    for workload in reach.inventory.workloads:
        by_zone: dict[str, list[int]] = {}
        for index in workload.pods:
            by_zone.setdefault(zones[class_of[index]], []).append(index)
        own: tuple[Departure, ...] = ()
        for zone, pods in by_zone.items():
            key = (reach.leaving.of_workload(pods), zone)
            if key not in known:
                known[key] = tuple(sorted(homes.departure(source, zone) for source in key[0]))
            own = tuple(sorted((*own, *known[key]))) if own else known[key]
        found[workload.id] = own
    return found


class _Homes:
    """Where addresses belong."""

    def __init__(self, zone_map: ZoneMap, matrix: ZoneMatrix) -> None:
        self._nodes = zone_map.nodes
        self._owned = [(zone.name, zone.cidrs | zone.egress_cidrs) for zone in matrix.zones]

    def departure(self, source: Source, home: str) -> Departure:
        """One source with its zone."""
        return Departure(
            address=source.address,
            via=source.via,
            node=source.node,
            verdict=source.verdict,
            zone=self._zone(source),
            home=home,
        )

    def _zone(self, source: Source) -> str:
        """The node's zone for an address of its own; the zone that alone claims any other; empty otherwise."""
        if source.of_node:
            zone = self._nodes[source.node].zone if source.node in self._nodes else UNZONED
            return "" if zone == UNZONED else zone
        try:
            number = address_number(source.address)
        except ValueError:
            return ""
        owners = [name for name, owned in self._owned if number in owned]
        return owners[0] if len(owners) == 1 else ""
