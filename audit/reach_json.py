"""The reachability document (`zone-audit.reachability/1`): endpoints, connections, assumptions.

Unlike `cells` this expands to pairs, because pairs are what was asked for; work is in proportion to the pairs written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from pyroaring import FrozenBitMap

from audit import path_records
from audit.cells import meetings_of, missed, ways_in
from audit.entry_points import entry_json
from audit.facts import gather
from audit.inventory import Pod
from audit.meet import Meetings, outside_groups
from audit.model import UNZONED, ZoneMatrix
from audit.paths import paths
from audit.pieces import Piece, pieces
from audit.profile import Plugin
from audit.reach import Reachability
from audit.reach_filter import Filter, Picker
from audit.reach_zones import by_zone
from audit.snapshot import Snapshot
from audit.tally import Tally
from audit.traffic import ALL, NONE, Traffic

SCHEMA = "zone-audit.reachability/1"
EVERYTHING = Filter()
By = Literal["pod", "workload", "namespace", "zone"]


def document(
    snapshot: Snapshot,
    *,
    matrix: ZoneMatrix | None = None,
    by: By = "pod",
    plugin: Plugin | None = None,
    wanted: Filter = EVERYTHING,
) -> dict[str, Any]:
    """The document as JSON-ready values; without a matrix endpoints have no zone and exposure is unknown.

    Endpoints are sorted by namespace, kind and name, address ranges by first address; connections by source, target and
    verdict. Under a filter connections are those of the whole document whose ends and ports were asked for, and
    endpoints are those that `from` or `to` picked and the ends of these connections. UsageError for unknown names.
    """
    asked = wanted.traffic
    meetings = meetings_of(snapshot, matrix, plugin)
    setting = matrix.settings.pod_network if matrix else "unknown"
    writer = _Writer(meetings, by, meetings.reach.routable(setting), asked)
    named: Collection[str] = ()
    if wanted:
        named = writer.restrict(Picker(meetings, matrix, writer.unit, writer.blocks), wanted)
    writer.fill()
    found = {
        "schema": SCHEMA,
        **({"filter": wanted.record()} if wanted else {}),
        **({"zones": _zones(matrix)} if matrix else {}),
        "endpoints": list(writer.endpoints(zoned=matrix is not None)),
        "connections": list(writer.connections()),
        "assumptions": [*_missed(meetings.reach), *_assumed(meetings.reach, writer.doubts)],
        "entry_points": [entry_json(one, zoned=matrix is not None) for one in ways_in(meetings, matrix)],
    }
    if wanted:
        found = by_zone(found) if matrix is not None and by == "zone" else found
        return found | {"endpoints": _listed(found, named)}
    return by_zone(found) | _ways(meetings, matrix) if matrix is not None and by == "zone" else found


def _ways(meetings: Meetings, matrix: ZoneMatrix) -> dict[str, Any]:
    """Chains and cuts between zones that must be apart, as in the results."""
    ways = paths(meetings, matrix, Tally(meetings, matrix).cells())
    return {
        "apart": path_records.counts(ways),
        "transit": msgspec.to_builtins(path_records.transit(ways)),
        "cuts": msgspec.to_builtins(path_records.cuts(ways)),
    }


def _zones(matrix: ZoneMatrix) -> list[dict[str, Any]]:
    """The declared zones in the order of reports: least trusted first."""
    ordered = sorted(matrix.zones, key=lambda zone: (zone.trust, zone.name))
    return [{"name": zone.name, "kind": zone.kind, "trust": zone.trust} for zone in ordered]


def _listed(found: Mapping[str, Any], named: Collection[str]) -> list[dict[str, Any]]:
    """The endpoints of a filtered document."""
    ends = {one[end] for one in found["connections"] for end in ("src", "dst")} | set(named)
    return [one for one in found["endpoints"] if one["id"] in ends]


def _missed(reach: Reachability) -> Iterator[dict[str, Any]]:
    """No connection that is listed rests on these: some may be missing."""
    for text in missed(reach):
        yield {"id": "incomplete-evidence", "text": text, "connections": 0}


def _assumed(reach: Reachability, doubts: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for one in gather(reach, doubts).assumptions:
        yield {"id": one.id, "text": one.text, "connections": one.connections}


@dataclass(slots=True)
class _Link:
    """What one unit may do to another, while pairs of their members are added up."""

    certain: Traffic = NONE
    possible: Traffic = NONE
    reasons: set[str] = field(default_factory=set)
    first: tuple[Traffic, Traffic] | None = None
    differs: bool = False
    pairs: int = 0

    def add(self, certain: Traffic, possible: Traffic, reasons: frozenset[str], pairs: int) -> None:
        self.differs |= self.first is not None and self.first != (certain, possible)
        self.first = self.first or (certain, possible)
        self.certain |= certain
        self.possible |= possible
        self.reasons |= reasons
        self.pairs += pairs


_Ends = tuple[str, str, object]
"""Source, target, and whether an entry point leads there (None where that is no question)."""


class _Writer:
    """Adds connections up over the units that were asked for."""

    def __init__(self, meetings: Meetings, by: By, routable: Traffic | None, asked: Traffic) -> None:
        self._reach = meetings.reach
        self._inventory = meetings.reach.inventory
        self._classes = meetings.reach.classes
        self._meetings = meetings
        self._by = by
        self._routable = routable
        self._asked = asked
        self.unit = self._units()
        self.blocks = self._address_units()
        self._named_blocks: dict[FrozenBitMap, list[str]] = {}
        everybody = [self._count(members) for members in self._classes.members]
        self._ends: tuple[Sequence[dict[str, int]], Sequence[dict[str, int]]] = (everybody, everybody)
        """By class the units, and how many members of the class each has: of sources, of targets."""
        self._picked: tuple[frozenset[str] | None, frozenset[str] | None] = (None, None)
        self._within = (self._classes.everything, self._classes.everything)
        self._sizes: dict[str, int] = {}
        for unit in self.unit:
            self._sizes[unit] = self._sizes.get(unit, 0) + 1
        self._links: dict[_Ends, _Link] = {}
        self.doubts: dict[str, int] = {}

    def _units(self) -> list[str]:
        """Endpoint index -> id of the unit it is shown as."""
        inventory = self._inventory
        zones: dict[int, str] = {}
        if self._by == "zone":
            for number, members in enumerate(self._classes.members):
                zones.update(dict.fromkeys(members, self._classes.zones[number] or UNZONED))
        naming: dict[str, Callable[[int, Pod], str]] = {
            "pod": lambda _, pod: inventory.endpoint_id(pod),
            "workload": lambda _, pod: inventory.workloads[pod.workload].id,
            "namespace": lambda _, pod: pod.namespace,
            "zone": lambda index, _: zones[index],
        }
        name = naming[self._by]
        return [name(index, pod) for index, pod in enumerate(inventory.endpoints)]

    def _count(self, members: Sequence[int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for index in members:
            found[self.unit[index]] = found.get(self.unit[index], 0) + 1
        return found

    def _address_units(self) -> dict[int, str]:
        """Atom -> id; atoms that nothing tells apart share one."""
        return {atom: f"ip/{number}" for atom, number in enumerate(outside_groups(self._meetings))}

    def restrict(self, picker: Picker, wanted: Filter) -> frozenset[str]:
        """Leaves out all pairs that were not asked for; the ids that the filter names."""
        zonal = self._by == "zone"
        picked = (picker.pick(wanted.sources, zonal=zonal), picker.pick(wanted.targets, zonal=zonal))
        self._ends = (self._chosen(self._ends[0], picked[0]), self._chosen(self._ends[1], picked[1]))
        self._within = (self._classes_of(0, picked[0]), self._classes_of(1, picked[1]))
        self._picked = picked
        return frozenset().union(*(one for one in picked if one is not None))

    def _wants(self, unit: str, end: int) -> bool:
        picked = self._picked[end]
        return picked is None or unit in picked

    def _chosen(self, counts: Sequence[dict[str, int]], picked: frozenset[str] | None) -> Sequence[dict[str, int]]:
        if picked is None:
            return counts
        return [{unit: count for unit, count in one.items() if unit in picked} for one in counts]

    def _classes_of(self, end: int, picked: frozenset[str] | None) -> FrozenBitMap:
        if picked is None:
            return self._classes.everything
        pods = [number for number, units in enumerate(self._ends[end]) if units]
        return FrozenBitMap(pods + [self._classes.pods + atom for atom, name in self.blocks.items() if name in picked])

    def fill(self) -> None:
        """Adds all connections that were asked for."""
        sources, targets = self._within
        within = None if sources == self._classes.everything else sources
        for group in self._meetings.groups:
            members = group.members & targets
            if not members:
                continue
            for piece in pieces(self._meetings, group, within):
                for target in members:
                    self._target(target, piece)
            for target in members:
                self._beside(target)
        self._own_nodes()

    def _target(self, target: int, piece: Piece) -> None:
        classes = self._classes
        inner = piece.sources & classes.all_pods
        for source in inner:
            self._link_classes(source, target, piece.certain, piece.possible, piece.reasons)
        for source in piece.sources - inner:
            self._from_outside(source, target, piece)

    def _names(self, number: int, end: int) -> dict[str, int]:
        if number >= self._classes.pods:
            return {self.blocks[number - self._classes.pods]: 1}
        return self._ends[end][number]

    def _link_classes(
        self, source: int, target: int, certain: Traffic, possible: Traffic, reasons: frozenset[str]
    ) -> None:
        for left, many in self._names(source, 0).items():
            for right, others in self._names(target, 1).items():
                pairs = many * others - (many if source == target and left == right else 0)
                if pairs:
                    self._add((left, right, None), certain, possible, reasons, pairs)

    def _from_outside(self, source: int, target: int, piece: Piece) -> None:
        parts: Iterable[tuple[Traffic, str, bool]] = [(piece.possible, "", True)]
        if source not in self._meetings.node_atoms:
            parts = self._reach.exposure(target).split(piece.possible, self._routable)
        block = self.blocks[source - self._classes.pods]
        for possible, reason, way in parts:
            exposed = "unknown" if reason else way
            for name, count in self._ends[1][target].items():
                self._add((block, name, exposed), piece.certain & possible, possible, piece.reasons, count)

    def _beside(self, target: int) -> None:
        """What enters with an address that is not the client's, or by another network."""
        for beside in self._meetings.beside(FrozenBitMap([target])):
            reasons = frozenset({beside.reason} - {""})
            certain = NONE if beside.reason else beside.traffic
            sources = beside.sources & self._within[0]
            inner = sources & self._classes.all_pods
            for source in inner:
                self._link_classes(source, target, certain, beside.traffic, reasons)
            for block in self._blocks_of(sources - inner):
                for name, count in self._ends[1][target].items():
                    self._add((block, name, True), certain, beside.traffic, reasons, count)

    def _blocks_of(self, addresses: FrozenBitMap) -> list[str]:
        found = self._named_blocks.get(addresses)
        if found is None:
            found = sorted({self.blocks[one - self._classes.pods] for one in addresses})
            self._named_blocks[addresses] = found
        return found

    def _own_nodes(self) -> None:
        """A host-network pod reaches every pod of its node; where a node is unknown it may."""
        here: dict[str, list[int]] = {}
        hosts: dict[str, list[int]] = {}
        for index, pod in enumerate(self._inventory.endpoints):
            end = 0 if pod.host_network else 1
            if self._wants(self.unit[index], end):
                (hosts, here)[end].setdefault(pod.node, []).append(index)
        for node, sources in hosts.items():
            certain = here.get(node, []) if node else []
            doubtful = [i for found in here.values() for i in found] if not node else here.get("", [])
            for source in sources:
                for target in certain:
                    self._add((self.unit[source], self.unit[target], None), ALL, ALL, frozenset(), 1)
                for target in doubtful:
                    ends = self.unit[source], self.unit[target], None
                    self._add(ends, NONE, ALL, frozenset({"host-network"}), 1)

    def _add(self, ends: _Ends, certain: Traffic, possible: Traffic, reasons: frozenset[str], pairs: int) -> None:
        """More pairs with the same connection, as far as its ports were asked for."""
        certain, possible = certain & self._asked, possible & self._asked
        if possible:
            self._links.setdefault(ends, _Link()).add(certain, possible, reasons, pairs)

    def connections(self) -> Iterator[dict[str, Any]]:
        """Every pair with an open or possibly open port."""
        for (source, target, exposed), link in sorted(self._links.items(), key=lambda item: tuple(map(str, item[0]))):
            whole = self._sizes.get(source, 1) * self._sizes.get(target, 1)
            whole -= self._sizes[source] if source == target else 0
            partial = link.differs or link.pairs < whole
            for verdict, traffic in (("allowed", link.certain), ("unknown", link.possible - link.certain)):
                if not traffic:
                    continue
                entry: dict[str, Any] = {"src": source, "dst": target, "verdict": verdict, "ports": traffic.ports()}
                if verdict == "unknown":
                    entry["reason"] = ", ".join(sorted(link.reasons))
                    for reason in link.reasons:
                        self.doubts[reason] = self.doubts.get(reason, 0) + 1
                if partial and self._by != "pod":
                    entry["partial"] = True
                if exposed is not None:
                    entry["exposed"] = exposed
                yield entry

    def endpoints(self, *, zoned: bool) -> Iterator[dict[str, Any]]:
        """Every unit, then every group of addresses."""
        yield from self._inside(zoned=zoned)
        atoms: dict[str, list[int]] = {}
        for atom, name in self.blocks.items():
            atoms.setdefault(name, []).append(atom)
        for name, found in atoms.items():
            entry: dict[str, Any] = {"id": name, "kind": "IPBlock"}
            if zoned:
                entry["zone"] = self._meetings.atom_zones[found[0]]
            entry["cidrs"] = list(self._classes.space.addresses(found).cidrs())
            yield entry

    def _inside(self, *, zoned: bool) -> Iterator[dict[str, Any]]:
        zone_of: dict[str, set[str]] = {}
        pods: dict[str, list[Pod]] = {}
        indices: dict[str, list[int]] = {}
        for number, members in enumerate(self._classes.members):
            for index in members:
                zone_of.setdefault(self.unit[index], set()).add(self._classes.zones[number])
        for index, pod in enumerate(self._inventory.endpoints):
            pods.setdefault(self.unit[index], []).append(pod)
            indices.setdefault(self.unit[index], []).append(index)
        for unit, found in sorted(pods.items()):
            entry: dict[str, Any] = {"id": unit, **self._name(unit, found)}
            if zoned:
                zones = sorted(zone_of[unit])
                entry["zone"] = zones[0] if len(zones) == 1 else UNZONED
            if self._by in ("pod", "workload"):
                entry["leaves_with"] = [
                    {"address": one.address, "via": one.via, "node": one.node, "verdict": one.verdict}
                    for one in self._reach.leaving.of_workload(indices[unit])
                ]
            if self._by == "workload":
                entry["pods"] = [pod.name for pod in found if not pod.template]
            yield entry

    def _name(self, unit: str, members: Sequence[Pod]) -> dict[str, str]:
        first = members[0]
        if self._by == "zone":
            return {"kind": "Zone", "name": unit}
        if self._by == "namespace":
            return {"kind": "Namespace", "namespace": unit, "name": unit}
        ref = self._inventory.workloads[first.workload].ref
        if self._by == "pod" and not first.template:
            return {"kind": "Pod", "namespace": first.namespace, "name": first.name}
        return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
