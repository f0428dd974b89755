"""The report: verdict, headline, exit code, control totals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from audit.assemble import Basis, assemble
from audit.completeness import completeness
from audit.flows import Assumption, Cause, CellFlow, Facts, Isolation, Population
from audit.model import SEVERITIES, VERDICTS, ObjectRef, Severity
from audit.report import ExceptionRecord, Report, Step
from audit.snapshot import Entry, Gap, Origin, Snapshot
from audit.traffic import Traffic

CLEAN = Facts(
    isolation={
        name: Isolation(pods=1, ingress=1, egress=1, policies=1, future_ingress=True, future_egress=True)
        for name in ("app", "web")
    }
)


@dataclass(frozen=True)
class Scope:
    endpoint_pairs: int = 2
    outside_ranges: int = 1
    profile: str = "spec"


def report(estate: Any, fail_on: Severity = "low", exceptions: tuple[ExceptionRecord, ...] = (), **more: Any) -> Report:
    basis = Basis(
        source="manifests/",
        inventory=estate.inventory,
        zone_map=estate.zone_map,
        matrix=estate.matrix,
        facts=estate.facts,
        scope=Scope(),
        exceptions=exceptions,
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


def test_the_threshold_moves_the_exit_code_and_not_the_verdict_without_a_failing_cell(kit: Any) -> None:
    estate = replace(kit.estate, facts=CLEAN, host=frozenset({"app"}))
    assert (report(estate).verdict, report(estate).exit_code) == ("not-compliant", 1)
    assert "no zone pair fails, but 1 finding at or above low" in report(estate).headline
    lenient = report(estate, "high")
    assert (lenient.verdict, lenient.exit_code) == ("not-compliant", 0)
    assert lenient.headline.endswith("1 finding at or above low, none of them at or above high")


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
    facts = Facts(population={"(unzoned)": Population(workloads=1, pods=2)})
    made = report(replace(kit.estate, zone_of=(("web", ("dmz",)), ("app", ())), facts=facts))
    assert [one.name for one in made.zones] == ["internet", "dmz", "internal", "(unzoned)"]
    assert made.zones[-1].namespaces == ("app",)
    assert (made.zones[-1].workloads, made.zones[-1].pods, made.scope.unzoned_namespaces) == (1, 2, 1)
    assert (made.zones[-1].trust, made.zones[-1].kind) == (None, "")
    assert len(made.cells) == 16


def test_a_zone_counts_what_its_cells_judge_and_names_its_guests(kit: Any) -> None:
    router = ObjectRef("Deployment", "openshift-ingress", "router-dmz")
    held = {"dmz": Population(workloads=7, pods=9, guests=(router,))}
    zones = {one.name: one for one in report(replace(kit.estate, facts=Facts(population=held))).zones}
    assert (zones["dmz"].workloads, zones["dmz"].pods) == (7, 9)
    assert zones["dmz"].guests == ("Deployment openshift-ingress/router-dmz",)
    assert (zones["internal"].workloads, zones["internal"].pods, zones["internal"].guests) == (0, 0, ())


def test_an_undecided_cell_says_how_many_pairs_it_may_be(kit: Any) -> None:
    maybe = kit.open_default("app", kit.ssh, certain=False, reasons=("host-network",))
    flow = replace(kit.failing("dmz", "internal", maybe), excess_pairs=0, doubtful_pairs=3)
    made = report(replace(kit.with_flows(flow), facts=CLEAN))
    (cell,) = [one for one in made.cells if one.verdict == "not-evaluated"]
    assert (cell.excess_pairs, cell.possible_pairs) == (0, 3)
    assert made.scope.undecided_pairs == 3


def test_an_assumption_is_either_given_or_a_doubt_that_left_connections_undecided(kit: Any) -> None:
    listed = (
        Assumption(id="enforcement", text="policies are enforced"),
        Assumption(id="host-network", text="where the node is, is not known", connections=9),
    )
    made = report(replace(kit.estate, facts=Facts(assumptions=listed)))
    assert [(one.id, one.standing, one.connections) for one in made.assumptions] == [
        ("enforcement", True, 0),
        ("host-network", False, 9),
    ]


def test_a_refused_exception_is_tied_to_what_it_would_have_covered(kit: Any) -> None:
    estate = replace(kit.with_flows(kit.failing("dmz", "internal", kit.by_policy("app", "wide", kit.ssh))), facts=CLEAN)
    (fingerprint,) = [one.fingerprint for one in report(estate).findings if one.rule == "NET001"]
    late = ExceptionRecord(id="EX-3", title="t", status="expired", scope="", would_cover=(fingerprint,))
    made = report(estate, exceptions=(late,))
    assert {one.fingerprint: one.refused_exceptions for one in made.findings if one.refused_exceptions} == {
        fingerprint: ("EX-3",)
    }


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


def test_a_step_without_a_policy_names_the_endpoint(kit: Any) -> None:
    web = ObjectRef("Deployment", "web", "main", Origin("pods.yaml", 5))
    cause = Cause(direction="egress", endpoint=web, text="no policy isolates it: open by default")
    breach = kit.by_policy("app", "wide", kit.ssh, egress=cause)
    (one,) = [one for one in report(kit.with_flows(kit.failing("dmz", "internal", breach))).findings if one.path]
    assert one.path[0] == Step(
        text=cause.text, object="Deployment web/main", direction="egress", rule=None, file="pods.yaml", line=5
    )


def entry(kind: str, group: str = "") -> Entry:
    return Entry(group, "v1", kind, "", "a", Origin("f", 1), None)


def test_completeness_claims_nothing_about_what_manifests_lack() -> None:
    gaps = (Gap(kind="Pod", reason="forbidden"), Gap(kind="Foo.example.org", reason="not-modelled", text="why"))
    manifests = Snapshot(entries={"Namespace": (entry("Namespace"),)}, gaps=gaps)
    records = {one.kind: one for one in completeness(manifests)}
    found = {kind: one.status for kind, one in records.items()}
    assert (found["Namespace"], found["Pod"], found["Foo.example.org"]) == ("read", "forbidden", "not-modelled")
    assert "complete" not in found.values()
    for kind in (
        "NetworkPolicy", "Node", "Service", "Ingress.networking.k8s.io", "Route.route.openshift.io",
        "HTTPRoute.gateway.networking.k8s.io", "AdminNetworkPolicy.policy.networking.k8s.io",
        "BaselineAdminNetworkPolicy.policy.networking.k8s.io", "ClusterNetworkPolicy.policy.networking.k8s.io",
        "EgressFirewall.k8s.ovn.org", "UserDefinedNetwork.k8s.ovn.org",
        "NetworkAttachmentDefinition.k8s.cni.cncf.io",
    ):  # fmt: skip
        assert (found[kind], records[kind].note) == ("not-in-source", "cannot tell absent from not collected")
    live = {one.kind: one.status for one in completeness(replace(manifests, live=True))}
    assert (live["Node"], live["Pod"], live["Namespace"]) == ("complete", "forbidden", "complete")


def test_what_is_read_is_told_apart_by_what_becomes_of_it() -> None:
    foreign, routed = "CiliumNetworkPolicy.cilium.io", "Ingress.extensions"
    entries = {
        "ConfigMap": (entry("ConfigMap"),),
        "Deployment": (entry("Deployment", "apps"),),
        foreign: (entry("CiliumNetworkPolicy", "cilium.io"),),
        routed: (entry("Ingress", "extensions"),),
    }
    found = {one.kind: (one.status, one.note) for one in completeness(Snapshot(entries=entries))}
    assert found["ConfigMap"] == ("read", "no verdict uses this kind")
    assert found["Deployment"] == found[routed] == ("read", "")
    assert found[foreign][0] == "not-modelled"
    assert found["Pod"][1].startswith("endpoints come from the pod templates of workloads; ")
    assert "Ingress.networking.k8s.io" not in found
