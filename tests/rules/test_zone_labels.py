"""Zone labels that name no zone, and namespaces whose labels nobody read, through the stages that decide about them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from audit import checker, discovery, zones
from audit.checker import CheckedFinding
from audit.flows import Facts
from audit.model import ZoneMatrix
from audit.selectors import LabelSelector
from tests.core.clusters import inventory, matrix, namespace, node, pod, zone, zoned

Json = Any
ZONES = (zone("dmz", namespaces=LabelSelector.parse({"matchLabels": {"edge": "yes"}})), zone("db"))
MANY = matrix(ZONES)
ONE = matrix(ZONES, cluster_mode="single-zone", cluster_zone="db")


def found(plan: ZoneMatrix, *objects: Json) -> list[CheckedFinding]:
    population = inventory(*objects)
    members = zones.assign(plan, population.namespaces.values(), population.nodes.values())
    rules = [rule for rule in discovery.discover() if rule.id.startswith("ZON")]
    results = checker.check(
        rules,
        inventory=population,
        zone_map=members,
        matrix=plan,
        flows=(),
        facts=Facts(),
        today=dt.date(2026, 11, 23),
    )
    return [one for one in results.findings if one.rule.id in ("ZON001", "ZON004")]


@pytest.mark.parametrize("plan", [MANY, ONE])
def test_a_zone_label_that_names_no_zone_is_found_in_every_mode(plan: ZoneMatrix) -> None:
    (one,) = found(plan, zoned("a", "bd"))
    assert (one.rule.id, one.verdict, one.severity) == ("ZON001", "fail", "low")
    assert one.finding.observed == "no zone selects it: label network-zone=bd names no zone"
    assert [one.severity for one in found(plan, zoned("a", "bd"), pod("p", "a"))] == ["high"]


@pytest.mark.parametrize("plan", [MANY, ONE])
def test_a_stray_label_is_found_although_a_selector_gives_the_zone(plan: ZoneMatrix) -> None:
    (one,) = found(plan, namespace("a", **{"network-zone": "bd", "edge": "yes"}), pod("p", "a"))
    assert (one.rule.id, one.verdict, one.severity) == ("ZON001", "fail", "low")
    assert one.finding.title == "label network-zone=bd of namespace a names no zone"
    assert one.finding.observed == "select.namespaces of zone dmz"


@pytest.mark.parametrize("plan", [MANY, ONE])
def test_a_label_on_a_node_may_name_what_zones_share(plan: ZoneMatrix) -> None:
    assert not found(plan, zoned("a", "db"), node("n1", "10.9.0.1", labels={"network-zone": "shared"}))
