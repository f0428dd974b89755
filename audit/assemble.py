"""Results -> Report: verdict, headline, control totals and records. Pure; the clock comes in as text.

Input: what was decided and what it was decided from. Output: the one value that every renderer and the exit code use.
Decisions: a failing cell makes the report not compliant whatever `fail_on` says; missing evidence makes it incomplete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from audit import __version__
from audit.checker import CheckedCell, CheckedFinding, CheckedRule, Results
from audit.conclusion import exit_code, headline, overall
from audit.discovery import pack
from audit.flows import Cause, Facts, Witness
from audit.inventory import Inventory
from audit.model import SEVERITIES, UNZONED, VERDICTS, Severity, Zone, ZoneMatrix
from audit.report import (
    AssumptionRecord,
    CellRecord,
    CompletenessRecord,
    Counts,
    ExceptionRecord,
    Exposure,
    FindingRecord,
    InputRecord,
    MatrixRecord,
    Report,
    RuleRecord,
    Scope,
    Step,
    ZoneRecord,
)
from audit.snapshot import Gap, Snapshot
from audit.traffic import NONE
from audit.zones import ZoneMap

EXPECTED_KINDS = ("Namespace", "Node", "Pod", "Service", "NetworkPolicy")
"""Kinds that every report accounts for, read or not."""
_GAP_STATUS: Mapping[str, str] = {"unknown-field": "partial", "missing": "partial"}
_WORST_STATUS = ("forbidden", "unavailable", "invalid-object", "partial", "not-modelled", "absent")


class ScopeFacts(Protocol):
    """What the engine says of the population it judged."""

    @property
    def endpoint_pairs(self) -> int: ...  # noqa: D102 - as in report.Scope
    @property
    def outside_ranges(self) -> int: ...  # noqa: D102
    @property
    def profile(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the results rest on."""

    source: str
    """As given on the command line."""
    inventory: Inventory
    zone_map: ZoneMap
    matrix: ZoneMatrix
    facts: Facts
    scope: ScopeFacts
    exceptions: tuple[ExceptionRecord, ...] = ()
    inputs: tuple[InputRecord, ...] = ()
    """The matrix and exceptions files; sources come from the snapshot."""
    notes: tuple[str, ...] = ()


def assemble(results: Results, basis: Basis, *, created: str, fail_on: Severity = "low") -> Report:
    """The report. `created` is UTC in ISO form."""
    snapshot = basis.inventory.snapshot
    verdict = overall(results, fail_on)
    return Report(
        tool=f"zone-audit {__version__}",
        rule_pack=pack((one.rule for one in results.rules), __version__),
        created=created,
        verdict=verdict,
        headline=headline(results, verdict, fail_on),
        exit_code=exit_code(results, fail_on),
        fail_on=fail_on,
        matrix=_matrix(basis.matrix),
        scope=_scope(basis),
        zones=_zones(results, basis),
        cells=tuple(map(_cell, results.cells)),
        rules=tuple(map(_rule, results.rules)),
        findings=tuple(map(_finding, results.findings)),
        exceptions=basis.exceptions,
        assumptions=tuple(
            AssumptionRecord(id=one.id, text=one.text, connections=one.connections)
            for one in sorted(basis.facts.assumptions, key=lambda one: one.id)
        ),
        completeness=completeness(snapshot),
        inputs=_inputs(snapshot, basis.inputs),
        notes=(*snapshot.notes, *basis.notes),
        counts=_counts(results),
    )


def _matrix(matrix: ZoneMatrix) -> MatrixRecord:
    about = matrix.metadata
    return MatrixRecord(
        name=about.name,
        version=about.version,
        owner=about.owner,
        approved_by=about.approved_by,
        approved_on=about.approved_on,
        review_by=about.review_by,
        ticket=about.ticket,
        file=matrix.file,
        sha256=matrix.sha256,
    )


def _scope(basis: Basis) -> Scope:
    inventory, zone_map = basis.inventory, basis.zone_map
    return Scope(
        source=basis.source,
        live=inventory.snapshot.live,
        profile=basis.scope.profile,
        namespaces=len(inventory.namespaces),
        unzoned_namespaces=sum(one.zone == UNZONED for one in zone_map.namespaces.values()),
        workloads=len(inventory.workloads),
        pods=inventory.pods,
        nodes=len(inventory.nodes),
        policies=len(inventory.policies),
        endpoint_pairs=basis.scope.endpoint_pairs,
        outside_ranges=basis.scope.outside_ranges,
    )


def _zones(results: Results, basis: Basis) -> tuple[ZoneRecord, ...]:
    """One record per zone that has cells, in the order of the cells."""
    namespaces: dict[str, list[str]] = {}
    for name, member in sorted(basis.zone_map.namespaces.items()):
        namespaces.setdefault(member.zone, []).append(name)
    zone_of = {name: member.zone for name, member in basis.zone_map.namespaces.items()}
    workloads, pods = Counter[str](), Counter[str]()
    for workload in basis.inventory.workloads:
        zone = zone_of.get(workload.ref.namespace, UNZONED)
        workloads[zone] += 1
        pods[zone] += len(workload.pods)
    nodes = Counter(member.zone for member in basis.zone_map.nodes.values())
    return tuple(
        _zone(
            basis.matrix.zone(name),
            namespaces=tuple(namespaces.get(name, ())),
            workloads=workloads[name],
            pods=pods[name],
            nodes=nodes[name],
        )
        for name in dict.fromkeys(one.cell.source for one in results.cells)
    )


def _zone(zone: Zone | None, *, namespaces: tuple[str, ...], workloads: int, pods: int, nodes: int) -> ZoneRecord:
    """The record of a zone of the matrix, or of UNZONED for None."""
    if zone is None:
        zone = Zone(name=UNZONED, title="In no zone, or in several", trust=0)
    return ZoneRecord(
        name=zone.name,
        title=zone.title,
        kind=zone.kind,
        trust=zone.trust,
        owner=zone.owner,
        namespaces=namespaces,
        workloads=workloads,
        pods=pods,
        nodes=nodes,
        cidrs=zone.cidrs.cidrs(),
        requires=zone.requires,
    )


def _cell(checked: CheckedCell) -> CellRecord:
    cell, row = checked.cell, checked.cell.expectation.row
    flow = cell.flow
    return CellRecord(
        from_zone=cell.source,
        to_zone=cell.target,
        verdict=checked.verdict,
        expected=cell.expectation.allowed.ports(),
        observed=flow.observed.ports(),
        possible=flow.possible.ports(),
        excess=cell.excess.ports(),
        row=row.id if row else "",
        by_default=row is None,
        severity=cell.expectation.severity,
        pairs=flow.pairs,
        excess_pairs=flow.excess_pairs,
        unexposed_pairs=flow.unexposed_pairs,
        witness=_exposure(_cell_witness(checked)),
        reasons=cell.reasons,
        findings=checked.findings,
        controls=row.controls if row else (),
        justification=row.justification if row else "",
        owner=row.owner if row else "",
        ticket=row.ticket if row else "",
        review_by=row.review_by if row else "",
        unmodelled=row.unmodelled if row else (),
    )


def _cell_witness(checked: CheckedCell) -> Witness | None:
    """The connection that shows the verdict: of the first breach that decides it, else one that is open and allowed."""
    flow = checked.cell.flow
    if checked.cell.excess != NONE:
        certain = checked.cell.verdict == "fail"
        decisive = (one for one in flow.breaches if one.witness and one.exposed and one.certain == certain)
        if breach := next(decisive, None):
            return breach.witness
    return flow.witness


def _exposure(witness: Witness | None) -> Exposure | None:
    if witness is None:
        return None
    return Exposure(
        source=witness.source,
        target=witness.target,
        port=f"{witness.protocol.lower()}/{witness.port}",
        source_labels=witness.source_labels,
        target_labels=witness.target_labels,
    )


def _rule(checked: CheckedRule) -> RuleRecord:
    rule = checked.rule
    return RuleRecord(
        id=rule.id,
        title=rule.title,
        severity=rule.severity,
        verdict=checked.verdict,
        findings=checked.findings,
        reason=checked.reason,
        controls=rule.controls,
    )


def _finding(checked: CheckedFinding) -> FindingRecord:
    finding = checked.finding
    return FindingRecord(
        fingerprint=checked.fingerprint,
        rule=checked.rule.id,
        verdict=checked.verdict,
        severity=checked.severity,
        title=finding.title,
        from_zone=finding.from_zone,
        to_zone=finding.to_zone,
        ports=finding.traffic.ports(),
        subjects=tuple(dict.fromkeys(map(str, finding.subjects))),
        path=tuple(map(_step, finding.path)),
        matrix_row=finding.matrix_row,
        expected=finding.expected,
        observed=finding.observed,
        evidence=tuple(exposure for one in finding.evidence if (exposure := _exposure(one))),
        fix=finding.fix,
        controls=tuple(dict.fromkeys((*checked.rule.controls, *finding.controls))),
        owner=finding.owner,
        exception=checked.exception,
        reason=finding.reason,
        counts=dict(sorted(finding.counts.items())),
    )


def _step(cause: Cause) -> Step:
    origin = cause.ref.origin if cause.ref else None
    return Step(
        text=cause.text,
        object=str(cause.ref) if cause.ref else "",
        direction=cause.direction,
        rule=cause.rule if cause.rule >= 0 else None,
        file=origin.file if origin else "",
        line=origin.line if origin else 0,
    )


def completeness(snapshot: Snapshot) -> tuple[CompletenessRecord, ...]:
    """What was seen of every kind that was read, expected or missed, by kind.

    Manifests claim nothing about what else a cluster holds: a kind that they lack is `not-in-source`, never `complete`.
    """
    gaps: dict[str, list[Gap]] = {}
    for gap in snapshot.gaps:
        gaps.setdefault(gap.kind, []).append(gap)
    kinds = sorted({*EXPECTED_KINDS, *(kind for kind, entries in snapshot.entries.items() if entries), *gaps})
    return tuple(_kind(kind, snapshot, sorted(gaps.get(kind, ()))) for kind in kinds)


def _kind(kind: str, snapshot: Snapshot, gaps: list[Gap]) -> CompletenessRecord:
    objects = len(snapshot.of(kind))
    if gaps:
        statuses = {_GAP_STATUS.get(gap.reason, gap.reason) for gap in gaps}
        status = next((one for one in _WORST_STATUS if one in statuses), "partial")
        notes = dict.fromkeys(gap.text or gap.scope or gap.reason for gap in gaps)
        return CompletenessRecord(kind=kind, objects=objects, status=status, note="; ".join(notes))
    if objects or snapshot.live:
        return CompletenessRecord(kind=kind, objects=objects, status="complete")
    note = "endpoints come from the pod templates of workloads" if kind == "Pod" else "the sources hold no such object"
    return CompletenessRecord(kind=kind, objects=0, status="not-in-source", note=note)


def _inputs(snapshot: Snapshot, others: Iterable[InputRecord]) -> tuple[InputRecord, ...]:
    sources = (
        InputRecord(file=one.file, sha256=one.sha256, size=one.size, objects=one.objects) for one in snapshot.inputs
    )
    return (*sources, *others)


def _counts(results: Results) -> Counts:
    cells = Counter(one.verdict for one in results.cells)
    rules = Counter(one.verdict for one in results.rules)
    findings = Counter(one.verdict for one in results.findings)
    severities = Counter(one.severity for one in results.findings if one.verdict == "fail")
    return Counts(
        cells={verdict: cells[verdict] for verdict in VERDICTS},
        rules={verdict: rules[verdict] for verdict in VERDICTS},
        findings={verdict: findings[verdict] for verdict in VERDICTS},
        severities={severity: severities[severity] for severity in SEVERITIES},
        defaulted_cells=sum(one.cell.expectation.row is None for one in results.cells),
    )
