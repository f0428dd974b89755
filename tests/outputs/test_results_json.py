from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.exports import results_v1
from audit.report import Report
from tests.outputs.example_report import HOSTILE, build, clean, example, hostile, large

jsonschema: Any = pytest.importorskip("jsonschema")
SCHEMA = Path(__file__).parents[2] / "docs" / "results.schema.json"


def test_published_schema_is_the_one_the_code_writes() -> None:
    update = "from audit.exports import results_v1; print(results_v1.schema().decode(), end='')"
    assert SCHEMA.read_bytes() == results_v1.schema(), (
        f'update it with: python -c "{update}" > docs/results.schema.json'
    )


@pytest.mark.parametrize("report", [example(), clean(), large(12, 100), hostile(HOSTILE[5])])
def test_results_follow_the_published_schema(report: Report) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_bytes()))
    assert list(validator.iter_errors(json.loads(results_v1.render(report)))) == []


def test_a_step_and_an_exception_keep_all_their_fields() -> None:
    data = json.loads(results_v1.render(example()))
    step = data["findings"][0]["path"][0]
    assert step == {
        "text": "no policy isolates it: open by default", "object": "Deployment edge/proxy", "direction": "egress",
        "rule": None, "file": "", "line": 0,
    }  # fmt: skip
    wanted = {"rule", "flow", "from", "to", "services", "subjects", "requested_on", "would_cover"}
    assert all(wanted <= set(record) for record in data["exceptions"])
    assert data["zones"][-1]["trust"] is None


def test_schema_refuses_an_unknown_verdict() -> None:
    data = json.loads(results_v1.render(example()))
    data["findings"][0]["verdict"] = "passed"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json.loads(SCHEMA.read_bytes()))


def test_results_read_back_as_the_same_report() -> None:
    assert msgspec.json.decode(results_v1.render(example()), type=Report) == example()


def test_order_of_maps_does_not_matter_and_the_file_ends_with_a_line_feed() -> None:
    report = example()
    turned = msgspec.structs.replace(
        report,
        counts=msgspec.structs.replace(report.counts, findings=dict(reversed(list(report.counts.findings.items())))),
    )
    assert list(turned.counts.findings) != list(report.counts.findings)
    assert results_v1.render(turned) == results_v1.render(report)
    assert results_v1.render(report).endswith(b"}\n")


def test_raw_text_is_kept_and_lone_surrogates_are_spelled_out() -> None:
    odd = build(example().zones, (), headline="a\x1b\u202eb", notes=("name\udc80",))
    data = json.loads(results_v1.render(odd))
    assert data["headline"] == "a\x1b\u202eb"
    assert data["notes"] == ["name\\udc80"]
