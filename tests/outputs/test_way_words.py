"""What is said of ways between zones that must be apart, in words and under the table of `reach`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from audit import drawing, path_records, reach_ways
from tests.outputs.example_report import APART, CUTS, HOSTILE, TRANSIT


def document(**more: Any) -> dict[str, Any]:
    """A document by zone, with ways."""
    found = {
        "endpoints": [],
        "connections": [],
        "apart": APART,
        "transit": msgspec.to_builtins(TRANSIT),
        "cuts": msgspec.to_builtins(CUTS),
    }
    return found | more


def test_a_chain_says_whether_it_is_certain_and_shown_for_endpoints() -> None:
    sure, doubtful, _ = TRANSIT
    assert path_records.chain_text(sure) == "internet -> dmz -> internal -> database"
    text = path_records.chain_text(doubtful)
    assert text.startswith("possibly partners -> dmz -> management")
    assert "zone by zone" in text


def test_a_hop_shows_its_witness_all_ports_and_its_doubt() -> None:
    first, second = TRANSIT[1].hops
    assert path_records.hop_text(first) == "partners -> dmz on tcp/443, tcp/8443"
    assert path_records.hop_text(second) == (
        "dmz/Deployment/x -> management/Deployment/x tcp/443 (of tcp/443, tcp/8443) (not certain: host-network)"
    )


def test_a_cut_says_how_small_it_is_known_to_be() -> None:
    smallest, bounded, none = map(path_records.cut_text, CUTS)
    assert smallest == "close ingress of NetworkPolicy ledger/allow-all rule 0 (m.yaml:4)"
    assert bounded.startswith("close at most 6, no fewer than 4: ingress of")
    assert bounded.endswith("; and 2 more")
    assert none == "no cut: at least 21 would have to be closed"


def test_pairs_come_certain_first_then_by_how_far_they_climb() -> None:
    trust = {"internet": 0, "partners": 10, "dmz": 20, "management": 70, "database": 90}
    pairs = path_records.joined(TRANSIT, CUTS, trust)
    assert [(one.from_zone, one.to_zone) for one in pairs] == [
        ("internet", "database"),
        ("dmz", "database"),
        ("database", "internet"),
        ("partners", "management"),
    ]
    assert [one.title for one in pairs[1:3]] == ["directly and dmz -> internal -> database", "directly"]


def test_without_pairs_that_must_be_apart_that_is_said() -> None:
    assert path_records.apart_text({}) == "no two zones with members have to be apart"
    apart = {"pairs": 3, "connected": 0, "direct": 0, "transit": 0, "possible": 0}
    assert path_records.apart_text(apart) == "0 of 3 zone pairs that must be apart are connected"


@pytest.mark.parametrize("name", ["table", "md"])
def test_the_table_lists_every_pair_with_hops_and_cut(name: str) -> None:
    text = drawing.render(document(), name).replace("\\", "")
    assert "3 of 14 zone pairs that must be apart are connected, 2 directly and 2 through other zones; 1 more" in text
    assert text.count("hop 1: ") == len(TRANSIT)
    assert text.count("to part them: ") == len(CUTS)


@pytest.mark.parametrize("name", ["csv", "dot"])
def test_formats_for_machines_and_pictures_have_no_such_section(name: str) -> None:
    assert "apart" not in drawing.render(document(), name)


def test_more_pairs_than_a_page_holds_are_counted() -> None:
    many = [msgspec.to_builtins(msgspec.structs.replace(CUTS[0], from_zone=f"z{n:02}")) for n in range(40)]
    text = reach_ways.section(document(cuts=many, transit=[]), "table")
    assert text.count("to part them") == reach_ways.MOST
    assert "30 of 40 pairs shown" in text


@pytest.mark.parametrize("bad", HOSTILE)
@pytest.mark.parametrize("name", ["table", "md"])
def test_hostile_names_add_no_line_and_no_markup(name: str, bad: str) -> None:
    cut = msgspec.structs.replace(CUTS[0], from_zone=bad, openings=(), reason=bad)
    text = reach_ways.section(document(cuts=[msgspec.to_builtins(cut)], transit=[]), name)
    plain = msgspec.structs.replace(CUTS[0], from_zone="x", openings=(), reason="x")
    assert text.count("\n") == reach_ways.section(document(cuts=[msgspec.to_builtins(plain)], transit=[]), name).count(
        "\n"
    )
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert name == "table" or "<script" not in text.replace("\\<", "")
