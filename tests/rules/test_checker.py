"""Verdicts of cells and rules, fingerprints, exceptions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from audit.checker import fingerprint
from audit.flows import CellFlow
from audit.model import ObjectRef
from audit.rule import Context, Finding, Manual, NotApplicable, NotEvaluated, Outcome, Rule, rule
from audit.snapshot import Gap
from audit.traffic import ALL, Traffic

SECTIONS = "What it checks: a.\n\nWhy it matters: b.\n\nHow to fix: c.\n\nLimits: d."


def made(*outcomes: Outcome | Exception, needs: tuple[str, ...] = (), name: str = "TST001") -> Rule:
    def check(_: Context) -> Iterator[Outcome]:
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome

    check.__doc__ = SECTIONS
    return rule(name, "Test", severity="medium", needs=needs)(check)


def finding(**more: Any) -> Finding:
    return Finding(**({"title": "t", "subjects": (ObjectRef("Namespace", "", "web"),)} | more))


def verdicts(results: Any) -> dict[tuple[str, str], str]:
    return {(one.cell.source, one.cell.target): one.verdict for one in results.cells}


def test_a_cell_fails_only_for_traffic_beyond_the_matrix(kit: Any) -> None:
    allowed = CellFlow(source="dmz", target="internal", observed=kit.https, possible=kit.https)
    assert verdicts(kit.with_flows(allowed).check())["dmz", "internal"] == "pass"
    beyond = kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))
    assert verdicts(kit.with_flows(beyond).check())["dmz", "internal"] == "fail"


def test_direction_matters(kit: Any) -> None:
    back = kit.failing("internal", "dmz", kit.open_default("web", kit.https))
    found = verdicts(kit.with_flows(back).check())
    assert found["internal", "dmz"] == "fail"
    assert found["dmz", "internal"] == "pass"


def test_possible_excess_is_not_evaluated_and_certain_excess_wins(kit: Any) -> None:
    maybe = kit.open_default("app", kit.ssh, certain=False, reasons=("host-network",))
    assert verdicts(kit.with_flows(kit.failing("dmz", "internal", maybe)).check())["dmz", "internal"] == "not-evaluated"
    both = kit.failing("dmz", "internal", maybe, kit.open_default("app", Traffic.of("UDP", 53)))
    assert verdicts(kit.with_flows(both).check())["dmz", "internal"] == "fail"


def test_a_pair_the_engine_says_nothing_about_never_passes(kit: Any) -> None:
    estate = kit.estate
    silent = type("Silent", (type(estate),), {"cells": lambda _: ()})
    results = silent(**{name: getattr(estate, name) for name in estate.__dataclass_fields__}).check()
    judged = {one.verdict for one in results.cells if {one.cell.source, one.cell.target} != {"internet"}}
    assert judged == {"not-evaluated"}


def test_an_empty_zone_is_not_applicable(kit: Any) -> None:
    empty = CellFlow(source="dmz", target="internal", populated=False)
    assert verdicts(kit.with_flows(empty).check())["dmz", "internal"] == "not-applicable"


def test_traffic_between_two_outside_zones_is_not_judged(kit: Any) -> None:
    assert verdicts(kit.estate.check())["internet", "internet"] == "not-applicable"


@pytest.mark.parametrize(("mode", "verdict"), [("fail", "fail"), ("warn", "fail"), ("ignore", "not-applicable")])
def test_unzoned_pairs_are_judged_unless_the_matrix_ignores_them(kit: Any, mode: Any, verdict: str) -> None:
    matrix = replace(kit.estate.matrix, defaults=replace(kit.estate.matrix.defaults, unzoned=mode))
    estate = replace(
        kit.with_flows(kit.failing("dmz", "(unzoned)", kit.open_default("app", kit.ssh))),
        matrix=matrix,
        zone_of=(("web", ("dmz",)), ("app", ())),
    )
    results = estate.check()
    assert verdicts(results)["dmz", "(unzoned)"] == verdict
    severities = [one.severity for one in results.findings if one.rule.id == "NET001"]
    assert severities == {"fail": ["high"], "warn": ["low"], "ignore": []}[mode]


def test_cells_are_every_ordered_pair_in_order_of_trust(kit: Any) -> None:
    names = ["internet", "dmz", "internal"]
    pairs = [(one.cell.source, one.cell.target) for one in kit.estate.check().cells]
    assert pairs == list(itertools.product(names, names))


def test_a_rule_that_breaks_is_not_evaluated_and_keeps_what_it_found(kit: Any) -> None:
    results = kit.estate.check([made(finding(), RuntimeError("boom"), name="BAD001")])
    assert [one.verdict for one in results.findings] == ["fail"]
    assert results.rules[0].verdict == "fail"
    broken = kit.estate.check([made(RuntimeError("boom"))]).rules[0]
    assert (broken.verdict, broken.reason) == ("not-evaluated", "rule error: RuntimeError: boom")


def test_a_rule_that_yields_something_else_is_not_evaluated(kit: Any) -> None:
    odd: Any = "text"
    assert kit.estate.check([made(odd)]).rules[0].verdict == "not-evaluated"


@pytest.mark.parametrize("reason", ["forbidden", "unavailable", "partial", "invalid-object"])
def test_a_rule_cannot_pass_on_missing_evidence(kit: Any, reason: Any) -> None:
    estate = replace(kit.estate, gaps=(Gap(kind="Pod", reason=reason, scope="web"),))
    checked = estate.check([made(needs=("Pod",))]).rules[0]
    assert (checked.verdict, checked.reason) == ("not-evaluated", f"Pod {reason} (web)")
    assert estate.check([made(needs=("Node",))]).rules[0].verdict == "pass"


@pytest.mark.parametrize("kind", ["Pod", "Namespace", "NetworkPolicy"])
def test_no_cell_passes_while_a_part_of_the_population_is_unread(kit: Any, kind: str) -> None:
    complete = kit.estate.check([])
    lost = replace(kit.estate, gaps=(Gap(kind=kind, reason="partial"),)).check([])
    before = [one.verdict for one in complete.cells]
    after = [one.verdict for one in lost.cells]
    assert "pass" in before
    assert "pass" not in after
    assert [a for a, b in zip(after, before, strict=True) if b not in ("pass", "not-applicable")] == [
        b for b in before if b not in ("pass", "not-applicable")
    ]


def test_missing_evidence_does_not_hide_a_finding(kit: Any) -> None:
    estate = replace(kit.estate, gaps=(Gap(kind="Pod", reason="forbidden"),))
    assert estate.check([made(finding(), needs=("Pod",))]).rules[0].verdict == "fail"


def test_a_kind_that_is_absent_with_proof_is_no_missing_evidence(kit: Any) -> None:
    estate = replace(kit.estate, gaps=(Gap(kind="Pod", reason="absent"),))
    assert estate.check([made(needs=("Pod",))]).rules[0].verdict == "pass"


def test_not_applicable_needs_a_reason_and_no_finding(kit: Any) -> None:
    checked = kit.estate.check([made(NotApplicable("nothing here"))]).rules[0]
    assert (checked.verdict, checked.reason) == ("not-applicable", "nothing here")
    assert kit.estate.check([made(finding(), NotApplicable("late"))]).rules[0].verdict == "fail"


def test_a_rule_that_lacks_objects_cannot_pass_and_keeps_what_it_found(kit: Any) -> None:
    checked = kit.estate.check([made(NotEvaluated("no roles"), NotEvaluated("no bindings"))]).rules[0]
    assert (checked.verdict, checked.reason, checked.unsure) == ("not-evaluated", "no roles; no bindings", True)
    checked = kit.estate.check([made(NotEvaluated("no roles"), finding())]).rules[0]
    assert (checked.verdict, checked.findings, checked.unsure) == ("fail", 1, True)


def test_what_people_have_to_look_at_is_manual(kit: Any) -> None:
    checked = kit.estate.check([made(Manual("ask the firewall team"))]).rules[0]
    assert (checked.verdict, checked.reason, checked.unsure) == ("manual", "ask the firewall team", False)


def test_an_exception_covers_a_cell_only_with_all_its_findings(kit: Any) -> None:
    breaches = (kit.by_policy("app", "one", kit.ssh), kit.by_policy("app", "two", Traffic.of("UDP", 53)))
    estate = kit.with_flows(kit.failing("dmz", "internal", *breaches))

    def cover(names: set[str]) -> Any:
        return lambda one: "EX-1" if one.finding.subjects[0].name in names else ""

    assert verdicts(estate.check(cover=cover({"one"})))["dmz", "internal"] == "fail"
    results = estate.check(cover=cover({"one", "two"}))
    assert verdicts(results)["dmz", "internal"] == "excepted"
    cell_findings = [one for one in results.findings if one.rule.id == "NET001"]
    assert {(one.verdict, one.exception) for one in cell_findings} == {("excepted", "EX-1")}
    assert next(one for one in results.rules if one.rule.id == "NET001").verdict == "excepted"


def test_an_exception_never_covers_what_is_not_evaluated(kit: Any) -> None:
    maybe = kit.open_default("app", kit.ssh, certain=False, reasons=("host-network",))
    results = kit.with_flows(kit.failing("dmz", "internal", maybe)).check(cover=lambda *_: "EX-1")
    assert verdicts(results)["dmz", "internal"] == "not-evaluated"


def test_a_failing_cell_stays_failed_when_its_rule_did_not_run(kit: Any) -> None:
    estate = kit.with_flows(kit.failing("dmz", "internal", kit.open_default("app", kit.ssh)))
    assert verdicts(estate.check([], cover=lambda *_: "EX-1"))["dmz", "internal"] == "fail"


def test_fingerprints_ignore_counts_text_positions_and_pod_names() -> None:
    base = finding(counts={"pairs": 3}, observed="3 pods")
    for other in (finding(counts={"pairs": 4}), finding(title="other", fix="x", severity="low")):
        assert fingerprint("TST001", base) == fingerprint("TST001", other)
    one, two = (finding(subjects=(ObjectRef("Pod", "web", name),)) for name in ("a-x1", "a-x2"))
    assert fingerprint("TST001", one) == fingerprint("TST001", two)


def test_fingerprints_tell_rule_cluster_zones_ports_and_subjects_apart() -> None:
    base = finding(from_zone="a", to_zone="b", traffic=Traffic.of("TCP", 80))
    others = [
        fingerprint("TST001", base),
        fingerprint("TST002", base),
        fingerprint("TST001", base, "cluster-1"),
        fingerprint("TST001", replace(base, from_zone="b", to_zone="a")),
        fingerprint("TST001", replace(base, traffic=Traffic.of("UDP", 80))),
        fingerprint("TST001", replace(base, subjects=(ObjectRef("Namespace", "", "app"),))),
        fingerprint("TST001", replace(base, identity=("x",))),
    ]
    assert len(set(others)) == len(others)


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    known = finding(from_zone="dmz", to_zone="internal", traffic=Traffic.of("TCP", 22))
    assert fingerprint("NET001", known, "prod") == "e402b41c3af03a427033757c792e8c1c"


def test_equal_findings_get_different_fingerprints_in_any_order(kit: Any) -> None:
    twins = [finding(title=title) for title in ("b", "a")]
    prints = [
        {one.finding.title: one.fingerprint for one in kit.estate.check([made(*order)]).findings}
        for order in (twins, twins[::-1])
    ]
    assert prints[0] == prints[1]
    assert len(set(prints[0].values())) == 2


def test_findings_are_sorted_worst_first(kit: Any) -> None:
    outcomes = [
        finding(title="unknown", verdict="not-evaluated", reason="r", severity="critical"),
        finding(title="low", severity="low"),
        finding(title="critical", severity="critical"),
    ]
    titles = [one.finding.title for one in kit.estate.check([made(*outcomes)]).findings]
    assert titles == ["critical", "low", "unknown"]


def test_a_finding_needs_a_subject() -> None:
    with pytest.raises(ValueError, match="no subject"):
        Finding(title="t", subjects=())


@pytest.mark.parametrize("verdict", ["pass", "excepted", "not-applicable"])
def test_a_rule_cannot_hand_out_other_verdicts(verdict: Any) -> None:
    with pytest.raises(ValueError, match="cannot decide"):
        finding(verdict=verdict)


def test_everything_open_is_one_finding_per_cause(kit: Any) -> None:
    breach = kit.open_default("app", ALL, pairs=4000, sources=20, targets=200)
    results = kit.with_flows(kit.failing("dmz", "internal", breach)).check()
    cell = next(one for one in results.cells if (one.cell.source, one.cell.target) == ("dmz", "internal"))
    assert len(cell.findings) == 1
    assert cell.cell.excess == ALL - kit.https
