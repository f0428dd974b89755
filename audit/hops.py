"""Hops over endpoint classes, and the shortest ways that they make.

A hop is what one permit of the source and one permit of the target let through together, so all hops are unions of
products (sources x targets); a search steps from set to set and never lists pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyroaring import BitMap, FrozenBitMap

from audit.traffic import NONE, Traffic


@dataclass(frozen=True, slots=True)
class Side:
    """One permit with the classes that hold it."""

    traffic: Traffic
    peers: FrozenBitMap
    holders: FrozenBitMap
    reason: str = ""
    family: int = 0
    network: int = 0
    number: int = -1
    """Of the permit; -1 where it was made for a search."""

    @property
    def kind(self) -> tuple[Traffic, int, int]:
        """All that decides what it meets."""
        return self.traffic, self.family, self.network

    def meets(self, other: Side) -> Traffic:
        """What both let through, whoever the ends are."""
        apart = self.network != other.network or (self.family and other.family and self.family != other.family)
        return NONE if apart else self.traffic & other.traffic


class Product(NamedTuple):
    """Every source may open connections to every target."""

    sources: FrozenBitMap
    targets: FrozenBitMap
    traffic: Traffic
    reasons: tuple[str, ...] = ()
    network: int = 0
    """0, or the secondary network that it runs on."""
    router: int = -1
    """Router of the input that brings it in; -1 for none."""


@dataclass(frozen=True, slots=True)
class Net:
    """All hops."""

    outs: Sequence[Side]
    ins: Sequence[Side]
    linked: Sequence[Sequence[int]]
    """Place in `outs` -> places in `ins` whose traffic it meets."""
    beside: Sequence[Product] = ()
    """Hops that no permit decides."""

    def after(self, frontier: FrozenBitMap) -> BitMap:
        """Everything one hop away."""
        found = BitMap()
        for out, listed in zip(self.outs, self.linked, strict=True):
            leaving = frontier & out.holders
            if leaving:
                for place in listed:
                    side = self.ins[place]
                    if side.peers.intersect(leaving):
                        found |= side.holders & out.peers
        for one in self.beside:
            if one.sources.intersect(frontier):
                found |= one.targets
        return found

    def products(self, target: int) -> Iterator[Product]:
        """The hops that lead to one class."""
        for out, listed in zip(self.outs, self.linked, strict=True):
            if target in out.peers:
                for place in listed:
                    side = self.ins[place]
                    if target in side.holders and (sources := out.holders & side.peers):
                        reasons = tuple(sorted({out.reason, side.reason} - {""}))
                        yield Product(sources, side.holders & out.peers, out.meets(side), reasons, out.network)
        for one in self.beside:
            if target in one.targets:
                yield one


def widened(net: Net, outs: Iterable[Side], ins: Iterable[Side]) -> Net:
    """The net with more sides."""
    more, every = tuple(outs), (*net.ins, *ins)
    meeting = _Partners(every, len(net.ins))
    linked = [
        [*listed, *found] if (found := meeting.of(out)) else listed
        for out, listed in zip(net.outs, net.linked, strict=True)
    ]
    whole = _Partners(every, 0)
    return Net([*net.outs, *more], every, [*linked, *map(whole.of, more)], net.beside)


class _Partners:
    """Sides by what they let through, as few kinds of traffic stand behind thousands of sides."""

    def __init__(self, sides: Sequence[Side], first: int) -> None:
        self._kinds: dict[object, list[int]] = {}
        for place in range(first, len(sides)):
            self._kinds.setdefault(sides[place].kind, []).append(place)
        self._sides = sides
        self._known: dict[object, list[int]] = {}

    def of(self, out: Side) -> list[int]:
        """Places of the sides that meet one, ascending."""
        found = self._known.get(out.kind)
        if found is None:
            kinds = (places for places in self._kinds.values() if out.meets(self._sides[places[0]]))
            found = self._known[out.kind] = sorted(place for places in kinds for place in places)
        return found


class Way(NamedTuple):
    """A shortest way between two sets of classes."""

    classes: tuple[int, ...]
    pools: tuple[FrozenBitMap, ...]
    """Per place the classes that may stand there: any choice of them is a way."""


def shortest(
    net: Net, start: FrozenBitMap, goal: FrozenBitMap, inner: FrozenBitMap, *, direct: bool = True
) -> Way | None:
    """A shortest way over `inner` classes, the same one every time; with `direct` False none of a single hop."""
    layers, seen, frontier = [start], BitMap(start), start
    while frontier:
        new = net.after(frontier) - seen
        if len(layers) == 1 and not direct:
            new -= goal
        elif ends := FrozenBitMap(new & goal):
            return _traced(net, [*layers, ends])
        seen |= new
        frontier = FrozenBitMap(new & inner)
        layers.append(frontier)
    return None


def _traced(net: Net, layers: Sequence[FrozenBitMap]) -> Way:
    """A way from the first layer to the last, each class one hop from the layer before."""
    target = layers[-1].min()
    classes, pools = [target], [layers[-1]]
    for layer in reversed(layers[:-1]):
        chosen = next(one for one in net.products(target) if one.sources.intersect(layer))
        pools[-1] &= chosen.targets
        pools.append(layer & chosen.sources)
        target = pools[-1].min()
        classes.append(target)
    return Way(tuple(reversed(classes)), tuple(reversed(pools)))
