"""A directory whose kustomization changes objects is incomplete evidence, and so is an object cut short."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.errors import InputError
from audit.sources import read

HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d/base").mkdir(parents=True)
    Path("d/base/pod.yaml").write_text(POD)


def gaps(text: str, name: str = "kustomization.yaml") -> list[str]:
    """Texts of the gaps that a kustomization in a directory leaves, once for all kinds."""
    Path("d", name).write_text(text)
    found = read(["d"]).gaps
    assert [gap.kind for gap in found] == sorted(["Namespace", "NetworkPolicy", "Pod"] * (len(found) // 3))
    assert all((gap.reason, gap.scope) == ("partial", f"d/{name}") for gap in found)
    return sorted({gap.text for gap in found})


@pytest.mark.parametrize(
    "field",
    [
        "namespace: prod",
        "namePrefix: a-",
        "patches: [{path: p.yaml}]",
        "patchesStrategicMerge: [p.yaml]",
        "components: [../c]",
        "commonLabels: {a: b}",
        "labels: [{pairs: {a: b}}]",
        "helmCharts: [{name: x}]",
        "somethingNew: {a: b}",
    ],
)
def test_what_changes_objects_is_a_gap(field: str) -> None:
    (text,) = gaps(HEAD + field)
    assert text == (
        f"`d/kustomization.yaml` line 1 changes objects by `{field.partition(':')[0]}`; "
        "render it: `kubectl kustomize d | zone-audit scan - ...`"
    )


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_version_and_kind_may_be_left_out(name: str) -> None:
    assert len(gaps("namespace: prod\n", name)) == 1


def test_what_only_lists_files_that_were_read_is_none() -> None:
    assert gaps(HEAD + "resources: [base, ./base/pod.yaml]\nimages: [{name: x}]\nnamespace: ''\n") == []


@pytest.mark.parametrize("resource", ["https://example.org/x.yaml", "../other", "gone.yaml", "github.com/x/y?ref=1"])
def test_what_builds_on_something_else_is_a_gap(resource: str) -> None:
    Path("other").mkdir()
    Path("other/pod.yaml").write_text(POD)
    (text,) = gaps(HEAD + f"resources: [base, '{resource}']")
    assert f"builds on `{resource}`, which was not read" in text


def test_a_base_that_another_source_holds_was_read() -> None:
    Path("other").mkdir()
    Path("other/pod.yaml").write_text(POD)
    Path("d/kustomization.yaml").write_text(HEAD + "resources: [base, ../other]")
    assert read(["d", "other"]).gaps == ()


@pytest.mark.parametrize(
    "text",
    ["metadata: {name: a}\nspec: {podSelector: {}}\n", "spec: {podSelector: {}}\n", "metadata: {}\nspec: {a: 1}\n"],
)
def test_an_object_cut_short_is_an_error(text: str) -> None:
    Path("d/cut.yaml").write_text("# comment\n" + text)
    with pytest.raises(InputError, match=r"d/cut\.yaml:2:1: this looks like a Kubernetes object, but it has neither"):
        read(["d"])


@pytest.mark.parametrize("text", ["image: x\nspec: {a: 1}\n", "metadata: {name: a}\n", "services: {a: {}}\n"])
def test_a_file_of_another_tool_is_a_note(text: str) -> None:
    Path("d/values.yaml").write_text(text)
    found = read(["d"])
    assert found.gaps == ()
    assert len(found.notes) == 1
