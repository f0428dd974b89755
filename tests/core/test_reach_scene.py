"""A picture says what its document says: folding, frames and coarser units lose and invent nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.drawing import _names, render
from audit.reach_fold import Entry, Folded, Group, Label, Unit, alike, coarser, unfolded
from audit.reach_frames import framed, joined, pairs_by_entry
from audit.reach_scene import Scene, _grains, scene
from audit.traffic import ALL, NONE, Traffic, union

Json = Any
LAWS = settings(settings.get_profile("same"), max_examples=250)
PORTS = ({"TCP": "80"}, {"TCP": "80,443"}, {"TCP": "1-65535", "UDP": "1-65535", "SCTP": "1-65535"}, {"UDP": "53"})
Meaning = dict[tuple[str, str], dict[tuple[str, bool, str], Traffic]]


@st.composite
def documents(draw: Any) -> Json:
    """Small documents in which rules for whole zones, namespaces and single endpoints mix."""
    ends: list[Json] = [
        {"id": f"n{space}/Deployment/w{n}", "kind": "Deployment", "namespace": f"n{space}", "name": f"w{n}",
         "zone": f"z{space % 2}", "pods": ["p"] * draw(st.integers(1, 2))}
        for space in range(draw(st.integers(1, 3)))
        for n in range(draw(st.integers(1, 4)))
    ]  # fmt: skip
    ends += [{"id": f"ip/{n}", "kind": "IPBlock", "zone": "out", "cidrs": [f"10.{n}.0.0/16"]}
             for n in range(draw(st.integers(0, 2)))]  # fmt: skip
    found: dict[tuple[str, str, str], Json] = {}
    sides = [("zone", "z0"), ("zone", "z1"), ("zone", "out"), *(("namespace", f"n{n}") for n in range(3)),
             *(("id", one["id"]) for one in ends)]  # fmt: skip
    for _ in range(draw(st.integers(0, 6))):
        (key, value), (other, wanted) = draw(st.sampled_from(sides)), draw(st.sampled_from(sides))
        extra = draw(st.sampled_from([{"verdict": "allowed"}, {"verdict": "allowed"},
                                      {"verdict": "unknown", "reason": "pod-address"}]))  # fmt: skip
        ports = draw(st.sampled_from(PORTS))
        for a, b in itertools.product(ends, ends):
            apart = a is not b or len(a.get("pods", "")) > 1
            pods = a["kind"] != "IPBlock" or b["kind"] != "IPBlock"
            ends_of = (str(a["id"]), str(b["id"]), extra["verdict"])
            if a.get(key) == value and b.get(other) == wanted and apart and pods:
                found[ends_of] = {"src": a["id"], "dst": b["id"], "ports": ports, **extra}
    return {"endpoints": ends, "connections": list(found.values()), "assumptions": []}


def meaning(links: Iterator[tuple[str, str, Entry]]) -> Meaning:
    """Pair of names -> what one may do to the other."""
    found: Meaning = {}
    for source, target, entry in links:
        kinds = found.setdefault((source, target), {})
        key = (entry.kind, entry.some, entry.reason)
        kinds[key] = kinds.get(key, NONE) | entry.ports
    return found


def stated(folded: Folded) -> Meaning:
    units = folded.units
    return meaning((units[a].name, units[b].name, entry) for (a, b), label in folded.links.items() for entry in label)


def members(shown: Scene, stop: int) -> list[int]:
    return [stop] if stop < len(shown.boxes) else list(shown.frames[stop - len(shown.boxes)].boxes)


def spelled(shown: Scene) -> Iterator[tuple[str, str, Entry]]:
    """Every connection that a reader would take from a picture."""
    ends = [(arrow.source, arrow.target, arrow.entry) for arrow in shown.arrows]
    ends += [(stop, stop, entry) for stop, entries in shown.within.items() for entry in entries]
    for source, target, entry in ends:
        for a, b in itertools.product(members(shown, source), members(shown, target)):
            for one, other in couples(shown.boxes, a, b):
                yield one.name, other.name, entry


def couples(boxes: tuple[Group, ...], a: int, b: int) -> Iterator[tuple[Unit, Unit]]:
    """The pairs of units that an arrow between two boxes is about."""
    parts = [(part, part) for part in boxes[a].parts] if a == b else [(boxes[a].members, boxes[b].members)]
    for left, right in parts:
        for one, other in itertools.product(left, right):
            if one is not other or not one.lone:
                yield one, other


@LAWS
@given(documents())
def test_whoever_reads_a_picture_back_has_the_document(document: Json) -> None:
    names = _names(document)
    shown = scene(document, names)
    assert not any("drawn by" in note for note in shown.notes)
    assert meaning(spelled(shown)) == stated(unfolded(document, names))


@LAWS
@given(documents())
def test_endpoints_are_in_one_box_each_and_only_with_others_of_their_zone(document: Json) -> None:
    folded = unfolded(document, _names(document))
    groups, _ = alike(folded)
    assert sorted(unit.name for group in groups for unit in group.members) == sorted(one.name for one in folded.units)
    assert all(len({(unit.lane, unit.outside) for unit in group.members}) == 1 for group in groups)


@LAWS
@given(documents())
def test_endpoints_that_everything_treats_alike_are_in_one_box(document: Json) -> None:
    folded = unfolded(document, _names(document))
    links, size = folded.links, len(folded.units)
    groups, _ = alike(folded)
    box = {unit: number for number, group in enumerate(groups) for unit in group.members}

    def same(a: int, b: int) -> bool:
        others = [one for one in range(size) if one not in (a, b)]
        outward = all(links.get((a, one)) == links.get((b, one)) for one in others)
        inward = all(links.get((one, a)) == links.get((one, b)) for one in others)
        return outward and inward

    for a, b in itertools.combinations(range(size), 2):
        one, other = folded.units[a], folded.units[b]
        own, theirs = links.get((a, a)), links.get((b, b))
        between = {links.get((a, b)), links.get((b, a))}
        if (one.lane, one.kind) == (other.lane, other.kind) and same(a, b):
            mutual = between - {None} and between <= {own, theirs} and own == theirs
            if mutual or (between == {None} and own == theirs):
                assert box[one] == box[other]


@LAWS
@given(documents())
def test_frames_are_nested_or_apart_and_never_of_two_zones(document: Json) -> None:
    groups, links = alike(unfolded(document, _names(document)))
    frames = framed(groups, links, dict.fromkeys(("z0", "z1", "out"), ""))
    for one, other in itertools.combinations(frames, 2):
        common = set(one.boxes) & set(other.boxes)
        assert not common or common in (set(one.boxes), set(other.boxes))
    assert sorted(box for frame in frames if frame.kind == "lane" for box in frame.boxes) == list(range(len(groups)))
    assert all(len({groups[box].members[0].lane for box in frame.boxes}) == 1 for frame in frames)


@LAWS
@given(documents())
def test_ports_taken_apart_and_joined_again_are_the_same(document: Json) -> None:
    _, links = alike(unfolded(document, _names(document)))
    found: dict[tuple[int, int], set[Entry]] = {}
    for entry, pairs in pairs_by_entry(links).items():
        for ends in pairs:
            found.setdefault(ends, set()).add(entry)
    assert {ends: joined(entries) for ends, entries in found.items()} == {
        ends: joined(label) for ends, label in links.items() if label
    }


@LAWS
@given(documents())
def test_a_coarser_unit_claims_for_all_only_what_all_have_and_hides_nothing(document: Json) -> None:
    fine = unfolded(document, _names(document))
    found = coarser(fine, lambda unit: (unit.lane, unit.space), lambda units: units[0].space, "Namespace")
    place = {(unit.lane, unit.space): number for number, unit in enumerate(found.units)}
    home = [place[unit.lane, unit.space] for unit in fine.units]

    def ports(label: Label, kind: str, *, some: bool = True) -> Traffic:
        return union(entry.ports for entry in label if entry.kind == kind and (some or not entry.some))

    for a, b in itertools.product(range(len(found.units)), repeat=2):
        couples = [
            (one, other)
            for one, other in itertools.product(range(len(fine.units)), repeat=2)
            if (home[one], home[other]) == (a, b) and (one != other or not fine.units[one].lone)
        ]
        for kind in ("allowed", "unknown"):
            whole, every = NONE, ALL
            for pair in couples:
                here = ports(fine.links.get(pair, frozenset()), kind)
                whole, every = whole | here, every & here
            label = found.links.get((a, b), frozenset())
            assert ports(label, kind) == whole
            assert ports(label, kind, some=False) == (every if couples else NONE)


@pytest.mark.parametrize("spaces", [3, 60, 200])
def test_every_grain_is_coarser_than_the_one_before(spaces: int) -> None:
    ends = [
        {
            "id": f"n{n}/Deployment/w{w}",
            "kind": "Deployment",
            "namespace": f"n{n}",
            "name": f"w{w}",
            "zone": f"z{n % 90}",
        }
        for n in range(spaces)
        for w in range(3)
    ]
    document = {"endpoints": ends, "connections": []}
    sizes = [len(found.units) for found, _ in _grains(unfolded(document, _names(document)))]
    assert sizes[0] == 3 * spaces
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] <= 50


@pytest.mark.parametrize(("own", "boxes"), [({"TCP": "80"}, 1), ({"TCP": "443"}, 2), (None, 2)])
def test_what_replicas_may_do_to_each_other_keeps_workloads_apart(own: Json, boxes: int) -> None:
    ends = [
        {"id": f"n/Deployment/{w}", "kind": "Deployment", "namespace": "n", "name": w, "pods": ["1", "2"]} for w in "ab"
    ]
    ports = {("a", "b"): {"TCP": "80"}, ("b", "a"): {"TCP": "80"}, ("a", "a"): {"TCP": "80"}, ("b", "b"): own}
    links = [
        {"src": f"n/Deployment/{a}", "dst": f"n/Deployment/{b}", "verdict": "allowed", "ports": found}
        for (a, b), found in ports.items()
        if found
    ]
    document = {"endpoints": ends, "connections": links}
    shown = scene(document, _names(document))
    assert len(shown.boxes) == boxes
    assert meaning(spelled(shown)) == stated(unfolded(document, _names(document)))


def test_groups_that_are_each_open_within_themselves_are_one_box_that_says_so() -> None:
    ends = [
        {"id": f"n{n}/Pod/{w}", "kind": "Pod", "namespace": f"n{n}", "name": w} for n in range(4) for w in "abc"
    ]  # fmt: skip
    links = [
        {"src": a["id"], "dst": b["id"], "verdict": "allowed", "ports": {"TCP": "80"}}
        for a, b in itertools.permutations(ends, 2)
        if a["namespace"] == b["namespace"]
    ]
    document = {"endpoints": ends, "connections": links}
    shown = scene(document, _names(document))
    assert [len(box.parts) for box in shown.boxes] == [4]
    assert shown.arrows == ()
    assert meaning(spelled(shown)) == stated(unfolded(document, _names(document)))
    assert "within each of 4: tcp/80" in render(document, "svg")
