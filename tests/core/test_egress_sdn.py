"""EgressNetworkPolicy and egress addresses of openshift-sdn (docs/reachability.md, section 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.errors import AuditErrors
from audit.firewalls import firewalls
from audit.inventory import build
from audit.profile import Profile
from tests.core.clusters import DENY_ALL, Json, host, namespace, node, pod, policy, snapshot
from tests.core.egress import (
    OUTSIDE,
    OVN,
    SDN,
    UNKNOWN,
    allow,
    answer,
    deny,
    lines,
    net,
    old_firewall,
    one_pod,
    reached,
    reasons,
    rule,
    subnet,
    verdict,
)

ALL4 = "0.0.0.0/0"
SHUT = old_firewall(deny(ALL4))
SPEC = Profile(plugin="spec")
SUBNET = Profile(plugin="openshift-sdn", mode="subnet")
NO_MODE = Profile(plugin="openshift-sdn")


def test_rules_go_in_order_and_no_match_allows() -> None:
    plan = old_firewall(allow("203.0.113.0/24"), deny(ALL4))
    found = [verdict(place, *one_pod(), plan) for place in (OUTSIDE, "8.8.8.8", "2001:db8::1")]
    assert found == ["allowed", "denied", "allowed"]


def test_the_block_of_one_zero_address_means_everything() -> None:
    assert verdict(OUTSIDE, *one_pod(), old_firewall(deny("0.0.0.0/32"))) == "denied"


def test_a_domain_name_may_be_any_outside_address() -> None:
    plan = old_firewall(allow({"dnsName": "a.example.org"}), deny(ALL4))
    assert (verdict(OUTSIDE, *one_pod(), plan), reasons(OUTSIDE, *one_pod(), plan)) == ("unknown", {"domain-names"})


def test_pods_are_never_restricted() -> None:
    objects = [*one_pod(), namespace("other"), pod("b", "other", ip="10.1.0.1"), SHUT]
    assert verdict("other/b", *objects, profile=None) == "allowed"


def test_host_network_pods_are_no_sources() -> None:
    reach = reached(*one_pod(), host("h", "n1"), node("n1", "192.0.2.1"), SHUT)
    assert (answer(reach, OUTSIDE, name="h"), answer(reach, OUTSIDE)) == ("allowed", "denied")


def test_policies_must_let_it_through_too() -> None:
    assert verdict(OUTSIDE, *one_pod(), policy(DENY_ALL), old_firewall(allow(ALL4))) == "denied"


def test_the_api_group_of_openshift_3_is_read_as_well() -> None:
    legacy = SHUT | {"apiVersion": "v1"}
    assert verdict(OUTSIDE, *one_pod(), legacy) == "denied"
    assert verdict(OUTSIDE, *one_pod(), legacy, old_firewall(deny(ALL4))) == "denied"


def test_two_in_one_namespace_drop_everything() -> None:
    objects = [*one_pod(), old_firewall(allow(ALL4)), old_firewall(allow(ALL4), name="second")]
    assert (verdict(OUTSIDE, *objects), verdict("2001:db8::1", *objects)) == ("denied", "denied")


def test_one_of_the_global_network_is_ignored() -> None:
    assert verdict(OUTSIDE, *one_pod(), SHUT, net("app", 0), profile=SDN) == "allowed"
    assert verdict(OUTSIDE, *one_pod(), SHUT, net("app", 5), profile=SDN) == "denied"


def test_one_in_a_shared_network_drops_everything_for_all_of_it() -> None:
    objects = [*one_pod(), *one_pod("b"), *one_pod("c"), net("app", 5), net("b", 5), net("c", 6)]
    reach = reached(*objects, old_firewall(allow(ALL4)), profile=SDN)
    assert [answer(reach, OUTSIDE, ns=ns) for ns in ("app", "b", "c")] == ["denied", "denied", "allowed"]


def test_without_a_net_namespace_a_running_cluster_may_ignore_it() -> None:
    assert verdict(OUTSIDE, *one_pod(), SHUT, profile=SDN) == "unknown"


def barriers(profile: Profile, *objects: Json) -> list[tuple[str, ...]]:
    """Why each barrier of namespace `app` may not hold."""
    inventory = replace(build(snapshot([*one_pod(), *objects])), profile=profile)
    return [one.doubts for one in firewalls(inventory).of.get("app", ())]


WORKS = [
    (SPEC, [()]),
    (SDN, [()]),
    (UNKNOWN, [("network-plugin",)]),
    (NO_MODE, [("network-plugin",)]),
    *((one, []) for one in (SUBNET, OVN, Profile(plugin="calico"), Profile(plugin="cilium"))),
]


@pytest.mark.parametrize(("profile", "expected"), WORKS)
def test_it_works_where_its_plug_in_runs(profile: Profile, expected: list[tuple[str, ...]]) -> None:
    assert barriers(profile, SHUT, net("app")) == expected


def test_name_resolution_at_the_own_node_stays_possible() -> None:
    objects = [*one_pod(), host("h", "n1"), node("n1", "192.0.2.1"), SHUT]
    found = [verdict(place, *objects, port=port) for place in ("192.0.2.1", "app/h") for port in ("udp/53", "tcp/53")]
    assert found == ["unknown"] * 4
    assert verdict("192.0.2.1", *objects, port="tcp/54") == "denied"
    assert verdict(OUTSIDE, *objects, port="udp/53") == "denied"
    assert reasons("192.0.2.1", *objects) == {"host-network"}


@pytest.mark.parametrize(
    "to", [{"cidrSelector": "2001:db8::/32"}, {"cidrSelector": "x"}, {"dnsName": "*.example.org"}, {"dnsName": "a_b"}]
)
def test_what_its_schema_excludes_is_refused(to: Json) -> None:
    with pytest.raises(AuditErrors, match="an API server refuses this object"):
        reached(*one_pod(), old_firewall(deny(to)))


@pytest.mark.parametrize(
    "one",
    [
        rule("Deny", {}),
        rule("Deny", {"cidrSelector": ALL4, "dnsName": "a.b"}),
        deny({"nodeSelector": {}}),
        deny(ALL4, 80),
    ],
)
def test_what_cannot_be_read_takes_the_certainty(one: Json) -> None:
    assert verdict(OUTSIDE, *one_pod(), old_firewall(one)) == "unknown"
    assert reasons(OUTSIDE, *one_pod(), old_firewall(one)) == {"unknown-field"}


# Egress addresses ----------------------------------------------------------------------------------------------------

IP, OTHER = "192.0.2.50", "192.0.2.51"


def dropped(*objects: Json, profile: Profile = SDN) -> str:
    return verdict(OUTSIDE, *one_pod(), *objects, profile=profile)


def test_without_egress_addresses_nothing_is_dropped() -> None:
    assert dropped(net("app"), subnet("n1", IP)) == "allowed"


def test_an_address_of_one_net_namespace_and_one_node_is_active() -> None:
    assert dropped(net("app", 7, IP), subnet("n1", IP), subnet("n2")) == "allowed"


def test_an_address_that_no_node_lists_drops_everything() -> None:
    assert dropped(net("app", 7, IP), subnet("n1")) == "denied"


def test_an_address_on_two_nodes_is_inactive() -> None:
    assert dropped(net("app", 7, IP), subnet("n1", IP), subnet("n2", IP)) == "denied"
    assert dropped(net("app", 7, IP, OTHER), subnet("n1", IP), subnet("n2", IP), subnet("n3", OTHER)) == "allowed"


def test_an_address_that_two_namespaces_want_takes_egress_from_both() -> None:
    objects = [net("app", 7, IP), net("b", 8, IP, OTHER), subnet("n1", IP), subnet("n2", OTHER)]
    reach = reached(*one_pod(), *one_pod("b"), *objects, profile=SDN)
    assert [answer(reach, OUTSIDE, ns=ns) for ns in ("app", "b")] == ["denied", "denied"]


def test_what_is_no_address_is_never_active() -> None:
    assert dropped(net("app", 7, "x"), net("b", 8, "y"), subnet("n1", "x")) == "denied"


def test_an_automatic_range_may_serve_an_address_that_no_node_lists() -> None:
    assert dropped(net("app", 7, IP), subnet("n1", ranges=("192.0.2.0/24",))) == "unknown"
    assert dropped(net("app", 7, IP), subnet("n1", ranges=("198.51.100.0/24", "no block"))) == "denied"


def test_two_addresses_of_a_namespace_on_one_node_hinder_each_other() -> None:
    assert dropped(net("app", 7, IP, OTHER), subnet("n1", IP, OTHER)) == "unknown"


def test_the_global_and_shared_networks_cannot_use_egress_addresses() -> None:
    assert dropped(net("app", 0, IP), subnet("n1", IP)) == "unknown"
    assert dropped(net("app", 7), net("b", 7, IP), subnet("n1", IP)) == "unknown"
    assert dropped(net("app", 7), net("b", 7), subnet("n1", IP)) == "allowed"


def test_up_to_3_10_only_the_first_address_counts() -> None:
    objects = (net("app", 7, IP, OTHER), subnet("n1", OTHER))
    assert dropped(*objects, profile=replace(SDN, version=(3, 10))) == "denied"
    assert dropped(*objects, profile=replace(SDN, version=(3, 11))) == "allowed"


def test_without_any_host_subnet_nobody_knows() -> None:
    assert (dropped(net("app", 7, IP)), reasons(OUTSIDE, *one_pod(), net("app", 7, IP), profile=SDN)) == (
        "unknown",
        {"network-plugin"},
    )


@pytest.mark.parametrize(("profile", "expected"), [(SPEC, []), *WORKS[1:]])
def test_only_openshift_sdn_drops(profile: Profile, expected: list[tuple[str, ...]]) -> None:
    assert barriers(profile, net("app", 7, IP), subnet("n1")) == expected


def test_projects_of_netid_0_share_the_doubt_of_one() -> None:
    shared = (net("app", 0), net("default", 0, IP), subnet("n1"))
    assert dropped(*shared) == "unknown"
    assert dropped(net("app", 0), net("default", 0), subnet("n1")) == "allowed"


def test_pods_are_reached_without_an_egress_address() -> None:
    objects = [*one_pod(), namespace("other"), pod("b", "other", ip="10.1.0.1"), net("app", 7, IP), subnet("n1")]
    objects.append(net("other", 0))
    assert verdict("other/b", *objects, profile=SDN) == "allowed"


def test_firewall_and_egress_address_must_both_let_it_through() -> None:
    served = (net("app", 7, IP), subnet("n1", IP))
    assert dropped(*served, old_firewall(allow("10.0.0.0/8"), deny(ALL4))) == "denied"
    assert dropped(net("app", 7, IP), subnet("n1"), old_firewall(allow(ALL4))) == "denied"


def test_the_reason_is_told_to_people() -> None:
    inventory = build(snapshot([*one_pod(), net("app", 7, IP), subnet("n1")]))
    (barrier,) = firewalls(replace(inventory, profile=SDN)).of["app"]
    assert barrier.shut == f"no node serves its egress addresses ({IP})"
    second = old_firewall(allow(ALL4), name="second")
    assert "everything is denied: there are 2 in the namespace" in lines(OUTSIDE, *one_pod(), SHUT, second)
