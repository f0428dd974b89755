"""What a cluster does not have, what is down, and what only looks like either."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from audit.api_resources import API_SERVICES, RESOURCES, Resource
from audit.collection import Answer, Failure, Order
from audit.collection.discovery import Discovery, Version
from audit.collection.routes import routes
from audit.sources.kinds import kind_key
from tests.collection.living import Living, refused, said
from tests.collection.reading import KEYS, cluster, collected, wanted

ROUTE = "Route.route.openshift.io"
EVERY_FORM = pytest.mark.parametrize("aggregated", ["v2", "v2beta1", ""])
PLAIN = tuple(one for one in RESOURCES if one.group in ("", "apps", "batch", "networking.k8s.io"))
"""A cluster with little beside Kubernetes."""


@EVERY_FORM
def test_every_form_of_discovery_finds_every_kind(aggregated: str) -> None:
    found = collected(cluster(aggregated=aggregated))
    assert {one.status for one in found.ledger.values()} == {"complete"}


@EVERY_FORM
def test_what_no_discovery_shows_and_nobody_serves_is_absent_with_proof(aggregated: str) -> None:
    found = collected(cluster(served=PLAIN, aggregated=aggregated))
    for key, one in found.ledger.items():
        there = KEYS[key] in PLAIN
        assert one.status == ("complete" if there else "absent")
        assert there or (f"group `{one.group}`" in one.proof and f"404 at `/apis/{one.group}`" in one.proof)
        assert bool(one.version) == there


@EVERY_FORM
def test_a_resource_that_its_group_lacks_is_absent_by_a_question_for_the_resource(aggregated: str) -> None:
    served = tuple(one for one in RESOURCES if one.kind != "ClusterNetworkPolicy")
    entry = collected(cluster(served=served, aggregated=aggregated)).ledger[
        "ClusterNetworkPolicy.policy.networking.k8s.io"
    ]
    assert entry.status == "absent"
    assert entry.proof.endswith("404 at `/apis/policy.networking.k8s.io/v1/clusternetworkpolicies`")


@EVERY_FORM
@pytest.mark.parametrize("services", [None, ["", "route.openshift.io"]])
def test_a_group_whose_server_is_down_is_not_absent(aggregated: str, services: list[str] | None) -> None:
    served = tuple(one for one in RESOURCES if one.group != "route.openshift.io")
    living = cluster(served=served, stale=frozenset({"route.openshift.io"}), aggregated=aggregated, services=services)
    entry = collected(living).ledger[ROUTE]
    assert (entry.status, entry.proof) == ("unavailable", "")
    assert "the server of `route.openshift.io/v1` does not answer" in entry.reason


@EVERY_FORM
def test_while_another_group_is_down_a_missing_one_is_absent_only_by_the_api_services(aggregated: str) -> None:
    stale = frozenset({"metrics.k8s.io"})
    entry = collected(cluster(served=PLAIN, stale=stale, aggregated=aggregated)).ledger[ROUTE]
    assert entry.status == "unavailable"
    assert "metrics.k8s.io/v1" in entry.reason
    assert "APIServices" in entry.reason
    told = (*PLAIN, API_SERVICES)
    services = ["", "apps", "metrics.k8s.io"]
    found = collected(cluster(served=told, stale=stale, aggregated=aggregated, services=services))
    assert found.ledger[ROUTE].status == "absent"
    assert "APIServices" in found.ledger[ROUTE].proof


def test_a_group_that_an_api_service_names_is_not_absent_whatever_discovery_shows() -> None:
    services = ["", "apps", "route.openshift.io"]
    entry = collected(cluster(served=(*PLAIN, API_SERVICES), services=services)).ledger[ROUTE]
    assert (entry.status, entry.proof) == ("unavailable", "")
    assert "an APIService names group `route.openshift.io`" in entry.reason


@pytest.mark.parametrize("path", ["/api", "/apis"])
@pytest.mark.parametrize(
    "answer",
    [
        refused(403, "forbidden"),
        refused(404, "404 page not found"),
        Failure("unavailable", "503: service unavailable", status=503),
        Failure("wrong content type", "the content type is `text/html`, not JSON", status=200),
        said({}),
        said({"kind": "Status", "code": 500}),
        said({"kind": "APIGroupDiscoveryList"}),
        said({"kind": "APIGroupDiscoveryList", "items": None}),
        said({"kind": "APIVersions", "versions": ["v1/../.."]}),
        said(
            {
                "kind": "APIGroupDiscoveryList",
                "items": [{"metadata": {"name": "x"}, "versions": [{"version": "../v1"}]}],
            }
        ),
        said({"kind": "APIGroupList", "groups": "none"}),
        Answer(status=200, headers={}, body=b"[" * 100_000),
        Answer(status=200, headers={}, body=b'{"kind":"APIGroupDiscoveryList","items":[}'),
    ],
    ids=str,
)
def test_without_discovery_nothing_is_absent_and_nothing_it_would_show_is_complete(
    path: str, answer: Answer | Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = tuple(one for one in PLAIN if one.kind != "ReplicationController")
    living = cluster(served=served)

    def broken(self: Living, *, core: bool, accept: str) -> Answer:
        if core != (path == "/api"):
            return whole(self, core=core, accept=accept)
        if isinstance(answer, Failure):
            raise answer
        return answer

    whole = Living._discovery
    monkeypatch.setattr(Living, "_discovery", broken)
    for one in collected(living).ledger.values():
        shown = (one.group != "") == (path == "/api") and KEYS[one.kind] in served
        assert one.status == ("complete" if shown else "unavailable")
        assert shown or f"`{path}`" in one.reason


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (refused(403, "routes is forbidden"), "forbidden"),
        (Failure("unavailable", "503: service unavailable", status=503), "unavailable"),
        (Failure("timeout", "silence for 30 s"), "unavailable"),
        (said({"kind": "APIGroup"}), "unavailable"),
    ],
    ids=str,
)
def test_absence_needs_a_404_beside_discovery(
    answer: Answer | Failure, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = cluster(served=PLAIN)
    ask = living.get

    def get(path: str, query: dict[str, str] | None = None, *, accept: str = "", deadline: float) -> Answer:
        if path != "/apis/route.openshift.io":
            return ask(path, query, accept=accept, deadline=deadline)
        if isinstance(answer, Failure):
            raise answer
        return answer

    monkeypatch.setattr(living, "get", get)
    entry = collected(living).ledger[ROUTE]
    assert (entry.status, entry.proof) == (status, "")
    assert "discovery does not show it" in entry.reason


@pytest.mark.parametrize("key", KEYS)
def test_each_kind_that_is_forbidden_alone_is_the_only_one(key: str) -> None:
    found = collected(cluster(*KEYS, objects=1, forbidden=frozenset({key})))
    assert {kind for kind, one in found.ledger.items() if one.status != "complete"} == {key}
    entry = found.ledger[key]
    assert (entry.status, entry.objects, entry.cut) == ("forbidden", 0, "none")
    assert entry.reason == f"403: {entry.resource} is forbidden"
    assert {one.cut for kind, one in found.ledger.items() if kind != key} == {"exact"}


def test_a_forbidden_kind_that_does_not_exist_is_forbidden_and_not_absent() -> None:
    """The API server says 403 to both; only one that may ask learns that there is none."""
    key = "ClusterNetworkPolicy.policy.networking.k8s.io"
    served = tuple(one for one in RESOURCES if kind_key(one.group, one.kind) != key)
    living = cluster(served=served, forbidden=frozenset({"/apis/policy.networking.k8s.io/v1/clusternetworkpolicies"}))
    entry = collected(living).ledger[key]
    assert (entry.status, entry.proof) == ("forbidden", "")


def test_the_preferred_version_is_left_for_one_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    living = cluster("NetworkPolicy")
    whole = Living._aggregated

    def newer(self: Living, name: str, resources: list[object]) -> dict[str, object]:
        group = whole(self, name, resources)  # type: ignore[arg-type]
        if name == "networking.k8s.io":
            group["versions"].insert(0, {**group["versions"][0], "version": "v2"})
        return group

    monkeypatch.setattr(Living, "_aggregated", newer)
    entry = collected(living).ledger["NetworkPolicy"]
    assert (entry.status, entry.version, entry.objects) == ("complete", "v1", 5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"verbs": ["get"]}, "it cannot be listed"),
        ({"responseKind": {"kind": "Rope"}}, "objects of kind Rope"),
    ],
)
def test_what_is_served_in_another_way_is_unavailable(
    change: dict[str, object], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Living._aggregated

    def changed(self: Living, name: str, resources: list[object]) -> dict[str, object]:
        group = whole(self, name, resources)  # type: ignore[arg-type]
        for version in group["versions"]:
            version["resources"] = [
                {**one, **(change if one["resource"] == "networkpolicies" else {})} for one in version["resources"]
            ]
        return group

    monkeypatch.setattr(Living, "_aggregated", changed)
    entry = collected(cluster("NetworkPolicy")).ledger["NetworkPolicy"]
    assert entry.status == "unavailable"
    assert reason in entry.reason


def test_groups_that_may_decide_and_that_nobody_asks_for_are_named_whether_they_can_be_read_or_not() -> None:
    unknown = replace(KEYS["NetworkPolicy"], group="vendor.example")
    router = Resource("networking.istio.io", "VirtualService", "virtualservices")
    stale = frozenset({"traefik.io", "metrics.k8s.io"})
    found = collected(cluster(served=(*RESOURCES, unknown, router), stale=stale))
    assert found.manifest.unmodelled_groups == ("networking.istio.io", "traefik.io", "vendor.example")
    assert collected(cluster()).manifest.unmodelled_groups == ()


def test_what_an_extension_says_of_itself_is_cut_short_and_no_credential() -> None:
    down = Discovery({"route.openshift.io": (Version("v1", {}, stale=True),)}, services={
        "route.openshift.io": f"Bearer abc.def {'x' * 100_000}"
    })  # fmt: skip
    _, (missing,) = routes(cluster(), down, [KEYS[ROUTE]], math.inf)
    assert len(missing.reason) <= 300
    assert "does not answer ([redacted] xxx" in missing.reason


def test_nothing_but_lists_and_discovery_is_asked() -> None:
    living = cluster(*KEYS)
    collected(living, Order(wanted=wanted(*KEYS)))
    lists = [path for path, query in living.asked if "limit" in query]
    others = {path for path, query in living.asked if "limit" not in query}
    assert others == {"/version", "/api", "/apis"}
    assert not any("secrets" in path or "configmaps" in path for path in lists)
