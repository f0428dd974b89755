"""Outputs never replace inputs, and closed streams are said in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCAN = ("scan", "manifests", "--zones", "zones.yaml")
EXCEPTIONS = "apiVersion: zone-audit/v1\nkind: Exceptions\nexceptions: []\n"


@pytest.fixture(name="place")
def _place(estate: Path) -> Path:
    (estate / "exceptions.yaml").write_text(EXCEPTIONS)
    (estate / "elsewhere").mkdir()
    (estate / "elsewhere" / "more.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: more, labels: {network-zone: dmz}}\n"
    )
    (estate / "manifests" / "linked.yaml").symlink_to(estate / "elsewhere" / "more.yaml")
    (estate / "link.json").symlink_to("zones.yaml")
    os.link(estate / "exceptions.yaml", estate / "twin.json")
    (estate / "checks").mkdir()
    (estate / "checks" / "own.py").write_text("")
    return estate


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "output",
    [
        "zones.yaml",
        "./manifests/../zones.yaml",
        "link.json",
        "exceptions.yaml",
        "twin.json",
        "manifests/pods.yaml",
        "manifests/linked.yaml",
        "elsewhere/more.yaml",
        "manifests/new.json",
        "manifests/NEW.YML",
        "checks/own.py",
    ],
)
def test_an_output_that_would_replace_or_become_an_input_is_refused(place: Path, run: Any, output: str) -> None:
    before = contents(place)
    more = ("--exceptions", "exceptions.yaml", "--rules", "checks")
    done = run(*SCAN, *more, "-f", "json", "-o", output)
    assert done.returncode == 2
    assert f"output `{(place / output).resolve()}`" in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert contents(place) == before


def test_a_source_file_and_a_redirected_input_are_not_replaced(place: Path, run: Any) -> None:
    whole = place / "whole.yaml"
    whole.write_text("---\n".join(path.read_text() for path in sorted((place / "manifests").iterdir())))
    before = contents(place)
    assert run("scan", "whole.yaml", "--zones", "zones.yaml", "-f", "json", "-o", "whole.yaml").returncode == 2
    assert run("reach", "whole.yaml", "-f", "json", "-o", "whole.yaml").returncode == 2
    assert run("reach", "manifests", "--zones", "zones.yaml", "-f", "json", "-o", "zones.yaml").returncode == 2
    with whole.open("rb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "audit", "reach", "-", "-f", "json", "-o", "whole.yaml"],
            stdin=stream, capture_output=True, cwd=place, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert contents(place) == before


@pytest.mark.parametrize("output", ["manifests/report.txt", "manifests/.hidden.json", "elsewhere/results.json"])
def test_an_output_that_no_scan_reads_is_written(place: Path, run: Any, output: str) -> None:
    for _ in range(2):
        assert run(*SCAN, "-f", "json", "-o", output).returncode == 0
    assert (place / output).read_bytes().startswith(b"{")


def test_a_matrix_is_not_converted_onto_itself(place: Path, run: Any) -> None:
    before = contents(place)
    assert run("matrix", "convert", "zones.yaml", "-o", "zones.yaml").returncode == 2
    assert contents(place) == before


@pytest.mark.parametrize(
    "args",
    [
        (*SCAN, "-f", "json", "-o", ""),
        (*SCAN, "-o", ""),
        ("reach", "manifests", "-o", ""),
        ("init", "manifests", "-o", ""),
        ("matrix", "convert", "zones.yaml", "-o", ""),
    ],
)
@pytest.mark.usefixtures("place")
def test_an_empty_path_is_no_standard_output(run: Any, args: tuple[str, ...]) -> None:
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"-o" in done.stderr


def closed(place: Path, streams: str, *args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "audit", *args],
        capture_output=True, cwd=place, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize(
    "args", [SCAN, ("reach", "manifests"), ("init", "manifests"), ("matrix", "show", "zones.yaml"), ("rules", "list")]
)
def test_a_closed_standard_output_is_said_in_one_line(place: Path, args: tuple[str, ...]) -> None:
    done = closed(place, ">&-", *args)
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("zone-audit: error: standard output is closed")


def test_a_closed_standard_output_does_not_matter_to_files(place: Path) -> None:
    done = closed(place, ">&-", *SCAN, "-f", "json", "-o", "r.json")
    assert done.returncode == 0, done.stderr
    assert (place / "r.json").stat().st_size


@pytest.mark.parametrize("args", [("scan", "-", "--zones", "zones.yaml"), ("reach", "-"), ("init", "-")])
def test_a_closed_standard_input_is_said_in_one_line(place: Path, args: tuple[str, ...]) -> None:
    done = closed(place, "<&-", *args)
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert "standard input is closed" in line


def test_a_closed_standard_input_does_not_matter_to_files(place: Path) -> None:
    assert closed(place, "<&-", *SCAN).returncode == 0


def test_a_closed_standard_error_changes_no_result_and_no_output(place: Path) -> None:
    assert closed(place, "2>&-", *SCAN, "-f", "json", "-o", "r.json").returncode == 0
    done = closed(place, "2>&-", "scan", "nowhere", "--zones", "zones.yaml")
    assert (done.returncode, done.stdout) == (2, b"")
