"""`zone-audit evidence`: proofs, signatures and time-stamps of evidence bundles."""

from __future__ import annotations

from pathlib import Path

import click

from audit.commands.outlets import write_files
from audit.commands.overwriting import keep_inputs
from audit.commands.session import Session
from audit.commands.wording import Group


@click.group(cls=Group)
def command() -> None:
    """Prove one object of an evidence bundle, sign bundles and reports, and have them time-stamped."""


@command.command(
    "prove",
    short_help="Show that one object was in a bundle, without the others.",
    epilog='\b\nExamples:\n  zone-audit evidence prove evidence.zip "NetworkPolicy shop/deny" -o proof.json\n'
    "  zone-audit evidence prove evidence.zip zones.yaml -o proof.json",
)
@click.argument("bundle", metavar="BUNDLE")
@click.argument("name", metavar="NAME")
@click.option("-o", "--output", metavar="PATH", help="File for the proof. [default: standard output]")
@click.pass_obj
def prove(session: Session, bundle: str, name: str, output: str | None) -> None:
    """Write a proof that an object was in the snapshot of a bundle; `zone-audit verify PROOF --root HEX` checks it.

    NAME is `Kind namespace/name`, `Kind name`, or the name of a file in the bundle.
    """
    from audit.evidence.bundle import opened
    from audit.evidence.proof import prove as proved
    from audit.evidence.proof import written

    deliver(session, written(proved(opened(bundle), name)), output, bundle)


def deliver(session: Session, content: bytes, output: str | None, *inputs: str) -> None:
    """Write a file, or to standard output; an output that would replace an input is refused."""
    if output in (None, "-"):
        session.write(content)
        return
    path = Path(str(output)).resolve()
    keep_inputs([path], inputs)
    for error in write_files({path: content}):
        raise error
