"""A filtered reachability document is the part of the whole one that was asked for, and costs no more than that."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import reach_json
from audit.drawing import render
from audit.errors import UsageError
from audit.model import UNZONED
from audit.pieces import pieces
from audit.reach_filter import Filter
from audit.reach_json import By
from audit.snapshot import Snapshot
from audit.traffic import Traffic
from tests.core.clusters import matrix, pod, policy, snapshot, zone, zoned
from tests.core.test_cells_by_counting import services
from tests.oracle import draws, strategies

Json = Any
PLAN = matrix(
    [zone("a"), zone("b"), zone("internet", kind="internet", trust=0)],
    pod_network="unknown",
)
LAWS = settings(settings.get_profile("same"), max_examples=150, suppress_health_check=list(HealthCheck))
GRAINS: tuple[By, ...] = ("pod", "workload", "namespace", "zone")
SHAPE = draws.Shape(max_pods=6)


@st.composite
def clusters(draw: Any) -> list[Json]:
    """Random clusters with entry points, in which some namespaces have a zone."""
    objects = [*draw(strategies.clusters(SHAPE)), *services(draw)]
    for one in objects:
        if one["kind"] == "Namespace":
            labels = one["metadata"].setdefault("labels", {}) or {}
            wanted = draw(st.sampled_from(["a", "b", ""]))
            one["metadata"]["labels"] = labels | ({"network-zone": wanted} if wanted else {})
    return objects


def document(objects: list[Json], by: By, **wanted: Any) -> Json:
    return asked(snapshot(objects), by, **wanted)


def asked(taken: Snapshot, by: By, **wanted: Any) -> Json:
    return reach_json.document(taken, matrix=PLAN, by=by, wanted=Filter(**wanted))


def written(one: Json) -> str:
    """An endpoint as a user names it."""
    return {"Namespace": "namespace:", "Zone": "zone:"}.get(one["kind"], "") + str(one["id"])


def within(one: Json, sources: Collection[str], targets: Collection[str]) -> bool:
    return (not sources or one["src"] in sources) and (not targets or one["dst"] in targets)


@LAWS
@given(clusters(), st.sampled_from(GRAINS), st.data())
def test_the_connections_are_those_of_the_whole_document_with_the_ends_that_were_asked_for(
    objects: list[Json], by: By, data: Any
) -> None:
    taken = snapshot(objects)
    whole = asked(taken, by)
    ends = {written(one): one["id"] for one in whole["endpoints"]}
    some = st.lists(st.sampled_from(sorted(ends)), max_size=2, unique=True) if ends else st.just([])
    sources, targets = data.draw(some), data.draw(some)
    found = asked(taken, by, sources=tuple(sources), targets=tuple(targets))
    picked = {ends[name] for name in (*sources, *targets)}
    expected = [
        one for one in whole["connections"] if within(one, [ends[n] for n in sources], [ends[n] for n in targets])
    ]
    assert found["connections"] == expected
    listed = picked | {one[end] for one in expected for end in ("src", "dst")}
    if picked:
        assert found["endpoints"] == [one for one in whole["endpoints"] if one["id"] in listed]
    else:
        assert found == whole


@LAWS
@given(clusters(), st.sampled_from(["tcp/80", "tcp/1-1000", "udp/53", "sctp/9", "TCP/80,443"]))
def test_a_port_cuts_every_connection_down_to_it(objects: list[Json], port: str) -> None:
    protocol, _, numbers = port.partition("/")
    wanted = Traffic.parse({protocol.upper(): numbers})
    expected = {}
    for one in document(objects, "pod")["connections"]:
        if ports := (Traffic.parse(one["ports"]) & wanted).ports():
            expected[one["src"], one["dst"], one["verdict"], one.get("exposed")] = ports
    found = document(objects, "pod", port=port)
    assert {(c["src"], c["dst"], c["verdict"], c.get("exposed")): c["ports"] for c in found["connections"]} == expected
    assert all(c["reason"] for c in found["connections"] if c["verdict"] == "unknown")
    assert {one["id"] for one in found["endpoints"]} == {one for ends in expected for one in ends[:2]}


def test_replicas_that_differ_on_other_ports_only_are_alike_on_this_one() -> None:
    objects = [
        zoned("x", "a"),
        pod("one", "x"),
        pod("two", "x", labels={"n": "2"}),
        policy({"podSelector": {"matchLabels": {"n": "2"}}, "ingress": [{"ports": [{"port": 80}]}]}, "x"),
        zoned("y", "b"),
        pod("z", "y"),
    ]
    kept = {"sources": ("y",), "targets": ("x",)}
    assert [c.get("partial") for c in document(objects, "namespace", **kept)["connections"]] == [True]
    assert [c.get("partial") for c in document(objects, "namespace", port="tcp/80", **kept)["connections"]] == [None]


# Names ---------------------------------------------------------------------------------------------------------------

SMALL = [
    zoned("web", "a"),
    zoned("db", "b"),
    zoned("b", "a"),
    pod("front", "web", ip="10.0.0.1"),
    pod("extra", "web", ip="10.0.0.2"),
    pod("pg", "db", ip="10.0.0.9"),
    pod("same", "b", ip="10.0.0.3"),
    policy({"egress": [{"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}]}], "policyTypes": ["Egress"]}, "web"),
]


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("web/Pod/front", {"web/Pod/front"}),
        ("web/front", {"web/Pod/front"}),
        ("web", {"web/Pod/extra", "web/Pod/front"}),
        ("namespace:web", {"web/Pod/extra", "web/Pod/front"}),
        ("a", {"b/Pod/same", "web/Pod/extra", "web/Pod/front"}),
        ("zone:b", {"db/Pod/pg"}),
        ("namespace:b", {"b/Pod/same"}),
        (UNZONED, set()),
    ],
)
def test_a_filter_takes_an_endpoint_a_namespace_or_a_zone(name: str, sources: set[str]) -> None:
    found = document(SMALL, "workload", sources=(name,), targets=("db",))
    assert {one["src"] for one in found["connections"]} == sources & {"b/Pod/same"}
    assert {one["id"] for one in found["endpoints"]} == sources | {"db/Pod/pg"}


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("198.51.100.7", {"198.51.100.0/24"}),
        ("198.51.100.0/25", {"198.51.100.0/24"}),
        ("2001:db8::1", {"0.0.0.0/1"}),
        ("198.51.0.0/16", {"0.0.0.0/1", "198.51.100.0/24"}),
    ],
)
def test_an_address_picks_the_range_that_holds_it_and_a_block_all_that_it_meets(name: str, blocks: set[str]) -> None:
    found = document(SMALL, "pod", sources=("web/Pod/front",), targets=(name,))
    listed = {one["cidrs"][0] for one in found["endpoints"] if one["kind"] == "IPBlock"}
    assert listed == blocks
    reached = {one["dst"] for one in found["connections"]}
    names = {one["id"]: one["cidrs"] for one in found["endpoints"] if one["kind"] == "IPBlock"}
    assert [names[one] for one in reached] == ([["198.51.100.0/24"]] if "198.51.100.0/24" in blocks else [])


def test_an_id_of_addresses_can_be_copied_from_the_output() -> None:
    whole = document(SMALL, "pod")
    block = next(one["id"] for one in whole["endpoints"] if one.get("cidrs") == ["198.51.100.0/24"])
    found = document(SMALL, "pod", targets=(block,))
    assert {one["dst"] for one in found["connections"]} == {block}


def test_the_word_of_a_namespace_and_a_zone_with_other_endpoints_is_refused() -> None:
    with pytest.raises(UsageError, match="`b` is a namespace and a zone") as caught:
        document(SMALL, "pod", sources=("b",))
    assert caught.value.hint == "write `namespace:b` or `zone:b`"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("wbe", "no namespace or zone `wbe`", "did you mean `web`?"),
        ("namespace:dbb", "no namespace `dbb`", "did you mean `db`?"),
        ("zone:interent", "no zone `interent`", "did you mean `internet`?"),
        ("pg", "no namespace or zone `pg`", "did you mean `db/Pod/pg`?"),
        ("web/Pod/frnt", "no endpoint `web/Pod/frnt`", "did you mean `web/Pod/front`?"),
        ("ip/99", "no range of addresses `ip/99`", "did you mean"),
        ("10.0.0.0/99", "`10.0.0.0/99` is neither an IP address nor a block of them", "192.0.2.0/24"),
        ("1.2.3", "`1.2.3` is neither an IP address nor a block of them", "192.0.2.1"),
    ],
)
@pytest.mark.parametrize("side", ["sources", "targets"])
def test_an_unknown_name_gets_a_suggestion(side: str, name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        document(SMALL, "workload", **{side: (name,)})
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_without_a_matrix_there_are_no_zones_to_name() -> None:
    with pytest.raises(UsageError, match="`zone:a` needs a zone matrix"):
        reach_json.document(snapshot(SMALL), wanted=Filter(("zone:a",)))
    with pytest.raises(UsageError, match="no namespace `dmz`") as caught:
        reach_json.document(snapshot(SMALL), wanted=Filter(("dmz",)))
    assert "`--zones`" in caught.value.hint


# What the document says, what it costs ------------------------------------------------------------------------------


def test_the_document_says_which_filters_were_applied() -> None:
    assert "filter" not in document(SMALL, "pod")
    found = document(SMALL, "pod", sources=("web", "db"), port="tcp/80")
    assert found["filter"] == {"from": ["web", "db"], "ports": {"TCP": "80"}}
    assert {one["verdict"] for one in found["connections"]} == {"allowed"}
    assert {str(Traffic.parse(one["ports"])) for one in found["connections"]} == {"tcp/80"}


def test_the_zones_come_least_trusted_first() -> None:
    assert [one["name"] for one in document(SMALL, "pod")["zones"]] == ["internet", "a", "b"]
    assert "zones" not in reach_json.document(snapshot(SMALL))


@pytest.mark.parametrize("form", ["table", "md", "svg", "dot"])
def test_every_format_for_people_says_what_was_filtered(form: str) -> None:
    text = render(document(SMALL, "workload", sources=("web",), targets=("198.51.100.7",), port="tcp/80"), form)
    assert "from web to 198.51.100.7 on tcp/80" in text
    assert "from web to" not in render(document(SMALL, "workload"), form)


def test_a_filter_that_leaves_nothing_says_what_it_looked_for() -> None:
    closed = document(SMALL, "workload", sources=("web",), targets=("db",))
    assert closed["connections"] == []
    assert render(closed, "table") == "no connection is possible from web to db\n"


def test_only_what_was_asked_for_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [zoned("x", "a"), *(pod(f"p{n}", "x", labels={"n": str(n)}) for n in range(20))]
    objects += [
        policy({"podSelector": {"matchLabels": {"n": str(n)}}, "ingress": [{"ports": [{"port": n + 1}]}]}, "x", f"p{n}")
        for n in range(20)
    ]
    seen: list[tuple[int, int]] = []
    real = pieces

    def counted(meetings: Any, group: Any, wanted: Any = None) -> Any:
        found = real(meetings, group, wanted)
        seen.append((len(group.members), sum(len(one.sources) for one in found)))
        return found

    monkeypatch.setattr(reach_json, "pieces", counted)
    document(objects, "pod", targets=("x/Pod/p3",))
    assert len(seen) == 1
    seen.clear()
    document(objects, "pod", sources=("x/Pod/p3",))
    assert {sources for _, sources in seen} <= {0, 1}
