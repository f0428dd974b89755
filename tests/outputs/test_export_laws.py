"""What each format promises besides its schema."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest

from audit import exports
from audit.exports import entries, github, github_summary, openreports, sarif
from audit.exports.entries import cluster_of
from audit.exports.prometheus import coverage
from audit.report import Report
from audit.workbooks import Sheet, workbook
from tests.outputs.example_report import changed, clean, example, finding, large
from tests.samples import readings

EXAMPLE = example()


def data(name: str, report: Report = EXAMPLE) -> Any:
    return json.loads(exports.render(name, report))


def results(report: Report = EXAMPLE, name: str = "sarif") -> list[dict[str, Any]]:
    return list(data(name, report)["runs"][0]["results"])


def of_verdict(verdict: str) -> list[dict[str, Any]]:
    return [one for one in results() if one["properties"]["verdict"] == verdict]


# All formats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", exports.FORMATS)
def test_equal_reports_are_equal_bytes(name: str) -> None:
    again = msgspec.json.decode(msgspec.json.encode(changed()), type=Report)
    assert exports.render(name, changed()) == exports.render(name, again)


def test_hash_seed_time_zone_and_locale_change_no_byte() -> None:
    code = (
        "import hashlib; from tests.outputs.example_report import changed; from audit import exports\n"
        "print([hashlib.sha256(exports.render(name, changed())).hexdigest() for name in exports.FORMATS])"
    )
    outputs = set()
    for seed, zone in (("1", "UTC"), ("77", "Asia/Kathmandu")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_what_is_undecided_or_for_a_person_is_an_entry_though_it_is_no_finding() -> None:
    named = {(one.record, one.rule, one.pair) for one in entries.entries(EXAMPLE)}
    assert ("rule", "NET005", "") in named  # not-evaluated, without a finding
    undecided = [(c.from_zone, c.to_zone) for c in EXAMPLE.cells if c.verdict == "not-evaluated"]
    bare = msgspec.structs.replace(EXAMPLE, findings=())
    pairs = {one.pair for one in entries.entries(bare) if one.record == "zone-pair"}
    assert undecided
    assert {f"{source} -> {target}" for source, target in undecided} <= pairs


def test_a_zone_pair_that_fails_without_a_finding_of_its_own_is_not_lost() -> None:
    other = finding("STO001", "fail", "high", "Storage is shared", ("dmz", "internal"), "")
    (cell,) = [one for one in EXAMPLE.cells if (one.from_zone, one.to_zone) == ("dmz", "internal")]
    failing = msgspec.structs.replace(cell, verdict="fail", findings=(other.fingerprint,))
    report = msgspec.structs.replace(EXAMPLE, findings=(other,), cells=(failing,))
    assert [one.record for one in entries.entries(report) if one.pair == "dmz -> internal"] == ["finding", "zone-pair"]


def test_identities_are_unique_and_do_not_depend_on_verdicts() -> None:
    found = entries.everything(EXAMPLE)
    assert len({one.identity for one in found}) == len(found)
    passed = [msgspec.structs.replace(cell, verdict="pass") for cell in EXAMPLE.cells]
    before = {one.pair: one.identity for one in found if one.record == "zone-pair"}
    other = msgspec.structs.replace(EXAMPLE, cells=tuple(passed))
    assert before == {one.pair: one.identity for one in entries.everything(other) if one.record == "zone-pair"}


def test_what_was_read_from_no_file_stands_for_its_object_or_for_the_matrix() -> None:
    bare = finding("NET003", "fail", "high", "x", ("", "dmz"), "", path=(), subjects=("Pod a/b/../c",))
    none = finding("NET002", "fail", "high", "y", ("", "dmz"), "", path=(), subjects=())
    piped = msgspec.structs.replace(bare, file="-", line=9)
    read = msgspec.structs.replace(bare, file="m.yaml", line=9)
    report = msgspec.structs.replace(EXAMPLE, cells=(), rules=(), findings=(bare, none, piped, read))
    places = [(one.file, one.line) for one in entries.entries(report)]
    stand_in = ("snapshot/a/Pod/b%2F..%2Fc.yaml", 1)
    assert places == [stand_in, ("zones.yaml", 1), stand_in, ("m.yaml", 9)]


# SARIF ---------------------------------------------------------------------------------------------------------------


def test_kinds_levels_and_suppressions_follow_the_verdicts() -> None:
    assert {(one["kind"], one["level"]) for one in of_verdict("pass")} == {("pass", "none")}
    assert {(one["kind"], one["level"]) for one in of_verdict("not-evaluated")} == {("open", "none")}
    assert {(one["kind"], one["level"]) for one in of_verdict("manual")} == {("review", "none")}
    assert {(one["kind"], one["level"]) for one in of_verdict("not-applicable")} == {("notApplicable", "none")}
    levels = {(one["properties"]["severity"], one["level"]) for one in of_verdict("fail")}
    assert levels == {
        ("critical", "error"),
        ("high", "error"),
        ("medium", "warning"),
        ("low", "note"),
        ("info", "note"),
    }
    for one in of_verdict("excepted"):
        (suppression,) = one["suppressions"]
        assert (one["kind"], suppression["kind"], suppression["status"]) == ("fail", "external", "accepted")
        assert {"exception EX-7", "ticket RISK-402", "expires on 2027-03-31"} <= set(
            suppression["justification"].split("; ")
        )
    assert not any(one.get("suppressions") for one in of_verdict("fail"))


def test_every_result_has_a_fingerprint_a_file_and_an_object_or_zone() -> None:
    for one in results():
        fingerprint = one["fingerprints"]["zoneAudit/v1"]
        assert one["partialFingerprints"]["zoneAudit/v1"] == fingerprint
        assert one["partialFingerprints"]["primaryLocationLineHash"].startswith(fingerprint[:16])
        assert one["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
    (location,) = results()[0]["locations"]
    assert location["logicalLocations"] == [
        {"name": "allow-all", "kind": "resource", "fullyQualifiedName": "manifests/NetworkPolicy/ledger/allow-all"}
    ]


def test_controls_are_taxonomies_and_references_point_at_them() -> None:
    run = data("sarif")["runs"][0]
    taxonomies = run["taxonomies"]
    assert [one["name"] for one in taxonomies] == ["nist-800-53r5", "pci-dss-4.0.1"]
    for one in (taxon for result in run["results"] for taxon in result["taxa"]):
        component = taxonomies[one["toolComponent"]["index"]]
        assert component["name"] == one["toolComponent"]["name"]
        assert component["taxa"][one["index"]]["id"] == one["id"]
    judged = data("sarif", changed())["runs"][0]["taxonomies"][0]
    assert judged["fullName"] == "NIST SP 800-53"
    assert judged["taxa"][0]["properties"] == {"result": "fail", "supportingOnly": False}
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_what_was_not_seen_is_a_notification_and_the_execution_no_success() -> None:
    invocation = data("sarif")["runs"][0]["invocations"][0]
    texts = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert invocation["executionSuccessful"] is False
    assert any("Node: forbidden" in text for text in texts)
    assert any("NET005 (not-evaluated)" in text for text in texts)
    assert data("sarif", clean())["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_states_since_the_baseline_are_told_with_what_is_gone() -> None:
    found = results(changed())
    states = {one["fingerprints"]["zoneAudit/v1"]: one.get("baselineState") for one in found}
    for one in changed().findings:
        assert states[one.fingerprint] == one.baseline_state
    assert sum(state == "absent" for state in states.values()) == 2
    assert not any("baselineState" in one for one in results())


def test_the_category_names_cluster_and_matrix() -> None:
    run = data("sarif", changed())["runs"][0]
    assert run["automationDetails"]["id"] == "zone-audit/4f1e5c1e-0000-4000-8000-5ca1ab1e0000/corporate-zones/"
    odd = msgspec.structs.replace(EXAMPLE, matrix=msgspec.structs.replace(EXAMPLE.matrix, name="a/b c"))
    assert data("sarif", odd)["runs"][0]["automationDetails"]["id"] == "zone-audit/manifests/a%2Fb%20c/"


def test_code_scanning_gets_only_what_somebody_must_act_on() -> None:
    found = results(changed(), "sarif-github")
    assert {one["properties"]["verdict"] for one in found} == {"fail", "not-evaluated"}
    assert {one["kind"] for one in found} == {"fail"}
    assert not any("suppressions" in one or one.get("baselineState") == "absent" for one in found)


def test_code_scanning_gets_no_more_than_it_keeps_and_is_told_of_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.exports.sarif_github.MOST", 7)
    run = data("sarif-github", large(9, 60))["runs"][0]
    wanted = sum(one.verdict in ("fail", "not-evaluated") for one in entries.entries(large(9, 60)))
    told = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert len(run["results"]) == 7
    assert f"{wanted - 7:,} more results are left out; the results JSON has all." in told


def test_messages_hold_no_placeholder_and_no_link() -> None:
    odd = finding("NET001", "fail", "high", "{0} [x](http://203.0.113.9)", ("dmz", "internal"), "80")
    report = msgspec.structs.replace(EXAMPLE, findings=(odd,), cells=(), rules=())
    assert results(report)[0]["message"]["text"].startswith("{{0}} \\[x\\](http://203.0.113.9).")


# JUnit, OSCAL, GitLab ------------------------------------------------------------------------------------------------


def test_a_suite_is_an_ordered_pair_of_zones_in_the_order_of_the_matrix() -> None:
    from xml.etree import ElementTree as ET

    suites = [one.attrib["name"] for one in ET.fromstring(exports.render("junit", EXAMPLE))]  # noqa: S314
    pairs = [f"{cell.from_zone} -> {cell.to_zone}" for cell in EXAMPLE.cells]
    assert suites[: len(pairs)] == pairs
    assert set(suites[len(pairs) :]) == {"zone internal", "zone (unzoned)", "no zone", "rules"}


def test_uuids_of_oscal_are_unique_and_stay_with_their_fingerprints() -> None:
    text = exports.render("oscal", EXAMPLE).decode()
    result = json.loads(text)["assessment-results"]["results"][0]
    own = [one["uuid"] for part in ("observations", "risks", "findings") for one in result[part]]
    assert len(set(own)) == len(own)
    later = data("oscal", msgspec.structs.replace(EXAMPLE, created="2026-12-01T00:00:00Z"))["assessment-results"]
    assert {one["uuid"] for one in later["results"][0]["findings"]} == {one["uuid"] for one in result["findings"]}
    assert later["uuid"] != json.loads(text)["assessment-results"]["uuid"]


def test_oscal_refers_only_to_what_it_holds() -> None:
    document = data("oscal")["assessment-results"]
    result = document["results"][0]
    observed = {one["uuid"] for one in result["observations"]}
    risks = {one["uuid"] for one in result["risks"]}
    for one in result["findings"]:
        assert {related["observation-uuid"] for related in one["related-observations"]} <= observed
        assert {related["risk-uuid"] for related in one.get("related-risks", ())} <= risks
    resources = {one["uuid"] for one in document["back-matter"]["resources"]}
    assert document["import-ap"]["href"].removeprefix("#") in resources


def test_objectives_are_those_of_the_catalogue_where_a_control_is_in_it() -> None:
    targets = {one["target"]["target-id"] for one in data("oscal")["assessment-results"]["results"][0]["findings"]}
    assert {"sc-7.5_obj", "pci-dss-4.0.1_1.4.2_obj", "zone-audit_NET001_obj"} <= targets


def test_severities_of_gitlab_and_its_paths() -> None:
    issues = data("gitlab")
    assert issues[0]["severity"] == "blocker"
    assert {one["location"]["path"] for one in issues} >= {"manifests/ledger/policies.yaml", "zones.yaml"}
    assert len({one["fingerprint"] for one in issues}) == len(issues)
    assert entries.relative("./a/../m.yaml") == "m.yaml"
    assert entries.relative("/srv/m.yaml") == "srv/m.yaml"


# GitHub --------------------------------------------------------------------------------------------------------------


def test_a_step_prints_ten_annotations_of_a_level_and_the_last_says_how_many_are_missing() -> None:
    lines = exports.render("github", large(9, 300)).decode().splitlines()
    for level in ("error", "warning"):
        own = [line for line in lines if line.startswith(f"::{level} ")]
        assert len(own) == github.MOST
        assert " more; " in own[-1]
    few = exports.render("github", EXAMPLE).decode().splitlines()
    assert not any(" more; " in line for line in few)


def test_the_job_summary_stays_below_its_limit_and_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_summary, "LIMIT", 40_000)
    text = exports.render("github-summary", large(9, 300)).decode()
    assert len(text.encode()) < 40_000
    shown = len(readings.rows_of(text, "Findings"))
    assert f"And {300 - shown:,} more." in text
    monkeypatch.setattr(github_summary, "LIMIT", 600)
    cut = exports.render("github-summary", large(9, 300))
    assert len(cut) < 600
    assert cut.decode().endswith("The page is cut here: it is too long for a job summary.\n")


# OpenReports ---------------------------------------------------------------------------------------------------------


def test_a_report_is_in_the_namespace_of_the_object_at_fault() -> None:
    items = data("openreports")["items"]
    assert [(one["kind"], one["metadata"]["name"]) for one in items] == [
        ("ClusterReport", "zone-audit"),
        ("Report", "zone-audit-ledger"),
    ]
    assert items[1]["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "zone-audit",
        "zone-audit/zone": "database",
        "zone-audit/owner": "dba_example.org",
        "exception.zone-audit/EX-7": "true",
    }
    assert items[1]["scope"] == {"apiVersion": "v1", "kind": "Namespace", "name": "ledger"}


def test_rows_tell_owner_and_exception_and_the_time_as_an_object() -> None:
    rows = data("openreports")["items"][1]["results"]
    (covered, *_) = [row for row in rows if row["result"] == "warn"]
    assert covered["properties"]["exception"] == "EX-7"
    assert covered["properties"]["owner"] == "dba@example.org"
    assert covered["scored"] is False
    moment = dt.datetime.fromisoformat(EXAMPLE.created)
    assert covered["timestamp"] == {"seconds": int(moment.timestamp()), "nanos": 0}


def test_a_report_stays_below_what_etcd_takes_and_counts_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openreports, "ROOM", 20_000)
    item = data("openreports", large(9, 300))["items"][1]
    assert len(msgspec.json.encode(item["results"])) < 21_000
    told = sum(item["summary"][word] for word in ("fail", "warn", "error"))
    assert item["results"][-1]["message"].startswith(f"and {told - len(item['results']) + 1:,} more")


def test_early_policy_reports_know_three_severities() -> None:
    rows = [row for item in data("policyreport")["items"] for row in item["results"]]
    assert {row["severity"] for row in rows} == {"high", "medium", "low"}
    assert {row["properties"]["severity"] for row in rows} >= {"critical", "info"}


# Metrics, tables -----------------------------------------------------------------------------------------------------


def test_metrics_name_the_moments_and_the_program() -> None:
    samples = list(readings.metrics(exports.render("prometheus", EXAMPLE)))
    assert {labels["cluster"] for _, labels, _ in samples} == {cluster_of(EXAMPLE)}
    found = {
        (name, *(text for label, text in labels.items() if label != "cluster")): value
        for name, labels, value in samples
    }
    assert found["zone_audit_last_run_timestamp_seconds",] == dt.datetime.fromisoformat(EXAMPLE.created).timestamp()
    assert ("zone_audit_last_success_timestamp_seconds",) not in found
    review = dt.datetime(2027, 3, 31, tzinfo=dt.UTC).timestamp()
    assert found["zone_audit_matrix_review_due_timestamp_seconds",] == review
    assert (
        found["zone_audit_next_exception_expiry_timestamp_seconds",]
        == dt.datetime(2027, 1, 31, tzinfo=dt.UTC).timestamp()
    )
    assert found["zone_audit_build_info", "0.1.0", "builtin 0.1.0"] == 1
    assert found["zone_audit_unzoned_workloads",] == 2
    assert found["zone_audit_zone_pair_compliant", "dmz", "database"] == 0
    live = {name: value for name, _, value in readings.metrics(exports.render("prometheus", changed()))}
    assert live["zone_audit_collection_duration_seconds"] == 150
    assert live["zone_audit_findings_resolved"] == 2
    whole = {name: value for name, _, value in readings.metrics(exports.render("prometheus", clean()))}
    assert whole["zone_audit_last_success_timestamp_seconds"] == whole["zone_audit_last_run_timestamp_seconds"]


def test_coverage_counts_what_applies_and_is_zero_for_nothing() -> None:
    counts = EXAMPLE.counts
    judged = 45 + 7
    assert coverage(EXAMPLE) == round(1 - 4 / judged, 6)
    assert coverage(clean()) == 1
    none = msgspec.structs.replace(EXAMPLE, counts=msgspec.structs.replace(counts, cells={}, rules={}))
    assert coverage(none) == 0


def test_a_pair_that_could_not_be_decided_is_not_compliant() -> None:
    found = list(readings.metrics(exports.render("prometheus", EXAMPLE)))
    value = {(labels["from_zone"], labels["to_zone"]): v for n, labels, v in found if n.endswith("pair_compliant")}
    assert {value[c.from_zone, c.to_zone] for c in EXAMPLE.cells if c.verdict == "not-evaluated"} == {0}
    assert {value[c.from_zone, c.to_zone] for c in EXAMPLE.cells if c.verdict in ("pass", "excepted")} == {1}


def test_a_workbook_takes_texts_for_texts() -> None:
    texts = ("=1+1", "{=1+1}", "http://203.0.113.9", "mailto:x@example.org", "12", "x" * 40_000)
    page = workbook(
        "t", (Sheet("S", (("head",), *((text,) for text in texts))),), dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    )
    cells = [row[0] for row in openpyxl.load_workbook(io.BytesIO(page))["S"].iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == [text[:32_767] for text in texts]
    assert {(cell.data_type, cell.hyperlink) for cell in cells} == {("s", None)}


def test_the_workbook_has_the_columns_of_the_csv_and_no_formula_or_link() -> None:
    book = openpyxl.load_workbook(io.BytesIO(exports.render("xlsx", changed())))
    assert book.sheetnames == ["Summary", "Matrix", "Results", "Exceptions", "Not seen"]
    rows = list(csv.reader(io.StringIO(exports.render("csv", changed()).decode("utf-8-sig"))))
    cells = [["" if cell is None else str(cell) for cell in row] for row in book["Results"].iter_rows(values_only=True)]
    assert cells == rows
    for sheet in book:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
        assert not any(cell.hyperlink for row in sheet.iter_rows() for cell in row)
    assert book["Matrix"].max_row == len(EXAMPLE.zones) + 1
    assert sarif.LEVELS.keys() == EXAMPLE.counts.severities.keys()
