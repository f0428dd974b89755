"""The role that we print lets an account list what the audit reads, and do nothing else."""

from __future__ import annotations

import pytest

from audit.api_resources import RESOURCES, Resource
from tests.live import accounts
from tests.live.client import Client, several
from tests.live.population import Places
from tests.live.serving import Server

VERBS = ("get", "watch", "create", "update", "patch", "delete", "deletecollection", "*")
FORBIDDEN = [
    ("list", "", "secrets", ""),
    ("get", "", "secrets", ""),
    ("list", "", "configmaps", ""),
    ("get", "", "configmaps", ""),
    ("list", "", "serviceaccounts", ""),
    ("list", "", "events", ""),
    ("create", "", "serviceaccounts", "token"),
    ("create", "", "pods", "exec"),
    ("get", "", "pods", "exec"),
    ("create", "", "pods", "attach"),
    ("create", "", "pods", "portforward"),
    ("create", "", "pods", "eviction"),
    ("create", "", "pods", "binding"),
    ("get", "", "pods", "log"),
    ("get", "", "pods", "proxy"),
    ("create", "", "pods", "proxy"),
    ("get", "", "services", "proxy"),
    ("get", "", "nodes", "proxy"),
    ("create", "", "nodes", "proxy"),
    ("get", "", "nodes", "metrics"),
    ("list", "", "pods", "status"),
    ("update", "", "pods", "ephemeralcontainers"),
    ("impersonate", "", "users", ""),
    ("impersonate", "", "groups", ""),
    ("impersonate", "", "serviceaccounts", ""),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles", ""),
    ("bind", "rbac.authorization.k8s.io", "clusterroles", ""),
    ("create", "authorization.k8s.io", "subjectaccessreviews", ""),
    ("create", "authorization.k8s.io", "localsubjectaccessreviews", ""),
    ("create", "authentication.k8s.io", "tokenreviews", ""),
    ("approve", "certificates.k8s.io", "signers", ""),
    ("create", "certificates.k8s.io", "certificatesigningrequests", ""),
    ("use", "security.openshift.io", "securitycontextconstraints", ""),
    ("update", "route.openshift.io", "routes", "custom-host"),
    ("list", "user.openshift.io", "users", ""),
    ("list", "user.openshift.io", "identities", ""),
    ("list", "oauth.openshift.io", "oauthaccesstokens", ""),
    ("list", "*", "*", ""),
    ("list", "", "*", ""),
    ("*", "*", "*", ""),
]
"""Verb, group, resource and subresource of what would show secrets, change something or lend rights."""


@pytest.fixture(scope="module")
def reader(server: Server) -> Client:
    return server.client(accounts.token(server, "reader", accounts.reading()))


def test_every_kind_that_the_audit_reads_may_be_listed(reader: Client) -> None:
    def refused(one: Resource) -> bool:
        return not reader.allowed("list", one.group, one.name)

    assert [one for one, bad in zip(RESOURCES, several(refused, RESOURCES), strict=True) if bad] == []


def test_nothing_but_lists_is_allowed_on_what_the_audit_reads(reader: Client) -> None:
    asked = [(verb, one.group, one.name) for one in RESOURCES for verb in VERBS]
    answers = several(lambda each: reader.allowed(*each), asked)
    assert [each for each, allowed in zip(asked, answers, strict=True) if allowed] == []


@pytest.mark.parametrize("right", FORBIDDEN, ids=" ".join)
def test_secrets_sessions_and_rights_of_others_stay_out_of_reach(
    reader: Client, admin: Client, right: tuple[str, str, str, str]
) -> None:
    verb, group, resource, subresource = right
    assert not reader.allowed(verb, group, resource, subresource=subresource)
    assert admin.allowed(verb, group, resource, subresource=subresource)


def test_a_list_succeeds_for_every_kind_and_a_get_for_none(reader: Client, places: Places) -> None:
    paths = [places.everywhere(one.group, one.kind) for one in RESOURCES]
    lists = several(lambda path: reader.ask("GET", path, limit=1)[0], paths)
    gets = several(lambda path: reader.ask("GET", f"{path}/any")[0], paths)
    assert (set(lists), set(gets)) == ({200}, {403})


def test_an_account_without_a_role_may_list_nothing(server: Server) -> None:
    nobody = server.client(accounts.token(server, "nobody"))
    assert [one for one in RESOURCES if nobody.allowed("list", one.group, one.name)] == []


def test_an_anonymous_client_and_a_wrong_token_read_nothing(server: Server) -> None:
    assert server.client().ask("GET", "/api/v1/namespaces")[0] == 403
    assert server.client("wrong").ask("GET", "/api/v1/namespaces")[0] == 401


def test_a_client_certificate_is_an_account_of_its_own(server: Server) -> None:
    person = server.client(pair=server.authority.issue("carol"))
    status, body = person.ask("GET", "/api/v1/pods")
    assert (status, body["reason"]) == (403, "Forbidden")
    assert 'User "carol" cannot list resource "pods"' in body["message"]
