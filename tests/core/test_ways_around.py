"""Ways around NetworkPolicy that leave a cell undecided: node ports, further networks, policy kinds by name."""

from __future__ import annotations

from typing import Any

import pytest

from audit.traffic import ALL, NONE
from tests.core.clusters import cell, evaluate, matrix, pod, policy, service, tcp, zone, zoned

Json = Any
ZONES = [zone("a"), zone("b"), zone("net", kind="internet")]
PLAN = matrix(ZONES, pod_network="overlay")
DENY: Json = {"policyTypes": ["Ingress"]}
WORLD = [
    zoned("na", "a"),
    pod("pa", "na", "10.1.0.1"),
    zoned("nb", "b"),
    pod("pb", "nb", "10.1.0.2", labels={"app": "pb"}),
    policy(DENY, "nb", "deny"),
]
PORT = {"port": 80, "targetPort": 8080, "nodePort": 30080}


def found(*more: Json, source: str = "a", target: str = "b") -> Any:
    return cell(evaluate(PLAN, *WORLD, *more), source, target)


def test_a_pod_that_may_leave_the_pod_network_can_call_a_node_port() -> None:
    one = found(service("s", "nb", {"app": "pb"}, PORT, type="NodePort"))
    assert (one.observed, one.possible, one.reasons) == (NONE, tcp(8080), ("service-source-address",))


def test_a_pod_that_may_not_leave_it_cannot() -> None:
    stay = policy({"policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}]}]}, "na", "stay")
    assert found(service("s", "nb", {"app": "pb"}, PORT, type="NodePort"), stay).possible == NONE


def test_a_node_port_that_keeps_the_address_is_decided_by_policy() -> None:
    local = service("s", "nb", {"app": "pb"}, PORT, type="NodePort", externalTrafficPolicy="Local")
    assert found(local).possible == NONE


@pytest.mark.parametrize("key", ["k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network"])
def test_a_further_network_leads_out_and_in(key: str) -> None:
    bridge = pod("bridge", "nb", "10.1.0.3")
    bridge["metadata"]["annotations"] = {key: "vlan"}
    for source, target in (("net", "b"), ("b", "net")):
        one = found(
            bridge, policy(DENY | {"policyTypes": ["Ingress", "Egress"]}, "nb", "both"), source=source, target=target
        )
        assert (one.observed, one.possible, one.reasons) == (NONE, ALL, ("secondary-network",))
    assert found(bridge).possible == NONE


@pytest.mark.parametrize(
    ("kind", "api"),
    [
        ("ApplicationNetworkPolicy", "networking.k8s.aws/v1alpha1"),
        ("SecurityPolicy", "crd.nsx.vmware.com/v1alpha1"),
        ("NetworkPolicy", "security.antrea.tanzu.io/v1alpha1"),
    ],
)
def test_a_policy_kind_is_known_by_its_name(kind: str, api: str) -> None:
    other = {"apiVersion": api, "kind": kind, "metadata": {"name": "p", "namespace": "nb"}, "spec": {}}
    assert found(other).reasons == ("unmodelled-policy",)
    staged = other | {"apiVersion": "projectcalico.org/v3", "kind": "StagedNetworkPolicy"}
    assert found(staged).possible == NONE


def test_the_register_names_the_kinds_that_are_not_modelled() -> None:
    made = [
        {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": name, "namespace": "nb"}}
        for name in ("x", "y")
    ]
    facts = evaluate(PLAN, *WORLD, *made).facts
    (text,) = [one.text for one in facts.assumptions if one.id == "unmodelled-policy"]
    assert text.endswith("Seen: CiliumNetworkPolicy of cilium.io (2).")


def test_a_plug_in_that_enforces_nothing_leaves_everything_open() -> None:
    other = {"apiVersion": "network.openshift.io/v1", "kind": "ClusterNetwork", "metadata": {"name": "default"}}
    assert (found().possible, found(other | {"pluginName": "redhat/openshift-ovs-subnet"}).observed) == (NONE, ALL)
