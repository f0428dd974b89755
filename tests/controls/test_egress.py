"""Laws of what leaves: egress addresses, nodes that may serve them, firewalls, other ways out."""

from __future__ import annotations

from audit import cells, zones
from audit.controls.egress import grants_of, required_ground, served_ground
from audit.controls.egress_filters import broken, idle
from audit.controls.egress_needs import bare, shared, spare, strays, unserved
from audit.controls.egress_nodes import ASSIGNABLE, foreign_candidates, networks, offers, singles
from audit.controls.scene import Ground, Scene
from audit.inventory import build
from audit.model import Zone, ZoneMatrix
from tests.core.clusters import (
    Json,
    blocks,
    cell,
    evaluate,
    flow,
    matrix,
    node,
    owned,
    pod,
    policy,
    snapshot,
    zone,
    zoned,
)
from tests.core.egress import APPLIED, allow, deny, firewall, made, net, old_firewall, subnet

ZONES = (
    zone("internet", kind="internet"),
    zone("a", cidrs=blocks("10.10.0.0/16"), egress_cidrs=blocks("10.10.250.0/28"), requires=("egress-ip",)),
    zone("b", cidrs=blocks("10.20.0.0/16"), egress_cidrs=blocks("10.20.250.0/28"), requires=("egress-ip",)),
)
PLAN = matrix(ZONES)
OVN = made("Network", "config.openshift.io", "cluster", status={"networkType": "OVNKubernetes"})
MODE = made("ClusterNetwork", "network.openshift.io", "default", pluginName="redhat/openshift-ovs-networkpolicy")
HOST_CIDRS = "k8s.ovn.org/host-cidrs"


def scene(*objects: Json, plan: ZoneMatrix = PLAN) -> Scene:
    """What the controls see of some objects."""
    population = build(snapshot(objects))
    members = zones.assign(plan, population.namespaces.values(), population.nodes.values())
    facts = cells.evaluate(population, members, plan).facts
    return Scene(inventory=population, zone_map=members, matrix=plan, facts=facts)


def machine(name: str, zone_name: str, address: str, *cidrs: str, label: bool = True, ready: str = "True") -> Json:
    """A node that OVN-Kubernetes may put egress addresses on."""
    made_node = node(name, address, labels={"network-zone": zone_name} | ({ASSIGNABLE: ""} if label else {}))
    made_node["status"]["conditions"] = [{"type": "Ready", "status": ready}]
    listed = ",".join(f'"{one}"' for one in cidrs)
    return made_node | {
        "metadata": made_node["metadata"] | {"annotations": {HOST_CIDRS: f"[{listed}]"} if cidrs else {}}
    }


def eip(name: str, addresses: list[str], zone_name: str, **items: str) -> Json:
    """An EgressIP of a zone; `items` are node=address pairs of its status."""
    spec = {"egressIPs": addresses, "namespaceSelector": {"matchLabels": {"network-zone": zone_name}}}
    status = {"items": [{"node": one, "egressIP": address} for one, address in items.items()]}
    return made("EgressIP", "k8s.ovn.org", name, spec=spec, status=status)


A1 = machine("a1", "a", "10.10.0.1", "10.10.0.1/16")
A2 = machine("a2", "a", "10.10.0.2", "10.10.0.2/16")
B1 = machine("b1", "b", "10.20.0.1", "10.20.0.1/16")
APP = [OVN, A1, A2, B1, zoned("app", "a"), pod("web", "app", nodeName="a1")]


def test_a_zone_that_requires_nothing_has_nothing_to_judge() -> None:
    plan = matrix([zone("a", cidrs=blocks("10.10.0.0/16"))])
    assert required_ground(scene(*APP, plan=plan)).idle
    assert required_ground(scene(*APP)) == Ground(kinds=("EgressIP.k8s.ovn.org",))


def test_leftovers_of_another_plug_in_give_nothing() -> None:
    left = [*APP, net("app", 7, "10.10.250.1"), subnet("a1", "10.10.250.1")]
    found = scene(*left)
    assert grants_of(found) == ()
    (one,) = bare(found)
    assert (one.certain, one.left) == (True, "NetNamespace app lists 10.10.250.1")


def test_egress_ips_left_behind_on_openshift_sdn_give_nothing() -> None:
    (one,) = bare(scene(MODE, A1, zoned("app", "a"), net("app", 7), eip("z", ["10.10.250.1"], "a", a1="10.10.250.1")))
    assert (one.certain, one.left) == (True, "EgressIP z lists 10.10.250.1")


def test_what_the_core_group_of_openshift_3_serves_counts() -> None:
    old = {"apiVersion": "v1"}
    objects = [MODE, A1, zoned("app", "a"), net("app", 7, "10.10.250.1") | old, subnet("a1", "10.10.250.1") | old]
    (grant,) = grants_of(scene(*objects))
    assert (grant.nodes, served_ground(scene(*objects))) == (("a1",), Ground(kinds=("Node",)))


def test_host_network_pods_need_no_egress_address() -> None:
    assert bare(scene(OVN, A1, zoned("app", "a"), pod("web", "app", nodeName="a1", hostNetwork=True))) == ()
    assert len(bare(scene(OVN, A1, zoned("app", "a")))) == 1


def test_routers_need_no_egress_address_on_nodes_of_their_zone() -> None:
    env = [{"name": "NAMESPACE_LABELS", "value": "network-zone=a"}, {"name": "ROUTER_SERVICE_NAME", "value": "r"}]
    spec = {"template": {"metadata": {"labels": {"r": "r"}}, "spec": {"containers": [{"name": "r", "env": env}]}}}
    config = made("Deployment", "apps", "r", "app", spec=spec)
    for place, zones_shown in (("a1", []), ("b1", [("b",)])):
        router = owned(pod("r-1", "app", nodeName=place, containers=[{"name": "r", "env": env}]), "Deployment", "r")
        found = scene(OVN, A1, B1, zoned("app", "a"), config, router)
        assert [one.node_zones for one in bare(found)] == zones_shown


def test_networks_of_a_node_come_from_its_annotations() -> None:
    population = build(snapshot([A1, machine("x", "a", "10.10.0.9")])).nodes
    assert networks(population["a1"]) == blocks("10.10.0.0/16")
    assert networks(population["x"]) is None


def test_only_nodes_with_the_label_are_offered() -> None:
    quiet = machine("a3", "a", "10.10.0.3", "10.10.0.3/16", label=False)
    assert {name for offer in offers(scene(*APP, quiet)) for name in offer.nodes} == {"a1", "a2", "b1"}


def test_a_second_node_takes_over_only_in_the_network_of_the_address() -> None:
    served = eip("z", ["10.10.250.1"], "a", a1="10.10.250.1")
    assert singles(scene(*APP, served)) == ()
    far = machine("a2", "a", "10.10.0.2", "172.16.0.2/16")
    (one,) = singles(scene(*[far if each is A2 else each for each in APP], served))
    assert (one.nodes, one.certain) == (("a1",), True)


def test_a_node_of_another_zone_is_a_candidate_only_in_the_network_of_the_address() -> None:
    served = eip("z", ["10.10.250.1"], "a", a1="10.10.250.1")
    assert foreign_candidates(scene(*APP, served)) == ()
    near = machine("b1", "b", "10.20.0.1", "10.20.0.1/16", "10.10.0.7/16")
    (one,) = foreign_candidates(scene(*[near if each is B1 else each for each in APP], served))
    assert (one.nodes, one.certain) == (("b1",), True)


def test_an_address_that_two_zones_list_is_one_fault() -> None:
    objects = [MODE, A1, B1, zoned("app", "a"), zoned("db", "b")]
    both = [net("app", 7, "10.10.250.1"), net("db", 8, "10.10.250.1"), subnet("a1", "10.10.250.1")]
    found = scene(*objects, *both)
    assert (len(shared(found)), unserved(found)) == (1, ())


def test_free_addresses_are_not_taken_ones() -> None:
    found = scene(*APP, eip("z", ["10.10.250.1", "10.10.250.3"], "a", a1="10.10.250.1"))
    assert spare(found, ZONES[1], 3) == ("10.10.250.2", "10.10.250.4", "10.10.250.5")
    assert spare(found, Zone(name="x"), 2) == ()


def test_an_address_of_the_zone_but_not_for_egress_is_astray() -> None:
    (one,) = strays(scene(*APP, eip("z", ["10.10.9.9"], "a", a1="10.10.9.9")))
    assert (one.zone.name, one.of) == ("a", "")


def test_rules_for_some_ports_decide_nothing_for_the_rules_behind() -> None:
    some = firewall(allow("0.0.0.0/0", 443), allow("::/0", 443), deny("0.0.0.0/0"), deny("::/0"))
    assert (idle(scene(*APP, some)), [one.fault for one in broken(scene(*APP, some))]) == ((), ["silent"])


def test_a_policy_of_openshift_sdn_knows_no_ipv6() -> None:
    objects = [MODE, A1, zoned("app", "a"), net("app", 7), node("v6", "2001:db8::1")]
    assert broken(scene(*objects, old_firewall(deny("0.0.0.0/0")))) == ()


def test_the_matrix_judges_what_egress_firewalls_let_into_addresses_of_another_zone() -> None:
    """Why no rule of this family does."""
    plan = matrix(ZONES, flow("a", "internet", "allow-all"))
    shut = policy({"policyTypes": ["Ingress"]}, ns="db")
    objects = [*APP, zoned("db", "b"), pod("pg", "db", nodeName="b1"), shut]
    applied = {"status": {"status": APPLIED}}
    open_wall, closed = firewall(allow("0.0.0.0/0")) | applied, firewall(deny("10.20.0.0/16")) | applied
    assert cell(evaluate(plan, *objects, open_wall), "a", "b").breaches
    assert not cell(evaluate(plan, *objects, closed), "a", "b").breaches
