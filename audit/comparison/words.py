"""What the two sides of a connection say in one snapshot, by unit: rows, and every policy behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from audit.comparison.columns import Columns
from audit.model import ADMIN_GROUP
from audit.policies import Policy
from audit.policy.clause import DIRECTIONS, AdminText, Direction
from audit.policy.foreign import Foreign
from audit.traffic import ALL, NONE, Traffic

Key = tuple[str, str, str, str]
"""Kind, namespace, name and group of an object, as of an ObjectChange."""
_CACHE = 1 << 16


class Word(NamedTuple):
    """What a row, or one policy in it, says of a peer and some ports."""

    certain: Traffic = NONE
    possible: Traffic = NONE

    def __or__(self, other: object) -> Word:
        assert isinstance(other, Word)  # noqa: S101 - for the type checker
        return Word(self.certain | other.certain, self.possible | other.possible)

    def within(self, traffic: Traffic) -> Word:
        """The part about some ports."""
        return Word(self.certain & traffic, self.possible & traffic)

    def exceeds(self, other: Word) -> bool:
        """Whether it says more in either bound."""
        return not (self.certain <= other.certain and self.possible <= other.possible)


class Words:
    """Rows and policies of one snapshot, asked by unit."""

    def __init__(self, side: Columns) -> None:
        self._side = side
        self._reach = side.meetings.reach
        self._classes = side.meetings.reach.classes
        self._of_class = lru_cache(_CACHE)(self._selecting)

    def row(self, direction: Direction, unit: int, peer: int) -> Word:
        """What the unit's pods let through with the peer's, on one side of the connection."""
        total = Word()
        for number, other in self._pairs(unit, peer):
            if number >= self._classes.pods:
                return Word(ALL, ALL)
            total |= self._word(self._reach.rows[direction][number], other)
        return total

    def policies(self, direction: Direction, unit: int, peer: int) -> dict[Key, Word]:
        """Every policy that concerns the unit on that side, with what it admits."""
        found: dict[Key, Word] = {}
        for number, other in self._pairs(unit, peer):
            if number >= self._classes.selectable:
                continue
            grants = self._reach.grants[direction][number] or ()
            for key, index in self._of_class(number, direction):
                own = (grant.permit for grant in grants if grant.policy == index)
                found[key] = found.get(key, Word()) | self._word(own, other)
        return found

    def _pairs(self, unit: int, peer: int) -> Iterator[tuple[int, int]]:
        for number in self._some(unit):
            yield from ((number, other) for other in self._some(peer))

    def _some(self, unit: int) -> Sequence[int]:
        """The classes of a unit; one of a range of addresses stands for all of them."""
        found = self._side.classes_of[unit]
        return found if unit < self._side.units.workloads else found[:1]

    def _word(self, permits: Iterable[int], peer: int) -> Word:
        total = Word()
        for permit in (self._reach.permits.all[number] for number in permits):
            if peer in permit.peers:
                total |= Word(NONE if permit.reason else permit.traffic, permit.traffic)
        return total

    def _selecting(self, number: int, direction: Direction) -> list[tuple[Key, int]]:
        """(policy, its index or -1) of all that concern a class of selectable pods."""
        reach = self._reach
        pod = self._classes.inventory.endpoints[self._classes.members[number][0]]
        found = [
            index
            for index in reach.by_namespace.get(pod.namespace, ())
            if (text := reach.text(index)).unknown or direction in text.isolates
            if text.subject.matches(pod.labels)
        ]
        found += [index for index, _ in reach.admin.selecting.get(number, ())]
        policies = [(_policy_key(reach.policies[index]), index) for index in found]
        foreign = [one for one in reach.foreign if one.ref.namespace in ("", pod.namespace)]
        return policies + [(_foreign_key(one), -1) for one in foreign]

    def subjects(self, wanted: Iterable[Key], found: dict[Key, dict[Direction, set[int]]]) -> None:
        """Adds for each of some policies the units that it concerns."""
        keys = frozenset(wanted)
        reach, classes = self._reach, self._classes
        known = chain(map(_policy_key, reach.policies), map(_foreign_key, reach.foreign))
        named = {key[1] for key in known if key in keys}
        everywhere = "" in named
        for name, (start, end) in classes.ranges.items():
            for number in range(start, end) if everywhere or name in named else ():
                for direction in DIRECTIONS:
                    for key, _ in self._of_class(number, direction):
                        if key in keys:
                            sides = found.setdefault(key, {one: set() for one in DIRECTIONS})
                            sides[direction].update(self._side.of_classes[number])


def _policy_key(policy: Policy) -> Key:
    group = ADMIN_GROUP if isinstance(policy.text, AdminText) else ""
    return policy.ref.kind, policy.ref.namespace, policy.ref.name, group


def _foreign_key(foreign: Foreign) -> Key:
    return foreign.ref.kind, foreign.ref.namespace, foreign.ref.name, foreign.group
