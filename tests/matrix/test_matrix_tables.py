"""CSV and XLSX as people and firewall managers write them, with errors at the line or the cell."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from audit import matrix
from audit.errors import AuditError, AuditErrors
from audit.matrix_xlsx import write_xlsx
from audit.traffic import Traffic

FIREWALL = """\
From Zone,To Zone,Severity,Access Type,Services,Rule Properties,Flows
Internet,DMZ,Critical,Allow Only,tcp 80; TCP 443; icmp 8,EXPLICIT_SOURCE,
DMZ,Internal Net,high,allow only,tcp 67-68; udp 53,,
Internal Net,DMZ,high,block all,,,
"""


def written(folder: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(path: Path) -> list[str]:
    try:
        matrix.load(path)
    except AuditErrors as errors:
        return [str(error).removeprefix(f"{path}:") for error in errors.errors]
    except AuditError as error:
        return [str(error).removeprefix(f"{path}:")]
    return []


def test_a_firewall_managers_table_is_a_matrix(tmp_path: Path) -> None:
    reading = matrix.read(written(tmp_path, FIREWALL))
    one = reading.matrix
    assert [(zone.name, zone.title, zone.kind) for zone in one.zones] == [
        ("internet", "Internet", "internet"),
        ("dmz", "DMZ", "cluster"),
        ("internal-net", "Internal Net", "cluster"),
    ]
    first, second, third = one.flows
    assert (first.id, first.severity, first.services) == (
        "internet-to-dmz",
        "critical",
        ("tcp/80", "tcp/443", "icmp/8"),
    )
    assert first.unmodelled == ("icmp/8",)
    assert second.traffic == Traffic.parse({"TCP": "67-68", "UDP": "53"})
    assert (third.access, third.services) == ("block-all", ())
    assert (one.defaults.inter_zone, one.defaults.intra_zone, one.defaults.unzoned) == ("deny", "allow", "fail")


def test_what_was_made_up_or_left_out_is_said(tmp_path: Path) -> None:
    made, unused = matrix.read(written(tmp_path, FIREWALL)).notes
    assert "3 zones were made from their names" in made
    assert unused == "column `rule properties` is not used"


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_delimiters_are_found_by_the_header(mark: str, tmp_path: Path) -> None:
    text = 'from,to,access,services\na,b,allow-only,"tcp/80;tcp/81"\n'.replace(",", mark)
    (flow,) = matrix.load(written(tmp_path, text)).flows
    assert flow.services == ("tcp/80", "tcp/81")


def test_a_table_is_known_by_its_header_whatever_its_name(tmp_path: Path) -> None:
    assert len(matrix.load(written(tmp_path, FIREWALL, "matrix.txt")).flows) == 3


def test_blank_lines_and_a_byte_order_mark_do_not_count(tmp_path: Path) -> None:
    one = matrix.load(written(tmp_path, b"\xef\xbb\xbffrom,to,access\r\n\r\na,b,allow-all\r\n,,\r\n"))
    assert [(flow.id, flow.line) for flow in one.flows] == [("a-to-b", 3)]


def test_quoted_formulas_come_back_as_they_were(tmp_path: Path) -> None:
    cells = ["'=1+1", "'+1", "''quoted", "'tis", "plain"]
    text = "from,to,access,ticket\n" + "".join(f"z{n},z{n},allow-all,{cell}\n" for n, cell in enumerate(cells))
    assert [flow.ticket for flow in matrix.load(written(tmp_path, text)).flows] == [
        "=1+1",
        "+1",
        "'quoted",
        "'tis",
        "plain",
    ]


NO_ROWS = "a CSV file holds nothing but rows; name the matrix that has the zones with `matrix convert --base`"
CSV_TABLE: dict[str, tuple[str | bytes, list[str]]] = {
    "unknown column": (
        "from,to,access,sevices\na,b,allow-all,\n",
        ["1: unknown column `sevices` (hint: did you mean `services`?)"],
    ),
    "column twice": ("from,to,access,to zone\na,b,allow-all,b\n", ["1: a second column `to zone`"]),
    "column missing": (
        "from,access\na,allow-all\n",
        ["1: the column `to` is missing", "2: `id` is missing in `flows`", "2: `to` is missing in `flows`"],
    ),
    "cell without column": ("from,to,access\na,b,allow-all,x\n", ["2: the cell `x` has no column header"]),
    "second row": (
        "from,to,access\na,b,allow-all\n\na,b,block-all\n",
        [
            "4: a second row from `a` to `b`, first on line 2 (hint: merge the two rows)",
            "4: a second row with the id `a-to-b`, first on line 2",
        ],
    ),
    "after a cell of several lines": (
        'from,to,access,comment\na,b,allow-all,"one\ntwo"\nb,a,maybe,\n',
        ["4: `access` must be one of `allow-all`, `block-all`, `allow-only`, `block-only`, not `maybe`"],
    ),
    "bad service": (
        "from,to,access,services\na,b,allow-only,tcp 99999\n",
        ["2: the port `99999` in `tcp/99999` is not within 1-65535"],
    ),
    "zone name": (
        "from,to,access\na,(unzoned),allow-all\n",
        [
            (
                "2: `name` must be up to 63 of `a-z`, `0-9`, `-`, `_`, `.` with a letter or digit at both ends, "
                "not `(unzoned)`"
            ),
            (
                "2: `to` must be up to 63 of `a-z`, `0-9`, `-`, `_`, `.` with a letter or digit at both ends, "
                "not `(unzoned)`"
            ),
        ],
    ),
    "open quote": ('from,to,access\na,"b,allow-all\n', ["2: this is not CSV: unexpected end of data"]),
    "no rows": ("from,to,access\n", ["1: the table has no rows, so it names no zone (hint: " + NO_ROWS + ")"]),
    "empty": ("", ["1: the file is empty"]),
    "not UTF-8": (
        b"from,to,access\na,\xff,allow-all\n",
        ["2:3: byte 0xff is not UTF-8 (hint: save the file as UTF-8)"],
    ),
    "giant cell": (
        f"from,to,access,comment\na,b,allow-all,{'x' * 200_000}\n",
        ["2: this is not CSV: field larger than field limit (131072)"],
    ),
    "too many rows": ("from,to,access\n" + "a,b,allow-all\n" * 20_001, ["20001: the table has more than 20000 rows"]),
}


@pytest.mark.parametrize("case", CSV_TABLE, ids=lambda name: name.replace(" ", "-"))
def test_a_mistake_in_csv_is_named_at_its_line(case: str, tmp_path: Path) -> None:
    text, expected = CSV_TABLE[case]
    assert faults(written(tmp_path, text)) == expected


MASTER = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: master}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
service_groups: {web: [tcp/80]}
zones:
- {name: dmz, trust: 20, select: {namespaces: {matchLabels: {zone: dmz}}}}
- {name: db}
flows:
- {id: F1, from: dmz, to: db, access: allow-only, services: [web]}
"""


def book(folder: Path) -> openpyxl.Workbook:
    (folder / "master.yaml").write_text(MASTER, encoding="utf-8")
    return openpyxl.load_workbook(io.BytesIO(write_xlsx(matrix.load(folder / "master.yaml"))))


def saved(folder: Path, workbook: openpyxl.Workbook) -> Path:
    path = folder / "zones.xlsx"
    workbook.save(path)
    return path


XLSX_TABLE: dict[str, tuple[str, str, str | int, str]] = {
    "row": ("Flows", "D2", "maybe", "D2: `access` must be one of"),
    "target": ("Flows", "C2", "dbb", "C2: unknown zone `dbb` (hint: did you mean `db`?)"),
    "service": ("Flows", "E2", "tcp/0", "E2: the port `0` in `tcp/0` is not within 1-65535"),
    "header": ("Flows", "E1", "srvices", "E1: unknown column `srvices` (hint: did you mean `services`?)"),
    "trust": ("Zones", "C2", "much", "Zones!C2: `trust` must be a whole number, not `much`"),
    "trust range": ("Zones", "C2", 101, "Zones!C2: `trust` must be at most 100, not `101`"),
    "selector": ("Zones", "F2", "{", "Zones!F2: this is not YAML:"),
    "selector field": ("Zones", "F2", '{"labels": {}}', "Zones!F2: unknown field `labels`"),
    "cidr": ("Zones", "K2", "10.0.0.1/8", "Zones!K2: `10.0.0.1/8` is an address within a block"),
    "zone header": ("Zones", "C1", "trsut", "Zones!C1: unknown column `trsut` (hint: did you mean `trust`?)"),
    "field": ("Matrix", "A2", "apiVersions", "Matrix!B2: unknown field `apiVersions`"),
    "field twice": ("Matrix", "A3", "apiVersion", "Matrix!A3: a second row for `apiVersion`"),
    "deep field": ("Matrix", "A4", "metadata.a.b", "Matrix!A4: unknown field `metadata.a.b`"),
    "default": ("Matrix", "B8", "permit", "Matrix!B8: "),
    "group": ("Groups", "B2", "tcp", "Groups!B2: the service `tcp` lacks ports"),
    "formula": ("Flows", "J2", "=1+1", "J2: the cell holds a formula (hint: write the value itself)"),
    "error value": ("Flows", "J2", "#REF!", "J2: the cell holds an error value (hint: write the value itself)"),
}


@pytest.mark.parametrize("case", XLSX_TABLE, ids=lambda name: name.replace(" ", "-"))
def test_a_mistake_in_a_workbook_is_named_at_its_cell(case: str, tmp_path: Path) -> None:
    sheet, cell, value, expected = XLSX_TABLE[case]
    workbook = book(tmp_path)
    workbook[sheet][cell] = value
    found = faults(saved(tmp_path, workbook))
    assert [fault for fault in found if fault.startswith(expected)], found


def test_the_grid_and_sheets_of_ones_own_are_not_read(tmp_path: Path) -> None:
    workbook = book(tmp_path)
    workbook["Grid"]["B2"] = "=1/0"
    workbook.create_sheet("Notes")["A1"] = "=NOW()"
    assert faults(saved(tmp_path, workbook)) == []


def test_a_workbook_with_rows_only_gets_zones_from_their_names(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.create_sheet("Cover").append(["Title"])
    sheet = workbook.create_sheet("Rows")
    sheet.append(["from zone", "to zone", "access type", "services", "review by", "ticket"])
    sheet.append(["A", "B", "allow only", "tcp 80", dt.date(2027, 1, 31), 4711])
    reading = matrix.read(saved(tmp_path, workbook))
    (flow,) = reading.matrix.flows
    assert (flow.source, flow.review_by, flow.ticket) == ("a", "2027-01-31", "4711")
    assert "2 zones were made from their names" in reading.notes[0]


def test_two_sheets_of_rows_leave_open_which_counts(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for sheet in (workbook.create_sheet("New"), workbook.create_sheet("Old")):
        sheet.append(["from", "to", "access"])
        sheet.append(["a", "b", "allow-all"])
    (found,) = faults(saved(tmp_path, workbook))
    assert "several sheets hold rows: `New` and `Old`" in found


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def repacked(data: bytes, change: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, change.get(name, source.read(name)))
    return out.getvalue()


def good(folder: Path) -> bytes:
    (folder / "master.yaml").write_text(MASTER, encoding="utf-8")
    return write_xlsx(matrix.load(folder / "master.yaml"))


def test_a_zip_bomb_is_refused_by_what_it_would_unpack_to(tmp_path: Path) -> None:
    data = archive(xl__workbook_xml=b"\0" * (65 << 20))
    assert len(data) < 1 << 20
    assert faults(written(tmp_path, data, "zones.xlsx"))[0].endswith("the workbook unpacks to more than 64 MiB")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_defines_entities_is_refused(encoding: str, tmp_path: Path) -> None:
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "{"a" * 100}">]><x>&a;</x>'.encode(encoding)
    data = repacked(good(tmp_path), {"xl/workbook.xml": bomb})
    assert faults(written(tmp_path, data, "zones.xlsx"))[0].endswith("the workbook defines XML entities")


@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "BN2"])
def test_a_cell_far_away_is_neither_dropped_nor_does_it_exhaust_memory(cell: str, tmp_path: Path) -> None:
    workbook = book(tmp_path)
    workbook["Flows"][cell] = "x"
    (found,) = faults(saved(tmp_path, workbook))
    assert found.endswith("the sheet `Flows` goes beyond row 20000 or column 64")


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"PK\x03\x04" + b"x" * 99, b"\xd0\xcf\x11\xe0 old format", b"a,b\n"]
)
def test_what_is_no_workbook_is_an_error(data: bytes, tmp_path: Path) -> None:
    assert len(faults(written(tmp_path, data, "zones.xlsx"))) == 1


@pytest.mark.parametrize("at", range(0, 2000, 97))
def test_a_damaged_workbook_is_an_error_or_the_same_matrix(at: int, tmp_path: Path) -> None:
    data = bytearray(good(tmp_path))
    place = at * len(data) // 2000
    data[place] ^= 0xFF
    path = written(tmp_path, bytes(data), "zones.xlsx")
    if not faults(path):
        assert [flow.id for flow in matrix.load(path).flows] == ["F1"]


def test_a_workbook_without_a_table_of_flows_is_an_error(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.create_sheet("Rows").append(["a", "b"])
    assert faults(saved(tmp_path, workbook))[0].endswith("no sheet has the columns `from`, `to` and `access`")
