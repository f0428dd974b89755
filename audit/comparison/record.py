"""`Difference`: the one value that every format and the exit code of `diff` are made from.

Plain data; its schema is zone-audit.diff/1. Field names are the JSON names. Every sequence is sorted, so equal
differences are equal bytes. Text that does not apply is empty, a list without entries is `[]`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from audit.comparison.changes import Kind, State
from audit.model import Severity, Verdict

SCHEMA = "zone-audit.diff/1"
Status = Literal["new", "fixed", "unchanged", "undecided"]
STATUSES: tuple[Status, ...] = ("new", "undecided", "fixed", "unchanged")
"""Worst first."""


class SideRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two snapshots."""

    source: str
    """As given on the command line."""
    namespaces: int
    workloads: int
    pods: int
    policies: int
    complete: bool
    """Whether all that was seen was read and, with a matrix, judged."""
    missed: tuple[str, ...] = ()
    """What was not read although it may hold endpoints or policies."""


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Connections that changed alike, counted."""

    pairs: int = 0
    """Ordered pairs of workloads or ranges of addresses."""
    ports: dict[str, str] = {}
    """Protocol to ranges: every port that changed so between any of them."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """How many connections changed, by what happened; a pair may be in several."""

    opened: Sum = Sum()
    closed: Sum = Sum()
    changed: Sum = Sum()


class CauseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One object that differs and decides changed connections."""

    id: int
    """Its place in the list of causes, from 1."""
    object: str
    """`NetworkPolicy app/allow-web`"""
    change: Literal["added", "removed", "changed"]
    text: str = ""
    """In what it differs."""
    file: str = ""
    """Where it was read in the new snapshot; empty where it is not in it."""
    line: int = 0
    old_file: str = ""
    old_line: int = 0
    opened: int = 0
    """Pairs that it helped to open; a pair with two causes counts for both."""
    closed: int = 0
    changed: int = 0


class ZonePair(msgspec.Struct, frozen=True, kw_only=True):
    """One ordered pair of zones."""

    from_zone: str
    to_zone: str
    changes: Changed
    causes: tuple[int, ...] = ()
    """Ids of causes."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to some ports of one ordered pair."""

    change: Kind
    src: str
    """Id of a workload, or of a range of addresses in `ranges`."""
    dst: str
    was: State
    now: State
    ports: dict[str, str]
    from_zone: str = ""
    """Zone of `src` in the snapshot in which the connection is more open."""
    to_zone: str = ""
    causes: tuple[int, ...] = ()
    """Ids of causes."""


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """Outside addresses that nothing tells apart in either snapshot."""

    id: str
    cidrs: tuple[str, ...]


class FindingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of either snapshot."""

    fingerprint: str
    status: Status
    """`undecided` is one that is gone where the new snapshot could not be evaluated."""
    rule: str
    severity: Severity
    title: str
    was: Verdict | Literal[""] = ""
    """Empty where the old snapshot has no such finding."""
    now: Verdict | Literal[""] = ""
    from_zone: str = ""
    to_zone: str = ""
    ports: dict[str, str] = {}
    subjects: tuple[str, ...] = ()
    file: str = ""
    """Of the first object at fault that has a place: in the new snapshot, or in the old where it is fixed."""
    line: int = 0
    exception: str = ""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs."""

    schema: str = SCHEMA
    tool: str
    created: str
    headline: str
    exit_code: int
    old: SideRecord
    new: SideRecord
    matrix: str = ""
    """Name of the matrix; empty without one, and then there are no zones and no findings."""
    fail_on: str = ""
    changes: Changed
    """All connections; their ports are those of any pair."""
    zone_pairs: tuple[ZonePair, ...] = ()
    """Those with a changed connection, sorted."""
    causes: tuple[CauseRecord, ...] = ()
    """Most pairs first."""
    untraced: int = 0
    """Pairs whose causes were not looked for, because there are too many kinds of change."""
    connections: tuple[Connection, ...] = ()
    """Examples, sorted: up to `limit` of each kind for every pair of zones."""
    limit: int = 0
    """0 when every connection is listed."""
    ranges: tuple[Range, ...] = ()
    """The ranges that `connections` name."""
    findings: tuple[FindingChange, ...] = ()
    """Worst first."""
    finding_counts: dict[str, int] = {}
    """By status; empty without a matrix."""
