"""Findings of two snapshots, matched by fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audit.checker import CheckedFinding, Results
from audit.comparison.record import STATUSES, FindingChange, Status
from audit.model import SEVERITIES


def compared(old: Results, new: Results) -> tuple[FindingChange, ...]:
    """Every finding of either side, worst first: by status, severity, rule, zones and subjects.

    New is what fails and did not fail before, also where it was excepted or undecided; and anything that was not there.
    Fixed is what is gone, provided that its rule and its pair of zones could be evaluated; else it is undecided.
    """
    before, after = ({one.fingerprint: one for one in side.findings} for side in (old, new))
    blind = Blind(new)
    found = [_finding(before.get(name), one, _standing(before.get(name), one)) for name, one in after.items()]
    found += [
        _finding(one, None, "undecided" if blind.to(one) else "fixed")
        for name, one in before.items()
        if name not in after
    ]
    return tuple(sorted(found, key=_rank))


class Blind:
    """What a snapshot says nothing about, so that a finding that is gone may still be there."""

    def __init__(self, results: Results) -> None:
        undecided = ("not-evaluated",)
        self._rules = {one.rule.id for one in results.rules if one.verdict in undecided or one.unsure}
        self._cells = {(one.cell.source, one.cell.target) for one in results.cells if one.verdict in undecided}

    def to(self, gone: CheckedFinding) -> bool:
        """Whether it would not have been seen for certain."""
        return gone.rule.id in self._rules or (gone.finding.from_zone, gone.finding.to_zone) in self._cells


def _standing(old: CheckedFinding | None, new: CheckedFinding) -> Status:
    fails_now = new.verdict == "fail" and (old is None or old.verdict != "fail")
    return "new" if old is None or fails_now else "unchanged"


def _finding(old: CheckedFinding | None, new: CheckedFinding | None, status: Status) -> FindingChange:
    shown = new or old
    assert shown is not None  # noqa: S101 - one of them is given
    finding = shown.finding
    file, line = next(_places(shown), ("", 0))
    return FindingChange(
        fingerprint=shown.fingerprint,
        status=status,
        rule=shown.rule.id,
        severity=shown.severity,
        title=finding.title,
        was=old.verdict if old else "",
        now=new.verdict if new else "",
        from_zone=finding.from_zone,
        to_zone=finding.to_zone,
        ports=finding.traffic.ports(),
        subjects=tuple(dict.fromkeys(map(str, finding.subjects))),
        file=file,
        line=line,
        exception=shown.exception,
    )


def _places(one: CheckedFinding) -> Iterator[tuple[str, int]]:
    """Where the objects at fault were read, then those on the path."""
    refs = [cause.ref or cause.endpoint for cause in one.finding.path]
    for ref in (*one.finding.subjects, *refs):
        if ref is not None and ref.origin is not None and ref.origin.place:
            yield ref.origin.file, ref.origin.line


def _rank(one: FindingChange) -> tuple[object, ...]:
    place = STATUSES.index(one.status), -SEVERITIES.index(one.severity)
    return (*place, one.rule, one.from_zone, one.to_zone, one.subjects, one.fingerprint)


def counted(found: Iterable[FindingChange]) -> dict[str, int]:
    """How many findings have each status."""
    listed = [one.status for one in found]
    return {status: listed.count(status) for status in STATUSES}
