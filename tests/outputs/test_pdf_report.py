from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pypdf
import pytest

from audit import pages
from audit.errors import RenderError
from audit.exports import results_v1
from tests.outputs.example_report import HOSTILE, example, hostile

try:
    import weasyprint
except OSError:
    pytest.skip("the Pango libraries are not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def made() -> bytes:
    return pages.pdf(example())


@pytest.fixture(scope="module")
def document(made: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(made))


@pytest.fixture(scope="module")
def text(document: pypdf.PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in document.pages).split())


def bookmarks(outline: list[Any]) -> list[str]:
    return [title for item in outline for title in (bookmarks(item) if isinstance(item, list) else [item.title])]


def test_the_cover_says_verdict_matrix_and_time(document: pypdf.PdfReader) -> None:
    cover = document.pages[0].extract_text()
    for words in (
        "Not compliant",
        "corporate-zones, version 2026.4",
        "ciso@example.org on 2026-09-30",
        "2026-11-23T06:18:00Z",
    ):
        assert words in cover


def test_every_section_has_a_bookmark_in_order(document: pypdf.PdfReader) -> None:
    titles = bookmarks(document.outline)
    places = [titles.index(f"{number} {title}") for number, title in pages.SECTIONS.values()]
    assert places == sorted(places)
    assert "The internet reaches the data tier" in titles


def test_pages_are_numbered_to_the_last(document: pypdf.PdfReader) -> None:
    count = len(document.pages)
    assert 10 < count < 40
    assert f"Page {count} of {count}" in document.pages[-1].extract_text()
    assert results_v1.digest(results_v1.render(example()))[: pages.ID_LENGTH] in document.pages[3].extract_text()


def test_the_results_are_attached_whole(document: pypdf.PdfReader) -> None:
    assert document.attachments["results.json"] == [results_v1.render(example())]


def test_it_is_a_tagged_archive_document_with_title_and_language(document: pypdf.PdfReader) -> None:
    root: Any = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert document.metadata is not None
    assert document.metadata.title == "Not compliant: corporate-zones, network zone compliance report"
    assert b'pdfaid:part="3"' in root["/Metadata"].get_data()


def test_only_the_bundled_fonts_are_used(document: pypdf.PdfReader) -> None:
    fonts = {
        font.get_object()["/BaseFont"]
        for page in document.pages
        for font in page["/Resources"].get("/Font", {}).values()  # type: ignore[attr-defined]
    }
    assert fonts
    assert all("+Audit-" in name for name in fonts), fonts


def test_nothing_is_fetched_even_when_a_page_asks_for_it() -> None:
    attachment = weasyprint.Attachment(string=b"{}", name="results.json")
    for markup in (
        '<img src="http://127.0.0.1:9/x.png">',
        '<link rel="stylesheet" href="file:///etc/hostname">',
        '<link rel="attachment" href="file:///etc/hostname">',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/x.svg" width="9" height="9"/></svg>',
        "<style>@font-face { font-family: x; src: url(https://127.0.0.1:9/x) } p { font-family: x }</style><p>x</p>",
        "<style>@import url(data:text/css,p{color:red});</style><p>x</p>",
    ):
        with pytest.raises(RenderError, match="nothing outside it may be fetched"):
            pages._print(weasyprint, f"<html><body>{markup}</body></html>", attachment, b"{}")


def test_hostile_text_reaches_the_page_as_text_and_makes_no_link() -> None:
    report = hostile(f"{HOSTILE[0]} {HOSTILE[6]} {HOSTILE[9]}")
    few = msgspec.structs.replace(report, findings=report.findings[:4])
    document = pypdf.PdfReader(io.BytesIO(pages.pdf(few)))
    text = " ".join(page.extract_text() for page in document.pages)
    assert "<script>alert(1)</script>" in text
    assert r"\u202egnp.exe" in text
    everything: list[Any] = list(document.pages)
    links = [note.get_object() for page in everything for note in page.get("/Annots", [])]
    assert not [link for link in links if "/URI" in link.get("/A", {})]


def test_two_runs_write_the_same_bytes(made: bytes) -> None:
    code = (
        "import hashlib, example_report as e; from audit import pages; "
        "print(hashlib.sha256(pages.pdf(e.example())).hexdigest())"
    )
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Kiritimati",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(made).hexdigest()


def test_missing_text_libraries_are_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = __import__

    def broken(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "weasyprint":
            message = "cannot load library 'libpango-1.0-0'"
            raise OSError(message)
        return real(name, *args, **kwargs)

    monkeypatch.setattr("builtins.__import__", broken)
    with pytest.raises(RenderError, match=r"libpango-1\.0-0 libpangoft2-1\.0-0 libharfbuzz-subset0"):
        pages.pdf(example())


def test_a_finding_shows_its_path_its_place_and_its_fix(text: str) -> None:
    assert re.search(r"manifests/ledger/policies\.yaml:14", text)
    assert "kind: NetworkPolicy" in text
    assert "Supports controls" in text
