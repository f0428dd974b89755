"""The sources of a target group in disjoint pieces, each with one connection."""

from __future__ import annotations

from dataclasses import dataclass

from pyroaring import FrozenBitMap

from audit.meet import Meetings, TargetGroup
from audit.traffic import NONE, Traffic


@dataclass(frozen=True, slots=True)
class Piece:
    """Source classes that all have the same connection to a target group."""

    sources: FrozenBitMap
    certain: Traffic
    possible: Traffic
    reasons: frozenset[str]


def pieces(meetings: Meetings, group: TargetGroup, within: FrozenBitMap | None = None) -> list[Piece]:
    """The sources of a group, no class in two pieces; those that reach it on no port are in none.

    `within` leaves out all other sources, and the work that they would be.
    """
    found: list[Piece] = []
    for met in meetings.of(group, within):
        certain = NONE if met.reasons else met.traffic
        sources = met.sources if within is None else met.sources & within
        if sources:
            found = _refined(found, Piece(sources, certain, met.traffic, frozenset(met.reasons)))
    return found


def _refined(found: list[Piece], added: Piece) -> list[Piece]:
    """The pieces after one more meeting: what it shares with a piece grows, the rest stays apart."""
    fresh = added.sources
    out: list[Piece] = []
    for one in found:
        common = one.sources & fresh
        rest = one.sources - common
        if common:
            fresh -= common
            reasons = one.reasons | added.reasons
            out.append(Piece(common, one.certain | added.certain, one.possible | added.possible, reasons))
        if rest:
            out.append(Piece(rest, one.certain, one.possible, one.reasons))
    if fresh:
        out.append(Piece(fresh, added.certain, added.possible, added.reasons))
    return out
