"""The report as one HTML page."""

from __future__ import annotations

import base64
import hashlib

from audit import summary
from audit.enclosures import results
from audit.pages.caps import Caps
from audit.pages.environment import asset, pictured, rendered, trusted
from audit.pages.view import view
from audit.pictures.heat_map import heat_map
from audit.report import Report

SCREEN = Caps(cards=300, excepted=100, rows=2000, zones=500, lines=200, ways=120, all_rows=20_000)


def html(report: Report) -> str:
    """The whole report as one HTML page: no script, no request to anywhere, a content policy that allows neither.

    Links lead from cells of the matrix to findings; they are made from fingerprints in plain hex, never from names.
    """
    style = asset("base.css") + asset("screen.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    shown = summary.shown(report)
    values = view(shown, results(report).sha256, SCREEN) | {
        "medium": "screen",
        "elsewhere": "the results JSON of this scan",
        "enclosed": (),
        "heat": pictured(heat_map(shown, linked=True)),
        "style": trusted(style),
        "style_sha256": digest,
    }
    return rendered("report.html.j2", values)
