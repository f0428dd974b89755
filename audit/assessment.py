"""What people declared, and the verdict of all rules on one cluster: what `scan` and `diff` have in common."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from audit import checker, matrix
from audit.cells import Evaluation
from audit.discovery import discover
from audit.exceptions import ExceptionEntry
from audit.exceptions import load as load_exceptions
from audit.exempt import Exempted, exempt
from audit.inventory import Inventory
from audit.model import ZoneMatrix
from audit.rule import Rule
from audit.zones import ZoneMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What people wrote."""

    matrix: ZoneMatrix
    exceptions: tuple[ExceptionEntry, ...]
    rules: tuple[Rule, ...]


def declared(matrix_file: str, exceptions: str | None = None, rules_directory: Path | None = None) -> Declared:
    """The matrix, the exceptions and all rules; MatrixError and UsageError for what is wrong with them."""
    return Declared(
        matrix=matrix.load(matrix_file),
        exceptions=load_exceptions(exceptions) if exceptions else (),
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
