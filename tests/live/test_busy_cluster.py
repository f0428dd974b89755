"""What is collected from a busy cluster is one state of it, complete, and read page by page."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from audit.api_resources import API_SERVICES, RESOURCES
from tests.collection.reading import KEYS, Collected
from tests.live import accounts
from tests.live.client import Client, several
from tests.live.collecting import Collector, collector, kinds
from tests.live.population import Places, create, pods
from tests.live.serving import Server, running

Json = Any
PAGE = 500
PODS = 1300
SNAPSHOTS = 20
CHAIN = ("Pod", "Service", "NetworkPolicy", "Route.route.openshift.io")
"""Kinds in the order in which the writer makes objects of a name; it removes them the other way round."""


@pytest.fixture(scope="module")
def filled(server: Server, admin: Client) -> Server:
    create(admin, list(pods(PODS)))
    return server


@pytest.fixture(scope="module")
def collect(filled: Server) -> Collector:
    return collector(filled, accounts.token(filled, "cutter", accounts.reading()))


def test_every_kind_comes_complete_at_one_resource_version(collect: Collector, admin: Client, places: Places) -> None:
    found = collect()
    assert {(e.status, e.cut, e.resource_version, e.skew) for e in found.manifest.ledger} == {
        ("complete", "exact", found.manifest.resource_version, 0.0)
    }
    assert {e.kind for e in found.manifest.ledger if not e.objects} == set()
    for key, one in KEYS.items():
        there = admin.must("GET", places.everywhere(one.group, one.kind))["items"]
        assert sorted(found.kept.names(key)) == sorted(item["metadata"]["name"] for item in there), key


def test_the_manifest_says_which_cluster_it_was_and_as_whom_it_was_read(collect: Collector, admin: Client) -> None:
    manifest = collect(kinds()).manifest
    system = admin.must("GET", "/api/v1/namespaces/kube-system")["metadata"]["uid"]
    assert (manifest.cluster.uid, manifest.cluster.version) == (system, collect.server.version)
    assert manifest.cluster.user == f"system:serviceaccount:{accounts.NAMESPACE}:cutter"
    assert manifest.cluster.ca_sha256 == collect.server.authority.sha256


def test_many_objects_come_in_pages_each_object_once(collect: Collector, admin: Client) -> None:
    found = collect(kinds("Pod"))
    there = {(p["metadata"]["namespace"], p["metadata"]["name"]) for p in admin.must("GET", "/api/v1/pods")["items"]}
    here = [(p["metadata"]["namespace"], p["metadata"]["name"]) for p in found.kept.objects("Pod")]
    assert len(here) >= PODS
    assert sorted(here) == sorted(there)
    assert found.ledger["Pod"].pages == -(-len(here) // PAGE)


def _object(key: str, name: str) -> Json:
    metadata = {"name": name, "namespace": "churn"}
    specs: dict[str, tuple[str, Json]] = {
        "Pod": ("v1", {"containers": [{"name": "c", "image": "i"}]}),
        "Service": ("v1", {"selector": {"app": name}, "ports": [{"port": 80}]}),
        "NetworkPolicy": ("networking.k8s.io/v1", {"podSelector": {}}),
        "Route.route.openshift.io": ("route.openshift.io/v1", {"to": {"kind": "Service", "name": name, "weight": 1}}),
    }
    version, spec = specs[key]
    return {"apiVersion": version, "kind": KEYS[key].kind, "metadata": metadata, "spec": spec}


@contextmanager
def churn(admin: Client, places: Places) -> Iterator[Callable[[], int]]:
    """A writer that makes and removes chains of objects all the time; gives out how many it made so far."""
    create(admin, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "churn"}}])
    ended = threading.Event()
    made = itertools.count()
    done = [0]

    def write(_: int) -> None:
        while not ended.is_set():
            name = f"x-{next(made)}"
            for key in CHAIN:
                item = _object(key, name)
                admin.must("POST", places.of(item), item)
            for key in reversed(CHAIN):
                admin.must("DELETE", f"{places.of(_object(key, name))}/{name}", gracePeriodSeconds=0)
            done[0] += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield lambda: done[0]
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def broken(names: dict[str, set[str]]) -> list[str]:
    """Objects that no state of the cluster ever had without the one before them in the chain."""
    pairs = itertools.pairwise(CHAIN)
    return [f"{later} {name}" for earlier, later in pairs for name in sorted(names[later] - names[earlier])]


def names_of(found: Collected) -> dict[str, set[str]]:
    return {key: {name for name in found.kept.names(key) if name.startswith("x-")} for key in CHAIN}


def test_no_snapshot_of_a_busy_cluster_mixes_two_of_its_states(
    collect: Collector, admin: Client, places: Places
) -> None:
    seen: set[str] = set()
    with churn(admin, places) as made:
        for _ in range(SNAPSHOTS):
            found = collect(kinds(*CHAIN))
            assert {e.cut for e in found.manifest.ledger} == {"exact"}
            names = names_of(found)
            assert broken(names) == []
            seen |= names["Pod"]
        apart = _listed_one_after_the_other(admin, places, SNAPSHOTS)
        assert made() > SNAPSHOTS
    assert len(seen) > SNAPSHOTS / 2, "the writer has hardly been seen at work"
    assert apart > 0, "nothing broke in lists made one after the other, so that this test shows nothing"


def _listed_one_after_the_other(admin: Client, places: Places, times: int) -> int:
    """How often lists without a common resource version show what never was."""

    def names(key: str) -> set[str]:
        path = places.everywhere(KEYS[key].group, KEYS[key].kind)
        return {item["metadata"]["name"] for item in admin.must("GET", path)["items"]}

    return sum(bool(broken({k: {n for n in names(k) if n[:2] == "x-"} for k in CHAIN})) for _ in range(times))


# Forgotten resource versions -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A server whose lists come from etcd alone, as before 1.34, so that they are gone as soon as etcd forgets them."""
    with running(tmp_path_factory.mktemp("forgetful"), "--feature-gates=ListFromCacheSnapshot=false") as server:
        create(server.admin, list(pods(PODS)))
        yield collector(server, server.admin_token)


def forgetting(server: Server, times: int) -> Callable[[str, int, int], None]:
    """Lets etcd forget the resource version of the cut after the first page of pods, as often as told."""
    left = [times]

    def progress(what: str, done: int, total: int) -> None:
        if what == "pods" and 0 < done < total and left[0]:
            left[0] -= 1
            server.admin.must("POST", "/api/v1/namespaces", _namespace(f"later-{left[0]}-{times}"))
            server.compact()

    return progress


def _namespace(name: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def test_a_cut_that_the_server_forgot_is_made_anew(forgetful: Collector) -> None:
    found = forgetful(kinds("Pod", "Service"), forgetting(forgetful.server, 1))
    assert found.manifest.attempts == 2
    assert {(e.status, e.cut, e.resource_version) for e in found.manifest.ledger} == {
        ("complete", "exact", found.manifest.resource_version)
    }
    assert "later-0-1" in found.kept.names("Namespace"), "part of the first attempt was kept"
    assert len(found.kept.names("Pod")) == PODS == len(set(found.kept.names("Pod")))


def test_a_server_that_keeps_forgetting_gives_no_exact_cut_and_the_ledger_says_so(forgetful: Collector) -> None:
    found = forgetful(kinds("Pod", "Service"), forgetting(forgetful.server, 6))
    assert {(e.status, e.cut) for e in found.manifest.ledger} <= {("complete", "bracketed"), ("complete", "none")}
    assert found.manifest.attempts > 2
    assert len(found.kept.names("Pod")) == PODS == len(set(found.kept.names("Pod")))


# What an account may not do, and what it does -----------------------------------------------------------------------


def test_reading_leaves_nothing_but_lists_in_the_log_of_the_server(filled: Server) -> None:
    logged = collector(filled, accounts.token(filled, "logged", accounts.reading()))
    before = filled.audit_log.stat().st_size
    logged()
    events = [json.loads(line) for line in filled.audit_log.read_bytes()[before:].splitlines()]
    own = [e for e in events if e["user"]["username"].endswith(":logged")]
    lists = [e for e in own if e["verb"] == "list"]
    others = {(e["verb"], e["requestURI"].partition("?")[0]) for e in own if e["verb"] != "list"}
    assert others == {
        ("get", "/version"),
        ("get", "/api"),
        ("get", "/apis"),
        ("create", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
    }
    asked = {(e["objectRef"].get("apiGroup", ""), e["objectRef"]["resource"]) for e in lists}
    assert asked == {(one.group, one.name) for one in (*RESOURCES, API_SERVICES)}
    assert {e["responseStatus"]["code"] for e in lists} == {200}
    assert {"watch=" in e["requestURI"] for e in own} == {False}
    assert {e["objectRef"].get("subresource", "") for e in lists} == {""}


def test_several_may_read_at_once(collect: Collector) -> None:
    found = several(lambda _: collect(kinds("Pod", "NetworkPolicy")), range(3))
    assert len({one.manifest.resource_version for one in found}) == 1
    assert len({json.dumps(sorted(one.kept.names("Pod"))) for one in found}) == 1
