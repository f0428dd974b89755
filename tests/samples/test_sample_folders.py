"""A newcomer finds in each folder what to run, and what the README says comes true; generated files are current."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.samples.running import ROOT, SAMPLES, Sample, Scan, command

pytestmark = pytest.mark.xdist_group("samples")

GENERATED = tuple(
    f"{name}{state}" for name in ("openshift-3", "four-zones", "dmz-cluster") for state in ("", "-faulty")
)
"""Folders whose manifests clusters.py writes, pods included."""


def test_the_command_of_the_readme_works_as_it_stands(sample: Sample) -> None:
    text = (sample.folder / "README.md").read_text("utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"^    zone-audit (.*)$", text, re.MULTILINE)
    assert shlex.split(line) == ["scan", *sample.sources]
    assert command(*shlex.split(line)).returncode == sample.expected["exit_code"]
    assert f"exit code {sample.expected['exit_code']}" in text


def test_the_readme_names_every_rule_and_object_that_is_found(scan: Scan) -> None:
    text = (scan.sample.folder / "README.md").read_text("utf-8")
    findings = scan.results["findings"]
    assert {finding["rule"] for finding in findings} == set(re.findall(r"\b[A-Z]{3,4}\d{3}\b", text))
    rows = {int(row[0]): row[1] for row in re.findall(r"^\| (\d+) \|(.*)$", text, re.MULTILINE)}
    assert set(rows) == {finding["fault"] for finding in scan.sample.expected["findings"]}
    for finding in scan.sample.expected["findings"]:
        assert finding["rule"] in rows[finding["fault"]]
    for fault, row in rows.items():
        subjects = {s for f in scan.sample.expected["findings"] if f["fault"] == fault for s in f["subjects"]}
        assert any(subject.split()[1] in row for subject in subjects)


def test_the_numbers_in_the_readme_are_those_of_the_scan(scan: Scan) -> None:
    text = (scan.sample.folder / "README.md").read_text("utf-8")
    told = re.findall(r"(\d+) (namespaces|workloads|pods|cells)", text)
    counted = scan.results["scope"] | {"cells": len(scan.results["cells"])}
    assert {what: int(number) for number, what in told} == {what: counted[what] for _, what in told}


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in GENERATED])
def test_pods_are_what_the_script_writes(name: str, tmp_path: Path) -> None:
    kept = ROOT / "sample_snapshots" / name / "manifests"
    for path in kept.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    run_script("pods.py", tmp_path)
    assert (tmp_path / "pods.json").read_bytes() == (kept / "pods.json").read_bytes()


def test_generated_clusters_are_what_the_script_writes(tmp_path: Path) -> None:
    run_script("clusters.py", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(GENERATED)
    for name in GENERATED:
        assert files(tmp_path / name / "manifests") == files(ROOT / "sample_snapshots" / name / "manifests"), name


def files(folder: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "pods.json" in found
    return found


def test_enterprise_is_what_the_script_writes(tmp_path: Path) -> None:
    run_script("enterprise.py", tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert "baseline.yaml" in written
    kept = ROOT / "sample_snapshots" / "enterprise" / "manifests"
    assert written == {name: (kept / name).read_bytes() for name in written}


def run_script(name: str, folder: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "sample_snapshots" / name), str(folder)], check=True)
