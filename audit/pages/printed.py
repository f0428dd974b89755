"""The report as a PDF for the archive, with everything attached that it was made from."""

from __future__ import annotations

from collections.abc import Iterable

from audit import summary
from audit.enclosures import Enclosure, findings, results
from audit.pages.caps import Caps
from audit.pages.environment import asset, pictured, rendered, trusted
from audit.pages.finish import finish
from audit.pages.glyphs import drawable
from audit.pages.typeset import typeset
from audit.pages.view import view
from audit.pictures.heat_map import heat_map
from audit.report import Report

PRINT = Caps(cards=40, excepted=10, rows=150, zones=60, lines=60, ways=12, all_rows=650)
"""A printed card costs the renderer about 40 ms and 1 MB, a row 7 ms and 0.3 MB: the largest report stays within half a
minute and half a gigabyte."""


def pdf(report: Report, enclosures: Iterable[Enclosure] = ()) -> bytes:
    """The report as tagged PDF/A-3a and PDF/UA-1 with bookmarks; equal reports and enclosures give equal bytes.

    The results and the findings are attached first, then the enclosures in order. Raises RenderError when the libraries
    that lay out text are missing, or when the renderer tried to fetch something.
    """
    record = results(report)
    enclosed = (record, findings(report), *enclosures)
    page = printed_page(report, enclosed)
    laid_out = typeset(page, enclosed, created=report.created, identifier=record.sha256[:32].encode())
    return finish(laid_out, {one.name: one.media_type for one in enclosed})


def printed_page(report: Report, enclosed: tuple[Enclosure, ...]) -> str:
    """The page that is printed."""
    shown = drawable(summary.shown(report))
    style = asset("base.css") + asset("print.css")
    values = view(shown, enclosed[0].sha256, PRINT) | {
        "medium": "print",
        "elsewhere": "the attached file results.json",
        "enclosed": enclosed,
        "heat": pictured(heat_map(shown)),
        "style": trusted(style),
    }
    return rendered("print.html.j2", values)
