"""Wall time and peak memory of `zone-audit scan`, whole process, on generated clusters.

    python benchmarks/run.py            every case, and the large ones at half size for the growth ratio
    python benchmarks/run.py small      one case

Prints a Markdown table. Clusters are generated once into .cache/bench; `make clean` removes them. Peak memory is the
largest resident set of the scan and of any process it starts, as the kernel accounts it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generate import write_case
from zone_design import CASES, WORKLOADS_PER_NAMESPACE

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".cache" / "bench"
COMMAND = Path(sys.executable).with_name("zone-audit")
TARGETS = {"small": (1.0, 150), "large": (15.0, 1000), "huge": (20.0, 1200), "manifests": (0.5, 80)}
"""Seconds and megabytes that each case must stay under."""
DOUBLED = ("large", "huge")
"""Cases that also run at half size: doubling the cluster may at most double the time, give or take a tenth."""
FINISHED = (0, 1, 3)
"""Exit codes of a scan that came to an end."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measured scan."""

    seconds: float
    cpu: float
    """Seconds of processor time, which other work on the machine hardly changes."""
    megabytes: float
    status: int
    findings: int


def source(name: str, *, half: bool) -> tuple[Path, Path]:
    """The source and matrix of a case, generated where they do not exist or are older than their generator."""
    path = FOLDER / (name if name == "manifests" else f"{name}{'-half' if half else ''}.json")
    changed = max(module.stat().st_mtime for module in HERE.glob("*.py"))
    fresh = path.exists() and path.stat().st_mtime > changed
    return (path, FOLDER / "zones.yaml") if fresh else write_case(name, FOLDER, half=half)


def scan(name: str, *, half: bool = False) -> Run:
    """One scan into results JSON, in a process of its own; SystemExit when it does not come to an end."""
    path, zones = source(name, half=half)
    results = FOLDER / f"{name}-results.json"
    command = [str(COMMAND), "scan", str(path), "--zones", str(zones), "-f", "json", "-o", str(results)]
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    _, state, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    status = os.waitstatus_to_exitcode(state)
    if status not in FINISHED:
        sys.exit(f"the scan of {path} ended with exit code {status}")
    findings = len(json.loads(results.read_bytes())["findings"])
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, status, findings)


def best(name: str, repeat: int, *, half: bool = False) -> Run:
    """The fastest of several runs, by wall and by processor time, with the largest memory of any."""
    runs = [scan(name, half=half) for _ in range(repeat)]
    cpu, megabytes = min(run.cpu for run in runs), max(run.megabytes for run in runs)
    return replace(min(runs, key=lambda run: run.seconds), cpu=cpu, megabytes=megabytes)


def describe(name: str) -> str:
    """The size of a case in words."""
    if name == "manifests":
        return "directory of 50 objects"
    case = CASES[name]
    workloads = case.namespaces * WORKLOADS_PER_NAMESPACE
    return f"{case.pods:,} pods of {workloads:,} workloads, {case.namespaces:,} namespaces, {case.policies:,} policies"


def row(name: str, repeat: int) -> str:
    """One line of the table."""
    run = best(name, repeat)
    seconds, megabytes = TARGETS[name]
    growth = f"x {run.cpu / best(name, repeat, half=True).cpu:.2f}" if name in DOUBLED else ""
    cells = (
        describe(name),
        f"{run.seconds:.2f} s",
        f"{seconds:g} s",
        f"{run.megabytes:.0f} MB",
        f"{megabytes} MB",
        growth,
        f"{run.findings}",
    )
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Processors, memory and Python, for the line under the table."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{os.cpu_count()} x {model}, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="measure scans of generated clusters")
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--repeat", type=int, default=3, help="runs per case, of which the fastest counts (default 3)")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.cases) - set(TARGETS)):
        parser.error(f"unknown case {', '.join(unknown)}")
    print("| cluster | wall | target | peak memory | target | CPU, half to whole | findings |")
    print("|---|---|---|---|---|---|---|")
    for name in options.cases or TARGETS:
        print(row(name, options.repeat), flush=True)
    print(f"\nFastest of {options.repeat} runs on {machine()}.")


if __name__ == "__main__":
    main()
