"""Refuses outputs that would replace what is read, or that the next scan of a directory would read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from audit.commands.live import is_live
from audit.errors import UsageError

_STANDARD_INPUT = "/dev/stdin"
"""Where the system shows the file that `-` is read from, if it is one."""


def keep_inputs(outputs: Iterable[Path], sources: Iterable[str], files: Iterable[str | None] = ()) -> None:
    """UsageError for an output that is an input, by whatever name or link; nothing is read but directories.

    `sources` are SOURCE arguments, `files` what else is read: the matrix, the exceptions, a directory of rules.
    """
    given = [Path(one) for one in files if one]
    read = [Path(_STANDARD_INPUT if source == "-" else source) for source in sources if not is_live(source)]
    named = [found for one in given for found in ([one, *one.glob("*.py")] if one.is_dir() else [one])]
    for path in outputs:
        for folder in filter(Path.is_dir, read):
            if _would_be_read(path, folder):
                hint = f"the next scan of `{folder}` would read it; write it elsewhere"
                raise UsageError(f"output `{path}` lies in the scanned directory `{folder}`", hint=hint)
        for one in (*named, *_files(read)):
            if _same(path, one):
                raise UsageError(f"output `{path}` would replace an input", hint="write it elsewhere")


def _would_be_read(path: Path, folder: Path) -> bool:
    from audit.sources.archive import is_snapshot
    from audit.sources.text import SUFFIXES

    root = folder.resolve()
    if not path.is_relative_to(root):
        return False
    if is_snapshot(folder):  # where nothing may lie that its manifest does not name
        return True
    if path.suffix.lower() not in SUFFIXES:
        return False
    return not any(part.startswith(".") for part in path.relative_to(root).parts)


def _files(sources: Iterable[Path]) -> Iterator[Path]:
    """The files that the sources hold, those of directories among them."""
    from audit.sources.inputs import listed

    for source in sources:
        if source.is_dir():
            yield from listed(str(source), [])
        else:
            yield source


def _same(output: Path, other: Path) -> bool:
    try:
        return output.samefile(other)
    except (OSError, ValueError):  # one of them does not exist, or cannot
        return False
