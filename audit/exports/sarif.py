"""SARIF 2.1.0 of everything that was judged: passes and open questions as well as failures.

Kinds follow the verdicts: pass, fail, open for what nobody could decide, review for what a person must look at,
notApplicable. Excepted results fail and are suppressed. Controls are taxonomies, what was not seen is a notification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from audit.exports.entries import (
    FINGERPRINT,
    NO_FILE,
    Entry,
    cluster_of,
    entries,
    evaluated,
    place,
    safe,
    sentences,
    split_control,
    split_subject,
)
from audit.model import VERDICTS, Severity, Verdict
from audit.report import ExceptionRecord, Report, Step
from audit.report_annex import AbsentFinding, ControlRecord
from audit.safetext import sarif_message
from audit.summary import not_seen, split_fix

Json = dict[str, Any]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KINDS: Mapping[Verdict, str] = {
    "pass": "pass",
    "fail": "fail",
    "excepted": "fail",
    "not-evaluated": "open",
    "not-applicable": "notApplicable",
    "manual": "review",
}
LEVELS: Mapping[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
SCORES: Mapping[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}
"""`security-severity`: numbers as text, in the bands that GitHub reads them by."""
ROOT, SNAPSHOT = "SRCROOT", "SNAPSHOT"
BASES: Json = {
    ROOT: {"description": {"text": "The directory that the scan was started in."}},
    SNAPSHOT: {"description": {"text": "Stands for the objects of a cluster, which have no files."}},
}
STATES = frozenset({"new", "unchanged", "updated"})
RELATED = 100
"""Related places of a result; code scanning shows no more and refuses a file with more than 1,000."""


def render(report: Report) -> bytes:
    """UTF-8 JSON, a value per line."""
    return encoded(document(report))


def encoded(log: Json) -> bytes:
    """The log as bytes."""
    return msgspec.json.format(msgspec.json.encode(log), indent=1) + b"\n"


def document(
    report: Report, wanted: Callable[[Entry], bool] = lambda _: True, *, most: int | None = None, problems: bool = False
) -> Json:
    """The log. `wanted` picks the entries, `most` limits their number; the log says how many were left out.

    With `problems`, every result is written for consumers that take each one for a problem.
    """
    report = safe(report)
    listed = [one for one in entries(report) if wanted(one)]
    kept = listed[:most]
    rules, taxa = _rules(report, kept), _taxa(report, kept)
    results = [_result(one, report, rules, taxa, problems=problems) for one in kept]
    if report.changes and not problems:
        results += [_absent(one, report, rules) for one in report.changes.absent]
    run: Json = {
        "tool": {"driver": _driver(report, rules, taxa)},
        "automationDetails": {"id": _category(report)},
        "invocations": [_invocation(report, rules, len(listed) - len(kept))],
        "originalUriBaseIds": BASES,
        "artifacts": [_artifact(one.file, one.sha256, one.size, one.role) for one in report.inputs],
        "results": results,
        "taxonomies": [_taxonomy(name, found, report.controls) for name, found in taxa.items()],
        "columnKind": "unicodeCodePoints",
        "properties": _about(report),
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _category(report: Report) -> str:
    """`zone-audit/CLUSTER/MATRIX/`: tells the scans of one cluster from those of another; parts go on with the owner.

    What is uploaded under one category replaces what was there: a part would close all alerts of the others.
    """
    owner = (report.part.owner or "unowned",) if report.part else ()
    parts = (cluster_of(report), report.matrix.name or "matrix", *owner)
    return "/".join(["zone-audit", *(quote(part, safe="") for part in parts), ""])


def _about(report: Report) -> Json:
    counts = msgspec.to_builtins(report.counts, order="deterministic")
    matrix = {"name": report.matrix.name, "version": report.matrix.version, "sha256": report.matrix.sha256}
    return {"verdict": report.verdict, "headline": report.headline, "failOn": report.fail_on, "counts": counts,
            "matrix": matrix, "source": report.scope.source, "rulePack": report.rule_pack}  # fmt: skip


# The tool ------------------------------------------------------------------------------------------------------------

Rules = Mapping[str, tuple[int, str, Severity, tuple[str, ...]]]
"""Id to index, title, severity and controls."""
Taxa = Mapping[str, Mapping[str, int]]
"""Framework to control to index."""


def _rules(report: Report, listed: Iterable[Entry]) -> Rules:
    """The rules of the report, then whatever else results name."""
    found: dict[str, tuple[str, Severity, tuple[str, ...]]] = {
        one.id: (one.title, one.severity, one.controls) for one in report.rules
    }
    for entry in listed:
        found.setdefault(entry.rule, (entry.title, entry.severity, entry.controls))
    for gone in report.changes.absent if report.changes else ():
        found.setdefault(gone.rule, (gone.title, "info", ()))
    return {name: (index, *about) for index, (name, about) in enumerate(found.items())}


def _taxa(report: Report, listed: Iterable[Entry]) -> Taxa:
    """Every control that a rule, a result or the report names, by framework, sorted."""
    named = {split_control(one) for rule in report.rules for one in rule.controls}
    named |= {split_control(one) for entry in listed for one in entry.controls}
    named |= {(one.framework, one.control) for one in report.controls}
    found: dict[str, dict[str, int]] = {}
    for framework, control in sorted(named):
        inner = found.setdefault(framework, {})
        inner[control] = len(inner)
    return found


def _driver(report: Report, rules: Rules, taxa: Taxa) -> Json:
    name, _, version = report.tool.rpartition(" ")
    return {
        "name": name or version,
        "version": version,
        "semanticVersion": version,
        "rules": [_descriptor(one, *about[1:], taxa) for one, about in rules.items()],
        "supportedTaxonomies": [{"name": framework, "index": index} for index, framework in enumerate(taxa)],
    }


def _descriptor(name: str, title: str, severity: Severity, controls: Sequence[str], taxa: Taxa) -> Json:
    text = _sentence(title)
    return {
        "id": name,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "help": {"text": f"`zone-audit rules show {sarif_message(name)}` says what it checks, why, and how to fix it."},
        "defaultConfiguration": {"level": LEVELS[severity]},
        "relationships": [{"target": one, "kinds": ["relevant"]} for one in _references(controls, taxa)],
        "properties": {
            "security-severity": SCORES[severity],
            "tags": ["security", "network-segmentation", *controls[:8]],
        },
    }


def _references(controls: Iterable[str], taxa: Taxa) -> list[Json]:
    places = {framework: index for index, framework in enumerate(taxa)}
    named = [split_control(one) for one in controls]
    return [
        {
            "id": control,
            "index": taxa[framework][control],
            "toolComponent": {"name": framework, "index": places[framework]},
        }
        for framework, control in dict.fromkeys(named)
    ]


def _taxonomy(framework: str, controls: Mapping[str, int], records: Iterable[ControlRecord]) -> Json:
    """The controls of a framework with what they ask for, in our words, and what the scan says that supports them."""
    known = {one.control: one for one in records if one.framework == framework}
    titles = [one.framework_title for one in known.values()]
    return {
        "name": framework,
        "fullName": next((title for title in titles if title), framework),
        "shortDescription": {"text": "Controls that results of this scan support; none of them proves one."},
        "taxa": [{"id": control} | (_taxon(known[control]) if control in known else {}) for control in controls],
    }


def _taxon(record: ControlRecord) -> Json:
    about = {"result": record.result, "supportingOnly": record.supporting_only}
    return {"shortDescription": {"text": _sentence(record.text or record.control)}, "properties": about}


def _sentence(text: str) -> str:
    """A message of SARIF: one sentence with its period."""
    return f"{sarif_message(text.rstrip('.'))}."


# The run -------------------------------------------------------------------------------------------------------------


def _invocation(report: Report, rules: Rules, left_out: int) -> Json:
    """Whether the scan could do its work, and everything that it could not see."""
    told = [_notification(f"{one.what}: {one.extent}" + (f" ({one.reason})" if one.reason else ""), "warning")
            for one in not_seen(report)]  # fmt: skip
    told += [
        _notification(f"{one.id} ({one.verdict}): {one.reason}", "warning" if one.verdict == "fail" else "error")
        | {"associatedRule": {"id": one.id, "index": rules[one.id][0]}}
        for one in report.rules
        if one.reason and one.verdict in ("not-evaluated", "fail")
    ]
    if left_out:
        told.append(_notification(f"{left_out:,} more results are left out; the results JSON has all", "warning"))
    started = report.collection.started if report.collection else report.created
    return {
        "executionSuccessful": evaluated(report),
        "exitCode": report.exit_code,
        "startTimeUtc": started or report.created,
        "endTimeUtc": report.created,
        "toolExecutionNotifications": told,
    }


def _notification(text: str, level: str) -> Json:
    return {"level": level, "message": {"text": _sentence(text)}}


def _artifact(file: str, sha256: str, size: int, role: str) -> Json:
    found: Json = {
        "location": _uri(file),
        "length": size,
        "roles": ["analysisTarget" if role == "source" else "userSpecifiedConfiguration"],
    }
    return found | ({"hashes": {"sha-256": sha256}} if sha256 else {})


def _uri(file: str) -> Json:
    """Where a file is: within the directory of the scan, within a snapshot, or anywhere."""
    if file.startswith("/"):
        return {"uri": f"file://{quote(file)}"}
    if file.startswith("snapshot/"):
        return {"uri": file, "uriBaseId": SNAPSHOT}
    return {"uri": quote(file.removeprefix("./")), "uriBaseId": ROOT}


# Results -------------------------------------------------------------------------------------------------------------


def _result(entry: Entry, report: Report, rules: Rules, taxa: Taxa, *, problems: bool) -> Json:
    kind = "fail" if problems else KINDS[entry.verdict]
    level = LEVELS[entry.severity] if entry.verdict in ("fail", "excepted") else "warning" if problems else "none"
    found: Json = {
        "ruleId": entry.rule,
        "ruleIndex": rules[entry.rule][0],
        "kind": kind,
        "level": level,
        "message": {"text": _message(entry)},
        "locations": [_location(entry, report)],
        "partialFingerprints": {FINGERPRINT: entry.identity, "primaryLocationLineHash": f"{entry.identity[:16]}:1"},
        "fingerprints": {FINGERPRINT: entry.identity},
        "taxa": _references(entry.controls, taxa),
        "properties": _properties(entry),
    }
    if entry.path:
        steps = [{"location": _step(step, report)} for step in entry.path]
        found["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if related := entry.subjects[1 : RELATED + 1]:
        found["relatedLocations"] = [{"logicalLocations": [_object(one, report)]} for one in related]
    if entry.verdict == "excepted":
        found["suppressions"] = [_suppression(entry, report.exceptions)]
    if entry.baseline_state in STATES and report.changes:
        found["baselineState"] = entry.baseline_state
    return found


def _message(entry: Entry) -> str:
    """What is wrong, what was expected and seen, and what to do; sentences."""
    fix = split_fix(entry.fix)[0]
    return sarif_message(sentences(entry.title, entry.text, f"To do: {fix}" if fix else ""))


def _location(entry: Entry, report: Report) -> Json:
    """The file and, beside it, the object; code scanning drops results without a file."""
    found: Json = {
        "physicalLocation": {"artifactLocation": _uri(entry.file), "region": {"startLine": entry.line}},
    }
    if entry.subjects:
        found["logicalLocations"] = [_object(entry.subjects[0], report)]
    elif entry.pair:
        found["logicalLocations"] = [{"name": entry.pair, "kind": "zone-pair" if entry.to_zone else "zone"}]
    return found


def _object(subject: str, report: Report) -> Json:
    kind, namespace, name = split_subject(subject)
    full = "/".join(part for part in (cluster_of(report), kind, namespace, name) if part)
    return {"name": name, "kind": "resource", "fullyQualifiedName": full}


def _step(step: Step, report: Report) -> Json:
    text = f"{step.direction} {step.text}".strip()
    found: Json = {"message": {"text": _sentence(text)}}
    if step.file not in NO_FILE:
        region = {"region": {"startLine": max(step.line, 1)}}
        found["physicalLocation"] = {"artifactLocation": _uri(step.file)} | region
    if step.object:
        found["logicalLocations"] = [_object(step.object, report)]
    return found


def _suppression(entry: Entry, exceptions: Iterable[ExceptionRecord]) -> Json:
    record = next((one for one in exceptions if one.id == entry.exception), None)
    parts = [f"exception {entry.exception}"]
    if record:
        parts += [f"ticket {record.ticket}"] if record.ticket else []
        parts += [f"approved by {record.approved_by}"] if record.approved_by else []
        parts += [f"expires on {record.expires_on}"] if record.expires_on else []
        parts += [record.justification] if record.justification else []
    return {"kind": "external", "status": "accepted", "justification": "; ".join(parts)}


def _properties(entry: Entry) -> Json:
    """What SARIF has no field for; empty values are left out."""
    named: Json = {
        "record": entry.record,
        "verdict": entry.verdict,
        "severity": entry.severity,
        "fromZone": entry.from_zone,
        "toZone": entry.to_zone,
        "service": entry.service,
        "owner": entry.owner,
        "matrixRow": entry.matrix_row,
        "exception": entry.exception,
        "refusedExceptions": list(entry.refused_exceptions),
        "firstSeen": entry.first_seen,
        "fix": entry.fix,
        "counts": {name: number for name, number in sorted(entry.counts.items()) if number},
    }
    return {name: value for name, value in named.items() if value}


def _absent(gone: AbsentFinding, report: Report, rules: Rules) -> Json:
    """A result of the baseline that is no longer there."""
    verdict: Verdict = next((one for one in VERDICTS if one == gone.verdict), "fail")
    doubt = " (its rule was not evaluated this time)" if gone.unproven else ""
    file, line = place(gone.subjects, (), report.matrix.file)
    return {
        "ruleId": gone.rule,
        "ruleIndex": rules[gone.rule][0],
        "kind": KINDS[verdict],
        "level": "note" if KINDS[verdict] == "fail" else "none",
        "message": {"text": _sentence(f"{gone.title}: no longer found{doubt}")},
        "locations": [{"physicalLocation": {"artifactLocation": _uri(file), "region": {"startLine": line}}}],
        "partialFingerprints": {FINGERPRINT: gone.fingerprint},
        "fingerprints": {FINGERPRINT: gone.fingerprint},
        "baselineState": "absent",
        "properties": {"record": "absent", "verdict": gone.verdict, "severity": gone.severity, "owner": gone.owner},
    }
