"""Judges every cell of the matrix, runs the rules, and applies missing evidence and exceptions.

Input: what the engine says and what was declared. Output: Results. Nothing here can turn missing evidence into a pass:
a rule that needs what was not read, or that breaks, is not-evaluated.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from audit.controls.scene import Scene
from audit.flows import CellFlow, Facts
from audit.footing import INSIDE, NOTHING, OF_FILES, REACH_EVIDENCE, Kinds, told_by
from audit.inventory import Inventory
from audit.lacking import Lacking
from audit.model import SEVERITIES, UNZONED, VERDICTS, Expectation, Severity, Verdict, ZoneMatrix
from audit.narrowing import narrowings
from audit.remedy import zone_policies
from audit.rule import INCOMPLETE, UNJUDGED, Cell, Context, Finding, Rule
from audit.runs import ZONING, Problem, Ran, run_all
from audit.traffic import ALL, NONE
from audit.zones import ZoneMap

CELL_RULE = "NET001"
"""The rule whose findings are the reasons why cells fail."""
NO_ENDPOINTS = "no-endpoints"
NOT_COMPUTED = "not-computed"
"""Reason of a cell that the engine left out."""
_FINGERPRINT = 32
"""Hex digits: 128 bits, so that two of a million findings do not collide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFinding:
    """A finding with what the checker adds."""

    rule: Rule
    finding: Finding
    fingerprint: str
    verdict: Verdict
    """`fail`, `excepted` or `not-evaluated`."""
    exception: str = ""
    """Id of the exception that covers it."""

    @property
    def severity(self) -> Severity:
        """The finding's own, else the rule's."""
        return self.finding.severity or self.rule.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCell:
    """A cell with its final verdict."""

    cell: Cell
    verdict: Verdict
    findings: tuple[str, ...]
    """Fingerprints, in the order of the findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRule:
    """The verdict of one rule over the whole input."""

    rule: Rule
    verdict: Verdict
    findings: int
    reason: str = ""
    unsure: bool = False
    """Evidence was missing or the rule broke, so that it cannot pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything that was decided."""

    cells: tuple[CheckedCell, ...]
    rules: tuple[CheckedRule, ...]
    findings: tuple[CheckedFinding, ...]
    """Worst first: verdict, severity, rule, zones, subjects."""


def zone_names(matrix: ZoneMatrix, flows: Iterable[CellFlow], zone_map: ZoneMap) -> tuple[str, ...]:
    """The zones in report order: by trust, then name; UNZONED last, if anything is unzoned."""
    named = [zone.name for zone in sorted(matrix.zones, key=lambda zone: (zone.trust, zone.name))]
    members = [*zone_map.namespaces.values(), *zone_map.nodes.values()]
    unzoned = any(UNZONED in (flow.source, flow.target) for flow in flows) or any(
        one.zone == UNZONED for one in members
    )
    return (*named, UNZONED) if unzoned else tuple(named)


def judge(
    matrix: ZoneMatrix,
    flows: Sequence[CellFlow],
    names: Sequence[str],
    lacking: Lacking | None = None,
    platform: Kinds = NOTHING,
) -> tuple[Cell, ...]:
    """Every ordered pair of the named zones with its verdict, before exceptions.

    A pair the engine says nothing about is not-evaluated, or not-applicable where the zone is UNZONED and empty.
    Nothing passes whose evidence was not read in full: what was not read could be open. `platform` is what told the
    platform of a live cluster.
    """
    by_pair = {(flow.source, flow.target): flow for flow in flows}
    cells = tuple(_judge(matrix, by_pair.get((a, b)) or _silent(a, b), a, b) for a in names for b in names)
    if lacking is None or not lacking.of(REACH_EVIDENCE | platform if lacking.live else OF_FILES):
        return cells
    inside, unzoned = not lacking.live or bool(lacking.of(INSIDE | platform)), bool(lacking.undoing(ZONING))
    return tuple(
        _in_doubt(cell, unzoned=unzoned) if inside or _addressed(matrix, cell.source) else cell for cell in cells
    )


def _addressed(matrix: ZoneMatrix, name: str) -> bool:
    """Whether addresses outside the cluster may belong to the zone, which come in through entry points."""
    zone = matrix.zone(name)
    return zone is None or zone.kind in ("external", "internet") or bool(zone.cidrs)


def _in_doubt(cell: Cell, *, unzoned: bool) -> Cell:
    """The cell when a part of its evidence is not known: more could be open than was seen.

    `unzoned`: what belongs to which zone is not known either, so that nothing fails for certain.
    """
    if unzoned and cell.verdict == "fail":
        return replace(cell, verdict="not-evaluated", reasons=_merged(cell.reasons, [INCOMPLETE]))
    if cell.verdict == "pass" or cell.reasons == (NO_ENDPOINTS,):
        return replace(cell, verdict="not-evaluated", reasons=(INCOMPLETE,))
    return replace(cell, reasons=_merged(cell.reasons, [INCOMPLETE])) if cell.verdict == "fail" else cell


def _silent(source: str, target: str) -> CellFlow:
    if UNZONED in (source, target):
        return CellFlow(source=source, target=target, populated=False)
    return CellFlow(source=source, target=target, reasons=(NOT_COMPUTED,))


def _judge(matrix: ZoneMatrix, flow: CellFlow, source: str, target: str) -> Cell:
    expectation = matrix.expect(source, target)
    if matrix.defaults.unzoned == "warn" and UNZONED in (source, target):
        expectation = replace(expectation, severity="low")
    certain, possible = flow.observed - expectation.allowed, flow.possible - expectation.allowed
    verdict: Verdict
    excess, reasons = NONE, flow.reasons
    if why := _nothing_to_judge(matrix, flow, source, target):
        verdict, reasons = "not-applicable", (why,)
    elif certain:
        verdict, excess, reasons = "fail", certain, _merged(flow.reasons, _unjudged(expectation, flow))
    elif possible or NOT_COMPUTED in flow.reasons or _unjudged(expectation, flow):
        verdict, excess, reasons = "not-evaluated", possible, _merged(flow.reasons, _unjudged(expectation, flow))
    else:
        verdict, reasons = "pass", ()
    return Cell(flow=flow, expectation=expectation, verdict=verdict, excess=excess, reasons=reasons)


def _unjudged(expectation: Expectation, flow: CellFlow) -> tuple[str, ...]:
    """The reason why a row that blocks only what is not modelled cannot be kept for certain; empty if it can.

    Where nothing is open every pair is isolated, and that is all there is to ask of policies.
    """
    row = expectation.row
    blind = row is not None and row.access == "block-only" and bool(row.unmodelled) and bool(flow.possible)
    return (UNJUDGED,) if blind else ()


def _merged(reasons: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*reasons, *more}))


def _nothing_to_judge(matrix: ZoneMatrix, flow: CellFlow, source: str, target: str) -> str:
    """Why the pair is not applicable; empty if it is to be judged."""
    if not flow.populated:
        return NO_ENDPOINTS
    if _outside(matrix, source) and _outside(matrix, target) and not flow.possible:
        return "outside-the-cluster"
    if matrix.defaults.unzoned == "ignore" and UNZONED in (source, target):
        return "unzoned-ignored"
    return ""


def _protected(matrix: ZoneMatrix) -> frozenset[str]:
    names = [*(zone.name for zone in matrix.zones), UNZONED]
    return frozenset(b for b in names if any(matrix.expect(a, b).allowed != ALL for a in names if a != b))


def _outside(matrix: ZoneMatrix, name: str) -> bool:
    """Whether the zone lies outside, so that what it says to another such zone never passes the cluster."""
    zone = matrix.zone(name)
    return zone is not None and zone.kind in ("external", "internet")


def check(  # noqa: PLR0913 - the context of the rules, part by part
    rules: Iterable[Rule],
    *,
    inventory: Inventory,
    zone_map: ZoneMap,
    matrix: ZoneMatrix,
    flows: Sequence[CellFlow],
    facts: Facts,
    today: dt.date,
    cluster: str = "",
) -> Results:
    """The verdict of every cell and rule, no exception applied.

    `cluster` is the identity that fingerprints carry; empty for manifests.
    """
    snapshot, names = inventory.snapshot, zone_names(matrix, flows, zone_map)
    scene = Scene(inventory=inventory, zone_map=zone_map, matrix=matrix, facts=facts)
    context = Context(
        inventory=inventory,
        zone_map=zone_map,
        matrix=matrix,
        cells=judge(matrix, flows, names, scene.lacking, told_by(inventory)),
        facts=facts,
        gaps=snapshot.gaps,
        today=today,
        host_network=inventory.host_network,
        protected=_protected(matrix),
        zone_policy=zone_policies(matrix),
        narrow=narrowings(inventory, zone_map, matrix),
        live=snapshot.live,
        scene=scene,
    )
    ran = run_all(rules, context)
    checked = _identify(((one.rule, finding) for one in ran for finding in one.findings), cluster)
    verdicts = (_rule_verdict(one, checked) for one in ran)
    return Results(
        cells=_settle(context.cells, checked),
        rules=tuple(sorted(verdicts, key=lambda one: one.rule.id)),
        findings=checked,
    )


def _rule_verdict(ran: Ran, checked: Sequence[CheckedFinding]) -> CheckedRule:
    """The verdict of one rule: the worst of what it found, of what decides it besides, and of what was not read."""
    rule, problem = ran.rule, ran.problem
    own = [one for one in checked if one.rule is rule]
    unsure = bool(ran.lost) or (problem is not None and problem[0] == "not-evaluated")
    verdict = _worst({one.verdict for one in own}, unsure=unsure)
    reason = _reason(problem, ran.lost)
    if verdict == "not-evaluated" and not reason:
        reason = "; ".join(dict.fromkeys(one.finding.reason for one in own if one.finding.reason))
    if verdict is None:
        verdict = problem[0] if problem else "pass"
    return CheckedRule(rule=rule, verdict=verdict, findings=len(own), reason=reason, unsure=unsure)


def _reason(problem: Problem | None, lost: str) -> str:
    """Why a rule is not evaluated. Where something was not read, nobody knows that there is nothing to judge."""
    own = problem[1] if problem and (problem[0] == "not-evaluated" or not lost) else ""
    return "; ".join(one for one in (own, lost) if one and (one is own or one not in own))


def _worst(verdicts: Iterable[Verdict], *, unsure: bool) -> Verdict | None:
    seen = {*verdicts, *(["not-evaluated"] if unsure else [])}
    return next((one for one in VERDICTS if one in seen), None)


def _settle(cells: Iterable[Cell], checked: Iterable[CheckedFinding]) -> tuple[CheckedCell, ...]:
    """The cells with their findings and final verdicts."""
    by_pair: dict[tuple[str, str], list[CheckedFinding]] = {}
    for one in checked:
        by_pair.setdefault((one.finding.from_zone, one.finding.to_zone), []).append(one)
    return tuple(_settled(cell, by_pair.get((cell.source, cell.target), ())) for cell in cells)


def _settled(cell: Cell, own: Sequence[CheckedFinding]) -> CheckedCell:
    """A failing cell is excepted when exceptions cover every finding that makes it fail, and these explain it all.

    A doubt cannot be excused: where one remains, the cell is what it would be without the excused traffic.
    """
    at_fault = [one for one in own if one.rule.id == CELL_RULE and one.finding.verdict == "fail"]
    explained = NONE
    for one in at_fault:
        explained |= one.finding.traffic
    excepted = cell.excess <= explained and all(one.verdict == "excepted" for one in at_fault)
    verdict = cell.verdict
    if cell.verdict == "fail" and excepted:
        left = _doubtful(cell)
        cell, verdict = left or cell, "not-evaluated" if left else "excepted"
    return CheckedCell(cell=cell, verdict=verdict, findings=tuple(one.fingerprint for one in own))


def _doubtful(cell: Cell) -> Cell | None:
    """The failing cell as its doubts alone leave it; None where it has none."""
    doubts = [breach for breach in cell.flow.breaches if breach.exposed and not breach.certain]
    standing = [reason for reason in cell.reasons if reason in (INCOMPLETE, UNJUDGED)]
    excess = cell.flow.possible - cell.expectation.allowed - cell.excess
    if not (doubts or standing or excess):
        return None
    reasons = _merged(standing, (reason for breach in doubts for reason in breach.reasons))
    for breach in doubts:
        excess |= breach.traffic
    return replace(cell, verdict="not-evaluated", excess=excess, reasons=reasons or cell.reasons)


def excuse(results: Results, covered: Mapping[str, str]) -> Results:
    """The same results with exceptions applied: `covered` gives the exception's id by fingerprint.

    Only what fails can be excused; what is not-evaluated stays so. Findings stay in the results, marked.
    """
    findings = tuple(
        sorted(
            (
                replace(one, verdict="excepted", exception=covered[one.fingerprint])
                if one.verdict == "fail" and one.fingerprint in covered
                else one
                for one in results.findings
            ),
            key=_rank,
        )
    )
    rules = []
    for one in results.rules:
        own = [finding.verdict for finding in findings if finding.rule is one.rule]
        rules.append(replace(one, verdict=_worst(own, unsure=one.unsure) or one.verdict))
    return Results(cells=_settle((one.cell for one in results.cells), findings), rules=tuple(rules), findings=findings)


def _identify(found: Iterable[tuple[Rule, Finding]], cluster: str) -> tuple[CheckedFinding, ...]:
    """The findings, worst first, each with a fingerprint of its own."""
    checked = []
    taken: dict[str, int] = {}
    for rule, finding in sorted(found, key=_content):
        base = fingerprint(rule.id, finding, cluster)
        taken[base] = taken.get(base, 0) + 1
        digest = base if taken[base] == 1 else _digest([base, taken[base]])
        checked.append(CheckedFinding(rule=rule, finding=finding, fingerprint=digest, verdict=finding.verdict))
    return tuple(sorted(checked, key=_rank))


def _content(pair: tuple[Rule, Finding]) -> tuple[object, ...]:
    """An order that rests on what a finding says, so that equal fingerprints are numbered alike in every run."""
    rule, finding = pair
    return (rule.id, finding.from_zone, finding.to_zone, finding.subjects, finding.identity, finding.title,
            finding.traffic.spans, [str(cause) for cause in finding.path], finding.observed)  # fmt: skip


def _rank(one: CheckedFinding) -> tuple[object, ...]:
    finding = one.finding
    return (VERDICTS.index(one.verdict), -SEVERITIES.index(one.severity), one.rule.id,
            finding.from_zone, finding.to_zone, finding.subjects, one.fingerprint)  # fmt: skip


def fingerprint(rule_id: str, finding: Finding, cluster: str = "") -> str:
    """Hex that stays the same from run to run as long as the same objects are at fault in the same way.

    Made from the rule, the cluster, the zones, protocols and ports, and the subjects; of a bare pod only the namespace
    counts, since its name may be made up anew.
    """
    subjects = sorted({(ref.kind, ref.namespace, "" if ref.kind == "Pod" else ref.name) for ref in finding.subjects})
    return _digest([
        rule_id, cluster, finding.from_zone, finding.to_zone, finding.traffic.ports(), subjects, list(finding.identity),
    ])  # fmt: skip


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:_FINGERPRINT]
