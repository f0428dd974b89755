"""The reachability document (`zone-audit.reachability/1`): endpoints, connections, assumptions.

Unlike `cells` this expands to pairs, because pairs are what was asked for; work is in proportion to the pairs written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from audit.reach_zones import by_zone
from audit.snapshot import Snapshot
from audit.tally import Tally
from audit.traffic import ALL, NONE, Traffic

SCHEMA = "zone-audit.reachability/1"
By = Literal["pod", "workload", "namespace", "zone"]


def document(
    snapshot: Snapshot, *, matrix: ZoneMatrix | None = None, by: By = "pod", plugin: Plugin | None = None
) -> dict[str, Any]:
    """The document as JSON-ready values; without a matrix endpoints have no zone and exposure is unknown.

    Endpoints are sorted by namespace, kind and name, address ranges by first address; connections by source, target and
    verdict.
    """
    meetings = meetings_of(snapshot, matrix, plugin)
    routable = {"routable": ALL, "overlay": NONE}.get(matrix.settings.pod_network) if matrix else None
    writer = _Writer(meetings, by, routable)
    writer.fill()
    found = {
        "schema": SCHEMA,
        "endpoints": list(writer.endpoints(zoned=matrix is not None)),
        "connections": list(writer.connections()),
        "assumptions": [*_missed(meetings.reach), *_assumed(meetings.reach, writer.doubts)],
        "entry_points": [entry_json(one, zoned=matrix is not None) for one in ways_in(meetings, matrix)],
    }
    return by_zone(found) | _ways(meetings, matrix) if matrix is not None and by == "zone" else found


def _ways(meetings: Meetings, matrix: ZoneMatrix) -> dict[str, Any]:
    """Chains and cuts between zones that must be apart, as in the results."""
    ways = paths(meetings, matrix, Tally(meetings, matrix).cells())
    return {
        "apart": path_records.counts(ways),
        "transit": msgspec.to_builtins(path_records.transit(ways)),
        "cuts": msgspec.to_builtins(path_records.cuts(ways)),
    }


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


class _Writer:
    """Adds connections up over the units that were asked for."""

    def __init__(self, meetings: Meetings, by: By, routable: Traffic | None) -> None:
        self._reach = meetings.reach
        self._inventory = meetings.reach.inventory
        self._classes = meetings.reach.classes
        self._meetings = meetings
        self._by = by
        self._routable = routable
        self._unit = self._units()
        self._blocks = self._address_units()
        self._named_blocks: dict[FrozenBitMap, list[str]] = {}
        self._class_units = [self._count(members) for members in self._classes.members]
        self._sizes: dict[str, int] = {}
        for unit in self._unit:
            self._sizes[unit] = self._sizes.get(unit, 0) + 1
        self._links: dict[tuple[str, str, object], _Link] = {}
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
            found[self._unit[index]] = found.get(self._unit[index], 0) + 1
        return found

    def _address_units(self) -> dict[int, str]:
        """Atom -> id; atoms that nothing tells apart share one."""
        return {atom: f"ip/{number}" for atom, number in enumerate(outside_groups(self._meetings))}

    def fill(self) -> None:
        """Adds all connections."""
        for group in self._meetings.groups:
            for piece in pieces(self._meetings, group):
                for target in group.members:
                    self._target(target, piece)
            for target in group.members:
                self._beside(target)
        self._own_nodes()

    def _target(self, target: int, piece: Piece) -> None:
        classes = self._classes
        inner = piece.sources & classes.all_pods
        for source in inner:
            self._link_classes(source, target, piece.certain, piece.possible, piece.reasons)
        for source in piece.sources - inner:
            self._from_outside(source, target, piece)

    def _names(self, number: int) -> dict[str, int]:
        if number >= self._classes.pods:
            return {self._blocks[number - self._classes.pods]: 1}
        return self._class_units[number]

    def _link_classes(
        self, source: int, target: int, certain: Traffic, possible: Traffic, reasons: frozenset[str]
    ) -> None:
        for left, many in self._names(source).items():
            for right, others in self._names(target).items():
                pairs = many * others - (many if source == target and left == right else 0)
                if pairs:
                    self._link(left, right).add(certain, possible, reasons, pairs)

    def _from_outside(self, source: int, target: int, piece: Piece) -> None:
        parts: Iterable[tuple[Traffic, str, bool]] = [(piece.possible, "", True)]
        if source not in self._meetings.node_atoms:
            parts = self._reach.exposure(target).split(piece.possible, self._routable)
        block = self._blocks[source - self._classes.pods]
        for possible, reason, way in parts:
            exposed = "unknown" if reason else way
            for name, count in self._class_units[target].items():
                self._link(block, name, exposed).add(piece.certain & possible, possible, piece.reasons, count)

    def _beside(self, target: int) -> None:
        """What enters with an address that is not the client's, or by another network."""
        for beside in self._meetings.beside(FrozenBitMap([target])):
            reasons = frozenset({beside.reason} - {""})
            certain = NONE if beside.reason else beside.traffic
            inner = beside.sources & self._classes.all_pods
            for source in inner:
                self._link_classes(source, target, certain, beside.traffic, reasons)
            for block in self._blocks_of(beside.sources - inner):
                for name, count in self._class_units[target].items():
                    self._link(block, name, exposed=True).add(certain, beside.traffic, reasons, count)

    def _blocks_of(self, addresses: FrozenBitMap) -> list[str]:
        found = self._named_blocks.get(addresses)
        if found is None:
            found = sorted({self._blocks[one - self._classes.pods] for one in addresses})
            self._named_blocks[addresses] = found
        return found

    def _own_nodes(self) -> None:
        """A host-network pod reaches every pod of its node; where a node is unknown it may."""
        here: dict[str, list[int]] = {}
        hosts: dict[str, list[int]] = {}
        for index, pod in enumerate(self._inventory.endpoints):
            (hosts if pod.host_network else here).setdefault(pod.node, []).append(index)
        for node, sources in hosts.items():
            certain = here.get(node, []) if node else []
            doubtful = [i for found in here.values() for i in found] if not node else here.get("", [])
            for source in sources:
                for target in certain:
                    self._link(self._unit[source], self._unit[target]).add(ALL, ALL, frozenset(), 1)
                for target in doubtful:
                    link = self._link(self._unit[source], self._unit[target])
                    link.add(NONE, ALL, frozenset({"host-network"}), 1)

    def _link(self, source: str, target: str, exposed: object = None) -> _Link:
        return self._links.setdefault((source, target, exposed), _Link())

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
        for atom, name in self._blocks.items():
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
        for number, members in enumerate(self._classes.members):
            for index in members:
                zone_of.setdefault(self._unit[index], set()).add(self._classes.zones[number])
        for index, pod in enumerate(self._inventory.endpoints):
            pods.setdefault(self._unit[index], []).append(pod)
        for unit, found in sorted(pods.items()):
            entry: dict[str, Any] = {"id": unit, **self._name(unit, found)}
            if zoned:
                zones = sorted(zone_of[unit])
                entry["zone"] = zones[0] if len(zones) == 1 else UNZONED
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
