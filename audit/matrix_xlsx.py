"""The matrix as a workbook: `Flows` in the long form, `Grid` in colour for people, and sheets for everything else.

Reading takes `Flows`, `Zones`, `Matrix` and `Groups`; `Grid` is never read.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from audit.errors import AuditErrors, MatrixError, Position, did_you_mean
from audit.matrix_dump import metadata_tree, settings_tree, zone_tree
from audit.matrix_table import (
    COLUMNS,
    MAX_ROWS,
    Rows,
    Table,
    grid,
    is_long_form,
    joined,
    long_form,
    read_rows,
    same_place,
    split,
)
from audit.matrix_yaml import Document, Node, document, shown
from audit.model import ZoneMatrix
from audit.workbooks import MAX_CELL, Sheet, workbook

MAGIC: Final = b"PK\x03\x04"
_MAX_UNPACKED: Final = 64 << 20
_MAX_MEMBERS: Final = 200
_MAX_COLUMNS: Final = 64
_ZONE_COLUMNS: Final = (
    "name", "title", "trust", "kind", "owner", "namespaces", "nodes", "ingressControllers", "ingressClasses",
    "storageClasses", "cidrs", "egress_cidrs", "requires", "addresses",
)  # fmt: skip
_LISTS: Final = frozenset(
    {"ingressControllers", "ingressClasses", "addresses", "storageClasses", "cidrs", "egress_cidrs", "requires"}
    | {"settings.zone_labels", "settings.node_labels", "settings.zoning_owners", "services"}
)
_SELECTORS: Final = ("namespaces", "nodes")
_FLOWS: Final = "Flows"
_READ: Final = (_FLOWS, "Zones", "Groups", "Matrix")
_HEAD: Final = ("field", "value")
_GROUP_COLUMNS: Final = ("name", "services")
_COLOURS: Final = {
    "allow-all": "#C6E7C8",
    "allow-only": "#FFF2CC",
    "block-only": "#FCE0CC",
    "block-all": "#F4C7C3",
    "": "#EDEDED",
}
"""Cell colours of the grid by access; pairs that a default decides are grey."""
_CREATED: Final = datetime(2000, 1, 1)  # noqa: DTZ001
"""A fixed date, so that equal matrices are equal files; Excel's dates have no time zone."""


def read_xlsx(data: bytes, file: str) -> tuple[Rows, Document | None]:
    """The rows of a workbook, and the matrix around them when the workbook carries one.

    MatrixError when it is no workbook, or holds more than a matrix can; formulas in cells that are read are faults.
    """
    sheets = _sheets(data, file)
    if _FLOWS not in sheets:
        raise MatrixError("no sheet has the columns `from`, `to` and `access`", Position(file))
    rows = read_rows(sheets[_FLOWS])
    if not {"Matrix", "Zones"} <= sheets.keys():
        return rows, None
    return rows, _document(sheets, rows, hashlib.sha256(data).hexdigest())


def _check_archive(data: bytes, file: str) -> None:
    """Refuses what unpacks to more than a matrix can need, and XML that defines entities."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS or sum(member.file_size for member in members) > _MAX_UNPACKED:
            raise MatrixError(f"the workbook unpacks to more than {_MAX_UNPACKED >> 20} MiB", Position(file))
        for member in members:
            # A document type shows in UTF-16 too once the zero bytes are gone.
            if b"<!DOCTYPE" in archive.read(member).replace(b"\0", b"").upper():
                raise MatrixError("the workbook defines XML entities", Position(file))


def _unreadable(file: str, error: Exception) -> MatrixError:
    reason = str(error).lower() or "it is damaged"
    return MatrixError(f"the workbook cannot be read: {reason}", Position(file))


def _sheets(data: bytes, file: str) -> dict[str, Table]:
    """The sheets of a matrix by title; in a workbook without `Flows` the one sheet with its columns is taken."""
    import openpyxl

    try:
        _check_archive(data, file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that openpyxl does not know
            sheets = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False).worksheets
            if all(sheet.title != _FLOWS for sheet in sheets):
                return _only_table(file, [sheet for sheet in sheets if _has_flows(sheet)])
            return {s.title: _table(s, file, "" if s.title == _FLOWS else s.title) for s in sheets if s.title in _READ}
    except MatrixError:
        raise
    except Exception as error:  # zipfile and openpyxl raise whatever the damaged part happens to provoke
        raise _unreadable(file, error) from error


def _only_table(file: str, sheets: list[Any]) -> dict[str, Table]:
    if len(sheets) > 1:
        names = " and ".join(shown(sheet.title) for sheet in sheets[:2])
        raise MatrixError(f"several sheets hold rows: {names}", Position(file), f"name the one that counts `{_FLOWS}`")
    return {_FLOWS: _table(sheets[0], file, "")} if sheets else {}


def _has_flows(sheet: Any) -> bool:
    sheet.reset_dimensions()
    return is_long_form(_text(cell.value) for cell in next(sheet.iter_rows(max_row=1), ()))


def _table(sheet: Any, file: str, title: str) -> Table:
    """The cells of a sheet; `title` tells it from the sheet of flows in places. MatrixError when empty or too large."""
    sheet.reset_dimensions()  # what the file claims of its own size may be wrong
    rows: list[tuple[Node, ...]] = []
    faults: list[MatrixError] = []
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if number > MAX_ROWS or len(cells) > _MAX_COLUMNS:
            limit = f"row {MAX_ROWS} or column {_MAX_COLUMNS}"
            raise MatrixError(f"the sheet {shown(sheet.title)} goes beyond {limit}", Position(file))
        read = tuple(_cell(cell, title, file, (number, at)) for at, cell in enumerate(cells, 1))
        faults += [fault for cell, node in zip(cells, read, strict=True) if (fault := _not_text(cell, node))]
        if any(cell.value for cell in read):
            rows.append(read)
    if not rows:
        raise MatrixError(f"the sheet {shown(sheet.title)} is empty", Position(file))
    return Table(rows[0], tuple(rows[1:]), tuple(faults))


def _cell(cell: Any, title: str, file: str, at: tuple[int, int]) -> Node:
    from openpyxl.utils import get_column_letter

    row, column = at
    place = f"{get_column_letter(column)}{row}"
    return Node(_text(cell.value), file, row, column, f"{title}!{place}" if title else place)


def _not_text(cell: Any, node: Node) -> MatrixError | None:
    if cell.value is None or cell.data_type not in ("f", "e"):
        return None
    what = "a formula" if cell.data_type == "f" else "an error value"
    return MatrixError(f"the cell holds {what}", node.position, "write the value itself")


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
        case date():
            return value.isoformat()
    return str(value).replace("\r\n", "\n").strip()


def _document(sheets: dict[str, Table], rows: Rows, sha256: str) -> Document:
    faults = [*rows.faults]
    start = sheets["Matrix"].header[0]
    root = Node({"flows": rows.flows}, start.file, start.line, start.column, start.cell)
    for name, record in _records(sheets["Matrix"], _HEAD, faults):
        field, value = record.get("field"), record.get("value")
        if field is None or value is None:
            faults.append(MatrixError("the row lacks a field or a value", name.position))
        else:
            _set(root, field, value, faults)
    zones = [_zone(first, record, faults) for first, record in _records(sheets["Zones"], _ZONE_COLUMNS, faults)]
    root.value["zones"] = same_place(sheets["Zones"].header[0], zones)
    if "Groups" in sheets:
        root.value["service_groups"] = _groups(sheets["Groups"], faults)
    return Document(root, tuple(faults), sha256)


def _records(
    table: Table, columns: tuple[str, ...], faults: list[MatrixError]
) -> Iterator[tuple[Node, dict[str, Node]]]:
    """Each row as its first cell and its cells by column, empty ones left out; faults of the header are added."""
    faults += table.faults
    known = {column.lower(): column for column in columns}
    names = [known.get(str(cell.value).lower(), "") for cell in table.header]
    faults += [
        MatrixError(f"unknown column {shown(cell.value)}", cell.position, did_you_mean(str(cell.value), columns))
        for cell, name in zip(table.header, names, strict=True)
        if cell.value and not name
    ]
    faults += [
        MatrixError(f"a second column {shown(cell.value)}", cell.position)
        for at, cell in enumerate(table.header)
        if names[at] and names[at] in names[:at]
    ]
    for cells in table.rows:
        yield cells[0], {name: cell for name, cell in zip(names, cells, strict=False) if name and cell.value}


def _set(root: Node, field: Node, value: Node, faults: list[MatrixError]) -> None:
    """Puts a value at a dotted path such as `metadata.name`."""
    *parents, last = str(field.value).split(".")
    node = root
    for parent in parents[:1]:
        node = node.value.setdefault(parent, same_place(field, {}))
    if len(parents) > 1 or not isinstance(node.value, dict):
        faults.append(MatrixError(f"unknown field {shown(field.value)}", field.position))
    elif last in node.value:
        faults.append(MatrixError(f"a second row for {shown(field.value)}", field.position))
    else:
        node.value[last] = split(value) if field.value in _LISTS else value


def _zone(first: Node, record: dict[str, Node], faults: list[MatrixError]) -> Node:
    fields: dict[str, Node] = {}
    select: dict[str, Node] = {}
    ingress: dict[str, Node] = {}
    for column, cell in record.items():
        value = split(cell) if column in _LISTS else cell
        match column:
            case "namespaces" | "nodes":
                select[column] = _selector(cell, faults)
            case "ingressControllers" | "ingressClasses" | "addresses":
                ingress[column] = value
            case "storageClasses":
                select[column] = value
            case "trust" if re.fullmatch(r"-?[0-9]{1,9}", str(cell.value)):
                fields[column] = same_place(cell, int(cell.value))
            case _:
                fields[column] = value
    if ingress:
        select["ingress"] = same_place(first, ingress)
    return same_place(first, fields | ({"select": same_place(first, select)} if select else {}))


def _selector(cell: Node, faults: list[MatrixError]) -> Node:
    """A label selector written in the cell as JSON; everything in it stands at the cell."""
    try:
        inner = document(str(cell.value).encode(), cell.file)
        faults += [MatrixError(fault.message, cell.position, fault.hint) for fault in inner.faults]
        return _moved(inner.root, cell)
    except (MatrixError, AuditErrors) as error:
        faults.append(MatrixError(error.message, cell.position, 'write it as `{"matchLabels": {"key": "value"}}`'))
        return same_place(cell, {})


def _moved(node: Node, cell: Node) -> Node:
    match node.value:
        case dict() as fields:
            return same_place(cell, {key: _moved(inner, cell) for key, inner in fields.items()})
        case list() as items:
            return same_place(cell, [_moved(inner, cell) for inner in items])
    return same_place(cell, node.value)


def _groups(table: Table, faults: list[MatrixError]) -> Node:
    groups: dict[str, Node] = {}
    for first, record in _records(table, _GROUP_COLUMNS, faults):
        name = str(record["name"].value) if "name" in record else ""
        if not name or name in groups:
            words = f"a second row for the group {shown(name)}" if name else "the row lacks a `name`"
            faults.append(MatrixError(words, first.position))
        else:
            groups[name] = split(record.get("services", same_place(first, "")))
    return same_place(table.header[0], groups)


def write_xlsx(matrix: ZoneMatrix) -> bytes:
    """The workbook; equal matrices give equal bytes. MatrixError when a text is longer than a cell may be."""
    sheets = [
        Sheet(_FLOWS, (COLUMNS, *long_form(matrix))),
        _grid(matrix),
        Sheet("Zones", (_ZONE_COLUMNS, *_zone_rows(matrix))),
    ]
    if matrix.service_groups:
        groups = ((name, "; ".join(services)) for name, services in matrix.service_groups.items())
        sheets.append(Sheet("Groups", (_GROUP_COLUMNS, *groups)))
    sheets.append(Sheet("Matrix", (_HEAD, *_head_rows(matrix))))
    for sheet in sheets:
        _check_lengths(sheet)
    return workbook(matrix.metadata.name, tuple(sheets), _CREATED)


def _check_lengths(sheet: Sheet) -> None:
    """Nobody reads the grid back, so texts may be cut in it."""
    texts = (cell for row in sheet.rows for cell in row if isinstance(cell, str) and len(cell) > MAX_CELL)
    if sheet.fills is None and (text := next(texts, None)):
        raise MatrixError(f"{shown(text)} is longer than a spreadsheet cell may be")


def _head_rows(matrix: ZoneMatrix) -> Iterator[tuple[str, ...]]:
    defaults = matrix.defaults
    sections: dict[str, dict[str, Any]] = {
        "metadata": metadata_tree(matrix.metadata),
        "settings": settings_tree(matrix.settings),
        "defaults": {
            "inter_zone": defaults.inter_zone,
            "intra_zone": defaults.intra_zone,
            "unzoned": defaults.unzoned,
            "severity": defaults.severity,
        },
    }
    yield "apiVersion", "zone-audit/v1"
    yield "kind", "ZoneMatrix"
    for section, fields in sections.items():
        for name, value in fields.items():
            yield f"{section}.{name}", joined(value)


def _zone_rows(matrix: ZoneMatrix) -> Iterator[tuple[str, ...]]:
    for zone in matrix.zones:
        fields = zone_tree(zone)
        select = fields.pop("select", {})
        flat = fields | select | select.get("ingress", {})
        flat |= {name: json.dumps(select[name], ensure_ascii=False) for name in _SELECTORS if name in select}
        yield tuple(joined(flat.get(column, "")) for column in _ZONE_COLUMNS)


def _grid(matrix: ZoneMatrix) -> Sheet:
    cells = grid(matrix)
    fills = {
        (number, column): _COLOURS[access]
        for number, row in enumerate(cells)
        for column, (_, access) in enumerate(row)
        if number and column
    }
    return Sheet("Grid", tuple(tuple(text for text, _ in row) for row in cells), fills)
