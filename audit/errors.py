"""Errors a user can act on: what is wrong, where, and what to do about it.

Messages are one lower-case sentence without a final period, the user's own words in backticks.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

USAGE, INCOMPLETE, INTERNAL = 2, 3, 4
_LISTED = 8
"""Known words that a hint lists when none is near."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in something the user wrote."""

    file: str
    line: int = 0
    """1-based; 0 when only the file is known."""
    column: int = 0
    """1-based; 0 when unknown. In a spreadsheet `cell` says more."""
    cell: str = ""
    """Spreadsheet coordinate such as `D3`, else empty."""

    def __str__(self) -> str:
        parts = [self.file, self.cell, *(str(n) for n in (self.line, self.column) if n and not self.cell)]
        return ":".join(part for part in parts if part)


class AuditError(Exception):
    """Root of every error that zone-audit reports without a traceback; `exit_code` is what the process returns."""

    exit_code = USAGE

    def __init__(self, message: str, position: Position | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.position}: " if self.position else ""
        return f"{where}{self.message}" + (f" (hint: {self.hint})" if self.hint else "")


class InputError(AuditError):
    """A source cannot be read as Kubernetes objects, or an object in it is one that no API server would hold."""


class MatrixError(AuditError):
    """The zone matrix or the exceptions file is wrong."""


class UsageError(AuditError):
    """The command line asks for something that cannot be done."""


class AccessError(AuditError):
    """A cluster cannot be asked: its kubeconfig, credentials or certificates are wrong, missing or not allowed."""


class RenderError(AuditError):
    """An output could not be written; the message names what is missing (a system library, a directory)."""


class AuditErrors(AuditError):  # noqa: N818 - the plural says that it holds several
    """Several errors found in one pass, in file order, so that a user repairs a file once.

    `str()` gives one line per error.
    """

    def __init__(self, errors: Iterable[AuditError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or lists a few of them; empty if nothing is known."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return (
        "known: " + ", ".join(f"`{w}`" for w in words[:_LISTED]) + (", ..." if len(words) > _LISTED else "")
        if words
        else ""
    )
