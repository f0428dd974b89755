"""Whatever stops a write, at whatever point: the old file is there or the new one, and nothing that looks like them."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from audit import files
from audit.commands.outlets import write_files
from audit.errors import AuditError, InputError, RenderError
from audit.sources import read
from audit.sources.archive import Draft, opened
from tests.sources.snapshots import evidence, line, manifest, pod, snapshot

CALLS = ("open", "write", "fsync", "fchmod", "close", "pread", "mkdir", "replace", "unlink")
"""Every call of the system that can fail, or be the last one of a process."""
OLD = [pod("old")]
NEW = [pod(f"new-{number}", note="x" * 400) for number in range(1200)]
Act = Callable[[], None]


def report(target: Path) -> None:
    for error in write_files({target: b"new"}):
        raise error


def archive(target: Path, *, directory: bool = False) -> None:
    """Two blocks of objects, and a kind that is begun again."""
    with Draft(target, directory=directory) as draft:
        draft.begin("Node", "v1", "Node")
        draft.begin("Pod", "v1", "Pod")
        draft.add("Pod", [b'{"of":"an earlier cut"}'])
        draft.begin("Pod", "v1", "Pod")
        draft.add("Pod", map(line, NEW))
        draft.finish(manifest(evidence("Node"), evidence("Pod", objects=len(NEW))))


def folder(target: Path) -> None:
    archive(target, directory=True)


def before(task: Callable[[Path], None], target: Path) -> None:
    """What is there when the task begins."""
    if task is report:
        target.write_bytes(b"old")
    elif task is archive:
        snapshot(target, {"Pod": OLD})
    else:
        target.mkdir()


def state(task: Callable[[Path], None], target: Path) -> str:
    """`old` or `new`; an AssertionError or InputError for anything else."""
    if task is report:
        return target.read_text("utf-8")
    if task is folder and not any(target.iterdir()):
        return "old"
    with opened(target) as found:
        names = [member.name for member, _ in found.members()]
    assert names in (["objects/Pod.json"], ["objects/Node.json", "objects/Pod.json"])
    return "old" if len(names) == 1 else "new"


def litter(target: Path) -> list[Path]:
    """Everything beside the target, which nobody takes for a snapshot that it is not, nor a scan of the directory."""
    found = [path for path in target.parent.iterdir() if path != target]
    assert all(path.name.startswith(".zone-audit-") and path.name.endswith(files.PART) for path in found)
    for path in found:
        if not whole(path):
            with pytest.raises(AuditError):
                read([str(path)])
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()
    with pytest.raises(InputError, match="no Kubernetes object"):
        read([str(target.parent)])
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return found


def whole(path: Path) -> bool:
    """Whether an unfinished archive had only to take its name."""
    try:
        with opened(path) as found:
            return bool(list(found.members()))
    except InputError:
        return False


@contextmanager
def stopping(number: int, act: Act, *, late: bool = False, named: bool = False) -> Iterator[list[str]]:
    """Does something at call `number`, before it or (`late`) after it; gives the calls so far.

    `named`: as on a file system that knows no files without a name.
    """
    calls: list[str] = []
    real = {name: getattr(os, name) for name in CALLS}

    def wrapped(name: str, *args: Any, **given: Any) -> Any:
        if named and name == "open" and len(args) > 1 and args[1] & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not here")
        calls.append(name)
        hit = len(calls) == number
        if hit and name == "close":  # which always lets go, whatever it says
            real[name](*args)
        if hit and not late:
            act()
        done = None if hit and name == "close" else real[name](*args, **given)
        if hit and late:
            act()
        return done

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, lambda *args, _name=name, **given: wrapped(_name, *args, **given))
        yield calls


def child(work: Callable[[], None]) -> int:
    """How a process of its own ends that does the work: 0, 1 for an error that users are told, or minus a signal."""
    if not (process := os.fork()):
        signal.alarm(60)  # no test hangs
        with suppress(BaseException):
            try:
                work()
            except AuditError:
                os._exit(1)
            os._exit(0)
        os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def total(task: Callable[[Path], None], target: Path, *, named: bool) -> int:
    """How many calls the task makes."""
    before(task, target)
    with stopping(0, lambda: None, named=named) as calls:
        task(target)
    assert state(task, target) == "new"
    assert litter(target) == []
    return len(calls)


TASKS = pytest.mark.parametrize("task", [report, archive, folder])
PLACES = pytest.mark.parametrize("named", [False, True], ids=["unnamed", "named"])


@TASKS
@PLACES
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO], ids=lambda code: errno.errorcode[code])
def test_an_error_at_any_call_leaves_the_old_or_the_new(
    task: Callable[[Path], None], tmp_path: Path, code: int, *, named: bool
) -> None:
    target = tmp_path / "out"

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    for number in range(1, total(task, target, named=named) + 1):
        before(task, target)
        told = ""
        with stopping(number, fail, named=named) as calls:
            try:
                task(target)
            except RenderError as error:
                told = str(error)
        assert len(calls) >= number
        assert ("old" if told else "new") == state(task, target) or calls[number - 1] in ("fsync", "close", "open")
        assert not told or (str(target) in told and os.strerror(code).lower() in told.lower())
        assert litter(target) == [] or calls[number - 1] == "unlink"


@TASKS
@PLACES
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_process_killed_at_any_call_leaves_the_old_or_the_new(
    task: Callable[[Path], None], tmp_path: Path, *, named: bool, late: bool
) -> None:
    target = tmp_path / "out"
    seen = set()
    for number in range(1, total(task, target, named=named) + 1):
        before(task, target)

        def work(number: int = number) -> None:
            with stopping(number, lambda: os.kill(os.getpid(), signal.SIGKILL), late=late, named=named):
                task(target)

        assert child(work) == -signal.SIGKILL
        seen.add(state(task, target))
        assert len(litter(target)) <= 1
    assert seen == {"old", "new"}


@TASKS
def test_a_disk_that_is_full_after_any_number_of_bytes_leaves_the_old_or_the_new(
    task: Callable[[Path], None], tmp_path: Path
) -> None:
    target = tmp_path / "out"
    task(target)
    largest = max(path.stat().st_size for path in (target, *target.rglob("*")) if path.is_file())
    litter(target)
    ended = []
    for limit in sorted({*range(0, largest, max(1, largest // 40)), largest - 1, largest}):
        before(task, target)

        def work(limit: int = limit) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            task(target)

        ended.append(child(work))
        assert state(task, target) == ("old" if ended[-1] else "new")
        assert litter(target) == []
    assert set(ended[:-1]) == {1}
    assert ended[-1] == 0


@TASKS
def test_a_directory_that_may_not_be_written_to_keeps_what_it_holds(task: Callable[[Path], None]) -> None:
    place = Path(tempfile.mkdtemp())
    target = place / "out"
    before(task, target)
    place.chmod(0o555)

    def work() -> None:
        if os.geteuid() == 0:  # who may write everywhere
            os.setuid(65534)
        task(target)

    try:
        assert child(work) == 1
        assert state(task, target) == "old"
        assert list(place.iterdir()) == [target]
    finally:
        place.chmod(0o755)
        shutil.rmtree(place)


KILLED = """
import sys
from pathlib import Path
from tests.sources.test_whole_or_nothing import archive, before, report
targets = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
while True:
    for task, target in zip((archive, report), targets):
        before(task, target)
        task(target)
"""


def test_a_process_killed_at_any_time_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    targets = {archive: tmp_path / "a" / "snapshot.zip", report: tmp_path / "report"}
    for task, target in targets.items():
        before(task, target)
    for _ in range(5):
        line = [sys.executable, "-c", KILLED.replace("before(task, target)\n", ""), *map(str, targets.values())]
        with subprocess.Popen(line, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.2))  # noqa: S311 - any time
            process.kill()
        for task, target in targets.items():
            assert state(task, target) in ("old", "new")


def test_permissions_of_a_file_stay_and_new_ones_are_private(tmp_path: Path) -> None:
    old, new, shared = tmp_path / "old", tmp_path / "new", tmp_path / "shared"
    old.write_text("old")
    old.chmod(0o4640)
    previous = os.umask(0o027)
    try:
        for path in (old, new):
            files.write(path, b"new")
        files.write(shared, b"new", files.USUAL)
    finally:
        os.umask(previous)
    assert [path.stat().st_mode & 0o7777 for path in (old, new, shared)] == [0o640, 0o600, 0o640]


def test_a_link_in_the_way_of_the_unfinished_file_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "0")
    (tmp_path / ".zone-audit-0.part").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        files.write(tmp_path / "out", b"new")
    assert not (tmp_path / "victim").exists()


def test_devices_are_written_in_place_and_may_be_full() -> None:
    assert write_files({Path("/dev/null"): b"x"}) == []
    (error,) = write_files({Path("/dev/full"): b"x"})
    assert str(error) == "`/dev/full` cannot be written: No space left on device"
    assert Path("/dev/null").is_char_device()
