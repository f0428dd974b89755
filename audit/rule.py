"""The API for rule authors. Rules import this module only.

A rule is a function from a Context to findings, made into a frozen value by `@rule`; importing a rule has no effect.
It yields one Finding per cause, or one NotApplicable or Manual; yielding nothing passes, if all that `needs` names, and
of a live cluster all that it looked at, was read. Nobody has to ask what was read: `audit.runs` does.
A rule of a control asks `audit.controls` for facts through `Context.of`.
"""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from audit.controls.scene import Ground, Scene
from audit.exposure.publications import PUBLISHING
from audit.flows import Backend, Breach, Cause, CellFlow, EntryPoint, Facts, Isolation, PolicyFact, Witness
from audit.inventory import Inventory, Workload
from audit.model import (
    SEVERITIES,
    UNZONED,
    Expectation,
    Namespace,
    ObjectRef,
    Severity,
    Verdict,
    Zone,
    ZoneMatrix,
)
from audit.remedy import ZonePolicy, ports_yaml, scalar
from audit.snapshot import Gap
from audit.traffic import ALL, NONE, Traffic
from audit.zones import Membership, ZoneMap, is_platform, stray_labels

if TYPE_CHECKING:
    from audit.narrowing import Narrow

__all__ = [
    "ALIKE",
    "ALL",
    "INCOMPLETE",
    "NONE",
    "PUBLISHING",
    "SEVERITIES",
    "UNJUDGED",
    "UNZONED",
    "Backend",
    "Breach",
    "Cause",
    "Cell",
    "CellFlow",
    "Context",
    "EntryPoint",
    "Expectation",
    "Facts",
    "Finding",
    "Gap",
    "Inventory",
    "Isolation",
    "Manual",
    "Membership",
    "Namespace",
    "NotApplicable",
    "NotEvaluated",
    "ObjectRef",
    "PolicyFact",
    "Rule",
    "Severity",
    "Traffic",
    "Verdict",
    "Witness",
    "Workload",
    "Zone",
    "ZoneMap",
    "ZoneMatrix",
    "is_platform",
    "ports_yaml",
    "rule",
    "scalar",
    "stray_labels",
    "together",
]

INCOMPLETE = "incomplete-evidence"
"""Reason of a cell that cannot pass because a part of the population was not read."""
UNJUDGED = "protocols"
"""Reason of a cell that cannot pass because its row blocks what no policy decides, such as ICMP."""
ALIKE = 5
"""Findings that differ in nothing but the namespace and are still told one by one; more of them are one finding."""
SECTIONS = ("What it checks", "Why it matters", "How to fix", "Limits")
"""Paragraph openings that the docstring of a rule must have, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One ordered pair of zones, judged, exceptions not yet considered."""

    flow: CellFlow
    expectation: Expectation
    verdict: Verdict
    excess: Traffic
    """What is open beyond the matrix; for a not-evaluated cell what may be."""
    reasons: tuple[str, ...] = ()
    """Why it is not-evaluated (assumption ids) or not-applicable."""

    @property
    def source(self) -> str:
        """Zone the connections start in."""
        return self.flow.source

    @property
    def target(self) -> str:
        """Zone the connections lead to."""
        return self.flow.target


Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that a rule sees."""

    inventory: Inventory
    zone_map: ZoneMap
    matrix: ZoneMatrix
    cells: tuple[Cell, ...]
    """Every ordered pair of zones, in report order."""
    facts: Facts
    gaps: tuple[Gap, ...]
    today: dt.date
    host_network: tuple[ObjectRef, ...] = ()
    """Workloads with a pod on the host network, sorted."""
    protected: frozenset[str] = frozenset()
    """Zones that the matrix does not let every other zone into on every port."""
    zone_policy: ZonePolicy
    """Ready YAML: `(namespace, zone, direction="ingress")` -> the NetworkPolicy that the matrix asks for."""
    narrow: Narrow
    """`(cause, peer zone, allowed traffic)` -> what to change in the policy at fault, None where not known."""
    live: bool = False
    """True when the snapshot is a cluster; manifests say nothing about what else exists."""
    scene: Scene

    def of(self, control: Callable[[Scene], Fact]) -> Fact:
        """What a function of `audit.controls` says of this input; computed once, whichever rules ask."""
        return self.scene.once(control)

    def missing(self, *kinds: str) -> NotEvaluated | NotApplicable | None:
        """What to yield, and stop, where the input holds no object of some kinds; None if it holds some of each.

        A dump of a cluster should hold them: not evaluated. Manifests of applications need not: not applicable. A live
        cluster was asked for them: not evaluated where they were not read in full, with the reason.
        """
        lacking = self.scene.without(*kinds)
        if not lacking:
            return None
        if self.live:
            return NotEvaluated(self.scene.lacking.why(lacking))
        named = " and ".join(kind.partition(".")[0] for kind in lacking)
        if self.scene.cluster:
            return NotEvaluated(f"the input holds no {named}: add them, or scan a snapshot of the cluster")
        return NotApplicable(f"manifests without {named} say nothing of this control of a cluster")

    def barred(self, ground: Ground) -> NotEvaluated | NotApplicable | None:
        """What to yield, and stop, where a control has nothing to rest on; see Ground and `missing`."""
        if ground.doubt:
            return NotEvaluated(ground.doubt)
        return NotApplicable(ground.idle) if ground.idle else self.missing(*ground.kinds)

    def zone_of(self, namespace: str) -> str:
        """Zone of a namespace; UNZONED when none or several claim it."""
        membership = self.zone_map.namespaces.get(namespace)
        return membership.zone if membership else UNZONED

    def kind_of(self, namespace: str) -> str:
        """Kind of the zone of a namespace (`cluster`, `platform`, ...); empty when unzoned."""
        zone = self.matrix.zone(self.zone_of(namespace))
        return zone.kind if zone else ""

    def namespace_ref(self, name: str) -> ObjectRef:
        """A namespace as subject of a finding, with its origin where it was read."""
        namespace = self.inventory.namespaces.get(name)
        return namespace.ref if namespace else ObjectRef("Namespace", "", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause. ValueError without a subject: a finding that names nothing cannot be repaired or recognised again."""

    title: str
    subjects: tuple[ObjectRef, ...]
    """Objects at fault, identities only: they make the fingerprint, so never pods that a controller owns."""
    verdict: Verdict = "fail"
    """`fail` or `not-evaluated`."""
    severity: Severity | None = None
    """None takes the severity of the rule."""
    from_zone: str = ""
    to_zone: str = ""
    traffic: Traffic = NONE
    path: tuple[Cause, ...] = ()
    evidence: tuple[Witness, ...] = ()
    matrix_row: str = ""
    expected: str = ""
    observed: str = ""
    fix: str = ""
    """A sentence, then optionally ready YAML after a blank line."""
    controls: tuple[str, ...] = ()
    """In addition to those of the rule."""
    owner: str = ""
    reason: str = ""
    """Why it is not-evaluated."""
    identity: tuple[str, ...] = ()
    """Stable words that tell findings about the same subjects apart; no counts, positions or times."""
    counts: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.subjects:
            msg = f"finding `{self.title}` has no subject"
            raise ValueError(msg)
        if self.verdict not in ("fail", "not-evaluated"):
            msg = f"a rule cannot decide `{self.verdict}`; yield `fail` or `not-evaluated`"
            raise ValueError(msg)


def together(found: Iterable[tuple[Hashable, Finding]], title: Callable[[int, Finding], str]) -> Iterator[Finding]:
    """The findings, those with an equal key, verdict, weight, zone and owner as one where they are more than ALIKE.

    `title` makes the title from how many there are and the first. All subjects are named: the fingerprint changes with
    the members, and an exception covers the finding only if its scope holds every one of them.
    """
    groups: dict[Hashable, list[Finding]] = {}
    for key, one in found:
        alike = (key, one.verdict, one.severity, one.from_zone, one.to_zone, one.owner)
        groups.setdefault(alike, []).append(one)
    for listed in groups.values():
        yield from [_merged(listed, title(len(listed), listed[0]))] if len(listed) > ALIKE else listed


def _merged(alike: Sequence[Finding], title: str) -> Finding:
    """The first finding on behalf of all."""
    first, more = alike[0], len(alike) - 1
    sentence, gap, yaml = first.fix.partition("\n\n")
    names = dict.fromkeys(name for one in alike for name in one.counts)
    counts = {name: sum(one.counts.get(name, 0) for one in alike) for name in names}
    return replace(
        first,
        title=title,
        subjects=tuple(dict.fromkeys(subject for one in alike for subject in one.subjects)),
        observed=_for_all([one.observed for one in alike]),
        reason=_for_all([one.reason for one in alike]),
        fix=f"{sentence} The same goes for {more} more.{gap}{yaml}",
        counts={**counts, "namespaces": len(alike)},
    )


def _for_all(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else f"{texts[0]}, and so for {len(texts) - 1} more"


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The rule has nothing to judge here, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """The rule cannot pass, and why; what it finds besides still counts."""

    reason: str


@dataclass(frozen=True, slots=True)
class Manual:
    """No snapshot can show it: a person has to look, and at what. It neither passes nor makes a scan incomplete."""

    reason: str


Outcome = Finding | NotApplicable | NotEvaluated | Manual
Check = Callable[[Context], Iterable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as a value."""

    id: str
    title: str
    severity: Severity
    needs: tuple[str, ...]
    """Kinds without which the rule cannot pass, beside those that it looks at."""
    undone_by: tuple[str, ...]
    """Kinds of which one more object could make a finding untrue."""
    controls: tuple[str, ...]
    """Controls that its result supports, `framework/control`."""
    check: Check
    sections: Mapping[str, str]
    """The docstring by SECTIONS."""


def rule(  # noqa: PLR0913 - what a rule declares
    id: str,  # noqa: A002 - the word that every report shows
    title: str,
    *,
    severity: Severity = "high",
    needs: Iterable[str] = (),
    undone_by: Iterable[str] = (),
    controls: Iterable[str] = (),
) -> Callable[[Check], Rule]:
    """Turn a function into a Rule; ValueError when its docstring lacks one of the four sections."""

    def declare(check: Check) -> Rule:
        return Rule(
            id=id,
            title=title,
            severity=severity,
            needs=tuple(needs),
            undone_by=tuple(undone_by),
            controls=tuple(controls),
            check=check,
            sections=_sections(id, inspect.getdoc(check) or ""),
        )

    return declare


def _sections(rule_id: str, docstring: str) -> Mapping[str, str]:
    """Heading to text; a section opens with its heading and a colon, and goes on until the next one."""
    found: dict[str, str] = {}
    current = ""
    for paragraph in docstring.split("\n\n"):
        heading, colon, text = paragraph.partition(":")
        if colon and heading in SECTIONS:
            current, paragraph = heading, text  # noqa: PLW2901 - the heading is no part of the text
        if current:
            found[current] = " ".join([*found.get(current, "").split(), *paragraph.split()])
    if missing := [heading for heading in SECTIONS if not found.get(heading)]:
        msg = f"rule `{rule_id}`: the docstring lacks the section `{missing[0]}`"
        raise ValueError(msg)
    return found
