"""What every command has at hand: the time, and ways to write to standard output and to say what goes on."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from typing import BinaryIO

from audit.errors import RenderError, UsageError
from audit.safetext import safe_text

QUIET_SECONDS = 1.0
"""Work that takes less is over before a person wonders about it."""
_PAUSE_SECONDS = 0.1
"""Between two updates of the line: ten a second are readable and cost nothing."""


def on_terminal() -> bool:
    """Whether standard output is a terminal."""
    return bool(sys.stdout and sys.stdout.isatty())


def check_stdout() -> None:
    """UsageError when standard output is closed (`>&-`): a result must not get lost in silence."""
    if sys.stdout is None:
        raise UsageError("standard output is closed", hint="redirect it to a file or to /dev/null")


class Progress:
    """One line on standard error that says what is being done; only on a terminal, only while it takes long."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._next = time.monotonic() + QUIET_SECONDS
        self._shown = False

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Say the stage, with how much of it is done where that is known."""
        now = time.monotonic()
        if not self._live or now < self._next:
            return
        share = f" {done:,} of {total:,}" if total else f" {done:,}" if done else ""
        sys.stderr.write(f"\r\x1b[K{safe_text(stage)}{share} ...")
        sys.stderr.flush()
        self._next, self._shown = now + _PAUSE_SECONDS, True

    def clear(self) -> None:
        """Take the line away again."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of the command line."""

    created: dt.datetime
    """UTC; the only clock that reports and expiry dates see."""
    progress: Progress = field(default_factory=Progress)

    @property
    def stamp(self) -> str:
        """`created` as reports write it."""
        return self.created.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def stdin(self) -> BinaryIO | None:
        """Standard input as bytes; None where it is closed."""
        return sys.stdin.buffer if sys.stdin else None

    @property
    def colour(self) -> bool:
        """Whether standard output is a terminal that wants colours (https://no-color.org)."""
        return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None where standard output is none."""
        return shutil.get_terminal_size().columns if on_terminal() else None

    @property
    def encoding(self) -> str:
        """Of standard output."""
        return (sys.stdout and sys.stdout.encoding) or "utf-8"

    def write(self, content: bytes) -> None:
        """Bytes to standard output; a reader that has gone away is no error, a full disk is a RenderError."""
        self.progress.clear()
        check_stdout()
        try:
            sys.stdout.buffer.write(content)
            sys.stdout.flush()
        except BrokenPipeError:  # as `head` does; the exit code still says what was found
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            raise RenderError(f"standard output cannot be written: {error.strerror or error}") from error

    def print(self, text: str) -> None:
        """Text to standard output, in its encoding; what that cannot hold is spelled out."""
        self.write(text.encode(self.encoding, "backslashreplace"))

    def note(self, text: str) -> None:
        """One line to standard error."""
        self.progress.clear()
        sys.stderr.write(f"zone-audit: {safe_text(text)}\n")
