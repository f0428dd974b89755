from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from installs import ROOT


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_clusters", ROOT / "benchmarks" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_generated_cluster_has_the_stated_size_and_is_the_same_each_time(generate: ModuleType, tmp_path: Path) -> None:
    case = generate.Case(namespaces=20, replicas=2, nodes=7, microsegmented=True)
    for name in ("one.json", "two.json"):
        generate.write_cluster(case, tmp_path / name)
    text = (tmp_path / "one.json").read_bytes()
    assert text == (tmp_path / "two.json").read_bytes()
    items = json.loads(text)["items"]
    kinds = Counter(item["kind"] for item in items)
    assert kinds["NetworkPolicy"] - len(generate.ZONES) * 2 == case.policies == 140
    assert kinds["Pod"] - len(generate.ZONES) * 2 - 2 == case.pods == 200
    assert kinds["Node"] == 7
    identities = Counter((i["kind"], i["metadata"].get("namespace"), i["metadata"]["name"]) for i in items)
    assert max(identities.values()) == 1


def test_half_a_case_has_half_the_objects(generate: ModuleType) -> None:
    case = generate.CASES["large"]
    half = case.halved()
    assert (half.pods * 2, half.policies * 2, half.nodes * 2) == (case.pods, case.policies, case.nodes)


def test_cases_are_those_of_the_table(generate: ModuleType) -> None:
    sizes = {name: (case.pods, case.namespaces, case.policies) for name, case in generate.CASES.items()}
    assert sizes == {
        "small": (2_000, 400, 800),
        "large": (150_000, 10_000, 20_000),
        "huge": (150_000, 10_000, 70_000),
    }


def test_manifest_directory_holds_fifty_objects(generate: ModuleType) -> None:
    assert sum(len(documents) for _, documents in generate.manifests()) == 50
