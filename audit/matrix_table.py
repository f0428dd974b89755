"""The long form of the matrix, one row per flow: CSV text <-> rows, and rows -> a tree in the shape of zones.yaml."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from audit.errors import MatrixError, Position, did_you_mean
from audit.matrix_dump import flow_tree
from audit.matrix_yaml import Document, Node, decode, shown
from audit.model import ZoneMatrix

COLUMNS: Final = (
    "id", "from", "to", "access", "services", "severity", "owner", "ticket", "controls", "justification", "review_by",
    "comment",
)  # fmt: skip
_ALIASES: Final = {"from zone": "from", "to zone": "to", "access type": "access"}
"""Headers of firewall managers."""
_UNUSED: Final = ("rule properties", "flows", "from domain", "to domain")
"""Firewall-manager columns that a cluster has no counterpart for."""
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula."""
_SERVICE: Final = re.compile(r"(tcp|udp|sctp|icmp)[ /]+(\S+)", re.IGNORECASE)
MAX_ROWS: Final = 20_000
"""100 zones with every pair filled in take 10,000."""


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of text cells that know where they stand."""

    header: tuple[Node, ...]
    rows: tuple[tuple[Node, ...], ...]
    faults: tuple[MatrixError, ...] = ()
    """Cells that could not be taken as text, such as formulas."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a table says."""

    flows: Node
    """A list of mappings as under `flows`."""
    spellings: tuple[tuple[str, Node], ...]
    """Each zone name once, in order of appearance, with the cell that has it first, spelled as there."""
    notes: tuple[str, ...]
    faults: tuple[MatrixError, ...]


def read_csv(data: bytes, file: str, column: Callable[[str], str] | None = None) -> Table:
    """The cells of a CSV file; the delimiter is the one of `,`, `;` and tab that yields the most known headers.

    `column` says which column a header means, empty when unknown; without it, of a table of flows. MatrixError when the
    bytes are not UTF-8 or not CSV.
    """
    text = decode(data, file)
    records = list(_records(text, file, _delimiter(text, column or _column)))
    if not records:
        raise MatrixError("the file is empty", Position(file, 1))
    return Table(records[0], tuple(records[1:]))


def _delimiter(text: str, column: Callable[[str], str]) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=lambda mark: sum(column(part.strip('" ')) != "" for part in first.split(mark)))


def _records(text: str, file: str, delimiter: str) -> Iterator[tuple[Node, ...]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = count = 0
    try:
        for cells in reader:
            line, start = reader.line_num, line + 1
            count += 1
            if count > MAX_ROWS:
                raise MatrixError(f"the table has more than {MAX_ROWS} rows", Position(file, start))
            if any(cell.strip() for cell in cells):
                yield tuple(Node(_clean(_unguard(cell)), file, start) for cell in cells)
    except csv.Error as error:
        raise MatrixError(f"this is not CSV: {error}", Position(file, line + 1)) from error


def _clean(cell: str) -> str:
    return cell.replace("\r\n", "\n").strip()


def write_csv(matrix: ZoneMatrix) -> str:
    """The rows of the matrix as CSV with a header; zones and settings are not in it, of groups their services are."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    flows = (replace(flow, services=expanded(flow.services, matrix.service_groups)) for flow in matrix.flows)
    rows = long_form(replace(matrix, flows=tuple(flows)))
    writer.writerows([_guard(cell) for cell in row] for row in rows)
    return out.getvalue()


def expanded(services: Iterable[str], groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The services with every group replaced by what it lists; `any` stands alone, since it includes the rest."""
    found = tuple(dict.fromkeys(one for service in services for one in groups.get(service, (service,))))
    return ("any",) if "any" in found else found


def long_form(matrix: ZoneMatrix) -> Iterator[tuple[str, ...]]:
    """One row of text per flow, in the order of COLUMNS and of the matrix; `; ` between values."""
    for flow in matrix.flows:
        fields = flow_tree(flow)
        yield tuple(joined(fields.get(column, "")) for column in COLUMNS)


def joined(value: object) -> str:
    """A field as one cell."""
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _guard(cell: str) -> str:
    """A leading `'` keeps spreadsheets from running the cell; what begins with `'` gets one more."""
    return f"'{cell}" if cell.startswith((*_DANGEROUS, "'")) else cell


def _unguard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*_DANGEROUS, "'")) else cell


def _column(header: str) -> str:
    """The column that a header means, empty when unknown."""
    words = " ".join(header.lower().replace("_", " ").split())
    if words in _UNUSED:
        return words
    name = _ALIASES.get(words, words.replace(" ", "_"))
    return name if name in COLUMNS else ""


def is_long_form(header: Iterable[str]) -> bool:
    """Whether these headers belong to a table of flows."""
    return {"from", "to", "access"} <= {_column(text) for text in header}


def read_rows(table: Table) -> Rows:
    """The flows of a table, with faults in its header; values are checked later, as those of zones.yaml are."""
    columns, faults = _columns(table.header)
    faults += table.faults
    flows: list[Node] = []
    spellings: dict[str, Node] = {}
    unused: dict[str, None] = {}
    for cells in table.rows:
        if not any(cell.value for cell in cells):
            continue
        for surplus in (cell for cell in cells[len(columns) :] if cell.value):
            faults.append(MatrixError(f"the cell {shown(surplus.value)} has no column header", surplus.position))
        named = {column: cell for column, cell in zip(columns, cells, strict=False) if column and cell.value}
        unused.update(dict.fromkeys(column for column in named if column in _UNUSED))
        flows.append(_flow(cells[0], {column: cell for column, cell in named.items() if column in COLUMNS}))
        for end in ("from", "to"):
            if end in named:
                spellings.setdefault(zone_name(named[end].value), named[end])
    notes = tuple(f"column `{column}` is not used" for column in unused)
    start = table.header[0]
    return Rows(Node(flows, start.file, start.line, cell=start.cell), tuple(spellings.items()), notes, tuple(faults))


def _columns(header: tuple[Node, ...]) -> tuple[tuple[str, ...], list[MatrixError]]:
    faults = []
    columns: list[str] = []
    for cell in header:
        column = _column(cell.value)
        if cell.value and not column:
            hint = did_you_mean(cell.value.strip().lower(), (*COLUMNS, *_ALIASES))
            faults.append(MatrixError(f"unknown column {shown(cell.value)}", cell.position, hint))
        if column and column in columns:
            faults.append(MatrixError(f"a second column {shown(cell.value)}", cell.position))
        columns.append(column)
    faults += [
        MatrixError(f"the column `{column}` is missing", header[0].position)
        for column in ("from", "to", "access")
        if column not in columns
    ]
    return tuple(columns), faults


def _flow(first: Node, cells: dict[str, Node]) -> Node:
    fields = {column: _field(column, cell) for column, cell in cells.items()}
    if "id" not in fields and "from" in fields and "to" in fields:
        # Firewall managers know no id; the pair is unique and outlives a reordering of the rows.
        ends = (re.sub(r"[^a-z0-9._-]", "", fields[end].value).strip("._-") or "zone" for end in ("from", "to"))
        fields["id"] = same_place(fields["from"], "-to-".join(ends)[:200])
    keys = {column: (cell.line, cell.column) for column, cell in cells.items()}
    return Node(fields, first.file, first.line, cell=first.cell, keys=keys)


def _field(column: str, cell: Node) -> Node:
    text: str = cell.value
    match column:
        case "from" | "to":
            return same_place(cell, zone_name(text))
        case "access":
            return same_place(cell, "-".join(text.lower().split()))
        case "severity":
            return same_place(cell, text.lower())
        case "services":
            return split(cell, _service)
        case "controls":
            return split(cell)
    return cell


def same_place(cell: Node, value: object) -> Node:
    """Another value where `cell` stands."""
    return Node(value, cell.file, cell.line, cell.column, cell.cell)


def split(cell: Node, read: Callable[[str], str] = str) -> Node:
    """The values of a cell, divided by `;` or line ends, as a list at the cell's place."""
    parts = [part.strip() for part in re.split(r"[;\n]", cell.value)]
    return same_place(cell, [same_place(cell, read(part)) for part in parts if part])


def _service(text: str) -> str:
    """`TCP 80` as `tcp/80`, `Any` as `any`; what is neither stays as it is."""
    found = _SERVICE.fullmatch(text)
    if found:
        return f"{found[1].lower()}/{found[2]}"
    return text.lower() if text.lower() in ("any", "icmp") else text


def zone_name(text: str) -> str:
    """A zone's name in lower case with `-` for blanks, as firewall managers allow both."""
    return "-".join(text.lower().split())


def derived(rows: Rows, file: str, data: bytes) -> tuple[Document, str]:
    """A whole matrix from rows alone, and the note that says what was made up."""
    if not rows.spellings and not rows.faults:
        hint = "a CSV file holds nothing but rows; name the matrix that has the zones with `matrix convert --base`"
        raise MatrixError("the table has no rows, so it names no zone", rows.flows.position, hint)
    zones = [_derived_zone(name, cell) for name, cell in rows.spellings]
    stem = re.sub(r"[^\w.-]+", "-", Path(file).stem).strip("-") or "zones"

    def here(value: object) -> Node:
        return same_place(rows.flows, value)

    defaults = {"inter_zone": "deny", "intra_zone": "allow", "unzoned": "fail", "severity": "high"}
    root = {
        "apiVersion": here("zone-audit/v1"),
        "kind": here("ZoneMatrix"),
        "metadata": here({"name": here(stem[:200])}),
        "defaults": here({name: here(value) for name, value in defaults.items()}),
        "zones": here(zones),
        "flows": rows.flows,
    }
    note = (
        f"the table holds rows only: {len(zones)} zones were made from their names, found by the label network-zone, "
        "with inter_zone deny, intra_zone allow, unzoned fail, severity high"
    )
    return Document(here(root), rows.faults, hashlib.sha256(data).hexdigest()), note


def _derived_zone(name: str, cell: Node) -> Node:
    fields = {"name": name, "kind": "internet" if name == "internet" else "cluster"}
    if cell.value != name:
        fields["title"] = cell.value
    return same_place(cell, {field: same_place(cell, value) for field, value in fields.items()})


def merged(rows: Rows, base: Document, data: bytes) -> Document:
    """The base with all its rows replaced by those of the table; zones, settings and groups stay the base's.

    Where a row of the table lists the very services of the groups that its row in the base names, the names stay.
    """
    fields = base.root.value if isinstance(base.root.value, dict) else {}
    flows = same_place(rows.flows, list(_folded(rows.flows.value, base)))
    root = Node({**fields, "flows": flows}, base.root.file, base.root.line, base.root.column, keys=base.root.keys)
    return Document(root, (*base.faults, *rows.faults), hashlib.sha256(data).hexdigest())


def _folded(flows: list[Node], base: Document) -> Iterator[Node]:
    """The rows, with the names of groups where the base writes them."""
    tree = base.root.plain()
    fields = tree if isinstance(tree, dict) else {}
    groups = {name: some for name, some in _mapping(fields.get("service_groups")).items() if _is_words(some)}
    listed = [one for one in map(_mapping, _list(fields.get("flows"))) if _is_words(one.get("services"))]
    written = {(str(one.get("from")), str(one.get("to"))): one["services"] for one in listed}
    for flow in flows:
        services, ends = flow.value.get("services"), [flow.value.get(end) for end in ("from", "to")]
        names = written.get((ends[0].value, ends[1].value), []) if all(ends) else []
        if services is not None and names and expanded(names, groups) == tuple(one.value for one in services.value):
            kept = same_place(services, [same_place(services, name) for name in names])
            yield Node({**flow.value, "services": kept}, flow.file, flow.line, flow.column, flow.cell, flow.keys)
        else:
            yield flow


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def grid(matrix: ZoneMatrix) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The cross table for people: sources down, targets across, zones by trust and name, a header row and column.

    A cell is its text and the access that colours it, empty for headers and for pairs that a default decides.
    """
    zones = sorted(matrix.zones, key=lambda zone: (zone.trust, zone.name))
    rows = {(flow.source, flow.target): flow for flow in matrix.flows}
    defaults = matrix.defaults

    def cell(source: str, target: str) -> tuple[str, str]:
        flow = rows.get((source, target))
        if flow is None:
            return f"{defaults.intra_zone if source == target else defaults.inter_zone} (default)", ""
        return " ".join([flow.access, ", ".join(flow.services)]).strip(), flow.access

    header = (("from / to", ""), *((zone.name, "") for zone in zones))
    return (header, *(((a.name, ""), *(cell(a.name, b.name) for b in zones)) for a in zones))
