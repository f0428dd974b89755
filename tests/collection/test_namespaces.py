"""An account of some namespaces: they are read one by one where that was asked for, and the ledger says so."""

from __future__ import annotations

import pytest

from audit.collection import Order, listing
from tests.collection.living import Living, refused
from tests.collection.reading import KEYS, cluster, collected, wanted

WANTED = wanted("Service", "NetworkPolicy")


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LIMIT", 2)


def tenant(*allowed: str) -> Living:
    """A cluster that an account may read in these namespaces only."""
    made = cluster("Service", forbidden=frozenset(KEYS))
    made.allowed = dict.fromkeys(allowed, ("Namespace", "Pod", "Service", "NetworkPolicy"))
    for namespace in ("team", "other", "third"):
        made.put("Namespace", namespace)
        for number in range(3):
            made.put("Service", f"s{number}", namespace)
    return made


def test_without_namespaces_nothing_is_read_in_parts() -> None:
    living = tenant("team")
    found = collected(living, Order(wanted=WANTED))
    assert {one.status for one in found.ledger.values()} == {"forbidden"}
    assert not any("/namespaces/" in path for path, _ in living.asked)


def test_namespaces_that_may_be_read_are_read_and_named() -> None:
    found = collected(tenant("team", "third"), Order(wanted=WANTED, namespaces=("team", "other", "third")))
    entry = found.ledger["Service"]
    assert (entry.status, entry.namespaces, entry.objects) == ("partial", ("team", "third"), 11)
    assert entry.reason == "forbidden for the whole cluster, also in other; read in team, third only"
    assert {one["metadata"]["namespace"] for one in found.kept.objects("Service")} == {"team", "third"}
    assert (entry.cut, entry.resource_version) == ("exact", found.manifest.resource_version)
    assert found.ledger["NetworkPolicy"].namespaces == ("team", "third")
    assert found.ledger["Node"].status == "forbidden"


def test_namespaces_themselves_are_read_by_name() -> None:
    found = collected(tenant("team", "third"), Order(wanted=WANTED, namespaces=("team", "other", "third")))
    entry = found.ledger["Namespace"]
    assert (entry.status, entry.namespaces, entry.cut) == ("partial", ("team", "third"), "none")
    assert found.kept.names("Namespace") == ["team", "third"]


def test_no_namespace_that_may_be_read_is_forbidden() -> None:
    found = collected(tenant(), Order(wanted=WANTED, namespaces=("team", "other")))
    assert {one.status for one in found.ledger.values()} == {"forbidden"}


def test_what_may_be_listed_in_the_whole_cluster_is() -> None:
    living = tenant("team")
    living.forbidden -= {"Service"}
    entry = collected(living, Order(wanted=WANTED, namespaces=("team",))).ledger["Service"]
    assert (entry.status, entry.namespaces, entry.objects) == ("complete", (), 14)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_namespace_that_breaks_off_takes_its_kind_with_it(number: int) -> None:
    living = tenant("team", "third")
    living.on_list = lambda one: (
        refused(404) if (one.namespace, one.page, one.key) == ("team", number, "Service") else None
    )
    entry = collected(living, Order(wanted=WANTED, namespaces=("third", "team"))).ledger["Service"]
    assert (entry.status, entry.objects) == ("unavailable", 0)
