"""`Snapshot`: what was read, as typed structs with origin, plus what could not be read.

The structs hold only the fields that some stage needs; everything else is skipped while decoding. Policy specs stay raw
JSON because their dialects must see unknown fields (a field that nobody models is a gap, never ignored).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from audit.ledger import Manifest


class Origin(msgspec.Struct, frozen=True, gc=False, order=True):
    """Where an object was read."""

    file: str
    """As the user would name it; `-` for standard input."""
    line: int
    """1-based line of the object's first token; 0 when unknown."""
    source: int = 0
    """Ordinal of the SOURCE argument; a later source overlays an earlier one."""

    @property
    def place(self) -> str:
        """`policies.yaml:12`; empty for an object of a live cluster, where no line tells anybody anything."""
        return f"{self.file}:{self.line}" if self.line else ""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One object of the snapshot."""

    group: str
    """API group, empty for core; `extensions` objects that moved keep theirs."""
    version: str
    kind: str
    namespace: str
    """Empty for cluster-scoped kinds; namespaced objects without one are in `default`, as kubectl would put them."""
    name: str
    origin: Origin
    body: Any
    """The struct that BODY names for the kind, else RawBody."""


GapReason = Literal[
    "forbidden", "absent", "unavailable", "partial", "unknown-field", "not-modelled", "invalid-object", "missing"
]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Gap:
    """Something the audit needed and did not get, or saw and does not model. Never dropped; reaches the report."""

    kind: str
    reason: GapReason
    scope: str = ""
    """`cluster`, a namespace, or an object; empty for all of the kind."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file that was read, for the evidence sheet."""

    file: str
    sha256: str
    """Hex digest of the bytes as read."""
    size: int
    """Bytes."""
    objects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that was read. Equal inputs give equal snapshots whatever the order of files in a directory."""

    entries: Mapping[str, tuple[Entry, ...]]
    """By kind key, each sorted by namespace and name; overlays applied. The key is the kind (`Pod`, `NetworkPolicy`) or
    `Kind.group` outside GROUPS (`NetworkPolicy.crd.projectcalico.org`)."""
    inputs: tuple[InputFile, ...] = ()
    gaps: tuple[Gap, ...] = ()
    live: bool = False
    """True when it came from a cluster; manifests claim nothing about what else the cluster holds."""
    manifest: Manifest | None = None
    """How the cluster was read; None unless `live`."""
    named: tuple[str, ...] = ()
    """The sources as reports name them: as given, but a snapshot file by its cluster, wherever it lies."""
    notes: tuple[str, ...] = field(default=())
    """Remarks for the report, such as overlays that replaced objects."""

    @property
    def cluster(self) -> str:
        """The identity that findings carry: UID of the cluster; empty for manifests, and where it could not be read."""
        return self.manifest.cluster.uid if self.manifest else ""

    def of(self, kind: str) -> tuple[Entry, ...]:
        """All objects of one kind key; empty if none."""
        return self.entries.get(kind, ())
