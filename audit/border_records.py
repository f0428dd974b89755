"""What crosses the border of the cluster -> records: entry points by zone behind them, source addresses by zone.

Input: entry points and departures as the engine found them. Output: records for the register. Decisions: workloads are
counted, not listed; a workload whose pods differ counts once under each record that is true of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from audit.flows import Backend, Departure, EntryPoint
from audit.report_annex import BackendRecord, DepartureRecord, EntryRecord
from audit.traffic import Traffic, address_number, union


def entries(found: Iterable[EntryPoint]) -> tuple[EntryRecord, ...]:
    """One record per entry point, in their order."""
    return tuple(
        EntryRecord(
            kind=one.kind,
            object=str(one.object),
            addresses=one.addresses,
            hostnames=one.hostnames,
            every_node=one.every_node,
            address_zones=one.address_zones,
            router_zones=one.router_zones or one.node_zones,
            zones=one.zones,
            open_zones=one.open_zones,
            namespaces=len(one.namespaces),
            backends=tuple(_backends(one.backends)),
        )
        for one in found
    )


def _backends(found: Iterable[Backend]) -> Iterable[BackendRecord]:
    """One for each zone and verdict, sorted."""
    grouped: dict[tuple[str, str], list[Backend]] = {}
    for one in found:
        grouped.setdefault((one.zone, one.verdict), []).append(one)
    for (zone, verdict), listed in sorted(grouped.items()):
        ports: Traffic = union(one.ports for one in listed)
        workloads = len({one.workload for one in listed})
        yield BackendRecord(zone=zone, verdict=verdict, workloads=workloads, ports=ports.ports())


_Key = tuple[str, str, str, str]
"""Zone of the workloads, what gives the address, verdict, zone of the address."""


def departures(found: Mapping[str, tuple[Departure, ...]]) -> tuple[DepartureRecord, ...]:
    """One record per zone, giver, verdict and zone of the addresses, sorted; equal lists are looked at once."""
    equal = Counter(map(id, found.values()))
    lists = {id(listed): listed for listed in found.values()}
    workloads: Counter[_Key] = Counter()
    addresses: dict[_Key, set[str]] = {}
    for number, listed in lists.items():
        keys = [(one.home, one.via, one.verdict, one.zone) for one in listed]
        workloads.update(dict.fromkeys(keys, equal[number]))
        for key, one in zip(keys, listed, strict=True):
            addresses.setdefault(key, set()).add(one.address)
    return tuple(
        DepartureRecord(
            zone=zone,
            via=via,
            verdict=verdict,
            address_zone=address_zone,
            addresses=tuple(sorted(shown - {""}, key=_order)),
            workloads=workloads[zone, via, verdict, address_zone],
        )
        for (zone, via, verdict, address_zone), shown in sorted(addresses.items())
    )


def _order(address: str) -> tuple[bool, int, str]:
    """IPv4 before IPv6, by number; what is no address last."""
    try:
        return False, address_number(address), ""
    except ValueError:
        return True, 0, address
