from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import summary
from audit.report import Report
from audit.terminal import MOST_FINDINGS, print_report
from tests.outputs.example_report import HOSTILE, benign, clean, example, hostile, large

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
WIDTHS = (40, 60, 80, 120, 200)


def printed(report: Report, *, width: int = 100, colour: bool = False) -> str:
    file = io.StringIO()
    print_report(report, file, colour=colour, width=width)
    return file.getvalue()


def test_the_verdict_and_its_reason_come_first() -> None:
    assert printed(example()).startswith(" NOT COMPLIANT  5 of 49 zone pairs")
    assert printed(clean()).startswith(" COMPLIANT  no zone pair")


def test_what_was_not_seen_stands_before_the_findings() -> None:
    text = printed(example())
    assert text.index("Not seen") < text.index("Node: forbidden") < text.index("Findings, worst first")
    assert "3 of 49 not evaluated" in text
    assert "1 of 8 not evaluated" in text


def test_the_exit_code_stands_beside_its_threshold() -> None:
    assert "exit code 1; findings count from severity low (`--fail-on`)" in printed(example())


def test_what_the_files_lack_is_one_calm_line_and_nothing_is_said_to_be_read_in_full() -> None:
    text = printed(example(), width=200)
    assert text.count("cannot tell absent from not collected") == 1
    assert "Nothing was left unseen" not in printed(clean())
    assert "objects of the files were understood" in printed(clean(), width=200)


def test_an_expired_exception_stands_at_the_finding_and_in_the_register() -> None:
    text = printed(example())
    assert "EX-3 expired 2026-06-30, would have covered this" in text
    assert "EX-3 expired, until 2026-06-30, would have covered: 1" in text


def test_undecided_pairs_are_listed_with_what_they_may_be() -> None:
    assert "0 certain, up to 3" in " ".join(printed(example(), width=32).split())


def test_plain_output_has_no_escape_sequence_and_coloured_output_says_the_same() -> None:
    plain, coloured = printed(example()), printed(example(), colour=True)
    assert "\x1b" not in plain
    assert "\x1b" in coloured
    bare = [line.rstrip() for line in ESCAPES.sub("", coloured).splitlines()]
    assert bare == plain.splitlines()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", [example(), large(30, 200), clean()])
def test_no_line_is_wider_than_the_terminal(report: Report, width: int) -> None:
    assert max(len(line) for line in printed(report, width=width).splitlines()) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_every_finding_and_its_place_is_there_at_any_width(width: int) -> None:
    text = "".join(printed(example(), width=width).split())
    for finding in summary.open_findings(summary.shown(example())):
        assert "".join(finding.title.split()) in text
    assert "manifests/ledger/policies.yaml:14" in text


def test_a_matrix_that_does_not_fit_becomes_a_list_of_pairs_that_do_not_pass() -> None:
    text = printed(large(30, 200), width=60)
    failed = [cell for cell in large(30, 200).cells if cell.verdict not in {"pass", "not-applicable"}]
    assert "30 zones are too wide for 60 columns" in " ".join(text.split())
    assert f"30 of {len(failed)} pairs shown" in " ".join(text.split())
    assert "\n1 zone" not in text


def test_the_matrix_marks_defaults_in_lower_case_and_counts_failures() -> None:
    rows = {line.split()[1]: line.split()[2:] for line in printed(example()).splitlines() if re.match(r"\d ", line)}
    assert rows["dmz"] == ["P", "P", "p", "F7", "P", "F1", "p"]
    assert rows["management"] == ["p", "P", "?", "?", "p", "?", "P"]
    assert rows["internal"][1] == "e"


def test_a_long_list_says_how_many_it_holds_and_how_to_get_the_rest() -> None:
    text = " ".join(printed(large(12, 300)).split())
    total = len(summary.open_findings(large(12, 300)))
    assert f"{MOST_FINDINGS} of {total} findings shown; all of them with `-f json" in text


def test_totals_reconcile_on_the_last_lines() -> None:
    assert printed(example()).splitlines()[-4:] == [str(total) for total in summary.totals(example())]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_escape_sequence(text: str) -> None:
    styles = set(ESCAPES.findall(printed(benign(), colour=True)))
    output = printed(hostile(text), colour=True)
    assert set(ESCAPES.findall(output)) <= styles
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", ESCAPES.sub("", output)
    )


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_any_text_prints_as_printable_text(text: str) -> None:
    output = printed(hostile(text), width=70)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", output)


def test_an_encoding_without_the_character_gets_it_spelled_out() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    print_report(hostile("größe → 漢"), file, colour=False, width=80)
    file.flush()
    assert rb"gr\xf6\xdfe" in raw.getvalue()


def test_a_pipe_gets_a_fixed_width_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "33")
    file = io.StringIO()
    print_report(example(), file, colour=False, width=None)
    assert file.getvalue() == printed(example(), width=100)
