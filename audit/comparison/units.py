"""What connections of two snapshots are compared between: workloads by name, and outside addresses cut alike.

Units are numbered: the workloads of either snapshot in order of their ids, then the ranges of addresses that nothing
tells apart in either snapshot, in order of their first address.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from pyroaring import FrozenBitMap

from audit.addresses import AddressSpace
from audit.inventory import Inventory
from audit.meet import Meetings, outside_groups
from audit.model import UNZONED
from audit.traffic import AddressSet


class Units:
    """The units of two snapshots."""

    def __init__(self, old: Meetings, new: Meetings) -> None:
        ids = sorted({one.id for side in (old, new) for one in side.reach.inventory.workloads})
        self.number = {name: number for number, name in enumerate(ids)}
        """Workload id -> unit."""
        self.workloads = len(ids)
        """Units below this number are workloads."""
        self._space = _common(old, new)
        self._blocks = _blocks(self._space, (old, new))
        count = max(self._blocks, default=-1) + 1
        self.ids = (*ids, *(f"ip/{number}" for number in range(count)))
        self.outside = FrozenBitMap(range(self.workloads, len(self.ids)))

    def __len__(self) -> int:
        return len(self.ids)

    def addresses(self, unit: int) -> AddressSet:
        """The addresses of a unit that is no workload."""
        number = unit - self.workloads
        return self._space.addresses(atom for atom, block in enumerate(self._blocks) if block == number)

    def of_classes(self, meetings: Meetings) -> list[tuple[int, ...]]:
        """Class -> units that have members in it, ascending."""
        classes, inventory = meetings.reach.classes, meetings.reach.inventory
        unit = [self.number[one.id] for one in inventory.workloads]
        pods = inventory.endpoints
        inside = [tuple(sorted({unit[pods[index].workload] for index in members})) for members in classes.members]
        atoms: list[set[int]] = [set() for _ in range(len(classes.space))]
        for start, block in zip(self._space.starts, self._blocks, strict=True):
            atoms[classes.space.atom(start)].add(self.workloads + block)
        return inside + [tuple(sorted(found)) for found in atoms]

    def zones(self, meetings: Meetings, of_classes: Sequence[Sequence[int]]) -> list[str]:
        """Unit -> zone; UNZONED for a workload in several, empty for one that the snapshot does not hold."""
        found: list[set[str]] = [set() for _ in self.ids]
        named = chain(meetings.reach.classes.zones, meetings.atom_zones)
        for zone, units in zip(named, of_classes, strict=True):
            for unit in units:
                found[unit].add(zone)
        return [next(iter(names)) if len(names) == 1 else UNZONED if names else "" for names in found]

    def counts(self, inventory: Inventory) -> list[int]:
        """Unit -> endpoints of a workload; 0 where the snapshot does not hold it."""
        found = [0] * len(self.ids)
        for one in inventory.workloads:
            found[self.number[one.id]] = len(one.pods)
        return found


def _common(old: Meetings, new: Meetings) -> AddressSpace:
    """The address line cut wherever either snapshot cuts it."""
    spaces = [side.reach.classes.space for side in (old, new)]
    return AddressSpace(space.addresses([atom]) for space in spaces for atom in range(len(space)))


def _blocks(space: AddressSpace, sides: Sequence[Meetings]) -> list[int]:
    """Atom of the common line -> number of its range."""
    groups = [(side.reach.classes.space, outside_groups(side)) for side in sides]
    ids: dict[tuple[int, ...], int] = {}
    keys = (tuple(of[known.atom(start)] for known, of in groups) for start in space.starts)
    return [ids.setdefault(key, len(ids)) for key in keys]
