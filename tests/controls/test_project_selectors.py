"""What a namespace makes of its pods: grammar, precedence, plug-ins, and what an API server's pod keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from audit import inventory, sources, zones
from audit.controls.api_server import plugin_enabled
from audit.controls.project_selectors import DEFAULTS, PROJECT, UPSTREAM, WHITELIST, admitted, parse
from audit.controls.scene import Scene
from audit.model import Defaults, MatrixMetadata, Settings, ZoneMatrix
from audit.workloads import ServerPodBody, Toleration

MATRIX = ZoneMatrix(
    metadata=MatrixMetadata(name="test"),
    settings=Settings(),
    defaults=Defaults(inter_zone="deny", intra_zone="allow", unzoned="fail", severity="high"),
    zones=(),
    flows=(),
)


def scene(folder: Path, *objects: dict[str, Any]) -> Scene:
    (folder / "cluster.yaml").write_text(yaml.safe_dump_all(objects))
    population = inventory.build(sources.read([str(folder / "cluster.yaml")]))
    zone_map = zones.assign(MATRIX, population.namespaces.values(), population.nodes.values())
    return Scene(inventory=population, zone_map=zone_map, matrix=MATRIX)


def namespace(**annotations: str) -> dict[str, Any]:
    named = {"PROJECT": PROJECT, "UPSTREAM": UPSTREAM, "WHITELIST": WHITELIST, "DEFAULTS": DEFAULTS}
    given = {named[key]: value for key, value in annotations.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app", "annotations": given}}


def scheduler(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "config.openshift.io/v1", "kind": "Scheduler", "metadata": {"name": "cluster"}, "spec": spec}


def server(*words: str, name: str = "m1", args: tuple[str, ...] = ()) -> dict[str, Any]:
    container = {"name": "s", "command": ["kube-apiserver", *words], "args": list(args)}
    metadata = {"name": f"kube-apiserver-{name}", "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", ()),
        ("  ", ()),
        ("zone=a", (("zone", "a"),)),
        ("zone=", (("zone", ""),)),
        (" zone = a , disk=ssd ", (("disk", "ssd"), ("zone", "a"))),
        ("example.org/zone=a", (("example.org/zone", "a"),)),
        ("zone=a,zone=b", (("zone", "b"),)),
    ],
)
def test_a_project_selector_is_a_list_of_exact_labels(text: str, labels: Any) -> None:
    found = parse(text)
    assert (found.labels, found.error) == (labels, "")
    assert found.repeated == (("zone",) if text == "zone=a,zone=b" else ())


@pytest.mark.parametrize("text", ["zone", "!zone", "zone!=a", "zone==a", "zone in (a,b)", "zone=a,", "=a", "zone=a b"])
def test_no_other_grammar_is_a_project_selector(text: str) -> None:
    found = parse(text)
    assert (found.labels, bool(found.error)) == ((), True)


@pytest.mark.parametrize(
    ("one", "labels", "source"),
    [
        (namespace(), (("role", "worker"),), "defaultNodeSelector of Scheduler cluster"),
        (namespace(PROJECT=""), (), f"annotation {PROJECT}"),
        (namespace(PROJECT="zone=a"), (("zone", "a"),), f"annotation {PROJECT}"),
        (namespace(PROJECT="zone=a", UPSTREAM="zone=b"), (("zone", "b"),), f"annotation {UPSTREAM}"),
        (namespace(PROJECT="zone=a", UPSTREAM=""), (), f"annotation {UPSTREAM}"),
    ],
)
def test_the_first_of_three_mechanisms_counts_on_openshift(
    tmp_path: Path, one: dict[str, Any], labels: Any, source: str
) -> None:
    found = admitted(scene(tmp_path, scheduler(defaultNodeSelector="role=worker"), one))["app"]
    assert (found.certain.selector, found.source, found.doubts, found.blind) == (labels, source, (), ())


def test_a_namespace_that_was_not_read_is_not_known(tmp_path: Path) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "lost"}, "spec": {}}
    assert admitted(scene(tmp_path, scheduler(), pod))["lost"].blind


@pytest.mark.parametrize(
    ("text", "tolerations"),
    [
        ('[{"key":"zone","operator":"Exists"}]', (Toleration(key="zone", operator="Exists"),)),
        ("[]", (Toleration(operator="Exists"),)),
        ("broken", (Toleration(operator="Exists"),)),
        ("{}", (Toleration(operator="Exists"),)),
    ],
)
def test_only_a_whitelist_with_entries_limits_tolerations(tmp_path: Path, text: str, tolerations: Any) -> None:
    found = admitted(scene(tmp_path, scheduler(), namespace(WHITELIST=text)))["app"]
    assert found.certain.tolerations == tolerations


def test_a_whitelist_is_only_possible_where_its_plug_in_is_not_known_to_be_on(tmp_path: Path) -> None:
    found = admitted(scene(tmp_path, namespace(WHITELIST='[{"key":"zone","operator":"Exists"}]')))["app"]
    assert found.certain.tolerations == (Toleration(operator="Exists"),)
    assert found.possible.tolerations == (Toleration(key="zone", operator="Exists"),)
    assert found.doubts


@pytest.mark.parametrize(
    ("pods", "on"),
    [
        ((), None),
        ((server(),), False),
        ((server("--enable-admission-plugins=NodeRestriction,PodNodeSelector"),), True),
        ((server("--enable-admission-plugins", "PodNodeSelector"),), True),
        ((server(args=("--enable-admission-plugins=PodNodeSelector",)),), True),
        ((server("--admission-control=NamespaceLifecycle,PodNodeSelector"),), True),
        ((server("--enable-admission-plugins=PodNodeSelectors"),), False),
        ((server("--enable-admission-plugins=PodNodeSelector", "--disable-admission-plugins=PodNodeSelector"),), False),
        ((server("--enable-admission-plugins=PodNodeSelector"), server(name="m2")), None),
    ],
)
def test_a_plug_in_is_on_if_every_api_server_says_so(tmp_path: Path, pods: Any, on: bool | None) -> None:  # noqa: FBT001
    assert plugin_enabled(scene(tmp_path, namespace(), *pods), "PodNodeSelector") is on


def test_a_file_of_settings_may_hide_a_default(tmp_path: Path) -> None:
    flags = ("--enable-admission-plugins=PodNodeSelector", "--admission-control-config-file=/etc/admission.yaml")
    assert admitted(scene(tmp_path, namespace(), server(*flags)))["app"].blind
    assert not admitted(scene(tmp_path, namespace(), server(flags[0])))["app"].blind


def test_of_an_api_server_only_the_flags_of_admission_are_kept(tmp_path: Path) -> None:
    words = ("--etcd-password=secret", "--token", "secret", "--enable-admission-plugins", "PodNodeSelector", "--secret")
    given = scene(tmp_path, server(*words, args=("secret", "--admission-control-config-file=/etc/a.yaml")))
    body = next(iter(given.of("Pod"))).body
    assert isinstance(body, ServerPodBody)
    assert body.spec is not None
    (container,) = body.spec.containers or ()
    assert container.command == ["--enable-admission-plugins", "PodNodeSelector"]
    assert container.args == ["--admission-control-config-file=/etc/a.yaml"]
