"""SARIF for GitHub code scanning, which takes every result for an alert, whatever its kind says.

So only what somebody must act on is in it: failures that no exception covers, and what could not be decided, as a
warning. At most 5,000 results are kept there; the worst come first, and the log says how many are missing.
"""

from __future__ import annotations

from audit.exports import sarif
from audit.report import Report

MOST = 5_000
"""Results of a run that code scanning keeps."""


def render(report: Report) -> bytes:
    """UTF-8 JSON."""
    wanted = ("fail", "not-evaluated")
    return sarif.encoded(sarif.document(report, lambda one: one.verdict in wanted, most=MOST, problems=True))
