"""Parts of a report that are computed for people: dates, the evidence sheet, caps, pictures, glyphs."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest
from fontTools.ttLib import TTFont

from audit import due, summary
from audit.at_fault import faulty_objects
from audit.evidence_sheet import answers
from audit.pages.caps import Caps, fitted
from audit.pages.environment import bundle
from audit.pages.glyphs import DRAWN, drawable
from audit.pages.typeset import FONTS
from audit.pictures.heat_map import WIDTH, heat_map
from audit.pictures.trend_chart import SHOWN, trend_chart
from audit.report import Report
from audit.report_annex import ObjectRecord
from audit.steps import risks
from audit.tiles import tiles
from tests.outputs.annexes import annexed, trend
from tests.outputs.example_report import clean, example, large

SVG = "{http://www.w3.org/2000/svg}"
CAPS = Caps(cards=1, excepted=1, rows=50, zones=9, lines=9, ways=1, all_rows=100)


def reviewed(day: str) -> Report:
    report = example()
    return msgspec.structs.replace(report, matrix=msgspec.structs.replace(report.matrix, review_by=day))


# Dates ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2026-11-23", "due 2026-11-23"),
        ("2026-11-22", "overdue since 2026-11-22 (1 day)"),
        ("2026-10-31", "overdue since 2026-10-31 (23 days)"),
        ("", "no review is recorded"),
        ("soon", "due soon"),
    ],
)
def test_a_review_is_overdue_the_day_after_it_was_due(day: str, text: str) -> None:
    found = due.review(reviewed(day))
    assert found.text == text
    assert found.overdue == text.startswith("overdue")


def test_rows_are_overdue_by_their_own_dates() -> None:
    report = example()
    assert due.overdue_rows(report) == ()
    later = msgspec.structs.replace(report, created="2027-04-01T00:00:00Z")
    assert {cell.row for cell in due.overdue_rows(later)} == {cell.row for cell in report.cells if cell.row}


def test_exceptions_that_end_come_earliest_first() -> None:
    assert [record.id for record in due.ending(example())] == ["EX-3"]


@pytest.mark.parametrize(
    ("until", "text"),
    [
        ("2026-11-23T05:03:40Z", "less than a minute"),
        ("2026-11-23T06:18:00Z", "1 h 14 min"),
        ("2026-11-25T05:03:40Z", "2 d"),
        ("2026-11-22T05:03:40Z", ""),
        ("yesterday", ""),
    ],
)
def test_age_is_said_in_days_hours_and_minutes(until: str, text: str) -> None:
    assert due.age("2026-11-23T05:03:40Z", until) == text


# The evidence sheet ---------------------------------------------------------------------------------------------------


def test_every_question_has_an_answer_whatever_the_source() -> None:
    for report in (example(), clean(), annexed(example())):
        sheet = answers(report, "0" * 64)
        assert [one.question for one in sheet] == [
            "Source", "Scope", "Parameters", "Time", "Completeness", "Population", "Accuracy", "Exceptions",
            "Integrity", "People",
        ]  # fmt: skip
        assert all(one.sentences for one in sheet)
        assert all(sentence.endswith(".") for one in sheet for sentence in one.sentences)


def test_a_live_cluster_is_named_with_time_account_and_version() -> None:
    said = " ".join(sentence for one in answers(annexed(example()), "0" * 64) for sentence in one.sentences)
    for words in (
        "6f1c2a9e-8f5f-4f7e-9a55-1f4b6d1f0c11, version v1.31.4",
        "Age of the data at that moment: 1 h 14 min.",
        "Read at resource version 918273",
        "Cluster read as system:serviceaccount:zone-audit:reader.",
    ):
        assert words in said


def test_totals_of_the_sheet_are_those_of_the_report() -> None:
    said = {one.question: " ".join(one.sentences) for one in answers(example(), "0" * 64)}
    assert "20 findings = 14 fail + 3 not-evaluated + 2 excepted + 1 manual" in said["Exceptions"]
    assert "49 zone pairs: 34 decided by a row, 15 by a default; 3 not evaluated" in said["Population"]
    assert "Not fully read: 1 kind forbidden, 1 kind partial." in said["Completeness"]


def test_tiles_count_what_fails_and_what_is_open() -> None:
    assert [(one.number, one.note, one.tone) for one in tiles(example())] == [
        (5, "of 45 judged", "bad"),
        (14, "2 critical, 3 high", "bad"),
        (7, "zone pairs, rules, findings", "wait"),
        (3, "1 not in force", "wait"),
    ]
    assert [one.tone for one in tiles(clean())] == ["plain"] * 4


def test_objects_at_fault_carry_the_digest_of_their_file() -> None:
    place = ObjectRecord(object="NetworkPolicy ledger/allow-all", file="manifests/ledger/policies.yaml", line=14)
    (found,) = faulty_objects(msgspec.structs.replace(example(), objects=(place,)))
    assert (found.object, found.findings, found.line) == ("NetworkPolicy ledger/allow-all", 20, 14)
    assert found.sha256 == example().inputs[1].sha256
    (unknown,) = faulty_objects(example())
    assert (unknown.file, unknown.sha256) == ("", "")


# Words ----------------------------------------------------------------------------------------------------------------


def test_risks_put_crossed_zones_before_other_findings_of_their_severity() -> None:
    found = risks(example())
    assert {one.fingerprint for one in found} == {one.fingerprint for one in summary.with_verdict(example(), "fail")}
    high = [bool(one.ports) for one in found if one.severity == "high"]
    assert high == sorted(high, reverse=True)
    assert [one.severity for one in found][:2] == ["critical", "critical"]


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("as it is", 8, "as it is"),
        ("cut at a word's end", 12, "cut at a …"),
        ("unbreakable", 6, "unbrea …"),
        ("no comma, left", 10, "no comma …"),
    ],
)
def test_a_shortened_text_ends_with_a_word(text: str, limit: int, shown: str) -> None:
    assert summary.shortened(text, limit) == shown


@pytest.mark.parametrize(
    ("ready", "kind"),
    [
        ("kubectl delete netpol a", "commands"),
        ("zone-audit ports x", "commands"),
        ("apiVersion: v1\nkind: Pod", "ready YAML"),
        ("", "ready YAML"),
    ],
)
def test_commands_are_not_called_yaml(ready: str, kind: str) -> None:
    assert summary.fix_kind(ready) == kind


# Caps -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "rows"),
    [
        ([], 50),
        ([10, 20, 30], 50),
        ([10, 200], 50),
        ([10, 60, 60], 45),
        ([500] * 10, 10),
        ([1, 1, 1, 500, 500], 48),
    ],
)
def test_the_longest_tables_are_cut_first(lengths: list[int], rows: int) -> None:
    found = fitted(CAPS, lengths)
    assert found.rows == rows
    assert sum(min(length, found.rows) for length in lengths) <= CAPS.all_rows


# Pictures and glyphs --------------------------------------------------------------------------------------------------


def test_a_matrix_of_thirty_zones_fits_the_page_with_a_letter_in_every_cell() -> None:
    picture = ET.fromstring(heat_map(summary.shown(large(30, 90))).svg)  # noqa: S314 - our own output
    assert float(picture.get("width", "0")) <= WIDTH + 1
    cells = [one for one in picture.iter(f"{SVG}g") if one.find(f"{SVG}rect") is not None]
    assert len(cells) == 900
    words = [one.findtext(f"{SVG}text") for one in cells]
    assert all(re.fullmatch(r"[FfPpEe?Mm-]\d*", word or "") for word in words)
    sizes = [float(text.get("font-size", "0")) for one in cells for text in one.iter(f"{SVG}text")]
    assert min(sizes) >= 6


def test_the_trend_ends_with_this_scan_and_shows_the_latest() -> None:
    assert trend_chart(example()) is None
    picture = trend_chart(annexed(example()))
    assert picture is not None
    root = ET.fromstring(picture.svg)  # noqa: S314 - our own output
    assert (root.findtext(f"{SVG}title") or "").endswith("2026-11-23 14")
    many = trend_chart(msgspec.structs.replace(example(), trend=trend() * 4))
    assert many is not None
    assert many.notes == (f"The last {SHOWN} of 33 scans.",)


def test_the_characters_that_are_drawn_are_those_of_the_fonts() -> None:
    fonts = [TTFont(bundle().joinpath(path)) for path in FONTS.values()]
    sans = set.intersection(*(set(font.getBestCmap()) for font in fonts[:3]))
    mono = set(fonts[3].getBestCmap())
    pattern = re.compile(f"[{DRAWN}]")
    drawn = {code for code in range(0x110000) if pattern.fullmatch(chr(code))}
    assert drawn == (sans | mono) - {0x25FD, 0x25FE}


def test_other_characters_are_spelled_out() -> None:
    report = msgspec.structs.replace(example(), headline="Zürich → 東\n\U0001f600")
    assert drawable(report).headline == "Zürich → \\u6771\n\\U0001f600"
