"""All kinds as they were at one time, whatever changes while they are read."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest

from audit.collection import Answer, Failure, Order, listing
from audit.collection.cut import ATTEMPTS
from tests.collection.living import Listing, Living, refused
from tests.collection.reading import KEYS, Collected, cluster, collected, wanted


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LIMIT", 2)


PAIR = ("Service", "EndpointSlice.discovery.k8s.io")


def test_every_kind_is_read_to_its_end_at_one_resource_version() -> None:
    living = cluster(*KEYS)
    found = collected(living)
    for key, entry in found.ledger.items():
        assert (entry.status, entry.cut, entry.skew) == ("complete", "exact", 0.0), entry
        assert entry.resource_version == found.manifest.resource_version == str(living.revision)
        assert len(found.kept.names(key)) == entry.objects == len(living.at(key, living.revision)), entry
        assert entry.pages == -(-entry.objects // 2)
    assert found.manifest.attempts == 1
    assert found.manifest.cluster.uid == "0a1b2c3d-0000-4000-8000-000000000000"
    assert (found.manifest.cluster.user, found.manifest.cluster.version) == ("reader", "v1.36.2")


def churning(seed: int) -> Living:
    """Services and slices, which come and go all the time: a slice comes after its service and goes before it."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    pairs: list[str] = []
    steps: list[tuple[str, str, str]] = []

    def change(_: Listing) -> None:
        for _step in range(draw.randrange(4)):
            if not steps:
                if pairs and draw.random() < 0.5:
                    name = pairs.pop(draw.randrange(len(pairs)))
                    steps.extend([("delete", PAIR[1], name), ("delete", PAIR[0], name)])
                else:
                    name = f"s{draw.randrange(10**9)}"
                    pairs.append(name)
                    steps.extend([("put", PAIR[0], name), ("put", PAIR[1], name)])
            verb, key, name = steps.pop(0)
            (living.put if verb == "put" else living.delete)(key, name, "team")

    living = cluster(on_list=change)
    for number in range(6):
        pairs.append(f"s{number}")
        for key in PAIR:
            living.put(key, f"s{number}", "team")
    return living


def broken(found: Collected) -> set[str]:
    """Slices without their service."""
    return set(found.kept.names(PAIR[1])) - set(found.kept.names(PAIR[0]))


@pytest.mark.parametrize("seed", range(60))
def test_no_invariant_across_kinds_is_broken_while_the_cluster_changes(seed: int) -> None:
    living = churning(seed)
    found = collected(living, Order(wanted=wanted(*PAIR)))
    assert not broken(found)
    at = int(found.manifest.resource_version)
    for key in PAIR:
        assert len(found.kept.names(key)) == len(living.at(key, at))
        assert found.ledger[key].cut == "exact"


def test_without_a_common_version_the_churn_does_break_it() -> None:
    """The test above would notice."""
    results = []
    for seed in range(60):
        living = churning(seed)
        living.foreign = frozenset(PAIR)
        found = collected(living, Order(wanted=wanted(*PAIR)))
        results.append((bool(broken(found)), {found.ledger[key].cut for key in PAIR}))
    assert any(wrong for wrong, _ in results)
    assert all("none" in cuts for wrong, cuts in results if wrong)


@pytest.mark.parametrize("times", range(1, ATTEMPTS))
@pytest.mark.parametrize("page", [0, 1, 2])
@pytest.mark.parametrize("key", ["Pod", "NetworkPolicy"])
def test_a_forgotten_version_begins_the_whole_cut_again_at_a_newer_one(key: str, page: int, times: int) -> None:
    """On whichever page, and the inconsistent way on that the answer offers is never taken."""
    living = cluster("Pod", "NetworkPolicy", "Service")
    hits: list[int] = []

    def compact(listed: Listing) -> None:
        if (listed.key, listed.page) == (key, page) and listed.query["limit"] != "1" and len(hits) < times:
            hits.append(living.revision)
            living.put("Service", f"new-{len(hits)}", "team")
            living.compacted = living.revision

    living.on_list = compact
    found = collected(living, Order(wanted=wanted("NetworkPolicy", "Service")))
    assert len(hits) == times
    assert {one.status for one in found.ledger.values()} == {"complete"}
    assert len(found.kept.names("Service")) == 5 + times
    assert found.manifest.attempts == times + 1
    assert {one.cut for one in found.ledger.values()} == {"exact"}


def test_versions_that_are_always_forgotten_leave_every_kind_bracketed() -> None:
    living = cluster("Service")
    exact = []

    def forget(listed: Listing) -> Answer | None:
        if listed.key == "Service" and not listed.page:
            exact.append("resourceVersion" in listed.query)
        return refused(410, "too old") if listed.key == "Service" and listed.page and exact[-1] else None

    living.on_list = forget
    found = collected(living, Order(wanted=wanted("Service")))
    assert found.manifest.resource_version == ""
    assert found.manifest.attempts == ATTEMPTS + 1
    assert {(one.status, one.cut) for one in found.ledger.values()} == {("complete", "bracketed")}


def test_pages_that_are_forgotten_outside_a_cut_begin_only_their_kind_again() -> None:
    living = cluster("Service", foreign=frozenset({"Service"}))
    hits = []

    def forget(listed: Listing) -> Answer | None:
        hits.extend([listed] if listed.key == "Service" and listed.page == 1 else [])
        return refused(410, "too old") if hits and hits[-1] is listed and len(hits) < 3 else None

    living.on_list = forget
    found = collected(living, Order(wanted=wanted("Service")))
    assert (found.ledger["Service"].status, found.ledger["Service"].objects) == ("complete", 5)
    assert {one.cut for key, one in found.ledger.items() if key != "Service"} == {"exact"}


REFUSALS: Mapping[str, Answer | Failure] = {
    "410": refused(410, "the provided resource version is too old"),
    "400": refused(400, "resourceVersionMatch is forbidden"),
    "501": Failure("unavailable", "501: not implemented", status=501),
    "500": Failure("unavailable", "500: too large resource version", status=500),
    "504": Failure("unavailable", "504: too large resource version", status=504),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_kind_without_a_common_version_is_read_before_and_after_the_others(refusal: str) -> None:
    key = "Route.route.openshift.io"
    living = cluster(key, "Service")

    def refuse(listed: Listing) -> Answer | Failure | None:
        return REFUSALS[refusal] if listed.key == key and "resourceVersion" in listed.query else None

    living.on_list = refuse
    found = collected(living, Order(wanted=wanted("Service", key)))
    assert (found.ledger[key].status, found.ledger[key].objects, found.ledger[key].cut) == ("complete", 5, "bracketed")
    assert {one.cut for kind, one in found.ledger.items() if kind != key} == {"exact"}
    assert found.manifest.attempts == 1


@pytest.mark.parametrize("change", ["put", "delete"])
def test_a_kind_that_changes_between_its_readings_says_how_far_apart_it_is(change: str) -> None:
    key = "Route.route.openshift.io"
    living = cluster(key, objects=40, foreign=frozenset({key}))

    def touch(listed: Listing) -> None:
        if listed.key == "Pod" and "resourceVersion" in listed.query:
            name = f"{key.lower()}-{len(living.asked) % 40}"
            living.put(key, name, "team") if change == "put" else living.delete(key, name, "team")

    living.on_list = touch
    found = collected(living, Order(wanted=wanted(key)))
    assert (found.ledger[key].status, found.ledger[key].cut) == ("complete", "none")
    assert found.ledger[key].skew >= 0
    assert found.ledger["Pod"].cut == "exact"


@pytest.mark.parametrize(("addresses", "cut"), [(1, "bracketed"), (200, "none")])
def test_objects_without_resource_versions_are_told_apart_by_their_content(addresses: int, cut: str) -> None:
    living = cluster(foreign=frozenset({"Service"}))

    def touch(_: Listing | None) -> None:
        address = f"10.0.0.{len(living.asked) % addresses}"
        living.put("Service", "s", "team", metadata={"resourceVersion": ""}, spec={"clusterIP": address})

    touch(None)
    living.on_list = lambda one: touch(one) if one.key == "Pod" and "resourceVersion" in one.query else None
    assert collected(living, Order(wanted=wanted("Service"))).ledger["Service"].cut == cut


def test_the_version_is_asked_of_another_kind_where_namespaces_are_forbidden() -> None:
    living = cluster("Service", forbidden=frozenset({"Namespace", "Node"}))
    found = collected(living, Order(wanted=wanted("Service")))
    assert {found.ledger[key].status for key in ("Namespace", "Node")} == {"forbidden"}
    assert {found.ledger[key].cut for key in ("Service", "Pod")} == {"exact"}
    assert found.manifest.cluster.uid == ""


def test_no_time_left_leaves_nothing_complete() -> None:
    living = cluster("Service")

    def late(_: Listing) -> Failure:
        return Failure("timeout", "the answer was not complete in the time given for it")

    living.on_list = late
    found = collected(living, Order(wanted=wanted("Service")))
    assert {one.status for one in found.ledger.values()} == {"unavailable"}
    assert all("time" in one.reason for one in found.ledger.values())
