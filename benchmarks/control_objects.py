"""Single objects that the controls beside policies read: projects, storage, constraints, configuration, diagnostics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cluster_objects import (
    CONTROL_PLANE,
    STAMP,
    Document,
    metadata,
    node_address,
    node_name,
    toleration,
)
from zone_design import NODE_KEY, ZONES, is_confined, zone_of

CONFIG = "config.openshift.io/v1"
PROJECT_SELECTOR = "openshift.io/node-selector"
CLAIM = "data"
"""Name of the claim of a namespace that has one."""
BASE_DOMAIN = "cluster.example.org"
CLASS_KEY = "storageclass.storage.k8s.io"
RANGE = 10_000
"""User ids of one project."""


def project_annotations(index: int) -> dict[str, str]:
    """What confines the pods of namespace `index` to the nodes of its zone, and the ranges that every project has."""
    zone, first = zone_of(index), 1_000_000_000 + index * RANGE
    selector = f"{NODE_KEY}={zone}" if is_confined(index) else ""
    passing = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists"}
        for key in ("not-ready", "unreachable", "memory-pressure")
    ]
    return {
        "openshift.io/sa.scc.mcs": f"s0:c{index // 512 + 5},c{index % 512}",
        "openshift.io/sa.scc.supplemental-groups": f"{first}/{RANGE}",
        "openshift.io/sa.scc.uid-range": f"{first}/{RANGE}",
        PROJECT_SELECTOR: selector,
        "scheduler.alpha.kubernetes.io/defaultTolerations": json.dumps([toleration(zone)]),
        "scheduler.alpha.kubernetes.io/tolerationsWhitelist": json.dumps([toleration(zone), *passing]),
    }


def class_name(zone: str) -> str:
    """The one storage class of a zone."""
    return f"{zone}-files"


def filer(zone: str) -> str:
    """The file server of a zone."""
    return f"nas-{zone}.example.org"


def storage_class(zone: str) -> Document:
    """The class of one zone, on a file server of its own."""
    default = {"storageclass.kubernetes.io/is-default-class": "false"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": metadata(class_name(zone), annotations=default),
        "provisioner": "nfs.csi.k8s.io",
        "parameters": {"server": filer(zone), "share": "/volumes"},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def quota(space: str, zone: str) -> Document:
    """Storage of the own zone only."""
    hard = {f"{class_name(zone)}.{CLASS_KEY}/requests.storage": "500Gi"}
    for other in ZONES:
        if other != zone:
            hard |= {f"{class_name(other)}.{CLASS_KEY}/{what}": "0" for what in ("requests.storage", CLAIMS)}
    used = dict.fromkeys(hard, "0")
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata("zone-storage", space),
        "spec": {"hard": hard},
        "status": {"hard": hard, "used": used},
    }


CLAIMS = "persistentvolumeclaims"


def claim(space: str, zone: str, index: int) -> Iterator[Document]:
    """A bound claim and the volume that was made for it."""
    own = metadata(CLAIM, space)
    name, size, modes = f"pvc-{own['uid']}", {"storage": "20Gi"}, ["ReadWriteMany"]
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": own,
        "spec": {
            "accessModes": modes,
            "resources": {"requests": size},
            "storageClassName": class_name(zone),
            "volumeMode": "Filesystem",
            "volumeName": name,
        },
        "status": {"phase": "Bound", "accessModes": modes, "capacity": size},
    }
    share = f"/volumes/{index:05d}"
    source = {
        "driver": "nfs.csi.k8s.io",
        "volumeHandle": f"{filer(zone)}#{share}",
        "volumeAttributes": {"server": filer(zone), "share": share},
    }
    made_by = {"pv.kubernetes.io/provisioned-by": "nfs.csi.k8s.io"}
    reserved = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": space, "name": CLAIM}
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": metadata(name, annotations=made_by),
        "spec": {
            "capacity": size,
            "accessModes": modes,
            "storageClassName": class_name(zone),
            "claimRef": reserved | {"uid": own["uid"]},
            "persistentVolumeReclaimPolicy": "Delete",
            "csi": source,
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Bound"},
    }


def constraints() -> Iterator[Document]:
    """Those that OpenShift ships; only the platform's own may use what opens the host."""
    platform = ("system:cluster-admins", "system:nodes", "system:masters")
    yield {**constraint("anyuid", host=False, groups=("system:cluster-admins",)), "priority": 10}
    yield constraint("hostnetwork-v2", host=True)
    yield constraint("nonroot-v2", host=False)
    yield constraint("privileged", host=True, groups=platform)
    yield constraint("restricted-v2", host=False, groups=("system:authenticated",))


def constraint(name: str, *, host: bool, groups: tuple[str, ...] = ()) -> Document:
    """One of SecurityContextConstraints; `host` opens the host."""
    opened = dict.fromkeys(
        ("allowHostDirVolumePlugin", "allowHostIPC", "allowHostNetwork", "allowHostPID", "allowHostPorts"), host
    )
    inner = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"]
    return {
        "apiVersion": "security.openshift.io/v1",
        "kind": "SecurityContextConstraints",
        "metadata": metadata(name),
        **opened,
        "allowPrivilegedContainer": host,
        "allowedCapabilities": ["*"] if host else [],
        "defaultAddCapabilities": [],
        "requiredDropCapabilities": [] if host else ["ALL"],
        "readOnlyRootFilesystem": False,
        "runAsUser": {"type": "RunAsAny" if host else "MustRunAsRange"},
        "seLinuxContext": {"type": "RunAsAny" if host else "MustRunAs"},
        "fsGroup": {"type": "RunAsAny" if host else "MustRunAs"},
        "supplementalGroups": {"type": "RunAsAny"},
        "volumes": ["*"] if host else inner,
        "users": [],
        "groups": list(groups),
    }


def configuration() -> Iterator[Document]:
    """The cluster-wide settings; a new project belongs to a zone, is closed, and may not use storage yet."""
    vsphere = {"apiServerInternalIPs": ["10.0.242.2"], "ingressIPs": ["10.0.242.3"], "machineNetworks": ["10.0.0.0/16"]}
    status = {
        "platform": "VSphere",
        "platformStatus": {"type": "VSphere", "vsphere": vsphere},
        "apiServerURL": f"https://api.{BASE_DOMAIN}:6443",
        "apiServerInternalURI": f"https://api-int.{BASE_DOMAIN}:6443",
        "controlPlaneTopology": "HighlyAvailable",
        "infrastructureTopology": "HighlyAvailable",
    }
    yield settings("Infrastructure", {"platformSpec": {"type": "VSphere"}}, status)
    yield settings("DNS", {"baseDomain": BASE_DOMAIN, "privateZone": {"id": "internal"}})
    yield settings("Ingress", {"domain": f"apps.{BASE_DOMAIN}"})
    yield settings("Scheduler", {"mastersSchedulable": False, "defaultNodeSelector": f"{NODE_KEY}=platform"})
    yield settings("Project", {"projectRequestTemplate": {"name": "zoned-project"}})
    yield {
        "apiVersion": "template.openshift.io/v1",
        "kind": "Template",
        "metadata": metadata("zoned-project", "openshift-config"),
        "objects": list(project_parts("internal")),
        "parameters": [{"name": "PROJECT_NAME"}],
    }


def settings(kind: str, spec: Document, status: Document | None = None) -> Document:
    """One object of the cluster's configuration."""
    filled = {"status": status} if status else {}
    return {"apiVersion": CONFIG, "kind": kind, "metadata": metadata("cluster"), "spec": spec, **filled}


def project_parts(zone: str) -> Iterator[Document]:
    """What every new project is made of."""
    name = "${PROJECT_NAME}"
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    empty = {"hard": {"requests.storage": "0"}}
    for version, kind, own, spec in (
        ("project.openshift.io/v1", "Project", {"name": name, "labels": {"network-zone": zone}}, {}),
        ("networking.k8s.io/v1", "NetworkPolicy", {"name": "closed", "namespace": name}, closed),
        ("v1", "ResourceQuota", {"name": "no-storage", "namespace": name}, empty),
    ):
        yield {"apiVersion": version, "kind": kind, "metadata": own, **({"spec": spec} if spec else {})}


def check(index: int) -> Document:
    """What network diagnostics found out about one node: the first of the control plane reaches it."""
    target = f"network-check-source-{node_name(CONTROL_PLANE[0])}-to-network-check-target-{node_name(index)}"
    endpoint = f"{node_address(index)}:17698"
    reached: dict[str, Any] = {
        "type": "Reachable",
        "status": "True",
        "reason": "TCPConnectSuccess",
        "message": f"tcp connection to {endpoint} succeeded",
        "lastTransitionTime": STAMP,
    }
    tries = [
        {"time": f"2026-09-01T07:0{minute}:00Z", "success": True, "reason": "TCPConnect", "latency": "1.2ms"}
        for minute in reversed(range(10))
    ]
    return {
        "apiVersion": "controlplane.operator.openshift.io/v1alpha1",
        "kind": "PodNetworkConnectivityCheck",
        "metadata": metadata(target, "openshift-network-diagnostics"),
        "spec": {
            "sourcePod": "network-check-source-7c9f",
            "targetEndpoint": endpoint,
            "tlsClientCert": {"name": ""},
        },
        "status": {"conditions": [reached], "outages": [], "failures": [], "successes": tries},
    }
