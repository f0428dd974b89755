"""`zone-audit init`: a first zones.yaml."""

from __future__ import annotations

from pathlib import Path

import click

from audit.commands.live import Live, live_options
from audit.commands.outlets import write_files
from audit.commands.session import Session
from audit.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  zone-audit init manifests/ -o zones.yaml
  zone-audit init cluster:prod -o zones.yaml
  kubectl get ns,no -o json | zone-audit init -
"""
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "--output", metavar="PATH", help="File to write; it must not exist yet. [default: stdout]")
@live_options
@click.pass_obj
def command(session: Session, *, sources: tuple[str, ...], output: str | None, live: Live) -> None:
    """Write a starter zones.yaml from what the sources hold: guess the zone label, list its values as zones."""
    from audit import inventory, matrix

    if output == "":
        raise UsageError("`-o` has an empty path", hint="`-` is standard output")
    target = Path(output) if output and output != "-" else None
    if target and (target.exists() or target.is_symlink()):
        raise UsageError(f"`{target}` exists already", hint="a matrix is not overwritten; choose another name")
    population = inventory.build(live.read(session, sources))
    text = matrix.starter(population.namespaces.values(), population.nodes.values())
    if target is None:
        session.print(text)
        return
    for error in write_files({target: text.encode()}):
        raise error
