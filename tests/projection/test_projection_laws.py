"""Laws of the projection: doing it twice changes nothing, nor does what nobody reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.projection import ProjectionError, project
from audit.sources.kinds import kind_of
from audit.sources.unread import runs_pods
from tests.projection.projecting import KEYS, Json, mappings, read
from tests.samples.running import ROOT, SAMPLES

ITEMS = {
    kind.key: (kind, item)
    for sample in ("four-zones-faulty", "openshift-3-faulty", "enterprise", "dmz-cluster")
    for kind, item in read(ROOT / "sample_snapshots" / sample / "manifests")
    if kind.key in KEYS
}
"""One object of every kind of some samples."""


@pytest.mark.parametrize("sample", SAMPLES)
def test_projecting_twice_changes_nothing(sample: str) -> None:
    for kind, item in read(ROOT / "sample_snapshots" / sample / "manifests"):
        if kind.key in KEYS:
            kept = project(kind, item)
            assert project(kind, kept) == kept


_texts = st.text('abz0-_./:@ "\\é', max_size=8)
_junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(ITEMS)), _junk, st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_junk_in_any_mapping_changes_nothing_or_is_refused(key: str, junk: Any, random: Any) -> None:
    kind, item = ITEMS[key]
    value = json.loads(item)
    places = [place for place in mappings(value) if place is not value.get("status", {}).get("platformStatus")]
    random.choice(places)["xJunk"] = {"JUNK": junk, "list": [junk, "JUNK"]}
    try:
        kept = project(kind, json.dumps(value).encode())
    except ProjectionError:
        return
    assert b"JUNK" not in kept
    if kind.kind != "Template":  # nobody checks the objects of a template, so that labels which are none are dropped
        assert _without(json.loads(kept), "xJunk") == json.loads(project(kind, item))


@given(st.sampled_from(sorted(ITEMS)), _junk, st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_a_value_of_any_type_anywhere_is_kept_or_refused(key: str, junk: Any, random: Any) -> None:
    kind, item = ITEMS[key]
    value = json.loads(item)
    place = random.choice([one for one in mappings(value) if one])
    place[random.choice(sorted(place))] = junk
    try:
        kept = project(kind, json.dumps(value).encode())
    except ProjectionError:
        return
    assert project(kind, kept) == kept


@given(st.binary(max_size=40) | _junk.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=200, deadline=None)
def test_bytes_that_are_no_object_are_refused(item: bytes) -> None:
    with pytest.raises(ProjectionError):
        project(kind_of("v1", "Pod"), item)


def test_an_object_is_refused_however_deep_it_is_nested() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    for version, kind in (("v1", "Pod"), ("networking.k8s.io/v1", "NetworkPolicy"), ("v1", "PersistentVolume")):
        with pytest.raises(ProjectionError):
            project(kind_of(version, kind), b'{"metadata":{"name":"x","namespace":"y"},"spec":{"csi":%s}}' % deep)


def _without(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, name) for key, item in value.items() if key != name}
    return [_without(item, name) for item in value] if isinstance(value, list) else value


def test_what_asks_for_containers_still_does() -> None:
    spec = {"pattern": {"spec": {"containers": [{"image": "secret"}]}}}
    for version, name in (
        ("kyverno.io/v1", "ClusterPolicy"),
        ("example.org/v1", "Widget"),
        ("cilium.io/v2", "CiliumNetworkPolicy"),
    ):
        kind = kind_of(version, name)
        kept = project(kind, json.dumps({"metadata": {"name": "x", "namespace": "n"}, "spec": spec}).encode())
        assert runs_pods(kind.key, kind.group, json.dumps(json.loads(kept)["spec"], separators=(",", ":")).encode())
        assert b"secret" not in kept
        assert project(kind, kept) == kept


def test_an_environment_of_routers_is_read_again_in_pods_that_are_none() -> None:
    env = [{"name": "EGRESS_SOURCE", "value": "10.0.0.1"}, {"name": "APP_LABELS", "value": "x"}]
    pod: Json = {"metadata": {"name": "x", "namespace": "n"}, "spec": {"containers": [{"name": "c", "env": env}]}}
    kind = kind_of("v1", "Pod")
    plain = project(kind, json.dumps(pod).encode())
    assert b"EGRESS" not in plain
    pod["metadata"]["annotations"] = {"pod.network.openshift.io/assign-macvlan": "true"}
    assert b"10.0.0.1" in project(kind, json.dumps(pod).encode())


def test_settings_of_routers_are_found_however_their_names_are_spelt() -> None:
    env = b'[{"name":"\\u0052OUTE_LABELS","value":"a=b"},{"name":"PASSWORD","value":"hunter2"}]'
    pod = b'{"metadata":{"name":"x","namespace":"n"},"spec":{"containers":[{"name":"c","env":%s}]}}' % env
    kept = project(kind_of("v1", "Pod"), pod)
    assert json.loads(kept)["spec"]["containers"][0]["env"] == [{"name": "ROUTE_LABELS", "value": "a=b"}]
