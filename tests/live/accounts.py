"""Accounts of a test server: service accounts with tokens that the server signs, and what they may do."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import yaml

from audit.api_resources import API_SERVICES, RESOURCES, Resource, reading_role
from tests.live.client import Client
from tests.live.population import create
from tests.live.serving import Server

Json = Any
NAMESPACE = "kube-public"
"""Where the service accounts are: one that every cluster has, and that belongs to the platform."""
_RBAC = "rbac.authorization.k8s.io"
_PATIENCE = 30.0


def token(server: Server, name: str, rules: Iterable[Json] = (), namespaces: Iterable[str] = ("",)) -> str:
    """Token of a new service account that may do from now on what the rules say, in these namespaces or in all."""
    admin, rules = server.admin, list(rules)
    role = _named(f"{_RBAC}/v1", "ClusterRole", name) | {"rules": rules}
    create(admin, [_named("v1", "ServiceAccount", name, NAMESPACE), role, *(_bound(name, one) for one in namespaces)])
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{name}/token"
    made = str(admin.must("POST", path, request)["status"]["token"])
    for namespace in namespaces:
        settle(server.client(made), rules, namespace)
    return made


def settle(client: Client, rules: list[Json], namespace: str = "") -> None:
    """Waits until the server knows of the rules: roles take effect a moment after they are made."""
    end = time.monotonic() + _PATIENCE
    for rule in rules[:1]:
        asked = rule["verbs"][0], rule["apiGroups"][0], rule["resources"][0]
        while not client.allowed(*asked, namespace=namespace):
            assert time.monotonic() < end, f"{rule} takes no effect"
            time.sleep(0.02)


def _named(version: str, kind: str, name: str, namespace: str = "") -> Json:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _bound(name: str, namespace: str) -> Json:
    """The role of that name for the account of that name, in a namespace or in all."""
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}
    return _named(f"{_RBAC}/v1", kind, name, namespace) | {"subjects": [subject], "roleRef": reference}


def reading(*, without: Iterable[Resource] = ()) -> list[Json]:
    """Rules of the role for readers, without some resources."""
    left_out = set(without)
    role = yaml.safe_load(reading_role([one for one in (*RESOURCES, API_SERVICES) if one not in left_out]))
    return list(role["rules"])
