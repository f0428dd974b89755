"""The report in a terminal: verdict first, then what was not seen, the matrix, findings worst first, totals.

Plain ASCII frames, so that the text reads the same in a pipe, a log and without colour. What does not fit is counted.
"""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from audit import summary
from audit.model import SEVERITIES, VERDICTS
from audit.path_records import cut_text
from audit.report import CellRecord, ExceptionRecord, FindingRecord, Report

STYLES = {
    "fail": "bold white on red",
    "not-evaluated": "black on bright_black",
    "excepted": "black on yellow",
    "manual": "black on magenta",
    "pass": "black on cyan",
    "not-applicable": "bright_black",
    "compliant": "bold black on cyan",
    "not-compliant": "bold white on red",
    "incomplete": "bold black on yellow",
}
"""The sixteen colours that every terminal has; red against cyan stays apart for colour-blind eyes."""
PIPE_WIDTH = 100
"""Columns when the output is no terminal."""
NARROWEST = 30
MOST_ALIKE = 5
"""Findings that differ only in what they are about and are still shown one by one; more are shown as one."""
MOST_FINDINGS, MOST_PAIRS, MOST_GAPS, MOST_STEPS, MOST_REFUSED, MOST_WAYS = 20, 30, 12, 6, 3, 8
REST = "all of them with `-f json -o FILE`"


def print_report(report: Report, file: TextIO, *, colour: bool, width: int | None) -> None:
    """The report as text in one write; `width` None takes the terminal's, or 100 columns in a pipe.

    Characters that the encoding of `file` lacks are spelled out rather than refused.
    """
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=max(width or _width(file), NARROWEST), force_terminal=colour, no_color=not colour,
        color_system="standard" if colour else None, markup=False, highlight=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    _report(console, summary.shown(report))
    encoding = file.encoding or "utf-8"
    lines = (line.rstrip() if not colour else line for line in buffer.getvalue().splitlines())
    file.write("".join(f"{line}\n" for line in lines).encode(encoding, "backslashreplace").decode(encoding))


def _width(file: TextIO) -> int:
    try:
        return os.get_terminal_size(file.fileno()).columns if file.isatty() else PIPE_WIDTH
    except (OSError, ValueError):
        return PIPE_WIDTH


def _report(console: Console, report: Report) -> None:
    _verdict(console, report)
    _gaps(console, report)
    _matrix(console, report)
    _findings(console, report)
    _ways(console, report)
    _exceptions(console, report)
    console.print()
    for total in summary.totals(report):
        console.print(Text(str(total)))


def _verdict(console: Console, report: Report) -> None:
    word = summary.conclusion(report).upper()
    console.print(
        Text.assemble((f" {word} ", STYLES.get(report.verdict, "bold")), " ", (summary.reason(report), "bold"))
    )
    if warning := summary.enforcement_warning(report):
        console.print(Text(warning, STYLES["not-compliant" if report.scope.enforcement == "no" else "incomplete"]))
    matrix = report.matrix
    approved = f", approved by {matrix.approved_by}" if matrix.approved_by else ""
    approved += f" on {matrix.approved_on}" if matrix.approved_by and matrix.approved_on else ""
    version = f" {matrix.version}" if matrix.version else ""
    console.print(
        Text(f"matrix {matrix.name}{version}{approved}; source {report.scope.source}; {report.created}", "dim")
    )
    if report.scope.profile != "spec":
        console.print(Text(f"network profile {summary.clipped(summary.profile_text(report), 400)}", "dim"))
    if changes := summary.changes_text(report):
        console.print(Text(summary.clipped(changes, 400)))
    console.print(Text(f"exit code {summary.exit_text(report)} (`--fail-on`)", "dim"))


def _heading(console: Console, text: str, note: str = "") -> None:
    console.print()
    console.print(Text.assemble((text, "bold"), f"  {note}" if note else ""))


def _gaps(console: Console, report: Report) -> None:
    gaps = summary.not_seen(report)
    console.print(Text(f"{summary.undecided_text(report)}; {summary.read_text(report)}"))
    if not gaps:
        return
    _heading(console, "Not seen", _of(min(len(gaps), MOST_GAPS), len(gaps), "gaps"))
    for gap in gaps[:MOST_GAPS]:
        text = f"{gap.what}: {gap.extent}" + (f" ({gap.reason})" if gap.reason else "")
        console.print(Padding(Text(summary.clipped(text, 400)), (0, 0, 0, 2)))
    if role := summary.missing_access(report):
        _heading(console, "Access to add", "bind it to the account that collects, and collect again")
        console.print(Padding(Text(role), (0, 0, 0, 2)))


def _of(some: int, total: int, what: str) -> str:
    return f"{some:,} of {total:,} {what} shown; {REST}" if some < total else ""


# The matrix


def _matrix(console: Console, report: Report) -> None:
    """The heat map where it fits, else the pairs that do not pass as a list."""
    marks = [[summary.mark(cell) for cell in row] for row in summary.grid(report)]
    names = [zone.name for zone in report.zones]
    column = max([len(text) for row in marks for text in row] + [2])
    labels = [f"{number} {name}" for number, name in enumerate(names, start=1)]
    by_name = max(len(name) for name in names) if names else 0
    left = max((Text(label).cell_len for label in labels), default=0)
    if by_name <= 12 and _fits(console, left, len(names), max(column, by_name)):  # noqa: PLR2004
        _grid(console, report, labels, names)
    elif _fits(console, left, len(names), max(column, len(str(len(names))))):
        _grid(console, report, labels, [str(number) for number in range(1, len(names) + 1)])
    else:
        _list(console, report)


def _fits(console: Console, left: int, count: int, column: int) -> bool:
    return left + count * (column + 1) <= console.width


def _grid(console: Console, report: Report, labels: Sequence[str], heads: Sequence[str]) -> None:
    _heading(console, "Zone matrix", "rows call columns, lowest trust first")
    table = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    for head in heads:
        table.add_column(Text(head), justify="center", no_wrap=True)
    for label, row in zip(labels, summary.grid(report), strict=True):
        table.add_row(Text(label), *(_cell(cell) for cell in row))
    console.print(table)
    _legend(console, report)


def _cell(cell: CellRecord | None) -> Text:
    return Text(f"{summary.mark(cell):^2}", STYLES[cell.verdict if cell else "not-evaluated"])


def _legend(console: Console, report: Report) -> None:
    used = {cell.verdict for cell in report.cells} | {"fail", "pass"}
    parts = [f"{summary.LETTERS[verdict]} {verdict}" for verdict in VERDICTS if verdict in used]
    default = f"lower case: no row, a default decided ({report.counts.defaulted_cells:,} pairs)"
    console.print(Text("; ".join([*parts, "F2: two findings", default]), "dim"))


def _list(console: Console, report: Report) -> None:
    cells = [cell for cell in report.cells if cell.verdict not in {"pass", "not-applicable"}]
    cells.sort(key=lambda c: (VERDICTS.index(c.verdict), -SEVERITIES.index(c.severity), -c.excess_pairs))
    note = f"{len(report.zones):,} zones are too wide for {console.width} columns; pairs that do not pass:"
    _heading(
        console, "Zone matrix", note if cells else f"all {len(report.cells):,} pairs pass or have nothing to judge"
    )
    for cell in cells[:MOST_PAIRS]:
        where = f"{cell.from_zone} -> {cell.to_zone}"
        ports = f"{summary.ports_text(cell.excess)} beyond {summary.ports_text(cell.expected)}" if cell.excess else ""
        row = f"row {cell.row}" if cell.row else "by default"
        pairs = f"endpoint pairs {summary.pairs_text(cell)}" if cell.excess else ""
        rest = ", ".join(part for part in (ports, pairs, row, ", ".join(cell.reasons)) if part)
        console.print(Text.assemble(_cell(cell), f" {where}: {summary.clipped(rest, 300)}"))
    if len(cells) > MOST_PAIRS:
        console.print(Text(_of(MOST_PAIRS, len(cells), "pairs")))
    _legend(console, report)


# Findings


def _findings(console: Console, report: Report) -> None:
    findings = summary.open_findings(report)
    excepted = len(summary.with_verdict(report, "excepted"))
    aside = f"excepted and not listed here: {excepted:,}" if excepted else ""
    if not findings:
        _heading(console, "Findings", "; ".join(part for part in ("none open", aside) if part))
        return
    groups = _chosen(_folded(findings))
    note = _of(sum(map(len, groups)), len(findings), "findings")
    _heading(console, "Findings, worst first", "; ".join(part for part in (note, aside) if part))
    for first, *others in groups:
        _finding(console, report, first, others)


def _chosen(groups: Sequence[list[FindingRecord]]) -> list[list[FindingRecord]]:
    """As many as fit, in their order: of equal weight the first of every rule before the second of any."""
    seen: Counter[tuple[str, str, str]] = Counter()
    tiers: dict[tuple[str, str], int] = {}
    ranked = []
    for place, group in enumerate(groups):
        weight = (group[0].verdict, group[0].severity)
        tier = tiers.setdefault(weight, len(tiers))
        key = (*weight, group[0].rule)
        ranked.append((tier, seen[key], place))
        seen[key] += 1
    return [groups[place] for place in sorted(place for _, _, place in sorted(ranked)[:MOST_FINDINGS])]


def _folded(findings: Iterable[FindingRecord]) -> list[list[FindingRecord]]:
    """The findings in their order, each alone, but copies of one fault in one list where they are more than a few."""
    alike: dict[tuple[object, ...], list[FindingRecord]] = {}
    for one in findings:
        title = one.title
        for subject in one.subjects:
            title = title.replace(subject, "")
        alike.setdefault(
            (
                one.verdict,
                one.severity,
                one.rule,
                one.from_zone,
                one.to_zone,
                *one.ports.items(),
                title,
                one.baseline_state,
            ),
            [],
        ).append(one)
    return [part for found in alike.values() for part in ([found] if len(found) > MOST_ALIKE else [[x] for x in found])]


def _finding(console: Console, report: Report, finding: FindingRecord, others: Sequence[FindingRecord]) -> None:
    console.print()
    verdict = Text(f" {finding.verdict} ", STYLES[finding.verdict])
    where = summary.zones_text(finding)
    ports = summary.ports_text(finding.ports) if finding.ports else ""
    state = finding.baseline_state if finding.baseline_state != "unchanged" else ""
    parts = (finding.severity, finding.rule, where, summary.clipped(ports, 120), state)
    head = "  ".join(part for part in parts if part)
    console.print(Text.assemble(verdict, " ", (head, "bold")))
    console.print(Padding(Text(summary.clipped(finding.title, 300)), (0, 0, 0, 2)))
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=6, no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _details(report, finding):
        table.add_row(Text(name, "dim"), Text(text))
    if others:
        places = [_some(one.subjects, 1) for one in others]
        table.add_row(Text("alike", "dim"), Text(f"{len(others):,} more: {_some(places, 3)}"))
    console.print(Padding(table, (0, 0, 0, 2)))


def _details(report: Report, finding: FindingRecord) -> Iterable[tuple[str, str]]:
    """What helps to act on it, as label and text."""
    if finding.reason:
        yield "why", finding.reason
    if finding.subjects:
        yield "at", _some(finding.subjects, 3)
    yield from _path(finding)
    if finding.evidence:
        flow = finding.evidence[0]
        yield "shown", f"{flow.source} -> {flow.target} {flow.port}"
    sentence, ready = summary.split_fix(finding.fix)
    if sentence:
        more = f" ({summary.fix_kind(ready)} with `-f html -o FILE`)" if ready else ""
        yield "fix", summary.clipped(sentence, 400) + more
    for text in summary.refused_texts(report, finding)[:MOST_REFUSED]:
        yield "except", summary.clipped(text, 200)
    if finding.owner:
        yield "owner", summary.clipped(finding.owner, 100)


def _path(finding: FindingRecord) -> Iterable[tuple[str, str]]:
    for number, step in enumerate(finding.path[:MOST_STEPS]):
        said = step.rule is None or step.text.startswith(f"rule {step.rule} ")
        rule = "" if said else f" rule {step.rule}"
        place = f" ({step.file}{f':{step.line}' if step.line else ''})" if step.file else ""
        head = f"{step.direction} " if step.direction else ""
        subject = f"{step.object}{rule}{place}: " if step.object else ""
        yield "" if number else "path", summary.clipped(f"{head}{subject}{step.text}", 400)
    if len(finding.path) > MOST_STEPS:
        yield "", _of(MOST_STEPS, len(finding.path), "steps")


def _some(items: Sequence[str], limit: int) -> str:
    rest = len(items) - limit
    return ", ".join(items[:limit]) + (f" and {rest:,} more" if rest > 0 else "")


def _ways(console: Console, report: Report) -> None:
    """Zone pairs that must be apart and are connected, with the shortest chain and the smallest cut."""
    if not report.counts.apart.get("pairs"):
        return
    pairs = summary.joined(report)
    _heading(console, "Zones that must be apart", _of(min(len(pairs), MOST_WAYS), len(pairs), "pairs"))
    console.print(Text(f"{summary.apart_text(report)}; what leads through other zones is exposure, no finding"))
    for one in pairs[:MOST_WAYS]:
        text = f"{one.from_zone} to {one.to_zone}: {one.title}"
        console.print(Padding(Text(summary.clipped(text, 300)), (0, 0, 0, 2)))
        if one.cut:
            console.print(Padding(Text(summary.clipped(cut_text(one.cut, places=False), 400), "dim"), (0, 0, 0, 4)))


def _exceptions(console: Console, report: Report) -> None:
    if not report.exceptions:
        return
    _heading(console, "Exceptions", _of(min(len(report.exceptions), MOST_GAPS), len(report.exceptions), "exceptions"))
    for record in sorted(report.exceptions, key=_urgency)[:MOST_GAPS]:
        until = f", until {record.expires_on}" if record.expires_on else ", no end"
        covers = f", findings covered: {len(record.findings):,}" if record.findings else ""
        covers += f", would have covered: {len(record.would_cover):,}" if record.would_cover else ""
        text = f"{record.id} {record.status}{until}{covers}: {record.title}"
        console.print(Padding(Text(summary.clipped(text, 300)), (0, 0, 0, 2)))


def _urgency(record: ExceptionRecord) -> tuple[bool, str]:
    return record.status in {"matched", "unused", "not-yet-valid"}, record.id
