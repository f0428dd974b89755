"""`--split-by owner`: every owner gets their own part, and the whole stays as it was."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from audit import control_mapping, exports, shares
from audit import pages as pages_of
from audit.exports import prometheus, results_v1
from audit.report import Report, RuleRecord
from audit.report_annex import ChangesRecord
from audit.terminal import print_report
from tests.bundles.conftest import Zone
from tests.outputs.example_report import clean, example, hostile, large
from tests.samples import readings
from tests.samples.running import Sample

REPORTS = (example(), clean(), hostile("<b>\x1b[31m"), large(6, 60))


def parts(report: Report) -> dict[str, Report]:
    return {owner: shares.share(report, owner, "0" * 64) for owner in shares.owners(report)}


@pytest.mark.parametrize("report", REPORTS)
def test_every_finding_and_every_pair_is_in_just_one_part(report: Report) -> None:
    found = parts(report).values()
    assert Counter(one.fingerprint for part in found for one in part.findings) == Counter(
        one.fingerprint for one in report.findings
    )
    assert Counter((one.from_zone, one.to_zone) for part in found for one in part.cells) == Counter(
        (one.from_zone, one.to_zone) for one in report.cells
    )
    assert {one.id for part in found for one in part.exceptions} == {one.id for one in report.exceptions}


@pytest.mark.parametrize("report", REPORTS)
def test_a_part_says_how_much_of_the_whole_it_is_and_its_numbers_add_up(report: Report) -> None:
    for owner, part in parts(report).items():
        about = part.part
        assert about is not None
        assert (about.owner, about.whole_verdict) == (owner, report.verdict)
        assert about.findings == (len(part.findings), len(report.findings))
        assert f"{len(part.findings):,} of {len(report.findings):,} findings" in part.headline
        assert f"{len(part.cells):,} of {len(report.cells):,} zone pairs" in part.headline
        assert sum(part.counts.findings.values()) == len(part.findings)
        assert sum(part.counts.cells.values()) == len(part.cells)
        assert sum(part.counts.rules.values()) == len(report.rules)
        known = {one.fingerprint for one in part.findings}
        assert known.issuperset(name for one in part.cells for name in one.findings)


@pytest.mark.parametrize("report", REPORTS)
def test_a_rule_that_fails_elsewhere_never_passes_here(report: Report) -> None:
    for part in parts(report).values():
        for rule, before in zip(part.rules, report.rules, strict=True):
            assert rule.verdict != "pass" or before.verdict == "pass"
            if before.verdict == "not-evaluated":
                assert rule.verdict == "not-evaluated"


def test_a_control_that_fails_elsewhere_passes_in_no_part() -> None:
    named = "pci-dss-4.0.1/1.3.1"
    rules = (
        RuleRecord(id="R1", title="t", severity="low", verdict="fail", findings=1, controls=(named,)),
        RuleRecord(id="R2", title="t", severity="low", verdict="pass", controls=(named,)),
    )
    whole = structs.replace(clean(), rules=rules, controls=control_mapping.mapped(rules, (), ()))
    assert {one.result for one in whole.controls} == {"fail"}
    told = {one.result for part in parts(whole).values() for one in part.controls if one.control == "1.3.1"}
    assert told == {"not-applicable"}


def test_a_control_that_passes_as_a_whole_passes_in_a_part() -> None:
    rules = (RuleRecord(id="R", title="t", severity="low", verdict="pass", controls=("own/1",)),)
    whole = structs.replace(clean(), rules=rules, controls=control_mapping.mapped(rules, (), ()))
    told = [one.result for part in parts(whole).values() for one in part.controls if one.framework == "own"]
    assert set(told) == {"pass"}


def test_every_part_has_a_sarif_category_of_its_own() -> None:
    whole = example()
    files = [exports.render("sarif", one) for one in (whole, *parts(whole).values())]
    assert len({json.loads(one)["runs"][0]["automationDetails"]["id"] for one in files}) == len(files)


@pytest.mark.parametrize("verdict", ["compliant", "incomplete", "not-compliant"])
def test_a_clean_part_does_not_make_the_cluster_compliant(verdict: str) -> None:
    found = parts(structs.replace(clean(), verdict=verdict)).values()
    assert "compliant" in {part.verdict for part in found}
    told = [one.samples for part in found for one in prometheus.metrics(part) if one.name == "zone_audit_compliant"]
    assert {value for samples in told for _, value in samples} == {float(verdict == "compliant")}


def test_no_output_of_a_part_gives_its_verdict_for_that_of_the_whole() -> None:
    part = next(one for one in parts(structs.replace(clean(), verdict="not-compliant")).values() if one.cells)
    assert part.verdict == "compliant"
    console = io.StringIO()
    print_report(part, console, colour=False, width=200)
    pages = (pages_of.html(part), console.getvalue(), exports.render("markdown", part).decode())
    title = re.search(r"<title>(.*?)</title>", pages[0])
    assert title
    assert title[1].startswith("Part of a scan, compliant")
    for page in pages:
        assert "part of a scan, compliant" in page.lower()
        assert not re.search(r"(?:^[\W]*|>\s*)(?:Compliant|COMPLIANT)\b", page, re.MULTILINE)


@pytest.mark.parametrize("report", REPORTS)
def test_metrics_of_all_parts_can_be_collected_together(report: Report) -> None:
    files = [exports.render("prometheus", one).decode().splitlines() for one in (report, *parts(report).values())]
    series = [line.rpartition(" ")[0] for file in files for line in file if not line.startswith("#")]
    assert len(series) == len(set(series))


def test_a_part_is_no_better_than_its_worst_finding() -> None:
    for report in REPORTS:
        for part in parts(report).values():
            fails = any(one.verdict == "fail" for one in part.cells) or any(
                one.verdict == "fail" and one.severity != "info" for one in part.findings
            )
            assert (part.verdict == "not-compliant") == fails


@pytest.mark.parametrize("report", [example(), large(6, 60)])
def test_every_format_says_the_counts_of_a_part(report: Report) -> None:
    for part in list(parts(report).values())[:3]:
        files = {name: exports.render(name, part) for name in exports.FORMATS}
        readings.check(files, json.loads(results_v1.render(part)))


@given(st.lists(st.text(st.characters(codec=None), max_size=90), unique=True))
@settings(max_examples=200, deadline=None)
def test_names_of_files_are_harmless_and_told_apart(owners: list[str]) -> None:
    names = shares.file_names(owners)
    assert len({name.casefold() for name in names.values()}) == len(owners)
    for name in names.values():
        assert name.isascii()
        assert name[0] not in ".-"
        assert len(name) <= 80
        assert not set(name) & set("/\\:*?\"<>| \n\0'`$&;(){}[]!")


def test_plain_owners_keep_their_names() -> None:
    assert shares.file_names(["team-a", "data@example.org", ""]) == {
        "team-a": "team-a", "data@example.org": "data@example.org", "": "unowned",
    }  # fmt: skip
    clash = shares.file_names(["Team", "team", "unowned", ""])
    assert len({one.casefold() for one in clash.values()}) == 4
    assert ".." not in shares.file_names(["../../etc/passwd"])["../../etc/passwd"][:2]


def test_each_owner_gets_a_file_and_the_whole_stays_as_it_was(zone: Zone, tmp_path: Path) -> None:
    sample = Sample("enterprise")
    (tmp_path / "parts").mkdir()
    assert zone("scan", *sample.sources, "-o", tmp_path / "alone.json", "--exit-zero").code == 0
    words = ("--split-by", "owner", "-f", "json", "-o", tmp_path / "parts" / "{owner}.json", "--exit-zero")
    done = zone("scan", *sample.sources, "-o", tmp_path / "whole.json", *words)
    assert done.code == 0, done.err
    whole = (tmp_path / "whole.json").read_bytes()
    assert whole == (tmp_path / "alone.json").read_bytes()
    assert json.loads(whole)["part"] is None
    made = [json.loads(file.read_text()) for file in sorted((tmp_path / "parts").iterdir())]
    assert "unowned.json" in {file.name for file in (tmp_path / "parts").iterdir()}
    assert {one["part"]["whole_sha256"] for one in made} == {results_v1.digest(whole)}
    assert sum(len(one["findings"]) for one in made) == len(json.loads(whole)["findings"])


def test_hostile_owners_write_nowhere_else(zone: Zone, place: Path) -> None:
    zones = place / "zones.yaml"
    text = zones.read_text()
    for name, evil in (("dmz", "../../outside"), ("internal", "a/b\\\\c")):
        text = text.replace(f"name: {name}, kind", f'name: {name}, owner: "{evil}", kind')
    zones.write_text(text)
    (place / "out").mkdir()
    words = ("--split-by", "owner", "-o", place / "out" / "{owner}.html", "--exit-zero")
    before = {one.name for one in place.iterdir()}
    assert zone("scan", place / "manifests", "--zones", zones, *words).code == 0
    assert {one.name for one in place.iterdir()} == before
    names = sorted(one.name for one in (place / "out").iterdir())
    assert [one.rpartition("-")[0] for one in names if "-" in one] == ["a-b-c", "outside"]
    assert any("../../outside" in file.read_text() for file in (place / "out").iterdir())


def test_option_and_names_have_to_fit(zone: Zone, place: Path) -> None:
    words = ("scan", place / "manifests", "--zones", place / "zones.yaml")
    split = ("--split-by", "owner")
    for wrong in (
        (*split, "-o", place / "x.html"),
        ("-o", place / "{owner}.html"),
        (*split, "-f", "bundle", "-o", place / "{owner}.zip"),
        (*split, "-o", place / "{owner}" / "x.html"),
    ):
        done = zone(*words, *wrong)
        assert (done.code, done.out) == (2, ""), wrong
    assert zone(*words, *split, "-o", place / "{owner}.json", "-o", place / "unowned.json").code == 2
    assert not (place / "unowned.json").exists()


def test_changes_of_a_part_are_those_of_its_findings() -> None:
    report = example()
    counts = {"new": 9, "unchanged": 0, "updated": 0, "absent": 9}
    changes = ChangesRecord(baseline="b", created=report.created, verdict="compliant", counts=counts)
    findings = tuple(msgspec.structs.replace(one, baseline_state="new") for one in report.findings)
    whole = msgspec.structs.replace(report, findings=findings, changes=changes)
    for part in parts(whole).values():
        assert part.changes is not None
        assert part.changes.counts == {"new": len(part.findings), "unchanged": 0, "updated": 0, "absent": 0}
