"""`Snapshot`: what was read, as typed structs with origin, plus what could not be read.

The structs hold only the fields that some stage needs; everything else is skipped while decoding. Policy specs stay raw
JSON because their dialects must see unknown fields (a field that nobody models is a gap, never ignored).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from audit.api_resources import RESOURCES
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


BLOCKING = frozenset({"forbidden", "unavailable", "partial", "invalid-object"})
"""Reasons of gaps that mean evidence is missing. What is read but not modelled is the engine's business (bounds)."""
EVERY_KIND = "*"
"""Kind of a gap that concerns all that was read."""
OF_GROUP = "*."
"""Before an API group, the kind of a gap that concerns whatever the group holds: nobody asked for its kinds."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Gap:
    """Something the audit needed and did not get, or saw and does not model. Never dropped; reaches the report."""

    kind: str
    """Kind key, EVERY_KIND, or OF_GROUP with a group."""
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

    @property
    def groups(self) -> frozenset[str]:
        """The API groups of the objects that were read."""
        return frozenset(listed[0].group for listed in self.entries.values() if listed)

    def of_group(self, group: str) -> tuple[Entry, ...]:
        """All objects of an API group whose kinds have no fixed names, kind by kind: no cluster is asked for those."""
        if self.manifest is not None:
            return ()
        kinds = [kind for kind, listed in self.entries.items() if listed and listed[0].group == group]
        return tuple(entry for kind in sorted(kinds) for entry in self.entries[kind])

    def serves(self, *groups: str) -> bool | None:
        """Whether the cluster has one of these API groups, by its server or by its objects; None if nobody knows.

        Files show groups by their objects only, so that they never prove that a group is missing.
        """
        if self.manifest is None:
            return not self.groups.isdisjoint(groups) or None
        listed = {one.kind: one for one in self.manifest.ledger if one.group in groups}
        if any(one.version and one.status != "absent" for one in listed.values()):
            return True
        asked = {f"{one.kind}.{one.group}" for one in RESOURCES if one.group in groups}
        missing = {one.kind for one in listed.values() if one.status == "absent" and one.proof}
        found = [self.of(kind) for kind in sorted(asked - missing)]
        return True if any(found) else None if found else False
