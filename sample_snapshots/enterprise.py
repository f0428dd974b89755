"""Writes the generated part of `enterprise/manifests`: namespaces, nodes, workloads, services, baseline policies, pods.

    python sample_snapshots/enterprise.py [FOLDER]

The policies that differ from namespace to namespace, and so all planted problems, are written by hand in the
`policies-*.yaml` files of the same folder. Equal tables below give equal bytes.
"""

# ruff: noqa: INP001 - a script beside the samples, not a package

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pods import Object, main

FOLDER = Path(__file__).parent / "enterprise" / "manifests"
REGISTRY = "registry.example.org/bank"
NAME_LABEL = "kubernetes.io/metadata.name"

NAMESPACES: dict[str, dict[str, str]] = {
    "edge-web": {"network-zone": "dmz", "tier": "edge"},
    "edge-api": {"network-zone": "dmz", "tier": "edge"},
    "edge-auth": {"network-zone": "dmz", "tier": "edge"},
    "partner-gateway": {"network-zone": "dmz", "tier": "edge"},
    "orders": {"network-zone": "internal", "tier": "service"},
    "customers": {"network-zone": "internal", "tier": "service"},
    "pricing": {"network-zone": "internal", "tier": "service"},
    "documents": {"network-zone": "internal", "tier": "service"},
    "batch": {"network-zone": "internal", "tier": "service"},
    "orders-db": {"network-zone": "database", "tier": "data"},
    "customers-db": {"network-zone": "database", "tier": "data"},
    "warehouse": {"network-zone": "database", "tier": "data"},
    # Moved from the database zone to the internal zone; the old tier label stayed.
    "reporting": {"network-zone": "internal", "tier": "data"},
    "observability": {"network-zone": "management", "tier": "operations"},
    "backup": {"network-zone": "management", "tier": "operations"},
    "deployment": {"network-zone": "management", "tier": "operations"},
    "sandbox": {},
    "openshift-ingress": {"network.openshift.io/policy-group": "ingress"},
    "openshift-ingress-operator": {},
    "openshift-dns": {},
    "openshift-monitoring": {"network.openshift.io/policy-group": "monitoring"},
    "openshift-kni-infra": {},
}

NODES = {"dmz": 3, "internal": 4, "database": 3, "management": 2, "platform": 3}
"""Nodes of each zone; those of the platform are infra nodes, the others workers."""
DUAL_STACK = ("dmz",)
"""Zones whose nodes, and so whose pods, have IPv6 addresses as well."""

WORKLOADS = """
edge-web        Deployment  www              3 https:8443 metrics:9102
edge-web        Deployment  static           2 https:8443
edge-web        Deployment  waf              3 https:8443 metrics:9102
edge-web        Deployment  consent          2 https:8443
edge-api        Deployment  gateway          4 https:8443 metrics:9102
edge-api        Deployment  mobile-bff       3 https:8443
edge-api        Deployment  rate-limit       2 grpc:8081
edge-api        StatefulSet session-cache    2 redis:6379 metrics:9121
edge-auth       Deployment  login            3 https:8443 metrics:9102
edge-auth       Deployment  token            2 https:8443
edge-auth       Deployment  captcha          2 https:8443
edge-auth       StatefulSet otp-cache        2 redis:6379 metrics:9121
partner-gateway Deployment  sftp             2 sftp:2222
partner-gateway Deployment  partner-api      2 https:8443 metrics:9102
partner-gateway Deployment  outbound-relay   2 https:8443
partner-gateway StatefulSet diameter         2 diameter:3868/SCTP
partner-gateway CronJob     key-rotation     1
orders          Deployment  orders           4 https:8443 metrics:9102
orders          Deployment  order-worker     3 metrics:9102
orders          Deployment  invoices         2 https:8443
orders          StatefulSet order-queue      3 amqp:5672
orders          CronJob     cleanup          1
customers       Deployment  customers        4 https:8443 metrics:9102
customers       Deployment  profile          2 https:8443
customers       Deployment  charging         2 diameter:3868/SCTP metrics:9102
customers       StatefulSet customer-cache   2 redis:6379 metrics:9121
pricing         Deployment  pricing          3 https:8443 metrics:9102
pricing         Deployment  rules-engine     2 https:8443
pricing         DeploymentConfig tariffs     2 http:8080
pricing         StatefulSet price-cache      2 redis:6379 metrics:9121
documents       Deployment  documents        3 https:8443 metrics:9102
documents       Deployment  renderer         2 https:8443
documents       Deployment  virus-scan       2 https:8443
documents       StatefulSet document-index   2 search:9200
batch           Deployment  scheduler        1 https:8443 metrics:9102
batch           CronJob     nightly-load     1
batch           CronJob     settlement       1
batch           StatefulSet spool            1 https:8443
reporting       Deployment  report-server    2 https:8443
reporting       CronJob     month-end        1
orders-db       StatefulSet orders-pg        3 postgres:5432 metrics:9187
orders-db       Deployment  orders-pool      2 postgres:5432
orders-db       CronJob     orders-vacuum    1
customers-db    StatefulSet customers-pg     3 postgres:5432 metrics:9187
customers-db    Deployment  customers-pool   2 postgres:5432
customers-db    StatefulSet customers-redis  3 redis:6379 metrics:9121
customers-db    CronJob     patch-download   1
warehouse       StatefulSet oracle           2 listener:1521 metrics:9161
warehouse       StatefulSet history          2 postgres:5432 metrics:9187
warehouse       Deployment  etl              2 metrics:9102
warehouse       CronJob     compaction       1
observability   StatefulSet prometheus       2 web:9090 metrics:9102
observability   Deployment  grafana          2 http:3000 metrics:9102
observability   StatefulSet alertmanager     2 web:9093 metrics:9102
observability   Deployment  collector        2 otlp:4317
backup          Deployment  controller       1 https:8443
backup          StatefulSet vault            1 https:8443
backup          CronJob     nightly-backup   1
deployment      Deployment  ci-controller    2 http:8080
deployment      Deployment  runner           4
deployment      Deployment  webhook          2 https:8443
deployment      StatefulSet image-cache      2 registry:5000
sandbox         Deployment  playground       1 http:8080
openshift-ingress    Deployment  router-public   2 http:80 https:443 metrics:1936
openshift-dns        DaemonSet   dns-default     0 dns:5353/UDP dns-tcp:5353
openshift-monitoring StatefulSet prometheus-k8s  2 web:9090
openshift-kni-infra  DaemonSet   keepalived      0 vrrp-check:9444
"""
"""Namespace, kind, name, replicas (0 for a DaemonSet), ports as NAME:NUMBER[/PROTOCOL]."""

SERVICES = ("www", "gateway", "login", "partner-api", "sftp", "orders", "customers", "pricing", "documents", "charging")
SERVICES += (
    "orders-pool",
    "customers-pool",
    "customers-redis",
    "oracle",
    "history",
    "prometheus",
    "grafana",
    "collector",
)
SERVICES += ("vault", "ci-controller", "image-cache", "report-server", "router-public", "dns-default")
ROUTES = {"www": "www.example.org", "gateway": "api.example.org", "login": "login.example.org"}
ROUTES |= {"partner-api": "partners.example.org"}
PUBLISHED = {"sftp": "10.0.9.21", "router-public": "10.0.9.20"}
"""Services of type LoadBalancer, and their addresses."""
SHARD = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
"""Label that the ingress operator puts on the pods of a router shard, with the name of the shard."""
LABELS = {
    "router-public": {SHARD: "public"},
    "prometheus": {"app": "prometheus", "role": "scraper"},
}
"""Pod labels of workloads that have other ones than `app`."""
ON_INFRA = ("router-public", "keepalived", "prometheus-k8s")
ON_HOST = ("keepalived",)


def write(folder: Path) -> None:
    """All generated files."""
    parts = {
        "namespaces": namespaces,
        "nodes": nodes,
        "workloads": workloads,
        "services": services,
        "baseline": baseline,
    }
    for name, part in parts.items():
        text = "---\n".join(yaml.dump(one, Dumper=_Plain, sort_keys=False, width=120) for one in part())
        head = "# Generated by sample_snapshots/enterprise.py.\n"
        (folder / f"{name}.yaml").write_text(head + text, "utf-8")
    main([str(folder)])


class _Plain(yaml.SafeDumper):
    """Writes equal values out instead of anchoring them, as people do."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Always."""
        return True


def rows() -> Iterator[list[str]]:
    """The cells of WORKLOADS."""
    for line in WORKLOADS.strip().splitlines():
        yield line.split()


def namespaces() -> Iterator[Object]:
    """Every namespace with its zone label."""
    for name, labels in NAMESPACES.items():
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {NAME_LABEL: name, **labels}},
        }


def nodes() -> Iterator[Object]:
    """Nodes in the network of their zone."""
    for net, (zone, count) in enumerate(NODES.items(), start=1):
        role = "infra" if zone == "platform" else "worker"
        for number in range(1, count + 1):
            name = f"{zone}-{number}"
            addresses = [{"type": "InternalIP", "address": f"10.0.{net}.{10 + number}"}]
            if zone in DUAL_STACK:
                addresses.append({"type": "InternalIP", "address": f"fd00:10:0:{net}::{number}"})
            labels = {"kubernetes.io/hostname": name, f"node-role.kubernetes.io/{role}": "", "network-zone": zone}
            yield {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": labels},
                "status": {"addresses": [*addresses, {"type": "Hostname", "address": name}]},
            }


def workloads() -> Iterator[Object]:
    """Every workload of the table."""
    for namespace, kind, name, replicas, *ports in rows():
        template = {"metadata": {"labels": labels_of(name)}, "spec": pod_spec(namespace, kind, name, ports)}
        metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
        yield {
            "apiVersion": VERSIONS[kind],
            "kind": kind,
            "metadata": metadata,
            "spec": spec(kind, name, replicas, template),
        }


VERSIONS = {"CronJob": "batch/v1", "DeploymentConfig": "apps.openshift.io/v1"}
VERSIONS |= dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet"), "apps/v1")


def spec(kind: str, name: str, replicas: str, template: Object) -> Object:
    """`spec` of a workload."""
    if kind == "CronJob":
        return {"schedule": "15 2 * * *", "jobTemplate": {"spec": {"template": template}}}
    selector = labels_of(name) if kind == "DeploymentConfig" else {"matchLabels": labels_of(name)}
    size = {} if kind == "DaemonSet" else {"replicas": int(replicas)}
    return {**size, "selector": selector, "template": template}


def labels_of(name: str) -> dict[str, str]:
    """Pod labels of a workload."""
    return LABELS.get(name, {"app": name})


def pod_spec(namespace: str, kind: str, name: str, ports: list[str]) -> Object:
    """`spec` of a pod: one container with its ports, on nodes of its zone."""
    zone = "platform" if name in ON_INFRA else NAMESPACES[namespace].get("network-zone")
    container: Object = {"name": name, "image": f"{REGISTRY}/{name}"}
    if ports:
        container["ports"] = [port(text) for text in ports]
    return {
        **({"hostNetwork": True} if name in ON_HOST else {}),
        **({"nodeSelector": {"network-zone": zone}} if zone else {}),
        **({"restartPolicy": "Never"} if kind == "CronJob" else {}),
        "containers": [container],
    }


def port(text: str) -> Object:
    """A container port from `diameter:3868/SCTP`."""
    name, _, rest = text.partition(":")
    number, _, protocol = rest.partition("/")
    return {"name": name, "containerPort": int(number), **({"protocol": protocol} if protocol else {})}


def services() -> Iterator[Object]:
    """A Service for every workload in SERVICES, Routes to some, and the shard that serves them."""
    yield shard()
    for namespace, _, name, _, *texts in rows():
        if name not in SERVICES:
            continue
        ports = [_service_port(port(text)) for text in texts if not text.startswith("metrics")]
        outside = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"} if name in PUBLISHED else {}
        body = {**outside, "selector": labels_of(name), "ports": ports}
        metadata = {"name": name, "namespace": namespace}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body} | status(name)
        if name in ROUTES:
            yield route(namespace, name)


def status(name: str) -> Object:
    """The address of a load balancer."""
    return {"status": {"loadBalancer": {"ingress": [{"ip": PUBLISHED[name]}]}}} if name in PUBLISHED else {}


def shard() -> Object:
    """The router shard of the DMZ."""
    spec = {
        "domain": "apps.example.org",
        "replicas": 2,
        "namespaceSelector": {"matchLabels": {"network-zone": "dmz"}},
        "nodePlacement": {"nodeSelector": {"matchLabels": {"network-zone": "platform"}}},
        "endpointPublishingStrategy": {
            "type": "LoadBalancerService",
            "loadBalancer": {"scope": "External", "dnsManagementPolicy": "Managed"},
        },
    }
    metadata = {"name": "public", "namespace": "openshift-ingress-operator"}
    return {"apiVersion": "operator.openshift.io/v1", "kind": "IngressController", "metadata": metadata, "spec": spec}


def _service_port(one: Object) -> Object:
    numbers = {"https": 443, "http": 80, "dns": 53, "dns-tcp": 53, "sftp": 22}
    number = numbers.get(one["name"], one["containerPort"])
    return {"name": one["name"], "port": number, "targetPort": one["name"], "protocol": one.get("protocol", "TCP")}


def route(namespace: str, name: str) -> Object:
    """A Route that the public router has admitted."""
    admitted = {"host": ROUTES[name], "routerName": "public", "conditions": [{"type": "Admitted", "status": "True"}]}
    return {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "host": ROUTES[name],
            "to": {"kind": "Service", "name": name, "weight": 100},
            "port": {"targetPort": "https"},
            "tls": {"termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect"},
        },
        "status": {"ingress": [admitted]},
    }


def baseline() -> Iterator[Object]:
    """Policies that every namespace of a zone gets when it is created."""
    both = ["Ingress", "Egress"]
    for name, labels in NAMESPACES.items():
        if name.startswith("openshift-"):
            continue
        if name != "deployment":  # its owners wrote their own, see policies-management.yaml
            yield policy(name, "default-deny", {}, both)
        if name in ("sandbox", "reporting"):  # closed until their zone is settled
            continue
        yield policy(name, "name-resolution", {}, ["Egress"], egress=[DNS])
        if name == "deployment":
            continue
        same = [{"podSelector": {}}]
        yield policy(name, "same-namespace", {}, both, ingress=[{"from": same}], egress=[{"to": same}])
        yield policy(name, "metrics", {}, ["Ingress"], ingress=[SCRAPE])
        if labels["network-zone"] == "internal":
            yield policy(name, "internal-neighbours", {}, both, **INTERNAL)


def policy(namespace: str, name: str, pods: dict[str, str], types: list[str], **rules: list[Object]) -> Object:
    """A NetworkPolicy."""
    selector = {"matchLabels": pods} if pods else {}
    body = {"podSelector": selector, "policyTypes": types, **rules}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": body}


DNS: Object = {
    "to": [{"namespaceSelector": {"matchLabels": {NAME_LABEL: "openshift-dns"}}}],
    "ports": [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 5353}],
}
SCRAPE: Object = {
    "from": [
        {
            "namespaceSelector": {"matchLabels": {NAME_LABEL: "observability"}},
            "podSelector": {"matchLabels": {"role": "scraper"}},
        }
    ],
    "ports": [{"protocol": "TCP", "port": "metrics"}],
}
_NEIGHBOURS = [{"namespaceSelector": {"matchLabels": {"network-zone": "internal"}}}]
INTERNAL: dict[str, list[Object]] = {"ingress": [{"from": _NEIGHBOURS}], "egress": [{"to": _NEIGHBOURS}]}


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
