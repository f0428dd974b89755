"""Clusters of a given size, written as one compact JSON List as an API server dump would hold them.

The clusters follow the zone design that the tool audits: namespaces labelled with their zone, a default-deny and a zone
policy in each, one-way rows between zones. Every value is computed from its index, so equal arguments give equal bytes,
and objects are written one by one, so memory stays flat. A few faults are planted, so that the scan has findings.

    python benchmarks/generate.py large -o .cache/bench
"""

from __future__ import annotations

import argparse
import hashlib
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

Document = Mapping[str, Any]

ZONES = ("dmz", "internal", "database")
WEIGHTS = ("dmz", "internal", "internal", "internal", "database")
"""Zone of namespace i is WEIGHTS[i % 5]: most namespaces of an enterprise cluster are internal."""
APPS = tuple(
    f"{domain}-{part}"
    for domain in ("accounts", "cards", "claims", "ledger", "orders", "payments", "quotes", "rates")
    for part in ("web", "api", "worker", "cache", "store")
)
PORTS = (8080, 8443, 9090, 9443, 5432, 6379, 9092, 3000, 5000, 8081, 27017, 1521)
WORKLOADS_PER_NAMESPACE = 5
PODS_PER_NODE_BLOCK = 512
"""Each node owns a /23 of the pod network, the default host prefix of OpenShift."""
POD_NETWORK = int(ipaddress.IPv4Address("10.128.0.0"))
NODE_NETWORK = int(ipaddress.IPv4Address("10.0.0.10"))
UNLABELLED_EVERY = 397
"""Planted fault: one namespace in so many has no zone label."""
OPEN_EVERY = 199
"""Planted fault: one namespace in so many has a zone policy that admits everybody."""
DATABASE_BLOCKS = 256
"""Distinct /24 blocks outside the cluster that the microsegmented case names."""
STAMP = "2026-09-01T06:00:00Z"


@dataclass(frozen=True, slots=True)
class Case:
    """The size of one generated cluster."""

    namespaces: int
    replicas: int
    """Pods per workload; a namespace has WORKLOADS_PER_NAMESPACE workloads."""
    nodes: int = 5000
    microsegmented: bool = False
    """One more policy per workload, with egress, ports and address blocks."""

    @property
    def pods(self) -> int:
        """Pods in zones; two router pods per zone come on top."""
        return self.namespaces * WORKLOADS_PER_NAMESPACE * self.replicas

    @property
    def policies(self) -> int:
        """NetworkPolicies of the namespaces; two per router namespace come on top."""
        return self.namespaces * (2 + (WORKLOADS_PER_NAMESPACE if self.microsegmented else 0))

    def halved(self) -> Case:
        """Half as many objects of every kind."""
        return replace(self, namespaces=self.namespaces // 2, nodes=self.nodes // 2)


CASES: Mapping[str, Case] = {
    "small": Case(namespaces=400, replicas=1),
    "large": Case(namespaces=10_000, replicas=3),
    "huge": Case(namespaces=10_000, replicas=3, microsegmented=True),
}

MATRIX = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata:
  name: benchmark-zones
  version: "1"
  owner: network-security@example.org
  approved_by: ciso@example.org
  approved_on: 2026-09-30
  review_by: 2027-03-31
  ticket: CHG0000001
settings:
  zone_labels: [network-zone]
  node_labels: [network-zone]
  cluster_mode: multi-zone
  pod_network: overlay
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
service_groups: {postgres: [tcp/5432]}
zones:
- {name: dmz, title: Demilitarised zone, trust: 20, kind: cluster}
- {name: internal, title: Internal applications, trust: 50, kind: cluster}
- {name: database, title: Databases, trust: 80, kind: cluster}
- {name: datacenter, title: Data centre outside the cluster, trust: 60, kind: external, cidrs: [10.20.0.0/16]}
- {name: platform, title: Platform, trust: 90, kind: platform}
- {name: internet, title: Internet, trust: 0, kind: internet}
flows:
- {id: ZM-0001, from: internet, to: dmz, access: allow-only, services: [tcp/8443], justification: Published services.}
- {id: ZM-0002, from: dmz, to: internal, access: allow-only, services: [tcp/8443], justification: Proxy to apps.}
- {id: ZM-0003, from: internal, to: database, access: allow-only, services: [postgres], justification: Apps to data.}
- {id: ZM-0004, from: dmz, to: platform, access: allow-all, justification: DNS and logging.}
- {id: ZM-0005, from: internal, to: platform, access: allow-all, justification: DNS and logging.}
- {id: ZM-0006, from: database, to: platform, access: allow-all, justification: DNS and logging.}
- {id: ZM-0007, from: dmz, to: datacenter, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0008, from: dmz, to: internet, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0009, from: internal, to: datacenter, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0010, from: internal, to: internet, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0011, from: database, to: datacenter, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0012, from: database, to: internet, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0013, from: platform, to: datacenter, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0014, from: platform, to: internet, access: allow-all, justification: Held by the perimeter firewall.}
"""


def zone_of(index: int) -> str:
    """The zone of namespace `index`."""
    return WEIGHTS[index % len(WEIGHTS)]


def namespace_name(index: int) -> str:
    """`internal-00042`."""
    return f"{zone_of(index)}-{index:05d}"


def app_of(namespace: int, slot: int) -> str:
    """The `app` label of a workload; five neighbours of the pool, so apps recur across namespaces."""
    return APPS[(namespace * WORKLOADS_PER_NAMESPACE + slot) % len(APPS)]


def port_of(namespace: int, slot: int) -> int:
    """The container port of a workload; in slot 0 the port that its zone offers to others."""
    offered = {"dmz": 8443, "internal": 8443, "database": 5432}[zone_of(namespace)]
    return PORTS[(namespace + slot) % len(PORTS)] if slot else offered


def metadata(name: str, namespace: str = "", labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Object metadata as the API server serves it, without managed fields."""
    out: dict[str, Any] = {"name": name}
    if namespace:
        out["namespace"] = namespace
    out |= {"uid": digest(f"{namespace}/{name}"), "resourceVersion": "1", "creationTimestamp": STAMP}
    return out | ({"labels": dict(labels)} if labels else {})


def digest(text: str) -> str:
    """32 stable hexadecimal digits of a text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def namespaces(case: Case) -> Iterator[Document]:
    """Zone namespaces, one router namespace per zone, and two of the platform."""
    for zone in ZONES:
        yield namespace(f"ingress-{zone}", {"network-zone": zone, "ingress-zone": zone})
    for name in ("kube-system", "openshift-dns"):
        yield namespace(name, {})
    for index in range(case.namespaces):
        labels = {"team": f"team-{index % 97}"}
        if index % UNLABELLED_EVERY != UNLABELLED_EVERY - 1:
            labels["network-zone"] = zone_of(index)
        yield namespace(namespace_name(index), labels)


def namespace(name: str, labels: Mapping[str, str]) -> Document:
    """One Namespace."""
    own = {"kubernetes.io/metadata.name": name, **labels}
    body = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(name, labels=own), **body}


def nodes(case: Case) -> Iterator[Document]:
    """Worker nodes, an equal share labelled with each zone."""
    for index in range(case.nodes):
        name = node_name(index)
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "network-zone": ZONES[index % len(ZONES)],
        }
        labels["node-role.kubernetes.io/worker"] = ""
        addresses = [{"type": "InternalIP", "address": node_address(index)}, {"type": "Hostname", "address": name}]
        quantity = {"cpu": "32", "memory": "131072Mi", "pods": "250"}
        info = {"kubeletVersion": "v1.34.1", "osImage": "Linux", "containerRuntimeVersion": "cri-o://1.34.0"}
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": metadata(name, labels=labels),
            "spec": {"podCIDR": f"{ipaddress.IPv4Address(POD_NETWORK + index * PODS_PER_NODE_BLOCK)}/23"},
            "status": {"capacity": quantity, "allocatable": quantity, "addresses": addresses, "nodeInfo": info},
        }


def node_name(index: int) -> str:
    """`worker-0042`."""
    return f"worker-{index:04d}"


def node_address(index: int) -> str:
    """The node's own address, outside the pod network."""
    return str(ipaddress.IPv4Address(NODE_NETWORK + index))


@dataclass(frozen=True, slots=True)
class Workload:
    """What the replicas of one owner share."""

    space: str
    app: str
    port: int


def workloads(case: Case) -> Iterator[tuple[Workload, int]]:
    """Every workload with its number of replicas: two routers per zone, two DNS pods, then the namespaces."""
    for zone in ZONES:
        yield Workload(f"ingress-{zone}", "router", 8443), 2
    yield Workload("openshift-dns", "dns", 53), 2
    for index in range(case.namespaces):
        for slot in range(WORKLOADS_PER_NAMESPACE):
            yield Workload(namespace_name(index), app_of(index, slot), port_of(index, slot)), case.replicas


def pods(case: Case) -> Iterator[Document]:
    """Every replica of every workload, spread over the nodes in turn."""
    replicas = ((workload, replica) for workload, count in workloads(case) for replica in range(count))
    for serial, (workload, replica) in enumerate(replicas):
        yield pod(case, serial, workload, replica)


def pod(case: Case, serial: int, workload: Workload, replica: int) -> Document:
    """One running Pod of a ReplicaSet."""
    space, app = workload.space, workload.app
    node, seat = serial % case.nodes, serial // case.nodes
    template = digest(f"{space}/{app}")[:10]
    owner = f"{app}-{template}"
    name = f"{owner}-{digest(f'{owner}/{replica}')[:5]}"
    labels = {"app": app, "app.kubernetes.io/instance": space, "pod-template-hash": template, "version": "v1"}
    meta = metadata(name, space, labels)
    meta["generateName"] = f"{owner}-"
    meta["ownerReferences"] = [owner_reference(owner, space)]
    address = str(ipaddress.IPv4Address(POD_NETWORK + node * PODS_PER_NODE_BLOCK + 2 + seat))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": pod_spec(workload, node_name(node)),
        "status": pod_status(app, address, node_address(node)),
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


def pod_spec(workload: Workload, node: str) -> Document:
    """The fields that admission and the scheduler leave in every pod."""
    container = {
        "name": workload.app,
        "image": f"registry.example.org/{workload.app}:1.0.0",
        "ports": [{"name": "main", "containerPort": workload.port, "protocol": "TCP"}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}],
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [
            {"name": "token", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
        ],
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }
    return {
        "volumes": [{"name": "token", "projected": {"defaultMode": 420, "sources": TOKEN_SOURCES}}],
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "nodeName": node,
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "tolerations": TOLERATIONS,
    }


TOKEN_SOURCES = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
]
TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("not-ready", "unreachable")
]


def pod_status(app: str, address: str, host: str) -> Document:
    """A running pod's status."""
    return {
        "phase": "Running",
        "conditions": [
            {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": STAMP}
            for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "hostIP": host,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": STAMP,
        "containerStatuses": [
            {"name": app, "state": {"running": {"startedAt": STAMP}}, "ready": True, "restartCount": 0}
        ],
        "qosClass": "Burstable",
    }


def policies(case: Case) -> Iterator[Document]:
    """Default deny and zone policy of every namespace, and one policy per workload where the case asks for it."""
    for zone in ZONES:
        yield from zone_policies(f"ingress-{zone}", zone)
    for index in range(case.namespaces):
        yield from zone_policies(namespace_name(index), zone_of(index), faulty=is_open(index))
        if case.microsegmented:
            for slot in range(WORKLOADS_PER_NAMESPACE):
                yield policy(f"allow-{app_of(index, slot)}", namespace_name(index), workload_policy(index, slot))


def is_open(index: int) -> bool:
    """Whether the zone policy of namespace `index` is one of the planted faults."""
    return index % OPEN_EVERY == OPEN_EVERY - 1


def zone_policies(space: str, zone: str, *, faulty: bool = False) -> Iterator[Document]:
    """The two policies that every namespace of the zone design carries; a faulty zone policy admits everybody."""
    rules = [{}] if faulty else zone_rules(zone)
    yield policy("default-deny", space, {"podSelector": {}, "policyTypes": ["Ingress"]})
    yield policy("zone", space, {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": rules})


def policy(name: str, space: str, spec: Document) -> Document:
    """One NetworkPolicy as served."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, space),
        "spec": spec,
    }


def zone_rules(zone: str) -> Sequence[Document]:
    """Same namespace, same zone, the zone's routers, and what the matrix admits."""
    routers = {"namespaceSelector": match("ingress-zone", zone), "podSelector": match("app", "router")}
    rules: list[Document] = [
        {"from": [{"podSelector": {}}]},
        {"from": [{"namespaceSelector": match("network-zone", zone)}]},
        {"from": [routers]},
    ]
    match zone:
        case "dmz":
            rules.append({"from": [block("0.0.0.0/0", ["10.0.0.0/8"])], "ports": [tcp(8443)]})
        case "internal":
            rules.append({"from": [{"namespaceSelector": match("network-zone", "dmz")}], "ports": [tcp(8443)]})
        case _:
            rules.append({"from": [{"namespaceSelector": match("network-zone", "internal")}], "ports": [tcp(5432)]})
    return rules


def workload_policy(index: int, slot: int) -> Document:
    """Ingress from one neighbour; egress to the other, to DNS, and to one address block or the next zone."""
    before, after = (slot - 1) % WORKLOADS_PER_NAMESPACE, (slot + 1) % WORKLOADS_PER_NAMESPACE
    own_port = {"protocol": "TCP", "port": "main"} if slot == 1 else tcp(port_of(index, slot))
    dns = {
        "to": [{"namespaceSelector": match("kubernetes.io/metadata.name", "openshift-dns")}],
        "ports": [{"protocol": "UDP", "port": 53}, tcp(53)],
    }
    neighbour = {
        "to": [{"podSelector": match("app", app_of(index, after))}],
        "ports": [tcp(port_of(index, after))],
    }
    onward = {"dmz": ("internal", 8443), "internal": ("database", 5432), "database": ("database", 5432)}[zone_of(index)]
    outward = {"to": [{"namespaceSelector": match("network-zone", onward[0])}], "ports": [tcp(onward[1])]}
    if slot == WORKLOADS_PER_NAMESPACE - 1 and zone_of(index) == "internal":
        outward = {"to": [block(f"10.20.{index % DATABASE_BLOCKS}.0/24")], "ports": [tcp(1521)]}
    return {
        "podSelector": match("app", app_of(index, slot)),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": match("app", app_of(index, before))}], "ports": [own_port]}],
        "egress": [neighbour, dns, outward],
    }


def match(key: str, value: str) -> Document:
    """A label selector with one label."""
    return {"matchLabels": {key: value}}


def tcp(port: int) -> Document:
    """One TCP port."""
    return {"protocol": "TCP", "port": port}


def block(cidr: str, without: Iterable[str] = ()) -> Document:
    """An ipBlock peer."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(without)} if without else {})}}


def write_cluster(case: Case, path: Path) -> None:
    """Write the List, one object after the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder = json.JSONEncoder(separators=(",", ":"), check_circular=False)
    with path.open("w", encoding="utf-8", buffering=1 << 20) as out:
        out.write('{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":""},"items":[')
        separator = ""
        for kind in (namespaces, nodes, pods, policies):
            for document in kind(case):
                out.write(separator + encoder.encode(document))
                separator = ","
        out.write("]}\n")


def deployment(space: str, app: str, port: int) -> Document:
    """One Deployment as a developer writes it."""
    container = {"name": app, "image": f"registry.example.org/{app}:1.0.0", "ports": [{"containerPort": port}]}
    template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": match("app", app), "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": app, "namespace": space}, "spec": spec}


def manifests() -> Iterator[tuple[str, Sequence[Document]]]:
    """File name and documents of a merge request's directory: five namespaces of ten objects, 50 in all."""
    for index in range(5):
        space = namespace_name(index)
        labels = {"network-zone": zone_of(index)}
        yield (
            f"{space}/namespace.yaml",
            [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": labels}}],
        )
        deployments = [deployment(space, app_of(index, slot), port_of(index, slot)) for slot in range(4)]
        services = [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": app_of(index, slot), "namespace": space},
                "spec": {"selector": {"app": app_of(index, slot)}, "ports": [{"port": port_of(index, slot)}]},
            }
            for slot in range(3)
        ]
        yield f"{space}/workloads.yaml", [*deployments, *services]
        yield f"{space}/policies.yaml", list(zone_policies(space, zone_of(index)))


def write_manifests(folder: Path) -> None:
    """Write the 50-object directory as YAML files of several documents."""
    for name, documents in manifests():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")


def write_case(name: str, folder: Path, *, half: bool = False) -> tuple[Path, Path]:
    """Write one case and the matrix; returns the source and the zones.yaml."""
    zones = folder / "zones.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    zones.write_text(MATRIX, encoding="utf-8")
    if name == "manifests":
        write_manifests(folder / name)
        return folder / name, zones
    case = CASES[name].halved() if half else CASES[name]
    path = folder / f"{name}{'-half' if half else ''}.json"
    write_cluster(case, path)
    return path, zones


def main() -> None:
    """Write the named cases into a folder."""
    parser = argparse.ArgumentParser(description="generate benchmark clusters")
    parser.add_argument("cases", nargs="+", choices=[*CASES, "manifests"])
    parser.add_argument("-o", "--output", type=Path, default=Path(".cache/bench"))
    parser.add_argument("--half", action="store_true", help="half of every kind of object")
    arguments = parser.parse_args()
    for name in arguments.cases:
        path, zones = write_case(name, arguments.output, half=arguments.half)
        print(f"{path} (matrix {zones})")


if __name__ == "__main__":
    main()
