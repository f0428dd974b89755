"""What every output says alike: marks of cells, what was not seen, what to do first, totals that reconcile.

Pure functions of a `Report`; the terminal, the pages and the pictures only lay them out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.model import SEVERITIES, VERDICTS, Verdict
from audit.report import CellRecord, CompletenessRecord, FindingRecord, Report
from audit.safetext import rewrite, safe_lines, safe_text
from audit.traffic import Traffic

LETTERS: Mapping[Verdict, str] = {
    "fail": "F",
    "not-evaluated": "?",
    "excepted": "E",
    "manual": "M",
    "pass": "P",
    "not-applicable": "-",
}
"""One letter per verdict of a cell, so that no meaning rests on colour alone."""
MEANINGS: Mapping[Verdict, str] = {
    "fail": "more is open than the matrix allows; the number counts findings",
    "not-evaluated": "could not be decided; not a pass",
    "excepted": "fails, and an approved exception in force covers it",
    "manual": "a person must judge",
    "pass": "nothing is open beyond the matrix",
    "not-applicable": "nothing to judge",
}
CONCLUSIONS: Mapping[str, str] = {
    "compliant": "Compliant",
    "not-compliant": "Not compliant",
    "incomplete": "Incomplete",
}
SEEN = ("complete", "absent")
"""Completeness that leaves nothing unseen: all objects were read, or the kind does not exist in the cluster."""
LONGEST, LONGEST_FIX = 2_000, 20_000
"""Characters of one string that people are shown; a fix may hold a policy of 500 lines. The results JSON keeps all."""
_FINGERPRINT = re.compile(r"[0-9a-f]{8,128}")


def shown(report: Report) -> Report:
    """The report with every string fit for people's eyes: no raw control or hidden character, no monstrous length."""
    return rewrite(report, _shown)


def _shown(text: str, field: str) -> str:
    return clipped(safe_lines(text), LONGEST_FIX) if field == "fix" else clipped(safe_text(text), LONGEST)


def clipped(text: str, limit: int) -> str:
    """The text, or its first `limit` characters and a note that says how much is missing."""
    return text if len(text) <= limit else f"{text[:limit]}… ({limit:,} of {len(text):,} characters)"


def conclusion(report: Report) -> str:
    """The verdict in words; an unknown one is shown as it is."""
    return CONCLUSIONS.get(report.verdict, report.verdict)


def reason(report: Report) -> str:
    """The headline without the verdict that it may begin with, for places where the verdict stands beside it."""
    words = conclusion(report)
    text = report.headline.rstrip(".")
    return text[len(words) + 2 :] if text.lower().startswith(f"{words.lower()}: ") else text


def mark(cell: CellRecord | None) -> str:
    """`P`, `F2`, `E`, `?`, `-` or `M`; lower case when a default decided, `?` for a pair that is missing."""
    if cell is None:
        return LETTERS["not-evaluated"]
    letter = LETTERS[cell.verdict]
    count = str(len(cell.findings)) if cell.verdict == "fail" and cell.findings else ""
    return (letter.lower() if cell.by_default else letter) + count


def grid(report: Report) -> tuple[tuple[CellRecord | None, ...], ...]:
    """Cells by row (from) and column (to), both in the order of `report.zones`; None for a pair that is missing."""
    cells = {(cell.from_zone, cell.to_zone): cell for cell in report.cells}
    names = [zone.name for zone in report.zones]
    return tuple(tuple(cells.get((source, target)) for target in names) for source in names)


def ports_text(ports: Mapping[str, str]) -> str:
    """`tcp/443, udp/*`, `any`, or `nothing`; ports that do not parse are shown as they are."""
    try:
        return str(Traffic.parse(ports))
    except ValueError:
        return ", ".join(f"{protocol}/{text}" for protocol, text in sorted(ports.items()))


def seen_text(cell: CellRecord) -> str:
    """Whether what a row allows is open: `seen: tcp/8443`, `perhaps`, or `not seen`."""
    try:
        allowed, observed, possible = map(Traffic.parse, (cell.expected, cell.observed, cell.possible))
    except ValueError:
        return "unknown"
    if allowed & observed:
        return f"seen: {allowed & observed}"
    return "perhaps" if allowed & possible else "not seen"


def zones_text(finding: FindingRecord) -> str:
    """`dmz -> database`, one zone, or empty."""
    return " -> ".join(zone for zone in (finding.from_zone, finding.to_zone) if zone)


def split_fix(fix: str) -> tuple[str, str]:
    """The sentence and the YAML of a fix; the YAML may be empty."""
    sentence, _, yaml = fix.partition("\n\n")
    return " ".join(sentence.split()), yaml.strip("\n")


def with_verdict(report: Report, *verdicts: Verdict) -> tuple[FindingRecord, ...]:
    """The findings with one of these verdicts, worst first as in the report."""
    return tuple(finding for finding in report.findings if finding.verdict in verdicts)


def open_findings(report: Report) -> tuple[FindingRecord, ...]:
    """Findings that somebody must act on or look into: all but excepted, passed and not applicable ones."""
    return with_verdict(report, "fail", "not-evaluated", "manual")


def anchor(fingerprint: str) -> str:
    """The id of a finding in a page; empty unless the fingerprint is plain hex, since it enters an attribute."""
    return f"f-{fingerprint}" if _FINGERPRINT.fullmatch(fingerprint) else ""


@dataclass(frozen=True, slots=True)
class Total:
    """One line of reconciliation: the parts add up to the whole."""

    what: str
    whole: int
    parts: tuple[tuple[str, int], ...]
    """Name and number, worst first; zeros left out."""

    def __str__(self) -> str:
        parts = " + ".join(f"{number:,} {name}" for name, number in self.parts)
        return f"{self.whole:,} {self.what}" + (f" = {parts}" if parts else "")


def _total(what: str, counts: Mapping[str, int], order: Iterable[str]) -> Total:
    named = [*order, *sorted(set(counts) - set(order))]
    return Total(what, sum(counts.values()), tuple((name, counts[name]) for name in named if counts.get(name)))


def totals(report: Report) -> tuple[Total, ...]:
    """Zone pairs, rules and findings by verdict, then failed findings by severity."""
    counts = report.counts
    return (
        _total("zone pairs", counts.cells, VERDICTS),
        _total("rules", counts.rules, VERDICTS),
        _total("findings", counts.findings, VERDICTS),
        _total("failed findings", counts.severities, tuple(reversed(SEVERITIES))),
    )


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something that the verdict does not rest on, with its size."""

    what: str
    extent: str
    reason: str = ""


def not_seen(report: Report) -> tuple[Unseen, ...]:
    """Everything that was not read, not decided or not modelled; empty only when nothing was."""
    return (*_unread(report), *_undecided(report), *_outside(report))


def _unread(report: Report) -> Iterable[Unseen]:
    for record in report.completeness:
        if record.status not in SEEN:
            yield Unseen(record.kind, _extent(record), record.note)


def _extent(record: CompletenessRecord) -> str:
    return f"{record.status}, {record.objects:,} read" if record.objects else record.status


def _undecided(report: Report) -> Iterable[Unseen]:
    cells = [cell for cell in report.cells if cell.verdict == "not-evaluated"]
    if cells:
        yield Unseen("Zone pairs", f"{len(cells):,} of {len(report.cells):,} not evaluated", _reasons(cells))
    rules = [rule for rule in report.rules if rule.verdict == "not-evaluated"]
    if rules:
        text = "; ".join(f"{rule.id}: {rule.reason}" if rule.reason else rule.id for rule in rules)
        yield Unseen("Rules", f"{len(rules):,} of {len(report.rules):,} not evaluated", text)
    findings = with_verdict(report, "not-evaluated")
    if findings:
        extent = f"{len(findings):,} of {len(report.findings):,} not evaluated"
        yield Unseen("Findings", extent, "possible, not shown to be real; each states its reason")


def _reasons(cells: Iterable[CellRecord]) -> str:
    tally = Counter(reason for cell in cells for reason in cell.reasons)
    return ", ".join(f"{reason} ({number:,})" for reason, number in sorted(tally.items(), key=lambda p: (-p[1], p[0])))


def _outside(report: Report) -> Iterable[Unseen]:
    scope = report.scope
    if scope.unzoned_namespaces:
        yield Unseen("Namespaces", f"{scope.unzoned_namespaces:,} of {scope.namespaces:,} in no single zone")
    services = sorted({service for cell in report.cells for service in cell.unmodelled})
    if services:
        rows = sum(bool(cell.unmodelled) for cell in report.cells)
        yield Unseen("Services", f"{', '.join(services)} in {rows:,} matrix rows", "reachability does not judge them")


def first_steps(report: Report, limit: int) -> tuple[str, ...]:
    """At most `limit` things to do, most urgent first: fixes of the worst findings, then exceptions, then gaps."""
    steps = [split_fix(finding.fix)[0] for finding in with_verdict(report, "fail")]
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
