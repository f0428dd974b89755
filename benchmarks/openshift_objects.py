"""Single objects of OpenShift, OVN-Kubernetes and the cluster-wide policies, as an API server serves them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any

from cluster_objects import (
    CONTROL_PLANE,
    INFRA_NODES,
    SHARD,
    STAMP,
    Document,
    address,
    among,
    digest,
    match,
    metadata,
    node_name,
    tcp,
    toleration,
)
from zone_design import CALLERS, DATABASE_BLOCKS, NODE_KEY, ZONES

VERSION = "4.20.8"
INGRESS = "openshift-ingress"
INGRESS_OPERATOR = "openshift-ingress-operator"
PLATFORM = (
    *("kube-system", "openshift-config", "openshift-dns", INGRESS, INGRESS_OPERATOR),
    "openshift-network-diagnostics",
)
"""Namespaces of the platform."""
EGRESS_NETWORK = int(ipaddress.IPv4Address("10.0.240.2"))
EGRESS_BLOCK = 16
"""Egress addresses of a zone: a /28 of the nodes' network."""
DOMAIN_NAME_EVERY, OWN_BLOCK_EVERY = 20, 50
"""One egress firewall in so many names a partner's host, or a database network of its own."""
PARTNERS = 16


def platform() -> Iterator[Document]:
    """Which OpenShift it is, and its network."""
    image = f"registry.example.org/release@sha256:{digest('release') * 2}"
    times = {"startedTime": STAMP, "completionTime": STAMP}
    history = [{"state": "Completed", "version": VERSION, "image": image, "verified": True, **times}]
    desired = {"version": VERSION, "image": image}
    status = {"desired": desired, "history": history, "observedGeneration": 1, "versionHash": digest(VERSION)[:11]}
    yield {
        "apiVersion": "config.openshift.io/v1",
        "kind": "ClusterVersion",
        "metadata": metadata("version"),
        "spec": {"clusterID": "00000000-0000-4000-8000-000000000001", "channel": "stable-4.20"},
        "status": status | {"availableUpdates": []},
    }
    network = {
        "clusterNetwork": [{"cidr": "10.128.0.0/10", "hostPrefix": 23}],
        "serviceNetwork": ["172.30.0.0/16"],
        "networkType": "OVNKubernetes",
    }
    yield {
        "apiVersion": "config.openshift.io/v1",
        "kind": "Network",
        "metadata": metadata("cluster"),
        "spec": network,
        "status": network | {"clusterNetworkMTU": 1400},
    }


def ingress_controller(zone: str) -> Document:
    """The router shard of one zone; only that of the DMZ is published to the outside."""
    selector = match("network-zone", zone)
    balancer: dict[str, Any] = {"scope": scope(zone), "dnsManagementPolicy": "Managed"}
    if scope(zone) == "Internal":
        balancer["allowedSourceRanges"] = ["10.0.0.0/8"]
    strategy = {"type": "LoadBalancerService", "loadBalancer": balancer}
    placement = {"matchLabels": {"node-role.kubernetes.io/infra": "", NODE_KEY: zone}}
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": STAMP}
        for kind in ("Admitted", "Available", "LoadBalancerReady", "DNSReady")
    ]
    return {
        "apiVersion": "operator.openshift.io/v1",
        "kind": "IngressController",
        "metadata": metadata(zone, INGRESS_OPERATOR),
        "spec": {
            "domain": domain(zone),
            "replicas": 2,
            "namespaceSelector": selector,
            "nodePlacement": {"nodeSelector": placement, "tolerations": [toleration(zone)]},
            "endpointPublishingStrategy": strategy,
            "routeAdmission": {"namespaceOwnership": "Strict", "wildcardPolicy": "WildcardsDisallowed"},
        },
        "status": {
            "availableReplicas": 2,
            "selector": f"{SHARD}={zone}",
            "domain": domain(zone),
            "endpointPublishingStrategy": strategy,
            "namespaceSelector": selector,
            "routeSelector": {},
            "conditions": conditions,
            "observedGeneration": 1,
        },
    }


def scope(zone: str) -> str:
    """Where the load balancer of a shard takes clients from."""
    return "External" if zone == "dmz" else "Internal"


def domain(zone: str) -> str:
    """The wildcard domain of a shard."""
    return f"apps.{zone}.example.org"


def route(space: str, app: str, zone: str, *, admitted: bool) -> Document:
    """A Route to a Service of the same name; the routers of its zone admit it where its namespace is labelled."""
    host = f"{app}-{space}.{domain(zone)}"
    entry = {
        "host": host,
        "routerName": zone,
        "routerCanonicalHostname": f"router-{zone}.{domain(zone)}",
        "wildcardPolicy": "None",
        "conditions": [{"type": "Admitted", "status": "True", "lastTransitionTime": STAMP}],
    }
    return {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": metadata(app, space, {"app": app}),
        "spec": {
            "host": host,
            "to": {"kind": "Service", "name": app, "weight": 100},
            "port": {"targetPort": "main"},
            "tls": {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
            "wildcardPolicy": "None",
        },
        "status": {"ingress": [entry] if admitted else []},
    }


def egress_firewall(space: str, zone: str, index: int) -> Document:
    """Data centre and API servers, then nothing else inside; only the DMZ may go on to the internet.

    Some name a partner's host or a database network of their own as well.
    """
    rules: list[Document] = [
        {"type": "Allow", "to": {"cidrSelector": "10.20.0.0/16"}},
        {"type": "Allow", "to": {"nodeSelector": control_plane()}, "ports": [tcp(6443)]},
    ]
    if index % DOMAIN_NAME_EVERY == DOMAIN_NAME_EVERY - 1:
        partner = f"api-{index // DOMAIN_NAME_EVERY % PARTNERS}.partners.example.org"
        rules.append({"type": "Allow", "to": {"dnsName": partner}, "ports": [tcp(443)]})
    if index % OWN_BLOCK_EVERY == OWN_BLOCK_EVERY - 1:
        own = f"10.21.{index // OWN_BLOCK_EVERY % DATABASE_BLOCKS}.0/24"
        rules.append({"type": "Allow", "to": {"cidrSelector": own}, "ports": [tcp(1521)]})
    rules.append({"type": "Deny", "to": {"cidrSelector": "10.0.0.0/8" if zone == "dmz" else "0.0.0.0/0"}})
    applied = "EgressFirewall Rules applied"
    return {
        "apiVersion": "k8s.ovn.org/v1",
        "kind": "EgressFirewall",
        "metadata": metadata("default", space),
        "spec": {"egress": rules},
        "status": {"status": applied, "messages": [f"{node_name(i)}: {applied}" for i in range(len(ZONES))]},
    }


def control_plane() -> Document:
    """The selector of the nodes that run the API server."""
    return match("node-role.kubernetes.io/control-plane", "")


def egress_ip(zone: str, nodes: int) -> Document:
    """Two outward addresses of one zone, served by its infra nodes; `nodes` is how many the cluster has."""
    place = ZONES.index(zone)
    hosts = range(place, min(nodes, INFRA_NODES), len(ZONES))
    addresses = [address(EGRESS_NETWORK, place * EGRESS_BLOCK + seat) for seat in range(2)]
    items = [{"node": node_name(host), "egressIP": own} for host, own in zip(hosts, addresses, strict=False)]
    return {
        "apiVersion": "k8s.ovn.org/v1",
        "kind": "EgressIP",
        "metadata": metadata(f"zone-{zone}"),
        "spec": {"egressIPs": addresses, "namespaceSelector": match("network-zone", zone), "podSelector": {}},
        "status": {"items": items},
    }


def guards() -> Iterator[Document]:
    """The security team's AdminNetworkPolicies: a guard for each zone and for its routers, and common egress rules.

    Guards pass what zones may do at all down to the NetworkPolicies, and deny the rest of the cluster.
    """
    yield admin_policy("zone-egress", 5, {"namespaces": among("network-zone", "Exists")}, egress=common_egress())
    for place, zone in enumerate(ZONES):
        callers = {"namespaces": among("network-zone", "In", (zone, *CALLERS[zone]))}
        subject = {"namespaces": match("network-zone", zone)}
        yield admin_policy(f"zone-{zone}-guard", 10 + 10 * place, subject, passing((callers, routers(zone))))
        own = {"namespaces": match("network-zone", zone)}
        yield admin_policy(f"router-{zone}-guard", 40 + 10 * place, routers(zone), passing((own,)))


def routers(zone: str) -> Document:
    """The router pods of one shard, as subject and as peer."""
    return {
        "pods": {
            "namespaceSelector": match("kubernetes.io/metadata.name", INGRESS),
            "podSelector": match(SHARD, zone),
        }
    }


def passing(peers: Sequence[Document]) -> Sequence[Document]:
    """Ingress rules that leave these peers to the NetworkPolicies and deny every other pod."""
    return [
        {"name": "zone-design", "action": "Pass", "from": list(peers)},
        {"name": "rest-of-the-cluster", "action": "Deny", "from": [{"namespaces": {}}]},
    ]


def common_egress() -> Sequence[Document]:
    """DNS and the API server always, the metadata service of the cloud never."""
    dns = {"namespaces": match("kubernetes.io/metadata.name", "openshift-dns")}
    port = [{"portNumber": {"protocol": protocol, "port": 53}} for protocol in ("UDP", "TCP")]
    api = [{"portNumber": tcp(6443)}]
    return [
        {"name": "dns", "action": "Allow", "to": [dns], "ports": port},
        {"name": "kube-api", "action": "Allow", "to": [{"nodes": control_plane()}], "ports": api},
        {"name": "cloud-metadata", "action": "Deny", "to": [{"networks": ["169.254.169.254/32"]}]},
    ]


def admin_policy(
    name: str, priority: int, subject: Document, ingress: Sequence[Document] = (), egress: Sequence[Document] = ()
) -> Document:
    """One AdminNetworkPolicy that OVN-Kubernetes has taken up."""
    rules = {direction: list(listed) for direction, listed in (("ingress", ingress), ("egress", egress)) if listed}
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": metadata(name),
        "spec": {"priority": priority, "subject": subject, **rules},
        "status": taken_up(),
    }


def baseline() -> Document:
    """The BaselineAdminNetworkPolicy: where no policy isolates a pod of a project, the cluster does."""
    projects = among("kubernetes.io/metadata.name", "NotIn", PLATFORM)
    deny = {"name": "default-deny", "action": "Deny", "from": [{"namespaces": {}}]}
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "BaselineAdminNetworkPolicy",
        "metadata": metadata("default"),
        "spec": {"subject": {"namespaces": projects}, "ingress": [deny]},
        "status": taken_up(),
    }


def taken_up() -> Document:
    """The status that one zone of OVN-Kubernetes writes for each of the first nodes."""
    common = {"status": "True", "reason": "SetupSucceeded", "lastTransitionTime": STAMP}
    message = "Setting up OVN DB plumbing was successful"
    kinds = [f"Ready-In-Zone-{node_name(index)}" for index in CONTROL_PLANE]
    return {"conditions": [{"type": kind, "message": message, **common} for kind in kinds]}
