"""The connectivity lists that another analyser recorded for public manifests, compared with the engine's."""

from __future__ import annotations

import fnmatch
import ipaddress
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.oracle.portbits import EVERYTHING, NOTHING, PortBits

Points = PortBits
ALL = EVERYTHING
V4_END = (1 << 32) - 1
CASES = Path(__file__).parents[3] / "shared" / "conformance" / "netpol-analyzer" / "cases"
WORKLOAD = re.compile(r"(?P<ns>[^/\[]+)(\[udn\])?/(?P<name>.+)\[(?P<kind>\w+)\]")
EXTERNAL = re.compile(r"(?P<low>[0-9.]+)-(?P<high>[0-9.]+)\[External\]")


@dataclass(frozen=True)
class Range:
    """A range of IPv4 addresses, both ends included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{ipaddress.IPv4Address(self.low)}-{ipaddress.IPv4Address(self.high)}"


End = str | Range


@dataclass(frozen=True)
class Line:
    """One line of a list: what flows from one end to the other on one network."""

    source: End
    target: End
    ports: Points
    network: str = ""
    """Empty for the primary networks of the workloads, else the secondary network."""


@dataclass(frozen=True)
class Difference:
    """One pair on which the two disagree."""

    pair: str
    kind: str
    """How ours differs: `open` (more), `closed` (missing), `unknown` (undecided), joined by `+`; or `refused`."""
    text: str


def read(path: Path) -> list[Line]:
    """Every connection of an `expected.txt`; headings and the mapping of workloads to networks are skipped."""
    lines, network = [], ""
    for text in path.read_text(encoding="utf-8").splitlines():
        heading = re.fullmatch(r"Permitted connectivity analyzed in (secondary .+):", text)
        if text.startswith("Permitted connectivity"):
            network = heading.group(1) if heading else ""
        if " => " in text:
            source, target, ports = re.fullmatch(r"(.+) => (.+) : (.+)", text).groups()  # type: ignore[union-attr]
            lines.append(Line(end(source), end(target), points(ports), network))
    return lines


def end(text: str) -> End:
    """An endpoint id of ours, a range of addresses, or the pseudo endpoint as it stands."""
    if found := EXTERNAL.fullmatch(text):
        return Range(int(ipaddress.IPv4Address(found["low"])), int(ipaddress.IPv4Address(found["high"])))
    if found := WORKLOAD.fullmatch(text):
        return f"{found['ns']}/{found['kind']}/{found['name']}"
    assert text == "{ingress-controller}", text
    return text


def points(text: str) -> Points:
    """`SCTP 1-9002,TCP 80,8080` as a set."""
    if text == "All Connections":
        return ALL
    found, protocol = NOTHING, ""
    for part in text.split(","):
        *name, numbers = part.split(" ")
        protocol = name[0] if name else protocol
        low, _, high = numbers.partition("-")
        found |= PortBits.of(protocol, int(low), int(high or low))
    return found


def shown(ports: Points) -> str:
    """The set as text again, ranges joined."""
    if ports == ALL:
        return "all"
    parts = [f"{protocol} {low}" + (f"-{high}" if high > low else "") for protocol, low, high in ports.runs()]
    return ", ".join(parts) or "nothing"


@dataclass
class Table:
    """What flows per pair of ends; the outside is cut into ranges."""

    lines: list[Line]

    def cuts(self) -> set[int]:
        """Where ranges begin."""
        ranges = [e for line in self.lines for e in (line.source, line.target) if isinstance(e, Range)]
        return {r.low for r in ranges} | {r.high + 1 for r in ranges}

    def pairs(self, cuts: list[int]) -> dict[tuple[End, End, str], Points]:
        """Ports of every pair, with outside ends cut at the given places."""
        found: dict[tuple[End, End, str], Points] = {}
        for line in self.lines:
            for source, target in itertools.product(pieces(line.source, cuts), pieces(line.target, cuts)):
                key = (source, target, line.network)
                found[key] = found.get(key, NOTHING) | line.ports
        return found


def pieces(whole: End, cuts: list[int]) -> list[End]:
    """The end itself, or the parts of a range between cuts."""
    if isinstance(whole, str):
        return [whole]
    inside = [whole.low, *(c for c in cuts if whole.low < c <= whole.high), whole.high + 1]
    return [Range(low, high - 1) for low, high in itertools.pairwise(inside)]


def ours(document: Any, verdict: str) -> Table:
    """The document's connections of one verdict; IPv6 and a workload's connections to itself are left out."""
    outside = {
        e["id"]: [
            Range(int(n.network_address), int(n.broadcast_address))
            for n in map(ipaddress.ip_network, e["cidrs"])
            if n.version == 4
        ]
        for e in document["endpoints"]
        if e["kind"] == "IPBlock"
    }
    lines = []
    for c in document["connections"]:
        if c["verdict"] == verdict and c["src"] != c["dst"]:
            ports = points(",".join(f"{name} {ranges}" for name, ranges in c["ports"].items()))
            ends = itertools.product(outside.get(c["src"], [c["src"]]), outside.get(c["dst"], [c["dst"]]))
            lines += [Line(source, target, ports) for source, target in ends]
    return Table(lines)


def differences(expected: list[Line], document: Any) -> list[Difference]:
    """Every pair on which the engine's document says something else, outside ranges joined as far as they agree."""
    theirs, allowed, unknown = Table(expected), ours(document, "allowed"), ours(document, "unknown")
    cuts = sorted(theirs.cuts() | allowed.cuts() | unknown.cuts())
    left, sure, maybe = theirs.pairs(cuts), allowed.pairs(cuts), unknown.pairs(cuts)
    wrong = {}
    for key in left.keys() | sure.keys() | maybe.keys():
        certain = sure.get(key, NOTHING)
        # What one way in leaves open, another may admit for certain.
        doubtful = maybe.get(key, NOTHING) - certain
        if left.get(key, NOTHING) != certain or doubtful:
            wrong[key] = (left.get(key, NOTHING), certain, doubtful)
    return sorted((difference(key, *values) for key, values in joined(wrong)), key=lambda d: d.pair)


def joined(wrong: dict[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Entries whose outside ranges touch and whose values are equal, as one."""

    def order(key: Any) -> Any:
        source, target, network = key
        outside = source if isinstance(source, Range) else target if isinstance(target, Range) else Range(0, 0)
        inside = tuple("" if isinstance(e, Range) else e for e in (source, target))
        return (inside, network, outside.low)

    last: Any = None
    for key in sorted(wrong, key=order):
        if last is not None and wrong[key] == last[1] and (grown := grow(last[0], key)):
            last = (grown, last[1])
            continue
        if last is not None:
            yield last
        last = (key, wrong[key])
    if last is not None:
        yield last


def grow(first: Any, second: Any) -> Any:
    """One key for two that differ in touching ranges on the same side, else None."""
    for side, other in ((0, 1), (1, 0)):
        a, b = first[side], second[side]
        if isinstance(a, Range) and isinstance(b, Range) and first[other] == second[other] and a.high + 1 == b.low:
            ends = [first[0], first[1]]
            ends[side] = Range(a.low, b.high)
            return (*ends, first[2])
    return None


def difference(key: tuple[End, End, str], theirs: Points, allowed: Points, unknown: Points) -> Difference:
    """What to say about one pair."""
    source, target, network = key
    kinds = [("open", allowed - theirs), ("closed", theirs - allowed - unknown), ("unknown", unknown)]
    pair = f"{source} => {target}" + (f" @ {network}" if network else "")
    text = f"{pair}: they say {shown(theirs)}; we say allowed {shown(allowed)}, unknown {shown(unknown)}"
    return Difference(pair, "+".join(name for name, ports in kinds if ports), text)


@dataclass(frozen=True)
class Listed:
    """One entry of differences.yaml, for one case."""

    pairs: tuple[str, ...]
    """Patterns of `source => target`."""
    kind: str
    reason: str

    def holds(self, pattern: str, found: Difference) -> bool:
        """Whether the entry's pattern explains the difference."""
        return found.kind == self.kind and fnmatch.fnmatchcase(found.pair, pattern.replace("[", "[[]"))


def judge(found: list[Difference], listed: Iterable[Listed]) -> list[str]:
    """Complaints: differences that no entry explains, and patterns that explain none."""
    entries = list(listed)
    complaints = [
        f"not listed ({d.kind}): {d.text}"
        for d in found
        if not any(entry.holds(pattern, d) for entry in entries for pattern in entry.pairs)
    ]
    complaints += [
        f"listed, but it does not occur: `{pattern}` ({entry.kind})"
        for entry in entries
        for pattern in entry.pairs
        if not any(entry.holds(pattern, d) for d in found)
    ]
    return complaints
