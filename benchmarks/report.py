"""Wall time and peak memory of the report for people: HTML and PDF of the largest reports, and of a whole scan.

    python benchmarks/report.py

Prints a Markdown table. The reports are synthetic: 30 zones, 1,500 findings, and so many records of every other kind
that every table is cut. The scan is of a generated cluster of 1,000 namespaces and writes both files.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from generate import write_case
from run import COMMAND, FINISHED, FOLDER, machine

ROOT = Path(__file__).resolve().parents[1]
FINDINGS, ZONES, RECORDS = 1500, 30, 400
"""Size of the synthetic report; `RECORDS` is more than any table shows."""
TARGETS = {"findings": (30.0, 500), "scan": (60.0, 1000)}
"""Seconds and megabytes that each case must stay under."""


class Run(NamedTuple):
    """One process, measured from outside."""

    seconds: float
    cpu: float
    megabytes: float


def measured(command: list[str]) -> Run:
    """A process to its end; SystemExit when it fails."""
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    _, state, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(state) not in FINISHED:
        sys.exit(f"`{' '.join(command)}` failed")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def render(kind: str) -> None:
    """What the measured process does: make the report and write it."""
    sys.path.insert(0, str(ROOT))
    from audit import pages
    from tests.outputs.annexes import crowded
    from tests.outputs.example_report import large

    report = crowded(large(ZONES, FINDINGS), RECORDS)
    made = pages.pdf(report) if kind == "pdf" else pages.html(report).encode()
    (FOLDER / f"report.{kind}").write_bytes(made)


def scan() -> Run:
    """A scan of 1,000 namespaces that writes HTML and PDF."""
    source, zones = write_case("reported", FOLDER)
    outputs = [part for kind in ("html", "pdf") for part in ("-f", kind, "-o", str(FOLDER / f"scan.{kind}"))]
    return measured([str(COMMAND), "scan", str(source), "--zones", str(zones), *outputs])


def row(what: str, case: str, run: Run) -> str:
    """One line of the table."""
    seconds, megabytes = TARGETS[case]
    parts = (
        what,
        f"{run.seconds:.1f} s",
        f"{run.cpu:.1f} s",
        f"{seconds:g} s",
        f"{run.megabytes:.0f} MB",
        f"{megabytes} MB",
    )
    return f"| {' | '.join(parts)} |"


def main(arguments: Sequence[str]) -> None:
    """Measure and print, or be what is measured."""
    if arguments:
        render(arguments[0])
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    cases: tuple[tuple[str, str, Callable[[], Run]], ...] = (
        (f"PDF of {FINDINGS:,} findings", "findings", lambda: measured([sys.executable, __file__, "pdf"])),
        (f"HTML of {FINDINGS:,} findings", "findings", lambda: measured([sys.executable, __file__, "html"])),
        ("scan of 1,000 namespaces to HTML and PDF", "scan", scan),
    )
    print("| report | wall | CPU | target | peak memory | target |")
    print("|---|---|---|---|---|---|")
    for what, case, run in cases:
        print(row(what, case, run()), flush=True)
    print(f"\nOn {machine()}.")


if __name__ == "__main__":
    main(sys.argv[1:])
