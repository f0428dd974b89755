"""The ledger of a snapshot as gaps: what was asked of a cluster and not got."""

from __future__ import annotations

from audit.api_resources import Resource, reading_role
from audit.ledger import Manifest, Status
from audit.snapshot import Gap, GapReason

_REASONS: dict[Status, GapReason] = {"forbidden": "forbidden", "unavailable": "unavailable", "partial": "partial"}


def gaps(manifest: Manifest) -> tuple[Gap, ...]:
    """One for each kind that was not read to its end and is not absent, sorted."""
    return tuple(
        sorted(
            Gap(kind=one.kind, reason=_REASONS[one.status], scope=", ".join(one.namespaces), text=one.reason)
            for one in manifest.ledger
            if one.status in _REASONS
        )
    )


def missing_access(manifest: Manifest) -> str:
    """The ClusterRole, as YAML, that would let the account read what was refused to it; empty if nothing was."""
    refused = [one for one in manifest.ledger if one.status == "forbidden" or one.namespaces]
    wanted = [Resource(one.group, one.kind.partition(".")[0], one.resource) for one in refused]
    return reading_role(wanted) if wanted else ""
