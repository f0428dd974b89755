"""The reachability document with zones as endpoints: ranges of addresses become the zone that they belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.model import UNZONED
from audit.traffic import NONE, Traffic

Connection = Mapping[str, Any]


@dataclass(slots=True)
class _Sum:
    """Connections between two zones while they are added up."""

    by_verdict: dict[str, list[tuple[tuple[str, str], Traffic]]] = field(default_factory=dict)
    """Verdict -> (source and target as they were, ports)."""
    reasons: set[str] = field(default_factory=set)
    partial: bool = False

    def add(self, one: Connection) -> None:
        listed = self.by_verdict.setdefault(one["verdict"], [])
        listed.append(((one["src"], one["dst"]), Traffic.parse(one["ports"])))
        self.reasons.update(one.get("reason", "").split(", ") if one.get("reason") else ())
        self.partial |= one.get("partial", False)

    def traffic(self, verdict: str) -> Traffic:
        total = NONE
        for _, part in self.by_verdict.get(verdict, ()):
            total |= part
        return total

    def differs(self, verdict: str, whole: int) -> bool:
        """Whether some of the `whole` pairs of parts have other ports than the rest."""
        listed = self.by_verdict[verdict]
        return len({ends for ends, _ in listed}) < whole or len({part for _, part in listed}) > 1


def by_zone(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of zones, every range of addresses folded into its zone; a zone of addresses only is `outside`.

    A connection of some of the ranges or pods is `partial`. What comes from nodes of a zone counts as its own.
    """
    zone = {one["id"]: one.get("zone") or UNZONED for one in document["endpoints"]}
    ranges = [one["id"] for one in document["endpoints"] if one["kind"] == "IPBlock"]
    inside = {name for name in zone if name not in set(ranges)}
    held = {name: sum(zone[one] == name for one in ranges) for name in set(zone.values())}
    sums: dict[tuple[str, str, object], _Sum] = {}
    for one in document["connections"]:
        source, exposed = zone[one["src"]], one.get("exposed")
        own = source in inside and exposed is True
        sums.setdefault((source, zone[one["dst"]], None if own else exposed), _Sum()).add(one)
    connections = list(_connections(sums, inside, held))
    return {
        **document,
        "endpoints": [_endpoint(name, outside=name not in inside) for name in sorted(set(zone.values()))],
        "connections": connections,
        "assumptions": list(_recounted(document["assumptions"], connections)),
    }


def _endpoint(name: str, *, outside: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"id": name, "kind": "Zone", "name": name, "zone": name}
    return found | {"outside": True} if outside else found


def _connections(
    sums: Mapping[tuple[str, str, object], _Sum], inside: Collection[str], held: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """`inside` are the zones with pods, `held` the number of ranges of each zone; its pods count as one part more."""
    for (source, target, exposed), total in sorted(sums.items(), key=lambda item: tuple(map(str, item[0]))):
        pods = int(source in inside and exposed is None)
        # Ranges reach pods only: what goes from address to address never passes the cluster.
        whole = (held[source] + pods) * (target in inside) + pods * held[target]
        certain = total.traffic("allowed")
        for verdict, traffic in (("allowed", certain), ("unknown", total.traffic("unknown") - certain)):
            if not traffic:
                continue
            entry: dict[str, Any] = {"src": source, "dst": target, "verdict": verdict, "ports": traffic.ports()}
            if verdict == "unknown":
                entry["reason"] = ", ".join(sorted(total.reasons))
            if total.partial or total.differs(verdict, whole):
                entry["partial"] = True
            if exposed is not None:
                entry["exposed"] = exposed
            yield entry


def _recounted(assumptions: Iterable[Mapping[str, Any]], connections: Iterable[Connection]) -> Iterator[dict[str, Any]]:
    """The assumptions with the number of connections of this document that rest on each."""
    counts: dict[str, int] = {}
    for one in connections:
        for reason in one.get("reason", "").split(", "):
            counts[reason] = counts.get(reason, 0) + 1
    for assumption in assumptions:
        yield {**assumption, "connections": counts.get(assumption["id"], 0)}
