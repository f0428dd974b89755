"""Random objects by which a network plug-in is told."""

from __future__ import annotations

from tests.oracle.draws import Draw, Json, Shape, chance, pick

TYPES = {
    "ovn-kubernetes": ("OVNKubernetes", "ovnkubernetes"),
    "openshift-sdn": ("OpenShiftSDN", "openshiftsdn"),
    "calico": ("Calico",),
    "cilium": ("Cilium", "CILIUM"),
    "unknown": ("Kuryr", "Contrail"),
}
AGENTS = {
    "ovn-kubernetes": (("openshift-ovn-kubernetes", "ovnkube-node"),),
    "openshift-sdn": (("openshift-sdn", "sdn"),),
    "calico": (("calico-system", "calico-node"), ("kube-system", "calico-node")),
    "cilium": (("kube-system", "cilium"),),
}
SDN_MODES = ("networkpolicy", "networkpolicy", "networkpolicy", "multitenant", "subnet")
VERSIONS = ("4.12.3", "4.9.7", "4.4.33", "4.10.0", "4.5.1", "3.11.0", "4.16.44")
OPERATOR_MODES = {"networkpolicy": "NetworkPolicy", "multitenant": "Multitenant", "subnet": "Subnet"}


def platform(draw: Draw, shape: Shape) -> list[Json]:
    """What a cluster shows of its plug-in: enough to tell it, or too much."""
    if not shape.plugins:
        return []
    name = pick(draw, shape.plugins)
    if name == "spec":
        return []
    found: list[Json] = []
    if name == "openshift-sdn":
        found += openshift_sdn(draw)
    elif name not in AGENTS or chance(draw, 75):
        found.append(network_config(pick(draw, TYPES[name])))
    else:
        found.append(agent(*pick(draw, AGENTS[name])))
    if chance(draw, 8):
        found.append(agent(*pick(draw, AGENTS[pick(draw, tuple(AGENTS))])))
    return found


def openshift_sdn(draw: Draw) -> list[Json]:
    """A cluster with openshift-sdn: the type, the mode in one place or none, a version or none."""
    mode = pick(draw, SDN_MODES)
    place = pick(draw, ("cluster network", "operator", "neither"))
    found: list[Json] = []
    if place == "cluster network":
        found.append(cluster_network(mode))
    if place == "operator":
        given = {} if mode == "networkpolicy" and chance(draw, 50) else {"mode": OPERATOR_MODES[mode]}
        found.append(operator_network({"type": "OpenShiftSDN", "openshiftSDNConfig": given}))
    if place != "cluster network" or chance(draw, 70):
        found.append(network_config(pick(draw, TYPES["openshift-sdn"])))
    if chance(draw, 85):
        found.append(cluster_version(draw, pick(draw, VERSIONS)))
    return found


def network_config(kind: str) -> Json:
    """The cluster's network as it is, with another as it was asked for."""
    return {
        "apiVersion": "config.openshift.io/v1",
        "kind": "Network",
        "metadata": {"name": "cluster"},
        "spec": {"networkType": "OVNKubernetes"},
        "status": {"networkType": kind},
    }


def operator_network(default: Json, **spec: object) -> Json:
    """The network operator's configuration."""
    return {
        "apiVersion": "operator.openshift.io/v1",
        "kind": "Network",
        "metadata": {"name": "cluster"},
        "spec": {"managementState": "Managed", "defaultNetwork": default, **spec},
    }


def cluster_network(mode: str) -> Json:
    """The network of openshift-sdn in some mode."""
    return {
        "apiVersion": "network.openshift.io/v1",
        "kind": "ClusterNetwork",
        "metadata": {"name": "default"},
        "clusterNetworks": [{"CIDR": "10.0.0.0/16", "hostSubnetLength": 9}],
        "serviceNetwork": "172.30.0.0/16",
        "pluginName": f"redhat/openshift-ovs-{mode}",
    }


def cluster_version(draw: Draw, text: str) -> Json:
    """A cluster of this version, with an older entry or an update under way, or before its first is done."""
    history = [{"state": "Completed", "version": text}, {"state": "Completed", "version": "4.1.0"}]
    status: Json = {"desired": {"version": "4.99.0"}, "history": history}
    if chance(draw, 25):
        history.insert(0, {"state": "Partial", "version": "4.99.0"})
    elif chance(draw, 20):
        status = {"desired": {"version": text}, "history": []}
    return {
        "apiVersion": "config.openshift.io/v1",
        "kind": "ClusterVersion",
        "metadata": {"name": "version"},
        "spec": {"clusterID": "0"},
        "status": status,
    }


def agent(namespace: str, name: str) -> Json:
    """The DaemonSet of a plug-in's agent."""
    template = {"metadata": {"labels": {"app": name}}, "spec": {"hostNetwork": True, "containers": [{"name": "c"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }
