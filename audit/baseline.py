"""`--baseline`: an earlier results file, and what became of each of its findings.

Input: a Report and an earlier one. Output: the Report with the state of every finding, when it was first seen, and what
is gone. Decisions: findings are matched by fingerprint; one that fails now and did not fail before is new, whatever it
was; one that is gone is proven gone only if its rule and its pair of zones were evaluated.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import structs

from audit.conclusion import FINDINGS, complete
from audit.errors import INCOMPLETE, InputError, Position
from audit.model import SEVERITIES
from audit.report import SCHEMA, FindingRecord, Report
from audit.report_annex import AbsentFinding, ChangesRecord

State = Literal["new", "unchanged", "updated", "absent"]
"""The words of SARIF 2.1.0 `baselineState`."""
STATES: tuple[State, ...] = ("new", "unchanged", "updated", "absent")
MAX_SIZE = 512 << 20
"""Bytes of a results file."""
_OWN_FIELDS = ("first_seen", "baseline_state", "file", "line")
"""Fields that comparing fills in, and where the object stands: they say nothing of a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Earlier results."""

    name: str
    """File as given, or a run of the history."""
    sha256: str
    report: Report
    content: bytes = b""
    """The file; empty for a run of the history."""


def load(file: str) -> Baseline:
    """The results that an earlier scan wrote with `-f json`; InputError for anything else, with the place."""
    where = Position(file)
    try:
        if Path(file).stat().st_size > MAX_SIZE:
            raise InputError(f"larger than {MAX_SIZE >> 20} MiB, no baseline is", where)
        content = Path(file).read_bytes()
    except OSError as error:
        raise InputError((error.strerror or "cannot be read").lower(), where, "name a file of `-f json`") from error
    return read(file, content)


def read(file: str, content: bytes) -> Baseline:
    """As `load`, of what a file of that name holds, wherever it lies now."""
    digest = hashlib.sha256(content).hexdigest()
    report = decoded(content, Position(file))
    if report.part is not None:
        hint = "name the results of the whole scan, or nearly everything would be new"
        raise InputError("these are the results of one owner only", Position(file), hint)
    return Baseline(name=file, sha256=digest, report=report, content=content)


class _Head(msgspec.Struct):
    schema: str = ""


def decoded(content: bytes, where: Position) -> Report:
    """Results as a Report; InputError for what is none, and for those of another version."""
    hint = "a baseline is what `zone-audit scan ... -f json` wrote"
    try:
        schema = msgspec.json.decode(content, type=_Head).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("no results of zone-audit: it is not the JSON of any", where, hint) from error
    if schema != SCHEMA:
        raise InputError(f"no results of zone-audit that can be compared: `schema` is `{schema}`", where, hint)
    try:
        report = msgspec.json.decode(content, type=Report)
        dt.datetime.strptime(report.created, "%Y-%m-%dT%H:%M:%S%z")
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken results of zone-audit: {error}", where, hint) from error
    return report


def compared(report: Report, baseline: Baseline, *, fail_on_new: bool = False) -> Report:
    """The report with states and changes; with `fail_on_new` only what got worse makes the exit code 1."""
    earlier = {one.fingerprint: one for one in baseline.report.findings}
    findings = tuple(_placed(one, earlier.get(one.fingerprint), report, baseline.report) for one in report.findings)
    kept = {one.fingerprint for one in findings}
    blind = _Blind(report, baseline.report)
    absent = tuple(
        _absent(one, baseline.report, unproven=blind.to(one)) for name, one in earlier.items() if name not in kept
    )
    states = Counter(one.baseline_state for one in findings)
    changes = ChangesRecord(
        baseline=baseline.name,
        sha256=baseline.sha256,
        created=baseline.report.created,
        verdict=baseline.report.verdict,
        counts={state: len(absent) if state == "absent" else states[state] for state in STATES},
        absent=absent,
        remarks=tuple(_remarks(report, baseline.report)),
    )
    made = structs.replace(report, findings=findings, changes=changes)
    return structs.replace(made, exit_code=_exit_code(made, baseline.report)) if fail_on_new else made


def _placed(finding: FindingRecord, before: FindingRecord | None, report: Report, baseline: Report) -> FindingRecord:
    first_seen = (before.first_seen or baseline.created) if before else report.created
    return structs.replace(finding, baseline_state=_state(finding, before), first_seen=first_seen)


def _state(finding: FindingRecord, before: FindingRecord | None) -> State:
    if before is None or (finding.verdict == "fail" and before.verdict != "fail"):
        return "new"
    same = all(
        getattr(finding, field) == getattr(before, field)
        for field in FindingRecord.__struct_fields__
        if field not in _OWN_FIELDS
    )
    return "unchanged" if same else "updated"


class _Blind:
    """What a scan says nothing about, so that a finding that is gone may still be there."""

    def __init__(self, report: Report, baseline: Report) -> None:
        self._strange = _cluster(report) != _cluster(baseline)
        self._decided = {one.id for one in report.rules if one.verdict != "not-evaluated"}
        self._undecided = {(one.from_zone, one.to_zone) for one in report.cells if one.verdict == "not-evaluated"}

    def to(self, gone: FindingRecord) -> bool:
        """Whether it would not have been seen for certain."""
        pair = (gone.from_zone, gone.to_zone)
        return self._strange or gone.rule not in self._decided or pair in self._undecided


def _absent(gone: FindingRecord, baseline: Report, *, unproven: bool) -> AbsentFinding:
    return AbsentFinding(
        fingerprint=gone.fingerprint,
        rule=gone.rule,
        verdict=gone.verdict,
        severity=gone.severity,
        title=gone.title,
        from_zone=gone.from_zone,
        to_zone=gone.to_zone,
        subjects=gone.subjects,
        owner=gone.owner,
        first_seen=gone.first_seen or baseline.created,
        unproven=unproven,
    )


def _remarks(report: Report, baseline: Report) -> list[str]:
    """What makes the two hard to compare."""
    now, then = _cluster(report), _cluster(baseline)
    found = []
    if now != then:
        found.append("the baseline is of another cluster, or of none: fingerprints carry the cluster")
    elif not now and report.scope.source != baseline.scope.source:
        found.append("the baseline is of other sources")
    if report.matrix.sha256 != baseline.matrix.sha256:
        found.append("the baseline was judged against another zone matrix")
    if report.rule_pack != baseline.rule_pack:
        found.append("the baseline was judged by another set of rules")
    if baseline.created > report.created:
        found.append("the baseline is younger than this scan")
    return found


def _cluster(report: Report) -> str:
    return report.collection.cluster.uid if report.collection else ""


def _exit_code(report: Report, baseline: Report) -> int:
    floor = max(SEVERITIES.index(report.fail_on), SEVERITIES.index("low"))
    before = {one.fingerprint: one for one in baseline.findings}
    worse = any(
        one.verdict == "fail"
        and SEVERITIES.index(one.severity) >= floor
        and (one.baseline_state == "new" or _rank(one) > _rank(before[one.fingerprint]))
        for one in report.findings
    )
    failed = {(one.from_zone, one.to_zone) for one in baseline.cells if one.verdict == "fail"}
    unexplained = any(
        one.verdict == "fail" and not one.findings and (one.from_zone, one.to_zone) not in failed
        for one in report.cells
    )
    if worse or unexplained:
        return FINDINGS
    return 0 if complete(report) else INCOMPLETE


def _rank(finding: FindingRecord) -> int:
    return SEVERITIES.index(finding.severity)
