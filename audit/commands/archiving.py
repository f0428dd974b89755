"""`--archive DIR --keep N`: what a run wrote, in a folder of its own that no later run touches; the oldest go."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from audit import files
from audit.commands.outlets import Outlet
from audit.commands.overwriting import keep_inputs
from audit.errors import RenderError, UsageError

_NAME = "%Y%m%dT%H%M%SZ"
"""Of a folder: the time of the run, so that names sort by age."""
_FOLDER = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True, slots=True)
class Archive:
    """Where copies of `files` go."""

    folder: Path
    keep: int | None
    files: tuple[Path, ...]

    def add(self, created: dt.datetime) -> None:
        """A new folder with all files appears, or none does; then the oldest beyond `keep` are removed.

        RenderError where that cannot be done.
        """
        place = self.folder / created.strftime(_NAME)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            if place.exists():
                raise RenderError(f"`{place}` is there already", hint="an archive holds one run for each second")
            with files.new_folder(place) as part:
                for path in self.files:
                    _copy(path, part / path.name)
            for folder in self._surplus(place):
                shutil.rmtree(folder)
        except OSError as error:
            raise RenderError(f"archive `{place}`: {error.strerror or error}") from error

    def _surplus(self, added: Path) -> Iterator[Path]:
        """Folders of older runs, of which too many are kept; what else lies there is none of ours."""
        if self.keep is None:
            return
        found = [one for one in self.folder.iterdir() if _FOLDER.fullmatch(one.name) and one != added]
        runs = sorted(one for one in found if one.is_dir() and not one.is_symlink())
        yield from runs[: max(0, len(runs) + 1 - self.keep)]


def archive_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options `--archive` and `--keep`."""
    keep = click.option(
        "--keep", metavar="N", type=click.IntRange(min=1), help="With --archive: remove all folders but the newest N."
    )
    archive = click.option(
        "--archive",
        metavar="DIR",
        help="Keep a copy of the files of every `-o`, and of the snapshot that was read, in a new folder of DIR.",
    )
    return archive(keep(function))


def archive_of(
    folder: str | None, keep: int | None, chosen: Iterable[Outlet], sources: Sequence[str], inputs: Iterable[str | None]
) -> Archive | None:
    """What was asked for; UsageError for what makes no sense or must not be.

    `inputs` are the files that are read beside the sources.
    """
    if folder is None:
        if keep is not None:
            raise UsageError("`--keep` needs an archive", hint="name a directory with `--archive`")
        return None
    from audit.sources.archive import is_snapshot

    written = [one.path for one in chosen if one.path is not None]
    if not written:
        raise UsageError("`--archive` needs files to keep", hint="write them with `-o`")
    snapshots = [Path(one) for one in sources if Path(one).is_file() and is_snapshot(one)]
    kept = (*written, *snapshots)
    names = [path.name for path in kept]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two files named `{name}` would go into one folder of the archive")
    root = Path(folder).resolve()
    if root.exists() and not root.is_dir():
        raise UsageError(f"archive `{root}` is no directory")
    if not root.parent.is_dir():
        raise UsageError(f"directory `{root.parent}` for the archive does not exist")
    keep_inputs([root / "run" / name for name in names], sources, inputs)
    return Archive(root, keep, kept)


def _copy(source: Path, target: Path) -> None:
    """A private copy, on the disk at the end."""
    with source.open("rb") as reading, files.created(target) as handle, os.fdopen(handle, "wb", closefd=False) as out:
        shutil.copyfileobj(reading, out)
