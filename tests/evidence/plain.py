"""A small Kubernetes cluster with Calico: three zones of one namespace each, closed but for two flows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]
ZONES = {"web": "dmz", "app": "internal", "db": "database"}
"""Namespace to zone."""
_PORTS = {"web": 8443, "app": 8080, "db": 5432}
_CALLERS = {"app": "dmz", "db": "internal"}
_CLUSTER = "rbac.authorization.k8s.io/v1"


def objects() -> list[Object]:
    """Every object of the cluster."""
    return [*_platform(), *(one for number, name in enumerate(ZONES) for one in _zone(number, name)), *_rights()]


def listed(items: Iterable[Object] = ()) -> bytes:
    """Some objects, or all of the cluster, as one list."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [*items] or objects()}).encode()


def made(api: str, kind: str, name: str, namespace: str = "", **more: Any) -> Object:
    """One object; labels and annotations go into its metadata."""
    metadata: Object = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata |= {key: more.pop(key) for key in ("labels", "annotations", "ownerReferences") if key in more}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **more}


def namespace(name: str, zone: str = "") -> Object:
    labels = {"kubernetes.io/metadata.name": name, **({"network-zone": zone} if zone else {})}
    return made("v1", "Namespace", name, labels=labels)


def pod(name: str, namespace: str, address: str, node: str, port: int, **labels: str) -> Object:
    """A running pod of a StatefulSet, or a bare one without labels."""
    owner = [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": labels["app"], "uid": "1", "controller": True}]
    return made(
        "v1", "Pod", name, namespace,
        labels=labels, **({"ownerReferences": owner} if "app" in labels else {}),
        spec={
            "nodeName": node, "serviceAccountName": "default",
            "containers": [{"name": "main", "ports": [{"containerPort": port, "protocol": "TCP"}]}],
        },
        status={
            "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    )  # fmt: skip


def _platform() -> list[Object]:
    agent = {"selector": {"matchLabels": {"k8s-app": "calico-node"}}, "template": {
        "metadata": {"labels": {"k8s-app": "calico-node"}},
        "spec": {"hostNetwork": True, "containers": [{"name": "calico-node"}]},
    }}  # fmt: skip
    found = [namespace("kube-system"), namespace("default")]
    found.append(made("apps/v1", "DaemonSet", "calico-node", "kube-system", spec=agent))
    for number in range(4):
        status = {
            "addresses": [{"type": "InternalIP", "address": f"10.0.0.{number + 10}"}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        labels = {"kubernetes.io/hostname": f"node-{number}"}
        found.append(made("v1", "Node", f"node-{number}", labels=labels, status=status))
        owner = [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "calico-node", "uid": "1", "controller": True}]
        found.append(made(
            "v1", "Pod", f"calico-node-{number}", "kube-system",
            labels={"k8s-app": "calico-node"}, ownerReferences=owner,
            spec={"nodeName": f"node-{number}", "hostNetwork": True, "containers": [{"name": "calico-node"}]},
            status={"phase": "Running", "podIP": f"10.0.0.{number + 10}", "hostIP": f"10.0.0.{number + 10}"},
        ))  # fmt: skip
    return found


def _zone(number: int, name: str) -> list[Object]:
    zone, port = ZONES[name], _PORTS[name]
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main"}]}}
    workload = {"replicas": 2, "serviceName": name, "selector": {"matchLabels": {"app": name}}, "template": template}
    return [
        namespace(name, zone),
        made("apps/v1", "StatefulSet", name, name, spec=workload),
        *(pod(f"{name}-{one}", name, f"10.128.{number}.{one + 5}", f"node-{number}", port, app=name) for one in (0, 1)),
        made("v1", "Service", name, name, spec={
            "type": "LoadBalancer" if name == "web" else "ClusterIP", "selector": {"app": name},
            "ports": [{"port": port, "targetPort": port, "protocol": "TCP"}],
            **({"externalTrafficPolicy": "Local"} if name == "web" else {}),
        }),
        made("networking.k8s.io/v1", "NetworkPolicy", "zone", name, spec=_policy(name, port)),
        made("storage.k8s.io/v1", "StorageClass", f"{zone}-block", provisioner="csi.example.org",
             parameters={"pool": zone}),
        *(made("v1", "ResourceQuota", f"{other}-zero", name, spec={
            "hard": {f"{other}-block.storageclass.storage.k8s.io/requests.storage": "0"},
        }) for other in ZONES.values() if other != zone),
    ]  # fmt: skip


def _policy(name: str, port: int) -> Object:
    """Ingress from the zone itself and its callers, egress to its own zone, names and the next zone."""
    own = {"namespaceSelector": {"matchLabels": {"network-zone": ZONES[name]}}}
    callers = [{"namespaceSelector": {"matchLabels": {"network-zone": _CALLERS[name]}}}] if name in _CALLERS else []
    called = [one for one, zone in _CALLERS.items() if zone == ZONES[name]]
    ingress: list[Object] = [{"from": [own]}]
    ports = [{"protocol": "TCP", "port": port}]
    ingress += [{"from": callers, "ports": ports}] if callers else [{"ports": ports}]
    egress: list[Object] = [
        {"to": [own]},
        {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
         "ports": [{"protocol": "UDP", "port": 53}]},
        *({"to": [{"namespaceSelector": {"matchLabels": {"network-zone": ZONES[one]}}}],
           "ports": [{"protocol": "TCP", "port": _PORTS[one]}]} for one in called),
    ]  # fmt: skip
    return {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": ingress, "egress": egress}


def _rights() -> list[Object]:
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    view = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]}
    return [
        made(_CLUSTER, "ClusterRole", "cluster-admin", rules=[rule]),
        made(_CLUSTER, "ClusterRole", "view", rules=[view]),
        made(_CLUSTER, "ClusterRoleBinding", "netsec", roleRef={"kind": "ClusterRole", "name": "cluster-admin"},
             subjects=[{"kind": "Group", "name": "netsec"}]),
        *(made(_CLUSTER, "RoleBinding", "view", name, roleRef={"kind": "ClusterRole", "name": "view"},
               subjects=[{"kind": "Group", "name": f"team-{name}"}]) for name in ZONES),
    ]  # fmt: skip
