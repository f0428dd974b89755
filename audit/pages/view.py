"""What the templates show of a report, computed once: the same for the page and the PDF but for how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any

from audit import due, summary
from audit.at_fault import faulty_objects
from audit.evidence_sheet import answers
from audit.model import SEVERITIES, VERDICTS, Verdict
from audit.pages.caps import Caps, fitted
from audit.pages.environment import pictured
from audit.pictures.trend_chart import trend_chart
from audit.pictures.zone_diagram import zone_diagram
from audit.report import CellRecord, FindingRecord, Report
from audit.report_annex import ControlRecord
from audit.steps import first_steps, no_step, risks
from audit.tiles import tiles

SECTIONS: Mapping[str, tuple[int, str]] = {
    name: (number, title)
    for number, (name, title) in enumerate(
        (
            ("control", "Document control and evidence sheet"),
            ("summary", "Executive summary"),
            ("scope", "Scope and population"),
            ("matrix", "Zone matrix"),
            ("diagram", "Zone diagram"),
            ("findings", "Findings"),
            ("exceptions", "Exceptions register"),
            ("changes", "Changes since the last scan"),
            ("services", "Allowed services register"),
            ("borders", "Ingress and egress register"),
            ("controls", "Controls mapping"),
            ("completeness", "Completeness and limitations"),
            ("method", "Method"),
            ("appendix", "Appendix"),
            ("integrity", "Integrity"),
            ("signoff", "Sign-off"),
        ),
        start=1,
    )
}
"""Anchor to number and title, in order; each is a partial template of that name. The cover comes before them."""
ID_LENGTH = 16
"""Hex digits of the results' SHA-256 that make the report's id: enough to tell a company's reports apart."""
_TABLES = ("open", "excepted", "unpassed", "services", "outside", "faulty", "unseen", "added", "altered")
FIRST_STEPS, RISKS, GAPS = 5, 5, 5
"""Things to do, findings and gaps that the summary names: what fits one printed page."""


def view(report: Report, results_sha256: str, caps: Caps) -> dict[str, object]:
    """Values of the templates, by name. The report is one that `summary.shown` made."""
    values = _values(report, results_sha256, caps)
    return values | {"caps": fitted(caps, map(len, _listed(report, values)))}


def _listed(report: Report, values: dict[str, Any]) -> Iterator[Sized]:
    """Everything that stands in a table of its own and may be long."""
    yield from (values[name] for name in _TABLES)
    yield from (report.rules, report.exceptions, report.entries, report.departures, report.inputs)
    yield from (report.completeness, report.assumptions, report.notes)
    yield from (controls for _, controls in values["frameworks"])
    if report.collection:
        yield report.collection.ledger
    if report.changes:
        yield report.changes.absent


def _values(report: Report, results_sha256: str, caps: Caps) -> dict[str, Any]:
    return {
        "report": report,
        "sections": SECTIONS,
        "title": f"{summary.conclusion(report)}: {report.matrix.name}, network zone compliance report",
        "results_sha256": results_sha256,
        "report_id": results_sha256[:ID_LENGTH],
        "epoch": int(due.moment(report.created).timestamp()),
        "diagram": pictured(zone_diagram(report)),
        "trend": (chart := trend_chart(report)) and pictured(chart),
        **_verdict(report),
        **_findings(report, caps),
        **_matrix(report),
        "answers": answers(report, results_sha256),
        "frameworks": _frameworks(report.controls),
        "faulty": faulty_objects(report),
        "outside": _outside(report),
    }


def _verdict(report: Report) -> dict[str, object]:
    """What a manager reads."""
    return {
        "unseen": summary.not_seen(report),
        "gaps": GAPS,
        "steps": first_steps(report, FIRST_STEPS),
        "no_step": no_step(report),
        "risks": risks(report)[:RISKS],
        "totals": summary.totals(report),
        "tiles": tiles(report),
        "review": due.review(report),
        "overdue_rows": due.overdue_rows(report),
        "ending": due.ending(report),
    }


def _findings(report: Report, caps: Caps) -> dict[str, object]:
    open_findings = summary.open_findings(report)
    excepted = summary.with_verdict(report, "excepted")
    carded = open_findings[: caps.cards] + excepted[: caps.excepted]
    return {
        "open": open_findings,
        "failed": summary.with_verdict(report, "fail"),
        "excepted": excepted,
        "carded": {finding.fingerprint for finding in carded},
        "why": _why(report, carded),
        "added": _in_state(report, "new"),
        "altered": _in_state(report, "updated"),
    }


def _why(report: Report, carded: Iterable[FindingRecord]) -> dict[str, str]:
    """Fingerprint to why its rule matters, for the first card of each rule: said once, it need not be said again."""
    first: dict[str, str] = {}
    for finding in carded:
        first.setdefault(finding.rule, finding.fingerprint)
    return {first[rule.id]: rule.why for rule in report.rules if rule.why and rule.id in first}


def _in_state(report: Report, state: str) -> tuple[FindingRecord, ...]:
    return tuple(finding for finding in report.findings if finding.baseline_state == state)


def _matrix(report: Report) -> dict[str, object]:
    rows = [cell for cell in report.cells if cell.row]
    return {
        "unpassed": _unpassed(report),
        "joined": summary.joined(report),
        "grid": summary.grid(report),
        "spelled": _spelled(report),
        "services": [cell for cell in rows if cell.expected],
        "blocking_rows": sum(not cell.expected for cell in rows),
        "allowed_by_default": sum(bool(cell.expected) for cell in report.cells if not cell.row),
    }


def _unpassed(report: Report) -> list[CellRecord]:
    """Pairs that do not pass, worst first."""
    cells = [cell for cell in report.cells if cell.verdict not in {"pass", "not-applicable"}]
    return sorted(
        cells,
        key=lambda c: (
            VERDICTS.index(c.verdict),
            -SEVERITIES.index(c.severity),
            -c.excess_pairs,
            c.from_zone,
            c.to_zone,
        ),
    )


def _spelled(report: Report) -> list[tuple[str, dict[Verdict, list[str]]]]:
    """The matrix in words: every zone with the zones of each verdict, in the order of the zones."""
    found: dict[str, dict[Verdict, list[str]]] = {}
    for cell in report.cells:
        found.setdefault(cell.from_zone, {}).setdefault(cell.verdict, []).append(cell.to_zone)
    return list(found.items())


def _frameworks(controls: Iterable[ControlRecord]) -> list[tuple[str, list[ControlRecord]]]:
    """Controls under the titles of their frameworks, in their order."""
    found: dict[str, list[ControlRecord]] = {}
    for one in controls:
        found.setdefault(one.framework_title, []).append(one)
    return list(found.items())


def _outside(report: Report) -> list[CellRecord]:
    """Pairs from a zone with members to a zone of outside addresses where something is, or may be, open."""
    kinds = {zone.name: zone.kind for zone in report.zones}
    away = {"internet", "external"}
    return [
        cell
        for cell in report.cells
        if kinds.get(cell.to_zone) in away
        and kinds.get(cell.from_zone) not in away
        and (cell.observed or cell.possible)
    ]
