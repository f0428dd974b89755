"""Runs rules: what each of them found, what decides its verdict besides, and which kinds it looked at.

Decisions: an error inside a rule is an outcome, never silence; on a cluster of which something was not read each rule
is watched, with facts of its own, and otherwise all share what they ask for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from audit.footing import Footing, noted
from audit.lacking import Lacking
from audit.model import Verdict
from audit.rule import Context, Finding, Manual, NotApplicable, NotEvaluated, Rule

ZONING = frozenset({"Namespace"})
"""Kinds that say what belongs to which zone, so that without them nothing fails for certain."""
Problem = tuple[Verdict, str]
"""A verdict that something other than findings decides, with its reason."""


class Ran(NamedTuple):
    """One rule that was run."""

    rule: Rule
    findings: tuple[Finding, ...]
    problem: Problem | None
    lost: str
    """What it needed or looked at and was not read, as one clause; empty if nothing."""


def run_all(rules: Iterable[Rule], context: Context) -> tuple[Ran, ...]:
    """The outcome of every rule, in their order."""
    lacking, listed, seen = context.scene.lacking, tuple(rules), set[str]()
    if not (context.live and lacking):
        shared = _noting(context, seen) if context.live else context
        ran = tuple(Ran(rule, *_run(rule, shared), lacking.why(rule.needs)) for rule in listed)
        if not lacking.of(seen):
            return ran
    footing = Footing(context)
    return tuple(_watched(rule, footing, lacking) for rule in listed)


def _watched(rule: Rule, footing: Footing, lacking: Lacking) -> Ran:
    seen = set[str]()
    findings, problem = _run(rule, footing.noting(seen))
    undoing = seen.intersection(ZONING).union(rule.undone_by)
    if lacking.undoing(undoing):
        findings = tuple(_undone(one, lacking.why(undoing)) for one in findings)
    return Ran(rule, findings, problem, lacking.why(seen.union(rule.needs)))


def _undone(finding: Finding, reason: str) -> Finding:
    """The finding where something that was not read could take it away."""
    return replace(finding, verdict="not-evaluated", reason=reason) if finding.verdict == "fail" else finding


def _noting(context: Context, seen: set[str]) -> Context:
    """The context as all rules share it, adding to `seen` the kinds of which objects are read: some may be unknown."""
    inventory = noted(context.inventory, seen)
    return replace(context, inventory=inventory, scene=replace(context.scene, inventory=inventory))


def _run(rule: Rule, context: Context) -> tuple[tuple[Finding, ...], Problem | None]:
    """The findings of one rule, and the verdict with its reason if something other than findings decides it.

    Whatever was found before the rule broke is kept.
    """
    findings: list[Finding] = []
    unread: list[str] = []
    by_hand: list[str] = []
    try:
        outcomes: Iterable[object] = rule.check(context)  # a rule of others may yield anything
        for outcome in outcomes:
            match outcome:
                case Finding():
                    findings.append(outcome)
                case NotApplicable(reason):
                    return tuple(findings), ("not-applicable", reason)
                case Manual(reason):
                    by_hand.append(reason)
                case NotEvaluated(reason):
                    unread.append(reason)
                case _:
                    named = type(outcome).__name__
                    return tuple(findings), ("not-evaluated", f"rule error: it yields {named}, not findings")
    except Exception as error:  # noqa: BLE001 - whatever a rule raises must show as a verdict, never as silence
        return tuple(findings), ("not-evaluated", f"rule error: {type(error).__name__}: {error}")
    if unread:
        return tuple(findings), ("not-evaluated", "; ".join(dict.fromkeys(unread)))
    return tuple(findings), ("manual", "; ".join(dict.fromkeys(by_hand))) if by_hand else None
