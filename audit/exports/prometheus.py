"""Metrics in the Prometheus text format, for the text file collector of node_exporter or a push gateway.

The file is OpenMetrics as well: gauges only, help and type before the samples, `# EOF` at the end. No label is
unbounded: zones and words of this program, never an object, a fingerprint or a path.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from audit.exports.entries import cluster_of, evaluated, safe
from audit.model import SEVERITIES, UNZONED, VERDICTS
from audit.report import Report
from audit.safetext import metric_label

Labels = tuple[tuple[str, str], ...]
NOBODY = "(nobody)"
"""The owner of what has none; the label is missing where samples are of a whole scan."""
IN_FORCE = ("matched", "unused", "expiring", "over-broad")
"""Statuses of exceptions that may cover something today and will end."""


class Metric(NamedTuple):
    """One family of gauges."""

    name: str
    help: str
    samples: tuple[tuple[Labels, float], ...]
    """Every set of labels once; a family without samples is left out."""


def render(report: Report) -> bytes:
    """UTF-8 text."""
    lines = [line for metric in metrics(safe(report)) for line in _lines(metric)]
    return "\n".join([*lines, "# EOF", ""]).encode()


def metrics(report: Report) -> tuple[Metric, ...]:
    """All families, in a fixed order.

    Every sample names its cluster, and in a part the owner: the files of several scans are collected together.
    """
    whose: Labels = (("owner", report.part.owner or NOBODY),) if report.part else ()
    common = (("cluster", cluster_of(report)), *whose)
    families = (*_findings(report), *_totals(report), *_exceptions(report), *_scope(report), *_times(report))
    return tuple(_labelled(one, common) for one in families)


def _labelled(family: Metric, common: Labels) -> Metric:
    return family._replace(samples=tuple(((*common, *labels), value) for labels, value in family.samples))


def _lines(metric: Metric) -> Iterator[str]:
    if not metric.samples:
        return
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} gauge"
    for labels, value in metric.samples:
        inner = ",".join(f'{name}="{metric_label(text)}"' for name, text in labels)
        yield f"{metric.name}{{{inner}}} {_number(value)}" if inner else f"{metric.name} {_number(value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _one(name: str, text: str, value: float | None, labels: Labels = ()) -> Metric:
    """A family of one sample; of none where there is no value."""
    return Metric(f"zone_audit_{name}", text, () if value is None else ((labels, value),))


def _by_status(name: str, text: str, counts: Mapping[str, int], order: Iterable[str]) -> Metric:
    named = dict.fromkeys([*order, *sorted(counts)])
    samples = tuple(((("status", one),), float(counts.get(one, 0))) for one in named)
    return Metric(f"zone_audit_{name}", text, samples)


def _findings(report: Report) -> Iterator[Metric]:
    tally = Counter((one.from_zone, one.to_zone, one.severity, one.verdict) for one in report.findings)
    names = ("from_zone", "to_zone", "severity", "status")
    samples = tuple((tuple(zip(names, key, strict=True)), float(number)) for key, number in sorted(tally.items()))
    yield Metric("zone_audit_findings", "Findings by zones, severity and status, where there are any.", samples)
    failed = tuple(((("severity", one),), float(report.counts.severities.get(one, 0))) for one in SEVERITIES)
    yield Metric("zone_audit_failed_findings", "Findings that fail, by severity.", failed)
    changes = report.changes.counts if report.changes else {}
    yield _one("findings_new", "Findings that the baseline lacks.", changes.get("new"))
    yield _one("findings_resolved", "Findings of the baseline that are gone.", changes.get("absent"))


def _totals(report: Report) -> Iterator[Metric]:
    counts = report.counts
    yield _by_status("zone_pairs", "Ordered pairs of zones by status.", counts.cells, VERDICTS)
    yield _by_status("rules", "Rules by status.", counts.rules, VERDICTS)
    judged = tuple(
        (
            (("from_zone", cell.from_zone), ("to_zone", cell.to_zone)),
            1.0 if cell.verdict in ("pass", "excepted") else 0.0,
        )
        for cell in report.cells
        if cell.verdict != "not-applicable"
    )
    text = "1 for a pair of zones that keeps the matrix or deviates by approved exception, else 0."
    yield Metric("zone_audit_zone_pair_compliant", text, judged)
    yield _one("coverage_ratio", "Share of zone pairs and rules that apply and could be decided.", coverage(report))
    # Of the whole scan in a part, too: an owner without findings does not make a cluster compliant.
    verdict = report.part.whole_verdict if report.part else report.verdict
    yield _one("compliant", "1 if the scan found the cluster compliant, else 0.", float(verdict == "compliant"))


def coverage(report: Report) -> float:
    """Share of zone pairs and rules with something to judge that were decided, 0 to 1; 0 where nothing was."""
    tally = Counter(report.counts.cells)
    tally.update(report.counts.rules)
    judged = sum(number for verdict, number in tally.items() if verdict != "not-applicable")
    return round(1 - tally["not-evaluated"] / judged, 6) if judged else 0.0


def _exceptions(report: Report) -> Iterator[Metric]:
    tally = Counter(one.status for one in report.exceptions)
    statuses = ("matched", "unused", "expiring", "expired", "not-yet-valid", "over-broad", "invalid", "self-approved")
    yield _by_status("exceptions", "Exceptions by computed status.", tally, statuses)
    ends = [_day(one.expires_on) for one in report.exceptions if one.status in IN_FORCE]
    text = "When the next exception in force expires."
    yield _one("next_exception_expiry_timestamp_seconds", text, min((end for end in ends if end), default=None))


def _scope(report: Report) -> Iterator[Metric]:
    unzoned: Sequence[int] = [zone.workloads for zone in report.zones if zone.name == UNZONED]
    yield _one("unzoned_workloads", "Workloads in no zone or in several.", float(sum(unzoned)))
    yield _one("endpoint_pairs", "Pairs of endpoints that the verdicts cover.", float(report.scope.endpoint_pairs))
    _, _, version = report.tool.rpartition(" ")
    labels = (("version", version), ("rules_version", report.rule_pack))
    yield _one("build_info", "The program and the rules.", 1.0, labels)


def _times(report: Report) -> Iterator[Metric]:
    run = _second(report.created)
    yield _one("last_run_timestamp_seconds", "When the scan ran.", run)
    complete = run if evaluated(report) else None
    yield _one("last_success_timestamp_seconds", "When a scan last evaluated everything; missing if not now.", complete)
    due = _day(report.matrix.review_by)
    yield _one("matrix_review_due_timestamp_seconds", "When the matrix is due for review.", due)
    live = report.collection
    took = (_second(live.ended), _second(live.started)) if live else (None, None)
    seconds = None if took[0] is None or took[1] is None else took[0] - took[1]
    yield _one("collection_duration_seconds", "How long the cluster was read.", seconds)


def _second(text: str) -> float | None:
    """Seconds since 1970 of a time in ISO form with its zone; None for anything else."""
    try:
        return dt.datetime.fromisoformat(text).timestamp() if "T" in text else None
    except ValueError:
        return None


def _day(text: str) -> float | None:
    """Seconds since 1970 of the beginning of a day, UTC; None for anything else."""
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC).timestamp()
    except ValueError:
        return None
