"""Random user-defined networks, projects, further networks and the policies about them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.oracle.draw_plugins import operator_network, projects
from tests.oracle.draw_policies import policy_spec
from tests.oracle.draws import (
    PORTS,
    PROTOCOLS,
    Draw,
    Json,
    Shape,
    chance,
    labels,
    pick,
    selector,
    some,
)

PRIMARY_LABEL = "k8s.ovn.org/primary-user-defined-network"
NETS = ("net", "side", "vlan")
CLUSTER_NETS = ("wide", "net")
PRIMARY_ADDRESSES = ("10.0.0.1", "10.0.0.128", "10.0.1.0", "fd00::1")


def networks(draw: Draw, shape: Shape, objects: list[Json], names: Sequence[str]) -> list[Json]:
    """Networks for these namespaces; pods and namespaces among the objects get what puts them there."""
    if not shape.networks:
        return []
    form = pick(draw, ("primary", "secondary", "projects", "primary", "secondary", "all"))
    found: list[Json] = []
    if form in ("primary", "all"):
        found += primary(draw, shape, objects, names)
    if form in ("secondary", "all"):
        found += secondary(draw, shape, [*objects, *found], names)
    if not any(o["kind"] == "NetNamespace" for o in objects) and (form == "projects" or chance(draw, 10)):
        found += projects(draw, names)
    if chance(draw, 7):
        found.append(advertisement())
    return found


def annotate(o: Json, key: str, value: str) -> None:
    """Gives a pod, or the pods of a template, an annotation."""
    template = o["spec"].get("template") if o["kind"] != "Pod" else o
    if template is not None:
        template["metadata"].setdefault("annotations", {})[key] = value


def running(objects: list[Json]) -> list[Json]:
    """Pods and workloads off the host network."""
    found = [o for o in objects if o["kind"] == "Pod" or "template" in o.get("spec", {})]
    return [o for o in found if "hostNetwork" not in json.dumps(o)]


# Primary networks ----------------------------------------------------------------------------------------------------


def primary(draw: Draw, shape: Shape, objects: list[Json], names: Sequence[str]) -> list[Json]:
    """Primary networks, namespaces that ask for one, and what joins them."""
    for o in objects:
        if o["kind"] == "Namespace" and chance(draw, 60):
            o["metadata"].setdefault("labels", {})[PRIMARY_LABEL] = ""
    found = [user_network(draw, shape, "net", name, "Primary") for name in names if chance(draw, 45)]
    found += [cluster_network(draw, shape, name, "Primary") for name in CLUSTER_NETS if chance(draw, 45)]
    if chance(draw, 35):
        found.append(connect(draw))
    for o in running(objects):
        if o["kind"] == "Pod" and chance(draw, 60):
            annotate(o, "k8s.ovn.org/pod-networks", pod_networks(draw))
        if chance(draw, 25):
            annotate(o, "k8s.ovn.org/open-default-ports", open_ports(draw))
    if "kube-system" in names and chance(draw, 60):
        ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "web", "port": 80, "targetPort": "http"}]
        spec = {"selector": labels(draw) or {"app": "a"}, "ports": ports}
        metadata = {"name": "kube-dns", "namespace": "kube-system"}
        found.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    return found


def layer(draw: Draw, shape: Shape, role: str) -> Json:
    """Topology and role of a user-defined network, sometimes of a version that is not known here."""
    if shape.gaps and chance(draw, 6):
        return {"topology": "Layer4", "layer4": {pick(draw, ("role", "part")): role}}
    if chance(draw, 50):
        return {"topology": "Layer2", "layer2": {"role": role, "subnets": ["10.0.0.0/16"]}}
    return {"topology": "Layer3", "layer3": {"role": role, "subnets": [{"cidr": "10.0.0.0/16"}]}}


def user_network(draw: Draw, shape: Shape, name: str, namespace: str, role: str) -> Json:
    """A UserDefinedNetwork."""
    metadata = {"name": name, "namespace": namespace, "labels": labels(draw)}
    api = "k8s.ovn.org/v1"
    return {"apiVersion": api, "kind": "UserDefinedNetwork", "metadata": metadata, "spec": layer(draw, shape, role)}


def cluster_network(draw: Draw, shape: Shape, name: str, role: str) -> Json:
    """A ClusterUserDefinedNetwork."""
    network = layer(draw, shape, role)
    if role == "Secondary" and chance(draw, 25):
        local = {"role": "Secondary", "physicalNetworkName": "lan", "ipam": {"mode": "Disabled"}}
        network = {"topology": "Localnet", "localnet": local}
    spec = {"namespaceSelector": selector(draw, namespaces=True), "network": network}
    metadata = {"name": name, "labels": labels(draw)}
    return {"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterUserDefinedNetwork", "metadata": metadata, "spec": spec}


def connect(draw: Draw) -> Json:
    """A ClusterNetworkConnect."""
    selectors = []
    for _ in some(draw, 2, 1):
        if chance(draw, 50):
            chosen = {"clusterUserDefinedNetworkSelector": {"networkSelector": selector(draw)}}
            selectors.append({"networkSelectionType": "ClusterUserDefinedNetworks"} | chosen)
        else:
            chosen = {"primaryUserDefinedNetworkSelector": {"namespaceSelector": selector(draw, namespaces=True)}}
            selectors.append({"networkSelectionType": "PrimaryUserDefinedNetworks"} | chosen)
    if chance(draw, 15):
        selectors.append({"networkSelectionType": "DefaultNetwork"})
    spec = {
        "networkSelectors": selectors,
        "connectSubnets": [{"cidr": "192.168.0.0/16", "networkPrefix": 24}],
        "connectivity": pick(draw, (["PodNetwork"], ["ServiceNetwork"], ["PodNetwork", "ServiceNetwork"])),
    }
    return {"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterNetworkConnect", "metadata": {"name": "c"}, "spec": spec}


def advertisement() -> Json:
    """A RouteAdvertisements."""
    spec = {
        "advertisements": ["PodNetwork"],
        "frrConfigurationSelector": {},
        "networkSelectors": [{"networkSelectionType": "DefaultNetwork"}],
        "nodeSelector": {},
    }
    return {"apiVersion": "k8s.ovn.org/v1", "kind": "RouteAdvertisements", "metadata": {"name": "ra"}, "spec": spec}


def pod_networks(draw: Draw) -> str:
    """The annotation with a pod's addresses, with one of its own network or not."""
    found: Json = {"default": {"ip_addresses": ["10.128.0.5/23"], "role": "infrastructure-locked"}}
    if chance(draw, 85):
        address = pick(draw, PRIMARY_ADDRESSES)
        text = f"{address}/{64 if ':' in address else 24}"
        found["a/net"] = {"ip_address": text, "ip_addresses": [text], "role": "primary"}
        if chance(draw, 20):
            found["a/net"]["ip_addresses"] = ["10.0.0.127/24", "fd00::1/64"]
    return json.dumps(found)


def open_ports(draw: Draw) -> str:
    """The annotation with the ports that are open to the default network, as YAML."""
    lines = [
        f"- protocol: {pick(draw, PROTOCOLS).lower()}\n  port: {pick(draw, PORTS)}\n" for _ in some(draw, 2, 1)
    ] + (["- protocol: icmp\n"] if chance(draw, 15) else [])
    return "".join(lines)


# Further networks ----------------------------------------------------------------------------------------------------


def secondary(draw: Draw, shape: Shape, objects: list[Json], names: Sequence[str]) -> list[Json]:
    """Further networks, pods attached to them, and policies about them."""
    found = [user_network(draw, shape, "side", name, "Secondary") for name in names if chance(draw, 50)]
    if chance(draw, 60) and not any(o["kind"] == "ClusterUserDefinedNetwork" for o in objects):
        found.append(cluster_network(draw, shape, "wide", "Secondary"))
    for o in running(objects):
        if chance(draw, 65):
            annotate(o, "k8s.v1.cni.cncf.io/networks", attachments(draw, names))
    found += [multi_policy(draw, shape, f"mnp{i}", pick(draw, names), names) for i in some(draw, 3)]
    if not any(o["kind"] == "Network" and o["apiVersion"].startswith("operator") for o in objects) and chance(draw, 60):
        given: Json = pick(draw, ({"useMultiNetworkPolicy": True}, {"useMultiNetworkPolicy": False}, {}))
        found.append(operator_network({"type": "OVNKubernetes"}, **given))
    return found


def attachment(draw: Draw, names: Sequence[str]) -> tuple[str | None, str]:
    """Namespace, or none for the pod's own, and name of a network."""
    return pick(draw, (None, None, *names)), pick(draw, ("side", "wide", "vlan"))


def attachments(draw: Draw, names: Sequence[str]) -> str:
    """The annotation that attaches a pod, in one of its forms."""
    chosen = [attachment(draw, names) for _ in some(draw, 2, 1)]
    if chance(draw, 30):
        return json.dumps([{"name": name} | ({"namespace": ns} if ns else {}) for ns, name in chosen])
    return ", ".join(
        (f"{ns}/" if ns else "") + name + (f"@eth{index}" if chance(draw, 20) else "")
        for index, (ns, name) in enumerate(chosen)
    )


def multi_policy(draw: Draw, shape: Shape, name: str, ns: str, names: Sequence[str]) -> Json:
    """A MultiNetworkPolicy."""
    about = [attachment(draw, names) for _ in some(draw, 2, 1)]
    text = ",".join((f"{space}/" if space else "") + net for space, net in about)
    metadata: Json = {"name": name, "namespace": ns}
    if chance(draw, 92):
        metadata["annotations"] = {"k8s.v1.cni.cncf.io/policy-for": text}
    spec = without_nulls(policy_spec(draw, shape))
    spec.setdefault("podSelector", {})
    api = "k8s.cni.cncf.io/v1beta1"
    return {"apiVersion": api, "kind": "MultiNetworkPolicy", "metadata": metadata, "spec": spec}


def without_nulls(value: Json) -> Json:
    """The value without fields that are null, which a custom resource does not have."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [{} if inner is None else without_nulls(inner) for inner in value] if isinstance(value, list) else value
