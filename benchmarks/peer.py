"""zone-audit beside network-config-analyzer, the one peer that pip installs, on the same generated cluster in one run.

    make bench-peer                                      320 namespaces, 10 minutes for each run of the peer
    make bench-peer BENCH_ARGS='40 80 160 --timeout 60'  how both grow

Two questions are put to both. "zones" is what an audit asks: the peer draws its connectivity map folded into rules,
which somebody would then have to hold against the matrix; zone-audit judges every cell of the matrix. "pairs" is the
same map written out for every pair of workloads. Both read the same file. Times are whole processes, of this machine,
now; the ratio is that of processor time, which other work on the machine hardly changes. A run that the timeout ends is
a lower bound and shown with `>`. Last, the two lists of pairs are compared for a sample of workloads.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import peer_cluster
from peer_answers import compared

CACHE = Path(__file__).resolve().parent.parent / ".cache"
FOLDER = CACHE / "bench-peer"
OURS = Path(sys.executable).with_name("zone-audit")
PEER = CACHE / "peer" / "bin" / "nca"
FINISHED = (0, 1, 3)
"""Exit codes of a scan that came to an end."""
TARGET = 200
"""Ratio that the question about zones must reach on 320 namespaces."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process."""

    wall: float
    cpu: float
    """Seconds of processor time, user and system."""
    ended: bool
    """Whether it came to an end by itself."""

    def __str__(self) -> str:
        return f"{'' if self.ended else '> '}{self.cpu:.2f} s ({self.wall:.1f} s)"


def run(command: Sequence[str | Path], timeout: float, codes: Sequence[int] = (0,)) -> Run:
    """One process with nothing to read and nowhere to write but files; SystemExit when it fails."""
    arguments = [str(part) for part in command]
    silent = [(os.POSIX_SPAWN_OPEN, handle, os.devnull, os.O_RDWR, 0) for handle in (0, 1, 2)]
    start = time.perf_counter()
    process = os.posix_spawn(arguments[0], arguments, os.environ, file_actions=silent)
    timer = threading.Timer(timeout, os.kill, (process, signal.SIGKILL))
    timer.start()
    _, state, usage = os.wait4(process, 0)
    timer.cancel()
    wall = time.perf_counter() - start
    status = os.waitstatus_to_exitcode(state)
    if status not in (*codes, -signal.SIGKILL):
        sys.exit(f"`{' '.join(arguments)}` ended with exit code {status}")
    return Run(wall, usage.ru_utime + usage.ru_stime, status != -signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Question:
    """One question, as each of the two is asked."""

    name: str
    peer: Sequence[str]
    ours: Sequence[str]


def questions(zones: Path) -> tuple[Question, Question]:
    """That of an audit, and the pairs behind it."""
    return (
        Question("zones", ("-o", "txt"), ("scan", "--zones", str(zones), "-f", "json")),
        Question("pairs", ("-o", "txt_no_fw_rules"), ("reach", "--by", "workload", "-f", "csv")),
    )


def answer(name: str, tool: str) -> Path:
    """Where a tool writes its answer; an older one is taken away, as the peer would write behind it."""
    path = FOLDER / f"{name}-{tool}.txt"
    path.unlink(missing_ok=True)
    return path


def ask(question: Question, source: Path, timeout: float) -> tuple[Run, Run]:
    """The peer's run, and ours: the one in the middle of three."""
    command, *options = question.ours
    written = answer(question.name, "ours")
    mine = sorted(
        (run((OURS, command, source, *options, "-o", written), timeout, FINISHED) for _ in range(3)),
        key=lambda one: one.cpu,
    )[1]
    theirs: Sequence[str | Path] = (
        PEER,
        "--connectivity",
        "-r",
        source,
        *question.peer,
        "-f",
        answer(question.name, "peer"),
    )
    return run(theirs, timeout), mine


def ratio(theirs: Run, mine: Run) -> str:
    """How many times the peer's processor time is ours; a bound where the peer was stopped."""
    return f"{'' if theirs.ended else '> '}{theirs.cpu / mine.cpu:.0f}"


def measure(namespaces: int, timeout: float) -> str:
    """Prints the rows of one cluster as they come; what the comparison of the answers says."""
    source, zones = peer_cluster.write(namespaces, FOLDER)
    complete = True
    for question in questions(zones):
        theirs, mine = ask(question, source, timeout)
        print(f"| {namespaces} | {question.name} | {theirs} | {mine} | {ratio(theirs, mine)} |", flush=True)
        complete = theirs.ended and mine.ended
    if not complete:
        return f"{namespaces} namespaces: no list of pairs to compare"
    return f"{namespaces} namespaces: {compared(FOLDER / 'pairs-peer.txt', FOLDER / 'pairs-ours.txt', namespaces)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(description="measure network-config-analyzer and zone-audit on the same cluster")
    parser.add_argument("namespaces", nargs="*", type=int, help="sizes, each with ten workloads a namespace (320)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for each run (default 600)")
    options = parser.parse_args(arguments)
    print("| namespaces | question | network-config-analyzer: CPU (wall) | zone-audit: CPU (wall) | ratio |")
    print("|---|---|---|---|---|")
    notes = [measure(namespaces, options.timeout) for namespaces in options.namespaces or (320,)]
    print(f"\nThe target for zones on 320 namespaces is a ratio of {TARGET}.")
    print("\n".join(notes))


if __name__ == "__main__":
    main()
