from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from audit import pages, summary
from audit.completeness import decisive
from audit.model import Verdict
from audit.pictures import heat_map, zone_diagram
from audit.report import CellRecord, CompletenessRecord, Report, RuleRecord
from audit.steps import first_steps, no_step
from tests.outputs.example_report import HOSTILE, clean, example, hostile, large

CELL = CellRecord(
    from_zone="a", to_zone="b", verdict="pass", expected={"TCP": "80,443"}, observed={}, possible={}, excess={}
)


def cell(**changes: object) -> CellRecord:
    return msgspec.structs.replace(CELL, **changes)


@pytest.mark.parametrize(
    ("observed", "possible", "words"),
    [
        ({"TCP": "443-500"}, {"TCP": "443-500"}, "open in policy: tcp/443"),
        ({}, {"TCP": "80"}, "perhaps open in policy"),
        ({"TCP": "22"}, {"TCP": "22"}, "not open in policy"),
        ({}, {}, "not open in policy"),
        ({"TCP": "nonsense"}, {}, "unknown"),
    ],
)
def test_a_service_counts_as_open_only_when_it_surely_is_and_never_as_observed(
    observed: dict[str, str], possible: dict[str, str], words: str
) -> None:
    assert summary.seen_text(cell(observed=observed, possible=possible)) == words


def test_a_pair_that_is_missing_is_marked_as_not_evaluated() -> None:
    report = example()
    holed = msgspec.structs.replace(report, cells=report.cells[1:])
    assert summary.grid(holed)[0][0] is None
    assert summary.mark(None) == "?"


def test_marks_are_letters_in_lower_case_for_defaults_and_count_failures() -> None:
    assert summary.mark(cell()) == "P"
    assert summary.mark(cell(by_default=True)) == "p"
    assert summary.mark(cell(verdict="fail", findings=("x", "y"))) == "F2"
    assert summary.mark(cell(verdict="fail", findings=("x",), by_default=True)) == "f1"
    assert summary.mark(cell(verdict="not-evaluated", by_default=True)) == "?"


def test_everything_unread_undecided_or_unmodelled_is_said() -> None:
    told = {gap.what for gap in summary.not_seen(example())}
    assert told == {
        "Node", "Service", "Zone pairs", "Rules", "By hand", "Findings", "Namespaces", "Services", "Not in the files"
    }  # fmt: skip


def test_rules_with_one_reason_are_told_together_and_those_for_people_apart() -> None:
    def rule(name: str, verdict: Verdict, reason: str) -> RuleRecord:
        return RuleRecord(id=name, title=name, severity="low", verdict=verdict, findings=0, reason=reason, controls=())

    rules = (
        rule("A1", "not-evaluated", "no roles"),
        rule("A2", "not-evaluated", "no roles"),
        rule("A3", "not-evaluated", "no nodes"),
        rule("A4", "manual", "ask the firewall team"),
    )
    told = {one.what: one for one in summary.not_seen(msgspec.structs.replace(example(), rules=rules))}
    assert (told["Rules"].extent, told["Rules"].reason) == ("3 of 4 not evaluated", "A1, A2: no roles; A3: no nodes")
    assert told["By hand"].extent == "1 of 4 rules ask a person to look"
    assert told["By hand"].reason == "A4: ask the firewall team"


def test_kinds_that_the_files_lack_are_one_line_that_claims_no_absence() -> None:
    lack = [gap for gap in summary.not_seen(example()) if gap.what == "Not in the files"]
    assert [gap.extent for gap in lack] == [
        "1 kind that can change a verdict (IngressController); cannot tell absent from not collected"
    ]
    many = tuple(
        CompletenessRecord(kind=kind, objects=0, status="not-in-source") for kind in ("Zed.example.org", *decisive())
    )
    text = summary.lacking(msgspec.structs.replace(example(), completeness=many))
    assert text.startswith(f"{len(many)} kinds that can change a verdict (NetworkPolicy, Namespace, Pod, Node, ...)")
    assert not summary.lacking(clean())


def test_what_was_read_is_said_with_how_much_of_it_was_understood() -> None:
    records = (
        CompletenessRecord(kind="Pod", objects=5, status="read"),
        CompletenessRecord(kind="Node", objects=0, status="not-in-source"),
    )
    report = msgspec.structs.replace(example(), completeness=records)
    assert summary.read_text(report) == "all 5 objects of the files were understood"
    odd = CompletenessRecord(kind="AdminNetworkPolicy", objects=2, status="not-modelled")
    report = msgspec.structs.replace(example(), completeness=(*records, odd))
    assert summary.read_text(report) == "5 of 7 objects of the files were understood"


def test_pairs_that_are_only_possible_are_never_shown_as_none() -> None:
    assert summary.pairs_text(cell(excess_pairs=0, possible_pairs=3)) == "0 certain, up to 3"
    assert summary.pairs_text(cell(excess_pairs=2, possible_pairs=1)) == "2 certain, up to 3"
    assert summary.pairs_text(cell(excess_pairs=1200)) == "1,200"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("expired", "EX-3 expired 2026-06-30, would have covered this"),
        ("self-approved", "EX-3 is self-approved, would have covered this"),
        ("not-yet-valid", "EX-3 is not valid before 2027-01-01, would have covered this"),
    ],
)
def test_a_finding_says_why_an_exception_does_not_cover_it(status: str, words: str) -> None:
    report = example()
    late = msgspec.structs.replace(report.exceptions[0], status=status, valid_from="2027-01-01")
    report = msgspec.structs.replace(report, exceptions=(late, *report.exceptions[1:]))
    one = next(finding for finding in report.findings if finding.refused_exceptions)
    assert summary.refused_texts(report, one) == (words,)


def test_counts_of_nothing_are_left_out() -> None:
    one = msgspec.structs.replace(example().findings[0], counts={"empty_peers": 0, "pairs": 1200, "not_isolated": 2})
    assert summary.counts_text(one) == "not isolated 2, pairs 1,200"


def test_a_kind_that_the_cluster_does_not_have_is_no_gap() -> None:
    assert "AdminNetworkPolicy" not in {gap.what for gap in summary.not_seen(example())}


def test_first_steps_are_distinct_and_start_with_the_worst_finding() -> None:
    steps = first_steps(example(), 50)
    assert steps[0].startswith("Restrict NetworkPolicy")
    assert len(steps) == len(set(steps))
    assert "Renew or withdraw exception EX-3 (expired)." in steps
    assert "Make Node readable to the scan (forbidden)." in steps


def test_the_verdict_is_not_said_twice() -> None:
    said = msgspec.structs.replace(example(), headline="Not compliant: two pairs fail.")
    assert summary.reason(said) == "two pairs fail"
    assert summary.reason(msgspec.structs.replace(said, headline="two pairs fail")) == "two pairs fail"


def test_monstrous_text_is_cut_and_the_cut_is_stated() -> None:
    report = msgspec.structs.replace(example(), headline="x" * 50_000)
    assert summary.shown(report).headline.endswith("… (2,000 of 50,000 characters)")


@pytest.mark.parametrize("report", [example(), clean(), large(30, 400), hostile(HOSTILE[1]), hostile(HOSTILE[8])])
def test_pictures_are_well_formed_and_show_every_cell(report: Report) -> None:
    shown = summary.shown(report)
    root = ET.fromstring(heat_map.heat_map(shown).svg)  # noqa: S314 - our own output
    cells = [e for e in root.iter("{http://www.w3.org/2000/svg}rect") if e.get("class", "").startswith("c-")]
    assert len(cells) == len(report.cells)
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    diagram = ET.fromstring(zone_diagram.zone_diagram(shown).svg)  # noqa: S314 - our own output
    boxes = [e for e in diagram.iter("{http://www.w3.org/2000/svg}rect") if e.get("class") == "box"]
    assert len(boxes) == len(report.zones)


def test_a_diagram_that_leaves_flows_out_says_how_many() -> None:
    notes = zone_diagram.zone_diagram(summary.shown(large())).notes
    assert any(re.match(rf"{zone_diagram.DRAWN} of \d+ flows are drawn", note) for note in notes)


def test_a_shortened_zone_name_is_mentioned() -> None:
    report = example()
    long = msgspec.structs.replace(report.zones[0], name="z" * 60)
    picture = heat_map.heat_map(msgspec.structs.replace(report, zones=(long, *report.zones[1:])))
    assert "z" * 60 not in re.sub("<title>.*?</title>", "", picture.svg)
    assert picture.notes


def test_only_a_complete_scan_says_that_nothing_is_open() -> None:
    complete = clean()
    assert no_step(complete).startswith("Nothing is open beyond the matrix")
    for verdict in ("incomplete", "not-compliant"):
        report = msgspec.structs.replace(complete, verdict=verdict)
        assert "othing is open" not in no_step(report)
        page = pages.html(report)
        assert "othing is open;" not in page
        assert "othing is open." not in page
        assert page.count(no_step(report)) == 2
