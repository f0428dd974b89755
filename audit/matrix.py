"""The zone matrix in and out of files: zones.yaml (or JSON), CSV and XLSX."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit import files
from audit.errors import AuditError, MatrixError, Position, RenderError, UsageError
from audit.model import Namespace, Node, ZoneMatrix

if TYPE_CHECKING:
    from audit.matrix_yaml import Document

__all__ = [
    "MISSING",
    "Reading",
    "Remark",
    "check",
    "convert",
    "dump",
    "form",
    "load",
    "parsed",
    "read",
    "schema",
    "show",
    "starter",
]

_SUFFIXES: Final = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".csv": "csv", ".xlsx": "xlsx"}
MISSING: Final = "`zone-audit init SOURCE -o zones.yaml` writes a first matrix"
"""What to do about a file that does not exist."""
_NAMED: Final = 5
"""Names that one remark lists before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A matrix and what has to be said about how it was read."""

    matrix: ZoneMatrix
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """Something odd about a matrix that is right: worth a warning, never an error."""

    text: str
    position: Position | None = None

    def __str__(self) -> str:
        return f"{self.position}: {self.text}" if self.position else self.text


def load(path: str | Path) -> ZoneMatrix:
    """The matrix in a YAML, JSON, CSV or XLSX file, told apart by content and suffix.

    AuditErrors with every fault and its place, or MatrixError when the file cannot be read at all.
    """
    return read(path).matrix


def read(path: str | Path, base: str | Path | None = None) -> Reading:
    """As `load`, with notes; with `base`, a table gives only the rows and the matrix in `base` everything else."""
    from audit.matrix_yaml import read_bytes

    return parsed(str(path), read_bytes(path, missing=MISSING), base)


def parsed(file: str, data: bytes, base: str | Path | None = None) -> Reading:
    """As `read`, of what a file of that name holds, wherever it lies now."""
    from audit.matrix_build import build

    document, notes = _document(file, data, str(base) if base is not None else None)
    matrix = build(document)
    return Reading(replace(matrix, file=file), notes)


def _document(file: str, data: bytes, base: str | None) -> tuple[Document, tuple[str, ...]]:
    from audit.matrix_yaml import document, other_kind

    kind = form(file, data)
    if kind in ("yaml", "json") and (other := other_kind(data)):
        raise _not_a_matrix(file, other)
    if kind in ("yaml", "json"):
        if base is not None:
            raise UsageError(
                f"`{file}` is a whole matrix and takes no base", hint="a base goes with a CSV or XLSX table"
            )
        return document(data, file), ()
    return _table_document(kind, file, data, base)


def _not_a_matrix(file: str, kind: str) -> MatrixError:
    article = "an" if kind[0] in "AEIOU" else "a"
    held = kind if kind == "Exceptions" else f"{article} {kind}"
    hint = "manifests are a SOURCE; `zone-audit init SOURCE -o zones.yaml` writes a first matrix"
    if kind == "Exceptions":
        hint = "name it with `--exceptions`"
    return MatrixError(f"the file holds {held}, not a ZoneMatrix", Position(file), hint)


def _table_document(kind: str, file: str, data: bytes, base: str | None) -> tuple[Document, tuple[str, ...]]:
    from audit.matrix_table import derived, merged, read_csv, read_rows
    from audit.matrix_yaml import read_bytes

    whole: Document | None = None
    if kind == "xlsx":
        from audit.matrix_xlsx import read_xlsx

        rows, whole = read_xlsx(data, file)
    else:
        rows = read_rows(read_csv(data, file))
    if base is not None:
        master, _ = _document(base, read_bytes(base), None)
        return merged(rows, master, data), rows.notes
    if whole is not None:
        return whole, rows.notes
    made, note = derived(rows, file, data)
    return made, (note, *rows.notes)


def form(file: str, data: bytes) -> str:
    """`yaml`, `json`, `csv` or `xlsx`: a workbook by its first bytes, else by suffix, else by its first line."""
    suffix = _SUFFIXES.get(Path(file).suffix.lower(), "")
    if data.startswith(b"PK\x03\x04"):
        return "xlsx"
    if suffix == "xlsx":
        raise MatrixError("this is not an XLSX workbook", Position(file))
    return suffix or ("csv" if _looks_like_csv(data) else "yaml")


def _looks_like_csv(data: bytes) -> bool:
    from audit.matrix_table import is_long_form

    first = data[:4096].decode("utf-8-sig", "replace").partition("\n")[0]
    return any(is_long_form(part.strip(' "\r') for part in first.split(mark)) for mark in ",;\t")


def dump(matrix: ZoneMatrix) -> str:
    """Canonical YAML; loading it gives the same matrix but for file, lines and digest. Comments do not survive."""
    from audit import matrix_dump

    return matrix_dump.dump(matrix)


def schema() -> str:
    """The JSON Schema of zones.yaml as text; docs/zones.schema.json holds it."""
    from audit.matrix_schema import json_schema

    return json_schema()


def starter(namespaces: Iterable[Namespace], nodes: Iterable[Node]) -> str:
    """The text of a first zones.yaml for a cluster: it loads, and gives every labelled namespace its zone."""
    from audit import matrix_starter

    return matrix_starter.starter(namespaces, nodes)


def show(matrix: ZoneMatrix) -> tuple[tuple[str, ...], ...]:
    """The cross table as text, sources down, targets across; row 0 and column 0 name the zones, least trusted first."""
    from audit.matrix_table import grid

    return tuple(tuple(text for text, _ in row) for row in grid(matrix))


def check(path: str | Path, today: date) -> tuple[Remark, ...]:
    """What is odd about a matrix that loads; errors as `load`."""
    reading = read(path)
    matrix = reading.matrix
    notes = tuple(Remark(note, Position(matrix.file)) for note in reading.notes)
    return notes + tuple(
        remark
        for part in (
            _overdue(matrix, today),
            _unused_groups(matrix),
            _bare_zones(matrix),
            _empty_rows(matrix),
            _pairs(matrix),
        )
        for remark in part
    )


def _overdue(matrix: ZoneMatrix, today: date) -> Iterator[Remark]:
    due = matrix.metadata.review_by
    if due and due < today.isoformat():
        yield Remark(f"the review of the matrix was due on {due}", Position(matrix.file))
    for flow in matrix.flows:
        if flow.review_by and flow.review_by < today.isoformat():
            yield Remark(f"the review of row `{flow.id}` was due on {flow.review_by}", Position(matrix.file, flow.line))


def _unused_groups(matrix: ZoneMatrix) -> Iterator[Remark]:
    used = {service for flow in matrix.flows for service in flow.services}
    for name in matrix.service_groups:
        if name not in used:
            yield Remark(f"no row uses the service group `{name}`", Position(matrix.file))


def _bare_zones(matrix: ZoneMatrix) -> Iterator[Remark]:
    named = {name for flow in matrix.flows for name in (flow.source, flow.target)}
    for zone in matrix.zones:
        if zone.name not in named:
            yield Remark(
                f"no row names the zone `{zone.name}`: only defaults hold for it", Position(matrix.file, zone.line)
            )


def _empty_rows(matrix: ZoneMatrix) -> Iterator[Remark]:
    for flow in matrix.flows:
        if flow.services and not flow.traffic:
            services = ", ".join(f"`{service}`" for service in flow.unmodelled)
            yield Remark(
                f"row `{flow.id}` lists only services that are not judged: {services}", Position(matrix.file, flow.line)
            )


def _pairs(matrix: ZoneMatrix) -> Iterator[Remark]:
    pairs = {(flow.source, flow.target) for flow in matrix.flows}
    one_way = sorted((a, b) for a, b in pairs if a != b and (b, a) not in pairs)
    if one_way:
        names = ", ".join(f"{a} to {b}" for a, b in one_way[:_NAMED])
        more = f" and {len(one_way) - _NAMED} more" if len(one_way) > _NAMED else ""
        text = f"pairs with a row in one direction only, the default decides the other: {names}{more}"
        yield Remark(text, Position(matrix.file))
    between = len(matrix.zones) * (len(matrix.zones) - 1)
    missing = between - sum(1 for a, b in pairs if a != b)
    if missing:
        text = f"{missing} of {between} pairs of zones rely on defaults.inter_zone ({matrix.defaults.inter_zone})"
        yield Remark(text, Position(matrix.file))


def convert(path: str | Path, target: str | Path, base: str | Path | None = None) -> tuple[str, ...]:
    """Writes the matrix in the format of the target's suffix, whole or not at all; what the user must know comes back.

    What was written is read again and compared before it takes the target's name. CSV holds rows only: to come back
    from CSV without loss, give the original as `base`.
    """
    kind = _SUFFIXES.get(Path(target).suffix.lower())
    if kind is None:
        raise UsageError(f"`{target}` names no format", hint="end it in .yaml, .json, .csv or .xlsx")
    reading = read(path, base)
    data = _encoded(reading.matrix, kind)
    _prove(reading.matrix, kind, data)
    _write(Path(target), data)
    if kind == "csv":
        note = "CSV holds rows only, groups written out: to come back without loss, give this matrix with `--base`"
        return (*reading.notes, note)
    return reading.notes


def _encoded(matrix: ZoneMatrix, kind: str) -> bytes:
    match kind:
        case "yaml":
            return dump(matrix).encode()
        case "json":
            from audit.matrix_dump import tree

            return (json.dumps(tree(matrix), indent=2, ensure_ascii=False) + "\n").encode()
        case "csv":
            from audit.matrix_table import write_csv

            return write_csv(matrix).encode()
    from audit.matrix_xlsx import write_xlsx

    return write_xlsx(matrix)


def _prove(matrix: ZoneMatrix, kind: str, data: bytes) -> None:
    """RenderError unless reading `data` gives the matrix again; a spreadsheet has texts that it cannot hold."""
    from audit.matrix_build import build
    from audit.matrix_table import merged, read_csv, read_rows
    from audit.matrix_yaml import document

    try:
        if kind == "csv":
            master = document(dump(matrix).encode(), "")
            again = build(merged(read_rows(read_csv(data, "")), master, data))
        else:
            again = build(_document(f"matrix.{kind}", data, None)[0])
    except AuditError as error:
        raise RenderError(f"the matrix cannot be written as {kind.upper()}: {error}") from error
    if _bare(again) != _bare(matrix):
        lost = Counter(flow.id for flow in _bare(again).flows) == Counter(flow.id for flow in matrix.flows)
        what = "a text in it would change" if lost else "a row in it would be lost"
        raise RenderError(f"the matrix cannot be written as {kind.upper()}: {what}")


def _bare(matrix: ZoneMatrix) -> ZoneMatrix:
    """The matrix without where it was read."""
    zones = tuple(replace(zone, line=0) for zone in matrix.zones)
    return replace(matrix, file="", sha256="", zones=zones, flows=tuple(replace(flow, line=0) for flow in matrix.flows))


def _write(target: Path, data: bytes) -> None:
    try:
        files.write(target, data, files.USUAL)  # a matrix is no secret: others review it
    except OSError as error:
        raise RenderError(f"`{target}` cannot be written: {(error.strerror or 'output error').lower()}") from error
