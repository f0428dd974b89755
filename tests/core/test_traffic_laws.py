"""The laws of `Traffic`, with plain sets of (protocol, port) as the judge."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import _intervals as iv
from audit.traffic import ALL, MAX_PORT, NONE, PROTOCOLS, Traffic

SAME = settings.get_profile("same")
Member = tuple[str, int]

ports = st.sampled_from([1, 2, 3, 79, 80, 81, 443, 65533, 65534, 65535]) | st.integers(1, MAX_PORT)
ranges = st.tuples(st.sampled_from(PROTOCOLS), ports, ports).map(lambda r: (r[0], min(r[1:]), max(r[1:])))


def made(listed: list[tuple[str, int, int]]) -> Traffic:
    total = NONE
    for one in listed:
        total |= Traffic.port_range(*one)
    return total


traffics = st.lists(ranges, max_size=5).map(made)
probes = st.tuples(st.sampled_from(PROTOCOLS), ports)


def holds(traffic: Traffic, probe: Member) -> bool:
    """Membership as a reader of `ports()` would decide it."""
    text = traffic.ports().get(probe[0], "")
    pairs = [part.partition("-") for part in text.split(",") if part]
    return any(int(low) <= probe[1] <= int(high or low) for low, _, high in pairs)


@SAME
@given(traffics, traffics, probes)
def test_operators_decide_membership_like_sets(a: Traffic, b: Traffic, probe: Member) -> None:
    in_a, in_b = holds(a, probe), holds(b, probe)
    assert holds(a | b, probe) == (in_a or in_b)
    assert holds(a & b, probe) == (in_a and in_b)
    assert holds(a - b, probe) == (in_a and not in_b)
    assert holds(~a, probe) == (not in_a)


@SAME
@given(traffics, traffics, traffics)
def test_union_and_intersection_are_commutative_associative_and_distribute(a: Traffic, b: Traffic, c: Traffic) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)


@SAME
@given(traffics, traffics)
def test_absorption_and_de_morgan(a: Traffic, b: Traffic) -> None:
    assert a | (a & b) == a
    assert a & (a | b) == a
    assert ~(a | b) == ~a & ~b
    assert ~(a & b) == ~a | ~b


@SAME
@given(traffics)
def test_the_complement_partitions_everything_and_undoes_itself(a: Traffic) -> None:
    assert a | ~a == ALL
    assert a & ~a == NONE
    assert ~~a == a


@SAME
@given(traffics, traffics)
def test_the_difference_is_disjoint_and_restores_the_union(a: Traffic, b: Traffic) -> None:
    assert (a - b) & b == NONE
    assert (a - b) | b == a | b
    assert (a - b) | (a & b) == a
    assert a - b == a & ~b


@SAME
@given(traffics, traffics)
def test_subset_is_what_union_and_intersection_say(a: Traffic, b: Traffic) -> None:
    assert (a <= b) == (a | b == b) == (a & b == a)
    assert a & b <= a <= a | b
    assert bool(a) == (a != NONE)


@SAME
@given(traffics, st.randoms(use_true_random=False))
def test_equal_sets_are_equal_values_however_they_were_made(a: Traffic, random: object) -> None:
    pieces = [
        (protocol, *part)
        for protocol in PROTOCOLS
        for low, high in a.ranges(protocol)
        for middle in [(low + high) // 2]
        for part in ([(low, middle), (middle + 1, high)] if low < high else [(low, high)])
    ]
    random.shuffle(pieces)  # type: ignore[attr-defined]
    again = made([*pieces, *pieces[:2]])
    assert again == a
    assert hash(again) == hash(a)
    assert again.spans == a.spans


@SAME
@given(traffics)
def test_spans_are_sorted_disjoint_and_never_touch(a: Traffic) -> None:
    assert all(low <= high for low, high in a.spans)
    assert all(one[1] + 1 < two[0] for one, two in itertools.pairwise(a.spans))


@SAME
@given(traffics)
def test_text_of_ports_reads_back_as_the_same_traffic(a: Traffic) -> None:
    assert Traffic.parse(a.ports()) == a


def test_protocols_never_merge_at_the_ends_of_their_ranges() -> None:
    edge = Traffic.of("TCP", MAX_PORT) | Traffic.of("UDP", 1, 1)
    assert len(edge.spans) == 2
    assert edge.ports() == {"TCP": "65535", "UDP": "1"}
    assert ALL.ports() == dict.fromkeys(PROTOCOLS, "1-65535")
    assert ~Traffic.of("UDP") == Traffic.of("TCP") | Traffic.of("SCTP")


@pytest.mark.parametrize("port", [1, 2, 80, MAX_PORT])
def test_one_port_is_one_port(port: int) -> None:
    assert Traffic.of("TCP", port).ports() == {"TCP": str(port)}


def test_no_port_means_every_port_of_the_protocol() -> None:
    assert Traffic.of("UDP").ports() == {"UDP": "1-65535"}
    assert Traffic.of("SCTP", 5, 7).ports() == {"SCTP": "5-7"}


@pytest.mark.parametrize(
    ("protocol", "low", "high"),
    [("tcp", 1, 1), ("ICMP", 1, 1), ("", 1, 1), ("TCP", 0, 1), ("TCP", 1, 65536), ("TCP", 2, 1), ("UDP", -1, 5)],
)
def test_what_is_no_range_of_a_protocol_is_refused(protocol: str, low: int, high: int) -> None:
    with pytest.raises(ValueError, match=r"unknown protocol|not a range within 1-65535"):
        Traffic.of(protocol, low, high)


@pytest.mark.parametrize("text", ["", "x", "0", "65536", "9-8", "80,,81", "80-", "-80", "1-2-3", "8_0", "+80"])
def test_text_that_is_no_list_of_ports_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Traffic.parse({"TCP": text})


@pytest.mark.parametrize(
    ("traffic", "text"),
    [
        (NONE, "nothing"),
        (ALL, "any"),
        (Traffic.of("TCP"), "tcp/*"),
        (Traffic.parse({"UDP": "53", "TCP": "80,8000-8010"}), "tcp/80, tcp/8000-8010, udp/53"),
    ],
)
def test_traffic_as_people_read_it(traffic: Traffic, text: str) -> None:
    assert str(traffic) == text


numbers = st.lists(st.tuples(st.integers(0, 40), st.integers(-2, 8)).map(lambda p: (p[0], p[0] + p[1])), max_size=6)


def expanded(pairs: iv.Intervals) -> set[int]:
    return {number for low, high in pairs for number in range(low, high + 1)}


@SAME
@given(numbers, numbers)
def test_intervals_are_sets_of_integers(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    a, b = iv.normal(left), iv.normal(right)
    assert expanded(a) == expanded(tuple(left))
    assert expanded(iv.union(a, b)) == expanded(a) | expanded(b)
    assert expanded(iv.intersection(a, b)) == expanded(a) & expanded(b)
    assert expanded(iv.difference(a, b)) == expanded(a) - expanded(b)
    for found in (a, iv.union(a, b), iv.intersection(a, b), iv.difference(a, b)):
        assert found == iv.normal(found)
