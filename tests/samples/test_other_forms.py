"""A cluster has the same findings as manifests, as a snapshot file and as the trees of support tools."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from audit.api_resources import RESOURCES
from audit.commands.scan import scan
from audit.errors import InputError
from audit.exports import results_v1
from audit.profile import Plugin
from audit.report import FindingRecord, Report
from audit.sources import read
from audit.sources.kinds import kind_key
from tests.samples.gathered import dumped, inspect, must_gather
from tests.samples.running import ROOT
from tests.sources.snapshots import UID, loaded, of_manifests

pytestmark = pytest.mark.xdist_group("samples")
SAMPLES = ROOT / "sample_snapshots"
NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
CANARY = "canary-of-a-secret"


def report(sample: str, *sources: str | Path) -> Report:
    """The scan; a sample of plain Kubernetes does not show its network plug-in, which a live cluster should."""
    given = tuple(map(str, sources)) or (str(SAMPLES / sample / "manifests"),)
    plugin: Plugin | None = "calico" if sample.startswith("two-zones") else None
    return scan(given, str(SAMPLES / sample / "zones.yaml"), created=NOW, plugin=plugin)


@cache
def as_manifests(sample: str) -> Report:
    return report(sample)


def identity(one: FindingRecord) -> tuple[object, ...]:
    return one.rule, one.verdict, one.severity, one.from_zone, one.to_zone, one.subjects, json.dumps(one.ports)


def failing(found: Report) -> Counter[tuple[object, ...]]:
    return Counter(identity(one) for one in found.findings if one.verdict == "fail")


def cells(found: Report) -> dict[str, str]:
    return {f"{one.from_zone}->{one.to_zone}": one.verdict for one in found.cells}


def verdicts(found: Report) -> dict[str, str]:
    """Of rules and cells."""
    return {one.id: str(one.verdict) for one in found.rules} | cells(found)


# Snapshot files


@pytest.mark.parametrize("sample", ["two-zones-faulty", "openshift-3-faulty", "dmz-cluster-faulty"])
def test_a_snapshot_has_the_findings_of_the_manifests_of_the_same_objects(sample: str, tmp_path: Path) -> None:
    live = report(sample, of_manifests(SAMPLES / sample / "manifests", tmp_path / "a.zip"))
    files = as_manifests(sample)
    # Among manifests a zone without members may live elsewhere, and a control without objects may not matter.
    known = {"ZON003", *(one.id for one in files.rules if one.verdict in ("not-applicable", "not-evaluated"))}
    wanted, found = ({one for one in failing(each) if one[0] not in known} for each in (files, live))
    assert found == wanted
    assert cells(live) == cells(files)
    assert live.scope.live
    assert live.collection is not None
    assert not {one.fingerprint for one in live.findings} & {one.fingerprint for one in files.findings}


def test_reports_of_a_snapshot_are_equal_bytes_wherever_it_lies(tmp_path: Path) -> None:
    folder = SAMPLES / "two-zones-faulty" / "manifests"
    first = of_manifests(folder, tmp_path / "first.zip")
    (tmp_path / "elsewhere").mkdir()
    others = [
        shutil.copy(first, tmp_path / "elsewhere" / "other.txt"),
        of_manifests(folder, tmp_path / "c", directory=True),
    ]
    wanted = results_v1.render(report("two-zones-faulty", first))
    assert all(results_v1.render(report("two-zones-faulty", one)) == wanted for one in others)
    assert str(tmp_path).encode() not in wanted
    assert b"first.zip" not in wanted


def test_findings_of_a_live_cluster_name_no_file(tmp_path: Path) -> None:
    path = of_manifests(SAMPLES / "two-zones-faulty" / "manifests", tmp_path / "a.zip")
    found = report("two-zones-faulty", path)
    steps = [step for one in found.findings for step in one.path]
    assert any(step.object for step in steps)
    assert {(step.file, step.line) for step in steps} == {("", 0)}
    assert found.scope.source == f"cluster {UID[:8]}"
    labels = [one.file for one in found.inputs if one.role == "source"]
    assert labels[0] == f"cluster {UID[:8]}:manifest.json"
    assert set(labels[1:]) == {f"cluster {UID[:8]}:objects/{kind_key(one.group, one.kind)}.json" for one in RESOURCES}
    assert found.collection is not None
    assert (found.collection.cluster.uid, found.collection.missing_access) == (UID, "")


# Trees of support tools


@pytest.mark.parametrize("sample", ["two-zones-faulty", "dmz-cluster-faulty"])
def test_a_tree_with_a_list_of_every_kind_gives_the_verdicts_of_the_manifests(sample: str, tmp_path: Path) -> None:
    objects = loaded(SAMPLES / sample / "manifests")
    tree = must_gather(objects, tmp_path / "must-gather.local.1", everything=True)
    found, wanted = report(sample, tree), as_manifests(sample)
    assert found.scope.namespaces == wanted.scope.namespaces
    assert read([str(tree)]).gaps == read([str(SAMPLES / sample / "manifests")]).gaps
    assert verdicts(found) == verdicts(wanted)
    assert Counter(map(identity, found.findings)) == Counter(map(identity, wanted.findings))


@pytest.mark.parametrize("sample", ["two-zones", "two-zones-faulty", "dmz-cluster"])
def test_what_must_gather_cannot_show_never_passes(sample: str, tmp_path: Path) -> None:
    tree = must_gather(loaded(SAMPLES / sample / "manifests"), tmp_path / "must-gather.local.1", everything=False)
    found, wanted = report(sample, tree), as_manifests(sample)
    assert failing(found) == failing(wanted)
    assert {one.verdict for one in found.cells} <= {"fail", "not-evaluated", "not-applicable"}
    for name, verdict in verdicts(found).items():
        assert verdict in (verdicts(wanted)[name], "not-evaluated")
    assert found.verdict != "compliant"
    statuses = {one.kind: one for one in found.completeness}
    assert statuses["NetworkPolicy"].status == statuses["Namespace"].status == "partial"
    assert "there may be more" in statuses["NetworkPolicy"].note
    assert "there may be namespaces that were not gathered" in statuses["Pod"].note


def test_secrets_logs_and_settings_are_not_read(tmp_path: Path) -> None:
    objects = loaded(SAMPLES / "two-zones" / "manifests")
    tree = must_gather(objects, tmp_path / "must-gather.local.1", everything=True)
    found = read([str(tree)])
    assert CANARY not in repr(found)
    assert {"Secret", "ConfigMap", "Event"} & set(found.entries) == set()
    canaries = [path for path in tree.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert len(canaries) > 10
    assert not {str(path) for path in canaries} & {one.file for one in found.inputs}


def test_the_tree_of_inspect_is_read_alone_and_in_its_parent(tmp_path: Path) -> None:
    objects = loaded(SAMPLES / "two-zones" / "manifests")
    tree = inspect(objects, tmp_path / "all" / "inspect.local.1", everything=True)
    assert {key: len(found) for key, found in read([str(tree)]).entries.items()} == {
        key: len(found) for key, found in read([str(tree.parent)]).entries.items()
    }


def test_an_object_in_a_list_and_in_a_file_is_one_unless_they_differ(tmp_path: Path) -> None:
    objects = loaded(SAMPLES / "two-zones" / "manifests")
    tree = inspect(objects, tmp_path / "inspect.local.1", everything=True)
    pods = read([str(tree)]).of("Pod")
    assert len(pods) == len({(one.namespace, one.name) for one in pods}) > 1
    assert all(one.origin.file.endswith("/core/pods.yaml") for one in pods)
    place = next(tree.glob("namespaces/*/pods/*/*.yaml"))
    place.write_text(place.read_text().replace("  labels:\n", "  labels:\n    moved: there\n", 1))
    (gap,) = read([str(tree)]).gaps
    assert (gap.kind, gap.reason, gap.text) == ("Pod", "partial", "gathered twice, with other content")


def test_lists_prove_what_they_cover_and_no_more(tmp_path: Path) -> None:
    tree = inspect(loaded(SAMPLES / "two-zones" / "manifests"), tmp_path / "tree", everything=True)
    names = sorted(path.name for path in (tree / "namespaces").iterdir())

    def pod_gaps() -> list[str]:
        return [gap.text for gap in read([str(tree)]).gaps if gap.kind == "Pod"]

    def pods_of(name: str) -> Path:
        return tree / "namespaces" / name / "core" / "pods.yaml"

    whole = pods_of(names[0]).read_text()
    lost = f"not gathered as a whole in 1 of {len(names)} namespaces: {names[0]}"
    for text in (
        "---\n",
        whole.replace("metadata:\n  resourceVersion", "metadata:\n  continue: abc\n  resourceVersion"),
    ):
        pods_of(names[0]).write_text(text)
        assert pod_gaps() == [lost]
    pods_of(names[0]).write_text(whole[: whole.index("kind: PodList")])
    assert len(pod_gaps()) == 2
    shutil.rmtree(tree / "namespaces" / names[0])
    assert pod_gaps() == [lost]
    (tree / "cluster-scoped-resources" / "core" / "namespaces.yaml").unlink()
    assert pod_gaps() == ["there may be namespaces that were not gathered"]


@pytest.mark.parametrize("text", ["a: [", "\xff\xfe", "apiVersion: v1\nkind: Pod\n"])
def test_a_file_that_cannot_be_read_leaves_a_gap(tmp_path: Path, text: str) -> None:
    tree = inspect(loaded(SAMPLES / "two-zones" / "manifests"), tmp_path / "tree", everything=True)
    place = next(tree.glob("namespaces/*/apps/deployments.yaml"))
    place.write_text(text, "latin-1")
    found = read([str(tree)])
    assert {gap.kind for gap in found.gaps} == {"Deployment"}
    assert any(str(place) in note for note in found.notes)


def test_a_link_in_a_tree_is_not_followed(tmp_path: Path) -> None:
    tree = inspect(loaded(SAMPLES / "two-zones" / "manifests"), tmp_path / "tree", everything=True)
    place = next(tree.glob("namespaces/*/core/services.yaml"))
    place.rename(tmp_path / "elsewhere.yaml")
    place.symlink_to(tmp_path / "elsewhere.yaml")
    assert any(gap.kind == "Service" and "a symbolic link" in gap.text for gap in read([str(tree)]).gaps)


def test_a_repository_that_only_looks_alike_is_read_as_manifests(tmp_path: Path) -> None:
    for place in ("namespaces/shop/core/pod.yaml", "cluster-scoped-resources/core/node.yaml"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(f"apiVersion: v1\nkind: {Path(place).stem.title()}\nmetadata: {{name: a}}\n")
    found = read([str(tmp_path)])
    assert set(found.entries) == {"Node", "Pod"}
    assert found.gaps == ()


def test_a_dump_of_cluster_info_shows_pods_and_no_policies(tmp_path: Path) -> None:
    tree = dumped(loaded(SAMPLES / "two-zones-faulty" / "manifests"), tmp_path / "dump")
    found, wanted = read([str(tree)]), read([str(SAMPLES / "two-zones-faulty" / "manifests")])
    for kind in ("Pod", "Service", "Node"):
        assert [(one.namespace, one.name) for one in found.of(kind)] == [
            (one.namespace, one.name) for one in wanted.of(kind)
        ]
    texts = {gap.kind: gap.text for gap in found.gaps}
    assert (texts["NetworkPolicy"], texts["Namespace"]) == ("not gathered", "not gathered")
    assert "Node" not in texts
    assert {one.verdict for one in report("two-zones-faulty", tree).cells} <= {
        "fail",
        "not-evaluated",
        "not-applicable",
    }


def test_a_tree_among_manifests_is_not_read_as_manifests(tmp_path: Path) -> None:
    inspect(loaded(SAMPLES / "two-zones" / "manifests"), tmp_path / "deep" / "tree", everything=True)
    (tmp_path / "node.yaml").write_text("apiVersion: v1\nkind: Node\nmetadata: {name: one-more}\n")
    found = read([str(tmp_path)])
    assert list(found.entries) == ["Node"]
    assert {gap.scope for gap in found.gaps} == {str(tmp_path / "deep" / "tree")}


def test_manifests_lie_over_a_tree(tmp_path: Path) -> None:
    tree = inspect(loaded(SAMPLES / "two-zones" / "manifests"), tmp_path / "tree", everything=True)
    (tmp_path / "more.yaml").write_text("apiVersion: v1\nkind: Node\nmetadata: {name: one-more}\n")
    found = read([str(tree), str(tmp_path / "more.yaml")])
    assert "one-more" in [one.name for one in found.of("Node")]


def test_a_tree_without_any_object_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "namespaces" / "shop" / "core").mkdir(parents=True)
    with pytest.raises(InputError, match="no Kubernetes object"):
        read([str(tmp_path)])
