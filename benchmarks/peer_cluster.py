"""A cluster that zone-audit and the peer both read: Namespaces, Pods and NetworkPolicies, nothing else.

A row of zones, each of which may call the next. Every namespace has ten workloads and four policies: default deny, its
zone, the calling zone on a named port (for the first zone the internet), and one block of the data centre with a hole.
Nothing in it is among what the peer is known to read differently: no host network, no addresses of pods in blocks, no
selectors by key alone, no pod that ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from cluster_objects import POD_NETWORK, PODS_PER_NODE_BLOCK, Document, address, block, match, namespace, tcp
from zone_design import PORTS

ZONES = 8
WORKLOADS = 10
POLICIES = 4
ADDRESSES = 250
"""Pods of one node."""

MATRIX = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {{name: peer-comparison}}
settings: {{zone_labels: [network-zone], pod_network: overlay}}
defaults: {{inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}}
zones:
{zones}
- {{name: datacenter, kind: external, cidrs: [10.20.0.0/14]}}
- {{name: internet, kind: internet}}
flows:
{flows}
"""


def matrix() -> str:
    """Each zone may call the next, on any port, and every address outside."""
    names = [zone(number) for number in range(ZONES)]
    inward = [(f"{number}", names[number], names[number + 1]) for number in range(ZONES - 1)]
    outward = [(f"{name}-{outside}", name, outside) for name in names for outside in ("datacenter", "internet")]
    flows = [f"- {{id: F-{key}, from: {a}, to: {b}, access: allow-all}}" for key, a, b in (*inward, *outward)]
    return MATRIX.format(zones="\n".join(f"- {{name: {name}}}" for name in names), flows="\n".join(flows))


def zone(number: int) -> str:
    """`zone-3`."""
    return f"zone-{number}"


def space(index: int) -> str:
    """The name of namespace `index`."""
    return f"{zone(index % ZONES)}-{index:04d}"


def pod(index: int, slot: int) -> Document:
    """The one running replica of a workload, owned by a ReplicaSet of the workload's name."""
    app, serial = f"app-{slot}", index * WORKLOADS + slot
    own = address(POD_NETWORK, serial // ADDRESSES * PODS_PER_NODE_BLOCK + 2 + serial % ADDRESSES)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": app, "uid": f"{index}-{slot}", "controller": True}
    ports = [{"name": "main", "containerPort": port(index, slot), "protocol": "TCP"}]
    meta = {"name": f"{app}-0", "namespace": space(index), "labels": {"app": app}, "ownerReferences": [owner]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [{"name": app, "image": f"registry.example.org/{app}:1", "ports": ports}]},
        "status": {"phase": "Running", "podIP": own, "podIPs": [{"ip": own}]},
    }


def port(index: int, slot: int) -> int:
    """The number behind the named port of a workload."""
    return PORTS[(index + slot) % len(PORTS)]


def policies(index: int) -> Iterator[Document]:
    """The four of one namespace."""
    own, number = space(index), index % ZONES
    everywhere = block("0.0.0.0/0", ["10.0.0.0/8"])
    caller = {"namespaceSelector": match("network-zone", zone(number - 1))} if number else everywhere
    network = f"10.{20 + index // 256}.{index % 256}"
    outside = block(f"{network}.0/24", [f"{network}.64/28"])
    same = {"namespaceSelector": match("network-zone", zone(number))}
    yield policy("default-deny", own, {"podSelector": {}})
    yield policy("zone", own, {"podSelector": {}, "ingress": [{"from": [same]}]})
    named = {"protocol": "TCP", "port": "main"}
    yield policy(
        "caller", own, {"podSelector": match("app", "app-0"), "ingress": [{"from": [caller], "ports": [named]}]}
    )
    rule = {"from": [outside], "ports": [tcp(1521)]}
    yield policy("data-centre", own, {"podSelector": match("app", "app-1"), "ingress": [rule]})


def policy(name: str, own: str, spec: Document) -> Document:
    """One NetworkPolicy for connections into a namespace."""
    meta = {"name": name, "namespace": own}
    whole = {**spec, "policyTypes": ["Ingress"]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": whole}


def cluster(namespaces: int) -> Iterator[Document]:
    """Every object, namespaces first."""
    for index in range(namespaces):
        own = {"network-zone": zone(index % ZONES), "kubernetes.io/metadata.name": space(index)}
        yield {**namespace(space(index), own), "metadata": {"name": space(index), "labels": own}}
    for index in range(namespaces):
        yield from (pod(index, slot) for slot in range(WORKLOADS))
        yield from policies(index)


def write(namespaces: int, folder: Path) -> tuple[Path, Path]:
    """The folder with the cluster as one List, and the matrix beside it."""
    source, zones = folder / f"{namespaces}", folder / "zones.yaml"
    source.mkdir(parents=True, exist_ok=True)
    whole = {"apiVersion": "v1", "kind": "List", "items": list(cluster(namespaces))}
    (source / "cluster.json").write_text(json.dumps(whole), encoding="utf-8")
    zones.write_text(matrix(), encoding="utf-8")
    return source, zones
