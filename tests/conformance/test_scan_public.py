"""`zone-audit scan` on public applications, with a zone matrix written for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.peer import CASES

ZONES = Path(__file__).with_name("zones")


def scan(case: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the results JSON."""
    if not CASES.is_dir():
        pytest.skip("the folder with the public cases is not beside the repository")
    results = folder / "results.json"
    command = [sys.executable, "-m", "audit", "scan", str(CASES / case / "manifests")]
    command += ["--zones", str(ZONES / f"{case}.yaml"), "-f", "json", "-o", str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(results.read_text(encoding="utf-8"))


def cells(results: dict[str, Any]) -> dict[tuple[str, str], tuple[str, dict[str, str]]]:
    return {(c["from"], c["to"]): (c["verdict"], c["observed"]) for c in results["cells"]}


def test_a_shop_in_three_tiers_keeps_its_matrix(tmp_path: Path) -> None:
    code, results = scan("acs-security-demos", tmp_path)
    found = cells(results)
    assert (code, results["verdict"]) == (0, "compliant")
    assert found["web", "services"] == found["services", "payment"] == ("pass", {"TCP": "8080"})
    assert found["web", "payment"] == found["payment", "services"] == found["payment", "internet"] == ("pass", {})


def test_a_shop_in_one_namespace_leaves_its_cart_store_open_to_the_world(tmp_path: Path) -> None:
    code, results = scan("onlineboutique_workloads", tmp_path)
    everything = dict.fromkeys(("TCP", "UDP", "SCTP"), "1-65535")
    assert (code, results["verdict"]) == (1, "not-compliant")
    assert cells(results)["shop", "internet"] == ("fail", everything)
    (finding,) = [f for f in results["findings"] if f["rule"] == "NET001" and f["verdict"] == "fail"]
    assert "redis-cart" in json.dumps(finding["evidence"])
