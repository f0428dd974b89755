"""`zone-audit who-can`: what a person or a script gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

ROLES = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: edit}
rules:
- {verbs: [get], apiGroups: [""], resources: [pods]}
- {verbs: [patch], apiGroups: [networking.k8s.io], resources: [networkpolicies]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: one}
rules:
- {verbs: ["*"], apiGroups: ["", example.org], resources: [namespaces, widgets], resourceNames: [web, gone]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenants, namespace: web}
roleRef: {kind: ClusterRole, name: edit}
subjects: [{kind: Group, name: team}, {kind: Group, name: outside}, {kind: ServiceAccount, name: ci}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: other, namespace: app}
roleRef: {kind: ClusterRole, name: edit}
subjects: [{kind: User, name: "=cmd\\e[31m"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: labels}
roleRef: {kind: ClusterRole, name: one}
subjects: [{kind: User, name: olga}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: waits, namespace: app}
roleRef: {kind: Role, name: nothing}
subjects: [{kind: User, name: olga}]
---
apiVersion: user.openshift.io/v1
kind: Group
metadata: {name: team}
users: [bob, alice]
"""


@pytest.fixture(autouse=True)
def cluster(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(ROLES)


def test_the_table_shows_holder_place_members_and_the_chain_with_its_places(run: Run) -> None:
    done = run("who-can", "patch", "networkpolicies", "-n", "web", "cluster.yaml")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert [line.split("  ")[0] for line in lines] == [
        "SUBJECT",
        "Group outside",
        "Group team",
        "ServiceAccount web/ci",
    ]
    chain = "RoleBinding web/tenants (cluster.yaml:14) -> ClusterRole edit (cluster.yaml:1) -> rule 1"
    assert all(line.endswith(chain) for line in lines[1:])
    assert "alice, bob" in lines[2]
    assert "not known" in lines[1]


def test_what_it_cannot_see_is_said_on_standard_error(run: Run) -> None:
    said = run("who-can", "patch", "networkpolicies", "-n", "web", "cluster.yaml").stderr.decode()
    for part in (
        "system:masters may do everything",
        "no Group object tells who is in outside",
        "1 binding names a role that the input does not hold: Role nothing",
        "impersonate",
        "other authorizers",
    ):
        assert part in said


def test_without_a_namespace_every_namespace_is_listed(run: Run) -> None:
    out = run("who-can", "patch", "networkpolicies", "cluster.yaml").stdout.decode()
    assert "namespace web" in out
    assert "namespace app" in out


def test_rights_on_some_names_say_which(run: Run) -> None:
    out = run("who-can", "patch", "namespaces", "cluster.yaml").stdout.decode()
    assert "gone, web" in out
    assert "User olga" in run("who-can", "patch", "namespaces/web", "cluster.yaml").stdout.decode()
    assert run("who-can", "patch", "namespaces/app", "cluster.yaml").stdout.decode().startswith("nobody")
    assert run("who-can", "create", "namespaces", "cluster.yaml").stdout.decode().startswith("nobody")


def test_json_holds_the_answer_and_its_notes(run: Run) -> None:
    done = run("who-can", "patch", "networkpolicies", "-n", "app", "cluster.yaml", "-f", "json")
    answer = json.loads(done.stdout)
    assert answer["schema"] == "zone-audit.who-can/1"
    assert (answer["verb"], answer["resource"], answer["namespace"]) == (
        "patch",
        "networkpolicies.networking.k8s.io",
        "app",
    )
    (holder,) = answer["holders"]
    assert holder["subject"] == {"kind": "User", "namespace": "", "name": "=cmd\x1b[31m"}
    assert holder["through"][0]["rule"] == 1
    assert holder["through"][0]["binding"]["file"] == "cluster.yaml"
    assert answer["notes"]


def test_hostile_names_harm_neither_terminal_nor_spreadsheet(run: Run) -> None:
    for form in ("table", "csv"):
        out = run("who-can", "patch", "networkpolicies", "-n", "app", "cluster.yaml", "-f", form).stdout
        assert b"\x1b" not in out
        assert b"\\x1b[31m" in out


def test_a_slip_in_the_resource_is_answered_with_what_was_meant(run: Run) -> None:
    done = run("who-can", "patch", "netwrkpolicies", "cluster.yaml")
    assert done.returncode == 2
    assert b"did you mean `networkpolicies`?" in done.stderr
    assert run("who-can", "patch", "pods/", "cluster.yaml").returncode == 2


def test_resources_that_only_a_role_names_are_known_with_their_group(run: Run) -> None:
    done = run("who-can", "get", "widgets.example.org", "-n", "web", "cluster.yaml")
    assert b"User olga" in done.stdout
    assert b"widgets.example.org" in run("who-can", "get", "widgets", "cluster.yaml").stderr


def test_input_without_roles_or_bindings_is_incomplete(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ns.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n")
    done = run("who-can", "patch", "networkpolicies", "ns.yaml")
    assert done.returncode == 3
    assert b"the input holds no roles and no bindings" in done.stderr


def test_output_goes_to_a_file_by_its_suffix(run: Run, tmp_path: Path) -> None:
    assert run("who-can", "patch", "networkpolicies", "cluster.yaml", "-o", "who.csv").returncode == 0
    assert (tmp_path / "who.csv").read_text().startswith("subject,where,only,members,through\n")
