"""Single objects of plain Kubernetes as an API server serves them, without managed fields."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zone_design import NODE_KEY, ZONES

Document = Mapping[str, Any]

STAMP = "2026-09-01T06:00:00Z"
SHARD = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
"""The label by which a router pod names its IngressController."""
PODS_PER_NODE_BLOCK = 512
"""Each node owns a /23 of the pod network, the default host prefix of OpenShift."""
POD_NETWORK = int(ipaddress.IPv4Address("10.128.0.0"))
NODE_NETWORK = int(ipaddress.IPv4Address("10.0.0.10"))
SERVICE_NETWORK = int(ipaddress.IPv4Address("172.30.0.10"))
VIP_NETWORK = int(ipaddress.IPv4Address("10.0.241.1"))
FIRST_NODE_PORT = 30_000
INFRA_NODES = 6
"""The first nodes, two of each zone, run routers and hold egress addresses."""
CONTROL_PLANE = range(INFRA_NODES, INFRA_NODES + 3)


def metadata(
    name: str,
    namespace: str = "",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Object metadata; empty labels and annotations are left out."""
    out: dict[str, Any] = {"name": name}
    if namespace:
        out["namespace"] = namespace
    out |= {"uid": digest(f"{namespace}/{name}"), "resourceVersion": "1", "creationTimestamp": STAMP}
    out |= {"labels": dict(labels)} if labels else {}
    return out | ({"annotations": dict(annotations)} if annotations else {})


def digest(text: str) -> str:
    """32 stable hexadecimal digits of a text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def address(base: int, offset: int) -> str:
    """The IPv4 address so many above a base."""
    return str(ipaddress.IPv4Address(base + offset))


def namespace(name: str, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None) -> Document:
    """One Namespace."""
    own = metadata(name, labels={"kubernetes.io/metadata.name": name, **labels}, annotations=annotations)
    body = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": own, **body}


def node(index: int) -> Document:
    """One node of OVN-Kubernetes; a taint keeps pods of others off, be it another zone or whoever is no platform."""
    name, subnet = node_name(index), f"{address(POD_NETWORK, index * PODS_PER_NODE_BLOCK)}/23"
    role = "infra" if index < INFRA_NODES else "control-plane" if index in CONTROL_PLANE else "worker"
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        NODE_KEY: node_zone(index),
        f"node-role.kubernetes.io/{role}": "",
    }
    if role == "infra":
        labels["k8s.ovn.org/egress-assignable"] = ""
    own = f"{node_address(index)}/16"
    annotations = {
        "k8s.ovn.org/host-cidrs": json.dumps([own]),
        "k8s.ovn.org/node-primary-ifaddr": json.dumps({"ipv4": own}),
        "k8s.ovn.org/node-subnets": json.dumps({"default": [subnet]}),
    }
    taint = {"key": "network-zone", "value": node_zone(index), "effect": "NoSchedule"}
    if index in CONTROL_PLANE:
        taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    quantity = {"cpu": "32", "memory": "131072Mi", "pods": "250"}
    info = {"kubeletVersion": "v1.33.5", "osImage": "Linux", "containerRuntimeVersion": "cri-o://1.33.5"}
    addresses = [{"type": "InternalIP", "address": node_address(index)}, {"type": "Hostname", "address": name}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata(name, labels=labels, annotations=annotations),
        "spec": {"podCIDR": subnet, "taints": [taint]},
        "status": {
            "capacity": quantity,
            "allocatable": quantity,
            "addresses": addresses,
            "nodeInfo": info,
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": STAMP}],
        },
    }


def node_name(index: int) -> str:
    """`worker-0042`."""
    return f"worker-{index:04d}"


def node_zone(index: int) -> str:
    """The zone of a node: a third of all, but for the control plane, is of each."""
    return "platform" if index in CONTROL_PLANE else ZONES[index % len(ZONES)]


def node_address(index: int) -> str:
    """The node's own address, outside the pod network."""
    return address(NODE_NETWORK, index)


@dataclass(frozen=True, slots=True)
class Workload:
    """What the replicas of one owner share."""

    space: str
    app: str
    ports: tuple[tuple[str, int], ...]
    """Name and number of the container's TCP ports."""
    zone: str = "platform"
    """Whose nodes it runs on."""
    confined: bool = True
    """Whether its namespace gives it a node selector."""
    claim: str = ""
    """The claim that it mounts."""
    shard: str = ""
    """The IngressController whose router it is."""


def pod(workload: Workload, replica: int, node_index: int, seat: int) -> Document:
    """One running Pod of a ReplicaSet; `seat` counts the pods of a node."""
    space, app = workload.space, workload.app
    template = digest(f"{space}/{app}")[:10]
    owner = f"{app}-{template}"
    name = f"{owner}-{digest(f'{owner}/{replica}')[:5]}"
    labels = {"app": app, "app.kubernetes.io/instance": space, "pod-template-hash": template, "version": "v1"}
    if workload.shard:
        labels[SHARD] = workload.shard
    meta = metadata(name, space, labels)
    meta["generateName"] = f"{owner}-"
    meta["ownerReferences"] = [owner_reference(owner, space)]
    own = address(POD_NETWORK, node_index * PODS_PER_NODE_BLOCK + 2 + seat)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": pod_spec(workload, node_name(node_index)),
        "status": pod_status(app, own, node_address(node_index)),
    }


def owner_reference(owner: str, space: str) -> Document:
    """The controller entry of a pod."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": owner,
        "uid": digest(f"{space}/{owner}"),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod_spec(workload: Workload, on_node: str) -> Document:
    """The fields that admission and the scheduler leave in every pod."""
    container: dict[str, Any] = {
        "name": workload.app,
        "image": f"registry.example.org/{workload.app}:1.0.0",
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in workload.ports],
        "env": environment(workload),
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [
            {"name": "token", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
        ],
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }
    volumes: list[Document] = [{"name": "token", "projected": {"defaultMode": 420, "sources": TOKEN_SOURCES}}]
    if workload.claim:
        volumes.insert(0, {"name": "data", "persistentVolumeClaim": {"claimName": workload.claim}})
        container["volumeMounts"].append({"name": "data", "mountPath": "/data"})
    selector = node_selector(workload)
    return {
        "volumes": volumes,
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "nodeName": on_node,
        **({"nodeSelector": selector} if selector else {}),
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "tolerations": tolerations(workload.zone),
    }


def environment(workload: Workload) -> list[Document]:
    """Variables of the container; those of a router say what it serves."""
    given = {"LOG_LEVEL": "info"}
    if workload.shard:
        given = {"ROUTER_SERVICE_NAME": workload.shard, "NAMESPACE_LABELS": f"network-zone={workload.shard}"}
    return [{"name": name, "value": value} for name, value in given.items()]


def node_selector(workload: Workload) -> dict[str, str]:
    """What the project gives every pod, and what the operator of the routers gives these."""
    if workload.zone == "platform":
        return {"kubernetes.io/os": "linux"}
    own = {NODE_KEY: workload.zone} if workload.confined else {}
    return own | ({"node-role.kubernetes.io/infra": ""} if workload.shard else {})


def tolerations(zone: str) -> list[Document]:
    """What admission leaves in every pod of a zone; pods of the platform stay whatever befalls a node."""
    return [{"operator": "Exists"}] if zone == "platform" else [*PASSING, toleration(zone), PRESSED]


def toleration(zone: str) -> Document:
    """What lets pods of a zone onto its nodes."""
    return {"key": "network-zone", "operator": "Equal", "value": zone, "effect": "NoSchedule"}


TOKEN_SOURCES = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
]
PASSING = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("not-ready", "unreachable")
]
PRESSED = {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"}


def pod_status(app: str, own: str, host: str) -> Document:
    """A running pod's status."""
    return {
        "phase": "Running",
        "conditions": [
            {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": STAMP}
            for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "hostIP": host,
        "podIP": own,
        "podIPs": [{"ip": own}],
        "startTime": STAMP,
        "containerStatuses": [
            {"name": app, "state": {"running": {"startedAt": STAMP}}, "ready": True, "restartCount": 0}
        ],
        "qosClass": "Burstable",
    }


def service(
    workload: Workload, serial: int, published: str = "ClusterIP", *, seat: int = 0, inside: bool = False
) -> Document:
    """The Service of one workload, on the ports of its pods.

    `serial` counts Services, `seat` those that are published: addresses and node ports follow from them. A load
    balancer that stays `inside` admits private clients only.
    """
    ports = [
        {"name": name, "protocol": "TCP", "port": port, "targetPort": name}
        for name, port in workload.ports
        if name != "metrics"
    ]
    inner = address(SERVICE_NETWORK, serial)
    spec: dict[str, Any] = {
        "clusterIP": inner,
        "clusterIPs": [inner],
        "type": published,
        "sessionAffinity": "None",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "ports": ports,
        "selector": {SHARD: workload.shard} if workload.shard else {"app": workload.app},
    }
    status: Document = {"loadBalancer": {}}
    if published != "ClusterIP":
        spec["externalTrafficPolicy"] = "Local" if workload.shard else "Cluster"
        for place, port in enumerate(ports):
            port["nodePort"] = FIRST_NODE_PORT + 2 * seat + place
    if published == "LoadBalancer":
        spec |= {"allocateLoadBalancerNodePorts": True}
        spec |= {"loadBalancerSourceRanges": ["10.0.0.0/8"]} if inside else {}
        status = {"loadBalancer": {"ingress": [{"ip": address(VIP_NETWORK, seat), "ipMode": "VIP"}]}}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(workload.app, workload.space, {"app": workload.app}),
        "spec": spec,
        "status": status,
    }


def policy(name: str, space: str, spec: Document) -> Document:
    """One NetworkPolicy as served."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, space),
        "spec": spec,
    }


def match(key: str, value: str) -> Document:
    """A label selector with one label."""
    return {"matchLabels": {key: value}}


def among(key: str, operator: str, values: Iterable[str] = ()) -> Document:
    """A label selector with one expression."""
    listed = list(values)
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": listed} if listed else {})}]}


def tcp(port: int) -> Document:
    """One TCP port."""
    return {"protocol": "TCP", "port": port}


def block(cidr: str, without: Iterable[str] = ()) -> Document:
    """An ipBlock peer."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(without)} if without else {})}}
