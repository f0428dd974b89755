"""`scan --archive DIR --keep N`: one folder for every run, whole or not at all; the oldest go."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path
from typing import Any

import pytest

from audit.commands.archiving import Archive
from audit.errors import RenderError
from tests.sources.snapshots import of_manifests

SCAN = ("scan", "manifests", "--zones", "zones.yaml")
OUTPUTS = ("-o", "results.json", "-o", "report.html")
START = 1_795_000_000
FIRST = "20261118T110640Z"


@pytest.fixture(name="at")
def _at(run: Any) -> Any:
    """Runs the command so many days after START."""
    return lambda day, *args: run(*args, env={"SOURCE_DATE_EPOCH": str(START + 86_400 * day)})


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_a_run_has_a_folder_with_private_copies_of_its_files(estate: Path, at: Any) -> None:
    done = at(0, *SCAN, *OUTPUTS, "--archive", "runs")
    assert done.returncode == 0, done.stderr
    assert names(estate / "runs") == [FIRST]
    folder = estate / "runs" / FIRST
    assert names(folder) == ["report.html", "results.json"]
    for name in names(folder):
        assert (folder / name).read_bytes() == (estate / name).read_bytes()
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_snapshot_that_was_read_is_kept_with_them(estate: Path, at: Any) -> None:
    of_manifests(estate / "manifests", estate / "snapshot.zip")
    done = at(0, "scan", "snapshot.zip", "--zones", "zones.yaml", "-o", "results.json", "--archive", "runs")
    assert done.returncode in (1, 3), done.stderr  # a cluster without nodes is not all there
    kept = estate / "runs" / FIRST / "snapshot.zip"
    assert kept.read_bytes() == (estate / "snapshot.zip").read_bytes()


def test_only_the_newest_runs_stay_and_nothing_else_is_touched(estate: Path, at: Any) -> None:
    (estate / "runs").mkdir()
    for other in ("notes", "20200101", "20200101T000000Z.old"):
        (estate / "runs" / other).mkdir()
    (estate / "runs" / "20200101T000000Z").write_text("a file of this name is none of ours")
    elsewhere = estate / "elsewhere"
    elsewhere.mkdir()
    (estate / "runs" / "20200102T000000Z").symlink_to(elsewhere)
    others = names(estate / "runs")
    for day in range(4):
        at(day, *SCAN, *OUTPUTS, "--archive", "runs", "--keep", "2")
    assert names(estate / "runs") == sorted([*others, "20261120T110640Z", "20261121T110640Z"])
    assert elsewhere.is_dir()


def test_the_run_itself_stays_when_the_clock_went_back(estate: Path, at: Any) -> None:
    for day in (5, 6, 0):
        at(day, *SCAN, *OUTPUTS, "--archive", "runs", "--keep", "1")
    assert names(estate / "runs") == [FIRST]


def test_without_keep_all_runs_stay(estate: Path, at: Any) -> None:
    for day in range(3):
        at(day, *SCAN, *OUTPUTS, "--archive", "runs")
    assert len(names(estate / "runs")) == 3


def test_a_second_run_in_the_same_second_leaves_the_first_alone(estate: Path, at: Any) -> None:
    at(0, *SCAN, *OUTPUTS, "--archive", "runs")
    before = (estate / "runs" / FIRST / "results.json").read_bytes()
    done = at(0, *SCAN, "-f", "csv", "-o", "results.json", "--archive", "runs")
    assert done.returncode == 2
    assert f"`{estate / 'runs' / FIRST}` is there already" in done.stderr.decode()
    assert (estate / "runs" / FIRST / "results.json").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("-o", "r.json", "--keep", "3"), "`--keep` needs an archive"),
        (("-f", "text", "--archive", "runs"), "`--archive` needs files to keep"),
        (("-o", "r.json", "--archive", "none/runs"), "for the archive does not exist"),
        (("-o", "r.json", "--archive", "zones.yaml"), "is no directory"),
        (("-o", "r.json", "--archive", "runs", "--keep", "0"), "invalid value for '--keep'"),
        (("-o", "r.json", "-o", "new/r.json", "--archive", "runs"), "two files named `r.json`"),
        (("-o", "r.json", "--archive", "manifests"), "lies in the scanned directory"),
        (("-o", "r.json", "--archive", "manifests/runs"), "lies in the scanned directory"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_written(
    estate: Path, at: Any, options: tuple[str, ...], reason: str
) -> None:
    (estate / "new").mkdir()
    before = sorted(estate.rglob("*"))
    done = at(0, *SCAN, *options)
    assert done.returncode == 2
    assert reason in done.stderr.decode()
    assert sorted(estate.rglob("*")) == before


def test_a_copy_that_fails_leaves_no_folder_and_removes_none(estate: Path) -> None:
    (estate / "runs" / "20200101T000000Z").mkdir(parents=True)
    archive = Archive(estate / "runs", 1, (estate / "zones.yaml", estate / "gone"))
    with pytest.raises(RenderError, match="No such file"):
        archive.add(dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    assert names(estate / "runs") == ["20200101T000000Z"]
