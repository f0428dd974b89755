"""What we ship for pipelines fits the schemas of the platforms, and its scripts do what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from installs import ROOT

from audit import exports
from audit.commands.scan import FORMATS

CI = ROOT / "deploy" / "ci"
SAMPLE = ROOT / "sample_snapshots" / "two-zones-faulty"
FILES = {
    "vendor.github-actions": CI / "github" / "action.yml",
    "vendor.gitlab-ci": CI / "gitlab" / "zone-audit.gitlab-ci.yml",
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


Done = subprocess.CompletedProcess[str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A working directory with the faulty sample."""
    shutil.copytree(SAMPLE / "manifests", tmp_path / "manifests")
    shutil.copy(SAMPLE / "zones.yaml", tmp_path)
    return tmp_path


def run(script: str, folder: Path, *arguments: str, interpreter: str, **variables: str) -> Done:
    """The script as its platform runs it, with `zone-audit` in the path."""
    folder.joinpath("script").write_text(script, encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = [interpreter, *(["-eo", "pipefail"] if interpreter == "bash" else []), "script", *arguments]
    environment = os.environ | {"PATH": path} | variables
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("schema", FILES)
def test_template_fits_the_schema_of_its_platform(schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(FILES[schema])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_schema_of_the_platform_would_find_a_mistake(tmp_path: Path) -> None:
    wrong = tmp_path / "action.yml"
    wrong.write_text(FILES["vendor.github-actions"].read_text().replace("using: composite", "using: bash"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(wrong)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_scripts_take_what_users_give_from_the_environment_only() -> None:
    for step in load(FILES["vendor.github-actions"])["runs"]["steps"]:
        assert "${{" not in step["run"]
    for step in load(CI / "tekton" / "zone-audit-scan.yaml")["spec"]["steps"]:
        assert "$(params" not in step["script"]


def test_the_action_annotates_writes_every_file_and_ends_with_the_code_of_the_scan(repository: Path) -> None:
    action = load(FILES["vendor.github-actions"])
    (step,) = [one for one in action["runs"]["steps"] if one.get("id") == "scan"]
    given = {name: one.get("default", "") for name, one in action["inputs"].items()}
    given |= {"sources": "manifests\n", "zones": "zones.yaml"}
    names = {name: re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value) for name, value in step["env"].items()}
    variables = {name: given[found[1]] for name, found in names.items() if found}
    assert variables.keys() == step["env"].keys()
    files = {name: str(repository / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    done = run(step["run"], repository, interpreter="bash", **variables, **files)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=manifests/")
    assert (repository / "GITHUB_OUTPUT").read_text() == "exit-code=1\n"
    assert "## Findings" in (repository / "GITHUB_STEP_SUMMARY").read_text()
    written = {path.name for path in (repository / "zone-audit-results").iterdir()}
    assert written == {"summary.md", "scan.sarif", "junit.xml", "report.html", "results.json"}
    shutil.copy(repository / "zone-audit-results" / "results.json", repository / "main.json")
    again = variables | {"BASELINE": "main.json"}
    assert run(step["run"], repository, interpreter="bash", **again, **files).returncode == 0


def test_the_job_of_gitlab_writes_what_it_hands_over(repository: Path) -> None:
    job = load(FILES["vendor.gitlab-ci"])["zone-audit"]
    done = run("\n".join(job["script"]), repository, interpreter="bash", **job["variables"])
    assert done.returncode == 1, done.stderr
    artifacts = job["artifacts"]
    assert artifacts["when"] == "always"
    assert all((repository / path).exists() for path in (*artifacts["paths"], *artifacts["reports"].values()))


@pytest.mark.parametrize(("exit_zero", "code"), [("false", 1), ("true", 0)])
def test_the_task_of_tekton_writes_files_and_result_before_it_fails(
    repository: Path, exit_zero: str, code: int
) -> None:
    spec = load(CI / "tekton" / "zone-audit-scan.yaml")["spec"]
    (step,) = spec["steps"]
    variables = {"ZONES": "zones.yaml", "FAIL_ON": "low", "EXIT_ZERO": exit_zero, "RESULT": str(repository / "result")}
    assert variables.keys() == {one["name"] for one in step["env"]}
    done = run(step["script"], repository, "manifests", interpreter="sh", **variables)
    assert done.returncode == code, done.stderr
    assert (repository / "result").read_text() == "1"
    assert json.loads((repository / "zone-audit-results" / "scan.sarif").read_bytes())["version"] == "2.1.0"
    referenced = set(re.findall(r"\$\(params\.([a-z-]+)", yaml.safe_dump(step)))
    assert referenced == {one["name"] for one in spec["params"]}


def test_the_hook_of_pre_commit_runs_with_the_arguments_of_the_user(repository: Path) -> None:
    (hook,) = load(ROOT / ".pre-commit-hooks.yaml")
    assert {"id", "name", "entry", "language"} <= hook.keys()
    script = f"{hook['entry']} manifests --zones zones.yaml"
    assert run(script, repository, interpreter="bash").returncode == 1


def test_templates_name_formats_that_there_are() -> None:
    texts = [path.read_text() for path in (*FILES.values(), CI / "tekton" / "zone-audit-scan.yaml")]
    assert {name for text in texts for name in re.findall(r"-f ([a-z-]+)", text)} <= set(FORMATS) & {
        *exports.FORMATS, "text", "html", "pdf",
    }  # fmt: skip
