"""The objects that findings rest on: how often, where they were read, and the digest of what they were read from.

Input: a Report. Output: one line per object, those with most findings first. Decisions: an object is as findings name
it; its digest is that of its file, since that is what a second reader can compute.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from audit.report import Report


@dataclass(frozen=True, slots=True)
class FaultyObject:
    """One object."""

    object: str
    """`Kind namespace/name`"""
    findings: int
    file: str = ""
    line: int = 0
    sha256: str = ""
    """Of the file; empty when it is not known."""


def faulty_objects(report: Report) -> tuple[FaultyObject, ...]:
    """Every subject of a finding, once."""
    digests = {one.file: one.sha256 for one in report.inputs}
    counts = Counter(subject for finding in report.findings for subject in dict.fromkeys(finding.subjects))
    places = {one.object: one for one in report.objects}
    found = []
    for subject, count in counts.items():
        place = places.get(subject)
        file, line = (place.file, place.line) if place else ("", 0)
        found.append(FaultyObject(subject, count, file, line, digests.get(file, "")))
    return tuple(sorted(found, key=lambda one: (-one.findings, one.object)))
