"""The puzzles of docs/explain.md: the page shows what the command says, and the cause has its place in the file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PUZZLES = ROOT / "sample_snapshots" / "puzzles"
SHOWN = re.findall(r"```\n\$ zone-audit (.+)\n([^`]+)```", (ROOT / "docs" / "explain.md").read_text(encoding="utf-8"))


def explain(*args: str) -> str:
    command = [sys.executable, "-m", "audit", "explain", *args, "--port", "tcp/5432"]
    return subprocess.run(command, cwd=PUZZLES, capture_output=True, text=True, check=True, timeout=120).stdout


def place(file: str, name: str) -> str:
    """Where the document of the named policy begins in a puzzle."""
    documents = (PUZZLES / file).read_text(encoding="utf-8").split("---\n")
    (number,) = [
        n for n, text in enumerate(documents) if f"metadata: {{name: {name}" in text and "NetworkPolicy" in text
    ]
    before = sum(text.count("\n") + 1 for text in documents[:number])
    return f"{file}:{before + 1}"


@pytest.mark.parametrize(("line", "said"), SHOWN, ids=[line.split()[1] for line, _ in SHOWN])
def test_the_page_shows_what_the_command_says(line: str, said: str) -> None:
    command = [sys.executable, "-m", "audit", *line.split()]
    done = subprocess.run(command, cwd=PUZZLES, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == said


def test_every_puzzle_is_on_the_page() -> None:
    assert {line.split()[1] for line, _ in SHOWN} == {path.name for path in PUZZLES.iterdir()}


def test_a_whole_in_halves_is_admitted_by_the_half_that_holds_the_source() -> None:
    told = explain("halves.yaml", "web/Pod/proxy", "db/Pod/pg")
    assert f"NetworkPolicy db/backup isolates it ({place('halves.yaml', 'backup')})" in told
    assert "rule 0: 0.0.0.0/1 on tcp/5432: admits tcp/5432\n" in told
    upper = explain("halves.yaml", "203.0.113.9", "db/Pod/pg")
    assert "rule 1: 128.0.0.0/1 on tcp/5432: admits tcp/5432\n" in upper
    assert "allowed: tcp/5432" in told
    assert "allowed: tcp/5432" in upper


def test_a_port_name_is_told_with_its_number_at_the_destination() -> None:
    first, second = (explain("port-name.yaml", "web/Pod/proxy", f"db/Pod/pg-{n}") for n in (0, 1))
    where = f"NetworkPolicy db/from-web isolates it ({place('port-name.yaml', 'from-web')})"
    assert where in first
    assert where in second
    assert "allowed: tcp/5432" in first
    assert "denied: tcp/5432" in second
    assert "on tcp/sql: does not match this port (tcp/sql is tcp/6432 there)\n" in second


def test_a_pass_is_followed_to_the_baseline_rule_that_denies() -> None:
    told = explain("pass.yaml", "web/Pod/proxy", "db/Pod/pg").partition("ingress of")[2]
    guard, base = place("pass.yaml", "guard"), place("pass.yaml", "default")
    expected = [
        f"AdminNetworkPolicy guard (admin tier, priority 10) selects it ({guard})",
        "rule 0 (pass): namespaces network-zone=dmz on any port: passes tcp/5432 on",
        "rule 1 (deny): every namespace on any port: not reached, a rule before it decides",
        "no NetworkPolicy isolates it in this direction",
        f"BaselineAdminNetworkPolicy default (baseline tier) selects it ({base})",
        "rule 0 (deny): every namespace on any port: decides tcp/5432",
    ]
    assert [line for line in map(str.strip, told.splitlines()) if line in expected] == expected
