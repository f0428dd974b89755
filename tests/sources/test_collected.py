"""A snapshot file is read as the cluster it came from, with all that its ledger lacks."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from audit.errors import AuditError, InputError
from audit.ledger import Cluster
from audit.snapshot import Gap, Snapshot
from audit.sources import locate, read
from audit.sources.archive import Draft
from tests.sources.snapshots import Object, evidence, line, manifest, pod, running

NAME = "cluster 93c62bd8"
FORMS = pytest.mark.parametrize("directory", [False, True], ids=["zip", "directory"])


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(found: Snapshot, kind: str = "Pod") -> list[str]:
    return [entry.name for entry in found.of(kind)]


@FORMS
def test_a_snapshot_is_live_and_has_its_manifest(*, directory: bool) -> None:
    path = running(Path("today"), {"Pod": [pod("b"), pod("a")]}, directory=directory)
    found = read([str(path)])
    assert found.live
    assert found.manifest is not None
    assert found.cluster == found.manifest.cluster.uid == "93c62bd8-ce64-47b0-a737-2236a9be1484"
    assert names(found) == ["a", "b"]
    assert (found.gaps, found.notes, found.named) == ((), (), (NAME,))


def test_reports_see_the_same_wherever_the_file_lies_and_whatever_its_form() -> None:
    paths = [running(Path(name), {"Pod": [pod("a")]}, directory=name == "c") for name in ("a.zip", "b", "c")]
    first, *others = (read([str(path)]) for path in paths)
    assert all(other == first for other in others)
    assert [(one.file, one.objects) for one in first.inputs] == [
        (f"{NAME}:manifest.json", 0),
        *((f"{NAME}:objects/{kind}.json", 1) for kind in ("Namespace", "Node", "Pod")),
    ]
    (entry,) = first.of("Pod")
    assert (entry.origin.file, entry.origin.line, entry.origin.place) == (f"{NAME}:objects/Pod.json", 0, "")
    assert str(locate(entry, ("spec",))) == f"{NAME}:objects/Pod.json"


def test_a_cluster_without_identity_has_a_name_all_the_same() -> None:
    path = running(Path("a.zip"), {"Pod": [pod("a")]}, cluster=Cluster())
    found = read([str(path)])
    assert (found.named, found.cluster) == (("cluster of unknown identity",), "")


def test_what_was_not_read_to_its_end_is_a_gap() -> None:
    ledger = (
        evidence("ReplicaSet", status="forbidden", reason="403"),
        evidence("Service", status="unavailable", reason="503"),
        evidence("Route.route.openshift.io", status="absent", version="", proof="no such group"),
        evidence("NetworkPolicy", status="partial", reason="403", namespaces=("shop",)),
    )
    path = running(Path("a.zip"), {"Pod": [pod("a")]}, *ledger)
    found = {(gap.kind, gap.reason) for gap in read([str(path)]).gaps}
    assert found == {("ReplicaSet", "forbidden"), ("Service", "unavailable"), ("NetworkPolicy", "partial")}


BROKEN: dict[str, Object] = {
    "a wrong type": {"metadata": {"name": "bad", "namespace": "shop", "labels": {"a": 1}}},
    "a wrong name": {"metadata": {"name": "Bad!", "namespace": "shop"}},
    "no name": {"metadata": {}},
    "another kind": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bad"}},
    "an unknown version": {"apiVersion": "v9", "kind": "Pod", "metadata": {"name": "bad"}},
    "an object of a tool": {"apiVersion": "kustomize.config.k8s.io/v1", "kind": "Kustomization"},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_an_object_that_does_not_decode_is_left_out_and_leaves_a_gap(broken: Object) -> None:
    path = running(Path("a.zip"), {"Pod": [pod("a"), broken, pod("b")]})
    found = read([str(path)])
    assert names(found) == ["a", "b"]
    (gap,) = found.gaps
    assert (gap.kind, gap.reason) == ("Pod", "invalid-object")
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f"`{NAME}:objects/Pod.json`: 1 object was left out: ")
    assert gap.text in found.notes[0]
    assert found.inputs[-1].objects == 2


def test_the_gap_of_an_object_names_it() -> None:
    path = running(Path("a.zip"), {"Pod": [BROKEN["a wrong type"], pod("a")]})
    text = "Pod `shop/bad`: `metadata.labels.a` must be a string, not a whole number"
    assert read([str(path)]).gaps == (Gap(kind="Pod", reason="invalid-object", scope="shop/bad", text=text),)


def test_broken_text_in_a_list_is_a_gap_too() -> None:
    with Draft(Path("a.zip")) as draft:
        draft.begin("Pod", "v1", "Pod")
        draft.add("Pod", [line(pod("a")), b'{"metadata":{"name":"b","name":"c","namespace":"shop"}}'])
        draft.finish(manifest(evidence(objects=2)))
    found = read(["a.zip"])
    assert names(found) == ["a"]
    assert [gap.text for gap in found.gaps if gap.reason == "invalid-object"] == ["duplicate key `name`"]


def test_one_object_that_is_told_twice_is_a_gap_where_the_two_differ() -> None:
    same, other = pod("a"), pod("a", spec={"nodeName": "n"})
    path = running(Path("a.zip"), {"Pod": [same, same, other]})
    found = read([str(path)])
    assert names(found) == ["a"]
    assert [(gap.reason, gap.scope) for gap in found.gaps] == [("invalid-object", "shop/a")]


def test_many_broken_objects_are_counted() -> None:
    path = running(Path("a.zip"), {"Pod": [pod("a"), *(pod(f"P{number}") for number in range(50))]})
    found = read([str(path)])
    assert Counter(gap.reason for gap in found.gaps) == {"invalid-object": 21}
    assert any(gap.text == "30 more objects do not decode" for gap in found.gaps)
    assert "50 objects were left out" in found.notes[0]


def test_a_snapshot_whose_members_lie_about_their_number_is_refused() -> None:
    with Draft(Path("a.zip")) as draft:
        draft.begin("Pod", "v1", "Pod")
        draft.add("Pod", [line(pod("a")) + b"," + line(pod("b"))])
        draft.finish(manifest(evidence(objects=1)))
    with pytest.raises(InputError, match=r"a\.zip: `objects/Pod\.json` holds 2 objects, `manifest\.json` says 1"):
        read(["a.zip"])


def test_manifests_lie_over_a_snapshot_and_a_snapshot_over_manifests() -> None:
    path = running(Path("a.zip"), {"Pod": [pod("a"), pod("b")]})
    Path("b.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: shop, labels: {of: file}}\n"
        "---\napiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: shop}\n"
    )
    over, under = read([str(path), "b.yaml"]), read(["b.yaml", str(path)])
    assert over.live
    assert under.live
    assert names(over) == names(under) == ["a", "b", "c"]
    assert [entry.origin.place for entry in over.of("Pod")] == ["", "b.yaml:1", "b.yaml:5"]
    assert [entry.origin.line for entry in under.of("Pod")] == [0, 0, 5]
    assert over.notes == ("`b.yaml` replaces 1 object of earlier sources",)
    assert under.notes == (f"`{NAME}` replaces 1 object of earlier sources",)
    assert over.named == (NAME, "b.yaml")


def test_two_clusters_are_not_one() -> None:
    paths = [str(running(Path(name), {"Pod": [pod("a")]})) for name in ("a.zip", "b.zip")]
    with pytest.raises(InputError, match=r"b\.zip` is a second snapshot of a cluster"):
        read(paths)


def test_an_empty_snapshot_proves_nothing() -> None:
    path = running(Path("a.zip"), {"Namespace": [], "Node": []})
    with pytest.raises(InputError, match="no Kubernetes object"):
        read([str(path)])


def test_what_runs_pods_in_a_cluster_has_them_there_but_what_is_laid_over_it_has_not() -> None:
    virtual = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": "v"}}
    template = {"metadata": {"name": "t", "namespace": "shop"}, "objects": [{"kind": "Pod"}]}
    with Draft(Path("a.zip")) as draft:
        draft.begin("Template.template.openshift.io", "template.openshift.io/v1", "Template")
        draft.add("Template.template.openshift.io", [line(template)])
        draft.finish(manifest(evidence("Template.template.openshift.io", objects=1)))
    Path("b.json").write_text(json.dumps(virtual))

    def unread(*sources: str) -> list[str]:
        return [gap.scope for gap in read(sources).gaps if "the pods of" in gap.text]

    assert unread("a.zip") == []
    assert unread("a.zip", "b.json") == ["VirtualMachineInstance default/v"]


@FORMS
def test_a_changed_snapshot_is_not_read_as_something_else(*, directory: bool) -> None:
    path = running(Path("a"), {"Pod": [pod("a")]}, directory=directory)
    place = path / "manifest.json" if directory else path
    data = place.read_bytes()
    place.write_bytes(data.replace(b"snapshot", b"snapshoT") if directory else b"pK" + data[2:])
    with pytest.raises(AuditError):
        read([str(path)])


def test_a_member_that_is_not_utf8_is_refused() -> None:
    with Draft(Path("a.zip")) as draft:
        draft.begin("Pod", "v1", "Pod")
        draft.add("Pod", [b'{"metadata":{"name":"\xff"}}'])
        draft.finish(manifest(evidence(objects=1)))
    with pytest.raises(InputError, match="the text is not UTF-8"):
        read(["a.zip"])


def test_a_snapshot_among_manifests_is_not_read_as_manifests() -> None:
    Path("manifests").mkdir()
    Path("manifests/a.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: of-file, namespace: shop}\n")
    running(Path("manifests/today"), {"Pod": [pod("of-cluster")]}, directory=True)
    found = read(["manifests"])
    assert names(found) == ["of-file"]
    assert {(gap.kind, gap.reason, gap.scope) for gap in found.gaps} == {
        (kind, "partial", "manifests/today") for kind in ("Namespace", "NetworkPolicy", "Pod")
    }
    both = read(["manifests", "manifests/today"])
    assert names(both) == ["of-cluster", "of-file"]
