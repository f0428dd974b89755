"""What an account may not list, what a cluster does not have and what is down are three things, and none is nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.api_resources import API_SERVICES, RESOURCES, Resource
from audit.collection import Order, access
from tests.collection.reading import KEYS
from tests.live import accounts
from tests.live.client import Client, several
from tests.live.collecting import Collector, collected, collector, kinds
from tests.live.population import create, pods
from tests.live.serving import Server, running

DOWN = Resource("apps.openshift.io", "DeploymentConfig", "deploymentconfigs")
_PATIENCE = 30.0


@pytest.fixture(scope="module")
def without(server: Server) -> dict[str, Collector]:
    """By kind, a reader who may list everything but that kind."""

    def made(key: str) -> Collector:
        one = KEYS[key]
        name = f"no-{one.name}-{one.group}".rstrip("-").replace(".", "-")
        return collector(server, accounts.token(server, name, accounts.reading(without=[one])))

    return dict(zip(KEYS, several(made, KEYS), strict=True))


@pytest.mark.parametrize("key", KEYS)
def test_a_kind_that_may_not_be_listed_is_forbidden_and_no_other_is(without: dict[str, Collector], key: str) -> None:
    others = ("Pod", "NetworkPolicy", "Namespace", "Node")
    found = without[key](kinds(*others, key))
    entry = found.ledger[key]
    assert entry.status == "forbidden"
    assert "403" in entry.reason
    assert f'cannot list resource "{KEYS[key].name}"' in entry.reason
    assert not found.kept.objects(key)
    assert {e.status for e in found.manifest.ledger if e.kind != key} == {"complete"}


def test_an_account_that_may_list_nothing_gets_a_ledger_that_says_so(server: Server) -> None:
    found = collector(server, accounts.token(server, "stranger"))()
    assert {e.status for e in found.manifest.ledger} == {"forbidden"}
    assert not found.kept.lists


def test_an_account_of_some_namespaces_reads_those_and_the_ledger_names_them(server: Server) -> None:
    own = ("db", "web")
    rules = [*accounts.reading(), {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]
    reader = collector(server, accounts.token(server, "of-two", rules, own))
    found = reader(
        kinds("Pod", "NetworkPolicy", "Route.route.openshift.io", "Node", "EgressIP.k8s.ovn.org"), namespaces=own
    )
    for key in ("Pod", "NetworkPolicy", "Namespace"):
        entry = found.ledger[key]
        assert (entry.status, tuple(sorted(entry.namespaces))) == ("partial", own)
    assert {p["metadata"]["namespace"] for p in found.kept.objects("Pod")} == set(own)
    assert sorted(found.kept.names("Namespace")) == list(own)
    assert {found.ledger[key].status for key in ("Node", "EgressIP.k8s.ovn.org")} == {"forbidden"}
    assert {e.status for e in reader().manifest.ledger} == {"forbidden"}, "nobody asked for namespaces"


def test_a_pod_reads_with_its_own_account_and_with_the_token_that_is_in_its_file_by_then(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "ca.crt").write_bytes(server.authority.pem)
    (tmp_path / "token").write_text("ended\n")
    there = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.port)}
    reached = access(environment=there, service_account=tmp_path)
    (tmp_path / "token").write_text(accounts.token(server, "renewed", accounts.reading()) + "\n")
    found = collected(reached, Order(wanted=kinds("Pod", "Node")))
    assert {e.status for e in found.manifest.ledger} == {"complete"}
    assert found.manifest.cluster.user.endswith(":renewed")


# A server with few kinds ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without any custom resource, but with what no cluster is without: a node and a pod."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}
    with running(tmp_path_factory.mktemp("bare")) as started:
        create(started.admin, [node, *pods(1)])
        yield started


def test_kinds_that_a_cluster_does_not_have_are_absent_with_proof_and_empty_ones_are_complete(bare: Server) -> None:
    found = collector(bare, bare.admin_token)()
    native = {key for key, one in KEYS.items() if not one.group or "." not in one.group or _native(one.group)}
    absent = {e.kind for e in found.manifest.ledger if e.status == "absent"}
    assert {e.status for e in found.manifest.ledger} == {"absent", "complete"}
    assert absent == KEYS.keys() - native
    assert all(e.proof for e in found.manifest.ledger if e.status == "absent")
    assert (found.ledger["Pod"].objects, found.ledger["Service"].objects) == (1, 1)
    assert found.ledger["Ingress.networking.k8s.io"].objects == 0


def _native(group: str) -> bool:
    """Whether every API server serves the group."""
    head = group.removesuffix(".k8s.io")
    return head in {"networking", "discovery", "rbac.authorization", "storage", "admissionregistration"}


def test_a_weak_account_is_not_told_by_a_403_that_a_kind_is_absent(bare: Server) -> None:
    """The server answers 403 for kinds it has and for kinds it has not; only discovery tells them apart."""
    found = collector(bare, accounts.token(bare, "weak"))()
    strong = collector(bare, bare.admin_token)()
    assert {e.kind for e in found.manifest.ledger if e.status == "absent"} == {
        e.kind for e in strong.manifest.ledger if e.status == "absent"
    }
    assert {e.status for e in found.manifest.ledger} == {"absent", "forbidden"}


# An extension that is down -------------------------------------------------------------------------------------------


@pytest.fixture
def broken(bare: Server) -> Iterator[Server]:
    """With an API whose server nobody runs."""
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{DOWN.group}"},
        "spec": {
            "group": DOWN.group,
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": "default", "name": "nobody"},
        },
    }
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    create(bare.admin, [service])
    _await_stale(bare.admin)
    yield bare
    bare.admin.must("DELETE", f"{path}/v1.{DOWN.group}")


def _await_stale(admin: Client) -> None:
    end = time.monotonic() + _PATIENCE
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    while True:
        groups = admin.must("GET", "/apis", accept=accept)["items"]
        if any(g["metadata"]["name"] == DOWN.group and g["versions"][0].get("freshness") == "Stale" for g in groups):
            return
        assert time.monotonic() < end, "the extension is not seen to be down"
        time.sleep(0.1)


def test_an_api_that_is_down_is_unavailable_and_not_absent(broken: Server) -> None:
    entry = collector(broken, broken.admin_token)().ledger[DOWN.kind]
    assert entry.status == "unavailable"
    assert entry.reason


def test_an_api_that_is_down_does_not_hide_that_others_are_absent(broken: Server) -> None:
    ledger = collector(broken, broken.admin_token)().ledger
    assert ledger["Route.route.openshift.io"].status == "absent"
    assert ledger["Pod"].status == "complete"


def test_who_may_not_see_which_apis_are_down_gets_no_proof_of_absence_from_a_list_that_lacks_them(
    broken: Server,
) -> None:
    rules = [rule for rule in accounts.reading() if rule["apiGroups"] != [API_SERVICES.group]]
    ledger = collector(broken, accounts.token(broken, "unaware", rules))().ledger
    assert ledger["DeploymentConfig"].status in ("unavailable", "forbidden")
    assert {ledger[key].status for key, one in KEYS.items() if one.group in ("", "apps")} == {"complete"}
    assert len(RESOURCES) == len(ledger)
