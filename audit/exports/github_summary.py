"""The job summary of GitHub Actions: the Markdown report, for `$GITHUB_STEP_SUMMARY`."""

from __future__ import annotations

from audit.exports.markdown import page
from audit.report import Report

LIMIT = 1024 * 1024
"""Bytes of the summary of one step; a larger one is not shown at all."""
ROWS = (1_000, 300, 100, 30, 10, 0)
"""Rows of a table, tried in this order until the page is small enough."""


def render(report: Report) -> bytes:
    """UTF-8 Markdown below the limit; tables that are cut say how many more rows there are."""
    for most in ROWS:
        text = page(report, most).encode()
        if len(text) < LIMIT:
            return text
    cut = text[: LIMIT // 2]
    return cut[: cut.rfind(b"\n") + 1] + b"\nThe page is cut here: it is too long for a job summary.\n"
