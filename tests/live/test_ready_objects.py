"""Objects that findings offer ready to apply are taken by a real API server, and the guard among them guards."""

from __future__ import annotations

import datetime as dt
import functools
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from audit.commands.scan import scan
from tests.live import accounts
from tests.live.client import Client
from tests.live.population import Places, create
from tests.live.serving import Server
from tests.live.test_sample_objects import SAMPLES

Json = Any
CREATED = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
GUARDED = "guarded"
_PATIENCE = 30.0


@functools.cache
def ready() -> dict[str, list[Json]]:
    """By rule, the complete objects in the fixes of findings in all samples, each once."""
    found: dict[str, list[Json]] = {}
    for sample in SAMPLES:
        report = scan((str(sample / "manifests"),), str(sample / "zones.yaml"), created=CREATED)
        for finding in report.findings:
            for text in finding.fix.split("\n\n")[1:]:
                found.setdefault(finding.rule, []).extend(_objects(text))
    return {rule: items for rule, items in found.items() if items}


def _objects(text: str) -> list[Json]:
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return []  # a command, not an object
    return [one for one in documents if isinstance(one, dict) and {"apiVersion", "kind", "metadata"} <= one.keys()]


def test_findings_offer_objects_of_many_kinds() -> None:
    assert len({item["kind"] for items in ready().values() for item in items}) > 5


def test_every_object_that_is_offered_is_taken(admin: Client, places: Places) -> None:
    wrong = []
    for rule, items in ready().items():
        for item in items:
            namespace = item["metadata"].get("namespace")
            if namespace:
                create(admin, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}])
            status, answer = admin.ask("POST", places.of(item), item, dryRun="All", fieldValidation="Strict")
            if status >= 300 and answer["reason"] != "AlreadyExists":
                wrong.append(f"{rule}: {answer['message']}")
    assert wrong == []


# The guard of OWN001: only who owns a zone changes its policies ------------------------------------------------------


def _policy(name: str) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": GUARDED},
        "spec": {"podSelector": {}},
    }


@pytest.fixture(scope="module")
def guard(admin: Client, places: Places) -> Iterator[None]:
    """In force."""
    items = list({item["kind"]: item for item in ready()["OWN001"]}.values())
    labels = {"network-zone": "dmz"}
    create(admin, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": GUARDED, "labels": labels}}])
    create(admin, items)
    yield
    for item in items:
        admin.must("DELETE", f"{places.of(item)}/{item['metadata']['name']}")


@pytest.fixture(scope="module")
def developer(server: Server) -> Client:
    """May do everything with network policies, as far as RBAC goes."""
    rules = [{"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["*"]}]
    return server.client(accounts.token(server, "developer", rules))


@pytest.mark.usefixtures("guard")
def test_the_offered_guard_keeps_all_but_owners_from_changing_policies_of_zones(
    admin: Client, developer: Client, places: Places
) -> None:
    path = places.of(_policy("any"))
    end = time.monotonic() + _PATIENCE
    status = 0
    while status != 422 and time.monotonic() < end:
        time.sleep(0.2)
        status, answer = developer.ask("POST", path, _policy("theirs"), dryRun="All")
    assert status == 422, "the guard never came into force"
    assert "zone-policies-belong-to-owners" in answer["message"]
    admin.must("POST", path, _policy("ours"))
    assert developer.ask("PATCH", f"{path}/ours", {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}})[0] == 422
    assert developer.ask("DELETE", f"{path}/ours")[0] == 422
    assert developer.ask("GET", f"{path}/ours")[0] == 200
    admin.must("DELETE", f"{path}/ours")


@pytest.mark.usefixtures("guard")
def test_the_offered_guard_leaves_other_namespaces_alone(developer: Client, places: Places) -> None:
    policy = _policy("theirs") | {"metadata": {"name": "theirs", "namespace": "web"}}
    assert developer.ask("POST", places.of(policy), policy, dryRun="All")[0] == 201
