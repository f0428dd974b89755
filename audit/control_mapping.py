"""Controls of frameworks and what a scan says that supports them. Data: `controls.json` beside the rules.

Input: results and the matrix. Output: one record per control. Decisions: a control takes the worst verdict of the
rules, matrix rows and findings that name it, or a control whose evidence it shares; nothing ever satisfies a control.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files

import msgspec

from audit.model import VERDICTS
from audit.report import CellRecord, FindingRecord, RuleRecord
from audit.report_annex import ControlRecord

_PASSED_OVER = "not-applicable"
"""A verdict that says nothing of a control as long as another one does."""


class Control(msgspec.Struct, frozen=True):
    """One control."""

    id: str
    text: str
    """What it asks for, in our words."""
    evidence: tuple[str, ...] = ()
    """`framework/control` of others whose evidence supports this one, too."""
    supporting_only: bool = False
    """It asks for more than a scan can give, such as a penetration test or a signed review."""


class Framework(msgspec.Struct, frozen=True):
    """One standard and those of its controls that a scan can support."""

    id: str
    title: str
    note: str
    controls: tuple[Control, ...]


class _Catalogue(msgspec.Struct, frozen=True):
    frameworks: tuple[Framework, ...]


def frameworks() -> tuple[Framework, ...]:
    """All frameworks, in the order of the file."""
    content = files("audit.rules").joinpath("controls.json").read_bytes()
    return msgspec.json.decode(content, type=_Catalogue).frameworks


def mapped(
    rules: Iterable[RuleRecord], cells: Iterable[CellRecord], findings: Iterable[FindingRecord]
) -> tuple[ControlRecord, ...]:
    """One record per control that some rule or row supports, by framework; those that only a matrix names come last."""
    support = _Support(rules, cells, findings)
    known = [(framework, control) for framework in frameworks() for control in framework.controls]
    records = [support.record(framework, control) for framework, control in known]
    strange = support.named - {f"{framework.id}/{control.id}" for framework, control in known}
    return (*(one for one in records if one), *map(support.bare, sorted(strange)))


class _Support:
    """Who names which control."""

    def __init__(
        self, rules: Iterable[RuleRecord], cells: Iterable[CellRecord], findings: Iterable[FindingRecord]
    ) -> None:
        rules = tuple(rules)
        self._rules = _by_control((one.controls, one.id) for one in rules)
        self._verdicts = {one.id: one.verdict for one in rules}
        self._cells = _by_control((one.controls, one.verdict) for one in cells)
        findings = tuple(findings)
        self._findings = _by_control((one.controls, one.fingerprint) for one in findings)
        self._told = _by_control((one.controls, one.verdict) for one in findings)
        self.named = {*self._rules, *self._cells, *self._findings}
        """`framework/control` of all that is named."""

    def record(self, framework: Framework, control: Control) -> ControlRecord | None:
        """What is said of a control; None if nothing is."""
        keys = (f"{framework.id}/{control.id}", *control.evidence)
        return self._made(framework.id, framework.title, control, keys)

    def bare(self, name: str) -> ControlRecord:
        """What is said of a control that only the matrix or a rule of others knows."""
        framework, _, control = name.partition("/")
        made = self._made(framework, framework, Control(id=control, text=""), (name,))
        assert made is not None  # noqa: S101 - it is named
        return made

    def _made(self, framework: str, title: str, control: Control, keys: Iterable[str]) -> ControlRecord | None:
        keys = tuple(keys)
        rules = tuple(sorted({one for key in keys for one in self._rules.get(key, ())}))
        verdicts: set[str] = {self._verdicts[one] for one in rules}
        verdicts |= {one for key in keys for held in (self._cells, self._told) for one in held.get(key, ())}
        findings = tuple(dict.fromkeys(one for key in keys for one in self._findings.get(key, ())))
        if not verdicts:
            return None
        return ControlRecord(
            framework=framework,
            framework_title=title,
            control=control.id,
            text=control.text,
            result=_worst(verdicts),
            rules=rules,
            findings=findings,
            supporting_only=control.supporting_only,
        )


def _by_control(named: Iterable[tuple[Iterable[str], str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for controls, what in named:
        for control in controls:
            found.setdefault(control, {})[what] = None
    return {control: tuple(listed) for control, listed in found.items()}


def _worst(verdicts: Iterable[str]) -> str:
    seen = set(verdicts)
    telling = seen - {_PASSED_OVER} or seen
    return next((one for one in VERDICTS if one in telling), _PASSED_OVER)
