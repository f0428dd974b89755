"""How much of a report is shown: what is left out is said, and stands in the results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Caps:
    """How much of long lists is shown; what is left out is always said."""

    cards: int
    """Findings in full."""
    excepted: int
    """Excepted findings in full."""
    rows: int
    """Rows of a table."""
    zones: int
    """Rows of tables that list zones; a matrix of more is for the results."""
    lines: int
    """Lines of ready YAML or commands."""
    ways: int
    """Zone pairs that must be apart and are connected, each with a chain and a cut."""
    all_rows: int
    """Rows of all tables together."""


def fitted(caps: Caps, lengths: Iterable[int]) -> Caps:
    """The caps with as many rows for each table as all of them together leave: the longest tables are cut first."""
    waiting = sorted(lengths)
    left = caps.all_rows
    for place, length in enumerate(waiting):
        share = left // (len(waiting) - place)
        if length > share:
            return replace(caps, rows=min(caps.rows, share))
        left -= length
    return caps
