"""What `verify` finds out beyond the bytes: results that do not follow, chains, and what could not be looked at."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.evidence.bundle import Part, composed, opened
from audit.exports import results_v1
from tests.bundles.conftest import LATER, Zone
from tests.samples.running import SAMPLES, Sample
from tests.sources.snapshots import of_manifests

Make = Callable[..., Path]


def again(file: Path, **changed: bytes) -> Path:
    """The bundle with members of these roles replaced and every digest made to fit."""
    held = opened(file)
    parts = [
        Part(one.name, one.role, changed.get(one.role, b"") or held.contents[one.name]) for one in held.manifest.members
    ]
    if "results" in changed:
        from audit import baseline
        from audit.commands.scan import rendered
        from audit.errors import Position

        report = baseline.decoded(changed["results"], Position(""))
        forms = {"report.html": "html", "report.pdf": "pdf", "results.sarif": "sarif"}
        declared = {"zones": held.of("zones") or b""}
        parts = [
            Part(one.name, one.role, rendered(forms[one.name], report, declared)) if one.name in forms else one
            for one in parts
        ]
        manifest = msgspec.structs.replace(
            held.manifest, verdict=report.verdict, exit_code=report.exit_code, inputs=report.inputs
        )
    else:
        manifest = held.manifest
    file.write_bytes(composed(manifest, parts))
    return file


def test_an_untouched_bundle_verifies_without_a_network_or_its_inputs(
    make: Make, zone: Zone, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make()
    (place / "zones.yaml").unlink()
    (place / "today.zip").unlink()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("verify opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    done = zone("verify", file, "-f", "json")
    assert done.code == 0, done.out
    assert done.checks == {
        "form": "passed", "tree": "passed", "records": "passed", "chain": "none", "signature": "none",
        "time-stamp": "none", "analysis": "passed", "reports": "passed",
    }  # fmt: skip


def test_results_that_do_not_follow_are_found_though_every_digest_fits(make: Make, zone: Zone) -> None:
    file = make()
    results = opened(file).of("results") or b""
    told = json.loads(results)
    assert told["findings"]
    from audit.baseline import decoded
    from audit.errors import Position

    report = decoded(results, Position(""))
    forged = msgspec.structs.replace(report, findings=report.findings[1:])
    done = zone("verify", again(file, results=results_v1.render(forged)), "-f", "json")
    assert (done.code, done.checks["analysis"], done.checks["form"]) == (1, "failed", "passed")


def test_another_snapshot_is_found_though_every_digest_fits(make: Make, zone: Zone, place: Path) -> None:
    file = make()
    policies = place / "manifests" / "policies.yaml"
    policies.write_text(policies.read_text().split("---")[0])
    other = of_manifests(place / "manifests", place / "other.zip").read_bytes()
    done = zone("verify", again(file, snapshot=other), "-f", "json")
    assert (done.code, done.checks["analysis"], done.checks["tree"]) == (1, "failed", "passed")


def test_another_matrix_and_another_report_are_found_though_every_digest_fits(make: Make, zone: Zone) -> None:
    file = make()
    whole = file.read_bytes()
    zones = (opened(file).of("zones") or b"").replace(b"tcp/8443", b"any")
    done = zone("verify", again(file, zones=zones), "-f", "json")
    assert (done.code, done.checks["records"]) == (1, "failed")
    file.write_bytes(whole)
    held = opened(file)
    parts = [Part(one.name, one.role, held.contents[one.name]) for one in held.manifest.members]
    parts[1] = Part("report.html", "report", parts[1].content.replace(b"Not compliant", b"Compliant"))
    file.write_bytes(composed(held.manifest, parts))
    done = zone("verify", file, "-f", "json")
    assert (done.code, done.checks["analysis"], done.checks["reports"]) == (1, "passed", "failed")


def test_a_manifest_that_says_other_than_the_results_is_found(make: Make, zone: Zone) -> None:
    file = make()
    held = opened(file)
    parts = [Part(one.name, one.role, held.contents[one.name]) for one in held.manifest.members]
    for change in ({"verdict": "compliant"}, {"exit_code": 0}, {"cluster": None}, {"created": "2026-11-24T00:00:00Z"}):
        file.write_bytes(composed(msgspec.structs.replace(held.manifest, **change), parts))
        done = zone("verify", file, "-f", "json")
        assert (done.code, done.checks["records"]) == (1, "failed")


def test_another_version_is_told_apart_from_a_forgery(make: Make, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make()
    monkeypatch.setattr("audit.assemble.__version__", "9.9.9")
    done = zone("verify", file, "-f", "json")
    assert done.code == 3
    assert done.checks["analysis"] == "unchecked"
    assert "field by field they differ in `tool`" in done.out


def test_manifests_are_asked_for_and_may_lie_anywhere(zone: Zone, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    for source, name in (("manifests", "a.zip"), ("manifests/", "b.zip"), ("./manifests", "c.zip")):
        done = zone("scan", source, "--zones", "zones.yaml", "-f", "bundle", "-o", name)
        assert done.code == 1, done.err
    (place / "elsewhere").mkdir()
    (place / "manifests").rename(place / "elsewhere" / "kept")
    monkeypatch.chdir("/")
    for name in ("a.zip", "b.zip", "c.zip"):
        assert zone("verify", place / name).code == 3
        done = zone("verify", place / name, place / "elsewhere" / "kept")
        assert done.code == 0, done.out
    kept = place / "elsewhere" / "kept" / "pods.yaml"
    kept.write_text(kept.read_text().replace("proxy", "other"))
    done = zone("verify", place / "a.zip", place / "elsewhere" / "kept")
    assert done.code == 1
    assert "`manifests/pods.yaml` is not what was scanned" in done.out
    assert zone("verify", place / "a.zip", kept, kept).code == 2


def test_the_current_directory_and_overlays_go_by_their_names(
    zone: Zone, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "more.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: extra}\n")
    monkeypatch.chdir(place / "manifests")
    words = ("scan", "../today.zip", ".", "../more.yaml", "--zones", "../zones.yaml", "-f", "bundle", "-o", "../e.zip")
    assert zone(*words).code == 1
    monkeypatch.chdir(place)
    done = zone("verify", "e.zip", "manifests", "more.yaml")
    assert done.code == 0, done.out


def test_exceptions_and_a_baseline_are_run_again_and_a_history_is_left_aside(
    make: Make, zone: Zone, place: Path
) -> None:
    (place / "exceptions.yaml").write_text("apiVersion: zone-audit/v1\nkind: Exceptions\nexceptions: []\n")
    results = place / "old.json"
    assert zone("scan", place / "today.zip", "--zones", place / "zones.yaml", "-o", results).code == 1
    more = ("--exceptions", place / "exceptions.yaml", "--baseline", results, "--fail-on-new")
    file = make("e.zip", *more)
    assert {one.role for one in opened(file).manifest.members} >= {"exceptions", "baseline"}
    assert zone("verify", file).code == 0
    kept = make("h.zip", "--history", place / "history.db")
    done = zone("verify", make("h.zip", "--history", place / "history.db"))
    assert done.code == 0, done.out
    assert "left aside" in done.out
    assert str(place / "history.db") not in opened(kept).text.decode()


def test_a_chain_holds_link_by_link(make: Make, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monday, other = make("monday.zip"), make("other.zip", "--fail-on", "high")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", LATER)
    tuesday = make("tuesday.zip", "--previous", monday)
    assert opened(tuesday).manifest.previous == opened(monday).sha256
    assert zone("verify", tuesday, "-f", "json").checks["chain"] == "unchecked"
    assert zone("verify", tuesday, "--previous", monday).code == 0
    for wrong in (other, tuesday):
        assert zone("verify", tuesday, "--previous", wrong, "-f", "json").checks["chain"] == "failed"
    assert zone("verify", monday, "--previous", other, "-f", "json").checks["chain"] == "failed"


def test_only_the_run_before_can_be_the_one_before(make: Make, zone: Zone, place: Path) -> None:
    of_files = make("files.zip", source="manifests")
    words = ("scan", place / "today.zip", "--zones", place / "zones.yaml", "--previous")
    assert "another cluster" in zone(*words, of_files, "-f", "bundle", "-o", place / "x.zip").err
    assert "none is made" in zone(*words, of_files).err
    assert not (place / "x.zip").exists()


def test_what_is_no_evidence_is_said(zone: Zone, place: Path, make: Make) -> None:
    assert zone("verify", place / "nothing.zip").code == 2
    assert zone("verify", place).code == 2
    done = zone("verify", place / "today.zip")
    assert done.code == 1
    assert "no evidence bundle" in done.out
    assert zone("verify", place / "zones.yaml").code == 1
    assert "says nothing about a bundle" in zone("verify", make(), "--root", "00").err


@pytest.mark.parametrize("name", SAMPLES)
def test_the_evidence_of_every_sample_verifies(name: str, zone: Zone, tmp_path: Path) -> None:
    sample = Sample(name)
    assert zone("scan", *sample.sources, "-f", "bundle", "-o", tmp_path / "e.zip", "--exit-zero").code == 0
    manifests = [word for word in sample.sources if "manifests" in word]
    done = zone("verify", tmp_path / "e.zip", *manifests)
    assert done.code == 0, done.out


def test_another_hash_seed_time_zone_and_place_change_nothing(place: Path, tmp_path: Path) -> None:
    def run(*words: str, cwd: Path, **more: str) -> Any:
        line = [sys.executable, "-m", "audit", *words]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **more}
        return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    words = ("scan", "today.zip", "--zones", "zones.yaml", "-f", "bundle", "-o", "e.zip", "--exit-zero")
    done = run(*words, cwd=place, PYTHONHASHSEED="1", TZ="UTC")
    assert done.returncode == 0, done.stderr
    done = run("verify", str(place / "e.zip"), cwd=tmp_path, PYTHONHASHSEED="2", TZ="Asia/Kathmandu")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_live_cluster_is_kept_as_it_was_read(
    make: Make, zone: Zone, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.commands.live import Live
    from audit.sources.archive import Draft
    from audit.sources.archive import opened as snapshot

    def collect(_: Live, __: object, ___: str, draft: Draft) -> Any:
        with snapshot(place / "today.zip") as found:
            for member, content in found.members():
                held = json.loads(content)
                draft.begin(member.kind, held["apiVersion"], held["kind"].removesuffix("List"))
                draft.add(member.kind, [msgspec.json.encode(one) for one in held["items"]])
            return found.manifest

    monkeypatch.setattr(Live, "collect", collect)
    done = zone("scan", "cluster", "--zones", place / "zones.yaml", "-f", "bundle", "-o", place / "live.zip")
    assert done.code == 1, done.err
    live, filed = opened(place / "live.zip"), opened(make())
    assert live.manifest.parameters.sources == filed.manifest.parameters.sources
    assert live.of("results") == filed.of("results")
    assert live.of("snapshot")
    assert zone("verify", place / "live.zip").code == 0
