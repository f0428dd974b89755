"""Reports of OpenReports (`openreports.io/v1alpha1`): a list for `kubectl apply`, as JSON.

One Report for every namespace with something to act on, and a ClusterReport for the rest. To stay far below what etcd
takes, rows of what passes or does not apply are left out; summaries count them all.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from audit.exports.entries import Entry, entries, safe, sentences, split_subject
from audit.model import SEVERITIES, Severity, Verdict
from audit.report import Report, ZoneRecord
from audit.summary import clipped, split_fix

Json = dict[str, Any]

RESULTS: Mapping[Verdict, str] = {
    "pass": "pass",
    "fail": "fail",
    "excepted": "warn",
    "not-evaluated": "error",
    "not-applicable": "skip",
    "manual": "skip",
}
WORDS = ("pass", "fail", "warn", "error", "skip")
SHOWN: tuple[Verdict, ...] = ("fail", "not-evaluated", "excepted", "manual")
"""Verdicts with rows."""
MOST, ROOM = 1_000, 1_000_000
"""Rows of one report and their bytes: etcd takes 1.5 MB by default."""
TOLD, LONGEST = 20, 600
"""Objects that a row names, and characters of a text in it."""
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


class Api(NamedTuple):
    """Which of the two interfaces with one body."""

    version: str
    report: str
    cluster_report: str
    severities: Mapping[Severity, str]


OPEN = Api("openreports.io/v1alpha1", "Report", "ClusterReport", {one: one for one in SEVERITIES})


def render(report: Report) -> bytes:
    """UTF-8 JSON, which is YAML too."""
    return encoded(report, OPEN)


def encoded(report: Report, api: Api) -> bytes:
    """The list in either interface: the cluster's report first, then namespaces by name."""
    report = safe(report)
    by_namespace: dict[str, list[Entry]] = {"": []}
    for entry in entries(report):
        by_namespace.setdefault(_namespace(entry), []).append(entry)
    items = [_item(name, by_namespace[name], report, api) for name in sorted(by_namespace)]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    return msgspec.json.format(msgspec.json.encode(listed), indent=1) + b"\n"


def _namespace(entry: Entry) -> str:
    """The namespace of the first object at fault that is in one; empty for the report of the cluster."""
    for subject in entry.subjects:
        kind, namespace, name = split_subject(subject)
        found = name if kind == "Namespace" else namespace
        if _LABEL.fullmatch(found):
            return found
    return ""


def _item(namespace: str, listed: Sequence[Entry], report: Report, api: Api) -> Json:
    shown = [one for one in listed if one.verdict in SHOWN]
    name = f"zone-audit-{namespace}" if namespace else "zone-audit"
    metadata: Json = {"name": name} | ({"namespace": namespace} if namespace else {})
    metadata |= {"labels": _labels(namespace, shown, report)}
    item: Json = {
        "apiVersion": api.version,
        "kind": api.report if namespace else api.cluster_report,
        "metadata": metadata,
    }
    if namespace:
        item["scope"] = {"apiVersion": "v1", "kind": "Namespace", "name": namespace}
    if api is OPEN:
        filters = sorted({RESULTS[verdict] for verdict in SHOWN})
        item |= {"source": "zone-audit", "configuration": {"limits": {"maxResults": MOST, "statusFilter": filters}}}
    rows = _fitting([_row(one, report, api) for one in shown[:MOST]])
    if more := len(shown) - len(rows):
        rows.append({"policy": "zone-audit", "result": "warn", "source": "zone-audit", "timestamp": _time(report),
                     "message": f"and {more:,} more, which this report has no room for"})  # fmt: skip
    return item | {"summary": _summary(listed), "results": rows}


def _fitting(rows: Sequence[Json]) -> list[Json]:
    """The first rows, as many as there is room for."""
    sizes = itertools.accumulate(len(msgspec.json.encode(row)) for row in rows)
    return [row for row, size in zip(rows, sizes, strict=True) if size <= ROOM]


def _summary(listed: Iterable[Entry]) -> Json:
    found = [RESULTS[one.verdict] for one in listed]
    return {word: found.count(word) for word in WORDS}


def _labels(namespace: str, shown: Iterable[Entry], report: Report) -> Json:
    """Who owns the zone of the namespace, and which exceptions cover something in it."""
    zone = next((one for one in report.zones if namespace and namespace in one.namespaces), ZoneRecord(name=""))
    named = {"zone": zone.name, "owner": zone.owner}
    found = {"app.kubernetes.io/managed-by": "zone-audit"}
    found |= {f"zone-audit/{name}": value for name, text in named.items() if (value := label(text))}
    covered = sorted({one.exception for one in shown if one.exception})
    return found | {f"exception.zone-audit/{value}": "true" for one in covered if (value := label(one))}


def label(text: str) -> str:
    """The text as the value of a label: what may not stand in one is an underscore; at most 63 characters."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)[:63].strip("._-")


def _row(entry: Entry, report: Report, api: Api) -> Json:
    properties = {
        "record": entry.record,
        "verdict": entry.verdict,
        "severity": entry.severity,
        "fingerprint": entry.identity,
        "fromZone": entry.from_zone,
        "toZone": entry.to_zone,
        "service": entry.service,
        "owner": entry.owner,
        "exception": entry.exception,
        "fix": split_fix(entry.fix)[0],
        "controls": ", ".join(entry.controls),
        "firstSeen": entry.first_seen,
        "baselineState": entry.baseline_state,
    }
    row: Json = {
        "source": "zone-audit",
        "policy": entry.rule,
        "rule": entry.record,
        "category": "network segmentation",
        "severity": api.severities[entry.severity],
        "timestamp": _time(report),
        "result": RESULTS[entry.verdict],
        "scored": entry.verdict in ("fail", "not-evaluated"),
        "message": clipped(sentences(entry.title, entry.text), LONGEST),
        "properties": {name: clipped(value, LONGEST) for name, value in properties.items() if value},
    }
    resources = [_reference(one) for one in entry.subjects[:TOLD]]
    return row | ({"resources": resources} if resources else {})


def _reference(subject: str) -> Json:
    kind, namespace, name = split_subject(subject)
    found = {"kind": kind, "namespace": namespace, "name": name}
    return {field: value for field, value in found.items() if value}


def _time(report: Report) -> Json:
    """An object, as the interface has it, not text."""
    try:
        moment = dt.datetime.fromisoformat(report.created)
    except ValueError:
        moment = dt.datetime.fromtimestamp(0, dt.UTC)
    return {"seconds": int(moment.timestamp()), "nanos": 0}
