"""What the results come to: the verdict, its sentence, and the exit code.

Three rules: whatever fails is not compliant, the threshold decides the exit code alone; missing evidence is never
compliant; and findings win over missing evidence, though both are said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from audit.checker import CheckedCell, CheckedFinding, Results
from audit.errors import INCOMPLETE
from audit.model import SEVERITIES, Severity, Verdict

FINDINGS = 1
"""Exit code for findings at or above the threshold."""


def counting(results: Results, fail_on: Severity = "low") -> tuple[CheckedFinding, ...]:
    """Failed findings at or above the threshold, worst first; `info` never counts."""
    floor = max(SEVERITIES.index(fail_on), SEVERITIES.index("low"))
    return tuple(one for one in results.findings if one.verdict == "fail" and SEVERITIES.index(one.severity) >= floor)


class Judged(Protocol):
    """A cell, a rule or a finding."""

    @property
    def verdict(self) -> Verdict: ...  # noqa: D102 - as in Results and Report


class Decided(Protocol):
    """Results, and the Report that is made of them."""

    @property
    def cells(self) -> Sequence[Judged]: ...  # noqa: D102 - as in Results and Report
    @property
    def rules(self) -> Sequence[Judged]: ...  # noqa: D102
    @property
    def findings(self) -> Sequence[Judged]: ...  # noqa: D102


def complete(decided: Decided) -> bool:
    """Whether everything that should have been judged was, and there was something to judge."""
    verdicts = {one.verdict for held in (decided.cells, decided.rules, decided.findings) for one in held}
    return "not-evaluated" not in verdicts and any(one.verdict != "not-applicable" for one in decided.cells)


def judged(results: Results) -> tuple[CheckedCell, ...]:
    """Cells in which both zones have members."""
    return tuple(one for one in results.cells if one.verdict != "not-applicable")


def exit_code(results: Results, fail_on: Severity) -> int:
    """1 with findings that count, or with a failing cell that no finding explains; else 3 if incomplete; else 0."""
    unexplained = any(one.verdict == "fail" and not one.findings for one in results.cells)
    if counting(results, fail_on) or unexplained:
        return FINDINGS
    return 0 if complete(results) else INCOMPLETE


def overall(results: Results) -> str:
    """`not-compliant`, `incomplete` or `compliant`; a threshold changes none of it."""
    if counting(results) or any(one.verdict == "fail" for one in results.cells):
        return "not-compliant"
    return "compliant" if complete(results) else "incomplete"


def headline(results: Results, verdict: str, fail_on: Severity) -> str:
    """The verdict with its reason, one sentence without a final period."""
    cells: Counter[str] = Counter(one.verdict for one in results.cells)
    total = len(judged(results))
    undecided = _undecided(results, cells)
    if verdict == "compliant":
        excepted = f", {cells['excepted']} of them by approved exception" if cells["excepted"] else ""
        return f"Compliant: {_all(total)} the matrix{excepted}"
    if verdict == "incomplete":
        return f"Incomplete: {undecided or 'no zone pair has endpoints on both sides'}; nothing that was decided fails"
    tail = f"; incomplete as well: {undecided}" if undecided else ""
    findings = _findings(results, fail_on)
    if not cells["fail"]:
        return f"Not compliant: no zone pair fails, but {findings}{tail}"
    share = f"{cells['fail']} of {_many(total, 'zone pair')} {'lets' if cells['fail'] == 1 else 'let'}"
    return f"Not compliant: {share} through what the matrix forbids, {findings}{tail}"


def _findings(results: Results, fail_on: Severity) -> str:
    """How many findings fail, and how many of them the exit code counts."""
    failing, count = len(counting(results)), len(counting(results, fail_on))
    said = f"{_many(failing, 'finding')} at or above low"
    if failing == count:
        return said
    return f"{said}, {count or 'none'} of them at or above {fail_on}"


def _all(total: int) -> str:
    return "the only judged zone pair keeps" if total == 1 else f"all {total} judged zone pairs keep"


def _undecided(results: Results, cells: Counter[str]) -> str:
    """What could not be evaluated, as a clause; empty if nothing."""
    rules = sum(one.verdict == "not-evaluated" for one in results.rules)
    parts = [_many(cells["not-evaluated"], "zone pair")] if cells["not-evaluated"] else []
    parts += [_many(rules, "rule")] if rules else []
    findings = sum(one.verdict == "not-evaluated" for one in results.findings)
    if not parts and findings:
        parts = [f"part of {_many(findings, 'finding')}"]
    return f"{' and '.join(parts)} could not be evaluated" if parts else ""


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
