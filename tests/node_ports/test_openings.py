"""What nodes of different zones need: which rows of the tables apply, to which nodes, with which ports."""

from __future__ import annotations

from typing import Any

import pytest

from audit import zones
from audit.node_ports import render
from audit.node_ports.listing import Listing, listing
from tests.core.clusters import inventory, matrix, node, zone

Json = Any
PLAN = matrix((zone("dmz"), zone("internal")))
MASTER, WORKER, INFRA = ({f"node-role.kubernetes.io/{role}": ""} for role in ("master", "worker", "infra"))
EDGE = node("e1", "10.20.0.5", labels={"network-zone": "dmz", **WORKER})
CONTROL = node("m1", "10.30.0.5", labels={"network-zone": "internal", **MASTER})
PLAIN = node("w1", "10.30.0.6", labels={"network-zone": "internal", **WORKER})


def of(api: str, kind: str, name: str, **parts: Json) -> Json:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **parts}


FOUR = of("config.openshift.io/v1", "ClusterVersion", "version", status={"desired": {"version": "4.16.1"}})
OVN = of("config.openshift.io/v1", "Network", "cluster", status={"networkType": "OVNKubernetes"})
SDN = of("config.openshift.io/v1", "Network", "cluster", status={"networkType": "OpenShiftSDN"})
THREE = of("network.openshift.io/v1", "ClusterNetwork", "default", pluginName="redhat/openshift-ovs-networkpolicy")


def operator(**network: Json) -> Json:
    return of("operator.openshift.io/v1", "Network", "cluster", spec={"defaultNetwork": network})


def listed(*objects: Json) -> Listing:
    population = inventory(*objects)
    return listing(population, zones.assign(PLAN, population.namespaces.values(), population.nodes.values()))


def services(found: Listing, source: str, target: str, *, certain: bool = True) -> set[str]:
    """`tcp/443 any>control plane` of each opening between two zones."""
    return {
        f"{one.protocol}/{one.ports} {one.source.role}>{one.target.role}"
        for one in found.openings
        if (one.source.zone, one.target.zone) == (source, target) and bool(one.condition) != certain
    }


def test_nodes_of_one_zone_need_nothing_from_a_firewall() -> None:
    assert listed(FOUR, OVN, CONTROL, PLAIN).openings == ()


def test_the_api_and_machine_configuration_are_opened_to_the_control_plane_only() -> None:
    found = listed(FOUR, OVN, EDGE, CONTROL, PLAIN)
    assert {"tcp/6443 any>control plane", "tcp/22623-22624 any>control plane"} <= services(found, "dmz", "internal")
    assert not {one for one in services(found, "internal", "dmz") if "6443" in one or "22623" in one}
    (api,) = (one for one in found.openings if one.ports == "6443")
    assert [place.name for place in api.target.nodes] == ["m1"]


def test_etcd_is_opened_between_control_planes_only() -> None:
    second = node("m2", "10.20.0.9", labels={"network-zone": "dmz", **MASTER})
    assert not any(one.ports == "2379-2380" for one in listed(FOUR, OVN, EDGE, CONTROL).openings)
    (there, back) = (one for one in listed(FOUR, OVN, EDGE, CONTROL, second).openings if one.ports == "2379-2380")
    assert ([one.name for one in there.source.nodes], [one.name for one in back.source.nodes]) == (["m2"], ["m1"])


def test_the_port_of_the_overlay_is_the_one_that_the_operator_sets() -> None:
    moved = operator(type="OVNKubernetes", ovnKubernetesConfig={"genevePort": 6085})
    assert "udp/6085 any>any" in services(listed(FOUR, OVN, moved, EDGE, PLAIN), "dmz", "internal")
    sdn = operator(type="OpenShiftSDN", openshiftSDNConfig={"vxlanPort": 4800})
    found = services(listed(FOUR, SDN, sdn, EDGE, PLAIN), "dmz", "internal")
    assert "udp/4800 any>any" in found
    assert not any("6081" in one for one in found)


@pytest.mark.parametrize(
    ("config", "needed"),
    [
        ({"mode": "Full"}, {"udp/500", "udp/4500", "esp/"}),
        ({}, {"udp/500", "udp/4500", "esp/"}),
        ({"mode": "Full", "full": {"encapsulation": "Always"}}, {"udp/4500"}),
        ({"mode": "Disabled"}, set()),
        ({"mode": "External"}, set()),
        (None, set()),
    ],
)
def test_ipsec_is_asked_for_as_it_is_set(config: Json, needed: set[str]) -> None:
    setting = operator(type="OVNKubernetes", ovnKubernetesConfig={"ipsecConfig": config} if config is not None else {})
    found = listed(FOUR, OVN, setting, EDGE, PLAIN)
    every = services(found, "dmz", "internal") | services(found, "dmz", "internal", certain=False)
    assert {one.partition(" ")[0] for one in every} & {"udp/500", "udp/4500", "esp/"} == needed


def test_what_the_input_does_not_say_becomes_a_condition() -> None:
    found = listed(FOUR, OVN, EDGE, PLAIN)
    assert "udp/4500 any>any" in services(found, "dmz", "internal", certain=False)
    assert any("Network of the operator" in note for note in found.notes)


def test_node_ports_are_needed_once_a_service_has_some() -> None:
    open_service = of("v1", "Service", "s", spec={"type": "NodePort", "ports": [{"port": 80}]})
    port = "tcp/30000-32767 any>any"
    assert port in services(listed(FOUR, OVN, EDGE, PLAIN), "dmz", "internal", certain=False)
    assert port in services(listed(FOUR, OVN, EDGE, PLAIN, open_service), "dmz", "internal")


def test_routers_on_the_host_network_are_opened_where_they_run() -> None:
    spec = {"nodeName": "e1", "hostNetwork": True, "containers": [{"name": "r", "ports": [{"containerPort": 443}]}]}
    router = of("v1", "Pod", "router-1", spec=spec, status={"phase": "Running", "podIP": "10.20.0.5"})
    router["metadata"]["namespace"] = "openshift-ingress"
    found = listed(FOUR, OVN, EDGE, PLAIN, router)
    assert "tcp/443 any>router" in services(found, "internal", "dmz")
    assert "tcp/443 any>router" not in services(found, "dmz", "internal")


def test_openshift_3_asks_for_its_own_ports() -> None:
    ports = [{"name": "https", "port": 443}, {"name": "dns", "port": 53}]
    behind = of("v1", "Endpoints", "kubernetes", subsets=[{"addresses": [{"ip": "10.30.0.5"}], "ports": ports}])
    behind["metadata"]["namespace"] = "default"
    third = of("apps.openshift.io/v1", "DeploymentConfig", "router", spec={"replicas": 0})
    third["metadata"]["namespace"] = "default"
    overlay = THREE | {"vxlanPort": 4790}
    found = services(listed(overlay, third, behind, EDGE, CONTROL), "dmz", "internal")
    assert found == {"udp/4790 any>any", "tcp/53 any>control plane", "udp/53 any>control plane",
                     "tcp/443 any>control plane"}  # fmt: skip


def test_plain_kubernetes_adds_what_its_plugin_needs_and_says_when_it_does_not_know() -> None:
    calico = of("apps/v1", "DaemonSet", "calico-node", spec={})
    calico["metadata"]["namespace"] = "kube-system"
    found = listed(calico, EDGE, CONTROL)
    assert {"tcp/179 any>any", "tcp/6443 any>control plane"} <= services(found, "dmz", "internal")
    assert found.notes == ()
    assert any("plug-in is not known" in note for note in listed(EDGE, CONTROL).notes)


def test_nodes_without_a_zone_count_as_a_zone_of_their_own() -> None:
    shared = node("s1", "10.40.0.5", labels=WORKER)
    assert {one.source.zone for one in listed(FOUR, OVN, EDGE, shared).openings} == {"dmz", "(unzoned)"}


def test_the_number_of_openings_does_not_grow_with_the_nodes() -> None:
    many = [node(f"e{n}", f"10.20.1.{n}", labels={"network-zone": "dmz", **WORKER}) for n in range(2, 90)]
    few, more = listed(FOUR, OVN, EDGE, PLAIN), listed(FOUR, OVN, EDGE, PLAIN, *many)
    assert len(few.openings) == len(more.openings)
    assert render.lines(more.openings) == 89 * render.lines(few.openings)


def test_by_node_every_pair_of_nodes_has_a_line() -> None:
    found = listed(FOUR, OVN, EDGE, CONTROL, PLAIN)
    pairs = {(one.source.nodes[0].name, one.target.nodes[0].name) for one in render.by_node(found.openings)}
    assert pairs == {("e1", "m1"), ("e1", "w1"), ("m1", "e1"), ("w1", "e1")}
