"""Hops over endpoint classes, and the shortest ways that they make.

A hop is what one permit of the source and one permit of the target let through together, so all hops are unions of
products (sources x targets); a search steps from set to set and never lists pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
