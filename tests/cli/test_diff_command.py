"""`zone-audit diff` as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from audit.comparison.render import schema

jsonschema: Any = pytest.importorskip("jsonschema")
SCHEMA = Path(__file__).parents[2] / "docs" / "diff.schema.json"
BOTH = ("old", "manifests")
WITH_ZONES = (*BOTH, "--zones", "zones.yaml")


@pytest.fixture(autouse=True)
def old(estate: Path) -> Path:
    """The manifests as they were, beside those that a test changes."""
    shutil.copytree(estate / "manifests", estate / "old")
    return estate / "old"


@pytest.fixture
def opened(estate: Path) -> Path:
    """The manifests with every port open from the dmz."""
    path = estate / "manifests" / "policies.yaml"
    path.write_text(path.read_text().replace("    ports: [{port: 8443}]\n", ""))
    return estate


def test_what_is_equal_has_no_difference(run: Any) -> None:
    done = run("diff", *WITH_ZONES)
    assert done.returncode == 0
    assert done.stdout.decode().startswith("0 connections opened, 0 connections closed, 0 connections changed")
    assert b"Connections" not in done.stdout


@pytest.mark.usefixtures("opened")
def test_a_new_finding_is_exit_1_and_names_the_line_at_fault(run: Any) -> None:
    done = run("diff", *WITH_ZONES)
    text = done.stdout.decode()
    assert done.returncode == 1
    assert "NetworkPolicy app/zone-internal" in text
    assert "changed: spec.ingress" in text
    assert "manifests/policies.yaml:12" in text
    assert "new      high      NET001" in text
    assert run("diff", *WITH_ZONES, "--fail-on", "critical").returncode == 0
    assert run("diff", *WITH_ZONES, "--exit-zero").returncode == 0


@pytest.mark.usefixtures("opened")
def test_a_finding_that_is_gone_is_exit_0(run: Any) -> None:
    done = run("diff", "manifests", "old", "--zones", "zones.yaml")
    assert done.returncode == 0
    assert "fixed" in done.stdout.decode()


@pytest.mark.usefixtures("opened")
def test_without_a_matrix_the_exit_code_is_0_whatever_differs(run: Any) -> None:
    done = run("diff", *BOTH)
    assert done.returncode == 0
    assert b"1 connection opened" in done.stdout
    assert b"exit code 0, whatever differs" in run("diff", "--help").stdout


@pytest.mark.usefixtures("unsure")
def test_doubt_on_either_side_is_exit_3(run: Any) -> None:
    assert run("diff", *WITH_ZONES).returncode == 3
    done = run("diff", "manifests", "old", "--zones", "zones.yaml")
    assert done.returncode == 3
    assert "the old snapshot `manifests` is incomplete" in done.stdout.decode()


@pytest.mark.usefixtures("opened", "unsure")
def test_a_new_finding_wins_over_doubt(estate: Path, run: Any) -> None:
    (estate / "manifests" / "cilium.yaml").rename(estate / "old" / "cilium.yaml")
    assert run("diff", *WITH_ZONES).returncode == 1


@pytest.mark.usefixtures("opened")
def test_an_exception_covers_a_new_finding(estate: Path, run: Any) -> None:
    (estate / "exceptions.yaml").write_text(
        "apiVersion: zone-audit/v1\nkind: Exceptions\nexceptions:\n"
        "- {id: EX-1, title: t, rule: NET001, flow: ZM-1, justification: j, requested_by: a@example.org,\n"
        "   requested_on: 2026-11-01, approved_by: b@example.org, approved_on: 2026-11-02, valid_from: 2026-11-02,\n"
        "   expires_on: 2027-01-31, ticket: T-1, owner: c@example.org,\n"
        "   scope: {from: [dmz], to: [internal], services: [any], subjects: any}}\n"
    )
    done = run("diff", *WITH_ZONES, "--exceptions", "exceptions.yaml", "-f", "json")
    assert {one["now"] for one in json.loads(done.stdout)["findings"] if one["rule"] == "NET001"} == {"excepted"}
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("old",), "compares two snapshots, not 1"),
        (("old", "old", "manifests"), "compares two snapshots, not 3"),
        ((), "missing argument 'OLD NEW'"),
        (("old", "nowhere"), "nowhere"),
        (("-", "-"), "`-` can be given once only"),
        ((*BOTH, "--fail-on", "high"), "`--fail-on` needs a zone matrix"),
        ((*BOTH, "--zones", "nowhere.yaml"), "nowhere.yaml"),
        ((*WITH_ZONES, "-o", "manifests/new.json"), "lies in the scanned directory"),
    ],
)
def test_bad_input_is_exit_2_in_one_line(run: Any, args: tuple[str, ...], said: str) -> None:
    done = run("diff", *args)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not done.stdout


@pytest.mark.usefixtures("opened")
def test_a_pipe_gets_no_colour_and_names_of_a_cluster_no_control(estate: Path, run: Any) -> None:
    path = estate / "manifests" / "pods.yaml"
    path.write_text(
        path.read_text() + "---\n" + path.read_text().split("---\n")[1].replace("{app: api}", '{a: "\\e[1m"}')
    )
    for env in ({}, {"NO_COLOR": "1"}, {"TERM": "xterm"}):
        for name in ("table", "md", "csv"):
            done = run("diff", *WITH_ZONES, "-f", name, env=env)
            assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.usefixtures("opened")
def test_all_formats_say_the_same(tmp_path: Path, run: Any) -> None:
    done = run("diff", *WITH_ZONES, "-o", "d.json", "-o", "d.csv", "-o", "d.md", "-f", "table", "-o", "-")
    found = json.loads((tmp_path / "d.json").read_bytes())
    rows = list(csv.DictReader(io.StringIO((tmp_path / "d.csv").read_text())))
    assert [row["change"] for row in rows] == [one["change"] for one in found["connections"]]
    assert rows[0]["caused by"] == "NetworkPolicy app/zone-internal changed; NetworkPolicy web/zone-dmz changed"
    for text in (done.stdout.decode(), (tmp_path / "d.md").read_text().replace("\\", "")):
        assert found["headline"] in text
        assert all(cause["object"] in text for cause in found["causes"])
    assert done.returncode == found["exit_code"] == 1


@pytest.mark.usefixtures("opened")
def test_one_side_may_come_from_standard_input(estate: Path, run: Any) -> None:
    content = b"".join(path.read_bytes() + b"---\n" for path in sorted((estate / "old").iterdir()))
    done = run("diff", "-", "manifests", "--zones", "zones.yaml", stdin=content)
    assert done.returncode == 1
    assert b"NetworkPolicy app/zone-internal" in done.stdout


@pytest.mark.usefixtures("opened", "unsure")
def test_json_follows_the_published_schema(run: Any) -> None:
    update = "from audit.comparison.render import schema; print(schema().decode(), end='')"
    assert SCHEMA.read_bytes() == schema(), f'update it with: python -c "{update}" > docs/diff.schema.json'
    for args in (WITH_ZONES, BOTH):
        done = run("diff", *args, "-f", "json")
        jsonschema.Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(json.loads(done.stdout))


@pytest.mark.usefixtures("opened")
def test_equal_input_gives_equal_bytes_whatever_the_hash_seed(run: Any) -> None:
    first, second = (run("diff", *WITH_ZONES, "-f", "json", env={"PYTHONHASHSEED": seed}) for seed in ("1", "2"))
    assert first.stdout == second.stdout
