"""PolicyReports (`wgpolicyk8s.io/v1alpha2`), which OpenReports replaces, for clusters that have only these.

Early installs know three severities only; the true one stands in the properties.
"""

from __future__ import annotations

from audit.exports.openreports import Api, encoded
from audit.report import Report

POLICY = Api(
    "wgpolicyk8s.io/v1alpha2",
    "PolicyReport",
    "ClusterPolicyReport",
    {"critical": "high", "high": "high", "medium": "medium", "low": "low", "info": "low"},
)


def render(report: Report) -> bytes:
    """UTF-8 JSON, which is YAML too."""
    return encoded(report, POLICY)
