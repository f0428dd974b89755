"""Every kind that a snapshot of a cluster is asked for: API group, kind, resource as access rights name it.

Source: the API references of Kubernetes, OpenShift and the projects whose groups these are. Discovery says which of
them a cluster has, and in which versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_KINDS: Mapping[str, Mapping[str, str]] = {
    "": {
        "Namespace": "namespaces",
        "Node": "nodes",
        "Pod": "pods",
        "Service": "services",
        "Endpoints": "endpoints",
        "ReplicationController": "replicationcontrollers",
        "PersistentVolume": "persistentvolumes",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "ResourceQuota": "resourcequotas",
    },
    "apps": {
        "Deployment": "deployments",
        "StatefulSet": "statefulsets",
        "DaemonSet": "daemonsets",
        "ReplicaSet": "replicasets",
    },
    "batch": {"Job": "jobs", "CronJob": "cronjobs"},
    "networking.k8s.io": {
        "NetworkPolicy": "networkpolicies",
        "Ingress": "ingresses",
        "IngressClass": "ingressclasses",
    },
    "discovery.k8s.io": {"EndpointSlice": "endpointslices"},
    "rbac.authorization.k8s.io": {
        "Role": "roles",
        "RoleBinding": "rolebindings",
        "ClusterRole": "clusterroles",
        "ClusterRoleBinding": "clusterrolebindings",
    },
    "storage.k8s.io": {"StorageClass": "storageclasses"},
    "snapshot.storage.k8s.io": {
        "VolumeSnapshot": "volumesnapshots",
        "VolumeSnapshotContent": "volumesnapshotcontents",
        "VolumeSnapshotClass": "volumesnapshotclasses",
    },
    "admissionregistration.k8s.io": {
        "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
        "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
        "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
        "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
        "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    },
    "policy.networking.k8s.io": {
        "AdminNetworkPolicy": "adminnetworkpolicies",
        "BaselineAdminNetworkPolicy": "baselineadminnetworkpolicies",
        "ClusterNetworkPolicy": "clusternetworkpolicies",
    },
    "gateway.networking.k8s.io": {
        "Gateway": "gateways",
        "GatewayClass": "gatewayclasses",
        "HTTPRoute": "httproutes",
        "GRPCRoute": "grpcroutes",
        "TLSRoute": "tlsroutes",
        "TCPRoute": "tcproutes",
        "UDPRoute": "udproutes",
        "ReferenceGrant": "referencegrants",
    },
    "config.openshift.io": {
        "ClusterVersion": "clusterversions",
        "DNS": "dnses",
        "Infrastructure": "infrastructures",
        "Ingress": "ingresses",
        "Network": "networks",
        "Project": "projects",
        "Scheduler": "schedulers",
    },
    "operator.openshift.io": {"IngressController": "ingresscontrollers", "Network": "networks"},
    "imageregistry.operator.openshift.io": {"Config": "configs"},
    "controlplane.operator.openshift.io": {"PodNetworkConnectivityCheck": "podnetworkconnectivitychecks"},
    "route.openshift.io": {"Route": "routes"},
    "apps.openshift.io": {"DeploymentConfig": "deploymentconfigs"},
    "template.openshift.io": {"Template": "templates"},
    "quota.openshift.io": {"ClusterResourceQuota": "clusterresourcequotas"},
    "security.openshift.io": {"SecurityContextConstraints": "securitycontextconstraints"},
    "user.openshift.io": {"Group": "groups"},
    "network.openshift.io": {
        "ClusterNetwork": "clusternetworks",
        "EgressNetworkPolicy": "egressnetworkpolicies",
        "HostSubnet": "hostsubnets",
        "NetNamespace": "netnamespaces",
    },
    "network.operator.openshift.io": {"EgressRouter": "egressrouters"},
    "cloud.network.openshift.io": {"CloudPrivateIPConfig": "cloudprivateipconfigs"},
    "k8s.ovn.org": {
        "AdminPolicyBasedExternalRoute": "adminpolicybasedexternalroutes",
        "ClusterNetworkConnect": "clusternetworkconnects",
        "ClusterUserDefinedNetwork": "clusteruserdefinednetworks",
        "EgressFirewall": "egressfirewalls",
        "EgressIP": "egressips",
        "EgressService": "egressservices",
        "RouteAdvertisements": "routeadvertisements",
        "UserDefinedNetwork": "userdefinednetworks",
    },
    "k8s.cni.cncf.io": {
        "MultiNetworkPolicy": "multi-networkpolicies",
        "NetworkAttachmentDefinition": "network-attachment-definitions",
    },
    "metallb.io": {"IPAddressPool": "ipaddresspools"},
    "cilium.io": {
        "CiliumClusterwideNetworkPolicy": "ciliumclusterwidenetworkpolicies",
        "CiliumLocalRedirectPolicy": "ciliumlocalredirectpolicies",
        "CiliumNetworkPolicy": "ciliumnetworkpolicies",
    },
    "crd.projectcalico.org": {
        "GlobalNetworkPolicy": "globalnetworkpolicies",
        "HostEndpoint": "hostendpoints",
        "NetworkPolicy": "networkpolicies",
    },
    "projectcalico.org": {
        "GlobalNetworkPolicy": "globalnetworkpolicies",
        "HostEndpoint": "hostendpoints",
        "NetworkPolicy": "networkpolicies",
    },
    "crd.antrea.io": {"ClusterNetworkPolicy": "clusternetworkpolicies", "NetworkPolicy": "networkpolicies"},
    "kubeovn.io": {"SecurityGroup": "security-groups", "Subnet": "subnets"},
    "kyverno.io": {"ClusterPolicy": "clusterpolicies", "Policy": "policies"},
    "mutations.gatekeeper.sh": {"Assign": "assign", "ModifySet": "modifyset"},
    "templates.gatekeeper.sh": {"ConstraintTemplate": "constrainttemplates"},
    "policy.linkerd.io": {
        "AuthorizationPolicy": "authorizationpolicies",
        "Server": "servers",
        "ServerAuthorization": "serverauthorizations",
    },
    "security.istio.io": {
        "AuthorizationPolicy": "authorizationpolicies",
        "PeerAuthentication": "peerauthentications",
    },
    "kubevirt.io": {"VirtualMachine": "virtualmachines"},
}


OLD_DOORS: Mapping[str, str] = {
    **{
        kind: f"{kind}.{group}"
        for group, kinds in {
            "network.openshift.io": ("ClusterNetwork", "EgressNetworkPolicy", "HostSubnet", "NetNamespace"),
            "route.openshift.io": ("Route",),
            "quota.openshift.io": ("ClusterResourceQuota",),
            "networking.k8s.io": ("Ingress",),
            "gateway.networking.k8s.io": ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"),
        }.items()
        for kind in kinds
    },
    "Ingress.extensions": "Ingress.networking.k8s.io",
    **{
        f"{kind}.authorization.openshift.io": f"{kind}.rbac.authorization.k8s.io"
        for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    },
}
"""Kind keys of files to those under which every API server of today serves the same objects: it is asked for these."""
POLICY_NAMES = ("NetworkPolicy", "SecurityPolicy", "FirewallPolicy", "NetworkFirewall")
"""Endings of kinds that decide about traffic in whatever group: plug-ins that nobody here knows bring such kinds."""
STAGED = tuple(f"Staged{kind}" for kind in ("NetworkPolicy", "GlobalNetworkPolicy", "KubernetesNetworkPolicy"))
"""Kinds of Calico that only show what a policy would do."""
NO_TRAFFIC = frozenset({("policy", "PodSecurityPolicy"), ("extensions", "PodSecurityPolicy")})
"""Kinds with such a name that decide nothing about traffic."""
PUBLISHING_GROUPS = frozenset(
    {
        "networking.istio.io",
        "traefik.io",
        "traefik.containo.us",
        "projectcontour.io",
        "configuration.konghq.com",
        "k8s.nginx.org",
        "getambassador.io",
        "apisix.apache.org",
        "ingress.v1.haproxy.org",
        "gateway.solo.io",
        "serving.knative.dev",
    }
)
"""Groups of routers that are not modelled: whatever Service an object of theirs names, anywhere, may be published."""


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """One kind of an API group."""

    group: str
    """Empty for the core group."""
    kind: str
    name: str
    """Plural in lower case."""


RESOURCES: tuple[Resource, ...] = tuple(
    Resource(group, kind, name) for group, kinds in _KINDS.items() for kind, name in kinds.items()
)
"""All of them, in the order of groups above."""
API_SERVICES = Resource("apiregistration.k8s.io", "APIService", "apiservices")
"""Who serves which group. With them, a kind is proven absent even while an extension that has nothing to do with it is
down; no verdict reads them, so that no snapshot holds them."""


QUIET_GROUPS = frozenset({
    "build.openshift.io", "custom.metrics.k8s.io", "external.metrics.k8s.io", "image.openshift.io", "metrics.k8s.io",
    "oauth.openshift.io", "packages.operators.coreos.com", "subresources.kubevirt.io", "upload.cdi.kubevirt.io",
})  # fmt: skip
"""Groups of extensions that decide no traffic, so that nothing is lost while their servers are down."""


def unmodelled(served: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Of the kinds that an API server serves, (group, kind), the groups that may decide traffic and that nobody reads.

    Sorted; what `Manifest.unmodelled_groups` is to hold. A group of which no kind is known (its kind is empty) may hold
    any: nobody shows that it does not.
    """
    asked = {(one.group, one.kind) for one in RESOURCES} | NO_TRAFFIC
    known = {one.group for one in RESOURCES} | QUIET_GROUPS
    found = {
        group
        for group, kind in served
        if (group, kind) not in asked
        and (
            group in PUBLISHING_GROUPS
            or (kind.endswith(POLICY_NAMES) and kind not in STAGED)
            or (not kind and group not in known)
        )
    }
    return tuple(sorted(found))


def reading_role(resources: Iterable[Resource], name: str = "zone-audit-reader") -> str:
    """The ClusterRole, as YAML, that lets an account list these resources and nothing else."""
    by_group: dict[str, list[str]] = {}
    for one in sorted(set(resources)):
        by_group.setdefault(one.group, []).append(one.name)
    lines = [
        "apiVersion: rbac.authorization.k8s.io/v1",
        "kind: ClusterRole",
        "metadata:",
        f"  name: {name}",
        "rules:",
    ]
    for group, listed in by_group.items():
        lines += [f'- apiGroups: ["{group}"]', f"  resources: [{', '.join(sorted(listed))}]", "  verbs: [list]"]
    return "\n".join(lines) + "\n"
