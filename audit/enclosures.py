"""Files that go with a report: results, findings for other tools, and the matrix and exceptions as they were given.

Input: a Report and what people wrote for it. Output: bytes under fixed names. Decisions: a file is enclosed only if its
digest is the one that the report was made from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from audit.exports import results_v1, sarif
from audit.report import InputRecord, Report

MEDIA: Mapping[str, str] = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".sarif": "application/sarif+json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
}
"""Suffix of an enclosed file to its media type."""
SUFFIXES: Mapping[str, str] = {".yml": ".yaml", ".yaml": ".yaml", ".json": ".json", ".csv": ".csv", ".xlsx": ".xlsx"}
GIVEN: Mapping[str, tuple[str, str]] = {
    "zones": ("matrix", "Zone matrix as given"),
    "exceptions": ("exceptions", "Exceptions as given"),
}
"""Role of an input to the name and the description of what is enclosed; never the name that the user's file has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """One file."""

    name: str
    media_type: str
    description: str
    data: bytes
    source: bool = False
    """Whether the report is made from it, not the other way round."""

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def results(report: Report) -> Enclosure:
    """Every record of the report."""
    return Enclosure(
        name="results.json",
        media_type=MEDIA[".json"],
        description="Every record of this report",
        data=results_v1.render(report),
        source=True,
    )


def findings(report: Report) -> Enclosure:
    """The findings as other tools read them."""
    return Enclosure(
        name="findings.sarif",
        media_type=MEDIA[".sarif"],
        description="Findings in SARIF 2.1.0",
        data=sarif.render(report),
    )


def given(report: Report, contents: Mapping[str, bytes]) -> tuple[Enclosure, ...]:
    """What people declared, matrix first; `contents` are their files by role."""
    return tuple(
        found
        for role in GIVEN
        for record in report.inputs
        if record.role == role
        for found in _enclosed(record, contents.get(role, b""))
    )


def _enclosed(record: InputRecord, data: bytes) -> Iterator[Enclosure]:
    if hashlib.sha256(data).hexdigest() != record.sha256:
        return
    name, description = GIVEN[record.role]
    suffix = SUFFIXES.get(PurePath(record.file).suffix.lower(), ".yaml")
    yield Enclosure(name=f"{name}{suffix}", media_type=MEDIA[suffix], description=description, data=data, source=True)
