from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pikepdf
import pypdf
import pytest

from audit import pages
from audit.enclosures import Enclosure, given, results
from audit.errors import RenderError
from audit.exports import results_v1, sarif
from audit.pages.printed import printed_page
from audit.pages.typeset import EPOCH, typeset
from audit.pages.view import ID_LENGTH, SECTIONS
from audit.report import Report
from tests.outputs.annexes import annexed, crowded
from tests.outputs.example_report import HOSTILE, clean, example, hostile, large

try:
    import weasyprint  # noqa: F401 - whether its libraries are there
except OSError:
    pytest.skip("the Pango libraries are not installed", allow_module_level=True)

MATRIX = Enclosure(
    name="matrix.yaml", media_type="application/yaml", description="Zone matrix as given", data=b"zones\n", source=True
)
MILLIMETRE = 72 / 25.4


@pytest.fixture(scope="module")
def made() -> bytes:
    return pages.pdf(annexed(example()), [MATRIX])


@pytest.fixture(scope="module")
def document(made: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(made))


@pytest.fixture(scope="module")
def raw(made: bytes) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(io.BytesIO(made)) as pdf:
        yield pdf


@pytest.fixture(scope="module")
def longest() -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pages.pdf(annexed(large(30, 60), 10))))


@pytest.fixture(scope="module")
def text(document: pypdf.PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in document.pages).split())


def bookmarks(outline: list[Any]) -> list[str]:
    return [title for item in outline for title in (bookmarks(item) if isinstance(item, list) else [item.title])]


def elements(pdf: pikepdf.Pdf, kind: str) -> list[Any]:
    found: list[Any] = list(pdf.objects)
    dictionaries = [one for one in found if isinstance(one, pikepdf.Dictionary)]
    return [one for one in dictionaries if one.get("/Type") == "/StructElem" and one.get("/S") == kind]


def words_of(document: pypdf.PdfReader, page: int) -> str:
    return " ".join(document.pages[page].extract_text().split())


def printed(report: Report) -> str:
    """The words of the page that is typeset."""
    page = printed_page(report, (results(report),)).partition("<body>")[2]
    return " ".join(re.sub("<[^>]+>", " ", page).split())


# What a manager reads -------------------------------------------------------------------------------------------------


def test_the_cover_says_verdict_matrix_time_and_what_to_do(document: pypdf.PdfReader) -> None:
    cover = words_of(document, 0)
    for words in (
        "Not compliant",
        "corporate-zones, version 2026.4",
        "ciso@example.org on 2026-09-30",
        "2026-11-23T05:02:11Z to 2026-11-23T05:03:40Z",
        "Not seen Node: forbidden",
        "Do first Restrict NetworkPolicy ledger/allow-all",
        "Matrix review Due 2027-03-31",
    ):
        assert words in cover


def test_an_overdue_review_stands_on_the_cover() -> None:
    report = clean()
    late = msgspec.structs.replace(report, matrix=msgspec.structs.replace(report.matrix, review_by="2026-11-20"))
    cover = printed(late).partition("Contents")[0]
    assert "Matrix review Overdue since 2026-11-20 (3 days)" in cover


def test_the_first_three_pages_hold_verdict_evidence_gaps_and_steps(
    document: pypdf.PdfReader, longest: pypdf.PdfReader
) -> None:
    for one in (document, longest):
        evidence, summary, after = (words_of(one, page) for page in (1, 2, 3))
        assert "Contents" in evidence
        assert "1 Document control and evidence sheet" in evidence
        for title in (
            "Top risks",
            "What to do first",
            "What was not seen",
            "Since the last scan",
            "Review of the matrix",
        ):
            assert title in summary
        assert "3 Scope and population" in after


# Structure ------------------------------------------------------------------------------------------------------------


def test_every_section_has_a_bookmark_in_order(document: pypdf.PdfReader) -> None:
    titles = bookmarks(document.outline)
    places = [titles.index(f"{number} {title}") for number, title in SECTIONS.values()]
    assert places == sorted(places)
    assert len(places) == 16
    assert "The internet reaches the data tier" in titles


def test_pages_are_numbered_and_carry_the_report_id(document: pypdf.PdfReader) -> None:
    count = len(document.pages)
    assert 10 < count < 45
    number = results_v1.digest(results_v1.render(annexed(example())))[:ID_LENGTH]
    for place, page in enumerate(document.pages[1:], start=2):
        words = page.extract_text()
        assert f"Page {place} of {count}" in words
        assert number in words


def test_results_and_inputs_are_attached_whole(raw: pikepdf.Pdf) -> None:
    attached = {name: file.get_file() for name, file in raw.attachments.items()}
    assert attached["results.json"].read_bytes() == results_v1.render(annexed(example()))
    assert attached["matrix.yaml"].read_bytes() == MATRIX.data
    assert {name: str(file.obj.Subtype) for name, file in attached.items()} == {
        "findings.sarif": "/application/sarif+json",
        "matrix.yaml": "/application/yaml",
        "results.json": "/application/json",
    }
    assert attached["findings.sarif"].read_bytes() == sarif.render(annexed(example()))
    assert sorted(str(one.AFRelationship) for one in raw.Root.AF) == ["/Data", "/Source", "/Source"]


def test_it_is_tagged_with_title_and_language_and_says_both_standards(raw: pikepdf.Pdf) -> None:
    root = raw.Root
    packet = root.Metadata.read_bytes()
    assert root.MarkInfo.Marked
    assert root.ViewerPreferences.DisplayDocTitle
    assert str(root.Lang) == "en"
    assert str(raw.docinfo["/Title"]) == "Not compliant: corporate-zones, network zone compliance report"
    assert b'pdfaid:part="3"' in packet
    assert b"<pdfuaid:part>1</pdfuaid:part>" in packet
    assert packet.count(b"<rdf:RDF") == 1


def test_every_header_cell_says_what_it_heads(raw: pikepdf.Pdf) -> None:
    scopes = [str(cell.A.get("/Scope")) for cell in elements(raw, "/TH")]
    assert set(scopes) == {"/Column", "/Row"}
    assert scopes.count("/Row") > 50


def test_every_picture_has_words(raw: pikepdf.Pdf) -> None:
    words = [str(figure.get("/Alt")) for figure in elements(raw, "/Figure")]
    assert any("dmz to database" in one for one in words)
    assert any(one.startswith("Zones by trust") for one in words)
    assert any(one.startswith("Failed findings per scan") for one in words)
    assert "None" not in words


def test_lists_hold_nothing_but_items(raw: pikepdf.Pdf) -> None:
    kinds = {str(kid.get("/S")) for one in elements(raw, "/L") for kid in one.K}
    assert kinds == {"/LI", "/L"}  # a list in columns is a list of lists
    assert elements(raw, "/Lbl")


def test_the_file_is_sound(raw: pikepdf.Pdf, made: bytes, tmp_path: Path) -> None:
    assert raw.check_pdf_syntax() == []
    if (qpdf := shutil.which("qpdf")) is not None:
        (tmp_path / "report.pdf").write_bytes(made)
        subprocess.run([qpdf, "--check", str(tmp_path / "report.pdf")], check=True, capture_output=True)


# Layout ---------------------------------------------------------------------------------------------------------------


def test_no_word_leaves_the_type_area(made: bytes, tmp_path: Path) -> None:
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (tmp_path / "report.pdf").write_bytes(made)
    command = [tool, "-bbox", str(tmp_path / "report.pdf"), "-"]
    boxes = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cover, *rest = boxes.split("<page ")[1:]
    assert "Not" in cover
    found = [re.findall(r'<word xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)"', page) for page in rest]
    assert all(found)
    assert min(float(left) for page in found for left, _ in page) >= 17.5 * MILLIMETRE
    assert max(float(right) for page in found for _, right in page) <= (210 - 17.5) * MILLIMETRE


def test_no_heading_stands_alone_at_the_foot_of_a_page(raw: pikepdf.Pdf) -> None:
    with raw.open_outline() as outline:
        tops = [float(item.destination[3]) for item in _all(outline.root)]
    assert len(tops) > 30
    assert min(tops) > (19 + 15) * MILLIMETRE


def _all(items: Any) -> Iterator[Any]:
    for item in items:
        yield item
        yield from _all(item.children)


def test_only_the_bundled_fonts_are_used(document: pypdf.PdfReader) -> None:
    fonts = {
        font.get_object()["/BaseFont"]
        for page in document.pages
        for font in page["/Resources"].get("/Font", {}).values()  # type: ignore[attr-defined]
    }
    assert fonts
    assert all("+Audit-" in name for name in fonts), fonts


def test_the_matrix_is_drawn_and_not_a_photograph(raw: pikepdf.Pdf) -> None:
    images = [one for one in raw.objects if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image"]
    assert images == []


# What is said ---------------------------------------------------------------------------------------------------------


def test_a_finding_shows_why_its_path_its_place_and_its_fix(text: str) -> None:
    assert re.search(r"manifests/ledger/policies\.yaml:14", text)
    assert "kind: NetworkPolicy" in text
    assert "Supports controls" in text


def test_parts_that_a_scan_lacks_are_said_to_lack() -> None:
    said = printed(clean())
    for words in (
        "No baseline was given, so this report cannot say what changed",
        "No earlier scans were given, so no trend is shown",
        "No mapping to controls was made for this scan",
        "No exception is on file",
        "The matrix is not attached",
        "Previous report none was given",
    ):
        assert words in said


def test_parts_that_a_scan_has_are_shown(text: str) -> None:
    for words in (
        "Compared with results-2026-11-16.json",
        "Perhaps gone",
        "operator/shard-1",
        "PCI DSS 4.0.1",
        "Supporting evidence only.",
        "How the cluster was read",
        "403 Forbidden: nodes is forbidden",
        "verbs: [list]",
    ):
        assert words in text


def test_long_tables_say_how_much_they_show() -> None:
    said = printed(crowded(large(30, 1500), 400))
    cuts = re.findall(r"([\d,]+) of ([\d,]+) ([a-z ]+) shown; the rest is in the attached file results.json", said)
    assert {"findings", "pairs", "exceptions", "rules", "controls", "inputs"} <= {what for _, _, what in cuts}
    assert all(int(shown.replace(",", "")) < int(whole.replace(",", "")) for shown, whole, _ in cuts)


# Hostile data and the machine -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="http://127.0.0.1:9/x.png">',
        '<link rel="stylesheet" href="file:///etc/hostname">',
        '<link rel="attachment" href="file:///etc/hostname">',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/x.svg" width="9" height="9"/></svg>',
        "<style>@font-face { font-family: x; src: url(https://127.0.0.1:9/x) } p { font-family: x }</style><p>x</p>",
        "<style>@import url(data:text/css,p{color:red});</style><p>x</p>",
    ],
)
def test_nothing_is_fetched_even_when_a_page_asks_for_it(markup: str) -> None:
    page = f'<html lang="en"><body>{markup}</body></html>'
    with pytest.raises(RenderError, match="nothing outside it may be fetched"):
        typeset(page, [results(clean())], created="2026-11-23T06:18:00Z", identifier=b"0" * 32)


def test_hostile_text_reaches_the_page_as_text_and_makes_no_link() -> None:
    report = hostile(f"{HOSTILE[0]} {HOSTILE[6]} {HOSTILE[9]} 中文 \U0001f600", annexed(example()))
    few = msgspec.structs.replace(report, findings=report.findings[:2])
    document = pypdf.PdfReader(io.BytesIO(pages.pdf(few)))
    text = " ".join(page.extract_text() for page in document.pages)
    assert "<script>alert(1)</script>" in text
    assert r"\u202egnp.exe" in text
    assert r"\u4e2d\u6587" in text
    everything: list[Any] = list(document.pages)
    links = [note.get_object() for page in everything for note in page.get("/Annots", [])]
    assert links
    assert not [link for link in links if "/URI" in link.get("/A", {})]
    assert not {"/AA", "/OpenAction", "/AcroForm"} & set(document.trailer["/Root"])  # type: ignore[call-overload]


def test_two_runs_write_the_same_bytes(made: bytes) -> None:
    code = (
        "import hashlib; from audit import pages; "
        "from tests.outputs import annexes as a, example_report as e, test_pdf_report as t; "
        "print(hashlib.sha256(pages.pdf(a.annexed(e.example()), [t.MATRIX])).hexdigest())"
    )
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Kiritimati",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(made).hexdigest()


def test_the_environment_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EPOCH, "17")
    typeset("<p>x</p>", [], created="", identifier=b"0" * 32)
    assert os.environ[EPOCH] == "17"
    monkeypatch.delenv(EPOCH)
    with pytest.raises(RenderError):
        typeset('<img src="http://x/y">', [], created="", identifier=b"0" * 32)
    assert EPOCH not in os.environ


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


def test_what_the_report_was_not_made_from_is_not_enclosed() -> None:
    digest = hashlib.sha256(b"z").hexdigest()
    record = msgspec.structs.replace(example().inputs[2], file="elsewhere/zones.yml", sha256=digest)
    report = msgspec.structs.replace(example(), inputs=(record,))
    assert [(one.name, one.data) for one in given(report, {"zones": b"z"})] == [("matrix.yaml", b"z")]
    assert given(report, {"zones": b"y"}) == given(report, {}) == ()
