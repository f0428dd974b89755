"""Every record that the page's script lays out again, as JSON that may stand inside a page.

Input: a report that `summary.shown` made. Output: one line of ASCII-safe markup: no `<`, `>` or `&`, so that no string
can end the element which holds it. Decisions: words are made here, where the static tables get theirs; the script only
chooses, orders and places them. What is empty is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from markupsafe import Markup

from audit import path_records, summary
from audit.model import SEVERITIES, VERDICTS
from audit.pages.environment import trusted
from audit.report import CellRecord, Exposure, FindingRecord, Report, Step

ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
HOPS = 12
"""Hops of a chain that the page names."""


def island(report: Report) -> Markup:
    """The records as the text of a JSON element; equal reports give equal text."""
    records = {
        "severities": tuple(reversed(SEVERITIES)),
        "verdicts": VERDICTS,
        "zones": [zone.name for zone in report.zones],
        "rules": {rule.id: _kept({"title": rule.title, "why": rule.why}) for rule in report.rules},
        "findings": [_finding(report, one) for one in report.findings],
        "cells": [[_cell(cell) for cell in row] for row in summary.grid(report)],
        "chains": _chains(report),
    }
    return trusted(msgspec.json.encode(records, order="deterministic").decode().translate(ESCAPES))


def _kept(values: Mapping[str, object]) -> dict[str, object]:
    """The entries that say something."""
    return {name: value for name, value in values.items() if value not in ("", 0, None, (), [], {})}


def _finding(report: Report, one: FindingRecord) -> dict[str, object]:
    sentence, yaml = summary.split_fix(one.fix)
    return _kept(
        {
            "id": one.fingerprint,
            "rule": one.rule,
            "verdict": one.verdict,
            "severity": one.severity,
            "title": one.title,
            "from": one.from_zone,
            "to": one.to_zone,
            "ports": summary.ports_text(one.ports) if one.ports else "",
            "owner": one.owner,
            "state": one.baseline_state,
            "since": one.first_seen,
            "row": one.matrix_row,
            "exception": one.exception,
            "expected": one.expected,
            "observed": one.observed,
            "objects": one.subjects,
            "reason": one.reason,
            "refused": summary.refused_texts(report, one),
            "path": [_step(step) for step in one.path],
            "witness": [_flow(flow) for flow in one.evidence],
            "counts": summary.counts_text(one),
            "fix": sentence,
            "yaml": yaml,
            "controls": one.controls,
        }
    )


def _step(step: Step) -> dict[str, object]:
    """One hop; the rule's number is left to the text where that begins with it."""
    numbered = step.rule is not None and not step.text.startswith(f"rule {step.rule} ")
    return _kept(
        {
            "direction": step.direction,
            "object": f"{step.object} rule {step.rule}" if step.object and numbered else step.object,
            "text": step.text,
            "place": f"{step.file}:{step.line}" if step.line else step.file,
        }
    )


def _flow(flow: Exposure) -> dict[str, object]:
    labels = (("source", flow.source_labels), ("target", flow.target_labels))
    return _kept(
        {
            "from": flow.source,
            "to": f"{flow.target} {flow.port}",
            "labels": "; ".join(f"{end} {text}" for end, text in labels if text),
        }
    )


def _cell(cell: CellRecord | None) -> dict[str, object] | None:
    """One pair of zones; its findings by fingerprint. None for a pair that is missing."""
    if cell is None:
        return None
    return _kept(
        {
            "verdict": cell.verdict,
            "severity": cell.severity if cell.verdict == "fail" else "",
            "expected": summary.ports_text(cell.expected),
            "observed": summary.ports_text(cell.observed),
            "excess": summary.ports_text(cell.excess) if cell.excess else "",
            "pairs": summary.pairs_text(cell),
            "row": cell.row,
            "why": cell.justification,
            "reasons": cell.reasons,
            "witness": _flow(cell.witness) if cell.witness else None,
            "findings": cell.findings,
        }
    )


def _chains(report: Report) -> list[dict[str, object]]:
    """Zones that must be apart and are connected: the way in words, its hops, and what would part them."""
    return [
        _kept(
            {
                "from": one.from_zone,
                "to": one.to_zone,
                "title": one.title,
                "hops": [path_records.hop_text(hop) for hop in one.transit.hops[:HOPS]] if one.transit else (),
                "cut": path_records.cut_text(one.cut, places=False) if one.cut else "",
            }
        )
        for one in summary.joined(report)
    ]
