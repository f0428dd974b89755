"""OSCAL assessment results 1.1.3: findings about control objectives, the observations behind them, and risks.

What fails is not satisfied with an open risk, what is excepted not satisfied with a deviation approved, what could not
be decided not satisfied for another reason, and what a person must look at an observation to examine. A result supports
a control; that a control is met says nobody here. UUIDs are made from fingerprints, so equal reports are equal files.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from audit.exports import results_v1
from audit.exports.entries import Entry, cluster_of, entries, safe, split_control
from audit.model import Verdict
from audit.report import Report
from audit.safetext import markdown_text
from audit.summary import not_seen, split_fix, totals

Json = dict[str, Any]

VERSION = "1.1.3"
"""Of OSCAL; documents of this version fit the schema of 1.2.3 as well."""
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:zone-audit:oscal")
PROPERTIES = "urn:zone-audit:oscal"
NIST = "nist-800-53r5"
"""Its controls have identifiers in the catalogue of OSCAL, which are used as they are."""
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9._-]")


class Status(NamedTuple):
    """What a verdict says of an objective."""

    state: str
    reason: str
    risk: str = ""
    """Status of the risk; empty where there is none."""


STATUSES: Mapping[Verdict, Status] = {
    "pass": Status("satisfied", "pass"),
    "fail": Status("not-satisfied", "fail", "open"),
    "excepted": Status("not-satisfied", "other", "deviation-approved"),
    "not-evaluated": Status("not-satisfied", "other"),
}
"""Verdict to finding. What a person must look at is an observation only, what does not apply is left out."""


def render(report: Report) -> bytes:
    """UTF-8 JSON."""
    digest = results_v1.digest(results_v1.render(report))
    report = safe(report)
    listed = entries(report)
    document = {
        "uuid": _uuid("document", digest),
        "metadata": _metadata(report, digest),
        "import-ap": {"href": f"#{_uuid('plan', report.matrix.sha256)}"},
        "results": [_result(report, listed, digest)],
        "back-matter": {"resources": list(_resources(report))},
    }
    return msgspec.json.format(msgspec.json.encode({"assessment-results": document}), indent=1) + b"\n"


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(parts)))


def _time(text: str) -> str:
    """The time with its zone, as OSCAL wants it; the beginning of 1970 for what is no time."""
    try:
        moment = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except ValueError:
        moment = dt.datetime.fromtimestamp(0, dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(text: str) -> str:
    """Text as one line of markup, never empty."""
    return markdown_text(text.strip()) or "none"


def token(text: str) -> str:
    """The text as an OSCAL token: letters, digits, points, dashes and underscores after a letter or underscore."""
    plain = _NOT_TOKEN.sub("_", text)
    return plain if plain[:1].isalpha() else f"_{plain}"


def control_id(control: str) -> str:
    """`sc-7.5` of NIST as the catalogue has it; others with their framework: `pci-dss-4.0.1_1.3.1`.

    Identifiers may not start with a digit.
    """
    framework, name = split_control(control)
    return token(name) if framework == NIST else token(f"{framework}_{name}")


def _objective(entry: Entry) -> str:
    """The objective that the entry is about: that of its first NIST control, of its first control, or of its rule."""
    named = sorted(entry.controls, key=lambda one: not one.startswith(f"{NIST}/"))
    return f"{control_id(named[0]) if named else token(f'zone-audit_{entry.rule}')}_obj"


def _props(named: Mapping[str, str]) -> list[Json]:
    return [{"name": name, "ns": PROPERTIES, "value": text.strip()} for name, text in named.items() if text.strip()]


# The document --------------------------------------------------------------------------------------------------------


def _metadata(report: Report, digest: str) -> Json:
    return {
        "title": _line(f"Zone audit of {cluster_of(report)} against {report.matrix.name}"),
        "last-modified": _time(report.created),
        "version": digest[:12],
        "oscal-version": VERSION,
        "props": _props({"tool": report.tool, "rule-pack": report.rule_pack, "verdict": report.verdict}),
    }


def _resources(report: Report) -> Iterator[Json]:
    """The matrix, which is the plan that was assessed by, then every input with its hash."""
    matrix = report.matrix
    approved = f"Approved by {matrix.approved_by} on {matrix.approved_on}" if matrix.approved_by else "Not approved"
    yield {
        "uuid": _uuid("plan", matrix.sha256),
        "title": _line(f"Zone matrix {matrix.name} {matrix.version}"),
        "description": _line(f"The flows that are allowed between zones. {approved}."),
    }
    for one in report.inputs:
        link: Json = {"href": quote(one.file)}
        if one.sha256:
            link["hashes"] = [{"algorithm": "SHA-256", "value": one.sha256}]
        yield {"uuid": _uuid("input", one.role, one.file, one.sha256), "title": _line(one.file), "rlinks": [link],
               "props": _props({"role": one.role})}  # fmt: skip


def _result(report: Report, listed: Iterable[Entry], digest: str) -> Json:
    listed = tuple(listed)
    observations = [one for one in listed if one.verdict in STATUSES or one.verdict == "manual"]
    judged = [one for one in listed if one.verdict in STATUSES]
    risks = [_risk(one, report) for one in judged if STATUSES[one.verdict].risk]
    started = report.collection.started if report.collection else ""
    found: Json = {
        "uuid": _uuid("result", digest),
        "title": _line(f"Scan of {report.created}"),
        "description": _line(report.headline),
        "start": _time(started or report.created),
        "end": _time(report.created),
        "props": _props({"exit-code": str(report.exit_code), "fail-on": report.fail_on}),
        "reviewed-controls": _reviewed(report, listed),
        "attestations": [{"parts": [_completeness(report)]}],
        "observations": [_observation(one, report) for one in observations],
        "risks": risks,
        "findings": [_finding(one) for one in judged],
    }
    return {name: value for name, value in found.items() if value}


def _reviewed(report: Report, listed: Iterable[Entry]) -> Json:
    named = {one for rule in report.rules for one in rule.controls} | {one for e in listed for one in e.controls}
    named |= {f"{one.framework}/{one.control}" for one in report.controls}
    chosen: Json = {"include-all": {}}
    if named:
        chosen = {"include-controls": [{"control-id": one} for one in sorted(set(map(control_id, named)))]}
    text = "Controls that results of this scan support; none of them is shown to be met."
    return {"control-selections": [{"description": text} | chosen]}


def _completeness(report: Report) -> Json:
    """What was and was not seen, with the totals."""
    unseen = [f"{one.what}: {one.extent}" + (f" ({one.reason})" if one.reason else "") for one in not_seen(report)]
    lines = [*map(str, totals(report)), *(unseen or ["Nothing was left unseen."])]
    limits = "Static analysis of configuration; it supports a test of segmentation and does not replace one."
    return {
        "uuid": _uuid("completeness", report.created, cluster_of(report)),
        "name": "completeness",
        "ns": PROPERTIES,
        "title": "Completeness and limitations",
        "prose": "\n\n".join([*map(_line, lines), limits]),
    }


# Entries -------------------------------------------------------------------------------------------------------------


def _observation(entry: Entry, report: Report) -> Json:
    text = entry.text or entry.title
    return {
        "uuid": _uuid("observation", entry.identity),
        "title": _line(entry.title),
        "description": _line(text),
        "methods": ["EXAMINE" if entry.verdict == "manual" else "TEST"],
        "types": ["control-objective"],
        "collected": _time(report.collection.ended if report.collection else report.created),
        "props": _about(entry),
    } | ({"relevant-evidence": evidence} if (evidence := _evidence(entry)) else {})


def _evidence(entry: Entry) -> list[Json]:
    """Objects on the way with their places, then connections that show it."""
    steps = [(f"{one.direction} {one.object}: {one.text}", one.file, one.line) for one in entry.path]
    texts = [f"{text} ({file}:{line})" if file else text for text, file, line in steps]
    texts += [f"{one.source} reaches {one.target} on {one.port}" for one in entry.evidence]
    return [{"description": _line(text)} for text in texts]


def _about(entry: Entry) -> list[Json]:
    return _props(
        {
            "record": entry.record,
            "verdict": entry.verdict,
            "severity": entry.severity,
            "rule": entry.rule,
            "fingerprint": entry.identity,
            "from-zone": entry.from_zone,
            "to-zone": entry.to_zone,
            "service": entry.service,
            "objects": ", ".join(entry.subjects),
            "owner": entry.owner,
            "exception": entry.exception,
        }
    )


def _finding(entry: Entry) -> Json:
    status = STATUSES[entry.verdict]
    found: Json = {
        "uuid": _uuid("finding", entry.identity),
        "title": _line(entry.title),
        "description": _line(entry.text or entry.title),
        "props": _about(entry),
        "target": {
            "type": "objective-id",
            "target-id": _objective(entry),
            "status": {"state": status.state, "reason": status.reason},
        },
        "related-observations": [{"observation-uuid": _uuid("observation", entry.identity)}],
    }
    if status.risk:
        found["related-risks"] = [{"risk-uuid": _uuid("risk", entry.identity)}]
    return found


def _risk(entry: Entry, report: Report) -> Json:
    sentence = split_fix(entry.fix)[0]
    record = next((one for one in report.exceptions if one.id == entry.exception), None)
    found: Json = {
        "uuid": _uuid("risk", entry.identity),
        "title": _line(entry.title),
        "description": _line(entry.text or entry.title),
        "statement": _line(f"{entry.severity}: {entry.title}"),
        "status": STATUSES[entry.verdict].risk,
        "props": _about(entry),
    }
    if record and record.expires_on:
        found["deadline"] = _time(f"{record.expires_on}T00:00:00Z")
    if sentence:
        found["remediations"] = [
            {
                "uuid": _uuid("remediation", entry.identity),
                "lifecycle": "recommendation",
                "title": _line(f"Remedy for {entry.rule}"),
                "description": _line(sentence),
            }
        ]
    return found
