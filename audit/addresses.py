"""The address line cut at every boundary that any policy or zone names.

An atom is a maximal interval that nothing tells apart; atoms are disjoint, ascending and cover all of IPv4 and IPv6.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from audit.traffic import EVERYWHERE, AddressSet


class AddressSpace:
    """The atoms of a collection of address sets; building is n log n in the number of intervals."""

    def __init__(self, sets: Iterable[AddressSet]) -> None:
        starts = {low for low, _ in EVERYWHERE.spans}
        for one in sets:
            for low, high in one.spans:
                starts.add(low)
                if high + 1 in EVERYWHERE:
                    starts.add(high + 1)
        self.starts: Sequence[int] = sorted(starts)
        """First address of each atom."""
        self._v6 = bisect_left(self.starts, EVERYWHERE.spans[1][0])

    def __len__(self) -> int:
        return len(self.starts)

    def atom(self, number: int) -> int:
        """Index of the atom that holds an address."""
        return bisect_right(self.starts, number) - 1

    def family(self, atom: int) -> int:
        """4 or 6."""
        return 6 if atom >= self._v6 else 4

    def addresses(self, atoms: Iterable[int]) -> AddressSet:
        """All addresses of some atoms."""
        return AddressSet.union_of(AddressSet((self._span(atom),)) for atom in atoms)

    def ranges(self, addresses: AddressSet) -> list[tuple[int, int]]:
        """Half-open ranges of atoms that make up a set whose boundaries are all among the cuts."""
        return [(bisect_left(self.starts, low), bisect_right(self.starts, high)) for low, high in addresses.spans]

    def _span(self, atom: int) -> tuple[int, int]:
        low = self.starts[atom]
        if atom + 1 == len(self.starts):
            return low, EVERYWHERE.spans[1][1]
        if atom + 1 == self._v6:
            return low, EVERYWHERE.spans[0][1]
        return low, self.starts[atom + 1] - 1
