"""Objects at fault -> records: where each of them was read.

Input: results, what was read, and the file of the matrix. Output: one record per object. Decisions: what a rule knows
of the place counts; else the snapshot is asked; zones and rows of the matrix are in its file.
"""

from __future__ import annotations

from collections.abc import Iterable

from audit.checker import Results
from audit.model import ObjectRef
from audit.report_annex import ObjectRecord
from audit.snapshot import Origin, Snapshot

DECLARED = ("Flow", "Zone", "ZoneMatrix")
"""Kinds that the matrix declares."""


def objects(results: Results, snapshot: Snapshot, matrix_file: str) -> tuple[ObjectRecord, ...]:
    """Every subject of a finding once, by kind, namespace and name; objects of the snapshot are looked at once."""
    named = {ref: ref.origin for finding in results.findings for ref in finding.finding.subjects}
    unplaced = [ref for ref, origin in named.items() if origin is None and ref.kind not in DECLARED]
    found = _read(snapshot, unplaced)
    return tuple(_record(ref, named[ref] or found.get(ref), matrix_file) for ref in sorted(named))


def _read(snapshot: Snapshot, wanted: Iterable[ObjectRef]) -> dict[ObjectRef, Origin]:
    sought = {(ref.kind, ref.namespace, ref.name): ref for ref in wanted}
    kinds = {kind for kind, _, _ in sought}
    return {
        sought[key]: entry.origin
        for entries in snapshot.entries.values()
        if entries and entries[0].kind in kinds
        for entry in entries
        if (key := (entry.kind, entry.namespace, entry.name)) in sought
    }


def _record(ref: ObjectRef, origin: Origin | None, matrix_file: str) -> ObjectRecord:
    if ref.kind in DECLARED:
        return ObjectRecord(object=str(ref), file=matrix_file)
    if origin is None:
        return ObjectRecord(object=str(ref))
    return ObjectRecord(object=str(ref), file=origin.file, line=origin.line)
