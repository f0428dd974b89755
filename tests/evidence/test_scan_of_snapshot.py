"""A scan of a snapshot file of which something is missing, with everything that people and machines get to see."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import pytest

from audit.api_resources import RESOURCES, Resource, reading_role
from audit.commands.scan import scan
from audit.exports import results_v1
from audit.report import Report
from audit.sources.archive import Draft
from audit.sources.kinds import kind_key
from audit.terminal import print_report
from tests.evidence.live import ROOT, TODAY
from tests.sources.snapshots import evidence, line, loaded, manifest

SAMPLE = ROOT / "sample_snapshots" / "four-zones"


def collected(target: Path, *refused: str) -> Path:
    """The snapshot of an account that may not list some kinds."""
    held: dict[str, list[bytes]] = {}
    for item in loaded(SAMPLE / "manifests"):
        key = kind_key(item["apiVersion"].rpartition("/")[0], item["kind"])
        held.setdefault(key, []).append(line(item))
    with Draft(target) as draft:
        ledger = []
        for one in RESOURCES:
            key = kind_key(one.group, one.kind)
            if key in refused:
                told = evidence(key, group=one.group, resource=one.name, status="forbidden", reason="403", cut="none")
            else:
                draft.begin(key, f"{one.group}/v1".removeprefix("/"), one.kind)
                draft.add(key, held.get(key, []))
                told = evidence(key, group=one.group, resource=one.name, objects=len(held.get(key, [])))
            ledger.append(told)
        return draft.finish(manifest(*ledger))


def scanned(path: Path) -> Report:
    return scan((str(path),), str(SAMPLE / "zones.yaml"), created=dt.datetime.combine(TODAY, dt.time(), dt.UTC))


@pytest.fixture(scope="module")
def routeless(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return scanned(collected(tmp_path_factory.mktemp("snapshot") / "a.zip", "Route.route.openshift.io"))


def test_a_whole_snapshot_is_compliant_and_says_that_it_is_complete(tmp_path: Path) -> None:
    found = scanned(collected(tmp_path / "a.zip"))
    assert (found.verdict, found.exit_code) == ("compliant", 0)
    assert {one.status for one in found.completeness} == {"complete"}
    assert len(found.completeness) == len(RESOURCES)


def test_one_refused_kind_makes_the_scan_incomplete(routeless: Report) -> None:
    assert (routeless.verdict, routeless.exit_code) == ("incomplete", 3)
    by_pair = {(one.from_zone, one.to_zone): one for one in routeless.cells}
    assert by_pair["internet", "database"].verdict == "not-evaluated"
    assert "incomplete-evidence" in by_pair["internet", "database"].reasons
    rules = {one.id: one for one in routeless.rules}
    assert rules["ING003"].verdict == rules["NET001"].verdict == "not-evaluated"
    assert rules["ING003"].reason == (
        "Route.route.openshift.io: forbidden, not readable: grant `list` on `routes.route.openshift.io`: 403"
    )
    assert rules["CMP001"].verdict == rules["STO001"].verdict == "pass"


def test_the_role_to_add_is_in_the_results_and_in_the_terminal(routeless: Report) -> None:
    role = reading_role([Resource("route.openshift.io", "Route", "routes")])
    written = json.loads(results_v1.render(routeless))
    assert written["collection"]["missing_access"] == role
    file = io.StringIO()
    print_report(routeless, file, colour=False, width=120)
    assert "".join(f"  {text}\n" for text in role.splitlines()) in file.getvalue()
    (record,) = (one for one in written["completeness"] if one["kind"] == "Route.route.openshift.io")
    assert (record["status"], record["objects"]) == ("forbidden", 0)
