"""Files for machines: one module per format and version; each has `render(report) -> bytes`.

`FORMATS` is the list that `scan -f` knows. A module is imported when its format is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from audit.report import Report

FORMATS: Mapping[str, str] = {
    "json": "results_v1",
    "json-v1": "results_v1",
    "sarif": "sarif",
    "sarif-github": "sarif_github",
    "junit": "junit",
    "oscal": "oscal",
    "gitlab": "gitlab",
    "github": "github",
    "github-summary": "github_summary",
    "openreports": "openreports",
    "policyreport": "policyreport",
    "prometheus": "prometheus",
    "csv": "csv_table",
    "xlsx": "xlsx",
    "markdown": "markdown",
}
"""Name of a format to its module here. `json` is the newest version of the results."""
SUFFIXES: Mapping[str, str] = {
    ".json": "json",
    ".sarif": "sarif",
    ".xml": "junit",
    ".prom": "prometheus",
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".md": "markdown",
}
"""Suffix of a file to its format, where it leaves no doubt."""
BINARY = ("xlsx",)
"""Formats that are not for a terminal."""


def render(format_: str, report: Report) -> bytes:
    """The report in one of `FORMATS`; equal reports give equal bytes."""
    rendered: bytes = import_module(f"audit.exports.{FORMATS[format_]}").render(report)
    return rendered
