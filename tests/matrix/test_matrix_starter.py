"""`init` gives a zones.yaml that loads and puts every labelled namespace into its zone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matrix_strategies import NASTY

from audit import matrix
from audit.model import Namespace, Node, ZoneMatrix
from audit.zones import assign


def namespace(name: str, labels: dict[str, str]) -> Namespace:
    return Namespace(name=name, labels=labels, annotations={}, known=True)


def started(folder: Path, spaces: list[Namespace], nodes: list[Node] | None = None) -> ZoneMatrix:
    path = folder / "zones.yaml"
    path.write_text(matrix.starter(spaces, nodes or []), encoding="utf-8")
    return matrix.load(path)


def test_zones_come_from_the_label_that_carries_them(tmp_path: Path) -> None:
    spaces = [
        namespace("web", {"network-zone": "dmz", "team": "a"}),
        namespace("shop", {"network-zone": "internal", "team": "b"}),
        namespace("pg", {"network-zone": "internal", "team": "c"}),
        namespace("openshift-dns", {}),
    ]
    one = started(tmp_path, spaces, [Node(name="n", labels={"network-zone": "dmz"}, addresses=())])
    assert [(zone.name, zone.kind) for zone in one.zones] == [
        ("dmz", "cluster"),
        ("internal", "cluster"),
        ("platform", "platform"),
        ("internet", "internet"),
    ]
    assert one.settings.zone_labels == one.settings.node_labels == ("network-zone",)
    assert (one.defaults.inter_zone, one.flows) == ("deny", ())
    found = assign(one, spaces, []).namespaces
    assert {name: found[name].zone for name in found} == {
        "web": "dmz", "shop": "internal", "pg": "internal", "openshift-dns": "platform",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        ([{"example.org/network-zone": "a", "tier": "x"}, {"tier": "y"}], "example.org/network-zone"),
        ([{"tier": "x", "zone": "a"}, {"tier": "y"}], "zone"),
        ([{"topology.kubernetes.io/zone": "eu-1", "tier": "x"}], "tier"),
        (
            [
                {"layer": "1", "app": "a"},
                {"layer": "1", "app": "b"},
                {"layer": "2", "app": "c"},
                {"layer": "2", "app": "d"},
            ],
            "layer",
        ),
    ],
)
def test_the_likeliest_key_is_chosen(labels: list[dict[str, str]], key: str, tmp_path: Path) -> None:
    spaces = [namespace(f"n{number}", each) for number, each in enumerate(labels)]
    assert started(tmp_path, spaces).settings.zone_labels == (key,)


def test_labels_of_the_platform_alone_make_no_zones(tmp_path: Path) -> None:
    one = started(tmp_path, [namespace("kube-system", {"zone": "x"}), namespace("app", {"owner": "me"})])
    assert [zone.name for zone in one.zones] == ["platform", "internet"]


def test_an_empty_cluster_still_gets_a_file_that_loads(tmp_path: Path) -> None:
    assert [zone.name for zone in started(tmp_path, []).zones] == ["internet"]


def test_unlabelled_applications_are_named_in_a_comment() -> None:
    text = matrix.starter([namespace("a", {"zone": "x"}), namespace("legacy", {})], [])
    assert "# application namespaces without a zone label (1): legacy" in text


VALUES = st.one_of(
    st.sampled_from(
        ["dmz", "DMZ", "internet", "platform", "platform-2", "no", "1", "1.0", "a_b", "X.y", "null", *NASTY]
    ),
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True),
    st.text(max_size=8),
)
KEYS = st.one_of(
    st.sampled_from(["network-zone", "zone", "example.org/tier", "\n- name: evil", "a b"]), st.text(max_size=5)
)
NAMES = st.one_of(st.sampled_from(["default", "openshift-x", "kube-y", "x\n- name: evil"]), st.text(max_size=8))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.dictionaries(KEYS, VALUES, max_size=3), max_size=6))
def test_whatever_the_labels_the_file_loads_and_places_every_labelled_namespace(
    tmp_path: Path, cluster: dict[str, dict[str, str]]
) -> None:
    spaces = [namespace(name, labels) for name, labels in cluster.items()]
    one = started(tmp_path, spaces)
    assert "evil" not in {zone.name for zone in one.zones}
    (key,) = one.settings.zone_labels
    names = {zone.name for zone in one.zones if zone.kind == "cluster"}  # others take no labels
    for name, found in assign(one, spaces, []).namespaces.items():
        value = cluster[name].get(key, "")
        if value.lower() in names and value.isascii():
            assert found.zone == value.lower()
