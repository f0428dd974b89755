"""RFC 3161: a third party says that a bundle existed at a time. The only module that imports `rfc3161_client`.

Nothing here talks to a network: the request is sent, and the answer brought back, by whoever may.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.errors import InputError, Position
from audit.evidence import keys
from audit.evidence.bundle import Bundle, unreadable
from audit.evidence.checks import Check
from audit.evidence.extra import TIME_STAMP, needed

with needed():
    from rfc3161_client import (
        HashAlgorithm,
        TimestampRequestBuilder,
        TimeStampResponse,
        VerificationError,
        VerifierBuilder,
        decode_timestamp_response,
    )

_GRANTED = 0


def request(bundle: Bundle) -> bytes:
    """The request for the manifest of a bundle; always the same, since the answer is compared with the manifest."""
    builder = TimestampRequestBuilder().data(bundle.text).hash_algorithm(HashAlgorithm.SHA256)
    return bytes(builder.nonce(nonce=False).cert_request(cert_request=True).build().as_bytes())


def place(bundle: str) -> Path:
    """Where the time-stamp of a bundle is."""
    return Path(bundle + TIME_STAMP)


def answered(bundle: Bundle, file: str) -> bytes:
    """The answer in a file, if it is about the bundle and grants a time; InputError for any other."""
    try:
        content = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        raise unreadable(file, error) from error
    if wrong := _fault(_decoded(content), bundle):
        raise InputError(wrong, Position(file))
    return content


def checked(bundle: Bundle, roots: Sequence[str]) -> Check:
    """Whether somebody that the files of certificates trust says when the bundle existed."""
    path = place(bundle.file)
    try:
        content = path.read_bytes()
    except OSError as error:
        return Check("time-stamp", "failed", f"`{path.name}`: {(error.strerror or 'cannot be read').lower()}")
    answer = _decoded(content)
    if wrong := _fault(answer, bundle):
        return Check("time-stamp", "failed", f"`{path.name}`: {wrong}")
    assert answer is not None  # noqa: S101 - it has no fault
    time = answer.tst_info.gen_time.strftime("%Y-%m-%dT%H:%M:%SZ")
    if not roots:
        return Check("time-stamp", "unchecked", f"it says {time}; give whom you trust with `--tsa-root`")
    builder = VerifierBuilder()
    for certificate in (one for file in roots for one in keys.certificates(file)):
        builder = builder.add_root_certificate(certificate)
    try:
        builder.build().verify_message(answer, bundle.text)
    except (VerificationError, ValueError) as error:
        return Check("time-stamp", "failed", f"`{path.name}`: {error}")
    return Check("time-stamp", "passed", f"it existed at {time}")


def _decoded(content: bytes) -> TimeStampResponse | None:
    try:
        return decode_timestamp_response(content)
    except ValueError:
        return None


def _fault(answer: TimeStampResponse | None, bundle: Bundle) -> str:
    """What is wrong with an answer at first sight; empty if nothing is."""
    if answer is None:
        return "this is no answer of a time-stamp authority"
    if answer.status != _GRANTED:
        return f"the authority refused, with status {answer.status}"
    try:
        same = answer.tst_info.message_imprint.message.hex() == bundle.sha256
    except ValueError:
        return "this is no answer of a time-stamp authority"
    return "" if same else "it is the time-stamp of something else"
