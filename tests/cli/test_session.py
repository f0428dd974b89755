"""Progress on standard error, and files that are written whole or not at all."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import pytest

from audit.commands.outlets import write_files
from audit.commands.session import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_progress_shows_only_long_work_on_a_terminal(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    progress = Progress()
    progress("reading")
    assert screen.getvalue() == ""
    clock[0] += 1.5
    progress("reading \x1b[31mred", 3, 10)
    assert "reading \\x1b[31mred 3 of 10 ..." in screen.getvalue()
    progress.clear()
    assert screen.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("screen", [io.StringIO(), Terminal()])
def test_progress_is_silent_in_pipes_and_dumb_terminals(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], screen: io.StringIO
) -> None:
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "dumb")
    progress = Progress()
    clock[0] += 5
    progress("reading")
    progress.clear()
    assert screen.getvalue() == ""


def test_a_failed_write_keeps_the_old_file_and_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.json"
    target.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    (error,) = write_files({target: b"new"})
    assert "No space left" in str(error)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_one_file_that_fails_does_not_keep_the_others_back(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    good = tmp_path / "good"
    errors = write_files({tmp_path / "folder": b"x", good: b"new", tmp_path / "none" / "x": b"x"})
    assert len(errors) == 2
    assert good.read_bytes() == b"new"
