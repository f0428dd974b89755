"""The report on the enterprise sample says what the other commands say of it."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from audit.cli import app
from audit.commands.scan import scan
from audit.report import Report

SAMPLE = Path(__file__).parents[2] / "sample_snapshots" / "enterprise"
SOURCES, ZONES, EXCEPTIONS = (str(SAMPLE / name) for name in ("manifests", "zones.yaml", "exceptions.yaml"))


@pytest.fixture(scope="module")
def report() -> Report:
    return scan((SOURCES,), ZONES, EXCEPTIONS, created=dt.datetime(2026, 11, 23, tzinfo=dt.UTC))


def test_pods_of_a_zone_are_those_that_reach_shows_in_it(report: Report) -> None:
    done = CliRunner().invoke(app, ["reach", SOURCES, "--zones", ZONES, "--by", "pod", "-f", "json"])
    endpoints = [one for one in json.loads(done.stdout)["endpoints"] if one["kind"] != "IPBlock"]
    assert +Counter({zone.name: zone.pods for zone in report.zones}) == Counter(one["zone"] for one in endpoints)
    assert [zone.guests for zone in report.zones if zone.name == "dmz"] == [
        ("Deployment openshift-ingress/router-public",)
    ]


def test_the_expired_exception_and_its_finding_name_each_other(report: Report) -> None:
    (late,) = [one for one in report.exceptions if one.status == "expired"]
    (finding,) = [one for one in report.findings if one.refused_exceptions]
    assert late.would_cover == (finding.fingerprint,)
    assert finding.refused_exceptions == (late.id,)
    assert (late.flow, late.sources, late.targets, late.services) == ("ZM-0013", ("internal",), ("dmz",), ("tcp/8443",))
    assert (late.requested_on, late.subjects) == ("2026-04-13", ("NetworkPolicy edge-web/callbacks",))


def test_every_step_names_an_object_and_its_place(report: Report) -> None:
    steps = [step for finding in report.findings for step in finding.path]
    assert steps
    assert all(step.object and step.file and step.line for step in steps)


def test_files_are_read_and_never_complete(report: Report) -> None:
    statuses = {record.status for record in report.completeness}
    assert statuses == {"read", "not-in-source"}
