"""What was seen of every kind that can change a verdict, that was read, or that was missed.

Input: a Snapshot. Output: one record per kind. Decisions: files claim nothing about what else a cluster holds, so what
they lack is `not-in-source` and what they hold is `read`; only a kind of a live cluster can be `complete`, or `absent`
with the proof, and each kind that the cluster was asked for is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from audit.bodies import GROUPS, WORKLOADS
from audit.controls import egress, governance, inbound, node_isolation, ownership, pod_mutation, storage, topology
from audit.exposure.leaving import READ
from audit.exposure.publications import DECIDING, ROUTED
from audit.firewalls import FIREWALL_KEYS
from audit.lacking import named
from audit.ledger import Evidence
from audit.model import CLUSTER_WIDE
from audit.policies import MULTI_NETWORK_POLICY
from audit.policy.foreign import FOREIGN
from audit.profile import EVIDENCE
from audit.report import CompletenessRecord
from audit.snapshot import Gap, Snapshot

BASIC = ("NetworkPolicy", "Namespace", "Pod", "Node", "Service")
"""Kinds that every verdict needs."""
NETWORKS = (
    *(f"{kind}.k8s.ovn.org" for kind in ("UserDefinedNetwork", "ClusterUserDefinedNetwork", "ClusterNetworkConnect")),
    MULTI_NETWORK_POLICY,
)
"""What parts pods into networks, and attaches them to further ones."""
ADDRESSED = "Infrastructure.config.openshift.io"
"""Whose addresses lead to routers; it changes no verdict."""
ATTACHED = ("NetworkAttachmentDefinition.k8s.cni.cncf.io",)
"""What an attachment is, which no verdict reads: whatever is not a network of the plug-in's own may lead anywhere."""
PLATFORM = ("ClusterNetwork.network.openshift.io", "NetNamespace.network.openshift.io")
"""What says how openshift-sdn enforces policies, and parts projects."""
_FAMILIES = (inbound, egress, ownership, node_isolation, pod_mutation, storage, governance, topology)
CONTROLS = tuple(dict.fromkeys(kind for family in _FAMILIES for kind in family.READ))
"""What the controls of the design are read from."""
UNKNOWN_ABSENCE = "cannot tell absent from not collected"
NOT_USED = "no verdict uses this kind"
NOT_MODELLED = "what it may allow or deny is not known, so what it touches is undecided"
FROM_TEMPLATES = "endpoints come from the pod templates of workloads"
_GAP_STATUS: Mapping[str, str] = {"unknown-field": "partial", "missing": "partial"}
_WORST_STATUS = ("forbidden", "unavailable", "invalid-object", "partial", "not-modelled", "absent")


def decisive() -> tuple[str, ...]:
    """Kind keys whose objects can change a verdict, those that most clusters have first; workloads count as Pod."""
    ingress, route, *gateway = (_key(kind, groups[0]) for kind, groups in ROUTED.items())
    known = (*CLUSTER_WIDE, *FIREWALL_KEYS[:2])
    reach = (*BASIC, ingress, route, *known, *_foreign(), *PLATFORM, *gateway, *DECIDING, *NETWORKS, *ATTACHED)
    return tuple(dict.fromkeys((*reach, *CONTROLS)))


def completeness(snapshot: Snapshot) -> tuple[CompletenessRecord, ...]:
    """One record per kind, by kind."""
    gaps: dict[str, list[Gap]] = {}
    for gap in snapshot.gaps:
        gaps.setdefault(gap.kind, []).append(gap)
    kinds = sorted({*_wanted(snapshot), *(kind for kind, entries in snapshot.entries.items() if entries), *gaps})
    proofs = {one.kind: one.proof for one in _ledger(snapshot) if one.status == "absent"}
    return tuple(_kind(kind, snapshot, sorted(gaps.get(kind, ())), proofs.get(kind)) for kind in kinds)


def _ledger(snapshot: Snapshot) -> tuple[Evidence, ...]:
    return snapshot.manifest.ledger if snapshot.manifest else ()


def _wanted(snapshot: Snapshot) -> tuple[str, ...]:
    """The kinds that the input should hold."""
    if snapshot.manifest:
        return tuple(one.kind for one in snapshot.manifest.ledger)
    return BASIC if snapshot.live else tuple(kind for kind in decisive() if not _elsewhere(kind, snapshot))


def _elsewhere(kind: str, snapshot: Snapshot) -> bool:
    """Whether the kind was read in another of its API groups."""
    name = kind.partition(".")[0]
    return any(snapshot.of(_key(name, group)) for group in ROUTED.get(name, ()) if _key(name, group) != kind)


def _kind(kind: str, snapshot: Snapshot, gaps: list[Gap], proof: str | None) -> CompletenessRecord:
    """`proof` is why the cluster has no such kind; None where it may have."""
    objects = len(snapshot.of(kind))
    known = ("absent", proof) if proof is not None and not gaps and not objects else None
    status, note = known or _state(kind, snapshot, gaps)
    return CompletenessRecord(kind=named(kind), objects=objects, status=status, note=note)


def _state(kind: str, snapshot: Snapshot, gaps: list[Gap]) -> tuple[str, str]:
    """Status and note."""
    if gaps:
        statuses = {_GAP_STATUS.get(gap.reason, gap.reason) for gap in gaps}
        notes = dict.fromkeys(gap.text or gap.scope or gap.reason for gap in gaps)
        return next((one for one in _WORST_STATUS if one in statuses), "partial"), "; ".join(notes)
    present = bool(snapshot.of(kind))
    if present and kind in _foreign():
        return "not-modelled", NOT_MODELLED
    if present or snapshot.live:
        return ("complete" if snapshot.live else "read"), ("" if _used(kind) else NOT_USED)
    if kind == "Pod" and any(snapshot.of(workload) for workload in WORKLOADS):
        return "not-in-source", f"{FROM_TEMPLATES}; {UNKNOWN_ABSENCE}"
    return "not-in-source", UNKNOWN_ABSENCE


def _used(kind: str) -> bool:
    return (
        kind in GROUPS
        or kind in CLUSTER_WIDE
        or kind in NETWORKS
        or kind in EVIDENCE
        or kind in FIREWALL_KEYS
        or kind in READ
        or kind in PLATFORM
        or kind in DECIDING
        or kind in CONTROLS
        or kind == ADDRESSED
        or kind in {_key(name, group) for name, groups in ROUTED.items() for group in groups}
    )


def _foreign() -> Iterator[str]:
    return (_key(kind, group) for group, kinds in FOREIGN.items() for kind in kinds)


def _key(kind: str, group: str) -> str:
    return f"{kind}.{group}" if group else kind
