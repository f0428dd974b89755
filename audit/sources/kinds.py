"""What a pair of `apiVersion` and `kind` means: group, key in the snapshot, struct, scope."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from audit.bodies import BODY, BODY_OF_KEY, GROUPS
from audit.raw_body import RawBody

_API_VERSION = re.compile(r"(?:(?P<group>[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)/)?(?P<version>[a-z][-a-z0-9]{0,62})")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")

TOOL_GROUPS = frozenset({"kustomize.config.k8s.io", "zone-audit"})
"""Groups of files that only tools read; no cluster holds such objects."""

WITHOUT_SPEC = frozenset({"Secret", "ConfigMap"})
"""Kinds that carry data which must never be kept, whatever field it hides in."""


def words(text: str) -> frozenset[str]:
    """The words of a text, for long lists of names."""
    return frozenset(text.split())


_BUILT_IN = frozenset({"", "apps", "batch", "extensions", "networking.k8s.io"})
_CLUSTER_GROUPS = frozenset({"config.openshift.io", "admissionregistration.k8s.io", "user.openshift.io"})
"""Groups all of whose kinds are cluster-scoped."""

_CLUSTER_SCOPED = words("""
    Namespace Node PersistentVolume ComponentStatus
    ClusterRole.rbac.authorization.k8s.io ClusterRoleBinding.rbac.authorization.k8s.io
    ClusterRole.authorization.openshift.io ClusterRoleBinding.authorization.openshift.io
    CustomResourceDefinition.apiextensions.k8s.io APIService.apiregistration.k8s.io
    StorageClass.storage.k8s.io CSIDriver.storage.k8s.io CSINode.storage.k8s.io VolumeAttachment.storage.k8s.io
    PriorityClass.scheduling.k8s.io RuntimeClass.node.k8s.io CertificateSigningRequest.certificates.k8s.io
    IngressClass.networking.k8s.io IPAddress.networking.k8s.io ServiceCIDR.networking.k8s.io
    GatewayClass.gateway.networking.k8s.io
    AdminNetworkPolicy.policy.networking.k8s.io BaselineAdminNetworkPolicy.policy.networking.k8s.io
    ClusterNetworkPolicy.policy.networking.k8s.io
    GlobalNetworkPolicy.crd.projectcalico.org GlobalNetworkPolicy.projectcalico.org
    StagedGlobalNetworkPolicy.crd.projectcalico.org StagedGlobalNetworkPolicy.projectcalico.org
    GlobalNetworkSet.crd.projectcalico.org GlobalNetworkSet.projectcalico.org
    HostEndpoint.crd.projectcalico.org HostEndpoint.projectcalico.org
    IPPool.crd.projectcalico.org IPPool.projectcalico.org Tier.crd.projectcalico.org Tier.projectcalico.org
    CiliumClusterwideNetworkPolicy.cilium.io CiliumNode.cilium.io CiliumEgressGatewayPolicy.cilium.io
    ClusterNetworkPolicy.crd.antrea.io Tier.crd.antrea.io ClusterGroup.crd.antrea.io Egress.crd.antrea.io
    EgressIP.k8s.ovn.org ClusterUserDefinedNetwork.k8s.ovn.org AdminPolicyBasedExternalRoute.k8s.ovn.org
    HostSubnet.network.openshift.io NetNamespace.network.openshift.io ClusterNetwork.network.openshift.io
    HostSubnet NetNamespace ClusterNetwork
    ClusterNetworkConnect.k8s.ovn.org RouteAdvertisements.k8s.ovn.org
    CloudPrivateIPConfig.cloud.network.openshift.io
    VolumeSnapshotClass.snapshot.storage.k8s.io VolumeSnapshotContent.snapshot.storage.k8s.io
    ClusterResourceQuota.quota.openshift.io Config.imageregistry.operator.openshift.io
    MachineConfig.machineconfiguration.openshift.io MachineConfigPool.machineconfiguration.openshift.io
    Project.project.openshift.io SecurityContextConstraints.security.openshift.io Network.operator.openshift.io
""")
"""Kind keys of objects that have no namespace."""

_NAMESPACED = words("""
    ConfigMap Secret ServiceAccount Endpoints PersistentVolumeClaim ResourceQuota LimitRange Event PodTemplate
    Route EgressNetworkPolicy Role.rbac.authorization.k8s.io RoleBinding.rbac.authorization.k8s.io
    Ingress.networking.k8s.io Ingress.extensions EndpointSlice.discovery.k8s.io Lease.coordination.k8s.io
    PodDisruptionBudget.policy HorizontalPodAutoscaler.autoscaling ControllerRevision.apps
    Route.route.openshift.io IngressController.operator.openshift.io Template.template.openshift.io
    EgressNetworkPolicy.network.openshift.io EgressRouter.network.operator.openshift.io
    EgressFirewall.k8s.ovn.org EgressQoS.k8s.ovn.org EgressService.k8s.ovn.org UserDefinedNetwork.k8s.ovn.org
    NetworkPolicy.crd.projectcalico.org NetworkPolicy.projectcalico.org
    StagedNetworkPolicy.crd.projectcalico.org StagedNetworkPolicy.projectcalico.org
    NetworkSet.crd.projectcalico.org NetworkSet.projectcalico.org
    CiliumNetworkPolicy.cilium.io NetworkPolicy.crd.antrea.io
    MultiNetworkPolicy.k8s.cni.cncf.io NetworkAttachmentDefinition.k8s.cni.cncf.io
    Gateway.gateway.networking.k8s.io HTTPRoute.gateway.networking.k8s.io GRPCRoute.gateway.networking.k8s.io
    TCPRoute.gateway.networking.k8s.io TLSRoute.gateway.networking.k8s.io UDPRoute.gateway.networking.k8s.io
    ReferenceGrant.gateway.networking.k8s.io
    AuthorizationPolicy.security.istio.io PeerAuthentication.security.istio.io Gateway.networking.istio.io
    VirtualService.networking.istio.io ServiceEntry.networking.istio.io Sidecar.networking.istio.io
    VolumeSnapshot.snapshot.storage.k8s.io CSIStorageCapacity.storage.k8s.io MachineSet.machine.openshift.io
    Role.authorization.openshift.io RoleBinding.authorization.openshift.io
    RoleBindingRestriction.authorization.openshift.io
    PodNetworkConnectivityCheck.controlplane.operator.openshift.io
    VirtualMachineInstance.kubevirt.io Rollout.argoproj.io
""")
"""Kind keys of objects that live in `default` when they name no namespace, beside the kinds of GROUPS."""


_VERSIONS: Mapping[str, tuple[str, ...]] = {
    "": ("v1",),
    "apps": ("v1", "v1beta2", "v1beta1"),
    "extensions": ("v1beta1",),
    "batch": ("v1", "v1beta1", "v2alpha1"),
    "networking.k8s.io": ("v1", "v1beta1"),
    "apps.openshift.io": ("v1",),
    "route.openshift.io": ("v1",),
    "kubevirt.io": ("v1", "v1alpha3"),
}
"""Every version that any release of the API server knew of the groups whose objects are read, newest first."""
_VERSIONS_OF_KIND: Mapping[str, tuple[str, ...]] = {"NetworkPolicy.networking.k8s.io": ("v1",), "Job.batch": ("v1",)}


def _names() -> Mapping[str, frozenset[str]]:
    """Group to the names of its kinds that are known here."""
    pairs = [(kind, group) for kind, groups in GROUPS.items() for group in groups]
    pairs += [(kind, group) for kind, _, group in (key.partition(".") for key in _NAMESPACED | _CLUSTER_SCOPED)]
    return {group: frozenset(kind for kind, own in pairs if own == group) for _, group in pairs}


_NAMES = _names()


class NoSuchKindError(ValueError):
    """What is wrong with an API version and kind, in words for a user."""

    def __init__(self, reason: str, field: str, hint: str = "") -> None:
        super().__init__(reason)
        self.field = field
        """`apiVersion` or `kind`."""
        self.hint = hint


class Kind(msgspec.Struct, frozen=True, gc=False):
    """One kind of one API version."""

    group: str
    version: str
    kind: str
    key: str
    """The kind itself for those of GROUPS and of the core group; `Kind.group` otherwise."""
    body: Any
    """Struct to decode into."""
    namespaced: bool | None
    """None for a kind that is not known here: its namespace stays as written."""

    def namespace(self, written: str) -> str:
        """Where the object lives; empty for cluster-scoped kinds."""
        if self.namespaced is False:
            return ""
        return written or ("default" if self.namespaced else "")


@lru_cache(1024)
def kind_of(api_version: str, kind: str) -> Kind:
    """The kind that the two words name; NoSuchKindError if they are none, or if Kubernetes has no such kind there."""
    match = _API_VERSION.fullmatch(api_version)
    if not match:
        raise NoSuchKindError(f"`apiVersion: {api_version}` is not `group/version` or `version`", "apiVersion")
    if not _KIND.fullmatch(kind):
        raise NoSuchKindError(f"`kind: {kind}` is not the name of a kind", "kind")
    group, version = match["group"] or "", match["version"]
    known = group in GROUPS.get(kind, ())
    reason = f"Kubernetes has no kind `{kind}` in `{api_version}`"
    if kind in GROUPS and not known and "." not in group:
        raise NoSuchKindError(reason, "apiVersion", _expected_groups(kind))
    if meant := _meant(group, kind):
        raise NoSuchKindError(reason, "kind", f"did you mean `{meant}`?")
    versions = _versions(group, kind)
    if versions and version not in versions:
        raise NoSuchKindError(reason, "apiVersion", f"did you mean `{f'{group}/' if group else ''}{versions[0]}`?")
    key = kind_key(group, kind)
    body = BODY.get(kind, RawBody) if known else BODY_OF_KEY.get(key, RawBody)
    return Kind(group, version, kind, key, body, _scope(key, group, known=known))


def kind_key(group: str, kind: str) -> str:
    """The key of a snapshot under which objects of this kind stand."""
    return kind if not group or group in GROUPS.get(kind, ()) else f"{kind}.{group}"


def is_namespaced(group: str, kind: str) -> bool | None:
    """Whether objects of the kind live in namespaces; None for a kind that is not known here."""
    return _scope(kind_key(group, kind), group, known=group in GROUPS.get(kind, ()))


def is_known(key: str) -> bool:
    """Whether kinds of this key have a meaning here, or are known to have none, beside those of GROUPS."""
    return key in _NAMESPACED or key in _CLUSTER_SCOPED


def _expected_groups(kind: str) -> str:
    groups = sorted(GROUPS[kind], reverse=True)
    return "it is a kind of " + " or ".join(f"`{group or 'v1'}`" for group in groups)


def _meant(group: str, kind: str) -> str:
    """The kind of this group that a word means in other case, plural or letters; empty if it is one, or quite another.

    Letters count in the groups of Kubernetes itself only: others have kinds that nobody here knows.
    """
    names = _NAMES.get(group, frozenset())
    if kind in names:
        return ""
    for name in sorted(names):
        word = name.lower()
        if kind.lower() in (word, f"{word}s", f"{word}es", f"{word.removesuffix('y')}ies"):
            return name
    near = difflib.get_close_matches(kind, sorted(names), n=1, cutoff=0.85) if group in _BUILT_IN else []
    return near[0] if near else ""


def _versions(group: str, kind: str) -> tuple[str, ...]:
    """The versions of a kind that is read; empty for the others."""
    return _VERSIONS_OF_KIND.get(f"{kind}.{group}") or (
        _VERSIONS.get(group, ()) if kind in _NAMES.get(group, ()) else ()
    )


def _scope(key: str, group: str, *, known: bool) -> bool | None:
    if key in _CLUSTER_SCOPED or group in _CLUSTER_GROUPS:
        return False
    return True if known or key in _NAMESPACED else None
