"""Rights that change what zoning rests on, as one table of powers.

A power is a set of verbs on some resources; whoever has any of them holds it. Source: docs/access.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from audit.access.matching import EVERY, Right, grants
from audit.control_bodies import PolicyRule

WRITE = ("create", "update", "patch", "delete", "deletecollection")
CHANGE = ("update", "patch")
ZONES, CLUSTER, OWN = "zones", "cluster", "own"
"""Where a right counts: in the namespaces of zones; everywhere or not at all; on the Namespace of that name. Any other
word is the one namespace in which it counts."""
FULL = "full"
"""Every verb on every resource: it holds all the other powers, and is told once instead of with each of them."""


class Kind(NamedTuple):
    """Verbs on one resource."""

    group: str
    resource: str
    where: str = ZONES
    verbs: tuple[str, ...] = WRITE
    subresource: str = ""

    def __str__(self) -> str:
        return self.resource + (f"/{self.subresource}" if self.subresource else "")


class Reach(NamedTuple):
    """What one rule of a role says of one power."""

    power: str
    kind: Kind
    rule: int
    """0-based index within the role."""
    verbs: tuple[str, ...]
    """Those of the kind that it grants, in order."""
    names: tuple[str, ...]
    """The only objects that it holds for; empty for all of them."""


def _kinds(group: str, resources: str, where: str = ZONES, verbs: tuple[str, ...] = WRITE) -> tuple[Kind, ...]:
    return tuple(
        Kind(group, resource, where, verbs, below)
        for resource, _, below in (word.partition("/") for word in resources.split())
    )


_RBAC = "rbac.authorization.k8s.io"
POWERS: Mapping[str, tuple[Kind, ...]] = {
    "policies": (*_kinds("networking.k8s.io", "networkpolicies"), *_kinds("extensions", "networkpolicies")),
    "engines": (
        *_kinds(
            "policy.networking.k8s.io",
            "adminnetworkpolicies baselineadminnetworkpolicies clusternetworkpolicies",
            CLUSTER,
        ),
        *(
            kind
            for group in ("projectcalico.org", "crd.projectcalico.org")
            for kind in (*_kinds(group, "globalnetworkpolicies tiers", CLUSTER), *_kinds(group, "networkpolicies"))
        ),
        *_kinds("cilium.io", "ciliumclusterwidenetworkpolicies", CLUSTER),
        *_kinds("cilium.io", "ciliumnetworkpolicies"),
        *_kinds("crd.antrea.io", "clusternetworkpolicies tiers", CLUSTER),
        *_kinds("crd.antrea.io", "networkpolicies"),
        *_kinds("k8s.cni.cncf.io", "multi-networkpolicies"),
    ),
    "membership": (
        *_kinds("", "namespaces", OWN, CHANGE),
        *_kinds("", "namespaces", CLUSTER, ("create",)),
        *_kinds("config.openshift.io", "projects", CLUSTER, CHANGE),
    ),
    "nodes": (
        *_kinds("", "nodes", CLUSTER, ("create", "update", "patch", "delete")),
        *_kinds("machine.openshift.io", "machines machinesets", "openshift-machine-api"),
        *_kinds("machineconfiguration.openshift.io", "machineconfigs machineconfigpools kubeletconfigs", CLUSTER),
        *_kinds("config.openshift.io", "schedulers", CLUSTER, CHANGE),
    ),
    "egress": (
        *_kinds("network.openshift.io", "netnamespaces hostsubnets clusternetworks", CLUSTER),
        *_kinds("network.openshift.io", "egressnetworkpolicies"),
        *_kinds(
            "k8s.ovn.org",
            "egressips adminpolicybasedexternalroutes clusteruserdefinednetworks clusternetworkconnects "
            "routeadvertisements",
            CLUSTER,
        ),
        *_kinds("k8s.ovn.org", "egressfirewalls egressservices userdefinednetworks"),
        *_kinds("k8s.cni.cncf.io", "network-attachment-definitions"),
        *_kinds("cloud.network.openshift.io", "cloudprivateipconfigs", CLUSTER),
        *_kinds("network.operator.openshift.io", "egressrouters"),
        *_kinds("operator.openshift.io", "networks", CLUSTER),
        *_kinds("config.openshift.io", "networks", CLUSTER, CHANGE),
    ),
    "shards": (
        *_kinds("operator.openshift.io", "ingresscontrollers", "openshift-ingress-operator"),
        *_kinds("config.openshift.io", "ingresses", CLUSTER, CHANGE),
        *_kinds("gateway.networking.k8s.io", "gatewayclasses", CLUSTER),
    ),
    "hosts": (
        *_kinds("route.openshift.io", "routes/custom-host", ZONES, ("create", "update", "patch")),
        *_kinds("route.openshift.io", "routes/status", ZONES, CHANGE),
    ),
    "storage": (
        *_kinds("", "resourcequotas"),
        *_kinds("quota.openshift.io", "clusterresourcequotas", CLUSTER),
        *_kinds("storage.k8s.io", "storageclasses", CLUSTER),
        *_kinds("", "persistentvolumes", CLUSTER),
        *_kinds("snapshot.storage.k8s.io", "volumesnapshotclasses volumesnapshotcontents", CLUSTER),
    ),
    "escalation": (
        *_kinds(_RBAC, "roles", ZONES, ("escalate", "bind")),
        *_kinds(_RBAC, "clusterroles", CLUSTER, ("escalate",)),
        *_kinds(_RBAC, "clusterroles", ZONES, ("bind",)),
        *_kinds("", "users groups", CLUSTER, ("impersonate",)),
        *_kinds("", "serviceaccounts", CLUSTER, ("impersonate",)),
        *_kinds("", "serviceaccounts/token", CLUSTER, ("create",)),
        *_kinds("user.openshift.io", "groups identities users useridentitymappings", CLUSTER),
        *_kinds("certificates.k8s.io", "certificatesigningrequests/approval", CLUSTER, CHANGE),
    ),
    "guards": (
        *_kinds(
            "admissionregistration.k8s.io",
            "validatingwebhookconfigurations mutatingwebhookconfigurations validatingadmissionpolicies "
            "validatingadmissionpolicybindings mutatingadmissionpolicies mutatingadmissionpolicybindings",
            CLUSTER,
        ),
        *_kinds("apiextensions.k8s.io", "customresourcedefinitions", CLUSTER, ("update", "patch", "delete")),
        *_kinds("apiregistration.k8s.io", "apiservices", CLUSTER),
    ),
    "doors": (
        *_kinds("", "pods/exec pods/attach pods/portforward", ZONES, ("create", "get")),
        *_kinds("", "pods/ephemeralcontainers", ZONES, CHANGE),
        *_kinds("", "pods/proxy services/proxy", ZONES, ("get", "create", "update", "patch", "delete")),
        *_kinds("", "nodes/proxy", CLUSTER, ("get", "create")),
    ),
    "leaving": (
        *_kinds("project.openshift.io", "projects", OWN, ("delete",)),
        *_kinds("", "namespaces", OWN, ("delete",)),
    ),
    "requests": _kinds("project.openshift.io", "projectrequests", CLUSTER, ("create",)),
    "constraints": _kinds("security.openshift.io", "securitycontextconstraints", ZONES, ("use",)),
}
"""Power to what it consists of. `gateways` have a place of their own: they matter where Gateways let others in."""
LEGACY = frozenset(f"{name}.openshift.io" for name in ("network", "route", "project", "quota", "security", "user"))
"""Groups whose resources OpenShift 3 served in the core group, too."""


class Table:
    """The powers of one cluster, ready to be looked up by rule."""

    def __init__(self, more: Iterable[tuple[str, Kind]] = (), *, legacy: bool = False) -> None:
        listed = [(power, kind) for power, kinds in POWERS.items() for kind in kinds]
        listed += more
        if legacy:
            listed += [(power, kind._replace(group="")) for power, kind in listed if kind.group in LEGACY]
        self._listed = tuple(listed)
        self._by_resource: dict[tuple[str, str], list[tuple[str, Kind]]] = {}
        for power, kind in listed:
            self._by_resource.setdefault((kind.group, str(kind)), []).append((power, kind))
        self.places = frozenset(kind.where for _, kind in listed) - {ZONES, CLUSTER, OWN}
        """Single namespaces in which some right counts."""
        self._known: dict[PolicyRule, tuple[Reach, ...]] = {}

    def reaches(self, rules: Iterable[PolicyRule]) -> tuple[Reach, ...]:
        """The powers that the rules of a role grant; those of FULL are FULL only."""
        found = []
        for number, rule in enumerate(rules):
            if rule not in self._known:
                self._known[rule] = tuple(self._reaches(rule))
            found += [reach._replace(rule=number) for reach in self._known[rule]]
        full = [reach for reach in found if reach.power == FULL]
        return tuple(full[:1] or found)

    def _reaches(self, rule: PolicyRule) -> Iterator[Reach]:
        names = rule.resourceNames or ()
        if not names and all(EVERY in (listed or ()) for listed in (rule.verbs, rule.apiGroups, rule.resources)):
            yield Reach(FULL, Kind(EVERY, EVERY, OWN, (EVERY,)), 0, (EVERY,), ())
            return
        for power, kind in self._candidates(rule):
            right = Right("", kind.group, kind.resource, kind.subresource)
            verbs = tuple(
                verb
                for verb in kind.verbs
                if not (names and _unnamed(verb, kind)) and grants(rule, right._replace(verb=verb))
            )
            if verbs:
                yield Reach(power, kind, 0, verbs, names)

    def _candidates(self, rule: PolicyRule) -> Iterable[tuple[str, Kind]]:
        """Kinds that the rule may name; all of them only for a rule with a wildcard."""
        groups, resources = rule.apiGroups or (), rule.resources or ()
        if EVERY in groups or any(one.startswith(EVERY) for one in resources):
            return self._listed
        return [
            one for group in groups for resource in resources for one in self._by_resource.get((group, resource), ())
        ]


def _unnamed(verb: str, kind: Kind) -> bool:
    """Whether requests with this verb name no object, so that a rule with names never grants them."""
    return verb == "deletecollection" or (verb == "create" and not kind.subresource)
