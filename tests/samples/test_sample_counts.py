"""Console, exit code and every file of one scan tell the same numbers."""

from __future__ import annotations

import json
import re

import pytest

from tests.samples import readings
from tests.samples.running import EXPORTS, Scan

pytestmark = pytest.mark.xdist_group("samples")
FLOOR = ("low", "medium", "high", "critical")


@pytest.fixture(scope="session")
def files(scan: Scan) -> dict[str, bytes]:
    return {name: (scan.folder / file).read_bytes() for name, file in EXPORTS.items()}


def test_every_file_tells_the_numbers_of_the_results(scan: Scan, files: dict[str, bytes]) -> None:
    readings.check(files, scan.results)


def test_the_console_tells_the_numbers_of_the_results(scan: Scan) -> None:
    counts = scan.results["counts"]
    for what, wanted in (("zone pairs", counts["cells"]), ("rules", counts["rules"]), ("findings", counts["findings"])):
        (line,) = re.findall(rf"^([\d,]+) {what}(?: = (.*))?$", scan.text, flags=re.MULTILINE)
        parts = dict(part.split(" ")[::-1] for part in line[1].split(" + ") if part)
        assert int(line[0].replace(",", "")) == sum(wanted.values())
        assert {word: int(number.replace(",", "")) for word, number in parts.items()} == readings.tally_of(wanted)


def test_the_exit_code_follows_from_what_every_file_tells(scan: Scan, files: dict[str, bytes]) -> None:
    severities = scan.results["counts"]["severities"]
    undecided = readings.sarif(files["sarif"]).get("not-evaluated", 0)
    expected = 1 if sum(severities[one] for one in FLOOR) else 3 if undecided else 0
    run = json.loads(files["sarif"])["runs"][0]["invocations"][0]
    assert (scan.exit_code, scan.results["exit_code"], run["exitCode"]) == (expected,) * 3
    assert run["executionSuccessful"] == (not undecided)
    result = json.loads(files["oscal"])["assessment-results"]["results"][0]
    assert {one["name"]: one["value"] for one in result["props"]}["exit-code"] == str(expected)
    compliant = [value for name, _, value in readings.metrics(files["prometheus"]) if name == "zone_audit_compliant"]
    assert compliant == [float(expected == 0)]
