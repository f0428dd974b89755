"""Workbooks: tables of text and numbers to the bytes of an XLSX file. Nothing in them is a formula or a link."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

MAX_CELL = 32_767
"""Characters in a cell; Excel's limit, as is the number of rows."""
MAX_ROWS = 1_048_576
_HEAD = {"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "border": 1}
_BODY = {"num_format": "@", "valign": "top", "text_wrap": True}
_GRID = {"border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
_WIDEST, _NARROWEST = 60, 10

Cell = str | int


class Sheet(NamedTuple):
    """One sheet; its first row is the header."""

    name: str
    rows: tuple[tuple[Cell, ...], ...]
    fills: Mapping[tuple[int, int], str] | None = None
    """Row and column to colour: a grid with a header column and equal widths. None for a table with filters."""
    width: int = 22
    """Of the columns of a grid, in characters."""


def workbook(title: str, sheets: tuple[Sheet, ...], created: datetime) -> bytes:
    """The file; equal arguments give equal bytes. Cells are cut to what a cell may hold."""
    import xlsxwriter  # type: ignore[import-untyped]  # ships no types, so books and formats are Any

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"title": title, "created": created.replace(tzinfo=None)})
    head = book.add_format(_HEAD)
    for sheet in sheets:
        if sheet.fills is None:
            _table(book, sheet, head)
        else:
            _grid(book, sheet, sheet.fills, head)
    book.close()
    return out.getvalue()


def _table(book: Any, sheet: Sheet, head: Any) -> None:
    page = book.add_worksheet(sheet.name)
    body = book.add_format(_BODY)
    for number, cells in enumerate(sheet.rows):
        for column, value in enumerate(cells):
            _write(page, (number, column), value, body if number else head)
    for column in range(len(sheet.rows[0])):
        width = max(len(line) for cells in sheet.rows for line in str(cells[column]).split("\n"))
        page.set_column(column, column, min(max(width + 2, _NARROWEST), _WIDEST))
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, len(sheet.rows) - 1, len(sheet.rows[0]) - 1)


def _grid(book: Any, sheet: Sheet, fills: Mapping[tuple[int, int], str], head: Any) -> None:
    page = book.add_worksheet(sheet.name)
    formats = {colour: book.add_format(_GRID | {"bg_color": colour}) for colour in sorted(set(fills.values()))}
    for number, cells in enumerate(sheet.rows):
        for column, value in enumerate(cells):
            _write(page, (number, column), value, formats.get(fills.get((number, column), ""), head))
    page.set_column(0, len(sheet.rows[0]) - 1, sheet.width)
    page.freeze_panes(1, 1)


def _write(page: Any, at: tuple[int, int], value: Cell, style: Any) -> None:
    """`write_string` never makes a formula, a number or a link of text."""
    if isinstance(value, int):
        page.write_number(*at, value, style)
    elif value:
        page.write_string(*at, value[:MAX_CELL], style)
