"""What a word for a resource means: group, name, subresource, object, and whether objects of it have a namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.access.index import OWN_NAMESPACE, Access
from audit.access.matching import EVERY, Right
from audit.errors import UsageError, did_you_mean

CLUSTER: Mapping[str, str] = {
    "": "namespaces nodes persistentvolumes users groups",
    "admissionregistration.k8s.io": "mutatingwebhookconfigurations validatingwebhookconfigurations "
    "validatingadmissionpolicies validatingadmissionpolicybindings mutatingadmissionpolicies "
    "mutatingadmissionpolicybindings",
    "apiextensions.k8s.io": "customresourcedefinitions",
    "apiregistration.k8s.io": "apiservices",
    "authentication.k8s.io": "userextras uids",
    "certificates.k8s.io": "certificatesigningrequests signers",
    "cilium.io": "ciliumclusterwidenetworkpolicies",
    "cloud.network.openshift.io": "cloudprivateipconfigs",
    "config.openshift.io": "apiservers infrastructures ingresses networks projects schedulers",
    "gateway.networking.k8s.io": "gatewayclasses",
    "k8s.ovn.org": "adminpolicybasedexternalroutes clusternetworkconnects clusteruserdefinednetworks egressips "
    "routeadvertisements",
    "machineconfiguration.openshift.io": "kubeletconfigs machineconfigpools machineconfigs",
    "network.openshift.io": "clusternetworks hostsubnets netnamespaces",
    "networking.k8s.io": "ingressclasses",
    "operator.openshift.io": "networks",
    "policy.networking.k8s.io": "adminnetworkpolicies baselineadminnetworkpolicies clusternetworkpolicies",
    "project.openshift.io": "projects projectrequests",
    "projectcalico.org": "globalnetworkpolicies globalnetworksets hostendpoints tiers",
    "crd.projectcalico.org": "globalnetworkpolicies globalnetworksets hostendpoints tiers",
    "quota.openshift.io": "clusterresourcequotas",
    "rbac.authorization.k8s.io": "clusterroles clusterrolebindings",
    "security.openshift.io": "securitycontextconstraints",
    "snapshot.storage.k8s.io": "volumesnapshotclasses volumesnapshotcontents",
    "storage.k8s.io": "storageclasses",
    "user.openshift.io": "groups identities useridentitymappings users",
}
"""Resources without a namespace, by group: rights on them come from cluster-wide bindings only."""
NAMESPACED: Mapping[str, str] = {
    "": "configmaps endpoints persistentvolumeclaims pods resourcequotas secrets serviceaccounts services",
    "apps": "daemonsets deployments replicasets statefulsets",
    "apps.openshift.io": "deploymentconfigs",
    "batch": "cronjobs jobs",
    "cilium.io": "ciliumnetworkpolicies",
    "discovery.k8s.io": "endpointslices",
    "gateway.networking.k8s.io": "gateways httproutes grpcroutes referencegrants tcproutes tlsroutes udproutes",
    "k8s.cni.cncf.io": "multi-networkpolicies network-attachment-definitions",
    "k8s.ovn.org": "egressfirewalls egressqoses egressservices userdefinednetworks",
    "machine.openshift.io": "machines machinesets",
    "network.openshift.io": "egressnetworkpolicies",
    "network.operator.openshift.io": "egressrouters",
    "networking.k8s.io": "ingresses networkpolicies",
    "operator.openshift.io": "ingresscontrollers",
    "rbac.authorization.k8s.io": "roles rolebindings",
    "route.openshift.io": "routes",
    "snapshot.storage.k8s.io": "volumesnapshots",
}
"""Resources whose objects have a namespace."""
_FIRST: Mapping[str, str] = {"ingresses": "networking.k8s.io", "networks": "operator.openshift.io"}
"""The group that a bare word means where several have such a resource."""
_IMPERSONATED = frozenset({"users", "groups"})
"""Resources of the core group for the verb `impersonate`, which is all they are there for."""
_SUBRESOURCES: Mapping[str, str] = {
    "pods": "attach binding ephemeralcontainers eviction exec log portforward proxy resize",
    "services": "proxy",
    "nodes": "configz log metrics proxy stats",
    "namespaces": "finalize",
    "serviceaccounts": "token",
    "routes": "custom-host",
    "certificatesigningrequests": "approval",
}
_OF_ANY = frozenset({"status", "scale"})
"""Subresources that any resource may have."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A resource that somebody asks about."""

    group: str
    resource: str
    subresource: str = ""
    name: str = ""
    """Of one object; empty for any."""

    def __str__(self) -> str:
        return str(Right("", self.group, self.resource, self.subresource)).strip() + (
            f"/{self.name}" if self.name else ""
        )

    @property
    def cluster(self) -> bool:
        """Whether only cluster-wide bindings can grant it, named Namespaces and projects apart."""
        return self.resource in CLUSTER.get(self.group, "").split()

    @property
    def own_namespace(self) -> bool:
        """Whether a named object is decided within the namespace of its name."""
        return (self.group, self.resource) in OWN_NAMESPACE


def asked(verb: str, text: str, access: Access) -> Asked:
    """What a word means: `networkpolicies`, `networkpolicies.networking.k8s.io`, `pods/exec`, `namespaces/web`.

    After a stroke stands a subresource, where the resource has one of that name, or the name of an object. Resources
    that only roles of the input name are known as well. UsageError for any other word.
    """
    word, stroke, rest = text.partition("/")
    resource, dot, group = word.lower().partition(".")
    if not resource or (stroke and not rest) or (dot and not group):
        raise UsageError(f"`{text}` is not a resource", hint="write `pods`, `pods/exec` or `namespaces/web`")
    named = _named(access)
    group = group or _group(verb, resource, named)
    below = rest in _OF_ANY or rest in _SUBRESOURCES.get(resource, "").split() or f"{resource}/{rest}" in named
    return Asked(group, resource, rest if below else "", "" if below else rest)


def _group(verb: str, resource: str, named: Mapping[str, tuple[str, ...]]) -> str:
    """The group of a bare word."""
    if resource == EVERY or (resource in _IMPERSONATED and verb == "impersonate"):
        return EVERY if resource == EVERY else ""
    if resource in _FIRST:
        return _FIRST[resource]
    known = _known()
    if resource in known:
        return known[resource]
    groups = [group for group in named.get(resource, ()) if group != EVERY]
    if len(groups) == 1:
        return groups[0]
    if groups:
        hint = f"write `{resource}.{groups[0] or groups[1]}`"
        raise UsageError(f"`{resource}` is a resource of several groups", hint=hint)
    plain = {one for one in named if "/" not in one and one != EVERY}
    raise UsageError(f"unknown resource `{resource}`", hint=did_you_mean(resource, {*known, *plain}))


def _known() -> Mapping[str, str]:
    """Resource to group; of several groups that have it, the last one: `user.openshift.io` for users."""
    return {one: group for table in (NAMESPACED, CLUSTER) for group, listed in table.items() for one in listed.split()}


def _named(access: Access) -> Mapping[str, tuple[str, ...]]:
    """Every resource that some rule names, with the groups of those rules."""
    found: dict[str, set[str]] = {}
    for rules in {id(role.rules): role.rules for role in access.roles.values()}.values():
        for rule in rules:
            for resource in rule.resources or ():
                found.setdefault(resource, set()).update(rule.apiGroups or ())
    return {resource: tuple(sorted(groups)) for resource, groups in found.items()}
