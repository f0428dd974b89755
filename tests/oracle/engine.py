"""The engine under test behind one door: parsed manifests in, a reach document with questions out."""

from __future__ import annotations

import bisect
import functools
import ipaddress
import itertools
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit import reach_json, sources
from audit.profile import Plugin
from audit.snapshot import Snapshot

Json = Any
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Ports = dict[str, list[tuple[int, int]]]
PROTOCOLS = ("TCP", "UDP", "SCTP")
FAMILY_SIZE = {4: 1 << 32, 6: 1 << 128}


def snapshot(objects: Iterable[Json]) -> Snapshot:
    """What the readers make of one JSON `List` that holds the objects in the order given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cluster.json"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}), encoding="utf-8")
        return snapshot_of(path)


def snapshot_of(path: Path) -> Snapshot:
    """What the readers make of a file or a folder of manifests."""
    return sources.read([str(path)])


def document(found: Snapshot, by: reach_json.By = "pod", plugin: Plugin | None = None) -> Json:
    """The reach JSON document of a snapshot, as a consumer of the file would see it."""
    return json.loads(json.dumps(reach_json.document(found, by=by, plugin=plugin)))


def reach(objects: Iterable[Json], by: reach_json.By = "pod", plugin: Plugin | None = None) -> Reach:
    """The engine's answer for a cluster; `plugin` is the network plug-in, where the user says which."""
    return Reach(document(snapshot(objects), by, plugin))


@dataclass(frozen=True)
class Reach:
    """A reach document that can be asked by endpoint id or by outside address."""

    document: Json

    @functools.cached_property
    def inside(self) -> tuple[str, ...]:
        """Ids of the endpoints that are no outside addresses, sorted."""
        return tuple(sorted(e["id"] for e in self.document["endpoints"] if e["kind"] != "IPBlock"))

    @functools.cached_property
    def outside(self) -> dict[str, list[Any]]:
        """Ids of the outside endpoints with their CIDR blocks."""
        return {
            e["id"]: [ipaddress.ip_network(c) for c in e["cidrs"]]
            for e in self.document["endpoints"]
            if e["kind"] == "IPBlock"
        }

    @functools.cached_property
    def _ranges(self) -> list[tuple[tuple[int, int], tuple[int, int], str]]:
        """Family and ends of every outside range, ascending, with its endpoint."""
        return sorted(
            ((n.version, int(n.network_address)), (n.version, int(n.broadcast_address)), name)
            for name, networks in self.outside.items()
            for n in networks
        )

    def check(self) -> None:
        """Raises AssertionError unless the document is sound in itself."""
        self.check_partition()
        self.check_once()

    def check_partition(self) -> None:
        """The outside endpoints are disjoint and together hold every IPv4 and every IPv6 address."""
        for version, size in FAMILY_SIZE.items():
            expected = 0
            for low, high, _ in self._ranges:
                if low[0] == version:
                    assert low[1] == expected, f"outside ranges overlap or leave a gap at IPv{version} {low[1]:#x}"
                    expected = high[1] + 1
            assert expected == size, f"outside ranges do not reach the end of IPv{version}"

    def outside_of(self, address: Address) -> str:
        """The outside endpoint that holds an address."""
        key = (address.version, int(address))
        low, high, name = self._ranges[bisect.bisect_right(self._ranges, (key, (9, 0), "")) - 1]
        assert low <= key <= high
        return name

    @functools.cached_property
    def _verdicts(self) -> dict[tuple[str, str], dict[str, Ports]]:
        """Verdict to ports of every pair that the document lists; of several ways in from outside the best counts."""
        found: dict[tuple[str, str], dict[str, Ports]] = {}
        for connection in self.document["connections"]:
            assert connection["verdict"] in ("allowed", "unknown"), connection
            assert connection["ports"], connection
            assert connection["verdict"] == "allowed" or connection.get("reason"), (
                f"unknown without a reason: {connection}"
            )
            pair = found.setdefault((connection["src"], connection["dst"]), {})
            ports = pair.setdefault(connection["verdict"], {protocol: [] for protocol in PROTOCOLS})
            for protocol, text in connection["ports"].items():
                ports[protocol] += parse(text)
        for pair in found.values():
            unsure = pair.get("unknown", {})
            for protocol, ranges in unsure.items():
                unsure[protocol] = without(ranges, pair.get("allowed", {}).get(protocol, []))
        return found

    def check_once(self) -> None:
        """No way in is both allowed and unknown."""
        seen: dict[tuple[str, str, str], Ports] = {}
        for connection in self.document["connections"]:
            way = connection["src"], connection["dst"], str(connection.get("exposed"))
            for protocol, text in connection["ports"].items():
                listed = seen.setdefault(way, {}).setdefault(protocol, [])
                assert without(parse(text), listed) == parse(text), f"{way} is both allowed and unknown on {protocol}"
                listed += parse(text)

    def ends(self, end: str | Address) -> str:
        """An endpoint id for an id or an address."""
        return end if isinstance(end, str) else self.outside_of(end)

    def verdict(self, source: str | Address, target: str | Address, protocol: str, port: int) -> str:
        """`allowed`, `unknown` or `denied`."""
        pair = self._verdicts.get((self.ends(source), self.ends(target)), {})
        holding = [v for v, ports in pair.items() if any(low <= port <= high for low, high in ports[protocol])]
        return holding[0] if holding else "denied"

    def pair(self, source: str | Address, target: str | Address) -> dict[str, Ports]:
        """Verdict to merged port ranges of one pair; empty when it is denied."""
        found = self._verdicts.get((self.ends(source), self.ends(target)), {})
        return {
            verdict: {p: merged(ranges) for p, ranges in ports.items() if ranges}
            for verdict, ports in sorted(found.items())
            if any(ports.values())
        }

    def table(self, addresses: Iterable[Address] = ()) -> dict[tuple[str, str], dict[str, Ports]]:
        """Every pair that is not denied throughout, with the outside represented by the addresses given."""
        outside = list(addresses)
        pairs: list[tuple[str | Address, str | Address]] = [(a, b) for a in self.inside for b in self.inside]
        pairs += [pair for a in self.inside for b in outside for pair in ((a, b), (b, a))]
        return {(str(a), str(b)): found for a, b in pairs if (found := self.pair(a, b))}


def parse(text: str) -> list[tuple[int, int]]:
    """`80,8000-8010` as ranges; they must be sorted and disjoint and not adjacent."""
    ranges = [(int(low), int(high or low)) for low, _, high in (part.partition("-") for part in text.split(","))]
    assert all(low <= high for low, high in ranges)
    assert all(a[1] + 1 < b[0] for a, b in itertools.pairwise(ranges)), f"ranges are not canonical: {text}"
    return ranges


def without(ranges: Iterable[tuple[int, int]], less: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ports of the first ranges that are in none of the others."""
    found = list(ranges)
    for low, high in less:
        found = [part for a, b in found for part in ((a, min(b, low - 1)), (max(a, high + 1), b)) if part[0] <= part[1]]
    return found


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ports as sorted ranges that neither overlap nor touch."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found
