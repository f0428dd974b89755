"""The containers of the Job as processes, one after the other, against an API server; only paths differ."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collection.fault_server import Fault, FaultServer
from tests.collection.serving import SAMPLES, basics, sample, served
from tests.deploy.rendering import COMPONENTS, composed, containers, pods, run

SAMPLE = "two-zones-faulty"
FOLDERS = ("collected", "config", "reports", "metrics", "publish", "tmp")
START = 1_795_000_000
DAY = 86_400


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(served([*sample(SAMPLE), *basics()])) as running:
        yield running


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    pod = dict(pods(composed(tmp_path_factory.mktemp("all"), "base", COMPONENTS)))["zone-audit"]
    return [one["args"] for one in containers(pod)]


class Volumes:
    """The folders that the pod mounts, with the matrix of a sample as configuration."""

    def __init__(self, root: Path, kubeconfig: Path) -> None:
        self.root = root
        self.kubeconfig = kubeconfig
        for name in FOLDERS:
            (root / name).mkdir()
        (root / "config" / "zones.yaml").write_bytes((SAMPLES / SAMPLE / "zones.yaml").read_bytes())
        (root / "config" / "exceptions.yaml").write_text(
            "apiVersion: zone-audit/v1\nkind: Exceptions\nexceptions: []\n"
        )

    def job(self, commands: list[list[str]], time: int) -> list[int]:
        """Exit codes of the containers; the first that fails ends the pod."""
        (self.root / "collected" / "snapshot.zip").unlink(missing_ok=True)
        codes: list[int] = []
        for command in commands:
            codes.append(self.container(command, time))
            if codes[-1]:
                break
        return codes

    def container(self, command: list[str], time: int) -> int:
        words = [self.placed(word) for word in command]
        if words[0] == "collect":
            words += ["--kubeconfig", str(self.kubeconfig)]
        environment = {"HOME": str(self.root / "tmp"), "PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": str(time)}
        return subprocess.run(
            [sys.executable, "-m", "audit", *words], env=environment, cwd=self.root, check=False, timeout=120
        ).returncode

    def placed(self, word: str) -> str:
        option, equals, path = word.rpartition("=")
        return f"{option}{equals}{self.root}{path}" if path.startswith("/") else word

    def files(self, folder: str) -> set[str]:
        return {str(one.relative_to(self.root / folder)) for one in (self.root / folder).rglob("*") if one.is_file()}


def without_pdf(commands: list[list[str]]) -> list[list[str]]:
    """The same but for what takes longest."""
    return [[word for word in command if not word.endswith(".pdf")] for command in commands]


WRITTEN = {"results.json", "report.html", "report.pdf"}


def test_a_job_leaves_reports_metrics_history_and_an_archive(
    server: FaultServer, commands: list[list[str]], tmp_path: Path
) -> None:
    volumes = Volumes(tmp_path, server.kubeconfig())
    assert volumes.job(commands, START) == [0, 0, 1]
    kept = WRITTEN | {"snapshot.zip", "metrics.txt", "openreports.json"}
    assert volumes.files("reports") == WRITTEN | {"history.db"} | {f"runs/20261118T110640Z/{name}" for name in kept}
    assert volumes.files("metrics") == {"metrics.txt"}
    assert volumes.files("publish") == {"openreports.json"}
    for name in WRITTEN:
        assert (tmp_path / "reports" / "runs" / "20261118T110640Z" / name).read_bytes() == (
            tmp_path / "reports" / name
        ).read_bytes()
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "reports").rglob("*")} == {0}
    metrics = (tmp_path / "metrics" / "metrics.txt").read_text()
    assert re.search(rf"^zone_audit_last_run_timestamp_seconds\{{cluster=\".+\"\}} {START}$", metrics, re.MULTILINE)

    assert volumes.job(without_pdf(commands), START + DAY) == [0, 0, 1]
    assert {path.name for path in (tmp_path / "reports" / "runs").iterdir()} == {"20261118T110640Z", "20261119T110640Z"}
    changes = json.loads((tmp_path / "reports" / "results.json").read_text())["changes"]
    assert changes["counts"]["unchanged"] > 0
    listed = run(
        sys.executable, "-m", "audit", "history", "list", "--history", tmp_path / "reports" / "history.db", "-f", "json"
    )
    assert len(json.loads(listed.stdout)) == 2


def test_what_could_not_be_read_reaches_the_scan_which_tells(
    server: FaultServer, commands: list[list[str]], tmp_path: Path
) -> None:
    server.faults = [Fault("forbidden", "networkpolicies.networking.k8s.io")]
    try:
        codes = Volumes(tmp_path, server.kubeconfig()).job(without_pdf(commands), START)
    finally:
        server.faults = []
    assert codes[:2] == [0, 0]
    assert codes[2] in (1, 3)
    results = json.loads((tmp_path / "reports" / "results.json").read_text())
    assert results["collection"]
    assert results["counts"]["cells"]["pass"] == 0


def test_an_api_server_that_is_down_leaves_the_last_reports_and_is_asked_again(
    commands: list[list[str]], tmp_path: Path
) -> None:
    with FaultServer(served(basics())) as gone:
        content = gone.kubeconfig(user={"token": "abc"}).read_text()
    (tmp_path / "kubeconfig").write_text(content)
    volumes = Volumes(tmp_path, tmp_path / "kubeconfig")
    (tmp_path / "reports" / "results.json").write_text("earlier")
    quick = [[word.replace("=900", "=2") for word in command] for command in commands]
    assert volumes.job(quick, START) == [4]
    assert volumes.files("reports") == {"results.json"}
