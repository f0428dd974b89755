"""Many namespaces with one and the same fault are one finding, and nobody joins it unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from audit.checker import fingerprint
from audit.exceptions import ExceptionEntry, Scope
from audit.exempt import exempt
from audit.flows import Cause, Facts, Isolation
from audit.model import ObjectRef
from audit.rule import ALIKE
from audit.traffic import ALL

BARE = Isolation(pods=2, ingress=0, egress=0, policies=0, future_ingress=False, future_egress=False)


def names(count: int) -> list[str]:
    return [f"n{number:03}" for number in range(count)]


def opened(name: str) -> Isolation:
    ref = ObjectRef("NetworkPolicy", name, "allow-all")
    cause = Cause(direction="ingress", ref=ref, rule=0, text="rule 0 admits everybody")
    return replace(BARE, ingress=2, policies=1, open_ingress_by=(cause,))


def estate(kit: Any, rule: str, count: int) -> Any:
    """`count` namespaces with the fault that the rule is about."""
    many = names(count)
    claims = () if rule.startswith("ZON") else ("internal",)
    found = replace(kit.estate, zone_of=tuple((name, claims) for name in many), pods=tuple(many))
    if rule == "ZON004":
        return replace(found, unknown=frozenset(many))
    if rule == "NET004":
        return replace(found, facts=Facts(isolation=dict.fromkeys(many, BARE)))
    if rule == "NET003":
        return replace(found, facts=Facts(isolation={name: opened(name) for name in many}))
    return found


RULES = ("NET003", "NET004", "ZON001", "ZON004")


@pytest.mark.parametrize("rule", RULES)
def test_a_few_are_told_one_by_one(kit: Any, rule: str) -> None:
    assert len(estate(kit, rule, ALIKE).found(rule)) == ALIKE


@pytest.mark.parametrize("rule", RULES)
def test_many_are_one_finding_that_names_all(kit: Any, rule: str) -> None:
    (one,) = estate(kit, rule, 200).found(rule)
    namespaces = [ref.name for ref in one.finding.subjects if ref.kind == "Namespace"]
    assert namespaces == names(200)
    assert "200 namespaces" in one.finding.title
    assert one.finding.counts["namespaces"] == 200
    assert "The same goes for 199 more" in one.finding.fix.partition("\n\n")[0]


@pytest.mark.parametrize("rule", RULES)
def test_another_verdict_weight_or_zone_is_another_finding(kit: Any, rule: str) -> None:
    whole = estate(kit, rule, 20)
    changed = tuple((name, ("dmz",) if name < "n010" else claims) for name, claims in whole.zone_of)
    found = replace(whole, zone_of=changed).found(rule)
    assert sorted({len(one.finding.subjects) for one in found}) in ([10], [20])
    assert len({(one.verdict, one.finding.to_zone) for one in found}) == len(found)


def test_different_policies_that_open_namespaces_are_different_findings(kit: Any) -> None:
    whole = estate(kit, "NET003", 12)
    ref = ObjectRef("NetworkPolicy", "n000", "other")
    other = replace(opened("n000"), open_ingress_by=(Cause(direction="ingress", ref=ref, rule=0, text="x"),))
    found = replace(whole, facts=Facts(isolation={**whole.facts.isolation, "n000": other})).found("NET003")
    assert sorted(len(one.finding.subjects) for one in found) == [2, 22]


def test_the_fingerprint_changes_with_the_members_and_not_with_their_order(kit: Any) -> None:
    (one,), (more,) = (estate(kit, "NET004", count).found("NET004") for count in (10, 11))
    assert one.fingerprint != more.fingerprint
    turned = replace(one.finding, subjects=one.finding.subjects[::-1])
    assert fingerprint("NET004", turned) == one.fingerprint


@pytest.mark.parametrize("rule", ["NET003", "NET004", "ZON001"])
def test_a_newcomer_is_never_covered_unseen(kit: Any, rule: str) -> None:
    (one,) = estate(kit, rule, 10).found(rule)
    zone = (one.finding.to_zone,) if one.finding.to_zone else ("any",)
    scope = Scope(
        sources=("any",), targets=zone, services=("any",), subjects=tuple(map(str, one.finding.subjects)), traffic=ALL
    )
    entry = ExceptionEntry(
        id="E1", title="t", rule=rule, scope=scope, justification="j", requested_by="x@e.org",
        requested_on="2026-01-01", approved_by="y@e.org", approved_on="2026-01-02", valid_from="2026-01-02",
        expires_on="2027-01-01",
    )  # fmt: skip

    def verdicts(count: int) -> list[str]:
        results = exempt(estate(kit, rule, count).check(), [entry], kit.estate.matrix, date(2026, 11, 23)).results
        return [one.verdict for one in results.findings if one.rule.id == rule]

    assert verdicts(10) == ["excepted"]
    assert verdicts(11) == ["fail"]
