"""Policy kinds that the engine sees but does not model: whatever they may decide has no certain verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audit.model import ObjectRef
from audit.snapshot import Snapshot

Effect = Literal["any", "restrict", "restrict-outside"]
"""What such a policy can do: allow and deny; only deny; only deny connections that leave the pod network."""

FOREIGN: dict[str, dict[str, Effect]] = {
    "cilium.io": {"CiliumNetworkPolicy": "any", "CiliumClusterwideNetworkPolicy": "any"},
    "projectcalico.org": {"NetworkPolicy": "any", "GlobalNetworkPolicy": "any"},
    "crd.projectcalico.org": {"NetworkPolicy": "any", "GlobalNetworkPolicy": "any"},
    "crd.antrea.io": {"NetworkPolicy": "any", "ClusterNetworkPolicy": "any"},
    "security.istio.io": {"AuthorizationPolicy": "restrict", "PeerAuthentication": "restrict"},
    "policy.linkerd.io": {"Server": "restrict", "ServerAuthorization": "restrict", "AuthorizationPolicy": "restrict"},
    "k8s.ovn.org": {
        "EgressFirewall": "restrict-outside",
        "UserDefinedNetwork": "any",
        "ClusterUserDefinedNetwork": "any",
        "ClusterNetworkConnect": "any",
        "RouteAdvertisements": "any",
    },
    "network.openshift.io": {"EgressNetworkPolicy": "restrict-outside"},
}
"""API group -> kind -> effect on the cluster's own network.

Egress firewalls skip pod addresses; a service mesh only adds refusals on top of what the network lets through.
"""


NODES = frozenset({"GlobalNetworkPolicy", "CiliumClusterwideNetworkPolicy"})
"""Kinds that may select nodes, and so host-network pods, besides pods."""
NODES_OF_GROUP = frozenset({("crd.antrea.io", "ClusterNetworkPolicy")})


@dataclass(frozen=True, slots=True, order=True)
class Foreign:
    """One object of such a kind."""

    ref: ObjectRef
    """Without a namespace it may select any pod of the cluster."""
    group: str
    effect: Effect

    @property
    def nodes(self) -> bool:
        """Whether it may select host-network pods too."""
        return self.ref.kind in NODES or (self.group, self.ref.kind) in NODES_OF_GROUP


def foreign_policies(snapshot: Snapshot) -> tuple[Foreign, ...]:
    """All objects of kinds that are not modelled, sorted."""
    found = [
        Foreign(ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin), group, effect)
        for group, kinds in FOREIGN.items()
        for kind, effect in kinds.items()
        for entry in snapshot.of(f"{kind}.{group}")
    ]
    return tuple(sorted(found))
