from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from installs import ROOT, Installation, members, run

pytestmark = pytest.mark.xdist_group("packaging")

SAMPLE = ROOT / "sample_snapshots" / "two-zones-faulty"
FOLDERS = {"audit": "audit", "rules": "audit/rules", "report_templates": "audit/report_templates"}
"""Folder of the repository to its place in the wheel."""


def shipped(folder: str) -> set[str]:
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {f"{FOLDERS[folder]}/{path.relative_to(ROOT / folder).as_posix()}" for path in files}


def test_packages_are_listed_as_they_exist(project: Mapping[str, Any]) -> None:
    inits = sorted((ROOT / "audit").rglob("__init__.py"))
    expected = {".".join(path.parent.relative_to(ROOT).parts) for path in inits}
    assert set(project["tool"]["setuptools"]["packages"]) == expected | {"audit.rules", "audit.report_templates"}


def test_wheel_holds_every_file_of_the_three_folders_and_nothing_else(wheel: Path) -> None:
    names = {name for name in members(wheel) if ".dist-info/" not in name}
    assert names == set().union(*(shipped(folder) for folder in FOLDERS))


def test_sdist_builds_the_same_wheel(wheel: Path, wheel_of_sdist: Path) -> None:
    assert members(wheel_of_sdist) == members(wheel)


def test_installed_command_tells_its_version(installed: Installation) -> None:
    from audit import __version__

    assert __version__ in installed.run("--version")


@pytest.mark.parametrize("kind", ["installed", "editable"])
def test_rules_and_templates_come_along(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    installation: Installation = request.getfixturevalue(kind)
    rules = [path.stem for path in (ROOT / "rules").glob("*.py") if not path.stem.startswith("_")]
    listed = installation.run("rules", "list")
    assert sum(line.count("NET") > 0 for line in listed.splitlines()) >= 1
    assert len(listed.splitlines()) >= len(rules)
    page = tmp_path / "report.html"
    installation.run("scan", SAMPLE / "manifests", "--zones", SAMPLE / "zones.yaml", "-f", "html", "-o", page, expect=1)
    assert "<html" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["installed", "editable"])
def test_source_folders_do_not_leak_as_top_level_packages(kind: str, request: pytest.FixtureRequest) -> None:
    installation: Installation = request.getfixturevalue(kind)
    code = "import importlib.util as u; print([n for n in ('rules', 'report_templates', 'tests') if u.find_spec(n)])"
    assert run([installation.python, "-c", code], cwd=installation.folder).strip() == "[]"


def test_installed_and_editable_scans_agree(installed: Installation, editable: Installation, tmp_path: Path) -> None:
    results = {}
    for name, installation in (("installed", installed), ("editable", editable)):
        path = tmp_path / f"{name}.json"
        installation.run(
            "scan", SAMPLE / "manifests", "--zones", SAMPLE / "zones.yaml", "-f", "json", "-o", path, expect=1
        )
        results[name] = path.read_bytes()
    assert results["installed"] == results["editable"]
