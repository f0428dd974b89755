"""The report as one HTML page."""

from __future__ import annotations

import base64
import hashlib

from audit import summary
from audit.enclosures import results
from audit.pages.caps import Caps
from audit.pages.environment import asset, rendered, trusted
from audit.pages.island import island
from audit.pages.view import view
from audit.report import Report

SCREEN = Caps(cards=300, excepted=100, rows=2000, zones=120, lines=200, ways=120, all_rows=20_000)


def html(report: Report) -> str:
    """The whole report as one HTML page: one style, one script, no request to anywhere; its policy allows no more.

    Everything can be read without the script, which filters, sorts and joins what is there. Links lead from cells of the
    matrix to findings; they are made from fingerprints in plain hex, never from names.
    """
    style, script = asset("base.css") + asset("screen.css"), asset("report.js")
    shown = summary.shown(report)
    values = view(shown, results(report).sha256, SCREEN) | {
        "medium": "screen",
        "elsewhere": "the results JSON of this scan",
        "enclosed": (),
        "data": island(shown),
        "style": trusted(style),
        "style_source": _source(style),
        "script": trusted(script),
        "script_source": _source(script),
    }
    return rendered("report.html.j2", values)


def _source(content: str) -> str:
    """What a content policy calls an element with this content."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
