"""A page -> PDF, by WeasyPrint. Fonts come from the bundle; whatever else the page asks for fails the report."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from audit import due
from audit.enclosures import Enclosure
from audit.errors import RenderError
from audit.pages.environment import bundle
from audit.safetext import safe_text

FONTS: Mapping[str, str] = {
    f"font:{name}": f"fonts/{name}.ttf"
    for name in ("NotoSans-Regular", "NotoSans-Bold", "NotoSans-Italic", "NotoSansMono-Regular")
}
"""Everything that the PDF renderer may fetch: the address used in print.css, and the bundled file behind it."""
EPOCH = "SOURCE_DATE_EPOCH"


def typeset(page: str, enclosures: Iterable[Enclosure], *, created: str, identifier: bytes) -> bytes:
    """The page as tagged PDF/A-3a with the enclosures attached; `created` is ISO, `identifier` 32 bytes.

    Raises RenderError when the libraries that lay out text are missing, or when the page asked for anything else.
    """
    weasyprint = _weasyprint()
    moment = due.moment(created)
    attachments = [
        weasyprint.Attachment(
            string=one.data, name=one.name, description=one.description, created=moment, modified=moment,
            relationship="Source" if one.source else "Data",
        )
        for one in enclosures
    ]  # fmt: skip
    fetcher, refused = _bundled_only()
    with _without_collection(), _dated(moment):
        made = _printed(weasyprint, page, fetcher, pdf_identifier=identifier, attachments=attachments)
    if refused:  # asked even when a PDF came out: the renderer swallows the refusal of an image inside a picture
        raise RenderError(f"the report refers to `{safe_text(refused[0])}`, and nothing outside it may be fetched")
    return made


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


def _printed(weasyprint: Any, page: str, fetcher: Any, **options: Any) -> bytes:
    """The PDF; empty where the renderer gave up because something was refused."""
    from weasyprint.urls import FatalURLFetchingError

    try:
        document = weasyprint.HTML(string=page, base_url=None, url_fetcher=fetcher)
        return bytes(document.write_pdf(pdf_variant="pdf/a-3a", **options))
    except FatalURLFetchingError:
        return b""


def _bundled_only() -> tuple[Any, list[str]]:
    """A fetcher that serves the bundled fonts and nothing else, and the list of what it refused."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    refused: list[str] = []

    class BundledOnly(URLFetcher):  # type: ignore[misc] # weasyprint has no type information
        """Serves the bundled fonts and nothing else."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            del headers
            if url not in FONTS:
                refused.append(url)
                raise FatalURLFetchingError(url)
            return URLFetcherResponse(url, bundle().joinpath(FONTS[url]).read_bytes(), {"Content-Type": "font/ttf"})

    return BundledOnly(allowed_protocols=(), allow_redirects=False), refused


@contextmanager
def _dated(moment: datetime) -> Iterator[None]:
    """The environment as the library of fonts wants it, which else writes the time of day into every font."""
    before = os.environ.get(EPOCH)
    os.environ[EPOCH] = str(int(moment.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[EPOCH]
        else:
            os.environ[EPOCH] = before


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
