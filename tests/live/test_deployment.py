"""A real API server takes what deploy/ renders, Pod Security admits the pods, and the account may read and no more."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.api_resources import API_SERVICES, RESOURCES
from tests.deploy.rendering import CHART, COMPONENTS, NEEDED, SCRIPTS, composed, helm, objects, pods, run
from tests.live import accounts
from tests.live.client import Client, several
from tests.live.population import Places, places
from tests.live.serving import Server

Json = Any
NAMESPACE = "zone-audit"
WITHOUT_SCHEMA = {"PodMonitor", "PrometheusRule"}
"""Kinds whose CRDs are not to be had here."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> str:
    return composed(tmp_path_factory.mktemp("everything"), "base", COMPONENTS)


@pytest.fixture(scope="module")
def applied(everything: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Json]]:
    """The objects, as `kubectl apply` leaves them on the server; they are gone afterwards, the namespace is not."""
    items = [one for one in objects(everything).values() if one["kind"] not in WITHOUT_SCHEMA]
    folder = tmp_path_factory.mktemp("apply")
    file = folder / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    kubeconfig = server.kubeconfig(folder / "kubeconfig", server.admin_token)
    kubectl = (SCRIPTS / "kubectl", f"--kubeconfig={kubeconfig}", f"--cache-dir={folder}")
    done = run(*kubectl, "apply", "--validate=strict", f"--filename={file}")
    assert "Warning" not in done.stderr  # of Pod Security, or of a deprecated version
    yield items
    where = places(server.admin)
    for item in items:
        if item["kind"] != "Namespace":
            server.admin.ask("DELETE", f"{where.of(item)}/{item['metadata']['name']}")


def pod(spec: Json) -> Json:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": NAMESPACE}, "spec": spec}


def test_pod_security_admits_every_pod(applied: list[Json], everything: str, admin: Client) -> None:
    assert applied
    for _, spec in pods(everything):
        admin.must("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", pod(spec), dryRun="All", fieldValidation="Strict")


def test_pod_security_refuses_a_pod_that_is_less_strict(applied: list[Json], everything: str, admin: Client) -> None:
    assert applied
    spec = dict(pods(everything))[NAMESPACE]
    for field in ("runAsNonRoot", "seccompProfile"):
        weaker = spec | {"securityContext": {k: v for k, v in spec["securityContext"].items() if k != field}}
        status, answer = admin.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", pod(weaker), dryRun="All")
        assert (status, answer["reason"]) == (403, "Forbidden")
        assert 'violates PodSecurity "restricted:latest"' in answer["message"]


@pytest.fixture(scope="module")
def token(applied: list[Json], admin: Client, server: Server) -> str:
    """Of the account of the scan, which may do what the applied binding says."""
    assert applied
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 1800}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/zone-audit/token"
    made = str(admin.must("POST", path, request)["status"]["token"])
    accounts.settle(server.client(made), accounts.reading())
    return made


def test_the_account_may_list_every_kind_and_nothing_else(token: str, server: Server) -> None:
    reader = server.client(token)
    asked = [(verb, one) for one in (*RESOURCES, API_SERVICES) for verb in ("list", "get", "watch", "create", "delete")]
    answers = several(lambda each: reader.allowed(each[0], each[1].group, each[1].name), asked)
    allowed = {each for each, may in zip(asked, answers, strict=True) if may}
    assert allowed == {("list", one) for one in (*RESOURCES, API_SERVICES)}
    for resource in ("secrets", "configmaps", "serviceaccounts"):
        assert not reader.allowed("list", "", resource)
    assert not reader.allowed("list", "openreports.io", "reports")


def test_the_account_collects_everything(token: str, server: Server, tmp_path: Path) -> None:
    kubeconfig = server.kubeconfig(tmp_path / "kubeconfig", token)
    run(sys.executable, "-m", "audit", "collect", "-o", tmp_path / "snapshot.zip", "--kubeconfig", kubeconfig)


def test_a_job_of_the_cron_job_is_taken(applied: list[Json], admin: Client, places: Places) -> None:
    """As `kubectl create job --from=cronjob/zone-audit` makes it."""
    (cron,) = [one for one in applied if one["kind"] == "CronJob" and one["metadata"]["name"] == NAMESPACE]
    metadata = {"name": "first", "namespace": NAMESPACE}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": cron["spec"]["jobTemplate"]["spec"]}
    made = admin.must("POST", places.of(job), job, dryRun="All", fieldValidation="Strict")
    assert [rule["action"] for rule in made["spec"]["podFailurePolicy"]["rules"]] == ["Ignore", "FailJob"]


def test_helm_installs_upgrades_and_removes_the_chart_and_leaves_the_reports(server: Server, tmp_path: Path) -> None:
    kubeconfig = server.kubeconfig(tmp_path / "kubeconfig", server.admin_token)
    at = (f"--kubeconfig={kubeconfig}", "--namespace=by-helm")
    server.admin.must(
        "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "by-helm"}}
    )
    done = helm("install", "second", CHART, *at, "--take-ownership", *NEEDED)
    assert done.returncode == 0, done.stderr
    namespace = server.admin.must("GET", "/api/v1/namespaces/by-helm")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert helm("upgrade", "second", CHART, *at, *NEEDED, "--set", "scan.keep=7").returncode == 0
    assert helm("uninstall", "second", *at).returncode == 0
    kept = server.admin.must("GET", "/api/v1/namespaces/by-helm/persistentvolumeclaims")["items"]
    assert [one["metadata"]["name"] for one in kept] == ["second-reports"]
    assert "deletionTimestamp" not in server.admin.must("GET", "/api/v1/namespaces/by-helm")["metadata"]
    assert server.admin.ask("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/second-reader")[0] == 404
