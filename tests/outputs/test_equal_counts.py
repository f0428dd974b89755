from __future__ import annotations

import io
import json
import re

import msgspec
import pytest

from audit import exports, pages, summary
from audit.enclosures import results
from audit.exports import results_v1
from audit.model import SEVERITIES, VERDICTS
from audit.pages.printed import printed_page
from audit.report import Report
from audit.terminal import print_report
from tests.outputs.example_report import clean, example, large
from tests.samples import readings

REPORTS = (example(), clean(), large(9, 120))


def expected(report: Report) -> list[list[int]]:
    """Total and parts, for zone pairs, rules, findings and severities, in the order of the summary's tables."""
    counts = report.counts
    rows = [[map_.get(verdict, 0) for verdict in VERDICTS] for map_ in (counts.cells, counts.rules, counts.findings)]
    rows.append([counts.severities.get(severity, 0) for severity in reversed(SEVERITIES)])
    return [[sum(row), *row] for row in rows]


def numbers(text: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", text)]


@pytest.mark.parametrize("report", REPORTS)
def test_the_report_reconciles(report: Report) -> None:
    assert sum(report.counts.cells.values()) == len(report.cells)
    assert sum(report.counts.findings.values()) == len(report.findings)
    for total in summary.totals(report):
        assert total.whole == sum(number for _, number in total.parts)


@pytest.mark.parametrize("report", REPORTS)
def test_terminal_says_the_counts_of_the_report(report: Report) -> None:
    file = io.StringIO()
    print_report(report, file, colour=False, width=200)
    for line, row in zip(file.getvalue().splitlines()[-4:], expected(report), strict=True):
        assert numbers(line) == [row[0], *(number for number in row[1:] if number)]


@pytest.mark.parametrize("report", REPORTS)
def test_the_page_says_the_counts_of_the_report(report: Report) -> None:
    tables = re.findall(r'<table class="numbers .*?</table>', pages.html(report), flags=re.DOTALL)
    rows = [
        re.sub("<[^>]+>", " ", row)
        for table in tables
        for row in re.findall(r"<tbody>.*</tbody>", table, flags=re.DOTALL)
    ]
    found = [numbers(line) for body in rows for line in body.strip().split("\n")]
    assert [row for row in found if row] == expected(report)


@pytest.mark.parametrize("report", REPORTS)
def test_the_json_says_the_counts_of_the_report(report: Report) -> None:
    data = json.loads(results_v1.render(report))
    assert data["counts"]["cells"] == report.counts.cells
    assert len(data["findings"]) == sum(data["counts"]["findings"].values())


@pytest.mark.parametrize("report", REPORTS)
def test_every_export_says_the_counts_of_the_report(report: Report) -> None:
    files = {name: exports.render(name, report) for name in exports.FORMATS}
    readings.check(files, json.loads(results_v1.render(report)))


def test_the_pdf_says_the_counts_of_the_report() -> None:
    pypdf = pytest.importorskip("pypdf")
    report = clean()
    document = pypdf.PdfReader(io.BytesIO(pages.pdf(report)))
    text = " ".join(page.extract_text() for page in document.pages)
    for what, row in zip(("zone pairs", "rules", "findings"), expected(report), strict=False):
        cells = r"\s+".join(str(number) for number in row)
        assert re.search(rf"{what}\s+{cells}\b", text), what


# Zones that must be apart --------------------------------------------------------------------------------------------


def apart(report: Report) -> list[int]:
    """The numbers of the sentence, in order."""
    counts = report.counts.apart
    named = [counts.get(name, 0) for name in ("connected", "pairs", "direct", "transit", "possible")]
    return named if counts else []


def sentence(text: str) -> list[int]:
    found = re.search(
        r"[\d,]+ of [\d,]+ zone pairs that must be apart[^.]*?perhaps through other zones", " ".join(text.split())
    )
    return numbers(found[0]) if found else []


def test_the_counts_of_pairs_that_must_be_apart_are_those_of_the_records() -> None:
    report = example()
    assert report.counts.apart["connected"] == len(report.cuts)
    assert report.counts.apart["direct"] == sum(one.direct for one in report.cuts)
    assert report.counts.apart["transit"] == sum(one.certain for one in report.transit)
    assert report.counts.apart["possible"] == sum(not one.certain for one in report.transit)


@pytest.mark.parametrize("report", REPORTS)
def test_every_output_says_the_same_of_pairs_that_must_be_apart(report: Report) -> None:
    file = io.StringIO()
    print_report(report, file, colour=False, width=200)
    page = re.sub("<[^>]+>", " ", pages.html(report))
    assert sentence(file.getvalue()) == sentence(page) == apart(report)
    assert json.loads(results_v1.render(report))["counts"]["apart"] == report.counts.apart


def test_a_long_list_of_pairs_says_how_many_it_holds() -> None:
    names = [f"z{number:02}" for number in range(40)]
    cuts = [msgspec.structs.replace(example().cuts[0], from_zone=name) for name in names]
    report = msgspec.structs.replace(example(), cuts=tuple(cuts), transit=())
    file = io.StringIO()
    print_report(report, file, colour=False, width=200)
    assert "8 of 40 pairs shown" in file.getvalue()
    printed = printed_page(report, (results(report),))
    assert "12 of 40 pairs shown" in printed
    assert sum(f">{name}" in re.sub(r">\s+", ">", printed) for name in names) >= 12
