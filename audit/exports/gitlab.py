"""GitLab Code Quality: what fails and what could not be decided, as a JSON array of issues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from audit.exports.entries import Entry, entries, relative, safe, sentences
from audit.model import Severity
from audit.report import Report
from audit.summary import split_fix

SEVERITIES: Mapping[Severity, str] = {
    "critical": "blocker",
    "high": "critical",
    "medium": "major",
    "low": "minor",
    "info": "info",
}


def render(report: Report) -> bytes:
    """UTF-8 JSON, worst first; fingerprints are unique, since GitLab shows equal ones once."""
    wanted = ("fail", "not-evaluated")
    issues = [_issue(one) for one in entries(safe(report)) if one.verdict in wanted]
    return msgspec.json.format(msgspec.json.encode(issues), indent=1) + b"\n"


def _issue(entry: Entry) -> dict[str, Any]:
    return {
        "description": sentences(entry.title, entry.text, split_fix(entry.fix)[0]),
        "check_name": entry.rule,
        "fingerprint": entry.identity,
        "severity": SEVERITIES[entry.severity] if entry.verdict == "fail" else "major",
        "location": {"path": relative(entry.file), "lines": {"begin": entry.line}},
    }
