"""JUnit XML: a suite for every ordered zone pair, so that the tree of a CI server is the matrix.

A test case is one entry: rule and service. What fails is a failure, what could not be decided an error, what is
excepted, not applicable or for a person is skipped. Fits Jenkins' `junit-10.xsd`. No durations: none are measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from audit.exports.entries import Entry, counted, entries, safe
from audit.model import Verdict
from audit.report import Report
from audit.safetext import safe_text
from audit.summary import split_fix

OUTCOMES: Mapping[Verdict, str] = {
    "fail": "failure",
    "not-evaluated": "error",
    "excepted": "skipped",
    "not-applicable": "skipped",
    "manual": "skipped",
}
"""Verdict to the element in its test case; one that passes has none."""


def render(report: Report) -> bytes:
    """UTF-8 XML: suites of zone pairs in the order of the matrix, then those of one zone or none and of rules."""
    report = safe(report)
    names = {(cell.from_zone, cell.to_zone): f"{cell.from_zone} -> {cell.to_zone}" for cell in report.cells}
    suites: dict[str, list[Entry]] = {name: [] for name in names.values()}
    listed = entries(report)
    for entry in listed:
        suites.setdefault(_suite_name(entry), []).append(entry)
    root = ET.Element("testsuites", {"name": f"zone-audit {report.matrix.name}", **_numbers(listed, skipped=False)})
    root.extend(_suite(name, found, report) for name, found in suites.items() if found)
    ET.indent(root, " ")
    text = ET.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _suite_name(entry: Entry) -> str:
    if entry.record == "rule":
        return "rules"
    if entry.from_zone and entry.to_zone:
        return f"{entry.from_zone} -> {entry.to_zone}"
    return f"zone {entry.pair}" if entry.pair else "no zone"


def _numbers(listed: Iterable[Entry], *, skipped: bool) -> dict[str, str]:
    counts = counted(listed)
    numbers = {"tests": sum(counts.values()), "failures": counts["fail"], "errors": counts["not-evaluated"]}
    if skipped:
        numbers["skipped"] = sum(counts[verdict] for verdict, name in OUTCOMES.items() if name == "skipped")
    return {name: str(number) for name, number in numbers.items()}


def _suite(name: str, listed: list[Entry], report: Report) -> ET.Element:
    suite = ET.Element("testsuite", {"name": name, **_numbers(listed, skipped=True), "timestamp": report.created[:19]})
    suite.extend(_case(name, entry) for entry in listed)
    return suite


def _case(suite: str, entry: Entry) -> ET.Element:
    """One test case; the fingerprint keeps names apart that are alike otherwise."""
    what = entry.service or ("zone pair" if entry.record == "zone-pair" else "")
    name = f"{entry.rule} {what}: {entry.title}" if what else f"{entry.rule}: {entry.title}"
    case = ET.Element("testcase", {"name": f"{name} [{entry.identity[:8]}]", "classname": suite})
    if outcome := OUTCOMES.get(entry.verdict):
        found = ET.SubElement(case, outcome, {"message": _message(entry), "type": _type(entry)})
        found.text = _text(entry)
    return case


def _message(entry: Entry) -> str:
    if entry.verdict == "excepted":
        return f"{entry.exception}: {entry.title}" if entry.exception else entry.title
    return entry.reason or entry.title


def _type(entry: Entry) -> str:
    return entry.verdict if entry.verdict != "fail" else entry.severity


def _text(entry: Entry) -> str:
    """What a person needs to act, in lines."""
    sentence, yaml = split_fix(entry.fix)
    steps = [f"{step.direction} {step.object}: {step.text}".strip() for step in entry.path]
    named = {
        "expected": entry.expected,
        "observed": entry.observed,
        "reason": entry.reason,
        "objects": ", ".join(entry.subjects),
        "path": "; ".join(steps),
        "place": f"{entry.file}:{entry.line}" if entry.record == "finding" else "",
        "owner": entry.owner,
        "controls": ", ".join(entry.controls),
        "exception": entry.exception,
        "to do": sentence,
        "fingerprint": entry.identity,
    }
    lines = [f"{name}: {safe_text(value)}" for name, value in named.items() if value]
    return "\n".join(["", *lines, *([yaml] if yaml else []), ""])
