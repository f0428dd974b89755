"""Each built-in rule: what it must find, and what it must leave alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from audit.discovery import discover
from audit.flows import Cause, CellFlow, Facts, Isolation, PolicyFact
from audit.model import ObjectRef, Zone
from audit.rule import SECTIONS
from audit.selectors import LabelSelector, Requirement
from audit.snapshot import Gap
from audit.traffic import ALL, NONE, AddressSet, Traffic
from tests.rules.test_rule_cases import BY_HAND

DNS = Traffic.of("UDP", 53)


def isolation(**more: Any) -> Isolation:
    values = {"pods": 3, "ingress": 3, "egress": 0, "policies": 1, "future_ingress": True, "future_egress": False}
    return Isolation(**(values | more))


def with_isolation(estate: Any, **namespaces: Isolation) -> Any:
    return replace(estate, facts=Facts(isolation=namespaces))


def with_policy(estate: Any, **more: Any) -> Any:
    ref = ObjectRef("NetworkPolicy", "app", "p")
    values: dict[str, Any] = {"ref": ref, "selected": 1, "selector": "x=y"}
    return replace(estate, facts=Facts(policies=(PolicyFact(**(values | more)),)))


@pytest.mark.parametrize("rule", discover(), ids=lambda rule: rule.id)
def test_every_rule_is_documented_and_passes_a_clean_estate(kit: Any, rule: Any) -> None:
    assert all(rule.sections[heading] for heading in SECTIONS)
    assert rule.controls
    clean = with_isolation(kit.estate, web=isolation(), app=isolation())
    checked = next(one for one in clean.check().rules if one.rule.id == rule.id)
    fine = {"pass"} if rule.id in BY_HAND else {"pass", "not-applicable"}  # a control may have nothing to judge there
    assert checked.verdict in fine
    assert checked.findings == 0


# NET001


def test_net001_is_one_finding_per_breach_with_its_cause(kit: Any) -> None:
    cell = kit.failing("dmz", "internal", kit.by_policy("app", "wide", kit.ssh), kit.open_default("app", DNS))
    found = {str(one.finding.subjects[0]): one.finding for one in kit.with_flows(cell).found("NET001")}
    assert set(found) == {"NetworkPolicy app/wide", "Namespace app"}
    wide = found["NetworkPolicy app/wide"]
    assert (wide.matrix_row, wide.expected) == ("ZM-1", "tcp/8443 (row ZM-1)")
    assert wide.traffic == kit.ssh
    assert wide.fix.startswith("Narrow ingress rule 0 of NetworkPolicy app/wide")
    assert [cause.direction for cause in wide.path] == ["egress", "ingress"]


def test_net001_says_what_the_matrix_allows_and_takes_its_severity(kit: Any) -> None:
    row = replace(kit.estate.matrix.flows[0], severity="critical", owner="row@example.org", controls=("x/1",))
    matrix = replace(kit.estate.matrix, flows=(row,))
    estate = replace(kit.with_flows(kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))), matrix=matrix)
    (one,) = estate.found("NET001")
    assert (one.severity, one.finding.owner, one.finding.controls) == ("critical", "row@example.org", ("x/1",))


def test_net001_ready_policy_follows_the_matrix(kit: Any) -> None:
    (one,) = kit.with_flows(kit.failing("dmz", "internal", kit.open_default("app", ALL))).found("NET001")
    policy = yaml.safe_load(one.finding.fix.partition("\n\n")[2])
    assert policy["metadata"] == {"name": "zone-internal-ingress", "namespace": "app"}
    assert policy["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [{"namespaceSelector": {"matchLabels": {"network-zone": "dmz"}}}],
                "ports": [{"protocol": "TCP", "port": 8443}],
            },
            {"from": [{"namespaceSelector": {"matchLabels": {"network-zone": "internal"}}}]},
        ],
    }


def test_net001_outbound_breach_is_repaired_on_the_side_of_the_source(kit: Any) -> None:
    breach = kit.open_default("app", ALL, ingress=None)
    (one,) = kit.with_flows(kit.failing("internal", "internet", breach)).found("NET001")
    policy = yaml.safe_load(one.finding.fix.partition("\n\n")[2])
    assert policy["spec"]["policyTypes"] == ["Egress"]
    assert policy["metadata"]["namespace"] == "app"


def test_net001_excess_without_a_cause_is_still_a_finding(kit: Any) -> None:
    cell = CellFlow(source="internal", target="dmz", observed=kit.ssh, possible=kit.ssh)
    (one,) = kit.with_flows(cell).found("NET001")
    assert one.verdict == "fail"
    assert one.finding.traffic == kit.ssh
    assert one.finding.subjects == (ObjectRef("Zone", "", "dmz"),)


def test_net001_unknown_excess_is_one_finding_per_reason(kit: Any) -> None:
    breaches = (
        kit.open_default("app", kit.ssh, certain=False, reasons=("host-network",)),
        kit.by_policy("app", "a", DNS, certain=False, reasons=("host-network", "named-port")),
    )
    found = kit.with_flows(kit.failing("dmz", "internal", *breaches)).found("NET001")
    assert {one.finding.reason: one.finding.traffic for one in found} == {
        "host-network": kit.ssh | DNS,
        "named-port": DNS,
    }
    assert {one.verdict for one in found} == {"not-evaluated"}


def test_net001_an_undecided_cell_without_details_is_not_silent(kit: Any) -> None:
    cell = CellFlow(source="internal", target="dmz", possible=kit.ssh, reasons=("foreign-policy",))
    (one,) = kit.with_flows(cell).found("NET001")
    assert (one.verdict, one.finding.reason) == ("not-evaluated", "foreign-policy")


def test_net001_a_row_that_blocks_is_judged_like_the_default(kit: Any) -> None:
    row = replace(kit.estate.matrix.flows[0], access="block-only", traffic=kit.ssh)
    estate = replace(
        kit.with_flows(kit.failing("dmz", "internal", kit.open_default("app", kit.ssh))),
        matrix=replace(kit.estate.matrix, flows=(row,)),
    )
    assert len(estate.found("NET001")) == 1


# NET002


def test_net002_open_but_not_exposed_is_low_and_the_cell_passes(kit: Any) -> None:
    cell = CellFlow(source="internet", target="internal", breaches=(kit.open_default("app", ALL, exposed=False),))
    estate = kit.with_flows(cell)
    (one,) = estate.found("NET002")
    assert (one.severity, one.verdict) == ("low", "fail")
    assert not estate.found("NET001")
    cells = {(c.cell.source, c.cell.target): c for c in estate.check().cells}
    assert cells["internet", "internal"].verdict == "pass"
    assert cells["internet", "internal"].findings == (one.fingerprint,)


# NET003 and NET004


def test_net003_a_policy_that_isolates_nobody_is_high(kit: Any) -> None:
    (one,) = with_isolation(kit.estate, app=isolation(ingress=0)).found("NET003")
    assert (one.severity, str(one.finding.subjects[0])) == ("high", "Namespace app")
    assert yaml.safe_load(one.finding.fix.partition("\n\n")[2])["kind"] == "NetworkPolicy"


def test_net003_a_policy_that_isolates_some_is_medium(kit: Any) -> None:
    (one,) = with_isolation(kit.estate, app=isolation(ingress=1)).found("NET003")
    assert one.severity == "medium"
    assert "2 of its 3 pods" in one.finding.title


def test_net003_an_allow_all_policy_is_isolation_on_paper(kit: Any) -> None:
    ref = ObjectRef("NetworkPolicy", "app", "allow-all")
    opener = Cause(direction="ingress", ref=ref, rule=0, text="rule 0 admits everybody")
    (one,) = with_isolation(kit.estate, app=isolation(open_ingress_by=(opener,))).found("NET003")
    assert one.severity == "high"
    assert ref in one.finding.subjects
    assert "\n\n" not in one.finding.fix


def test_net003_leaves_isolated_unprotected_and_platform_namespaces_alone(kit: Any) -> None:
    assert not with_isolation(kit.estate, app=isolation()).found("NET003")
    assert not with_isolation(kit.estate, app=isolation(policies=0, ingress=0)).found("NET003")
    platform = Zone(name="internal", kind="platform", trust=50)
    matrix = replace(kit.estate.matrix, zones=(*kit.estate.matrix.zones[:2], platform))
    assert not with_isolation(replace(kit.estate, matrix=matrix), app=isolation(ingress=0)).found("NET003")
    free = replace(kit.estate.matrix, flows=(), defaults=replace(kit.estate.matrix.defaults, inter_zone="allow"))
    assert not with_isolation(replace(kit.estate, matrix=free), app=isolation(ingress=0)).found("NET003")


def test_net004_a_namespace_without_policy_is_named_once(kit: Any) -> None:
    estate = with_isolation(kit.estate, app=isolation(policies=0, ingress=0), web=isolation())
    (one,) = estate.found("NET004")
    assert (one.severity, one.finding.to_zone) == ("medium", "internal")
    assert not estate.found("NET003")


def test_net004_leaves_unzoned_and_unprotected_namespaces_alone(kit: Any) -> None:
    bare = isolation(policies=0, ingress=0)
    unzoned = replace(kit.estate, zone_of=(("web", ()), ("app", ("internal",))))
    assert not with_isolation(unzoned, web=bare).found("NET004")
    free = replace(kit.estate.matrix, flows=(), defaults=replace(kit.estate.matrix.defaults, inter_zone="allow"))
    assert not with_isolation(replace(kit.estate, matrix=free), app=bare).found("NET004")


# NET005, NET006, NET007


def test_net005_selectors_and_peers_that_match_nothing(kit: Any) -> None:
    (one,) = with_policy(kit.estate, selected=0, empty_peers=("ingress rule 1: namespaces network-zone=b",)).found(
        "NET005"
    )
    assert one.severity == "low"
    assert "x=y" in one.finding.observed
    assert "network-zone=b" in one.finding.observed


def test_net005_a_policy_for_all_pods_of_an_empty_namespace_is_no_finding(kit: Any) -> None:
    assert not with_policy(kit.estate, selected=0, selector="everything").found("NET005")


def test_net006_sections_without_effect(kit: Any) -> None:
    (one,) = with_policy(kit.estate, inert=("egress rules are ignored: policyTypes lists only Ingress",)).found(
        "NET006"
    )
    assert one.severity == "medium"


def test_net007_never_passes_and_never_fails(kit: Any) -> None:
    foreign = ObjectRef("CiliumNetworkPolicy", "app", "c")
    for estate in (
        with_policy(kit.estate, gaps=("unknown field `spec.egressDeny`",)),
        replace(kit.estate, facts=Facts(foreign=(foreign,))),
        replace(kit.estate, gaps=(Gap(kind="CiliumNetworkPolicy.cilium.io", reason="not-modelled"),)),
    ):
        (one,) = estate.found("NET007")
        assert one.verdict == "not-evaluated"
        assert one.finding.reason
        assert estate.verdict("NET007").verdict == "not-evaluated"


def test_net007_says_a_kind_once(kit: Any) -> None:
    foreign = ObjectRef("CiliumNetworkPolicy", "app", "c")
    gap = Gap(kind="CiliumNetworkPolicy.cilium.io", reason="not-modelled", text="not modelled")
    estate = replace(kit.estate, facts=Facts(foreign=(foreign,)), gaps=(gap,))
    assert len(estate.found("NET007")) == 1


# ZON001 to ZON004


def unzoned(estate: Any, **more: Any) -> Any:
    return replace(estate, zone_of=(("web", ("dmz",)), ("app", ())), **more)


def defaults(estate: Any, mode: Any) -> Any:
    return replace(estate.matrix, defaults=replace(estate.matrix.defaults, unzoned=mode))


def test_zon001_weight_follows_the_matrix_and_the_population(kit: Any) -> None:
    assert [one.severity for one in unzoned(kit.estate).found("ZON001")] == ["high"]
    assert [one.severity for one in unzoned(kit.estate, pods=("web",)).found("ZON001")] == ["low"]
    with_a_policy = unzoned(kit.estate, pods=("web",), policies=(("app", "p"),))
    assert [one.severity for one in with_a_policy.found("ZON001")] == ["high"]
    warned = unzoned(kit.estate, matrix=defaults(kit.estate, "warn"))
    assert [one.severity for one in warned.found("ZON001")] == ["low"]


def test_zon001_ignored_by_the_matrix_is_not_applicable(kit: Any) -> None:
    ignored = unzoned(kit.estate, matrix=defaults(kit.estate, "ignore"))
    assert not ignored.found("ZON001")
    assert ignored.verdict("ZON001").verdict == "not-applicable"


def test_zon001_platform_namespaces_are_one_finding(kit: Any) -> None:
    names = ("default", "kube-system", "openshift-dns")
    estate = replace(kit.estate, zone_of=(*((name, ()) for name in names), ("web", ("dmz",)), ("app", ("internal",))))
    (one,) = estate.found("ZON001")
    assert tuple(ref.name for ref in one.finding.subjects) == names


def test_zon001_leaves_unread_and_doubly_claimed_namespaces_to_their_rules(kit: Any) -> None:
    assert not unzoned(kit.estate, unknown=frozenset({"app"})).found("ZON001")
    both = replace(kit.estate, zone_of=(("web", ("dmz", "internal")),))
    assert not both.found("ZON001")
    assert len(both.found("ZON002")) == 1


def test_zon002_names_every_claim(kit: Any) -> None:
    (one,) = replace(kit.estate, zone_of=(("web", ("dmz", "internal")),)).found("ZON002")
    assert one.severity == "high"
    assert one.finding.title == "namespace web is claimed by dmz and internal"


def test_zon003_a_zone_without_members_is_low_in_a_cluster_and_information_in_manifests(kit: Any) -> None:
    estate = replace(kit.estate, zone_of=(("web", ("dmz",)),))
    (one,) = estate.found("ZON003")
    assert (one.severity, one.finding.to_zone) == ("info", "internal")
    assert replace(estate, live=True).found("ZON003")[0].severity == "low"


def test_zon004_unknown_labels_are_not_evaluated_unless_the_name_decides(kit: Any) -> None:
    (one,) = unzoned(kit.estate, unknown=frozenset({"app"})).found("ZON004")
    assert one.verdict == "not-evaluated"
    (named,) = replace(kit.estate, unknown=frozenset({"app"})).found("ZON004")
    assert (named.verdict, named.severity) == ("fail", "info")


# HOST001


def test_host001_lists_the_workloads_of_a_zone_and_leaves_the_platform_alone(kit: Any) -> None:
    (one,) = replace(kit.estate, host=frozenset({"app"})).found("HOST001")
    assert [str(ref) for ref in one.finding.subjects] == ["Deployment app/main"]
    platform = Zone(name="internal", kind="platform", trust=50)
    matrix = replace(kit.estate.matrix, zones=(*kit.estate.matrix.zones[:2], platform))
    assert not replace(kit.estate, host=frozenset({"app"}), matrix=matrix).found("HOST001")


# Ready YAML


def test_policies_of_a_fix_stay_yaml_whatever_names_the_input_holds(kit: Any) -> None:
    from audit.remedy import zone_policies

    hostile = 'a"]}\n- evil: {x: "'
    hostile_label = Requirement(hostile, "In", (hostile,))
    zone = Zone(name="no", namespaces=LabelSelector((hostile_label, Requirement("on", "In", ("1",)))))
    matrix = replace(kit.estate.matrix, zones=(zone,), flows=())
    policy = yaml.safe_load(zone_policies(matrix)(hostile, "no"))
    assert policy["metadata"] == {"name": "zone-no-ingress", "namespace": hostile}
    labels = policy["spec"]["ingress"][0]["from"][0]["namespaceSelector"]["matchLabels"]
    assert labels == {hostile: hostile, "on": "1"}


def test_policies_of_a_fix_spell_out_expressions_ranges_and_address_blocks(kit: Any) -> None:
    from audit.remedy import zone_policies

    selector = LabelSelector.parse({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a", "b"]}]})
    partner = Zone(name="partner", kind="external", cidrs=AddressSet.cidr("198.51.100.0/24"))
    zones = (partner, Zone(name="app", namespaces=selector))
    row = replace(
        kit.estate.matrix.flows[0],
        source="partner",
        target="app",
        traffic=Traffic.of("TCP", 80, 90) | Traffic.of("SCTP"),
    )
    matrix = replace(kit.estate.matrix, zones=zones, flows=(row,))
    spec = yaml.safe_load(zone_policies(matrix)("one", "app"))["spec"]
    assert spec["ingress"][0] == {
        "from": [{"ipBlock": {"cidr": "198.51.100.0/24"}}],
        "ports": [{"protocol": "TCP", "port": 80, "endPort": 90}, {"protocol": "SCTP"}],
    }
    expression = {"key": "tier", "operator": "NotIn", "values": ["a", "b"]}
    assert spec["ingress"][1] == {"from": [{"namespaceSelector": {"matchExpressions": [expression]}}]}


def test_a_policy_of_a_fix_that_admits_nobody_says_so(kit: Any) -> None:
    from audit.remedy import zone_policies

    closed = replace(kit.estate.matrix.defaults, intra_zone="deny")
    matrix = replace(kit.estate.matrix, flows=(), defaults=closed)
    assert yaml.safe_load(zone_policies(matrix)("app", "internal"))["spec"]["ingress"] == []
    assert matrix.expect("dmz", "internal").allowed == NONE


@pytest.mark.parametrize("rule", [one for one in discover() if one.id in BY_HAND and one.needs], ids=lambda one: one.id)
def test_no_rule_of_reachability_passes_when_what_it_needs_was_not_read(kit: Any, rule: Any) -> None:
    clean = with_isolation(kit.estate, web=isolation(), app=isolation())
    for kind in rule.needs:
        checked = replace(clean, gaps=(Gap(kind=kind, reason="forbidden"),)).verdict(rule.id)
        assert (checked.verdict, kind in checked.reason) == ("not-evaluated", True)
