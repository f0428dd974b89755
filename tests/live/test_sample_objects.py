"""A real API server takes the objects of our samples, so that what is shown with them could be a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.client import Client, several
from tests.live.population import Places, create

Json = Any
SAMPLES = sorted(path.parent for path in (Path(__file__).parents[2] / "sample_snapshots").glob("*/expected.json"))
OLD = {"extensions/v1beta1"}
"""What only older servers serve."""


def objects(sample: Path) -> list[Json]:
    """All of its manifests and dumps."""
    found: list[Json] = []
    for path in sorted((sample / "manifests").rglob("*")):
        if path.suffix in (".yaml", ".json"):
            for item in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):
                found += item.get("items", [item]) if item else []
    return found


def whole(item: Json) -> Json:
    """The object with what dumps of samples leave out: UIDs of owners, selectors of workloads."""
    copy = json.loads(json.dumps(item))
    for owner in copy["metadata"].get("ownerReferences", ()):
        owner.setdefault("uid", "0a1b2c3d-0000-4000-8000-000000000000")
    if copy["kind"] == "ReplicaSet":
        copy["spec"].setdefault("selector", {"matchLabels": copy["spec"]["template"]["metadata"]["labels"]})
    return copy


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_every_object_of_a_sample_is_taken(admin: Client, places: Places, sample: Path) -> None:
    items = [whole(item) for item in objects(sample) if item["apiVersion"] not in OLD]
    names = {item["metadata"].get("namespace") for item in items} - {None}
    create(admin, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(names)])

    def refused(item: Json) -> str:
        query = {"dryRun": "All", "fieldValidation": "Strict"}
        status, answer = admin.ask("POST", places.of(item), item, **query)
        there = status == 409 and answer["reason"] == "AlreadyExists"
        return "" if status < 300 or there else f"{item['kind']} {item['metadata']['name']}: {answer['message']}"

    assert len(items) > 5
    assert list(filter(None, several(refused, items))) == []
