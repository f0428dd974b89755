"""Laws that hold for every input."""

from __future__ import annotations

import io
import json
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit.errors import AuditError
from audit.snapshot import Snapshot
from audit.sources import read

_names = st.from_regex(r"[a-z]([a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
_texts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts
)
_values = st.recursive(_scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3))
_labels = st.dictionaries(_names, _names | st.sampled_from(["y", "no", "22.22", "1.20", "0x1F", "1e3", ""]), max_size=3)
_ports = st.fixed_dictionaries({"containerPort": st.integers(1, 65535)}, optional={"name": _names})


def _object(version: str, kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    metadata = st.fixed_dictionaries({"name": _names}, optional={"namespace": _names, "labels": _labels})
    return st.fixed_dictionaries(
        {"apiVersion": st.just(version), "kind": st.just(kind), "metadata": metadata, **fields},
        optional={"extra": _values},
    )


_container = st.fixed_dictionaries({"name": _names, "ports": st.lists(_ports, max_size=2)})
_pods = _object("v1", "Pod", spec=st.fixed_dictionaries({"containers": st.lists(_container, max_size=2)}))
_policies = _object("networking.k8s.io/v1", "NetworkPolicy", spec=st.dictionaries(_names, _values, max_size=3))
_objects = st.lists(_pods | _policies, min_size=1, max_size=4, unique_by=lambda o: (o["kind"], o["metadata"]["name"]))


def outcome(content: bytes) -> Snapshot | str:
    try:
        return read(["-"], stdin=io.BytesIO(content))
    except AuditError as error:
        return str(error)


def bare(snapshot: Snapshot | str) -> object:
    assert isinstance(snapshot, Snapshot), snapshot
    return [(e.group, e.kind, e.namespace, e.name, spec(e.body)) for kind in snapshot.entries.values() for e in kind]


def spec(body: Any) -> object:
    return (body.metadata, json.loads(bytes(body.spec))) if hasattr(body.spec, "copy") else body


@given(_objects)
@settings(max_examples=200, deadline=None)
def test_yaml_and_json_of_the_same_objects_read_the_same(objects: list[dict[str, Any]]) -> None:
    as_json = "\n".join(json.dumps(item) for item in objects)
    as_list = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=2)
    as_yaml = yaml.safe_dump_all(objects, default_style='"', allow_unicode=True) if _quotable(objects) else None
    flow = "---\n" + "\n---\n".join(json.dumps(item, ensure_ascii=False) for item in objects)
    expected = bare(outcome(as_json.encode()))
    assert bare(outcome(as_list.encode())) == expected
    if as_yaml is not None:
        assert bare(outcome(as_yaml.encode())) == expected
    assert bare(outcome(flow.encode())) == expected


def _quotable(value: object) -> bool:
    """Whether PyYAML, made to quote everything, tags what is no string in a way that kubectl reads alike."""
    if isinstance(value, dict):
        return all(map(_quotable, value.values()))
    if isinstance(value, list):
        return all(map(_quotable, value))
    return not isinstance(value, float)


@given(_objects, st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_objects_changes_nothing(objects: list[dict[str, Any]], random: Any) -> None:
    shuffled = list(objects)
    random.shuffle(shuffled)
    first, second = (outcome("\n".join(map(json.dumps, some)).encode()) for some in (objects, shuffled))
    assert bare(first) == bare(second)


@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b'{"kind":"List","items":[{},{}]}')
@example(b'{"kind":"List","items":[ ,]}')
@example(b"--- !!set {a}")
@example(b"? [a]\n: b")
@example(b"&a [*a]")
@example(b"\xef\xbb\xbf")
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_a_snapshot_or_an_error_for_the_user(content: bytes) -> None:
    result = outcome(content)
    assert isinstance(result, Snapshot) or result


_YAML = (
    "apiVersion: v1\n",
    "kind: Pod\n",
    "metadata:\n",
    "  name: a\n",
    "- ",
    "? ",
    ": ",
    "&a ",
    "*a",
    "<<: ",
    "---\n",
)
_FLOW = ("{", "}", "[", "]", ",", '"', "'", "|\n", "!!int ", "!x ", "# c\n", "...\n", "0x", "null", "1e5")
_ODD = ("\t", "\n", "\r", "\u00e9", "\u2028", "\ufeff", "\x00", "\\ud83d")
_JSON = ('{"apiVersion":"v1",', '"kind":"List",', '"items":', '"a":1')
_fragments = st.sampled_from(_YAML + _FLOW + _ODD + _JSON)


@given(st.lists(_fragments, max_size=25))
@settings(max_examples=1000, deadline=None)
def test_anything_like_a_manifest_gives_a_snapshot_or_an_error_for_the_user(fragments: list[str]) -> None:
    result = outcome("".join(fragments).encode())
    assert isinstance(result, Snapshot) or result


@given(_values)
@settings(max_examples=200, deadline=None)
def test_any_value_in_any_field_gives_a_snapshot_or_an_error_for_the_user(value: Any) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}, "status": {}}
    for field in (*pod, "items"):
        result = outcome(json.dumps(pod | {field: value}).encode())
        assert isinstance(result, Snapshot) or result
    for field in ("name", "namespace", "labels", "ownerReferences", "annotations", "generateName"):
        result = outcome(json.dumps(pod | {"metadata": {"name": "a", field: value}}).encode())
        assert isinstance(result, Snapshot) or result
