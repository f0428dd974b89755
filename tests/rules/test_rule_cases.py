"""Every rule of a control on cases of its own: what is fine, what it must find, and what it cannot tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from audit import assessment, cells, inventory, sources, zones
from audit.discovery import discover
from audit.exempt import Exempted
from audit.snapshot import Gap

FOLDER = Path(__file__).parent / "cases"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "matrix.yaml")
BY_HAND = frozenset({"HOST001", *(f"NET00{n}" for n in range(3, 10)), *(f"ZON00{n}" for n in range(1, 5))})
"""Rules of what reaches what, whose tests stand in the other files of this folder."""
ASKING = frozenset({"TOP005"})
"""Rules that only ask a person to look: they give `manual`, and never fire."""
TODAY = dt.date(2026, 11, 23)
Case = dict[str, Any]
EVERY = {"OK", "VIOLATION", "WEAK", "UNKNOWN"}
TABLE = {
    **dict.fromkeys((*range(1, 10), 12), EVERY),
    10: {"OK", "VIOLATION", "UNKNOWN"},
    11: {"UNKNOWN"},
    13: {"OK", "VIOLATION", "UNKNOWN"},
}
"""Control of the design -> the verdicts that its cases must show: 1 zone of namespaces, 2 shards, 3 nodes of routers,
4 virtual addresses, 5 egress addresses, 6 policies, 7 ownership, 8 compute, 9 storage, 10 no segmentation, 11 node
firewall, 12 endpoints of the platform, 13 side doors."""


def cases(section: str) -> Iterator[Any]:
    for path in FILES:
        for case in _file(path).get(section, ()):
            yield pytest.param(path, case, id=f"{path.stem}-{case['name'].replace(' ', '-')}")


def _file(path: Path) -> Case:
    found: Case = yaml.safe_load(path.read_text())
    return found


def scanned(path: Path, case: Case, folder: Path, gap: Gap | None = None) -> Exempted:
    """The results of one case, with all rules."""
    file = _file(path)
    matrix = _merged(_file(FOLDER / "matrix.yaml"), _merged(file.get("matrix", {}), case.get("matrix", {})))
    (folder / "zones.yaml").write_text(yaml.safe_dump(matrix, sort_keys=False))
    (folder / "cluster.yaml").write_text(yaml.safe_dump_all(_objects(file, case), sort_keys=False))
    declared = assessment.declared(str(folder / "zones.yaml"))
    snapshot = sources.read([str(folder / "cluster.yaml")])
    if gap:
        snapshot = snapshot.__class__(**{**_fields(snapshot), "gaps": (*snapshot.gaps, gap)})
    population = inventory.build(snapshot)
    zone_map = zones.assign(declared.matrix, population.namespaces.values(), population.nodes.values())
    evaluation = cells.evaluate(population, zone_map, declared.matrix, lambda _: None)
    return assessment.judged(declared, population, zone_map, evaluation, TODAY)


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _merged(old: Any, new: Any, key: str = "") -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        merged = old | {name: _merged(old.get(name), value, name) for name, value in new.items()}
        return {name: value for name, value in merged.items() if value is not None}
    if key == "zones" and isinstance(old, list):
        added = {one["name"]: one for one in new}
        known = [_merged(one, added.pop(one["name"], {})) for one in old]
        return [*known, *added.values()]
    return new


def _objects(file: Case, case: Case) -> list[Case]:
    given = {_identity(one): one for one in file.get("base", ()) if _kept(one, case.get("without", ()))}
    return [*(given | {_identity(one): one for one in case.get("objects", ())}).values()]


def _identity(one: Case) -> tuple[str, str, str, str]:
    metadata = one["metadata"]
    return one["apiVersion"].partition("/")[0], one["kind"], metadata.get("namespace", ""), metadata["name"]


def _kept(one: Case, without: list[str]) -> bool:
    kind, namespace, name = _identity(one)[1:]
    return not {kind, f"{kind}/{name}", f"{kind}/{namespace}/{name}"} & set(without)


def outcome(results: Exempted, rule: str) -> tuple[str, str, list[Any]]:
    """Verdict, reason and findings of one rule."""
    found = [one for one in results.results.findings if one.rule.id == rule]
    checked = next(one for one in results.results.rules if one.rule.id == rule)
    assert "rule error" not in checked.reason, checked.reason
    return checked.verdict, checked.reason, found


@pytest.mark.parametrize(("path", "case"), [*cases("clean")])
def test_what_is_fine_passes(path: Path, case: Case, tmp_path: Path) -> None:
    verdict, reason, found = outcome(scanned(path, case, tmp_path), path.stem)
    assert (verdict, [one.finding.title for one in found]) == (case.get("verdict", "pass"), []), reason


@pytest.mark.parametrize(("path", "case"), [*cases("fires")])
def test_what_is_wrong_is_found_and_nothing_else(path: Path, case: Case, tmp_path: Path) -> None:
    _, reason, found = outcome(scanned(path, case, tmp_path), path.stem)
    failing = [_shown(one) for one in found if one.verdict == "fail"]
    wanted = case["findings"]
    names = sorted({name for one in wanted for name in one})
    order = msgspec.json.encode
    assert wanted
    assert sorted(({name: one[name] for name in names} for one in failing), key=order) == sorted(
        ({name: one.get(name) for name in names} for one in wanted), key=order
    ), reason


def _shown(one: Any) -> Case:
    finding = one.finding
    return {
        "title": finding.title,
        "severity": one.severity,
        "subjects": sorted(map(str, finding.subjects)),
        "from_zone": finding.from_zone,
        "to_zone": finding.to_zone,
        "expected": finding.expected,
        "observed": finding.observed,
        "owner": finding.owner,
        "fix": finding.fix,
        "path": [str(cause.ref or cause.endpoint) for cause in finding.path],
    }


@pytest.mark.parametrize(("path", "case"), [*cases("missing")])
def test_what_cannot_be_told_is_not_evaluated(path: Path, case: Case, tmp_path: Path) -> None:
    verdict, reason, found = outcome(scanned(path, case, tmp_path), path.stem)
    assert verdict == case.get("verdict", "not-evaluated")
    assert case["reason"] in " ".join([reason, *(one.finding.reason for one in found)])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_rule_passes_when_a_kind_that_it_needs_could_not_be_read(path: Path, tmp_path: Path) -> None:
    rule = next(one for one in discover() if one.id == path.stem)
    case = next(iter(_file(path)["clean"]))
    for kind in rule.needs:
        gap = Gap(kind=kind, reason="forbidden", text=f"{kind} is forbidden")
        verdict, reason, _ = outcome(scanned(path, case, tmp_path, gap), rule.id)
        assert (kind, verdict) == (kind, "not-evaluated")
        assert kind in reason


def _weights(case: Case, section: str) -> set[str]:
    """What the table of verdicts may call a case of this section."""
    if section == "fires":
        return {"WEAK" if one["severity"] == "low" else "VIOLATION" for one in case["findings"]}
    return {"clean": {"OK"}, "missing": {"UNKNOWN"}}[section]


def test_every_control_of_the_design_gives_all_its_verdicts() -> None:
    seen: dict[int, set[str]] = {row: set() for row in TABLE}
    for path in FILES:
        for section in ("clean", "fires", "missing"):
            for case in _file(path).get(section, ()):
                for row, verdict in case.get("table", {}).items():
                    assert verdict in _weights(case, section), (path.stem, case["name"])
                    seen[row].add(verdict)
    assert seen == TABLE


def test_every_rule_has_cases_of_each_sort() -> None:
    ids = {one.id for one in discover()} - BY_HAND
    assert {path.stem for path in FILES} == ids
    for path in FILES:
        fires = path.stem not in ASKING
        assert all(_file(path).get(section) for section in ("clean", "missing")), path.stem
        assert bool(_file(path).get("fires")) == fires, path.stem
