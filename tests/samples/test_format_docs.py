"""The examples of docs/formats.md are what the command writes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from audit.exports import FORMATS
from tests.samples.running import NOW, ROOT

PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "sample_snapshots" / "two-zones-faulty"
EXAMPLES = re.findall(r"```\n\$ zone-audit ([^\n]+)\n(.*?)```", PAGE, flags=re.DOTALL)


def stands(line: str, written: list[str]) -> bool:
    """Whether a line was written that has all parts of this one in order, but for what `...` leaves out."""
    pattern = re.compile(".*".join(map(re.escape, line.strip().split("..."))))
    return any(pattern.fullmatch(one.strip()) for one in written)


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command.rsplit(" ", 1)[-1] for command, _ in EXAMPLES])
def test_example_is_what_the_command_writes(command: str, shown: str) -> None:
    line = [sys.executable, "-m", "audit", *command.split(" ")]
    environment = os.environ | {"SOURCE_DATE_EPOCH": NOW}
    done = subprocess.run(line, cwd=SAMPLE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    written = done.stdout.splitlines()
    assert [one for one in shown.splitlines() if not stands(one, written)] == []


def test_every_format_is_described() -> None:
    table = PAGE.partition("| format | for |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z0-9-]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:]))) == set(
        FORMATS
    )
    assert {command.rsplit(" ", 1)[-1] for command, _ in EXAMPLES} <= set(FORMATS)
    assert len(EXAMPLES) >= 9


def test_the_workflow_uses_the_inputs_and_outputs_of_the_action() -> None:
    (workflow,) = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(permissions.*?)```", PAGE, flags=re.DOTALL)]
    action = yaml.safe_load(Path(ROOT / "deploy/ci/github/action.yml").read_text(encoding="utf-8"))
    (step,) = [one for one in workflow["jobs"]["zones"]["steps"] if "zone-audit" in one["uses"]]
    assert step["with"].keys() <= action["inputs"].keys()
    assert set(re.findall(r"steps\.zones\.outputs\.([a-z-]+)", PAGE)) <= action["outputs"].keys()
