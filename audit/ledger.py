"""The evidence ledger: what a snapshot of a live cluster asked for, and what it got, kind by kind.

`Manifest` is the first member of a snapshot file (schema zone-audit.snapshot/1) and says where, when and how the rest
was read. Field names are the JSON names. Empty is not unreadable: a kind without objects that was read to its end is
`complete`, and `absent` needs proof.
"""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA = "zone-audit.snapshot/1"
ALLOW_LIST = 1
"""Which fields of objects are kept. Another number for whatever `audit.projection` keeps more or less: a field that an
older snapshot lacks would read as not set."""

Status = Literal["complete", "absent", "forbidden", "unavailable", "partial"]
"""complete: read to its end, however many. absent: the API server has no such kind, with proof. forbidden: refused to
this account. unavailable: the API that serves it did not answer. partial: some objects or namespaces are missing."""

Cut = Literal["exact", "bracketed", "none"]
"""exact: as it was at the resource version of the whole snapshot. bracketed: read between two equal readings of it.
none: read at another time than the rest; `skew` says how far apart."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One kind: one entry of the ledger."""

    kind: str
    """Key in the snapshot: `NetworkPolicy`, `Route.route.openshift.io`."""
    group: str = ""
    version: str = ""
    """As served; empty when absent."""
    resource: str
    """Plural in lower case, as access rights name it."""
    status: Status
    reason: str = ""
    """Why it is not complete, in words: the status code and what the API server said."""
    proof: str = ""
    """Why it is absent and not merely unseen."""
    objects: int = 0
    invalid: tuple[str, ...] = ()
    """Objects that were refused because they do not decode, `namespace/name: reason`; the kind is then partial."""
    namespaces: tuple[str, ...] = ()
    """The only namespaces that were read, where the whole cluster was forbidden; empty for all."""
    resource_version: str = ""
    cut: Cut = "none"
    skew: float = 0.0
    """Seconds between the cut and the end of reading; 0 for an exact cut."""
    pages: int = 0
    retries: int = 0
    started: str = ""
    """UTC, `2026-11-23T06:18:00Z`, as is `ended`."""
    ended: str = ""
    warnings: tuple[str, ...] = ()
    """`Warning` headers of the API server, each once."""


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Which cluster it was, and as whom it was read."""

    uid: str = ""
    """UID of the namespace `kube-system`: the identity that fingerprints carry. Empty when it could not be read."""
    version: str = ""
    """`v1.36.2`"""
    address_sha256: str = ""
    """Hex digest of the API server's URL, which is not written down itself."""
    ca_sha256: str = ""
    """Fingerprint of the certificate authority that the connection was verified against."""
    context: str = ""
    user: str = ""
    """The account that read it, as the API server names it."""
    unverified_tls: bool = False
    """The operator switched the verification of the server off: whoever was in between may have answered."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One member of the file: all objects of one kind as a Kubernetes list, one line of JSON."""

    name: str
    """`objects/NetworkPolicy.json`, `objects/Route.route.openshift.io.json`"""
    kind: str
    sha256: str
    size: int
    """Bytes before compression."""
    objects: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot file says of itself; its member `manifest.json`."""

    schema: str = SCHEMA
    tool: str
    """`zone-audit 0.1.0`"""
    cluster: Cluster
    resource_version: str = ""
    """That of the cut; empty when there was none."""
    started: str
    ended: str
    allow_list: int = ALLOW_LIST
    """That by which objects were reduced."""
    attempts: int = 1
    """How often the cut was begun, because the API server had forgotten its resource version in the meantime."""
    pseudonyms: bool = False
    """Whether names of users and groups were replaced by tokens, equal names by equal ones."""
    unmodelled_groups: tuple[str, ...] = ()
    """API groups with policies that discovery shows and that no verdict models, sorted."""
    ledger: tuple[Evidence, ...]
    """By kind; one entry for every kind that can change a verdict."""
    members: tuple[Member, ...]
    """By name."""
    seal: str = ""
    """SHA-256 of this manifest as it is written with an empty seal, so that no word of it can change unseen."""
