"""`Lacking`: what of a kind was not read, and so which verdicts cannot pass.

Input: a Snapshot. Decisions: a gap of files concerns its kind; of a cluster also what nobody asked for counts, and
groups that nobody reads may decide whatever policies and entry points decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from audit.api_resources import OLD_DOORS, PUBLISHING_GROUPS
from audit.snapshot import BLOCKING, EVERY_KIND, OF_GROUP, Gap, Snapshot

UNREAD_POLICIES = f"{OF_GROUP}policies"
"""Stands for the kinds of policies that no module reads."""
UNREAD_DOORS = f"{OF_GROUP}doors"
"""Stands for the kinds of entry points that no module reads."""
_SHOWN = 3
"""Kinds spelled out in a reason; the completeness table has them all."""
_NEVER_ASKED = "no cluster is asked for it"


class Lacking:
    """The gaps of one snapshot by what they take away."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.live = snapshot.live
        """Whether it is a cluster, which was asked for every kind; files claim nothing of what they do not hold."""
        self._asked = frozenset(one.kind for one in snapshot.manifest.ledger) if snapshot.manifest else None
        self.gaps = tuple(sorted(gap for gap in snapshot.gaps if gap.reason in BLOCKING))
        """Those that mean missing evidence."""

    def __bool__(self) -> bool:
        return bool(self.gaps)

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Gap]]:
        found: dict[str, list[Gap]] = {}
        for gap in self.gaps:
            found.setdefault(_stands_for(gap.kind), []).append(gap)
        return found

    def of(self, kinds: Iterable[str]) -> tuple[Gap, ...]:
        """What was not read of some kind keys, sorted; EVERY_KIND among them stands for all."""
        wanted = frozenset(kinds)
        if EVERY_KIND in wanted:
            return self.gaps
        found = {gap for kind in wanted for gap in self._of_kind(kind)}
        return tuple(sorted(found.union(self._by_kind.get(EVERY_KIND, ())) if wanted else found))

    def undoing(self, kinds: Iterable[str]) -> tuple[Gap, ...]:
        """What was not read of some kinds of a cluster that take findings away.

        What files show is a finding whatever they lack, and a doubt about everything leaves findings alone, too.
        """
        return tuple(gap for gap in self.of(kinds) if gap.kind != EVERY_KIND) if self.live else ()

    def _of_kind(self, kind: str) -> Iterable[Gap]:
        asked = kind
        if self.live:
            asked = OLD_DOORS.get(kind, kind)
            if self._asked is not None and asked not in self._asked and not kind.startswith(OF_GROUP):
                return self._by_kind.get(asked) or (Gap(kind=kind, reason="unavailable", text=_NEVER_ASKED),)
        return self._by_kind.get(asked, ())

    def said(self, kinds: Iterable[str] = (EVERY_KIND,)) -> tuple[str, ...]:
        """What of some kinds was not read, a sentence each, sorted; the gaps of files name what is missing already."""
        return tuple(sorted({f"{named(gap.kind)}: {gap.text}" if self.live else gap.text for gap in self.of(kinds)}))

    def why(self, kinds: Iterable[str]) -> str:
        """What of some kinds was not read, as one clause; empty if nothing."""
        gaps = self.of(kinds)
        if not self.live:
            said = sorted({(gap.kind, gap.reason, gap.scope) for gap in gaps})
            return "; ".join(f"{kind} {reason}" + (f" ({scope})" if scope else "") for kind, reason, scope in said)
        told: dict[str, str] = {}
        for gap in gaps:
            told.setdefault(named(gap.kind), f"{gap.reason}, {gap.text}" if gap.text else gap.reason)
        parts = [f"{kind}: {text}" for kind, text in list(told.items())[:_SHOWN]]
        more = len(told) - len(parts)
        return "; ".join([*parts, f"and {more} more kind{'s' * (more > 1)}"] if more else parts)


def named(kind: str) -> str:
    """What people call the kind of a gap."""
    if kind == EVERY_KIND:
        return "everything"
    return f"all of {kind.removeprefix(OF_GROUP)}" if kind.startswith(OF_GROUP) else kind


def _stands_for(kind: str) -> str:
    """The key under which verdicts ask for what a gap takes away."""
    if not kind.startswith(OF_GROUP):
        return kind
    return UNREAD_DOORS if kind.removeprefix(OF_GROUP) in PUBLISHING_GROUPS else UNREAD_POLICIES
