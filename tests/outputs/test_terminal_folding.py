"""Copies of one fault take the place of one finding in the terminal, and are counted."""

from __future__ import annotations

import io

import msgspec

from audit.report import FindingRecord, Report
from audit.terminal import MOST_ALIKE, MOST_FINDINGS, print_report
from tests.outputs.example_report import example, finding


def printed(*findings: FindingRecord) -> str:
    report: Report = msgspec.structs.replace(example(), findings=findings)
    file = io.StringIO()
    print_report(report, file, colour=False, width=200)
    return file.getvalue().partition("Findings, worst first")[2].partition("\nExceptions")[0]


def copies(count: int, rule: str = "NET001", severity: str = "high") -> list[FindingRecord]:
    """One finding per namespace, about the copy of one policy there."""
    found = []
    for number in range(count):
        policy = f"NetworkPolicy n{number:03}/open"
        title = "dmz can reach core on tcp/80" if rule == "NET001" else f"{policy} selects no pod"
        one = finding(rule, "fail", severity, title, ("dmz", "core"), "80")  # type: ignore[arg-type]
        found.append(msgspec.structs.replace(one, subjects=(policy,)))
    return found


def test_copies_are_told_once_with_their_number_and_others_stay() -> None:
    for rule in ("NET001", "NET005"):
        text = printed(*copies(200, rule), *copies(1, "HOST001"))
        assert text.count(f"high  {rule}") == 1
        assert (
            "199 more: NetworkPolicy n001/open, NetworkPolicy n002/open, NetworkPolicy n003/open and 196 more" in text
        )
        assert "HOST001" in text
        assert "findings shown" not in text


def test_a_few_copies_are_told_one_by_one() -> None:
    text = printed(*copies(MOST_ALIKE))
    assert text.count("high  NET001") == MOST_ALIKE
    assert " more: " not in text


def test_another_weight_or_pair_is_not_folded() -> None:
    other = [msgspec.structs.replace(one, to_zone="ledger") for one in copies(10)]
    text = printed(*copies(10), *copies(10, severity="low"), *other)
    assert text.count("9 more: ") == 3


def test_what_is_not_shown_is_counted_in_findings() -> None:
    single = [
        msgspec.structs.replace(one, title=f"title {number}") for number, one in enumerate(copies(MOST_FINDINGS + 4))
    ]
    text = printed(*copies(10), *single)
    assert f"{MOST_FINDINGS + 9} of {MOST_FINDINGS + 14} findings shown" in text


def test_every_rule_of_a_weight_shows_before_the_second_finding_of_one() -> None:
    many = [
        finding("NET001", "fail", "high", f"dmz can reach core on tcp/{port}", ("dmz", "core"), str(port))
        for port in range(1, MOST_FINDINGS + 10)
    ]
    rare = finding("TOP002", "fail", "high", "the console faces outside", ("", ""), "")
    low = finding("STO007", "fail", "low", "data on disks of nodes", ("", ""), "")
    text = printed(*many, rare, low)
    assert (text.count("high  NET001"), text.count("high  TOP002"), text.count("STO007")) == (MOST_FINDINGS - 1, 1, 0)
    assert text.index("NET001") < text.index("TOP002")
