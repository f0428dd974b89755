"""What a cluster may have and was not read widens the bounds: nothing is certainly allowed by it, or denied."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import msgspec
import pytest

from audit import cells, explain, inventory
from audit.flows import Assumption, CellFlow
from audit.ledger import Status
from audit.permits import UNCERTAIN
from audit.reach import Reachability
from audit.reach_json import document
from audit.sources import read
from audit.traffic import ALL, NONE
from tests.evidence.adversary import struck
from tests.evidence.live import KUBERNETES, PLAIN, Live, collected, live, results, verdicts
from tests.evidence.plain import listed, made, objects

POLICIES = "NetworkPolicy"


def lost(name: str, kind: str, status: Status = "forbidden", **changes: Any) -> Live:
    """A sample without the objects of a kind, which was not read."""
    cluster = live(name)
    entry = msgspec.structs.replace(cluster.entry(kind), status=status, objects=0, proof="", **changes)
    return cluster.ablated({kind: entry}, {kind: ()})


def cell(cluster: Live, source: str, target: str) -> CellFlow:
    population = inventory.build(cluster.snapshot)
    zone_map = cells.zones_of(population, cluster.matrix)
    assert zone_map
    found = cells.evaluate(population, zone_map, cluster.matrix)
    return next(one for one in found.cells if (one.source, one.target) == (source, target))


@pytest.mark.parametrize(
    "kind", [POLICIES, "GlobalNetworkPolicy.crd.projectcalico.org", "CiliumNetworkPolicy.cilium.io"]
)
def test_policies_that_were_not_read_leave_everything_open_and_nothing_certain(kind: str) -> None:
    found = cell(lost("plain", kind), "dmz", "database")
    assert not found.observed
    assert found.possible
    assert found.reasons == ("unread-policy",)


def test_a_mesh_that_was_not_read_only_refuses() -> None:
    found = cell(lost("plain", "AuthorizationPolicy.security.istio.io"), "dmz", "internal")
    assert (found.observed.ports(), found.possible.ports()) == ({}, {"TCP": "8080"})
    closed = cell(lost("plain", "AuthorizationPolicy.security.istio.io"), "dmz", "database")
    assert not closed.possible


def test_an_egress_firewall_that_was_not_read_leaves_the_inside_alone() -> None:
    opened = live("plain").with_entries(POLICIES, ())
    kind = "EgressFirewall.k8s.ovn.org"
    unread = opened.ablated({kind: msgspec.structs.replace(opened.entry(kind), status="forbidden")}, {})
    assert [cell(one, "dmz", "internet").observed for one in (opened, unread)] == [ALL, NONE]
    assert cell(unread, "dmz", "internet").possible == ALL
    assert cell(unread, "dmz", "database") == cell(opened, "dmz", "database")


def test_an_object_that_does_not_decode_leaves_other_namespaces_alone() -> None:
    cluster = live("plain")
    entry = msgspec.structs.replace(cluster.entry(POLICIES), status="partial", invalid=("db/odd: no",))
    found = cluster.ablated({POLICIES: entry}, {})
    assert cell(cluster, "internal", "database").observed
    assert not cell(found, "internal", "database").observed
    assert cell(found, "dmz", "internal") == cell(cluster, "dmz", "internal")
    assert "pass" not in [one.verdict for one in results(found).cells], "the evidence is incomplete all the same"


def test_no_pair_fails_by_policies_that_were_not_read() -> None:
    found = results(lost("plain", POLICIES))
    assert {one.verdict for one in found.cells} == {"not-evaluated", "not-applicable"}
    assert not [one for one in found.findings if one.verdict == "fail" and one.rule.id in ("NET001", "NET004")]


def test_no_pair_fails_where_the_zones_of_namespaces_were_not_read() -> None:
    found = verdicts(lost("dmz-cluster", "Namespace"))
    assert "fail" not in {verdict for key, verdict in found.items() if isinstance(key, tuple)}
    assert found["NET001"] == found["ZON004"] == "not-evaluated"


def test_what_leads_in_and_was_not_read_may_lead_anywhere() -> None:
    kind = "Ingress.networking.k8s.io"
    opened = live("plain").with_entries(POLICIES, ())
    unread = opened.ablated({kind: msgspec.structs.replace(opened.entry(kind), status="unavailable")}, {})
    assert not cell(opened, "internet", "database").possible, "nothing leads there"
    assert cell(unread, "internet", "database").reasons == ("pod-network",)
    assert cell(unread, "dmz", "internal") == cell(opened, "dmz", "internal")


def test_what_fails_for_certain_stays_so_where_a_way_in_was_not_read() -> None:
    opened = live("plain").with_entries("Service", ()).with_entries(POLICIES, ())
    assert verdicts(opened)["dmz", "database"] == "fail"
    entry = msgspec.structs.replace(opened.entry("Service"), status="unavailable")
    assert verdicts(opened.ablated({"Service": entry}, {}))["dmz", "database"] == "fail"


def test_further_networks_are_in_doubt_where_their_policies_were_not_read() -> None:
    kind = "MultiNetworkPolicy.k8s.cni.cncf.io"
    population = inventory.build(lost("four-zones", kind).snapshot)
    reach = Reachability(population)
    assert reach.secondary._unread
    assert not Reachability(inventory.build(live("four-zones").snapshot)).secondary._unread


def test_reach_and_explain_say_what_was_not_read() -> None:
    cluster = lost("plain", POLICIES)
    found = document(cluster.snapshot, matrix=cluster.matrix, by="zone")
    assert {one["verdict"] for one in found["connections"] if one["src"] == "dmz"} == {"unknown"}
    said = [one["text"] for one in found["assumptions"] if one["id"] == "incomplete-evidence"]
    assert said == ["NetworkPolicy: not readable: grant `list` on `networkpolicies.networking.k8s.io`"]
    lines = explain.explain(cluster.snapshot, "web/web-0", "db/db-0").lines
    assert "not everything was read: " + said[0] in lines
    assert any("some NetworkPolicy may decide it: that kind was not read in full" in line for line in lines)


def test_the_register_says_what_it_means() -> None:
    register = {one.id: one for one in _register(lost("plain", POLICIES))}
    assert register["unread-policy"].text == UNCERTAIN["unread-policy"]
    assert register["unread-policy"].connections
    assert "unverified-server" not in register


def test_an_unverified_server_is_said_in_the_register_and_takes_no_finding_away() -> None:
    cluster = live("plain").with_entries(POLICIES, ())
    manifest = cluster.snapshot.manifest
    assert manifest is not None
    unsure = msgspec.structs.replace(manifest.cluster, unverified_tls=True)
    told = cluster.told(msgspec.structs.replace(manifest, cluster=unsure))
    assert verdicts(told)["dmz", "database"] == "fail"
    assert "pass" not in [verdict for key, verdict in verdicts(told).items() if isinstance(key, tuple)]
    assert "unverified-server" in {one.id for one in _register(told)}


def _register(cluster: Live) -> tuple[Assumption, ...]:
    population = inventory.build(cluster.snapshot)
    zone_map = cells.zones_of(population, cluster.matrix)
    assert zone_map
    return cells.evaluate(population, zone_map, cluster.matrix).facts.assumptions


def test_leftovers_tell_no_plugin_where_what_tells_more_was_not_read() -> None:
    left = struck(made("network.openshift.io/v1", "NetNamespace", "web", netname="web", netid=7))
    found = live("four-zones").with_entries("NetNamespace.network.openshift.io", left)
    bare = found.with_entries("Network.config.openshift.io", ())
    unread = msgspec.structs.replace(found.entry("Network.config.openshift.io"), status="forbidden")
    plugins = [
        inventory.build(one.snapshot).profile.plugin
        for one in (found, bare, bare.ablated({"Network.config.openshift.io": unread}, {}))
    ]
    assert plugins == ["ovn-kubernetes", "openshift-sdn", "unknown"]


def test_a_group_that_may_be_there_leaves_the_product_open() -> None:
    assert inventory.build(live("plain").snapshot).profile.product == "kubernetes"
    unsure = lost("plain", "Project.config.openshift.io", version="")
    assert inventory.build(unsure.snapshot).profile.product == ""
    served = lost("plain", "Project.config.openshift.io", version="v1")
    assert inventory.build(served.snapshot).profile.product == "openshift-4"


def parted() -> Live:
    """Namespace db on a network of its own, on OVN-Kubernetes without policies; the pods of web are a gateway's."""
    items = [one for one in objects() if one["kind"] not in ("NetworkPolicy", "DaemonSet")]
    for one in items:
        labels = one["metadata"].setdefault("labels", {})
        if (one["kind"], one["metadata"]["name"]) == ("Namespace", "db"):
            labels["k8s.ovn.org/primary-user-defined-network"] = ""
        if one["kind"] == "Pod" and one["metadata"]["namespace"] == "web":
            labels["gateway.networking.k8s.io/gateway-name"] = "strike"
    agent = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {}}}
    items += [
        made("v1", "Namespace", "openshift-ovn-kubernetes"),
        made("apps/v1", "DaemonSet", "ovnkube-node", "openshift-ovn-kubernetes", spec=agent),
        made("k8s.ovn.org/v1", "UserDefinedNetwork", "own", "db", spec={
            "topology": "Layer3", "layer3": {"role": "Primary", "subnets": [{"cidr": "10.200.0.0/16"}]},
        }),
    ]  # fmt: skip
    served = KUBERNETES | {"k8s.ovn.org", "gateway.networking.k8s.io"}
    found = read(["-"], stdin=BytesIO(listed(items)))
    return collected(found, served, PLAIN)


def test_a_gateway_that_was_not_read_may_reach_into_a_network() -> None:
    cluster, kind = parted(), "Gateway.gateway.networking.k8s.io"
    gateway = struck(
        made("gateway.networking.k8s.io/v1", "Gateway", "strike", "web", spec={"gatewayClassName": "istio"})
    )
    unread = msgspec.structs.replace(cluster.entry(kind), status="forbidden")
    found = [cluster, cluster.with_entries(kind, gateway), cluster.ablated({kind: unread}, {})]
    assert [verdicts(one)["dmz", "database"] for one in found] == ["pass", "not-evaluated", "not-evaluated"]
