"""What people declared, and the verdict of all rules on one cluster: what `scan` and `diff` have in common."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

from audit import checker, exceptions, matrix
from audit.cells import Evaluation
from audit.discovery import discover
from audit.exceptions import ExceptionEntry
from audit.exempt import Exempted, exempt
from audit.inventory import Inventory
from audit.model import ZoneMatrix
from audit.rule import Rule
from audit.zones import ZoneMap


@dataclass(frozen=True, slots=True)
class Written:
    """A file that people wrote, read once."""

    file: str
    """As given."""
    content: bytes

    @property
    def sha256(self) -> str:
        """Hex digest."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What people wrote."""

    matrix: ZoneMatrix
    exceptions: tuple[ExceptionEntry, ...]
    rules: tuple[Rule, ...]


def written(matrix_file: str, exceptions_file: str | None = None) -> tuple[Written, Written | None]:
    """The matrix and the exceptions as bytes; MatrixError for what cannot be read."""
    from audit.matrix_yaml import read_bytes

    zones = Written(matrix_file, read_bytes(matrix_file, missing=matrix.MISSING))
    return zones, Written(exceptions_file, read_bytes(exceptions_file)) if exceptions_file else None


def declared(matrix_file: str, exceptions_file: str | None = None, rules_directory: Path | None = None) -> Declared:
    """The matrix, the exceptions and all rules; MatrixError and UsageError for what is wrong with them."""
    return understood(*written(matrix_file, exceptions_file), rules_directory)


def understood(zones: Written, excused: Written | None = None, rules_directory: Path | None = None) -> Declared:
    """As `declared`, of what was read already."""
    return Declared(
        matrix=matrix.parsed(zones.file, zones.content).matrix,
        exceptions=exceptions.parsed(excused.file, excused.content) if excused else (),
        rules=discover(rules_directory),
    )


def judged(  # noqa: PLR0913 - the stages before
    given: Declared,
    population: Inventory,
    zone_map: ZoneMap,
    evaluation: Evaluation,
    today: dt.date,
    *,
    cluster: str = "",
) -> Exempted:
    """The results with exceptions applied as of today; `cluster` is the identity that fingerprints carry."""
    results = checker.check(
        given.rules,
        inventory=population,
        zone_map=zone_map,
        matrix=given.matrix,
        flows=evaluation.cells,
        facts=evaluation.facts,
        today=today,
        cluster=cluster,
    )
    return exempt(results, given.exceptions, given.matrix, today)
