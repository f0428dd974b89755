"""Which access is missing, and what to apply: in the terminal and on the page."""

from __future__ import annotations

import io

import msgspec

from audit import pages
from audit.api_resources import Resource, reading_role
from audit.ledger import Cluster
from audit.report import Report
from audit.report_annex import CollectionRecord
from audit.terminal import print_report
from tests.outputs.example_report import clean, example

ROLE = reading_role([Resource("route.openshift.io", "Route", "routes")])
SAID = "With these rights the account would read what it was forbidden"


def collected(report: Report, role: str) -> Report:
    record = CollectionRecord(
        tool="zone-audit 0.1.0", cluster=Cluster(), started="2026-11-23T06:18:00Z", ended="2026-11-23T06:18:09Z",
        missing_access=role,
    )  # fmt: skip
    return msgspec.structs.replace(report, collection=record)


def printed(report: Report) -> str:
    file = io.StringIO()
    print_report(report, file, colour=False, width=100)
    return file.getvalue()


def test_the_terminal_prints_the_role_line_by_line() -> None:
    text = printed(collected(example(), ROLE))
    shown = "".join(f"  {line}\n" for line in ROLE.splitlines())
    assert "Access to add" in text
    assert shown in text
    assert text.index("Not seen") < text.index("Access to add") < text.index("Findings, worst first")


def test_the_page_has_the_role_below_the_kinds() -> None:
    page = pages.html(collected(example(), ROLE))
    below = page[page.index("Completeness by kind") :]
    below = below[below.index(SAID) :]
    for line in ROLE.splitlines():
        assert line.replace('"', "&#34;") in below


def test_nothing_is_said_where_nothing_was_refused() -> None:
    for report in (clean(), collected(clean(), "")):
        assert "Access to add" not in printed(report)
        assert SAID not in pages.html(report)
