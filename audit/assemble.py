"""Results -> Report: verdict, headline, control totals and records. Pure; the clock comes in as text.

Input: what was decided and what it was decided from. Output: the one value that every renderer and the exit code use.
Decisions: whatever fails makes the report not compliant, `fail_on` or not; missing evidence makes it incomplete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from audit import __version__, border_records, control_mapping, object_records, path_records
from audit.checker import CheckedCell, CheckedFinding, CheckedRule, Results
from audit.completeness import completeness
from audit.conclusion import exit_code, headline, overall
from audit.discovery import pack
from audit.flows import Facts, Paths, Population, Witness
from audit.inventory import Inventory
from audit.ledger import Manifest
from audit.model import SEVERITIES, UNZONED, VERDICTS, Severity, Zone, ZoneMatrix
from audit.permits import UNCERTAIN
from audit.report import (
    AssumptionRecord,
    CellRecord,
    Counts,
    ExceptionRecord,
    FindingRecord,
    InputRecord,
    MatrixRecord,
    Report,
    RuleRecord,
    Scope,
    ZoneRecord,
)
from audit.report_annex import CollectionRecord
from audit.snapshot import Snapshot
from audit.sources.evidence import missing_access
from audit.traffic import NONE
from audit.zones import ZoneMap


class ScopeFacts(Protocol):
    """What the engine says of the population it judged."""

    @property
    def endpoint_pairs(self) -> int: ...  # noqa: D102 - as in report.Scope
    @property
    def outside_ranges(self) -> int: ...  # noqa: D102


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
    paths: Paths = Paths()  # noqa: RUF009 - frozen
    exceptions: tuple[ExceptionRecord, ...] = ()
    inputs: tuple[InputRecord, ...] = ()
    """The matrix and exceptions files; sources come from the snapshot."""
    notes: tuple[str, ...] = ()


def assemble(results: Results, basis: Basis, *, created: str, fail_on: Severity = "low") -> Report:
    """The report. `created` is UTC in ISO form."""
    snapshot = basis.inventory.snapshot
    verdict = overall(results)
    cells, rules = tuple(map(_cell, results.cells)), tuple(map(_rule, results.rules))
    findings = _findings(results, basis.exceptions)
    return Report(
        tool=f"zone-audit {__version__}",
        rule_pack=pack((one.rule for one in results.rules), __version__),
        created=created,
        verdict=verdict,
        headline=headline(results, verdict, fail_on),
        exit_code=exit_code(results, fail_on),
        fail_on=fail_on,
        matrix=_matrix(basis.matrix),
        scope=_scope(results, basis),
        zones=_zones(results, basis),
        cells=cells,
        rules=rules,
        findings=findings,
        transit=path_records.transit(basis.paths),
        cuts=path_records.cuts(basis.paths),
        entries=border_records.entries(basis.facts.entry_points),
        departures=border_records.departures(basis.facts.departures),
        objects=object_records.objects(results, snapshot, basis.matrix.file),
        exceptions=basis.exceptions,
        assumptions=tuple(
            AssumptionRecord(id=one.id, text=one.text, standing=one.id not in UNCERTAIN, connections=one.connections)
            for one in sorted(basis.facts.assumptions, key=lambda one: one.id)
        ),
        completeness=completeness(snapshot),
        inputs=_inputs(snapshot, basis.inputs),
        collection=_collection(snapshot.manifest),
        notes=(*snapshot.notes, *basis.notes),
        controls=control_mapping.mapped(rules, cells, findings),
        counts=_counts(results, basis.paths),
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


def _scope(results: Results, basis: Basis) -> Scope:
    inventory, zone_map = basis.inventory, basis.zone_map
    return Scope(
        source=basis.source,
        live=inventory.snapshot.live,
        profile=inventory.profile.plugin,
        platform=inventory.profile.details,
        enforcement=inventory.profile.enforcement,
        profile_evidence=inventory.profile.evidence,
        namespaces=len(inventory.namespaces),
        unzoned_namespaces=sum(one.zone == UNZONED for one in zone_map.namespaces.values()),
        workloads=len(inventory.workloads),
        pods=inventory.pods,
        nodes=len(inventory.nodes),
        policies=len(inventory.policies),
        endpoint_pairs=basis.scope.endpoint_pairs,
        undecided_pairs=sum(one.cell.flow.doubtful_pairs for one in results.cells),
        outside_ranges=basis.scope.outside_ranges,
    )


def _zones(results: Results, basis: Basis) -> tuple[ZoneRecord, ...]:
    """One record per zone that has cells, in the order of the cells; endpoints are counted as the cells judge them."""
    namespaces: dict[str, list[str]] = {}
    for name, member in sorted(basis.zone_map.namespaces.items()):
        namespaces.setdefault(member.zone, []).append(name)
    nodes = Counter(member.zone for member in basis.zone_map.nodes.values())
    nobody = Population(workloads=0, pods=0)
    return tuple(
        _zone(
            basis.matrix.zone(name),
            namespaces=tuple(namespaces.get(name, ())),
            held=basis.facts.population.get(name, nobody),
            nodes=nodes[name],
        )
        for name in dict.fromkeys(one.cell.source for one in results.cells)
    )


def _zone(zone: Zone | None, *, namespaces: tuple[str, ...], held: Population, nodes: int) -> ZoneRecord:
    """The record of a zone of the matrix, or of UNZONED for None."""
    shown = zone or Zone(name=UNZONED, title="In no zone, or in several")
    return ZoneRecord(
        name=shown.name,
        title=shown.title,
        kind=zone.kind if zone else "",
        trust=zone.trust if zone else None,
        owner=shown.owner,
        namespaces=namespaces,
        workloads=held.workloads,
        pods=held.pods,
        guests=tuple(map(str, held.guests)),
        nodes=nodes,
        cidrs=shown.cidrs.cidrs(),
        requires=shown.requires,
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
        possible_pairs=flow.doubtful_pairs,
        unexposed_pairs=flow.unexposed_pairs,
        witness=path_records.exposure(_cell_witness(checked)),
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


def _rule(checked: CheckedRule) -> RuleRecord:
    rule = checked.rule
    return RuleRecord(
        id=rule.id,
        title=rule.title,
        severity=rule.severity,
        verdict=checked.verdict,
        findings=checked.findings,
        reason=checked.reason,
        why=rule.sections.get("Why it matters", ""),
        controls=rule.controls,
    )


def _findings(results: Results, exceptions: Iterable[ExceptionRecord]) -> tuple[FindingRecord, ...]:
    refused: dict[str, list[str]] = {}
    for record in exceptions:
        for fingerprint in record.would_cover:
            refused.setdefault(fingerprint, []).append(record.id)
    return tuple(_finding(one, tuple(refused.get(one.fingerprint, ()))) for one in results.findings)


def _finding(checked: CheckedFinding, refused: tuple[str, ...]) -> FindingRecord:
    finding = checked.finding
    file, line = next(((ref.origin.file, ref.origin.line) for ref in finding.subjects if ref.origin), ("", 0))
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
        file=file,
        line=line,
        path=tuple(map(path_records.step, finding.path)),
        matrix_row=finding.matrix_row,
        expected=finding.expected,
        observed=finding.observed,
        evidence=tuple(exposure for one in finding.evidence if (exposure := path_records.exposure(one))),
        fix=finding.fix,
        controls=tuple(dict.fromkeys((*checked.rule.controls, *finding.controls))),
        owner=finding.owner,
        exception=checked.exception,
        refused_exceptions=refused,
        reason=finding.reason,
        counts=dict(sorted(finding.counts.items())),
    )


def _inputs(snapshot: Snapshot, others: Iterable[InputRecord]) -> tuple[InputRecord, ...]:
    sources = (
        InputRecord(file=one.file, sha256=one.sha256, size=one.size, objects=one.objects) for one in snapshot.inputs
    )
    return (*sources, *others)


def _collection(manifest: Manifest | None) -> CollectionRecord | None:
    if manifest is None:
        return None
    return CollectionRecord(
        tool=manifest.tool,
        cluster=manifest.cluster,
        resource_version=manifest.resource_version,
        started=manifest.started,
        ended=manifest.ended,
        attempts=manifest.attempts,
        pseudonyms=manifest.pseudonyms,
        unmodelled_groups=manifest.unmodelled_groups,
        ledger=manifest.ledger,
        missing_access=missing_access(manifest),
    )


def _counts(results: Results, paths: Paths) -> Counts:
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
        apart=path_records.counts(paths),
    )
