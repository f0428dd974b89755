"""Parts of the report beside the verdict: how the cluster was read, what changed, what it means for controls."""

from __future__ import annotations

import msgspec

from audit.ledger import Cluster, Evidence


class CollectionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a live cluster was read; the report has none for manifests and dumps."""

    tool: str
    """That collected it, which may be older than the one that judges."""
    cluster: Cluster
    resource_version: str = ""
    started: str
    ended: str
    attempts: int = 1
    pseudonyms: bool = False
    unmodelled_groups: tuple[str, ...] = ()
    ledger: tuple[Evidence, ...] = ()
    missing_access: str = ""
    """The rules of a ClusterRole, as YAML, that would let the account read what was forbidden; empty if nothing was."""


class AbsentFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding of the baseline that is no longer there."""

    fingerprint: str
    rule: str
    verdict: str
    severity: str
    title: str
    from_zone: str = ""
    to_zone: str = ""
    subjects: tuple[str, ...] = ()
    owner: str = ""
    first_seen: str = ""
    unproven: bool = False
    """Its rule was not evaluated this time, so that nobody knows whether it is gone."""


class ChangesRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since the baseline; the findings themselves carry `baseline_state`."""

    baseline: str
    """File or run, as given."""
    sha256: str = ""
    created: str
    """When the baseline was made, UTC."""
    verdict: str
    """compliant, not-compliant, incomplete"""
    counts: dict[str, int]
    """`new`, `unchanged`, `updated`, `absent` to number of findings."""
    absent: tuple[AbsentFinding, ...] = ()
    remarks: tuple[str, ...] = ()
    """What makes the two hard to compare: another matrix, cluster or rule pack."""


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One earlier scan of the same cluster against the same matrix."""

    created: str
    verdict: str
    severities: dict[str, int]
    """Severity to number of findings with verdict fail."""
    excepted: int = 0
    not_evaluated: int = 0
    """Rules and cells that could not be decided."""


class ControlRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One control of a framework, and what this scan says that supports it. Never a statement of compliance."""

    framework: str
    """`pci-dss-4.0.1`"""
    framework_title: str
    control: str
    """`1.3.1`"""
    text: str
    """What it asks for, in our words."""
    result: str
    """pass, fail, excepted, not-evaluated, manual, not-applicable: the worst of its rules and cells."""
    rules: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    """Fingerprints."""
    supporting_only: bool = False
    """The control asks for more than a scan can give (a penetration test, a signed review)."""


class PartRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a report on a part of a scan is a part of; every other list holds what belongs to the part alone."""

    owner: str
    """Empty for what belongs to nobody."""
    whole_verdict: str
    """compliant, not-compliant, incomplete"""
    whole_sha256: str
    """Of the results of the whole scan as JSON."""
    findings: tuple[int, int]
    """In the part, and in the whole scan."""
    cells: tuple[int, int]
    exceptions: tuple[int, int]


class BackendRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Workloads of one zone that an entry point leads to, all with the same verdict."""

    zone: str
    verdict: str
    """allowed, unknown, denied: what becomes of connections from the router's pods; by-client: policies decide by the
    address of the client."""
    workloads: int
    ports: dict[str, str]


class EntryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One way into the cluster."""

    kind: str
    """router, gateway, service, host-port, host-network, unknown-router"""
    object: str
    """`Kind namespace/name`"""
    addresses: tuple[str, ...] = ()
    """Where clients connect to; empty when the input does not say."""
    hostnames: tuple[str, ...] = ()
    every_node: bool = False
    """Whether a port of every node leads in as well; those addresses are not listed."""
    address_zones: tuple[str, ...] = ()
    router_zones: tuple[str, ...] = ()
    """Zones of the nodes that the router's pods run on, or of every node where every node leads in."""
    zones: tuple[str, ...] = ()
    """Zones of what it serves."""
    open_zones: tuple[str, ...] = ()
    """Zones of everything that it would serve if asked."""
    namespaces: int = 0
    """Number of namespaces that it serves."""
    backends: tuple[BackendRecord, ...] = ()


class DepartureRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Source addresses that outside traffic of a zone's workloads shows, given by one object or by the nodes."""

    zone: str
    """Of the workloads."""
    via: str
    """An object, `node` for the addresses of the nodes, `egress router pod`."""
    verdict: str
    """`allowed`: some traffic leaves like this. `unknown`: it may. `denied`: it is dropped instead."""
    address_zone: str = ""
    """The zone that the addresses, or their nodes, belong to; empty when not known."""
    addresses: tuple[str, ...] = ()
    """Empty when not known, and where nothing leaves."""
    workloads: int = 0


class ObjectRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One object at fault and where it was read."""

    object: str
    """`Kind namespace/name`, as findings name it."""
    file: str = ""
    """One of the inputs; empty when it was not read, such as a namespace that only its workloads name."""
    line: int = 0
