"""Random objects by which a network plug-in is told."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.draws import Draw, Json, Shape, chance, labels, pick

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


def platform(draw: Draw, shape: Shape, names: Sequence[str]) -> list[Json]:
    """What a cluster shows of its plug-in: enough to tell it, or too much."""
    if not shape.plugins:
        return []
    name = pick(draw, shape.plugins)
    if name == "spec":
        return []
    found: list[Json] = (
        [host_namespace(draw)] if name in ("ovn-kubernetes", "openshift-sdn") and chance(draw, 50) else []
    )
    if name == "openshift-sdn" and chance(draw, 40):
        found += projects(draw, names)
    if name == "openshift-sdn":
        found += openshift_sdn(draw)
    elif name not in AGENTS or chance(draw, 75):
        found.append(network_config(pick(draw, TYPES[name])))
    else:
        found.append(agent(*pick(draw, AGENTS[name])))
    if chance(draw, 8):
        found.append(agent(*pick(draw, AGENTS[pick(draw, tuple(AGENTS))])))
    return found


def host_namespace(draw: Draw) -> Json:
    """The namespace that stands for the traffic of nodes."""
    made = labels(draw) | {"policy-group.network.openshift.io/host-network": ""}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "openshift-host-network", "labels": made}}


def projects(draw: Draw, names: Sequence[str]) -> list[Json]:
    """NetNamespaces, some joined, some global, some missing."""
    return [project(draw, name) for name in names if chance(draw, 85)]


def project(draw: Draw, name: str) -> Json:
    """A NetNamespace."""
    netid = 0 if name == "default" and chance(draw, 80) else pick(draw, (1, 2, 3, 0))
    metadata = {"name": name}
    api = "network.openshift.io/v1"
    return {"apiVersion": api, "kind": "NetNamespace", "metadata": metadata, "netname": name, "netid": netid}


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
    history = [past("Completed", text), past("Completed", "4.1.0")]
    desired = "4.99.0"
    if chance(draw, 25):
        history.insert(0, past("Partial", "4.99.0"))
    elif chance(draw, 20):
        history, desired = [], text
    release = {"image": "i", "version": desired}
    status = {"availableUpdates": [], "desired": release, "history": history, "observedGeneration": 1}
    return {
        "apiVersion": "config.openshift.io/v1",
        "kind": "ClusterVersion",
        "metadata": {"name": "version"},
        "spec": {"clusterID": "0"},
        "status": status | {"versionHash": "h"},
    }


def past(state: str, text: str) -> Json:
    """One entry of a cluster's history."""
    times = dict.fromkeys(("startedTime", "completionTime"), "2026-01-01T00:00:00Z")
    return {"state": state, "version": text, "image": "i", "verified": True, **times}


def agent(namespace: str, name: str) -> Json:
    """The DaemonSet of a plug-in's agent."""
    template = {"metadata": {"labels": {"app": name}}, "spec": {"hostNetwork": True, "containers": [{"name": "c"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }
