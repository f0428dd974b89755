"""Samples, and the real command run on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from audit.exports import FORMATS

ROOT = Path(__file__).parents[2]
SAMPLES = tuple(sorted(path.parent.name for path in (ROOT / "sample_snapshots").glob("*/expected.json")))
NOW = "1795392000"
"""2026-11-23, midnight UTC: exceptions are in the state that expected.json says."""
OUTPUTS = {"json": "results.json", "html": "report.html", "pdf": "report.pdf"}
EXPORTS = {name: f"export.{name}" for name in FORMATS}


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`zone-audit ARGUMENTS` in the project folder, whatever it returns."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": NOW, "NO_COLOR": "1", "COLUMNS": "120"}
    line = [sys.executable, "-m", "audit", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Sample:
    name: str

    @property
    def folder(self) -> Path:
        return ROOT / "sample_snapshots" / self.name

    @property
    def sources(self) -> list[str]:
        """The arguments that name its files, as its README has them."""
        there = f"sample_snapshots/{self.name}"
        exceptions = ["--exceptions", f"{there}/exceptions.yaml"] if (self.folder / "exceptions.yaml").exists() else []
        return [f"{there}/manifests", "--zones", f"{there}/zones.yaml", *exceptions]

    @cached_property
    def expected(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "expected.json").read_text("utf-8")))


@dataclass(frozen=True)
class Scan:
    """One run with every output."""

    sample: Sample
    exit_code: int
    text: str
    folder: Path

    @cached_property
    def results(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "results.json").read_text("utf-8")))
