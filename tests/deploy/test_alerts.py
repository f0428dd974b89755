"""Alerts ask for metrics that a scan writes, and fire when they should, in Prometheus' own evaluator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.exports.prometheus import metrics
from tests.deploy.rendering import CHART, KUSTOMIZE, TOOLS, run
from tests.outputs.example_report import changed, example

RULES = CHART / "files" / "alerts.yaml"
DAY = 24 * 60
"""Minutes, which is the interval below."""
RUN, EXPIRY = "zone_audit_last_run_timestamp_seconds", "zone_audit_next_exception_expiry_timestamp_seconds"
REVIEW = "zone_audit_matrix_review_due_timestamp_seconds"


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return list(group["rules"])


def test_the_rules_of_kustomize_are_those_of_the_chart() -> None:
    component = yaml.safe_load((KUSTOMIZE / "components" / "monitoring" / "prometheusrule.yaml").read_text())
    assert component["spec"] == yaml.safe_load(RULES.read_text())


def test_every_metric_and_label_of_the_rules_is_written_by_a_scan() -> None:
    written = {one.name: {name for labels, _ in one.samples for name, _ in labels} for one in metrics(example())}
    written |= {one.name: written.get(one.name, set()) for one in metrics(changed())}
    for rule in rules():
        names = re.findall(r"zone_audit_\w+", rule["expr"])
        assert names
        assert set(names) <= written.keys()
        for name, labels in re.findall(r"(zone_audit_\w+)\{([^}]*)\}", rule["expr"]):
            assert set(re.findall(r"(\w+)=", labels)) <= {*written[name], "owner"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description"}


def promtool(*arguments: str | Path) -> str:
    program = TOOLS / "promtool"
    if not program.exists():
        pytest.skip("no promtool: `scripts/deploy-tools` unpacks the one of Debian's package `prometheus`")
    return run(program, *arguments).stdout


def test_promtool_takes_the_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", RULES)


FINDINGS = 'zone_audit_findings{cluster="c",from_zone="a",to_zone="b",severity="critical",status="fail"}'
CASES = {
    "a scan every day": ({RUN: f"0+0x{DAY} {DAY * 60}+0x{DAY}"}, "Stale", DAY + 60, 0),
    "25 hours ago": ({RUN: f"0+0x{3 * DAY}"}, "Stale", 25 * 60, 0),
    "27 hours ago": ({RUN: f"0+0x{3 * DAY}"}, "Stale", 27 * 60, 1),
    "never": ({}, "Stale", 60, 1),
    "a first critical finding": ({FINDINGS: f"_x{DAY} 1+0x{DAY}"}, "NewCriticalFinding", DAY + 10, 1),
    "one more": ({FINDINGS: f"1+0x{DAY} 2+0x{2 * DAY}"}, "NewCriticalFinding", DAY + 10, 1),
    "one more, two days later": ({FINDINGS: f"1+0x{DAY} 2+0x{3 * DAY}"}, "NewCriticalFinding", 2 * DAY + 10, 0),
    "as many": ({FINDINGS: f"2+0x{3 * DAY}"}, "NewCriticalFinding", 2 * DAY, 0),
    "fewer": ({FINDINGS: f"2+0x{DAY} 1+0x{DAY}"}, "NewCriticalFinding", DAY + 10, 0),
    "it ends in 15 days": (
        {EXPIRY: f"{15 * DAY * 60}+0x{2 * DAY}"}, "ExceptionExpires", 60, 0),
    "it ends in 13 days": (
        {EXPIRY: f"{15 * DAY * 60}+0x{3 * DAY}"}, "ExceptionExpires", 2 * DAY, 1),
    "one of two clusters 27 hours ago": (
        {f'{RUN}{{cluster="a"}}': f"0+0x{3 * DAY}", f'{RUN}{{cluster="b"}}': f"{DAY * 60}+0x{3 * DAY}"},
        "Stale", 27 * 60, 1),
    "as many in another cluster": (
        {FINDINGS: f"2+0x{DAY} 1+0x{2 * DAY}", FINDINGS.replace('"c"', '"d"'): f"1+0x{DAY} 2+0x{2 * DAY}"},
        "NewCriticalFinding", DAY + 10, 1),
    "one more, and the parts of owners are gone": (
        {FINDINGS: f"1+0x{DAY} 2+0x{2 * DAY}", FINDINGS.replace("{", '{owner="a",'): f"1+0x{DAY} stale"},
        "NewCriticalFinding", DAY + 10, 1),
    "as many, and parts of owners come": (
        {FINDINGS: f"1+0x{3 * DAY}", FINDINGS.replace("{", '{owner="a",'): f"_x{DAY} 1+0x{2 * DAY}"},
        "NewCriticalFinding", DAY + 10, 0),
    "its review is due in 15 days": (
        {REVIEW: f"{15 * DAY * 60}+0x{2 * DAY}"}, "MatrixReview", 60, 0),
    "its review was due yesterday": (
        {REVIEW: f"{DAY * 60}+0x{3 * DAY}"}, "MatrixReview", 2 * DAY, 1),
    "all decided": ({"zone_audit_coverage_ratio": "1+0x60"}, "Incomplete", 30, 0),
    "nearly all": ({"zone_audit_coverage_ratio": "0.999+0x60"}, "Incomplete", 30, 1),
}  # fmt: skip
"""Series (minute by minute), the alert, the minute, a tenth one, at which it is asked for, how many fire."""


def cases() -> list[dict[str, Any]]:
    """As promtool takes them."""
    return [
        {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": one, "values": values} for one, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="ZoneAudit{alert}",alertstate="firing"}}) or vector(0)',
                    "eval_time": f"{minute}m",
                    "exp_samples": [{"labels": "{}", "value": fires}],
                }
            ],
        }
        for name, (series, alert, minute, fires) in CASES.items()
    ]


def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "10m", "tests": cases()}))
    assert "SUCCESS" in promtool("test", "rules", file)
    alerts = {f"ZoneAudit{alert}": set[int]() for _, alert, _, _ in CASES.values()}
    for _, alert, _, fires in CASES.values():
        alerts[f"ZoneAudit{alert}"].add(fires)
    assert alerts == {rule["alert"]: {0, 1} for rule in rules()}
