"""Ordered tiers: policies whose first matching rule decides -> for every peer and port the set of outcomes.

A region is a rectangle of peers x traffic with what may happen there: `allow`, `deny`, `pass`, or `none` where no rule
matches. With full knowledge each region has one outcome; a rule that only possibly matches leaves two. Policies of
equal priority have no order, so wherever several match, each one's outcome is possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyroaring import FrozenBitMap

from audit.traffic import ALL, NONE, Traffic

NONE_YET = frozenset({"none"})


@dataclass(frozen=True, slots=True)
class Match:
    """One rule resolved for one class: where it matches."""

    rule: int
    """Identifies the rule to the caller."""
    action: str
    traffic: Traffic
    peers: FrozenBitMap
    reason: str = ""
    """Empty when it certainly matches there."""


@dataclass(frozen=True, slots=True)
class Region:
    """Peers that share what happens to some traffic."""

    peers: FrozenBitMap
    traffic: Traffic
    outcomes: frozenset[str]
    reasons: frozenset[str] = frozenset()
    rules: tuple[int, ...] = ()
    """Rules behind the outcomes, in order of evaluation."""


class Ordered(NamedTuple):
    """One policy resolved for one class."""

    matches: Sequence[Match]
    """In rule order; the parts of one rule follow each other and share its number."""
    doubt: str = ""
    """Why it may not count at all; empty when it does."""


def evaluate(
    everything: FrozenBitMap, groups: Iterable[Sequence[Ordered]], unplaced: Iterable[Ordered] = ()
) -> list[Region]:
    """The regions of one class and direction; they are disjoint and cover everything.

    `groups` are policies by ascending priority, each group of equal ones. `unplaced` policies have no priority, so each
    may come before or after any other.
    """
    regions = [Region(everything, ALL, NONE_YET)]
    for group in groups:
        listed = [_policy(everything, policy) for policy in group]
        together = listed[0]
        for other in listed[1:]:
            together = _unordered(together, other)
        regions = _then(regions, together)
    for policy in unplaced:
        regions = _unordered(regions, _policy(everything, policy))
    return regions


def _policy(everything: FrozenBitMap, policy: Ordered) -> list[Region]:
    """What one policy decides, rule by rule; regions that are decided are not looked at again."""
    pending, decided = [Region(everything, ALL, NONE_YET)], []
    for match in policy.matches:
        parts = [part for region in pending for part in _split(region, match)]
        pending = [part for part in parts if "none" in part.outcomes]
        decided += [part for part in parts if "none" not in part.outcomes]
    regions = decided + pending
    return [_perhaps(region, policy.doubt) for region in regions] if policy.doubt else regions


def _perhaps(region: Region, doubt: str) -> Region:
    """What the policy decides, or nothing."""
    if region.outcomes == NONE_YET:
        return region
    outcomes, reasons = region.outcomes | NONE_YET, region.reasons | {doubt}
    return Region(region.peers, region.traffic, outcomes, reasons, region.rules)


def _split(region: Region, match: Match) -> Iterable[Region]:
    """The region where the rule matches, and the rest of it."""
    common, traffic = region.peers & match.peers, region.traffic & match.traffic
    if not common or not traffic:
        return [region]
    parts = []
    if rest := region.peers - common:
        parts.append(Region(rest, region.traffic, region.outcomes, region.reasons, region.rules))
    if left := region.traffic - traffic:
        parts.append(Region(common, left, region.outcomes, region.reasons, region.rules))
    kept = region.outcomes if match.reason else region.outcomes - NONE_YET
    reasons = region.reasons | {match.reason} if match.reason else region.reasons
    parts.append(Region(common, traffic, kept | {match.action}, reasons, (*region.rules, match.rule)))
    return parts


def _then(first: list[Region], second: list[Region]) -> list[Region]:
    """Where the first says nothing, the second decides."""
    out = []
    for region in first:
        if "none" not in region.outcomes:
            out.append(region)
            continue
        decided = region.outcomes - NONE_YET
        parts = (_common(region, other, decided | other.outcomes) for other in second)
        out += [part for part in parts if part]
    return out


def _unordered(first: list[Region], second: list[Region]) -> list[Region]:
    """Two policies without an order: whichever matches may come first."""
    out = []
    for one in first:
        for other in second:
            outcomes = (one.outcomes | other.outcomes) - NONE_YET
            if "none" in one.outcomes and "none" in other.outcomes:
                outcomes |= NONE_YET
            if part := _common(one, other, outcomes):
                clash = bool(one.outcomes - NONE_YET and other.outcomes - NONE_YET) and len(outcomes - NONE_YET) > 1
                reasons = part.reasons | {"equal-priority"} if clash else part.reasons
                out.append(Region(part.peers, part.traffic, part.outcomes, reasons, part.rules))
    return out


def _common(one: Region, other: Region, outcomes: frozenset[str]) -> Region | None:
    traffic = one.traffic & other.traffic
    if traffic == NONE:
        return None
    peers = one.peers & other.peers
    if not peers:
        return None
    return Region(peers, traffic, outcomes, one.reasons | other.reasons, one.rules + other.rules)
