"""The slow evaluator against every row of docs/reachability.md section 3, worked out by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.oracle.asking import ask
from tests.oracle.draw_networks import advertisement
from tests.oracle.draw_plugins import cluster_network, operator_network, project
from tests.oracle.secondary import policy_for
from tests.oracle.slow import Cluster
from tests.oracle.world import OUT, host, namespace, pod, policy

Json = Any
LABEL = {"k8s.ovn.org/primary-user-defined-network": ""}
DENY: Json = {"podSelector": {}}
SEALED: Json = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
A, B, C, AGENT = "a/Pod/p", "b/Pod/p", "c/Pod/p", "c/Pod/agent"


def on_node(name: str, ns: str, notes: Json = None, **spec: Any) -> Json:
    """A pod on node n5 with annotations."""
    made = pod(name, ns, nodeName="n5", **spec)
    made["metadata"]["annotations"] = notes or {}
    return made


def user(ns: str, role: str = "Primary", name: str = "net", topology: str = "Layer2") -> Json:
    spec = {"topology": topology, topology.lower(): {"role": role}}
    metadata = {"name": name, "namespace": ns}
    return {"apiVersion": "k8s.ovn.org/v1", "kind": "UserDefinedNetwork", "metadata": metadata, "spec": spec}


def shared(*names: str, role: str = "Primary", name: str = "wide", topology: str = "Layer3", **labels: str) -> Json:
    expressions = [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(names)}]
    network = {"topology": topology, topology.lower(): {"role": role}}
    spec = {"namespaceSelector": {"matchExpressions": expressions} if names else {}, "network": network}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterUserDefinedNetwork", "metadata": metadata, "spec": spec}


def world(*labelled: str, **notes: Json) -> list[Json]:
    """Namespaces a, b and c with a pod each; the first ones named ask for a network of their own."""
    spaces = [namespace(name, **(LABEL if name in labelled else {})) for name in "abc"]
    return [*spaces, *(on_node("p", name, notes.get(name)) for name in "abc")]


def pairs(objects: list[Json], **kwargs: Any) -> list[str]:
    """From a to b, a to c, and back."""
    return [ask(objects, *ends, **kwargs) for ends in ((A, B), (A, C), (B, A), (C, A))]


# Primary networks ----------------------------------------------------------------------------------------------------


def test_pods_of_one_primary_network_talk_and_others_do_not() -> None:
    assert pairs([*world("a", "b"), shared("a", "b")]) == ["allowed", "denied", "allowed", "denied"]
    assert pairs([*world("a", "b"), shared("a", "b"), policy(DENY, "b")]) == ["denied", "denied", "allowed", "denied"]
    assert pairs([*world("a", "b"), user("a"), user("b")]) == ["denied"] * 4


@pytest.mark.parametrize("plugin", ["calico", "cilium"])
def test_where_they_do_not_work_they_part_nobody(plugin: str) -> None:
    assert pairs([*world("a", "b"), user("a")], plugin=plugin) == ["allowed"] * 4


def test_where_they_may_work_what_they_part_is_possible() -> None:
    assert pairs([*world("a", "b"), user("a"), user("b")], plugin="unknown") == ["unknown"] * 4


def test_without_the_label_a_namespace_is_on_the_default_network() -> None:
    assert pairs([*world(), shared("a", "b"), user("a")]) == ["allowed"] * 4


@pytest.mark.parametrize(
    "networks",
    [[], [user("b")], [user("a"), user("a", name="other")], [user("a"), shared("a")], [user("a", topology="Layer4")]],
)
def test_undecided_namespaces_talk_at_most_possibly(networks: list[Json]) -> None:
    assert pairs([*world("a"), *networks]) == ["unknown"] * 4
    assert ask([*world("a"), *networks, on_node("q", "a")], A, "a/Pod/q") == "allowed"
    assert ask([*world("a"), *networks, policy(DENY, "b")], A, B) == "denied"


def test_a_secondary_network_is_no_primary_one() -> None:
    assert pairs([*world("a"), user("a"), user("a", "Secondary", "side")]) == ["denied"] * 4


def test_namespaces_that_were_not_read_are_undecided_beside_a_primary_network() -> None:
    unread = [o for o in world() if o["kind"] == "Pod"]
    assert pairs(unread) == ["allowed"] * 4
    assert pairs([*unread, user("b")]) == ["unknown"] * 4
    assert pairs([*unread, user("b", "Secondary")]) == ["allowed"] * 4


def test_nodes_and_the_outside() -> None:
    objects = [*world("a"), user("a"), host("agent", "n6", ns="c"), host("near", "n5", ns="c")]
    ends = [(A, AGENT), (AGENT, A), ("c/Pod/near", A), (A, OUT), (OUT, A)]
    assert [ask(objects, *one) for one in ends] == ["allowed", "unknown", "allowed", "allowed", "allowed"]
    closed = [*objects, policy(SEALED, "a")]
    assert [ask(closed, *one) for one in ends] == ["denied", "denied", "allowed", "denied", "denied"]


def test_dns_is_possible() -> None:
    spec = {"selector": {"dns": "x"}, "ports": [{"port": 53, "targetPort": 5353, "protocol": "UDP"}]}
    metadata = {"name": "dns-default", "namespace": "openshift-dns"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    server = on_node("dns", "openshift-dns", labels={"dns": "x"})
    objects = [*world("a"), user("a"), namespace("openshift-dns"), service, server]
    asked = [(5353, "UDP"), (53, "UDP"), (5353, "TCP")]
    assert [ask(objects, A, "openshift-dns/Pod/dns", *one) for one in asked] == ["unknown", "denied", "denied"]
    assert ask(objects, "openshift-dns/Pod/dns", A, 5353, "UDP") == "denied"
    assert ask([*objects, policy(DENY, "openshift-dns")], A, "openshift-dns/Pod/dns", 5353, "UDP") == "denied"


OPEN = {"k8s.ovn.org/open-default-ports": "- protocol: tcp\n  port: 80\n- protocol: icmp\n"}


def test_open_default_ports_whatever_the_targets_policies_say() -> None:
    objects = [*world("a", "b", a=OPEN), user("a"), user("b"), policy(DENY, "a")]
    asked = [(C, 80, "TCP"), (C, 81, "TCP"), (C, 80, "UDP"), (B, 80, "TCP")]
    assert [ask(objects, one[0], A, *one[1:]) for one in asked] == ["unknown", "denied", "denied", "denied"]
    assert ask([*objects, policy(SEALED, "c")], C, A) == "denied", "the source's policies decide"
    assert ask([*world(a=OPEN), policy(DENY, "a")], C, A) == "denied", "on the default network they mean nothing"


def test_open_default_ports_between_undecided_namespaces() -> None:
    assert ask([*world("a", "b", a=OPEN), policy(DENY, "a")], B, A) == "unknown"


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([{"networkSelectionType": "ClusterUserDefinedNetworks"}], "unknown"),
        ([{"networkSelectionType": "ClusterUserDefinedNetworks", "labels": {"team": "x"}}], "denied"),
        ([{"networkSelectionType": "PrimaryUserDefinedNetworks"}], "denied"),
        ([{"networkSelectionType": "DefaultNetwork"}], "denied"),
        ([{"networkSelectionType": "Others"}], "unknown"),
    ],
)
def test_what_a_cluster_network_connect_joins(selectors: list[Json], expected: str) -> None:
    objects = [*world("a", "b"), shared("a", name="one", team="x"), shared("b", name="two"), connect(*selectors)]
    assert ask(objects, A, B) == expected
    assert ask([*objects, policy(DENY, "b")], A, B) == "denied"


def connect(*selectors: Json) -> Json:
    """A ClusterNetworkConnect; its selectors are about labels, all if none is given."""
    made = []
    for one in selectors:
        selector = {"matchLabels": one["labels"]} if "labels" in one else {}
        kind = {"networkSelectionType": one["networkSelectionType"]}
        inside = {
            "ClusterUserDefinedNetworks": {"clusterUserDefinedNetworkSelector": {"networkSelector": selector}},
            "PrimaryUserDefinedNetworks": {"primaryUserDefinedNetworkSelector": {"namespaceSelector": selector}},
        }
        made.append(kind | inside.get(one["networkSelectionType"], {}))
    spec = {"networkSelectors": made, "connectivity": ["PodNetwork"]}
    return {"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterNetworkConnect", "metadata": {"name": "c"}, "spec": spec}


def test_a_cluster_network_connect_joins_networks_of_namespaces() -> None:
    joined = connect({"networkSelectionType": "PrimaryUserDefinedNetworks"})
    assert pairs([*world("a", "b"), user("a"), user("b"), joined]) == ["unknown", "denied", "unknown", "denied"]


def test_the_address_on_a_network_of_its_own() -> None:
    networks = {"default": {"ip_address": "10.0.0.1/24", "role": "infrastructure-locked"}}
    own = {"a/net": {"ip_addresses": ["10.60.0.5/16", "fd00::5/64"], "role": "primary"}}
    note = {"k8s.ovn.org/pod-networks": json.dumps(networks | own)}
    with_address = on_node("q", "a", note, ip="10.0.0.1")
    found = Cluster([namespace("a", **LABEL), user("a"), with_address, on_node("r", "a", ip="10.0.0.2")]).pods
    assert [str(address) for address in found["a/Pod/q"].addresses] == ["10.60.0.5", "fd00::5"]
    assert found["a/Pod/r"].addresses == (None,)
    assert [str(a) for a in Cluster([namespace("a"), with_address]).pods["a/Pod/q"].addresses] == ["10.0.0.1"]


def test_route_advertisements_take_the_certainty() -> None:
    objects = [*world(), advertisement(), policy(DENY, "b"), host("agent", "n6", ns="c")]
    ends = [(OUT, A), (A, OUT), (OUT, B), (A, C), (OUT, AGENT)]
    assert [ask(objects, *one) for one in ends] == ["unknown", "unknown", "denied", "allowed", "allowed"]
    assert ask(objects, OUT, A, plugin="calico") == "allowed"


# Projects ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("netids", "expected"),
    [((1, 1), "allowed"), ((1, 2), "denied"), ((0, 2), "allowed"), ((1, None), "unknown"), ((0, None), "allowed")],
)
def test_projects_of_the_multitenant_mode(netids: tuple[int, int | None], expected: str) -> None:
    projects = [project_of(name, number) for name, number in zip("ab", netids, strict=True) if number is not None]
    objects = [*world(), cluster_network("multitenant"), *projects, policy(SEALED, "b")]
    assert [ask(objects, A, B), ask(objects, B, A)] == [expected] * 2
    assert ask(objects, B, OUT) == "allowed"


def project_of(name: str, netid: int) -> Json:
    made = project(lambda _: 0, name)
    return made | {"netid": netid}


# Further networks ----------------------------------------------------------------------------------------------------

KEY = "k8s.v1.cni.cncf.io/networks"
CLOSED = [policy(SEALED, name) for name in "abc"]


def attached(**networks: str) -> list[Json]:
    """The three pods, attached to networks, and closed on their own."""
    return [*world(**{name: {KEY: text} for name, text in networks.items()}), *CLOSED]


def test_a_virtual_network_of_several_namespaces() -> None:
    objects = [*attached(a="wide", b="b/wide@eth1", c="other"), shared("a", "b", role="Secondary")]
    assert pairs(objects) == ["allowed", "denied", "allowed", "denied"]
    assert [ask(objects, *one) for one in ((A, OUT), (OUT, A))] == ["denied"] * 2


def test_a_virtual_network_of_one_namespace() -> None:
    objects = [*attached(a="side", b="side"), user("a", "Secondary", "side"), user("b", "Secondary", "side")]
    assert pairs(objects) == ["denied"] * 4
    near = on_node("q", "a", {KEY: json.dumps([{"name": "side", "interface": "eth1"}])})
    assert ask([*objects, near], A, "a/Pod/q") == "allowed"


@pytest.mark.parametrize(
    "network",
    [
        [],
        [shared("a", "b", role="Secondary", topology="Localnet")],
        [shared("c", role="Secondary")],
        [shared("a", "b", role="Primary")],
    ],
)
def test_physical_networks_lead_everywhere_possibly(network: list[Json]) -> None:
    objects = [*attached(a="wide", b="wide"), *network]
    assert pairs(objects) == ["unknown", "denied", "unknown", "denied"]
    assert [ask(objects, *one) for one in ((A, OUT), (OUT, A), (C, OUT))] == ["unknown", "unknown", "denied"]


def test_networks_of_different_names_may_be_one() -> None:
    assert pairs(attached(a="vlan20", b="b/vlan30"))[0] == "unknown"


def test_a_network_of_another_namespace_is_physical() -> None:
    objects = [*attached(a="b/side", b="side"), user("b", "Secondary", "side")]
    assert pairs(objects)[0] == "denied"
    assert ask(objects, A, OUT) == "unknown"


def test_a_selector_that_may_match_leaves_both() -> None:
    made = shared(role="Secondary")
    made["spec"]["namespaceSelector"] = {"matchLabels": {"team": "x"}}
    objects = [*[o for o in attached(a="wide", b="wide") if o["kind"] != "Namespace"], namespace("a", team="x"), made]
    assert pairs(objects)[0] == "unknown"
    assert [ask(objects, A, OUT), ask(objects, B, OUT)] == ["denied", "unknown"]


@pytest.mark.parametrize("plugin", ["calico", "cilium"])
def test_without_user_defined_networks_every_attachment_is_physical(plugin: str) -> None:
    objects = [*attached(a="wide", b="wide"), shared("a", "b", role="Secondary")]
    assert [ask(objects, A, B, plugin=plugin), ask(objects, A, OUT, plugin=plugin)] == ["unknown"] * 2


def test_host_network_pods_are_attached_to_nothing() -> None:
    agent = host("agent", "n6", ns="a")
    agent["metadata"]["annotations"] = {KEY: "vlan"}
    assert ask([*attached(b="vlan"), agent], "a/Pod/agent", B) == "denied"


@pytest.mark.parametrize("networks", [[{"name": "x", "multus": {"networkName": "vlan"}}], [{"name": "d", "pod": {}}]])
def test_virtual_machines(networks: list[Json]) -> None:
    template = {"metadata": {}, "spec": {"networks": networks}}
    metadata = {"name": "vm", "namespace": "a"}
    machine = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata}
    objects = [*attached(b="vlan"), machine | {"spec": {"template": template}}]
    assert ask(objects, "a/VirtualMachine/vm", B) == ("unknown" if "multus" in networks[0] else "denied")


# MultiNetworkPolicy --------------------------------------------------------------------------------------------------


def multi(spec: Json, ns: str = "b", about: str = "wide") -> Json:
    metadata = {"name": "m", "namespace": ns, "annotations": {"k8s.v1.cni.cncf.io/policy-for": about}}
    return {"apiVersion": "k8s.cni.cncf.io/v1beta1", "kind": "MultiNetworkPolicy", "metadata": metadata, "spec": spec}


VIRTUAL = [*attached(a="wide", b="wide"), shared("a", "b", role="Secondary")]
FROM_A: Json = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "a"}}}]}


def test_what_a_policy_is_about() -> None:
    assert policy_for(multi({}, about="wide, a/side")) == [("b", "wide"), ("a", "side")]
    assert policy_for({"metadata": {"namespace": "b"}}) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"podSelector": {}}, "denied"),
        ({"podSelector": {}, "ingress": [FROM_A]}, "allowed"),
        ({"podSelector": {}, "ingress": [FROM_A | {"ports": [{"port": 81}]}]}, "denied"),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, "allowed"),
        ({"podSelector": {"matchLabels": {"no": "body"}}}, "allowed"),
        ({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}, "unknown"),
        ({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}, "denied"),
    ],
)
def test_policies_of_further_networks(spec: Json, expected: str) -> None:
    assert ask([*VIRTUAL, multi(spec)], A, B) == expected
    assert ask([*VIRTUAL, multi(spec, about="other")], A, B) == "allowed"


def test_policies_of_physical_networks() -> None:
    physical = attached(a="wide", b="wide", c="wide")
    assert [ask([*physical, multi(DENY)], s, B) for s in (A, OUT)] == ["denied"] * 2
    block = {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]}
    found = [ask([*physical, multi(block)], s, B) for s in (A, OUT, "198.51.100.1")]
    assert found == ["unknown", "unknown", "denied"]


@pytest.mark.parametrize(
    ("plugin", "given", "expected"),
    [
        ("spec", None, "denied"),
        ("ovn-kubernetes", None, "unknown"),
        ("ovn-kubernetes", {}, "allowed"),
        ("ovn-kubernetes", {"useMultiNetworkPolicy": False}, "allowed"),
        ("ovn-kubernetes", {"useMultiNetworkPolicy": True}, "denied"),
        ("unknown", None, "unknown"),
    ],
)
def test_who_enforces_them(plugin: str, given: Json, expected: str) -> None:
    config = [] if given is None else [operator_network({"type": "OVNKubernetes"}, **given)]
    assert ask([*VIRTUAL, multi(DENY), *config], A, B, plugin=plugin) == expected
