"""A scan of a real server says what a scan of the manifests says, and never passes more for having read less."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.api_resources import RESOURCES
from audit.commands.live import Live
from audit.commands.scan import scan
from audit.commands.session import Session
from audit.errors import INCOMPLETE
from audit.report import Report
from audit.sources.kinds import kind_key
from tests.collection.certificates import Authority
from tests.collection.reading import KEYS
from tests.live import accounts, population, schemas
from tests.live.client import several
from tests.live.collecting import Collector, collector
from tests.live.serving import Server, running
from tests.live.test_sample_objects import objects, whole

Json = Any
SAMPLES = Path(__file__).parents[2] / "sample_snapshots"
CLEAN = SAMPLES / "four-zones"
ZONES = Path(__file__).with_name("zones.yaml")
PODS = int(os.environ.get("ZONE_AUDIT_PODS", "2000"))
"""Of the large cluster."""
FORMATS = ("json", "html", "txt")
CREATED = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


IDLE = {
    "Config.imageregistry.operator.openshift.io": "no rule reads it",
    "ConstraintTemplate.templates.gatekeeper.sh": "named as what may refuse pods, which weakens nothing",
    "Ingress.config.openshift.io": "no rule reads it",
    "Template.template.openshift.io": "makes projects, which nobody may request here",
    "VolumeSnapshotClass.snapshot.storage.k8s.io": "no rule reads it",
}
"""Kinds that decide nothing in the clean sample, and why."""


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own, at a time that is always the same."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(int(CREATED.timestamp())), "NO_COLOR": "1", "CI": ""}
    line = [sys.executable, "-m", "audit", *map(str, arguments)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def scanned(reader: Collector, zones: Path) -> Report:
    """The report on the live cluster, as the account sees it."""
    live, session = Live(kubeconfig=str(reader.kubeconfig)), Session(created=CREATED)
    return scan(("cluster",), str(zones), created=CREATED, read=functools.partial(live.read, session))


def passes(report: Report) -> set[str]:
    """Everything that the report says is in order."""
    cells = {f"{one.from_zone} to {one.to_zone}" for one in report.cells if one.verdict == "pass"}
    return cells | {one.id for one in report.rules if one.verdict == "pass"}


# A cluster that keeps its matrix -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The clean sample, in a server that serves every kind."""
    if not schemas.PUBLISHED.is_dir():
        pytest.skip("the published schemas (`shared/crds`) are not beside this repository")
    with running(tmp_path_factory.mktemp("clean")) as server:
        schemas.load(server.admin)
        population.create(server.admin, [whole(item) for item in objects(CLEAN)])
        yield server


@pytest.fixture(scope="module")
def full(clean: Server) -> Collector:
    return collector(clean, accounts.token(clean, "reader", accounts.reading()))


@pytest.fixture(scope="module")
def verdict(full: Collector) -> Report:
    return scanned(full, CLEAN / "zones.yaml")


def test_a_clean_sample_is_compliant_in_a_real_cluster_as_in_its_files(verdict: Report) -> None:
    files = scan((str(CLEAN / "manifests"),), str(CLEAN / "zones.yaml"), created=CREATED)
    assert [one.title for one in verdict.findings] == []
    assert verdict.exit_code == files.exit_code == 0
    assert [(c.from_zone, c.to_zone, c.verdict) for c in verdict.cells if c.verdict != "not-applicable"] == [
        (c.from_zone, c.to_zone, c.verdict) for c in files.cells if c.verdict != "not-applicable"
    ]
    assert passes(verdict) == passes(files)


@pytest.fixture(scope="module")
def without(clean: Server) -> dict[str, Collector]:
    """By kind, a reader who may list everything but that kind."""

    def made(key: str) -> Collector:
        rules = accounts.reading(without=[KEYS[key]])
        return collector(clean, accounts.token(clean, f"no-{key.lower()}", rules))

    return dict(zip(KEYS, several(made, KEYS), strict=True))


@pytest.mark.parametrize("key", KEYS)
def test_a_scan_without_one_kind_is_incomplete_and_passes_nothing_more(
    verdict: Report, without: dict[str, Collector], key: str
) -> None:
    report = scanned(without[key], CLEAN / "zones.yaml")
    assert report.collection
    assert {one.kind: one.status for one in report.collection.ledger}[key] == "forbidden"
    assert passes(report) <= passes(verdict)
    assert report.exit_code == (0 if key in IDLE else INCOMPLETE)


# Equal bytes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Both:
    """What one scan of a file and one of the cluster wrote."""

    folder: Path

    def outputs(self, name: str) -> dict[str, bytes]:
        return {path.suffix: path.read_bytes() for path in sorted(self.folder.glob(f"{name}.*"))}


@pytest.fixture(scope="module")
def large(server: Server) -> Collector:
    population.create(server.admin, list(population.pods(PODS)))
    return collector(server, accounts.token(server, "large", accounts.reading()))


@pytest.fixture(scope="module")
def both(large: Collector, tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("both")
    live = ("cluster", "--kubeconfig", large.kubeconfig)
    done = command("collect", *live, "-o", folder / "snapshot.zip")
    assert done.returncode == 0, done.stderr
    for name, source in {"file": (folder / "snapshot.zip",), "cluster": live}.items():
        outputs = [part for suffix in FORMATS for part in ("-o", folder / f"{name}.{suffix}")]
        done = command("scan", *source, "--zones", ZONES, *outputs)
        assert done.returncode in (0, 1, 3), done.stderr
    return Both(folder)


def test_a_scan_of_a_snapshot_gives_the_bytes_of_a_scan_of_its_cluster(both: Both) -> None:
    file, cluster = both.outputs("file"), both.outputs("cluster")
    assert len(file) == len(FORMATS)
    assert [suffix for suffix in file if file[suffix] != cluster[suffix]] == []


def test_the_report_holds_every_kind_of_the_cluster_at_one_time(both: Both) -> None:
    report = json.loads((both.folder / "cluster.json").read_bytes())
    ledger = report["collection"]["ledger"]
    assert {one["kind"] for one in ledger} == {kind_key(one.group, one.kind) for one in RESOURCES}
    assert {(one["status"], one["cut"]) for one in ledger} == {("complete", "exact")}
    assert min(one["objects"] for one in ledger) >= 1
    assert max(one["objects"] for one in ledger) >= PODS


def test_nothing_that_is_hidden_in_the_cluster_is_in_the_snapshot_or_a_report(both: Both) -> None:
    with zipfile.ZipFile(both.folder / "snapshot.zip") as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    texts |= {path.name: path.read_bytes() for path in both.folder.iterdir() if path.suffix != ".zip"}
    assert len(texts) > 100
    canaries = (b"c4n4ry", b"never-to-be-read", b"dropped on the way")
    assert [name for name, text in texts.items() if any(word in text for word in canaries)] == []


# How a cluster is reached --------------------------------------------------------------------------------------------


def test_a_client_certificate_reads_as_a_token_does(server: Server, large: Collector, tmp_path: Path) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "dora"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "large"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "dora"}],
    }
    population.create(server.admin, [binding])
    person = server.client(pair=server.authority.issue("dora"))
    accounts.settle(person, accounts.reading())
    kubeconfig = server.kubeconfig(tmp_path / "kubeconfig", pair=server.authority.issue("dora"))
    done = command("collect", "cluster:live", "--kubeconfig", kubeconfig, "-o", tmp_path / "snapshot.zip")
    assert done.returncode == 0, done.stderr
    assert large.kubeconfig != kubeconfig


def test_an_account_that_may_read_nothing_writes_what_it_lacks(server: Server, tmp_path: Path) -> None:
    kubeconfig = server.kubeconfig(tmp_path / "kubeconfig", accounts.token(server, "lacking"))
    done = command("collect", "--kubeconfig", kubeconfig, "-o", tmp_path / "snapshot.zip")
    assert done.returncode == INCOMPLETE
    role = yaml.safe_load(done.stdout)
    asked = {(group, name) for rule in role["rules"] for group in rule["apiGroups"] for name in rule["resources"]}
    assert {(one.group, one.name) for one in RESOURCES} <= asked
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list"}


@pytest.mark.parametrize("token", ["wrong", ""])
def test_nobody_gets_a_snapshot(server: Server, tmp_path: Path, token: str) -> None:
    kubeconfig = server.kubeconfig(tmp_path / "kubeconfig", token)
    done = command("collect", "--kubeconfig", kubeconfig, "-o", tmp_path / "snapshot.zip")
    assert done.returncode not in (0, INCOMPLETE), done.stdout
    assert not (tmp_path / "snapshot.zip").exists()
    assert "Traceback" not in done.stderr


def test_a_server_that_nobody_vouches_for_is_not_read(server: Server, large: Collector, tmp_path: Path) -> None:
    content = json.loads(large.kubeconfig.read_text())
    content["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(Authority().pem).decode()
    (tmp_path / "kubeconfig").write_text(json.dumps(content))
    done = command("collect", "--kubeconfig", tmp_path / "kubeconfig", "-o", tmp_path / "snapshot.zip")
    assert done.returncode not in (0, INCOMPLETE)
    assert not (tmp_path / "snapshot.zip").exists()
    assert server.admin_token not in done.stderr
