from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from audit.baseline import Baseline, compared, load
from audit.errors import InputError
from audit.exports import results_v1
from audit.report import Report
from audit.report_annex import PartRecord
from tests.outputs.example_report import clean, example, large

BEFORE = "2026-01-02T03:04:05Z"


def earlier(report: Report) -> Baseline:
    return Baseline(name="old.json", sha256="0" * 64, report=structs.replace(report, created=BEFORE))


def fresh(report: Report) -> Report:
    """As a scan without baseline makes it."""
    return structs.replace(
        report, findings=tuple(structs.replace(one, first_seen="", baseline_state="") for one in report.findings)
    )


def against(report: Report, old: Report, *, fail_on_new: bool = False) -> Report:
    return compared(report, earlier(old), fail_on_new=fail_on_new)


def counts(report: Report) -> dict[str, int]:
    assert report.changes is not None
    return {state: number for state, number in report.changes.counts.items() if number}


def with_findings(report: Report, *places: int) -> Report:
    return structs.replace(report, findings=tuple(report.findings[place] for place in places))


def test_a_report_against_itself_has_nothing_new() -> None:
    made = against(fresh(example()), fresh(example()))
    assert counts(made) == {"unchanged": len(example().findings)}
    assert {one.first_seen for one in made.findings} == {BEFORE}


def test_what_was_first_seen_long_ago_stays_so() -> None:
    old = example()
    aged = structs.replace(old, findings=tuple(structs.replace(one, first_seen="2020") for one in old.findings))
    assert {one.first_seen for one in against(example(), aged).findings} == {"2020"}


@given(st.sets(st.integers(0, 19)), st.sets(st.integers(0, 19)))
def test_every_finding_of_either_side_is_counted_once(now: set[int], then: set[int]) -> None:
    full = large(20, 20)
    made = against(with_findings(full, *sorted(now)), with_findings(full, *sorted(then)))
    wanted = {"new": len(now - then), "unchanged": len(now & then), "absent": len(then - now)}
    assert counts(made) == {state: number for state, number in wanted.items() if number}


@pytest.mark.parametrize("before", ["excepted", "not-evaluated"])
def test_what_fails_now_and_did_not_before_is_new(before: Any) -> None:
    failing = next(place for place, one in enumerate(example().findings) if one.verdict == "fail")
    now = with_findings(fresh(example()), failing)
    then = structs.replace(now, findings=(structs.replace(now.findings[0], verdict=before),))
    assert counts(against(now, then)) == {"new": 1}
    assert against(now, then).findings[0].first_seen == BEFORE


def test_other_words_about_the_same_cause_are_an_update() -> None:
    now = with_findings(example(), 0)
    then = structs.replace(now, findings=(structs.replace(now.findings[0], counts={"pairs": 1}),))
    assert counts(against(now, then)) == {"updated": 1}


def test_an_object_that_moved_within_its_file_is_no_update() -> None:
    now = with_findings(example(), 0)
    then = structs.replace(now, findings=(structs.replace(now.findings[0], file="old.yaml", line=9),))
    assert counts(against(now, then)) == {"unchanged": 1}


def test_gone_is_proven_only_where_the_rule_and_the_pair_were_evaluated() -> None:
    old = example()
    finding = next(one for one in old.findings if one.verdict == "fail" and one.from_zone)
    then = structs.replace(old, findings=(finding,))

    def gone(verdict: Any, cell: Any) -> bool:
        rules = tuple(structs.replace(one, verdict=verdict) for one in old.rules if one.id == finding.rule)
        cells = tuple(structs.replace(one, verdict=cell) for one in old.cells)
        made = against(structs.replace(old, findings=(), rules=rules, cells=cells), then)
        assert made.changes is not None
        return not made.changes.absent[0].unproven

    assert old.rules
    assert gone("pass", "pass")
    assert not gone("not-evaluated", "pass")
    assert not gone("pass", "not-evaluated")


def test_a_finding_of_a_rule_that_no_longer_runs_is_not_proven_gone() -> None:
    old = example()
    made = against(structs.replace(old, findings=(), rules=(), cells=()), old)
    assert made.changes is not None
    assert all(one.unproven for one in made.changes.absent)


def test_only_what_got_worse_counts_with_fail_on_new() -> None:
    assert example().exit_code == 1
    decided = _decided(example())
    assert against(decided, decided, fail_on_new=True).exit_code == 0
    assert against(decided, decided).exit_code == 1
    assert against(decided, structs.replace(decided, findings=()), fail_on_new=True).exit_code == 1


def test_a_higher_severity_is_worse() -> None:
    now = _decided(example())
    lower = tuple(structs.replace(one, severity="info") for one in now.findings)
    assert against(now, structs.replace(now, findings=lower), fail_on_new=True).exit_code == 1


def test_missing_evidence_stays_incomplete_whatever_the_baseline_lacked() -> None:
    now = _decided(example())
    rules = (*now.rules[:-1], structs.replace(now.rules[-1], verdict="not-evaluated"))
    blind = structs.replace(now, rules=rules)
    assert against(blind, blind, fail_on_new=True).exit_code == 3


def test_a_failing_cell_without_a_finding_counts_unless_it_failed_before() -> None:
    now = structs.replace(_decided(example()), findings=())
    bare = structs.replace(now, cells=tuple(structs.replace(one, findings=()) for one in now.cells))
    assert any(one.verdict == "fail" for one in bare.cells)
    assert against(bare, bare, fail_on_new=True).exit_code == 0
    calm = structs.replace(bare, cells=())
    assert against(bare, calm, fail_on_new=True).exit_code == 1


def test_another_matrix_or_set_of_rules_is_remarked() -> None:
    now = example()
    then = structs.replace(now, rule_pack="other", matrix=structs.replace(now.matrix, sha256="other"))
    changes = against(now, then).changes
    assert changes is not None
    assert len(changes.remarks) == 2


def _decided(report: Report) -> Report:
    """The report without what was not evaluated."""
    return structs.replace(
        report,
        cells=tuple(one for one in report.cells if one.verdict != "not-evaluated"),
        rules=tuple(one for one in report.rules if one.verdict != "not-evaluated"),
        findings=tuple(one for one in report.findings if one.verdict != "not-evaluated"),
    )


def test_results_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(results_v1.render(clean()))
    assert load(str(path)).report == clean()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"schema": "zone-audit.results/2"}',
        b'{"schema": "zone-audit.results/1"}',
        b"\xff",
        results_v1.render(structs.replace(example(), created="yesterday")),
        results_v1.render(structs.replace(example(), created="2026-13-01T00:00:00Z")),
    ],
)
def test_what_is_no_result_is_refused_with_its_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"old\.json: "):
        load(str(path))


def test_results_of_one_owner_are_no_baseline(tmp_path: Path) -> None:
    part = PartRecord(
        owner="team",
        whole_verdict="incomplete",
        whole_sha256="0" * 64,
        findings=(1, 2),
        cells=(1, 2),
        exceptions=(0, 0),
    )
    path = tmp_path / "old.json"
    path.write_bytes(results_v1.render(structs.replace(clean(), part=part)))
    with pytest.raises(InputError, match="one owner only"):
        load(str(path))


def test_other_sources_are_remarked() -> None:
    now = fresh(example())
    then = structs.replace(now, scope=structs.replace(now.scope, source="elsewhere"))
    changes = against(now, then).changes
    assert changes is not None
    assert changes.remarks == ("the baseline is of other sources",)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load(str(tmp_path / "nowhere.json"))


def test_fail_on_new_without_a_baseline_is_a_usage_error() -> None:
    from audit import cli

    assert cli.run(["scan", "x.yaml", "--zones", "zones.yaml", "--fail-on-new"]) == 2


def test_command_tells_what_is_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from audit import cli

    root = Path(__file__).parents[2] / "sample_snapshots"
    zones = str(root / "two-zones-faulty" / "zones.yaml")
    old, new = str(tmp_path / "old.json"), str(tmp_path / "new.json")
    faulty = ["scan", str(root / "two-zones-faulty" / "manifests"), "--zones", zones]
    assert cli.run([*faulty, "-o", old]) == 1
    assert cli.run([*faulty, "-o", new, "--baseline", old, "--fail-on-new"]) == 0
    assert {one["baseline_state"] for one in json.loads(Path(new).read_bytes())["findings"]} == {"unchanged"}
    capsys.readouterr()
    assert cli.run([*faulty, "--baseline", old]) == 1
    assert "0 new" in capsys.readouterr().out
    assert cli.run([*faulty, "-o", old, "--baseline", old]) == 2
