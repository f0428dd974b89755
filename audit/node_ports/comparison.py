"""What a firewall lets through between nodes, against what they need.

Input: a Listing and the rules of a firewall, where the first that matches decides. Output: the openings that are
missing, each for exactly the nodes that lack it, and remarks on rules that open more than is needed. Nodes that no rule
tells apart are looked at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from audit.node_ports.firewall_file import FirewallRule
from audit.node_ports.listing import Listing, Opening, Place
from audit.node_ports.service import NOTHING, Service
from audit.traffic import AddressSet, address_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The answer."""

    missing: Listing
    """The listing with what is not let through; the condition of what is needed only then stands with it."""
    broad: tuple[str, ...]
    """One remark for each rule that opens more between nodes than they need."""


def compare(listed: Listing, rules: Sequence[FirewallRule]) -> Compared:
    """What is missing for certain needs, and what is too much."""
    marks = _Marks(listed, rules)
    certain = (one for one in listed.openings if not one.condition)
    missing = tuple(left for one in certain for left in _missing(one, marks))
    return Compared(missing=replace(listed, openings=missing), broad=tuple(_broad(listed, rules, marks)))


class _Marks:
    """Which rules look at a node, as bits: bit n for rule n."""

    def __init__(self, listed: Listing, rules: Sequence[FirewallRule]) -> None:
        self._rules = rules
        texts = {text for side in listed.zones for place in side.nodes for text in place.addresses}
        numbers = sorted((address_number(text), text) for text in texts)
        self.sources = _looking(numbers, [one.sources for one in rules])
        self.targets = _looking(numbers, [one.targets for one in rules])
        self.allowed = cache(self._allowed)

    def _allowed(self, bits: int) -> Service:
        """What passes where these rules match: the first one that matches decides."""
        passed = decided = NOTHING
        for place in positions(bits):
            rule = self._rules[place]
            if rule.allows:
                passed |= rule.service - decided
            decided |= rule.service
        return passed


def _looking(numbers: Sequence[tuple[int, str]], sets: Sequence[AddressSet]) -> dict[str, int]:
    """Address -> the sets that hold it, as bits; `numbers` are the addresses in order."""
    found = [bytearray(len(sets) // 8 + 1) for _ in numbers]
    places = [number for number, _ in numbers]
    for bit, one in enumerate(sets):
        for low, high in one.spans:
            for place in range(bisect_left(places, low), bisect_right(places, high)):
                found[place][bit // 8] |= 1 << bit % 8
    return {text: int.from_bytes(bits, "little") for (_, text), bits in zip(numbers, found, strict=True)}


def positions(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set, ascending."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def _missing(one: Opening, marks: _Marks) -> Iterator[Opening]:
    """The parts of an opening that do not pass, each for a product of nodes."""
    sources, targets = _alike(one.source.nodes, marks.sources), _alike(one.target.nodes, marks.targets)
    lacking: dict[tuple[Service, tuple[int, ...]], list[int]] = {}
    for number, (family, bits) in enumerate(sources):
        by_service: dict[Service, list[int]] = {}
        for place, (other, more) in enumerate(targets):
            if family == other and (left := one.service - marks.allowed(bits & more)):
                by_service.setdefault(left, []).append(place)
        for left, places in by_service.items():
            lacking.setdefault((left, tuple(places)), []).append(number)
    keys = list(sources), list(targets)
    for (left, ends), starts in lacking.items():
        yield one._replace(
            source=one.source._replace(nodes=_joined(sources[keys[0][n]] for n in starts)),
            target=one.target._replace(nodes=_joined(targets[keys[1][n]] for n in ends)),
            ports=_ports(left),
        )


_Alike = dict[tuple[bool, int], list[Place]]
"""(whether IPv6, rules that look at it) -> nodes with the addresses that are meant."""


def _alike(nodes: Iterable[Place], marks: Mapping[str, int]) -> _Alike:
    """Nodes that no rule tells apart, by family of addresses."""
    found: _Alike = {}
    for node in nodes:
        for text in node.addresses:
            found.setdefault((":" in text, marks[text]), []).append(Place(node.name, (text,)))
    return found


def _joined(groups: Iterable[list[Place]]) -> tuple[Place, ...]:
    found: dict[str, tuple[str, ...]] = {}
    for place in (one for group in groups for one in group):
        found[place.name] = (*found.get(place.name, ()), *place.addresses)
    return tuple(Place(name, addresses) for name, addresses in sorted(found.items()))


def _ports(left: Service) -> str:
    """The ports that are left, empty for a protocol without."""
    return ",".join(text for text in left.traffic.ports().values())


def _broad(listed: Listing, rules: Sequence[FirewallRule], marks: _Marks) -> Iterator[str]:
    """Remarks on rules, in their order."""
    needed = [NOTHING] * len(rules)
    touched = 0
    for one in listed.openings:
        bits = _union(one.source.nodes, marks.sources) & _union(one.target.nodes, marks.targets)
        touched |= bits
        for place in positions(bits):
            needed[place] |= one.service
    for place in positions(touched):
        rule = rules[place]
        if rule.allows and (more := rule.service - needed[place]):
            yield f"{rule.position} opens {more} between nodes of different zones, which they do not need"


def _union(nodes: Iterable[Place], marks: Mapping[str, int]) -> int:
    found = 0
    for node in nodes:
        for text in node.addresses:
            found |= marks[text]
    return found
