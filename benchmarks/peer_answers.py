"""Whether two lists of pairs say the same: the peer's lines of text, and the table of `zone-audit reach`."""

from __future__ import annotations

import csv
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import peer_cluster

EVERY = 97
"""One workload in so many is compared: as source with every target, and as target with every source."""
LINE = re.compile(r"(?P<source>\S+) => (?P<target>\S+) : (?P<ports>.+)")
RANGE = re.compile(r"([0-9.]+)-([0-9.]+)")
TCP_ONLY = re.compile(r"\{protocols:TCP,dst_ports:([0-9,-]+)\}")
BLOCK = re.compile(r"ip/[0-9]+ \(([0-9.]+)/[0-9]+.*\)")
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """How the answers for the sampled pairs compare."""

    agreeing: int
    """Pairs that both list with the same ports."""
    undecided: int
    """Pairs about which zone-audit says that the input does not decide."""
    differing: tuple[Pair, ...]
    """Pairs that only one lists, or with other ports; sorted."""


def compared(theirs: Path, ours: Path, namespaces: int) -> str:
    """One sentence about the sample, with the first pairs that differ."""
    sample = sampled(namespaces)
    mine, undecided, probes = our_pairs(ours, sample)
    tally = meet(peer_pairs(theirs, sample, probes), mine, undecided)
    pairs = 2 * len(sample) * (namespaces * peer_cluster.WORKLOADS + len(probes))
    listed = "; ".join(f"{source} -> {target}" for source, target in tally.differing[:3])
    return (
        f"of some {pairs:,} answers compared, {tally.agreeing:,} connections are the same, {tally.undecided:,} "
        f"undecided, {len(tally.differing):,} differ{f' ({listed})' if listed else ''}; what neither lists is denied"
    )


def sampled(namespaces: int) -> frozenset[str]:
    """Ids of the workloads that are compared, `namespace/app`."""
    every = range(0, namespaces * peer_cluster.WORKLOADS, EVERY)
    return frozenset(
        f"{peer_cluster.space(serial // peer_cluster.WORKLOADS)}/app-{serial % peer_cluster.WORKLOADS}"
        for serial in every
    )


def meet(theirs: Mapping[Pair, str], mine: Mapping[Pair, str], undecided: frozenset[Pair]) -> Tally:
    """Both lists pair by pair; what is undecided counts as neither the same nor different."""
    pairs = (theirs.keys() | mine.keys()) - undecided
    differing = sorted(pair for pair in pairs if theirs.get(pair) != mine.get(pair))
    return Tally(len(pairs) - len(differing), len(undecided), tuple(differing))


def our_pairs(path: Path, sample: frozenset[str]) -> tuple[dict[Pair, str], frozenset[Pair], tuple[int, ...]]:
    """(pair -> ports, undecided pairs, outside addresses), of IPv4; a group of addresses is its first address."""
    found: dict[Pair, str] = {}
    undecided: set[Pair] = set()
    probes: set[int] = set()
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            pair = our_end(row["source"]), our_end(row["target"])
            probes.update(int(ipaddress.IPv4Address(end)) for end in pair if "/" not in end)
            if sample.isdisjoint(pair):
                continue
            if row["verdict"] == "unknown":
                undecided.add(pair)
            else:
                found[pair] = row["ports"]
    return found, frozenset(undecided), tuple(sorted(probes))


def our_end(text: str) -> str:
    """`namespace/app`, or the first address of a group; the id itself where it is neither, which then differs."""
    if block := BLOCK.fullmatch(text):
        return block[1]
    space, _, rest = text.partition("/")
    return f"{space}/{rest.rpartition('/')[2]}"


def peer_pairs(path: Path, sample: frozenset[str], probes: tuple[int, ...]) -> dict[Pair, str]:
    """Pair -> ports; a range of addresses is those of the probes that it holds."""
    found: dict[Pair, str] = {}
    with path.open(encoding="utf-8") as lines:
        for line in map(LINE.match, lines):
            if line is None:
                continue
            for source in peer_ends(line["source"], probes):
                for target in peer_ends(line["target"], probes):
                    if source != target and not sample.isdisjoint((source, target)):
                        found[source, target] = peer_ports(line["ports"])
    return found


def peer_ends(text: str, probes: tuple[int, ...]) -> Iterator[str]:
    """`namespace/app`, or every probe within a range."""
    ends = RANGE.fullmatch(text)
    if ends is None:
        yield text.partition("[")[0]
        return
    low, high = (int(ipaddress.IPv4Address(end)) for end in ends.groups())
    yield from (str(ipaddress.IPv4Address(probe)) for probe in probes if low <= probe <= high)


def peer_ports(text: str) -> str:
    """`any` or `tcp/8080`, as zone-audit writes it; any other text as it stands, which then differs."""
    if text.strip() == "All connections":
        return "any"
    ports = TCP_ONLY.fullmatch(text.strip())
    return ", ".join(f"tcp/{part}" for part in ports[1].split(",")) if ports else text
