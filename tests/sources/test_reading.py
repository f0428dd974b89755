from __future__ import annotations

import gc
import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.errors import InputError
from audit.raw_body import RawBody
from audit.snapshot import Snapshot
from audit.sources import read
from audit.workloads import PodBody, WorkloadBody


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pod(name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}} | fields


def policy(name: str, group: str = "networking.k8s.io/v1", /, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": group, "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec}


def names(snapshot: Snapshot, kind: str = "Pod") -> list[str]:
    return [entry.name for entry in snapshot.of(kind)]


def write(file: str, *objects: object) -> str:
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(item) for item in objects) + "\n")
    return file


YAML = """\
# two documents
apiVersion: v1
kind: Pod
metadata:
  name: b
  labels: {app: web}
--- # a comment
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: a, namespace: shop}

- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {podSelector: {}}}
"""


def test_documents_and_lists_of_a_yaml_file_keep_their_lines() -> None:
    Path("a.yaml").write_text(YAML)
    snapshot = read(["a.yaml"])
    assert [(e.namespace, e.name, str(e.origin.line)) for e in snapshot.of("Pod")] == [
        ("default", "b", "2"),
        ("shop", "a", "11"),
    ]
    assert [(e.origin.line, bytes(e.body.spec)) for e in snapshot.of("NetworkPolicy")] == [(15, b'{"podSelector":{}}')]
    assert snapshot.live is False


def test_every_input_is_listed_with_hash_size_and_objects() -> None:
    Path("a.yaml").write_text(YAML)
    (file,) = read(["a.yaml"]).inputs
    digest = hashlib.sha256(YAML.encode()).hexdigest()
    assert (file.file, file.sha256, file.size, file.objects) == ("a.yaml", digest, len(YAML), 3)


@pytest.mark.parametrize("separator", ["\n", "", "\n\n  "])
def test_json_values_may_follow_one_another(separator: str) -> None:
    text = separator.join(json.dumps(pod(name), indent=1 if separator == "" else None) for name in "abc")
    Path("a.json").write_text(text)
    assert names(read(["a.json"])) == ["a", "b", "c"]


def test_lines_of_json_values_are_counted() -> None:
    write("a.json", pod("a"), {"apiVersion": "v1", "kind": "List", "items": [pod("b"), pod("c")]}, pod("d"))
    Path("b.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod("e"), pod("f")]}, indent=1))
    lines = [(e.name, e.origin.line) for e in read(["a.json", "b.json"]).of("Pod")]
    assert lines == [("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", 5), ("f", 12)]


def test_items_of_a_typed_list_inherit_version_and_kind() -> None:
    items = [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]
    write("a.json", {"kind": "NetworkPolicyList", "apiVersion": "networking.k8s.io/v1", "items": items})
    Path("b.yaml").write_text("kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: c}\n")
    snapshot = read(["a.json", "b.yaml"])
    assert [(e.group, e.version, e.name) for e in snapshot.of("NetworkPolicy")] == [
        ("networking.k8s.io", "v1", "a"),
        ("networking.k8s.io", "v1", "b"),
    ]
    assert names(snapshot) == ["c"]


def test_an_empty_list_beside_objects_is_noted() -> None:
    write("a.json", {"kind": "NetworkPolicyList", "apiVersion": "networking.k8s.io/v1", "items": None})
    write("b.yaml", {"kind": "List", "apiVersion": "v1", "items": []}, pod("a"))
    Path("c.yaml").write_text("---\nkind: List\napiVersion: v1\nitems:\n")
    snapshot = read(["a.json", "b.yaml", "c.yaml"])
    assert names(snapshot) == ["a"]
    assert snapshot.notes == (
        "`a.json` line 1 is an empty `NetworkPolicyList`",
        "`b.yaml` line 1 is an empty `List`",
        "`c.yaml` line 2 is an empty `List`",
    )


@pytest.mark.parametrize("text", [json.dumps(pod("a")), "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"])
def test_standard_input_is_told_apart_by_looking(text: str) -> None:
    snapshot = read(["-"], stdin=io.BytesIO(text.encode()))
    assert [(e.name, e.origin.file) for e in snapshot.of("Pod")] == [("a", "-")]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    Path("a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(pod("a")).encode())
    Path("b.yaml").write_bytes(b"\xef\xbb\xbfapiVersion: v1\nkind: Pod\nmetadata: {name: b}\n")
    assert names(read(["a.json", "b.yaml"])) == ["a", "b"]


def test_a_directory_is_read_whole_sorted_and_without_hidden_files() -> None:
    for file in ("d/b.yaml", "d/a/z.yml", "d/a.JSON", "d/.git/x.yaml", "d/.hidden.yaml", "d/readme.md", "d/c/d/e.json"):
        write(file, pod(Path(file).stem.lower()))
    snapshot = read(["d"])
    assert [file.file for file in snapshot.inputs] == ["d/a/z.yml", "d/a.JSON", "d/b.yaml", "d/c/d/e.json"]
    assert names(snapshot) == ["a", "b", "e", "z"]


def test_files_of_a_directory_that_are_no_manifests_are_noted() -> None:
    write("d/a.yaml", pod("a"))
    Path("d/values.yaml").write_text("replicas: 3\n")
    Path("d/empty.yaml").write_text("")
    Path("d/kustomization.yaml").write_text("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n")
    Path("d/flows.json").write_text('[{"src": "a", "dst": "b"}]')
    Path("d/playbook.yml").write_text("- hosts: all\n")
    snapshot = read(["d"])
    assert [note.split(" was skipped")[0] for note in snapshot.notes] == [
        "`d/flows.json` line 1",
        "`d/kustomization.yaml` line 1",
        "`d/playbook.yml` line 1",
        "`d/values.yaml` line 1",
    ]
    assert names(snapshot) == ["a"]


def test_a_list_of_manifests_in_a_directory_is_an_error() -> None:
    write("d/a.yaml", pod("a"))
    for file, text in (("d/b.json", json.dumps([pod("b")])), ("d/c.yaml", "- apiVersion: v1\n  kind: Pod\n")):
        Path(file).write_text(text)
        with pytest.raises(InputError, match=f"^{file}:1:1: a Kubernetes object is a mapping, this"):
            read(["d"])
        Path(file).unlink()


def test_a_link_to_a_directory_is_noted_and_not_followed() -> None:
    write("d/a.yaml", pod("a"))
    Path("d/loop").symlink_to("..")
    found = read(["d"]).gaps
    assert [(gap.kind, gap.reason, gap.scope) for gap in found] == [
        (kind, "partial", "d/loop") for kind in ("Namespace", "NetworkPolicy", "Pod")
    ]
    assert {gap.text for gap in found} == {
        "`d/loop` was skipped: a symbolic link to a directory; give the directory as a SOURCE as well"
    }


def test_the_names_and_order_of_files_do_not_change_what_is_read() -> None:
    objects = [pod("a"), policy("p", podSelector={}), pod("b"), pod("a")]
    for index, item in enumerate(objects):
        write(f"d/{index}.json", item)
        write(f"e/{9 - index}.json", item)
    first, second = read(["d"]), read(["e"])
    bare = [[(e.namespace, e.name, e.body) for kind in s.entries.values() for e in kind] for s in (first, second)]
    assert bare[0] == bare[1]
    assert list(first.entries) == list(second.entries) == ["NetworkPolicy", "Pod"]


def test_reading_twice_gives_equal_snapshots() -> None:
    Path("a.yaml").write_text(YAML)
    assert read(["a.yaml"]) == read(["a.yaml"])


def test_a_later_source_replaces_objects_of_earlier_ones() -> None:
    write("a.json", pod("a", spec={"nodeName": "old"}), pod("b"), policy("p", "extensions/v1beta1", podSelector={}))
    write("b.json", pod("a", spec={"nodeName": "new"}), policy("p", podSelector={"matchLabels": {"a": "b"}}))
    snapshot = read(["a.json", "b.json"])
    assert [(e.name, e.origin.source) for e in snapshot.of("Pod")] == [("a", 1), ("b", 0)]
    assert snapshot.of("Pod")[0].body.spec.nodeName == "new"
    assert [e.group for e in snapshot.of("NetworkPolicy")] == ["networking.k8s.io"]
    assert snapshot.notes == ("`b.json` replaces 2 objects of earlier sources",)


def test_the_same_object_twice_in_one_source_is_kept_once() -> None:
    twin = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
    spec: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress"]}
    write("d/a.json", twin, policy("p", **spec))
    write("d/b.json", twin | {"apiVersion": "extensions/v1beta1"}, policy("p", **dict(reversed(spec.items()))))
    snapshot = read(["d"])
    assert [e.origin.file for e in snapshot.of("Deployment")] == ["d/a.json"]
    assert [e.origin.file for e in snapshot.of("NetworkPolicy")] == ["d/a.json"]


def test_extensions_and_networking_are_two_doors_to_one_policy() -> None:
    write("a.json", policy("p", podSelector={}), policy("p", "extensions/v1beta1", podSelector={}, ingress=[{}]))
    with pytest.raises(InputError, match=r"conflicting duplicates: NetworkPolicy `default/p` is also at `a\.json:1`"):
        read(["a.json"])


def test_kinds_of_other_engines_keep_their_group_in_the_key() -> None:
    write(
        "a.json",
        policy("c", "crd.projectcalico.org/v1", order=5),
        policy("a", "crd.antrea.io/v1beta1"),
        {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "x"}, "spec": {"a": 1}},
        {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": {"name": "x"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}},
        {"apiVersion": "what.example/v1", "kind": "Ever", "metadata": {"name": "x"}},
    )
    snapshot = read(["a.json"])
    assert {key: entries[0].namespace for key, entries in snapshot.entries.items()} == {
        "NetworkPolicy.crd.projectcalico.org": "default",
        "NetworkPolicy.crd.antrea.io": "default",
        "CiliumNetworkPolicy.cilium.io": "default",
        "AdminNetworkPolicy.policy.networking.k8s.io": "",
        "Secret": "default",
        "Ever.what.example": "",
    }
    assert all(isinstance(entries[0].body, RawBody) for entries in snapshot.entries.values())
    assert bytes(snapshot.of("CiliumNetworkPolicy.cilium.io")[0].body.spec) == b'{"a":1}'


def test_cluster_scoped_objects_have_no_namespace_whatever_they_say() -> None:
    write("a.json", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "namespace": "b"}})
    assert [e.namespace for e in read(["a.json"]).of("Namespace")] == [""]


def test_data_of_secrets_and_last_applied_copies_are_never_kept() -> None:
    marker = "c2VjcmV0LW1hcmtlcg"
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": marker, "team": "a"}
    for kind in ("Secret", "ConfigMap"):
        document = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "annotations": annotations}}
        write(f"{kind}.json", document | {"data": {"x": marker}, "stringData": {"x": marker}, "spec": {"x": marker}})
    snapshot = read(["Secret.json", "ConfigMap.json"])
    assert marker.encode() not in msgspec.json.encode([list(kind) for kind in snapshot.entries.values()])
    assert snapshot.of("Secret")[0].body.metadata.annotations == {"team": "a"}


def test_a_missing_or_null_spec_is_empty() -> None:
    write("a.json", policy("a") | {"spec": None}, {k: v for k, v in policy("b").items() if k != "spec"})
    assert [bytes(e.body.spec) for e in read(["a.json"]).of("NetworkPolicy")] == [b"", b""]


def test_null_members_are_as_good_as_absent() -> None:
    metadata = {"name": "a", "namespace": None, "labels": None, "generateName": None}
    containers = [{"name": None, "ports": [{"containerPort": 80, "hostPort": None}]}]
    write("a.json", pod("a", metadata=metadata, spec={"containers": containers}, status=None))
    (entry,) = read(["a.json"]).of("Pod")
    assert (entry.namespace, entry.body.metadata.labels) == ("default", None)
    assert entry.body.spec.containers[0].ports[0].containerPort == 80


def test_a_whole_number_may_be_written_as_a_fraction() -> None:
    Path("a.json").write_text(json.dumps(pod("a", spec={"containers": [{"ports": [{"containerPort": 80.0}]}]})))
    (entry,) = read(["a.json"]).of("Pod")
    assert entry.body.spec.containers[0].ports[0].containerPort == 80


def test_an_object_that_the_server_names_goes_by_its_prefix() -> None:
    write("a.json", pod("", metadata={"generateName": "job-"}))
    assert names(read(["a.json"])) == ["job-"]


def test_equal_labels_and_specs_are_one_value() -> None:
    owners = [{"kind": "ReplicaSet", "name": "r", "controller": True}]
    write(
        "a.json",
        *(pod(name, metadata={"name": name, "labels": {"app": "x"}, "ownerReferences": owners}) for name in "ab"),
        *(policy(name, podSelector={}) for name in "pq"),
    )
    snapshot = read(["a.json"])
    first, second = (entry.body.metadata for entry in snapshot.of("Pod"))
    assert first.labels is second.labels
    assert first.ownerReferences is second.ownerReferences
    assert snapshot.of("NetworkPolicy")[0].body.spec is snapshot.of("NetworkPolicy")[1].body.spec


def test_of_many_pods_what_places_them_is_one_value_and_what_repeats_or_stays_inside_is_dropped() -> None:
    spec = {
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "zone", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
        "volumes": [{"name": "token", "projected": {"sources": []}}],
    }
    status = {"conditions": [{"type": "Ready", "status": "True"}], "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}
    both = {"podIP": "10.0.0.2", "podIPs": [{"ip": "10.0.0.2"}, {"ip": "fd00::2"}]}
    metadata = [{"name": name, "generateName": "p-", "namespace": "n"} for name in "abc"]
    write("a.json", *(pod("", metadata=one, spec=spec, status=status) for one in metadata[:2]))
    write("b.json", pod("", metadata=metadata[2], spec=spec, status=both))
    first, second, third = (entry.body for entry in read(["a.json", "b.json"]).of("Pod"))
    for field in ("nodeSelector", "tolerations", "affinity"):
        assert getattr(first.spec, field) is getattr(second.spec, field) is not None
    assert first.status.conditions is second.status.conditions is not None
    assert first.metadata.namespace is second.metadata.namespace
    assert (first.spec.volumes, first.status.podIPs, first.metadata.generateName) == (None, None, "")
    assert [one.ip for one in third.status.podIPs] == ["10.0.0.2", "fd00::2"]


def test_bodies_are_of_the_struct_for_their_kind() -> None:
    write(
        "a.json",
        pod("a"),
        {"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig", "metadata": {"name": "a"}},
    )
    snapshot = read(["a.json"])
    assert isinstance(snapshot.of("Pod")[0].body, PodBody)
    assert isinstance(snapshot.of("DeploymentConfig")[0].body, WorkloadBody)


def test_progress_names_what_is_large() -> None:
    write("a.json", *(pod(f"p{index}", note="x" * 1000) for index in range(1200)))
    said: list[str] = []
    read(["a.json"], progress=said.append)
    assert said == ["reading a.json (1 MB)"]


def test_the_collector_is_on_again_after_success_and_failure() -> None:
    gc.enable()  # an earlier test in this process may have run a whole scan, which leaves it off
    write("a.json", pod("a"))
    for source in ("a.json", "missing.json"):
        try:
            read([source])
        except InputError:
            assert source == "missing.json"
        assert gc.isenabled()


def test_the_pure_parser_reads_the_same_where_the_c_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.yaml").write_text(YAML)
    expected = read(["a.yaml"])
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    assert read(["a.yaml"]) == expected


def test_a_copy_of_a_directory_reads_the_same_but_for_its_name() -> None:
    Path("d").mkdir()
    Path("d/a.yaml").write_text(YAML)
    shutil.copytree("d", "e")
    assert [file.sha256 for file in read(["d"]).inputs] == [file.sha256 for file in read(["e"]).inputs]


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("apps/v1beta2", "Deployment"),
        ("extensions/v1beta1", "Ingress"),
        ("networking.k8s.io/v1beta1", "Ingress"),
        ("batch/v1beta1", "CronJob"),
        ("networking.k8s.io/v9", "Unheard"),
        ("example.org/v7", "Pods"),
        ("v1", "Endpoints"),
        ("cilium.io/v3", "CiliumNetworkPolicy"),
    ],
)
def test_versions_that_were_and_kinds_that_nobody_knows_are_read(version: str, kind: str) -> None:
    write("a.json", {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}})
    assert sum(map(len, read(["a.json"]).entries.values())) == 1


def test_a_policy_that_names_no_namespace_is_noted() -> None:
    write("d/a.yaml", policy("p", podSelector={}), pod("a"))
    Path("d/b.yaml").write_text(
        "\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: q}\nspec: {podSelector: {}}\n"
    )
    found = read(["d"])
    assert {(one.namespace, one.name) for one in found.of("NetworkPolicy")} >= {("default", "q")}
    assert "`d/b.yaml:2`: NetworkPolicy `q` names no namespace, it is taken for one of `default`" in found.notes
    assert read(["d/b.yaml"]).notes == ()


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_of_a_templates_variables_only_those_of_routers_are_kept(tmp_path: Path, kind: str) -> None:
    secret = ("PASSWORD", "STATS_PASSWORD", "ROUTER_METRICS_PASSWORD", "EGRESS_TOKEN")
    env = [*({"name": name, "value": "hunter2"} for name in secret), {"name": "ROUTE_LABELS", "value": "type=external"}]
    containers = [{"name": "c", "args": ["hunter2"], "env": env}]
    spec: dict[str, Any] = {"template": {"spec": {"containers": containers, "initContainers": containers}}}
    version, spec = ("batch/v1", {"jobTemplate": {"spec": spec}}) if kind == "CronJob" else ("apps/v1", spec)
    value = {"apiVersion": version, "kind": kind, "metadata": {"name": "web", "namespace": "app"}, "spec": spec}
    (tmp_path / "web.json").write_text(json.dumps(value))
    (found,) = read([str(tmp_path)]).of(kind)
    assert "hunter2" not in repr(found.body)
    assert repr(found.body).count("type=external") == 2


@pytest.mark.parametrize("name", ["NAMESPACE_LABELS", "ROUTE_LABELS", "ROUTER_SERVICE_NAME"])
def test_of_a_pods_variables_only_those_of_routers_are_kept(tmp_path: Path, name: str) -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {name: r, namespace: app}
spec:
  containers:
  - {name: c, args: [hunter2], env: [{name: PASSWORD, value: hunter2}, {name: NAME, value: type=external}]}
  initContainers:
  - {name: i, env: [{name: TOKEN, value: hunter2}]}
"""
    (tmp_path / "r.yaml").write_text(text.replace("NAME,", f"{name},"))
    (found,) = read([str(tmp_path)]).of("Pod")
    assert "hunter2" not in repr(found.body)
    assert [(one.name, one.value) for one in found.body.spec.containers[0].env] == [(name, "type=external")]


def test_items_are_read_although_their_text_stands_elsewhere_in_the_list_too() -> None:
    items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("one", "two", "three")]
    decoy = {"items": [items[0], "and no other"]}
    write("a.json", {"apiVersion": "v1", "kind": "List", "metadata": decoy, "items": items})
    assert [one.name for one in read(["a.json"]).of("Namespace")] == ["one", "three", "two"]
    text = Path("a.json").read_text().rstrip().removesuffix("}")
    Path("a.json").write_text(text + ', "kind": "List"}')
    with pytest.raises(InputError, match="duplicate key `kind`"):
        read(["a.json"])
