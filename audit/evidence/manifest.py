"""`manifest.json` of an evidence bundle, schema zone-audit.evidence/1: what was run on what, and what came out.

Field names are the JSON names. Text that does not apply is empty, and null stands where a digest does not apply.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from audit.ledger import Cluster
from audit.model import Severity
from audit.report import InputRecord
from audit.sources.archive.layout import BrokenError

SCHEMA = "zone-audit.evidence/1"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
Role = Literal["results", "report", "zones", "exceptions", "baseline", "snapshot"]
_NAME = re.compile(r"[a-z][a-z0-9.-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the bundle; the manifest itself and SHA256SUMS are not among them."""

    name: str
    role: Role
    sha256: str
    size: int


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One SOURCE of the scan."""

    name: str
    """As given on the command line; a cluster by its UID."""
    member: str = ""
    """The member that holds it; empty for manifests and dumps, of which a bundle has digests only."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What the run was told, as far as it can change a result. Nothing in it is secret."""

    sources: tuple[Source, ...]
    zones: str
    """File as given, as are `exceptions` and `baseline`."""
    exceptions: str = ""
    baseline: str = ""
    history: bool = False
    """Compared with scans that a database holds."""
    fail_on: Severity = "low"
    fail_on_new: bool = False
    cni: str = ""
    """Empty: as the input shows."""
    own_rules: bool = False
    """Judged by rules of the user besides; the digest of all is in `rule_pack`."""


class Merkle(msgspec.Struct, frozen=True, kw_only=True):
    """The tree of RFC 6962 over the members in order, then the objects of the snapshot in order."""

    root: str
    leaves: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself."""

    schema: str = SCHEMA
    tool: str
    rule_pack: str
    created: str
    """UTC, as in the results."""
    cluster: Cluster | None = None
    """Null for manifests and dumps."""
    verdict: str
    exit_code: int
    """That of the report, before --exit-zero."""
    parameters: Parameters
    inputs: tuple[InputRecord, ...]
    """Every file that was read, by digest."""
    members: tuple[Member, ...]
    """In the order of the archive."""
    merkle: Merkle
    snapshot: str | None = None
    """SHA-256 of the snapshot file inside."""
    previous: str | None = None
    """SHA-256 of the manifest of the bundle before this one."""

    def named(self, role: Role) -> Member | None:
        """The first member of a role."""
        return next((one for one in self.members if one.role == role), None)


class _Named(msgspec.Struct):
    schema: str = ""


def written(manifest: Manifest) -> bytes:
    """The one text of a manifest: JSON, a line to a value."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def digest(text: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text).hexdigest()


def sums(manifest: bytes, members: Sequence[Member]) -> bytes:
    """Text that `sha256sum -c` takes, of every file but itself."""
    lines = [f"{digest(manifest)}  {MANIFEST}", *(f"{one.sha256}  {one.name}" for one in members)]
    return "".join(f"{line}\n" for line in lines).encode()


def parsed(text: bytes) -> Manifest:
    """The manifest that `written` gives this very text for; BrokenError for any other text."""
    try:
        schema = msgspec.json.decode(text, type=_Named).schema
        if schema != SCHEMA:
            raise BrokenError(f"`{MANIFEST}` is not that of evidence: its schema is `{schema}`, not `{SCHEMA}`")
        manifest = msgspec.json.decode(text, type=Manifest)
        same = written(manifest) == text
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BrokenError(f"`{MANIFEST}` is broken: {error}") from error
    if not same:
        raise BrokenError(f"`{MANIFEST}` is not as zone-audit writes it")
    for problem in _problems(manifest):
        raise BrokenError(f"`{MANIFEST}` is broken: {problem}")
    return manifest


def _problems(manifest: Manifest) -> Iterator[str]:
    """What a writer in its right mind does not say."""
    names = [one.name for one in manifest.members]
    if len({*names, MANIFEST, SUMS}) != len(names) + 2:
        yield "its members are not named once each"
    digests = [one.sha256 for one in manifest.members] + [manifest.merkle.root]
    digests += [one for one in (manifest.snapshot, manifest.previous) if one is not None]
    if not all(map(_DIGEST.fullmatch, digests)):
        yield "one of its digests is none"
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"`{name}` is no name of a member"
    roles = [one.role for one in manifest.members if one.role != "report"]
    if len(set(roles)) != len(roles) or not {"results", "zones"} <= {*roles}:
        yield "its members do not have one role each"
    held = manifest.named("snapshot")
    if (held.sha256 if held else None) != manifest.snapshot:
        yield "its snapshot is not the one that it holds"
    if [one.member for one in manifest.parameters.sources if one.member] != ([held.name] if held else []):
        yield "its sources are not the ones that it holds"
