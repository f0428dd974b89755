"""`Report`: the one value that every renderer, file and the exit code are made from.

Plain data; its schema is zone-audit.results/1.

Field names are the JSON names. Every sequence is sorted, so equal reports are equal bytes. Text that does not apply or
was not given is empty, a list without entries is `[]`; null stands only where a number or an object does not apply.
"""

from __future__ import annotations

import msgspec

from audit.model import Severity, Verdict
from audit.report_annex import (
    ChangesRecord,
    CollectionRecord,
    ControlRecord,
    DepartureRecord,
    EntryRecord,
    ObjectRecord,
    PartRecord,
    TrendPoint,
)

SCHEMA = "zone-audit.results/1"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One hop of a path: an object that lets traffic through, or an endpoint that nothing protects."""

    text: str
    """What this hop decides, as one clause: `ingress rule 2 admits any peer on any port`."""
    object: str = ""
    """`NetworkPolicy app/allow-all`; where no policy decides the workload on that side, `Deployment app/web`."""
    direction: str = ""
    """`egress` or `ingress`."""
    rule: int | None = None
    """0-based index of the rule within its direction; None when no single rule decides."""
    file: str = ""
    line: int = 0


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """One witness flow: a concrete source, target and port that shows the finding."""

    source: str
    target: str
    port: str
    """`tcp/5432`"""
    source_labels: str = ""
    target_labels: str = ""


class FindingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One cause."""

    fingerprint: str
    rule: str
    verdict: Verdict
    severity: Severity
    title: str
    from_zone: str = ""
    to_zone: str = ""
    ports: dict[str, str] = {}
    """Protocol to ranges, as in reach JSON; what is open beyond the matrix."""
    subjects: tuple[str, ...] = ()
    """Objects at fault, `Kind namespace/name`."""
    file: str = ""
    """Where the first of them that stands in a file was read; empty for a live cluster."""
    line: int = 0
    path: tuple[Step, ...] = ()
    matrix_row: str = ""
    """Flow id, or empty when a default decided."""
    expected: str = ""
    observed: str = ""
    evidence: tuple[Exposure, ...] = ()
    fix: str = ""
    """What to do: a sentence, then optionally ready YAML after a blank line."""
    controls: tuple[str, ...] = ()
    owner: str = ""
    exception: str = ""
    """Id of the exception that covers it."""
    refused_exceptions: tuple[str, ...] = ()
    """Ids of exceptions that would cover it, were they in force; their status says why they are not."""
    reason: str = ""
    """Why it is not-evaluated; empty otherwise."""
    first_seen: str = ""
    baseline_state: str = ""
    counts: dict[str, int] = {}
    """`pairs`, `sources`, `targets`, ... whatever the rule counts."""


class CellRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One ordered pair of zones."""

    from_zone: str = msgspec.field(name="from")
    to_zone: str = msgspec.field(name="to")
    verdict: Verdict
    expected: dict[str, str]
    """Allowed ports by protocol; `{}` is nothing."""
    observed: dict[str, str]
    """Ports certainly open between some pair."""
    possible: dict[str, str]
    """Ports that may be open; equal to `observed` when nothing is unknown."""
    excess: dict[str, str]
    """`observed` (or, for not-evaluated, `possible`) beyond `expected`."""
    row: str = ""
    """Flow id; empty when a default decides."""
    by_default: bool = False
    """True when the matrix has no row for the pair."""
    severity: Severity = "high"
    pairs: int = 0
    """Ordered pairs of endpoints with at least one open port; an outside zone counts as one endpoint."""
    excess_pairs: int = 0
    """Those of them with a port certainly open beyond the matrix."""
    possible_pairs: int = 0
    """Further pairs where a port beyond the matrix may be open."""
    unexposed_pairs: int = 0
    """Outside sources that policy admits though no entry point leads there."""
    witness: Exposure | None = None
    reasons: tuple[str, ...] = ()
    """Why it is not-evaluated (assumption ids), or not-applicable."""
    findings: tuple[str, ...] = ()
    """Fingerprints."""
    controls: tuple[str, ...] = ()
    justification: str = ""
    owner: str = ""
    """Of the row, as are `ticket` and `review_by` (ISO date)."""
    ticket: str = ""
    review_by: str = ""
    unmodelled: tuple[str, ...] = ()
    """Services of the row that reachability does not judge, such as `icmp/8`."""


class HopRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One connection of a chain."""

    from_zone: str = msgspec.field(name="from")
    to_zone: str = msgspec.field(name="to")
    ports: dict[str, str]
    """Protocol to ranges, open between the two ends of the witness."""
    witness: Exposure | None = None
    """The source is the target of the hop before, unless the chain is not `proven`."""
    reasons: tuple[str, ...] = ()
    """Assumption ids; empty when certain."""
    path: tuple[Step, ...] = ()
    """What lets it through, from the source on."""


class TransitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A way through other zones to a zone that must not be reached: exposure, not a violation."""

    from_zone: str = msgspec.field(name="from")
    to_zone: str = msgspec.field(name="to")
    zones: tuple[str, ...]
    """The zones passed, both ends included."""
    certain: bool
    """False: some hop is only possible."""
    proven: bool
    """False: the graph of endpoints was too large; each two zones are connected, perhaps through other endpoints."""
    hops: tuple[HopRecord, ...]


class CutRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The fewest openings to close so that one zone does not reach another that it must not reach."""

    from_zone: str = msgspec.field(name="from")
    to_zone: str = msgspec.field(name="to")
    direct: bool
    """Connected without another zone in between."""
    transit: bool
    """Connected through other zones."""
    openings: tuple[Step, ...] = ()
    """Rules to take out of policies that stay, namespaces to isolate, entry points to close; empty with a `reason`."""
    least: int = 0
    """No fewer are enough; 0 when none are, or nothing was sought."""
    smallest: bool = False
    """Whether it is proven that no fewer are enough; otherwise a smaller set may exist."""
    reason: str = ""
    """Why no openings are named."""


class ZoneRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One zone and its population."""

    name: str
    title: str = ""
    kind: str = "cluster"
    """cluster, external, internet, platform; empty for what is in no zone"""
    trust: int | None = 50
    """Null for what is in no zone."""
    owner: str = ""
    namespaces: tuple[str, ...] = ()
    workloads: int = 0
    """Counted as the cells judge them, as are `pods`; a workload with pods in two zones counts in both."""
    pods: int = 0
    guests: tuple[str, ...] = ()
    """Workloads whose namespace belongs to another zone, `Kind namespace/name`: routers, host-network pods."""
    nodes: int = 0
    cidrs: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


class RuleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of one rule over the whole input."""

    id: str
    title: str
    severity: Severity
    verdict: Verdict
    findings: int = 0
    reason: str = ""
    """Why not-evaluated or not-applicable."""
    why: str = ""
    """Why it matters, for people."""
    controls: tuple[str, ...] = ()


class ExceptionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the exceptions file with its computed status."""

    id: str
    title: str
    status: str
    """matched, unused, expired, expiring, not-yet-valid, over-broad, invalid, self-approved"""
    scope: str
    """The parts below in words."""
    rule: str = ""
    """Rule id; empty when the entry names a flow only."""
    flow: str = ""
    """Matrix row; empty when the entry names a rule only."""
    sources: tuple[str, ...] = msgspec.field(default=(), name="from")
    """Zones, or `any` alone; `to`, `services` and `subjects` likewise."""
    targets: tuple[str, ...] = msgspec.field(default=(), name="to")
    services: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    justification: str = ""
    requested_by: str = ""
    requested_on: str = ""
    approved_by: str = ""
    approved_on: str = ""
    valid_from: str = ""
    expires_on: str = ""
    ticket: str = ""
    owner: str = ""
    reason: str = ""
    """Why it covers nothing, as one clause; empty when it is in force."""
    findings: tuple[str, ...] = ()
    """Fingerprints of what it covers."""
    would_cover: tuple[str, ...] = ()
    """Fingerprints of failed findings that it would cover, were it in force."""


class AssumptionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the verdicts rest on."""

    id: str
    text: str
    standing: bool = False
    """Taken as given, so that every verdict rests on it; otherwise it left `connections` undecided."""
    connections: int = 0
    """Ordered pairs of endpoints that it left undecided; a zone's outside addresses count as one."""


class InputRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One file that went into the verdict."""

    file: str
    sha256: str
    size: int
    objects: int = 0
    role: str = "source"
    """source, zones, exceptions"""


class CompletenessRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one kind."""

    kind: str
    objects: int
    status: str
    """complete, read, forbidden, absent, unavailable, partial, not-modelled, invalid-object, not-in-source

    `complete` is all of a cluster, `read` all that the files hold; `not-in-source` is a kind that can change a verdict
    and that the files lack.
    """
    note: str = ""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The population. `full population, no sampling`."""

    source: str
    """As given on the command line, several joined by a space."""
    live: bool
    profile: str
    """CNI profile: spec, ovn-kubernetes, ..."""
    platform: str = ""
    """What is known of the platform besides: `OpenShift 4.6, mode subnet`."""
    enforcement: str = "assumed"
    """Whether NetworkPolicies have an effect: assumed, yes, no, unknown."""
    profile_evidence: tuple[str, ...] = ()
    """The objects and fields that told the profile."""
    namespaces: int
    unzoned_namespaces: int
    workloads: int
    pods: int
    nodes: int
    policies: int
    endpoint_pairs: int
    """Ordered pairs of endpoints the verdicts cover."""
    undecided_pairs: int = 0
    """Those where a port beyond the matrix may be open; a zone's outside addresses count as one endpoint."""
    outside_ranges: int
    """Groups of outside addresses that policies or zones tell apart."""


class MatrixRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The matrix that was judged against."""

    name: str
    version: str = ""
    owner: str = ""
    approved_by: str = ""
    approved_on: str = ""
    review_by: str = ""
    ticket: str = ""
    file: str = ""
    sha256: str = ""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Control totals; every output shows the same."""

    cells: dict[str, int]
    """Verdict to number of cells; all verdicts present."""
    rules: dict[str, int]
    findings: dict[str, int]
    """Verdict to number of findings."""
    severities: dict[str, int]
    """Severity to number of findings with verdict fail."""
    defaulted_cells: int
    """Cells that a default decided."""
    apart: dict[str, int] = {}
    """Ordered pairs of zones with members between which the matrix allows nothing: `pairs`; of them `connected` for
    certain, namely `direct` or by `transit`, or both; and further ones where transit is only `possible`."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an output may say."""

    schema: str = SCHEMA
    tool: str
    """`zone-audit 0.1.0`"""
    rule_pack: str
    created: str
    """UTC, `2026-11-23T06:18:00Z`; from the command line's clock or SOURCE_DATE_EPOCH."""
    verdict: str
    """compliant, not-compliant, incomplete"""
    headline: str
    """The verdict with its reason in one sentence."""
    exit_code: int
    """What `scan` returns for `fail_on`, before --exit-zero."""
    fail_on: Severity
    matrix: MatrixRecord
    scope: Scope
    zones: tuple[ZoneRecord, ...]
    """Sorted by trust, then name; UNZONED last, present only when it has members."""
    cells: tuple[CellRecord, ...]
    """Every ordered pair, in zone order."""
    rules: tuple[RuleRecord, ...]
    findings: tuple[FindingRecord, ...]
    """Worst first: verdict, severity, rule, zones, subjects."""
    transit: tuple[TransitRecord, ...] = ()
    """At most one for every pair of zones that must be apart, in order of the cells."""
    cuts: tuple[CutRecord, ...] = ()
    """One for every such pair that is connected, directly or through others, in order of the cells."""
    entries: tuple[EntryRecord, ...] = ()
    """Ways into the cluster, by kind and object."""
    departures: tuple[DepartureRecord, ...] = ()
    """Source addresses of outside traffic, by zone."""
    objects: tuple[ObjectRecord, ...] = ()
    """Every object at fault, by name."""
    exceptions: tuple[ExceptionRecord, ...]
    assumptions: tuple[AssumptionRecord, ...]
    completeness: tuple[CompletenessRecord, ...]
    inputs: tuple[InputRecord, ...]
    notes: tuple[str, ...]
    collection: CollectionRecord | None = None
    controls: tuple[ControlRecord, ...] = ()
    """By framework and control."""
    changes: ChangesRecord | None = None
    """Since the baseline; null without one."""
    trend: tuple[TrendPoint, ...] = ()
    """Earlier scans, oldest first; this one is not among them."""
    part: PartRecord | None = None
    """Null for a whole scan."""
    counts: Counts
