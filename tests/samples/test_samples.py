"""Every sample gives exactly the findings that its expected.json states, in every output."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.samples.running import Sample, Scan

pytestmark = pytest.mark.xdist_group("samples")

Finding = dict[str, Any]


def identity(finding: Finding, source: str, target: str) -> str:
    parts = {name: finding[name] for name in ("rule", "verdict", "severity", "ports")}
    parts |= {"from": finding[source], "to": finding[target], "subjects": sorted(finding["subjects"])}
    return json.dumps(parts, sort_keys=True)


def test_verdict_and_exit_code(scan: Scan) -> None:
    expected = scan.sample.expected
    assert (scan.exit_code, scan.results["exit_code"]) == (expected["exit_code"],) * 2
    assert scan.results["verdict"] == expected["verdict"]


def test_every_cell_has_the_expected_verdict(scan: Scan) -> None:
    expected = scan.sample.expected["cells"]
    cells = {f"{cell['from']}->{cell['to']}": cell["verdict"] for cell in scan.results["cells"]}
    assert len(cells) == expected["total"]
    assert {pair: verdict for pair, verdict in cells.items() if verdict != "pass"} == expected["not-pass"]


def test_findings_are_exactly_the_planted_ones(scan: Scan) -> None:
    expected = Counter(identity(finding, "from", "to") for finding in scan.sample.expected["findings"])
    found = Counter(identity(finding, "from_zone", "to_zone") for finding in scan.results["findings"])
    assert found == expected


def test_exceptions_have_the_expected_state(scan: Scan) -> None:
    states = {record["id"]: record["status"] for record in scan.results["exceptions"]}
    assert states == scan.sample.expected.get("exceptions", {})


def test_counts_follow_from_the_expected_findings(scan: Scan) -> None:
    findings = scan.sample.expected["findings"]
    cells = scan.sample.expected["cells"]
    by_cell = Counter(cells["not-pass"].values()) + Counter({"pass": cells["total"] - len(cells["not-pass"])})
    counts = scan.results["counts"]
    assert +Counter(counts["cells"]) == by_cell
    assert +Counter(counts["findings"]) == Counter(finding["verdict"] for finding in findings)
    failed = Counter(finding["severity"] for finding in findings if finding["verdict"] == "fail")
    assert +Counter(counts["severities"]) == failed


def test_objects_at_fault_stand_where_expected(sample: Sample) -> None:
    places = dict(objects(sample.folder))
    for finding in sample.expected["findings"]:
        assert [places[subject] for subject in finding["subjects"]] == finding["at"]


def test_path_of_a_finding_leads_to_the_line_of_the_object_at_fault(scan: Scan) -> None:
    at = {
        subject: f"{scan.sample.folder.name}/{place}"
        for finding in scan.sample.expected["findings"]
        for subject, place in zip(finding["subjects"], finding["at"], strict=True)
    }
    for finding in scan.results["findings"]:
        steps = {step["object"]: f"{step['file']}:{step['line']}" for step in finding["path"] if step.get("object")}
        for subject in set(finding["subjects"]) & set(steps):
            assert steps[subject] == f"sample_snapshots/{at[subject]}"
        if finding["rule"] == "NET001" and finding["subjects"][0].startswith("NetworkPolicy"):
            assert finding["subjects"][0] in steps


def test_terminal_text_shows_the_same_numbers(scan: Scan) -> None:
    for what, counts in totals(scan.results):
        parts = {name: int(number) for number, name in re.findall(r"(\d+) ([a-z-]+)", line_of(scan.text, what))}
        assert {name: number for name, number in parts.items() if number} == +Counter(counts)


def line_of(text: str, what: str) -> str:
    """The parts of the line `12 rules = 7 fail + 5 pass`."""
    match = re.search(rf"^\d+ {what}(?: = (.*))?$", text, re.MULTILINE)
    assert match, f"no total of {what}"
    return match[1] or ""


def test_page_shows_the_same_numbers_and_every_finding(scan: Scan) -> None:
    page = (scan.folder / "report.html").read_text("utf-8")
    text = flat(html.unescape(re.sub(r"<(style|script|svg).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)))
    check_tables(text, scan.results)


def test_pdf_shows_the_same_numbers_and_every_finding(scan: Scan) -> None:
    pypdf = pytest.importorskip("pypdf")
    pages = [page.extract_text() for page in pypdf.PdfReader(scan.folder / "report.pdf").pages]
    check_tables(flat(" ".join(pages)), scan.results)


def check_tables(text: str, results: dict[str, Any]) -> None:
    for what, counts in totals(results)[:3]:
        heads = re.search(r"Counted Total ((?:[a-z-]+ )+?)zone pairs", text)
        assert heads, "no control totals"
        row = re.search(rf"{what} ((?:\d+ ?){{{len(heads[1].split()) + 1}}})", text[heads.start() :])
        assert row, f"no row of {what}"
        whole, *numbers = map(int, row[1].split())
        assert whole == sum(counts.values())
        assert dict(zip(heads[1].split(), numbers, strict=True)) == counts
    bare = re.sub(r"\s", "", text)
    for finding in results["findings"]:
        assert re.sub(r"\s", "", finding["title"]) in bare


def totals(results: dict[str, Any]) -> list[tuple[str, dict[str, int]]]:
    counts = results["counts"]
    names = {"zone pairs": "cells", "rules": "rules", "findings": "findings", "failed findings": "severities"}
    return [(what, counts[name]) for what, name in names.items()]


def flat(text: str) -> str:
    return " ".join(text.split())


def objects(folder: Path) -> list[tuple[str, str]]:
    """`Kind namespace/name` and `FILE:LINE` of everything in the YAML files of a sample, and of parts of its matrix."""
    found = []
    for path in sorted((folder / "manifests").glob("*.yaml")):
        for node in yaml.compose_all(path.read_text("utf-8"), Loader=yaml.SafeLoader):
            one = yaml.safe_load(yaml.serialize(node))
            metadata = one["metadata"]
            name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
            found.append((f"{one['kind']} {name}", f"manifests/{path.name}:{node.start_mark.line + 1}"))
    return [*found, *parts_of_the_matrix(folder / "zones.yaml")]


def parts_of_the_matrix(path: Path) -> Iterator[tuple[str, str]]:
    """`ZoneMatrix NAME`, `Zone NAME` and `Flow ID` with the line where each starts."""
    document = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    assert isinstance(document, yaml.MappingNode)
    whole = yaml.safe_load(yaml.serialize(document))
    yield f"ZoneMatrix {whole['metadata']['name']}", f"{path.name}:1"
    listed = {key.value: value.value for key, value in document.value if key.value in ("zones", "flows")}
    for kind, part, key in (("Zone", "zones", "name"), ("Flow", "flows", "id")):
        for one, node in zip(whole[part], listed[part], strict=True):
            yield f"{kind} {one[key]}", f"{path.name}:{node.start_mark.line + 1}"
