"""The difference of two snapshots is the difference of their reachability documents."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audit import reach_json
from audit.cells import meetings_of
from audit.comparison.changes import KINDS, STATES, Block, State, blocks
from audit.comparison.columns import Columns, Store
from audit.comparison.units import Units
from audit.meet import Meetings
from audit.model import ZoneMatrix
from audit.snapshot import Snapshot
from audit.traffic import ALL, NONE, AddressSet, Traffic
from tests.comparison.pairs import compare
from tests.core.clusters import flow, matrix, tcp, zone
from tests.core.clusters import snapshot as read
from tests.oracle.draws import ANYTHING
from tests.oracle.strategies import clusters

Json = Any
Pair = tuple[str, str]
Changed = dict[tuple[str, str, State, State], Traffic]
PLAN = matrix(
    [
        zone("a", cidrs=AddressSet.cidr("10.0.0.0/25")),
        zone("b", cidrs=AddressSet.cidr("192.168.0.0/16")),
        zone("internet", kind="internet"),
    ],
    flow("a", "b", "allow-only", tcp(80)),
    zone_labels=("zone",),
)

law = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@st.composite
def pairs_of_clusters(draw: Any) -> tuple[list[Json], list[Json]]:
    """Two clusters of which the second is another one, or the first with some objects gone and some of another."""
    old, other = draw(clusters(ANYTHING)), draw(clusters(ANYTHING))
    form = draw(st.sampled_from(["other", "mixed", "mixed", "less"]))
    if form == "other":
        return old, other
    keep = [draw(st.booleans()) for _ in old]
    kept = [one for one, stays in zip(old, keep, strict=True) if stays or form == "mixed"]
    have = {identity(one) for one in kept}
    fresh = [one for one in other if identity(one) not in have and draw(st.booleans())] if form == "mixed" else []
    new = [*kept, *fresh]
    return old, new or old


def identity(one: Json) -> tuple[object, ...]:
    group = one["apiVersion"].rpartition("/")[0]
    group = "networking.k8s.io" if one["kind"] == "NetworkPolicy" and group == "extensions" else group
    return group, one["kind"], one["metadata"].get("namespace", "default"), one["metadata"]["name"]


def compared(old: Meetings, new: Meetings, plan: ZoneMatrix | None) -> tuple[Units, list[Block]]:
    units, store = Units(old, new), Store()
    routable = {"routable": ALL, "overlay": NONE}.get(plan.settings.pod_network) if plan else None
    before, after = (Columns(side, units, store, routable) for side in (old, new))
    return units, blocks(before, after, store)


def by_engine(old: Meetings, new: Meetings, plan: ZoneMatrix | None) -> Changed:
    """What the comparison says, pair by pair, with addresses as their first blocks."""
    units, listed = compared(old, new, plan)
    names = [
        name if number < units.workloads else str(units.addresses(number).cidrs())
        for number, name in enumerate(units.ids)
    ]
    found: Changed = {}
    for block in listed:
        members = list(block.listed())
        assert len(members) == block.pairs
        for source, target in members:
            key = (names[source], names[target], block.was, block.now)
            found[key] = found.get(key, NONE) | block.traffic
    return found


def states(document: Json) -> dict[Pair, dict[State, Traffic]]:
    """Pair of endpoint ids -> ports by state; of several states of a port the most open one."""
    found: dict[Pair, dict[State, Traffic]] = {}
    for one in document["connections"]:
        state: State = "allowed" if one["verdict"] == "allowed" else "unknown"
        if one.get("exposed") == "unknown":
            state = "unknown"
        if one.get("exposed") is False:
            state = "unexposed"
        ports = found.setdefault((one["src"], one["dst"]), {})
        ports[state] = ports.get(state, NONE) | Traffic.parse(one["ports"])
    for ports in found.values():
        taken = NONE
        for state in reversed(STATES):
            ports[state] = (ALL if state == "denied" else ports.get(state, NONE)) - taken
            taken |= ports[state]
    return found


def by_documents(old: Json, new: Json) -> Changed:
    """The set difference of two documents, addresses cut wherever either cuts them."""
    ends = [{one["id"]: one for one in side["endpoints"]} for side in (old, new)]
    names = sorted({name for side in ends for name, one in side.items() if one["kind"] != "IPBlock"})
    single = {name for side in ends for name, one in side.items() if len(one.get("pods") or [name]) == 1}
    common: dict[str, tuple[str, str]] = {name: (name, name) for name in names}
    blocks_of = [
        {name: addresses(one["cidrs"]) for name, one in side.items() if one["kind"] == "IPBlock"} for side in ends
    ]
    for left, mine in blocks_of[0].items():
        for right, theirs in blocks_of[1].items():
            if both := mine & theirs:
                common[str(both.cidrs())] = (left, right)
    before, after = states(old), states(new)
    nothing: dict[State, Traffic] = {"denied": ALL}
    found: Changed = {}
    for source, froms in common.items():
        for target, tos in common.items():
            if source == target and source in single and all(source in side for side in ends):
                continue
            was, now = before.get((froms[0], tos[0]), nothing), after.get((froms[1], tos[1]), nothing)
            for one, ports in was.items():
                for other, others in now.items():
                    if one != other and ports & others:
                        found[source, target, one, other] = ports & others
    return found


def addresses(cidrs: list[str]) -> AddressSet:
    for one in cidrs:
        ipaddress.ip_network(one)
    return AddressSet.union_of(map(AddressSet.cidr, cidrs))


def both(objects: tuple[list[Json], list[Json]]) -> tuple[Snapshot, Snapshot]:
    return read(objects[0]), read(objects[1])


@law
@given(pairs_of_clusters(), st.booleans())
def test_the_difference_is_that_of_the_two_reachability_documents(
    objects: tuple[list[Json], list[Json]],
    zoned: bool,  # noqa: FBT001 - drawn
) -> None:
    plan = PLAN if zoned else None
    old, new = both(objects)
    documents = [reach_json.document(side, matrix=plan, by="workload") for side in (old, new)]
    assert by_engine(meetings_of(old, plan), meetings_of(new, plan), plan) == by_documents(*documents)


@law
@given(clusters())
def test_a_snapshot_does_not_differ_from_itself(objects: list[Json]) -> None:
    assert by_engine(meetings_of(read(objects), PLAN), meetings_of(read(objects[::-1]), PLAN), PLAN) == {}


@law
@given(pairs_of_clusters())
def test_the_way_back_undoes_the_way_there(objects: tuple[list[Json], list[Json]]) -> None:
    old, new = (meetings_of(side, PLAN) for side in both(objects))
    there, back = by_engine(old, new, PLAN), by_engine(new, old, PLAN)
    assert {(source, target, now, was): ports for (source, target, was, now), ports in there.items()} == back


@law
@given(pairs_of_clusters(), st.booleans())
def test_every_changed_connection_names_an_object_that_differs_and_counts_are_exact(
    objects: tuple[list[Json], list[Json]],
    zoned: bool,  # noqa: FBT001 - drawn
) -> None:
    found = compare(*objects, PLAN if zoned else None)
    known = {one.id for one in found.causes}
    assert all(one.causes and known.issuperset(one.causes) for one in found.connections)
    for kind in KINDS:
        pairs = {(one.src, one.dst) for one in found.connections if one.change == kind}
        assert getattr(found.changes, kind).pairs == len(pairs)
        for between in found.zone_pairs:
            zones = (between.from_zone, between.to_zone)
            mine = {
                (one.src, one.dst)
                for one in found.connections
                if one.change == kind and (one.from_zone, one.to_zone) == zones
            }
            assert getattr(between.changes, kind).pairs == len(mine)
        for cause in found.causes:
            mine = {(one.src, one.dst) for one in found.connections if one.change == kind and cause.id in one.causes}
            assert getattr(cause, kind) == len(mine)
