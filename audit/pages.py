"""The report for people: one self-contained HTML page, and a PDF for the file cabinet.

Both are made from the same templates. Every string is sanitised before it reaches a template and escaped in it; neither
output refers to anything outside itself.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from audit import path_records, summary, svg
from audit.completeness import UNKNOWN_ABSENCE
from audit.errors import RenderError
from audit.exports import results_v1
from audit.model import SEVERITIES, VERDICTS
from audit.report import CellRecord, Report
from audit.safetext import safe_text

TEMPLATES = "audit.report_templates"
SECTIONS: Mapping[str, tuple[int, str]] = {
    name: (number, title)
    for number, (name, title) in enumerate(
        (
            ("summary", "Executive summary"),
            ("scope", "Scope and completeness"),
            ("matrix", "Zone matrix"),
            ("diagram", "Zone diagram"),
            ("findings", "Findings"),
            ("exceptions", "Exceptions"),
            ("services", "Allowed services"),
            ("rules", "Rules"),
            ("assumptions", "Assumptions"),
            ("method", "Method and limits"),
            ("integrity", "Evidence, integrity and sign-off"),
        ),
        start=1,
    )
}
"""Anchor to number and title, in order."""
PARTS = (
    "summary",
    "scope",
    "matrix",
    "diagram",
    "findings",
    "ways",
    "exceptions",
    "services",
    "rules",
    "method",
    "integrity",
)
"""Partial templates in order; `rules` also writes the assumptions."""
BRIEF = 220
"""Characters of a text in a table cell."""
ID_LENGTH = 16
"""Hex digits of the results' SHA-256 that make the report's id: enough to tell a company's reports apart."""
FONTS: Mapping[str, str] = {
    f"font:{name}": f"fonts/{name}.ttf"
    for name in ("NotoSans-Regular", "NotoSans-Bold", "NotoSans-Italic", "NotoSansMono-Regular")
}
"""Everything that the PDF renderer may fetch: the address used in print.css, and the bundled file behind it."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How much of long lists is shown; what is left out is always said."""

    cards: int
    """Findings in full."""
    excepted: int
    """Excepted findings in full."""
    rows: int
    """Rows of a table."""
    lines: int
    """Lines of ready YAML."""
    ways: int
    """Zone pairs that must be apart and are connected, each with a chain and a cut."""


SCREEN = Caps(cards=300, excepted=100, rows=2000, lines=200, ways=120)
PRINT = Caps(cards=60, excepted=12, rows=150, lines=60, ways=12)
"""A printed card costs the renderer about 40 ms, a row 7 ms: the largest report stays within half a minute."""


def html(report: Report) -> str:
    """The whole report as one HTML page: no script, no request to anywhere, a content policy that allows neither.

    Links lead from cells of the matrix to findings; they are made from fingerprints in plain hex, never from names.
    """
    style = _asset("base.css") + _asset("screen.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _render("report.html.j2", report, "screen", SCREEN, style=Markup(style), style_sha256=digest)  # noqa: S704


def pdf(report: Report) -> bytes:
    """The report as tagged PDF/A-3a with bookmarks and the results JSON attached; equal reports give equal bytes.

    Raises RenderError when the libraries that lay out text are missing, or when the renderer tried to fetch something.
    """
    weasyprint = _weasyprint()
    style = _asset("base.css") + _asset("print.css")
    results = results_v1.render(report)
    page = _render("print.html.j2", report, "print", PRINT, results, style=Markup(style), created=report.created)  # noqa: S704
    attachment = weasyprint.Attachment(
        string=results, name="results.json", description="Every record of this report", relationship="Source",
        created=_moment(report.created), modified=_moment(report.created),
    )  # fmt: skip
    return _print(weasyprint, page, attachment, results)


def _moment(text: str) -> Any:
    from datetime import UTC, datetime

    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _weasyprint() -> Any:
    try:
        import weasyprint
    except OSError as error:
        hint = (
            "install `libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0` (Debian, Ubuntu), `pango harfbuzz` "
            "(Fedora) or `pango` (macOS, with brew); the HTML report needs none of them"
        )
        raise RenderError("the PDF needs the Pango text libraries, which this machine lacks", hint=hint) from error
    return weasyprint


def _print(weasyprint: Any, page: str, attachment: Any, results: bytes) -> bytes:
    """The PDF of a page. Fonts come from the bundle; any other address is refused and fails the report."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    refused: list[str] = []

    class BundledOnly(URLFetcher):  # type: ignore[misc] # weasyprint has no type information
        """Serves the bundled fonts and nothing else."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            del headers
            if url not in FONTS:
                refused.append(url)
                raise FatalURLFetchingError(url)
            return URLFetcherResponse(url, _bundle().joinpath(FONTS[url]).read_bytes(), {"Content-Type": "font/ttf"})

    fetcher = BundledOnly(allowed_protocols=(), allow_redirects=False)
    try:
        with _without_collection():
            document = weasyprint.HTML(string=page, base_url=None, url_fetcher=fetcher)
            made = document.write_pdf(
                pdf_variant="pdf/a-3a",
                pdf_identifier=results_v1.digest(results)[:32].encode(),
                attachments=[attachment],
            )
    except FatalURLFetchingError:
        made = b""
    if refused:  # asked even when a PDF came out: the renderer swallows the refusal of an image inside a picture
        raise RenderError(f"the report refers to `{safe_text(refused[0])}`, and nothing outside it may be fetched")
    return bytes(made)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Garbage collection off: layout makes millions of objects that live to its end, so scanning them is lost time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _render(
    template: str, report: Report, medium: str, caps: Caps, results: bytes | None = None, **more: object
) -> str:
    digest = results_v1.digest(results_v1.render(report) if results is None else results)
    shown = summary.shown(report)
    values = _view(shown, caps) | {
        "medium": medium,
        "caps": caps,
        "results_sha256": digest,
        "report_id": digest[:ID_LENGTH],
        "elsewhere": "the attached file results.json" if medium == "print" else "the results JSON of this scan",
        "heat": _picture(svg.heat_map(shown, linked=medium == "screen")),
        "diagram": _picture(svg.zone_diagram(shown)),
    }
    return _environment().get_template(template).render(values | more)


def _picture(picture: svg.Picture) -> Mapping[str, object]:
    return {"svg": Markup(picture.svg), "notes": picture.notes}  # noqa: S704 - svg.py escapes all text itself


def _view(report: Report, caps: Caps) -> dict[str, object]:
    """What the templates show, computed once."""
    open_findings = summary.open_findings(report)
    excepted = summary.with_verdict(report, "excepted")
    carded = open_findings[: caps.cards] + excepted[: caps.excepted]
    rows = [cell for cell in report.cells if cell.row]
    return {
        "report": report,
        "title": f"{summary.conclusion(report)}: {report.matrix.name}, network zone compliance report",
        "sections": SECTIONS,
        "parts": PARTS,
        "open": open_findings,
        "failed": summary.with_verdict(report, "fail"),
        "excepted": excepted,
        "carded": {finding.fingerprint for finding in carded},
        "unpassed": _unpassed(report),
        "unseen": summary.not_seen(report),
        "steps": summary.first_steps(report, 5),
        "totals": summary.totals(report),
        "joined": summary.joined(report),
        "grid": summary.grid(report),
        "services": [cell for cell in rows if cell.expected],
        "blocking_rows": sum(not cell.expected for cell in rows),
        "allowed_by_default": sum(bool(cell.expected) for cell in report.cells if not cell.row),
    }


def _unpassed(report: Report) -> list[CellRecord]:
    """Pairs that do not pass, worst first."""
    cells = [cell for cell in report.cells if cell.verdict not in {"pass", "not-applicable"}]
    return sorted(
        cells,
        key=lambda c: (
            VERDICTS.index(c.verdict),
            -SEVERITIES.index(c.severity),
            -c.excess_pairs,
            c.from_zone,
            c.to_zone,
        ),
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(TEMPLATES, ""), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"n": _count, "brief": _brief, "some": _some, "mapping": dict}
    environment.globals |= {
        "anchor": summary.anchor,
        "apart_text": summary.apart_text,
        "cut_text": path_records.cut_text,
        "hop_text": path_records.hop_text,
        "steps_text": path_records.steps_text,
        "conclusion": summary.conclusion,
        "reason": summary.reason,
        "conclusions": tuple(summary.CONCLUSIONS),
        "known": _known,
        "letters": summary.LETTERS,
        "meanings": summary.MEANINGS,
        "ports": summary.ports_text,
        "seen": summary.SEEN,
        "counts_text": summary.counts_text,
        "enforcement_warning": summary.enforcement_warning,
        "exit_text": summary.exit_text,
        "lacking": summary.lacking,
        "lacking_kinds": summary.lacking_kinds,
        "missing_access": summary.missing_access,
        "pairs_text": summary.pairs_text,
        "parts_of": _parts_of,
        "profile_text": summary.profile_text,
        "read_text": summary.read_text,
        "refused_texts": summary.refused_texts,
        "seen_text": summary.seen_text,
        "undecided_text": summary.undecided_text,
        "unknown_absence": UNKNOWN_ABSENCE,
        "severities": tuple(reversed(SEVERITIES)),
        "split_fix": summary.split_fix,
        "verdicts": VERDICTS,
    }
    return environment


def _count(number: int) -> str:
    return f"{number:,}"


def _brief(text: str) -> str:
    return summary.clipped(text, BRIEF)


def _some(items: Sequence[str], limit: int) -> str:
    """The first few, and how many more there are."""
    rest = len(items) - limit
    return ", ".join(_brief(item) for item in items[:limit]) + (f" and {rest:,} more" if rest > 0 else "")


def _parts_of(address: str) -> tuple[str, ...]:
    """The text cut after dots and before at signs: where an address goes on in the next line, and nowhere else."""
    return tuple(re.split(r"(?<=\.)(?=.)|(?<=.)(?=@)", address))


def _known(value: str, values: Sequence[str]) -> str:
    """The value if it is one of these: nothing else may become part of a class name."""
    return value if value in values else "other"


def _bundle() -> Any:
    return resources.files(TEMPLATES)


@cache
def _asset(name: str) -> str:
    return str(_bundle().joinpath(name).read_text(encoding="utf-8"))
