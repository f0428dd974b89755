"""The laws of `AddressSet` and of `AddressSpace`, with the standard library's networks as the judge."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.addresses import AddressSpace
from audit.traffic import EVERYWHERE, AddressSet, address_number, address_text
from tests.core.clusters import blocks

SAME = settings.get_profile("same")
EMPTY = AddressSet()
EDGES = (
    "0.0.0.0",  # noqa: S104 - an address, nothing listens
    "0.0.0.1",
    "10.0.0.0",
    "10.0.0.127",
    "10.0.0.128",
    "127.255.255.255",
    "128.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "fd00::",
    "fd00::ff",
    "8000::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)
addresses = st.sampled_from(EDGES) | st.ip_addresses().map(str)


def networks_of(version: Literal[4, 6]) -> st.SearchStrategy[str]:
    bits = 32 if version == 4 else 128
    lengths = st.sampled_from((0, 1, 8, 24, 25, 31, 32)) | st.integers(0, bits)
    base = st.sampled_from([e for e in EDGES if (":" in e) == (version == 6)]) | st.ip_addresses(v=version).map(str)
    return st.tuples(base, lengths).map(lambda p: f"{p[0]}/{p[1]}")


def unmapped(text: str) -> bool:
    return "." in text or ipaddress.ip_network(text, strict=False)[0].ipv4_mapped is None  # type: ignore[union-attr]


cidrs = (networks_of(4) | networks_of(6)).filter(unmapped)
sets = st.lists(cidrs, max_size=4).map(lambda texts: blocks(*texts))


@SAME
@given(st.lists(cidrs, max_size=4), addresses)
def test_a_set_holds_what_its_blocks_hold(texts: list[str], address: str) -> None:
    one = ipaddress.ip_address(address)
    expected = any(one in ipaddress.ip_network(text, strict=False) for text in texts)
    assert (address_number(address) in blocks(*texts)) == expected


@SAME
@given(sets, sets, addresses)
def test_operators_decide_membership_like_sets(a: AddressSet, b: AddressSet, address: str) -> None:
    number = address_number(address)
    in_a, in_b = number in a, number in b
    assert (number in (a | b)) == (in_a or in_b)
    assert (number in (a & b)) == (in_a and in_b)
    assert (number in (a - b)) == (in_a and not in_b)
    assert (number in ~a) == (not in_a)


@SAME
@given(sets, sets, sets)
def test_union_and_intersection_are_commutative_associative_and_distribute(
    a: AddressSet, b: AddressSet, c: AddressSet
) -> None:
    assert a | b == b | a == AddressSet.union_of([a, b])
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert a & (b | c) == (a & b) | (a & c)


@SAME
@given(sets, sets)
def test_complement_and_difference(a: AddressSet, b: AddressSet) -> None:
    assert a | ~a == EVERYWHERE
    assert a & ~a == EMPTY
    assert ~~a == a
    assert (a - b) & b == EMPTY
    assert (a - b) | (a & b) == a
    assert ~(a | b) == ~a & ~b
    assert (a <= b) == (a | b == b)


@SAME
@given(sets)
def test_blocks_written_out_read_back_as_the_same_set(a: AddressSet) -> None:
    assert blocks(*a.cidrs()) == a


@SAME
@given(sets)
def test_written_blocks_are_disjoint_ascending_and_as_few_as_can_be(a: AddressSet) -> None:
    written = [ipaddress.ip_network(text) for text in a.cidrs()]
    keys = [(n.version, int(n.network_address), int(n.broadcast_address)) for n in written]
    assert keys == sorted(keys)
    assert all(one[0] < two[0] or one[2] < two[1] for one, two in itertools.pairwise(keys))
    for version in (4, 6):
        mine = [n for n in written if n.version == version]
        assert list(ipaddress.collapse_addresses(mine)) == mine  # type: ignore[type-var]


@SAME
@given(sets)
def test_spans_are_sorted_disjoint_and_never_touch(a: AddressSet) -> None:
    assert all(low <= high for low, high in a.spans)
    assert all(one[1] + 1 < two[0] for one, two in itertools.pairwise(a.spans))


def test_the_last_ipv4_and_the_first_ipv6_address_never_merge() -> None:
    edge = blocks("255.255.255.255/32", "::/128")
    assert edge.cidrs() == ("255.255.255.255/32", "::/128")
    assert blocks("0.0.0.0/0", "::/0") == EVERYWHERE
    assert EVERYWHERE.cidrs() == ("0.0.0.0/0", "::/0")
    assert ~blocks("0.0.0.0/0") == blocks("::/0")


def test_a_block_of_one_family_holds_nothing_of_the_other() -> None:
    assert blocks("0.0.0.0/0") & blocks("::/0") == EMPTY
    assert address_number("::1") not in blocks("0.0.0.0/0")
    assert address_number("0.0.0.1") not in blocks("::/0")


def test_two_halves_are_the_whole() -> None:
    assert blocks("0.0.0.0/1", "128.0.0.0/1") == blocks("0.0.0.0/0")
    assert blocks("::/1", "8000::/1").cidrs() == ("::/0",)


@SAME
@given(cidrs)
def test_host_bits_are_masked_away(text: str) -> None:
    assert blocks(text) == blocks(str(ipaddress.ip_network(text, strict=False)))


@pytest.mark.parametrize(
    ("mapped", "plain"),
    [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.1/128", "10.0.0.1/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::ffff:0:0/97", "0.0.0.0/1"),
        ("::ffff:10.1.2.3/120", "10.1.2.0/24"),
    ],
)
def test_a_mapped_block_is_the_ipv4_block_that_it_maps(mapped: str, plain: str) -> None:
    assert blocks(mapped) == blocks(plain)


def test_a_block_wider_than_the_mapped_range_stays_ipv6() -> None:
    assert blocks("::ffff:0:0/95").cidrs() == ("::fffe:0:0/95",)
    assert blocks("::/0").cidrs() == ("::/0",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.0",
        "10.0.0/8",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.0/8/8",
        "256.0.0.0/8",
        "host/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/0.0.0.255",
        "fe80::1%eth0/64",
    ],
)
def test_what_is_no_block_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        AddressSet.cidr(text)


@pytest.mark.parametrize("text", EDGES)
def test_an_address_and_its_number_are_one(text: str) -> None:
    assert address_text(address_number(text)) == text


@pytest.mark.parametrize("text", ["", "10.0.0", "010.0.0.1", "10.0.0.1/32", "x", "1:2"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        address_number(text)


# Atoms ---------------------------------------------------------------------------------------------------------------

collections = st.lists(sets, max_size=4)


@SAME
@given(collections)
def test_atoms_partition_every_address(given_sets: list[AddressSet]) -> None:
    space = AddressSpace(given_sets)
    pieces = [space.addresses([atom]) for atom in range(len(space))]
    assert all(pieces)
    assert AddressSet.union_of(pieces) == EVERYWHERE
    assert space.addresses(range(len(space))) == EVERYWHERE
    for one, two in itertools.pairwise(pieces):
        assert one & two == EMPTY
        assert one.spans[-1][1] < two.spans[0][0]


@SAME
@given(collections)
def test_ranges_of_a_set_cover_exactly_the_set(given_sets: list[AddressSet]) -> None:
    space = AddressSpace(given_sets)
    for one in [*given_sets, EVERYWHERE, EMPTY]:
        atoms = [atom for low, high in space.ranges(one) for atom in range(low, high)]
        assert space.addresses(atoms) == one
        assert len(set(atoms)) == len(atoms)


@SAME
@given(collections)
def test_a_set_holds_an_atom_wholly_or_not_at_all(given_sets: list[AddressSet]) -> None:
    space = AddressSpace(given_sets)
    for atom in range(len(space)):
        piece = space.addresses([atom])
        assert all(piece <= one or not piece & one for one in given_sets)


@SAME
@given(collections, addresses)
def test_the_atom_of_an_address_holds_it(given_sets: list[AddressSet], address: str) -> None:
    space = AddressSpace(given_sets)
    number = address_number(address)
    atom = space.atom(number)
    assert number in space.addresses([atom])
    assert space.family(atom) == (6 if ":" in address else 4)


def test_without_any_set_there_is_one_atom_a_family() -> None:
    space = AddressSpace([])
    assert [space.addresses([atom]).cidrs() for atom in range(len(space))] == [("0.0.0.0/0",), ("::/0",)]


def test_a_set_that_ends_at_the_last_address_of_a_family_cuts_nothing_beyond_it() -> None:
    space = AddressSpace([blocks("128.0.0.0/1", "8000::/1")])
    assert [space.addresses([atom]).cidrs() for atom in range(len(space))] == [
        ("0.0.0.0/1",),
        ("128.0.0.0/1",),
        ("::/1",),
        ("8000::/1",),
    ]
