"""`zone-audit evidence`: proofs, signatures and time-stamps of evidence bundles."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from audit.commands.outlets import write_files
from audit.commands.overwriting import keep_inputs
from audit.commands.session import Session
from audit.commands.wording import Group
from audit.errors import UsageError


@click.group(
    cls=Group,
    epilog="\b\nExamples:\n  zone-audit evidence sign evidence.zip --key key.pem\n"
    '  zone-audit evidence prove evidence.zip "NetworkPolicy shop/deny" -o proof.json',
)
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


_key = click.option("--key", required=True, metavar="FILE", help="Private key in PEM: Ed25519 or ECDSA P-256.")


@command.command(
    "sign",
    short_help="Sign a bundle.",
    epilog="\b\nExample:\n  zone-audit evidence sign evidence.zip --key key.pem",
)
@click.argument("bundle", metavar="BUNDLE")
@_key
@click.pass_obj
def sign(session: Session, bundle: str, key: str) -> None:
    """Sign a bundle into BUNDLE.dsse.json, a DSSE envelope with an in-toto statement.

    Signatures of others that are there stay. The passphrase of an encrypted key comes from the environment variable
    ZONE_AUDIT_KEY_PASSPHRASE, or is asked for.
    """
    from audit.errors import InputError, Position
    from audit.evidence import envelope, keys
    from audit.evidence.bundle import opened
    from audit.sources.archive.layout import BrokenError

    held = opened(bundle)
    place = envelope.place(bundle)
    try:
        before = envelope.found(held)
    except BrokenError as error:
        raise InputError(str(error), Position(str(place)), "remove the file to sign anew") from error
    made = envelope.signed(held, keys.private_key(key, _passphrase), before)
    deliver(session, envelope.written(made), str(place), bundle, key)
    session.note(f"signed into `{place}`, {len(made.signatures)} in all")


@command.command(
    "sign-pdf",
    short_help="Sign a PDF report.",
    epilog="\b\nExample:\n  zone-audit evidence sign-pdf report.pdf --key key.pem --cert cert.pem -o signed.pdf",
)
@click.argument("report", metavar="PDF")
@_key
@click.option("--cert", required=True, metavar="FILE", help="Certificate of the key in PEM, then those above it.")
@click.option("-o", "--output", required=True, metavar="PATH", help="File for the signed PDF.")
@click.pass_obj
def sign_pdf(session: Session, report: str, key: str, cert: str, output: str) -> None:
    """Add a PAdES signature, which PDF readers show, to a PDF report."""
    from audit.evidence import keys, signed_pdf

    made = signed_pdf.signed(report, keys.private_key(key, _passphrase), keys.certificates(cert))
    deliver(session, made, output, report, key, cert)


@command.group("timestamp", cls=Group, short_help="Have a third party say when a bundle existed.")
def timestamp() -> None:
    """Make a request for an RFC 3161 time-stamp, and keep the answer beside the bundle. Nothing is sent."""


@timestamp.command(
    "request",
    short_help="Write a request.",
    epilog="\b\nExamples:\n  zone-audit evidence timestamp request evidence.zip -o request.tsq\n"
    "  curl -sS -H 'Content-Type: application/timestamp-query' --data-binary @request.tsq URL > answer.tsr",
)
@click.argument("bundle", metavar="BUNDLE")
@click.option("-o", "--output", required=True, metavar="PATH", help="File for the request.")
@click.pass_obj
def request(session: Session, bundle: str, output: str) -> None:
    """Write the request, which holds the digest of the bundle's manifest and nothing else."""
    from audit.evidence import timestamps
    from audit.evidence.bundle import opened

    deliver(session, timestamps.request(opened(bundle)), output, bundle)


@timestamp.command(
    "attach",
    short_help="Keep the answer beside the bundle.",
    epilog="\b\nExample:\n  zone-audit evidence timestamp attach evidence.zip answer.tsr",
)
@click.argument("bundle", metavar="BUNDLE")
@click.argument("answer", metavar="ANSWER")
@click.pass_obj
def attach(session: Session, bundle: str, answer: str) -> None:
    """Copy the answer of an authority to BUNDLE.tsr, if it is about this bundle."""
    from audit.evidence import timestamps
    from audit.evidence.bundle import opened

    place = str(timestamps.place(bundle))
    deliver(session, timestamps.answered(opened(bundle), answer), place, bundle)


def _passphrase() -> str:
    """From the environment, else from a person; never shown."""
    from audit.evidence.extra import PASSPHRASE

    if (given := os.environ.get(PASSPHRASE)) is not None:
        return given
    if not (sys.stdin and sys.stdin.isatty()):
        raise UsageError("the key is encrypted", hint=f"put its passphrase into `{PASSPHRASE}`")
    return str(click.prompt("Passphrase of the key", hide_input=True, err=True))


def deliver(session: Session, content: bytes, output: str | None, *inputs: str) -> None:
    """Write a file, or to standard output; an output that would replace an input is refused."""
    if output in (None, "-"):
        session.write(content)
        return
    path = Path(str(output)).resolve()
    keep_inputs([path], inputs)
    for error in write_files({path: content}):
        raise error
