"""EgressFirewall: what leaves a namespace on OVN-Kubernetes (docs/reachability.md, section 4)."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from audit.errors import AuditErrors
from audit.permits import UNCERTAIN
from audit.policy.egressfirewall import lower
from audit.policy.specs import SpecError
from audit.profile import Profile
from tests.core.clusters import (
    DENY_ALL,
    Json,
    blocks,
    cell,
    evaluate,
    host,
    matrix,
    namespace,
    node,
    pod,
    policy,
    zone,
    zoned,
)
from tests.core.egress import (
    APPLIED,
    OUTSIDE,
    OVN,
    SDN,
    UNKNOWN,
    allow,
    answer,
    deny,
    firewall,
    lines,
    one_pod,
    reached,
    reasons,
    rule,
    verdict,
)

CRDS = Path(__file__).parents[3] / "shared" / "crds"
ALL4 = "0.0.0.0/0"
SHUT = firewall(deny(ALL4), deny("::/0"))


def test_without_a_firewall_everything_leaves() -> None:
    assert verdict(OUTSIDE, *one_pod()) == "allowed"


def test_rules_go_in_order_and_the_first_match_decides() -> None:
    first = firewall(allow("203.0.113.0/24"), deny(ALL4))
    last = firewall(deny(ALL4), allow("203.0.113.0/24"))
    assert (verdict(OUTSIDE, *one_pod(), first), verdict("8.8.8.8", *one_pod(), first)) == ("allowed", "denied")
    assert verdict(OUTSIDE, *one_pod(), last) == "denied"


def test_what_no_rule_matches_is_allowed() -> None:
    assert verdict("8.8.8.8", *one_pod(), firewall(deny("10.0.0.0/8"))) == "allowed"


def test_a_deny_of_all_of_ipv4_leaves_ipv6_open() -> None:
    assert verdict("2001:db8::1", *one_pod(), firewall(deny(ALL4))) == "allowed"
    assert verdict("2001:db8::1", *one_pod(), SHUT) == "denied"


def test_ports_limit_a_rule_to_them() -> None:
    made = firewall(rule("Allow", ALL4, 443), rule("Allow", ALL4, 53, protocol="UDP"), deny(ALL4))
    found = [verdict(OUTSIDE, *one_pod(), made, port=port) for port in ("tcp/443", "tcp/80", "udp/53", "tcp/53")]
    assert found == ["allowed", "denied", "allowed", "denied"]


def test_two_halves_deny_what_the_whole_denies() -> None:
    assert verdict(OUTSIDE, *one_pod(), firewall(deny("0.0.0.0/1"), deny("128.0.0.0/1"))) == "denied"


def test_pods_are_never_restricted_even_inside_a_denied_block() -> None:
    target = pod("b", "other", ip="10.128.0.5")
    for plan in (firewall(deny("10.128.0.0/14")), SHUT):
        assert verdict("other/b", *one_pod(), namespace("other"), target, plan) == "allowed"


def test_host_network_pods_are_targets_by_their_address() -> None:
    objects = [*one_pod(), host("h", "n1"), node("n1", "192.0.2.1")]
    assert verdict("app/h", *objects, firewall(deny("192.0.2.0/24"))) == "denied"
    assert verdict("app/h", *objects, firewall(deny("198.51.100.0/24"))) == "allowed"
    lost = [*one_pod(), host("h", None)]
    assert verdict("app/h", *lost, firewall(deny("192.0.2.0/24"))) == "unknown"


def test_a_node_with_two_families_is_reached_by_the_one_that_is_open() -> None:
    objects = [*one_pod(ip="10.1.0.1", podIPs=[{"ip": "10.1.0.1"}, {"ip": "fd00::1"}]), host("h", "n1")]
    objects += [node("n1", "192.0.2.1", "2001:db8::1")]
    assert verdict("app/h", *objects, firewall(deny(ALL4))) == "allowed"
    assert verdict("app/h", *objects, SHUT) == "denied"
    only4 = [*one_pod(ip="10.1.0.1"), host("h", "n1"), pod("c", ip="10.1.0.2", podIPs=[{"ip": "fd00::2"}]), objects[-1]]
    assert verdict("app/h", *only4, firewall(deny(ALL4))) == "denied"


def test_host_network_pods_are_no_sources() -> None:
    reach = reached(namespace("app"), host("h", "n1"), node("n1", "192.0.2.1"), SHUT)
    assert answer(reach, OUTSIDE, name="h") == "allowed"


def test_other_namespaces_are_not_restricted() -> None:
    reach = reached(*one_pod(), namespace("b"), pod("a2", "b"), SHUT)
    assert (answer(reach, OUTSIDE), answer(reach, OUTSIDE, name="a2", ns="b")) == ("denied", "allowed")


def test_policies_must_let_it_through_too() -> None:
    open_to = firewall(allow(ALL4))
    assert verdict(OUTSIDE, *one_pod(), policy(DENY_ALL), open_to) == "denied"
    egress = {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}],
    }
    shut = firewall(allow(OUTSIDE + "/32"), deny(ALL4))
    objects = [*one_pod(), policy(egress), shut]
    found = [verdict(address, *objects) for address in (OUTSIDE, "203.0.113.8", "8.8.8.8")]
    assert found == ["allowed", "denied", "denied"]


def test_a_node_selector_means_the_addresses_of_matching_nodes() -> None:
    control = {"nodeSelector": {"matchLabels": {"role": "control"}}}
    objects = [*one_pod(), node("n1", "192.0.2.1", labels={"role": "control"}), node("n2", "192.0.2.2")]
    plan = firewall(allow(control), deny(ALL4))
    assert (verdict("192.0.2.1", *objects, plan), verdict("192.0.2.2", *objects, plan)) == ("allowed", "denied")
    every = firewall(allow({"nodeSelector": {}}), deny(ALL4))
    assert verdict("192.0.2.2", *objects, every) == "allowed"
    nobody = firewall(allow({"nodeSelector": {"matchLabels": {"role": "x"}}}), deny(ALL4))
    assert verdict("192.0.2.1", *objects, nobody) == "denied"


def test_a_node_selector_without_nodes_leaves_it_open() -> None:
    plan = firewall(allow({"nodeSelector": {}}), deny(ALL4))
    assert (verdict(OUTSIDE, *one_pod(), plan), reasons(OUTSIDE, *one_pod(), plan)) == ("unknown", {"host-network"})


@pytest.mark.parametrize("name", ["www.example.org", "*.example.org", "example.org."])
def test_a_domain_name_may_be_any_outside_address(name: str) -> None:
    opened = firewall(allow({"dnsName": name}), deny(ALL4))
    closed = firewall(deny({"dnsName": name}))
    for plan in (opened, closed):
        assert (verdict(OUTSIDE, *one_pod(), plan), reasons(OUTSIDE, *one_pod(), plan)) == ("unknown", {"domain-names"})


def test_a_rule_that_cannot_be_read_takes_the_certainty_from_the_object() -> None:
    strange = deny(ALL4) | {"new": 1}
    for plan in (firewall(strange), firewall(allow(ALL4) | {"new": 1}), firewall(deny("10.1.2.3")), SHUT | _spec("x")):
        assert (verdict(OUTSIDE, *one_pod(), plan), reasons(OUTSIDE, *one_pod(), plan)) == (
            "unknown",
            {"unknown-field"},
        )
    later = firewall(deny(ALL4), strange)
    assert verdict(OUTSIDE, *one_pod(), later) == "unknown"


def _spec(field: str) -> Json:
    return {"spec": SHUT["spec"] | {field: 1}}


def test_what_cannot_be_read_is_named_as_a_gap() -> None:
    plan = matrix([zone("z", namespaces=None)])
    found = evaluate(plan, zoned("app", "z"), pod("a"), firewall(deny("10.1.2.3")))
    (fact,) = [one for one in found.facts.policies if one.gaps]
    assert (str(fact.ref), fact.gaps) == ("EgressFirewall app/default", ("`10.1.2.3` in rule 0 is not a CIDR block",))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, "denied"),
        ({"status": APPLIED}, "denied"),
        ({"messages": []}, "unknown"),
        ({"status": "EgressFirewall Rules not correctly applied"}, "unknown"),
        ({"status": ""}, "unknown"),
        ({"messages": ["n1: EgressFirewall Rules not correctly applied"]}, "unknown"),
    ],
)
def test_a_status_that_does_not_say_applied_leaves_it_open(status: Json, expected: str) -> None:
    plan = firewall(deny(ALL4), **({} if status is None else {"status": status}))
    assert verdict(OUTSIDE, *one_pod(), plan, profile=OVN) == expected
    if expected == "unknown":
        assert reasons(OUTSIDE, *one_pod(), plan) == {"network-plugin"}


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (OVN, "denied"),
        (UNKNOWN, "unknown"),
        (SDN, "allowed"),
        *((Profile(plugin=p), "allowed") for p in ("calico", "cilium")),
    ],
)
def test_it_works_where_its_plug_in_runs(profile: Profile, expected: str) -> None:
    assert verdict(OUTSIDE, *one_pod(), SHUT, profile=profile) == expected


def test_a_name_other_than_default_is_refused() -> None:
    with pytest.raises(AuditErrors, match="its name must be `default`"):
        reached(*one_pod(), firewall(deny(ALL4), name="other"))


def test_all_refused_rules_are_reported_with_their_place() -> None:
    wrong = [firewall({"type": "Allow", "to": {}}, ns="a"), firewall({"type": "Block", "to": {"dnsName": "x"}}, ns="b")]
    with pytest.raises(AuditErrors) as error:
        reached(*one_pod(), *wrong)
    assert "`to` needs exactly one of" in str(error.value)
    assert "unknown type `Block`" in str(error.value)


BROKEN: list[Json] = [
    {"type": "Allow", "to": {}},
    {"type": "Allow"},
    {"type": "None", "to": {"cidrSelector": ALL4}},
    {"to": {"cidrSelector": ALL4}},
    {"type": "Deny", "to": {"cidrSelector": ALL4, "dnsName": "a.b"}},
    {"type": "Deny", "to": {"dnsName": "a_b"}},
    {"type": "Deny", "to": {"dnsName": "*.*.b"}},
    {"type": "Deny", "to": {"cidrSelector": 5}},
    {"type": "Deny", "to": {"nodeSelector": {"matchLabels": {"a": True}}}},
    {"type": "Deny", "to": {"nodeSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": [1]}]}}},
    {"type": "Deny", "to": {"nodeSelector": {"matchExpressions": [{"key": "a"}]}}},
    {"type": "Deny", "to": {"nodeSelector": "a=b"}},
    {"type": "Deny", "to": {"cidrSelector": ALL4}, "ports": [{"port": 80}]},
    {"type": "Deny", "to": {"cidrSelector": ALL4}, "ports": [{"protocol": "TCP"}]},
    {"type": "Deny", "to": {"cidrSelector": ALL4}, "ports": [{"protocol": "ICMP", "port": 80}]},
    {"type": "Deny", "to": {"cidrSelector": ALL4}, "ports": [{"protocol": "TCP", "port": 0}]},
    {"type": "Deny", "to": {"cidrSelector": ALL4}, "ports": [{"protocol": "TCP", "port": 65536}]},
]
SOUND: list[Json] = [
    allow("not a block"),
    allow({"nodeSelector": {"matchExpressions": [{"key": "a", "operator": "Likes"}]}}),
    deny({"dnsName": "*.example.org"}, 80, 443),
]


def schema(name: str) -> Any:
    """The schema of an `egress` list; skips without the definitions."""
    path = CRDS / name
    if not path.is_file():
        pytest.skip("the definitions of custom kinds are not beside the repository")
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


@pytest.mark.parametrize(("rules", "good"), [(BROKEN, False), (SOUND, True)])
def test_refusals_are_those_of_the_published_schema(rules: list[Json], good: bool) -> None:  # noqa: FBT001
    spec = schema("k8s.ovn.org_egressfirewalls.yaml")
    for one in rules:
        assert jsonschema.Draft7Validator(spec).is_valid({"egress": [one]}) == good, one
        assert reads(one) == good, one


def reads(one: Json) -> bool:
    try:
        lower("EgressFirewall", msgspec.json.encode({"egress": [one]}))
    except SpecError:
        return False
    return True


def test_a_spec_without_rules_is_refused_and_an_empty_list_restricts_nothing() -> None:
    with pytest.raises(AuditErrors, match="`egress` is missing"):
        reached(*one_pod(), firewall() | {"spec": {}})
    assert verdict(OUTSIDE, *one_pod(), firewall()) == "allowed"


RULES = [
    allow("10.0.0.0/8"),
    deny("10.1.0.0/16", 80),
    deny("203.0.113.0/24"),
    allow(ALL4, 443),
    deny({"dnsName": "a.b"}),
    deny({"nodeSelector": {}}),
]
PLACES = ("10.1.0.1", "10.2.0.1", OUTSIDE, "192.0.2.1", "2001:db8::1", "app/h")
WORLD: list[Json] = [*one_pod(), host("h", "n1"), node("n1", "192.0.2.1")]
OPENNESS = {"denied": 0, "unknown": 1, "allowed": 2}


def table(*rules: Json) -> list[str]:
    reach = reached(*WORLD, firewall(*rules))
    return [answer(reach, place, port) for place in PLACES for port in ("tcp/80", "tcp/443", "udp/53")]


@pytest.mark.parametrize("seed", range(12))
def test_adding_a_deny_rule_never_opens(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret depends on it
    rules = dice.sample(RULES, dice.randint(0, 4))
    more = list(rules)
    more.insert(dice.randint(0, len(rules)), dice.choice([one for one in RULES if one["type"] == "Deny"]))
    before, after = table(*rules), table(*more)
    assert all(OPENNESS[new] <= OPENNESS[old] for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_rules_after_a_rule_that_matches_everything_change_nothing(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret depends on it
    rules = dice.sample(RULES, dice.randint(0, 3))
    last = [rule(dice.choice(["Allow", "Deny"]), block) for block in (ALL4, "::/0")]
    assert table(*rules, *last) == table(*rules, *last, *dice.sample(RULES, 3))


def test_namespaces_with_an_equal_firewall_share_the_work() -> None:
    objects = [
        one for n in range(40) for one in (*one_pod(f"ns{n}"), firewall(allow("10.0.0.0/8"), deny(ALL4), ns=f"ns{n}"))
    ]
    reach = reached(*objects)
    rows = {reach.rows["egress"][number] for number in range(reach.classes.selectable)}
    assert (len(rows), len(reach.limits._passing)) == (1, 1)


def test_a_long_firewall_is_read_in_time() -> None:
    rules = [allow(f"10.{n // 256}.{n % 256}.0/24", 443) for n in range(3000)]
    reach = reached(*one_pod(), firewall(*rules, deny(ALL4)))
    assert [answer(reach, place) for place in ("10.0.7.1", "10.11.183.9", "10.11.184.1")] == [
        "allowed",
        "allowed",
        "denied",
    ]


def test_a_policy_is_not_to_blame_for_what_the_firewall_denies() -> None:
    zones = [zone("in"), zone("out", cidrs=blocks("203.0.113.0/24"), kind="external")]
    wide = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]}
    objects = [zoned("app", "in"), pod("a"), policy(wide)]
    plan = matrix(zones)
    assert cell(evaluate(plan, *objects), "in", "out").breaches[0].subjects[0].kind == "NetworkPolicy"
    part = cell(evaluate(plan, *objects, firewall(rule("Allow", ALL4, 443), deny(ALL4))), "in", "out")
    assert str(part.breaches[0].traffic) == "tcp/443"
    assert not cell(evaluate(plan, *objects, firewall(deny(ALL4))), "in", "out").breaches


def test_a_firewall_is_no_isolation_by_policies() -> None:
    reach = reached(*one_pod(), SHUT)
    assert reach.open in reach.policed["egress"][0]


def test_explain_names_every_rule_and_the_one_that_decides() -> None:
    plan = firewall(allow("10.0.0.0/8"), rule("Allow", ALL4, 443), deny(ALL4), allow("::/0"))
    found = lines(OUTSIDE, *one_pod(), plan, port="tcp/443")
    start = found.index("leaving the cluster")
    assert found[start + 1].startswith("EgressFirewall app/default restricts what leaves the namespace (")
    assert found[start + 2 : start + 6] == [
        "rule 0 (allow): 10.0.0.0/8 on any port: does not match",
        "rule 1 (allow): 0.0.0.0/0 on tcp/443: decides tcp/443",
        "rule 2 (deny): 0.0.0.0/0 on any port: not reached, a rule before it decides",
        "rule 3 (allow): ::/0 on any port: not reached, a rule before it decides",
    ]
    passed = lines("2001:db8::1", *one_pod(), firewall(deny(ALL4)), port="tcp/443")
    assert "no rule is left for tcp/443: it passes" in passed
    doubtful = lines(OUTSIDE, *one_pod(), firewall(deny({"dnsName": "a.b"}), status={"status": "x"}), port="tcp/443")
    assert f"not certain because of network-plugin: {UNCERTAIN['network-plugin']}" in doubtful
    assert "rule 0 (deny): domain names a.b on any port: may decide" in doubtful
