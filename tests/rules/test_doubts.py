"""A doubt outlives every exception, and what cannot be judged never passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audit.flows import CellFlow
from audit.model import Flow
from audit.snapshot import Gap
from audit.traffic import NONE, Traffic

DNS = Traffic.of("UDP", 53)


def cell(results: Any, source: str = "dmz", target: str = "internal") -> Any:
    return next(one for one in results.cells if (one.cell.source, one.cell.target) == (source, target))


def cover_all(_: Any) -> str:
    return "EX-1"


def with_row(estate: Any, access: Any, *services: str, traffic: Traffic = NONE) -> Any:
    row = Flow(
        id="ZM-1",
        source="dmz",
        target="internal",
        access=access,
        services=services,
        traffic=traffic,
        unmodelled=tuple(one for one in services if one.startswith("icmp")),
    )
    return replace(estate, matrix=replace(estate.matrix, flows=(row,)))


def test_a_doubt_keeps_an_excused_cell_from_being_excepted(kit: Any) -> None:
    maybe = kit.open_default("app", DNS, certain=False, reasons=("pod-address",), pairs=7)
    estate = kit.with_flows(kit.failing("dmz", "internal", kit.by_policy("app", "one", kit.ssh), maybe))
    assert cell(estate.check()).verdict == "fail"
    left = cell(estate.check(cover=cover_all))
    assert (left.verdict, left.cell.verdict) == ("not-evaluated", "not-evaluated")
    assert (left.cell.excess, left.cell.reasons) == (DNS, ("pod-address",))


def test_a_doubt_about_the_same_ports_counts_too(kit: Any) -> None:
    maybe = kit.open_default("web", kit.ssh, certain=False, reasons=("pod-address",))
    estate = kit.with_flows(kit.failing("dmz", "internal", kit.by_policy("app", "one", kit.ssh), maybe))
    left = cell(estate.check(cover=cover_all))
    assert (left.verdict, left.cell.excess) == ("not-evaluated", kit.ssh)


def test_possible_traffic_without_a_cause_counts_too(kit: Any) -> None:
    flow = replace(kit.failing("dmz", "internal", kit.by_policy("app", "one", kit.ssh)), possible=kit.ssh | DNS)
    left = cell(kit.with_flows(flow).check(cover=cover_all))
    assert (left.verdict, left.cell.excess) == ("not-evaluated", DNS)


def test_a_doubt_that_no_entry_point_leads_to_does_not_count(kit: Any) -> None:
    hidden = kit.open_default("app", DNS, certain=False, reasons=("pod-address",), exposed=False)
    estate = kit.with_flows(kit.failing("dmz", "internal", kit.by_policy("app", "one", kit.ssh), hidden))
    assert cell(estate.check(cover=cover_all)).verdict == "excepted"


def test_an_unread_part_keeps_an_excused_cell_from_being_excepted(kit: Any) -> None:
    estate = kit.with_flows(kit.failing("dmz", "internal", kit.by_policy("app", "one", kit.ssh)))
    lost = replace(estate, gaps=(Gap(kind="Pod", reason="partial"),))
    assert cell(lost.check()).verdict == "fail"
    left = cell(lost.check(cover=cover_all))
    assert (left.verdict, left.cell.reasons) == ("not-evaluated", ("incomplete-evidence",))


@pytest.mark.parametrize("certain", [True, False])
def test_a_row_that_blocks_what_no_policy_decides_is_not_evaluated(kit: Any, *, certain: bool) -> None:
    flow = CellFlow(source="dmz", target="internal", observed=kit.ssh if certain else NONE, possible=kit.ssh)
    results = with_row(kit.with_flows(flow), "block-only", "icmp/8").check()
    judged = cell(results)
    assert (judged.verdict, judged.cell.reasons) == ("not-evaluated", ("protocols",))
    (found,) = [one for one in results.findings if one.rule.id == "NET001"]
    assert (found.verdict, found.finding.title) == ("not-evaluated", "dmz may reach internal on icmp/8: protocols")
    assert judged.findings == (found.fingerprint,)


def test_where_nothing_is_open_a_block_of_other_protocols_is_kept(kit: Any) -> None:
    assert cell(with_row(kit.estate, "block-only", "icmp/8").check()).verdict == "pass"


def test_allowing_other_protocols_changes_nothing(kit: Any) -> None:
    flow = CellFlow(source="dmz", target="internal", observed=kit.https, possible=kit.https)
    estate = with_row(kit.with_flows(flow), "allow-only", "tcp/8443", "icmp/8", traffic=kit.https)
    assert cell(estate.check()).verdict == "pass"


def test_a_failing_row_that_also_blocks_other_protocols_is_never_excepted(kit: Any) -> None:
    flow = kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))
    estate = with_row(kit.with_flows(flow), "block-only", "tcp/22", "icmp/8", traffic=kit.ssh)
    assert cell(estate.check()).verdict == "fail"
    left = cell(estate.check(cover=cover_all))
    assert (left.verdict, left.cell.excess, left.cell.reasons) == ("not-evaluated", NONE, ("protocols",))
