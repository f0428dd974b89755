"""Commands on snapshot files: what they print, and what they leave alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sources.snapshots import UID, of_manifests

JSON = ("--zones", "zones.yaml", "-f", "json", "--exit-zero")


@pytest.fixture(name="place")
def _place(leaky: Path) -> Path:
    of_manifests(leaky / "manifests", leaky / "today.zip")
    of_manifests(leaky / "manifests", leaky / "today", directory=True)
    return leaky


def test_every_command_reads_a_snapshot_file(place: Path, run: Any) -> None:
    for words in (
        ("reach", "today.zip"),
        ("explain", "today.zip", "web/Deployment/proxy", "app/Deployment/api"),
        ("diff", "manifests", "today.zip"),
        ("init", "today.zip"),
        ("scan", "today", "--zones", "zones.yaml", "--exit-zero"),
    ):
        done = run(*words)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout
        assert str(place).encode() not in done.stdout


@pytest.mark.usefixtures("place")
def test_a_scan_of_a_file_and_of_the_same_directory_are_equal_bytes(run: Any) -> None:
    first, second = (run("scan", one, *JSON).stdout for one in ("today.zip", "today"))
    assert first == second
    found = json.loads(first)
    assert (found["scope"]["source"], found["scope"]["live"]) == (f"cluster {UID[:8]}", True)
    assert found["collection"]["cluster"]["uid"] == UID


@pytest.mark.usefixtures("place")
def test_findings_of_a_cluster_and_of_manifests_are_the_same_in_a_difference(run: Any) -> None:
    mixed, same = (
        json.loads(run("diff", *pair, *JSON).stdout) for pair in (("manifests", "today"), ("today", "today.zip"))
    )
    for found in (mixed, same):
        statuses = {one["status"] for one in found["findings"]}
        assert "unchanged" in statuses
        assert "fixed" not in statuses
    scanned = {one["fingerprint"] for one in json.loads(run("scan", "today", *JSON).stdout)["findings"]}
    assert {one["fingerprint"] for one in same["findings"]} == scanned
    assert not {one["fingerprint"] for one in mixed["findings"]} & scanned


def test_a_broken_snapshot_is_said_in_one_line(place: Path, run: Any) -> None:
    path = place / "today.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = run("scan", "today.zip", "--zones", "zones.yaml")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines() == ["zone-audit: error: today.zip: it was changed since it was written"]


@pytest.mark.parametrize("output", ["today.zip", "today/report.html", "today/objects/Pod.json"])
def test_an_output_never_replaces_a_snapshot_nor_becomes_a_part_of_one(place: Path, run: Any, output: str) -> None:
    source = output.partition("/")[0]
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    done = run("scan", source, "--zones", "zones.yaml", "-f", "json", "-o", output)
    assert done.returncode == 2
    assert b"output `" in done.stderr
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
