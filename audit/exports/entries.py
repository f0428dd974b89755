"""What every format reports, record by record: findings, and the zone pairs and rules that no finding stands for.

A zone pair or a rule whose verdict one of its findings carries would be counted twice in a list of problems, so it is
left out of `entries` and kept in `everything`. All others appear: what passed, what nobody could decide, what a person
must look at. Text is safe to show; formats escape it further for what they are.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from audit.checker import CELL_RULE
from audit.model import SEVERITIES, VERDICTS, Severity, Verdict
from audit.report import CellRecord, Exposure, FindingRecord, Report, RuleRecord, Step
from audit.summary import ports_text, shown

Record = Literal["finding", "zone-pair", "rule"]
RECORDS: tuple[Record, ...] = ("finding", "zone-pair", "rule")
FINGERPRINT = "zoneAudit/v1"
"""Key of fingerprints in every format that has keys."""
NO_FILE = ("", "-")
"""Names of what was read from no file: a cluster, and standard input."""
_PAIRS: Mapping[Verdict, str] = {
    "fail": "more is open than the matrix allows",
    "not-evaluated": "could not be decided",
    "excepted": "more is open than the matrix allows, by approved exception",
    "manual": "a person must judge",
    "pass": "nothing is open beyond the matrix",
    "not-applicable": "nothing to judge",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was judged."""

    record: Record
    identity: str
    """Hex that stays the same from run to run: the fingerprint of a finding."""
    rule: str
    verdict: Verdict
    severity: Severity
    title: str
    expected: str = ""
    observed: str = ""
    reason: str = ""
    """Why it is not evaluated, not applicable or for a person."""
    from_zone: str = ""
    to_zone: str = ""
    service: str = ""
    """`tcp/5432`: ports of a finding, the excess of a zone pair."""
    subjects: tuple[str, ...] = ()
    file: str = ""
    """Where it stands, as `place` has it."""
    line: int = 1
    path: tuple[Step, ...] = ()
    evidence: tuple[Exposure, ...] = ()
    fix: str = ""
    controls: tuple[str, ...] = ()
    """`framework/control`"""
    owner: str = ""
    exception: str = ""
    refused_exceptions: tuple[str, ...] = ()
    matrix_row: str = ""
    first_seen: str = ""
    baseline_state: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def pair(self) -> str:
        """`dmz -> database`, one zone, or empty."""
        return " -> ".join(zone for zone in (self.from_zone, self.to_zone) if zone)

    @property
    def text(self) -> str:
        """What was expected and seen, or why there is no verdict, in one line without a final period."""
        parts = [f"expected {self.expected}"] if self.expected else []
        parts += [f"observed {self.observed}"] if self.observed else []
        parts += [self.reason] if self.reason else []
        return "; ".join(part.rstrip(".") for part in parts)


def entries(report: Report) -> tuple[Entry, ...]:
    """Findings, and zone pairs and rules that no finding of the same verdict stands for; worst first."""
    told = {one.fingerprint: one.verdict for one in report.findings if one.rule == CELL_RULE}
    ruled = {(finding.rule, finding.verdict) for finding in report.findings}
    pairs = {(cell.from_zone, cell.to_zone) for cell in report.cells if cell.verdict in map(told.get, cell.findings)}
    return tuple(
        one
        for one in everything(report)
        if one.record == "finding"
        or (one.record == "zone-pair" and (one.from_zone, one.to_zone) not in pairs)
        or (one.record == "rule" and (one.rule, one.verdict) not in ruled)
    )


def everything(report: Report) -> tuple[Entry, ...]:
    """All findings, zone pairs and rules, worst first."""
    cluster = cluster_of(report)
    matrix = report.matrix.file
    reasons = {one.id: f"{one.id}: {one.text}" for one in report.assumptions}
    found = [
        *(_finding(one, matrix) for one in report.findings),
        *(_cell(one, cluster, matrix, reasons) for one in report.cells),
        *(_rule(one, cluster, matrix) for one in report.rules),
    ]
    return tuple(sorted(found, key=lambda one: (VERDICTS.index(one.verdict), -SEVERITIES.index(one.severity))))


def counted(listed: Iterable[Entry]) -> dict[Verdict, int]:
    """Verdict to number of entries, all verdicts present."""
    tally = Counter(one.verdict for one in listed)
    return {verdict: tally[verdict] for verdict in VERDICTS}


def cluster_of(report: Report) -> str:
    """What names the cluster in identities: the UID that it was read with, `manifests` for files."""
    return (report.collection.cluster.uid if report.collection else "") or "manifests"


def evaluated(report: Report) -> bool:
    """Whether everything that should have been judged was."""
    counts = report.counts
    return not any(map_.get("not-evaluated") for map_ in (counts.cells, counts.rules, counts.findings))


def safe(report: Report) -> Report:
    """The report with every string fit to be shown."""
    return shown(report)


def sentences(*parts: str) -> str:
    """The parts that are not empty, each as a sentence; the first begins as it is, since it may begin with a name."""
    first, *rest = [f"{part.rstrip('.')}." for part in parts if part]
    return " ".join([first, *(part[0].upper() + part[1:] for part in rest)])


def split_subject(subject: str) -> tuple[str, str, str]:
    """(kind, namespace, name) of `Kind namespace/name`; the namespace is empty for objects of the cluster."""
    kind, _, rest = subject.partition(" ")
    namespace, slash, name = rest.partition("/")
    return (kind, namespace, name) if slash else (kind, "", rest)


def split_control(control: str) -> tuple[str, str]:
    """(framework, control) of `nist-800-53r5/sc-7`."""
    framework, _, name = control.partition("/")
    return framework, name or framework


def place(subjects: Iterable[str], steps: Iterable[Step], matrix: str) -> tuple[str, int]:
    """File and line of something without a file of its own.

    Those of the first step that has some; else what stands for the first object (`snapshot/NAMESPACE/KIND/NAME.yaml`);
    else the matrix.
    """
    for step in steps:
        if step.file not in NO_FILE:
            return step.file, max(step.line, 1)
    for subject in subjects:
        kind, namespace, name = split_subject(subject)
        parts = (namespace or "_cluster", kind, f"{name}.yaml")
        return "/".join(["snapshot", *(quote(part, safe="") for part in parts)]), 1
    return matrix, 1


def relative(file: str) -> str:
    """The file as a path within a repository: no `./`, no leading slash."""
    return posixpath.normpath(file).lstrip("/")


def _finding(finding: FindingRecord, matrix: str) -> Entry:
    file, line = finding.file, finding.line
    if file in NO_FILE:
        file, line = place(finding.subjects, finding.path, matrix)
    return Entry(
        record="finding",
        identity=finding.fingerprint,
        rule=finding.rule,
        verdict=finding.verdict,
        severity=finding.severity,
        title=finding.title,
        expected=finding.expected,
        observed=finding.observed,
        reason=finding.reason,
        from_zone=finding.from_zone,
        to_zone=finding.to_zone,
        service=ports_text(finding.ports) if finding.ports else "",
        subjects=finding.subjects,
        file=file,
        line=max(line, 1),
        path=finding.path,
        evidence=finding.evidence,
        fix=finding.fix,
        controls=finding.controls,
        owner=finding.owner,
        exception=finding.exception,
        refused_exceptions=finding.refused_exceptions,
        matrix_row=finding.matrix_row,
        first_seen=finding.first_seen,
        baseline_state=finding.baseline_state,
        counts=finding.counts,
    )


def _cell(cell: CellRecord, cluster: str, matrix: str, reasons: Mapping[str, str]) -> Entry:
    return Entry(
        record="zone-pair",
        identity=_identity("zone-pair", cluster, cell.from_zone, cell.to_zone),
        rule=CELL_RULE,
        verdict=cell.verdict,
        severity=cell.severity,
        title=f"{cell.from_zone} -> {cell.to_zone}: {_PAIRS[cell.verdict]}",
        expected=ports_text(cell.expected),
        observed=ports_text(cell.observed),
        reason="; ".join(reasons.get(one, one) for one in cell.reasons),
        from_zone=cell.from_zone,
        to_zone=cell.to_zone,
        service=ports_text(cell.excess) if cell.excess else "",
        file=matrix,
        evidence=(cell.witness,) if cell.witness else (),
        controls=cell.controls,
        owner=cell.owner,
        matrix_row=cell.row,
        counts={"pairs": cell.pairs, "excess_pairs": cell.excess_pairs, "possible_pairs": cell.possible_pairs},
    )


def _rule(rule: RuleRecord, cluster: str, matrix: str) -> Entry:
    return Entry(
        record="rule",
        identity=_identity("rule", cluster, rule.id),
        rule=rule.id,
        verdict=rule.verdict,
        severity=rule.severity,
        title=rule.title,
        reason=rule.reason,
        file=matrix,
        controls=rule.controls,
        counts={"findings": rule.findings},
    )


def _identity(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
