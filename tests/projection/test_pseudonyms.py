"""Tokens for users and groups hide names and keep who is who."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from audit import sources
from audit.access.index import Access
from audit.access.subjects import Subject
from audit.projection import Pseudonyms, project
from tests.projection.projecting import KEYS, Json, one, read, written
from tests.samples.running import ROOT, SAMPLES

KEY = Pseudonyms(b"key of a test")
RBAC = "rbac.authorization.k8s.io/v1"


def test_a_token_depends_on_name_and_key_only() -> None:
    assert KEY.of("alice") == Pseudonyms(b"key of a test").of("alice") == "anon-010a89c6d2e61772"
    assert len({KEY.of("alice"), KEY.of("Alice"), KEY.of("bob"), Pseudonyms(b"other").of("alice")}) == 4
    assert Pseudonyms.fresh().of("alice") != Pseudonyms.fresh().of("alice")
    assert KEY.of(KEY.of("alice")) == KEY.of("alice")


@pytest.mark.parametrize(
    "name", ["system:admin", "system:serviceaccount:a:b", "system:authenticated", "system:serviceaccounts:a", ""]
)
def test_names_of_the_system_stay(name: str) -> None:
    assert KEY.of(name) == name


def _object(version: str, kind: str, **fields: object) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}} | fields


def test_a_person_has_one_token_wherever_it_is_named() -> None:
    alice, team = KEY.of("alice"), KEY.of("team")
    subjects = [{"kind": kind, "name": "alice"} for kind in ("User", "Group", "ServiceAccount")]
    older = {"userNames": ["alice", "system:admin"], "groupNames": ["team", "system:authenticated"]}
    role = {"kind": "ClusterRole", "name": "edit"}
    bound = one(_object(RBAC, "RoleBinding", roleRef=role, subjects=subjects), KEY)
    assert [each["name"] for each in bound["subjects"]] == [alice, alice, "alice"]
    bound = one(_object("authorization.openshift.io/v1", "RoleBinding", roleRef=role, **older), KEY)
    assert (bound["userNames"], bound["groupNames"]) == ([alice, "system:admin"], [team, "system:authenticated"])
    group = one(_object("user.openshift.io/v1", "Group", metadata={"name": "team"}, users=["alice"]), KEY)
    assert (group["metadata"]["name"], group["users"]) == (team, [alice])
    holders = {"users": ["alice", "system:serviceaccount:a:b"], "groups": ["team", "system:nodes"]}
    constraints = one(_object("security.openshift.io/v1", "SecurityContextConstraints", **holders), KEY)
    assert constraints["users"] == [alice, "system:serviceaccount:a:b"]
    assert constraints["groups"] == [team, "system:nodes"]
    asked = {"openshift.io/requester": "alice"}
    namespace = one(_object("v1", "Namespace", metadata={"name": "x", "annotations": asked}), KEY)
    quota = one(
        _object("quota.openshift.io/v1", "ClusterResourceQuota", spec={"selector": {"annotations": asked}}), KEY
    )
    assert namespace["metadata"]["annotations"] == quota["spec"]["selector"]["annotations"]
    assert namespace["metadata"]["annotations"] == {"openshift.io/requester": alice}


def test_rights_to_act_as_somebody_name_tokens_and_other_rights_names() -> None:
    rules = [
        {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["alice"]},
        {"verbs": ["get"], "apiGroups": [""], "resources": ["services"], "resourceNames": ["alice"]},
    ]
    role = one(_object(RBAC, "ClusterRole", rules=rules), KEY)
    assert [rule["resourceNames"] for rule in role["rules"]] == [[KEY.of("alice")], ["alice"]]


@pytest.mark.parametrize("sample", SAMPLES)
def test_who_may_do_what_is_the_same_under_tokens(sample: str, tmp_path: Path) -> None:
    manifests = ROOT / "sample_snapshots" / sample / "manifests"
    plain, hidden = (
        Access(sources.read([str(written(read(manifests), tmp_path / f"{names is None}.json", names))]))
        for names in (None, KEY)
    )
    assert [_hidden(one.subjects) for one in plain.bindings] == [one.subjects for one in hidden.bindings]
    members = {KEY.of(name): tuple(sorted(map(KEY.of, users))) for name, users in plain.groups.members.items()}
    assert members == hidden.groups.members


def _hidden(subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    return tuple(each if each.kind == "ServiceAccount" else each._replace(name=KEY.of(each.name)) for each in subjects)


def test_no_name_of_a_person_is_left_and_doing_it_twice_changes_nothing() -> None:
    manifests = ROOT / "sample_snapshots" / "four-zones" / "manifests"
    text = io.BytesIO()
    for kind, item in read(manifests):
        if kind.key in KEYS:
            kept = project(kind, item, KEY)
            assert project(kind, kept, KEY) == kept
            text.write(kept + b"\n")
    plain = [json.loads(project(kind, item)) for kind, item in read(manifests) if "Binding" in kind.kind]
    named = {each["name"] for value in plain for each in value.get("subjects", ()) if each["kind"] in ("User", "Group")}
    people = {name for name in named if not name.startswith("system:")}
    assert people
    listed = re.findall(r'"subjects":\[.*?\]', text.getvalue().decode())
    assert not [name for name in people if any(f'"{name}"' in part for part in listed)]
