"""PDF/A-3a and PDF/UA-1 in one file, judged by veraPDF."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
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
    assert verapdf.broken_rules(pages.pdf(report, given(report, declared))) == []


def test_a_report_with_every_part_conforms_whatever_its_text() -> None:
    text = "<b>\x1b[31m\u202e中ע\U0001f600◾e\u0301\udc80"
    report = hostile(text, annexed(example(), 4))
    few = msgspec.structs.replace(report, findings=report.findings[:3])
    assert verapdf.broken_rules(pages.pdf(few)) == []


@pytest.mark.parametrize(
    ("variant", "rules"),
    [("pdf/a-3b", {"6.6.4-3", "7.1-11"}), ("pdf/a-3a", {"5-1", "7.4.2-1"}), ("pdf/ua-1", {"6.6.4-1"})],
)
def test_a_file_that_does_not_conform_is_told(variant: str, rules: set[str]) -> None:
    import weasyprint

    page = weasyprint.HTML(string='<html lang="en"><title>t</title><h2>x</h2><h4>y</h4></html>')
    lines = verapdf.broken_rules(page.write_pdf(pdf_variant=variant))
    assert rules <= {line.partition(":")[0] for line in lines}
