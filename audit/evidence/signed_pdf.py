"""PAdES signatures inside a PDF. The only module that imports `pyhanko`.

A signature is added after the last byte, so that the file still begins with the one that a bundle holds. Nothing is
fetched: what a certificate refers to for its revocation is not asked.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audit.errors import InputError, Position
from audit.evidence import keys
from audit.evidence.bundle import unreadable
from audit.evidence.checks import Check
from audit.evidence.extra import KeyFault, needed

with needed():
    from asn1crypto.keys import PrivateKeyInfo
    from asn1crypto.x509 import Certificate
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign import fields, signers
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.registry import SimpleCertificateStore

FIELD = "ZoneAudit"
_FAULTS = (PdfError, SigningError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What the library raises for files that are no PDF, or are one that somebody broke."""


def signed(file: str, private: keys.Private, chain: Sequence[keys.Certificate]) -> bytes:
    """The PDF with one more signature; `chain` begins with the certificate of the key. InputError for no PDF."""
    if keys.key_id(chain[0].public_key()) != keys.key_id(private.public_key()):
        raise KeyFault("the first certificate is not that of the key")
    mine, *others = (Certificate.load(keys.der(one)) for one in chain)
    registry = SimpleCertificateStore()  # type: ignore[no-untyped-call] # of the library
    registry.register_multiple(others)
    signer = signers.SimpleSigner(
        signing_cert=mine, signing_key=PrivateKeyInfo.load(keys.private_der(private)), cert_registry=registry
    )
    content = _content(file)
    with _quiet(), _told(file):
        writer = IncrementalPdfFileWriter(io.BytesIO(content))
        taken = [one.field_name for one in writer.prev.embedded_signatures]
        about = signers.PdfSignatureMetadata(
            field_name=f"{FIELD}{len(taken) + 1}",
            md_algorithm=keys.digest_for(private),
            subfilter=fields.SigSeedSubFilter.PADES,
        )
        return bytes(signers.sign_pdf(writer, about, signer=signer).getvalue())


def checked(file: str, roots: Sequence[str], unsigned: bytes | None) -> list[Check]:
    """Every signature in a PDF, as those whom the files of certificates trust; and what it was before them.

    `unsigned` is the report that it must begin with; None asks for none.
    """
    content = _content(file)
    made = list(_signatures(content, roots))
    if unsigned is not None:
        same = content.startswith(unsigned)
        text = "before it was signed it was the report of the bundle" if same else "it is not the report of the bundle"
        made.append(Check("report", "passed" if same else "failed", text))
    return made


def _signatures(content: bytes, roots: Sequence[str]) -> Iterator[Check]:
    trusted = [Certificate.load(keys.der(one)) for file in roots for one in keys.certificates(file)]
    with _quiet():
        try:
            held = list(PdfFileReader(io.BytesIO(content)).embedded_signatures)
        except _FAULTS:
            yield Check("form", "failed", "this is no sound PDF")
            return
        if not held:
            yield Check("signature", "failed", "the PDF holds no signature")
        for number, one in enumerate(held, start=1):
            try:
                context = ValidationContext(trust_roots=trusted, allow_fetching=False)
                status = validate_pdf_signature(one, context)
            except _FAULTS:
                yield Check("signature", "failed", "it cannot be read, or was changed")
                continue
            last = number == len(held)
            whole = not last or status.coverage == SignatureCoverageLevel.ENTIRE_FILE
            yield _judged(status, whole=whole, trusted=bool(trusted))


def _judged(status: Any, *, whole: bool, trusted: bool) -> Check:
    by = status.signing_cert.subject.human_friendly
    if not (status.intact and status.valid) or not whole:
        return Check("signature", "failed", f"the file was changed after the signature by {by}")
    if not trusted:
        return Check("signature", "unchecked", f"it says that it is signed by {by}; give whom you trust with `--trust`")
    if not status.bottom_line:
        return Check("signature", "failed", f"the signature by {by} is not one that the given certificates vouch for")
    return Check("signature", "passed", f"signed by {by}")


def _content(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        raise unreadable(file, error) from error


@contextmanager
def _told(file: str) -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        raise InputError("this is no PDF that can be signed", Position(file)) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """What the library logs is said in checks and errors."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
