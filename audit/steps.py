"""What matters most in a report and what to do about it, as a manager reads it.

Pure functions of a `Report`: failed findings by weight, and the steps that follow from them, from exceptions and gaps.
"""

from __future__ import annotations

from audit.model import SEVERITIES
from audit.report import FindingRecord, Report
from audit.summary import split_fix, with_verdict


def risks(report: Report) -> tuple[FindingRecord, ...]:
    """Failed findings as a manager reads them: of equal severity those first that let one zone reach another."""
    failed = with_verdict(report, "fail")

    def weight(finding: FindingRecord) -> tuple[int, bool, int]:
        within = not (finding.from_zone and finding.to_zone and finding.ports)
        return -SEVERITIES.index(finding.severity), within, -finding.counts.get("pairs", 0)

    return tuple(sorted(failed, key=weight))


def first_steps(report: Report, limit: int) -> tuple[str, ...]:
    """At most `limit` things to do, most urgent first: fixes of the worst findings, then exceptions, then gaps."""
    steps = [_step(finding) for finding in risks(report)]
    steps += [
        f"Renew or withdraw exception {record.id} ({record.status})."
        for record in report.exceptions
        if record.status in {"expired", "expiring", "invalid", "over-broad", "self-approved"}
    ]
    steps += [
        f"Make {record.kind} readable to the scan ({record.status})."
        for record in report.completeness
        if record.status in {"forbidden", "unavailable", "partial", "invalid-object"}
    ]
    return tuple(dict.fromkeys(step for step in steps if step))[:limit]


def _step(finding: FindingRecord) -> str:
    """What to do about a finding, with the object at fault where the sentence does not name one."""
    sentence = split_fix(finding.fix)[0]
    names = [subject.split(" ", 1)[-1] for subject in finding.subjects]
    named = any(name.rpartition("/")[2] in sentence for name in names)
    return sentence if named or not sentence or not names else f"{finding.subjects[0]}: {sentence}"


def no_step(report: Report) -> str:
    """What stands where no finding asks for anything; only a complete scan says that nothing more is open."""
    if report.verdict == "incomplete":
        return "Settle what was not seen or decided, and scan again; until then nothing shows that the matrix is kept."
    if report.verdict != "compliant":
        return "No finding says what to do; look at the zone pairs that fail."
    beyond = "the matrix and its exceptions" if report.counts.findings.get("excepted") else "the matrix"
    whose = " in this part of the scan" if report.part else ""
    return f"Nothing is open beyond {beyond}{whose}; keep the matrix under review."
