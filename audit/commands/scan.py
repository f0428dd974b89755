"""`zone-audit scan`: the report on a cluster or on manifests."""

from __future__ import annotations

import datetime as dt
import gc
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit import exports
from audit.commands.archiving import archive_of, archive_options
from audit.commands.bundling import Run, bundle, earlier, has_bundle, started
from audit.commands.history import history_option
from audit.commands.live import Live, live_options
from audit.commands.outlets import Outlet, PairingCommand, deliver, outlets, output_options
from audit.commands.past import past
from audit.commands.session import Session
from audit.commands.splitting import divided, split_outlets
from audit.commands.wording import Words, cni_option
from audit.conclusion import FINDINGS
from audit.errors import INCOMPLETE, UsageError
from audit.model import SEVERITIES, Severity
from audit.profile import Plugin
from audit.report import InputRecord, Report
from audit.snapshot import Snapshot

if TYPE_CHECKING:  # imported on use, so that help costs nothing
    from audit.assessment import Written

FORMATS = ("text", "html", "pdf", "bundle", *exports.FORMATS)
SUFFIXES = {".txt": "text", ".html": "html", ".htm": "html", ".pdf": "pdf", ".zip": "bundle", **exports.SUFFIXES}
"""The format of a file that no `-f` gives one."""
THRESHOLDS = SEVERITIES[1:]
"""`info` never makes a scan fail."""


@click.command(
    cls=PairingCommand,
    epilog="""\b
SOURCE is a YAML or JSON file, a directory of them, a snapshot file of a live cluster, what `oc adm must-gather` or
`oc adm inspect` left, `-` for standard input, or a live cluster: `cluster` is the current context of the kubeconfig,
`cluster:CONTEXT` another one. Later sources overlay earlier ones.

\b
Examples:
  zone-audit scan manifests/ --zones zones.yaml
  zone-audit scan cluster.json --zones zones.yaml -o report.html -o results.json
  zone-audit scan cluster:prod --zones zones.yaml -o report.html
  zone-audit scan snapshot.zip --zones zones.yaml -o report.html
  zone-audit scan must-gather.local.123/ --zones zones.yaml
  zone-audit scan cluster.json --zones zones.yaml -f text -f json -o results.json -f pdf -o report.pdf
  zone-audit scan manifests/ --zones zones.yaml -f github -f sarif-github -o scan.sarif -f junit -o junit.xml
  kubectl get ns,no,po,svc,netpol,ing -A -o json | zone-audit scan - --zones zones.yaml
  zone-audit scan manifests/ --zones zones.yaml --cni ovn-kubernetes
  zone-audit scan manifests/ --zones zones.yaml --baseline main.json --fail-on-new
  zone-audit scan cluster.json --zones zones.yaml --history history.db
  zone-audit scan snapshot.zip --zones zones.yaml -f bundle -o evidence.zip
  zone-audit scan cluster.json --zones zones.yaml -o report.html --split-by owner -o 'reports/{owner}.html'
  zone-audit scan base/ overlay/ --zones zones.yaml --exceptions exceptions.yaml --fail-on high
  zone-audit scan snapshot.zip --zones zones.yaml -o results.json -o report.html --archive runs --keep 30
""",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--zones", required=True, metavar="FILE", help="Zone matrix: YAML, CSV or XLSX.")
@click.option("--exceptions", metavar="FILE", help="Approved exceptions.")
@output_options(FORMATS)
@archive_options
@click.option(
    "--fail-on",
    type=Words(THRESHOLDS),
    default="low",
    show_default=True,
    help="Findings at or above this severity make the exit code 1.",
)
@click.option("--baseline", metavar="FILE", help="Earlier results (`-f json`): tell what is new since.")
@history_option
@click.option(
    "--fail-on-new",
    is_flag=True,
    help="Only what got worse since the baseline, or since the last scan not refused so, makes the exit code 1.",
)
@cni_option
@click.option("--previous", metavar="BUNDLE", help="Evidence of the scan before: the new bundle names its digest.")
@click.option(
    "--split-by", type=Words(("owner",)), help="Write outputs with `{owner}` in their name once for each owner."
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 instead of 1 or 3.")
@click.option("--rules", "rules_directory", metavar="DIR", help="More rules, as Python files.")
@live_options
@click.pass_context
def command(  # noqa: PLR0913 - one argument per option
    ctx: click.Context,
    *,
    sources: tuple[str, ...],
    zones: str,
    exceptions: str | None,
    formats: tuple[str, ...],  # noqa: ARG001 - read by `outlets`, in order
    paths: tuple[str, ...],  # noqa: ARG001
    archive: str | None,
    keep: int | None,
    fail_on: Severity,
    baseline: str | None,
    fail_on_new: bool,
    place: str | None,
    plugin: Plugin | None,
    previous: str | None,
    split_by: str | None,
    exit_zero: bool,
    rules_directory: str | None,
    live: Live,
) -> int:
    """Compare a cluster or manifests with the zone matrix and write the report.

    Every ordered pair of zones is judged: pass, fail, excepted, not-evaluated or not-applicable.
    """
    session: Session = ctx.obj
    chosen = outlets(ctx, FORMATS[0], SUFFIXES, binary=("pdf", "bundle", *exports.BINARY))
    marked = split_outlets(split_by, chosen)
    before = earlier(previous, chosen)
    if archive and marked:
        raise UsageError(
            "`--archive` keeps whole reports, not those of owners", hint="leave out one of the two options"
        )
    kept = archive_of(archive, keep, chosen, sources, (zones, exceptions, baseline, rules_directory))
    gc.disable()  # a scan only builds up; nothing it holds is garbage before the end
    with past(baseline, place, fail_on_new=fail_on_new) as known:
        run = started(zones, exceptions, known, before, plugin=plugin or "", own_rules=bool(rules_directory))
        report = analysed(
            sources,
            run.zones,
            run.excused,
            rules_directory=Path(rules_directory) if rules_directory else None,
            created=session.created,
            fail_on=fail_on,
            plugin=plugin,
            read=lambda given: live.read(session, given, run.held.take if has_bundle(chosen) else None),
            progress=session.progress,
        )
        report = known.told(report, session.note)
        outputs = divided(marked, chosen, report, (*sources, zones, exceptions, baseline))
        deliver(session, outputs, lambda outlet: _render(outlet, outputs[outlet], session, run))
        if kept:
            kept.add(session.created)
        known.remember(report)
    if all(outlet.path is not None for outlet in chosen):
        session.note(report.headline)
    return 0 if exit_zero and report.exit_code in (FINDINGS, INCOMPLETE) else report.exit_code


def scan(
    given: tuple[str, ...], matrix_file: str, exceptions: str | None = None, *, created: dt.datetime, **more: Any
) -> Report:
    """As `analysed`, of files that are not read yet."""
    from audit import assessment

    return analysed(given, *assessment.written(matrix_file, exceptions), created=created, **more)


def analysed(  # noqa: PLR0913 - the options of the command
    given: tuple[str, ...],
    written: Written,
    excused: Written | None = None,
    *,
    created: dt.datetime,
    rules_directory: Path | None = None,
    fail_on: Severity = "low",
    plugin: Plugin | None = None,
    read: Callable[[Sequence[str]], Snapshot] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """The report; errors as the stages raise them. What people wrote comes first, since it is quick to refuse."""
    from audit import assessment, cells, inventory, sources, zones
    from audit.assemble import Basis, assemble

    progress("reading the zone matrix")
    declared = assessment.understood(written, excused, rules_directory)
    snapshot = (read or sources.read)(given)
    progress("numbering endpoints")
    population = inventory.build(snapshot, plugin)
    zone_map = zones.assign(declared.matrix, population.namespaces.values(), population.nodes.values())
    evaluation = cells.evaluate(population, zone_map, declared.matrix, progress)
    progress("running rules")
    today = created.date()
    exempted = assessment.judged(declared, population, zone_map, evaluation, today, cluster=snapshot.cluster)
    basis = Basis(
        source=" ".join(snapshot.named),
        inventory=population,
        zone_map=zone_map,
        matrix=declared.matrix,
        facts=evaluation.facts,
        scope=evaluation.scope,
        paths=evaluation.paths,
        exceptions=exempted.records,
        inputs=tuple(_input(one, role) for one, role in ((written, "zones"), (excused, "exceptions")) if one),
        notes=exempted.notes,
    )
    return assemble(exempted.results, basis, created=created.strftime("%Y-%m-%dT%H:%M:%SZ"), fail_on=fail_on)


def _input(one: Written, role: str) -> InputRecord:
    """A file that people wrote, as the evidence sheet lists it."""
    return InputRecord(file=one.file, sha256=one.sha256, size=len(one.content), role=role)


def _render(outlet: Outlet, report: Report, session: Session, run: Run) -> bytes:
    """The report in the format of an outlet."""
    if outlet.format == "text":
        return _text(report, session if outlet.path is None else None)
    if outlet.format == "bundle":
        return bundle(run, report, rendered)
    return rendered(outlet.format, report, run.declared)


def rendered(form: str, report: Report, declared: Mapping[str, bytes]) -> bytes:
    """The report in a format of files; `declared` is what people wrote, by role. Equal reports give equal bytes."""
    if form in exports.FORMATS:
        return exports.render(form, report)
    from audit import enclosures, pages

    return pages.html(report).encode() if form == "html" else pages.pdf(report, enclosures.given(report, declared))


def _text(report: Report, session: Session | None) -> bytes:
    """The report as text: for standard output in its width, colours and encoding, for a file plain."""
    from audit.terminal import print_report

    buffer = io.StringIO()
    print_report(report, buffer, colour=bool(session and session.colour), width=session.width if session else None)
    encoding = session.encoding if session else "utf-8"
    return buffer.getvalue().encode(encoding, "backslashreplace")
