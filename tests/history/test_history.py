from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from msgspec import structs
from sqlalchemy import text

from audit import cli
from audit.baseline import compared
from audit.errors import UsageError
from audit.exports import results_v1
from audit.history import History, opened
from audit.history.database import engine
from audit.history.tables import Base
from audit.report import Report
from tests.outputs.example_report import HOSTILE, clean, example, hostile

SAMPLE = Path(__file__).parents[2] / "sample_snapshots" / "two-zones-faulty"
SCAN = ["scan", str(SAMPLE / "manifests"), "--zones", str(SAMPLE / "zones.yaml")]

NODE_PORT = """\
apiVersion: v1
kind: Service
metadata: {name: side-door, namespace: ledger}
spec:
  type: NodePort
  selector: {app: ledger}
  ports: [{port: 80, nodePort: 30080}]
"""


def at(day: int, report: Report | None = None) -> Report:
    """A report of one day, as a scan without baseline makes it."""
    made = report or example()
    bare = tuple(structs.replace(one, first_seen="", baseline_state="") for one in made.findings)
    return structs.replace(made, created=f"2026-03-{day:02}T00:00:00Z", findings=bare)


def kept(history: History, *days: int) -> None:
    for day in days:
        history.record(history.told(at(day)))


def test_results_come_back_byte_for_byte(place: str) -> None:
    with opened(place) as history:
        numbers = [history.record(one) for one in (at(1), at(2, clean()), at(3, hostile(HOSTILE[0])))]
        assert history.results(numbers[1]) == results_v1.render(at(2, clean()))
        assert history.results(numbers[2]) == results_v1.render(at(3, hostile(HOSTILE[0])))


def test_the_same_scan_twice_is_kept_once(place: str) -> None:
    with opened(place) as history:
        assert history.record(at(1)) == history.record(at(1))
        assert len(history.runs()) == 1


def test_first_seen_is_the_first_day_even_after_a_finding_was_gone(place: str) -> None:
    with opened(place) as history:
        history.record(history.told(at(1)))
        history.record(history.told(structs.replace(at(2), findings=())))
        assert {one.first_seen for one in history.told(at(3)).findings} == {at(1).created}


def test_first_seen_survives_pruning(place: str) -> None:
    with opened(place) as history:
        kept(history, 1, 2, 3)
        assert [one.created[8:10] for one in history.prune(1)] == ["01", "02"]
        assert {one.first_seen for one in history.told(at(4)).findings} == {at(1).created}


def test_the_last_scan_of_the_same_subject_is_what_a_scan_is_compared_with(place: str) -> None:
    other = at(9)
    other = structs.replace(other, scope=structs.replace(other.scope, source="elsewhere"))
    with opened(place) as history:
        assert history.latest(at(1)) is None
        kept(history, 1, 2)
        history.record(other)
        earlier = history.latest(at(3))
    assert earlier is not None
    assert earlier.report.created == at(2).created
    assert {one.baseline_state for one in compared(at(3), earlier).findings} == {"unchanged"}


def test_the_trend_is_oldest_first_and_without_the_scan_itself(place: str) -> None:
    with opened(place) as history:
        kept(history, 2, 1, 3)
        days = [one.created[8:10] for one in history.told(at(3)).trend]
        assert days == ["01", "02"]
        assert history.told(at(3)).trend[0].severities == dict(example().counts.severities)


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_pruning_keeps_the_last_scans_of_every_subject(place: str, keep: int) -> None:
    other = structs.replace(at(1), matrix=structs.replace(at(1).matrix, name="other"))
    with opened(place) as history:
        kept(history, 1, 2, 3)
        history.record(other)
        wanted = len(history.prune(keep, dry_run=True))
        assert len(history.runs()) == 4
        assert len(history.prune(keep)) == wanted == max(3 - keep, 0)
        assert len(history.runs("other")) == 1


def test_migrations_make_the_schema_that_the_code_uses(place: str) -> None:
    with engine(place) as made, made.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert [one for one in found if "alembic_version" not in str(one)] == []


def test_a_history_of_a_newer_version_is_refused(place: str) -> None:
    with engine(place) as made, made.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'future'"))
    with pytest.raises(UsageError, match="newer version"), opened(place):
        pass


def test_changed_results_are_refused(place: str) -> None:
    with opened(place) as history:
        number = history.record(at(1))
    with engine(place) as made, made.begin() as connection:
        connection.execute(text("UPDATE runs SET results = :bytes"), {"bytes": b"x"})
    with opened(place) as history:
        with pytest.raises(UsageError, match="was changed"):
            history.results(number)
        with pytest.raises(UsageError, match="was changed"):
            history.latest(at(2))


def test_searching_takes_wildcards_for_letters(place: str) -> None:
    with opened(place) as history:
        kept(history, 1)
        assert history.runs("%") == ()


def test_two_processes_may_start_the_same_history(tmp_path: Path) -> None:
    code = "import sys; from audit.history import opened\nwith opened(sys.argv[1]) as h: h.runs()"
    command = [sys.executable, "-c", code, str(tmp_path / "h.db")]
    started = [subprocess.Popen(command) for _ in range(4)]
    assert [one.wait() for one in started] == [0, 0, 0, 0]


def test_a_new_file_is_private(tmp_path: Path) -> None:
    with opened(str(tmp_path / "h.db")):
        pass
    assert stat.S_IMODE((tmp_path / "h.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("mysql://root:hunter2@localhost/x", "`mysql` is not possible"),
        ("postgresql://u:hunter2@127.0.0.1:1/x", "history `postgresql+psycopg://u:"),
        ("postgresql://u@127.0.0.1:1/x?password=hunter2", "history `postgresql+psycopg://u@127.0.0.1:1/x`"),
        ("postgresql://u@127.0.0.1:1/x?sslpassword=hunter2", "history `postgresql+psycopg://u@127.0.0.1:1/x`"),
        ("postgresql://u:hunter2@host:port/x", "cannot be read"),
        ("/nowhere/at/all.db", "cannot be made"),
        ("/", "is no file"),
    ],
)  # fmt: skip
def test_what_is_no_history_is_refused_without_its_password(place: str, said: str) -> None:
    with pytest.raises(UsageError) as caught, opened(place):
        pass
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    path.write_text("not a database, but long enough to look at\n" * 100, encoding="utf-8")
    with pytest.raises(UsageError, match="not a database"), opened(str(path)):
        pass


def run(*arguments: str, day: int = 1, **environment: str) -> Any:
    from unittest import mock

    stamp = str(1_700_000_000 + day * 86_400)
    with mock.patch.dict("os.environ", {"SOURCE_DATE_EPOCH": stamp, **environment}):
        return CliRunner().invoke(cli.app, list(arguments), standalone_mode=False)


def test_commands_tell_the_same_story(tmp_path: Path) -> None:
    place, results = str(tmp_path / "h.db"), str(tmp_path / "r.json")
    for day in (1, 2, 3):
        done = run(*SCAN, "--history", place, "-o", results, day=day)
        assert done.return_value == 1
    written = json.loads(Path(results).read_bytes())
    assert written["changes"]["counts"]["new"] == 0
    assert written["changes"]["baseline"] == "scan 2 of the history"
    assert len(written["trend"]) == 2
    listed = json.loads(run("history", "list", "-f", "json", "--history", place).stdout)
    assert [one["id"] for one in listed] == [3, 2, 1]
    assert run("history", "show", "3", "--history", place).stdout_bytes == Path(results).read_bytes()
    assert run("history", "trend", "-f", "csv", ZONE_AUDIT_HISTORY=place).stdout_bytes.count(b"\r\n") == 4
    run("history", "prune", "--keep", "1", "--history", place)
    assert len(json.loads(run("history", "list", "-f", "json", "--history", place).stdout)) == 1


def test_only_what_is_new_since_the_last_scan_can_decide_the_exit_code(tmp_path: Path) -> None:
    place = str(tmp_path / "h.db")
    first = run(*SCAN, "--history", place, "-o", str(tmp_path / "a.json"), day=1)
    second = run(*SCAN, "--history", place, "--fail-on-new", "-o", str(tmp_path / "b.json"), day=2)
    assert (first.return_value, second.return_value) == (1, 3)


def test_what_was_refused_as_new_stays_new_until_it_is_accepted(tmp_path: Path) -> None:
    place, manifests = str(tmp_path / "h.db"), tmp_path / "manifests"
    shutil.copytree(SAMPLE / "manifests", manifests)
    given = ["scan", str(manifests), "--zones", str(SAMPLE / "zones.yaml"), "--history", place]

    def scan(day: int, *options: str) -> Any:
        return run(*given, "-o", str(tmp_path / "r.json"), *options, day=day).return_value

    scan(1)
    assert scan(2, "--fail-on-new") == 3
    (manifests / "more.yaml").write_text(NODE_PORT, encoding="utf-8")
    assert [scan(day, "--fail-on-new") for day in (3, 4, 5)] == [1, 1, 1]
    changes = json.loads((tmp_path / "r.json").read_bytes())["changes"]
    assert changes["baseline"] == "scan 2 of the history"
    run("history", "prune", "--keep", "1", "--history", place)
    assert scan(6, "--fail-on-new") == 1
    assert json.loads((tmp_path / "r.json").read_bytes())["changes"]["baseline"] == "scan 2 of the history"
    assert scan(7) == 1
    assert scan(8, "--fail-on-new") == 3


def test_a_high_threshold_does_not_make_old_what_is_new_below_it(tmp_path: Path) -> None:
    place, manifests = str(tmp_path / "h.db"), tmp_path / "manifests"
    shutil.copytree(SAMPLE / "manifests", manifests)
    given = ["scan", str(manifests), "--zones", str(SAMPLE / "zones.yaml"), "--history", place]
    output = ["-o", str(tmp_path / "r.json")]
    run(*given, *output, day=1)
    (manifests / "more.yaml").write_text(NODE_PORT, encoding="utf-8")
    assert run(*given, *output, "--fail-on-new", "--fail-on", "critical", day=2).return_value == 3
    assert run(*given, *output, "--fail-on-new", day=3).return_value == 1


def test_without_an_earlier_scan_everything_is_new_and_the_way_to_begin_is_said(tmp_path: Path) -> None:
    options = ["--history", str(tmp_path / "h.db"), "--fail-on-new", "-o", str(tmp_path / "a.json")]
    for day in (1, 2):
        done = run(*SCAN, *options, day=day)
        assert done.return_value == 1
        assert "scan once without `--fail-on-new`" in done.stderr


def test_a_history_of_the_first_version_keeps_its_scans(place: str) -> None:
    with opened(place) as history:
        kept(history, 1)
        history.record(at(2, clean()))
    with engine(place) as made, made.begin() as connection:
        connection.execute(text("ALTER TABLE runs DROP COLUMN refused"))
        connection.execute(text("UPDATE alembic_version SET version_num = '1'"))
    with opened(place) as history:
        assert [(one.exit_code, one.refused) for one in history.runs()] == [(0, False), (1, True)]


def test_a_trend_of_several_subjects_asks_for_one(tmp_path: Path) -> None:
    with opened(str(tmp_path / "h.db")) as history:
        history.record(at(1))
        history.record(structs.replace(at(1), matrix=structs.replace(at(1).matrix, name="other")))
    done = run("history", "trend", "--history", str(tmp_path / "h.db"))
    assert isinstance(done.exception, UsageError)
    assert "2 subjects" in str(done.exception)


def test_history_without_a_place_says_what_to_do() -> None:
    assert isinstance(run("history", "list").exception, UsageError)


def test_reading_makes_no_history(tmp_path: Path) -> None:
    place = tmp_path / "typo.db"
    assert isinstance(run("history", "list", "--history", str(place)).exception, UsageError)
    assert not place.exists()


def test_pruning_before_the_first_scan_removes_nothing_and_makes_no_history(tmp_path: Path) -> None:
    place = tmp_path / "reports" / "history.db"
    result = run("history", "prune", "--history", str(place), "--keep", "3")
    assert result.exit_code == 0
    assert "nothing to remove" in result.stderr
    assert not place.parent.exists()


def test_names_in_a_history_are_harmless(tmp_path: Path) -> None:
    evil = structs.replace(at(1), matrix=structs.replace(at(1).matrix, name="=cmd\x1b[31m\u202e"))
    with opened(str(tmp_path / "h.db")) as history:
        history.record(evil)
    for form in ("text", "csv"):
        shown = run("history", "list", "-f", form, "--history", str(tmp_path / "h.db")).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert '"=cmd' not in shown
