"""Policy kinds that the engine sees but does not model: whatever they may decide has no certain verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audit.api_resources import NO_TRAFFIC, POLICY_NAMES, PUBLISHING_GROUPS, STAGED
from audit.bodies import GROUPS
from audit.model import ADMIN_GROUP, CLUSTER_WIDE, ObjectRef
from audit.profile import Profile
from audit.raw_body import RawBody
from audit.snapshot import BLOCKING, OF_GROUP, Entry, Gap, Snapshot

Effect = Literal["any", "restrict", "restrict-outside"]
"""What such a policy can do: allow and deny; only deny; only deny connections with outside addresses, either way."""
ADVERTISING = "RouteAdvertisements"
"""Makes addresses of pods known outside: what policies let through from there may or may not get there."""
OVN = "k8s.ovn.org"

FOREIGN: dict[str, dict[str, Effect]] = {
    "cilium.io": {
        "CiliumNetworkPolicy": "any",
        "CiliumClusterwideNetworkPolicy": "any",
        "CiliumLocalRedirectPolicy": "any",
    },
    "projectcalico.org": {"NetworkPolicy": "any", "GlobalNetworkPolicy": "any", "HostEndpoint": "any"},
    "crd.projectcalico.org": {"NetworkPolicy": "any", "GlobalNetworkPolicy": "any", "HostEndpoint": "any"},
    "crd.antrea.io": {"NetworkPolicy": "any", "ClusterNetworkPolicy": "any"},
    "kubeovn.io": {"Subnet": "any", "SecurityGroup": "any"},
    "security.istio.io": {"AuthorizationPolicy": "restrict", "PeerAuthentication": "restrict"},
    "policy.linkerd.io": {"Server": "restrict", "ServerAuthorization": "restrict", "AuthorizationPolicy": "restrict"},
    OVN: {ADVERTISING: "restrict-outside"},
}
"""API group -> kind -> effect on the cluster's own network.

A service mesh only adds refusals on top of what the network lets through.
"""


HARMLESS = frozenset(
    {
        ("k8s.cni.cncf.io", "MultiNetworkPolicy"),
        ("network.openshift.io", "EgressNetworkPolicy"),
        ("", "EgressNetworkPolicy"),
        *NO_TRAFFIC,
        *((group, kind) for group in ("projectcalico.org", "crd.projectcalico.org") for kind in STAGED),
    }
)
"""Kinds with such a name that decide nothing on the cluster's own network, or that are read in full."""
MESH_ROOT = "istio-system"
NODES = frozenset({"GlobalNetworkPolicy", "CiliumClusterwideNetworkPolicy", "HostEndpoint"})
"""Kinds that may select nodes, and so host-network pods, besides pods."""
NODES_OF_GROUP = frozenset({("crd.antrea.io", "ClusterNetworkPolicy")})


UNREAD = "unread-policy"
"""Assumption id of what was not read."""
_MODELLED: dict[str, Effect] = {
    "NetworkPolicy": "any",
    **dict.fromkeys(CLUSTER_WIDE, "any"),
    "EgressFirewall.k8s.ovn.org": "restrict-outside",
    "EgressNetworkPolicy.network.openshift.io": "restrict-outside",
}
"""What kinds that are modelled could do, had they been read. Networks that were not read are doubts of their own."""


@dataclass(frozen=True, slots=True, order=True)
class Foreign:
    """One object of such a kind."""

    ref: ObjectRef
    """Without a namespace it may select any pod of the cluster."""
    group: str
    effect: Effect
    reason: str = "unmodelled-policy"
    """Assumption id of what it takes the certainty from."""

    @property
    def nodes(self) -> bool:
        """Whether it may select host-network pods too."""
        return self.ref.kind in NODES or (self.group, self.ref.kind) in NODES_OF_GROUP


def foreign_policies(snapshot: Snapshot, profile: Profile) -> tuple[Foreign, ...]:
    """All objects of kinds that are not modelled, sorted; without those of another plug-in that is known not to run."""
    absent = OVN if profile.plugin in ("openshift-sdn", "calico", "cilium") else None
    return tuple(
        sorted(
            Foreign(ObjectRef(entry.kind, _scope(entry), entry.name, entry.origin), entry.group, effect)
            for listed in snapshot.entries.values()
            if listed and listed[0].group != absent and (effect := _effect(listed[0]))
            for entry in listed
        )
    )


def unread_policies(snapshot: Snapshot) -> tuple[Foreign, ...]:
    """What kinds of a cluster may decide that were not read in full, modelled or not; sorted.

    One that could not be decoded decides within its namespace, anything else anywhere.
    """
    if not snapshot.live:
        return ()
    gaps = [gap for gap in snapshot.gaps if gap.reason in BLOCKING]
    return tuple(sorted({_unread(gap, effect) for gap in gaps if (effect := _effect_of(gap.kind))}))


def _unread(gap: Gap, effect: Effect) -> Foreign:
    kind, _, group = gap.kind.partition(".")
    namespace, apart, _ = gap.scope.partition("/")
    return Foreign(ObjectRef(kind, namespace if apart else "", ""), group, effect, UNREAD)


def _effect_of(kind: str) -> Effect | None:
    """What objects of a kind that was not read could do to what policies decide; None for nothing."""
    if kind.startswith(OF_GROUP):
        return None if kind.removeprefix(OF_GROUP) in PUBLISHING_GROUPS else "any"
    name, _, group = kind.partition(".")
    return FOREIGN.get(group, {}).get(name) or _MODELLED.get(kind)


def _effect(entry: Entry) -> Effect | None:
    """What objects of this kind can do; None for kinds that are modelled or decide nothing here."""
    known = FOREIGN.get(entry.group, {}).get(entry.kind)
    if known or not isinstance(entry.body, RawBody) or (entry.group, entry.kind) in HARMLESS:
        return known
    modelled = entry.group == ADMIN_GROUP or (entry.kind in GROUPS and entry.group in GROUPS[entry.kind])
    return "any" if not modelled and entry.kind.endswith(POLICY_NAMES) else None


def _scope(entry: Entry) -> str:
    """The namespace an object is limited to; policies in the mesh's root namespace hold for the whole mesh."""
    root = entry.group == "security.istio.io" and entry.namespace == MESH_ROOT
    return "" if root else entry.namespace
