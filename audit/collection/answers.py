"""What a request to the API server gives: an Answer, or a Failure with one word for the ledger."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from audit.errors import INTERNAL, AuditError

Reason = Literal["unavailable", "timeout", "too-large", "redirect", "wrong content type", "unauthorised", "untrusted"]
"""unavailable: no connection, one that breaks, or a server that keeps saying 429 or 5xx. untrusted: its certificate."""

_READ = 1 << 16
"""Bytes of an error body that are looked at for its first line."""
_WARNINGS = 20
_SAID = 300
"""Characters of a server's words that are kept: a Status of the API server is shorter."""
REDACTED = "[redacted]"
_LIKE_SECRETS = re.compile(r"\b(?:Bearer|Basic)\s+\S+|\beyJ[\w.=-]{16,}", re.IGNORECASE)
"""Authorization headers and JSON web tokens of whomever."""
_WARNING = re.compile(r'^\s*\d{3}\s+\S+\s+"((?:[^"\\]|\\.)*)"')
"""Code, agent and quoted text of RFC 7234 section 5.5."""


class Failure(AuditError):  # noqa: N818 - a request has failed; the caller may well go on
    """The API server gave no answer that can be used. Its message names no host: it may stand in a report."""

    exit_code = INTERNAL

    def __init__(self, reason: Reason, message: str, *, status: int = 0, retries: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason: Reason = reason
        self.status = status
        """HTTP status of the last answer; 0 when there was none."""
        self.retries = retries


class Broken(Exception):  # noqa: N818 - not an error yet: the next try may succeed
    """One try failed in a way that another may not."""

    def __init__(self, failure: Failure, wait: float | None = None) -> None:
        super().__init__(failure.reason)
        self.failure = failure
        """What it is if there is no other try."""
        self.wait = wait
        """Seconds that the server asks for."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer."""

    status: int
    """200 or 201, or a 4xx other than 401 and 429."""
    headers: Mapping[str, str]
    """By name in lower case; of several with one name, all, with commas between."""
    body: bytes
    """Of a 2xx, text that begins and ends as a JSON object; else whatever came."""
    message: str = ""
    """What the API server says of a 4xx: the `message` of its Status, else the first line of the body."""
    cause: str = ""
    """`reason` of its Status: `Expired`, `Forbidden`, `NotFound`; empty when the body is none."""
    warnings: tuple[str, ...] = ()
    """Texts of `Warning` headers, each once."""
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much; seconds and bytes."""

    connect: float = 5.0
    """TCP, and again TLS."""
    read: float = 30.0
    """Of silence."""
    size: int = 64 << 20
    """Of one body: 500 objects of 128 KiB each, which is far beyond what lists hold."""
    tries: int = 5
    """Of one request."""
    backoff: float = 0.5
    """Before the second try; doubles with each one."""
    longest_wait: float = 60.0
    """Before a try, whatever Retry-After says."""


class Status(msgspec.Struct, frozen=True):
    """What the API server says of an error (`metav1.Status`)."""

    kind: str = ""
    message: str = ""
    reason: str = ""


_STATUS = msgspec.json.Decoder(Status)
"""Made before threads are: msgspec crashes where one uses a type that another is making."""


def status_of(body: bytes) -> Status:
    """The Status that the body is; one without words if it is none."""
    try:
        found = _STATUS.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return Status()
    return found if found.kind == "Status" else Status()


def said(body: bytes) -> str:
    """What an error answer says: the message of a Status, else the first line of text."""
    return status_of(body).message or first_line(body)


def first_line(content: bytes) -> str:
    """The first line of text; a page of HTML is named rather than quoted."""
    text = content[:_READ].decode("utf-8", "replace").strip()
    return "a page of HTML" if text.startswith("<") else text.partition("\n")[0].rstrip()


def redacted(text: str) -> str:
    """Words of a server, or with some of its words in them, without what looks like credentials; shortened."""
    return _LIKE_SECRETS.sub(REDACTED, text)[:_SAID]


def retry_after(value: str) -> float | None:
    """Seconds of a Retry-After header, at least 0; None if it has none or is no number and no date."""
    if re.fullmatch(r"\d{1,9}", value.strip(), re.ASCII):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def warnings_of(headers: Iterable[str]) -> tuple[str, ...]:
    """Texts of `Warning` headers, each once, in order; those beyond 20 are dropped, an API server sends one or two."""
    texts = (match[1] if (match := _WARNING.match(header)) else header for header in headers)
    return tuple(dict.fromkeys(texts))[:_WARNINGS]
