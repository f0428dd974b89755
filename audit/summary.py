"""What every output says alike: marks of cells, what was not seen, what to do first, totals that reconcile.

Pure functions of a `Report`; the terminal, the pages and the pictures only lay them out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit import path_records
from audit.completeness import UNKNOWN_ABSENCE, decisive
from audit.model import SEVERITIES, VERDICTS, Verdict
from audit.report import CellRecord, CompletenessRecord, ExceptionRecord, FindingRecord, Report, RuleRecord
from audit.safetext import rewrite, safe_lines, safe_text
from audit.traffic import Traffic

LETTERS: Mapping[Verdict, str] = {
    "fail": "F",
    "not-evaluated": "?",
    "excepted": "E",
    "manual": "M",
    "pass": "P",
    "not-applicable": "-",
}
"""One letter per verdict of a cell, so that no meaning rests on colour alone."""
MEANINGS: Mapping[Verdict, str] = {
    "fail": "more is open than the matrix allows; the number counts findings",
    "not-evaluated": "could not be decided; not a pass",
    "excepted": "fails, and an approved exception in force covers it",
    "manual": "a person must judge",
    "pass": "nothing is open beyond the matrix",
    "not-applicable": "nothing to judge",
}
CONCLUSIONS: Mapping[str, str] = {
    "compliant": "Compliant",
    "not-compliant": "Not compliant",
    "incomplete": "Incomplete",
}
SEEN = ("complete", "read", "absent")
"""Completeness that leaves nothing unseen: all objects were read, or the kind does not exist in the cluster."""
LACKING = "not-in-source"
NAMED = 4
"""Kinds that the sentence on lacking kinds names."""
PROFILES: Mapping[str, str] = {
    "spec": "as the Kubernetes API text says; which plug-in enforces it cannot be seen in files",
}
WARNINGS: Mapping[str, str] = {
    "no": "No NetworkPolicy is enforced: {plugin} ignores all of them, whatever they say",
    "unknown": "Whether any NetworkPolicy is enforced is not known: {plugin}",
}
"""What must be said first where policies do not count for certain, by `scope.enforcement`."""
"""What a network profile means."""
LONGEST, LONGEST_FIX = 2_000, 20_000
"""Characters of one string that people are shown; a fix may hold a policy of 500 lines. The results JSON keeps all."""
PROGRAMS = ("kubectl", "oc", "zone-audit")
"""What the commands of a fix begin with."""
_FINGERPRINT = re.compile(r"[0-9a-f]{8,128}")


SEVERAL_LINES = ("fix", "missing_access")
"""Fields that may hold YAML."""


def shown(report: Report) -> Report:
    """The report with every string fit for people's eyes: no raw control or hidden character, no monstrous length."""
    return rewrite(report, _shown)


def _shown(text: str, field: str) -> str:
    return clipped(safe_lines(text), LONGEST_FIX) if field in SEVERAL_LINES else clipped(safe_text(text), LONGEST)


def clipped(text: str, limit: int) -> str:
    """The text, or its first `limit` characters and a note that says how much is missing."""
    return text if len(text) <= limit else f"{text[:limit]}… ({limit:,} of {len(text):,} characters)"


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning up to a word's end and an ellipsis; for what is said in full elsewhere."""
    if len(text) <= limit:
        return text
    head = text[:limit].rstrip()
    return (head[: head.rfind(" ")] if " " in head[limit // 2 :] else head).rstrip(" ,;:") + " …"


def worded(verdict: str) -> str:
    """A verdict in words; an unknown one is shown as it is."""
    return CONCLUSIONS.get(verdict, verdict)


def conclusion(report: Report) -> str:
    """The verdict in words; one on a part of a scan must not be taken for that of the whole."""
    words = worded(report.verdict)
    return f"Part of a scan, {words.lower()}" if report.part else words


def reason(report: Report) -> str:
    """The headline without the verdict that it may begin with, for places where the verdict stands beside it."""
    words = worded(report.verdict)
    text = report.headline.rstrip(".")
    return text[len(words) + 2 :] if text.lower().startswith(f"{words.lower()}: ") else text


def changes_text(report: Report) -> str:
    """What became of the findings of the baseline, one line; empty without one."""
    changes = report.changes
    if changes is None:
        return ""
    counts = ", ".join(f"{number:,} {state}" for state, number in changes.counts.items())
    doubtful = sum(one.unproven for one in changes.absent)
    doubt = f" ({doubtful:,} of them not proven gone)" if doubtful else ""
    return "; ".join((f"since the baseline of {changes.created}: {counts}{doubt}", *changes.remarks))


def mark(cell: CellRecord | None) -> str:
    """`P`, `F2`, `E`, `?`, `-` or `M`; lower case when a default decided, `?` for a pair that is missing."""
    if cell is None:
        return LETTERS["not-evaluated"]
    letter = LETTERS[cell.verdict]
    count = str(len(cell.findings)) if cell.verdict == "fail" and cell.findings else ""
    return (letter.lower() if cell.by_default else letter) + count


def grid(report: Report) -> tuple[tuple[CellRecord | None, ...], ...]:
    """Cells by row (from) and column (to), both in the order of `report.zones`; None for a pair that is missing.

    In a report on a part of a scan, pairs of others are not applicable.
    """
    cells = {(cell.from_zone, cell.to_zone): cell for cell in report.cells}
    if report.part is not None:
        pairs = ((source.name, target.name) for source in report.zones for target in report.zones)
        cells |= {pair: _elsewhere(*pair) for pair in pairs if pair not in cells}
    names = [zone.name for zone in report.zones]
    return tuple(tuple(cells.get((source, target)) for target in names) for source in names)


def _elsewhere(source: str, target: str) -> CellRecord:
    """A pair of zones that belongs to somebody else."""
    nothing: dict[str, str] = {}
    return CellRecord(
        from_zone=source, to_zone=target, verdict="not-applicable", expected=nothing, observed=nothing,
        possible=nothing, excess=nothing,
    )  # fmt: skip


def ports_text(ports: Mapping[str, str]) -> str:
    """`tcp/443, udp/*`, `any`, or `nothing`; ports that do not parse are shown as they are."""
    try:
        return str(Traffic.parse(ports))
    except ValueError:
        return ", ".join(f"{protocol}/{text}" for protocol, text in sorted(ports.items()))


def seen_text(cell: CellRecord) -> str:
    """Whether policies open what a row allows, used or not: `open in policy: tcp/8443`, `perhaps open`, `not open`."""
    try:
        allowed, observed, possible = map(Traffic.parse, (cell.expected, cell.observed, cell.possible))
    except ValueError:
        return "unknown"
    if allowed & observed:
        return f"open in policy: {allowed & observed}"
    return "perhaps open in policy" if allowed & possible else "not open in policy"


def zones_text(finding: FindingRecord) -> str:
    """`dmz -> database`, one zone, or empty."""
    return " -> ".join(zone for zone in (finding.from_zone, finding.to_zone) if zone)


def split_fix(fix: str) -> tuple[str, str]:
    """The sentence and the YAML of a fix; the YAML may be empty."""
    sentence, _, yaml = fix.partition("\n\n")
    return " ".join(sentence.split()), yaml.strip("\n")


def fix_kind(ready: str) -> str:
    """What stands after the sentence of a fix: `commands` or `ready YAML`."""
    words = ready.split(maxsplit=1)
    return "commands" if words and words[0] in PROGRAMS else "ready YAML"


def with_verdict(report: Report, *verdicts: Verdict) -> tuple[FindingRecord, ...]:
    """The findings with one of these verdicts, worst first as in the report."""
    return tuple(finding for finding in report.findings if finding.verdict in verdicts)


def open_findings(report: Report) -> tuple[FindingRecord, ...]:
    """Findings that somebody must act on or look into: all but excepted, passed and not applicable ones."""
    return with_verdict(report, "fail", "not-evaluated", "manual")


def anchor(fingerprint: str) -> str:
    """The id of a finding in a page; empty unless the fingerprint is plain hex, since it enters an attribute."""
    return f"f-{fingerprint}" if _FINGERPRINT.fullmatch(fingerprint) else ""


@dataclass(frozen=True, slots=True)
class Total:
    """One line of reconciliation: the parts add up to the whole."""

    what: str
    whole: int
    parts: tuple[tuple[str, int], ...]
    """Name and number, worst first; zeros left out."""

    def __str__(self) -> str:
        parts = " + ".join(f"{number:,} {name}" for name, number in self.parts)
        return f"{self.whole:,} {self.what}" + (f" = {parts}" if parts else "")


def _total(what: str, counts: Mapping[str, int], order: Iterable[str]) -> Total:
    named = [*order, *sorted(set(counts) - set(order))]
    return Total(what, sum(counts.values()), tuple((name, counts[name]) for name in named if counts.get(name)))


def totals(report: Report) -> tuple[Total, ...]:
    """Zone pairs, rules and findings by verdict, then failed findings by severity."""
    counts = report.counts
    return (
        _total("zone pairs", counts.cells, VERDICTS),
        _total("rules", counts.rules, VERDICTS),
        _total("findings", counts.findings, VERDICTS),
        _total("failed findings", counts.severities, tuple(reversed(SEVERITIES))),
    )


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something that the verdict does not rest on, with its size."""

    what: str
    extent: str
    reason: str = ""


def not_seen(report: Report) -> tuple[Unseen, ...]:
    """Everything that was not read, not decided or not modelled; empty only when nothing was.

    Kinds that the files lack are one entry, the last.
    """
    lack = [Unseen("Not in the files", lacking(report))] if lacking(report) else []
    return (*_unread(report), *_undecided(report), *_outside(report), *lack)


def read_text(report: Report) -> str:
    """How far what was read is understood: `all 431 objects of the files were understood`."""
    records = report.completeness
    total = sum(record.objects for record in records)
    understood = sum(record.objects for record in records if record.status in SEEN)
    share = f"all {total:,}" if understood == total else f"{understood:,} of {total:,}"
    place = "cluster" if report.scope.live else "files"
    return f"{share} objects of the {place} were understood"


def lacking(report: Report) -> str:
    """The kinds that could change a verdict and that the files lack, as one clause; empty if they lack none."""
    names = lacking_kinds(report)
    if not names:
        return ""
    shown = ", ".join(name.partition(".")[0] for name in names[:NAMED]) + (", ..." if len(names) > NAMED else "")
    kinds = "kind" if len(names) == 1 else "kinds"
    return f"{len(names):,} {kinds} that can change a verdict ({shown}); {UNKNOWN_ABSENCE}"


def missing_access(report: Report) -> str:
    """The ClusterRole, as YAML, that would let the account read what was refused to it; empty if nothing was."""
    return report.collection.missing_access.rstrip("\n") if report.collection else ""


def lacking_kinds(report: Report) -> tuple[str, ...]:
    """Keys of the kinds that could change a verdict and that the files lack, those that most clusters have first."""
    missing = {record.kind for record in report.completeness if record.status == LACKING}
    order = {kind: place for place, kind in enumerate(decisive())}
    return tuple(sorted(missing, key=lambda kind: (order.get(kind, len(order)), kind)))


def undecided_text(report: Report) -> str:
    """`25,950 ordered pairs of endpoints, of which 9 undecided`."""
    scope = report.scope
    return f"{scope.endpoint_pairs:,} ordered pairs of endpoints, of which {scope.undecided_pairs:,} undecided"


def pairs_text(cell: CellRecord) -> str:
    """Endpoint pairs beyond the matrix: `12`, or `0 certain, up to 3` where some may be open."""
    if not cell.possible_pairs:
        return f"{cell.excess_pairs:,}"
    return f"{cell.excess_pairs:,} certain, up to {cell.excess_pairs + cell.possible_pairs:,}"


def apart_text(report: Report) -> str:
    """How many zone pairs that must be apart are connected; exposure through other zones is no finding."""
    text = path_records.apart_text(report.counts.apart)
    exact = all(one.proven for one in report.transit)
    return text if exact else f"{text}; chains are those of zones, as too many permits meet to search endpoints"


def joined(report: Report) -> tuple[path_records.Joined, ...]:
    """Pairs of zones that must be apart and are not, those that climb most in trust first."""
    trust = {zone.name: zone.trust for zone in report.zones if zone.trust is not None}
    return path_records.joined(report.transit, report.cuts, trust)


def refused_texts(report: Report, finding: FindingRecord) -> tuple[str, ...]:
    """For every exception that is not in force: `EX-3 expired 2026-06-30, would have covered this`."""
    records = {record.id: record for record in report.exceptions}
    return tuple(
        f"{_refusal(records[name])}, would have covered this" for name in finding.refused_exceptions if name in records
    )


def _refusal(record: ExceptionRecord) -> str:
    match record.status:
        case "expired":
            return f"{record.id} expired {record.expires_on}"
        case "not-yet-valid":
            return f"{record.id} is not valid before {record.valid_from}"
    return f"{record.id} is {record.status}"


def exit_text(report: Report) -> str:
    """The exit code and what it counts."""
    return f"{report.exit_code}; findings count from severity {report.fail_on}"


def profile_text(report: Report) -> str:
    """The network profile and what it means."""
    scope = report.scope
    name = f"{scope.profile} ({scope.platform})" if scope.platform else scope.profile
    meaning = f": {PROFILES[scope.profile]}" if scope.profile in PROFILES else ""
    told = f"; told by {', '.join(scope.profile_evidence)}" if scope.profile_evidence else ""
    return f"{name}{meaning}{told}"


def enforcement_warning(report: Report) -> str:
    """What must be said first about the network plug-in; empty where policies are enforced or taken to be."""
    scope = report.scope
    plugin = f"network profile {scope.profile}" + (f" ({scope.platform})" if scope.platform else "")
    return WARNINGS.get(scope.enforcement, "").format(plugin=plugin)


def counts_text(finding: FindingRecord) -> str:
    """`pairs 210, sources 14`; what is zero says nothing and is left out."""
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(finding.counts.items()) if count)


def _unread(report: Report) -> Iterable[Unseen]:
    for record in report.completeness:
        if record.status not in (*SEEN, LACKING):
            yield Unseen(record.kind, _extent(record), record.note)


def _extent(record: CompletenessRecord) -> str:
    return f"{record.status}, {record.objects:,} read" if record.objects else record.status


def _undecided(report: Report) -> Iterable[Unseen]:
    cells = [cell for cell in report.cells if cell.verdict == "not-evaluated"]
    if cells:
        yield Unseen("Zone pairs", f"{len(cells):,} of {len(report.cells):,} not evaluated", _reasons(cells))
    rules = [rule for rule in report.rules if rule.verdict == "not-evaluated"]
    if rules:
        yield Unseen("Rules", f"{len(rules):,} of {len(report.rules):,} not evaluated", _why(rules))
    by_hand = [rule for rule in report.rules if rule.verdict == "manual"]
    if by_hand:
        yield Unseen("By hand", f"{len(by_hand):,} of {len(report.rules):,} rules ask a person to look", _why(by_hand))
    findings = with_verdict(report, "not-evaluated")
    if findings:
        extent = f"{len(findings):,} of {len(report.findings):,} not evaluated"
        yield Unseen("Findings", extent, "possible, not shown to be real; each states its reason")


def _why(rules: Iterable[RuleRecord]) -> str:
    """The reasons, each once, with the rules that give it."""
    by_reason: dict[str, list[str]] = {}
    for rule in rules:
        by_reason.setdefault(rule.reason, []).append(rule.id)
    return "; ".join(f"{', '.join(ids)}: {reason}" if reason else ", ".join(ids) for reason, ids in by_reason.items())


def _reasons(cells: Iterable[CellRecord]) -> str:
    tally = Counter(reason for cell in cells for reason in cell.reasons)
    return ", ".join(f"{reason} ({number:,})" for reason, number in sorted(tally.items(), key=lambda p: (-p[1], p[0])))


def _outside(report: Report) -> Iterable[Unseen]:
    scope = report.scope
    if scope.unzoned_namespaces:
        yield Unseen("Namespaces", f"{scope.unzoned_namespaces:,} of {scope.namespaces:,} in no single zone")
    services = sorted({service for cell in report.cells for service in cell.unmodelled})
    if services:
        rows = sum(bool(cell.unmodelled) for cell in report.cells)
        yield Unseen("Services", f"{', '.join(services)} in {rows:,} matrix rows", "reachability does not judge them")
