"""Random pods, workloads, namespaces and nodes as parsed manifests."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.draws import (
    EXTERNAL_ADDRESSES,
    NAME_LABEL,
    NODE_ADDRESSES,
    NODES,
    POD_ADDRESSES,
    PORT_NAMES,
    PORTS,
    PROTOCOLS,
    Draw,
    Json,
    Shape,
    chance,
    labels,
    pick,
    some,
)


def container_ports(draw: Draw, shape: Shape) -> list[Json]:
    """Ports of one container: names unique within it, sometimes the same number twice."""
    ports: dict[str, Json] = {}
    for _ in some(draw, 2):
        port: Json = {"containerPort": pick(draw, PORTS)}
        protocol = pick(draw, (None, *PROTOCOLS))
        if protocol:
            port["protocol"] = protocol
        if shape.named_ports:
            port["name"] = pick(draw, PORT_NAMES)
        ports[port.get("name", "")] = port
    return list(ports.values())


def pod_spec(draw: Draw, shape: Shape) -> Json:
    """Containers, init containers, host network."""
    spec: Json = {"containers": [{"name": "main", "ports": container_ports(draw, shape)}]}
    if chance(draw, 15):
        spec["containers"].append({"name": "second", "ports": container_ports(draw, shape)})
    if chance(draw, 20):
        init: Json = {"name": "init", "ports": container_ports(draw, shape)}
        if chance(draw, 60):
            init["restartPolicy"] = "Always"
        spec["initContainers"] = [init]
    if shape.host_network and chance(draw, 25):
        spec["hostNetwork"] = True
    return spec


def pod(draw: Draw, shape: Shape, name: str, ns: str, nodes: Sequence[str]) -> Json:
    """A pod as a cluster would show it, or as a manifest gives it."""
    metadata: Json = {"name": name, "namespace": ns, "labels": labels(draw)}
    if ns == "default" and chance(draw, 30):
        del metadata["namespace"]
    if not metadata["labels"] and chance(draw, 50):
        metadata["labels"] = None
    spec = pod_spec(draw, shape)
    status: Json = {}
    scheduled = chance(draw, 70)
    if scheduled:
        spec["nodeName"] = pick(draw, nodes)
    if chance(draw, 40):
        status["phase"] = pick(draw, ("Running", "Pending", "Succeeded", "Failed", "Unknown"))
    if spec.get("hostNetwork"):
        # In a cluster both addresses are the node's; a manifest has neither.
        if scheduled and chance(draw, 50):
            status["hostIP"] = status["podIP"] = NODE_ADDRESSES[spec["nodeName"]][0]
    elif shape.addresses_known or chance(draw, 75):
        addresses = [pick(draw, POD_ADDRESSES)]
        if shape.dual_stack and chance(draw, 20):
            addresses = ["10.0.0.1", pick(draw, ("fd00::1", "fd00:0:0:1::1"))]
        status |= pick(
            draw,
            (
                {"podIP": addresses[0], "podIPs": [{"ip": a} for a in addresses]},
                {"podIPs": [{"ip": a} for a in addresses]},
            ),
        )
    body: Json = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return body | ({"status": status} if status else {})


APIS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "extensions/v1beta1",
    "ReplicationController": "v1",
    "DeploymentConfig": "apps.openshift.io/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "VirtualMachine": "kubevirt.io/v1",
}


def machine(running: Json) -> Json:
    """A virtual machine with the ports of some containers: it declares them at its interface."""
    ports = [
        {"port": one["containerPort"], **{key: one[key] for key in ("name", "protocol") if key in one}}
        for container in running["containers"]
        for one in container.get("ports") or []
    ]
    return {"domain": {"devices": {"interfaces": [{"name": "default", "ports": ports}]}}}


def workload(draw: Draw, shape: Shape, name: str, ns: str) -> list[Json]:
    """A controller, sometimes with pods that it made."""
    kind = pick(draw, tuple(APIS))
    running = pod_spec(draw, shape)
    template = {"metadata": {"labels": labels(draw)}, "spec": machine(running) if kind == "VirtualMachine" else running}
    spec: Json = {"template": template}
    if kind == "CronJob":
        spec = {"jobTemplate": {"spec": spec}}
    metadata = {"name": name, "namespace": ns}
    made: list[Json] = [{"apiVersion": APIS[kind], "kind": kind, "metadata": metadata, "spec": spec}]
    if kind != "Deployment" or chance(draw, 50):
        return made
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "controller": True}
    replicas = {"name": f"{name}-7d9", "namespace": ns, "ownerReferences": [owner]}
    made.append({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": replicas, "spec": spec})
    for index in some(draw, 2, 1):
        owned = pod(draw, shape, f"{name}-7d9-{index}", ns, NODES)
        owned["metadata"]["namespace"] = ns
        owned["metadata"]["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-7d9", "controller": True}
        ]
        # Whether a template stands in for a controller whose pods have all finished is no question of policy.
        owned.get("status", {}).pop("phase", None)
        made.append(owned)
    return made


def namespace(draw: Draw, name: str) -> Json:
    """A Namespace, as written in a manifest or as read from a cluster."""
    metadata: Json = {"name": name}
    form = pick(draw, ("labels", "server", "bare"))
    if form != "bare":
        metadata["labels"] = labels(draw) | ({NAME_LABEL: name} if form == "server" else {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def node(draw: Draw, name: str) -> Json:
    """A Node with one to three of its addresses."""
    four, six = NODE_ADDRESSES[name]
    addresses = [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": four}]
    if chance(draw, 30):
        addresses.append({"type": "InternalIP", "address": six})
    if chance(draw, 20):
        addresses.append({"type": "ExternalIP", "address": EXTERNAL_ADDRESSES[name]})
    metadata = {"name": name, "labels": labels(draw)}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"addresses": addresses}}
