"""Laws of who may change zoning: nothing that a rule grants is lost, and one cause is one holding."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import inventory, sources, zones
from audit.access.matching import Right, grants
from audit.control_bodies import PolicyRule
from audit.controls.ownership import Ownership, ownership
from audit.controls.ownership_guards import guards, kept, plural
from audit.controls.ownership_powers import FULL, POWERS, Table
from audit.controls.ownership_words import at_fault, commands, guard_policy
from audit.controls.scene import Scene
from audit.model import Defaults, MatrixMetadata, ObjectRef, Settings, Zone, ZoneMatrix

Json = dict[str, Any]
RBAC = "rbac.authorization.k8s.io/v1"
MATRIX = ZoneMatrix(
    metadata=MatrixMetadata(name="test"),
    settings=Settings(zoning_owners=("Group/netsec", "User/o'hara", "ServiceAccount/gitops/argocd")),
    defaults=Defaults(inter_zone="deny", intra_zone="allow", unzoned="fail", severity="high"),
    zones=(Zone(name="a"), Zone(name="b"), Zone(name="platform", kind="platform")),
    flows=(),
)
EDIT: Json = {
    "apiVersion": RBAC,
    "kind": "ClusterRole",
    "metadata": {"name": "edit"},
    "rules": [{"verbs": ["*"], "apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"]}],
}


def namespace(name: str, zone: str, **labels: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"network-zone": zone, **labels}},
    }


def bound(home: str, *subjects: Json, name: str = "t", role: str = "edit") -> Json:
    return {
        "apiVersion": RBAC,
        "kind": "RoleBinding" if home else "ClusterRoleBinding",
        "metadata": {"name": name, **({"namespace": home} if home else {})},
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": list(subjects),
    }


def scene_of(*objects: Json) -> Scene:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    found = inventory.build(sources.read(["-"], stdin=io.BytesIO(text.encode())))
    zone_map = zones.assign(MATRIX, found.namespaces.values(), found.nodes.values())
    return Scene(inventory=found, zone_map=zone_map, matrix=MATRIX)


def owned(*objects: Json) -> Ownership:
    return ownership(scene_of(*objects))


_GROUPS = sorted({kind.group for kinds in POWERS.values() for kind in kinds})
_NAMES = sorted({str(kind) for kinds in POWERS.values() for kind in kinds})
RULES = st.builds(
    PolicyRule,
    verbs=st.lists(
        st.sampled_from(("create", "get", "patch", "delete", "use", "bind", "*")), min_size=1, max_size=3
    ).map(tuple),
    apiGroups=st.lists(st.sampled_from((*_GROUPS, "*")), min_size=1, max_size=3).map(tuple),
    resources=st.lists(st.sampled_from((*_NAMES, "*", "*/exec", "*/status")), min_size=1, max_size=4).map(tuple),
    resourceNames=st.sampled_from((None, ("x",))),
)


@settings(max_examples=200, deadline=None)
@given(RULES)
def test_the_table_finds_every_verb_that_a_rule_grants_and_no_other(rule: PolicyRule) -> None:
    found = {(one.power, one.kind, verb) for one in Table().reaches([rule]) for verb in one.verbs}
    wanted = {
        (power, kind, verb)
        for power, kinds in POWERS.items()
        for kind in kinds
        for verb in kind.verbs
        if grants(rule, Right(verb, kind.group, kind.resource, kind.subresource))
        and not (rule.resourceNames and (verb == "deletecollection" or (verb == "create" and not kind.subresource)))
    }
    full = (
        all("*" in (words or ()) for words in (rule.verbs, rule.apiGroups, rule.resources)) and not rule.resourceNames
    )
    assert {one[0] for one in found} == {FULL} if full else found == wanted


def test_many_tenants_with_one_role_are_one_holding_with_the_role_at_fault() -> None:
    places = [namespace(f"n{n}", "ab"[n % 2]) for n in range(40)]
    given_to = [bound(f"n{n}", {"kind": "Group", "name": f"g{n % 8}"}) for n in range(40)]
    (holding,) = owned(EDIT, *places, *given_to).holdings["policies"]
    assert (len(holding.given), len(holding.namespaces), len(holding.subjects)) == (40, 40, 8)
    assert at_fault(holding) == (ObjectRef("ClusterRole", "", "edit"),)


def test_cluster_wide_bindings_and_bindings_of_namespaces_are_told_apart() -> None:
    eve = {"kind": "User", "name": "eve"}
    listed = owned(EDIT, namespace("web", "a"), bound("web", eve), bound("", eve)).holdings["policies"]
    assert [one.everywhere for one in listed] == [True, False]


@pytest.mark.parametrize(
    ("subject", "strange"),
    [
        ({"kind": "Group", "name": "netsec"}, False),
        ({"kind": "ServiceAccount", "name": "argocd", "namespace": "gitops"}, False),
        ({"kind": "ServiceAccount", "name": "argocd", "namespace": "web"}, True),
        ({"kind": "ServiceAccount", "name": "sa", "namespace": "openshift-sdn"}, False),
        ({"kind": "ServiceAccount", "name": "sa", "namespace": "kube-tenant"}, True),
        ({"kind": "User", "name": "system:kube-scheduler"}, False),
        ({"kind": "User", "name": "system:anonymous"}, True),
        ({"kind": "Group", "name": "system:nodes"}, False),
        ({"kind": "Group", "name": "system:authenticated"}, True),
        ({"kind": "Group", "name": "system:authenticated:oauth"}, True),
        ({"kind": "Group", "name": "system:unauthenticated"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:web"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:openshift-sdn"}, False),
    ],
)
def test_owners_are_the_declared_and_the_platform_and_nobody_who_is_everybody(subject: Json, *, strange: bool) -> None:
    found = owned(EDIT, namespace("web", "a"), namespace("kube-tenant", "b"), bound("web", subject))
    assert bool(found.holdings.get("policies")) is strange


def fence(*rules: Json, subject: Json | None = None, priority: int = 5) -> Json:
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": f"f{priority}"},
        "spec": {"priority": priority, "subject": subject or {"namespaces": {}}, "ingress": list(rules)},
    }


def rule(action: str, *, zone: str = "", ports: list[Json] | None = None) -> Json:
    peer: Json = {"namespaces": {"matchLabels": {"network-zone": zone}} if zone else {}}
    return {"name": "r", "action": action, "from": [peer], **({"ports": ports} if ports else {})}


PORT = [{"portNumber": {"protocol": "TCP", "port": 443}}]


@pytest.mark.parametrize(
    ("policies", "closed"),
    [
        ([fence(rule("Deny"))], True),
        ([fence(rule("Deny", zone="b"))], True),
        ([fence(rule("Deny", zone="a"))], False),
        ([fence(rule("Allow", ports=PORT), rule("Deny"))], True),
        ([fence(rule("Deny", ports=PORT))], False),
        ([fence(rule("Pass", zone="b", ports=PORT), rule("Deny"))], False),
        ([fence(rule("Pass", zone="a"), rule("Deny"))], True),
        ([fence(rule("Deny"), rule("Pass"))], True),
        ([fence(rule("Pass"), priority=1), fence(rule("Deny"))], False),
        (
            [
                fence(
                    rule("Deny"),
                    subject={"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"x": "y"}}}},
                )
            ],
            False,
        ),
        ([fence(rule("Deny"), subject={"namespaces": {"matchLabels": {"network-zone": "b"}}})], False),
        ([], False),
    ],
)
def test_the_admin_tier_protects_a_namespace_only_where_it_decides_everything(
    policies: list[Json], *, closed: bool
) -> None:
    objects = (EDIT, namespace("web", "a"), namespace("app", "b"), bound("web", {"kind": "User", "name": "eve"}))
    scene = scene_of(*objects, *policies)
    parts = list(kept(ownership(scene), guards(scene), "policies"))
    assert ("web" in guards(scene).decided, parts == []) == (closed, closed)


def test_namespaces_that_a_guard_looks_at_are_told_apart_from_others() -> None:
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "g"},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"network-zone": "a"}},
                "resourceRules": [{"apiGroups": ["*"], "operations": ["*"], "resources": ["networkpolicies"]}],
            }
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "g"},
        "spec": {"policyName": "g", "validationActions": ["Deny"]},
    }
    eve = {"kind": "User", "name": "eve"}
    scene = scene_of(
        EDIT, namespace("web", "a"), namespace("app", "b"), bound("web", eve), bound("app", eve), policy, binding
    )
    parts = {one.guards: one.holding.namespaces for one in kept(ownership(scene), guards(scene), "policies")}
    assert parts == {(): ("app",), ("ValidatingAdmissionPolicy g",): ("web",)}


def test_the_ready_guard_is_yaml_whatever_the_owners_are_called() -> None:
    policy, binding = yaml.safe_load_all(guard_policy(MATRIX.settings))
    condition = policy["spec"]["validations"][0]["expression"]
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert "'o\\'hara'" in condition
    assert "'system:serviceaccount:gitops:argocd'" in condition
    assert "'netsec'" in condition
    assert policy["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"][0]["key"] == "network-zone"


def test_commands_quote_what_a_shell_would_read() -> None:
    text = commands([ObjectRef("RoleBinding", "web", "a; rm -rf b"), ObjectRef("ClusterRoleBinding", "", "plain")])
    assert text == "kubectl delete rolebinding 'a; rm -rf b' -n web\nkubectl delete clusterrolebinding plain"


@pytest.mark.parametrize(
    ("kind", "resource"),
    [("NetworkPolicy", "networkpolicies"), ("Gateway", "gateways"), ("Ingress", "ingresses"), ("Pod", "pods")],
)
def test_kinds_have_their_plural(kind: str, resource: str) -> None:
    assert plural(kind) == resource
