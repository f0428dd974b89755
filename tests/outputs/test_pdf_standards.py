"""PDF/A-3a and PDF/UA-1 in one file, judged by veraPDF."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from audit import pages
from audit.commands.scan import scan
from audit.enclosures import given
from tests.outputs import verapdf
from tests.outputs.annexes import annexed
from tests.outputs.example_report import example, hostile

if reason := verapdf.missing():
    pytest.skip(f"veraPDF cannot run: {reason}", allow_module_level=True)
try:
    import weasyprint  # noqa: F401 - whether its libraries are there
except OSError:
    pytest.skip("the Pango libraries are not installed", allow_module_level=True)

SAMPLES = Path(__file__).parents[2] / "sample_snapshots"
NAMES = sorted(path.parent.name for path in SAMPLES.glob("*/zones.yaml"))


def broken(made: bytes) -> list[str]:
    return [line for flavour in verapdf.PROFILES for line in verapdf.broken_rules(made, flavour)]


@pytest.mark.parametrize("name", NAMES)
def test_the_report_on_a_sample_conforms_to_both_standards(name: str) -> None:
    folder = SAMPLES / name
    exceptions = folder / "exceptions.yaml"
    report = scan(
        (str(folder / "manifests"),),
        str(folder / "zones.yaml"),
        str(exceptions) if exceptions.exists() else None,
        created=dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
    )
    files = {"zones": folder / "zones.yaml", "exceptions": exceptions}
    declared = {role: file.read_bytes() for role, file in files.items() if file.exists()}
    assert broken(pages.pdf(report, given(report, declared))) == []


def test_a_report_with_every_part_conforms_whatever_its_text() -> None:
    text = "<b>\x1b[31m\u202e中ע\U0001f600◾e\u0301\udc80"
    report = hostile(text, annexed(example()))
    assert broken(pages.pdf(report)) == []


def test_a_file_that_does_not_conform_is_told() -> None:
    import weasyprint

    page = weasyprint.HTML(string='<html lang="en"><title>t</title><h2>x</h2><h4>y</h4></html>')
    lines = verapdf.broken_rules(page.write_pdf(pdf_variant="pdf/a-3a"), "PDFUA_1")
    assert any(line.startswith("5-1") for line in lines)
    assert any(line.startswith("7.4.2") for line in lines)
