from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from audit.errors import Position
from audit.snapshot import Entry
from audit.sources import locate, read

POLICIES = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicyList
items:
- metadata: {name: a}
  spec:
    ingress:
    - from:
      - ipBlock: {cidr: 10.0.0.0/8}
- metadata: {name: b}
  spec:
    ingress:
    - from:
      - namespaceSelector: {}
      - ipBlock:
          cidr: 10.0.0.0/33
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: c}
common: &common
  cidr: 10.1.0.0/16
spec:
  ingress: [{from: [{ipBlock: {<<: *common, except: [10.1.2.3]}}]}]
"""
CIDR = ("spec", "ingress", 0, "from", 1, "ipBlock", "cidr")


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def policies(file: str, text: str) -> dict[str, Entry]:
    Path(file).write_text(text)
    return {entry.name: entry for entry in read([file]).of("NetworkPolicy")}


def test_a_field_of_an_item_of_a_list_is_found() -> None:
    assert locate(policies("a.yaml", POLICIES)["b"], CIDR) == Position("a.yaml", 15, 17)


def test_a_field_that_is_merged_in_is_found_where_it_is_written() -> None:
    entry = policies("a.yaml", POLICIES)["c"]
    assert locate(entry, ("spec", "ingress", 0, "from", 0, "ipBlock", "cidr")) == Position("a.yaml", 21, 9)
    assert locate(entry, ("spec", "ingress", 0, "from", 0, "ipBlock", "except", 0)) == Position("a.yaml", 23, 54)


def test_what_is_not_written_is_found_at_its_nearest_parent() -> None:
    assert locate(policies("a.yaml", POLICIES)["a"], CIDR) == Position("a.yaml", 8, 7)
    assert locate(policies("a.yaml", POLICIES)["c"], ("status", "x")) == Position("a.yaml", 17, 1)


def test_a_field_of_json_is_found_in_one_line_and_in_many() -> None:
    spec = {"ingress": [{"from": [{}, {"ipBlock": {"cidr": "x"}}]}]}
    objects = [
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec}
        for name in "ab"
    ]
    dump = {"apiVersion": "v1", "kind": "List", "items": objects}
    for indent in (None, 2):
        text = json.dumps(dump, indent=indent)
        at = locate(policies("a.json", text)["b"], CIDR)
        offset = text.rindex('"x"')
        line = text.count("\n", 0, offset)
        assert (at.line, at.column) == (line + 1, offset - text.rfind("\n", 0, offset)), indent


def test_standard_input_is_found_although_it_is_gone() -> None:
    (*_, entry) = read(["-"], stdin=io.BytesIO(POLICIES.encode())).of("NetworkPolicy")
    assert locate(entry, ("spec", "ingress")) == Position("-", 23, 12)


def test_objects_of_one_line_are_told_apart_by_name() -> None:
    text = "".join(
        json.dumps(
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": {}}
        )
        for name in "abc"
    )
    found = policies("a.json", text)
    columns = [locate(found[name], ("spec",)).column for name in "abc"]
    assert columns == sorted(set(columns))


def test_the_line_of_the_object_must_do_when_the_file_is_gone_or_changed() -> None:
    entry = policies("a.yaml", POLICIES)["b"]
    Path("a.yaml").write_text("[")
    assert locate(entry, CIDR) == Position("a.yaml", 9)
    Path("a.yaml").unlink()
    assert locate(entry, CIDR) == Position("a.yaml", 9)


def test_a_large_input_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = policies("a.yaml", POLICIES)["b"]
    monkeypatch.setattr("audit.sources.positions.MAX_REREAD", 10)
    assert locate(entry, CIDR) == Position("a.yaml", 9)
