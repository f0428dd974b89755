"""Pages are taken whole or not at all, and a kind that is not all there is never complete."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from audit import projection
from audit.collection import Answer, Failure, Order, listing, page
from tests.collection.living import Listing, refused, said
from tests.collection.reading import KEYS, Collected, cluster, collected, wanted

ROUTE = "Route.route.openshift.io"
NAMESPACED = ("Service", ROUTE)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LIMIT", 2)


def changed(key: str, number: int, change: Callable[[dict[str, Any]], object], times: int = 1000) -> Collected:
    """What comes of a cluster one page of which is changed."""
    living = cluster(key)
    hits: list[Listing] = []

    def on_list(listed: Listing) -> Answer | None:
        if (listed.key, listed.page) != (key, number) or listed.query["limit"] == "1" or len(hits) >= times:
            return None
        hits.append(listed)
        living.on_list = lambda _: None
        true = living.get(path, listed.query, deadline=0)
        living.on_list = on_list
        value = json.loads(true.body)
        change(value)
        return said(value)

    version = f"v1/{KEYS[key].name}"
    path = f"/apis/{KEYS[key].group}/{version}" if KEYS[key].group else f"/api/{version}"
    living.on_list = on_list
    found = collected(living, Order(wanted=wanted(key)))
    assert hits
    return found


def _status(value: dict[str, Any]) -> None:
    value.clear()
    value.update({"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 500})


def _set(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value.update(fields)


def _meta(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda value: value["metadata"].update(fields)


WRONG: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "a Status": _status,
    "nothing": lambda value: value.clear(),
    "another kind": _set(kind="SecretList"),
    "no list": _set(kind="Service"),
    "another version": _set(apiVersion="v2"),
    "no items": lambda value: value.pop("items"),
    "items of no list": _set(items={}),
    "items of text": _set(items="none"),
    "no resource version": _meta(resourceVersion=""),
    "resource version of no text": _meta(resourceVersion=7),
    "no metadata": lambda value: value.pop("metadata"),
    "a count of no number": _meta(remainingItemCount="two"),
    "an object twice": lambda value: value["items"].append(value["items"][0]),
}
AFTER_THE_FIRST: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "another resource version": _meta(resourceVersion="7"),
    "an object too few": lambda value: value["items"].pop(),
    "all objects too few": _set(items=[]),
    "no objects": _set(items=None),
    "an object of the page before": lambda value: value["items"].__setitem__(0, _earlier(value["items"][0])),
}
BEFORE_THE_LAST: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "no way on": lambda value: value["metadata"].pop("continue"),
    "no objects before the last": _set(items=None),
}
IN_BETWEEN: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "the way to itself": lambda value: value["metadata"].update(
        {"continue": value["metadata"]["resourceVersion"] + ":2"}
    ),
    "more left than before": _meta(remainingItemCount=9),
    "fewer left than there are": _meta(remainingItemCount=0),
}


def _earlier(item: dict[str, Any]) -> dict[str, Any]:
    name = item["metadata"]["name"].rpartition("-")[0] + "-0"
    return {**item, "metadata": {**item["metadata"], "name": name}}


CASES = [
    *((name, number) for name in WRONG for number in (0, 1, 2)),
    *((name, number) for name in AFTER_THE_FIRST for number in (1, 2)),
    *((name, number) for name in BEFORE_THE_LAST for number in (0, 1)),
    *((name, 1) for name in IN_BETWEEN),
]


@pytest.mark.parametrize("key", NAMESPACED)
@pytest.mark.parametrize(("name", "number"), CASES)
def test_a_wrong_page_is_tried_again_and_its_kind_not_complete_if_it_stays_wrong(
    name: str, number: int, key: str
) -> None:
    change = {**WRONG, **AFTER_THE_FIRST, **BEFORE_THE_LAST, **IN_BETWEEN}[name]
    lost = changed(key, number, change)
    entry = lost.ledger[key]
    assert (entry.status, entry.objects) == ("unavailable", 0)
    assert entry.reason
    assert {one.status for kind, one in lost.ledger.items() if kind != key} == {"complete"}
    found = changed(key, number, change, times=1).ledger[key]
    assert (found.status, found.objects, found.cut, found.retries) == ("complete", 5, "exact", 1)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "answer",
    [
        refused(401, "Unauthorized"),
        refused(404, "the server could not find the requested resource"),
        refused(405, "method not allowed"),
        refused(406, "not acceptable"),
        Failure("unavailable", "503: service unavailable", status=503),
        Failure("unavailable", "429: too many requests", status=429),
        Failure("unavailable", "the connection broke before the answer was complete"),
        Failure("timeout", "silence for 30 s"),
        Failure("redirect", "302: it points to another place, which is not followed", status=302),
        Failure("wrong content type", "the content type is `text/html`, not JSON", status=200),
        Failure("unauthorised", "401: Unauthorized", status=401),
    ],
    ids=str,
)
def test_what_was_not_answered_is_unavailable_with_what_was_said(answer: Answer | Failure, number: int) -> None:
    living = cluster("Service")
    living.on_list = lambda listed: answer if (listed.key, listed.page) == ("Service", number) else None
    found = collected(living, Order(wanted=wanted("Service")))
    entry = found.ledger["Service"]
    assert (entry.status, entry.objects) == ("unavailable", 0)
    assert answer.message in entry.reason
    assert {one.cut for key, one in found.ledger.items() if key != "Service"} == {"exact"}


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LIMIT", 50)
    living = cluster("Service", objects=120)

    def large(listed: Listing) -> Failure | None:
        return Failure("too-large", "too large", status=200) if int(listed.query["limit"]) > 5 else None

    living.on_list = lambda listed: large(listed) if listed.key == "Service" else None
    entry = collected(living, Order(wanted=wanted("Service"))).ledger["Service"]
    assert (entry.status, entry.objects, entry.pages) == ("complete", 120, 24)


def test_a_single_object_that_is_too_large_makes_its_kind_unavailable() -> None:
    living = cluster("Service")
    large = Failure("too-large", "the body is larger than 67,108,864 bytes", status=200)
    living.on_list = lambda listed: large if listed.key == "Service" else None
    entry = collected(living, Order(wanted=wanted("Service"))).ledger["Service"]
    assert (entry.status, entry.reason) == ("unavailable", large.message)


def test_forbidden_on_a_later_page_leaves_nothing_of_the_kind() -> None:
    living = cluster("Service")
    living.on_list = lambda listed: refused(403, "no more") if (listed.key, listed.page) == ("Service", 2) else None
    entry = collected(living, Order(wanted=wanted("Service"))).ledger["Service"]
    assert (entry.status, entry.objects, entry.reason) == ("forbidden", 0, "403: no more")


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ("text", "it has no name"),
        (7, "it has no name"),
        (None, "it has no name"),
        ({}, "it has no name"),
        ({"metadata": None}, "it has no name"),
        ({"metadata": {"name": ""}}, "it has no name"),
        ({"metadata": {"name": ["x"]}}, "it has no name"),
        ({"metadata": {"name": "x"}}, "its namespace does not fit its kind"),
        ({"kind": "Secret", "metadata": {"name": "x", "namespace": "team"}}, "it is a `Secret` of `v1`"),
        ({"apiVersion": "v2", "metadata": {"name": "x", "namespace": "team"}}, "it is a `Service` of `v2`"),
        ({"metadata": {"name": "x", "namespace": "team", "labels": {"a": 7}}}, ""),
    ],
    ids=str,
)
@pytest.mark.parametrize("number", [0, 2])
def test_an_object_that_does_not_decode_is_named_and_makes_its_kind_partial(
    item: object, fault: str, number: int
) -> None:
    found = changed("Service", number, lambda value: value["items"].append(item))
    entry = found.ledger["Service"]
    assert (entry.status, entry.objects) == ("partial", 5)
    assert entry.reason == "1 of 6 objects do not decode"
    assert len(entry.invalid) == 1
    assert fault in entry.invalid[0]


def test_a_refused_projection_names_the_object_and_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def project(_: object, item: bytes, __: object) -> bytes:
        if b"service-3" in item:
            raise projection.ProjectionError("`spec.ports` must be a list")
        return item

    monkeypatch.setattr(page, "project", project)
    entry = collected(cluster("Service"), Order(wanted=wanted("Service"))).ledger["Service"]
    assert (entry.status, entry.objects) == ("partial", 4)
    assert entry.invalid == ("team/service-3: `spec.ports` must be a list",)


def test_values_of_refused_objects_and_wrong_pages_are_cut_short_and_no_credentials() -> None:
    """Else one tenant's object makes the ledger larger than a manifest may be."""
    key, long = "MultiNetworkPolicy.k8s.cni.cncf.io", "x" * 100_000
    living = cluster("Service")
    living.put(key, "p", "team", spec={"podSelector": {}, "policyTypes": [long]})
    head = {"kind": f"Bearer abc.def {long}", "apiVersion": "v1", "metadata": {"resourceVersion": "5"}, "items": []}
    living.on_list = lambda one: said(head) if one.key == "Service" else None
    ledger = collected(living, Order(wanted=wanted(key, "Service"))).ledger
    assert ledger[key].status == "partial"
    assert max(map(len, (*ledger[key].invalid, ledger["Service"].reason))) <= 300
    assert "the body is a `[redacted]" in ledger["Service"].reason


def test_warnings_and_retries_of_all_pages_are_kept_once() -> None:
    living = cluster("Service")

    def warn(listed: Listing) -> Answer | None:
        if listed.key != "Service":
            return None
        living.on_list = lambda _: None
        true = living.get("/api/v1/services", listed.query, deadline=0)
        living.on_list = warn
        return Answer(status=200, headers={}, body=true.body, warnings=("it is deprecated",), retries=2)

    living.on_list = warn
    entry = collected(living, Order(wanted=wanted("Service"))).ledger["Service"]
    assert (entry.status, entry.warnings, entry.retries) == ("complete", ("it is deprecated",), 6)


@pytest.mark.parametrize("key", ["Namespace", "Node", "Pod"])
def test_what_no_cluster_is_without_is_not_believed_to_be_empty(key: str) -> None:
    living = cluster()
    for name, namespace in {"Namespace": ("kube-system", ""), "Node": ("n0", ""), "Pod": ("p", "kube-system")}.values():
        if (key, name) in (("Namespace", "kube-system"), ("Node", "n0"), ("Pod", "p")):
            living.delete(key, name, namespace)
    entry = collected(living).ledger[key]
    assert (entry.status, entry.objects) == ("unavailable", 0)
    assert "no running cluster is without" in entry.reason


def test_namespaces_without_kube_system_are_not_believed() -> None:
    living = cluster("Namespace")
    living.delete("Namespace", "kube-system")
    found = collected(living)
    assert found.ledger["Namespace"].status == "unavailable"
    assert found.manifest.cluster.uid == ""


def test_a_kind_without_objects_is_complete() -> None:
    entry = collected(cluster()).ledger["NetworkPolicy"]
    assert (entry.status, entry.objects, entry.pages, entry.cut) == ("complete", 0, 1, "exact")
