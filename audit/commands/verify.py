"""`zone-audit verify`: whether evidence is what it says it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from audit.commands.bundling import RENDERED
from audit.commands.session import Session
from audit.commands.wording import Words
from audit.conclusion import FINDINGS
from audit.errors import INCOMPLETE, AuditError, RenderError, UsageError
from audit.evidence.extra import SIGNATURES, TIME_STAMP
from audit.safetext import safe_text

if TYPE_CHECKING:  # imported on use, so that help costs nothing
    from audit.evidence.bundle import Bundle
    from audit.evidence.checks import Check, Verification
    from audit.report import Report

_PROOF, _PDF = b"{", b"%PDF-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What to check with."""

    sources: tuple[str, ...]
    previous: str | None
    rules: Path | None
    root: str | None
    public_keys: tuple[str, ...]
    require_signature: bool
    tsa_roots: tuple[str, ...]
    trusted: tuple[str, ...]
    report_of: str | None


@click.command(
    epilog="""\b
FILE is an evidence bundle, a proof of one object, or a signed PDF report. A bundle of manifests holds their digests
only: give them as SOURCE, in the order of the scan, and the analysis is run again on them.

\b
Examples:
  zone-audit verify evidence.zip
  zone-audit verify evidence.zip manifests/
  zone-audit verify tuesday.zip --previous monday.zip
  zone-audit verify evidence.zip --public-key auditor.pem --require-signature --tsa-root tsa-ca.pem
  zone-audit verify proof.json --root 5d41c3...
  zone-audit verify signed.pdf --trust ca.pem --report-of evidence.zip

\b
Exit codes:
  0  everything that is there was checked, and is right
  1  something does not verify
  2  usage error, or a file cannot be read
  3  something could not be checked
"""
)
@click.argument("file", metavar="FILE")
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option("--previous", metavar="BUNDLE", help="The bundle before this one, to check the chain.")
@click.option("--rules", "rules_directory", metavar="DIR", help="The rules of the user that the scan had.")
@click.option("--root", metavar="HEX", help="Merkle root that a proof must lead to.")
@click.option(
    "--public-key", "public_keys", multiple=True, metavar="FILE", help="Key that must have signed the bundle."
)
@click.option("--require-signature", is_flag=True, help="A bundle without a signature does not verify.")
@click.option("--tsa-root", "tsa_roots", multiple=True, metavar="FILE", help="Certificates that vouch for time-stamps.")
@click.option("--trust", "trusted", multiple=True, metavar="FILE", help="Certificates that vouch for a signed PDF.")
@click.option("--report-of", metavar="BUNDLE", help="Bundle that the signed PDF must be the report of.")
@click.option("-f", "--format", "form", type=Words(("text", "json")), default="text", show_default=True, help="Form.")
@click.pass_obj
def command(session: Session, /, *, file: str, rules_directory: str | None, form: str, **given: Any) -> int:
    """Check evidence: form, digests, Merkle root, chain, signature, time-stamp, and the analysis itself, run again."""
    from audit.evidence.checks import BROKEN, VERIFIED

    terms = Terms(rules=Path(rules_directory) if rules_directory else None, **given)
    if _begins(file, _PROOF):
        made = _proof(file, terms)
    elif _begins(file, _PDF):
        made = _pdf(file, terms)
    else:
        made = _bundle(file, terms, session)
    session.print(_json(made) if form == "json" else _text(made))
    return {VERIFIED: 0, BROKEN: FINDINGS}.get(made.verdict, INCOMPLETE)


def _only(terms: Terms, what: str, *taken: str) -> None:
    """UsageError for an option that says nothing about a file of this kind."""
    for one in fields(Terms):
        if getattr(terms, one.name) and one.name not in taken:
            option = _OPTIONS.get(one.name, f"--{one.name.replace('_', '-')}")
            raise UsageError(f"`{option}` says nothing about {what}")


_OPTIONS = {"sources": "SOURCE", "public_keys": "--public-key", "tsa_roots": "--tsa-root", "trusted": "--trust"}
"""Field of Terms to what the user calls it, where the two differ."""


def _begins(file: str, mark: bytes) -> bool:
    from audit.evidence.bundle import unreadable

    try:
        with Path(file).open("rb") as stream:
            return stream.read(len(mark)) == mark
    except (OSError, ValueError) as error:
        raise unreadable(file, error) from error


def _proof(file: str, terms: Terms) -> Verification:
    """The check of a proof, which needs no bundle."""
    from audit.evidence.checks import Check, concluded, judged
    from audit.evidence.proof import about, parsed, root_of
    from audit.sources.archive.layout import BrokenError

    _only(terms, "a proof", "root")
    try:
        proof = parsed(Path(file).read_bytes())
    except BrokenError as error:
        return concluded(file, [Check("form", "failed", str(error))])
    wrong = "" if root_of(proof) == proof.root else "the leaf and its path do not lead to the root"
    checks = [judged("path", wrong, f"`{about(proof)}` leads to the root {proof.root}")]
    if terms.root is None:
        checks.append(Check("root", "unchecked", f"give the Merkle root of the bundle {proof.bundle} with `--root`"))
    else:
        wrong = "" if proof.root == terms.root.lower() else f"the proof leads to {proof.root}"
        checks.append(judged("root", wrong, "it is the one that was given"))
    return concluded(file, checks, proof.bundle)


def _pdf(file: str, terms: Terms) -> Verification:
    """The check of a signed report."""
    from audit.evidence.bundle import opened
    from audit.evidence.checks import concluded
    from audit.evidence.signed_pdf import checked

    _only(terms, "a PDF", "trusted", "report_of")
    held = opened(terms.report_of) if terms.report_of else None
    unsigned = held.contents.get(RENDERED["pdf"], b"") if held else None
    return concluded(file, checked(file, terms.trusted, unsigned), held.sha256 if held else "")


def _bundle(file: str, terms: Terms, session: Session) -> Verification:
    from audit.evidence.bundle import opened, read
    from audit.evidence.checks import Check, concluded
    from audit.sources.archive.layout import BrokenError

    _only(terms, "a bundle", "sources", "previous", "rules", "public_keys", "require_signature", "tsa_roots")
    previous = opened(terms.previous) if terms.previous else None
    try:
        bundle = read(file)
    except BrokenError as error:
        return concluded(file, [Check("form", "failed", str(error))])
    return concluded(file, _checks(bundle, previous, terms, session), bundle.sha256)


def _checks(bundle: Bundle, previous: Bundle | None, terms: Terms, session: Session) -> Iterator[Check]:
    """Every check of a sound bundle; what the analysis rests on comes before it."""
    from audit.evidence import checks

    yield checks.sound(bundle)
    session.progress("hashing objects")
    yield (shape := checks.of_tree(bundle))
    yield (records := checks.of_records(bundle))
    yield checks.of_chain(bundle, previous)
    yield _signature(bundle, terms)
    yield _time_stamp(bundle, terms)
    if "failed" in (shape.result, records.result):
        yield checks.Check("analysis", "unchecked", "what is above must fit first")
        return
    recorded = checks.results(bundle)
    yield _analysis(bundle, recorded, terms, session)
    yield _renderings(bundle, recorded, session)


def _signature(bundle: Bundle, terms: Terms) -> Check:
    """The signatures beside a bundle; the libraries are loaded only where there are any, or should be."""
    from audit.evidence.checks import Check

    if not (terms.public_keys or terms.require_signature or Path(f"{bundle.file}{SIGNATURES}").exists()):
        return Check("signature", "none", "it is not signed")
    try:
        from audit.evidence import envelope, keys
    except UsageError as error:
        if terms.public_keys:
            raise
        return Check("signature", "unchecked", f"{error}")
    return envelope.checked(bundle, [keys.public_key(one) for one in terms.public_keys])


def _time_stamp(bundle: Bundle, terms: Terms) -> Check:
    from audit.evidence.checks import Check

    if not (terms.tsa_roots or Path(f"{bundle.file}{TIME_STAMP}").exists()):
        return Check("time-stamp", "none", "it has none")
    try:
        from audit.evidence import timestamps
    except UsageError as error:
        if terms.tsa_roots:
            raise
        return Check("time-stamp", "unchecked", f"{error}")
    return timestamps.checked(bundle, terms.tsa_roots)


def _analysis(bundle: Bundle, recorded: Report, terms: Terms, session: Session) -> Check:
    """The analysis again: to the byte by the same version, field by field by another."""
    from audit.commands.rerun import comparable, differing, lacking, rerun
    from audit.evidence.checks import Check
    from audit.exports import results_v1

    wanted = lacking(bundle)
    if len(terms.sources) > len(wanted):
        given = len(terms.sources)
        raise UsageError(f"the scan had {len(wanted)} sources that are not in the bundle, and {given} are given")
    if missing := _missing(bundle, terms, wanted):
        return Check("analysis", "unchecked", missing)
    try:
        again = rerun(bundle, terms.sources, terms.rules, session.progress)
    except AuditError as error:
        if wanted:
            raise
        return Check("analysis", "failed", f"what is inside cannot be analysed: {error}")
    if changed := [new.file for old, new in zip(recorded.inputs, again.inputs, strict=False) if old != new]:
        return Check("analysis", "failed", f"`{changed[0]}` is not what was scanned")
    old, new = comparable(recorded, bundle), comparable(again, bundle)
    fields = ", ".join(f"`{one}`" for one in differing(old, new))
    if (old.tool, old.rule_pack) != (new.tool, new.rule_pack):
        versions = f"scanned by {old.tool} ({old.rule_pack}), run again by {new.tool} ({new.rule_pack})"
        text = f"{versions}: field by field they differ in {fields} alone"
        return Check("analysis", "unchecked", text)
    if fields or results_v1.render(old) != results_v1.render(new):
        return Check("analysis", "failed", f"run again it comes to other results, in {fields}")
    aside = "; what the history added was left aside" if bundle.manifest.parameters.history else ""
    return Check("analysis", "passed", f"run again it comes to the same results, byte for byte{aside}")


def _missing(bundle: Bundle, terms: Terms, wanted: Sequence[str]) -> str:
    """What has to be given to run the analysis again; empty if nothing has."""
    if len(terms.sources) < len(wanted):
        named = ", ".join(f"`{one}`" for one in wanted)
        return f"the bundle holds digests only of {named}; give them as SOURCE"
    if bundle.manifest.parameters.own_rules and terms.rules is None:
        return "the scan had rules of its own; give them with `--rules`"
    return ""


def _renderings(bundle: Bundle, recorded: Report, session: Session) -> Check:
    """The reports again, from the results inside."""
    from audit import __version__
    from audit.commands.scan import rendered
    from audit.evidence.checks import Check

    if recorded.tool != f"zone-audit {__version__}":
        return Check("reports", "unchecked", f"they were rendered by {recorded.tool}")
    doubtful = ""
    declared = {role: content for role in ("zones", "exceptions") if (content := bundle.of(role)) is not None}
    for form, name in RENDERED.items():
        session.progress(f"rendering {form}")
        try:
            same = rendered(form, recorded, declared) == bundle.contents.get(name)
        except RenderError as error:
            same, doubtful = True, f"`{name}` could not be rendered: {error.message}"
        if not same and form != "pdf":
            return Check("reports", "failed", f"`{name}` is not what the results render to")
        if not same:
            doubtful = f"`{name}` is not what the results render to here, where libraries or fonts may be others"
    return Check("reports", "unchecked" if doubtful else "passed", doubtful or "they are what the results render to")


def _json(made: Verification) -> str:
    return msgspec.json.format(msgspec.json.encode(made), indent=1).decode() + "\n"


def _text(made: Verification) -> str:
    lines: Sequence[str] = [f"{one.name:<10} {one.result:<10} {safe_text(one.text)}" for one in made.checks]
    return "\n".join((f"{safe_text(made.file)}: {made.verdict}", *lines)) + "\n"
