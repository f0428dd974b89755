"""The Containerfile: free of lint, from locked wheels, without a shell, for any user. No engine builds it here."""

from __future__ import annotations

import fnmatch
import re
import tomllib

import pytest

from tests.deploy.rendering import DEPLOY, ROOT, SCRIPTS, containers, kustomized, pods, run

CONTAINERFILE = DEPLOY / "Containerfile"
Instruction = tuple[str, str]


def instructions() -> list[list[Instruction]]:
    """The instructions of each stage, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[list[Instruction]] = [[]]
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, re.sub(r"\s+", " ", rest.strip())))
    return stages


def sources() -> list[str]:
    """What is copied out of the repository."""
    copied = [rest.split()[:-1] for stage in instructions() for word, rest in stage if word == "COPY"]
    return [one for words in copied if not words[0].startswith("--from=") for one in words]


def test_the_linter_finds_nothing() -> None:
    linter = SCRIPTS / "hadolint"
    if not linter.exists():
        pytest.skip("no hadolint for this platform")
    assert run(linter, CONTAINERFILE).stdout == ""


def test_the_image_starts_from_nothing_and_takes_only_finished_files() -> None:
    last = instructions()[-1]
    assert last[0] == ("FROM", "scratch")
    assert "RUN" not in dict(last)
    assert [rest.split()[0] for word, rest in last if word == "COPY"] == ["--from=system", "--from=python"]


def test_it_runs_isolated_as_a_user_with_a_number() -> None:
    last = dict(instructions()[-1])
    user, group = last["USER"].split(":")
    assert int(user) > 0
    assert group == "0"  # that of whatever user OpenShift picks
    for option in ('"-I"', '"-B"', '"-m", "audit"'):
        assert option in last["ENTRYPOINT"]


def test_only_locked_wheels_are_installed() -> None:
    installs = [
        rest
        for stage in instructions()
        for word, rest in stage
        if word == "RUN" and " install " in rest and "pip " in rest
    ]
    locked = [rest for rest in installs if "--requirement" in rest]
    assert len(locked) == 1
    assert "--require-hashes" in locked[0]
    assert "--only-binary :all:" in locked[0]
    for rest in installs:
        assert rest in locked or "--no-index" in rest or "apt-get" in rest


def test_the_build_sees_the_project_and_nothing_else() -> None:
    """As the rules of .dockerignore say: the last one that matches decides."""
    rules = (ROOT / ".dockerignore").read_text().split()
    assert rules[0] == "*"
    kept = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    assert {one.rstrip("/") for one in sources()} == set(kept)
    for one in kept:
        assert (ROOT / one).exists()
    assert not any(fnmatch.fnmatch(name, rule) for rule in kept for name in (".git", ".venv", ".cache", "tests"))


def test_every_package_of_the_wheel_is_copied() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = set(setuptools["package-dir"].values())
    assert folders <= set(sources())
    assert {name.partition(".")[0] for name in setuptools["packages"]} == {"audit"}


def test_commands_that_pass_by_the_entry_point_exist_in_the_image() -> None:
    last = dict(instructions()[-1])
    (program,) = re.findall(r'^\["([^"]+)"', last["ENTRYPOINT"])
    for _, pod in pods(kustomized("overlays/openshift")):
        for container in containers(pod):
            assert container.get("command", [program])[0] == program


def test_user_and_version_are_those_of_chart_and_package() -> None:
    from audit import __version__

    last = dict(instructions()[-1])
    assert f'org.opencontainers.image.version="{__version__}"' in last["LABEL"]
    chart = (DEPLOY / "helm" / "zone-audit" / "Chart.yaml").read_text()
    assert f"version: {__version__}\n" in chart
    assert f'appVersion: "{__version__}"' in chart
    assert (
        f"runAsUser: {last['USER'].split(':')[0]}"
        in (DEPLOY / "helm" / "zone-audit" / "values-kubernetes.yaml").read_text()
    )
