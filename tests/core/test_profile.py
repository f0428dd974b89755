"""Which platform and network plug-in the input shows, and what tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audit.profile import Plugin, Profile, detect
from tests.core.clusters import namespace, pod, snapshot

Json = Any
CONFIG = "config.openshift.io/v1"


def named(api: str, kind: str, name: str, ns: str = "", **fields: Any) -> Json:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name} | ({"namespace": ns} if ns else {})} | fields


def network(kind: Any) -> Json:
    return named(CONFIG, "Network", "cluster", status={"networkType": kind})


def operator(**default: Any) -> Json:
    return named("operator.openshift.io/v1", "Network", "cluster", spec={"defaultNetwork": default})


def cluster_network(plugin: str, api: str = "network.openshift.io/v1") -> Json:
    return named(api, "ClusterNetwork", "default", pluginName=plugin)


def daemon(ns: str, name: str) -> Json:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return named("apps/v1", "DaemonSet", name, ns, spec={"selector": {"matchLabels": {"a": "b"}}, "template": template})


def version(*history: Json, desired: Any = None) -> Json:
    status = {"history": list(history), "desired": {"version": desired}}
    return named(CONFIG, "ClusterVersion", "version", status=status)


def done(number: str, state: str = "Completed") -> Json:
    return {"state": state, "version": number}


def found(*objects: Json, plugin: Plugin | None = None, live: bool = False) -> Profile:
    return detect(replace(snapshot([pod("p"), *objects]), live=live), plugin)


# The plug-in ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "plugin"),
    [
        ("OVNKubernetes", "ovn-kubernetes"),
        ("ovnkubernetes", "ovn-kubernetes"),
        ("OpenShiftSDN", "openshift-sdn"),
        ("Calico", "calico"),
        ("CILIUM", "cilium"),
        ("Kuryr", "unknown"),
    ],
)
def test_the_status_of_the_network_tells_the_plug_in(said: str, plugin: Plugin) -> None:
    profile = found(network(said))
    assert profile.plugin == plugin
    assert profile.evidence[0] == f"Network.config.openshift.io cluster: status.networkType is {said}"


def test_the_spec_of_the_network_is_no_evidence() -> None:
    planned = named(CONFIG, "Network", "cluster", spec={"networkType": "OVNKubernetes"})
    assert found(planned).plugin == "spec"


@pytest.mark.parametrize(
    ("ns", "name", "plugin"),
    [
        ("openshift-ovn-kubernetes", "ovnkube-node", "ovn-kubernetes"),
        ("kube-system", "calico-node", "calico"),
        ("calico-system", "calico-node", "calico"),
        ("kube-system", "cilium", "cilium"),
        ("openshift-sdn", "sdn", "openshift-sdn"),
        ("app", "cilium", "spec"),
    ],
)
def test_the_daemons_of_a_plug_in_tell_it(ns: str, name: str, plugin: Plugin) -> None:
    assert found(daemon(ns, name)).plugin == plugin


@pytest.mark.parametrize("api", ["network.openshift.io/v1", "v1"])
@pytest.mark.parametrize("mode", ["subnet", "multitenant", "networkpolicy"])
def test_the_cluster_network_tells_openshift_sdn_and_its_mode(api: str, mode: str) -> None:
    profile = found(cluster_network(f"redhat/openshift-ovs-{mode}", api))
    assert (profile.plugin, profile.mode) == ("openshift-sdn", mode)
    assert profile.evidence == (f"ClusterNetwork default: pluginName is redhat/openshift-ovs-{mode}",)


def test_a_cluster_network_of_another_plug_in_is_no_evidence() -> None:
    assert found(cluster_network("cni")).plugin == "spec"


def test_sources_that_disagree_leave_it_unknown_with_the_evidence_of_both() -> None:
    profile = found(network("OVNKubernetes"), daemon("openshift-sdn", "sdn"))
    assert (profile.plugin, profile.enforcement) == ("unknown", "unknown")
    assert "networkType is OVNKubernetes" in profile.evidence[0]
    assert profile.evidence[1] == "DaemonSet openshift-sdn/sdn is there"
    assert "disagree" in profile.evidence[2]


def test_sources_that_agree_are_all_named() -> None:
    profile = found(network("OVNKubernetes"), daemon("openshift-ovn-kubernetes", "ovnkube-node"))
    assert (profile.plugin, len(profile.evidence)) == ("ovn-kubernetes", 2)


def test_manifests_without_evidence_are_read_as_the_api_text_says() -> None:
    assert found(namespace("a")) == Profile(plugin="spec")
    assert found().enforcement == "assumed"


def test_a_live_cluster_without_evidence_is_unknown() -> None:
    profile = found(live=True)
    assert (profile.plugin, profile.product) == ("unknown", "kubernetes")
    assert profile.evidence


def test_what_the_user_says_wins_and_the_evidence_stays() -> None:
    profile = found(network("OVNKubernetes"), plugin="cilium")
    assert profile.plugin == "cilium"
    assert profile.evidence[0] == "`--cni cilium`"
    assert "OVNKubernetes" in profile.evidence[1]


@pytest.mark.parametrize("value", [7, ["OVNKubernetes"], {"a": 1}, True])
def test_a_type_that_cannot_be_read_is_unknown(value: Any) -> None:
    assert found(network(value)).plugin == "unknown"


@pytest.mark.parametrize("status", [None, "text", [1], {"networkType": ""}, {"networkType": None}])
def test_a_status_without_type_says_nothing(status: Any) -> None:
    assert found(named(CONFIG, "Network", "cluster", status=status)).plugin == "spec"


# The mode of openshift-sdn -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "mode"),
    [
        ({"type": "OpenShiftSDN"}, "networkpolicy"),
        ({"type": "OpenShiftSDN", "openshiftSDNConfig": None}, "networkpolicy"),
        ({"type": "OpenShiftSDN", "openshiftSDNConfig": {"mtu": 1400}}, "networkpolicy"),
        ({"type": "OpenShiftSDN", "openshiftSDNConfig": {"mode": "Multitenant"}}, "multitenant"),
        ({"type": "OpenShiftSDN", "openshiftSDNConfig": {"mode": "Subnet"}}, "subnet"),
        ({"type": "OpenShiftSDN", "openshiftSDNConfig": {"mode": "Other"}}, ""),
        ({"type": "OpenShiftSDN", "openshiftSDNConfig": {"mode": 7}}, ""),
        ({"type": "OpenShiftSDN", "openshiftSDNConfig": "Subnet"}, ""),
        ({"type": "OVNKubernetes"}, ""),
        ({}, ""),
    ],
)
def test_the_operator_tells_the_mode_where_no_cluster_network_does(default: Json, mode: str) -> None:
    assert found(network("OpenShiftSDN"), operator(**default)).mode == mode


def test_the_cluster_network_goes_before_the_operator() -> None:
    asked = operator(type="OpenShiftSDN", openshiftSDNConfig={"mode": "Subnet"})
    assert found(cluster_network("redhat/openshift-ovs-multitenant"), asked).mode == "multitenant"


def test_without_either_the_mode_is_unknown() -> None:
    profile = found(plugin="openshift-sdn")
    assert (profile.mode, profile.enforcement) == ("", "unknown")


@pytest.mark.parametrize(
    ("mode", "enforcement"), [("subnet", "no"), ("multitenant", "no"), ("networkpolicy", "yes"), ("other", "unknown")]
)
def test_only_the_mode_networkpolicy_enforces_policies(mode: str, enforcement: str) -> None:
    assert found(cluster_network(f"redhat/openshift-ovs-{mode}")).enforcement == enforcement


# The version and the product -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (version(done("4.12.30")), (4, 12)),
        (version(done("4.13.1", "Partial"), done("4.12.30"), done("4.11.2")), (4, 12)),
        (version(done("4.13.1", "Partial"), desired="4.13.1"), (4, 13)),
        (version(desired="5.0.0-rc.1"), (5, 0)),
        (version(desired="next"), None),
        (version("text", 7, {"state": "Completed", "version": 4}, desired=["4.1"]), None),
        (named(CONFIG, "ClusterVersion", "version", status={"history": {"a": 1}, "desired": "4.1"}), None),
        (named(CONFIG, "ClusterVersion", "version"), None),
    ],
)
def test_the_version_is_that_of_the_last_completed_update(made: Json, expected: tuple[int, int] | None) -> None:
    profile = found(made)
    assert (profile.version, profile.product, profile.plugin) == (expected, "openshift-4", "spec")


@pytest.mark.parametrize(
    ("objects", "live", "product"),
    [
        ([], False, ""),
        ([named("route.openshift.io/v1", "Route", "r", "app", spec={"to": {"name": "s"}})], False, ""),
        ([named("route.openshift.io/v1", "Route", "r", "app", spec={"to": {"name": "s"}})], True, "openshift-3"),
        ([cluster_network("redhat/openshift-ovs-subnet", "v1")], False, "openshift-3"),
        ([cluster_network("redhat/openshift-ovs-subnet")], False, ""),
        ([cluster_network("redhat/openshift-ovs-subnet"), named("v1", "Node", "n", "")], False, "openshift-3"),
        ([named("apps.openshift.io/v1", "DeploymentConfig", "router", "default", spec={})], False, "openshift-3"),
        ([network("Calico")], True, "openshift-4"),
    ],
)
def test_the_product_is_told_by_what_only_it_serves(objects: list[Json], live: bool, product: str) -> None:  # noqa: FBT001
    assert found(*objects, live=live).product == product


@pytest.mark.parametrize("kind", ["NetNamespace", "HostSubnet"])
def test_objects_of_openshift_sdn_tell_where_nothing_else_does(kind: str) -> None:
    left = {"apiVersion": "network.openshift.io/v1", "kind": kind, "metadata": {"name": "app"}}
    found = detect(snapshot([left]))
    assert (found.plugin, found.mode) == ("openshift-sdn", "")
    assert f"there are {kind} objects" in found.evidence
    daemon = {"apiVersion": "apps/v1", "kind": "DaemonSet", "spec": {}}
    daemon["metadata"] = {"name": "ovnkube-node", "namespace": "openshift-ovn-kubernetes"}
    assert detect(snapshot([left, daemon])).plugin == "ovn-kubernetes"
