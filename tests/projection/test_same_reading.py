"""What is kept reads like the whole: scans find the same."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit import assessment, cells, inventory, reach_json, sources, zones
from audit.commands.scan import scan
from audit.errors import AuditError
from audit.exports import results_v1
from audit.projection import ProjectionError, project
from audit.raw_body import RawBody
from audit.sources.objects import entry
from audit.sources.shared import Shared
from audit.sources.text import Found, Text
from audit.sources.text import written as written_in
from tests.oracle.strategies import ENTERING, EVERYTHING, LEAVING, NETWORKS, PLUGINS, rolled
from tests.projection.projecting import KEYS, given, read, written
from tests.rules import test_rule_cases as rule_cases
from tests.samples.running import ROOT, SAMPLES

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
FOLDER = ROOT / "sample_snapshots"
_PLACES = ("inputs", "file", "line", "source")
"""What tells where something was read."""
_REDUCED = {"annotations", "valueFrom", "volumes", "volumeClaimTemplates", "parameters", "objects", "pod"}
"""Fields of structs of which a part is kept, which the scans look after."""


def placeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: placeless(item) for key, item in value.items() if key not in _PLACES}
    return [placeless(item) for item in value] if isinstance(value, list) else value


def results(sample: str, manifests: Path) -> Any:
    folder = FOLDER / sample
    exceptions = folder / "exceptions.yaml"
    report = scan(
        (str(manifests),),
        str(folder / "zones.yaml"),
        str(exceptions) if exceptions.exists() else None,
        created=NOW,
    )
    return placeless(json.loads(results_v1.render(report)))


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_scan_of_what_is_kept_gives_the_results_of_the_whole(sample: str, tmp_path: Path) -> None:
    manifests = FOLDER / sample / "manifests"
    kept = written(read(manifests), tmp_path / "cluster.json")
    assert kept.stat().st_size < sum(path.stat().st_size for path in manifests.iterdir())
    assert results(sample, kept) == results(sample, manifests)


@pytest.mark.parametrize("sample", SAMPLES)
def test_bodies_of_what_is_kept_are_those_of_the_whole(sample: str) -> None:
    compared = 0
    for kind, item in read(FOLDER / sample / "manifests"):
        if kind.key in KEYS and not issubclass(kind.body, RawBody):
            whole, part = (_body(kind, text) for text in (item, project(kind, item)))
            assert _without(part, _REDUCED) == _without(whole, _REDUCED), kind.key
            compared += 1
    assert compared


def _body(kind: Any, item: bytes) -> Any:
    version = f"{kind.group}/{kind.version}" if kind.group else kind.version
    found = Found(item, 1, 1, api_version=version, kind=kind.kind, written=written_in(json.loads(item)))
    made: Any = entry(Text("", b"", 0, named=True), found, Shared())
    return msgspec.to_builtins(made.body)


def _without(value: Any, fields: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, fields) for key, item in value.items() if key not in fields}
    return [_without(item, fields) for item in value] if isinstance(value, list) else value


SHAPES = {"plug-ins": PLUGINS, "networks": NETWORKS, "ways out": LEAVING, "ways in": ENTERING, "everything": EVERYTHING}


@pytest.mark.parametrize("topic", SHAPES)
def test_random_clusters_reach_the_same_by_what_is_kept(topic: str, tmp_path: Path) -> None:
    compared = 0
    for number in range(30):
        objects = rolled(number, SHAPES[topic])
        (tmp_path / "whole.json").write_text("\n".join(map(json.dumps, objects)))
        kept = written(given(objects), tmp_path / "kept.json")
        whole, part = (_reach(path) for path in (tmp_path / "whole.json", kept))
        assert part == whole, number
        compared += whole is not None
    assert compared > 20


def _reach(path: Path) -> Any:
    """Which pods reach which, None where some object is refused."""
    try:
        return placeless(msgspec.to_builtins(reach_json.document(sources.read([str(path)]), by="pod")))
    except AuditError:
        return None


REFUSED = {
    "one ClusterResourceQuota for each zone does the same",
    "labels and annotations of a ClusterResourceQuota must both match",
}
"""Cases with a quota that selects by an annotation which is not kept of projects."""
_file = lru_cache(None)(rule_cases._file)


def _cases() -> Iterator[Any]:
    """Every case of a rule that finds something or cannot tell, and of each rule one that passes."""
    for path in rule_cases.FILES:
        for section in ("clean", "fires", "missing"):
            listed = _file(path).get(section, ())
            for case in listed[:1] if section == "clean" else listed:
                yield pytest.param(path, section, case, id=f"{path.stem}-{case['name'].replace(' ', '-')}")


@pytest.mark.parametrize(("path", "section", "case"), [*_cases()])
def test_rules_find_in_what_is_kept_what_they_find_in_the_whole(
    path: Path, section: str, case: dict[str, Any], tmp_path: Path
) -> None:
    if case["name"] in REFUSED:
        with pytest.raises(ProjectionError, match="which is not kept of projects"):
            _scanned(path, case, tmp_path)
        return
    verdict, reason, found = rule_cases.outcome(_scanned(path, case, tmp_path), path.stem)
    if section == "fires":
        failing = [rule_cases._shown(one) for one in found if one.verdict == "fail"]
        names = sorted({name for one in case["findings"] for name in one})
        shown, wanted = (
            sorted(msgspec.json.encode({name: one.get(name) for name in names}, order="sorted") for one in listed)
            for listed in (failing, case["findings"])
        )
        assert shown == wanted, reason
    else:
        assert verdict == case.get("verdict", {"clean": "pass", "missing": "not-evaluated"}[section]), reason
        assert case.get("reason", "") in " ".join([reason, *(one.finding.reason for one in found)])


def _scanned(path: Path, case: dict[str, Any], folder: Path) -> Any:
    """The results of a case of a rule on what is kept of its objects."""
    file, merged = _file(path), rule_cases._merged
    matrix = merged(_file(rule_cases.FOLDER / "matrix.yaml"), merged(file.get("matrix", {}), case.get("matrix", {})))
    (folder / "zones.yaml").write_text(json.dumps(matrix, default=str))
    kept = written(given(rule_cases._objects(file, case)), folder / "cluster.json")
    declared = assessment.declared(str(folder / "zones.yaml"))
    population = inventory.build(sources.read([str(kept)]))
    zone_map = zones.assign(declared.matrix, population.namespaces.values(), population.nodes.values())
    evaluation = cells.evaluate(population, zone_map, declared.matrix, lambda _: None)
    return assessment.judged(declared, population, zone_map, evaluation, rule_cases.TODAY)
