"""The search for cuts, judged by trying every set: bounds hold, and what is called smallest is."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import cuts
from audit.cuts import Bounds, hitting, smallest

Path = tuple[int, ...]
paths = st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=4, unique=True).map(tuple), max_size=12)
QUICK = settings(settings.get_profile("same"), max_examples=400)


class World:
    """Paths that need openings, as a search would find them."""

    def __init__(self, listed: Sequence[Path]) -> None:
        self.listed = listed

    def find(self, closed: frozenset[int], most: int) -> list[Path]:
        found: list[Path] = []
        used = set(closed)
        for path in self.listed:
            if len(found) < most and not used.intersection(path):
                found.append(path)
                used.update(path)
        return found

    def parted(self, closed: Collection[int]) -> bool:
        return all(set(path).intersection(closed) for path in self.listed)

    def fewest(self) -> int:
        every = sorted({one for path in self.listed for one in path})
        return next(
            size
            for size in range(len(every) + 1)
            if any(self.parted(chosen) for chosen in itertools.combinations(every, size))
        )


@QUICK
@given(paths)
def test_the_cut_of_a_small_world_is_the_smallest_of_all_sets_that_part(listed: list[Path]) -> None:
    world = World(listed)
    found = smallest(world.find, 20)
    assert found.smallest
    assert found.cut is not None
    assert world.parted(found.cut)
    assert len(found.cut) == len(set(found.cut)) == world.fewest()


@QUICK
@given(paths, st.integers(0, 3))
def test_a_cut_beyond_the_limit_is_not_named_but_bounded_from_below(listed: list[Path], most: int) -> None:
    world = World(listed)
    found = smallest(world.find, most)
    assert found.least <= world.fewest()
    assert found.cut is None or (len(found.cut) <= most and world.parted(found.cut))
    if world.fewest() <= most:
        assert found.cut is not None


@QUICK
@given(paths)
def test_a_search_that_gives_up_still_parts_and_claims_too_little(listed: list[Path]) -> None:
    world = World(listed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuts, "ROUNDS", 0)
        found = smallest(world.find, 20)
    assert found.cut is not None
    assert world.parted(found.cut)
    assert found.least <= world.fewest() <= len(found.cut)
    assert not any(world.parted(set(found.cut) - {one}) for one in found.cut)


@QUICK
@given(paths, paths)
def test_more_paths_never_make_the_smallest_cut_smaller(listed: list[Path], more: list[Path]) -> None:
    fewer, all_of_them = smallest(World(listed).find, 20), smallest(World([*listed, *more]).find, 20)
    assert fewer.cut is not None
    assert all_of_them.cut is not None
    assert len(fewer.cut) <= len(all_of_them.cut)


@QUICK
@given(paths)
def test_a_path_that_needs_nothing_cannot_be_cut(listed: list[Path]) -> None:
    world = World([*listed, ()])
    found = smallest(world.find, 20)
    assert (found.cut, found.least) == (None, 0)
    assert () in world.find(found.closed, len(listed) + 1)


def test_two_permits_that_let_the_same_through_both_have_to_go_or_the_one_before() -> None:
    assert smallest(World([(1, 2), (1, 3)]).find, 20).cut == (1,)
    assert smallest(World([(1, 3), (2, 3), (1, 4), (2, 4)]).find, 20) == Bounds((3, 4), 2)


def test_a_gap_that_disjoint_paths_leave_is_closed_by_hitting_sets() -> None:
    triangle = World([(1, 2), (2, 3), (1, 3)])
    found = smallest(triangle.find, 20)
    assert found.least == 2
    assert found.smallest


@QUICK
@given(paths.filter(bool), st.integers(0, 4))
def test_a_hitting_set_is_the_smallest_within_its_limits(listed: list[Path], most: int) -> None:
    found = hitting(listed, 0, most)
    fewest = World(listed).fewest()
    if found is None:
        assert fewest > most
    else:
        assert len(found) == fewest
        assert World(listed).parted(found)


def test_a_hitting_set_that_takes_too_many_choices_is_given_up() -> None:
    wide = [tuple(range(base, base + 7)) for base in range(0, 70, 7)]
    assert hitting(wide, 0, 9) == ()
