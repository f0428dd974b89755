"""`zone-audit scan`: the report on a cluster or on manifests."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from audit.commands.outlets import PairingCommand, deliver, outlets, output_options
from audit.commands.session import Session
from audit.conclusion import FINDINGS
from audit.errors import INCOMPLETE, UsageError
from audit.model import SEVERITIES, Severity
from audit.report import Report

FORMATS = ("text", "json", "html", "pdf")
THRESHOLDS = SEVERITIES[1:]
"""`info` never makes a scan fail."""


@click.command(
    cls=PairingCommand,
    epilog="""\b
SOURCE is a YAML or JSON file, a directory of them, or `-` for standard input. Later sources overlay earlier ones.

\b
Examples:
  zone-audit scan manifests/ --zones zones.yaml
  zone-audit scan cluster.json --zones zones.yaml -f text -f json -o results.json -f pdf -o report.pdf
  kubectl get ns,no,po,svc,netpol,ing -A -o json | zone-audit scan - --zones zones.yaml
  zone-audit scan base/ overlay/ --zones zones.yaml --exceptions exceptions.yaml --fail-on high
""",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--zones", required=True, metavar="FILE", help="Zone matrix: YAML, CSV or XLSX.")
@click.option("--exceptions", metavar="FILE", help="Approved exceptions.")
@output_options(FORMATS)
@click.option(
    "--fail-on",
    type=click.Choice(THRESHOLDS),
    default="low",
    show_default=True,
    help="Findings at or above this severity make the exit code 1.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 instead of 1 or 3.")
@click.option("--rules", "rules_directory", metavar="DIR", help="More rules, as Python files.")
@click.pass_context
def command(  # noqa: PLR0913 - one argument per option
    ctx: click.Context,
    *,
    sources: tuple[str, ...],
    zones: str,
    exceptions: str | None,
    formats: tuple[str, ...],  # noqa: ARG001 - read by `outlets`, in order
    paths: tuple[str, ...],  # noqa: ARG001
    fail_on: Severity,
    exit_zero: bool,
    rules_directory: str | None,
) -> int:
    """Compare a cluster or manifests with the zone matrix and write the report.

    Every ordered pair of zones is judged: pass, fail, excepted, not-evaluated or not-applicable.
    """
    session: Session = ctx.obj
    chosen = outlets(ctx, FORMATS[0], binary=("pdf",))
    if "-" in sources and sources.count("-") > 1:
        raise UsageError("standard input `-` is given twice")
    gc.disable()  # a scan only builds up; nothing it holds is garbage before the end
    report = scan(
        sources,
        zones,
        exceptions,
        rules_directory=Path(rules_directory) if rules_directory else None,
        created=session.created,
        fail_on=fail_on,
        stdin=session.stdin,
        progress=session.progress,
    )
    deliver(session, chosen, lambda name: _render(name, report))
    if all(outlet.path is not None for outlet in chosen):
        session.note(report.headline)
    return 0 if exit_zero and report.exit_code in (FINDINGS, INCOMPLETE) else report.exit_code


def scan(  # noqa: PLR0913 - the options of the command
    given: tuple[str, ...],
    matrix_file: str,
    exceptions: str | None = None,
    *,
    created: dt.datetime,
    rules_directory: Path | None = None,
    fail_on: Severity = "low",
    stdin: BinaryIO | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """The report; errors as the stages raise them. What people wrote is read first, since it is quick to refuse."""
    from audit import cells, checker, inventory, matrix, sources, zones
    from audit.assemble import Basis, assemble
    from audit.commands.register import register
    from audit.discovery import discover

    progress("reading the zone matrix")
    declared = matrix.load(matrix_file)
    exempt = register(exceptions, declared, created.date())
    rules = discover(rules_directory)
    snapshot = sources.read(given, stdin=stdin, progress=progress)
    progress("numbering endpoints")
    population = inventory.build(snapshot)
    zone_map = zones.assign(declared, population.namespaces.values(), population.nodes.values())
    evaluation = cells.evaluate(population, zone_map, declared, progress)
    progress("running rules")
    results = checker.check(
        rules,
        inventory=population,
        zone_map=zone_map,
        matrix=declared,
        flows=evaluation.cells,
        facts=evaluation.facts,
        today=created.date(),
        cover=exempt.cover,
    )
    basis = Basis(
        source=" ".join(given),
        inventory=population,
        zone_map=zone_map,
        matrix=declared,
        facts=evaluation.facts,
        scope=evaluation.scope,
        exceptions=exempt.records(results),
        inputs=exempt.inputs,
    )
    return assemble(results, basis, created=created.strftime("%Y-%m-%dT%H:%M:%SZ"), fail_on=fail_on)


def _render(name: str, report: Report) -> bytes:
    """The report in one format."""
    match name:
        case "json":
            from audit.exports import results_v1

            return results_v1.render(report)
        case "html" | "pdf":
            from audit import pages

            return pages.html(report).encode() if name == "html" else pages.pdf(report)
        case _:
            from audit import terminal

            return terminal.text(report)
