"""Wall time, processor time and peak memory of `zone-audit collect`, against a local API server over TLS.

    python -m benchmarks.collect            20,000 and 100,000 pods
    python -m benchmarks.collect 5000       as many pods

Prints a Markdown table and fails above the target. The server shares the processors with what is measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.collection.crowd import measured, size

PODS = (20_000, 100_000)
MEGABYTES = 512
"""However many pods."""
SECONDS = 60
"""Of processor time."""


def row(pods: int) -> str:
    """One line of the table; SystemExit for a run that misses its target."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = measured(pods, Path(folder))
        file = (Path(folder) / "snapshot.zip").stat().st_size if run.code == 0 else 0
    wall = time.perf_counter() - start
    if run.code or run.megabytes > MEGABYTES or run.cpu > SECONDS:
        sys.exit(f"{pods:,} pods: exit code {run.code}, {run.megabytes:.0f} MB, {run.cpu:.1f} s\n{run.said}")
    cells = (f"{pods:,}", f"{wall:.1f} s", f"{run.cpu:.1f} s", f"{run.megabytes:.0f} MB", f"{file / 1e6:.1f} MB")
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="measure the collection of generated clusters")
    parser.add_argument("pods", nargs="*", type=int, help=f"by default {' and '.join(map(str, PODS))}")
    options = parser.parse_args(arguments)
    print(f"| pods of {size() / 1000:.1f} kB | wall | processor | peak memory | snapshot file |")
    print("|---|---|---|---|---|")
    for pods in options.pods or PODS:
        print(row(pods), flush=True)
    print(f"\nTargets: {SECONDS} s of processor time, {MEGABYTES} MB.")


if __name__ == "__main__":
    main()
