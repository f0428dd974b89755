from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from installs import ROOT

SAMPLE = ROOT / "sample_snapshots" / "two-zones-faulty"
HEAVY = (
    "cryptography", "jinja2", "kubernetes", "networkx", "openpyxl", "pikepdf", "pydantic", "rich", "sqlalchemy",
    "urllib3", "weasyprint", "xlsxwriter", "yaml",
)  # fmt: skip

PROBE = """
import sys
from audit.cli import run
status = run(sys.argv[1:])
print("\\nloaded:", *sorted(name for name in sys.modules if name.count(".") == 0), file=sys.stderr)
sys.exit(status)
"""


def loaded(*arguments: str | Path, expect: int = 0) -> set[str]:
    """Top-level modules in memory after the command has run with its output in a pipe."""
    command = [sys.executable, "-c", PROBE, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stderr
    return set(done.stderr.rpartition("loaded:")[2].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["scan", "--help"], ["matrix", "--help"]], ids=" ".join
)
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    modules = loaded(*arguments)
    assert "click" in modules
    assert modules.isdisjoint(HEAVY)


def test_scan_in_text_to_a_pipe_loads_neither_graphs_nor_pages() -> None:
    modules = loaded("scan", SAMPLE / "manifests", "--zones", SAMPLE / "zones.yaml", expect=1)
    assert "msgspec" in modules
    assert modules.isdisjoint({"networkx", "weasyprint", "jinja2", "openpyxl", "xlsxwriter"})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_help_that_cannot_be_written_is_no_success() -> None:
    command = [sys.executable, "-m", "audit", "--help"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0
    assert "No space left" in done.stderr
