"""The report: verdict, headline, exit code, control totals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from audit.assemble import Basis, assemble, completeness
from audit.flows import CellFlow, Facts, Isolation
from audit.model import SEVERITIES, VERDICTS, Severity
from audit.report import Report
from audit.snapshot import Entry, Gap, Origin, Snapshot
from audit.traffic import Traffic

CLEAN = Facts(
    isolation={
        name: Isolation(pods=1, ingress=1, egress=1, policies=1, future_ingress=True, future_egress=True)
        for name in ("app", "web")
    }
)


@dataclass(frozen=True)
class Population:
    endpoint_pairs: int = 2
    outside_ranges: int = 1
    profile: str = "spec"


def report(estate: Any, fail_on: Severity = "low", **more: Any) -> Report:
    basis = Basis(
        source="manifests/",
        inventory=estate.inventory,
        zone_map=estate.zone_map,
        matrix=estate.matrix,
        facts=estate.facts,
        scope=Population(),
    )
    return assemble(estate.check(**more), basis, created="2026-11-23T06:00:00Z", fail_on=fail_on)


def test_a_clean_estate_is_compliant(kit: Any) -> None:
    made = report(replace(kit.estate, facts=CLEAN))
    assert (made.verdict, made.exit_code) == ("compliant", 0)
    assert made.headline == "Compliant: all 8 judged zone pairs keep the matrix"


def test_a_failing_cell_is_not_compliant(kit: Any) -> None:
    made = report(
        replace(kit.with_flows(kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))), facts=CLEAN)
    )
    assert (made.verdict, made.exit_code) == ("not-compliant", 1)
    assert made.headline.startswith("Not compliant: 1 of 8 zone pairs lets through what the matrix forbids")


@pytest.mark.parametrize(("fail_on", "code"), [("low", 1), ("high", 1), ("critical", 0)])
def test_the_threshold_moves_the_exit_code_and_not_the_verdict_of_a_cell(
    kit: Any, fail_on: Severity, code: int
) -> None:
    estate = replace(kit.with_flows(kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))), facts=CLEAN)
    made = report(estate, fail_on)
    assert (made.verdict, made.exit_code) == ("not-compliant", code)


def test_findings_without_a_failing_cell_count_by_threshold(kit: Any) -> None:
    estate = replace(kit.estate, facts=CLEAN, host=frozenset({"app"}))
    assert (report(estate).verdict, report(estate).exit_code) == ("not-compliant", 1)
    assert "no zone pair fails, but 1 finding" in report(estate).headline
    assert (report(estate, "high").verdict, report(estate, "high").exit_code) == ("compliant", 0)


def test_information_never_fails_a_scan(kit: Any) -> None:
    estate = replace(kit.estate, facts=CLEAN, unknown=frozenset({"app"}))
    made = report(estate)
    assert [one.severity for one in made.findings] == ["info"]
    assert (made.verdict, made.exit_code) == ("compliant", 0)


def test_missing_evidence_is_incomplete_and_never_compliant(kit: Any) -> None:
    maybe = kit.open_default("app", kit.ssh, certain=False, reasons=("host-network",))
    undecided_cell = replace(kit.with_flows(kit.failing("dmz", "internal", maybe)), facts=CLEAN)
    unread = replace(kit.estate, facts=CLEAN, gaps=(Gap(kind="Pod", reason="forbidden"),))
    for estate in (undecided_cell, unread):
        made = report(estate)
        assert (made.verdict, made.exit_code) == ("incomplete", 3)
        assert "could not be evaluated" in made.headline


def test_findings_win_over_missing_evidence_and_both_are_said(kit: Any) -> None:
    cell = kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))
    made = report(replace(kit.with_flows(cell), facts=CLEAN, gaps=(Gap(kind="Pod", reason="forbidden"),)))
    assert (made.verdict, made.exit_code) == ("not-compliant", 1)
    assert "incomplete as well" in made.headline


def test_a_scan_that_judged_nothing_is_incomplete(kit: Any) -> None:
    names = ["internet", "dmz", "internal"]
    empty = [CellFlow(source=a, target=b, populated=False) for a in names for b in names]
    made = report(kit.with_flows(*empty))
    assert (made.verdict, made.exit_code) == ("incomplete", 3)
    assert "no zone pair has endpoints on both sides" in made.headline


def test_a_failing_cell_that_no_finding_explains_still_exits_1(kit: Any) -> None:
    cell = kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))
    assert report(kit.with_flows(cell), "critical", rules=[]).exit_code == 1


def test_an_approved_exception_leaves_a_compliant_cluster_with_its_finding_shown(kit: Any) -> None:
    cell = kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))
    made = report(replace(kit.with_flows(cell), facts=CLEAN), cover=lambda *_: "EX-1")
    assert (made.verdict, made.exit_code) == ("compliant", 0)
    assert "1 of them by approved exception" in made.headline
    assert [(one.verdict, one.exception) for one in made.findings] == [("excepted", "EX-1")]


def test_control_totals_reconcile(kit: Any) -> None:
    cells = (
        kit.failing("dmz", "internal", kit.by_policy("app", "a", kit.ssh)),
        kit.failing("internal", "dmz", kit.open_default("web", kit.ssh, certain=False, reasons=("x",))),
    )
    made = report(replace(kit.with_flows(*cells), host=frozenset({"web"})))
    assert sum(made.counts.cells.values()) == len(made.cells) == len(made.zones) ** 2
    assert sum(made.counts.rules.values()) == len(made.rules)
    assert sum(made.counts.findings.values()) == len(made.findings)
    assert sum(made.counts.severities.values()) == made.counts.findings["fail"]
    assert sum(one.findings for one in made.rules) == len(made.findings)
    assert made.counts.defaulted_cells == sum(one.by_default for one in made.cells)
    assert set(made.counts.cells) == set(made.counts.findings) == set(VERDICTS)
    assert set(made.counts.severities) == set(SEVERITIES)
    known = {one.fingerprint for one in made.findings}
    assert len(known) == len(made.findings)
    assert {name for cell in made.cells for name in cell.findings} <= known


def test_unzoned_members_add_a_zone_of_their_own_at_the_end(kit: Any) -> None:
    made = report(replace(kit.estate, zone_of=(("web", ("dmz",)), ("app", ()))))
    assert [one.name for one in made.zones] == ["internet", "dmz", "internal", "(unzoned)"]
    assert made.zones[-1].namespaces == ("app",)
    assert (made.zones[-1].workloads, made.scope.unzoned_namespaces) == (1, 1)
    assert len(made.cells) == 16


def test_a_cell_says_what_is_expected_open_and_too_much(kit: Any) -> None:
    traffic = kit.ssh | kit.https
    cell = replace(kit.failing("dmz", "internal", kit.open_default("app", kit.ssh)), observed=traffic, possible=traffic)
    made = next(
        one for one in report(kit.with_flows(cell)).cells if (one.from_zone, one.to_zone) == ("dmz", "internal")
    )
    assert made.expected == {"TCP": "8443"}
    assert made.observed == {"TCP": "22,8443"}
    assert made.excess == {"TCP": "22"}
    assert (made.row, made.by_default) == ("ZM-1", False)


def test_a_path_names_policy_rule_file_and_line(kit: Any) -> None:
    cell = kit.failing("dmz", "internal", kit.by_policy("app", "wide", Traffic.of("TCP", 22)))
    (one,) = [one for one in report(kit.with_flows(cell)).findings if one.rule == "NET001"]
    step = one.path[-1]
    assert (step.object, step.rule, step.file, step.line) == ("NetworkPolicy app/wide", 0, "policy.yaml", 7)
    assert one.path[0].rule is None


def test_completeness_claims_nothing_about_what_manifests_lack() -> None:
    entry = Entry("", "v1", "Namespace", "", "a", Origin("f", 1), None)
    gaps = (Gap(kind="Pod", reason="forbidden"), Gap(kind="Foo.example.org", reason="not-modelled", text="why"))
    manifests = Snapshot(entries={"Namespace": (entry,)}, gaps=gaps)
    found = {one.kind: one.status for one in completeness(manifests)}
    assert found == {
        "Namespace": "complete",
        "Node": "not-in-source",
        "Pod": "forbidden",
        "Service": "not-in-source",
        "NetworkPolicy": "not-in-source",
        "Foo.example.org": "not-modelled",
    }
    live = {one.kind: one.status for one in completeness(replace(manifests, live=True))}
    assert (live["Node"], live["Pod"]) == ("complete", "forbidden")
