"""What quotas forbid, against a slow evaluator that creates one claim after the other as the API text says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import inventory, sources, zones
from audit.controls.scene import Scene
from audit.controls.storage import Storage, storage
from audit.controls.storage_quotas import is_zero
from audit.model import Defaults, MatrixMetadata, Settings, Zone, ZoneMatrix

Object = dict[str, Any]
CLASSES = ("fast", "slow.disk", "")
"""The empty one stands for claims without a class."""
MATRIX = ZoneMatrix(
    metadata=MatrixMetadata(name="test"),
    settings=Settings(),
    defaults=Defaults(inter_zone="deny", intra_zone="allow", unzoned="fail", severity="high"),
    zones=(
        Zone(name="a", storage_classes=("fast",), requires=("storage-isolation",)),
        Zone(name="b", storage_classes=("slow.disk",), requires=("storage-isolation",)),
    ),
    flows=(),
)


def facts(objects: list[Object], folder: Path) -> Storage:
    """What the controls say of the objects."""
    file = folder / "cluster.json"
    file.write_bytes(msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": objects}))
    population = inventory.build(sources.read([str(file)]))
    zone_map = zones.assign(MATRIX, population.namespaces.values(), population.nodes.values())
    return storage(Scene(inventory=population, zone_map=zone_map, matrix=MATRIX))


# The slow evaluator: quantities as numbers, quotas one by one, a claim of the smallest size.

POWERS = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def number(quantity: object) -> Fraction:
    text = str(quantity)
    if match := re.fullmatch(r"(.*[0-9.])[eE]([+-]?[0-9]+)", text):
        return Fraction(f"{match[1]}e{match[2]}")
    if text.endswith("i"):
        return Fraction(text[:-2]) * int(1024 ** POWERS[text[-2].replace("K", "k")])
    suffix = text[-1] if text[-1].isalpha() else ""
    scaled: Fraction = Fraction(text.removesuffix(suffix) or "0") * Fraction(1000) ** POWERS[suffix]
    return scaled


def refuses(hard: dict[str, object], name: str) -> bool:
    """Whether a claim of a class is refused, however small it is: some limit leaves no room for it."""
    prefix = f"{name}.storageclass.storage.k8s.io/"
    charged = ["requests.storage", "persistentvolumeclaims", "count/persistentvolumeclaims"]
    charged += [f"{prefix}requests.storage", f"{prefix}persistentvolumeclaims"] if name else []
    return any(key in charged and number(limit) == 0 for key, limit in hard.items())


def fulfils(requirement: Object, labels: dict[str, str]) -> bool:
    has, value = requirement["key"] in labels, labels.get(requirement["key"])
    match requirement["operator"]:
        case "In":
            return value in requirement["values"]
        case "NotIn":
            return value not in requirement["values"]
        case "Exists":
            return has
    return not has


def selects(selector: Object, namespace: Object) -> bool:
    metadata = namespace["metadata"]
    labels, annotations = selector.get("labels") or {}, selector.get("annotations") or {}
    pairs, terms = labels.get("matchLabels", {}), labels.get("matchExpressions", [])
    if not (pairs or terms or annotations):
        return False
    if metadata["labels"].get("openshift.io/run-level") in ("0", "1") or metadata["name"] == "default":
        return False
    return (
        pairs.items() <= metadata["labels"].items()
        and all(fulfils(term, metadata["labels"]) for term in terms)
        and annotations.items() <= metadata["annotations"].items()
    )


def scoped(spec: Object) -> bool:
    return bool(spec.get("scopes") or (spec.get("scopeSelector") or {}).get("matchExpressions"))


def binding(objects: list[Object], namespace: Object) -> Iterator[Object]:
    """The specs of the quotas that count the claims of a namespace."""
    for one in objects:
        if one["kind"] == "ResourceQuota" and one["metadata"]["namespace"] == namespace["metadata"]["name"]:
            yield one["spec"]
        if one["kind"] == "ClusterResourceQuota" and selects(one["spec"]["selector"], namespace):
            yield one["spec"]["quota"]


def closed(objects: list[Object], namespace: Object, name: str) -> bool:
    return any(refuses(spec["hard"], name) for spec in binding(objects, namespace) if not scoped(spec))


quantities = st.sampled_from(
    [0, "0", "0Gi", "0.0", "0e3", "0E-2", ".0", "0m", 1, "5Gi", "1e3", "100m", "0.5", "+0", "10"]
)
keys = st.sampled_from([
    "pods", "requests.storage", "persistentvolumeclaims", "count/persistentvolumeclaims", "count/secrets",
    *(f"{name}.storageclass.storage.k8s.io/{what}" for name in ("fast", "slow.disk", "disk", "fas")
      for what in ("requests.storage", "persistentvolumeclaims")),
    "fast.storageclass.storage.k8s.io/limits.storage", "fast.storageclass.k8s.io/requests.storage",
])  # fmt: skip
scopes = st.sampled_from([
    *({} for _ in range(4)), {"scopes": ["NotBestEffort"]}, {"scopes": []},
    {"scopeSelector": {"matchExpressions": [{"scopeName": "VolumeAttributesClass", "operator": "Exists"}]}},
])  # fmt: skip
specs = st.builds(lambda hard, scope: {"hard": hard, **scope}, st.dictionaries(keys, quantities, max_size=3), scopes)
labels = st.fixed_dictionaries(
    {"network-zone": st.sampled_from(["a", "b"])},
    optional={"tier": st.sampled_from(["x", "y"]), "openshift.io/run-level": st.sampled_from(["0", "1", "9"])},
)
terms = st.one_of(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["tier", "network-zone"]),
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(st.sampled_from(["a", "b", "x", "y"]), min_size=1, max_size=2),
        }
    ),
    st.fixed_dictionaries({"key": st.just("tier"), "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
)
pairs = st.dictionaries(st.sampled_from(["network-zone", "tier"]), st.sampled_from(["a", "b", "x"]), max_size=1)
selectors = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.none()
        | st.fixed_dictionaries({"matchLabels": pairs, "matchExpressions": st.lists(terms, max_size=2)}),
        "annotations": st.none()
        | st.dictionaries(st.sampled_from(["team", "cost"]), st.sampled_from(["p", "q"]), max_size=2),
    },
)


@st.composite
def clusters(draw: st.DrawFn) -> list[Object]:
    names = ["default", "one", "two", "three"][: draw(st.integers(1, 4))]
    annotations = st.dictionaries(st.sampled_from(["team", "cost"]), st.sampled_from(["p", "q"]), max_size=2)
    made: list[Object] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": draw(labels), "annotations": draw(annotations)},
        }
        for name in names
    ]
    for index in range(draw(st.integers(0, 4))):
        metadata = {"name": f"q{index}", "namespace": draw(st.sampled_from(names))}
        made.append({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": draw(specs)})
    for index in range(draw(st.integers(0, 3))):
        version = draw(st.sampled_from(["v1", "quota.openshift.io/v1"]))
        spec = {"selector": draw(selectors), "quota": draw(specs)}
        made.append(
            {"apiVersion": version, "kind": "ClusterResourceQuota", "metadata": {"name": f"c{index}"}, "spec": spec}
        )
    return made


@settings(max_examples=400, derandomize=True, database=None, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(clusters())
def test_quotas_forbid_what_a_claim_by_claim_evaluation_refuses(tmp_path: Path, objects: list[Object]) -> None:
    found = facts(objects, tmp_path)
    spaces = [one for one in objects if one["kind"] == "Namespace"]
    for space in spaces:
        held = found.quotas.held(space["metadata"]["name"])
        assert {name: held.forbids(name) for name in CLASSES} == {
            name: closed(objects, space, name) for name in CLASSES
        }
    for zone in MATRIX.zones:
        opened = {
            (space, name)
            for one in found.open_to(zone, CLASSES[:2])
            for space in one.namespaces
            for name in one.classes
        }
        members = [one for one in spaces if one["metadata"]["labels"]["network-zone"] == zone.name]
        wanted = {
            (one["metadata"]["name"], name) for one in members for name in CLASSES[:2] if not closed(objects, one, name)
        }
        assert opened == wanted


NOTHING: tuple[object, ...] = (
    0, 0.0, "0", "00", "0Gi", "0Ki", "0m", "0n", "0.000", ".0", "0.", "0e5", "0E-5", "+0", "-0",
)  # fmt: skip
SOMETHING: tuple[object, ...] = (1, 0.5, "1", "1n", "10Gi", "0.1", "1e-9", "100", "1E3", "1E")
NO_QUANTITY: tuple[object, ...] = (None, True, "", "none", "0 Gi", "Gi", "0Gb", "0ki", "e3", [], "0x0")


@pytest.mark.parametrize(
    ("quantity", "zero"),
    [
        *((one, True) for one in NOTHING),
        *((one, False) for one in SOMETHING),
        *((one, None) for one in NO_QUANTITY),
    ],
)
def test_a_quantity_is_zero_in_every_form_of_the_api(quantity: object, zero: bool | None) -> None:  # noqa: FBT001
    assert is_zero(quantity) is zero


def test_namespaces_with_equal_quotas_share_one_value(tmp_path: Path) -> None:
    hard = {"slow.disk.storageclass.storage.k8s.io/requests.storage": "0"}
    names = [f"n{index}" for index in range(20)]
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"network-zone": "a"}}}
        for name in names
    ]
    each = [
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q", "namespace": name},
            "spec": {"hard": hard},
        }
        for name in names
    ]
    found = facts([*spaces, *each], tmp_path)
    assert len({id(found.quotas.held(name)) for name in names}) == 1


@pytest.mark.parametrize(
    ("annotations", "held"),
    [({"team": "p", "cost": "q"}, True), ({"team": "p", "cost": "p"}, False), ({"team": "p"}, False), ({}, False)],
)
def test_a_namespace_needs_every_annotation_of_a_selector(
    tmp_path: Path,
    annotations: dict[str, str],
    held: bool,  # noqa: FBT001
) -> None:
    metadata = {"name": "n", "labels": {"network-zone": "a"}, "annotations": annotations}
    spec = {"selector": {"annotations": {"team": "p", "cost": "q"}}, "quota": {"hard": {"requests.storage": "0"}}}
    wide = {
        "apiVersion": "quota.openshift.io/v1",
        "kind": "ClusterResourceQuota",
        "metadata": {"name": "q"},
        "spec": spec,
    }
    found = facts([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, wide], tmp_path)
    assert found.quotas.held("n").everything is held


def test_nobody_reads_cluster_quotas_on_kubernetes(tmp_path: Path) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "labels": {"network-zone": "a"}}}
    spec = {
        "selector": {"labels": {"matchLabels": {"network-zone": "a"}}},
        "quota": {"hard": {"requests.storage": "0"}},
    }
    wide = {
        "apiVersion": "quota.openshift.io/v1",
        "kind": "ClusterResourceQuota",
        "metadata": {"name": "q"},
        "spec": spec,
    }
    read = facts([space, wide], tmp_path)
    snapshot = read.scene.inventory.snapshot
    live = inventory.build(snapshot.__class__(entries=snapshot.entries, live=True))
    scene = Scene(inventory=live, zone_map=read.scene.zone_map, matrix=MATRIX)
    assert read.quotas.held("n").everything
    assert not storage(scene).quotas.held("n").everything
