"""Whatever decides a verdict is noted: what the engine reads is evidence of cells, and what rules read is theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest

from audit import cells, checker, footing, inventory
from audit.api_resources import OLD_DOORS, RESOURCES
from audit.departures import departures
from audit.entry_points import entry_points
from audit.inventory import Inventory
from audit.lacking import UNREAD_DOORS, UNREAD_POLICIES
from audit.networks import networks_of
from audit.policy.foreign import FOREIGN
from audit.profile import detect
from audit.rule import Context, Finding, NotApplicable, Rule, rule
from audit.runs import run_all
from audit.sources.kinds import kind_key
from audit.tally import Tally
from audit.zones import assign
from tests.evidence.live import SERVED, TODAY, Live, live, rules

ASKED = {kind_key(one.group, one.kind) for one in RESOURCES}
MARKS = {UNREAD_DOORS, UNREAD_POLICIES}


def asked(kinds: set[str]) -> set[str]:
    """The kinds under the keys that a cluster is asked for; going through all kinds is looked at by hand below."""
    return {OLD_DOORS.get(kind, kind) for kind in kinds} - {"*"}


def reads(cluster: Live, work: Callable[[Inventory], object]) -> set[str]:
    seen = set[str]()
    work(footing.noted(inventory.build(cluster.snapshot), seen))
    return asked(seen)


def engine(cluster: Live) -> Callable[[Inventory], object]:
    def cells_of(population: Inventory) -> object:
        zone_map = assign(cluster.matrix, population.namespaces.values(), population.nodes.values())
        reach = cells.reachability(population, zone_map, cluster.matrix)
        return Tally(cells.joined(reach, zone_map), cluster.matrix).cells()

    return cells_of


@pytest.mark.parametrize("name", SERVED)
def test_every_kind_that_the_engine_reads_is_evidence_of_cells(name: str) -> None:
    cluster = live(name)
    assert reads(cluster, engine(cluster)) <= footing.REACH_EVIDENCE


@pytest.mark.parametrize("name", SERVED)
def test_what_is_built_before_the_engine_rests_on_evidence_of_cells(name: str) -> None:
    snapshot = live(name).snapshot
    seen = set[str]()
    built = inventory.build(replace(snapshot, entries=footing.Noted(snapshot.entries, seen)))
    assert asked(seen) <= footing.POLICED
    parts = footing.resting(built)
    pods = set[str]()
    watched = replace(snapshot, entries=footing.Noted(snapshot.entries, pods))
    profile = detect(watched)
    assert asked(pods) <= asked({*parts["profile"]})
    networks_of(watched, built.namespaces, profile)
    assert asked(pods) - {"Namespace"} <= asked({*parts["networks"]})
    compared = footing.POLICIES
    assert asked(seen) <= asked({*parts["endpoints"]}) | compared


@pytest.mark.parametrize("name", SERVED)
def test_facts_rest_on_what_their_makers_read(name: str) -> None:
    cluster = live(name)

    def ways_out(population: Inventory) -> object:
        zone_map = assign(cluster.matrix, population.namespaces.values(), population.nodes.values())
        reach = cells.reachability(population, zone_map, cluster.matrix)
        seen.clear()
        return departures(reach, zone_map, cluster.matrix)

    def ways_in(population: Inventory) -> object:
        zone_map = assign(cluster.matrix, population.namespaces.values(), population.nodes.values())
        reach = cells.reachability(population, zone_map, cluster.matrix)
        return entry_points(cells.joined(reach, zone_map), zone_map)

    seen = set[str]()
    ways_out(footing.noted(inventory.build(cluster.snapshot), seen))
    assert asked(seen) <= footing.FACTS["departures"]
    assert reads(cluster, ways_in) <= footing.FACTS["entry_points"]


def test_every_kind_of_a_policy_that_is_not_modelled_is_evidence_of_cells() -> None:
    assert {f"{kind}.{group}" for group, kinds in FOREIGN.items() for kind in kinds} <= footing.REACH_EVIDENCE


def test_every_kind_that_verdicts_rest_on_is_asked_of_a_cluster() -> None:
    wanted = {*footing.REACH_EVIDENCE, *(kind for one in footing.FACTS.values() for kind in one)}
    wanted |= {kind for one in rules() for kind in (*one.needs, *one.undone_by)}
    assert asked({*wanted}) - MARKS <= ASKED


@pytest.mark.parametrize("name", SERVED)
def test_every_kind_that_rules_read_is_asked_of_a_cluster(name: str) -> None:
    context = context_of(live(name))
    for one in rules():
        seen = set[str]()
        list(one.check(footing.Footing(context).noting(seen)))
        assert "*" not in seen, f"{one.id} looks at a part that nobody described"
        assert asked(seen) - MARKS <= ASKED, one.id


def context_of(cluster: Live) -> Context:
    """What rules see of a cluster."""
    kept: list[Context] = []

    def keep(context: Context) -> Iterator[Finding]:
        """What it checks: nothing.

        Why it matters: no.

        How to fix: no.

        Limits: no.
        """
        kept.append(context)
        yield from ()

    keeping = rule("X1", "keeps")(keep)
    judged(cluster, keeping)
    return kept[0]


def judged(cluster: Live, *more: Rule) -> checker.Results:
    population = inventory.build(cluster.snapshot)
    zone_map = assign(cluster.matrix, population.namespaces.values(), population.nodes.values())
    found = cells.evaluate(population, zone_map, cluster.matrix)
    return checker.check(
        more, inventory=population, zone_map=zone_map, matrix=cluster.matrix,
        flows=found.cells, facts=found.facts, today=TODAY,
    )  # fmt: skip


def bare(check: Callable[[Context], Iterator[Finding | NotApplicable]]) -> Rule:
    """A rule of others, who declare nothing."""
    check.__doc__ = "What it checks: a.\n\nWhy it matters: b.\n\nHow to fix: c.\n\nLimits: d."
    return rule("X1", "a rule of others")(check)


def reading(kind: str) -> Rule:
    def check(context: Context) -> Iterator[Finding | NotApplicable]:
        if not list(context.scene.of(kind)):
            yield NotApplicable(f"there is no {kind}")

    return bare(check)


def looking(part: Callable[[Context], object]) -> Rule:
    def check(context: Context) -> Iterator[Finding | NotApplicable]:
        part(context)
        yield from ()

    return bare(check)


def without(kind: str) -> Live:
    cluster = live("plain")
    old = cluster.entry(kind)
    return cluster.ablated({kind: msgspec.structs.replace(old, status="forbidden", objects=0)}, {kind: ()})


def test_a_rule_that_declares_nothing_cannot_rest_on_what_it_was_not_given() -> None:
    (whole,) = judged(live("plain"), reading("ResourceQuota")).rules
    (lost,) = judged(without("ResourceQuota"), reading("ResourceQuota")).rules
    (other,) = judged(without("StorageClass.storage.k8s.io"), reading("ResourceQuota")).rules
    assert (whole.verdict, lost.verdict, other.verdict) == ("pass", "not-evaluated", "pass")
    assert lost.reason == "ResourceQuota: forbidden, not readable: grant `list` on `resourcequotas`"


def test_there_is_nothing_to_judge_only_where_that_was_seen() -> None:
    gateways = "Gateway.gateway.networking.k8s.io"
    (absent,) = judged(live("plain"), reading(gateways)).rules
    (lost,) = judged(without(gateways), reading(gateways)).rules
    assert (absent.verdict, lost.verdict) == ("not-applicable", "not-evaluated")


def test_a_kind_that_no_cluster_is_asked_for_proves_nothing() -> None:
    (one,) = judged(live("plain"), reading("Widget.example.org")).rules
    assert (one.verdict, one.reason) == (
        "not-evaluated", "Widget.example.org: unavailable, no cluster is asked for it",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("part", "kind", "other"),
    [
        (lambda context: context.cells, "Service", "ResourceQuota"),
        (lambda context: context.inventory.nodes, "Node", "Pod"),
        (lambda context: context.inventory.endpoints, "ReplicaSet", "Service"),
        (lambda context: context.host_network, "DaemonSet", "Service"),
        (lambda context: context.inventory.profile.product, "DaemonSet", "Pod"),
        (lambda context: context.zone_map.nodes, "Node", "Namespace"),
        (lambda context: context.zone_of("web"), "Namespace", "Node"),
        (lambda context: context.scene.node_zone("node-1"), "Node", "Namespace"),
        (lambda context: list(context.scene.members("dmz")), "Namespace", "Pod"),
        (lambda context: context.facts.isolation, "NetworkPolicy", "Service"),
        (lambda context: context.facts.entry_points, "Ingress.networking.k8s.io", "ResourceQuota"),
        (lambda context: context.scene.without("Endpoints"), "Endpoints", "Service"),
        (lambda context: context.missing("Endpoints"), "Endpoints", "Service"),
        (lambda context: context.inventory.host_network, "DaemonSet", "Service"),
        (lambda context: context.of(lambda scene: scene.inventory.nodes), "Node", "Pod"),
        (lambda context: list(context.inventory.snapshot.entries), "StorageClass.storage.k8s.io", ""),
    ],
)  # fmt: skip
def test_every_part_of_the_context_is_noted(part: Callable[[Context], object], kind: str, other: str) -> None:
    (lost,) = judged(without(kind), looking(part)).rules
    assert lost.verdict == "not-evaluated"
    if other:
        (kept,) = judged(without(other), looking(part)).rules
        assert kept.verdict == "pass"


def test_a_part_that_nobody_described_rests_on_everything() -> None:
    seen = set[str]()
    context = footing.Footing(context_of(live("plain"))).noting(seen)
    with pytest.raises(AttributeError):
        _ = context.scene.inventory.unheard_of  # type: ignore[attr-defined]
    assert seen == {"*"}


def test_rules_share_nothing_that_would_hide_what_they_look_at() -> None:
    """Twice the same rule, on a cluster of which something is missing: the second looks at as much as the first."""
    first, second = (judged(without("ResourceQuota"), *rules(), *rules()).rules[place::2] for place in (0, 1))
    assert [one.verdict for one in first] == [one.verdict for one in second]


def test_a_complete_cluster_costs_no_scene_for_each_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footing.Footing, "__init__", lambda *_: pytest.fail("each rule was watched"))
    assert run_all(rules(), context_of(live("plain")))
