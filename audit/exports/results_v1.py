"""`zone-audit.results/1`: the whole report as JSON, the record that every other output can be checked against."""

from __future__ import annotations

import hashlib

import msgspec

from audit.report import SCHEMA, Report
from audit.safetext import encodable, rewrite

INDENT = 1
"""Spaces per level: a line per value, so that two results can be compared with a text tool."""


def render(report: Report) -> bytes:
    """UTF-8 JSON: fields in the order of the schema, keys of maps sorted, a line feed at the end; deterministic.

    Text is kept as it was read; only lone surrogates, which UTF-8 cannot hold, are spelled out.
    """
    try:
        compact = msgspec.json.encode(report, order="deterministic")
    except UnicodeEncodeError:
        compact = msgspec.json.encode(rewrite(report, lambda text, _: encodable(text)), order="deterministic")
    return msgspec.json.format(compact, indent=INDENT) + b"\n"


def digest(results: bytes) -> str:
    """SHA-256 of rendered results, in hex; its beginning is the report's id."""
    return hashlib.sha256(results).hexdigest()


def schema() -> bytes:
    """The JSON Schema of `render`; `docs/results.schema.json` is a copy that a test keeps current."""
    described = msgspec.json.schema(Report) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('/', ':')}",
        "title": SCHEMA,
        "description": "Text that does not apply or was not given is the empty string, a list without entries is []; "
        "null stands only where a number or an object does not apply.",
    }
    return msgspec.json.format(msgspec.json.encode(described, order="sorted"), indent=2) + b"\n"
