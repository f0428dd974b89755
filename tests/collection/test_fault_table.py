"""Every kind, whatever goes wrong on its first, middle or last page: never complete while objects are missing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

import pytest

from audit.collection import Answer, Client, Failure, Limits, Order, api, listing
from tests.collection.fault_server import FAULTS, PASSING, Fault, FaultServer, Page
from tests.collection.living import Listing, Living, namespaced, refused, said, version_of
from tests.collection.reading import BASIC, FIELDS, KEYS, Collected, cluster, collected, wanted
from tests.collection.serving import basics, served

EVERYTHING = bool(os.environ.get("ZONE_AUDIT_ALL_FAULTS"))
"""Every fault on every page of every kind over the wire, as `make nightly` does; else each pair of these once."""
LIMITS = Limits(connect=2.0, read=0.8, size=1 << 20, tries=2, backoff=0.0)
OBJECTS = 5


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LIMIT", 2)
    monkeypatch.setattr(api, "REQUEST_SECONDS", 2.5)  # plenty, on a busy machine, for what does come


ANSWERS: Mapping[str, Answer | Failure] = {
    **{str(status): refused(status, "no") for status in (400, 403, 404, 405, 406, 409, 415)},
    **{
        f"{status} again": Failure("unavailable", f"{status}: no", status=status)
        for status in (429, 500, 501, 503, 504)
    },
    "reset": Failure("unavailable", "the connection broke before the answer was complete"),
    "silence": Failure("timeout", "silence for 30 s"),
    "redirect": Failure("redirect", "302: it points to another place", status=302),
    "login": Failure("wrong content type", "the content type is `text/html`, not JSON", status=200),
    "token": Failure("unauthorised", "401: Unauthorized", status=401),
    "bomb": Failure("too-large", "the body is larger than 67,108,864 bytes", status=200),
    "Status": said({"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 500}),
    "object": said({}),
    "list of others": said(
        {"kind": "SecretList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": []}
    ),
}


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("name", ANSWERS)
def test_every_kind_that_gets_no_answer_is_not_complete(name: str, number: int) -> None:
    living = cluster(*KEYS)
    answer = ANSWERS[name]
    spared = BASIC  # one of them tells the resource version

    def on_list(listed: Listing) -> Answer | Failure | None:
        later = listed.page >= number if name == "bomb" else listed.page == number
        return answer if listed.key not in spared and later else None

    living.on_list = on_list
    _judge(collected(living), frozenset(KEYS) - frozenset(spared), living)


@pytest.mark.parametrize("key", BASIC)
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("name", ANSWERS)
def test_nor_are_the_kinds_that_tell_the_version(name: str, number: int, key: str) -> None:
    living = cluster(*BASIC)
    living.on_list = lambda one: ANSWERS[name] if one.key == key and one.page >= number else None
    _judge(collected(living, Order(wanted=wanted())), frozenset({key}), living)


def _judge(found: Collected, struck: frozenset[str], living: Living) -> None:
    for key, entry in found.ledger.items():
        if key in struck:
            assert entry.status in ("unavailable", "forbidden"), entry
            assert (entry.objects, entry.reason != "") == (0, True), entry
        else:
            assert (entry.status, entry.objects) == ("complete", len(living.at(key, living.revision))), entry


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    objects = basics()
    for key, one in KEYS.items():
        api_version = f"{one.group}/{version_of(one)}".lstrip("/")
        for number in range(OBJECTS):
            metadata = {"name": f"x{number}", **({"namespace": "team"} if namespaced(one) else {})}
            objects.append({"apiVersion": api_version, "kind": one.kind, "metadata": metadata, **FIELDS.get(key, {})})
    with FaultServer(served(objects)) as running:
        yield running


NAMES = sorted(FAULTS.keys() - {"expired", "rotated"})
"""Of faults, all but the two that concern more than the kind that they strike."""
PAGES: tuple[Page, ...] = get_args(Page)
STRUCK = tuple(key for key in KEYS if key not in BASIC)
TURNS = len(NAMES) * len(PAGES)


def _collected(server: FaultServer, faults: Sequence[Fault], order: Order | None = None) -> Collected:
    server.faults = list(faults)
    server.hits.clear()
    with Client(server.access(), LIMITS, sleep=lambda _: None, jitter=lambda: 0.0) as client:
        return collected(client, order)


def assigned(turn: int) -> Iterator[tuple[str, str, Page]]:
    """Kind, fault and page: in as many turns as there are pairs of the latter, every kind has every pair once."""
    for number, key in enumerate(STRUCK):
        pair = (number + turn) % TURNS
        yield key, NAMES[pair % len(NAMES)], PAGES[pair % len(PAGES)]


@pytest.mark.parametrize("turn", range(TURNS) if EVERYTHING else range(0, TURNS, len(STRUCK) // 2))
def test_every_fault_on_the_wire_on_every_page(turn: int, server: FaultServer) -> None:
    """With as many faults at a time as there are kinds, each kind with another one."""
    plan = {key: (name, page) for key, name, page in assigned(turn)}
    found = _collected(server, [Fault(name, RESOURCE[key], page) for key, (name, page) in plan.items()])
    assert {resource for _, resource in server.hits} == {RESOURCE[key] for key in plan}
    for key, entry in found.ledger.items():
        name, page = plan.get(key, ("", "first"))
        if (name, page) in _HARMLESS or key in BASIC:
            assert (entry.status, entry.objects) == ("complete", OBJECTS + (key in BASIC)), (name, entry)
        elif name == "foreign-item":
            assert (entry.status, entry.objects, len(entry.invalid)) == ("partial", OBJECTS, 1), entry
        else:
            assert (entry.status, entry.objects) in (("unavailable", 0), ("forbidden", 0)), (name, entry)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("key", ["Pod", "Route.route.openshift.io"])
@pytest.mark.parametrize("name", sorted(PASSING | {"expired"}))
def test_what_passes_leaves_every_kind_complete(
    name: str, key: str, page: Page, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "REQUEST_SECONDS", 120.0)  # what a server asks for is waited for, in no time here
    found = _collected(server, [Fault(name, RESOURCE[key], page, times=1)], Order(wanted=wanted(key)))
    assert server.hits == [(name, RESOURCE[key])]
    assert {one.status for one in found.ledger.values()} == {"complete"}
    assert {one.objects for one in found.ledger.values()} <= {OBJECTS, OBJECTS + 1}
    # Where only the first page is forgotten and the version is not, the kind is read apart.
    assert found.manifest.attempts == 1 + (name == "expired" and page != "first")


@pytest.mark.parametrize("page", PAGES)
def test_a_token_that_changes_all_the_time_leaves_nothing_that_is_not_whole(page: Page, server: FaultServer) -> None:
    found = _collected(server, [Fault("rotated", RESOURCE[key], page) for key in STRUCK])
    for key, entry in found.ledger.items():
        assert entry.status == "unavailable" or entry.objects == OBJECTS + (key in BASIC), entry
    assert any("401" in entry.reason for entry in found.ledger.values())


@pytest.mark.parametrize("page", PAGES)
def test_a_store_that_always_forgets_leaves_nothing_that_is_not_whole(page: Page, server: FaultServer) -> None:
    found = _collected(server, [Fault("expired", RESOURCE[key], page) for key in STRUCK[:20]])
    for key, entry in found.ledger.items():
        assert (entry.status == "unavailable") == (key in STRUCK[:20]), entry
        assert entry.status == "unavailable" or entry.objects == OBJECTS + (key in BASIC), entry


_HARMLESS = frozenset({*(("no-utf8", page) for page in PAGES), ("cut-short", "last")})
"""What is wrong is not read, or it is what the last page says anyway."""
RESOURCE = {key: f"{one.name}.{one.group}".rstrip(".") for key, one in KEYS.items()}
"""As faults name it."""
