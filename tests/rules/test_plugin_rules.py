"""NET008 and NET009 over the whole engine: what a plug-in reads in another way, and what it does not enforce."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from audit import cells, checker, inventory, zones
from audit.checker import CheckedFinding, Results
from audit.discovery import discover
from audit.profile import Plugin
from tests.core.clusters import DENY_ALL, host, matrix, namespace, pod, policy, snapshot, zone, zoned
from tests.core.test_plugins import admin, cidr, sdn

Json = Any
WORLD = [zoned("app", "a"), zoned("db", "b"), pod("web", "app", "10.0.0.1"), pod("pg", "db", "10.0.0.2")]


def check(*objects: Json, plugin: Plugin | None = None) -> Results:
    plan = matrix([zone("a"), zone("b", owner="b@example.org")])
    population = inventory.build(snapshot([*WORLD, *objects]), plugin)
    members = zones.assign(plan, population.namespaces.values(), population.nodes.values())
    found = cells.evaluate(population, members, plan)
    return checker.check(
        discover(),
        inventory=population,
        zone_map=members,
        matrix=plan,
        flows=found.cells,
        facts=found.facts,
        today=dt.date(2026, 11, 23),
    )


def of(rule: str, results: Results) -> list[CheckedFinding]:
    return [one for one in results.findings if one.rule.id == rule]


def about(*objects: Json, plugin: Plugin | None = None) -> list[tuple[Sequence[str], str]]:
    """Construct and title of every finding of NET008."""
    return [(one.finding.identity, one.finding.title) for one in of("NET008", check(*objects, plugin=plugin))]


EVERYONE: Json = {"namespaceSelector": {}}
TEAM: Json = {"namespaceSelector": {"matchLabels": {"team": "one"}}}
EVERY_POD: Json = {"namespaceSelector": {}, "podSelector": {}}
HOST_NETWORK = namespace("openshift-host-network")
AGENT = host("agent", ns="app")


@pytest.mark.parametrize(
    ("plugin", "objects", "construct"),
    [
        ("ovn-kubernetes", [policy({"ingress": [{"ports": [{"port": "sql"}]}]}, "db")], "named-port"),
        ("ovn-kubernetes", [policy({"policyTypes": ["Egress"], "ingress": [{}]}, "db")], "unlisted-direction"),
        ("ovn-kubernetes", [policy({"ingress": [{"from": [EVERYONE]}]}, "db"), HOST_NETWORK], "host-network"),
        ("ovn-kubernetes", [policy({"ingress": [{"from": [EVERY_POD]}]}, "db"), AGENT], "host-network"),
        ("ovn-kubernetes", [policy({"ingress": [{"from": [EVERYONE]}]}, "db")], "host-network"),
        ("ovn-kubernetes", [admin(priority=100)], "admin-priority"),
        ("ovn-kubernetes", [admin("ClusterNetworkPolicy")], "admin-kind"),
        ("cilium", [policy({"ingress": [cidr("10.0.0.0/8")]}, "db")], "block-of-pods"),
        ("calico", [admin()], "admin-kind"),
        (None, [*sdn(version="4.9.0"), policy({"policyTypes": ["Egress"]}, "db")], "egress-not-enforced"),
        (None, [*sdn(version="4.4.0"), policy({"ingress": [cidr("10.0.0.0/8")]}, "db")], "block-not-read"),
        (None, [*sdn(version="4.4.0"), policy({"ingress": [{"ports": [{"port": "x"}]}]}, "db")], "named-port-denies"),
        (None, [*sdn(version="4.9.0"), policy({"ingress": [{"ports": [{"port": "x"}]}]}, "db")], "named-port-skipped"),
        (None, [*sdn(version="4.12.0"), policy({"ingress": [{"from": [EVERYONE]}]}, "db")], "any-source"),
    ],
)  # fmt: skip
def test_each_construct_is_a_finding_that_names_the_policy(
    plugin: Plugin | None, objects: list[Json], construct: str
) -> None:
    found = [title for (name, *_), title in about(*objects, plugin=plugin) if name == construct]
    assert len(found) == 1
    assert any(f"{one['kind']} " in found[0] and one["metadata"]["name"] in found[0] for one in objects)


@pytest.mark.parametrize(
    ("plugin", "objects"),
    [
        ("spec", [policy({"policyTypes": ["Egress"], "ingress": [{"ports": [{"port": "sql"}]}]}, "db")]),
        ("ovn-kubernetes", [policy({"ingress": [{"ports": [{"port": 80}]}, cidr("10.0.0.0/8")]}, "db"), AGENT]),
        ("ovn-kubernetes", [policy({"ingress": [{"from": [TEAM]}]}, "db")]),
        ("ovn-kubernetes", [policy({"podSelector": {"matchLabels": {"no": "pod"}},
                                    "ingress": [{"ports": [{"port": "sql"}]}]}, "db")]),
        ("ovn-kubernetes", [admin(priority=99)]),
        ("cilium", [policy({"ingress": [cidr("203.0.113.0/24")]}, "db")]),
        (None, [*sdn(version="4.12.0"), policy({"policyTypes": ["Egress"]}, "db")]),
        (None, [*sdn("subnet"), policy({"ingress": [{"ports": [{"port": "sql"}]}]}, "db")]),
    ],
)  # fmt: skip
def test_what_makes_no_difference_is_no_finding(plugin: Plugin | None, objects: list[Json]) -> None:
    assert about(*objects, plugin=plugin) == []


def test_one_policy_is_one_finding_however_many_rules() -> None:
    rules = [{"ports": [{"port": name}]} for name in ("sql", "web", "top")]
    (one,) = of("NET008", check(policy({"ingress": rules}, "db"), plugin="ovn-kubernetes"))
    assert one.finding.counts == {"rules": 3}
    assert (one.finding.to_zone, one.finding.owner) == ("b", "b@example.org")


def test_many_alike_are_one_finding() -> None:
    many = [policy({"ingress": [{"ports": [{"port": "sql"}]}]}, "db", f"p{number}") for number in range(7)]
    (one,) = of("NET008", check(*many, plugin="ovn-kubernetes"))
    assert one.finding.title.startswith("7 policies: each opens every port")
    assert len(one.finding.subjects) == 7


def test_a_section_that_the_plug_in_honours_is_not_called_without_effect_as_well() -> None:
    sloppy = policy({"policyTypes": ["Egress"], "ingress": [{}]}, "db")
    assert [len(of("NET006", check(sloppy, plugin=plugin))) for plugin in ("spec", "ovn-kubernetes")] == [1, 0]


def test_equal_priorities_are_a_finding_on_every_plug_in() -> None:
    other = admin() | {"metadata": {"name": "other"}}
    apart = admin() | {"metadata": {"name": "apart"}}
    apart["spec"] = apart["spec"] | {"subject": {"namespaces": {"matchLabels": {"network-zone": "a"}}}}
    (one,) = of("NET008", check(admin(), other, apart))
    assert [ref.name for ref in one.finding.subjects] == ["default", "other"]
    assert of("NET008", check(admin(), admin(priority=11) | {"metadata": {"name": "other"}})) == []


@pytest.mark.parametrize("mode", ["subnet", "multitenant"])
def test_policies_that_nobody_enforces_are_one_critical_finding(mode: str) -> None:
    results = check(*sdn(mode), policy(DENY_ALL, "db"), policy(DENY_ALL, "app"))
    (one,) = of("NET009", results)
    assert (one.verdict, one.severity, str(one.finding.subjects[0])) == ("fail", "critical", "ClusterNetwork default")
    assert one.finding.title == f"2 NetworkPolicies have no effect: openshift-sdn (mode {mode}) enforces none"
    others = {one.rule.id: one.verdict for one in results.rules}
    assert (others["NET003"], others["NET004"]) == ("not-applicable", "not-applicable")


def test_an_unenforced_policy_is_told_as_the_cause_of_what_is_open() -> None:
    breach = next(
        one for one in of("NET001", check(*sdn("subnet"), policy(DENY_ALL, "db"))) if one.finding.to_zone == "b"
    )
    assert {step.text for step in breach.finding.path} == {"the network plug-in enforces no policy: open"}
    assert breach.finding.fix.startswith("Have policies enforced first: openshift-sdn (mode subnet) ignores them.")


def test_policies_of_which_nobody_knows_are_not_evaluated() -> None:
    results = check(policy(DENY_ALL, "db"), plugin="unknown")
    (one,) = of("NET009", results)
    assert one.verdict == "not-evaluated"
    assert of("NET009", check(plugin="unknown")) == []


@pytest.mark.parametrize("plugin", ["spec", "ovn-kubernetes", "calico", "cilium"])
def test_policies_that_are_enforced_are_no_finding(plugin: Plugin) -> None:
    assert of("NET009", check(policy(DENY_ALL, "db"), plugin=plugin)) == []
