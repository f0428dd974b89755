"""Every format fits the schema of whoever defines it; where none is to be had, one of our own that says the same."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from lxml import etree  # type: ignore[import-untyped]  # ships no types
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic

from audit import exports
from audit.report import Report
from tests.deploy.rendering import TOOLS
from tests.outputs.example_report import HOSTILE, changed, clean, example, hostile, large

SCHEMAS = Path(__file__).parents[2] / ".cache" / "schemas"
OWN = Path(__file__).parent / "schemas"
REPORTS = {
    "example": example(),
    "clean": clean(),
    "changed": changed(),
    "large": large(9, 200),
    **{f"hostile {place}": hostile(text) for place, text in enumerate(HOSTILE)},
}
INVARIANT = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
"""The validator looks for a library of languages otherwise."""


def fetched(name: str) -> Path:
    path = SCHEMAS / name
    if not path.exists():
        pytest.skip(f"`scripts/schemas` has not fetched {name}")
    return path


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]


@pytest.mark.parametrize("name", ["sarif", "sarif-github"])
def test_sarif_fits_the_schema_of_oasis(name: str, report: Report) -> None:
    validator = jsonschema_rs.validator_for(json.loads(fetched("sarif.json").read_bytes()))
    assert [str(error) for error in validator.iter_errors(json.loads(exports.render(name, report)))] == []


def test_the_schema_of_oasis_finds_a_kind_that_sarif_does_not_have() -> None:
    validator = jsonschema_rs.validator_for(json.loads(fetched("sarif.json").read_bytes()))
    log = json.loads(exports.render("sarif", example()))
    log["runs"][0]["results"][0]["kind"] = "failed"
    assert not validator.is_valid(log)


def test_the_sarif_validator_misses_nothing_but_the_address_of_a_home_page(tmp_path: Path) -> None:
    program = fetched("multitool/package/Sarif.Multitool")
    for which, name in (("changed", "sarif"), ("clean", "sarif"), ("example", "sarif-github")):
        (tmp_path / f"{which}-{name}.sarif").write_bytes(exports.render(name, REPORTS[which]))
    wrong = json.loads(exports.render("sarif", example()))
    del wrong["runs"][0]["results"][0]["locations"]
    (tmp_path / "wrong.sarif").write_bytes(json.dumps(wrong).encode())
    found = tmp_path / "found"
    command = [str(program), "validate", f"{tmp_path}/*.sarif", "--rule-kind", "Sarif;Ghas", "--output", str(found)]
    subprocess.run([*command, "--log", "ForceOverwrite"], env=INVARIANT, check=False, capture_output=True)
    run = json.loads(found.read_bytes())["runs"][0]
    messages: dict[str, set[str]] = {}
    for one in run["results"]:
        uri = one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        messages.setdefault(uri.rpartition("/")[2], set()).add(one["message"]["id"])
    home_page = "Warning_ProvideToolnformationUri"  # spelt as the validator spells it
    assert messages.pop("wrong.sarif") == {home_page, "Error_MissingLocationsArray"}
    assert messages == {path.name: {home_page} for path in tmp_path.glob("*-*.sarif")}


def test_oscal_fits_the_schema_of_nist(report: Report) -> None:
    schema = json.loads(fetched("oscal.json").read_bytes())
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    assert [str(error) for error in validator.iter_errors(json.loads(exports.render("oscal", report)))] == []


def test_junit_fits_the_schema_of_jenkins(report: Report) -> None:
    schema = etree.XMLSchema(etree.parse(fetched("junit.xsd")))
    schema.assertValid(etree.parse(io.BytesIO(exports.render("junit", report))))


@pytest.mark.parametrize("name", ["gitlab", "openreports", "policyreport"])
def test_reports_fit_what_their_readers_document(name: str, report: Report) -> None:
    schema: Any = json.loads((OWN / f"{name}.schema.json").read_bytes())
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(json.loads(exports.render(name, report)))] == []


def test_metrics_parse_as_openmetrics_and_as_the_classic_format(report: Report) -> None:
    text = exports.render("prometheus", report).decode()
    new = list(openmetrics(text))  # type: ignore[no-untyped-call]  # ships no types of its parser
    old = list(classic(text))
    assert [(one.name, one.samples) for one in new] == [(one.name, one.samples) for one in old]
    assert all(one.name.startswith("zone_audit_") and one.type == "gauge" and one.documentation for one in new)


@pytest.mark.parametrize("which", ["example", "large"])
def test_promtool_has_nothing_to_say(which: str) -> None:
    program = TOOLS / "promtool"
    if not program.exists():
        pytest.skip("no promtool: `scripts/deploy-tools` unpacks the one of Debian's package `prometheus`")
    text = exports.render("prometheus", REPORTS[which])
    done = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
