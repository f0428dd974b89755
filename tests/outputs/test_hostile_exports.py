"""Whatever a string of the report holds, it changes the structure of no output, and nothing invisible is left in it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from audit import exports
from audit.report import Report
from audit.safetext import (
    command_property,
    command_text,
    formula_safe,
    markdown_cell,
    markdown_text,
    metric_label,
    safe_text,
)
from tests.outputs.example_report import HOSTILE, hostile
from tests.samples import readings

FRAGMENTS = (
    *HOSTILE,
    "::error file=x::y", "\n::set-output name=x::y", "##[error]", "%0A", "%", ":", ",",
    "|", "||", "`", "``", "~~~", "\n\n# head", "- item", "1. item", "&lt;", "![x](http://203.0.113.9/x.png)",
    "http://203.0.113.9/", "www.example.org", "<http://203.0.113.9>", "\\", "\\|", "\\n",
    "=1+1", "+1", "-1", "@SUM(A1)", ";=1+1", "\t=1", "\r=1", "'", '"', '""', '=HYPERLINK("http://203.0.113.9")',
    "{0}", "{{", "}}", "[x](1)", '"} 1\nzone_audit_x 1\n#', "\x00", "\x0b", "\ufffe", "\ud800", "\U000e0041",
    "]]>", "<!--", "<![CDATA[", "&amp;", "/", "//", "..", "snapshot/x", "a/b c/d", " ", "Namespace x", "é", "漢字",
)  # fmt: skip
nasty = st.lists(st.sampled_from(FRAGMENTS) | st.characters(codec=None, exclude_categories=()), min_size=1, max_size=6)
texts = nasty.map("".join).filter(str.strip)
Shape = Any
MARKUP = MarkdownIt("commonmark").enable("table")


def json_shape(value: Any) -> Shape:
    """Everything but texts; what a file is relative to depends on how its name begins."""
    match value:
        case str():
            return "text"
        case list():
            return [json_shape(one) for one in value]
        case dict():
            return {key: json_shape(one) for key, one in value.items() if key != "uriBaseId"}
    return value


def reports_shape(data: bytes) -> Shape:
    """The rows of all reports; names decide which report one is in, and which parts of an object are given.

    The schema, which is tried with hostile names as well, says what labels and names of reports may be.
    """
    rows = [row for item in json.loads(data)["items"] for row in item["results"]]
    found = [json_shape(row | {"resources": len(row.get("resources", ()))}) for row in rows]
    return sorted(found, key=json.dumps)


def xml_shape(data: bytes) -> Shape:
    def shape(element: ET.Element) -> Shape:
        lines = (element.text or "").count("\n")
        return element.tag, sorted(element.attrib), lines, [shape(child) for child in element]

    return shape(ET.fromstring(data))  # noqa: S314 - our own file


def command_shape(data: bytes) -> Shape:
    lines = data.decode().split("\n")
    pattern = re.compile(r"::(error|warning|notice) file=[^,:]*,line=\d+,endLine=\d+,title=[^,:]*::.")
    return [pattern.match(line)[1] if pattern.match(line) else bool(line) for line in lines]  # type: ignore[index]


def csv_shape(data: bytes) -> Shape:
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True))
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]
    return [(row[0], row[1], len(row)) for row in rows]


def workbook_shape(data: bytes) -> Shape:
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not any(cell.hyperlink for cell in cells)
    return [(sheet.title, sheet.max_row, sheet.max_column) for sheet in book]


def markdown_shape(data: bytes) -> Shape:
    """Blocks, and the kinds of what is within them; only text may differ in how it is escaped."""
    tokens = MARKUP.parse(data.decode())
    inline = {child.type for token in tokens for child in token.children or ()}
    return [token.type for token in tokens], inline - {"text_special"}


def metric_shape(data: bytes) -> Shape:
    return sorted((name, sorted(labels)) for name, labels, _ in readings.metrics(data))


def parsed(data: bytes) -> Shape:
    return json_shape(json.loads(data))


SHAPES: dict[str, Callable[[bytes], Shape]] = {
    "json": parsed, "json-v1": parsed, "sarif": parsed, "sarif-github": parsed, "oscal": parsed, "gitlab": parsed,
    "openreports": reports_shape, "policyreport": reports_shape, "junit": xml_shape, "github": command_shape,
    "github-summary": markdown_shape, "markdown": markdown_shape, "prometheus": metric_shape, "csv": csv_shape,
    "xlsx": workbook_shape,
}  # fmt: skip


def example_of(text: str) -> Report:
    """As `hostile`, but line feeds of fixes stay what they are: they tell the sentence from the YAML."""
    report = hostile(text)
    fix = "x" + text.replace("\n", "\r")
    return msgspec.structs.replace(
        report, findings=tuple(msgspec.structs.replace(one, fix=fix) for one in report.findings)
    )


PLAIN = {name: shape(exports.render(name, example_of("plain text"))) for name, shape in SHAPES.items()}


def same_structure(text: str) -> None:
    report = example_of(text)
    for name, shape in SHAPES.items():
        data = exports.render(name, report)
        assert shape(data) == PLAIN[name], name
        if name not in ("xlsx", "json", "json-v1"):  # a container; raw text for programs
            assert safe_text(data.decode().replace("\n", "").removeprefix("\ufeff")) == data.decode().replace(
                "\n", ""
            ).removeprefix("\ufeff"), name


def test_every_format_is_tried() -> None:
    assert SHAPES.keys() == exports.FORMATS.keys()


@pytest.mark.parametrize("first", range(0, len(FRAGMENTS), 4))
def test_a_hostile_string_changes_no_structure(first: int) -> None:
    """Four at a time, each at the beginning of a line and of a cell for some reader."""
    same_structure(" ;".join(FRAGMENTS[first : first + 4]))


@settings(max_examples=25, deadline=None)
@given(texts)
def test_no_mixture_of_hostile_strings_changes_any_structure(text: str) -> None:
    same_structure(text)


def test_the_shapes_would_tell() -> None:
    assert markdown_shape(b"a <b>") != markdown_shape(b"a b")
    assert command_shape(b"::error file=a,line=1,endLine=1,title=x::y\n") != command_shape(b"::error ::y\n")
    assert metric_shape(b'a{b="c"} 1\n# EOF\n') != metric_shape(b'a{b="c"} 1\nd 1\n# EOF\n')
    with pytest.raises(AssertionError):
        csv_shape(b"a,b\n=1,2\n")


# One function for every sink -----------------------------------------------------------------------------------------

anything = st.text(st.characters(codec=None, exclude_categories=()))


@given(anything | texts)
def test_a_cell_never_begins_a_formula_not_even_after_a_semicolon(text: str) -> None:
    for part in formula_safe(text).split(";"):
        assert part.strip()[:1] not in {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"}


@given(anything | texts)
def test_escaped_markdown_is_read_as_the_text_itself(text: str) -> None:
    tokens = MARKUP.parse(f"| a |\n| --- |\n| x{markdown_cell(text)} |\n")
    cell = tokens[[token.type for token in tokens].index("td_open") + 1]
    assert {child.type for child in cell.children or ()} <= {"text", "text_special"}
    assert "".join(child.content for child in cell.children or ()).strip() == f"x{safe_text(text)}".strip()


@given(anything | texts)
def test_escaped_markdown_begins_no_block(text: str) -> None:
    escaped = markdown_text(text.strip())
    assert [token.type for token in MARKUP.parse(escaped)][:1] in ([], ["paragraph_open"])


@given(anything | texts)
@example("%0A%2C%25")
def test_commands_keep_their_lines_and_properties_their_separators(text: str) -> None:
    assert "\n" not in command_text(text)
    assert not set(command_property(text)) & {",", ":", "\n", "\r"}
    for escaped in (command_text(text), command_property(text)):
        read = escaped  # as the runner does it
        for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            read = read.replace(code, character)
        assert read == safe_text(text)


@given(anything | texts)
def test_a_label_of_a_metric_reads_back(text: str) -> None:
    ((name, labels, value),) = readings.metrics(f'a{{b="{metric_label(text)}"}} 1\n# EOF\n'.encode())
    assert (name, dict(labels), value) == ("a", {"b": safe_text(text)}, 1)
