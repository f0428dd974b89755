"""`--split-by owner`: the part of a report that belongs to one team.

Input: the Report of a whole scan. Output: Reports with the findings, zone pairs and exceptions of one owner. Decisions:
a pair belongs to the owner of its row, else of the zone that is reached, as its findings do; numbers are always told
beside those of the whole scan; a rule or control that fails elsewhere only is not applicable here, never passed.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import structs

from audit import control_mapping
from audit.model import SEVERITIES, VERDICTS
from audit.report import CellRecord, Counts, ExceptionRecord, FindingRecord, Report, RuleRecord
from audit.report_annex import ChangesRecord, ControlRecord, PartRecord

NOBODY = "unowned"
"""What the file of everything without an owner is called."""
_LENGTH = 60
_ELSEWHERE = "it finds nothing here that belongs to this owner, but elsewhere it does"


def owners(report: Report) -> tuple[str, ...]:
    """Who owns findings, zone pairs or exceptions of a report, sorted; empty text for what nobody owns."""
    zones = _zone_owners(report)
    found = {one.owner for one in report.findings} | {one.owner for one in report.exceptions}
    return tuple(sorted(found | {_owner(one, zones) for one in report.cells}))


def file_names(names: Iterable[str]) -> dict[str, str]:
    """A harmless, unique part of a file name for each owner: what a name cannot be is replaced, and a digest added."""
    plain = {one: re.sub(r"[^A-Za-z0-9_.@-]+", "-", one).strip("-.")[:_LENGTH] or NOBODY for one in names}
    taken = Counter(one.casefold() for one in plain.values())
    return {
        one: text if (text == one or not one) and taken[text.casefold()] == 1 else f"{text}-{_short(one)}"
        for one, text in plain.items()
    }


def share(report: Report, owner: str, whole_sha256: str) -> Report:
    """The part of one owner; `whole_sha256` is the digest of the results of the whole scan."""
    zones = _zone_owners(report)
    findings = tuple(one for one in report.findings if one.owner == owner)
    kept = {one.fingerprint for one in findings}
    cells = tuple(_cell(one, kept) for one in report.cells if _owner(one, zones) == owner)
    pairs = {(one.from_zone, one.to_zone) for one in cells}
    rules = tuple(_rule(one, findings) for one in report.rules)
    exceptions = tuple(_exceptions(report.exceptions, owner, kept))
    subjects = {name for one in findings for name in one.subjects}
    named = {name for pair in pairs for name in pair}
    part = structs.replace(
        report,
        zones=tuple(one for one in report.zones if one.name in named or (owner and one.owner == owner)),
        cells=cells,
        rules=rules,
        findings=findings,
        transit=tuple(one for one in report.transit if (one.from_zone, one.to_zone) in pairs),
        cuts=tuple(one for one in report.cuts if (one.from_zone, one.to_zone) in pairs),
        exceptions=exceptions,
        entries=tuple(one for one in report.entries if not named.isdisjoint(one.zones)),
        departures=tuple(one for one in report.departures if one.zone in named),
        objects=tuple(one for one in report.objects if one.object in subjects),
        controls=tuple(_controls(control_mapping.mapped(rules, cells, findings), report.controls)),
        changes=_changes(report.changes, owner, findings),
        trend=(),
        part=PartRecord(
            owner=owner,
            whole_verdict=report.verdict,
            whole_sha256=whole_sha256,
            findings=(len(findings), len(report.findings)),
            cells=(len(cells), len(report.cells)),
            exceptions=(len(exceptions), len(report.exceptions)),
        ),
    )
    return _concluded(part)


def _zone_owners(report: Report) -> Mapping[str, str]:
    return {one.name: one.owner for one in report.zones}


def _owner(cell: CellRecord, zones: Mapping[str, str]) -> str:
    return cell.owner or zones.get(cell.to_zone, "")


def _cell(cell: CellRecord, kept: Collection[str]) -> CellRecord:
    return structs.replace(cell, findings=tuple(one for one in cell.findings if one in kept))


def _rule(rule: RuleRecord, findings: Iterable[FindingRecord]) -> RuleRecord:
    """The rule as far as these findings go; one that found nothing keeps its verdict."""
    mine = [one.verdict for one in findings if one.rule == rule.id]
    if not rule.findings:
        return rule
    if not mine:
        unknown = rule.verdict in ("not-evaluated", "manual")
        return rule if unknown else structs.replace(rule, verdict="not-applicable", findings=0, reason=_ELSEWHERE)
    worst = rule.verdict if rule.verdict == "not-evaluated" else min(mine, key=VERDICTS.index)
    return structs.replace(rule, verdict=worst, findings=len(mine))


def _controls(mine: Iterable[ControlRecord], whole: Iterable[ControlRecord]) -> Iterator[ControlRecord]:
    """Controls of a part: one is asked of the whole scan, so that it passes in no part where it does not pass there."""
    passed = {(one.framework, one.control) for one in whole if one.result == "pass"}
    for one in mine:
        elsewhere = one.result == "pass" and (one.framework, one.control) not in passed
        yield structs.replace(one, result="not-applicable") if elsewhere else one


def _exceptions(records: Iterable[ExceptionRecord], owner: str, kept: Collection[str]) -> Iterator[ExceptionRecord]:
    for one in records:
        covered = tuple(name for name in one.findings if name in kept)
        refused = tuple(name for name in one.would_cover if name in kept)
        if one.owner == owner or covered or refused:
            yield structs.replace(one, findings=covered, would_cover=refused)


def _changes(changes: ChangesRecord | None, owner: str, findings: Iterable[FindingRecord]) -> ChangesRecord | None:
    if changes is None:
        return None
    absent = tuple(one for one in changes.absent if one.owner == owner)
    states = Counter(one.baseline_state for one in findings) + Counter({"absent": len(absent)})
    return structs.replace(changes, absent=absent, counts={state: states[state] for state in changes.counts})


def _concluded(part: Report) -> Report:
    """With the counts, the verdict and the headline of the part; the exit code stays that of the scan."""
    cells, rules, findings = (Counter(one.verdict for one in held) for held in (part.cells, part.rules, part.findings))
    severities = Counter(one.severity for one in part.findings if one.verdict == "fail")
    counts = Counts(
        cells={verdict: cells[verdict] for verdict in VERDICTS},
        rules={verdict: rules[verdict] for verdict in VERDICTS},
        findings={verdict: findings[verdict] for verdict in VERDICTS},
        severities={severity: severities[severity] for severity in SEVERITIES},
        defaulted_cells=sum(one.by_default for one in part.cells),
        apart=_apart(part),
    )
    verdict = _verdict(part, counts)
    return structs.replace(part, counts=counts, verdict=verdict, headline=_headline(part, verdict))


def _apart(part: Report) -> dict[str, int]:
    """As `path_records.counts`, of the pairs of the part."""
    closed = [
        one for one in part.cells
        if one.from_zone != one.to_zone and not one.expected and one.verdict != "not-applicable"
    ]  # fmt: skip
    return {
        "pairs": len(closed),
        "connected": len(part.cuts),
        "direct": sum(one.direct for one in part.cuts),
        "transit": sum(one.certain for one in part.transit),
        "possible": sum(not one.certain for one in part.transit),
    }


def _verdict(part: Report, counts: Counts) -> str:
    """As `conclusion.overall`, of the part; a rule that decided nothing leaves every part incomplete."""
    if counts.cells["fail"] or any(counts.severities[one] for one in SEVERITIES[1:]):
        return "not-compliant"
    undecided = any(held["not-evaluated"] for held in (counts.cells, counts.rules, counts.findings))
    return "incomplete" if undecided or len(part.cells) == counts.cells["not-applicable"] else "compliant"


def _headline(part: Report, verdict: str) -> str:
    about = part.part
    assert about is not None  # noqa: S101 - a part says of what
    whose = f"what belongs to `{about.owner}`" if about.owner else "what belongs to no owner"
    shares = ((about.findings, "findings"), (about.cells, "zone pairs"), (about.exceptions, "exceptions"))
    told = ", ".join(f"{mine:,} of {all_:,} {what}" for (mine, all_), what in shares)
    word = verdict.replace("-", " ").capitalize()
    return f"{word}: {whose} alone, {told} of a scan whose verdict is {about.whole_verdict}"


def _short(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
