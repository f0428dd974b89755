"""`zone-audit matrix`: the zone matrix by itself."""

from __future__ import annotations

from pathlib import Path

import click

from audit.commands.overwriting import keep_inputs
from audit.commands.session import Session
from audit.commands.wording import Group
from audit.errors import UsageError
from audit.safetext import safe_text


@click.group(cls=Group)
def command() -> None:
    """Check, convert or show a zone matrix."""


@command.command(
    "check", short_help="Every error with its line.", epilog="\b\nExample:\n  zone-audit matrix check zones.yaml"
)
@click.argument("file")
@click.pass_obj
def check(session: Session, file: str) -> None:
    """Check a matrix: every error with its line; remarks on what is right but odd.

    Exit code 2 if it has errors.
    """
    from audit import matrix

    remarks = matrix.check(file, session.created.date())
    declared = matrix.load(file)
    lines = [f"{remark}" for remark in remarks]
    lines.append(f"{file}: {len(declared.zones)} zones, {len(declared.flows)} rows, no error")
    session.print("".join(f"{safe_text(line)}\n" for line in lines))


@command.command(
    "convert",
    short_help="YAML, JSON, CSV or XLSX into one another.",
    epilog="""\b
The suffix of the target names the format: .yaml, .json, .csv or .xlsx.

\b
Examples:
  zone-audit matrix convert zones.yaml -o zones.xlsx
  zone-audit matrix convert firewall-export.csv -o zones.yaml
  zone-audit matrix convert zones.csv --base zones.yaml -o zones-new.yaml
""",
)
@click.argument("file")
@click.option("-o", "--output", required=True, metavar="PATH", help="File to write.")
@click.option("--base", metavar="FILE", help="Matrix that gives all but the rows, when FILE is a table.")
@click.pass_obj
def convert(session: Session, file: str, output: str, base: str | None) -> None:
    """Convert a matrix between YAML, JSON, CSV and XLSX; what was written is read back and compared."""
    from audit import matrix

    if not output:
        raise UsageError("`-o` has an empty path")
    keep_inputs([Path(output).resolve()], (), (file, base))
    for note in matrix.convert(file, output, base):
        session.note(note)


@command.command("show", short_help="The cross table.", epilog="\b\nExample:\n  zone-audit matrix show zones.yaml")
@click.argument("file")
@click.pass_obj
def show(session: Session, file: str) -> None:
    """Show a matrix as a cross table: sources down, targets across, least trusted first."""
    from audit import matrix

    rows = [[safe_text(cell) for cell in row] for row in matrix.show(matrix.load(file))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    session.print("".join(f"{line}\n" for line in lines))
