"""The corners of access rights, each by name."""

from __future__ import annotations

import pytest

from audit.access.index import Request
from audit.access.matching import Right
from audit.errors import InputError
from tests.access.asking import access_of
from tests.access.slow import OLDER, RBAC, Json

ALICE: Json = {"kind": "User", "name": "alice"}
PATCH_POLICY = Request(Right("patch", "networking.k8s.io", "networkpolicies"), "web", "fence")
RELABEL = Request(Right("patch", "", "namespaces"), "", "web")


def role(*rules: Json, name: str = "r", kind: str = "ClusterRole", group: str = RBAC, **more: Json) -> Json:
    home = {"namespace": "web"} if kind == "Role" else {}
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": {"name": name, **home, **more.pop("metadata", {})},
        "rules": list(rules),
        **more,
    }


def rule(verb: str, group: str, resource: str, *names: str) -> Json:
    return {"verbs": [verb], "apiGroups": [group], "resources": [resource], "resourceNames": list(names)}


def bound(
    *subjects: Json, name: str = "r", kind: str = "ClusterRole", home: str = "web", group: str = RBAC, called: str = "b"
) -> Json:
    place = {"namespace": home} if home else {}
    ref = {"name": name} if group == OLDER else {"name": name, "kind": kind}
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding" if home else "ClusterRoleBinding",
        "metadata": {"name": called, **place},
        "roleRef": ref,
        "subjects": list(subjects or (ALICE,)),
    }


def may(request: Request, *objects: Json, user: str = "alice", groups: tuple[str, ...] = ()) -> bool:
    return access_of(list(objects)).allows(user, groups, request)


POLICIES = rule("patch", "networking.k8s.io", "networkpolicies")
EXEC = Request(Right("create", "", "pods", "exec"), "web", "pg-0")


@pytest.mark.parametrize(
    ("resource", "granted"),
    [("pods", False), ("pods/exec", True), ("pods/*", False), ("*/exec", True), ("*", True), ("*/*", False)],
)
def test_a_resource_leaves_out_its_subresources_and_only_some_stars_are_wildcards(
    resource: str, *, granted: bool
) -> None:
    assert may(EXEC, role(rule("create", "", resource)), bound()) is granted


def test_the_subresource_of_a_named_object_is_granted_by_its_name() -> None:
    objects = role(rule("create", "", "pods/exec", "pg-0")), bound()
    assert may(EXEC, *objects)
    assert not may(EXEC._replace(name="pg-1"), *objects)


@pytest.mark.parametrize("verb", ["create", "list", "watch", "deletecollection"])
def test_a_request_without_a_name_never_meets_a_rule_with_names(verb: str) -> None:
    objects = role(rule(verb, "", "secrets", "token")), bound()
    assert not may(Request(Right(verb, "", "secrets"), "web"), *objects)
    assert may(Request(Right(verb, "", "secrets"), "web", "token"), *objects), "as with a field selector for the name"


def test_a_binding_inside_a_namespace_gives_the_namespace_object_itself_and_no_other() -> None:
    objects = role(rule("patch", "", "namespaces")), bound()
    assert may(RELABEL, *objects)
    assert not may(RELABEL._replace(name="app"), *objects)


def test_cluster_admin_inside_a_namespace_relabels_it() -> None:
    assert may(RELABEL, role(rule("*", "*", "*")), bound())


@pytest.mark.parametrize("verb", ["create", "list"])
def test_a_binding_inside_a_namespace_neither_creates_nor_lists_namespaces(verb: str) -> None:
    assert not may(Request(Right(verb, "", "namespaces")), role(rule(verb, "", "namespaces")), bound())


def test_a_named_project_is_decided_within_itself_too() -> None:
    delete = Request(Right("delete", "project.openshift.io", "projects"), "", "web")
    assert may(delete, role(rule("delete", "project.openshift.io", "projects")), bound())


def test_no_other_resource_without_a_namespace_is_granted_inside_one() -> None:
    assert not may(Request(Right("patch", "", "nodes"), "", "web"), role(rule("patch", "", "nodes")), bound())


def test_a_service_account_is_also_a_user_of_that_name() -> None:
    user = "system:serviceaccount:ci:robot"
    objects = role(POLICIES), bound({"kind": "User", "name": user})
    assert may(PATCH_POLICY, *objects, user=user)
    account = {"kind": "ServiceAccount", "name": "robot", "namespace": "ci"}
    assert may(PATCH_POLICY, role(POLICIES), bound(account), user=user)


def test_a_service_account_without_a_namespace_is_that_of_the_binding() -> None:
    account = {"kind": "ServiceAccount", "name": "robot"}
    user = "system:serviceaccount:web:robot"
    assert may(PATCH_POLICY, role(POLICIES), bound(account), user=user)
    assert not may(PATCH_POLICY, role(POLICIES), bound(account, home=""), user=user), "a cluster-wide one has none"


def test_whoever_is_in_system_masters_passes_without_any_role() -> None:
    assert may(PATCH_POLICY, role(), groups=("system:masters",))


def test_a_binding_to_a_role_that_is_not_there_grants_nothing_and_is_kept() -> None:
    access = access_of([role(POLICIES), bound(name="gone")])
    assert not access.allows("alice", (), PATCH_POLICY)
    assert [one.role for one in access.dangling] == [("", "gone")]


def test_a_cluster_wide_binding_cannot_name_a_role_of_a_namespace() -> None:
    named_alike = role(POLICIES), role(POLICIES, kind="Role")
    assert not may(PATCH_POLICY, *named_alike, bound(kind="Role", home=""))


def test_a_role_counts_in_its_own_namespace_only() -> None:
    objects = role(POLICIES, kind="Role"), bound(kind="Role", home="app")
    assert not may(PATCH_POLICY._replace(namespace="app"), *objects)


def test_roles_are_aggregated_through_roles_that_are_aggregated_themselves() -> None:
    top, middle = {"to": "top"}, {"to": "middle"}
    objects = (
        role(name="a", aggregationRule={"clusterRoleSelectors": [{"matchLabels": top}]}),
        role(name="m", metadata={"labels": top}, aggregationRule={"clusterRoleSelectors": [{"matchLabels": middle}]}),
        role(POLICIES, name="z", metadata={"labels": middle}),
    )
    assert may(PATCH_POLICY, *objects, bound(name="a"))


def test_any_selector_of_an_aggregation_is_enough() -> None:
    selectors = [{"matchLabels": {"a": "1"}}, {"matchExpressions": [{"key": "b", "operator": "Exists"}]}]
    parts = (
        role(aggregationRule={"clusterRoleSelectors": selectors}),
        role(POLICIES, name="p", metadata={"labels": {"b": "x"}}),
    )
    assert may(PATCH_POLICY, *parts, bound())


def test_an_aggregation_that_no_api_server_takes_is_an_error() -> None:
    with pytest.raises(InputError, match="ClusterRole `r`: aggregationRule: unknown operator `Near`"):
        access_of(
            [role(aggregationRule={"clusterRoleSelectors": [{"matchExpressions": [{"key": "a", "operator": "Near"}]}]})]
        )


def test_what_both_apis_show_counts_once_as_rbac_shows_it() -> None:
    twins = role(POLICIES), role(group=OLDER), bound(), bound(group=OLDER)
    access = access_of(list(twins))
    assert len(access.roles) == len(access.bindings) == 1
    assert access.allows("alice", (), PATCH_POLICY)


def test_the_older_api_alone_is_read_too() -> None:
    old = {"verbs": ["patch"], "apiGroups": None, "resources": ["pods"]}
    patch = Request(Right("patch", "", "pods"), "web")
    assert may(patch, role(old, group=OLDER), bound({"kind": "SystemUser", "name": "alice"}, group=OLDER))
    assert not may(patch, role(old), bound()), "in RBAC no group means none"


@pytest.mark.parametrize(
    ("pattern", "granted"), [("/healthz", False), ("/healthz/*", True), ("/healthz*", True), ("*", True), ("/h", False)]
)
def test_paths_are_granted_cluster_wide_by_themselves_or_a_star_at_the_end(pattern: str, *, granted: bool) -> None:
    urls = role({"verbs": ["get"], "nonResourceURLs": [pattern]})
    assert access_of([urls, bound(home="")]).allows_url("alice", (), "get", "/healthz/etcd") is granted
    assert not access_of([urls, bound()]).allows_url("alice", (), "get", "/healthz/etcd")


def test_impersonation_escalation_and_binding_are_rights_of_their_own() -> None:
    objects = role(rule("*", "", "pods"), rule("impersonate", "", "users", "nora")), bound(home="")
    assert may(Request(Right("impersonate", "", "users"), "", "nora"), *objects)
    assert not may(Request(Right("impersonate", "", "users"), "", "olga"), *objects)
    assert not may(Request(Right("escalate", RBAC, "roles"), "web", "x"), *objects)


def test_groups_come_from_group_objects_and_from_what_a_user_is() -> None:
    crowd = {"apiVersion": "user.openshift.io/v1", "kind": "Group", "metadata": {"name": "team"}, "users": ["alice"]}
    groups = access_of([role(), crowd]).groups
    from audit.access.subjects import user

    assert groups.of(user("alice")) == ("team", "system:authenticated")
    assert groups.of(user("system:anonymous")) == ("system:unauthenticated",)
    assert "system:serviceaccounts:ci" in groups.of(user("system:serviceaccount:ci:robot"))
    assert groups.known("team")
    assert groups.known("system:serviceaccounts:ci")
    assert not groups.known("elsewhere")
