"""What `explain` says of the tiers around NetworkPolicy: every rule of a cluster-wide policy and what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from audit.policy.clause import UNPLACED, AdminText, Clause, Direction, Tier
from audit.reach import Reachability
from audit.traffic import NONE, Traffic

_TIERS: tuple[Tier, ...] = ("admin", "baseline")


class _Chosen(NamedTuple):
    """A policy that selects the pods of a side."""

    policy: int
    sure: bool
    """Whether it certainly selects them."""
    ordered: bool
    """Whether its place among the others of its tier is known."""


class _Step(NamedTuple):
    """One rule at its turn."""

    clause: Clause
    certain: Traffic
    """What it certainly matches of what no rule before it took."""
    possible: Traffic
    """What it may match of that."""
    late: bool
    """Whether nothing was left for it."""


def tier_lines(
    reach: Reachability, direction: Direction, number: int, peer: int, asked: Traffic
) -> Mapping[Tier, Sequence[str]]:
    """The lines of both tiers for one side, policies in order of evaluation.

    `number` is the class of the side, `peer` that of the other. A rule decides, or passes on, what is certain; where
    the order is open, a rule before it may match, or there are two families to talk over, it only matches.
    """
    left, doubtful, found = asked, NONE, {}
    for tier in _TIERS:
        told: list[str] = []
        rest = left
        for one in _of_tier(reach, tier, number):
            text = reach.admin.texts[one.policy]
            settles = one.sure and one.ordered and not (text.doubt or text.unknown or reach.classes.dual_stack)
            told.append(_head(reach, one, text))
            if all(clause.direction != direction for clause in text.clauses):
                told.append("    it has no rule for this direction")
            for step in _steps(reach, one.policy, text, direction, (number, peer), rest):
                first = settles and not step.certain & doubtful
                told.extend(_line(step, first=first))
                taken = step.certain if first else NONE
                rest -= taken
                left -= NONE if step.clause.action == "pass" else taken
                doubtful |= step.possible - taken
        found[tier] = tuple(told)
    return found


def _of_tier(reach: Reachability, tier: Tier, number: int) -> Iterator[_Chosen]:
    texts = reach.admin.texts
    chosen = [(index, sure) for index, sure in reach.admin.selecting.get(number, ()) if texts[index].tier == tier]
    places = [texts[index].priority for index, _ in chosen]
    for index, sure in sorted(chosen, key=lambda one: (texts[one[0]].priority, one[0])):
        ordered = len(places) == 1 or (UNPLACED not in places and places.count(texts[index].priority) == 1)
        yield _Chosen(policy=index, sure=sure, ordered=ordered)


def _head(reach: Reachability, one: _Chosen, text: AdminText) -> str:
    ref = reach.policies[one.policy].ref
    priority = "" if text.priority == UNPLACED else f", priority {text.priority}"
    selects = "selects it" if one.sure else "may select it"
    perhaps = ", which the network plug-in may ignore" if text.doubt else ""
    place = f" ({ref.origin.place})" if ref.origin and ref.origin.place else ""
    return f"  {ref} ({text.tier} tier{priority}) {selects}{perhaps}{place}"


def _steps(  # noqa: PLR0913, PLR0917 - one connection and one policy
    reach: Reachability, index: int, text: AdminText, direction: Direction, ends: tuple[int, int], left: Traffic
) -> Iterator[_Step]:
    """The rules of one direction; `left` is what rules of other policies have left of the connection's traffic."""
    number, peer = ends
    for clause in text.clauses:
        if clause.direction != direction:
            continue
        certain, possible = NONE, NONE
        for match in reach.admin.matches(index, clause, number):
            if peer in match.peers:
                possible |= match.traffic & left
                certain |= NONE if match.reason or text.unknown else match.traffic & left
        yield _Step(clause, certain, possible, not left)
        left -= NONE if reach.classes.dual_stack else certain


def _line(step: _Step, *, first: bool) -> Iterator[str]:
    clause = step.clause
    if step.late:
        word = "not reached, a rule before it decides"
    elif step.certain and first:
        word = f"passes {step.certain} on" if clause.action == "pass" else f"decides {step.certain}"
    elif step.certain:
        word = "matches"
    else:
        word = "may match" if step.possible else "does not match"
    if not clause.doubt or step.possible:
        doubt = ", as the network plug-in may read it" if clause.doubt else ""
        yield f"    rule {clause.index} ({clause.action}{doubt}): {clause}: {word}"
