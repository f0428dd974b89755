"""Who may do what in a generated cluster: roles, groups of developers, and the bindings of each namespace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cluster_objects import Document, metadata

RBAC = "rbac.authorization.k8s.io"
READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete", "deletecollection")
POLICY_GROUPS = ("networking.k8s.io", "extensions")
DEVELOPERS = "zone-developer"
"""The role that developers hold in place of `edit`: policies are not theirs."""
GROUP_SIZE = 6


def rule(groups: Sequence[str], resources: Sequence[str], verbs: Sequence[str]) -> Document:
    """One rule of a role."""
    return {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}


WORKLOADS = (
    rule([""], ["pods", "configmaps", "persistentvolumeclaims", "serviceaccounts", "services"], [*READ, *WRITE]),
    rule(["apps", "batch"], ["deployments", "statefulsets", "daemonsets", "jobs", "cronjobs"], [*READ, *WRITE]),
    rule(["route.openshift.io"], ["routes"], [*READ, *WRITE]),
    rule(POLICY_GROUPS, ["networkpolicies"], READ),
)
EDIT = (
    *WORKLOADS,
    rule(POLICY_GROUPS, ["networkpolicies", "ingresses"], WRITE),
    rule([""], ["secrets", "pods/exec", "pods/attach", "pods/portforward"], [*READ, *WRITE]),
    rule(["route.openshift.io"], ["routes/custom-host"], ["create"]),
)
"""The built-in role, shortened to what matters here."""
ADMIN = (*EDIT, rule([RBAC], ["roles", "rolebindings"], [*READ, *WRITE]))
VIEW = (rule(["", "apps", *POLICY_GROUPS], ["pods", "services", "deployments", "networkpolicies"], READ),)
OWNED = (
    rule(POLICY_GROUPS, ["networkpolicies"], [*READ, *WRITE]),
    rule([""], ["namespaces", "resourcequotas"], [*READ, *WRITE]),
    rule([""], ["nodes"], [*READ, "update", "patch"]),
    rule(["storage.k8s.io"], ["storageclasses"], [*READ, *WRITE]),
    rule(["k8s.ovn.org"], ["egressips", "egressfirewalls"], [*READ, *WRITE]),
    rule(["operator.openshift.io"], ["ingresscontrollers"], [*READ, *WRITE]),
    rule(["config.openshift.io"], ["projects", "schedulers"], [*READ, "update", "patch"]),
)
"""What network security owns."""


def cluster_role(name: str, *rules: Document, **labels: str) -> Document:
    """One ClusterRole."""
    meta = metadata(name, labels=labels)
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta, "rules": list(rules)}


def aggregate(name: str) -> Document:
    """A ClusterRole that takes its rules from those with its label, as the built-in ones do."""
    rules = {"admin": ADMIN, "edit": EDIT, "view": VIEW}[name]
    selector = {"matchLabels": {f"{RBAC}/aggregate-to-{name}": "true"}}
    return {**cluster_role(name, *rules), "aggregationRule": {"clusterRoleSelectors": [selector]}}


def binding(name: str, role: str, subject: Document, space: str = "") -> Document:
    """A ClusterRole given to one subject, in one namespace or everywhere."""
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding" if space else "ClusterRoleBinding",
        "metadata": metadata(name, space),
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }


def group(name: str) -> Document:
    """A group as subject."""
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


def account(space: str, name: str) -> Document:
    """A service account as subject."""
    return {"kind": "ServiceAccount", "namespace": space, "name": name}


def roles() -> Iterator[Document]:
    """The cluster roles, the group that owns zoning, and what is bound everywhere.

    Nobody holds `self-provisioner`: projects come from the platform team.
    """
    yield cluster_role("cluster-admin", rule(["*"], ["*"], ["*"]))
    parts: dict[str, tuple[Document, ...]] = {"admin": ADMIN, "edit": EDIT, "view": VIEW}
    for name, rules in parts.items():
        yield aggregate(name)
        yield cluster_role(f"system:aggregate-to-{name}", *rules, **{f"{RBAC}/aggregate-to-{name}": "true"})
    yield cluster_role("self-provisioner", rule(["project.openshift.io"], ["projectrequests"], ["create"]))
    yield cluster_role("system:image-puller", rule(["image.openshift.io"], ["imagestreams/layers"], ["get"]))
    yield cluster_role("system:deployer", rule([""], ["pods"], [*READ, "create"]), rule([""], ["pods/log"], ["get"]))
    yield cluster_role(DEVELOPERS, *WORKLOADS)
    yield cluster_role("zoning-owner", *OWNED)
    yield people("netsec", ("nora", "niels"))
    yield binding("cluster-admin", "cluster-admin", group("system:masters"))
    yield binding("zoning-owners", "zoning-owner", group("netsec"))


def people(name: str, users: Sequence[str]) -> Document:
    """One Group of OpenShift."""
    meta: dict[str, Any] = metadata(name)
    return {"apiVersion": "user.openshift.io/v1", "kind": "Group", "metadata": meta, "users": list(users)}


def group_name(team: str, zone: str) -> str:
    """`team-42-internal`."""
    return f"{team}-{zone}"


def developers(team: str, zone: str) -> Document:
    """Whoever of a team works in one zone."""
    return people(group_name(team, zone), [f"{zone}.{team}.{number}" for number in range(GROUP_SIZE)])


def service_account(space: str) -> Document:
    """The one that pods run with."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("default", space)}


def bindings(space: str, team: str, zone: str, *, edited: bool) -> Iterator[Document]:
    """What OpenShift binds in every project, and the developers of its team; `edited` plants the built-in role."""
    everybody = group(f"system:serviceaccounts:{space}")
    yield binding("system:image-pullers", "system:image-puller", everybody, space)
    yield binding("system:deployers", "system:deployer", account(space, "deployer"), space)
    yield binding("developers", DEVELOPERS, group(group_name(team, zone)), space)
    if edited:
        yield binding("developers-edit", "edit", group(group_name(team, zone)), space)
