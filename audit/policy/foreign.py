"""Policy kinds that the engine sees but does not model: whatever they may select has no certain verdict."""

from __future__ import annotations

from dataclasses import dataclass

from audit.model import ObjectRef
from audit.snapshot import Snapshot

FOREIGN = {
    "policy.networking.k8s.io": ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"),
    "cilium.io": ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
    "projectcalico.org": ("NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy", "Tier"),
    "crd.projectcalico.org": ("NetworkPolicy", "GlobalNetworkPolicy", "Tier"),
    "crd.antrea.io": ("NetworkPolicy", "ClusterNetworkPolicy"),
    "security.istio.io": ("AuthorizationPolicy", "PeerAuthentication"),
    "policy.linkerd.io": ("AuthorizationPolicy", "Server", "ServerAuthorization"),
    "k8s.ovn.org": (
        "EgressFirewall",
        "UserDefinedNetwork",
        "ClusterUserDefinedNetwork",
        "ClusterNetworkConnect",
        "RouteAdvertisements",
    ),
    "network.openshift.io": ("EgressNetworkPolicy",),
}
"""API group -> kinds that can allow or deny traffic of pods on the cluster's own network."""


@dataclass(frozen=True, slots=True, order=True)
class Foreign:
    """One object of such a kind."""

    ref: ObjectRef
    """Without a namespace it may select any pod of the cluster."""
    group: str


def foreign_policies(snapshot: Snapshot) -> tuple[Foreign, ...]:
    """All objects of kinds that are not modelled, sorted."""
    found = [
        Foreign(ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin), group)
        for group, kinds in FOREIGN.items()
        for kind in kinds
        for entry in snapshot.of(f"{kind}.{group}")
    ]
    return tuple(sorted(found))
