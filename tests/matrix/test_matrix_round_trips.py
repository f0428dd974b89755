"""What is written and read again is the same matrix, in every format."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from matrix_strategies import matrices

from audit import matrix
from audit.errors import AuditError, MatrixError, RenderError, UsageError
from audit.matrix_table import write_csv
from audit.matrix_xlsx import write_xlsx
from audit.model import ZoneMatrix

ROOT = Path(__file__).parents[2]
FILES = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
BOOKS = settings(FILES, max_examples=25)
SMALL = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: small}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
service_groups: {web: [tcp/80]}
zones:
- {name: dmz, cidrs: [10.0.0.0/16]}
- {name: db, select: {namespaces: {}}}
flows:
- {id: F1, from: dmz, to: db, access: allow-only, services: [web, icmp/8]}
- {id: F2, from: db, to: dmz, access: block-all}
"""


def bare(one: ZoneMatrix) -> ZoneMatrix:
    """The matrix without where it was read."""
    return replace(
        one,
        file="",
        sha256="",
        zones=tuple(replace(zone, line=0) for zone in one.zones),
        flows=tuple(replace(flow, line=0) for flow in one.flows),
    )


def small(folder: Path) -> Path:
    path = folder / "zones.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@FILES
@given(matrices())
def test_yaml_that_is_dumped_loads_as_the_same_matrix(tmp_path: Path, one: ZoneMatrix) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(matrix.dump(one), encoding="utf-8")
    assert bare(matrix.load(path)) == one


@FILES
@given(matrices())
def test_dumping_twice_gives_the_same_text(tmp_path: Path, one: ZoneMatrix) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(matrix.dump(one), encoding="utf-8")
    assert matrix.dump(matrix.load(path)) == matrix.dump(one)


@BOOKS
@given(matrices())
def test_a_workbook_carries_the_whole_matrix(tmp_path: Path, one: ZoneMatrix) -> None:
    path = tmp_path / "zones.xlsx"
    path.write_bytes(write_xlsx(one))
    assert bare(matrix.load(path)) == one


@FILES
@given(matrices())
def test_csv_and_its_base_carry_the_whole_matrix(tmp_path: Path, one: ZoneMatrix) -> None:
    base, rows = tmp_path / "zones.yaml", tmp_path / "rows.csv"
    base.write_text(matrix.dump(one), encoding="utf-8")
    rows.write_text(write_csv(one), encoding="utf-8")
    assert bare(matrix.read(rows, base).matrix) == one


@FILES
@given(matrices())
def test_no_csv_cell_begins_as_a_formula(one: ZoneMatrix) -> None:
    cells = [cell for row in csv.reader(io.StringIO(write_csv(one), newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json", "xlsx"])
def test_converting_there_and_back_loses_nothing(suffix: str, tmp_path: Path) -> None:
    source, middle, end = small(tmp_path), tmp_path / f"middle.{suffix}", tmp_path / "end.yaml"
    assert matrix.convert(source, middle) == ()
    assert matrix.convert(middle, end) == ()
    assert bare(matrix.load(end)) == bare(matrix.load(source))


def test_converting_to_csv_and_back_onto_the_original_loses_nothing(tmp_path: Path) -> None:
    source, rows, end = small(tmp_path), tmp_path / "rows.csv", tmp_path / "end.yaml"
    (note,) = matrix.convert(source, rows)
    assert "base" in note
    assert matrix.convert(rows, end, source) == ()
    assert bare(matrix.load(end)) == bare(matrix.load(source))


def test_csv_alone_means_the_same_traffic(tmp_path: Path) -> None:
    one = tmp_path / "zones.yaml"
    one.write_text(SMALL.replace("[tcp/80]}", "[tcp/80, udp/5353]}"), encoding="utf-8")
    matrix.convert(one, tmp_path / "rows.csv")
    alone = matrix.load(tmp_path / "rows.csv")
    assert alone.flows[0].services == ("tcp/80", "udp/5353", "icmp/8")
    assert [flow.allowed for flow in alone.flows] == [flow.allowed for flow in matrix.load(one).flows]


@FILES
@given(matrices())
def test_every_csv_that_is_written_reads_back_to_the_same_traffic(tmp_path: Path, one: ZoneMatrix) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(write_csv(one), encoding="utf-8")
    if not one.flows:
        with pytest.raises(MatrixError, match="the table has no rows, so it names no zone"):
            matrix.load(path)
        return
    kept = {(flow.source, flow.target): flow.allowed for flow in matrix.load(path).flows}
    assert kept == {(flow.source, flow.target): flow.allowed for flow in one.flows}


def test_a_row_that_was_changed_in_the_table_keeps_the_change(tmp_path: Path) -> None:
    source, rows = small(tmp_path), tmp_path / "rows.csv"
    matrix.convert(source, rows)
    rows.write_text(rows.read_text(encoding="utf-8").replace("tcp/80; icmp/8", "tcp/81; icmp/8"), encoding="utf-8")
    assert matrix.read(rows, source).matrix.flows[0].services == ("tcp/81", "icmp/8")


def test_a_matrix_without_rows_comes_back_onto_its_base(tmp_path: Path) -> None:
    source, rows = tmp_path / "zones.yaml", tmp_path / "rows.csv"
    source.write_text(matrix.starter((), ()), encoding="utf-8")
    matrix.convert(source, rows)
    assert bare(matrix.read(rows, source).matrix) == bare(matrix.load(source))


def test_rows_of_a_table_replace_those_of_the_base(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id,from,to,access\nN1,dmz,dmz,block-all\n", encoding="utf-8")
    merged = matrix.read(rows, small(tmp_path)).matrix
    assert [flow.id for flow in merged.flows] == ["N1"]
    assert [zone.name for zone in merged.zones] == ["dmz", "db"]


def test_a_row_with_a_zone_that_the_base_lacks_is_an_error_in_the_table(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id,from,to,access\nN1,dmz,dbb,block-all\n", encoding="utf-8")
    with pytest.raises(AuditError, match=r"rows\.csv:2: unknown zone `dbb` \(hint: did you mean `db`\?\)"):
        matrix.read(rows, small(tmp_path))


def test_a_whole_matrix_takes_no_base(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        matrix.read(small(tmp_path), small(tmp_path))


def test_workbooks_are_equal_bytes_whatever_the_hash_seed_and_time_zone(tmp_path: Path) -> None:
    source = small(tmp_path)
    code = "import sys; from audit import matrix; matrix.convert(sys.argv[1], sys.argv[2])"
    found = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        target = tmp_path / f"{seed}.xlsx"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code, source, target], check=True, env=environment, timeout=60)
        found.append(target.read_bytes())
        time.sleep(1.1)  # zip times have whole seconds: a clock in the file would show
    assert found[0] == found[1]


def test_a_workbook_holds_no_formula_and_no_link(tmp_path: Path) -> None:
    source = tmp_path / "zones.yaml"
    hostile = "title: '=HYPERLINK(\"http://x.test\")', owner: 'http://x.test'"
    source.write_text(SMALL.replace("name: dmz,", f"name: dmz, {hostile},"), encoding="utf-8")
    matrix.convert(source, tmp_path / "zones.xlsx")
    with zipfile.ZipFile(tmp_path / "zones.xlsx") as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/")]
    assert sheets
    assert not [sheet for sheet in sheets if "<f>" in sheet or "hyperlink" in sheet]


def test_a_text_that_a_workbook_would_change_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    source, target = tmp_path / "zones.yaml", tmp_path / "zones.xlsx"
    source.write_text(SMALL.replace("name: dmz,", "name: dmz, title: ax005F_b,"), encoding="utf-8")
    with pytest.raises(RenderError):
        matrix.convert(source, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["zones.yaml"]


def test_a_target_of_no_known_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        matrix.convert(small(tmp_path), tmp_path / "zones.txt")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    with pytest.raises(RenderError):
        matrix.convert(small(tmp_path), tmp_path / "absent" / "zones.csv")
    folder = tmp_path / "taken.csv"
    folder.mkdir()
    with pytest.raises(RenderError):
        matrix.convert(small(tmp_path), folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken.csv", "zones.yaml"]


def large(zones: int) -> str:
    names = [f"zone-{number}" for number in range(zones)]
    head = {
        "apiVersion": "zone-audit/v1",
        "kind": "ZoneMatrix",
        "metadata": {"name": "large"},
        "defaults": {"inter_zone": "deny", "intra_zone": "allow", "unzoned": "fail", "severity": "high"},
        "zones": [{"name": name, "cidrs": [f"10.{number}.0.0/16"]} for number, name in enumerate(names)],
    }
    rows = (
        f"- id: ZM-{a}-{b}\n  from: {a}\n  to: {b}\n  access: allow-only\n  services: [tcp/443, udp/53]\n"
        f"  severity: high\n  owner: team@example.org\n  ticket: CHG1\n  justification: because it has to\n"
        for a in names
        for b in names
    )
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in head.items()) + "flows:\n" + "".join(rows)


def test_sixty_zones_with_every_pair_load_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text(large(60), encoding="utf-8")
    start = time.process_time()
    one = matrix.load(path)
    spent = time.process_time() - start
    assert len(one.flows) == 3600
    # About one second; the bound is loose because machines differ, and is there to catch quadratic work.
    assert spent < 6


def test_neither_reading_yaml_nor_importing_loads_spreadsheet_libraries(tmp_path: Path) -> None:
    code = (
        "import sys; from audit import matrix, zones, exceptions\n"
        "assert not {'pydantic', 'yaml', 'openpyxl', 'xlsxwriter', 'rich', 'networkx'} & sys.modules.keys(), 'import'\n"
        "matrix.load(sys.argv[1])\n"
        "assert not {'openpyxl', 'xlsxwriter', 'rich', 'networkx', 'jinja2'} & sys.modules.keys(), 'load'\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, small(tmp_path)], check=True, env=environment, timeout=60)
